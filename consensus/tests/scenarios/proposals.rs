//! V2, R1: when a member proposes, and what its vertex links to. The core is member A; it is given
//! work, so that it never rests.

use crate::common::drawing::share;
use crate::common::view::sign;
use crate::common::{Drawing, View};
use weft_consensus::{Input, Sabotage};

fn busy(leaders: &str) -> View {
    let mut view = Drawing::new(&format!("leaders {leaders}")).member('A');
    view.work(true);
    view
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn r1_the_first_proposal_comes_at_once_and_links_to_all_of_round_zero() {
    let mut view = busy("-");
    assert_eq!(view.propose(), some("A1: A0 B0 C0 D0"));
    assert_eq!(view.propose(), None, "one vertex is no quorum");
}

#[test]
fn r1a_a_quorum_of_the_round_is_needed() {
    let mut view = busy("-");
    view.propose();
    view.draw("1  -  *  -  -");
    assert_eq!(view.wait(10_000).propose(), None);
    view.draw("1  -  -  *  -");
    assert_eq!(view.propose(), some("A2: A1 B1 C1"));
}

#[test]
fn r1b_the_rounds_leaders_are_waited_for_until_the_timeout() {
    let mut view = busy("BD");
    view.propose();
    view.draw("1  -  *  *  -");
    assert_eq!(view.propose(), None, "D1 leads and is not here");
    assert_eq!(view.deadline(), Some(50));
    assert_eq!(view.wait(49).propose(), None);
    assert_eq!(view.wait(1).propose(), some("A2: A1 B1 C1"));
    let mut view = busy("BD");
    view.propose();
    view.draw("1  -  *  *  -").draw("1  -  -  -  *");
    assert_eq!(view.propose(), some("A2: A1 B1 C1 D1"));
}

#[test]
fn r1c_votes_or_a_proof_of_skip_are_waited_for_until_the_timeout() {
    let second = |rows: &str| {
        let mut view = busy("D - -");
        view.propose();
        view.draw("1  -  *  *  *");
        view.propose();
        view.draw(rows);
        view
    };
    let mut view = second("2  -  ABD  ABC  -");
    assert_eq!(view.propose(), None, "two votes, one blank");
    assert_eq!(view.wait(49).propose(), None);
    assert_eq!(view.wait(1).propose(), some("A3: A2 B2 C2"));
    let mut view = second("2  -  ABD  ACD  -");
    assert_eq!(view.propose(), some("A3: A2 B2 C2"), "three votes");
    let mut view = busy("D - -");
    view.propose();
    view.draw("1  -  *  *  -");
    view.wait(50).propose();
    view.draw("2  -  *  *  -");
    assert_eq!(view.propose(), some("A3: A2 B2 C2"), "three blanks");
}

#[test]
fn r1_an_absent_leader_costs_one_timeout_until_it_is_back() {
    let mut view = busy("D");
    view.propose();
    view.draw("1  -  *  *  -");
    assert_eq!(view.wait(50).propose(), some("A2: A1 B1 C1"));
    view.draw("2  -  *  *  -");
    assert_eq!(view.propose(), some("A3: A2 B2 C2"), "D is not waited for");
    view.draw("3  -  *  *  -");
    view.propose();
    view.draw("3  -  -  -  ABC");
    view.draw("4  -  *  *  *");
    assert_eq!(view.propose(), some("A5: A4 B4 C4"), "D3 was late");
    view.draw("5  -  *  *  -");
    assert_eq!(view.propose(), None, "D4 was in time");
}

#[test]
fn r1_an_equivocator_is_not_waited_for() {
    let mut view = busy("D");
    view.propose();
    view.draw("1  -  *  *  */3*");
    assert_eq!(view.evidence().len(), 1);
    view.propose();
    view.draw("2  -  ABC  ABCD  -");
    assert_eq!(view.propose(), some("A3: A2 B2 C2 % D1"));
}

#[test]
fn r1d_known_equivocators_are_left_out_unless_the_timeout_passes_without_a_quorum_of_others() {
    let mut view = busy("-");
    view.propose();
    view.draw("1  -  *  *  */3*");
    assert_eq!(
        view.propose(),
        some("A2: A1 B1 C1"),
        "asked for before D1 came"
    );
    view.draw("2  -  ABC  -  ABC");
    assert_eq!(view.propose(), None, "D2 makes the quorum");
    assert_eq!(view.wait(50).propose(), some("A3: A2 B2 D2 % D1"));
    view.draw("3  -  *  *  *");
    assert_eq!(view.propose(), some("A4: A3 B3 C3"));
}

#[test]
fn r1d_equivocators_that_are_quick_do_not_have_slow_members_left_out() {
    let mut view = Drawing::new("members A B C D E F G\nleaders -").member('A');
    view.work(true).propose();
    view.draw("1  -  *  *  *  *  */3*  */3*").propose();
    for round in 2..7 {
        view.wait(200);
        view.draw(&format!("{round}  -  ABCDE  ABCDE  ABCDE  ABCDE  -  -"));
        assert!(view.propose().is_some());
    }
    view.draw("7  -  ABCDE  ABCDE  -  -  ABCDE  ABCDE");
    assert_eq!(view.status().quorum_round.0, 7);
    assert!(view.status().leader_timeout.0 < 70);
    view.wait(100);
    assert_eq!(view.propose(), None, "beyond the time-out");
    view.draw("7  -  -  -  ABCDE  ABCDE  -  -");
    assert_eq!(view.propose(), some("A8: A7 B7 C7 D7 E7"));
    // Without the slow ones it goes on with whom it has, after some turns.
    view.draw("8  -  ABCDE  ABCDE  -  -  ABCDE  ABCDE");
    view.wait(100);
    assert_eq!(view.propose(), None);
    view.wait(2_000);
    assert_eq!(view.propose(), some("A9: A8 B8 C8 F8 G8"));
}

#[test]
fn r1d_who_is_late_signs_the_round_that_the_others_are_in() {
    // Else it would never be in the round in which the others wait for it.
    let mut view = Drawing::new("members A B C D E F G\nleaders -").member('A');
    view.work(true).propose();
    view.draw("1  -  *  *  *  *  */3*  */3*");
    view.propose();
    view.draw("2  -  ABCFG  ABCFG  -  -  ABCFG  ABCFG");
    assert_eq!(view.propose(), None);
    view.draw("3  -  ABCFG  ABCFG  ABCFG  -  ABCFG  ABCFG");
    assert_eq!(view.status().quorum_round.0, 3);
    assert_eq!(view.propose(), some("A3: A2 B2 C2 F2 G2 % F1 G1"));
    assert_eq!(
        view.propose(),
        None,
        "now B, C, D and A are there, and E is not"
    );
}

#[test]
fn r1_the_timeout_doubles_while_nothing_is_decided_directly() {
    // B and C vote for D, the own vertex cannot: neither votes nor blanks are ever a quorum.
    let mut view = busy("D");
    view.propose();
    let mut waits = Vec::new();
    let mut row = "1  -  *  *  -".to_owned();
    for round in 2..9 {
        view.draw(&row);
        assert_eq!(view.propose(), None);
        let wait = view.deadline().unwrap();
        waits.push(wait);
        assert!(view.wait(wait).propose().is_some());
        // D's vertex comes after the own one, so that the others' votes are split from it.
        let late = round - 1;
        view.draw(&format!(
            "{late}  -  -  -  {}",
            if round == 2 { "*" } else { "ABC^0" }
        ));
        row = format!("{round}  -  ABCD  ABCD  -");
    }
    assert_eq!(waits[0], 50);
    assert!(waits.windows(2).all(|w| w[1] >= w[0]), "{waits:?}");
    assert_eq!(waits.last(), Some(&2000), "{waits:?}");
}

#[test]
fn r1_rounds_are_paced_after_a_burst() {
    let mut view = busy("-");
    let mut waits = Vec::new();
    for round in 1..12 {
        let wait = view.deadline().unwrap_or(0);
        waits.push(wait);
        assert!(view.wait(wait).propose().is_some());
        view.draw(&format!("{round}  -  *  *  *"));
    }
    assert_eq!(waits, [0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8]);
}

#[test]
fn r1_no_second_proposal_until_the_first_is_made() {
    let mut view = busy("-");
    assert_eq!(view.proposals().len(), 1);
    view.drawing
        .draw_rows("1  -  *  *  *\n 2  -  BCD  BCD  BCD");
    view.receive("...").wait(5_000);
    assert_eq!(view.proposals(), []);
}

#[test]
fn r1_a_member_that_fell_behind_jumps_to_the_others_round() {
    let mut view = busy("-");
    view.propose();
    view.draw("1  -  *  *  *\n 2  -  *  *  *\n 3  -  BCD  BCD  BCD\n 4  -  BCD  BCD  BCD");
    view.proposals();
    // A2 was asked for when round 1 was complete, and is made only now.
    let mut view =
        Drawing::new("leaders -\n 1 - * * *\n 2 - BCD BCD BCD\n 3 - BCD BCD BCD").member('A');
    view.work(true);
    view.propose();
    view.receive("...");
    view.propose();
    assert_eq!(view.propose(), some("A4: A2 B3 C3 D3"));
}

#[test]
fn v2_late_vertices_are_linked_weakly_and_only_those_on_top() {
    let mut view = busy("-");
    view.propose();
    view.draw("1  -  *  *  -");
    view.propose();
    view.drawing
        .draw_rows("1  -  -  -  *\n 2  -  ABC  ABC  BCD");
    view.receive("D1 B2 C2");
    assert_eq!(view.propose(), some("A3: A2 B2 C2 + D1"));
    view.receive("D2");
    view.draw("3  -  ABC  ABC  -");
    assert_eq!(
        view.propose(),
        some("A4: A3 B3 C3 + D2"),
        "D1 is in the history already"
    );
}

#[test]
fn v2_a_late_vertex_that_a_parent_brings_is_not_linked_again() {
    let mut view = busy("-");
    view.propose();
    view.draw("1  -  *  *  -");
    view.propose();
    view.draw("1  -  -  -  *\n 2  -  ABCD  ABC  -");
    assert_eq!(view.propose(), some("A3: A2 B2 C2"), "B2 links to D1");
}

#[test]
fn v6_the_own_timestamp_never_goes_back() {
    let mut view = busy("-");
    view.propose();
    let before = view.now;
    view.now.0 -= 5_000;
    view.draw("1  -  *  *  *");
    let proposal = view.proposals().pop().unwrap();
    assert_eq!(proposal.timestamp_floor, before);
}

#[test]
fn r1_a_clock_set_back_does_not_stop_the_timers() {
    let mut view = busy("D");
    view.propose();
    view.draw("1  -  *  *  -");
    view.now.0 -= 60_000;
    view.wait(0);
    assert_eq!(view.deadline(), Some(50));
    assert!(view.wait(50).propose().is_some());
}

#[test]
fn an_observer_never_proposes() {
    let mut view = Drawing::new("1  *  *  *  *\n 2  *  *!  *  *").observer();
    view.work(true).receive("...").wait(10_000);
    assert_eq!(view.proposals(), []);
}

#[test]
fn own_vertices_that_can_no_longer_be_ordered_are_given_back() {
    let mut view = Drawing::new(
        "
        gc 3
        leaders B
        1    -    *    *    *
        2    -    BCD  BCD  BCD
        3    -    BCD  BCD  BCD
        4    -    BCD  BCD  BCD
        5    -    BCD  BCD  BCD
        6    -    BCD  BCD  BCD
        ",
    )
    .member('A');
    view.propose();
    view.receive("...");
    assert_eq!(view.leaders(), "B1 B2 B3 B4");
    assert_eq!(view.expired(), "A1");
}

/// Makes the own next vertex, and tells how many bytes of transactions it could have.
fn propose(view: &mut View) -> usize {
    let proposal = view.proposals().pop().expect("a proposal");
    let room = proposal.payload_bytes_max;
    let vertex = sign(0, proposal, Vec::new(), view.now);
    view.drawing.adopt(&vertex);
    view.handle(Input::Proposed(vertex));
    room
}

#[test]
fn r3_an_own_vertex_carries_no_more_than_the_own_share_of_the_dag_has_room_for() {
    let rows = (1..=9).map(|r| format!("{r}  -  BCD  BCD  BCD\n"));
    let drawing = format!("gc 3\nleaders B\n{}", rows.collect::<String>());
    let mut view = Drawing::new(&drawing).member('A').with(|config| {
        config.limits.dag_bytes_max = 4 * 10_000;
    });
    let mut left = vec![propose(view.work(true))];
    assert!((9_900..=10_000).contains(&left[0]), "{left:?}");
    for row in 1..=9 {
        view.receive(&format!("B{row} C{row} D{row}"));
        left.push(propose(view.wait(50)));
    }
    let shrinks = left.windows(2).take(3).all(|pair| pair[1] < pair[0]);
    assert!(shrinks, "with each own vertex: {left:?}");
    let vertex = left[1] - left[2];
    assert!(
        left[9] > left[0] - 8 * vertex,
        "what is collected gives it back: {left:?}"
    );
}

/// The round and the room of a proposal when the own share is full.
fn with_a_full_share(broken: Option<Sabotage>) -> (u64, usize) {
    let mut view = Drawing::new("1  -  *  *  *\n2  -  BCD  BCD  BCD").member('A');
    view = view.with(|config| {
        config.limits.dag_bytes_max = 8_192;
        config.sabotage = broken;
    });
    view.work(true);
    let big = vec![share(); 40];
    let first = view.proposals().pop().expect("a proposal");
    let vertex = sign(0, first, big, view.now);
    assert!(vertex.size() > 2_048);
    view.handle(Input::Proposed(vertex));
    view.receive("B1 C1 D1");
    let next = view.proposals().pop().expect("it proposes all the same");
    (next.round.0, next.payload_bytes_max)
}

#[test]
fn r3_a_full_share_leaves_no_room_for_transactions_and_rounds_go_on() {
    assert_eq!(with_a_full_share(None), (2, 0));
    let broken = with_a_full_share(Some(Sabotage::ShareIgnored));
    assert_eq!(
        broken,
        (2, usize::MAX),
        "a share that is ignored is noticed"
    );
}
