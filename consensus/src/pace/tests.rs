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
    assert_eq!(pace.fetch_delay(), 5 + (timeout - 50) / 2);
    late(&mut pace, 1, 60_000);
    assert_eq!(pace.leader_timeout(), Millis(2_000));
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
