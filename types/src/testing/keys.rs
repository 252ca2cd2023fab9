//! Keys of accounts: sessions, guardians.

use super::*;
use crate::ids::{Amount, AssetId, CollectionId, Millis};
use crate::object::{Keys, Recovery};
use crate::operation::{AssetAmount, Guardian, KeyChange, Session, SessionKind};

/// A session with something everywhere.
pub fn session(key: u64) -> Session {
    Session {
        key: user(key),
        expires: Millis(90_000),
        kinds: [
            SessionKind::Transfer,
            SessionKind::DealTake,
            SessionKind::Sponsor,
        ]
        .into_iter()
        .collect(),
        collections: vec![CollectionId([1; 32]), CollectionId([2; 32])],
        limits: [(AssetId::NATIVE, 100), (AssetId([5; 32]), 7)]
            .map(|(asset, amount)| AssetAmount {
                asset,
                amount: Amount(amount),
            })
            .to_vec(),
    }
}

/// One change of keys of each kind.
pub fn key_changes() -> Vec<KeyChange> {
    let guardian = Guardian {
        account: user(2),
        delay: Millis(3_600_000),
    };
    vec![
        KeyChange::Owner { key: user(3) },
        KeyChange::Guardian(guardian),
        KeyChange::NoGuardian,
        KeyChange::Session(session(4)),
        KeyChange::EndSession { key: user(4) },
        KeyChange::RefuseRecovery,
    ]
}

/// Keys with something everywhere.
pub fn keys() -> Keys {
    let mut keys = Keys {
        owner: Some(user(3)),
        guardian: Some(Guardian {
            account: user(2),
            delay: Millis(3_600_000),
        }),
        recovery: Some(Recovery {
            owner: user(5),
            at: Millis(99_000),
        }),
        sessions: vec![],
    };
    keys.put_session(session(6));
    keys.put_session(session(4));
    keys
}
