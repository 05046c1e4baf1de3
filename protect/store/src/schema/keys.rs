pub(super) const STEPS: &[&str] = &[STEP_1];

// `chart` is empty for rows of no chart; `tag` is what rows without a chart are looked up by.
const STEP_1: &str = "
CREATE TABLE key_head (practice {blob} NOT NULL PRIMARY KEY, version {int} NOT NULL, seq {int} NOT NULL, store_key {blob} NOT NULL);
CREATE TABLE key_row (practice {blob} NOT NULL, kind TEXT NOT NULL, chart {blob} NOT NULL, name {blob} NOT NULL, tag {blob} NOT NULL, seq {int} NOT NULL, value {blob} NOT NULL,
  PRIMARY KEY (practice, kind, chart, name));
CREATE INDEX key_row_tag ON key_row (practice, kind, tag);
CREATE INDEX key_row_seq ON key_row (seq);
";
