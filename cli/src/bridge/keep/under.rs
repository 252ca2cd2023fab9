//! K1: under which checkpoint proofs are kept.

use crate::bridge::checking::Checker;
use crate::bridge::choosing::why_not;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use weft_basechain::{At, Counting};
use weft_client::{Client, ClientError, PageQuery};
use weft_types::api::ProblemCode;
use weft_types::{Height, Statement};

/// The newest checkpoint, as `None`, unless the vault never pays by it, because it has deposits that the base chain has
/// taken back (V5): then the newest that the node has and the vault pays by.
///
/// # Errors
/// When the node has none: what was kept before stays.
pub async fn under(
    client: &Client,
    checker: &Checker,
    output: &Output,
) -> Result<Option<Height>, Failure> {
    let Some(chain) = checker.chain().await else {
        return Ok(None);
    };
    let (Some(newest), Ok(latch)) = (statement(client, None).await?, chain.latch().await) else {
        return Ok(None);
    };
    // Whether or not it is posted yet.
    let known = chain.deposit_digest(newest.deposits_processed, At::Latest);
    if known.await? == Some(newest.deposits_digest) {
        return Ok(None);
    }
    let why = why_not(newest.height, Counting::ForeignDeposits, &latch);
    let mut provable = client.bridge().await?.provable;
    provable.retain(|height| *height < newest.height);
    for height in provable.into_iter().rev() {
        let Some(older) = statement(client, Some(height)).await? else {
            continue;
        };
        let counting = chain.counting(&older, &latch).await?;
        if matches!(counting, Counting::Counts | Counting::Pending { .. }) {
            output.say(format_args!("{why}: the proofs are under checkpoint {height}, the newest that the vault pays by."));
            return Ok(Some(height));
        }
    }
    let words = format!("{why}, and this node has proofs under no other");
    Err(Failure::new(Kind::Refused, words).hint(
        "nothing was written, what was kept before stays; another masternode may have them: --url. \
         docs/bridge.md, \"After a halt\"",
    ))
}

/// `None` when the node has not the trees of it.
async fn statement(
    client: &Client,
    checkpoint: Option<Height>,
) -> Result<Option<Statement>, Failure> {
    match client.exit_tree(checkpoint, &PageQuery::limit(1)).await {
        Ok(tree) => Ok(Some(tree.statement)),
        Err(ClientError::Problem { problem, .. }) if problem.is(ProblemCode::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
