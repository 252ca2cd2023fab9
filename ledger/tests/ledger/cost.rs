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

/// Of a deal's entries that are only looked at half count.
const BYTES_READ_OF_UNIT: u64 = 2 * BYTES_OF_UNIT;
/// Bytes that come to that, also for the shortest.
const BYTES_LEAST: u64 = 32 << 10;

fn run(world: &mut World, act: &Act) -> (Applied, Reads) {
    let signed = act.signed(world);
    reads(|| world.commit(&[signed]))
}

fn is_bounded(what: &str, (applied, reads): &(Applied, Reads)) {
    let units = applied.receipts[0].fee.0;
    let bytes = |of_unit| BYTES_LEAST + units * of_unit;
    let bounds = [
        ("look-ups", reads.lookups, units / UNITS_OF_OBJECT),
        ("objects", reads.objects, units / UNITS_OF_OBJECT),
        ("bytes read", reads.bytes, bytes(BYTES_READ_OF_UNIT)),
        ("bytes written", written(applied), bytes(BYTES_OF_UNIT)),
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
fn each_operation_costs_in_proportion_to_its_fee() {
    for row in ROWS {
        for size in row.sizes {
            let mut world = World::of(&template(1, 0));
            let act = made(row, *size, &mut world, 1).remove(0);
            let cost = run(&mut world, &act);
            let what = format!("{} {} {size:?}", row.operation, row.what);
            assert_eq!(cost.0.receipts[0].failure, None, "{what}");
            is_bounded(&what, &cost);
        }
    }
}

#[test]
fn what_fails_costs_no_more_than_what_applies() {
    let cost = |make: fn(&mut World, Cast, Size) -> Act| {
        let mut world = World::of(&template(1, 0));
        let act = make(&mut world, Cast(0), Size::Greatest);
        let cost = run(&mut world, &act);
        is_bounded("in vain", &cost);
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
            assert_eq!(applied.changes.is_empty(), due.work == 0);
            world.lead();
            let again = world.commit(&[]);
            assert!(again.changes.is_empty(), "{} comes again", row.name);
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
