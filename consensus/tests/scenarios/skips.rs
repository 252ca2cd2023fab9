//! D3: a slot that a quorum votes for no vertex of is skipped.

use crate::common::Drawing;

#[test]
fn d3_a_quorum_that_votes_for_no_vertex_of_the_slot_skips_it() {
    let mut view = Drawing::new(
        "
        leaders AB - - - - -
             A      B      C      D
        1    *      *      *      *
        2    *      BCD    BCD    BCD
        3    *      *      *      *
        ",
    )
    .observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 B3 C3");
    assert_eq!(view.ordered(), ["B1: B1"], "A1 is skipped, B1 committed");
}

#[test]
fn d3_a_leader_without_a_vertex_is_skipped() {
    let mut view = Drawing::new(
        "
        leaders AB - - - - -
             A      B      C      D
        1    -      *      *      *
        2    -      *      *      *
        3    -      *      *      *
        ",
    )
    .observer();
    assert_eq!(view.receive("...").leaders(), "B1");
}

#[test]
fn d3_less_than_a_quorum_without_a_vote_skips_nothing() {
    let mut view = Drawing::new(
        "
        leaders AB - - - - -
             A      B      C      D
        1    *      *      *      *
        2    *      *      BCD    BCD
        3    *      *      *      *
        ",
    )
    .observer();
    assert_eq!(view.receive("...").leaders(), "", "B1 waits behind A1");
}

#[test]
fn d3_a_quorum_is_counted_in_stake() {
    // N = 7, Q = 5: that B and D do not vote is enough, that A, B and C do not is not.
    let drawing = |cells: &str| {
        let text = format!(
            "
            members A B C D=4
            leaders AC - - - - -
                 A      B      C      D
            1    *      *      *      *
            2    {cells}
            3    *      *      *      *
            "
        );
        Drawing::new(&text).observer().receive("...").leaders()
    };
    assert_eq!(drawing("*      BCD    *      BCD"), "C1");
    assert_eq!(drawing("*      BCD    BCD    *"), "A1 C1");
}

#[test]
fn d3_the_version_without_a_vote_counts_once_it_is_accepted() {
    let mut view = Drawing::new(
        "
        leaders AB - - - - -
             A      B      C      D
        1    *      *      *      *
        2    *      BCD    BCD    ABCD/BCD
        3    ABC    ABCD'  ABC    ABC
        ",
    )
    .observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 C3 D3");
    assert_eq!(view.leaders(), "", "D2' is not known");
    view.receive("D2'");
    assert_eq!(
        view.leaders(),
        "",
        "D2' is refused, for nothing refers to it"
    );
    view.receive("B3 D2'");
    assert_eq!(view.leaders(), "B1");
}
