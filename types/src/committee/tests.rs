use super::*;
use crate::ids::TransactionId;
use crate::testing::{committee, members};

fn with_stakes(stakes: &[u64]) -> Committee {
    let mut list = members(stakes.len());
    for (member, stake) in list.iter_mut().zip(stakes) {
        member.stake = Stake(*stake);
    }
    Committee::new(Epoch(0), list).unwrap()
}

#[test]
fn quorum_is_strictly_more_than_two_thirds_and_validity_more_than_one_third() {
    for total in 1..=300u64 {
        let committee = with_stakes(&[total]);
        let (q, v, f) = (
            committee.quorum().0,
            committee.validity().0,
            committee.faulty().0,
        );
        assert!(
            3 * q > 2 * total && 3 * (q - 1) <= 2 * total,
            "N = {total}, Q = {q}"
        );
        assert!(
            3 * v >= total && 3 * f < total,
            "N = {total}, V = {v}, F = {f}"
        );
        assert!(2 * q > total + f, "two quorums share more than F");
    }
}

/// Every inequality that the argument of D6 in `docs/spec/consensus.md` uses.
#[test]
fn d6_thresholds_keep_what_safety_and_liveness_need() {
    for total in 1..=200u64 {
        let committee = with_stakes(&[total]);
        let (q, faulty) = (committee.quorum().0, committee.faulty().0);
        for f in 0..=faulty {
            let rule = committee.two_delay_rule(Stake(f)).unwrap();
            let (t, s, skip) = (rule.certificate.0, rule.slow.0, rule.skip.0);
            let FastRule { votes, linked } = rule.fast.unwrap();
            let (votes, linked) = (votes.0, linked.0);
            let what = format!("N = {total}, f = {f}: {rule:?}");
            // The sets of each pair share more than f.
            let apart = [
                (t, t),
                (votes, votes),
                (votes, t),
                (votes, skip),
                (skip, t),
                (s, q),
            ];
            for (a, b) in apart {
                assert!(a + b > total + f, "{a} and {b}: {what}");
            }
            // An anchor sees the votes of a fast commit, and less for anything else.
            assert!(votes + q >= total + f + linked, "{what}");
            assert!(total - votes + f < linked, "another version: {what}");
            assert!(total - skip + f < linked, "a skipped slot: {what}");
            // Q of correct members are enough for the slow way, and a skip takes no more than all.
            assert!(t <= q && s <= q && skip <= total, "{what}");
            // One vote less would do for none of them, but for what parity rounds up.
            assert!(2 * (t - 1) <= total + f && s - 1 + q <= total + f, "{what}");
            let slack = total - votes;
            assert!(q < 2 * f + 2 * (slack + 1) + 1, "{what}");
        }
        assert_eq!(committee.two_delay_rule(Stake(faulty + 1)), None);
    }
}

#[test]
fn d6_thresholds_of_small_committees() {
    // N, f: certificate, slow, skip, fast, linked.
    for (n, f, expected) in [
        (4, 1, [3, 3, 4, 4, 2]),
        (4, 0, [3, 2, 3, 3, 2]),
        (5, 1, [4, 3, 4, 5, 3]),
        (6, 1, [4, 3, 5, 5, 3]),
        (7, 1, [5, 4, 6, 6, 3]),
        (10, 2, [7, 6, 9, 9, 4]),
        (10, 3, [7, 7, 10, 10, 4]),
    ] {
        let rule = with_stakes(&[n]).two_delay_rule(Stake(f)).unwrap();
        let fast = rule.fast.unwrap();
        let found = [
            rule.certificate,
            rule.slow,
            rule.skip,
            fast.votes,
            fast.linked,
        ];
        assert_eq!(found.map(|s| s.0), expected, "N = {n}, f = {f}");
    }
}

#[test]
fn a_member_counts_once() {
    let committee = with_stakes(&[5, 1, 1, 1]);
    let mut set = MemberSet::default();
    assert!(set.insert(MemberIndex(0)));
    assert!(!set.insert(MemberIndex(0)));
    assert_eq!(committee.stake_of(&set), Stake(5));
    assert!(!committee.is_quorum(&set), "5 of 8 is not 6 of 8");
    set.insert(MemberIndex(3));
    assert!(committee.is_quorum(&set));
}

