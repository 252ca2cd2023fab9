//! `weft swap list`: the locks that an account has made, or is paid by.

use super::judging::Time;
use super::{Contract, amount_shown, expires, known, state};
use crate::base::BaseUrl;
use crate::failure::Failure;
use crate::network::Network;
use crate::output::{self, Output};
use crate::time;
use crate::values::recipient;
use serde::Serialize;
use std::time::Duration;
use weft_basechain::{HashLocked, LockId};
use weft_types::{BaseAddress, Millis, SecretHash};

#[derive(clap::Args)]
pub struct List {
    /// An account of the base chain
    #[arg(value_parser = recipient)]
    account: BaseAddress,
    /// How long ago it was locked at most: the contract's events are read from then on
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = time::parse)]
    since: Duration,
    #[command(flatten)]
    contract: Contract,
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    network: Network,
}

/// Amounts are texts: they may not fit a JSON number.
#[derive(Serialize)]
struct Listed {
    lock: LockId,
    state: &'static str,
    hash: SecretHash,
    locker: BaseAddress,
    recipient: BaseAddress,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<BaseAddress>,
    /// In wei, or the token's smallest parts.
    amount: String,
    expires: Millis,
    #[serde(skip)]
    words: String,
}

impl Listed {
    fn of(lock: LockId, found: &HashLocked, now: &Time) -> Self {
        let terms = &found.terms;
        Self {
            lock,
            state: state(found, now),
            hash: terms.hash,
            locker: found.locker,
            recipient: terms.recipient,
            token: terms.token,
            amount: terms.amount.to_string(),
            expires: expires(terms),
            words: amount_shown(terms),
        }
    }
}

pub async fn list(arguments: &List, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let chain = arguments.base.chain(&arguments.network, &client).await?;
    let locks = arguments.contract.on(chain.endpoint(), &arguments.network);
    let locks = locks.await?;
    let now = Time::of(&locks).await?;
    let since = now.0.saturating_sub(arguments.since.as_secs());
    let mut all = Vec::new();
    for id in locks.of(arguments.account, since).await? {
        all.push(Listed::of(id, &known(&locks, id).await?, &now));
    }
    output.data(&all, |all| shown(all, arguments))
}

fn shown(all: &[Listed], arguments: &List) -> String {
    if all.is_empty() {
        return format!(
            "no lock in the last {} s by or for {}",
            arguments.since.as_secs(),
            arguments.account
        );
    }
    let mut table = output::table(&["lock", "state", "locked", "by", "for", "expires"]);
    for lock in all {
        table.add_row([
            lock.lock.to_string(),
            lock.state.to_owned(),
            lock.words.clone(),
            lock.locker.to_string(),
            lock.recipient.to_string(),
            time::utc(lock.expires),
        ]);
    }
    output::fit(&table)
}
