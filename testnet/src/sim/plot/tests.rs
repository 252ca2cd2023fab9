//! What a drawing has to hold, whatever the run was like.

use super::super::plan::{End, Plan, Signer};
use super::super::time::Time;
use super::super::{parse_faults, simulate};
use super::*;

fn record(rounds: u64, faults: &str) -> Record {
    let plan = Plan {
        nodes: 4,
        rate: 20,
        end: End::Rounds(rounds),
        signer: Signer::Mock,
        faults: parse_faults(faults).unwrap(),
        record: true,
        ..Plan::default()
    };
    simulate(plan).unwrap().record.unwrap()
}

#[test]
fn a_long_title_of_a_short_run_is_whole_and_on_several_lines() {
    let title = "weft sim --nodes 4 ".repeat(20);
    let drawn = svg(&record(3, ""), &title);
    assert!(drawn.matches("weft").count() == 20 && drawn.matches("--nodes 4").count() > 15);
    assert!(drawn.matches("font-size=\"13\"").count() > 1);
}

#[test]
fn lines_are_no_longer_than_asked_for_and_no_word_is_lost() {
    let lines = wrapped("one two three aVeryLongWordIndeed four", 10);
    assert!(lines.iter().all(|line| line.chars().count() <= 10));
    assert_eq!(
        lines.join("").replace(' ', ""),
        "onetwothreeaVeryLongWordIndeedfour"
    );
}

#[test]
fn faults_that_come_and_go_are_shaded_and_an_equivocators_versions_stand_apart() {
    let drawn = svg(&record(40, "equivocate:1,loss:20@1s+1s"), "");
    assert!(drawn.contains("<title>loss</title>") && drawn.contains(">loss</text>"));
    assert!(!dag::Dag::new(&record(40, "")).has_pairs());
    assert!(dag::Dag::new(&record(40, "equivocate:1")).has_pairs());
}

#[test]
fn one_that_took_far_longer_is_marked_and_does_not_press_the_others_flat() {
    let mut record = record(5, "");
    record.latencies = (1..=100).map(|n| (Time::millis(n), 100_000 + n)).collect();
    let calm = svg(&record, "");
    record.latencies.push((Time::millis(50), 9_000_000));
    let drawn = svg(&record, "");
    assert!(!calm.contains("red marks") && drawn.contains("1 above 100 ms, up to 9000"));
}

#[test]
fn ticks_are_round_numbers() {
    assert_eq!(
        chart::ticks(0.35),
        [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]
    );
    assert_eq!(chart::ticks(20.0), [0.0, 5.0, 10.0, 15.0, 20.0]);
    assert_eq!(chart::ticks(f64::NAN), [0.0]);
}
