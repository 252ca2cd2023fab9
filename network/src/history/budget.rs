//! Which of the observers' requests are let through. A request needs a free place and an account in
//! credit three times over: its observer's, its address's, and that of all. What an answer costs is
//! known only afterwards, so an account may go into debt by the answers under way, and then waits
//! until the debt has been worked off at the share's rate.
//!
//! An account is kept while something is under way or owed, so nobody is rid of a debt by coming
//! again under a new connection; and since every request adds to the total's debt, only so many
//! accounts can be in debt at a time.

use super::limits::{HistoryLimits, Share};
use libp2p::PeerId;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Whose share is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Observer,
    Address,
    All,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observer => "this observer",
            Self::Address => "this address",
            Self::All => "all observers",
        })
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{1} requests of {0} are under way")]
    Busy(Whose, usize),
    #[error("{0}: {1} bytes more have been taken than the share gives")]
    Spent(Whose, u64),
}

/// What has been taken of a share.
#[derive(Clone, Copy, Debug)]
struct Account {
    in_flight: usize,
    /// Bytes taken and not worked off.
    owed: u64,
    /// Up to when they are.
    at: Instant,
}

impl Account {
    fn new(now: Instant) -> Self {
        Self {
            in_flight: 0,
            owed: 0,
            at: now,
        }
    }

    /// Works off what the share has given since.
    fn settle(&mut self, share: &Share, now: Instant) {
        let earned = bytes(share, now.saturating_duration_since(self.at));
        match self.owed.checked_sub(earned) {
            // What makes no whole byte counts at the next time.
            Some(left) if left > 0 => {
                self.owed = left;
                self.at += time(share, earned);
            }
            _ => {
                self.owed = 0;
                self.at = now;
            }
        }
    }

    fn check(&self, whose: Whose, share: &Share, burst: Duration) -> Result<(), Refused> {
        if self.in_flight >= share.in_flight_max {
            return Err(Refused::Busy(whose, self.in_flight));
        }
        match self.owed.checked_sub(bytes(share, burst)) {
            Some(beyond) => Err(Refused::Spent(whose, beyond)),
            None => Ok(()),
        }
    }

    fn is_settled(&self) -> bool {
        self.in_flight == 0 && self.owed == 0
    }
}

/// What a share gives in some time.
fn bytes(share: &Share, time: Duration) -> u64 {
    let bytes = u128::from(share.bytes_per_second) * time.as_nanos() / 1_000_000_000;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// In which time a share gives so many bytes.
fn time(share: &Share, bytes: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(share.bytes_per_second.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The accounts of all.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: HistoryLimits,
    total: Account,
    addresses: BTreeMap<IpAddr, Account>,
    observers: BTreeMap<PeerId, Account>,
}

impl Budget {
    pub(crate) fn new(limits: &HistoryLimits, now: Instant) -> Self {
        Self {
            limits: limits.clone(),
            total: Account::new(now),
            addresses: BTreeMap::new(),
            observers: BTreeMap::new(),
        }
    }

    /// Takes a place for a request of the observer, and counts what it costs at least.
    fn admit(&mut self, observer: PeerId, from: IpAddr, now: Instant) -> Result<(), Refused> {
        let limits = &self.limits;
        let burst = limits.burst;
        self.total.settle(&limits.total, now);
        self.total.check(Whose::All, &limits.total, burst)?;
        settle_all(&mut self.addresses, &limits.address, now);
        settle_all(&mut self.observers, &limits.observer, now);
        let fresh = Account::new(now);
        let address = self.addresses.get(&from).unwrap_or(&fresh);
        address.check(Whose::Address, &limits.address, burst)?;
        let own = self.observers.get(&observer).unwrap_or(&fresh);
        own.check(Whose::Observer, &limits.observer, burst)?;
        self.addresses.entry(from).or_insert(fresh);
        self.observers.entry(observer).or_insert(fresh);
        let cost = limits.request_cost_bytes;
        self.each(observer, from, |account| {
            account.in_flight += 1;
            account.owed = account.owed.saturating_add(cost);
        });
        Ok(())
    }

    fn charge(&mut self, observer: PeerId, from: IpAddr, answer_bytes: usize) {
        let beyond = (answer_bytes as u64).saturating_sub(self.limits.request_cost_bytes);
        self.each(observer, from, |account| {
            account.owed = account.owed.saturating_add(beyond);
        });
    }

    fn leave(&mut self, observer: PeerId, from: IpAddr) {
        self.each(observer, from, |account| {
            account.in_flight = account.in_flight.saturating_sub(1);
        });
    }

    fn each(&mut self, observer: PeerId, from: IpAddr, change: impl Fn(&mut Account)) {
        change(&mut self.total);
        if let Some(address) = self.addresses.get_mut(&from) {
            change(address);
        }
        if let Some(own) = self.observers.get_mut(&observer) {
            change(own);
        }
    }
}

/// Settles accounts, and forgets those that owe nothing.
fn settle_all<K: Ord>(accounts: &mut BTreeMap<K, Account>, share: &Share, now: Instant) {
    accounts.retain(|_, account| {
        account.settle(share, now);
        !account.is_settled()
    });
}

/// The place of one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    budget: Arc<Mutex<Budget>>,
    observer: PeerId,
    from: IpAddr,
}

impl Place {
    /// # Errors
    /// Says whose share is used up.
    pub(crate) fn take(
        budget: &Arc<Mutex<Budget>>,
        observer: PeerId,
        from: IpAddr,
        now: Instant,
    ) -> Result<Self, Refused> {
        let mut all = budget.lock().unwrap_or_else(PoisonError::into_inner);
        all.admit(observer, from, now)?;
        Ok(Self {
            budget: budget.clone(),
            observer,
            from,
        })
    }

    /// Counts an answer, before it is sent.
    pub(crate) fn charge(&self, answer_bytes: usize) {
        let mut all = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        all.charge(self.observer, self.from, answer_bytes);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        all.leave(self.observer, self.from);
    }
}

#[cfg(test)]
mod tests;
