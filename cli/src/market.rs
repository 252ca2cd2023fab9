//! Deals: listings, offers and swaps. What a deal gives is locked until it is taken, cancelled or
//! expired, and its id fixes its terms, so that whoever takes one knows what he takes.

use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{Output, fit, table};
use crate::search::pair;
use crate::sending::Sender;
use crate::time;
use crate::values::{from_now, lines, more, proof};
use std::time::Duration;
use weft_types::api::{Deal, DealState, Page};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, CollectionId, Commission, DealId, DealRule,
    EditionId, ItemId, NewDeal, Operation, ROYALTY_WHOLE, Taking, WantedFrom, WantedItems,
};

mod auction;
mod swap;

pub(crate) use crate::time::some as some_time;
pub use auction::{Auction, Bid, auction, bid};
pub use swap::{Swap, swap};

/// What every new deal takes.
#[derive(clap::Args)]
pub struct Opening {
    /// How long the deal stays open, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = some_time)]
    pub expires: Duration,
    /// Who alone may take it; without it anybody
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<Address>,
    #[command(flatten)]
    pub brought: Brought,
    #[command(flatten)]
    pub sender: Sender,
}

/// What the application has of a deal that it brings.
#[derive(clap::Args)]
pub struct Brought {
    /// The application's own key for the deal, at most 128 bytes
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reference: String,
    /// Who has so many parts of 10,000 of the price for bringing it, out of what the seller gets
    #[arg(long, value_name = "ADDRESS:PARTS", value_parser = commission)]
    pub commission: Option<Commission>,
}

#[derive(clap::Args)]
pub struct List {
    /// What is sold, together
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    /// In the native asset's smallest unit
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    #[command(flatten)]
    opening: Opening,
}

#[derive(clap::Args)]
pub struct Buy {
    deal: DealId,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
#[group(id = "wanted", required = true, multiple = false, args = ["item", "edition", "collection"])]
pub struct Offer {
    /// This card; repeat it for several together
    #[arg(long, value_name = "ID")]
    item: Vec<ItemId>,
    /// Any cards of this edition
    #[arg(long, value_name = "ID")]
    edition: Option<EditionId>,
    /// Any cards of this collection
    #[arg(long, value_name = "ID")]
    collection: Option<CollectionId>,
    /// Of the collection only cards with this trait
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = pair, requires = "collection", conflicts_with_all = ["edition", "item"])]
    with_trait: Option<(String, String)>,
    /// How many of the edition or collection
    #[arg(long, default_value_t = 1, conflicts_with = "item", value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// In the native asset's smallest unit, for all together
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    #[command(flatten)]
    opening: Opening,
}

