//! Mixes `stadium` and `redeem`: tickets sold in a burst that asks for three times as many as there are, and gates that
//! redeem tickets, some of which are shown twice. In both most of what fails has to fail, so what is counted at the
//! end is compared with the tickets.

use super::accounts::Player;
use super::sign::Lane;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use weft_client::{Client, ClientError, Draft};
use weft_types::{
    Amount, CollectionId, EditionId, ItemId, MINTED_ITEMS_MAX, Millis, MintEntry, NetworkId,
    NewEdition, Operation, PassBody, Purchase, Sale, Transaction, UserKey,
};

/// Accounts that buy, or hold the tickets.
pub const PLAYERS: u32 = 1_000;
/// How many buyers there are for a ticket.
const DEMAND: u64 = 3;
/// Of how many shown tickets one is shown a second time.
const SHOWN_TWICE: u64 = 20;
const PRICE: Amount = Amount(50);

/// An event: its edition of tickets, by a maker who has every role, so that the gates use its account.
pub struct Event {
    maker: Player,
    pub edition: EditionId,
    tickets: u64,
}

impl Event {
    /// For so many purchases.
    pub fn sold_out(maker: Player, purchases: u32, draft: &Draft) -> (Self, Transaction) {
        Self::found(maker, u64::from(purchases).div_ceil(DEMAND), true, draft)
    }

    /// For so many passes.
    pub fn at_the_gates(maker: Player, passes: u32, draft: &Draft) -> (Self, Transaction) {
        Self::found(maker, passes.into(), false, draft)
    }

    /// With the transaction that founds it.
    fn found(maker: Player, tickets: u64, for_sale: bool, draft: &Draft) -> (Self, Transaction) {
        let create = Operation::CreateCollection {
            name: "Load".to_owned(),
            description: "An event of the load generator".to_owned(),
            item_cap: 0,
        };
        // Ids are as long as those in their places, so that the fee stays right.
        let sale = for_sale.then_some(Sale {
            price: PRICE,
            from: Millis::ZERO,
            until: Millis::ZERO,
            by_permit: false,
            list: None,
        });
        let steps = |collection, edition| {
            let sale = sale.clone();
            vec![
                create.clone(),
                tickets_of(collection, tickets),
                Operation::SetSale { edition, sale },
            ]
        };
        let operations = steps(CollectionId::ZERO, EditionId::default());
        let mut body = draft.body(maker.address, operations);
        let collection = CollectionId::derive(&maker.address, &body.idempotency, 0);
        let edition = EditionId::derive(&collection, 1);
        body.operations = steps(collection, edition);
        let transaction = body.sign(&[&maker.key]);
        let event = Self {
            maker,
            edition,
            tickets,
        };
        (event, transaction)
    }

    /// Transactions that mint the tickets to players in turn; one after the other, for serials follow the order.
    pub fn mint(&self, draft: &Draft, players: &[Player]) -> Vec<Transaction> {
        let serials: Vec<u64> = (0..self.tickets).collect();
        let minted = serials.chunks(MINTED_ITEMS_MAX as usize).map(|part| {
            let entries = part.iter().map(|n| MintEntry {
                edition: self.edition,
                to: players[*n as usize % players.len()].address,
                count: 1,
            });
            let entries = entries.collect();
            draft.sign(&self.maker.key, vec![Operation::Mint { entries }])
        });
        minted.collect()
    }

    /// One purchase after the other, by players in turn.
    pub fn buyers(&self, players: Vec<Player>, width: usize) -> Vec<Box<dyn Lane>> {
        let players: Arc<[Player]> = players.into();
        let lane = |i| -> Box<dyn Lane> {
            Box::new(Buyers {
                edition: self.edition,
                offset: i * players.len() / width,
                players: players.clone(),
            })
        };
        (0..width).map(lane).collect()
    }

    /// One pass after the other, each lane with serials of its own; and how many different tickets they have shown.
    pub fn gates(
        &self,
        network: NetworkId,
        players: Vec<Player>,
        (width, now): (usize, Millis),
    ) -> (Vec<Box<dyn Lane>>, Arc<AtomicU64>) {
        let players: Arc<[Player]> = players.into();
        let tickets = Arc::new(AtomicU64::new(0));
        let lane = |i: usize| -> Box<dyn Lane> {
            Box::new(Gates {
                network,
                edition: self.edition,
                gate: self.maker.clone(),
                players: players.clone(),
                next: i as u64,
                width: width as u64,
                now,
                shown: 0,
                tickets: tickets.clone(),
            })
        };
        ((0..width).map(lane).collect(), tickets)
    }
}

fn tickets_of(collection: CollectionId, cap: u64) -> Operation {
    Operation::CreateEdition(NewEdition {
        collection,
        name: "Ticket".to_owned(),
        cap,
        traits: vec![],
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 1,
    })
}

struct Buyers {
    edition: EditionId,
    players: Arc<[Player]>,
    offset: usize,
}

impl Lane for Buyers {
    fn next(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let buyer = (self.offset + place as usize) % self.players.len();
        let buy = Operation::Buy(Purchase {
            edition: self.edition,
            count: 1,
            price: PRICE,
            listed: None,
        });
        (draft.sign(&self.players[buyer].key, vec![buy]), vec![])
    }
}

struct Gates {
    network: NetworkId,
    edition: EditionId,
    gate: Player,
    players: Arc<[Player]>,
    /// Number of the next ticket, from 0.
    next: u64,
    width: u64,
    now: Millis,
    /// Passes shown in this lane.
    shown: u64,
    /// Different ones, of all lanes.
    tickets: Arc<AtomicU64>,
}

