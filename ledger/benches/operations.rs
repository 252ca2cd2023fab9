//! What each operation costs at its smallest and at its greatest, and what the ledger does by itself: CPU time of its
//! thread, and the bytes that it reads and writes. Each is done by the ledger alone, and over many accounts.
//!
//! `cargo bench -p weft-ledger --bench operations -- [ACCOUNTS] [NAME]`, 100,000 and all that have the name in theirs, if
//! given. `docs/operations.md` says what is counted.

#[path = "../../types/benches/timing/mod.rs"]
mod timing;
// Words of the tests, of which this needs some.
#[allow(dead_code)]
#[path = "../tests/ledger/workload/mod.rs"]
mod workload;
#[allow(dead_code)]
#[path = "../tests/ledger/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Duration;
use timing::timed;
use weft_ledger::{Applied, Reads, reads};
use weft_types::{FailureCode, Receipt, Template, Transaction, Verified};
use workload::{Act, Cast, ROWS, Row, Size, accounts, deals, due, made, template, written};
use world::{World, pay};

const ROUNDS: u64 = 9;

/// A line of the table.
struct Line {
    name: String,
    bytes: Option<u64>,
    /// Of each round, ascending.
    times: Vec<Duration>,
    reads: Reads,
    written: u64,
    fee: u64,
}

impl Line {
    fn print(&mut self, size: &str) {
        self.times.sort_unstable();
        let nanoseconds = |place: usize| self.times[place].as_nanos();
        let median = nanoseconds(self.times.len() / 2);
        let (least, most) = (nanoseconds(0), nanoseconds(self.times.len() - 1));
        let per = |n: Option<u64>| match n {
            Some(n) if n > 0 => format!("{:.1}", median as f64 / n as f64),
            _ => "-".to_owned(),
        };
        let bytes = self.bytes.map_or("-".to_owned(), |n| n.to_string());
        println!(
            "| {} | {size} | {bytes} | {median} | {least} to {most} | {} | {} | {} | {} | {} |",
            self.name,
            per(self.bytes),
            self.reads.bytes,
            self.written,
            self.fee,
            per(Some(self.fee)),
        );
    }
}

/// A commit, and its time but for what taking that takes.
fn spent_on(
    world: &mut World,
    transactions: &[Arc<Verified<Transaction>>],
    empty: Duration,
) -> (Applied, Duration) {
    // As the API holds one: what it shares is copied before it is changed.
    let held = world.ledger.snapshot();
    let ordered = std::mem::take(&mut world.ordered);
    let mut spent = Duration::ZERO;
    let applied = timed(&mut spent, || world.execute(&[], &ordered, transactions));
    drop(held);
    assert_eq!(applied.receipts.len(), transactions.len());
    (applied, spent.saturating_sub(empty))
}

/// The same of transactions that are applied: failures would cost less.
fn apply(
    world: &mut World,
    transactions: &[Arc<Verified<Transaction>>],
    empty: Duration,
) -> (Applied, Duration) {
    let (applied, spent) = spent_on(world, transactions, empty);
    assert!(applied.receipts.iter().all(Receipt::is_applied));
    (applied, spent)
}

/// The first one by itself, for what it reads and writes; the others together in as many rounds, for the time of each.
fn line(name: String, world: &mut World, acts: &[Act], empty: Duration) -> Line {
    let signed: Vec<_> = acts.iter().map(|act| act.signed(world)).collect();
    let (first, others) = signed.split_first().expect("one at least");
    let one = std::slice::from_ref(first);
    let ((applied, _), reads) = reads(|| apply(world, one, empty));
    let each = others.len() / ROUNDS as usize;
    let times = others.chunks(each).map(|some| {
        let (_, spent) = apply(world, some, empty);
        spent / each as u32
    });
    Line {
        name,
        bytes: Some(first.encoded().len() as u64),
        times: times.collect(),
        reads,
        written: written(&applied),
        fee: applied.receipts[0].fee.0,
    }
}

fn operation(row: &Row, size: Size, genesis: &Template, empty: Duration) -> Line {
    let mut world = World::of(genesis);
    let acts = made(row, size, &mut world, casts(size));
    let name = format!("{} {}", row.operation, row.what);
    line(name.trim_end().to_owned(), &mut world, &acts, empty)
}

