//! V8, D5: who holds a proof against a member carries it until it is ordered; from that commit on the
//! member leads no more, for whoever made the commit and whoever comes back to it.

use crate::common::drawing::member;
use crate::common::{Drawing, View};
use weft_consensus::{CoreConfig, Sabotage};
use weft_types::MemberSet;

/// D signs two versions of round 1. The proof is in C2, which C3 is the first committed leader to have in its
/// history.
const CONVICTED: &str = "
    leaders B A C D
    reputation
         A     B     C      D
    1    *     *     *      */3*
    2    *     *     *%D1   *
    3    *     *     *      *
    4    *     *     *      *
    5    *     *     *      *
    6    *     *     *      *
    7    *     *     *      *
    8    *     *     *      *
    9    *     *     *      *
    10   *     *     *      *
    11   *     *     *      *
";

fn set(letters: &str) -> MemberSet {
    letters.chars().map(member).collect()
}

fn convicted(view: &View) -> Vec<MemberSet> {
    view.commits.iter().map(|c| c.convicted).collect()
}

fn sabotaged(rule: Sabotage) -> View {
    let broken = |c: &mut CoreConfig| c.sabotage = Some(rule);
    Drawing::new(CONVICTED).observer().with(broken)
}

#[test]
fn v8_who_sees_two_versions_carries_the_proof_once() {
    let mut view = Drawing::new("leaders -").member('A');
    view.work(true).propose();
    view.draw("1  -  *  *  */3*").propose();
    view.draw("2  -  ABC  ABC  -");
    assert_eq!(view.propose(), Some("A3: A2 B2 C2 % D1".to_owned()));
    view.draw("3  -  ABC  ABC  -");
    let next = view.propose();
    assert_eq!(next, Some("A4: A3 B3 C3".to_owned()), "it is on its way");
}

#[test]
fn v8_who_comes_back_finds_two_versions_in_its_store() {
    let mut view = Drawing::new("leaders -").member('A');
    view.work(true).propose();
    view.draw("1  -  *  *  */3*").draw("2  -  ABCD'  ABC  -");
    view.receive("D1'");
    // The proof is in no own vertex yet.
    view.restart().work(true);
    assert!(view.status().equivocators.contains(member('D')));
    assert_eq!(view.propose(), Some("A2: A1 B1 C1 % D1".to_owned()));
}

#[test]
fn v8_a_proof_that_falls_behind_is_carried_again() {
    // A alone has the proof, and none links to what A makes.
    let mut view = Drawing::new("leaders B\n gc 4\n 1  -  *  *  */3*").member('A');
    view.work(true).propose();
    view.receive("B1 C1 D1 D1'").propose();
    let mut carried = Vec::new();
    for round in 2..12 {
        view.draw(&format!("{round}  -  BCD  BCD  BCD")).wait(2_000);
        carried.extend(view.propose().filter(|p| p.contains('%')));
    }
    assert_eq!(carried.len(), 2, "{carried:?}");
}

#[test]
fn v8_a_proof_in_anothers_vertex_is_taken_up_and_its_subject_left_out() {
    let drawn = "leaders D
         A     B     C      D
    1    -     *     *      */3*
    2    -     BCD   BCD%D1 BCD";
    let mut view = Drawing::new(drawn).member('A');
    view.work(true).propose();
    view.receive("B1 C1 D1").propose();
    view.receive("B2 C2");
    assert!(view.status().equivocators.contains(member('D')));
    assert_eq!(view.evidence(), Vec::<String>::new());
    // D2 leads, and is neither here nor waited for.
    assert_eq!(view.propose(), Some("A3: A2 B2 C2 % D1".to_owned()));
}

#[test]
fn v8_a_proof_that_waits_is_work() {
    let mut view = Drawing::new(CONVICTED).member('A');
    assert!(view.status().resting);
    view.receive("B1 C1 D1");
    assert!(view.status().resting);
    view.receive("D1'");
    assert!(!view.status().resting);
}

#[test]
fn v8_d5_from_the_commit_that_orders_the_proof_the_offender_leads_no_more() {
    let mut view = Drawing::new(CONVICTED).observer();
    view.receive("...");
    let (none, d) = (set(""), set("D"));
    assert_eq!(
        view.leaders(),
        "B1 A2 C3 A4 B5 A6 C7 A8 B9",
        "A stands in for D in rounds 4 and 8"
    );
    assert_eq!(convicted(&view)[..4], [none, none, d, d]);
    assert!(view.commits.iter().all(|c| c.demoted == c.convicted));
    assert_eq!(view.status().convicted, d);
}

