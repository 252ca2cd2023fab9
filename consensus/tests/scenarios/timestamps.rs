//! V6: timestamps ahead of the clock wait, those that go back are not taken. Neither binds others.

use crate::common::Drawing;

#[test]
fn v6_a_timestamp_far_ahead_waits_until_the_clock_is_near() {
    let mut view = Drawing::new("1  *@100500  *@100700  *@999999  *").observer();
    view.receive("...");
    assert_eq!(
        view.accepted(),
        "A1 D1",
        "half a second ahead is near enough"
    );
    assert_eq!(view.deadline(), Some(200));
    view.wait(199);
    assert_eq!(view.accepted(), "");
    view.wait(1);
    assert_eq!(view.accepted(), "B1");
    view.wait(300);
    assert_eq!(view.accepted(), "C1", "the wait is bounded");
    assert_eq!(view.deadline(), None);
}

#[test]
fn v6_what_others_refer_to_does_not_wait() {
    let mut view = Drawing::new(
        "
             A     B     C     D
        1    *     *     *     *@999999
        2    ABCD  -     -     -
        ",
    )
    .observer();
    view.receive("A1 B1 C1 D1");
    assert_eq!(view.accepted(), "A1 B1 C1");
    view.receive("A2");
    assert_eq!(view.accepted(), "D1 A2");
    let mut again = Drawing::new("1  *  *  *  *@999999\n 2  *  -  -  -").observer();
    again.receive("A1 B1 C1 A2 D1");
    assert_eq!(again.accepted(), "A1 B1 C1 D1 A2");
}

#[test]
fn v6_a_clock_that_is_behind_the_commits_does_not_keep_others_out() {
    let mut view = Drawing::new(
        "
        leaders - A - - - -
             A          B          C          D
        1    *@100400   *@100400   *@100400   *@100400
        2    *@100410   *@100410   *@100410   *@100410
        3    *@100420   *@100420   *@100420   *@100420
        4    *@100430   *@100430   *@100430   *@100430
        5    *@100890   -          -          -
        ",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.leaders(), "A2");
    assert!(
        view.accepted().contains("A5"),
        "100,890 is near the commit's 100,400"
    );
}

#[test]
fn v6_a_timestamp_behind_the_authors_previous_one_is_not_taken() {
    let text = "
             A     B     C     D
        1    *     *     *     *@2000
        2    ABCD  *     *     *@1999
        3    ABCD  -     -     -
    ";
    let mut view = Drawing::new(text).observer();
    view.receive("A1 B1 C1 D1 D2 A2 B2 C2");
    assert_eq!(view.accepted(), "A1 B1 C1 D1 A2 B2 C2");
    view.receive("A3");
    assert_eq!(view.accepted(), "");
    view.receive("D2");
    assert_eq!(
        view.accepted(),
        "D2 A3",
        "unless another vertex refers to it"
    );
}