fn casts(size: Size) -> u64 {
    1 + ROUNDS * size.of(12, 1)
}

/// By commits without transactions, each in a ledger of its own.
fn by_itself(row: &due::Row, size: Size, genesis: &Template, empty: Duration) -> Line {
    let mut line = None;
    for round in 0..=size.of(ROUNDS, 3) {
        let mut world = World::of(genesis);
        world.now = (row.make)(&mut world, Cast(0), size).at.0;
        world.lead();
        let ((applied, spent), reads) = match round {
            0 => reads(|| apply(&mut world, &[], empty)),
            _ => (apply(&mut world, &[], empty), Reads::default()),
        };
        let line = line.get_or_insert_with(|| Line {
            name: row.name.to_owned(),
            bytes: None,
            times: vec![],
            reads,
            written: written(&applied),
            fee: 0,
        });
        if round > 0 {
            line.times.push(spent);
        }
    }
    line.expect("a round")
}

/// A payment by an account that holds so many assets, which nothing bounds but what bringing them in costs.
fn of_many_assets(assets: u64, genesis: &Template, empty: Duration) -> Line {
    let mut world = World::of(genesis);
    accounts::tokens(&mut world, Cast(0), assets);
    let payer = Cast(0).user(0);
    let acts: Vec<_> = (0..=ROUNDS)
        .map(|_| Act::by(payer, pay(Cast(1).user(0), 1)))
        .collect();
    let name = format!("Transfer of an account with {assets} assets");
    line(name, &mut world, &acts, empty)
}

/// The most that is done for a fee that is not: a deal is looked at with all that it lists, and then fails, as often as
/// somebody likes.
fn in_vain(genesis: &Template, empty: Duration) -> Line {
    let mut world = World::of(genesis);
    let act = deals::take_in_vain(&mut world, Cast(0), Size::Greatest);
    let mut once = || {
        let signed = act.signed(&mut world);
        let one = std::slice::from_ref(&signed);
        let (applied, spent) = spent_on(&mut world, one, empty);
        let code = applied.receipts[0].failure.map(|f| f.code);
        assert_eq!(code, Some(FailureCode::NotOwner));
        (signed.encoded().len() as u64, applied, spent)
    };
    let ((bytes, applied, _), reads) = reads(&mut once);
    Line {
        name: "DealTake that fails at its last item".to_owned(),
        bytes: Some(bytes),
        times: (0..ROUNDS).map(|_| once().2).collect(),
        reads,
        written: written(&applied),
        fee: applied.receipts[0].fee.0,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = arguments.iter().find_map(|a| a.parse().ok());
    let part = arguments
        .iter()
        .find(|a| !a.starts_with('-') && a.parse::<u64>().is_err());
    let asked = |name: &str| part.is_none_or(|part| name.contains(part.as_str()));
    let genesis = template(casts(Size::Smallest), number.unwrap_or(100_000));

    let mut nothing: Vec<_> = (0..1_001)
        .map(|_| {
            let mut spent = Duration::ZERO;
            timed(&mut spent, || ());
            spent
        })
        .collect();
    nothing.sort_unstable();
    let empty = nothing[nothing.len() / 2];
    println!(
        "{} accounts; {} ns are taken off, which taking the time takes",
        genesis.accounts.len(),
        empty.as_nanos()
    );
    println!(
        "| operation | size | bytes | ns | least to most | ns a byte | read | written | fee | ns of the fee |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for row in ROWS {
        for size in row.sizes.iter().filter(|_| asked(row.operation)) {
            let name = size.of("smallest", "greatest");
            operation(row, *size, &genesis, empty).print(name);
        }
    }
    if asked("DealTake") {
        in_vain(&genesis, empty).print("greatest");
    }
    for assets in [1, 100, 1_000, 10_000] {
        if asked("assets") {
            of_many_assets(assets, &genesis, empty).print("-");
        }
    }
    for row in due::ROWS.iter().filter(|row| asked(row.name)) {
        for size in Size::BOTH {
            let name = size.of("smallest", "greatest");
            by_itself(row, *size, &genesis, empty).print(name);
        }
    }
}
