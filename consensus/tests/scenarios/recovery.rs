//! Restarts: a core goes on from what was stored, and never signs a round twice.

use crate::common::{Drawing, View};
use weft_consensus::{Input, LastCommit, Recovered};
use weft_types::{Millis, Round};

const ROWS: &str = "
    leaders AB
         A     B     C     D
    1    *     *     *     *
    2    *     *     *     *
    3    *     *     *     *
    4    *     *     *     *
    5    *     *     *     *
";

fn expected() -> Vec<String> {
    Drawing::new(ROWS).observer().receive("...").ordered()
}

#[test]
fn a_restart_after_each_vertex_changes_nothing() {
    let mut view = Drawing::new(ROWS).observer();
    for name in view.drawing.all() {
        view.receive(&name).restart();
    }
    assert_eq!(view.ordered(), expected());
}

#[test]
fn commits_that_were_not_stored_come_again_at_the_first_call() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("...");
    view.commits.truncate(2);
    view.restart();
    assert_eq!(view.deadline(), Some(0));
    assert_eq!(view.wait(0).ordered(), expected());
}

#[test]
fn what_was_output_is_not_output_again_even_if_its_vertices_were_lost() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 B3 C3 D3");
    let commits = view.ordered().len();
    assert!(commits > 0);
    view.stored.retain(|v| v.round() != Round(1));
    view.restart();
    assert_eq!(view.status().vertices, 4, "all else waits for round 1");
    view.receive("...").receive("...");
    assert_eq!(view.ordered(), expected());
}

/// Member A, which has proposed in rounds 1 and 2.
fn two_rounds() -> View {
    let mut view = Drawing::new("leaders -").member('A');
    view.work(true).propose();
    view.draw("1  -  *  *  *");
    view.propose();
    view
}

#[test]
fn v3_a_restarted_member_goes_on_above_its_last_vertex() {
    let mut view = two_rounds();
    view.restart().work(true);
    assert_eq!(view.propose(), None, "A2 is made");
    assert_eq!(view.wait(100).relays()[0], "A2 to B", "and sent again");
    view.draw("2  -  *  *  *");
    assert_eq!(view.propose().unwrap(), "A3: A2 B2 C2");
}

#[test]
fn v3_no_round_is_signed_that_the_guard_has_let_pass() {
    let mut view = two_rounds();
    let recovered = Recovered {
        vertices: view.stored.clone(),
        own: view
            .stored
            .iter()
            .find(|v| v.round() == Round(1) && v.author().0 == 0)
            .cloned(),
        signed: Some(Round(4)),
        ..Recovered::fresh(LastCommit::genesis(Millis(500)))
    };
    view.restart_from(recovered).work(true);
    view.draw("2  -  *  *  *\n 3  -  BCD  BCD  BCD");
    assert_eq!(view.wait(5_000).propose(), None, "round 4 may be signed");
    view.draw("4  -  BCD  BCD  BCD");
    assert_eq!(view.propose().unwrap(), "A5: A2 B4 C4 D4");
}

#[test]
fn s1_a_member_proposes_nothing_before_it_knows_what_it_has_signed() {
    let mut view = two_rounds();
    view.restart_from(Recovered {
        signed: None,
        ..Recovered::fresh(LastCommit::genesis(Millis(500)))
    });
    view.work(true);
    assert_eq!(view.wait(5_000).propose(), None, "not even round 1");
    view.receive("A1 B1 C1 D1").draw("2  -  *  *  *");
    assert_eq!(view.wait(5_000).propose(), None, "it goes on to follow");
    assert_eq!(view.signed(3).propose(), None, "round 3 may be signed");
    view.draw("3  -  BCD  BCD  BCD");
    assert_eq!(view.propose().unwrap(), "A4: A1 B3 C3 D3");
}

#[test]
fn v3_an_own_vertex_that_others_show_is_taken_over() {
    // The store is gone; B still has A1 and A2.
    let mut view = two_rounds();
    view.restart_from(Recovered::fresh(LastCommit::genesis(Millis(500))));
    view.receive_from('B', "A2");
    assert_eq!(
        view.status().own_round,
        Round(2),
        "before its history is here"
    );
    view.receive("B1 C1 D1").receive_from('B', "A1");
    assert_eq!(view.propose(), None);
    view.work(true).draw("2  -  *  *  *");
    assert_eq!(view.propose().unwrap(), "A3: A2 B2 C2");
}

#[test]
fn s1_7_an_own_vertex_that_was_not_made_here_is_told_and_one_that_was_is_not() {
    let mut view = two_rounds();
    view.elsewhere();
    view.restart();
    view.receive_from('B', "A1").receive_from('C', "A2");
    assert_eq!(view.elsewhere(), [""; 0], "they are in the store");
    view.restart_from(Recovered::fresh(LastCommit::genesis(Millis(500))));
    view.receive_from('B', "A2");
    assert_eq!(view.elsewhere(), ["2"]);
    view.receive("B1 C1 D1").receive_from('C', "A1");
    assert_eq!(view.elsewhere(), ["1"]);
    view.receive_from('C', "A1 A2");
    assert_eq!(view.elsewhere(), [""; 0], "they are in the DAG now");
}

#[test]
fn s1_7_a_member_in_doubt_proposes_nothing_until_it_knows_what_it_has_signed() {
    let mut view = two_rounds();
    view.restart().work(true);
    view.handle(Input::Doubt);
    view.draw("2  -  *  *  *");
    assert_eq!(view.wait(5_000).propose(), None);
    view.draw("3  -  BCD  BCD  BCD");
    assert_eq!(view.wait(5_000).propose(), None);
    assert_eq!(view.signed(3).propose().unwrap(), "A4: A2 B3 C3 D3");
}

#[test]
fn a_member_without_a_store_starts_from_a_commit_alone() {
    let mut view = Drawing::new(&ROWS.replace("leaders AB", "gc 3\n leaders A")).observer();
    view.receive("...");
    let whole = view.ordered();
    assert_eq!(whole.len(), 3);
    let mut late = Drawing::new(&ROWS.replace("leaders AB", "gc 3\n leaders A")).observer();
    late.commits = view.commits[..2].to_vec();
    late.restart();
    assert_eq!(late.status().floor, Round(0));
    late.receive("...");
    assert_eq!(late.ordered(), whole);
}
