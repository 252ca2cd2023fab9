//! O1 to O3: what a commit brings, in which order, at which time.

use crate::common::Drawing;
use weft_types::Millis;

#[test]
fn o1_a_leader_brings_its_history_in_order_of_round_and_author() {
    let mut view = Drawing::new(
        "
        leaders - - - C - -
             A      B      C      D
        1    *      *      *      *
        2    *      BCD    *      -
        3    ABC    ABC    ABC    -
        4    ABC    ABC    ABC+D1 -
        5    *      *      *      -
        6    *      *      *      -
        ",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.ordered(), ["C4: A1 B1 C1 D1 A2 B2 C2 A3 B3 C3 C4"]);
}

#[test]
fn o1_versions_of_an_equivocator_are_all_output_in_order_of_their_digests() {
    let mut view = Drawing::new(
        "
        leaders - B - -
             A      B       C      D
        1    *      *       *      */3*
        2    *      ABCD'   *      *
        3    *      *       *      *
        4    *      *       *      *
        ",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.ordered(), ["B2: A1 B1 C1 D1' B2"]);
    let mut view = Drawing::new(
        "
        leaders - - B - - -
             A      B       C      D
        1    *      *       *      */3*
        2    ABCD'  ABCD    *      *
        3    *      *       *      *
        4    *      *       *      *
        5    *      *       *      *
        ",
    )
    .observer();
    view.receive("...");
    let digest = |name| view.drawing.vertex(name).digest();
    let versions = if digest("D1") < digest("D1'") {
        "D1 D1'"
    } else {
        "D1' D1"
    };
    let expected = format!("B3: A1 B1 C1 {versions} A2 B2 C2 D2 B3");
    assert_eq!(view.ordered(), [expected]);
}

/// D1 is linked by C4 alone, and C4 is in the history of the leader B5.
fn late_link(gc: u64) -> Vec<String> {
    let text = format!(
        "
        gc {gc}
        leaders - - - - B - -
             A      B      C      D
        1    *      *      *      *
        2    ABC    ABC    ABC    -
        3    *      *      *      -
        4    *      *      *+D1   -
        5    *      *      *      -
        6    *      *      *      -
        7    *      *      *      -
        "
    );
    Drawing::new(&text).observer().receive("...").ordered()
}

#[test]
fn o2_the_gc_round_is_the_leaders_less_the_depth() {
    let whole = "B5: A1 B1 C1 D1 A2 B2 C2 A3 B3 C3 A4 B4 C4 B5";
    assert_eq!(late_link(5), [whole], "the GC round is 0");
    let from_two = "B5: A2 B2 C2 A3 B3 C3 A4 B4 C4 B5";
    assert_eq!(late_link(4), [from_two], "the GC round is 1");
}

#[test]
fn o3_the_timestamp_is_the_stake_weighted_median_of_the_leaders_parents() {
    let timestamp = |members: &str| {
        let text = format!(
            "
            members {members}
            leaders - A - -
                 A      B      C       D
            1    *@700  *@800  *@900   *@90000
            2    *      *      *       *@90000
            3    *      *      *       *@90000
            4    *      *      *       *@90000
            "
        );
        let mut view = Drawing::new(&text).observer();
        view.receive("...");
        view.commits[0].timestamp
    };
    assert_eq!(timestamp("A B C D"), Millis(800), "lower of the middle two");
    assert_eq!(timestamp("A=1 B=1 C=3 D=2"), Millis(900));
    assert_eq!(timestamp("A=5 B=1 C=1 D=2"), Millis(700));
}

#[test]
fn o3_time_never_goes_back() {
    // The medians are 3,000 and 1,000.
    let mut view = Drawing::new(
        "
        leaders - A B - -
             A          B          C          D
        1    *@3000     *@1000     *@1000     *@3000
        2    ABD@3000   *@1000     *@1000     *@3000
        3    *@3000     ABC@1000   *@1000     *@3000
        4    *@3000     *@1000     *@1000     *@3000
        5    *@3000     *@1000     *@1000     *@3000
        ",
    )
    .observer();
    view.receive("...");
    let times: Vec<u64> = view.commits.iter().map(|c| c.timestamp.0).collect();
    assert_eq!(times, [3000, 3000]);
}

#[test]
fn o3_the_first_commit_is_not_before_the_ledgers_start() {
    // The voting parents of round 1 are of round 0 and have no time of their own.
    let mut view = Drawing::new(
        "
        leaders A - -
             A  B  C  D
        1    *  *  *  *
        2    *  *  *  *
        3    *  *  *  *
        ",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.commits[0].timestamp, Millis(500));
}
