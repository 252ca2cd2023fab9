use super::*;
use crate::testing::{key_changes, session, user};

fn read(change: &KeyChange) -> Result<KeyChange, OperationError> {
    wire::KeyChange::from(change).try_into()
}

fn refused(change: impl FnOnce(&mut wire::Session)) -> String {
    let mut wire = wire::Session::from(&session(4));
    change(&mut wire);
    Session::try_from(&wire).unwrap_err().to_string()
}

#[test]
fn every_change_survives_wire_and_json() {
    for change in key_changes() {
        assert_eq!(read(&change), Ok(change.clone()));
        let json = serde_json::to_string(&change).unwrap();
        let again: KeyChange = serde_json::from_str(&json).unwrap();
        assert_eq!(again, change);
    }
}

#[test]
fn a_session_with_nothing_but_a_kind_and_one_with_all_there_is_are_read() {
    let mut least = session(4);
    (least.collections, least.limits) = (vec![], vec![]);
    (least.expires, least.kinds) = (Millis(0), SessionKinds::from_iter([SessionKind::Burn]));
    let mut most = session(4);
    let assets = 1..=SESSION_LIST_MAX as u8;
    most.collections = assets.clone().map(|n| CollectionId([n; 32])).collect();
    most.limits = assets
        .map(|n| AssetAmount {
            asset: AssetId([n; 32]),
            amount: Amount::MAX,
        })
        .collect();
    most.expires = Millis(u64::MAX);
    most.kinds = SessionKind::ALL.iter().copied().collect();
    for session in [least, most] {
        let change = KeyChange::Session(session);
        assert_eq!(read(&change), Ok(change));
    }
}

#[test]
fn a_session_of_another_form_is_refused() {
    for (refusal, words) in [
        (refused(|s| s.kinds = 0), "kinds must not be zero"),
        (refused(|s| s.kinds = 1 << 10), "unknown bits 0x400"),
        (
            refused(|s| s.key = vec![0; 32].into()),
            "key must not be zero",
        ),
        (refused(|s| s.key = Bytes::new()), "0 bytes"),
        (
            refused(|s| s.collections.reverse()),
            "collections are not ascending",
        ),
        (
            refused(|s| s.collections[1] = s.collections[0].clone()),
            "twice",
        ),
        (
            refused(|s| s.collections = vec![vec![1; 32].into(); 9]),
            "9 entries",
        ),
        (refused(|s| s.limits.reverse()), "limits are not ascending"),
        (
            refused(|s| s.limits[0].amount = 0),
            "limit must not be zero",
        ),
        (
            refused(|s| s.limits = vec![s.limits[0].clone(); 9]),
            "9 entries",
        ),
    ] {
        assert!(refusal.contains(words), "{words} in {refusal}");
    }
}

#[test]
fn a_change_that_says_nothing_is_refused() {
    use wire::key_change::Change;
    let guardian = |delay_ms| {
        let account = bytes(&[1; 32]);
        Change::Guardian(wire::Guardian { account, delay_ms })
    };
    let most = GUARDIAN_DELAY_MAX.0;
    let read = |change| KeyChange::try_from(wire::KeyChange { change });
    assert!(read(Some(guardian(most))).is_ok());
    for change in [
        None,
        Some(Change::NoGuardian(false)),
        Some(Change::RefuseRecovery(false)),
        Some(Change::Owner(Bytes::new())),
        Some(Change::Owner(bytes(&[0; 32]))),
        Some(Change::EndSession(bytes(&[0; 32]))),
        Some(guardian(0)),
        Some(guardian(most + 1)),
        Some(guardian(u64::MAX)),
    ] {
        assert!(read(change.clone()).is_err(), "{change:?}");
    }
}

#[test]
fn one_to_sixteen_changes_stand_in_an_operation() {
    let set = |count| {
        let changes = vec![KeyChange::NoGuardian; count];
        let wire = wire::Operation::from(&Operation::SetKeys { changes });
        Operation::try_from(wire)
    };
    assert!(set(1).is_ok() && set(KEY_CHANGES_MAX).is_ok());
    assert!(set(0).is_err() && set(KEY_CHANGES_MAX + 1).is_err());
    let (account, owner) = (user(1), Address::ZERO);
    let nobody = Operation::Recover { account, owner };
    assert!(Operation::try_from(wire::Operation::from(&nobody)).is_err());
}

#[test]
fn a_limit_is_spent_to_its_end_and_no_further() {
    let mut session = session(4);
    assert_eq!(session.spend(&AssetId::NATIVE, Amount(101)), None);
    assert_eq!(session.spend(&AssetId([9; 32]), Amount(1)), None);
    assert_eq!(session.left(&AssetId::NATIVE), Amount(100));
    assert_eq!(session.spend(&AssetId::NATIVE, Amount(60)), Some(()));
    assert_eq!(session.left(&AssetId::NATIVE), Amount(40));
    assert_eq!(session.spend(&AssetId::NATIVE, Amount(40)), Some(()));
    // None is zero.
    assert_eq!(session.limits.len(), 1);
    assert_eq!(session.spend(&AssetId::NATIVE, Amount(0)), Some(()));
}
