//! A scratch practice, driven through the real client: what a thief would find a year's work of.

use std::collections::BTreeSet;
use std::path::Path;

use subrosa_client::{
    Connection, DeviceSecrets, DraftBody, IdentityDraft, ImportOptions, ImportState, Invited, Kit, NewBody, NewFile, SetupOptions, SignIn, Vault, device_signin, offer_device, setup, signin,
};
use subrosa_crypto::random;
use subrosa_model::{CareKind, ChartId, Compartment, EntryId, Role, Timestamp};
use subrosa_protocol::keys::Introduction;
use subrosa_records::ImportBatch;

use crate::corpus;
use crate::drill::{At, DrillError, Options};
use crate::secrets::{Secrets, Watched};

/// Every compartment that a clinician writes.
pub const WRITTEN: [Compartment; 3] = [Compartment::Identity, Compartment::Record, Compartment::Psychotherapy];

/// A practice of two at work.
pub struct Practice {
    /// How its clients reach the server.
    pub conn: Connection,
    /// What must not be found.
    pub secrets: Secrets,
    /// The owner, signed in.
    pub owner: Vault,
    /// The owner's passkey.
    pub passkey: Watched,
    /// The printed practice kit.
    pub practice_kit: Kit,
    /// The owner's printed member kit.
    pub member_kit: Kit,
    /// A second member, once invited.
    pub colleague: Option<(Vault, Watched)>,
    /// The owner's charts.
    pub charts: Vec<ChartId>,
    /// The address that browsers show.
    pub base: String,
}

impl Practice {
    /// Sets the practice up, with a second way in.
    ///
    /// # Errors
    /// [`DrillError::Client`].
    pub async fn found(conn: &Connection, base: &str, token: &str, secrets: &Secrets) -> Result<Self, DrillError> {
        let passkey = Watched::new(base, secrets);
        let options = SetupOptions { token: token.to_owned(), owner_name: "Drill owner".into(), time_zone: "Europe/Zurich".into() };
        let made = setup(conn, &passkey, &options).await.at("set-up")?;
        let mut owner = made.vault;
        let member_kit = owner.put_kit().await.at("member kit")?;
        secrets.kit("practice kit", &made.practice_kit);
        secrets.kit("member kit", &member_kit);
        secrets.vault("owner", &owner);
        Ok(Practice {
            conn: conn.clone(),
            secrets: secrets.clone(),
            owner,
            passkey,
            practice_kit: made.practice_kit,
            member_kit,
            colleague: None,
            charts: Vec::new(),
            base: base.to_owned(),
        })
    }

    /// Makes a chart whose every field carries a mark, with notes in record and psychotherapy.
    ///
    /// # Errors
    /// [`DrillError::Client`].
    pub async fn marked_chart(&mut self) -> Result<ChartId, DrillError> {
        let s = self.secrets.clone();
        let (given, family) = (s.word("given name"), s.word("family name"));
        let draft = IdentityDraft::new(&given, &family, "1987-03-14", vec![s.word("phone"), s.mark("contact")]);
        self.owner.fresh(&self.passkey).await.at("fresh passkey")?;
        let chart = self.owner.make_chart(&draft).await.at("making a chart")?;
        for compartment in [Compartment::Record, Compartment::Psychotherapy] {
            let body = NewBody::note(&s.mark("title"), &format!("{}\n{}", s.mark("note"), "They came late and left early. ".repeat(30)));
            let first = self.owner.write(chart, compartment, body).await.at("writing")?;
            self.owner.amend(chart, compartment, first.entry, NewBody::note("amended", &s.mark("amendment"))).await.at("amending")?;
        }
        self.charts.push(chart);
        Ok(chart)
    }

    /// Generated charts, and sample patients where there are some.
    ///
    /// # Errors
    /// [`DrillError::Client`].
    pub async fn fill(&mut self, options: &Options) -> Result<(), DrillError> {
        for _ in 0..options.charts {
            self.marked_chart().await?;
        }
        let people = subrosa_synthetic::people(7, options.charts);
        for person in &people {
            let draft = IdentityDraft::new(&person.given, &self.secrets.word("family name"), &person.birth_date, vec![person.phone.clone()]);
            self.owner.fresh(&self.passkey).await.at("fresh passkey")?;
            let chart = self.owner.make_chart(&draft).await.at("making a chart")?;
            for note in &person.notes {
                self.owner.write(chart, Compartment::Record, NewBody::note(&note.title, &format!("{}\n{}", note.text, self.secrets.mark("generated note")))).await.at("writing")?;
            }
            self.charts.push(chart);
        }
        if let Some(folder) = &options.corpora {
            self.import(folder, options.imported).await?;
        }
        Ok(())
    }

    async fn import(&mut self, corpora: &Path, most: usize) -> Result<(), DrillError> {
        for batch in corpus::marked(corpora, most, &self.secrets)? {
            self.owner.fresh(&self.passkey).await.at("fresh passkey")?;
            self.import_one(&batch).await?;
        }
        Ok(())
    }

    async fn import_one(&mut self, batch: &ImportBatch) -> Result<(), DrillError> {
        let mut state = ImportState::default();
        let report = self.owner.import(batch, &mut state, &ImportOptions::default(), Some(&self.passkey), |_| {}).await.at("importing")?;
        if let Some(skipped) = report.skipped.first() {
            return Err(DrillError::Missing(format!("a sample was not imported whole: {} ({})", skipped.code, skipped.at)));
        }
        self.charts.extend(report.charts.values());
        Ok(())
    }

