//! `weft pack`: series of packs, from their sale to the draw that anybody does again (docs/adr/packs.md).

mod checking;
mod keeping;
mod opening;
mod proven;
mod secret;
mod shown;

use self::checking::Evidence;
use crate::failure::{Failure, Kind};
use crate::market::Opening;
use crate::network::Network;
use crate::output::Output;
use crate::sending::{Outcome, Sender};
use crate::time;
use crate::values::{from_now, lines};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use weft_client::Client;
use weft_types::api::{Deal, DealState};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, DealId, DealRule, Drawing, Entropy, ItemId,
    Millis, NewDeal, Operation, REVEAL_MAX, Series, Taking, draw_commitment,
};

/// How often a series is looked at while its sale or its lot is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(clap::Subcommand)]
pub enum Command {
    /// Sell cards in sealed packs, drawn when the sale is over
    Sell(Sell),
    /// Buy sealed packs
    Buy(Buy),
    /// Hand on a sealed pack
    Pass(Pass),
    /// Show the secret, which draws what is in all packs; waits for the end of the sale, and keeps the proof of the draw
    Open(opening::Open),
    /// Keep the proof of a draw, for ever: run by anybody, also after it as long as the node has the proof
    Keep(keeping::Keep),
    /// Show how far a series is, what is in it, and who holds which pack
    Show(Show),
    /// Draw again, offline, from a file of `weft pack keep` or `weft pack open`: with the genesis alone it is proven
    Verify(checking::Verify),
}

#[derive(clap::Args)]
pub struct Sell {
    /// What is in the packs, as many in each: --packs divides their number
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=255))]
    packs: u32,
    /// Of one pack, in the native asset's smallest unit
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    /// What you forfeit to each holder if the secret is late: the price at least, and without it the price. With price and bond at least what
    /// the best pack is worth, buyers know that you never gain by it
    #[arg(long)]
    bond: Option<u64>,
    /// Where the secret is written; keep it until the packs are drawn, and show it to nobody
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// How long you have to show the secret once the sale is over
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = time::parse)]
    reveal: Duration,
    #[command(flatten)]
    opening: Opening,
}

#[derive(clap::Args)]
pub struct Buy {
    deal: DealId,
    /// How many packs
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    count: u8,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Pass {
    deal: DealId,
    /// Its number, from 0 in the order of sale
    pack: u32,
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Show {
    deal: DealId,
    #[command(flatten)]
    network: Network,
}

/// What `buy` has done.
#[derive(Serialize)]
struct Bought {
    /// Their numbers; empty while the transaction is not committed.
    packs: Vec<usize>,
    #[serde(flatten)]
    outcome: Outcome,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Sell(arguments) => sell(arguments, output).await,
        Command::Buy(arguments) => buy(arguments, output).await,
        Command::Pass(arguments) => {
            let Pass { deal, pack, to, .. } = arguments;
            let pass = Operation::PassPack { deal, pack, to };
            arguments.sender.send(pass, output).await
        }
        Command::Open(arguments) => opening::open(arguments, output).await,
        Command::Keep(arguments) => keeping::keep(&arguments, output).await,
        Command::Show(arguments) => show(&arguments, output).await,
        Command::Verify(arguments) => checking::verify(&arguments, output),
    }
}

fn coin(amount: u64) -> Vec<AssetAmount> {
    vec![AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    }]
}

async fn sell(arguments: Sell, output: &Output) -> Result<(), Failure> {
    let session = arguments.opening.sender.session().await?;
    let reveal = u64::try_from(arguments.reveal.as_millis()).unwrap_or(u64::MAX);
    if reveal == 0 || reveal > REVEAL_MAX.0 {
        return Err(Failure::usage("the secret is shown within 1 ms to 30 days")
            .hint("name a time with --reveal DURATION"));
    }
    even(arguments.items.len(), arguments.packs)?;
    let bond = arguments.bond.unwrap_or(arguments.price);
    if bond < arguments.price {
        return Err(Failure::usage(format_args!(
            "a bond of {bond} is less than the price of {}",
            arguments.price
        ))
        .hint("nothing was sent"));
    }
    let bond = bond.checked_mul(u64::from(arguments.packs));
    let bond = bond.ok_or_else(|| Failure::usage("no account holds so large a bond"))?;
    let secret = secret::create(&arguments.secret)?;
    let open = NewDeal {
        gives: Bundle {
            assets: coin(bond),
            items: arguments.items,
        },
        wants: Bundle {
            assets: coin(arguments.price),
            items: vec![],
        },
        taker: arguments.opening.to,
        expires: from_now(arguments.opening.expires),
        reference: arguments.opening.brought.reference,
        commission: arguments.opening.brought.commission,
        rule: DealRule::Draw(Series {
            packs: arguments.packs,
            commitment: draw_commitment(&session.address, &secret),
            reveal: Millis(reveal),
        }),
        ..NewDeal::default()
    };
    let sent = session.send(vec![Operation::DealOpen(open)], output).await;
    match &sent {
        Ok(_) => {}
        // Wrong use is found before anything is sent.
        Err(failure) if failure.kind == Kind::Usage => secret::discard(&arguments.secret)?,
        Err(_) => output.say(format_args!(
            "The secret in {} is of no series unless the transaction comes after all; another attempt takes a new file.",
            arguments.secret.display()
        )),
    }
    output.data(&sent?, Outcome::text)
}

