use super::*;
use serde_json::json;
use weft_types::testing::{check_vectors, committee, members};
use weft_types::{Epoch, Stake};

#[test]
fn leaders_of_a_round_are_distinct_and_never_more_than_the_members() {
    let committee = committee(4);
    for per_round in [1, 2, 4, 16] {
        let schedule = Schedule::by_stake([7; 32], per_round);
        for round in 1..50 {
            let mut leaders = schedule.leaders(&committee, Round(round), &MemberSet::default());
            assert_eq!(leaders.len(), per_round.min(4) as usize);
            leaders.sort_unstable();
            leaders.dedup();
            assert_eq!(leaders.len(), per_round.min(4) as usize, "round {round}");
        }
        assert!(
            schedule
                .leaders(&committee, Round::ZERO, &MemberSet::default())
                .is_empty()
        );
    }
}

#[test]
fn a_member_leads_as_often_as_its_stake_says() {
    let mut list = members(4);
    for (member, stake) in list.iter_mut().zip([10, 20, 30, 40]) {
        member.stake = Stake(stake);
    }
    let committee = Committee::new(Epoch(3), list).unwrap();
    let schedule = Schedule::by_stake([1; 32], 1);
    let mut turns = [0; 4];
    for round in 1..=10_000 {
        turns[schedule.leaders(&committee, Round(round), &MemberSet::default())[0].as_usize()] += 1;
    }
    for (member, turns) in turns.into_iter().enumerate() {
        let expected = 1_000 * (member as i32 + 1);
        assert!((turns - expected).abs() < 200, "member {member}: {turns}");
    }
}

#[test]
fn seed_and_epoch_change_the_schedule() {
    let rounds = |seed, epoch| -> Vec<_> {
        let committee = Committee::new(Epoch(epoch), members(7)).unwrap();
        let schedule = Schedule::by_stake([seed; 32], 2);
        let leaders = |r| schedule.leaders(&committee, Round(r), &MemberSet::default());
        (1..20).map(leaders).collect()
    };
    assert_eq!(rounds(1, 0), rounds(1, 0));
    assert_ne!(rounds(1, 0), rounds(2, 0));
    assert_ne!(rounds(1, 0), rounds(1, 1));
}

#[test]
fn d5_the_demoted_lead_nothing_and_the_others_share_their_turns() {
    let committee = committee(4);
    let demoted = [MemberIndex(1)].into_iter().collect();
    let schedule = Schedule::by_stake([7; 32], 4);
    for round in 1..50 {
        let mut leaders = schedule.leaders(&committee, Round(round), &demoted);
        leaders.sort_unstable();
        assert_eq!(leaders, [MemberIndex(0), MemberIndex(2), MemberIndex(3)]);
    }
    let table = Schedule::table_with_reputation(vec![vec![MemberIndex(1), MemberIndex(2)]]);
    let leaders = table.leaders(&committee, Round(1), &demoted);
    assert_eq!(leaders, [MemberIndex(3), MemberIndex(2)]);
}

/// For who implements the draw again: docs/spec/vectors/leaders.json.
#[test]
fn d5_leaders_are_as_published() {
    let stakes = [1, 1, 5, 1, 3, 1, 1];
    let mut list = members(stakes.len());
    for (member, stake) in list.iter_mut().zip(stakes) {
        member.stake = Stake(stake);
    }
    let draw = |epoch: u64, round: u64, per_round: u32, demoted: &[u32]| {
        let committee = Committee::new(Epoch(epoch), list.clone()).unwrap();
        let out = demoted.iter().map(|m| MemberIndex(*m)).collect();
        let leaders =
            Schedule::by_stake([9; 32], per_round).leaders(&committee, Round(round), &out);
        json!({
            "epoch": epoch, "round": round, "leaders_per_round": per_round,
            "demoted": demoted, "leaders": leaders,
        })
    };
    let hash = blake3(
        Domain::LeaderSchedule,
        &[&[9; 32], &[0; 8], &1u64.to_be_bytes(), &[0; 8]],
    );
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let vectors = json!({
        "tag": std::str::from_utf8(Domain::LeaderSchedule.tag()).unwrap(),
        "seed": "09".repeat(32),
        "stakes": stakes,
        "hash_of_epoch_0_round_1_slot_0": hash,
        "draws": [
            draw(0, 0, 128, &[]),
            draw(0, 1, 128, &[]),
            draw(0, 2, 128, &[]),
            draw(0, 2, 2, &[]),
            draw(0, 2, 128, &[2, 3]),
            draw(0, 2, 2, &[2, 3]),
            draw(3, u64::MAX, 128, &[0]),
        ],
    });
    check_vectors("leaders", &vectors);
}

#[test]
fn leaders_that_a_core_keeps_are_those_that_the_schedule_says() {
    let committee = Arc::new(committee(7));
    let params = weft_types::ProtocolParams::default();
    let network = weft_types::testing::network().id();
    let config = Arc::new(CoreConfig::new(network, committee.clone(), None, &params));
    let kept = Leaders::new(&config);
    let nobody = MemberSet::default();
    let somebody: MemberSet = [MemberIndex(2), MemberIndex(5)].into_iter().collect();
    // Back and forth, by more rounds than are kept.
    let rounds = (0..40).chain((0..40).rev()).chain([3, 3, 4, 3]);
    for round in rounds.map(Round) {
        for demoted in [nobody, somebody, nobody] {
            let expected = config.schedule.leaders(&committee, round, &demoted);
            assert_eq!(kept.of(round, &demoted), expected, "round {round}");
        }
    }
}