#[test]
fn d5_a_conviction_that_demotes_nobody_shows() {
    let mut view = sabotaged(Sabotage::ConvictedLead);
    view.receive("...");
    assert!(view.leaders().contains("D4"), "{}", view.leaders());
    assert!(view.commits.iter().any(|c| c.demoted != c.convicted));
}

#[test]
fn d5_a_restart_knows_who_is_convicted() {
    let mut whole = Drawing::new(CONVICTED).observer();
    whole.receive("...");
    let restarted = |mut view: View| {
        for name in view.drawing.all() {
            view.receive(&name).restart();
        }
        view
    };
    let view = restarted(Drawing::new(CONVICTED).observer());
    assert_eq!(view.commits, whole.commits);
    assert!(view.status().equivocators.contains(member('D')));
    let forgetful = restarted(sabotaged(Sabotage::ConvictedForgotten));
    assert_ne!(forgetful.commits, whole.commits, "the drawing shows it");
}

#[test]
fn d5_a_later_commit_of_the_same_round_convicts_too() {
    // B4 and D4 lead one round; the proof is in C3's history alone, which D4 has and B4 has not.
    let mut view = Drawing::new(
        "
        leaders - - - BD - - - D
        reputation
             A     B     C      D
        1    *     *     *      */3*
        2    *     *     *      *
        3    *     *     *%D1   *
        4    *     ABD   *      *
        5    *     *     *      *
        6    *     *     *      *
        7    *     *     *      *
        8    *     *     *      *
        9    *     *     *      *
        10   *     *     *      *",
    )
    .observer();
    view.receive("...");
    assert_eq!(view.leaders(), "B4 D4 A8");
    assert_eq!(convicted(&view)[..2], [set(""), set("D")]);
}

#[test]
fn d5_no_more_than_f_of_stake_is_demoted_whatever_is_proven() {
    let mut view = Drawing::new(
        "
        leaders A B C D
        reputation
             A     B     C        D
        1    *     *     */3*     */3*
        2    *     *%C1%D1 *      *
        3    *     *     *        *
        4    *     *     *        *
        5    *     *     *        *
        6    *     *     *        *
        7    *     *     *        *",
    )
    .observer();
    view.receive("...");
    let last = view.commits.last().unwrap();
    assert_eq!((last.convicted, last.demoted), (set("CD"), set("C")));
}

/// Nobody signs twice.
const CARRIED: &str = "
    leaders D A B C
    reputation
         A     B     C      D
    1    *     *     *      *
    2    *     *     *      *
    3    *     *     *      *
    4    *     *     *      *
    5    *     *     *      *
    6    *     *     *      *
    7    *     *     *      *
    8    *     *     *      *
    9    *     *     *      *";

fn carrying(letters: &str, broken: Option<Sabotage>) -> View {
    let carried = |c: &mut CoreConfig| (c.convicted, c.sabotage) = (set(letters), broken);
    Drawing::new(CARRIED).observer().with(carried)
}

#[test]
fn v8_7_who_was_convicted_in_an_earlier_epoch_leads_no_round_of_this_one() {
    let mut view = carrying("D", None);
    let status = view.status();
    let d = set("D");
    assert_eq!((status.convicted, status.demoted), (d, d));
    assert!(status.equivocators.contains(member('D')));
    view.receive("...");
    assert_eq!(view.leaders(), "A1 A2 B3 C4 A5 A6 B7");
    assert!(convicted(&view).iter().all(|c| *c == d));
    assert!(view.commits.iter().all(|c| c.demoted == d));
    let mut before = carrying("", None);
    before.receive("...");
    assert_eq!(before.leaders(), "D1 A2 B3 C4 D5 A6 B7");
}

#[test]
fn v8_7_a_restart_knows_who_was_convicted_in_an_earlier_epoch() {
    let mut whole = carrying("D", None);
    whole.receive("...");
    let mut view = carrying("D", None);
    for name in view.drawing.all() {
        view.restart().receive(&name).restart();
    }
    assert_eq!(view.commits, whole.commits);
}

#[test]
fn v8_7_no_more_than_f_of_those_is_demoted() {
    let mut view = carrying("BD", None);
    view.receive("...");
    assert_eq!(view.leaders(), "D1 A2 C3 C4 D5 A6 C7");
    let last = view.commits.last().unwrap();
    assert_eq!((last.convicted, last.demoted), (set("BD"), set("B")));
}

#[test]
fn v8_7_nobody_links_to_them_or_waits_for_them() {
    let carried = |c: &mut CoreConfig| c.convicted = set("D");
    let mut view = Drawing::new(CARRIED).member('A').with(carried);
    view.work(true).propose();
    view.receive("D1 B1 C1");
    assert_eq!(view.propose(), Some("A2: A1 B1 C1".to_owned()));
}
