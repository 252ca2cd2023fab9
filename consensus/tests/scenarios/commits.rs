//! D1, D2: the happy path.

use crate::common::Drawing;

const FULL: &str = "
    leaders AB CD
         A  B  C  D
    1    *  *  *  *
    2    *  *  *  *
    3    *  *  *  *
    4    *  *  *  *
";

#[test]
fn d2_leaders_commit_when_a_quorum_two_rounds_above_holds_the_certificate_pattern() {
    let mut view = Drawing::new(FULL).observer();
    view.receive("A1 B1 C1 D1 A2 B2 C2 D2 A3 B3");
    assert_eq!(view.leaders(), "", "two of four hold the pattern");
    view.receive("C3");
    assert_eq!(view.leaders(), "A1 B1");
    view.receive("D3 A4 B4 C4");
    assert_eq!(
        view.ordered(),
        ["A1: A1", "B1: B1", "C2: C1 D1 C2", "D2: D2"]
    );
}
