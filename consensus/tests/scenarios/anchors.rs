//! D4: slots that neither commit nor skip directly are decided by an anchor.

use crate::common::Drawing;

/// A1 has three votes, but only A3 holds the pattern; the drawing goes on with `fourth` as round 4.
fn one_pattern(leaders: &str, fourth: &str) -> Drawing {
    Drawing::new(&format!(
        "
        leaders {leaders}
             A      B      C      D
        1    *      *      *      *
        2    *      *      *      BCD
        3    ABC    ABD    ACD    BCD
        4    {fourth}
        5    *      *      *      *
        6    *      *      *      *
        "
    ))
}

#[test]
fn d4_an_anchor_with_the_pattern_in_its_history_commits_the_slot() {
    let mut view = one_pattern("A - - B - - -", "*  *  *  *").observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 B3 C3 D3 A4 B4 C4 D4 A5 B5 C5 D5 A6 B6");
    assert_eq!(view.leaders(), "", "B4 is not decided");
    view.receive("C6");
    assert_eq!(view.leaders(), "A1 B4");
}

#[test]
fn d4_an_anchor_without_the_pattern_in_its_history_skips_the_slot() {
    let mut view = one_pattern("A - - B - - -", "*  BCD  *  *").observer();
    view.receive("...");
    let ordered = ["B4: A1 B1 C1 D1 A2 B2 C2 D2 B3 C3 D3 B4"];
    assert_eq!(view.ordered(), ordered, "A1 is ordered, but leads nothing");
}

#[test]
fn d4_slots_of_the_next_two_rounds_are_no_anchors() {
    let mut view = one_pattern("A B C - - D - - - -", "*  *  *  *").observer();
    view.receive("...");
    assert_eq!(
        view.leaders(),
        "",
        "B2 and C3 are decided, A1 before them is not"
    );
    view.draw("7  *  *  *  *\n 8  *  *  *  *");
    assert_eq!(view.leaders(), "A1 B2 C3 D6");
}

#[test]
fn d4_an_undecided_slot_before_the_anchor_leaves_the_slot_undecided() {
    // B4 has two votes, so that it neither commits nor is skipped before D7 is.
    let mut view = Drawing::new(
        "
        leaders A - - B C - D - - - - -
             A      B      C      D
        1    *      *      *      *
        2    *      *      *      BCD
        3    ABC    ABD    ACD    BCD
        4    *      *      *      *
        5    *      *      ACD    ACD
        6    *      *      *      *
        7    *      *      *      *
        8    *      *      *      *
        ",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.leaders(), "", "C5 is decided, B4 and A1 are not");
    view.draw("9  *  *  *  *");
    assert_eq!(
        view.leaders(),
        "A1 C5 D7",
        "D7 skips B4, so that C5 is A1's anchor"
    );
}

#[test]
fn d4_skipped_slots_before_the_anchor_are_passed_over() {
    let mut view = Drawing::new(
        "
        leaders A - - BC - - -
             A      B      C      D
        1    *      *      *      *
        2    *      *      *      BCD
        3    ABC    ABD    ACD    BCD
        4    *      *      *      *
        5    ACD    *      ACD    ACD
        6    *      *      *      *
        ",
    )
    .observer();
    assert_eq!(view.receive("...").leaders(), "A1 C4");
}

#[test]
fn d4_the_pattern_is_found_along_weak_links_too() {
    // A3, which holds the pattern, is reached from the anchor B6 by a weak link alone.
    let mut view = Drawing::new(
        "
        leaders A - - - - B - - - -
             A      B      C      D
        1    *      *      *      *
        2    *      *      *      BCD
        3    ABC    ABD    ACD    BCD
        4    -      BCD    BCD    BCD
        5    -      *      *      *
        6    -      *+A3   *      *
        7    -      *      *      *
        8    -      *      *      *
        ",
    )
    .observer();
    assert_eq!(view.receive("...").leaders(), "A1 B6");
}

#[test]
fn d5_slots_decided_out_of_order_are_output_in_order() {
    let mut view = Drawing::new(
        "
        leaders A B - - D - - - -
             A      B      C      D
        1    *      *      *      *
        2    *      *      BCD    BCD
        3    *      *      *      *
        4    *      *      *      *
        5    *      *      *      *
        6    *      *      *      *
        ",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.leaders(), "", "B2 is decided, A1 is not");
    view.draw("7  *  *  *  *");
    assert_eq!(view.leaders(), "B2 D5", "D5 skips A1");
}

#[test]
fn d5_two_slots_of_a_round_are_output_in_the_order_of_the_schedule() {
    let text = "
             A      B      C      D
        1    *      *      *      *
        2    *      *      *      *
        3    *      *      *      *
    ";
    for (leaders, expected) in [("CA -", "C1 A1"), ("AC -", "A1 C1")] {
        let mut view = Drawing::new(&format!("leaders {leaders} - -\n{text}")).observer();
        assert_eq!(view.receive("...").leaders(), expected);
    }
}
