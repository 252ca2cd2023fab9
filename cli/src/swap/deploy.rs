//! `weft swap deploy`: puts the contract on a base chain that has none.

use super::{Sending, send};
use crate::base::Asking;
use crate::failure::Failure;
use crate::output::Output;
use crate::values::lines;
use serde::Serialize;
use weft_basechain::HashLocks;
use weft_types::BaseAddress;

#[derive(clap::Args)]
pub struct Deploy {
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct Outcome {
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<BaseAddress>,
    #[serde(flatten)]
    sending: Sending,
}

pub async fn deploy(arguments: &Deploy, output: &Output) -> Result<(), Failure> {
    let asking = &arguments.asking;
    let account = asking.base.connect().await?;
    let endpoint = account.chain.endpoint();
    let order = HashLocks::deploy_order();
    let mut payer = account.payer(&asking.terms, output)?;
    let (sending, mined) = match asking.earlier(&mut payer, &order).await? {
        Some(mined) => (Sending::earlier(&mined), Some(mined)),
        None => {
            let words = format!(
                "About to put a contract of hash locks on chain {} ({}). Nobody has rights in it, and nothing of it is ever changed.",
                endpoint.chain_id(),
                endpoint.url()
            );
            send((asking, &mut payer), &order, &words, output).await?
        }
    };
    let created = mined.and_then(|mined| mined.created());
    if let Some(contract) = created {
        HashLocks::connect(endpoint.clone(), contract).await?;
    }
    let outcome = Outcome {
        contract: created.map(BaseAddress),
        sending,
    };
    output.data(&outcome, |outcome| {
        let contract = outcome.contract.map_or_else(String::new, |c| c.to_string());
        let mut rows = vec![("contract", contract)];
        rows.extend(outcome.sending.rows());
        lines(&rows)
    })
}
