//! Series of packs.

use super::*;
use crate::ids::{
    Amount, AssetId, CommitIndex, DealId, DrawSecret, Entropy, Epoch, ItemId, Millis, Round,
    VertexDigest,
};
use crate::object::{Closing, Deal, DealState, Drawing, Lot, Pack};
use crate::operation::{AssetAmount, Bundle, DealRule, NewDeal, Series};

/// The secret of [`series`].
pub const DRAW_SECRET: DrawSecret = DrawSecret([0x5e; 32]);

/// A series by user 1: packs for 60 with a bond of 100 each.
pub fn series(packs: u32, cards: u32) -> NewDeal {
    let coin = |amount| {
        vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }]
    };
    let items = (0..packs * cards).map(|n| {
        let mut id = [0x7c; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        ItemId(id)
    });
    NewDeal {
        gives: Bundle {
            assets: coin(100 * u64::from(packs)),
            items: items.collect(),
        },
        wants: Bundle {
            assets: coin(60),
            items: vec![],
        },
        expires: Millis(90_000),
        rule: DealRule::Draw(Series {
            packs,
            commitment: crate::draw_commitment(&user(1), &DRAW_SECRET),
            reveal: Millis(600_000),
        }),
        ..NewDeal::default()
    }
}

/// A series that is sold out and drawn.
pub fn drawn(packs: u32, cards: u32) -> (DealId, Deal) {
    let sold = (0..packs).map(|n| Pack {
        holder: user(u64::from(2 + n % 3)),
        entropy: Entropy([n as u8; 32]),
    });
    let drawing = Drawing {
        packs: sold.collect(),
        closing: Some(Closing {
            at: Millis(80_000),
            epoch: Epoch(1),
            round: Round(41),
        }),
        lot: Some(Lot {
            at: Millis(80_300),
            commit: CommitIndex(37),
            digest: VertexDigest([0x17; 32]),
        }),
        reveal_from: Some(Millis(80_600)),
        secret: Some(DRAW_SECRET),
    };
    let deal = Deal {
        bid: None,
        standing: None,
        order: None,
        giver: user(1),
        terms: series(packs, cards),
        state: DealState::Taken { by: user(1) },
        drawing: Some(drawing),
    };
    (DealId([9; 32]), deal)
}
