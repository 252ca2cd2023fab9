//! `weft bridge list-token`: the vault's curator lets a token in, for good.

use crate::base::{Asking, Cost, Sent};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::values::lines;
use serde::Serialize;
use weft_types::BaseAddress;

#[derive(clap::Args)]
pub struct ListToken {
    /// Contract of the ERC-20
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "unit",
        required_unless_present = "erc721"
    )]
    erc20: Option<BaseAddress>,
    /// How many of the ERC-20's smallest parts are one unit in the ledger, whose amounts have 64 bits: of 18 decimals
    /// 1000000000000 leave six
    #[arg(long, value_name = "PARTS", requires = "erc20", value_parser = clap::value_parser!(u64).range(1..))]
    unit: Option<u64>,
    /// Contract of the ERC-721
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["erc20", "unit"])]
    erc721: Option<BaseAddress>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct Outcome {
    token: BaseAddress,
    /// Smallest parts of an ERC-20; absent for an ERC-721.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<u64>,
    vault: BaseAddress,
    curator: BaseAddress,
    /// Absent when nothing is to be sent.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    cost: Option<Cost>,
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Sent>,
}

impl Outcome {
    fn kind(&self) -> String {
        match self.unit {
            Some(unit) => format!("ERC-20, {unit} of its smallest parts are a unit"),
            None => "ERC-721".to_owned(),
        }
    }
}

pub async fn list_token(arguments: &ListToken, output: &Output) -> Result<(), Failure> {
    let asking = &arguments.asking;
    let account = asking.base.connect().await?;
    let chain = &account.chain;
    let token = arguments.erc20.or(arguments.erc721);
    let token = token.ok_or_else(|| Failure::usage("no token is named"))?;
    let mut outcome = Outcome {
        token,
        unit: arguments.unit,
        vault: BaseAddress(chain.contracts().vault),
        curator: chain.curator().await?,
        cost: None,
        sent: None,
    };
    let order = chain.list_order(token, arguments.unit);
    let mut payer = account.payer(&asking.terms, output)?;
    if let Some(mined) = asking.earlier(&mut payer, &order).await? {
        outcome.sent = Some(Sent::earlier(&mined));
        return output.data(&outcome, text);
    }
    let sender = account.address();
    if outcome.curator != sender {
        let words = format!(
            "the vault's curator is {}, and the key is {sender}'s",
            outcome.curator
        );
        return Err(Failure::new(Kind::Refused, words)
            .hint("nothing was sent; the curator was named when the vault was deployed, and alone lists tokens"));
    }
    if !chain.endpoint().is_contract(token.0).await? {
        let words = format!(
            "there is no contract at {token} on chain {}: nothing could be deposited of it",
            chain.endpoint().chain_id()
        );
        return Err(Failure::new(Kind::Refused, words)
            .hint("nothing was sent; compare the token's address, and the base chain, with where they come from"));
    }
    if chain.unit_of(token).await? != 0 {
        let words = format!("the vault lists token {token} already, and a listing never changes");
        return Err(Failure::new(Kind::Refused, words).hint("nothing was sent"));
    }
    let quote = payer.quote(&order).await?;
    let cost = Cost::from(&quote);
    let words = || {
        format!(
            "About to list token {token} ({}) in the vault {} on chain {} ({}), for {} in fees.\nA listing is for \
             good: it is never changed, nor taken back. A token that takes fees of transfers, or moves balances by itself, \
             cannot be held whole: list none.",
            outcome.kind(),
            outcome.vault,
            chain.endpoint().chain_id(),
            chain.endpoint().url(),
            cost.words(),
        )
    };
    if asking.confirmed(words, output)? {
        let mined = payer.send(&order, &quote).await?;
        outcome.sent = Some((&mined).into());
    }
    outcome.cost = Some(cost);
    output.data(&outcome, text)
}

fn text(outcome: &Outcome) -> String {
    let mut rows = vec![
        ("token", outcome.token.to_string()),
        ("kind", outcome.kind()),
        ("vault", outcome.vault.to_string()),
        ("curator", outcome.curator.to_string()),
    ];
    rows.extend(outcome.cost.iter().flat_map(Cost::rows));
    rows.extend(Sent::rows(outcome.sent.as_ref()));
    lines(&rows)
}
