//! L18: whether the keys that have signed have the say for the parties, by the state before the transaction. Nobody
//! may remember the answer: the transaction in front can change it.

use crate::admission::{Refusal, payer};
use crate::live::Objects;
use weft_types::{
    Address, Amount, AssetId, Millis, Object, ObjectId, Operation, Session, SessionKind,
    Transaction,
};

/// Why a key may not sign what it has signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("it is not the owner's, and has no session there")]
    NoSay,
    #[error("its session ended at {expires}, it is {now}")]
    Expired { expires: Millis, now: Millis },
    #[error("its session is not for {0}")]
    Kind(&'static str),
    #[error("its session may spend {left} more, the fee is {fee}")]
    Fee { left: Amount, fee: Amount },
}

/// Parties for whom a session signs, each with the session's key.
pub(crate) type Sessions = Vec<(Address, Address)>;

/// Whether every key has the say for what it signs, and who signs by a session.
pub(crate) fn authorise(
    objects: &impl Objects,
    transaction: &Transaction,
    fee: Amount,
    now: Millis,
) -> Result<Sessions, Refusal> {
    let mut sessions = Sessions::new();
    for authorisation in transaction.authorisations() {
        let key = authorisation.key();
        let account = authorisation.account.unwrap_or(key);
        let denied = |why| Refusal::NotAuthorised { account, key, why };
        let found = objects.get(&ObjectId::Account(account));
        let keys = found.and_then(Object::as_account).and_then(|a| a.keys());
        let owner = keys.map_or(account, |k| k.owner_at(account, now));
        if key == owner {
            continue;
        }
        let listed = keys.map_or(&[][..], |k| k.sessions_at(now));
        let session = listed.iter().find(|s| s.key == key);
        let session = session.ok_or(Denied::NoSay).map_err(denied)?;
        may(session, account, transaction, fee, now).map_err(denied)?;
        sessions.push((account, key));
    }
    Ok(sessions)
}

/// L20: all of it that can be said before anything is executed.
fn may(
    session: &Session,
    account: Address,
    transaction: &Transaction,
    fee: Amount,
    now: Millis,
) -> Result<(), Denied> {
    let expires = session.expires;
    if expires <= now {
        return Err(Denied::Expired { expires, now });
    }
    let body = transaction.body();
    for (party, operations) in parts(transaction) {
        let mine = operations.iter().filter(|_| party == account);
        for operation in mine.filter(|o| !matches!(o, Operation::MultiParty(_))) {
            let kind = SessionKind::of(operation);
            if !kind.is_some_and(|kind| session.kinds.has(kind)) {
                return Err(Denied::Kind(operation.name()));
            }
        }
    }
    if payer(transaction) != account {
        return Ok(());
    }
    if body.sender != account && !session.kinds.has(SessionKind::Sponsor) {
        return Err(Denied::Kind(SessionKind::Sponsor.name()));
    }
    match session.left(&AssetId::NATIVE) {
        left if left < fee => Err(Denied::Fee { left, fee }),
        _ => Ok(()),
    }
}

/// Each party's operations, those inside MultiParty by their own.
fn parts(transaction: &Transaction) -> impl Iterator<Item = (Address, &[Operation])> {
    let body = transaction.body();
    let inner = body
        .operations
        .iter()
        .flat_map(|operation| match operation {
            Operation::MultiParty(parties) => &parties[..],
            _ => &[],
        });
    let inner = inner.map(|party| (party.account, &party.operations[..]));
    std::iter::once((body.sender, &body.operations[..])).chain(inner)
}
