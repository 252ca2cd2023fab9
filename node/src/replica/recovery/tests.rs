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

/// An answer to a question of this moment; nobody else asks.
fn at(asked: u64, latest: Latest) -> Reply {
    Reply {
        asked: Millis(asked),
        latest,
        another: false,
    }
}

/// At that moment members 1 to `members - 1` answer again as they did.
fn again(recovery: &mut Recovery, asked: u64) {
    for other in recovery.others.values_mut() {
        if other.heard.clear_at().is_some() {
            other.heard.answered(Millis(asked), false);
        }
    }
}

/// Member 0 of so many has lost its guard.
fn of(members: usize) -> Recovery {
    let committee = Arc::new(committee(members));
    Recovery::lost(
        committee,
        MemberIndex(0),
        Lost::GuardMissing,
        None,
        Watch::from(Millis(0)),
    )
}

/// The others have shown these rounds.
fn shown(members: usize, rounds: &[u64]) -> Recovery {
    let mut recovery = of(members);
    for (member, round) in (1..).zip(rounds) {
        recovery.answered(MemberIndex(member), &at(0, vertex(member, *round)));
    }
    recovery
}

#[test]
fn s1_the_floor_is_one_above_the_highest_round_that_a_quorum_of_others_has_shown() {
    let mut recovery = shown(4, &[7, 9]);
    recovery.committed(Round(50));
    assert_eq!(recovery.floor(), None, "two of three that are needed");
    recovery.answered(MemberIndex(3), &at(0, Latest::Nothing));
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
    recovery.answered(MemberIndex(6), &at(0, vertex(6, 6)));
    assert_eq!(recovery.floor(), Some(Round(10)));
}

#[test]
fn s1_what_the_guard_still_knows_binds_as_well() {
    let committee = Arc::new(committee(4));
    let lost = Lost::StoreBehind(Epoch::ZERO, Round(30));
    let mut recovery = Recovery::lost(
        committee,
        MemberIndex(0),
        lost,
        Some(Round(20)),
        Watch::from(Millis(0)),
    );
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &at(0, vertex(member, 9)));
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
        recovery.answered(MemberIndex(of), &at(0, latest.clone()));
        assert_eq!(recovery.floor(), None, "member {of}: {latest:?}");
    }
}

#[test]
fn s1_of_a_members_answers_the_lowest_binds() {
    let mut recovery = shown(4, &[7, 9, 60]);
    recovery.committed(Round(50));
    assert_eq!(recovery.floor(), None);
    recovery.answered(MemberIndex(3), &at(0, vertex(3, 8)));
    recovery.answered(MemberIndex(3), &at(0, vertex(3, 70)));
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
            recovery.answered(MemberIndex(2), &at(0, vertex(2, 3)));
            recovery.committed(Round(5));
        }
        let early = now > 100 && now < 1_000;
        assert!(!early || !due.contains(&MemberIndex(2)), "it counts");
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
    recovery.answered(MemberIndex(3), &at(0, Latest::Recovering));
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

/// Member 0 of four is restarted at zero; it has signed round 6 then, at `signed_at`.
fn restarted(signed_at: u64, now: u64) -> Recovery {
    let signed = (Round(6), Millis(signed_at));
    let committee = Arc::new(committee(4));
    Recovery::restart(committee, MemberIndex(0), signed, Millis(now))
}

const KNOWN: Option<Recovered> = Some(Recovered::Known(Round(6)));

#[test]
fn s1_5_a_restart_waits_for_all_and_for_what_they_show_but_not_long() {
    let mut recovery = restarted(0, 5_000);
    assert_eq!(recovery.describe(), None);
    recovery.answered(MemberIndex(1), &at(5_000, vertex(1, 9)));
    recovery.answered(MemberIndex(2), &at(5_000, Latest::Nothing));
    assert_eq!(
        recovery.result(Round(9), Millis(5_010)),
        None,
        "one is silent"
    );
    let mut silent = restarted(0, 5_000);
    silent.answered(MemberIndex(1), &at(5_000, vertex(1, u64::MAX)));
    assert_eq!(
        silent.result(Round(9), Millis(6_000)),
        None,
        "two are silent"
    );
    silent.answered(MemberIndex(2), &at(5_000, Latest::Nothing));
    assert_eq!(silent.result(Round(9), Millis(5_999)), None);
    assert_eq!(
        silent.result(Round(9), Millis(6_000)),
        KNOWN,
        "a quorum with itself"
    );
    recovery.answered(MemberIndex(3), &at(5_000, Latest::Recovering));
    assert_eq!(
        recovery.result(Round(7), Millis(5_010)),
        None,
        "it is behind"
    );
    assert_eq!(recovery.result(Round(8), Millis(5_010)), KNOWN);
}

