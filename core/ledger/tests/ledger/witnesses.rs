use crate::common::*;
use subrosa_ledger::tree::{TreeHead, consistency_proof};
use subrosa_ledger::witness::{AddCheckpoint, Decision, Refusal, decide, monitor_path, parse_size};
use subrosa_ledger::*;
use subrosa_model::{Hash32, Timestamp};

fn ask(request: &AddCheckpoint, last: &TreeHead) -> Result<Decision, Refusal> {
    decide(
        request,
        &[log_key()],
        last,
        &witness_name(1),
        &witness_secret(1),
        NOW,
    )
}

fn request(log: &Log, old: u64, new: u64) -> AddCheckpoint {
    let proof = consistency_proof(&log.nodes, old, new).unwrap();
    AddCheckpoint::new(old, proof, &log.checkpoint(new))
}

fn head(log: &Log, size: u64) -> TreeHead {
    TreeHead {
        size,
        root: log.roots[size as usize],
    }
}

#[test]
fn a_witness_follows_a_log_from_its_first_leaf() {
    let log = Log::of(100);
    let mut last = TreeHead::empty();
    for new in [0, 1, 1, 2, 7, 64, 65, 100] {
        let sent = request(&log, last.size, new).to_string();
        let received: AddCheckpoint = sent.parse().unwrap();
        assert_eq!((received.to_string(), received.origin()), (sent, &origin()));
        let decision = ask(&received, &last).unwrap();
        assert_eq!(decision.head, head(&log, new));
        let mut mine = log.checkpoint(new);
        assert_eq!(
            mine.add_cosignatures(&decision.line, &[witness_key(1)]),
            Ok(1)
        );
        assert_eq!(mine.to_string(), decision.checkpoint.to_string());
        assert_eq!(mine.cosignatures(&[witness_key(1)]).unwrap()[0].at, NOW);
        last = decision.head;
    }
}

#[test]
fn a_rewritten_history_is_never_cosigned() {
    let honest = Log::of(20);
    let forged = Log::of_leaves((0..30).map(|n| {
        if n == 3 {
            b"nothing happened".to_vec()
        } else {
            leaf(n)
        }
    }));
    let last = head(&honest, 20);
    for new in 20..=30 {
        let refusal = ask(&request(&forged, 20, new), &last).unwrap_err();
        let fork = new == 20;
        assert_eq!(
            refusal.code(),
            if fork {
                "witness-fork"
            } else {
                "witness-not-extended"
            }
        );
        assert_eq!((refusal.status(), refusal.is_evidence()), (422, fork));
    }
}

#[test]
fn a_log_that_lost_its_place_learns_it_from_the_refusal() {
    let refusal = Refusal::Conflict { size: 10 };
    assert_eq!(parse_size(&refusal.body()), Some(10));
    for bad in ["10", "", "\n", "010\n", "10\n\n", "-1\n"] {
        assert_eq!(parse_size(bad), None, "{bad:?}");
    }
    let path = monitor_path(&name("example.com/behind-the-sofa"));
    assert_eq!(path.len(), 64 + "/checkpoint".len());
}

#[test]
fn a_log_cannot_go_back_or_skip_what_the_witness_saw() {
    let log = Log::of(20);
    let last = head(&log, 10);
    let refusal = ask(&request(&log, 5, 20), &last).unwrap_err();
    assert_eq!(
        (refusal, refusal.status(), refusal.body()),
        (Refusal::Conflict { size: 10 }, 409, "10\n".into())
    );
    assert_eq!(
        ask(&request(&log, 0, 5), &last),
        Err(Refusal::Conflict { size: 10 })
    );
    assert_eq!(
        ask(&request(&log, 10, 20), &TreeHead::empty()),
        Err(Refusal::Conflict { size: 0 })
    );
    let backwards = AddCheckpoint::new(10, vec![], &log.checkpoint(5));
    assert_eq!(ask(&backwards, &last).unwrap_err().status(), 400);
}

#[test]
fn only_keys_that_the_witness_knows_for_the_origin_count() {
    let log = Log::of(4);
    let asked = request(&log, 0, 4);
    let with = |keys: &[LogKey]| {
        decide(
            &asked,
            keys,
            &TreeHead::empty(),
            &witness_name(1),
            &witness_secret(1),
            NOW,
        )
        .map_err(|r| r.status())
    };
    assert_eq!(with(&[]).unwrap_err(), 404);
    assert_eq!(
        with(&[LogKey::new(name("other.example"), log_secret().public())]).unwrap_err(),
        404
    );
    assert_eq!(
        with(&[LogKey::new(origin(), witness_secret(2).public())]).unwrap_err(),
        403
    );
    assert!(with(&[log_key()]).is_ok());
    let text = asked.to_string();
    let signature = text.rfind(' ').unwrap() + 20;
    let mut bytes = text.into_bytes();
    bytes[signature] = if bytes[signature] == b'A' { b'B' } else { b'A' };
    let forged: AddCheckpoint = String::from_utf8(bytes).unwrap().parse().unwrap();
    assert_eq!(ask(&forged, &TreeHead::empty()), Err(Refusal::NotSigned));
}

#[test]
fn proofs_that_do_not_belong_are_refused() {
    let log = Log::of(20);
    let junk = vec![Hash32([1; 32])];
    for (old, new) in [(0, 20), (20, 20), (7, 20), (8, 16)] {
        let sent = AddCheckpoint::new(old, junk.clone(), &log.checkpoint(new));
        assert_eq!(
            ask(&sent, &head(&log, old)).unwrap_err().status(),
            422,
            "{old} to {new}"
        );
    }
}

#[test]
fn an_empty_log_must_have_the_empty_root() {
    let lying = Checkpoint {
        origin: origin(),
        size: 0,
        root: Hash32([9; 32]),
    }
    .sign(&log_secret());
    assert_eq!(
        ask(&AddCheckpoint::new(0, vec![], &lying), &TreeHead::empty())
            .unwrap_err()
            .status(),
        422
    );
}

#[test]
fn a_witness_without_a_clock_says_so() {
    let log = Log::of(2);
    let verdict = decide(
        &request(&log, 0, 2),
        &[log_key()],
        &TreeHead::empty(),
        &witness_name(1),
        &witness_secret(1),
        Timestamp(0),
    );
    assert_eq!(verdict, Err(Refusal::Clock));
}

#[test]
fn requests_in_another_form_are_refused() {
    let log = Log::of(20);
    let good = request(&log, 7, 20).to_string();
    let hash = good.lines().nth(1).unwrap().to_owned();
    for bad in [
        good.replacen("old 7", "old 07", 1),
        good.replacen("old 7", "old  7", 1),
        good.replacen("old 7", "Old 7", 1),
        good.replacen("old 7\n", "", 1),
        good.replacen("old 7\n", "old 7\nx\n", 1),
        good.replacen(
            "old 7\n",
            &format!("old 7\n{}", format!("{hash}\n").repeat(64)),
            1,
        ),
        good.replace("\n\n", "\n"),
        good.trim_end().to_owned(),
        format!("{good}trailing"),
        format!("{good}{}", "x".repeat(200_000)),
    ] {
        assert_eq!(bad.parse::<AddCheckpoint>(), Err(Refusal::Form));
    }
}
