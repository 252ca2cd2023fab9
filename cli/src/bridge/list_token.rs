//! `weft bridge list-token`: the vault's curator lets a token in, for good.

use crate::base::{Base, Payer, Terms, hash_shown};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::prompt;
use crate::values::lines;
use serde::Serialize;
use weft_basechain::{Mined, Quote};
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
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Send without a question
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
}

#[derive(Serialize)]
struct Outcome {
    token: BaseAddress,
    /// Smallest parts of an ERC-20; absent for an ERC-721.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<u64>,
    vault: BaseAddress,
    curator: BaseAddress,
    /// In wei, as a text; absent when nothing is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_max_wei: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<u64>,
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_block: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_transaction: Option<String>,
}

impl Outcome {
    fn kind(&self) -> String {
        match self.unit {
            Some(unit) => format!("ERC-20, {unit} of its smallest parts are a unit"),
            None => "ERC-721".to_owned(),
        }
    }

    fn quoted(&mut self, quote: &Quote) {
        self.fee_max_wei = Some(quote.fee_max().to_string());
        self.nonce = Some(quote.nonce);
    }

    fn mined(&mut self, mined: &Mined) {
        self.base_block = Some(mined.block);
        self.base_transaction = Some(hash_shown(&mined.hash));
    }
}

pub async fn list_token(arguments: &ListToken, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let (chain, key) = arguments.base.connect(&arguments.network, &client).await?;
    let network = client.genesis().await?.network.id();
    let token = arguments.erc20.or(arguments.erc721);
    let token = token.ok_or_else(|| Failure::usage("no token is named"))?;
    let mut outcome = Outcome {
        token,
        unit: arguments.unit,
        vault: BaseAddress(chain.contracts().vault),
        curator: chain.curator().await?,
        fee_max_wei: None,
        nonce: None,
        base_block: None,
        base_transaction: None,
    };
    let order = chain.list_order(token, arguments.unit);
    let account = (chain.endpoint(), &key);
    let mut payer = Payer::of(account, network, &arguments.terms, output)?;
    if arguments.dry_run {
        payer.mention();
    } else if let Some(mined) = payer.earlier(&order).await? {
        outcome.mined(&mined);
        return output.data(&outcome, text);
    }
    let sender = BaseAddress(key.address());
    if outcome.curator != sender {
        let words = format!(
            "the vault's curator is {}, and the key is {sender}'s",
            outcome.curator
        );
        return Err(Failure::new(Kind::Refused, words)
            .hint("nothing was sent; the curator was named when the vault was deployed, and alone lists tokens"));
    }
    if chain.unit_of(token).await? != 0 {
        let words = format!("the vault lists token {token} already, and a listing never changes");
        return Err(Failure::new(Kind::Refused, words).hint("nothing was sent"));
    }
    let quote = payer.quote(&order).await?;
    outcome.quoted(&quote);
    if !arguments.dry_run {
        output.say(format_args!(
            "About to list token {token} ({}) in the vault {} on chain {} ({}), for {} wei in fees at most.\nA listing is for \
             good: it is never changed, nor taken back. A token that takes fees of transfers, or moves balances by itself, \
             cannot be held whole: list none.",
            outcome.kind(),
            outcome.vault,
            chain.endpoint().chain_id(),
            chain.endpoint().url(),
            quote.fee_max(),
        ));
        prompt::confirm("Send it?", arguments.yes)?;
        outcome.mined(&payer.send(&order, &quote).await?);
    }
    output.data(&outcome, text)
}

fn text(outcome: &Outcome) -> String {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let fees = outcome.fee_max_wei.as_ref();
    let number = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
    let sent = match outcome.base_transaction {
        Some(_) => String::new(),
        None => "nothing".to_owned(),
    };
    lines(&[
        ("token", outcome.token.to_string()),
        ("kind", outcome.kind()),
        ("vault", outcome.vault.to_string()),
        ("curator", outcome.curator.to_string()),
        (
            "fees at most",
            fees.map_or_else(String::new, |wei| format!("{wei} wei")),
        ),
        ("nonce", number(outcome.nonce)),
        ("base block", number(outcome.base_block)),
        ("base transaction", some(&outcome.base_transaction)),
        ("sent", sent),
    ])
}
