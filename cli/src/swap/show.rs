//! `weft swap show` and `weft swap check`: what a lock is, and whether it is what was agreed on.

use super::judging::{Agreed, Doubts, Ends, Time, shallow};
use super::{Contract, amount_shown, expires, known, state};
use crate::base::BaseUrl;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::time;
use crate::values::{lines, recipient};
use serde::Serialize;
use std::time::Duration;
use weft_basechain::{HashLocked, HashLocks, LockId, LockState, NATIVE_UNIT};
use weft_client::Client;
use weft_types::api::DealState;
use weft_types::{BaseAddress, DealId, DealRule, Millis, Secret, SecretHash};

/// Where a lock is.
#[derive(clap::Args)]
pub struct Place {
    /// The lock
    lock: LockId,
    #[command(flatten)]
    contract: Contract,
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Show {
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
#[group(id = "by", required = true, multiple = false, args = ["hash", "deal"])]
pub struct Check {
    #[command(flatten)]
    place: Place,
    /// SHA-256 of the secret
    #[arg(long, value_name = "HASH")]
    hash: Option<SecretHash>,
    /// The deal of the ledger that is locked by the same hash; its expiry is compared too
    #[arg(long, value_name = "DEAL", requires = "ends")]
    deal: Option<DealId>,
    /// Which has to be over first: the lock, if you made the secret, else the deal
    #[arg(long, value_enum, requires = "deal")]
    ends: Option<Ends>,
    /// By how much at least
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = time::parse, requires = "deal")]
    apart: Duration,
    /// Who has to be paid
    #[arg(long, value_name = "ADDRESS", value_parser = recipient)]
    to: BaseAddress,
    /// How much at least: gwei of the coin, or a token's smallest parts
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    amount: u64,
    /// Contract of the ERC-20; without it the coin
    #[arg(long, value_name = "ADDRESS")]
    token: Option<BaseAddress>,
    /// How long it still has to be open
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = time::parse)]
    left: Duration,
}

/// Amounts are texts: they may not fit a JSON number.
#[derive(Serialize)]
struct Shown {
    lock: LockId,
    contract: BaseAddress,
    state: &'static str,
    hash: SecretHash,
    /// Once it is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    locker: BaseAddress,
    recipient: BaseAddress,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<BaseAddress>,
    /// In wei, or the token's smallest parts.
    amount: String,
    expires: Millis,
    left_s: u64,
    /// Whether the network's `base_confirmations` blocks are on top of it.
    deep: bool,
    confirmations: u64,
    #[serde(skip)]
    found: HashLocked,
}

/// A lock, and who to ask for the rest.
struct Looked {
    client: Client,
    time: Time,
    shown: Shown,
}

impl Place {
    async fn look(&self) -> Result<Looked, Failure> {
        let client = self.network.client()?;
        let chain = self.base.chain(&self.network, &client).await?;
        let locks = self.contract.on(chain.endpoint(), &self.network).await?;
        let confirmations = client.genesis().await?.template.params.base_confirmations;
        let found = known(&locks, self.lock).await?;
        let time = Time::of(&locks).await?;
        let deep = locks.is_deep(self.lock, confirmations).await?;
        let shown = Shown::of(&locks, self.lock, found, (deep, confirmations), &time);
        Ok(Looked {
            client,
            time,
            shown,
        })
    }
}

impl Shown {
    fn of(
        locks: &HashLocks,
        lock: LockId,
        found: HashLocked,
        (deep, confirmations): (bool, u64),
        time: &Time,
    ) -> Self {
        let terms = &found.terms;
        let secret = match found.state {
            LockState::Claimed(secret) => Some(secret),
            LockState::Open | LockState::Refunded => None,
        };
        Self {
            lock,
            contract: locks.address(),
            state: state(&found, time),
            hash: terms.hash,
            secret,
            locker: found.locker,
            recipient: terms.recipient,
            token: terms.token,
            amount: terms.amount.to_string(),
            expires: expires(terms),
            left_s: time.left(terms).as_secs(),
            deep,
            confirmations,
            found,
        }
    }