/// L45: as many cards in each pack.
fn even(cards: usize, packs: u32) -> Result<(), Failure> {
    match cards % packs.max(1) as usize {
        0 => Ok(()),
        _ => Err(Failure::usage(format_args!(
            "{cards} cards cannot be as many in each of {packs} packs"
        ))
        .hint("nothing was sent; --packs has to divide the number of cards")),
    }
}

async fn buy(arguments: Buy, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let deal = session.client.deal(&arguments.deal).await?;
    if deal.giver == session.address {
        let words = format_args!("series {} is your own", deal.id);
        return Err(Failure::new(Kind::Refused, words).hint("nothing was sent"));
    }
    buyable(&deal, arguments.count)?;
    let entropies = (0..arguments.count).map(|_| Entropy(rand::random()));
    let entropies: Vec<Entropy> = entropies.collect();
    let buys = entropies
        .iter()
        .map(|e| Operation::DealTake(Taking::pack(deal.id, *e)));
    let outcome = session.send(buys.collect(), output).await?;
    let packs = match session.client.deal(&deal.id).await {
        Ok(deal) => numbers(&deal, &entropies),
        Err(_) => vec![],
    };
    output.data(&Bought { packs, outcome }, Bought::text)
}

fn buyable(deal: &Deal, count: u8) -> Result<(), Failure> {
    let (series, drawing) = series_of(deal)?;
    let left = (series.packs as usize).saturating_sub(drawing.packs.len());
    let is_over = left == 0 || deal.state != DealState::Open || drawing.closing.is_some();
    let words = match is_over {
        true => format!("the sale of series {} is over", deal.id),
        false if left < usize::from(count) => format!(
            "series {} has {left} for sale, and {count} are asked for",
            deal.id
        ),
        false => return Ok(()),
    };
    Err(Failure::new(Kind::Refused, words).hint("nothing was sent"))
}

/// Of the packs with these bytes.
fn numbers(deal: &Deal, entropies: &[Entropy]) -> Vec<usize> {
    let packs = deal.drawing.iter().flat_map(|drawing| &drawing.packs);
    let packs = packs
        .enumerate()
        .filter(|(_, pack)| entropies.contains(&pack.entropy));
    packs.map(|(n, _)| n).collect()
}

impl Bought {
    fn text(&self) -> String {
        let numbers: Vec<String> = self.packs.iter().map(ToString::to_string).collect();
        let packs = lines(&[("packs", numbers.join(", "))]);
        let text = format!("{packs}\n{}", self.outcome.text());
        text.trim_start().to_owned()
    }
}

async fn evidence(client: &Client, id: &DealId) -> Result<Evidence, Failure> {
    let deal = client.deal(id).await?;
    let (_, drawing) = series_of(&deal)?;
    let commit = match drawing.lot {
        Some(lot) => Some(client.commit(&lot.commit).await?),
        None => None,
    };
    let proof = None;
    Ok(Evidence {
        deal,
        commit,
        proof,
    })
}

async fn show(arguments: &Show, output: &Output) -> Result<(), Failure> {
    let evidence = evidence(&arguments.network.client()?, &arguments.deal).await?;
    output.data(&evidence, shown::shown)
}

fn series_of(deal: &Deal) -> Result<(&Series, &Drawing), Failure> {
    match (&deal.rule, &deal.drawing) {
        (DealRule::Draw(series), Some(drawing)) => Ok((series, drawing)),
        _ => Err(
            Failure::usage(format_args!("deal {} is no series of packs", deal.id))
                .hint("`weft card deal` shows what it is"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    /// Of three packs with two sold.
    fn on_sale() -> Deal {
        let (id, deal) = testing::drawn(3, 2);
        let mut deal = Deal::new(id, &deal);
        deal.state = DealState::Open;
        let packs = deal.drawing.take().unwrap().packs[..2].to_vec();
        let drawing = Drawing {
            packs,
            ..Drawing::default()
        };
        deal.drawing = Some(Box::new(drawing));
        deal
    }

    #[test]
    fn cards_have_to_divide_by_the_packs() {
        assert!(even(12, 4).is_ok());
        let refused = even(12, 5).unwrap_err().message;
        assert!(
            refused.contains("12 cards") && refused.contains("5 packs"),
            "{refused}"
        );
    }

    #[test]
    fn no_more_packs_are_asked_for_than_there_are() {
        let mut deal = on_sale();
        assert!(buyable(&deal, 1).is_ok());
        let words = |deal: &Deal, count| buyable(deal, count).unwrap_err().message;
        assert!(words(&deal, 2).contains("has 1 for sale, and 2"));
        deal.state = DealState::Expired;
        assert!(words(&deal, 1).contains("is over"));
        let (id, drawn) = testing::drawn(3, 2);
        assert!(words(&Deal::new(id, &drawn), 1).contains("is over"));
    }

    #[test]
    fn bought_packs_are_found_by_their_bytes() {
        let deal = on_sale();
        let packs = &deal.drawing.as_ref().unwrap().packs;
        let bytes = [packs[1].entropy, Entropy([0xee; 32])];
        assert_eq!(numbers(&deal, &bytes), [1]);
    }
}
