//! What a run costs. Prints figures; a quiet machine is needed for them to mean anything.

use crate::common::{clean, plan};
use std::time::{Duration, Instant};

#[test]
#[ignore = "a measurement: runs of seven members and 200 rounds in a second of one thread"]
fn runs_per_second() {
    // The first run signs the transactions that all others share.
    (0..16).for_each(|seed| drop(clean(plan(seed, 200, ""))));
    let begun = Instant::now();
    let mut runs = 0;
    while begun.elapsed() < Duration::from_secs(5) {
        clean(plan(runs, 200, ""));
        runs += 1;
    }
    let each = begun.elapsed() / u32::try_from(runs).expect("few runs");
    println!(
        "{:.1} runs a second, {each:?} each",
        1.0 / each.as_secs_f64()
    );
}
