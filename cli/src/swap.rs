//! `weft swap`: the base chain's half of a swap, coin or tokens that a secret opens, as `weft card lock` locks the
//! ledger's half (docs/spec/swaps.md).

mod claim;
mod deploy;
mod judging;
mod list;
mod lock;
mod refund;
mod show;

use crate::base::{Account, Asking, Cost, Payer, Sent};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::values::{coins, lines};
use judging::Time;
use rand::random;
use serde::Serialize;
use weft_basechain::{
    At, ClientError, Endpoint, HashLocked, HashLocks, LockId, LockState, LockTerms, Mined, Order,
};
use weft_types::{BaseAddress, Millis, Secret, SecretHash};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a secret, and print it with its hash: for who locks first, on whichever side
    Secret,
    /// Put the contract on a base chain that has none
    Deploy(deploy::Deploy),
    /// Lock coin or tokens on the base chain for somebody who shows a secret
    Lock(lock::Lock),
    /// Show the secret of a lock, so that its recipient is paid; anybody may
    Claim(claim::Claim),
    /// Have what nobody claimed in time paid back to who locked it; anybody may
    Refund(refund::Refund),
    /// Show a lock; once it is claimed, with its secret
    Show(show::Show),
    /// List the locks that an account has made, or is paid by
    List(list::List),
    /// Whether a lock is what was agreed on, and to be relied on: exit code 5 or 4 if not
    Check(show::Check),
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Secret => secret(output),
        Command::Deploy(arguments) => deploy::deploy(&arguments, output).await,
        Command::Lock(arguments) => lock::lock(&arguments, output).await,
        Command::Claim(arguments) => claim::claim(&arguments, output).await,
        Command::Refund(arguments) => refund::refund(&arguments, output).await,
        Command::List(arguments) => list::list(&arguments, output).await,
        Command::Show(arguments) => show::show(&arguments, output).await,
        Command::Check(arguments) => show::check(&arguments, output).await,
    }
}

/// Which contract the locks are in.
#[derive(clap::Args, Debug, Clone)]
pub struct Contract {
    /// The contract of the locks; without it the one of the testnet in --dir
    #[arg(long, value_name = "ADDRESS")]
    contract: Option<BaseAddress>,
}

impl Contract {
    async fn on(&self, endpoint: &Endpoint, network: &Network) -> Result<HashLocks, Failure> {
        let address = match self.contract {
            Some(address) => address,
            None => network.hash_lock()?,
        };
        let connected = HashLocks::connect(endpoint.clone(), address.0).await;
        connected.map_err(|error| match error {
            ClientError::ForeignCode { .. } => Failure::from(error).hint(
                "nothing was sent; what another contract does with what is locked in it, its makers know",
            ),
            error => error.into(),
        })
    }
}

/// A lock that something is sent about.
#[derive(clap::Args)]
pub struct Target {
    /// The lock
    lock: LockId,
    #[command(flatten)]
    contract: Contract,
    #[command(flatten)]
    asking: Asking,
}

impl Target {
    async fn connect(&self) -> Result<(Account, HashLocks), Failure> {
        let account = self.asking.base.connect().await?;
        let endpoint = account.chain.endpoint();
        let locks = self.contract.on(endpoint, &self.asking.base.network);
        let locks = locks.await?;
        Ok((account, locks))
    }
}

/// # Errors
/// When nobody has locked anything with this id.
async fn known(locks: &HashLocks, id: LockId) -> Result<HashLocked, Failure> {
    let found = locks.find(id, At::Latest).await?;
    found.ok_or_else(|| {
        let words = format!("there is no lock {id} in contract {}", locks.address());
        Failure::new(Kind::Refused, words)
            .hint("compare the id, the contract and the base chain with where they come from")
    })
}

/// Refuses what is over.
fn open(id: LockId, lock: &HashLocked) -> Result<(), Failure> {
    let (words, hint) = match lock.state {
        LockState::Open => return Ok(()),
        LockState::Claimed(secret) => (
            format!(
                "lock {id} is claimed already, and {} is paid",
                lock.terms.recipient
            ),
            format!("nothing was sent; its secret is {secret}"),
        ),
        LockState::Refunded => (
            format!(
                "lock {id} was not claimed in time, and is paid back to {}",
                lock.locker
            ),
            "nothing was sent".to_owned(),
        ),
    };
    Err(Failure::new(Kind::Refused, words).hint(hint))
}

