//! Waiting until the ledger has taken a deposit up: this one, and not another of its number.

use crate::bridge::LOOK_INTERVAL;
use crate::failure::{Failure, Kind};
use crate::signals;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weft_basechain::{At, BaseChain, Deposited};
use weft_client::Client;
use weft_types::{FeedReport, Root};

/// Longest wait until a deposit is credited.
const CREDIT_MAX: Duration = Duration::from_secs(120);
const ONCE: &str = "giving the command again deposits again";

/// # Errors
/// Also when the wait is interrupted: the deposit is made by then.
pub async fn until_credited(
    known: (&Client, &BaseChain),
    deposited: &Deposited,
) -> Result<(), Failure> {
    let interrupted = signals::shutdown()?;
    tokio::select! {
        credited = looked_for(known, deposited) => credited,
        () = interrupted => {
            let words = format!(
                "interrupted: deposit {} is in the vault and is credited by itself",
                deposited.index
            );
            Err(Failure::new(Kind::Failed, words).hint(format_args!(
                "{ONCE}; `weft bridge status` says how many are credited"
            )))
        }
    }
}

async fn looked_for(
    (client, chain): (&Client, &BaseChain),
    deposited: &Deposited,
) -> Result<(), Failure> {
    let until = Instant::now() + CREDIT_MAX;
    let index = deposited.index;
    loop {
        let bridge = client.bridge().await?;
        if let Some(reason) = bridge.halted {
            let words = format!(
                "the bridge is halted, and deposit {index} is not known to be credited: {reason}"
            );
            return Err(Failure::new(Kind::Refused, words)
                .hint(format_args!("docs/bridge.md says what comes of it; {ONCE}")));
        }
        let ledger = bridge.bridge.deposits;
        if ledger.count >= index {
            let vault = Vault {
                at_index: chain.deposit_digest(index, At::Latest).await?,
                at_count: chain.deposit_digest(ledger.count, At::Latest).await?,
            };
            match vault.judge(ledger, deposited) {
                Taken::Up => return Ok(()),
                Taken::Another => return Err(another(index)),
                Taken::Unknown => {}
            }
        }
        if Instant::now() >= until {
            let words = format!(
                "deposit {index} is not credited after {} s; it is in the vault, and will be",
                CREDIT_MAX.as_secs()
            );
            return Err(Failure::new(Kind::Unreachable, words)
                .hint(format_args!("look at `weft bridge status`; {ONCE}")));
        }
        sleep(LOOK_INTERVAL).await;
    }
}

fn another(index: u64) -> Failure {
    let words = format!(
        "another deposit {index} is in the vault, or credited, than the one that was made: the base chain has taken blocks back"
    );
    Failure::new(Kind::Refused, words).hint(
        "`weft bridge status` shows what is credited and what the vault has, docs/bridge.md what comes of it",
    )
}

/// The running digests that the vault has now.
struct Vault {
    /// Up to the deposit.
    at_index: Option<Root>,
    /// Up to the last that the ledger has credited; `None` while it has not so many.
    at_count: Option<Root>,
}

#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Up,
    /// Another of the same number is, or will be.
    Another,
    /// The vault has fewer than the ledger has credited: it may lag, or have been taken back.
    Unknown,
}

impl Vault {
    /// Of a ledger that has credited as many. A digest covers all deposits up to it: one that is equal further on says that
    /// all before are the same.
    fn judge(&self, ledger: FeedReport, made: &Deposited) -> Taken {
        match (self.at_index, self.at_count) {
            (Some(at_index), _) if at_index != made.digest => Taken::Another,
            (_, Some(at_count)) if at_count != ledger.digest => Taken::Another,
            (Some(_), Some(_)) => Taken::Up,
            _ => Taken::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{Amount, BaseAddress, BaseAsset, Deposit, testing};

    fn root(byte: u8) -> Root {
        Root([byte; 32])
    }

    fn made() -> Deposited {
        Deposited {
            index: 1,
            event: Deposit {
                asset: BaseAsset::Native { amount: Amount(5) },
                sender: BaseAddress([1; 20]),
                account: testing::user(1),
            },
            digest: root(1),
            block: 7,
        }
    }

    #[test]
    fn a_deposit_is_credited_only_if_the_ledger_has_this_one_and_not_another_of_its_number() {
        let judge = |(count, digest), at_index, at_count| {
            let ledger = FeedReport {
                count,
                digest: root(digest),
            };
            let vault = Vault { at_index, at_count };
            vault.judge(ledger, &made())
        };
        let some = |byte| Some(root(byte));
        assert_eq!(judge((1, 1), some(1), some(1)), Taken::Up);
        assert_eq!(judge((3, 3), some(1), some(3)), Taken::Up, "and more since");
        for (ledger, at_index, at_count) in [
            ((1, 9), some(1), some(1)), // credited was one that the base chain has taken back
            ((3, 9), some(1), some(3)),
            ((1, 1), some(9), some(9)), // ours was taken back, and another has its number
            ((3, 9), some(1), some(1)),
        ] {
            assert_eq!(judge(ledger, at_index, at_count), Taken::Another);
        }
        assert_eq!(judge((3, 3), some(1), None), Taken::Unknown, "it lags");
        assert_eq!(judge((1, 1), None, None), Taken::Unknown);
    }
}
