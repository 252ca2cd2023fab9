//! Who has the say for accounts, as plainly as can be: what time has done is worked out anew for each question.

use super::{Bug, Model, Step, demand};
use weft_types::{
    Address, Amount, AssetId, CollectionId, FailureCode, KeyChange, Keys, Operation, Recovery,
    Session, Transaction,
};

impl Model {
    /// Who has the say, with what has come by time.
    pub fn keys_of(&self, account: Address) -> Keys {
        let mut keys = self.keys.get(&account).cloned().unwrap_or_default();
        let early = if self.bug(Bug::RecoveryIsEarly) {
            500
        } else {
            0
        };
        if let Some(recovery) = keys.recovery
            && recovery.at.0 <= self.now + early
        {
            keys.recovery = None;
            keys.sessions.clear();
            keys.owner = Some(recovery.owner);
        }
        keys
    }

    fn keep_keys(&mut self, account: Address, mut keys: Keys) {
        if keys.owner == Some(account) {
            keys.owner = None;
        }
        keys.sessions.sort_by_key(|s| s.key);
        match keys == Keys::default() {
            true => drop(self.keys.remove(&account)),
            false => drop(self.keys.insert(account, keys)),
        }
    }

    /// Whether every key may sign what it has signed. Notes who signs by a session.
    pub fn authorised(&mut self, transaction: &Transaction, fee: u128) -> bool {
        self.by.clear();
        for authorisation in transaction.authorisations() {
            let (account, key) = (authorisation.account(), authorisation.key());
            let keys = self.keys_of(account);
            let old = self.bug(Bug::OldOwnerSigns) && key == account;
            if key == keys.owner.unwrap_or(account) || old {
                continue;
            }
            let session = keys.sessions.into_iter().find(|s| s.key == key);
            let Some(session) = session else {
                return false;
            };
            if !self.may(&session, account, transaction, fee) {
                return false;
            }
            self.by.push((account, key));
        }
        true
    }

    fn may(&self, session: &Session, account: Address, of: &Transaction, fee: u128) -> bool {
        let body = of.body();
        let allowed = |name: &str| session.kinds.iter().any(|kind| kind.name() == name);
        let mut asked = vec![];
        for operation in &body.operations {
            match operation {
                Operation::MultiParty(parties) => {
                    let mine = parties.iter().filter(|p| p.account == account);
                    asked.extend(mine.flat_map(|p| &p.operations).map(Operation::name));
                }
                operation if body.sender == account => asked.push(operation.name()),
                _ => {}
            }
        }
        // A bid is a way to take.
        for name in &mut asked {
            if *name == "bid" {
                *name = "deal_take";
            }
        }
        if self.bug(Bug::SessionSetsKeys) {
            asked.retain(|name| *name != "set_keys");
        }
        if body.sponsor == Some(account) && body.sender != account {
            asked.push("sponsor");
        }
        let pays = body.sponsor.unwrap_or(body.sender) == account;
        let in_time = session.expires.0 > self.now || self.bug(Bug::SessionOutlivesItsTime);
        in_time
            && asked.into_iter().all(allowed)
            && (!pays || fee <= u128::from(left(session, AssetId::NATIVE)))
    }

    pub fn session_of(&mut self, actor: Address) -> Option<&mut Session> {
        let (_, key) = *self.by.iter().find(|(account, _)| *account == actor)?;
        let keys = self.keys.get_mut(&actor)?;
        keys.sessions.iter_mut().find(|s| s.key == key)
    }

    pub fn spend(&mut self, actor: Address, asset: AssetId, amount: u128) -> Step {
        let Some(session) = self.session_of(actor) else {
            return Ok(());
        };
        let rest = u128::from(left(session, asset)).checked_sub(amount);
        let rest = rest.ok_or(FailureCode::SessionLimit)?;
        for limit in &mut session.limits {
            if limit.asset == asset {
                limit.amount = Amount(rest as u64);
            }
        }
        session.limits.retain(|l| l.amount > Amount::ZERO);
        Ok(())
    }

    pub fn in_scope(&mut self, actor: Address, collection: CollectionId) -> Step {
        let session = self.session_of(actor);
        let fits = session.is_none_or(|s| s.collections.contains(&collection));
        demand(fits, FailureCode::SessionScope)
    }

    pub fn set_keys(&mut self, actor: Address, changes: &[KeyChange]) -> Step {
        let mut keys = self.keys_of(actor);
        for change in changes {
            match change {
                KeyChange::Owner { key } => {
                    keys.owner = Some(*key);
                    keys.recovery = None;
                    if !self.bug(Bug::SessionsSurviveRotation) {
                        keys.sessions.clear();
                    }
                }
                KeyChange::Guardian(guardian) => {
                    let enough = Some(guardian.delay) >= self.params.guardian_delay_min_ms;
                    demand(enough, FailureCode::DelayTooShort)?;
                    keys.guardian = Some(*guardian);
                    keys.recovery = None;
                }
                KeyChange::NoGuardian => {
                    keys.guardian = None;
                    keys.recovery = None;
                }
                KeyChange::Session(session) => {
                    demand(session.expires.0 > self.now, FailureCode::ExpiryPassed)?;
                    keys.sessions.retain(|s| s.key != session.key);
                    demand(keys.sessions.len() < 16, FailureCode::TooManySessions)?;
                    keys.sessions.push(session.clone());
                }
                KeyChange::EndSession { key } => {
                    let before = keys.sessions.len();
                    keys.sessions.retain(|s| s.key != *key);
                    demand(keys.sessions.len() < before, FailureCode::NoSession)?;
                }
                KeyChange::RefuseRecovery => {
                    demand(keys.recovery.is_some(), FailureCode::NoRecovery)?;
                    keys.recovery = None;
                }
            }
        }
        self.keep_keys(actor, keys);
        Ok(())
    }

    pub fn recover(&mut self, actor: Address, account: Address, owner: Address) -> Step {
        let mut keys = self.keys_of(account);
        let guardian = keys.guardian.filter(|g| g.account == actor);
        let guardian = guardian.ok_or(FailureCode::NotGuardian)?;
        let at = weft_types::Millis(self.now + guardian.delay.0);
        keys.recovery = Some(Recovery { owner, at });
        self.keep_keys(account, keys);
        Ok(())
    }
}

fn left(session: &Session, asset: AssetId) -> u64 {
    let listed = session.limits.iter().filter(|l| l.asset == asset);
    listed.map(|l| l.amount.0).sum()
}