/// All others answer a question with round 6.
fn all(recovery: &mut Recovery, asked: u64) {
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &at(asked, vertex(member, 6)));
    }
}

#[test]
fn s1_5_who_has_signed_a_moment_ago_waits_until_another_process_would_have_signed_again() {
    let mut recovery = restarted(4_900, 5_000);
    for (now, due) in [(5_000, 3), (5_999, 0), (6_000, 3), (7_000, 3), (7_100, 0)] {
        assert_eq!(recovery.due(Millis(now)).len(), due, "{now}");
        assert_eq!(recovery.result(Round(9), Millis(now)), None, "{now}");
        if due > 0 {
            all(&mut recovery, now);
        }
    }
    let quiet = 4_900 + QUIET;
    assert_eq!(
        recovery.result(Round(9), Millis(quiet)),
        None,
        "asked before"
    );
    assert_eq!(recovery.deadline(), Some(Millis(quiet)));
    assert_eq!(recovery.due(Millis(quiet)).len(), 3);
    all(&mut recovery, quiet);
    assert_eq!(recovery.result(Round(9), Millis(quiet)), KNOWN);
    // By a clock that was set back since it has signed in the future.
    let mut recovery = restarted(9_999_999, 5_000);
    all(&mut recovery, 5_000 + QUIET);
    assert_eq!(recovery.result(Round(9), Millis(5_000 + QUIET)), KNOWN);
}

#[test]
fn s1_9_whoever_asks_begins_to_wait_again_at_each_vertex_under_its_key() {
    let mut restart = restarted(0, 5_000);
    let mut lost = shown(4, &[6, 6, 6]);
    lost.committed(Round(50));
    for recovery in [&mut restart, &mut lost] {
        recovery.saw_own(Millis(5_500), Millis(5_600));
        for asked in [5_600, 6_600, 7_600] {
            all(recovery, asked);
            let result = recovery.result(Round(60), Millis(asked));
            let goes_on = matches!(result, Some(Recovered::Floor(_) | Recovered::Known(_)));
            assert!(!goes_on, "{asked}: {result:?}");
        }
        all(recovery, 5_500 + QUIET);
        let result = recovery.result(Round(60), Millis(5_500 + QUIET));
        assert!(result.is_some_and(|r| !matches!(r, Recovered::NotAlone(_))));
    }
}

#[test]
fn s1_9_nobody_goes_on_while_others_tell_of_another_process_with_its_key() {
    let another = |asked, latest| Reply {
        another: true,
        ..at(asked, latest)
    };
    let mut restart = restarted(0, 5_000);
    let mut lost = shown(4, &[7, 9, 8]);
    lost.committed(Round(50));
    for recovery in [&mut restart, &mut lost] {
        for asked in [5_000, 6_000, 7_000] {
            recovery.due(Millis(asked));
            for member in 1..4 {
                recovery.answered(MemberIndex(member), &at(asked, vertex(member, 7)));
            }
            for member in 2..4 {
                recovery.answered(MemberIndex(member), &another(asked, vertex(member, 7)));
            }
            let result = recovery.result(Round(60), Millis(asked));
            assert!(matches!(result, None | Some(Recovered::NotAlone(_))));
            assert!(recovery.describe().unwrap().contains("another process"));
        }
        // It has ended, and is forgotten. One liar keeps nobody silent.
        for member in 1..4 {
            recovery.answered(MemberIndex(member), &at(12_000, vertex(member, 7)));
        }
        let result = recovery.result(Round(60), Millis(12_000));
        assert!(result.is_some_and(|r| !matches!(r, Recovered::NotAlone(_))));
    }
    restart.answered(MemberIndex(3), &another(12_100, vertex(3, 7)));
    assert_eq!(restart.result(Round(60), Millis(12_100)), KNOWN, "one liar");
}

