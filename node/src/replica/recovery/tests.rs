use super::*;
use weft_types::testing::{committee, network, vertex_key};
use weft_types::{Epoch, Observation, Vertex, VertexBody};

fn vertex(author: u32, round: u64) -> Latest {
    let parents = (0..4).map(|i| Vertex::genesis(network().id(), Epoch::ZERO, MemberIndex(i)));
    let body = VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(round),
        author: MemberIndex(author),
        timestamp: Millis(0),
        parents: parents.map(|v| v.reference()).collect(),
        weak_links: Vec::new(),
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: Vec::new(),
    };
    let key = vertex_key(author as usize);
    Latest::Vertex(Vertex::sign(body, Vec::new(), &key))
}

/// Member 0 of so many has lost its guard.
fn of(members: usize) -> Recovery {
    let committee = Arc::new(committee(members));
    Recovery::lost(
        committee,
        MemberIndex(0),
        Lost::GuardMissing,
        None,
        Millis(0),
    )
}

/// The others have shown these rounds.
fn shown(members: usize, rounds: &[u64]) -> Recovery {
    let mut recovery = of(members);
    for (member, round) in (1..).zip(rounds) {
        recovery.answered(MemberIndex(member), &vertex(member, *round));
    }
    recovery
}

#[test]
fn s1_the_floor_is_one_above_the_highest_round_that_a_quorum_of_others_has_shown() {
    let mut recovery = shown(4, &[7, 9]);
    recovery.committed(Round(50));
    assert_eq!(recovery.floor(), None, "two of three that are needed");
    recovery.answered(MemberIndex(3), &Latest::Nothing);
    assert_eq!(recovery.floor(), Some(Round(10)));
}

#[test]
fn s1_an_answer_counts_once_a_commit_above_it_is_executed() {
    let mut recovery = shown(4, &[7, 9, 8]);
    for (leader, floor) in [(9, None), (10, None), (11, Some(Round(10)))] {
        recovery.committed(Round(leader));
        assert_eq!(recovery.floor(), floor, "leader of round {leader}");
    }
}

#[test]
fn s1_an_invented_round_neither_counts_nor_binds() {
    let mut recovery = shown(7, &[7, 9, 8, 7, u64::MAX]);
    recovery.committed(Round(100));
    assert_eq!(recovery.floor(), None, "four that count of five needed");
    recovery.answered(MemberIndex(6), &vertex(6, 6));
    assert_eq!(recovery.floor(), Some(Round(10)));
}

#[test]
fn s1_what_the_guard_still_knows_binds_as_well() {
    let committee = Arc::new(committee(4));
    let lost = Lost::StoreBehind(Epoch::ZERO, Round(30));
    let mut recovery = Recovery::lost(committee, MemberIndex(0), lost, Some(Round(20)), Millis(0));
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &vertex(member, 9));
    }
}

#[test]
fn s1_only_a_members_own_vertex_is_its_answer() {
    let mut recovery = shown(4, &[7, 9]);
    recovery.committed(Round(50));
    for (of, latest) in [
        (3, vertex(2, 9)),
        (3, Latest::Recovering),
        (0, vertex(0, 9)),
        (4, Latest::Nothing),
    ] {
        recovery.answered(MemberIndex(of), &latest);
        assert_eq!(recovery.floor(), None, "member {of}: {latest:?}");
    }
}

#[test]
fn s1_of_a_members_answers_the_lowest_binds() {
    let mut recovery = shown(4, &[7, 9, 60]);
    recovery.committed(Round(50));
    assert_eq!(recovery.floor(), None);
    recovery.answered(MemberIndex(3), &vertex(3, 8));
    recovery.answered(MemberIndex(3), &vertex(3, 70));
    assert_eq!(recovery.floor(), Some(Round(10)));
}

#[test]
fn s1_whoever_has_not_answered_is_asked_again_at_growing_intervals() {
    let mut recovery = of(4);
    let mut asked = Vec::new();
    for now in 0..20_000 {
        let due = recovery.due(Millis(now));
        asked.extend(due.iter().filter(|m| m.0 == 1).map(|_| now));
        if now == 100 {
            recovery.answered(MemberIndex(2), &vertex(2, 3));
            recovery.committed(Round(5));
        }
        assert!(now < 101 || !due.contains(&MemberIndex(2)), "it counts");
    }
    assert_eq!(asked[..6], [0, 250, 750, 1_750, 3_750, 5_750]);
    assert!(recovery.deadline().is_some());
    // The clock is set back by hours.
    let mut recovery = of(4);
    recovery.due(Millis(9_999_999));
    assert_eq!(recovery.due(Millis(5)).len(), 3);
}

