//! V4: a vertex is accepted after its whole history above the GC round.

use crate::common::Drawing;

#[test]
fn v4_a_vertex_waits_for_all_of_its_links() {
    let mut view = Drawing::new(
        "
        leaders -
             A     B     C     D
        1    *     *     *     *
        2    ABC   -     -     -
        3    -     -     -     -
        ",
    )
    .observer();
    view.receive("A2 A1 B1 D1");
    assert_eq!(view.accepted(), "A1 B1 D1");
    assert_eq!(view.status().suspended, 1);
    view.receive("C1");
    assert_eq!(view.accepted(), "C1 A2");
    assert_eq!(view.status().suspended_bytes, 0);
}

#[test]
fn v4_a_chain_of_waiting_vertices_is_accepted_from_below() {
    let mut view = Drawing::new(
        "
        leaders -
             A     B     C     D
        1    *     *     *     *
        2    *     *     *     *
        3    *     *     *     *
        ",
    )
    .observer();
    view.receive("A3 B3 A2 B2 C2 D2 B1 C1 D1");
    assert_eq!(view.accepted(), "B1 C1 D1");
    view.receive("A1");
    let accepted = view.accepted();
    let mut names: Vec<&str> = accepted.split(' ').collect();
    assert_eq!(names[0], "A1");
    let round = |name: &&str| name[1..].to_owned();
    assert!(names.last().unwrap().ends_with('3'));
    names.sort_by_key(round);
    assert_eq!(names.len(), 7, "{accepted}");
}

#[test]
fn v4_links_out_of_reach_are_not_waited_for() {
    // With depth 4, what A5 brings comes with a leader of round 5 at least, whose GC round is 1.
    let text = "
        gc 4
        leaders - - - - - -
             A      B      C      D
        1    *      *      *      *
        2    ABC    ABC    ABC    -
        3    *      *      *      -
        4    *      *      *+D1   -
        5    ABC    ABC    ABC    -
    ";
    let mut view = Drawing::new(text).observer();
    view.receive("A1 B1 C1 A2 B2 C2 A3 B3 C3 A4 B4 C4");
    assert!(!view.accepted().contains("C4"), "D1 is within reach of C4");
    let text = text
        .replace("*+D1", "*")
        .replace("5    ABC ", "5    ABC+D1 ");
    let mut view = Drawing::new(&text).observer();
    view.receive("A1 B1 C1 A2 B2 C2 A3 B3 C3 A4 B4 C4 A5");
    assert!(
        view.accepted().ends_with("C4 A5"),
        "D1 is out of reach of A5"
    );
}

#[test]
fn v4_what_waits_for_a_lost_vertex_is_accepted_when_the_gc_round_gets_there() {
    let mut view = Drawing::new(
        "
        members A B C D E F G
        gc 4
        leaders - - A A A A A A A
             A      B      C        D      E      F      G
        1    *      *      *        *      *      *      *
        2    ABCDEF ABCDEF ABCDEF   ABCDEF ABCDEF ABCDEF -
        3    *      *      *        *      *      *      -
        4    *      *      *+G1     *      *      *      -
        5    ABDEF  ABDEF  ABDEF    ABDEF  ABDEF  ABDEF  -
        6    ABDEF  ABDEF  -        ABDEF  ABDEF  ABDEF  -
        7    ABDEF  ABDEF  -        ABDEF  ABDEF  ABDEF  -
        ",
    )
    .observer();
    let lost = |name: &String| name != "G1";
    let names: Vec<String> = view.drawing.all().into_iter().filter(lost).collect();
    view.receive(&names.join(" "));
    let accepted = view.accepted();
    assert_eq!(view.status().floor.0, 2);
    assert!(accepted.ends_with("C4 C5"), "{accepted}");
    assert_eq!(view.status().suspended, 0);
}

#[test]
fn o2_vertices_below_the_gc_floor_are_dropped() {
    let mut view = Drawing::new(
        "
        gc 3
        leaders A
             A     B     C     D
        1    *     *     *     *
        2    ABC   ABC   ABC   -
        3    *     *     *     -
        4    *     *     *     -
        5    *     *     *     -
        6    *     *     *     -
        ",
    )
    .observer();
    view.receive("A1 B1 C1 A2 B2 C2 A3 B3 C3 A4 B4 C4 A5 B5 C5 A6 B6 C6");
    assert_eq!(view.leaders(), "A1 A2 A3 A4");
    assert_eq!(view.status().floor.0, 2);
    view.accepted();
    view.receive("D1");
    assert_eq!(view.accepted(), "", "D1 can no longer be output");
    assert_eq!(view.status().vertices, 15);
}
