//! `drill tamper`: a hostile server before a real client. Each lie must be refused by name; nothing of what it touches may be opened or believed.
//!
//! The control: every lie's answer also passes the same transport, parsed and written again but unchanged, before a client in the same state doing the same thing;
//! that must be accepted. So a refusal is the lie's doing and not the transport's, and a client that refuses everything does not pass.

mod middle;
mod others;
mod release;
mod stage;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use subrosa_client::{ClientError, Invited, NewBody, SignIn, Vault, device_signin, signin};
use subrosa_model::{Bytes, Compartment};

use crate::drill::{DrillError, Options, Outcome, Scratch};
use crate::server::Place;
use middle::Rewrite;
use stage::{OPENED, Stage, Victim};

/// What the attacked client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Hello,
    Follow,
    SignIn,
    SignInAndOpen,
    Sync,
    Open,
    OpenAtOldPin,
    OpenTwo,
    Looked,
    Roster,
    Invitations,
    Relations,
    Draft,
    File,
    DeviceSignIn,
    Write,
    WriteThenOpen,
}

type MakeRewrite = Arc<dyn Fn(&Arc<Stage>, bool) -> Rewrite + Send + Sync>;

/// One lie.
struct Attack {
    name: &'static str,
    op: Op,
    path: &'static str,
    make: MakeRewrite,
}

/// A lie about a message of type `T`.
fn on<T>(name: &'static str, op: Op, path: &'static str, lie: fn(&Stage, &mut T) -> Option<()>) -> Attack
where
    T: DeserializeOwned + Serialize + 'static,
{
    Attack { name, op, path, make: Arc::new(move |stage, lying| middle::rewrite(stage, lying.then_some(lie))) }
}

