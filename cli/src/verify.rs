//! `weft verify`: checks a proof with the genesis alone, or a file of later committees that follow from it, asking nobody.

use crate::card::item_shown;
use crate::collection::{edition_shown, shown};
use crate::committees;
use crate::failure::{Failure, Kind};
use crate::market::deal_shown;
use crate::network::read_genesis;
use crate::output::Output;
use crate::time;
use crate::values::lines;
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use weft_client::verify::{BUNDLE_BYTES_MAX, VerifyError, verify_text};
use weft_types::api::{Object, Roster, Work};
use weft_types::{Height, Millis, NetworkId, ObjectId, Root};

#[derive(clap::Args)]
pub struct Verify {
    /// Proof as `weft card proof` prints it; `-` reads stdin
    proof: PathBuf,
    /// `genesis.json` of the network, from a source that you trust
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Who was in office in later epochs than the first, made by `weft committees`
    #[arg(long, value_name = "FILE")]
    committees: Option<PathBuf>,
}

/// What is proven.
#[derive(Serialize)]
struct Proven {
    id: ObjectId,
    /// Absent: it is proven that there is no such object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Object>,
    network: NetworkId,
    height: Height,
    timestamp: Millis,
    state_root: Root,
}

pub fn run(arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let genesis = read_genesis(&arguments.genesis)?;
    let committees = committees::known(&genesis, arguments.committees.as_deref())?;
    let text = read(arguments)?;
    let verified = verify_text(&text, &committees).map_err(|error| {
        let hint = match error {
            VerifyError::Epoch { .. } => {
                "`weft committees` makes a file of later committees, for --committees"
            }
            _ => "fetch the proof again; if it stays so, do not trust who gave it to you",
        };
        let words = format_args!("{} proves nothing: {error}", arguments.proof.display());
        Failure::new(Kind::Invalid, words).hint(hint)
    })?;
    let proven = Proven {
        id: verified.id,
        object: verified.object,
        network: genesis.network.id(),
        height: verified.height,
        timestamp: verified.timestamp,
        state_root: verified.state_root,
    };
    output.data(&proven, text_of)
}

/// One byte more than is allowed at most, so that the verifier says that it is too long.
fn read(arguments: &Verify) -> Result<String, Failure> {
    let path = &arguments.proof;
    let source: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => {
            let opened = File::open(path);
            Box::new(opened.map_err(|e| Failure::usage(format_args!("{}: {e}", path.display())))?)
        }
    };
    let mut bytes = Vec::new();
    let limit = BUNDLE_BYTES_MAX as u64 + 1;
    let read = source.take(limit).read_to_end(&mut bytes);
    read.map_err(|e| Failure::usage(format_args!("{}: {e}", path.display())))?;
    String::from_utf8(bytes).map_err(|_| {
        let words = format!("{} proves nothing: it is no text", path.display());
        Failure::new(Kind::Invalid, words)
    })
}

fn roster_shown(roster: &Roster) -> String {
    let seats = roster.seats.iter();
    let seats = seats.map(|s| format!("{} ({} of {})", s.id, s.weight, s.bonded));
    let announced = roster.announced;
    lines(&[
        ("epoch", roster.epoch.to_string()),
        ("since", time::utc(roster.since)),
        (
            "members (weight of bonded)",
            seats.collect::<Vec<_>>().join(", "),
        ),
        ("entries of the queue", roster.entries.to_string()),
        ("applied", roster.applied.to_string()),
        (
            "announced up to",
            announced.map_or("-".to_owned(), |a| a.to_string()),
        ),
    ])
}

fn work_shown(work: &Work) -> String {
    let places = work.vertices.iter().zip(&work.rounds).enumerate();
    let line = |(place, (vertices, round))| {
        format!("place {place}: {vertices} rounds with a vertex, the newest {round}")
    };
    let lines: Vec<String> = places.map(line).collect();
    lines.join("\n")
}

fn text_of(proven: &Proven) -> String {
    let object = match &proven.object {
        None => format!("proven: there is no {}", proven.id),
        Some(Object::Item(item)) => item_shown(item),
        Some(Object::Collection(collection)) => shown(collection),
        Some(Object::Edition(edition)) => edition_shown(edition),
        Some(Object::Deal(deal)) => deal_shown(deal),
        Some(Object::Account(account)) => crate::account::shown(account),
        Some(Object::Bridge(bridge)) => crate::bridge::shown(bridge),
        Some(Object::Roster(roster)) => roster_shown(roster),
        Some(Object::Withdrawal(withdrawal)) => crate::bridge::withdrawal_shown(withdrawal),
        Some(Object::Offenders(offenders)) => crate::bridge::offenders_shown(offenders),
        Some(Object::Work(work)) => work_shown(work),
        Some(Object::VoucherPool(pool)) => crate::voucher::shown(pool),
        Some(Object::SpentVoucher(spent)) => format!("spent: a voucher of the pool {}", spent.pool),
        Some(Object::Posted(posted)) => crate::data::shown(posted),
    };
    let when = lines(&[
        ("network", proven.network.to_string()),
        ("height", proven.height.to_string()),
        ("timestamp", time::utc(proven.timestamp)),
        ("state root", proven.state_root.to_string()),
    ]);
    format!("{object}\n\nso it was at\n{when}")
}
