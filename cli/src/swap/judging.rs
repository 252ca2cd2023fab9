//! Whether a lock is to be relied on: what was agreed on, deep enough, with time enough, and far enough from the end of the
//! other side's (H9 to H12, docs/spec/swaps.md).

use super::expires;
use crate::failure::Failure;
use crate::time;
use crate::values::from_now;
use std::time::Duration;
use weft_basechain::{HashLocked, HashLocks, LockState, LockTerms};
use weft_types::{BaseAddress, Millis, SecretHash};

/// A claim that is sent later may come into a block after the expiry.
const CLOSE: Duration = Duration::from_secs(600);

/// The base chain's time in Unix seconds: that of its newest block or, if that was long ago, of this machine.
pub struct Time(pub u64);

impl Time {
    pub async fn of(locks: &HashLocks) -> Result<Self, Failure> {
        let head = locks.endpoint().head().await?.timestamp;
        Ok(Self(head.max(from_now(Duration::ZERO).0 / 1_000)))
    }

    /// Until the expiry.
    pub fn left(&self, terms: &LockTerms) -> Duration {
        Duration::from_secs(terms.expiry.saturating_sub(self.0))
    }

    /// Why a claim may come too late, if it may.
    pub fn close(&self, terms: &LockTerms) -> Option<String> {
        let left = self.left(terms);
        (left < CLOSE).then(|| {
            format!(
                "the lock is over in {} s: a claim that comes into a block later shows the secret for nothing",
                left.as_secs()
            )
        })
    }
}

/// What to say of a lock that has too few blocks on top of it.
pub fn shallow(confirmations: u64) -> String {
    format!(
        "the lock has fewer than {confirmations} blocks on top of it, the network's base_confirmations: the base chain may still \
         take it back"
    )
}

/// Which side is over first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Ends {
    /// The lock: for who made the secret, and locked first in the ledger
    First,
    /// The deal: for who did not make it, and locks second in the ledger
    Last,
}

/// What was agreed on.
pub struct Agreed {
    pub hash: SecretHash,
    pub recipient: BaseAddress,
    pub token: Option<BaseAddress>,
    /// In wei, or a token's smallest parts: no less.
    pub amount: u128,
    /// Until the expiry: no less.
    pub left: Duration,
    /// When the ledger's side is over, and which is over first, by how much at least.
    pub other: Option<(Millis, Ends, Duration)>,
}

/// Why a lock is not to be relied on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// It is not what was agreed on.
    pub different: Vec<String>,
    /// It may be so later, or was before.
    pub now: Vec<String>,
}

impl Agreed {
    pub fn doubts(&self, lock: &HashLocked, time: &Time, depth: (bool, u64)) -> Doubts {
        let mut doubts = Doubts::default();
        let terms = &lock.terms;
        let mut differs = |what: &str, is: String, agreed: String| {
            let words = format!("{what} is {is}, and not {agreed}");
            doubts.different.push(words);
        };
        if terms.hash != self.hash {
            differs("the hash", terms.hash.to_string(), self.hash.to_string());
        }
        if terms.recipient != self.recipient {
            let agreed = self.recipient.to_string();
            differs("the recipient", terms.recipient.to_string(), agreed);
        }
        if terms.token != self.token {
            let named = |token: Option<BaseAddress>| {
                token.map_or_else(|| "the coin".to_owned(), |t| format!("token {t}"))
            };
            differs("what is locked", named(terms.token), named(self.token));
        } else if terms.amount < self.amount {
            let agreed = format!("{} at least", self.amount);
            differs("the amount", terms.amount.to_string(), agreed);
        }
        if let Some((deal, ends, apart)) = self.other {
            let (lock, deal) = (expires(terms), deal);
            let (first, second, order) = match ends {
                Ends::First => (lock, deal, "the lock before the deal"),
                Ends::Last => (deal, lock, "the deal before the lock"),
            };
            if u128::from(second.0) < u128::from(first.0) + apart.as_millis() {
                doubts.different.push(format!(
                    "the lock is over at {} and the deal at {}: not {order} by {} s",
                    time::utc(lock),
                    time::utc(deal),
                    apart.as_secs()
                ));
            }
        }
        match lock.state {
            LockState::Open => {}
            LockState::Claimed(_) => doubts.now.push("it is claimed already".to_owned()),
            LockState::Refunded => doubts.now.push("it is paid back".to_owned()),
        }
        let left = time.left(terms);
        if left < self.left {
            let (left, agreed) = (left.as_secs(), self.left.as_secs());
            let words = format!("it is over in {left} s, and {agreed} s were to be left");
            doubts.now.push(words);
        }
        if let (false, confirmations) = depth {
            doubts.now.push(shallow(confirmations));
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::locked;
    use super::*;
    use weft_types::Secret;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn agreed() -> Agreed {
        let LockTerms {
            hash,
            recipient,
            token,
            amount,
            ..
        } = locked(LockState::Open).terms;
        Agreed {
            hash,
            recipient,
            token,
            amount,
            left: HOUR,
            other: None,
        }
    }

    fn doubts(agreed: &Agreed, lock: &HashLocked, left_s: u64, deep: bool) -> (usize, usize) {
        let time = Time(lock.terms.expiry - left_s);
        let doubts = agreed.doubts(lock, &time, (deep, 2));
        (doubts.different.len(), doubts.now.len())
    }

    #[test]
    fn a_lock_is_relied_on_as_agreed_deep_and_with_time_left() {
        let lock = locked(LockState::Open);
        assert_eq!(doubts(&agreed(), &lock, 3_600, true), (0, 0));
        assert_eq!(doubts(&agreed(), &lock, 3_599, true), (0, 1));
        assert_eq!(doubts(&agreed(), &lock, 3_600, false), (0, 1));
        for state in [LockState::Claimed(Secret([5; 32])), LockState::Refunded] {
            assert_eq!(doubts(&agreed(), &locked(state), 3_600, true), (0, 1));
        }
    }

    #[test]
    fn each_term_is_compared_and_more_than_agreed_is_fine() {
        let lock = locked(LockState::Open);
        let different = |agreed: Agreed| doubts(&agreed, &lock, 3_600, true);
        let token = Some(BaseAddress([3; 20]));
        let amount = agreed().amount;
        for wrong in [
            Agreed {
                hash: Secret([6; 32]).hash(),
                ..agreed()
            },
            Agreed {
                recipient: BaseAddress([9; 20]),
                ..agreed()
            },
            Agreed { token, ..agreed() },
            Agreed {
                amount: amount + 1,
                ..agreed()
            },
        ] {
            assert_eq!(different(wrong), (1, 0));
        }
        let less = Agreed {
            amount: amount - 1,
            ..agreed()
        };
        assert_eq!(different(less), (0, 0));
    }

    #[test]
    fn the_side_that_is_to_be_over_first_is_so_by_as_much_as_was_agreed() {
        let lock = locked(LockState::Open);
        let end = expires(&lock.terms).0;
        let hour = 3_600_000;
        let differs = |deal, ends| {
            let other = Some((Millis(deal), ends, HOUR));
            doubts(&Agreed { other, ..agreed() }, &lock, 3_600, true).0 > 0
        };
        assert!(!differs(end + hour, Ends::First) && differs(end + hour - 1, Ends::First));
        assert!(!differs(end - hour, Ends::Last) && differs(end - hour + 1, Ends::Last));
        assert!(differs(end + hour, Ends::Last) && differs(end - hour, Ends::First));
    }
}
