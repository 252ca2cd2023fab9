//! `weft card`: items, from minting to burning. Trading them is in [`crate::market`].

use crate::content;
use crate::failure::{Failure, Kind};
use crate::market;
use crate::network::Network;
use crate::output::{Output, fit, table};
use crate::search;
use crate::sending::{Sender, Session};
use crate::time;
use crate::values::{Paging, lines, more, proof};
use std::path::PathBuf;
use weft_types::api::{Edition, History, Item, ItemState, Page};
use weft_types::{
    Address, CollectionId, ContentHash, EditionId, ItemId, ItemTransfer, MintEntry, Operation,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Mint copies of editions
    Mint(Mint),
    /// Show a card
    Show(ShowCard),
    /// List the cards of a collection, or of one of its editions
    Items(Items),
    /// List what happened to a card and who had it, newest first
    History(Past),
    /// Print the proof of a card under the newest certificate, for `weft verify`
    Proof(Show),
    /// Give cards to somebody
    Transfer(Transfer),
    /// Write the creator's words on a card
    Update(Update),
    /// Destroy cards
    Burn(Burn),
    /// Stop cards, editions or whole collections: no card of them moves or is burned, and none is minted
    Freeze(Freeze),
    /// Let them go on
    Thaw(Freeze),
    /// Offer cards for sale at a fixed price
    List(market::List),
    /// Take a deal that is open to you: buy what is listed, accept a swap
    Buy(market::Buy),
    /// Sell cards to whoever bids the most for them
    Auction(market::Auction),
    /// Bid for what an auction sells
    Bid(market::Bid),
    /// Offer money for a card, or for any of an edition, a collection or a trait
    Offer(market::Offer),
    /// Accept an offer with cards of yours
    Accept(market::Accept),
    /// Offer many for many: cards and money on both sides
    Swap(market::Swap),
    /// Take back a deal of yours, and with it what it gives
    Cancel(market::Cancel),
    /// Lock cards or money for somebody who shows a secret
    Lock(crate::lock::Lock),
    /// Take what is locked, by the secret
    Unlock(crate::lock::Unlock),
    /// List deals
    Deals(search::Deals),
    /// Show a deal
    Deal(market::ShowDeal),
    /// Print the proof of a deal that is open, or of none, for `weft verify`
    DealProof(market::ShowDeal),
    /// Find cards by words and traits
    Search(search::Search),
    /// Show what cards cost: the cheapest, the highest offer, the last sale, a day's sales
    Prices(search::Market),
    /// List what cards were sold for, newest first
    Trades(search::Trades),
}