type Raw = Arc<dyn Fn(&Stage, &[u8], &[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// A lie in bytes.
fn raw(name: &'static str, op: Op, path: &'static str, lie: Raw) -> Attack {
    let make: MakeRewrite = Arc::new(move |stage, lying| {
        let (stage, lie) = (Arc::clone(stage), Arc::clone(&lie));
        Arc::new(move |request, answer| if lying { lie(&stage, request, answer) } else { Some(answer.to_vec()) })
    });
    Attack { name, op, path, make }
}

fn flip_last(bytes: &mut Bytes) -> Option<()> {
    *bytes.0.last_mut()? ^= 1;
    Some(())
}

fn flip_middle(bytes: &mut Bytes) -> Option<()> {
    let at = bytes.0.len() / 2;
    *bytes.0.get_mut(at)? ^= 1;
    Some(())
}

/// What no lie here shows, because nothing answers it yet.
const LIMIT: &str = "Known limit: an entry that this device has never seen can be withheld from it without its noticing on opening; \"who has looked\" lists the writing of it.";

/// What became of one lie.
struct Verdict {
    name: &'static str,
    /// The code of the refusal; none if it was accepted.
    code: Option<String>,
    /// Whether the answer was really changed: a lie that changed nothing shows nothing.
    told: bool,
    /// The code under which the control was refused; none if it was accepted, as it must be.
    control: Option<String>,
}

/// Runs the drill.
///
/// # Errors
/// [`DrillError`] when it could not be carried out; what was believed is in the outcome.
pub async fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Outcome, DrillError> {
    let scratch = Scratch::open(options)?;
    say("Drill: a hostile server before a real client. A scratch practice; nothing of yours is touched.");
    let place = Place::new(&options.binary, &scratch)?;
    let running = place.start().await?;
    let token = running.setup_token.clone().ok_or(DrillError::Server("it printed no set-up link".into()))?;
    let (stage, victim) = stage::build(&place.base(), &token).await?;
    let attacks: Vec<Attack> = others::attacks().into_iter().chain(release::attacks()).chain(others::writing()).collect();
    say(&format!("{} lies to tell.", attacks.len()));
    let mut verdicts = Vec::with_capacity(attacks.len());
    for attack in &attacks {
        let control = attempt(&stage, &victim, attack, false).await?.0.err();
        let (answer, told) = attempt(&stage, &victim, attack, true).await?;
        verdicts.push(Verdict { name: attack.name, code: answer.err(), told, control });
    }
    running.stop().await?;
    Ok(report(&verdicts))
}

/// Does what the client does, with the lie or with its control. Gives the code of a refusal, and whether an answer was changed.
async fn attempt(stage: &Arc<Stage>, victim: &Victim, attack: &Attack, lying: bool) -> Result<(Result<(), String>, bool), DrillError> {
    let rewrite = (attack.make)(stage, lying);
    let lie = || victim.middle.lie(attack.path, Arc::clone(&rewrite));
    let local = if attack.op == Op::OpenAtOldPin { &victim.local_at_old } else { &victim.local };
    let outcome = match attack.op {
        Op::Hello => {
            lie();
            victim.conn.hello().await.map(|_| ())
        }
        Op::Follow => {
            lie();
            Invited::read(&victim.conn, &victim.link).await.map(|_| ())
        }
        Op::DeviceSignIn => {
            lie();
            device_signin(&victim.conn, &victim.device, None).await.map(|_| ())
        }
        Op::SignIn | Op::SignInAndOpen => {
            lie();
            match sign_in(victim, local).await {
                Ok(mut vault) if attack.op == Op::SignInAndOpen => Box::pin(act(&mut vault, stage, victim, Op::Open)).await,
                other => other.map(|_| ()),
            }
        }
        op => {
            let mut vault = sign_in(victim, local).await.map_err(|error| DrillError::Client { at: "an honest sign-in", error })?;
            if op == Op::WriteThenOpen {
                let note = NewBody::note("just written", "a note that the server says it has");
                vault.write(stage.a, Compartment::Record, note).await.map_err(|error| DrillError::Client { at: "an honest write", error })?;
            }
            if op == Op::File {
                vault.open_chart(stage.a, &[Compartment::Record]).await.map_err(|error| DrillError::Client { at: "an honest opening", error })?;
            }
            lie();
            Box::pin(act(&mut vault, stage, victim, op)).await
        }
    };
    let done = victim.middle.stop();
    Ok((outcome.map_err(|e| e.server_code().unwrap_or(e.code()).to_owned()), done.changed > 0))
}

async fn sign_in(victim: &Victim, local: &[u8]) -> Result<Vault, ClientError> {
    match signin(&victim.conn, &victim.passkey, Some(local)).await? {
        SignIn::Open(vault) => Ok(*vault),
        SignIn::NeedsWords(pending) => pending.unlock("one two three four five six seven").await,
    }
}

async fn act(vault: &mut Vault, stage: &Stage, victim: &Victim, op: Op) -> Result<(), ClientError> {
    match op {
        Op::Sync => vault.sync().await,
        Op::Write => vault.write(stage.a, Compartment::Record, NewBody::note("written", "to a lying server")).await.map(|_| ()),
        Op::Open | Op::OpenAtOldPin | Op::WriteThenOpen => {
            let opened = vault.open_chart(stage.a, &OPENED).await?;
            // A chart whose keys did not come is shown as locked: nothing was believed, and the person sees it.
            if opened.locked > 0 { Err(ClientError::NoKey) } else { Ok(()) }
        }
        Op::OpenTwo => vault.open_charts(&[stage.a, stage.b], &OPENED).await.map(|_| ()),
        Op::Looked => vault.who_has_looked(stage.a).await.map(|_| ()),
        Op::Roster => vault.sync_roster().await.map(|_| ()),
        Op::Invitations => {
            let waiting = vault.invitations().await?;
            if waiting.iter().any(|w| w.accepted.as_ref().is_some_and(|a| a.name == "Somebody new")) { Ok(()) } else { Err(ClientError::Unknown("invitation")) }
        }
        Op::Relations => vault.relations(Some(stage.a)).await.map(|_| ()),
        Op::Draft => {
            let drafts = vault.drafts().await?;
            let own = drafts.iter().find(|d| d.entry == victim.draft).ok_or(ClientError::Unknown("draft"))?;
            let opened = vault.open_draft(own).await?;
            if opened.chart == stage.a { Ok(()) } else { Err(ClientError::SwappedEntry) }
        }
        Op::File => {
            let opened = vault.open_chart(stage.a, &[Compartment::Record]).await?;
            let version = opened.entries.iter().find(|e| e.entry == victim.filed).and_then(|e| e.head()).ok_or(ClientError::Unknown("entry"))?;
            vault.open_file(stage.a, Compartment::Record, victim.filed, version, 0).await.map(|_| ())
        }
        Op::Hello | Op::Follow | Op::DeviceSignIn | Op::SignIn | Op::SignInAndOpen => Ok(()),
    }
}

fn report(verdicts: &[Verdict]) -> Outcome {
    let accepted = verdicts.iter().filter(|v| v.code.is_none()).count();
    let untold = verdicts.iter().filter(|v| !v.told).count();
    let control_accepted = verdicts.iter().filter(|v| v.control.is_none()).count();
    let mut lines = vec![format!("{} lies told: {accepted} believed, {} refused by name.", verdicts.len() - untold, verdicts.len() - accepted)];
    let mut list = Vec::new();
    for v in verdicts {
        let code = v.code.as_deref().unwrap_or("ACCEPTED");
        lines.push(format!("  {code:<24} {}", v.name));
        if !v.told {
            lines.push("    NOT TOLD: the answer was not changed, so this shows nothing".into());
        }
        if let Some(code) = &v.control {
            lines.push(format!("    CONTROL REFUSED ({code}): the same without the lie should have been accepted"));
        }
        list.push(json!({ "attack": v.name, "code": v.code, "told": v.told, "control_accepted": v.control.is_none() }));
    }
    lines.push(format!(
        "Control: {control_accepted} of {} accepted. Each is the same answer, taken apart and put together again by the same hands, without the lie.",
        verdicts.len()
    ));
    lines.push(LIMIT.to_owned());
    let passed = accepted == 0 && untold == 0 && control_accepted == verdicts.len() && verdicts.len() >= 40;
    let fields = json!({
        "attacks": verdicts.len(), "accepted": accepted, "not_told": untold, "control_attacks": verdicts.len(), "control_accepted": control_accepted,
        "known_limit": LIMIT, "control": "the same answer through the same transport, parsed and written again without the lie, before a client in the same state", "list": list,
    });
    Outcome::new("tamper", passed, lines, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts() -> Vec<Verdict> {
        (0..40).map(|_| Verdict { name: "a lie", code: Some("fork".into()), told: true, control: None }).collect()
    }

    #[test]
    fn a_drill_passes_only_if_every_lie_was_told_and_refused_and_every_control_accepted() {
        assert!(report(&verdicts()).passed);
        let with = |change: fn(&mut Verdict)| {
            let mut all = verdicts();
            change(&mut all[7]);
            report(&all)
        };
        let believed = with(|v| v.code = None);
        assert!(!believed.passed && believed.json["accepted"] == 1);
        let untold = with(|v| v.told = false);
        assert!(!untold.passed && untold.json["not_told"] == 1);
        let refused = with(|v| v.control = Some("bad-answer".into()));
        assert!(!refused.passed && refused.json["control_accepted"] == 39);
        assert!(!report(&verdicts()[..39]).passed, "too few lies");
    }
}
