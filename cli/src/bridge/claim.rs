//! `weft bridge claim`: has the vault pay a withdrawal.

use super::LOOK_INTERVAL;
use super::choosing::refusal;
use super::kept::Kept;
use super::kept_payouts::{Judged, Proof, taken_back};
use super::standing_still::Still;
use super::status::{asked, without_masternodes};
use crate::base::{Base, hash_shown};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::values::lines;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weft_basechain::{AccountKey, At, BaseChain, Claim as LeafClaim, ClientError, Counting, Latch};
use weft_client::Client;
use weft_types::api::WithdrawalStatus;
use weft_types::{BaseAddress, Height, TREE_DEPTH};

#[derive(clap::Args)]
pub struct Claim {
    /// The withdrawal
    index: u64,
    /// Longest wait for its checkpoint and the end of its time for challenges, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// What `weft bridge keep` has saved: then no masternode is asked
    #[arg(long, value_name = "FILE")]
    kept: Option<PathBuf>,
    #[command(flatten)]
    base: Base,
}

#[derive(Serialize)]
struct Paid {
    index: u64,
    recipient: BaseAddress,
    /// Of the checkpoint that it was paid by.
    height: Height,
    base_block: u64,
    base_transaction: String,
    /// The recipient or the token has refused it (V7).
    kept: bool,
}

const TAKEN_BACK: &str =
    "the vault pays by no checkpoint after that: docs/bridge.md, \"After a halt\"";

/// Where the proof comes from.
enum Source {
    Node(Client),
    File(Kept),
}

impl Source {
    async fn of(arguments: &Claim) -> Result<(Self, BaseChain, AccountKey), Failure> {
        let base = &arguments.base;
        if let Some(path) = &arguments.kept {
            let kept = Kept::read(path)?;
            let (chain, key) = base.reach(kept.chain_id, kept.contracts).await?;
            return Ok((Self::File(kept), chain, key));
        }
        let known = base.network.client()?.genesis().await;
        known.map_err(without_masternodes)?;
        let account = base.connect().await?;
        Ok((Self::Node(account.client), account.chain, account.key))
    }

    async fn proof(&self, chain: &BaseChain, index: u64) -> Result<LeafClaim, Attempt> {
        match self {
            Self::Node(client) => by_node(client, chain, index).await,
            Self::File(kept) => {
                let latch = chain.latch().await?;
                match Judged::of(chain, kept, latch).await?.proof(index) {
                    Proof::By(claim) => Ok(*claim),
                    Proof::Later { height, .. } => Err(challenged(height)),
                    Proof::Nothing(why) => {
                        let words = format!("withdrawal {index} is not paid by this file: {why}");
                        Err(Failure::new(Kind::Refused, words).into())
                    }
                }
            }
        }
    }
}

pub async fn claim(arguments: &Claim, output: &Output) -> Result<(), Failure> {
    let (source, chain, key) = Source::of(arguments).await?;
    let index = arguments.index;
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    if chain.is_paid(index, At::Latest).await? {
        return Err(paid_already(index));
    }
    let mut told = false;
    loop {
        let (error, waits) = match attempt(&source, &chain, &key, index).await {
            Ok(paid) => return output.data(&paid, paid_text),
            Err(Attempt::Later(words)) => (Failure::new(Kind::Refused, words), true),
            Err(Attempt::Failed(failure)) => (failure, false),
        };
        if !waits || Instant::now() >= until {
            return Err(error);
        }
        if !told {
            output.say(format_args!("{}; waiting.", error.message));
            told = true;
        }
        sleep(LOOK_INTERVAL).await;
    }
}

