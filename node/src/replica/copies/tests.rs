use super::*;

const ONE: ProcessId = ProcessId(1);
const TWO: ProcessId = ProcessId(2);
const THREE: ProcessId = ProcessId(3);

#[test]
fn s1_9_two_processes_with_one_key_are_told_of_each_other_and_one_alone_of_nobody() {
    let mut askers = Askers::default();
    assert!(!askers.asked(7, ONE, Millis(0)));
    assert!(!askers.asked(7, ONE, Millis(500)), "the same again");
    assert!(!askers.asked(8, TWO, Millis(600)), "another member's");
    assert!(askers.asked(7, TWO, Millis(900)));
    assert!(askers.asked(7, ONE, Millis(1_000)), "the first as well");
}

#[test]
fn s1_9_each_of_three_is_told_and_none_is_forgotten_that_goes_on_to_ask() {
    let mut askers = Askers::default();
    for (at, by) in [(0, ONE), (10, TWO), (20, THREE)] {
        assert_eq!(askers.asked(7, by, Millis(at)), at > 0);
    }
    for (at, by) in [(1_000, ONE), (1_010, TWO), (1_020, THREE)] {
        assert!(askers.asked(7, by, Millis(at)), "{by:?}");
    }
}

#[test]
fn s1_9_who_has_not_asked_for_a_while_is_forgotten() {
    let mut askers = Askers::default();
    askers.asked(7, ONE, Millis(0));
    assert!(askers.asked(7, TWO, Millis(REMEMBERED - 1)));
    assert!(!askers.asked(7, TWO, Millis(REMEMBERED)));
    for member in 0..1_000 {
        askers.asked(member, ONE, Millis(10 * REMEMBERED));
    }
    askers.asked(0, ONE, Millis(11 * REMEMBERED));
    assert_eq!(askers.of.len(), 1, "bounded by who asks within that time");
}

#[test]
fn s1_9_an_answer_is_good_for_a_while_and_an_older_one_takes_nothing_back() {
    let mut heard = Heard::default();
    assert!(!heard.is_clear(Millis(0), Millis(0)));
    heard.answered(Millis(100), false);
    assert!(heard.is_clear(Millis(100), Millis(100 + FRESH)));
    assert!(!heard.is_clear(Millis(101), Millis(101)), "asked before");
    assert!(!heard.is_clear(Millis(0), Millis(101 + FRESH)));
    heard.answered(Millis(300), true);
    heard.answered(Millis(200), false);
    assert!(!heard.is_clear(Millis(0), Millis(300)));
    assert!(heard.tells_of_another(Millis(300)));
    assert!(!heard.tells_of_another(Millis(301 + REMEMBERED)));
}
