//! V5: of an equivocator's versions the first is kept, another only when something refers to it.

use crate::common::Drawing;
use weft_consensus::{CoreConfig, Sabotage};

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

/// E2 and F2 name a version of G1 each, and so do their second versions.
const LAYERS: &str = "
    members A B C D E F G H I J
    leaders -
    1  *  *  *  *  *  *  1*/2*/3*/4*  *  *  *
    2  ABCDHIJ  ABCDHIJ  ABCDHIJ  ABCDHIJ  ABCDEHIJG/ABCDEHIJG''  ABCDFHIJG'/ABCDFHIJG'''  -  ABCDHIJ  ABCDHIJ  ABCDHIJ
    3  ABCDHIJEF  ABCDHIJE'F'  ABCDHIJ  ABCDHIJ  -  -  -  ABCDHIJ  ABCDHIJ  ABCDHIJ
    4  -  -  ABCDHIJ  ABCDHIJ  -  -  -  ABCDHIJ  ABCDHIJ  ABCDHIJ
";

#[test]
fn v5_who_has_signed_once_is_linked_whatever_versions_of_others_it_brings() {
    let mut view = Drawing::new("members A B C D E F G H I J\n leaders -").member('A');
    view.work(true).propose();
    let first = "1  -  *  *  *  *  *  1*/2*  *  *  *";
    view.drawing.draw_rows(first);
    view.receive("B1 C1 D1 E1 F1 H1 I1").propose();
    let all = "ABCDHIJ  ABCDHIJ  ABCDHIJ";
    let second = format!("2  -  {all}  ABCDEHIJG  ABCDFHIJG'  -  {all}");
    view.drawing.draw_rows(&second);
    view.receive("J1 E2 G1 F2 G1' B2 C2 D2 H2");
    assert_eq!(view.evidence(), ["G1 G1'"]);
    let next = view.propose();
    assert_eq!(next, Some("A3: A2 B2 C2 D2 E2 F2 H2 % G1".to_owned()));
}

#[test]
fn v5_what_others_have_linked_is_taken_with_all_versions_below() {
    // A and B have linked different versions of E2 and F2, neither knowing of the other's.
    let mut view = Drawing::new(LAYERS).observer();
    view.receive("...").receive("...");
    let status = view.status();
    assert_eq!(status.versions, 3 + 1 + 1, "of G1, of E2 and of F2");
    assert_eq!((status.suspended, status.missing), (0, 0));
    let first_only = |c: &mut CoreConfig| c.sabotage = Some(Sabotage::FirstVersionOnly);
    let mut view = Drawing::new(LAYERS).observer().with(first_only);
    view.receive("...").receive("...");
    assert_eq!(view.status().versions, 0, "the drawing shows it");
}

#[test]
fn v5_versions_go_with_their_rounds() {
    let rows = "
        leaders A
        gc 4
        1  *  */3*  *      *
        2  *  *     AB'CD  *";
    let mut view = Drawing::new(rows).observer();
    view.receive("...");
    assert_eq!(view.status().versions, 1);
    for round in 3..10 {
        view.draw(&format!("{round}  *  *  *  *"));
    }
    assert!(view.status().floor.0 > 1);
    assert_eq!(view.status().versions, 0);
}
