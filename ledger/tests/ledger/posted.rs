//! L53 to L55: data are posted by a quorum's word, paid for by their size and time, and go.

use crate::world::*;
use weft_ledger::{Ledger, POSTED_WORK_MAX};
use weft_types::testing::{self, availability_certificate, user, user_key};
use weft_types::{
    AVAILABILITY_CHECK_BYTES, Amount, Availability, CONTENT_BYTES_MAX, CommitIndex, ContentHash,
    Epoch, FailureCode, Millis, Object, ObjectId, Operation, Party, Posted, RETENTION_MAX,
    Transaction, TransactionError,
};

const QUORUM: [usize; 3] = [0, 1, 3];
const DAY: u64 = 86_400_000;

/// Of what there is before then.
fn claim(until: u64) -> Availability {
    Availability {
        until: Millis(until),
        by: Millis(80_000),
        ..testing::availability()
    }
}

fn post(until: u64) -> Operation {
    posting(claim(until), &QUORUM)
}

fn record(world: &World) -> Option<Posted> {
    let found = world.get(ObjectId::Posted(claim(0).hash));
    let found = found.as_ref().and_then(Object::as_posted);
    found.map(|p| Posted::clone(p))
}

#[test]
fn l53_what_a_quorum_has_signed_is_recorded() {
    let mut world = World::new();
    let receipt = world.done(1, post(50_000));
    let id = ObjectId::Posted(claim(0).hash);
    assert_eq!(receipt.created, [id]);
    let expected = Posted {
        size: claim(0).size,
        until: Millis(50_000),
        poster: user(1),
    };
    assert_eq!(record(&world), Some(expected));
}

#[test]
fn l53_fewer_than_a_quorum_or_signatures_of_something_else_record_nothing() {
    let mut world = World::new();
    let two = posting(claim(50_000), &[1, 2]);
    let failure = world.failed(1, vec![two]);
    assert_eq!(failure.code, FailureCode::Unavailable);
    assert_eq!((failure.found, failure.limit), (2, 3));
    assert_eq!(failure.subject, Some(ObjectId::Posted(claim(0).hash)));
    let mut forged = availability_certificate(claim(50_000), &QUORUM);
    forged.claim.until = Millis(60_000);
    let failure = world.failed(1, vec![Operation::PostData(forged)]);
    assert_eq!(failure.code, FailureCode::Unavailable);
    assert_eq!((failure.found, failure.limit), (3, 3));
    let mut stranger = availability_certificate(claim(50_000), &QUORUM);
    stranger.signers.insert(weft_types::MemberIndex(9));
    let code = world.fails(1, Operation::PostData(stranger));
    assert_eq!(code, FailureCode::Unavailable);
    assert_eq!(record(&world), None);
}

#[test]
fn l53_what_another_committee_has_signed_counts_for_nothing() {
    let mut world = World::new();
    let other = Availability {
        epoch: Epoch(1),
        ..claim(50_000)
    };
    let failure = world.failed(1, vec![posting(other, &QUORUM)]);
    assert_eq!(failure.code, FailureCode::OtherEpoch);
    assert_eq!((failure.found, failure.limit), (1, 0));
}

#[test]
fn l53_a_certificate_is_taken_before_its_time_is_over_and_no_later() {
    let mut world = World::new();
    world.now = 79_999;
    world.done(1, post(90_000));
    world.now = 80_000;
    let failure = world.failed(1, vec![post(95_000)]);
    assert_eq!(failure.code, FailureCode::ExpiryPassed);
    assert_eq!((failure.found, failure.limit), (80_000, 80_000));
    assert_eq!(record(&world).unwrap().until, Millis(90_000));
}

#[test]
fn l53_data_are_as_long_as_content_and_kept_for_thirty_days_at_most() {
    let mut world = World::new();
    let most = CONTENT_BYTES_MAX as u64;
    let of_size = |size| Availability {
        size,
        hash: ContentHash([7; 32]),
        ..claim(50_000)
    };
    let larger = posting(of_size(most + 1), &QUORUM);
    let failure = world.failed(1, vec![larger]);
    assert_eq!(failure.code, FailureCode::DataTooLarge);
    assert_eq!((failure.found, failure.limit), (most + 1, most));
    let latest = world.now + RETENTION_MAX.0;
    let failure = world.failed(1, vec![post(latest + 1)]);
    assert_eq!(failure.code, FailureCode::Retention);
    assert_eq!((failure.found, failure.limit), (latest + 1, latest));
    let now = world.now;
    assert_eq!(world.fails(1, post(now)), FailureCode::ExpiryPassed);
    world.done(1, post(latest));
    world.done(2, posting(of_size(most), &QUORUM));
}

#[test]
fn l53_a_transaction_posts_once_inside_a_multi_party_too() {
    let read = |operations| {
        let body = testing::body(4, 1, operations).sign(&[&user_key(4)]);
        Transaction::decode(body.encoded().clone()).map(|_| ())
    };
    assert_eq!(read(vec![post(50_000)]), Ok(()));
    let twice = vec![post(50_000), post(50_000)];
    assert_eq!(read(twice), Err(TransactionError::Posts(2)));
    let party = Party {
        account: user(4),
        operations: vec![post(50_000)],
    };
    let inside = vec![post(50_000), Operation::MultiParty(vec![party])];
    assert_eq!(read(inside), Err(TransactionError::Posts(2)));
}

