//! Mixes `transfer` and `session`: one payment of the native asset a transaction, among many accounts, signed by the
//! account's own key or by one that has a session there.

use super::accounts::Player;
use super::sign::Lane;
use std::sync::Arc;
use std::time::Duration;
use weft_client::Draft;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetAmount, AssetId, KeyChange, Millis, Operation, Payment, Session,
    SessionKind, Transaction,
};

/// Accounts that pay each other.
pub const ACCOUNTS: u32 = 1_000;

/// Longer than any load is signed and run for.
const SESSION: Duration = Duration::from_secs(3_600);

pub struct Transfers {
    players: Arc<[Player]>,
    /// The key of a session of each player; `None`: all sign for themselves.
    sessions: Option<Arc<[SecretKey]>>,
    /// Where this lane begins in the list, so that lanes differ.
    offset: usize,
}

impl Transfers {
    /// Of players with a session's key each, or with none.
    pub fn lanes(
        players: Vec<Player>,
        sessions: Option<Vec<SecretKey>>,
        count: usize,
    ) -> Vec<Box<dyn Lane>> {
        let players: Arc<[Player]> = players.into();
        let sessions: Option<Arc<[SecretKey]>> = sessions.map(Into::into);
        let lane = |i| -> Box<dyn Lane> {
            Box::new(Self {
                offset: i * players.len() / count,
                players: players.clone(),
                sessions: sessions.clone(),
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
        let payer = &self.players[from];
        let signed = match &self.sessions {
            None => draft.sign(&payer.key, vec![transfer]),
            Some(keys) => {
                let draft = draft.clone().for_account(payer.address);
                draft.sign(&keys[from], vec![transfer])
            }
        };
        (signed, vec![])
    }
}

/// L19: each player lets a key pay for it, so much in all, fees among it.
pub fn begin_sessions(
    draft: &Draft,
    players: &[Player],
    keys: &[SecretKey],
    limit: Amount,
    now: Millis,
) -> Vec<Transaction> {
    let begin = |(player, key): (&Player, &SecretKey)| {
        let session = Session {
            key: Address::of_key(&key.public()),
            expires: now.saturating_add(SESSION.as_millis() as u64),
            kinds: [SessionKind::Transfer].into_iter().collect(),
            collections: vec![],
            limits: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: limit,
            }],
        };
        let changes = vec![KeyChange::Session(session)];
        draft.sign(&player.key, vec![Operation::SetKeys { changes }])
    };
    players.iter().zip(keys).map(begin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::accounts::players;
    use weft_types::testing;

    #[test]
    fn each_payment_of_mix_session_is_signed_by_the_session_of_its_payer() {
        let draft = Draft::new(&testing::genesis(4));
        let source = SecretKey::from_seed([7; 32]);
        let players = players(&source, "session", 3);
        let keys: Vec<_> = (0..3).map(|i| SecretKey::from_seed([i; 32])).collect();
        let mut lanes = Transfers::lanes(players.clone(), Some(keys.clone()), 1);
        for place in 0..7 {
            let (transaction, _) = lanes[0].next(place, &draft);
            let payer = place as usize % 3;
            assert_eq!(transaction.body().sender, players[payer].address);
            let [signed] = transaction.authorisations() else {
                panic!("one signature");
            };
            assert_eq!(signed.account, Some(players[payer].address));
            assert_eq!(signed.key(), Address::of_key(&keys[payer].public()));
        }
    }
}
