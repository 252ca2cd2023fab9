use super::*;
use crate::object::{Account, Object};
use crate::state::ObjectId;
use crate::testing::{keys, session, user};
use prost::Message as _;
use std::sync::Arc;

fn read(keys: &wire::Keys) -> Result<Object, ObjectError> {
    let account = wire::Account {
        keys: Some(keys.clone()),
        ..wire::Account::default()
    };
    let id = ObjectId::Account(user(1));
    Object::decode(&id, account.encode_to_vec().into())
}

#[test]
fn keys_survive_their_encoding() {
    let only = |keys: Keys| {
        let mut account = Account::default();
        account.set_keys(keys.clone());
        assert!(!account.is_empty());
        assert_eq!(
            read(&(&keys).into()),
            Ok(Object::Account(Arc::new(account)))
        );
    };
    only(keys());
    only(Keys {
        owner: Some(user(3)),
        ..Keys::default()
    });
    only(Keys {
        guardian: keys().guardian,
        ..Keys::default()
    });
    only(Keys {
        sessions: vec![session(4)],
        ..Keys::default()
    });
}

#[test]
fn keys_that_say_nothing_and_sessions_out_of_order_are_refused() {
    let mut account = Account::default();
    account.set_keys(Keys::default());
    assert!(account.is_empty());
    assert_eq!(read(&wire::Keys::default()), Err(ObjectError::Keys));
    let mut wrong = wire::Keys::from(&keys());
    wrong.sessions.reverse();
    assert_eq!(read(&wrong), Err(ObjectError::Keys));
    wrong.sessions = vec![(&session(4)).into(); 2];
    assert_eq!(read(&wrong), Err(ObjectError::Keys));
    let mut many: Vec<_> = (0..17).map(session).collect();
    many.sort_by_key(|s| s.key);
    wrong.sessions = many.iter().map(Into::into).collect();
    assert_eq!(read(&wrong), Err(ObjectError::Keys));
    wrong.sessions.pop();
    assert!(read(&wrong).is_ok());
}

#[test]
fn a_recovery_takes_effect_at_its_time() {
    let keys = keys();
    let at = keys.recovery.unwrap().at;
    let before = Millis(at.0 - 1);
    assert_eq!(keys.owner_at(user(1), before), user(3));
    assert_eq!(keys.sessions_at(before).len(), 2);
    assert_eq!(keys.clone().at(user(1), before), keys);
    assert_eq!(keys.owner_at(user(1), at), user(5));
    assert_eq!(keys.sessions_at(at), []);
    let written = keys.clone().at(user(1), at);
    assert_eq!(written.owner, Some(user(5)));
    assert_eq!(written.guardian, keys.guardian);
    assert_eq!((written.recovery, written.sessions.len()), (None, 0));
    // To the account's own key: as from the beginning.
    assert_eq!(keys.at(user(5), at).owner, None);
}

#[test]
fn a_key_has_one_session() {
    let mut keys = keys();
    keys.put_session(session(4));
    assert_eq!(keys.sessions.len(), 2);
    assert!(keys.end_session(&user(4)));
    assert!(!keys.end_session(&user(4)));
    assert_eq!(keys.session(&user(6)), Some(&session(6)));
}
