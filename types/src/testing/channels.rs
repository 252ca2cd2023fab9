//! A channel of users 1 and 2, and what they show of it.

use super::*;
use crate::authorisation::UserKey;
use crate::channel::{ChannelPart, ChannelState, ChannelTerms, Showing, SignedState, Standing};
use crate::ids::{Amount, AssetId, DealId, ItemId, Millis, Secret};
use crate::operation::{AssetAmount, Bundle, DealRule, NewDeal};

/// A channel of user 1's with user 2.
pub fn channel() -> NewDeal {
    let bundle = |amount, items: &[ItemId]| Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: items.to_vec(),
    };
    let items = [ItemId([3; 32]), ItemId([4; 32])];
    NewDeal {
        gives: bundle(1_000, &items),
        taker: Some(user(2)),
        expires: Millis(90_000),
        rule: DealRule::CoSigned(ChannelTerms {
            challenge: Millis(5_000),
            to_taker: bundle(400, &items[1..]),
            giver_key: user(1),
            taker_key: user(2),
        }),
        ..NewDeal::default()
    }
}

/// A state of it with something everywhere, signed by both.
pub fn signed_state() -> SignedState {
    let mut parts = [(true, 9), (false, 8)].map(|(to_taker, n)| ChannelPart {
        to_taker,
        asset: AssetId::NATIVE,
        amount: Amount(50),
        hash: Secret([n; 32]).hash(),
        expires: Millis(80_000),
    });
    parts.sort_unstable_by_key(|p| p.hash);
    let to_taker = channel().channel().map(|c| c.to_taker.clone());
    let state = ChannelState {
        network: network().id(),
        deal: DealId([9; 32]),
        version: 7,
        to_taker: to_taker.expect("a channel"),
        parts: parts.to_vec(),
        last: false,
    };
    let signatures = [1, 2].map(|i| state.sign(&UserKey::from(&user_key(i))));
    SignedState { state, signatures }
}

/// It, and the secret of one of its parts.
pub fn showing() -> Showing {
    Showing {
        deal: DealId([9; 32]),
        state: Some(signed_state()),
        secrets: vec![Secret([9; 32])],
    }
}

/// What stands in a channel that was shown it.
pub fn standing() -> Standing {
    Standing {
        state: Some(signed_state().state),
        until: Millis(60_000),
        shown: [1, 2],
        secrets: vec![Secret([9; 32])],
    }
}
