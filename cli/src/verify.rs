//! `weft verify`: checks a proof with the genesis alone, or a file of later committees that follow from it, asking nobody.

use crate::card::item_shown;
use crate::collection::{edition_shown, shown};
use crate::committees::{self, LATER_COMMITTEES};
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
use weft_types::{
    Address, Height, Millis, NetworkId, ObjectId, Root, SpentVoucherId, VoucherPoolId,
};

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
    /// Of a proof that `weft voucher proof` prints: whose voucher of which pool it has to be of
    #[arg(long, value_name = "POOL:ACCOUNT", value_parser = whose)]
    voucher: Option<Voucher>,
}

/// An account's voucher of a pool. Its mark's id is a hash of both, so that only who names them learns whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Voucher {
    pool: VoucherPoolId,
    account: Address,
}

fn whose(text: &str) -> Result<Voucher, String> {
    let (pool, account) = text
        .split_once(':')
        .ok_or_else(|| format!("{text:?} is not POOL:ACCOUNT"))?;
    Ok(Voucher {
        pool: pool.parse().map_err(|e| format!("{pool:?}: {e}"))?,
        account: account.parse().map_err(|e| format!("{account:?}: {e}"))?,
    })
}

impl Voucher {
    /// Whether it is what a proof is of.
    fn is_of(&self, id: &ObjectId) -> Result<(), Failure> {
        let mark = SpentVoucherId::derive(&self.pool, &self.account);
        match *id == ObjectId::SpentVoucher(mark) {
            true => Ok(()),
            false => Err(Failure::new(
                Kind::Invalid,
                format_args!(
                    "the proof is of {id}, not of the voucher of {} of pool {}",
                    self.account, self.pool
                ),
            )),
        }
    }
}

/// What is proven.
#[derive(Serialize)]
struct Proven {
    id: ObjectId,
    /// Absent: it is proven that there is no such object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Object>,
    /// Whose mark it is, where that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    voucher: Option<Voucher>,
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
            VerifyError::Epoch { .. } => LATER_COMMITTEES,
            _ => "fetch the proof again; if it stays so, do not trust who gave it to you",
        };
        let words = format_args!("{} proves nothing: {error}", arguments.proof.display());
        Failure::new(Kind::Invalid, words).hint(hint)
    })?;
    if let Some(voucher) = &arguments.voucher {
        voucher.is_of(&verified.id)?;
    }
    let proven = Proven {
        id: verified.id,
        object: verified.object,
        voucher: arguments.voucher,
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

fn mark_shown(proven: &Proven) -> String {
    let whose = match (&proven.voucher, &proven.object) {
        (Some(voucher), _) => format!(
            "the voucher of {} of pool {}",
            voucher.account, voucher.pool
        ),
        (None, Some(Object::SpentVoucher(spent))) => format!("a voucher of pool {}", spent.pool),
        (None, _) => "the voucher with this mark".to_owned(),
    };
    let is_spent = match proven.object {
        Some(_) => "is spent",
        None => "is not spent, unless the pool has ended: then its marks go",
    };
    let hint = match proven.voucher {
        Some(_) => String::new(),
        None => format!(
            "\n{}; --voucher POOL:ACCOUNT holds it against whose it is",
            proven.id
        ),
    };
    format!("proven: {whose} {is_spent}{hint}")
}

fn text_of(proven: &Proven) -> String {
    let object = match &proven.object {
        None if matches!(proven.id, ObjectId::SpentVoucher(_)) => mark_shown(proven),
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
        Some(Object::SpentVoucher(_)) => mark_shown(proven),
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

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    fn proven(voucher: Option<Voucher>) -> Proven {
        let pool = testing::issuer_key(1).public().pool();
        Proven {
            id: ObjectId::SpentVoucher(SpentVoucherId::derive(&pool, &testing::user(2))),
            object: None,
            voucher,
            network: NetworkId([1; 32]),
            height: Height(9),
            timestamp: Millis(1),
            state_root: Root([2; 32]),
        }
    }

    #[test]
    fn a_mark_is_shown_to_be_of_the_voucher_that_was_named() {
        let pool = testing::issuer_key(1).public().pool();
        let of = |i| whose(&format!("{pool}:{}", testing::user(i))).unwrap();
        let id = proven(None).id;
        assert!(of(2).is_of(&id).is_ok());
        let refused = of(3).is_of(&id).unwrap_err();
        assert_eq!(refused.kind, Kind::Invalid);
        let text = text_of(&proven(Some(of(2))));
        assert!(
            text.contains(&testing::user(2).to_string()) && text.contains("not spent"),
            "{text}"
        );
        assert!(text_of(&proven(None)).contains("--voucher"));
        for wrong in [
            pool.to_string(),
            format!("{pool}:"),
            format!(":{}", testing::user(2)),
        ] {
            assert!(whose(&wrong).is_err(), "{wrong}");
        }
    }
}
