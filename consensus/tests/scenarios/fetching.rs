//! V4: asking for what is missing. The core is member A of four, or an observer.

use crate::common::Drawing;
use weft_types::Round;

const ROWS: &str = "
    leaders -
         A     B     C     D
    1    *     *     *     *
    2    *     *     *     *
    3    *     *     *     *
    4    *     *     *     *
";

/// Whom a request is to, and for what: `#1 C: A1 B1` is `C: A1 B1`.
fn bare(requests: Vec<String>) -> Vec<String> {
    let bare = |r: String| r.split_once(' ').unwrap().1.to_owned();
    requests.into_iter().map(bare).collect()
}

#[test]
fn v4_the_sender_is_asked_first_for_all_in_one_request() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("C1 D1").receive_from('B', "C2");
    assert!(view.fetches().is_empty(), "they may be on their way");
    assert_eq!(view.deadline(), Some(5));
    assert_eq!(view.wait(5).fetches(), ["#1 B: A1 B1"]);
}

#[test]
fn v4_what_arrives_by_itself_is_not_asked_for() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("B1 C1 D1 C2").wait(4).receive("A1").wait(5);
    assert!(view.fetches().is_empty());
    assert_eq!(view.deadline(), None);
}

#[test]
fn v4_a_request_that_fails_goes_to_another_member_and_after_all_there_is_a_pause() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("B1 C1 D1").receive_from('B', "C2").wait(5);
    let mut asked = bare(view.fetches());
    for id in 1..4 {
        view.fetch_ended(id);
        asked.extend(bare(view.fetches()));
    }
    assert_eq!(
        asked[..2],
        ["B: A1", "C: A1"],
        "the sender, then the author that links to it"
    );
    asked.sort();
    assert_eq!(asked, ["A: A1", "B: A1", "C: A1", "D: A1"]);
    view.fetch_ended(4);
    assert!(view.fetches().is_empty());
    assert_eq!(view.deadline(), Some(250));
    assert_eq!(bare(view.wait(250).fetches()), ["B: A1"]);
}

#[test]
fn v4_a_request_without_an_answer_times_out() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("B1 C1 D1 C2").wait(5);
    assert_eq!(view.fetches(), ["#1 C: A1"]);
    assert_eq!(
        view.deadline(),
        Some(187),
        "nothing is known of how long answers take"
    );
    view.wait(187);
    assert_eq!(view.fetches(), [""; 0], "nobody else has shown it");
    view.receive("B2").wait(5);
    assert_eq!(bare(view.fetches()), ["B: A1"]);
    assert_eq!(view.wait(500).fetches().len(), 1, "and everybody then");
}

#[test]
fn v4_an_answer_that_was_cut_off_is_continued_with_the_same_member() {
    let mut view = Drawing::new(ROWS).observer();
    view.receive("D1 C2").wait(5);
    assert_eq!(view.fetches(), ["#1 C: A1 B1 C1"]);
    view.receive_from('C', "A1").fetch_ended(1);
    assert_eq!(view.fetches(), ["#2 C: B1 C1"]);
    view.receive_from('C', "B1 C1").fetch_ended(2);
    assert_eq!(view.status().missing, 0);
    assert_eq!(view.deadline(), None);
}

#[test]
fn v4_requests_are_bounded_in_size_and_in_number() {
    let mut view = Drawing::new(ROWS).observer().with(|config| {
        config.limits.fetch_vertices_max = 2;
        config.limits.fetches_per_member = 1;
    });
    view.receive("C2 D2").wait(5);
    let requests = bare(view.fetches());
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], "C: A1 B1");
    assert!(requests[1].ends_with(": C1 D1"), "C is busy: {requests:?}");
}

#[test]
fn v4_a_member_never_asks_itself() {
    let mut view = Drawing::new("1 - * * *\n 2 - BCD BCD BCD").member('A');
    view.receive("B1 C1 B2 C2").wait(5);
    let mut asked = bare(view.fetches());
    for id in 1..3 {
        view.fetch_ended(id);
        asked.extend(bare(view.fetches()));
    }
    asked.sort();
    assert_eq!(asked, ["B: D1", "C: D1", "D: D1"]);
}

/// Fourteen full rounds.
fn long() -> Drawing {
    let rows: Vec<String> = (1..=14).map(|r| format!("{r}  *  *  *  *")).collect();
    Drawing::new(&format!("leaders A\n{}", rows.join("\n")))
}

#[test]
fn a_member_far_behind_asks_for_whole_rounds_upwards() {
    let mut view = long().observer();
    view.receive("D14");
    assert_eq!(view.status().behind, None, "one of four proves nothing");
    view.receive("B12");
    assert_eq!(view.status().behind, Some(Round(12)), "F+1 are there");
    assert_eq!(view.fetches(), ["#1 B: rounds 0..250"]);
    view.receive_from('B', "A1 B1 C1 D1 A2 B2 C2 D2 A3")
        .fetch_ended(1);
    assert_eq!(
        view.fetches(),
        ["#2 B: rounds 2..252"],
        "where the answer was cut off"
    );
    view.fetch_ended(2);
    let other = view.fetches();
    assert_eq!(other, ["#3 D: rounds 2..252"], "B had nothing more");
    view.receive_from('D', "B3 C3 D3 A4 B4 C4 D4 A5 B5 C5 D5 A6 B6 C6 D6")
        .fetch_ended(3);
    assert_eq!(view.status().behind, None);
    assert_eq!(view.leaders(), "A1 A2 A3 A4");
}

#[test]
fn a_member_far_behind_does_not_propose() {
    let rows: Vec<String> = (1..=14).map(|r| format!("{r}  -  BCD  BCD  BCD")).collect();
    let mut view = Drawing::new(&format!("leaders B\n{}", rows.join("\n"))).member('A');
    view.propose();
    view.work(true).receive("B14 C13 B1 C1 D1");
    assert_eq!(view.propose(), None);
    view.receive("...");
    assert_eq!(
        view.propose().unwrap(),
        "A8: A1 B7 C7 D7",
        "six rounds below F+1 of stake"
    );
    assert_eq!(view.propose().unwrap(), "A15: A8 B14 C14 D14");
}

#[test]
fn what_is_above_the_window_is_not_kept() {
    let mut view = long().observer().with(|config| {
        config.limits.window = 10;
        config.limits.fetch_rounds_max = 10;
    });
    view.receive("B11 C11 D14 C10");
    assert_eq!(view.status().suspended, 1, "C10 alone is within ten rounds");
    assert_eq!(view.status().behind, Some(Round(11)));
}

#[test]
fn while_catching_up_single_vertices_are_asked_for_from_below_only() {
    let mut view = long().observer();
    view.receive("B12 C12").wait(5);
    let requests = bare(view.fetches());
    assert!(
        requests.iter().all(|r| r.contains("rounds")),
        "{requests:?}"
    );
}
