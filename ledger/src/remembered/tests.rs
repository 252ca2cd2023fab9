use super::*;

fn id(n: u8) -> TransactionId {
    TransactionId([n; 32])
}

#[test]
fn a_digest_is_remembered_until_its_time_has_passed() {
    let mut remembered = Remembered::new(10);
    remembered.insert(id(1), Millis(5_999));
    remembered.insert(id(1), Millis(5_999));
    remembered.insert(id(2), Millis(u64::MAX));
    remembered.forget(Millis(5_999));
    assert!(remembered.contains(&id(1), Millis(5_999)));
    assert_eq!(remembered.len(), 2);
    remembered.forget(Millis(6_000));
    assert!(!remembered.contains(&id(1), Millis(5_999)));
    assert!(remembered.contains(&id(2), Millis(u64::MAX)));
    assert_eq!(remembered.len(), 1);
}

#[test]
fn room_comes_back_when_digests_expire() {
    let mut remembered = Remembered::new(2);
    remembered.insert(id(1), Millis(1_000));
    assert!(!remembered.is_full());
    remembered.insert(id(2), Millis(9_000));
    assert!(remembered.is_full());
    remembered.forget(Millis(2_000));
    assert!(!remembered.is_full());
}
