//! D1, D2: what makes a commit, and what does not.

use crate::common::Drawing;

/// The committed leaders once everything drawn has been received.
fn leaders(text: &str) -> String {
    let mut view = Drawing::new(text).observer();
    view.receive("...").leaders()
}

#[test]
fn d2_leaders_commit_when_a_quorum_two_rounds_above_holds_the_certificate_pattern() {
    let full = "
        leaders AB CD
             A  B  C  D
        1    *  *  *  *
        2    *  *  *  *
        3    *  *  *  *
        4    *  *  *  *
    ";
    let mut view = Drawing::new(full).observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 B3");
    assert_eq!(view.leaders(), "", "two of four hold the pattern");
    view.receive("C3");
    assert_eq!(view.leaders(), "A1 B1");
    view.receive("D3 A4 B4 C4");
    let ordered = ["A1: A1", "B1: B1", "C2: C1 D1 C2", "D2: D2"];
    assert_eq!(view.ordered(), ordered);
}

#[test]
fn d1_a_pattern_needs_votes_of_a_quorum_of_stake() {
    // N = 7, Q = 5: D and any other are a quorum, the others alone are none.
    let mut view = Drawing::new(
        "
        members A B C D=4
        leaders A -
             A  B  C  D
        1    *  *  *  *
        2    *  *  *  *
        3    *  *  *  *
        ",
    )
    .observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 B3 C3");
    assert_eq!(view.leaders(), "", "3 of 7 hold the pattern");
    view.receive("D3");
    assert_eq!(view.leaders(), "A1");
}

#[test]
fn d1_votes_for_two_versions_of_a_leader_are_not_summed() {
    let two_and_two = "
        leaders A - - - - -
             A      B     C      D
        1    */3*   *     *      *
        2    ABCD   ABCD  A'BCD  A'BCD
        3    *      *     *      *
    ";
    assert_eq!(leaders(two_and_two), "");
    let three_and_one = "
        leaders A - - - - -
             A      B     C      D
        1    */3*   *     *      *
        2    ABCD   ABCD  ABCD   A'BCD
        3    *      *     *      *
    ";
    assert_eq!(leaders(three_and_one), "A1");
}

#[test]
fn d1_a_weak_link_is_no_vote() {
    let linked_late = "
        leaders A - - - - -
             A      B     C      D
        1    *      *     *      *
        2    ABCD   ABCD  BCD    BCD
        3    *+A1   *+A1  *+A1   *+A1
        4    *      *     *      *
    ";
    assert_eq!(leaders(linked_late), "");
}

#[test]
fn d1_the_own_vertex_of_an_earlier_round_is_a_parent_without_a_vote() {
    // A3's own parent is A1, two rounds below.
    let slept = "
        leaders A - - - - -
             A      B     C      D
        1    *      *     *      *
        2    -      ABC   ABC    BCD
        3    BCD    BCD   BCD    BCD
        4    *      *     *      *
    ";
    assert_eq!(leaders(slept), "");
}

#[test]
fn d1_an_equivocator_that_votes_both_ways_counts_once_in_each_sum() {
    // A1 has the votes of A, B and of one version of D; C and the other version vote for nothing.
    let both_ways = "
        leaders A - - - - -
             A      B      C      D
        1    *      *      *      *
        2    ABCD   ABCD   BCD    ABCD/BCD
        3    ABD    ABD    ABCD'  ABCD'
        4    *      *      *      *
    ";
    // A3 and B3 hold the pattern, which is no quorum; nothing else can.
    assert_eq!(leaders(both_ways), "");
}