#[derive(clap::Args)]
pub struct Accept {
    deal: DealId,
    /// What you give where the offer wants any; repeat it in the order of what is wanted
    #[arg(long, value_name = "ID")]
    item: Vec<ItemId>,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Cancel {
    deal: DealId,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct ShowDeal {
    deal: DealId,
    #[command(flatten)]
    network: Network,
}

fn commission(text: &str) -> Result<Commission, String> {
    let wrong = || format!("{text:?} is not ADDRESS:PARTS");
    let (to, parts) = text.rsplit_once(':').ok_or_else(wrong)?;
    let parts: u32 = parts.parse().map_err(|_| wrong())?;
    if !(1..=ROYALTY_WHOLE).contains(&parts) {
        return Err(format!("{parts} parts are not 1 to {ROYALTY_WHOLE}"));
    }
    let to = to.parse().map_err(|e| format!("{to:?}: {e}"))?;
    Ok(Commission { to, parts })
}

fn money(amount: Option<u64>) -> Vec<AssetAmount> {
    let of = |amount| AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    amount.map(of).into_iter().collect()
}

fn bundle(amount: Option<u64>, items: Vec<ItemId>) -> Bundle {
    Bundle {
        assets: money(amount),
        items,
    }
}

impl Opening {
    async fn open(
        &self,
        gives: Bundle,
        wants: Bundle,
        wants_any: Vec<WantedItems>,
        output: &Output,
    ) -> Result<(), Failure> {
        let open = Operation::DealOpen(NewDeal {
            gives,
            wants,
            wants_any,
            taker: self.to,
            expires: from_now(self.expires),
            reference: self.brought.reference.clone(),
            commission: self.brought.commission,
            ..NewDeal::default()
        });
        self.sender.send(open, output).await
    }
}

pub async fn list(arguments: List, output: &Output) -> Result<(), Failure> {
    let gives = bundle(None, arguments.items);
    let wants = bundle(Some(arguments.price), vec![]);
    arguments.opening.open(gives, wants, vec![], output).await
}

pub async fn offer(arguments: Offer, output: &Output) -> Result<(), Failure> {
    let edition = arguments.edition.map(WantedFrom::Edition);
    let of_trait = arguments.with_trait;
    let from = edition.or(arguments.collection.map(|collection| match of_trait {
        None => WantedFrom::Collection(collection),
        Some((name, value)) => WantedFrom::Trait {
            collection,
            name,
            value,
        },
    }));
    let any = from.map(|from| WantedItems {
        from,
        count: arguments.count,
    });
    let gives = bundle(Some(arguments.price), vec![]);
    let wants = bundle(None, arguments.item);
    let any = any.into_iter().collect();
    arguments.opening.open(gives, wants, any, output).await
}

pub async fn buy(arguments: Buy, output: &Output) -> Result<(), Failure> {
    take(arguments.deal, vec![], &arguments.sender, output).await
}

pub async fn accept(arguments: Accept, output: &Output) -> Result<(), Failure> {
    take(arguments.deal, arguments.item, &arguments.sender, output).await
}

/// Looks at the deal first, so that what cannot be taken is said with the reason and costs no fee.
async fn take(
    id: DealId,
    items: Vec<ItemId>,
    sender: &Sender,
    output: &Output,
) -> Result<(), Failure> {
    let session = sender.session().await?;
    let deal = session.client.deal(&id).await?;
    takeable(&deal, &session.address)?;
    let counts = deal.wants_any.iter().map(|any| any.count);
    let wanted = counts.fold(0, u64::saturating_add);
    if wanted != items.len() as u64 {
        let hint = match wanted {
            0 => format!("`weft card buy {id}` takes it as it is"),
            _ => format!(
                "`weft card accept {id} --item ID ...` picks them; `weft card deal {id}` shows of what"
            ),
        };
        return Err(Failure::usage(format_args!(
            "cards of the taker's choice: the deal wants {wanted}, and {} are given",
            items.len()
        ))
        .hint(hint));
    }
    let outcome = session
        .send(vec![Operation::DealTake(Taking::new(id, items))], output)
        .await?;
    output.data(&outcome, crate::sending::Outcome::text)
}

/// Whether `by` may take the deal, as far as its terms, which never change, and its end tell.
fn takeable(deal: &Deal, by: &Address) -> Result<(), Failure> {
    still_open(deal)?;
    let id = deal.id;
    match deal.rule {
        DealRule::Fixed => {}
        DealRule::Auction(_) => {
            return Err(Failure::usage(format_args!(
                "deal {id} is an auction, which nobody takes: the highest bidder has it when it expires"
            ))
            .hint(format_args!("`weft card bid {id} AMOUNT` bids")));
        }
        DealRule::Draw(_) => {
            return Err(Failure::usage(format_args!(
                "deal {id} is a series of packs, of which nobody takes the whole"
            ))
            .hint(format_args!("`weft pack buy {id}` buys one")));
        }
        DealRule::Secret { .. } => {
            return Err(
                Failure::usage(format_args!("deal {id} is opened by a secret alone")).hint(
                    format_args!("`weft card unlock {id} --secret SECRET` takes it"),
                ),
            );
        }
        DealRule::CoSigned(_) => {
            return Err(Failure::usage(format_args!("deal {id} is a channel"))
                .hint(format_args!("`weft channel status {id}` shows it")));
        }
        DealRule::Book => {
            return Err(Failure::usage(format_args!(
                "deal {id} is an order of a book, which nobody takes: the ledger trades it"
            ))
            .hint("`weft book bid` and `weft book ask` bring an order that meets it"));
        }
    }
    if deal.giver == *by {
        return Err(Failure::usage(format_args!(
            "deal {id} is one of the key's own account {by}, and nobody takes his own deal"
        ))
        .hint(format_args!(
            "name the taker's key with --key FILE; `weft card cancel {id}` takes it back"
        )));
    }
    match deal.taker {
        Some(taker) if taker != *by => Err(Failure::usage(format_args!(
            "deal {id} is for {taker} alone, and the key is of {by}"
        ))
        .hint("name the taker's key with --key FILE")),
        _ => Ok(()),
    }
}

fn cancellable(deal: &Deal, by: &Address) -> Result<(), Failure> {
    still_open(deal)?;
    if deal.giver == *by && deal.highest_bid.is_some() {
        return Err(Failure::new(
            Kind::Refused,
            format_args!(
                "auction {} has a bid, and is not cancelled any more",
                deal.id
            ),
        )
        .hint(format_args!(
            "nothing was sent; it ends on {}",
            time::utc(deal.expires)
        )));
    }
    let sold = deal.drawing.as_ref().map_or(0, |d| d.packs.len());
    if deal.giver == *by && sold > 0 {
        return Err(Failure::new(
            Kind::Refused,
            format_args!(
                "of series {} packs are sold, and it is not cancelled any more",
                deal.id
            ),
        )
        .hint("nothing was sent; `weft pack open` draws them"));
    }
    let back = match deal.rule {
        DealRule::Secret { .. } => Some("it comes back by itself when it expires"),
        DealRule::CoSigned(_) => Some("`weft channel close` ends a channel"),
        DealRule::Fixed | DealRule::Auction(_) | DealRule::Draw(_) | DealRule::Book => None,
    };
    if let Some(back) = back {
        let words = format_args!("deal {} cannot be cancelled before its time", deal.id);
        return Err(Failure::usage(words).hint(back));
    }
    if deal.giver == *by {
        return Ok(());
    }
    Err(Failure::usage(format_args!(
        "deal {} is of {}, and the key is of {by}",
        deal.id, deal.giver
    ))
    .hint("only its giver cancels a deal: name the giver's key with --key FILE"))
}

/// A deal that has ended never opens again. Nothing is wrong with the arguments: it is the ledger's
/// refusal, without its fee.
pub(crate) fn still_open(deal: &Deal) -> Result<(), Failure> {
    match deal.state {
        DealState::Open => Ok(()),
        _ => Err(Failure::new(
            Kind::Refused,
            format_args!("deal {} is not open: it is {}", deal.id, state(deal)),
        )
        .hint("nothing was sent; `weft card deals` lists those that are open")),
    }
}

pub async fn cancel(arguments: Cancel, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    match session.client.deal(&arguments.deal).await {
        Ok(deal) => cancellable(&deal, &session.address)?,
        // A node that does not know it yet proves nothing.
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    let cancel = Operation::DealCancel {
        deal: arguments.deal,
    };
    let outcome = session.send(vec![cancel], output).await?;
    output.data(&outcome, crate::sending::Outcome::text)
}

pub async fn show(arguments: &ShowDeal, output: &Output) -> Result<(), Failure> {
    let deal = arguments.network.client()?.deal(&arguments.deal).await?;
    output.data(&deal, deal_shown)
}

pub async fn deal_proof(arguments: &ShowDeal, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let bundle = client.deal_proof(&arguments.deal).await?;
    proof(&bundle, "open deal", output)
}

/// One side of a deal in words.
fn side(bundle: &Bundle, any: &[WantedItems]) -> String {
    let assets = bundle.assets.iter().map(|a| match a.asset {
        AssetId::NATIVE => a.amount.to_string(),
        asset => format!("{} of asset {asset}", a.amount),
    });
    let items = bundle.items.iter().map(|item| format!("item {item}"));
    let any = any.iter().map(|any| match &any.from {
        WantedFrom::Edition(id) => format!("any {} of edition {id}", any.count),
        WantedFrom::Collection(id) => format!("any {} of collection {id}", any.count),
        WantedFrom::Trait {
            collection,
            name,
            value,
        } => format!(
            "any {} of collection {collection} with {name}={value}",
            any.count
        ),
    });
    let parts: Vec<String> = assets.chain(items).chain(any).collect();
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

fn state(deal: &Deal) -> &'static str {
    match deal.state {
        DealState::Open => "open",
        _ if matches!(deal.rule, DealRule::CoSigned(_)) => "paid out",
        DealState::Taken => "taken",
        DealState::Cancelled => "cancelled",
        DealState::Expired => "expired",
    }
}

/// How it comes to its end, and what was shown of it; empty while whoever gives what it wants takes it.
fn rule(deal: &Deal) -> String {
    let standing = deal.standing.as_ref();
    match &deal.rule {
        DealRule::Fixed => String::new(),
        DealRule::Auction(rule) => auction::rule(rule),
        DealRule::Draw(_) => "a series of packs: `weft pack show` shows it".to_owned(),
        DealRule::Secret { hash } => match standing.and_then(|s| s.secrets.first()) {
            Some(secret) => format!("opened by the secret {secret}"),
            None => format!("opened by the secret of hash {hash}"),
        },
        DealRule::CoSigned(_) => "a channel: `weft channel status` shows it".to_owned(),
        DealRule::Book => {
            let traded = deal.order.as_ref().map_or(0, |order| order.traded);
            format!("an order of a book: `weft book show` shows it; {traded} traded so far")
        }
    }
}

pub fn deal_shown(deal: &Deal) -> String {
    let taker = deal.taker.map(|t| t.to_string());
    let commission = deal.commission.map(|c| {
        let percent = f64::from(c.parts) * 100.0 / f64::from(ROYALTY_WHOLE);
        format!("{percent} % of the price, to {}", c.to)
    });
    let [highest, next] = auction::bids(deal);
    lines(&[
        ("deal", deal.id.to_string()),
        ("state", state(deal).to_owned()),
        ("giver", deal.giver.to_string()),
        ("gives", side(&deal.gives, &[])),
        ("wants", side(&deal.wants, &deal.wants_any)),
        ("taker", taker.unwrap_or_default()),
        ("rule", rule(deal)),
        ("highest bid", highest),
        ("next bid", next),
        ("expires", time::utc(deal.expires)),
        ("commission", commission.unwrap_or_default()),
        ("reference", deal.reference.clone()),
    ])
}

pub fn deal_list(page: &Page<Deal>) -> String {
    let mut table = table(&["deal", "rule", "state", "gives", "wants", "expires"]);
    for deal in &page.items {
        table.add_row([
            deal.id.to_string(),
            deal.rule.name().to_owned(),
            state(deal).to_owned(),
            side(&deal.gives, &[]),
            auction::wanted(deal).unwrap_or_else(|| side(&deal.wants, &deal.wants_any)),
            time::utc(deal.expires),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}

#[cfg(test)]
mod tests;