#[derive(clap::Args)]
pub struct Mint {
    /// What is minted; repeat it to mint of several editions at once
    #[arg(long, value_name = "ID", required = true)]
    edition: Vec<EditionId>,
    /// Who receives the cards; without it the key's own account
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    /// Copies of each edition; at most 256 items at once
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Show {
    item: ItemId,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct ShowCard {
    /// Write its image to this file, as the ledger's hash has it
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[command(flatten)]
    show: Show,
}

#[derive(clap::Args)]
pub struct Items {
    collection: CollectionId,
    /// Of this edition only
    #[arg(long, value_name = "ID")]
    edition: Option<EditionId>,
    /// Of editions with this trait only; repeat it for more
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = search::pair)]
    traits: Vec<(String, String)>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Past {
    item: ItemId,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Transfer {
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Update {
    item: ItemId,
    /// The creator's words, instead of those before
    #[arg(long)]
    status: String,
    /// Hash of what else belongs to the card, 32 bytes in hexadecimal
    #[arg(long, value_name = "HASH")]
    data_hash: Option<ContentHash>,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Burn {
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
#[group(id = "what", required = true, multiple = true, args = ["items", "edition", "collection"])]
pub struct Freeze {
    #[arg(value_name = "ITEM")]
    items: Vec<ItemId>,
    /// A whole edition; repeat it for more
    #[arg(long, value_name = "ID")]
    edition: Vec<EditionId>,
    /// A whole collection; repeat it for more
    #[arg(long, value_name = "ID")]
    collection: Vec<CollectionId>,
    #[command(flatten)]
    sender: Sender,
}

impl Freeze {
    async fn send(self, frozen: bool, output: &Output) -> Result<(), Failure> {
        let freeze = Operation::Freeze {
            frozen,
            collections: self.collection,
            editions: self.edition,
            items: self.items,
        };
        self.sender.send(freeze, output).await
    }
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Mint(arguments) => mint(arguments, output).await,
        Command::Show(arguments) => show(&arguments, output).await,
        Command::Items(arguments) => {
            let client = arguments.network.client()?;
            let page = arguments.paging.query();
            let edition = arguments.edition.as_ref();
            let items =
                client.collection_items(&arguments.collection, edition, &arguments.traits, &page);
            output.data(&items.await?, item_list)
        }
        Command::History(arguments) => {
            let client = arguments.network.client()?;
            let page = arguments.paging.query();
            let history = client.item_history(&arguments.item, &page).await?;
            output.data(&history, past)
        }
        Command::Proof(arguments) => {
            let client = arguments.network.client()?;
            let bundle = client.item_proof(&arguments.item).await?;
            proof(&bundle, "card", output)
        }
        Command::Transfer(arguments) => {
            let to = arguments.to;
            let items = arguments.items.into_iter();
            let items = items.map(|item| ItemTransfer { to, item }).collect();
            let payments = vec![];
            let give = Operation::Transfer { payments, items };
            arguments.sender.send(give, output).await
        }
        Command::Update(arguments) => {
            let update = Operation::UpdateItem {
                item: arguments.item,
                status: arguments.status,
                data_hash: arguments.data_hash,
            };
            arguments.sender.send(update, output).await
        }
        Command::Burn(arguments) => {
            let burn = Operation::Burn {
                items: arguments.items,
            };
            arguments.sender.send(burn, output).await
        }
        Command::Freeze(arguments) => arguments.send(true, output).await,
        Command::Thaw(arguments) => arguments.send(false, output).await,
        Command::List(arguments) => market::list(arguments, output).await,
        Command::Buy(arguments) => market::buy(arguments, output).await,
        Command::Auction(arguments) => market::auction(arguments, output).await,
        Command::Bid(arguments) => market::bid(&arguments, output).await,
        Command::Offer(arguments) => market::offer(arguments, output).await,
        Command::Accept(arguments) => market::accept(arguments, output).await,
        Command::Swap(arguments) => market::swap(arguments, output).await,
        Command::Cancel(arguments) => market::cancel(arguments, output).await,
        Command::Deals(arguments) => search::deals(arguments, output).await,
        Command::Lock(arguments) => crate::lock::lock(arguments, output).await,
        Command::Unlock(arguments) => crate::lock::unlock(arguments, output).await,
        Command::Deal(arguments) => market::show(&arguments, output).await,
        Command::DealProof(arguments) => market::deal_proof(&arguments, output).await,
        Command::Search(arguments) => search::search(arguments, output).await,
        Command::Prices(arguments) => search::prices(arguments, output).await,
        Command::Trades(arguments) => search::trades(arguments, output).await,
    }
}

async fn show(arguments: &ShowCard, output: &Output) -> Result<(), Failure> {
    let client = arguments.show.network.client()?;
    let item = client.item(&arguments.show.item).await?;
    if let Some(path) = &arguments.image {
        let edition = client.edition(&item.edition).await?;
        let Some(hash) = edition.image_hash else {
            let words = format!("edition {} has no hash of an image", edition.id);
            return Err(Failure::new(Kind::Refused, words));
        };
        content::save(path, &client.content(&hash).await?)?;
    }
    output.data(&item, item_shown)
}

async fn mint(arguments: Mint, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let to = arguments.to.unwrap_or(session.address);
    let entry = |edition| MintEntry {
        edition,
        to,
        count: arguments.count,
    };
    let entries: Vec<MintEntry> = arguments.edition.into_iter().map(entry).collect();
    within_cap(&session, &entries).await?;
    let outcome = session
        .send(vec![Operation::Mint { entries }], output)
        .await?;
    output.data(&outcome, crate::sending::Outcome::text)
}

/// Refuses what would exceed the edition's cap, where one read tells: how many were issued never falls, and
/// a cap never changes, so a node that is behind refuses nothing that could be right. Of several editions
/// the ledger alone decides.
async fn within_cap(session: &Session, entries: &[MintEntry]) -> Result<(), Failure> {
    let Some(id) = entries.first().map(|entry| entry.edition) else {
        return Ok(());
    };
    if entries.iter().any(|entry| entry.edition != id) {
        return Ok(());
    }
    // A node that does not know it yet, or does not answer, proves nothing.
    let Ok(edition) = session.client.edition(&id).await else {
        return Ok(());
    };
    let counts = entries.iter().map(|entry| entry.count);
    fits(&edition, counts.fold(0, u64::saturating_add))
}

fn fits(edition: &Edition, count: u64) -> Result<(), Failure> {
    let left = edition.cap.saturating_sub(edition.issued);
    if count <= left {
        return Ok(());
    }
    let Edition {
        id, issued, cap, ..
    } = edition;
    Err(Failure::usage(format_args!(
        "{count} cards are to be minted, and {issued} of {cap} of edition {id} are already: {left} are left"
    ))
    .hint("nothing was sent; a cap never changes"))
}

fn state(item: &Item) -> &'static str {
    match item.state {
        ItemState::Held => "held",
        ItemState::Locked => "locked",
        ItemState::Burned => "burned",
        ItemState::Redeemed => "redeemed",
    }
}

pub fn item_shown(item: &Item) -> String {
    let text = |id: Option<&dyn ToString>| id.map_or_else(String::new, ToString::to_string);
    let collection = item.collection.as_ref().map(|c| c as &dyn ToString);
    lines(&[
        ("item", item.id.to_string()),
        ("edition", item.edition.to_string()),
        ("collection", text(collection)),
        ("serial", item.serial.to_string()),
        ("owner", item.owner.to_string()),
        ("state", state(item).to_owned()),
        ("deal", text(item.deal.as_ref().map(|d| d as &dyn ToString))),
        ("status", item.status.clone()),
        (
            "data hash",
            text(item.data_hash.as_ref().map(|h| h as &dyn ToString)),
        ),
        ("frozen", crate::collection::frozen(item.frozen)),
        ("redeemed", times(item.used)),
        ("void", item.void.as_deref().map_or_else(String::new, void)),
    ])
}

fn times(used: u32) -> String {
    match used {
        0 => String::new(),
        1 => "once".to_owned(),
        used => format!("{used} times"),
    }
}

fn void(reason: &str) -> String {
    match reason {
        "" => "yes".to_owned(),
        reason => crate::output::one_line(reason),
    }
}

pub fn item_list(page: &Page<Item>) -> String {
    let mut table = table(&["item", "edition", "serial", "state", "owner"]);
    for item in &page.items {
        table.add_row([
            item.id.to_string(),
            item.edition.to_string(),
            item.serial.to_string(),
            state(item).to_owned(),
            item.owner.to_string(),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}

fn past(page: &Page<History>) -> String {
    let mut table = table(&[
        "time",
        "commit",
        "operations",
        "state",
        "from",
        "to",
        "price",
    ]);
    let text = |shown: Option<&dyn ToString>| shown.map_or_else(String::new, ToString::to_string);
    for step in &page.items {
        table.add_row([
            time::utc(step.timestamp),
            step.commit.to_string(),
            step.operations.join(", "),
            step.item.as_ref().map_or("", state).to_owned(),
            text(step.from.as_ref().map(|a| a as &dyn ToString)),
            text(step.to.as_ref().map(|a| a as &dyn ToString)),
            text(step.price.as_ref().map(|a| a as &dyn ToString)),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_cards_than_the_cap_leaves_are_wrong_use() {
        let edition = Edition {
            id: EditionId([1; 32]),
            collection: CollectionId::ZERO,
            name: String::new(),
            cap: 10,
            issued: 7,
            traits: vec![],
            image: String::new(),
            image_hash: None,
            metadata_hash: None,
            reference: String::new(),
            frozen: false,
            uses: 0,
            sale: None,
        };
        assert!(fits(&edition, 3).is_ok());
        let failure = fits(&edition, 4).unwrap_err();
        assert_eq!(failure.kind, Kind::Usage);
        assert!(failure.message.contains("7 of 10"), "{}", failure.message);
    }
}
