//! One seed, one history.

use crate::common::{clean, plan};
use std::thread;
use weft_testnet::sim::{Plan, Signer};

const FAULTS: &str = "crash:1@1s+2s,equivocate:1,loss:5,replay:5,jitter:20,skew:100,slowdisk:5";

fn hash(plan: Plan) -> [u8; 32] {
    clean(plan).trace_hash
}

#[test]
fn the_same_seed_gives_the_same_history_in_whatever_thread() {
    let here = hash(plan(11, 60, FAULTS));
    // A fresh thread has other hash seeds, other caches and another stack.
    let threads: Vec<_> = (0..3)
        .map(|_| thread::spawn(|| hash(plan(11, 60, FAULTS))))
        .collect();
    for thread in threads {
        assert_eq!(thread.join().expect("the run ends"), here);
    }
}

/// Runs of one process and one machine agree in what both have in common: word size, order of bytes, float
/// arithmetic, versions of libraries. So two histories stand here by their hashes. Whoever changes what
/// replicas decide, or what the trace covers, renews them, and says in the commit why.
#[test]
fn a_seed_has_the_history_that_it_had_on_another_machine() {
    let mock = plan(11, 60, FAULTS);
    let real = Plan {
        nodes: 4,
        signer: Signer::Real,
        ..plan(3, 30, "restart:1@500ms")
    };
    for (plan, known) in [
        (
            mock,
            "ca935469c1c49c131c929a83093e06b3de96cb85eda068b5b731f5f8e49365b6",
        ),
        (
            real,
            "0bba8e2ba5d664ab331bf19603e754b78ae2b95e2fbe115d476dfed610a3d2fd",
        ),
    ] {
        let command = plan.command();
        assert_eq!(hex::encode(hash(plan)), known, "{command}");
    }
}

#[test]
fn another_seed_gives_another_history() {
    assert_ne!(hash(plan(1, 30, "")), hash(plan(2, 30, "")));
}

#[test]
fn real_signatures_and_encodings_repeat_too() {
    let real = || Plan {
        nodes: 4,
        signer: Signer::Real,
        ..plan(3, 30, "restart:1@500ms")
    };
    let first = clean(real());
    let second = clean(real());
    assert_eq!(first.trace_hash, second.trace_hash);
}

#[test]
fn mock_signers_change_no_decision() {
    let with = |signer| {
        let outcome = clean(Plan {
            nodes: 4,
            signer,
            ..plan(5, 40, "")
        });
        (
            outcome.commits,
            outcome.rounds,
            outcome.skipped,
            outcome.meter.transactions(),
        )
    };
    assert_eq!(with(Signer::Real), with(Signer::Mock));
}
