//! Finding cards and deals, and what cards cost.

use crate::collection::editions_listed;
use crate::failure::Failure;
use crate::market::deal_list;
use crate::network::Network;
use crate::output::{Output, fit, table};
use crate::time;
use crate::values::{Paging, lines, more};
use serde::Serialize;
use weft_client::{DealQuery, EditionQuery};
use weft_types::api::{Book, DealSide, DealState, Level, Page, Prices, Trade, Turnover};
use weft_types::{Address, Amount, AssetId, CollectionId, DealRule, EditionId, ItemId};

#[derive(clap::Args)]
#[group(id = "found", required = true, multiple = true, args = ["words", "collection"])]
pub struct Search {
    /// Beginnings of words of a card's name and of its traits' values, whatever their case and accents
    words: Vec<String>,
    /// Cards of this collection only
    #[arg(long, value_name = "ID")]
    collection: Option<CollectionId>,
    /// Cards with this trait; repeat it for more
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = pair)]
    traits: Vec<(String, String)>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Deals {
    /// Deals about cards of this collection
    #[arg(long, value_name = "ID")]
    collection: Option<CollectionId>,
    /// Deals about copies of this edition
    #[arg(long, value_name = "ID")]
    edition: Option<EditionId>,
    /// Offers for this card; with --by offer
    #[arg(long, value_name = "ID", requires = "by")]
    item: Option<ItemId>,
    /// Deals that give a card with this trait, or want cards by it; repeat it for more
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = pair)]
    traits: Vec<(String, String)>,
    /// Where they stand
    #[arg(long, value_enum, default_value_t = State::Open, conflicts_with = "by")]
    state: State,
    /// Deals of this account
    #[arg(long, value_name = "ADDRESS")]
    giver: Option<Address>,
    /// Deals for this account alone, or taken by it
    #[arg(long, value_name = "ADDRESS")]
    taker: Option<Address>,
    /// Deals with this asset on a side
    #[arg(long, value_name = "ID")]
    asset: Option<AssetId>,
    /// Deals with this rule
    #[arg(long, value_name = "RULE", value_parser = clap::builder::PossibleValuesParser::new(DealRule::NAMES))]
    rule: Option<String>,
    /// By the price of a card: listings with the cheapest first, or offers with the highest first
    #[arg(long, value_enum)]
    by: Option<Side>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum State {
    Open,
    Taken,
    Cancelled,
    Expired,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum Side {
    Listing,
    Offer,
}

#[derive(clap::Args)]
#[group(id = "priced", required = true, multiple = false, args = ["edition", "collection"])]
pub struct Market {
    /// Of copies of this edition
    #[arg(long, value_name = "ID")]
    edition: Option<EditionId>,
    /// Of cards of this collection
    #[arg(long, value_name = "ID")]
    collection: Option<CollectionId>,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Trades {
    #[command(flatten)]
    of: Market,
    #[command(flatten)]
    paging: Paging,
}

pub fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=');
    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is not NAME=VALUE"))
}

pub async fn search(arguments: Search, output: &Output) -> Result<(), Failure> {
    let words = arguments.words.join(" ");
    let query = EditionQuery {
        collection: arguments.collection,
        words: Some(words).filter(|words| !words.is_empty()),
        traits: arguments.traits,
    };
    let client = arguments.network.client()?;
    let page = client.editions(&query, &arguments.paging.query()).await?;
    output.data(&page, editions_listed)
}

pub async fn deals(arguments: Deals, output: &Output) -> Result<(), Failure> {
    let state = match arguments.state {
        State::Open => DealState::Open,
        State::Taken => DealState::Taken,
        State::Cancelled => DealState::Cancelled,
        State::Expired => DealState::Expired,
    };
    let side = arguments.by.map(|side| match side {
        Side::Listing => DealSide::Listing,
        Side::Offer => DealSide::Offer,
    });
    let query = DealQuery {
        collection: arguments.collection,
        edition: arguments.edition,
        item: arguments.item,
        traits: arguments.traits,
        state: Some(state).filter(|_| side.is_none()),
        giver: arguments.giver,
        taker: arguments.taker,
        asset: arguments.asset,
        side,
        rule: arguments.rule,
    };
    let client = arguments.network.client()?;
    let page = client.deals(&query, &arguments.paging.query()).await?;
    output.data(&page, deal_list)
}

pub async fn prices(arguments: Market, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let asked = match (&arguments.edition, &arguments.collection) {
        (Some(id), _) => Asked {
            prices: client.edition_prices(id).await?,
            book: Some(Best::of(&client.edition_book(id).await?)),
        },
        (None, Some(id)) => Asked {
            prices: client.collection_prices(id).await?,
            book: None,
        },
        (None, None) => return Err(nothing()),
    };
    output.data(&asked, prices_shown)
}

/// Prices of deals, and of an edition's book.
#[derive(Serialize)]
struct Asked {
    #[serde(flatten)]
    prices: Prices,
    #[serde(skip_serializing_if = "Option::is_none")]
    book: Option<Best>,
}

/// The best orders of a book.
#[derive(Serialize)]
struct Best {
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bid: Option<Amount>,
}

impl Best {
    fn of(book: &Book) -> Self {
        let best = |levels: &[Level]| levels.first().map(|level| level.price);
        Self {
            ask: best(&book.asks),
            bid: best(&book.bids),
        }
    }
}

pub async fn trades(arguments: Trades, output: &Output) -> Result<(), Failure> {
    let (of, page) = (arguments.of, arguments.paging.query());
    let client = of.network.client()?;
    let trades = match (&of.edition, &of.collection) {
        (Some(id), _) => client.edition_trades(id, &page).await?,
        (None, Some(id)) => client.collection_trades(id, &page).await?,
        (None, None) => return Err(nothing()),
    };
    output.data(&trades, trades_listed)
}

fn nothing() -> Failure {
    Failure::usage("neither an edition nor a collection is named")
}

fn prices_shown(asked: &Asked) -> String {
    let amount = |amount: Option<Amount>| amount.map_or_else(String::new, |a| a.to_string());
    let Asked { prices, book } = asked;
    let Prices { last, day, .. } = prices;
    let last = last.as_ref().map(|trade| {
        let (price, at) = (trade.price, time::utc(trade.timestamp));
        format!("{price} at {at}, card {}", trade.item)
    });
    let Turnover { trades, volume } = day;
    let mut pairs = vec![
        ("floor", amount(prices.floor)),
        ("highest offer", amount(prices.offer)),
    ];
    if let Some(Best { ask, bid }) = book {
        pairs.push(("book's ask", amount(*ask)));
        pairs.push(("book's bid", amount(*bid)));
    }
    pairs.push(("last", last.unwrap_or_default()));
    pairs.push(("24 hours", format!("{trades} sold for {volume}")));
    lines(&pairs)
}

fn trades_listed(page: &Page<Trade>) -> String {
    let mut table = table(&["time", "item", "price", "seller", "buyer"]);
    for trade in &page.items {
        table.add_row([
            time::utc(trade.timestamp),
            trade.item.to_string(),
            trade.price.to_string(),
            trade.seller.to_string(),
            trade.buyer.to_string(),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}
