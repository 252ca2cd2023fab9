//! L18: who has the say for an account. Time decides a part of it: a recovery takes effect by itself, so nobody has
//! to be there when its time comes.

use super::ObjectError;
use crate::ids::{Address, Millis};
use crate::operation::decode::optional;
use crate::operation::encode::bytes;
use crate::operation::{Guardian, SESSIONS_MAX, Session};
use crate::wire;
use bytes::Bytes;

/// What is not as it is from the beginning, when the key of the account's own address has the say alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The address of the key that has the say; `None`: the account's own.
    pub owner: Option<Address>,
    pub guardian: Option<Guardian>,
    /// Under way, or through since its time and not written down yet.
    pub recovery: Option<Recovery>,
    /// Ascending by key.
    pub sessions: Vec<Session>,
}

/// The guardian's doing: another owner from a time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The address of its key.
    pub owner: Address,
    pub at: Millis,
}

impl Keys {
    /// L21: the recovery whose time has come.
    fn due(&self, now: Millis) -> Option<&Recovery> {
        self.recovery.as_ref().filter(|r| r.at <= now)
    }

    /// The key that has the say for `account` at a time.
    pub fn owner_at(&self, account: Address, now: Millis) -> Address {
        let recovered = self.due(now).map(|r| r.owner);
        recovered.or(self.owner).unwrap_or(account)
    }

    /// The sessions that there are at a time, expired ones among them: a recovery that is through has ended all.
    pub fn sessions_at(&self, now: Millis) -> &[Session] {
        match self.due(now) {
            Some(_) => &[],
            None => &self.sessions,
        }
    }

    /// The same with what has come by time written down.
    #[must_use]
    pub fn at(mut self, account: Address, now: Millis) -> Self {
        if let Some(owner) = self.due(now).map(|r| r.owner) {
            self.rotate(account, owner);
        }
        self
    }

    /// Another owner: what the last one allowed is over, and a recovery of the account from him too.
    pub fn rotate(&mut self, account: Address, owner: Address) {
        self.owner = (owner != account).then_some(owner);
        self.recovery = None;
        self.sessions.clear();
    }

    pub fn session(&self, key: &Address) -> Option<&Session> {
        self.place(key).ok().map(|place| &self.sessions[place])
    }

    pub fn session_mut(&mut self, key: &Address) -> Option<&mut Session> {
        self.place(key).ok().map(|place| &mut self.sessions[place])
    }

    /// Puts a session in the place of the key's last one.
    pub fn put_session(&mut self, session: Session) {
        match self.place(&session.key) {
            Ok(place) => self.sessions[place] = session,
            Err(place) => self.sessions.insert(place, session),
        }
    }

    /// Whether there was one.
    pub fn end_session(&mut self, key: &Address) -> bool {
        let found = self.place(key);
        found.is_ok_and(|place| {
            self.sessions.remove(place);
            true
        })
    }

    fn place(&self, key: &Address) -> Result<usize, usize> {
        self.sessions.binary_search_by(|s| s.key.cmp(key))
    }
}

impl From<&Keys> for wire::Keys {
    fn from(keys: &Keys) -> Self {
        let recovery = keys.recovery.map(|r| wire::Recovery {
            owner: bytes(&r.owner.0),
            at_ms: r.at.0,
        });
        Self {
            owner: keys.owner.map_or(Bytes::new(), |o| bytes(&o.0)),
            guardian: keys.guardian.as_ref().map(Into::into),
            recovery,
            sessions: keys.sessions.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<&wire::Keys> for Keys {
    type Error = ObjectError;

    fn try_from(wire: &wire::Keys) -> Result<Self, ObjectError> {
        let recovery = wire.recovery.as_ref().map(|r| {
            let owner = Address::try_from(r.owner.as_ref())?;
            let at = Millis(r.at_ms);
            Ok::<_, ObjectError>(Recovery { owner, at })
        });
        let guardian = wire.guardian.as_ref().map(Guardian::try_from);
        let sessions = wire.sessions.iter().map(Session::try_from);
        let keys = Self {
            owner: optional(&wire.owner)?,
            guardian: guardian.transpose()?,
            recovery: recovery.transpose()?,
            sessions: sessions.collect::<Result<_, _>>()?,
        };
        let ascend = keys.sessions.is_sorted_by(|a, b| a.key < b.key);
        if !ascend || keys.sessions.len() > SESSIONS_MAX || keys == Self::default() {
            return Err(ObjectError::Keys);
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests;
