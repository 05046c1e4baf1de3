//! A hostile server at the door: sign-in, bundle, directory, team keys, invitations.

use subrosa_client::{Invited, SoftPasskey};
use subrosa_crypto::{Endorsed, HpkeSecret, SigningKey};
use subrosa_model::{MemberId, Role};
use subrosa_protocol::api::{Ceremony, DirectoryPage, Epochs, Invitations, SignedIn};
use subrosa_protocol::directory::{Act, Directory, Policy, Recipient};

use crate::hostile::{Stage, change};

#[tokio::test]
async fn a_relayed_or_substituted_challenge_stops_before_the_passkey_is_asked() {
    let stage = Stage::set().await;
    stage.attack("/v1/signin/start", change(|c: &mut Ceremony| c.nonce.0[0] ^= 1));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "challenge-substituted");
    stage.honest();
    assert!(stage.sign_in(None).await.is_ok());
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn another_bundle_or_way_in_is_refused() {
    let stage = Stage::set().await;
    type Cut = Box<dyn FnMut(&mut SignedIn) + Send>;
    let attacks: Vec<Cut> = vec![
        Box::new(|s| s.bundle.as_mut().unwrap().sealed.0[150] ^= 1),
        Box::new(|s| s.bundle.as_mut().unwrap().version += 1),
        Box::new(|s| s.bundle.as_mut().unwrap().way_in.sealed.0[150] ^= 1),
        Box::new(|s| s.member = MemberId([1; 16])),
    ];
    for (n, f) in attacks.into_iter().enumerate() {
        stage.attack("/v1/signin/finish", change(f));
        assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "wrong-bundle", "attack {n}");
    }
    // An old bundle that was once genuine.
    stage.honest();
    let old: std::sync::Arc<std::sync::Mutex<Option<SignedIn>>> = Default::default();
    let keep = old.clone();
    stage.attack("/v1/signin/finish", change(move |s: &mut SignedIn| *keep.lock().unwrap() = Some(s.clone())));
    stage.sign_in(None).await.unwrap().renew_bundle().await.unwrap();
    let bundle = old.lock().unwrap().clone().unwrap().bundle;
    stage.attack("/v1/signin/finish", change(move |s: &mut SignedIn| s.bundle = bundle.clone()));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "wrong-bundle");
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn a_directory_that_is_shortened_forked_or_forged_is_refused() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    let me = vault.member();
    vault.set_role(me, Role::Owner).await.unwrap();
    let local = vault.seal_local();
    let practice = vault.practice();

    // Cut to what the bundle has not seen: only the device's pin notices.
    stage.attack("/v1/directory", change(|p: &mut DirectoryPage| {
        p.entries.pop();
        p.size -= 1;
    }));
    assert_eq!(stage.sign_in(Some(&local)).await.unwrap_err().code(), "fork");
    // Cut below what the bundle itself holds.
    stage.attack("/v1/directory", change(|p: &mut DirectoryPage| {
        p.entries.truncate(4);
        p.size = 4;
    }));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "fork");
    // Left out in the middle.
    stage.attack("/v1/directory", change(|p: &mut DirectoryPage| {
        p.entries.remove(3);
    }));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "fork");
    // Somebody admitted by a key that nobody knows.
    stage.attack("/v1/directory", change(move |p: &mut DirectoryPage| {
        let mut directory = Directory::new(practice);
        p.entries.iter().for_each(|e| drop(directory.apply(e).unwrap()));
        let act = Act::AdmitMember { member: MemberId([5; 16]), name: "Mallory".into(), role: Role::Owner, sign: SigningKey::make().public(), hpke: HpkeSecret::make().public() };
        let statement = directory.next(directory.last_at(), act);
        p.entries.push(Endorsed::sign(&[&SigningKey::make()], &practice, &statement).to_bytes().into());
        p.size += 1;
    }));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "forged-directory");
    // A whole practice of the server's own making, under the same id.
    stage.attack("/v1/directory", change(move |p: &mut DirectoryPage| {
        let root = SigningKey::make();
        let directory = Directory::new(practice);
        let act = Act::Found { root: root.public(), backup: HpkeSecret::make().public(), log_key: SigningKey::make().public(), suite_min: 1, policy: Policy::solo("UTC") };
        let statement = directory.next(Default::default(), act);
        p.entries = vec![Endorsed::sign(&[&root], &practice, &statement).to_bytes().into()];
        p.size = 1;
    }));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "server-key-substituted");
    stage.honest();
    assert!(stage.sign_in(Some(&local)).await.is_ok());
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn a_team_key_that_the_team_did_not_make_is_refused() {
    let stage = Stage::set().await;
    stage.attack("/v1/epochs", change(|e: &mut Epochs| {
        let (one, two) = (e.seals[0].sealed.clone(), e.seals[1].sealed.clone());
        e.seals[0].sealed = two;
        e.seals[1].sealed = one;
    }));
    assert_eq!(stage.sign_in(None).await.unwrap_err().code(), "wrong-epoch");
    stage.practice.running.stop().await;
}

#[tokio::test]
async fn keys_put_in_place_of_an_invited_persons_are_refused_before_anyone_is_admitted() {
    let stage = Stage::set().await;
    let mut vault = stage.sign_in(None).await.unwrap();
    let invitation = vault.invite().await.unwrap();
    let passkey = SoftPasskey::new(&stage.practice.origin());
    let invited = Invited::read(&stage.conn, &invitation.fragment).await.unwrap();
    let accepted = invited.accept(&passkey, "Carol").await.unwrap();
    stage.attack("/v1/invitations", change(|i: &mut Invitations| {
        for state in &mut i.invitations {
            if let Some((keys, _)) = &mut state.accepted {
                keys.sign = SigningKey::make().public();
            }
        }
    }));
    assert_eq!(vault.invitations().await.unwrap_err().code(), "introduction-forged");
    assert_eq!(vault.finish_invitation(invitation.id, Role::Clinician).await.unwrap_err().code(), "introduction-forged");
    stage.honest();
    let waiting = vault.invitations().await.unwrap();
    let found = waiting.iter().find(|w| w.id == invitation.id).unwrap().accepted.clone().unwrap();
    assert_eq!(found.six_words, accepted.six_words);
    assert_eq!(found.who, Recipient::Member(accepted.member));
    stage.practice.running.stop().await;
}
