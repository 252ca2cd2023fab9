use super::*;
use crate::bridge::standing_still::tests::latch;
use weft_types::api::WithdrawalState;
use weft_types::{Amount, BaseAddress, BaseAsset, CommitIndex, Height, testing};

const INTERVAL: Millis = Millis(5_000);

fn status(certified: bool, posted: bool) -> WithdrawalStatus {
    WithdrawalStatus {
        withdrawal: Withdrawal {
            index: 3,
            asset: BaseAsset::Native { amount: Amount(5) },
            recipient: BaseAddress([2; 20]),
            account: testing::user(1),
            commit: CommitIndex(40),
        },
        state: WithdrawalState::Requested,
        certified: certified.then_some(Height(7)),
        claim: posted.then(|| LeafClaim {
            height: Height(9),
            statement: testing::statement(9),
            siblings: vec![],
        }),
    }
}

fn seen() -> Seen {
    Seen {
        posted_at: Some(100),
        final_at: Some(110),
        latch: at(105),
        ..Seen::default()
    }
}

fn at(now: u64) -> Option<Latch> {
    Some(Latch {
        now,
        ..latch(None, None)
    })
}

fn of(status: WithdrawalStatus, seen: Result<Seen, Silence>) -> Progress {
    Progress::of(status, seen, INTERVAL, None)
}

fn done(progress: &Progress) -> Vec<bool> {
    progress.steps.iter().map(|s| s.done).collect()
}

#[test]
fn each_step_says_what_is_missing_and_when() {
    let paid = Payout {
        transaction: [9; 32],
        block: 12,
        kept: false,
    };
    let cases = [
        (status(false, false), Seen::default(), State::Requested, 1),
        (status(true, false), Seen::default(), State::Certified, 2),
        (status(true, true), seen(), State::Posted, 3),
        (
            status(true, true),
            Seen {
                latch: at(110),
                ..seen()
            },
            State::Payable,
            4,
        ),
        (
            status(true, true),
            Seen {
                is_paid: true,
                payout: Some(paid),
                ..seen()
            },
            State::Paid,
            5,
        ),
    ];
    for (status, seen, state, count) in cases {
        let progress = of(status, Ok(seen));
        assert_eq!(progress.state, state);
        let steps: Vec<bool> = (0..5).map(|n| n < count).collect();
        assert_eq!(done(&progress), steps, "{progress:?}");
        assert_eq!(progress.not_before, (state == State::Posted).then_some(110));
        assert_eq!(progress.base_transaction.is_some(), state == State::Paid);
    }
}

#[test]
fn what_the_vault_refuses_and_what_it_keeps_is_said() {
    let refused = Seen {
        refusal: Some("checkpoint 9 has other deposits than the vault".to_owned()),
        latch: at(200),
        ..seen()
    };
    let progress = of(status(true, true), Ok(refused));
    assert_eq!(progress.state, State::Refused);
    assert!(progress.next.contains("other deposits"));
    let kept = Seen {
        is_paid: true,
        payout: Some(Payout {
            transaction: [9; 32],
            block: 12,
            kept: true,
        }),
        ..seen()
    };
    let progress = of(status(true, true), Ok(kept));
    assert!(progress.next.contains("weft bridge fetch"));
    assert_eq!(progress.kept, Some(true));
}

#[test]
fn without_a_base_chain_nothing_is_said_of_a_payment() {
    let progress = of(status(true, true), Err(Silence::Unnamed));
    assert_eq!(progress.state, State::Posted);
    assert!(progress.next.contains("--base-rpc"));
    assert_eq!(done(&progress), [true, true, true, false, false]);
    for step in &progress.steps[3..] {
        assert_eq!(step.words, "not known", "it may be paid");
    }
    // A node that is ahead of the base chain's own, or lies.
    let nowhere = of(status(true, true), Ok(Seen::default()));
    assert_eq!(done(&nowhere), [true, true, false, false, false]);
}

#[test]
fn while_the_bridge_is_halted_what_no_checkpoint_that_counts_has_is_not_paid_and_the_rest_is() {
    let still = || {
        Some(Still::Halted {
            reason: "taken back".to_owned(),
        })
    };
    let told = |status, seen| Progress::of(status, seen, INTERVAL, still());
    let refused = Seen {
        refusal: Some("checkpoint 9 has other deposits than the vault".to_owned()),
        ..seen()
    };
    for progress in [
        told(status(false, false), Ok(seen())),
        told(status(true, false), Ok(seen())),
        told(status(true, true), Ok(refused)),
        told(status(true, true), Err(Silence::Away)),
    ] {
        assert!(progress.next.contains("it is not paid"), "{progress:?}");
        assert!(progress.stands_still.is_some());
    }
    let payable = Seen {
        latch: at(110),
        ..seen()
    };
    for seen in [seen(), payable] {
        let progress = told(status(true, true), Ok(seen));
        assert!(!progress.next.contains("not paid"), "{progress:?}");
        assert_eq!(progress.stands_still, None);
    }
}
