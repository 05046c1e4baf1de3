/// Tables that are drawn from the journal and can be made again from it. The head row's edges are, too.
pub(crate) const PROJECTIONS: &[&str] = &[
    "directory_entry", "log_leaf", "log_node", "log_checkpoint", "log_cosignature", "chart_head", "chart", "relation", "entry", "attachment", "roster", "pace", "bundle", "way_in",
    "credential", "kit", "kit_use", "invitation", "approval", "object", "key_name",
];

pub(super) const STEPS: &[&str] = &[STEP_1];

const STEP_1: &str = "
CREATE TABLE head (practice {blob} NOT NULL PRIMARY KEY, version {int} NOT NULL, journal {int} NOT NULL, access_edge {blob} NOT NULL, directory_edge {blob} NOT NULL);
CREATE TABLE journal (practice {blob} NOT NULL, seq {int} NOT NULL, kind TEXT NOT NULL, at {int} NOT NULL, chart {blob}, body {blob} NOT NULL, PRIMARY KEY (practice, seq));
CREATE TABLE directory_entry (practice {blob} NOT NULL, n {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, n));
CREATE TABLE log_leaf (practice {blob} NOT NULL, idx {int} NOT NULL, seq {int} NOT NULL, chart {blob}, hash {blob} NOT NULL, PRIMARY KEY (practice, idx));
CREATE INDEX log_leaf_chart ON log_leaf (practice, chart, idx);
CREATE TABLE log_node (practice {blob} NOT NULL, log {int} NOT NULL, level {int} NOT NULL, idx {int} NOT NULL, hash {blob} NOT NULL, PRIMARY KEY (practice, log, level, idx));
CREATE TABLE log_checkpoint (practice {blob} NOT NULL, log {int} NOT NULL, size {int} NOT NULL, seq {int} NOT NULL, at {int} NOT NULL, PRIMARY KEY (practice, log, size));
CREATE TABLE log_cosignature (practice {blob} NOT NULL, log {int} NOT NULL, size {int} NOT NULL, witness TEXT NOT NULL, at {int} NOT NULL, seq {int} NOT NULL,
  PRIMARY KEY (practice, log, size, witness));
CREATE TABLE chart_head (practice {blob} NOT NULL, chart {blob} NOT NULL, idx {int} NOT NULL, hash {blob} NOT NULL, count {int} NOT NULL, PRIMARY KEY (practice, chart));
CREATE INDEX chart_head_idx ON chart_head (practice, idx);
CREATE TABLE chart (practice {blob} NOT NULL, chart {blob} NOT NULL, canary {int} NOT NULL, maker {blob} NOT NULL, made {int} NOT NULL, erased {int}, erased_seq {int}, seq {int} NOT NULL,
  PRIMARY KEY (practice, chart));
CREATE TABLE relation (practice {blob} NOT NULL, relation {blob} NOT NULL, chart {blob} NOT NULL, member {blob} NOT NULL, counts_from {int}, seq {int} NOT NULL, changed {int} NOT NULL,
  PRIMARY KEY (practice, relation));
CREATE INDEX relation_member ON relation (practice, member, chart);
CREATE INDEX relation_chart ON relation (practice, chart);
CREATE TABLE entry (practice {blob} NOT NULL, hash {blob} NOT NULL, chart {blob} NOT NULL, compartment {int} NOT NULL, entry {blob} NOT NULL, version {int} NOT NULL, author {blob} NOT NULL,
  received {int} NOT NULL, is_head {int} NOT NULL, conflict {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, hash));
CREATE INDEX entry_chart ON entry (practice, chart, compartment);
CREATE INDEX entry_entry ON entry (practice, entry);
CREATE TABLE attachment (practice {blob} NOT NULL, version {blob} NOT NULL, hash {blob} NOT NULL, length {int} NOT NULL, PRIMARY KEY (practice, version, hash));
CREATE TABLE roster (practice {blob} NOT NULL, chart {blob} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, chart));
CREATE TABLE pace (practice {blob} NOT NULL, member {blob} NOT NULL, chart {blob} NOT NULL, seq {int} NOT NULL, at {int} NOT NULL, is_foreign {int} NOT NULL, review {int} NOT NULL,
  PRIMARY KEY (practice, member, chart, seq));
CREATE INDEX pace_member ON pace (practice, member, is_foreign, at);
CREATE TABLE bundle (practice {blob} NOT NULL, member {blob} NOT NULL, version {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, member, version));
CREATE TABLE way_in (practice {blob} NOT NULL, member {blob} NOT NULL, way {blob} NOT NULL, active {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, member, way));
CREATE TABLE credential (practice {blob} NOT NULL, credential {blob} NOT NULL, member {blob} NOT NULL, active {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, credential));
CREATE INDEX credential_member ON credential (practice, member);
CREATE TABLE kit (practice {blob} NOT NULL, member {blob} NOT NULL, number {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, member));
CREATE TABLE kit_use (practice {blob} NOT NULL, member {blob} NOT NULL, number {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, member, number));
CREATE TABLE invitation (practice {blob} NOT NULL, invitation {blob} NOT NULL, made_by {blob} NOT NULL, seq {int} NOT NULL, accepted {int}, closed {int}, PRIMARY KEY (practice, invitation));
CREATE INDEX invitation_by ON invitation (practice, made_by);
CREATE TABLE approval (practice {blob} NOT NULL, hash {blob} NOT NULL, is_open {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, hash));
CREATE TABLE object (practice {blob} NOT NULL, hash {blob} NOT NULL, length {int} NOT NULL, seq {int} NOT NULL, PRIMARY KEY (practice, hash));
CREATE INDEX object_seq ON object (practice, seq);
CREATE TABLE key_name (practice {blob} NOT NULL, hash {blob} NOT NULL, chart {blob}, seq {int} NOT NULL, PRIMARY KEY (practice, hash));
CREATE INDEX key_name_chart ON key_name (practice, chart);
CREATE TABLE outcome (practice {blob} NOT NULL, request {blob} NOT NULL, at {int} NOT NULL, body {blob} NOT NULL, PRIMARY KEY (practice, request));
CREATE TABLE session (practice {blob} NOT NULL, session {blob} NOT NULL, member {blob} NOT NULL, device {blob}, session_key {blob} NOT NULL, since {int} NOT NULL, seen {int} NOT NULL,
  ends {int} NOT NULL, passkey_at {int} NOT NULL, restricted {int} NOT NULL, PRIMARY KEY (practice, session));
CREATE INDEX session_member ON session (practice, member);
CREATE TABLE ceremony (practice {blob} NOT NULL, ceremony {blob} NOT NULL, ends {int} NOT NULL, body {blob} NOT NULL, PRIMARY KEY (practice, ceremony));
CREATE TABLE nonce (practice {blob} NOT NULL, session {blob} NOT NULL, nonce {blob} NOT NULL, at {int} NOT NULL, PRIMARY KEY (practice, session, nonce));
CREATE TABLE draft (practice {blob} NOT NULL, member {blob} NOT NULL, entry {blob} NOT NULL, at {int} NOT NULL, body {blob} NOT NULL, PRIMARY KEY (practice, member, entry));
CREATE TABLE note (practice {blob} NOT NULL, name TEXT NOT NULL, at {int} NOT NULL, number {int} NOT NULL, PRIMARY KEY (practice, name));
";