enum Attempt {
    /// It cannot be paid yet.
    Later(String),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn paid_already(index: u64) -> Failure {
    Failure::new(
        Kind::Refused,
        format_args!("withdrawal {index} is paid already"),
    )
}

fn challenged(height: Height) -> Attempt {
    Attempt::Later(format!(
        "the checkpoint of height {height} still has its time for challenges"
    ))
}

/// Why the vault does not pay by a checkpoint that is not final: it checks that before anything else, and waiting is no cure for
/// the rest.
fn not_final(height: Height, counting: Counting, latch: &Latch) -> Attempt {
    let Some(why) = refusal(height, counting, latch) else {
        return challenged(height);
    };
    let failure = Failure::new(Kind::Refused, why);
    let failure = match counting {
        Counting::ForeignDeposits => failure.hint(TAKEN_BACK),
        _ => failure.hint(
            "by the last checkpoint that counts the asset is the account's again: `weft bridge exit FILE` takes it out",
        ),
    };
    failure.into()
}

/// A withdrawal that no checkpoint on the base chain has.
fn uncovered(index: u64, still: Option<&Still>) -> Attempt {
    let words = match still {
        None | Some(Still::Lags) => {
            return Attempt::Later(format!(
                "withdrawal {index} is under no checkpoint on the base chain yet"
            ));
        }
        Some(still) => still.for_withdrawal(),
    };
    let failure = Failure::new(
        Kind::Refused,
        format_args!("withdrawal {index} is under no checkpoint: {words}"),
    );
    match still {
        Some(Still::Halted { .. }) => failure.hint("another node may say otherwise: --url").into(),
        _ => failure.into(),
    }
}

async fn by_node(client: &Client, chain: &BaseChain, index: u64) -> Result<LeafClaim, Attempt> {
    let WithdrawalStatus {
        withdrawal, claim, ..
    } = asked(client, index).await?;
    let Some(shown) = claim else {
        let still = Still::of(client, chain).await?;
        return Err(uncovered(index, still.as_ref()));
    };
    let siblings = shown.siblings.try_into();
    let siblings: [_; TREE_DEPTH] = siblings.map_err(|_| {
        let words = format!("the node's proof has not {TREE_DEPTH} siblings");
        Attempt::Failed(Failure::new(Kind::Invalid, words))
    })?;
    Ok(LeafClaim {
        withdrawal,
        siblings,
        statement: shown.statement,
    })
}

async fn attempt(
    source: &Source,
    chain: &BaseChain,
    key: &AccountKey,
    index: u64,
) -> Result<Paid, Attempt> {
    let claim = source.proof(chain, index).await?;
    let height = claim.statement.height;
    match chain.withdraw(key, &claim).await {
        Ok(mined) => Ok(Paid {
            index,
            recipient: claim.withdrawal.recipient,
            height,
            base_block: mined.block,
            base_transaction: hash_shown(&mined.hash),
            kept: chain.is_kept(&mined),
        }),
        Err(ClientError::Refused { refusal, .. }) if refusal.name == "NotFinal" => {
            let latch = chain.latch().await?;
            let counting = chain.counting(&claim.statement, &latch).await?;
            Err(not_final(height, counting, &latch))
        }
        Err(ClientError::Refused { refusal, .. }) if refusal.name == "AlreadyPaid" => {
            Err(paid_already(index).into())
        }
        Err(error) => match error.refusal().and_then(|r| taken_back(height, r)) {
            Some(words) => Err(Failure::new(Kind::Refused, words).hint(TAKEN_BACK).into()),
            None => Err(error.into()),
        },
    }
}

fn paid_text(paid: &Paid) -> String {
    let kept =
        "in the vault, for it was refused: the recipient's key gets it by `weft bridge fetch`";
    lines(&[
        ("kept", if paid.kept { kept } else { "" }.to_owned()),
        ("withdrawal", paid.index.to_string()),
        ("paid to", paid.recipient.to_string()),
        ("by checkpoint", paid.height.to_string()),
        ("base block", paid.base_block.to_string()),
        ("base transaction", paid.base_transaction.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::standing_still::tests::latch;

    fn said(attempt: Attempt) -> (String, bool) {
        match attempt {
            Attempt::Later(words) => (words, true),
            Attempt::Failed(failure) => (failure.message, false),
        }
    }

    #[test]
    fn only_the_time_for_challenges_is_waited_for_and_another_reason_comes_before_it() {
        let latch = latch(None, None);
        let told = |counting| said(not_final(Height(9), counting, &latch));
        for counting in [Counting::Pending { until: 9 }, Counting::Counts] {
            let (words, waits) = told(counting);
            assert!(waits && words.contains("time for challenges"), "{words}");
        }
        let (words, waits) = told(Counting::ForeignDeposits);
        assert!(
            !waits && words.contains("other deposits than the vault"),
            "{words}"
        );
        assert!(!told(Counting::AfterLatch).1 && !told(Counting::Another).1);
    }

    #[test]
    fn what_is_under_no_checkpoint_is_waited_for_unless_the_bridge_stands_still() {
        let halted = Still::Halted {
            reason: "taken back".to_owned(),
        };
        let (words, waits) = said(uncovered(3, Some(&halted)));
        assert!(
            !waits && words.contains("taken back; it is not paid"),
            "{words}"
        );
        assert!(!said(uncovered(3, Some(&Still::Frozen { since: 5 }))).1);
        assert!(said(uncovered(3, Some(&Still::Lags))).1);
        assert!(said(uncovered(3, None)).1);
    }
}
