use super::*;
use tempfile::TempDir;
use weft_types::testing::{committee, finality_key, network};
use weft_types::{CONTENT_BYTES_MAX, Epoch};

const NOW: Millis = Millis(2_000_000);

struct Member {
    _folder: TempDir,
    store: Store,
    staging: Staging,
}

impl Member {
    /// Which started long ago.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), network().id()).unwrap();
        let staging = Staging::new(network().id(), Some(finality_key(1)), Millis::ZERO);
        Self {
            _folder: folder,
            store,
            staging,
        }
    }

    fn bring(&self, bytes: &[u8], by: Millis, bytes_max: u64) -> Brought {
        let bytes = Bytes::copy_from_slice(bytes);
        let claim = claim(&bytes, by);
        let brought = self
            .staging
            .bring((&self.store, bytes_max), &claim, &bytes, NOW);
        brought.unwrap().expect("it has a key")
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.store.has_content(&ContentHash::of(bytes)).unwrap()
    }

    fn sweep(&self, bytes: &[u8], now: Millis) {
        let unnamed = [ContentHash::of(bytes)];
        self.staging.sweep(&self.store, &unnamed, now).unwrap();
    }
}

fn claim(bytes: &[u8], by: Millis) -> Availability {
    Availability {
        epoch: Epoch::ZERO,
        hash: ContentHash::of(bytes),
        size: bytes.len() as u64,
        until: Millis(9_000_000),
        by,
    }
}

#[test]
fn l53_a_member_signs_for_what_it_has_stored_and_keeps_it_as_long_as_that_counts() {
    let member = Member::new();
    let by = Millis(NOW.0 + 1_000);
    let Brought::Signed(signature) = member.bring(b"data", by, u64::MAX) else {
        panic!("there is room");
    };
    let (key, id) = (finality_key(1).public(), network().id());
    let point = bls::Signature::from_bytes(&signature.0).unwrap();
    assert!(claim(b"data", by).is_signed(id, &key, &point));
    assert!(member.has(b"data"));
    assert_eq!(member.staging.member(&committee(4)), Some(MemberIndex(1)));
    assert_eq!(member.staging.member(&committee(1)), None);
    // Signed for once more, for a shorter time: the longer one counts.
    member.bring(b"data", Millis(NOW.0 + 1), u64::MAX);
    member.sweep(b"data", Millis(by.0 - 1));
    assert!(member.has(b"data"));
    member.sweep(b"data", by);
    assert!(!member.has(b"data"));
}

#[test]
fn l53_what_is_full_refuses_and_pushes_nothing_out() {
    let member = Member::new();
    let by = Millis(NOW.0 + 1_000);
    let whole = (STAGED_BYTES_MAX / CONTENT_BYTES_MAX as u64) as u32;
    let large = |n: u32| {
        let mut bytes = vec![0; CONTENT_BYTES_MAX];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        bytes
    };
    for n in 0..whole + 2 {
        let brought = member.bring(&large(n), by, u64::MAX);
        let full = brought == Brought::Full(STAGED_BYTES_MAX);
        assert_eq!(full, n >= whole, "{n}");
    }
    assert!(member.has(&large(0)));
    // The same again takes no more room.
    let again = member.bring(&large(0), by, u64::MAX);
    assert!(matches!(again, Brought::Signed(_)));
    assert_eq!(
        member.bring(b"short", by, 5),
        Brought::Full(STAGED_BYTES_MAX)
    );
}

#[test]
fn without_room_in_the_store_nothing_is_signed_or_staged() {
    let member = Member::new();
    let by = Millis(NOW.0 + 1_000);
    assert_eq!(member.bring(b"data", by, 3), Brought::StoreFull(0));
    assert!(member.staging.staged.lock().unwrap().data.is_empty());
    assert_eq!(member.staging.staged.lock().unwrap().bytes, 0);
}

#[test]
fn l53_after_a_restart_nothing_goes_that_may_have_been_signed_for() {
    let mut member = Member::new();
    member.bring(b"data", Millis(NOW.0 + STAGED_MAX.0), u64::MAX);
    member.staging = Staging::new(network().id(), Some(finality_key(1)), NOW);
    member.sweep(b"data", Millis(NOW.0 + STAGED_MAX.0));
    assert!(member.has(b"data"));
    member.sweep(b"data", Millis(NOW.0 + 2 * STAGED_MAX.0));
    assert!(!member.has(b"data"));
}

#[test]
fn an_observer_signs_for_nothing() {
    let member = Member::new();
    let observer = Staging::new(network().id(), None, Millis::ZERO);
    assert_eq!(observer.member(&committee(4)), None);
    let (bytes, by) = (Bytes::from_static(b"data"), Millis(NOW.0 + 1));
    let claim = claim(&bytes, by);
    let brought = observer.bring((&member.store, u64::MAX), &claim, &bytes, NOW);
    assert_eq!(brought.unwrap(), None);
    assert!(!member.has(b"data"));
}
