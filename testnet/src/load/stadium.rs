//! Mixes `stadium` and `redeem`: tickets sold in a burst that asks for three times as many as there are, and gates that
//! redeem tickets, some of which are shown twice. In both most of what fails has to fail, so what is counted at the
//! end is compared with the tickets.

mod gates;

pub use gates::{ENTRANCES, GATES, gates};

use super::accounts::Player;
use super::founding::{Founded, Plan};
use super::sign::Lane;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use weft_client::{Client, ClientError, Draft};
use weft_types::{
    Amount, CollectionId, EditionId, Millis, Operation, Purchase, Role, RoleHolder, Sale,
    Transaction,
};

/// Accounts that buy, or hold the tickets.
pub const PLAYERS: u32 = 1_000;
/// How many buyers there are for a ticket.
const DEMAND: u64 = 3;
const PRICE: Amount = Amount(50);

/// An event, with its edition of tickets.
pub struct Event(pub Founded);

impl Event {
    /// For so many purchases, with the transaction that founds it.
    pub fn sold_out(maker: Player, purchases: u32, draft: &Draft) -> (Self, Transaction) {
        let sale = Sale {
            price: PRICE,
            from: Millis::ZERO,
            until: Millis::ZERO,
            by_permit: false,
            list: None,
        };
        let for_sale = |_, edition| Operation::SetSale {
            edition,
            sale: Some(sale.clone()),
        };
        let tickets = u64::from(purchases).div_ceil(DEMAND);
        Self::of(maker, tickets, &for_sale, draft)
    }

    /// For so many passes, shown at these entrances.
    pub fn at_the_gates(
        maker: Player,
        passes: u32,
        entrances: &[Player],
        draft: &Draft,
    ) -> (Self, Transaction) {
        let holder = |entrance: &Player| RoleHolder {
            account: entrance.address,
            roles: [Role::Gate].into_iter().collect(),
        };
        let with_gates = |collection, _| Operation::SetPolicy {
            collection,
            policy: None,
            roles: entrances.iter().map(holder).collect(),
        };
        Self::of(maker, passes.into(), &with_gates, draft)
    }

    fn of(
        maker: Player,
        tickets: u64,
        rule: &dyn Fn(CollectionId, EditionId) -> Operation,
        draft: &Draft,
    ) -> (Self, Transaction) {
        let plan = Plan {
            description: "An event of the load generator",
            edition: "Ticket",
            items: tickets,
            uses: 1,
            rule: Some(rule),
        };
        let (founded, founding) = Founded::by(maker, &plan, draft);
        (Self(founded), founding)
    }

    /// One purchase after the other, by players in turn.
    pub fn buyers(&self, players: Vec<Player>, width: usize) -> Vec<Box<dyn Lane>> {
        let players: Arc<[Player]> = players.into();
        let lane = |i| -> Box<dyn Lane> {
            Box::new(Buyers {
                edition: self.0.edition,
                offset: i * players.len() / width,
                players: players.clone(),
            })
        };
        (0..width).map(lane).collect()
    }
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

/// What has to be so in the end.
pub enum Expected {
    /// Exactly what was sold is there, and no more than the cap; all of it when there were buyers enough.
    Sold { edition: EditionId },
    /// Each ticket was redeemed once.
    Redeemed { tickets: Arc<AtomicU64> },
}

/// What is counted of a load.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    pub offered: u64,
    pub committed: u64,
    /// Without an outcome, or failed for another reason than what is [expected](Expected::refusal).
    pub untold: u64,
}

impl Expected {
    /// What those are told who get no ticket, or show one again.
    pub fn refusal(&self) -> &'static str {
        match self {
            Self::Sold { .. } => "cap_reached",
            Self::Redeemed { .. } => "no_use_left",
        }
    }

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
    let Counted {
        committed, untold, ..
    } = counted;
    let exact = committed <= tickets && (untold > 0 || committed == tickets);
    (!exact).then(|| format!("{committed} were let in with {tickets} tickets"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::accounts::{player, players};
    use weft_types::ed25519::SecretKey;
    use weft_types::testing;

    #[test]
    fn a_burst_asks_for_three_times_the_tickets() {
        let draft = Draft::new(&testing::genesis(4));
        let source = SecretKey::from_seed([7; 32]);
        let maker = player(&source, "maker", 0);
        let (event, founding) = Event::sold_out(maker, 300, &draft);
        assert!(founding.verify(testing::genesis(4).network.id()).is_ok());
        assert_eq!(event.0.items, 100);
        let players = players(&source, "stadium", 7);
        let mut lanes = event.buyers(players, 2);
        for place in 0..10 {
            let (transaction, after) = lanes[place as usize % 2].next(place, &draft);
            assert_eq!(transaction.body().operations[0].minted(), 1);
            assert!(after.is_empty());
            assert!(transaction.verify(testing::genesis(4).network.id()).is_ok());
        }
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
        assert_eq!(redeemed(114, counted(120, 100, 14)), None);
        assert!(redeemed(114, counted(120, 115, 0)).is_some());
        assert!(redeemed(114, counted(120, 115, 1)).is_some());
        assert!(redeemed(114, counted(120, 113, 0)).is_some());
    }
}
