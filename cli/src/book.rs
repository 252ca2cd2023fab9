//! `weft book`: orders of an edition's book, which the ledger clears at one price (L56).

use crate::failure::Failure;
use crate::market::{Brought, some_time};
use crate::network::Network;
use crate::output::Output;
use crate::sending::Sender;
use crate::time;
use crate::values::from_now;
use std::time::Duration;
use weft_types::api::{Book, Level};
use weft_types::{Amount, EditionId, ItemId, LIST_MAX, NewDeal, Operation};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Bid for cards of an edition; `weft card cancel` takes back what is left
    Bid(Bid),
    /// Ask for money for cards of one edition; `weft card cancel` takes back what is left
    Ask(Ask),
    /// What is bid and asked for, and the price that was traded at last
    Show(Show),
}

#[derive(clap::Args)]
pub struct Bid {
    edition: EditionId,
    /// The most that you pay for each; what you pay above the price that is traded at comes back
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    /// How many
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=LIST_MAX as u64))]
    count: u64,
    /// When what is left of it comes back, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = some_time)]
    expires: Duration,
    /// The application's own key for the order, at most 128 bytes
    #[arg(long, value_name = "TEXT", default_value = "")]
    reference: String,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Ask {
    /// Cards of one edition; those with the lowest numbers are sold first
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    /// The least that you want for each
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    /// When what is left of it comes back, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = some_time)]
    expires: Duration,
    #[command(flatten)]
    brought: Brought,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Show {
    edition: EditionId,
    #[command(flatten)]
    network: Network,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Bid(arguments) => {
            let (price, expires) = (Amount(arguments.price), from_now(arguments.expires));
            let order = NewDeal::bid(arguments.edition, price, arguments.count, expires);
            let order = NewDeal {
                reference: arguments.reference,
                ..order.ok_or_else(too_much)?
            };
            arguments
                .sender
                .send(Operation::DealOpen(order), output)
                .await
        }
        Command::Ask(arguments) => {
            let (price, expires) = (Amount(arguments.price), from_now(arguments.expires));
            let order = NewDeal::ask(arguments.items, price, expires);
            let order = NewDeal {
                reference: arguments.brought.reference,
                commission: arguments.brought.commission,
                ..order.ok_or_else(too_much)?
            };
            arguments
                .sender
                .send(Operation::DealOpen(order), output)
                .await
        }
        Command::Show(arguments) => {
            let client = arguments.network.client()?;
            let book = client.edition_book(&arguments.edition).await?;
            output.data(&book, shown)
        }
    }
}

fn too_much() -> Failure {
    Failure::usage("the price of all cards together is more than an amount can be")
}

/// The dearest level first, as asks stand above bids.
fn shown(book: &Book) -> String {
    let level = |side: &str, level: &Level| {
        let Level {
            price,
            items,
            orders,
        } = level;
        let orders = match orders {
            1 => "1 order".to_owned(),
            orders => format!("{orders} orders"),
        };
        format!("{side}  {price}  x{items}  {orders}")
    };
    let asks = book.asks.iter().rev().map(|l| level("ask", l));
    let bids = book.bids.iter().map(|l| level("bid", l));
    let mut lines: Vec<String> = asks.chain(bids).collect();
    if lines.is_empty() {
        lines.push("no orders".to_owned());
    }
    let last = book.last.as_ref().map(|last| {
        format!(
            "last  {} for each of {}, at {}",
            last.price,
            last.items,
            time::utc(last.timestamp)
        )
    });
    lines.extend(last);
    lines.join("\n")
}

#[cfg(test)]
mod tests;
