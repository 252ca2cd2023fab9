//! `weft bridge status`: where the bridge stands, and each step of a withdrawal with what is missing and when.

mod steps;

use self::steps::{Progress, Seen};
use super::standing_still::Still;
use super::{shown, withdrawal_shown};
use crate::base::BaseUrl;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{self, Output};
use crate::values::lines;
use serde::Serialize;
use weft_basechain::{At, BaseChain, PostedAs};
use weft_client::{Client, ClientError};
use weft_types::api::{BridgeStatus, ProblemCode, WithdrawalStatus};

#[derive(clap::Args)]
pub struct Status {
    /// A withdrawal; without it the whole bridge
    index: Option<u64>,
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    network: Network,
}

/// The bridge, as a node and the base chain have it.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    status: BridgeStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_still: Option<Still>,
}

pub async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    // What the node says is worth something without the base chain.
    let chain = match arguments.base.if_known(&arguments.network, &client).await {
        Ok(chain) => chain,
        Err(failure) if failure.kind == Kind::Unreachable => {
            output.say(format_args!(
                "{}; what follows is what the node knows.",
                failure.message
            ));
            None
        }
        Err(failure) => return Err(failure),
    };
    match arguments.index {
        Some(index) => {
            let progress = progress(&client, chain.as_ref(), index).await?;
            output.data(&progress, progress_shown)
        }
        None => {
            let status = client.bridge().await?;
            let latch = match &chain {
                Some(chain) => Some(chain.latch().await?),
                None => None,
            };
            let stands_still = Still::judged(&status, latch.as_ref());
            let whole = Whole {
                status,
                stands_still,
            };
            output.data(&whole, whole_shown)
        }
    }
}

async fn progress(
    client: &Client,
    chain: Option<&BaseChain>,
    index: u64,
) -> Result<Progress, Failure> {
    let status = asked(client, index).await?;
    let genesis = client.genesis().await?;
    let interval = genesis.template.params.checkpoint_interval_ms;
    let seen = match chain {
        Some(chain) => Some(seen(chain, &status).await?),
        None => None,
    };
    Ok(Progress::of(status, seen, interval))
}

/// A withdrawal as a node has it.
///
/// # Errors
/// Also when there is none of this number: what then.
pub async fn asked(client: &Client, index: u64) -> Result<WithdrawalStatus, Failure> {
    match client.withdrawal(&index).await {
        Err(ClientError::Problem { problem, .. })
            if problem.code == ProblemCode::NotFound.as_str() =>
        {
            let count = client.bridge().await?.bridge.withdrawals;
            let there = match count {
                0 => "there are none yet".to_owned(),
                count => format!("there are 0 to {}", count - 1),
            };
            let words = format!("there is no withdrawal {index}: {there}");
            Err(Failure::new(Kind::Refused, words).hint(
                "`weft bridge withdraw` prints its number, and the history of the account has it",
            ))
        }
        answer => Ok(answer?),
    }
}

async fn seen(chain: &BaseChain, status: &WithdrawalStatus) -> Result<Seen, Failure> {
    let index = status.withdrawal.index;
    let latch = chain.latch().await?;
    let Some(claim) = &status.claim else {
        return Ok(Seen {
            now: latch.now,
            ..Seen::default()
        });
    };
    let posted_at = match chain.posted_as(&claim.statement).await? {
        PostedAs::This(posted_at) => Some(posted_at),
        PostedAs::Nothing | PostedAs::Another => None,
    };
    let counting = chain.counting(&claim.statement, &latch).await?;
    let is_paid = chain.is_paid(index, At::Latest).await?;
    let payout = match (is_paid, posted_at) {
        (true, posted_at) => chain.payout_of(index, posted_at.unwrap_or(0)).await?,
        (false, _) => None,
    };
    Ok(Seen {
        posted_at,
        final_at: posted_at.map(|at| at.saturating_add(latch.finality_delay_s)),
        refusal: super::choosing::refusal(claim.height, counting, &latch),
        is_paid,
        payout,
        now: latch.now,
    })
}

fn progress_shown(progress: &Progress) -> String {
    let mut table = output::table(&["step", "done", "what"]);
    for step in &progress.steps {
        let done = if step.done { "yes" } else { "no" };
        table.add_row([step.name, done, step.words.as_str()]);
    }
    let state = lines(&[
        ("state", progress.state.name().to_owned()),
        ("next", progress.next.clone()),
    ]);
    format!(
        "{}\n{state}\n\n{}",
        withdrawal_shown(&progress.withdrawal),
        output::fit(&table)
    )
}

fn whole_shown(whole: &Whole) -> String {
    let status = &whole.status;
    let (still, advice) = match &whole.stands_still {
        Some(still) => (still.words(), still.advice().to_owned()),
        None => ("no".to_owned(), String::new()),
    };
    let contracts = lines(&[
        ("vault", status.vault.to_string()),
        (
            "time for challenges",
            format!("{} s", status.challenge_window_s),
        ),
        ("stands still", still),
        ("what to do", advice),
    ]);
    format!("{}\n{contracts}", shown(&status.bridge))
}