#[test]
fn s1_the_operator_reads_for_whom_it_waits_and_why() {
    let mut recovery = shown(4, &[7]);
    recovery.answered(MemberIndex(3), &Latest::Recovering);
    let text = recovery.describe().unwrap();
    for part in [
        "there is no signing guard",
        "1 stake have answered, and 3 is needed",
        "member 2, member 3 (which is recovering itself)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = shown(4, &[7, 8, 9]).describe().unwrap();
    assert!(text.contains("catches up"), "{text}");
    // Nobody may be faulty of three: then nobody else can make up for a lost guard.
    let text = of(3).describe().unwrap();
    assert!(text.contains("2 of 3 stake, and 3 would have"), "{text}");
}

#[test]
fn s1_an_ordinary_restart_waits_for_a_moment_and_for_what_is_shown() {
    let restart = || {
        let committee = Arc::new(committee(4));
        Recovery::restart(committee, MemberIndex(0), Round(6), Millis(0))
    };
    let known = Some(Recovered::Known(Round(6)));
    let mut recovery = restart();
    assert_eq!(recovery.describe(), None);
    for (member, latest) in [(1, vertex(1, 9)), (2, Latest::Nothing)] {
        recovery.answered(MemberIndex(member), &latest);
    }
    assert_eq!(recovery.result(Round(9), Millis(10)), None, "one is silent");
    recovery.answered(MemberIndex(3), &Latest::Recovering);
    assert_eq!(recovery.result(Round(7), Millis(10)), None, "it is behind");
    assert_eq!(recovery.result(Round(8), Millis(10)), known);
    assert_eq!(
        recovery.deadline(),
        Some(Millis(1_000)),
        "nobody is left to ask"
    );
    // Whoever is silent or invents a round holds it up for a moment.
    assert_eq!(restart().deadline(), Some(Millis(0)));
    assert_eq!(restart().result(Round(8), Millis(999)), None);
    assert_eq!(restart().result(Round(8), Millis(1_000)), known);
    let mut late = Recovery::restart(
        Arc::new(committee(4)),
        MemberIndex(0),
        Round(6),
        Millis(9_000),
    );
    late.answered(MemberIndex(1), &vertex(1, u64::MAX));
    assert_eq!(late.result(Round(8), Millis(5)), known, "a clock set back");
}

#[test]
fn s1_7_a_floor_that_is_known_is_not_used_before_the_watch_is_over() {
    let mut recovery = shown(4, &[7, 9, 8]);
    recovery.committed(Round(50));
    let floor = Some(Recovered::Floor(Round(10)));
    assert_eq!(recovery.result(Round(50), Millis(1_999)), None);
    assert_eq!(recovery.deadline(), Some(Millis(2_000)));
    assert_eq!(recovery.result(Round(50), Millis(2_000)), floor);
    let committee = Arc::new(committee(4));
    let lost = Lost::GuardMissing;
    let mut late = Recovery::lost(committee, MemberIndex(0), lost, None, Millis(9_000));
    for member in 1..4 {
        late.answered(MemberIndex(member), &vertex(member, 9));
    }
    late.committed(Round(50));
    assert_eq!(late.result(Round(50), Millis(5)), floor, "a clock set back");
}

#[test]
fn s1_7_a_restart_in_doubt_asks_everybody_again_and_waits_for_a_quorum() {
    let committee = Arc::new(committee(4));
    let mut recovery = Recovery::restart(committee, MemberIndex(0), Round(6), Millis(0));
    assert_eq!(recovery.due(Millis(0)).len(), 3);
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &vertex(member, 12));
    }
    assert_eq!(recovery.known(), Some(Round(6)));
    recovery.doubt(Lost::Elsewhere(Epoch::ZERO, Round(9)), Millis(20));
    assert_eq!(recovery.known(), None);
    assert_eq!(recovery.due(Millis(20)).len(), 3);
    assert_eq!(recovery.result(Round(20), Millis(9_000)), None);
    recovery.committed(Round(18));
    assert_eq!(recovery.floor(), Some(Round(13)));
    assert_eq!(
        recovery.result(Round(20), Millis(9_000)),
        None,
        "too few rounds"
    );
    recovery.committed(Round(19));
    let floor = Some(Recovered::Floor(Round(13)));
    assert_eq!(recovery.result(Round(20), Millis(9_000)), floor);
    let text = recovery.describe().unwrap();
    assert!(
        text.contains("epoch 0 round 9 by this node's key"),
        "{text}"
    );
}

#[test]
fn s1_7_nothing_ends_it_for_who_has_a_twin_and_the_operator_reads_what_to_do() {
    let lost = Lost::Twin(Epoch::ZERO, Round(9));
    let committee = Arc::new(committee(4));
    let mut recovery = Recovery::lost(committee, MemberIndex(0), lost, None, Millis(0));
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &vertex(member, 12));
    }
    recovery.committed(Round(50));
    assert_eq!(recovery.result(Round(50), Millis(99_999)), None);
    assert_eq!(
        (recovery.due(Millis(0)).len(), recovery.deadline()),
        (0, None)
    );
    let text = recovery.describe().unwrap();
    assert!(
        text.contains("signs nothing more") && text.contains("end it"),
        "{text}"
    );
}

#[test]
fn s1_a_guard_of_an_earlier_epoch_binds_no_round_of_this_one_and_one_of_a_later_all() {
    let in_epoch = |guard: u64| {
        let committee = Arc::new(committee(4));
        let lost = Lost::Moved(Epoch(guard), Round(5_000));
        assert_eq!(committee.epoch(), Epoch::ZERO);
        let mut recovery = Recovery::lost(committee, MemberIndex(0), lost, None, Millis(0));
        for member in 1..4 {
            recovery.answered(MemberIndex(member), &vertex(member, 9));
        }
        recovery.committed(Round(50));
        recovery.floor()
    };
    assert_eq!(in_epoch(0), Some(Round(5_000)));
    assert_eq!(in_epoch(1), None);
    let earlier = Lost::StoreBehind(Epoch(3), Round(5_000));
    assert_eq!(earlier.signed(Epoch(4)), Some(Round::ZERO));
}
