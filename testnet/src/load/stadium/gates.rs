//! The gates of a stadium: each has a key of its own, with a session of its entrance's account (L20) that redeems
//! tickets and does nothing else. An entrance is an account with the role of a gate (L27).

use super::Event;
use crate::load::accounts::Player;
use crate::load::sign::Lane;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_client::Draft;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetAmount, AssetId, EditionId, ItemId, KeyChange, Millis, NetworkId,
    Operation, PassBody, SESSIONS_MAX, Session, SessionKind, Transaction, UserKey,
};

/// Queues of the stadium.
pub const GATES: u32 = 72;
pub const ENTRANCES: u32 = GATES.div_ceil(SESSIONS_MAX as u32);
/// Of how many shown tickets one is shown a second time.
const SHOWN_TWICE: u64 = 20;
/// Longer than any load is signed and run for.
const OPEN: Duration = Duration::from_secs(3_600);

#[derive(Clone)]
pub struct Gate {
    entrance: Player,
    key: SecretKey,
}

/// A gate for each of these keys, at the entrances in turn.
pub fn gates(entrances: Vec<Player>, keys: Vec<SecretKey>) -> Vec<Gate> {
    let turns = entrances.into_iter().cycle();
    let gates = keys.into_iter().zip(turns);
    gates
        .map(|(key, entrance)| Gate { entrance, key })
        .collect()
}

impl Event {
    /// L19: each entrance lets its gates redeem tickets of this event, and pay so much for it.
    pub fn open(
        &self,
        gates: &[Gate],
        draft: &Draft,
        limit: Amount,
        now: Millis,
    ) -> Vec<Transaction> {
        let open = |gate: &Gate| {
            let session = Session {
                key: Address::of_key(&gate.key.public()),
                expires: now.saturating_add(OPEN.as_millis() as u64),
                kinds: [SessionKind::Redeem].into_iter().collect(),
                collections: vec![self.0.collection],
                limits: vec![AssetAmount {
                    asset: AssetId::NATIVE,
                    amount: limit,
                }],
            };
            let changes = vec![KeyChange::Session(session)];
            draft.sign(&gate.entrance.key, vec![Operation::SetKeys { changes }])
        };
        gates.iter().map(open).collect()
    }

    /// One pass after the other, each lane with serials of its own, at all gates in turn; and how many different tickets
    /// are shown.
    pub fn shown_at(
        &self,
        gates: Vec<Gate>,
        network: NetworkId,
        players: Vec<Player>,
        (width, now): (usize, Millis),
    ) -> (Vec<Box<dyn Lane>>, Arc<AtomicU64>) {
        let gates: Arc<[Gate]> = gates.into();
        let players: Arc<[Player]> = players.into();
        let tickets = Arc::new(AtomicU64::new(0));
        let lane = |i: usize| -> Box<dyn Lane> {
            Box::new(Passes {
                network,
                edition: self.0.edition,
                gates: gates.clone(),
                players: players.clone(),
                turn: i,
                next: i as u64,
                width,
                now,
                shown: 0,
                tickets: tickets.clone(),
            })
        };
        ((0..width).map(lane).collect(), tickets)
    }
}

struct Passes {
    network: NetworkId,
    edition: EditionId,
    gates: Arc<[Gate]>,
    players: Arc<[Player]>,
    /// Which gate is the next one.
    turn: usize,
    /// Number of the next ticket, from 0.
    next: u64,
    width: usize,
    now: Millis,
    /// Passes shown in this lane.
    shown: u64,
    /// Different ones, of all lanes.
    tickets: Arc<AtomicU64>,
}

impl Lane for Passes {
    fn next(&mut self, _: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        self.shown += 1;
        let width = self.width as u64;
        let number = match self.shown.is_multiple_of(SHOWN_TWICE) {
            // The last one once more, at another gate.
            true => self.next - width,
            false => {
                self.tickets.fetch_add(1, Ordering::Relaxed);
                self.next += width;
                self.next - width
            }
        };
        let gate = &self.gates[self.turn % self.gates.len()];
        self.turn += self.width;
        let item = ItemId::derive(&self.edition, number + 1);
        let holder = &self.players[number as usize % self.players.len()];
        let pass = PassBody::at(self.network, item, self.now, None);
        let pass = pass.sign(&UserKey::from(&holder.key));
        let redeem = Operation::Redeem { item, pass };
        let draft = draft.clone().for_account(gate.entrance.address);
        (draft.sign(&gate.key, vec![redeem]), vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::accounts::{keys, player, players};
    use std::collections::{BTreeMap, BTreeSet};
    use weft_types::testing;

    #[test]
    fn gates_show_each_ticket_by_its_holder_and_one_in_twenty_twice_at_another_gate() {
        let genesis = testing::genesis(4);
        let (network, draft) = (genesis.network.id(), Draft::new(&genesis));
        let source = SecretKey::from_seed([7; 32]);
        let entrances = players(&source, "entrance", ENTRANCES);
        let maker = player(&source, "maker", 0);
        let (event, founding) = Event::at_the_gates(maker, 300, &entrances, &draft);
        assert!(founding.verify(network).is_ok());
        let players = players(&source, "stadium", 7);
        assert_eq!(event.0.mint(&draft, &players).len(), 2);
        let gates = gates(entrances, keys(&source, "gate", GATES));
        let now = Millis(1_800_000_000_000);
        let opened = event.open(&gates, &draft, Amount(9), now);
        assert!(opened.iter().all(|t| t.clone().verify(network).is_ok()));
        let (mut lanes, tickets) = event.shown_at(gates, network, players.clone(), (3, now));
        let mut shown: BTreeMap<ItemId, BTreeSet<Address>> = BTreeMap::new();
        let mut open = BTreeSet::new();
        for place in 0..120 {
            let (transaction, _) = lanes[place as usize % 3].next(place, &draft);
            let Operation::Redeem { item, pass } = &transaction.body().operations[0] else {
                panic!("a gate redeems");
            };
            let serial = (1..=300).find(|n| ItemId::derive(&event.0.edition, *n) == *item);
            let number = serial.unwrap() as usize - 1;
            assert_eq!(pass.key(), players[number % players.len()].address);
            let gate = transaction.authorisations()[0].key();
            open.insert(gate);
            assert!(shown.entry(*item).or_default().insert(gate));
            assert!(transaction.verify(network).is_ok());
        }
        assert_eq!(open.len(), 72);
        assert_eq!(shown.len() as u64, tickets.load(Ordering::Relaxed));
        assert_eq!(shown.values().filter(|gates| gates.len() == 2).count(), 6);
    }
}
