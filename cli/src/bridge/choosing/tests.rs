use super::*;
use crate::bridge::kept::tests::{generation, kept};

fn latch() -> Latch {
    Latch {
        tripped_at: Some(1_000),
        height: Height(7),
        opens_at: 0,
        window_s: 10,
        frozen_at: None,
        finality_delay_s: 1,
        now: 2_000,
    }
}

#[test]
fn the_newest_that_counts_is_taken_and_why_not_the_newer_ones_is_said() {
    let file = kept(9, false);
    let all = [
        generation(9, false),
        generation(8, false),
        generation(7, false),
        generation(3, false),
    ];
    let counting = [
        Counting::AfterLatch,
        Counting::Frozen,
        Counting::Counts,
        Counting::Counts,
    ];
    let judged: Vec<_> = all.iter().zip(counting).collect();
    let choice = chosen(&file, &judged, &latch());
    assert_eq!(
        (choice.height(), choice.lost(), choice.pending()),
        (Height(7), None, None)
    );
    let told = choice.told();
    assert!(
        told.starts_with("By checkpoint 7, the newest in the file that counts"),
        "{told}"
    );
    assert!(
        told.contains("9 came after the latch") && told.contains("8 was not over"),
        "{told}"
    );

    let choice = chosen(&file, &judged[2..], &latch());
    assert_eq!(choice.told(), "By checkpoint 7, the newest in the file.");
    let waits = [(&all[0], Counting::Pending { until: 5 })];
    assert_eq!(chosen(&file, &waits, &latch()).pending(), Some(5));
}

#[test]
fn a_file_of_which_nothing_counts_says_why() {
    let file = kept(9, false);
    let all = [generation(9, false), generation(8, false)];
    let judged: Vec<_> = all
        .iter()
        .zip([Counting::NotPosted, Counting::Another])
        .collect();
    let lost = chosen(&file, &judged, &latch()).lost().unwrap();
    assert!(
        lost.contains("9 is no checkpoint") && lost.contains("another statement for height 8"),
        "{lost}"
    );
}

#[test]
fn proofs_that_are_damaged_are_passed_over() {
    let file = kept(9, false);
    let mut json = serde_json::to_value(generation(9, false)).unwrap();
    json["statement"]["exit_root"] = "11".repeat(32).into();
    let damaged = serde_json::from_value(json).unwrap();
    let older = generation(8, false);
    let judged = [(&damaged, Counting::Counts), (&older, Counting::Counts)];
    let choice = chosen(&file, &judged, &latch());
    assert_eq!(choice.height(), Height(8));
    assert!(
        choice.told().contains("the proofs of 9 do not hold"),
        "{}",
        choice.told()
    );
    assert!(chosen(&file, &judged[..1], &latch()).lost().is_some());
}
