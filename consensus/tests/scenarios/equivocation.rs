//! V5: of an equivocator's versions the first is kept, another only when something refers to it.

use crate::common::Drawing;

const TWO_VERSIONS: &str = "
    leaders -
         A     B       C     D
    1    *     */3*    *     *
    2    ABC   ABC/3ABC  AB'C  ABC
    3    *     *       *     *
";

#[test]
fn v5_the_first_version_is_kept_and_one_pair_shown_as_evidence() {
    let mut view = Drawing::new(TWO_VERSIONS).observer();
    view.receive("B1' B1 A1 C1 D1");
    assert_eq!(view.accepted(), "B1' A1 C1 D1");
    assert_eq!(view.evidence(), ["B1' B1"]);
    view.receive("B1 B1' B2 B2'");
    assert_eq!(view.evidence(), Vec::<String>::new(), "one pair is enough");
    assert!(
        view.status()
            .equivocators
            .contains(weft_types::MemberIndex(1))
    );
}

#[test]
fn v5_another_version_is_taken_when_a_vertex_refers_to_it() {
    let mut view = Drawing::new(TWO_VERSIONS).observer();
    view.receive("A1 B1 C1 C2");
    assert_eq!(view.accepted(), "A1 B1 C1");
    view.receive("B1'");
    assert_eq!(view.accepted(), "B1' C2");
    assert_eq!(view.evidence(), ["B1 B1'"]);
}

#[test]
fn v5_versions_that_still_wait_are_evidence_too() {
    let mut view = Drawing::new(TWO_VERSIONS).observer();
    view.receive("B2 B2'");
    assert_eq!(view.evidence(), ["B2 B2'"]);
    assert_eq!(view.status().suspended, 1);
}

#[test]
fn v5_the_same_vertex_twice_is_no_evidence() {
    let mut view = Drawing::new(TWO_VERSIONS).observer();
    view.receive("A1 A1")
        .receive_from('B', "A1")
        .receive("B2 B2");
    assert_eq!(view.evidence(), Vec::<String>::new());
    assert_eq!(view.accepted(), "A1");
}

#[test]
fn v5_a_flood_of_versions_costs_nothing() {
    let cells: Vec<String> = (1..=9).map(|i| format!("{i}*")).collect();
    let text = format!("leaders -\n 1  *  {}  *  *", cells.join("/"));
    let mut view = Drawing::new(&text).observer();
    view.receive("...");
    let status = view.status();
    assert_eq!(status.vertices, 4 + 4, "round 0 and one vertex each");
    assert_eq!((status.suspended, status.missing), (0, 0));
}