#[test]
fn s1_9_an_answer_that_nobody_else_asks_is_too_old_after_a_while() {
    let mut recovery = shown(4, &[7, 9, 8]);
    recovery.committed(Round(50));
    let floor = Round(10);
    let good = Some(Recovered::Floor(floor));
    assert_eq!(recovery.result(Round(50), Millis(FRESH)), good);
    let old = Some(Recovered::NotAlone(floor));
    assert_eq!(recovery.result(Round(50), Millis(FRESH + 1)), old);
    assert_eq!(
        recovery.due(Millis(FRESH + 1)).len(),
        3,
        "it is asked for again"
    );
}

#[test]
fn s1_7_a_floor_that_is_known_is_not_used_before_the_watch_is_over() {
    let mut recovery = shown(4, &[7, 9, 8]);
    recovery.committed(Round(50));
    let floor = Some(Recovered::Floor(Round(10)));
    assert_eq!(recovery.result(Round(50), Millis(1_999)), None);
    again(&mut recovery, 1_500);
    assert_eq!(recovery.deadline(), Some(Millis(2_000)));
    assert_eq!(recovery.result(Round(50), Millis(2_000)), floor);
    let committee = Arc::new(committee(4));
    let lost = Lost::GuardMissing;
    let mut late = Recovery::lost(
        committee,
        MemberIndex(0),
        lost,
        None,
        Watch::from(Millis(9_000)),
    );
    for member in 1..4 {
        late.answered(MemberIndex(member), &at(9_000, vertex(member, 9)));
    }
    late.committed(Round(50));
    assert_eq!(late.result(Round(50), Millis(5)), floor, "a clock set back");
}

#[test]
fn s1_7_a_restart_in_doubt_asks_everybody_again_and_waits_for_a_quorum() {
    let mut recovery = restarted(0, 0);
    assert_eq!(recovery.due(Millis(0)).len(), 3);
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &at(0, vertex(member, 12)));
    }
    assert_eq!(recovery.known(), Some(Round(6)));
    recovery.doubt(Lost::Elsewhere(Epoch::ZERO, Round(9)), Millis(20));
    assert_eq!(recovery.known(), None);
    assert_eq!(recovery.due(Millis(20)).len(), 3);
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &at(9_000, vertex(member, 12)));
    }
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
    let mut recovery = Recovery::lost(
        committee,
        MemberIndex(0),
        lost,
        None,
        Watch::from(Millis(0)),
    );
    for member in 1..4 {
        recovery.answered(MemberIndex(member), &at(0, vertex(member, 12)));
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
        let mut recovery = Recovery::lost(
            committee,
            MemberIndex(0),
            lost,
            None,
            Watch::from(Millis(0)),
        );
        for member in 1..4 {
            recovery.answered(MemberIndex(member), &at(0, vertex(member, 9)));
        }
        recovery.committed(Round(50));
        recovery.floor()
    };
    assert_eq!(in_epoch(0), Some(Round(5_000)));
    assert_eq!(in_epoch(1), None);
    let earlier = Lost::StoreBehind(Epoch(3), Round(5_000));
    assert_eq!(earlier.signed(Epoch(4)), Some(Round::ZERO));
}

#[test]
fn s1_4_the_watch_goes_on_in_the_next_epoch_if_nobody_has_signed_with_the_key_meanwhile() {
    let watched = |signed: u64, leader: u64| {
        let mut recovery = shown(4, &[0, 0, 0]);
        recovery.committed(Round(leader));
        recovery.watched(Round(signed)).unwrap()
    };
    let next = |watch: Watch, leader: u64| {
        let committee = Arc::new(committee(4));
        let mut next = Recovery::lost(committee, MemberIndex(0), Lost::GuardMissing, None, watch);
        for member in 1..4 {
            next.answered(MemberIndex(member), &at(3_000, vertex(member, 1)));
        }
        next.committed(Round(leader));
        next.result(Round(leader), Millis(3_000)).is_some()
    };
    // Round 8 without an epoch before.
    assert!(!next(Watch::from(Millis(0)), 7) && next(Watch::from(Millis(0)), 8));
    let four = watched(1, 5);
    assert!(!next(four, 3) && next(four, 4));
    assert!(
        !next(watched(1, 50), 2),
        "answers have to count all the same"
    );
    assert!(next(watched(1, 50), 3));
    assert!(!next(watched(2, 50), 7), "somebody has signed round 2");
    let early = watched(1, 1);
    assert!(!next(early, 7) && next(early, 8), "no answer counted");
}