    /// What comes next, for both.
    fn next(&self) -> String {
        match self.state {
            "open" if !self.deep => format!("wait: {}", shallow(self.confirmations)),
            "open" => format!(
                "the recipient compares hash, amount and expiry with what was agreed on (`weft swap check`); `weft swap claim` has it \
                 paid, in {} s at most, and long before that is safe",
                self.left_s
            ),
            "expired" => "`weft swap refund` has it paid back".to_owned(),
            "claimed" => "the secret opens whatever is locked by the same hash: `weft card unlock DEAL --secret SECRET`".to_owned(),
            _ => "nothing: it is paid back".to_owned(),
        }
    }

    fn text(&self) -> String {
        let secret = self.secret.map_or_else(String::new, |s| s.to_string());
        lines(&[
            ("lock", self.lock.to_string()),
            ("contract", self.contract.to_string()),
            ("state", self.state.to_owned()),
            ("hash", self.hash.to_string()),
            ("secret", secret),
            ("locked", amount_shown(&self.found.terms)),
            ("by", self.locker.to_string()),
            ("recipient", self.recipient.to_string()),
            ("expires", time::utc(self.expires)),
            (
                "deep enough",
                if self.deep { "yes" } else { "NO" }.to_owned(),
            ),
            ("next", self.next()),
        ])
    }
}

pub async fn show(arguments: &Show, output: &Output) -> Result<(), Failure> {
    let looked = arguments.place.look().await?;
    output.data(&looked.shown, Shown::text)
}

impl Check {
    async fn agreed(&self, client: &Client) -> Result<Agreed, Failure> {
        let (hash, other) = match (self.hash, self.deal, self.ends) {
            (_, Some(id), Some(ends)) => {
                let deal = client.deal(&id).await?;
                let DealRule::Secret { hash } = deal.rule else {
                    return Err(Failure::usage(format_args!("deal {id} has no secret")));
                };
                if deal.state != DealState::Open {
                    let words = format!("deal {id} is not open any more");
                    return Err(Failure::new(Kind::Refused, words));
                }
                (hash, Some((deal.expires, ends, self.apart)))
            }
            (Some(hash), ..) => (hash, None),
            _ => return Err(Failure::usage("there is no hash to compare")),
        };
        let unit = match self.token {
            None => NATIVE_UNIT,
            Some(_) => 1,
        };
        Ok(Agreed {
            hash,
            recipient: self.to,
            token: self.token,
            amount: u128::from(self.amount) * unit,
            left: self.left,
            other,
        })
    }
}

/// # Errors
/// [`Kind::Invalid`] when it is not what was agreed on, else [`Kind::Refused`] when it is not to be relied on now.
fn judged(doubts: &Doubts) -> Result<(), Failure> {
    let (kind, all) = match (doubts.different.is_empty(), doubts.now.is_empty()) {
        (true, true) => return Ok(()),
        (true, false) => (Kind::Refused, &doubts.now),
        (false, _) => (Kind::Invalid, &doubts.different),
    };
    let words = format!("the lock is not to be relied on: {}", all.join("; "));
    Err(Failure::new(kind, words).hint("lock nothing for it, and show no secret"))
}

pub async fn check(arguments: &Check, output: &Output) -> Result<(), Failure> {
    let Looked {
        client,
        time,
        shown,
    } = arguments.place.look().await?;
    let agreed = arguments.agreed(&client).await?;
    let doubts = agreed.doubts(&shown.found, &time, (shown.deep, shown.confirmations));
    output.data(&shown, Shown::text)?;
    judged(&doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_agreed_is_told_before_what_may_change() {
        let some = |words: &str| vec![words.to_owned()];
        let told = |different, now| judged(&Doubts { different, now });
        assert!(told(vec![], vec![]).is_ok());
        let later = told(vec![], some("shallow")).unwrap_err();
        assert_eq!(later.kind, Kind::Refused);
        let other = told(some("the hash"), some("shallow")).unwrap_err();
        assert_eq!(other.kind, Kind::Invalid);
        assert!(other.message.contains("the hash"), "{other:?}");
    }
}
