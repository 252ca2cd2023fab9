//! Mix `transfer`: one payment of the native asset a transaction, among many accounts.

use super::accounts::Player;
use super::sign::Lane;
use std::sync::Arc;
use weft_client::Draft;
use weft_types::{Amount, AssetId, Operation, Payment, Transaction};

/// Accounts that pay each other.
pub const ACCOUNTS: u32 = 1_000;

pub struct Transfers {
    players: Arc<[Player]>,
    /// Where this lane begins in the list, so that lanes differ.
    offset: usize,
}

impl Transfers {
    pub fn lanes(players: Vec<Player>, count: usize) -> Vec<Box<dyn Lane>> {
        let players: Arc<[Player]> = players.into();
        let lane = |i| -> Box<dyn Lane> {
            Box::new(Self {
                offset: i * players.len() / count,
                players: players.clone(),
            })
        };
        (0..count).map(lane).collect()
    }
}

impl Lane for Transfers {
    fn next(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let count = self.players.len();
        let from = (self.offset + place as usize) % count;
        // Another partner each time round.
        let step = 1 + (place as usize / count) % (count - 1);
        let payment = Payment {
            to: self.players[(from + step) % count].address,
            asset: AssetId::NATIVE,
            amount: Amount(1),
        };
        let transfer = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        (draft.sign(&self.players[from].key, vec![transfer]), vec![])
    }
}
