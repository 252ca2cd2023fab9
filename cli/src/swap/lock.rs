//! `weft swap lock`: coin or tokens for who shows a secret before the expiry.

use super::judging::Time;
use super::{Contract, Sending, amount_shown, expires, known, send, state};
use crate::base::Asking;
use crate::failure::Failure;
use crate::output::Output;
use crate::time;
use crate::values::{from_now, lines, nobodys, recipient};
use serde::Serialize;
use std::time::Duration;
use weft_basechain::{HashLocks, LockId, LockTerms, Mined, NATIVE_UNIT};
use weft_types::{BaseAddress, Genesis, Millis, SecretHash};

/// A lock that is over sooner leaves little time to see it deep enough, and to claim it.
const SHORT: Duration = Duration::from_secs(3_600);
/// How far back own locks by the same hash are looked for.
const LOOKED_AT: Duration = Duration::from_secs(7 * 86_400);

#[derive(clap::Args)]
pub struct Lock {
    /// SHA-256 of the secret, as `weft card lock` or `weft swap secret` prints it
    #[arg(long, value_name = "HASH")]
    hash: SecretHash,
    /// Who alone is paid, by the secret
    #[arg(long, value_name = "ADDRESS", value_parser = recipient)]
    to: BaseAddress,
    /// How much: gwei of the coin, or a token's smallest parts
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    amount: u64,
    /// Contract of an ERC-20; without it the coin
    #[arg(long, value_name = "ADDRESS")]
    token: Option<BaseAddress>,
    /// When you can have it back, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = crate::market::some_time)]
    expires: Duration,
    /// Lock it although you have locked something by the same hash already: whoever shows the secret has all of it
    #[arg(long)]
    more: bool,
    #[command(flatten)]
    contract: Contract,
    #[command(flatten)]
    asking: Asking,
}

/// Amounts are texts: they may not fit a JSON number.
#[derive(Serialize)]
struct Outcome {
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<LockId>,
    contract: BaseAddress,
    hash: SecretHash,
    recipient: BaseAddress,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<BaseAddress>,
    /// In wei, or the token's smallest parts.
    amount: String,
    expires: Millis,
    /// What is sent first, and costs so much, where that is all that can be tried yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<&'static str>,
    #[serde(flatten)]
    sending: Sending,
}

impl Outcome {
    fn of(locks: &HashLocks, terms: &LockTerms) -> Self {
        Self {
            lock: None,
            contract: locks.address(),
            hash: terms.hash,
            recipient: terms.recipient,
            token: terms.token,
            amount: terms.amount.to_string(),
            expires: expires(terms),
            first: None,
            sending: Sending::default(),
        }
    }

    fn made(
        mut self,
        locks: &HashLocks,
        mined: Option<&Mined>,
        sending: Sending,
    ) -> Result<Self, Failure> {
        self.lock = mined.map(|mined| locks.made(mined)).transpose()?;
        self.sending = sending;
        Ok(self)
    }
}

impl Lock {
    fn terms(&self) -> LockTerms {
        let unit = match self.token {
            None => NATIVE_UNIT,
            Some(_) => 1,
        };
        LockTerms {
            hash: self.hash,
            recipient: self.to,
            expiry: from_now(self.expires).0.div_ceil(1_000),
            token: self.token,
            amount: u128::from(self.amount) * unit,
        }
    }

    async fn check(&self, locks: &HashLocks, genesis: &Genesis) -> Result<(), Failure> {
        nobodys(genesis, self.to)?;
        if self.to == locks.address() {
            let words = "the contract of the locks cannot be paid by itself";
            return Err(Failure::usage(words).hint("nothing was sent"));
        }
        if let Some(token) = self.token
            && !locks.endpoint().is_contract(token.0).await?
        {
            let words = format!("there is no contract at {token}");
            return Err(Failure::usage(words).hint("nothing was sent"));
        }
        Ok(())
    }
}

/// H13: one secret opens all that is locked by its hash. What was locked in the last days is looked at.
async fn nothing_by(locks: &HashLocks, own: BaseAddress, hash: SecretHash) -> Result<(), Failure> {
    let now = Time::of(locks).await?;
    let since = now.0.saturating_sub(LOOKED_AT.as_secs());
    for id in locks.made_by(own, hash, since).await? {
        let lock = known(locks, id).await?;
        if state(&lock, &now) == "open" {
            let words = format!(
                "you have locked {} by the same hash already, in lock {id}",
                amount_shown(&lock.terms)
            );
            return Err(Failure::usage(words)
                .hint("nothing was sent; one secret opens all of it, and --more locks once more"));
        }
    }
    Ok(())
}

fn words(terms: &LockTerms, locks: &HashLocks, left: Duration) -> String {
    let mut words = format!(
        "About to lock {} for {} in contract {}, by the hash {}.\nWho shows the secret before {} has it paid there; from then on \
         it comes back to you (`weft swap refund`), and not before.",
        amount_shown(terms),
        terms.recipient,
        locks.address(),
        terms.hash,
        time::utc(expires(terms)),
    );
    if left < SHORT {
        words.push_str(
            "\nThat is soon: the other has to see it deep enough on the chain, and to claim it, before.",
        );
    }
    words
}

pub async fn lock(arguments: &Lock, output: &Output) -> Result<(), Failure> {
    let asking = &arguments.asking;
    let account = asking.base.connect().await?;
    let endpoint = account.chain.endpoint();
    let locks = arguments.contract.on(endpoint, &asking.base.network);
    let locks = locks.await?;
    let mut payer = account.payer(&asking.terms, output)?;
    let wanted = arguments.terms();
    let before = payer.pending();
    let before = before.and_then(|signed| locks.signed_before(signed, &wanted));
    let terms = before.unwrap_or(wanted);
    let order = locks.lock_order(&terms);
    let mut outcome = Outcome::of(&locks, &terms);
    if let Some(mined) = asking.earlier(&mut payer, &order).await? {
        let outcome = outcome.made(&locks, Some(&mined), Sending::earlier(&mined))?;
        return output.data(&outcome, text);
    }
    arguments
        .check(&locks, &account.client.genesis().await?)
        .await?;
    let own = account.address();
    if !arguments.more {
        nothing_by(&locks, own, terms.hash).await?;
    }
    if let Some(approval) = locks.approval_order(own, &terms).await? {
        let words = format!(
            "About to let contract {} take {}, which is what is locked next.",
            locks.address(),
            amount_shown(&terms)
        );
        let (sending, mined) = send((asking, &mut payer), &approval, &words, output).await?;
        if mined.is_none() {
            outcome.first = Some(approval.what());
            outcome.sending = sending;
            return output.data(&outcome, text);
        }
    }
    let words = words(&terms, &locks, arguments.expires);
    let (sending, mined) = send((asking, &mut payer), &order, &words, output).await?;
    let outcome = outcome.made(&locks, mined.as_ref(), sending)?;
    output.data(&outcome, text)
}

fn text(outcome: &Outcome) -> String {
    let or_empty = |value: Option<String>| value.unwrap_or_default();
    let mut rows = vec![
        ("lock", or_empty(outcome.lock.map(|id| id.to_string()))),
        ("contract", outcome.contract.to_string()),
        ("hash", outcome.hash.to_string()),
        ("recipient", outcome.recipient.to_string()),
        ("token", or_empty(outcome.token.map(|t| t.to_string()))),
        ("amount", outcome.amount.clone()),
        ("expires", time::utc(outcome.expires)),
        ("first", or_empty(outcome.first.map(str::to_owned))),
    ];
    rows.extend(outcome.sending.rows());
    lines(&rows)
}