/// What has become of it.
fn state(lock: &HashLocked, now: &Time) -> &'static str {
    match lock.state {
        LockState::Open if now.left(&lock.terms).is_zero() => "expired",
        LockState::Open => "open",
        LockState::Claimed(_) => "claimed",
        LockState::Refunded => "refunded",
    }
}

/// What is locked, in words.
fn amount_shown(terms: &LockTerms) -> String {
    match terms.token {
        None => format!("{} coins", coins(terms.amount)),
        Some(token) => format!("{} smallest parts of token {token}", terms.amount),
    }
}

/// The expiry as the ledger counts time.
fn expires(terms: &LockTerms) -> Millis {
    Millis(terms.expiry.saturating_mul(1_000))
}

/// What something costs, and what came of it.
#[derive(Serialize, Default)]
struct Sending {
    /// Absent when nothing is to be sent.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    cost: Option<Cost>,
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Sent>,
}

impl Sending {
    fn earlier(mined: &Mined) -> Self {
        Self {
            cost: None,
            sent: Some(Sent::earlier(mined)),
        }
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows: Vec<_> = self.cost.iter().flat_map(Cost::rows).collect();
        rows.extend(Sent::rows(self.sent.as_ref()));
        rows
    }
}

/// Quotes an order, shows it, asks, and sends it unless it is a dry run.
async fn send(
    (asking, payer): (&Asking, &mut Payer<'_>),
    order: &Order,
    words: &str,
    output: &Output,
) -> Result<(Sending, Option<Mined>), Failure> {
    let quote = payer.quote(order).await?;
    let cost = Cost::from(&quote);
    let asked = || format!("{words}\nThe fees are {}.", cost.words());
    let mined = match asking.confirmed(asked, output)? {
        true => Some(payer.send(order, &quote).await?),
        false => None,
    };
    let sending = Sending {
        sent: mined.as_ref().map(Sent::from),
        cost: Some(cost),
    };
    Ok((sending, mined))
}

#[derive(Serialize)]
struct Made {
    hash: SecretHash,
    secret: Secret,
}

fn secret(output: &Output) -> Result<(), Failure> {
    let secret = Secret(random());
    let hash = secret.hash();
    output.data(&Made { hash, secret }, |made| {
        lines(&[
            ("hash", made.hash.to_string()),
            ("secret", made.secret.to_string()),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn locked(state: LockState) -> HashLocked {
        HashLocked {
            terms: LockTerms {
                hash: Secret([5; 32]).hash(),
                recipient: BaseAddress([2; 20]),
                expiry: 1_800_000_000,
                token: None,
                amount: 1_500_000_000_000_000_000,
            },
            locker: BaseAddress([1; 20]),
            state,
        }
    }

    #[test]
    fn what_is_over_is_refused_with_what_came_of_it() {
        let id = LockId([7; 32]);
        assert!(open(id, &locked(LockState::Open)).is_ok());
        let secret = Secret([5; 32]);
        let claimed = open(id, &locked(LockState::Claimed(secret))).unwrap_err();
        assert_eq!(claimed.kind, Kind::Refused);
        assert!(claimed.hint.unwrap().contains(&secret.to_string()));
        let refunded = open(id, &locked(LockState::Refunded)).unwrap_err();
        assert!(
            refunded.message.contains("paid back to 0x0101"),
            "{refunded:?}"
        );
    }

    #[test]
    fn amounts_are_coins_or_a_tokens_parts() {
        let coin = locked(LockState::Open).terms;
        assert_eq!(amount_shown(&coin), "1.5 coins");
        let token = Some(BaseAddress([3; 20]));
        let parts = LockTerms {
            token,
            amount: 7,
            ..coin
        };
        assert!(amount_shown(&parts).starts_with("7 smallest parts of token 0x0303"));
    }
}