    /// Invites a clinician, who comes in with a passkey of their own.
    ///
    /// # Errors
    /// [`DrillError::Client`], or the six words differ.
    pub async fn invite(&mut self) -> Result<(), DrillError> {
        let invitation = self.owner.invite().await.at("inviting")?;
        self.secret_of_link(&invitation.fragment);
        let passkey = Watched::new(&self.base, &self.secrets);
        let invited = Invited::read(&self.conn, &invitation.fragment).await.at("following the invitation")?;
        let accepted = invited.accept(&passkey, "Drill colleague").await.at("accepting")?;
        let waiting = self.owner.invitations().await.at("invitations")?;
        let here = waiting.iter().find(|w| w.id == invitation.id).and_then(|w| w.accepted.as_ref());
        if here.is_none_or(|a| a.six_words != accepted.six_words) {
            return Err(DrillError::Missing("the six words of the invitation differ".into()));
        }
        self.secrets.text("six words", &accepted.six_words);
        self.owner.finish_invitation(invitation.id, Role::Clinician).await.at("admitting")?;
        let vault = open(signin(&self.conn, &passkey, None).await.at("the colleague's sign-in")?)?;
        self.secrets.vault("colleague", &vault);
        self.colleague = Some((vault, passkey));
        Ok(())
    }

    fn secret_of_link(&self, fragment: &str) {
        self.secrets.text("invitation link", fragment.get(60..).unwrap_or(fragment));
        if let Ok(introduction) = Introduction::from_text(fragment) {
            self.secrets.key("invitation secret", &introduction.secret);
        }
    }

    /// A day's work: drafts, files, roster, searches, relations, emergency access, looking, a linked device, signing in again.
    ///
    /// # Errors
    /// [`DrillError::Client`].
    pub async fn work(&mut self) -> Result<(), DrillError> {
        let s = self.secrets.clone();
        let chart = *self.charts.first().ok_or(DrillError::Missing("no chart".into()))?;
        self.owner.fresh(&self.passkey).await.at("fresh passkey")?;
        let draft = DraftBody { entry: EntryId(random::make_bytes()), chart, compartment: Compartment::Record, body: NewBody::note("draft", &s.mark("draft")) };
        self.owner.save_draft(&draft).await.at("saving a draft")?;
        let files = [
            NewFile { name: s.word("file name"), content_type: "text/plain".into(), bytes: s.mark("attachment").repeat(40).into_bytes() },
            NewFile { name: "large.bin".into(), content_type: "application/octet-stream".into(), bytes: [vec![7; 200_000], s.mark("attachment").into_bytes()].concat() },
        ];
        let entry = EntryId(random::make_bytes());
        self.owner.write_with_files(chart, Compartment::Record, entry, NewBody::note("with files", "see attached"), &files).await.at("attaching")?;
        let opened = self.owner.open_chart(chart, &WRITTEN).await.at("opening")?;
        if let Some(version) = opened.entries.iter().find(|e| e.entry == entry).and_then(|e| e.head()) {
            self.owner.open_file(chart, Compartment::Record, entry, version, 1).await.at("opening a file")?;
        }
        self.owner.sync_roster().await.at("roster")?;
        self.owner.search(&s.mark("search words"), 5);
        self.owner.who_has_looked(chart).await.at("who has looked")?;
        if let Some((colleague, passkey)) = self.colleague.as_mut() {
            self.owner.relate(chart, colleague.member(), CareKind::Covers, self.owner.connection().now(), None).await.at("relating")?;
            colleague.open_chart(chart, &[Compartment::Record]).await.at("the colleague opens")?;
            colleague.fresh(passkey).await.at("fresh passkey")?;
            if let Some(other) = self.charts.get(1) {
                colleague.open_on_call(*other, &s.mark("reason of emergency access")).await.at("emergency access")?;
            }
            s.vault("colleague", colleague);
        }
        self.link_device(chart).await?;
        s.vault("owner", &self.owner);
        let local = self.owner.seal_local();
        let again = open(signin(&self.conn, &self.passkey, Some(&local)).await.at("signing in again")?)?;
        s.vault("owner", &again);
        again.sign_out().await.at("signing out")
    }

    async fn link_device(&mut self, chart: ChartId) -> Result<(), DrillError> {
        let link = self.owner.begin_link().await.at("linking")?;
        self.secret_of_link(&link.fragment);
        let offered = offer_device(&self.conn, &link.fragment, "Drill laptop").await.at("offering a device")?;
        self.owner.fresh(&self.passkey).await.at("fresh passkey")?;
        let teams: BTreeSet<_> = self.owner.directory().teams().keys().copied().collect();
        let until = self.conn.now().plus(30 * Timestamp::DAY);
        self.owner.finish_link(link.id, teams, until).await.at("linking")?;
        let passphrase = self.secrets.mark("passphrase");
        let file = offered.secrets.seal(&passphrase).at("sealing the device file")?;
        let secrets = DeviceSecrets::open(&file, &passphrase).at("opening the device file")?;
        let mut vault = device_signin(&self.conn, &secrets, None).await.at("the device's sign-in")?;
        vault.open_chart(chart, &[Compartment::Record]).await.at("the device opens")?;
        self.secrets.vault("device", &vault);
        Ok(())
    }
}

/// The vault of a sign-in whose passkey unlocks.
///
/// # Errors
/// When it asks for words.
pub fn open(signed_in: SignIn) -> Result<Vault, DrillError> {
    match signed_in {
        SignIn::Open(vault) => Ok(*vault),
        SignIn::NeedsWords(_) => Err(DrillError::Missing("the software passkey gave no secret".into())),
    }
}
