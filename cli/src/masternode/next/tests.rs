use super::*;
use weft_types::ed25519;

pub fn edges(outlook: Option<(Option<u64>, Option<u64>)>) -> Edges {
    let of = |(joins_in, settles_in)| Outlook {
        id: 5,
        joins_in,
        settles_in,
    };
    Edges {
        epoch: 8,
        not_before: Millis(1_700_000_000_500),
        duration: Millis(60_000),
        outlook: outlook.into_iter().map(of).collect(),
    }
}

pub fn state(status: MemberStatus) -> MemberState {
    MemberState {
        id: 5,
        operator: [1; 20],
        vertex_key: ed25519::PublicKey([2; 32]),
        addresses: String::new(),
        status,
        bond: 1,
        weight: Stake(1),
        effective: Stake(1),
        entry: Some(7),
        free_at: Some(1_800_000_000),
    }
}

#[test]
fn each_status_says_what_it_comes_to_and_when() {
    for (status, comes, epoch, not_before, words) in [
        (
            MemberStatus::Registered,
            Some("active"),
            None,
            None,
            "the other operators",
        ),
        (
            MemberStatus::Queued,
            Some("active"),
            Some(9),
            Some(1_700_000_061),
            "it joins with epoch 9 as the queue stands, not before 2023-11-14 22:14:20Z",
        ),
        (
            MemberStatus::Active,
            None,
            None,
            None,
            "it stays until it leaves",
        ),
        (
            MemberStatus::Leaving,
            Some("unbonding"),
            Some(11),
            Some(1_700_000_181),
            "it leaves with epoch 11 as the queue stands, not before 2023-11-14 22:16:20Z",
        ),
        (
            MemberStatus::Unbonding,
            Some("free"),
            None,
            Some(1_800_000_000),
            "the bond is free at 2027-01-15 08:00:00Z",
        ),
        (
            MemberStatus::Free,
            Some("withdrawn"),
            None,
            None,
            "weft masternode withdraw",
        ),
        (MemberStatus::Withdrawn, None, None, None, "paid out"),
        (
            MemberStatus::Slashed,
            None,
            Some(11),
            Some(1_700_000_181),
            "the bond is gone; its weight goes with epoch 11",
        ),
    ] {
        let next = Next::of(&state(status), Some(&edges(Some((Some(2), Some(4))))));
        assert_eq!(
            (next.status, next.epoch, next.not_before),
            (comes, epoch, not_before),
            "{status}"
        );
        assert!(next.words.contains(words), "{words:?} in {next:?}");
    }
}

#[test]
fn a_weight_that_moves_is_said() {
    let mut state = state(MemberStatus::Active);
    state.weight = Stake(3);
    let next = Next::of(&state, Some(&edges(Some((None, Some(1))))));
    assert!(
        next.words
            .starts_with("its weight moves to 3 with epoch 8 as the queue stands"),
        "{next:?}"
    );
    assert_eq!((next.status, next.epoch), (None, Some(8)));
}

#[test]
fn an_end_that_is_not_known_is_not_before_the_next_edge() {
    // The ledger has not taken the entry up, or sees no end of the wait.
    for unknown in [None, Some((None, None))] {
        let next = Next::of(&state(MemberStatus::Leaving), Some(&edges(unknown)));
        let words = "it leaves with epoch 8 at the earliest, not before 2023-11-14 22:13:20Z";
        assert!(next.words.starts_with(words), "{next:?}");
        assert_eq!(
            (next.epoch, next.not_before),
            (Some(8), Some(1_700_000_001))
        );
    }
    let mut slashed = state(MemberStatus::Slashed);
    slashed.effective = Stake::ZERO;
    let next = Next::of(&slashed, Some(&edges(None)));
    assert_eq!(
        (next.words.as_str(), next.epoch),
        ("nothing: the bond is gone", None)
    );
}