impl Lane for Gates {
    fn next(&mut self, _: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        self.shown += 1;
        let number = match self.shown.is_multiple_of(SHOWN_TWICE) {
            // The last one once more, at another gate.
            true => self.next - self.width,
            false => {
                self.tickets.fetch_add(1, Ordering::Relaxed);
                self.next += self.width;
                self.next - self.width
            }
        };
        let item = ItemId::derive(&self.edition, number + 1);
        let holder = &self.players[number as usize % self.players.len()];
        let pass = PassBody::at(self.network, item, self.now, None);
        let pass = pass.sign(&UserKey::from(&holder.key));
        let redeem = Operation::Redeem { item, pass };
        (draft.sign(&self.gate.key, vec![redeem]), vec![])
    }
}

/// What has to be so in the end.
pub enum Expected {
    /// Exactly what was sold is there, and no more than the cap; all of it when there were buyers enough.
    Sold { edition: EditionId },
    /// No ticket was redeemed twice.
    Redeemed { tickets: Arc<AtomicU64> },
}

/// What is counted of a load.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    pub offered: u64,
    pub committed: u64,
    /// Without an outcome, or failed for another reason than that there was no ticket left.
    pub untold: u64,
}

impl Expected {
    /// `None` when it is so, else words.
    pub async fn wrong(
        &self,
        client: &Client,
        counted: Counted,
    ) -> Result<Option<String>, ClientError> {
        Ok(match self {
            Self::Sold { edition } => {
                let edition = client.edition(edition).await?;
                sold(edition.issued, edition.cap, counted)
            }
            Self::Redeemed { tickets } => redeemed(tickets.load(Ordering::Relaxed), counted),
        })
    }
}

fn sold(issued: u64, cap: u64, counted: Counted) -> Option<String> {
    let Counted {
        offered,
        committed,
        untold,
    } = counted;
    let exact =
        issued <= cap && (untold > 0 || (issued == committed && issued == cap.min(offered)));
    (!exact).then(|| {
        format!("{issued} of {cap} tickets were sold, {committed} of {offered} buyers were told so")
    })
}

fn redeemed(tickets: u64, counted: Counted) -> Option<String> {
    let committed = counted.committed;
    (committed > tickets).then(|| format!("{committed} were let in with {tickets} tickets"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::accounts::{player, players};
    use std::collections::BTreeMap;
    use weft_types::ed25519::SecretKey;
    use weft_types::testing;

    fn event(for_sale: bool) -> (Event, Vec<Player>, Draft) {
        let draft = Draft::new(&testing::genesis(4));
        let source = SecretKey::from_seed([7; 32]);
        let maker = player(&source, "maker", 0);
        let (event, founding) = match for_sale {
            true => Event::sold_out(maker, 300, &draft),
            false => Event::at_the_gates(maker, 300, &draft),
        };
        let network = testing::genesis(4).network.id();
        assert!(founding.verify(network).is_ok());
        (event, players(&source, "stadium", 7), draft)
    }

    #[test]
    fn a_burst_asks_for_three_times_the_tickets() {
        let (event, players, draft) = event(true);
        assert_eq!(event.tickets, 100);
        let mut lanes = event.buyers(players, 2);
        for place in 0..10 {
            let (transaction, after) = lanes[place as usize % 2].next(place, &draft);
            assert_eq!(transaction.body().operations[0].minted(), 1);
            assert!(after.is_empty());
            assert!(transaction.verify(testing::genesis(4).network.id()).is_ok());
        }
    }

    #[test]
    fn gates_show_each_ticket_by_its_holder_and_one_in_twenty_twice() {
        let (event, players, draft) = event(false);
        let minted = event.mint(&draft, &players);
        assert_eq!(minted.len(), 2);
        let network = testing::genesis(4).network.id();
        let now = Millis(1_800_000_000_000);
        let (mut lanes, tickets) = event.gates(network, players.clone(), (3, now));
        let mut shown: BTreeMap<ItemId, u32> = BTreeMap::new();
        for place in 0..120 {
            let (transaction, _) = lanes[place as usize % 3].next(place, &draft);
            let Operation::Redeem { item, pass } = &transaction.body().operations[0] else {
                panic!("a gate redeems");
            };
            let serial = (1..=300).find(|n| ItemId::derive(&event.edition, *n) == *item);
            let number = serial.unwrap() as usize - 1;
            assert_eq!(pass.key(), players[number % players.len()].address);
            *shown.entry(*item).or_default() += 1;
            assert!(transaction.verify(network).is_ok());
        }
        assert_eq!(shown.len() as u64, tickets.load(Ordering::Relaxed));
        assert_eq!(shown.values().filter(|n| **n == 2).count(), 6);
    }

    #[test]
    fn an_oversold_event_and_a_ticket_let_in_twice_are_noticed() {
        let counted = |offered, committed, untold| Counted {
            offered,
            committed,
            untold,
        };
        assert_eq!(sold(100, 100, counted(300, 100, 0)), None);
        assert_eq!(sold(80, 100, counted(80, 80, 0)), None);
        assert_eq!(
            sold(100, 100, counted(300, 99, 1)),
            None,
            "one was not told"
        );
        assert!(sold(101, 100, counted(300, 101, 0)).is_some());
        assert!(sold(99, 100, counted(300, 99, 0)).is_some());
        assert!(sold(100, 100, counted(300, 99, 0)).is_some());
        assert_eq!(redeemed(114, counted(120, 114, 0)), None);
        assert!(redeemed(114, counted(120, 115, 0)).is_some());
    }
}
