//! Collections' policies, and deals of the market.

use super::*;
use crate::ids::{Amount, AssetId, CommitIndex, EditionId, ItemId, Millis};
use crate::object::{Deal, Order};
use crate::operation::{
    AssetAmount, Auction, Bundle, Commission, DealRule, NewDeal, Policy, Role, RoleHolder, Royalty,
};

/// A policy that asks for everything there is.
pub fn policy() -> Policy {
    Policy {
        floor_price: Amount(100),
        cap_price: Amount(5_000),
        locked_until: Millis(60_000),
        cut_off: Millis(90_000),
        personal: true,
        royalty: Some(Royalty {
            to: user(2),
            parts: 250,
        }),
    }
}

/// Ascending by account.
pub fn role_holders() -> Vec<RoleHolder> {
    let holder = |i, roles: &[Role]| RoleHolder {
        account: user(i),
        roles: roles.iter().copied().collect(),
    };
    let mut holders = vec![
        holder(2, &[Role::Minter]),
        holder(3, &[Role::Gate, Role::Freezer]),
    ];
    holders.sort_unstable_by_key(|h| h.account);
    holders
}

/// The terms of an auction with every part.
pub fn auction() -> NewDeal {
    NewDeal {
        gives: Bundle {
            assets: vec![],
            items: vec![ItemId([3; 32]), ItemId([4; 32])],
        },
        wants: Bundle {
            assets: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: Amount(250),
            }],
            items: vec![],
        },
        expires: Millis(90_000),
        reference: "A1-001".to_owned(),
        commission: Some(Commission {
            to: user(4),
            parts: 100,
        }),
        rule: DealRule::Auction(Auction {
            raise: 500,
            extend: Millis(10_000),
            last: Millis(100_000),
        }),
        ..NewDeal::default()
    }
}

/// An order of user 1's that bids for five items, of which two were traded.
pub fn order() -> Deal {
    let edition = EditionId([7; 32]);
    let terms = NewDeal::bid(edition, Amount(40), 3, Millis(90_000));
    Deal {
        order: Some(Order {
            edition,
            entered: CommitIndex(12),
            traded: 2,
        }),
        ..Deal::open(user(1), terms.expect("it fits"))
    }
}
