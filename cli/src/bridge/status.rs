//! `weft bridge status`: where the bridge stands, and each step of a withdrawal with what is missing and when.

mod steps;
mod whole;

use self::steps::{Progress, Seen, Silence};
use self::whole::{Vault, Whole};
use super::standing_still::Still;
use super::withdrawal_shown;
use crate::base::BaseUrl;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{self, Output};
use crate::values::lines;
use weft_basechain::{At, BaseChain, PostedAs};
use weft_client::{Client, ClientError};
use weft_types::api::{ProblemCode, WithdrawalStatus};

#[derive(clap::Args)]
pub struct Status {
    /// A withdrawal; without it the whole bridge
    index: Option<u64>,
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    network: Network,
}

pub async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    client.genesis().await.map_err(without_masternodes)?;
    match arguments.index {
        Some(index) => {
            let progress = progress(arguments, &client, index, output).await?;
            output.data(&progress, progress_shown)
        }
        None => {
            let status = client.bridge().await?;
            let count = status.bridge.deposits.count;
            let ask = async |chain: BaseChain| Vault::of(&chain, count).await;
            let vault = asked_of_base(arguments, &client, output, ask).await?;
            output.data(&Whole::of(status, vault), whole::shown)
        }
    }
}

/// What a command that asks a node says when none answers.
pub fn without_masternodes(error: ClientError) -> Failure {
    let failure = Failure::from(error);
    match failure.kind {
        Kind::Unreachable => failure.hint(
            "another node may answer: --url. If there are none any more, proofs that were kept need none: `weft bridge exit FILE` \
             says where everything in them stands, and `weft bridge claim N --kept FILE` has a withdrawal paid",
        ),
        _ => failure,
    }
}

/// `Err` in words where the base chain does not say it: what the node says is worth something without.
async fn asked_of_base<T>(
    arguments: &Status,
    client: &Client,
    output: &Output,
    ask: impl AsyncFnOnce(BaseChain) -> Result<T, Failure>,
) -> Result<Result<T, Silence>, Failure> {
    let known = (&arguments.network, client);
    match arguments.base.shown(known, output, ask).await {
        Ok(Some(answer)) => Ok(Ok(answer)),
        Ok(None) => Ok(Err(Silence::Unnamed)),
        Err(failure) if failure.kind == Kind::Unreachable => {
            output.say(format_args!(
                "{}; what follows is what the node knows.",
                failure.message
            ));
            Ok(Err(Silence::Away))
        }
        Err(failure) => Err(failure),
    }
}

async fn progress(
    arguments: &Status,
    client: &Client,
    index: u64,
    output: &Output,
) -> Result<Progress, Failure> {
    let status = asked(client, index).await?;
    let genesis = client.genesis().await?;
    let interval = genesis.template.params.checkpoint_interval_ms;
    let ask = async |chain: BaseChain| seen(&chain, &status).await;
    let seen = asked_of_base(arguments, client, output, ask).await?;
    let latch = seen.as_ref().ok().and_then(|seen| seen.latch.as_ref());
    let still = Still::judged(&client.bridge().await?, latch);
    Ok(Progress::of(status, seen, interval, still))
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
            latch: Some(latch),
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
        latch: Some(latch),
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
