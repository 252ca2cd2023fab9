//! What a transaction costs the ledger is bounded by what it pays for, and what a commit does by itself by the bounds of
//! that. No time is in it: look-ups and bytes are the same in every run. What the time of each is, a bench says
//! (`benches/operations.rs`).

use crate::workload::{Act, Cast, ROWS, Size, deals, due, made, row_of, template, written};
use crate::world::World;
use std::collections::BTreeSet;
use weft_ledger::{Applied, Reads, reads};
use weft_types::{DealRule, FailureCode, Operation};

/// No object but an account of many assets is longer.
const OBJECT_BYTES_MAX: usize = 32 << 10;

/// Units of the fee (of the genesis that tests and local networks have) for one object, or one look-up.
const UNITS_OF_OBJECT: u64 = 3;
/// Bytes for a unit: an entry of 34 bytes names one object, and the longest that many are named of have 11 KB.
const BYTES_OF_UNIT: u64 = 320;

/// What comes to that for an operation.
struct Bound {
    lookups: u64,
    objects: u64,
    read: u64,
    written: u64,
}

/// Of an operation that names no deal.
const SIMPLE: Bound = Bound {
    lookups: 0,
    objects: 0,
    read: 32 << 10,
    written: 32 << 10,
};

/// Of one that names a deal: 512 items at most change hands, each with its edition, its collection and a royalty.
const DEAL: Bound = Bound {
    lookups: 5_400,
    objects: 1_900,
    read: 7 << 20,
    written: 1 << 20,
};

fn bound(operation: &Operation) -> &'static Bound {
    match operation {
        Operation::DealTake(_)
        | Operation::DealCancel { .. }
        | Operation::Bid { .. }
        | Operation::Reveal { .. }
        | Operation::PassPack { .. }
        | Operation::ChannelClose(_)
        | Operation::ChannelChallenge(_) => &DEAL,
        _ => &SIMPLE,
    }
}

fn run(world: &mut World, act: &Act) -> (Applied, Reads) {
    let signed = act.signed(world);
    reads(|| world.commit(&[signed]))
}

fn is_bounded(what: &str, act: &Act, (applied, reads): &(Applied, Reads)) {
    let units = applied.receipts[0].fee.0;
    let bound = bound(&act.operation);
    let bounds = [
        (
            "look-ups",
            reads.lookups,
            bound.lookups + units / UNITS_OF_OBJECT,
        ),
        (
            "objects",
            reads.objects,
            bound.objects + units / UNITS_OF_OBJECT,
        ),
        (
            "bytes read",
            reads.bytes,
            bound.read + units * BYTES_OF_UNIT,
        ),
        (
            "bytes written",
            written(applied),
            bound.written + units * BYTES_OF_UNIT,
        ),
    ];
    for (of, found, most) in bounds {
        assert!(
            found <= most,
            "{what}: {found} {of} for {units}, at most {most}"
        );
    }
    for change in &applied.changes {
        for object in change.before.iter().chain(&change.after) {
            let bytes = object.encode().len();
            assert!(
                bytes <= OBJECT_BYTES_MAX,
                "{what}: {bytes} of {}",
                change.id
            );
        }
    }
}

#[test]
fn each_operation_costs_at_most_a_deal_and_else_in_proportion_to_its_fee() {
    for row in ROWS {
        for size in row.sizes {
            let mut world = World::of(&template(1, 0));
            let act = made(row, *size, &mut world, 1).remove(0);
            let cost = run(&mut world, &act);
            let what = format!("{} {} {size:?}", row.operation, row.what);
            assert_eq!(cost.0.receipts[0].failure, None, "{what}");
            is_bounded(&what, &act, &cost);
        }
    }
}

#[test]
fn what_fails_costs_no_more_than_what_applies() {
    let cost = |make: fn(&mut World, Cast, Size) -> Act| {
        let mut world = World::of(&template(1, 0));
        let act = make(&mut world, Cast(0), Size::Greatest);
        let cost = run(&mut world, &act);
        is_bounded("in vain", &act, &cost);
        cost
    };
    let (applied, all) = cost(deals::take_of_many_collections);
    let (failed, some) = cost(deals::take_in_vain);
    let code = |applied: &Applied| applied.receipts[0].failure.map(|f| f.code);
    assert_eq!(code(&applied), None);
    assert_eq!(code(&failed), Some(FailureCode::NotOwner));
    assert!(some.lookups <= all.lookups, "{some:?}, {all:?}");
    assert!(some.objects <= all.objects, "{some:?}, {all:?}");
}

/// What does it has nobody who pays then, so that it is bounded by a number of its own.
#[test]
fn what_is_due_costs_in_proportion_to_its_bound() {
    for row in due::ROWS {
        for size in Size::BOTH {
            let mut world = World::of(&template(1, 0));
            let due = (row.make)(&mut world, Cast(0), *size);
            world.now = due.at.0;
            world.lead();
            let (applied, reads) = reads(|| world.commit(&[]));
            let bounds = [
                ("look-ups", reads.lookups, 32 + 9 * due.work),
                ("objects", reads.objects, 8 + 3 * due.work),
                ("bytes read", reads.bytes, (32 << 10) + 1_400 * due.work),
                (
                    "bytes written",
                    written(&applied),
                    (32 << 10) + 1_400 * due.work,
                ),
            ];
            for (of, found, most) in bounds {
                assert!(found <= most, "{}: {found} {of}, at most {most}", row.name);
            }
            assert_eq!(applied.changes.is_empty(), row.stays || due.work == 0);
        }
    }
}

#[test]
fn every_operation_and_every_rule_has_a_row() {
    let mut rules = BTreeSet::new();
    for row in ROWS {
        let mut world = World::of(&template(1, 0));
        let act = (row.make)(&mut world, Cast(0), Size::Smallest);
        assert_eq!(row_of(&act.operation), row.operation);
        if let Operation::DealOpen(terms) = act.operation {
            rules.insert(terms.rule.name());
        }
    }
    assert_eq!(rules, DealRule::NAMES.iter().copied().collect());
}