#[test]
fn l54_the_check_and_each_begun_day_are_paid_for_by_the_body_alone() {
    let mut world = World::new();
    for (days, more) in [(1, 0), (1, 1), (30, 0)] {
        let size = 1_000;
        let mut body = world.body(3, vec![]);
        // The earliest commit that could take it.
        let earliest = body.valid_until.0.saturating_sub(600_000);
        let claim = Availability {
            size,
            hash: ContentHash([days as u8 + more as u8; 32]),
            ..claim(earliest + days * DAY + more)
        };
        body.operations = vec![posting(claim, &QUORUM)];
        let signed = body.sign(&[&user_key(3)]);
        let plain = 150 + body.encode().len() as u64 + 104 + AVAILABILITY_CHECK_BYTES;
        let kept = (size * (days + more)).div_ceil(16);
        let fee = world.run_signed(verified(signed)).fee;
        assert_eq!(fee, Amount(plain + kept), "{days}");
    }
    assert_eq!(AVAILABILITY_CHECK_BYTES, 7_280);
}

#[test]
fn l55_posting_again_keeps_longer_and_never_shorter() {
    let mut world = World::new();
    world.done(1, post(50_000));
    let receipt = world.done(2, post(70_000));
    assert_eq!(receipt.created, []);
    world.done(3, post(60_000));
    let found = record(&world).unwrap();
    assert_eq!((found.until, found.poster), (Millis(70_000), user(1)));
    // Another size for the same hash is a lie.
    let other = Availability {
        size: 7,
        ..claim(75_000)
    };
    let code = world.fails(2, posting(other, &QUORUM));
    assert_eq!(code, FailureCode::Unavailable);
    // The old end is forgotten.
    world.tick(69_999);
    assert!(record(&world).is_some());
    world.tick(70_000);
    assert_eq!(record(&world), None);
}

#[test]
fn l55_records_go_bit_by_bit_and_a_restart_goes_on_with_it() {
    let mut world = World::with(|p| p.fees.per_byte = Amount::ZERO);
    let count = POSTED_WORK_MAX + 1;
    let data = |n: usize| ContentHash::of(&n.to_be_bytes());
    let posts: Vec<_> = (0..count)
        .map(|n| {
            let claim = Availability {
                hash: data(n),
                ..claim(50_000)
            };
            world.signed(1, vec![posting(claim, &QUORUM)])
        })
        .collect();
    let applied = world.commit(&posts);
    assert!(applied.receipts.iter().all(|r| r.is_applied()));
    let left = |world: &World| {
        let all = (0..count).map(|n| ObjectId::Posted(data(n)));
        all.filter(|id| world.get(*id).is_some()).count()
    };
    world.tick(49_999);
    assert_eq!(left(&world), count);
    world.restart();
    world.tick(50_000);
    assert_eq!(left(&world), 1);
    world.take_over();
    world.tick(50_001);
    assert_eq!(left(&world), 0);
    assert_eq!(world.tick(50_002).changes, []);
}

#[test]
fn that_data_are_posted_or_not_is_provable_by_their_hash() {
    let mut world = World::new();
    world.done(1, post(50_000));
    let root = world.close_height(false).state_root;
    let snapshot = world.ledger.snapshot();
    for (hash, there) in [(claim(0).hash, true), (ContentHash([5; 32]), false)] {
        let id = ObjectId::Posted(hash);
        let (value, proof) = snapshot.prove(&id);
        assert_eq!(value.is_some(), there);
        let value = value.as_deref();
        assert_eq!(proof.verify(&root, &id.state_key(), value), Ok(()));
    }
}

#[test]
fn no_session_posts() {
    let mut world = World::new();
    let kinds: Vec<_> = weft_types::SessionKind::ALL.to_vec();
    let all = session(9, &kinds, &[], 500_000);
    world.done(1, set_keys(&[weft_types::KeyChange::Session(all)]));
    world.denied(1, 9, post(50_000));
}

#[test]
fn a_dry_run_judges_the_certificate_and_who_has_no_committee_takes_none() {
    let mut world = World::new();
    let (good, bad) = (post(50_000), posting(claim(50_000), &[0]));
    for (operation, code) in [(good, None), (bad, Some(FailureCode::Unavailable))] {
        let transaction = world.signed(1, vec![operation]);
        let now = Millis(world.now);
        let around = (CONTRACTS, &world.committee);
        let snapshot = world.ledger.snapshot();
        let tried = snapshot.dry_run(&transaction, now, around).unwrap();
        assert_eq!(tried.failure.map(|f| f.code), code);
        let (mut alone, _) = Ledger::genesis(&template()).unwrap();
        let applied = alone.apply(CommitIndex(1), now, &[transaction]);
        let failure = applied.receipts[0].failure.unwrap();
        assert_eq!(failure.code, FailureCode::Unavailable);
    }
}
