//! `weft pack`: series of packs, from their sale to the draw that anybody does again (docs/adr/packs.md).

mod checking;
mod secret;

use self::checking::{Evidence, Verified, check, verified_shown};
use crate::failure::{Failure, Kind};
use crate::market::{Opening, deal_shown};
use crate::network::Network;
use crate::output::Output;
use crate::sending::{Outcome, Sender};
use crate::time;
use crate::values::{from_now, lines};
use std::io::Read as _;
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
/// Longest file that is checked: a series of 255 cards and the commit of its lot.
const EVIDENCE_BYTES_MAX: u64 = 1 << 20;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Sell cards in sealed packs, drawn when the sale is over
    Sell(Sell),
    /// Buy sealed packs
    Buy(Buy),
    /// Hand on a sealed pack
    Pass(Pass),
    /// Show the secret, which draws what is in all packs; waits for the end of the sale
    Open(Open),
    /// Show how far a series is, and who holds which pack
    Show(Show),
    /// Draw again, offline, from what `weft pack show --json` has printed
    Verify(Verify),
}

#[derive(clap::Args)]
pub struct Sell {
    /// What is in the packs, as many in each
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=255))]
    packs: u32,
    /// Of one pack, in the native asset's smallest unit
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    price: u64,
    /// What you forfeit to each holder if the secret is late; without it the price. With price and bond at least what
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
pub struct Open {
    deal: DealId,
    /// As `weft pack sell` has written it
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Show {
    deal: DealId,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Verify {
    /// `-` reads stdin
    file: PathBuf,
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
        Command::Open(arguments) => open(arguments, output).await,
        Command::Show(arguments) => show(&arguments, output).await,
        Command::Verify(arguments) => verify(&arguments, output),
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
    let bond = arguments.bond.unwrap_or(arguments.price);
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
    if sent.is_err() {
        output.say(format_args!(
            "The secret in {} is of no series unless the transaction comes after all.",
            arguments.secret.display()
        ));
    }
    output.data(&sent?, Outcome::text)
}

async fn buy(arguments: Buy, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let deal = session.client.deal(&arguments.deal).await?;
    let (series, drawing) = series_of(&deal)?;
    let left = (series.packs as usize).saturating_sub(drawing.packs.len());
    if deal.state != DealState::Open || drawing.closing.is_some() || left == 0 {
        return Err(Failure::new(
            Kind::Refused,
            format_args!("the sale of series {} is over", deal.id),
        )
        .hint("nothing was sent"));
    }
    let buy = || Operation::DealTake(Taking::pack(deal.id, Entropy(rand::random())));
    let buys = (0..arguments.count).map(|_| buy()).collect();
    let outcome = session.send(buys, output).await?;
    output.data(&outcome, Outcome::text)
}

/// Until the lot is there, and no longer: then the secret is shown at once.
async fn open(arguments: Open, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let secret = secret::read(&arguments.secret)?;
    let mut told = false;
    loop {
        let deal = session.client.deal(&arguments.deal).await?;
        let (series, drawing) = series_of(&deal)?;
        if series.commitment != draw_commitment(&deal.giver, &secret) {
            return Err(Failure::usage(format_args!(
                "series {} was committed to another secret than the one in {}",
                deal.id,
                arguments.secret.display()
            )));
        }
        if deal.state != DealState::Open {
            return Err(
                Failure::new(Kind::Refused, format_args!("series {} has ended", deal.id))
                    .hint("nothing was sent; `weft pack show` has how"),
            );
        }
        if drawing.lot.is_some() {
            let deal = deal.id;
            let reveal = Operation::Reveal { deal, secret };
            let outcome = session.send(vec![reveal], output).await?;
            return output.data(&outcome, Outcome::text);
        }
        if !told {
            output.say("Waiting for the end of the sale.");
            told = true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn evidence(client: &Client, id: &DealId) -> Result<Evidence, Failure> {
    let deal = client.deal(id).await?;
    let (_, drawing) = series_of(&deal)?;
    let commit = match drawing.lot {
        Some(lot) => Some(client.commit(&lot.commit).await?),
        None => None,
    };
    Ok(Evidence { deal, commit })
}

async fn show(arguments: &Show, output: &Output) -> Result<(), Failure> {
    let evidence = evidence(&arguments.network.client()?, &arguments.deal).await?;
    output.data(&evidence, shown)
}

fn verify(arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let path = &arguments.file;
    let failed =
        |error: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {error}", path.display()));
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin()
            .take(EVIDENCE_BYTES_MAX)
            .read_to_string(&mut text),
        false => std::fs::File::open(path)
            .and_then(|file| file.take(EVIDENCE_BYTES_MAX).read_to_string(&mut text)),
    };
    read.map_err(|error| failed(&error))?;
    let evidence: Evidence = serde_json::from_str(&text)
        .map_err(|error| failed(&error).hint("it reads what `weft pack show --json` prints"))?;
    let verified: Verified = check(&evidence)?;
    output.data(&verified, verified_shown)
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

fn standing(deal: &Deal, drawing: &Drawing) -> &'static str {
    match (deal.state, drawing.closing, drawing.lot) {
        (DealState::Taken, ..) => "drawn",
        (DealState::Cancelled, ..) => "cancelled",
        (DealState::Expired, ..) if drawing.packs.is_empty() => "expired",
        (DealState::Expired, ..) => "undone: the secret was late",
        (DealState::Open, None, _) => "for sale",
        (DealState::Open, Some(_), None) => "sold, waits for its lot",
        (DealState::Open, Some(_), Some(_)) => "sold, waits for its secret",
    }
}

fn shown(evidence: &Evidence) -> String {
    let deal = &evidence.deal;
    let Ok((series, drawing)) = series_of(deal) else {
        return deal_shown(deal);
    };
    let amount = |bundle: &Bundle| bundle.assets.first().map_or(0, |a| a.amount.0);
    let bond = amount(&deal.gives) / u64::from(series.packs.max(1));
    let lot = drawing.lot;
    let late = lot.map(|lot| time::utc(lot.at.saturating_add(series.reveal.0)));
    let head = lines(&[
        ("series", deal.id.to_string()),
        ("standing", standing(deal, drawing).to_owned()),
        ("giver", deal.giver.to_string()),
        ("cards", deal.gives.items.len().to_string()),
        (
            "packs",
            format!("{} of {} sold", drawing.packs.len(), series.packs),
        ),
        ("price", amount(&deal.wants).to_string()),
        ("bond", format!("{bond} a pack")),
        ("for sale until", time::utc(deal.expires)),
        (
            "lot",
            lot.map_or(String::new(), |l| format!("commit {}", l.commit)),
        ),
        ("secret until", late.unwrap_or_default()),
    ]);
    let packs = drawing.packs.iter().enumerate();
    let packs = packs.map(|(n, pack)| format!("\npack {n} {}", pack.holder));
    head + &packs.collect::<String>()
}
