//! A bridge.

use crate::bridge::{BaseAsset, Bridge, Withdrawal};
use crate::feed::{Feed, FeedReport};
use crate::ids::{Address, BaseAddress, CommitIndex, Root, TokenId};

/// A bridge that has seen everything, and its one withdrawal.
pub fn bridge() -> (Bridge, Withdrawal) {
    let withdrawal = Withdrawal {
        index: 0,
        asset: BaseAsset::Erc721 {
            token: BaseAddress([8; 20]),
            id: TokenId([9; 32]),
        },
        recipient: BaseAddress([10; 20]),
        account: Address([11; 32]),
        commit: CommitIndex(14),
    };
    let report = |count| FeedReport {
        count,
        digest: Root([12; 32]),
    };
    let mut bridge = Bridge {
        deposits: Feed {
            processed: 2,
            digest: Root([13; 32]),
            agreed: Some(report(3)),
            reports: vec![(1, report(3)), (4, report(5))],
        },
        ..Bridge::default()
    };
    bridge.withdrawals.push(withdrawal.leaf());
    (bridge, withdrawal)
}