#[test]
fn indices_outside_the_committee_have_no_stake() {
    let committee = committee(4);
    let set: MemberSet = [4, 127, 128, u32::MAX]
        .into_iter()
        .map(MemberIndex)
        .collect();
    assert_eq!(committee.stake_of(&set), Stake(0));
    assert_eq!(committee.stake(MemberIndex(u32::MAX)), Stake(0));
}

#[test]
fn a_bitmap_has_its_length_and_no_stray_bit() {
    let set: MemberSet = [0, 2, 9].into_iter().map(MemberIndex).collect();
    assert_eq!(set.to_bitmap(10), [0b0000_0101, 0b10]);
    assert_eq!(MemberSet::from_bitmap(&[5, 2], 10), Some(set));
    assert_eq!(
        MemberSet::from_bitmap(&[5, 6], 10),
        None,
        "bit 10 of 10 members"
    );
    assert_eq!(MemberSet::from_bitmap(&[5], 10), None);
    assert_eq!(MemberSet::from_bitmap(&[5, 2, 0], 10), None);
    assert!(MemberSet::from_bitmap(&[0xff; 16], 128).is_some());
}

#[test]
fn members_that_make_no_committee_are_refused_with_the_reason() {
    let refused = |change: fn(&mut Vec<Member>)| {
        let mut list = members(4);
        change(&mut list);
        Committee::new(Epoch(0), list).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|m| m.clear()),
        "a committee needs 1 to 128 members, not 0"
    );
    assert_eq!(
        refused(|m| m.swap(1, 2)),
        "member 2 follows member 3: ids must ascend"
    );
    assert_eq!(refused(|m| m[2].stake = Stake(0)), "member 3 has no stake");
    assert_eq!(
        refused(|m| m[3].vertex_key = m[0].vertex_key),
        "members 1 and 4 have the same vertex key"
    );
    assert_eq!(
        refused(|m| m[3].finality_key = m[1].finality_key),
        "members 2 and 4 have the same finality key"
    );
    assert_eq!(
        refused(|m| m[1].stake = Stake::MAX),
        "total stake overflows at member 2"
    );
    assert!(refused(|m| m[1].addresses = "x".repeat(513)).contains("513 bytes of addresses"));
}

#[test]
fn a_member_survives_json() {
    let member = members(1).remove(0);
    let json = serde_json::to_string(&member).unwrap();
    assert_eq!(serde_json::from_str::<Member>(&json).unwrap(), member);
}

#[test]
fn p1_every_member_has_one_place_in_the_order_of_a_transaction() {
    let committee = committee(7);
    for n in 0..50 {
        let id = TransactionId([n; 32]);
        let mut order = committee.proposers(&id, usize::MAX);
        assert_eq!(
            order[..3],
            committee.proposers(&id, 3),
            "a shorter list is the beginning"
        );
        order.sort_unstable();
        assert!(committee.indices().eq(order));
        assert!(committee.proposers(&id, 0).is_empty());
    }
}

#[test]
fn p1_a_member_is_first_as_often_as_its_stake_says() {
    let committee = with_stakes(&[10, 20, 30, 40]);
    let mut first = [0u32; 4];
    for n in 0..10_000u32 {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let order = committee.proposers(&TransactionId(id), 1);
        first[order[0].as_usize()] += 1;
    }
    for (member, times) in first.into_iter().enumerate() {
        let expected = 1_000 * (member as u32 + 1);
        assert!(times.abs_diff(expected) < 150, "{first:?}");
    }
}

#[test]
fn p1_the_order_depends_on_the_epoch() {
    let list = members(7);
    let of = |epoch| Committee::new(Epoch(epoch), list.clone()).unwrap();
    let (first, second) = (of(1), of(2));
    let differs = |n: &u8| {
        let id = TransactionId([*n; 32]);
        first.proposers(&id, 7) != second.proposers(&id, 7)
    };
    assert!((0..50).filter(differs).count() > 40);
}
