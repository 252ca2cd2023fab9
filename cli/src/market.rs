//! Deals: listings, offers and swaps. What a deal gives is locked until it is taken, cancelled or
//! expired, and its id fixes its terms, so that whoever takes one knows what he takes.

use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{Output, fit, table};
use crate::sending::Sender;
use crate::time;
use crate::values::{Counted, from_now, lines, more, proof};
use std::time::Duration;
use weft_types::api::{Deal, DealState, Page};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, CollectionId, DealId, EditionId, ItemId,
    NewDeal, Operation, Taking, WantedFrom, WantedItems,
};

/// What every new deal takes.
#[derive(clap::Args)]
pub struct Opening {
    /// How long the deal stays open, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = some_time)]
    expires: Duration,
    /// Who alone may take it; without it anybody
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    #[command(flatten)]
    sender: Sender,
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
pub struct Swap {
    /// A card that you give; repeat it for more
    #[arg(long, value_name = "ITEM", required_unless_present = "give_amount")]
    give: Vec<ItemId>,
    /// Money that you give
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    give_amount: Option<u64>,
    /// A card that you want; repeat it for more
    #[arg(long, value_name = "ITEM", required_unless_present_any = ["want_amount", "want_edition"])]
    want: Vec<ItemId>,
    /// Money that you want
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    want_amount: Option<u64>,
    /// Any card of this edition, or so many; repeat it for more
    #[arg(long, value_name = "ID[:COUNT]")]
    want_edition: Vec<Counted>,
    #[command(flatten)]
    opening: Opening,
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

/// A deal that ends when it opens is refused by the ledger.
fn some_time(text: &str) -> Result<Duration, String> {
    match time::parse(text)? {
        Duration::ZERO => Err("a deal has to be open for some time".to_owned()),
        time => Ok(time),
    }
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
    let from = edition.or(arguments.collection.map(WantedFrom::Collection));
    let any = from.map(|from| WantedItems {
        from,
        count: arguments.count,
    });
    let gives = bundle(Some(arguments.price), vec![]);
    let wants = bundle(None, arguments.item);
    let any = any.into_iter().collect();
    arguments.opening.open(gives, wants, any, output).await
}

pub async fn swap(arguments: Swap, output: &Output) -> Result<(), Failure> {
    let gives = bundle(arguments.give_amount, arguments.give);
    let wants = bundle(arguments.want_amount, arguments.want);
    let any = arguments.want_edition.iter().map(|wanted| WantedItems {
        from: WantedFrom::Edition(wanted.edition),
        count: wanted.count,
    });
    let any = any.collect();
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
fn still_open(deal: &Deal) -> Result<(), Failure> {
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
    let any = any.iter().map(|any| match any.from {
        WantedFrom::Edition(id) => format!("any {} of edition {id}", any.count),
        WantedFrom::Collection(id) => format!("any {} of collection {id}", any.count),
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
        DealState::Taken => "taken",
        DealState::Cancelled => "cancelled",
        DealState::Expired => "expired",
    }
}

pub fn deal_shown(deal: &Deal) -> String {
    let taker = deal.taker.map(|t| t.to_string());
    lines(&[
        ("deal", deal.id.to_string()),
        ("state", state(deal).to_owned()),
        ("giver", deal.giver.to_string()),
        ("gives", side(&deal.gives, &[])),
        ("wants", side(&deal.wants, &deal.wants_any)),
        ("taker", taker.unwrap_or_default()),
        ("expires", time::utc(deal.expires)),
    ])
}

pub fn deal_list(page: &Page<Deal>) -> String {
    let mut table = table(&["deal", "state", "gives", "wants"]);
    for deal in &page.items {
        table.add_row([
            deal.id.to_string(),
            state(deal).to_owned(),
            side(&deal.gives, &[]),
            side(&deal.wants, &deal.wants_any),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::Millis;

    fn deal(state: DealState, taker: Option<Address>) -> Deal {
        Deal {
            id: DealId([1; 32]),
            giver: Address([1; 32]),
            gives: bundle(Some(5), vec![]),
            wants: Bundle::default(),
            wants_any: vec![],
            taker,
            expires: Millis(0),
            state,
        }
    }

    fn kind(result: Result<(), Failure>) -> Option<Kind> {
        result.err().map(|failure| failure.kind)
    }

    #[test]
    fn what_cannot_be_taken_or_cancelled_is_not_sent() {
        let [giver, taker, other] = [1, 2, 3].map(|n| Address([n; 32]));
        let open = deal(DealState::Open, Some(taker));
        assert_eq!(kind(takeable(&open, &taker)), None);
        assert_eq!(kind(takeable(&open, &other)), Some(Kind::Usage));
        assert_eq!(kind(takeable(&open, &giver)), Some(Kind::Usage));
        assert_eq!(kind(takeable(&deal(DealState::Open, None), &other)), None);
        assert_eq!(kind(cancellable(&open, &giver)), None);
        assert_eq!(kind(cancellable(&open, &taker)), Some(Kind::Usage));
        let taken = deal(DealState::Taken, Some(taker));
        assert_eq!(kind(takeable(&taken, &taker)), Some(Kind::Refused));
        assert_eq!(kind(cancellable(&taken, &giver)), Some(Kind::Refused));
    }

    #[test]
    fn a_deal_is_open_for_some_time() {
        assert_eq!(some_time("1ms"), Ok(Duration::from_millis(1)));
        for none in ["0s", "0d"] {
            assert!(some_time(none).unwrap_err().contains("some time"));
        }
    }
}
