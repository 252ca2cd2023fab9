use super::*;
use weft_types::testing::{members, network};
use weft_types::{Committee, Epoch, ProtocolParams};

fn pace(stakes: &[u64]) -> Pace {
    let mut list = members(stakes.len());
    for (member, stake) in list.iter_mut().zip(stakes) {
        member.stake = Stake(*stake);
    }
    let committee = Committee::new(Epoch::ZERO, list).unwrap();
    let params = ProtocolParams::default();
    let config = CoreConfig::new(network().id(), Arc::new(committee), None, &params);
    Pace::new(&Arc::new(config), Millis(0))
}

fn late(pace: &mut Pace, member: u32, millis: u64) {
    for _ in 0..100 {
        pace.arrived(MemberIndex(member), Millis(millis), true);
    }
}

#[test]
fn the_leader_timeout_covers_the_lateness_of_more_than_f_and_nobody_else_stretches_it() {
    let mut pace = pace(&[1, 1, 1, 1]);
    assert_eq!(pace.leader_timeout(), Millis(50));
    late(&mut pace, 0, 1_000);
    assert_eq!(
        pace.leader_timeout(),
        Millis(50),
        "one of four may be faulty"
    );
    late(&mut pace, 1, 100);
    let timeout = pace.leader_timeout().0;
    assert!((430..=450).contains(&timeout), "{timeout}");
    late(&mut pace, 1, 60_000);
    assert_eq!(pace.leader_timeout(), Millis(2_000));
}

#[test]
fn the_leader_timeout_follows_the_own_vertices_turns() {
    let mut pace = pace(&[1, 1, 1, 1]);
    let mut now = 0;
    for (turn, timeout) in [(3, 50), (240, 119), (80, 50)] {
        for _ in 0..100 {
            let round = pace.round.next();
            pace.sent(round, Millis(now));
            now += turn;
            pace.enter(round, Millis(now));
        }
        assert!(pace.leader_timeout().0.abs_diff(timeout) <= 1, "{turn} ms");
    }
    // A vertex that comes after the quorum of its round says nothing.
    pace.sent(pace.round, Millis(now));
    pace.enter(pace.round.next(), Millis(now + 60_000));
    assert_eq!(pace.leader_timeout(), Millis(50));
}

#[test]
fn a_missing_vertex_is_asked_for_once_it_is_overdue() {
    let mut pace = pace(&[1, 1, 1, 1]);
    late(&mut pace, 2, 40);
    late(&mut pace, 3, 1_900);
    let at = |author, now| {
        pace.ask_at(MemberIndex(author), Some(Millis(1_000)), Millis(now))
            .0
    };
    assert!(
        (1_040..=1_046).contains(&at(2, 1_010)),
        "it is usually 40 ms late"
    );
    assert!(
        (1_160..=1_170).contains(&at(3, 1_010)),
        "one of four does not stretch the wait"
    );
    assert_eq!(at(2, 1_200), 1_205);
    assert_eq!(at(1, 1_010), 1_015, "never late");
    assert_eq!(pace.ask_at(MemberIndex(1), None, Millis(7)).0, 12);
}

#[test]
fn lateness_is_weighted_by_stake() {
    let mut pace = pace(&[1, 1, 1, 4]);
    late(&mut pace, 0, 1_000);
    late(&mut pace, 1, 1_000);
    assert_eq!(pace.leader_timeout(), Millis(50), "F is 2 of 7");
    late(&mut pace, 3, 100);
    assert!(pace.leader_timeout() > Millis(400));
}

#[test]
fn the_timeout_doubles_only_while_nothing_is_decided() {
    let mut pace = pace(&[1, 1, 1, 1]);
    let leader = [MemberIndex(3)];
    pace.timed_out(&leader, 5);
    assert_eq!(
        pace.leader_timeout(),
        Millis(50),
        "decisions were made before it"
    );
    assert!(pace.excused().contains(MemberIndex(3)));
    pace.timed_out(&leader, 5);
    pace.timed_out(&leader, 5);
    assert_eq!(pace.leader_timeout(), Millis(200));
    assert!(pace.excused().is_empty(), "then everybody is waited for");
    pace.decided(6);
    assert_eq!(pace.leader_timeout(), Millis(50));
    for _ in 0..50 {
        pace.timed_out(&[], 6);
    }
    assert_eq!(pace.leader_timeout(), Millis(2_000));
}

#[test]
fn a_quorum_without_members_that_sign_twice_is_waited_for_several_turns() {
    let mut pace = pace(&[1, 1, 1, 1]);
    let quorum_at = Millis(1_000_000);
    let patience = |pace: &Pace| pace.patience_at(quorum_at).0 - quorum_at.0;
    assert_eq!(patience(&pace), 50, "nothing is known of turns yet");
    let mut now = 0;
    for (turn, expected) in [(10, 50), (200, 800), (3_000, 2_000)] {
        for _ in 0..100 {
            let round = pace.round.next();
            pace.sent(round, Millis(now));
            now += turn;
            pace.enter(round, Millis(now));
        }
        let found = patience(&pace);
        assert!(found.abs_diff(expected) <= 4, "turns of {turn}: {found} ms");
    }
}
