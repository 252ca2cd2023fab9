//! Mix `market`: players trade cards of a collection. Sales (listing, purchase), offers (offer,
//! acceptance), swaps of two for two, gifts, auctions and bids, and updates of a card's status by its maker. The maker
//! has a royalty of the sales. Mix `steve` has packs and books as well.
//!
//! No transaction is expected to fail. Each names what has to be committed before it: a purchase its
//! listing, and every move of a card the card's move before. Cards rest between two moves as long as
//! there are others, and a deal is taken some seconds after it was opened, so that in a network that
//! keeps up nothing ever waits. Every lane has players and cards of its own, in a collection of its own or its part of one.

mod auction;
mod orders;
mod packs;
mod stall;

pub use stall::{Need, Shelf, Stall};

use super::accounts::Player;
use super::sign::{Lane, reaching};
use rand::RngExt as _;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use weft_client::Draft;
use weft_types::{
    Amount, AssetAmount, AssetId, Bundle, DealId, EditionId, ItemId, ItemTransfer, Millis, NewDeal,
    Operation, Taking, Transaction, WantedFrom, WantedItems,
};

/// Players of one lane.
pub const PLAYERS: u32 = 200;
/// Seconds between two moves of a card, as far as cards suffice.
const REST_S: f64 = 3.0;
/// How long a deal is open.
const DEAL_OPEN_MS: u64 = 600_000;
/// Prices are 1 to this.
const PRICE_MAX: u64 = 100;

/// Out of a hundred beginnings; a deal is two transactions, so that of all transactions about a third
/// belong to sales, and each of the others to a sixth.
const SALE: u32 = 25;
const OFFER: u32 = 18;
const SWAP: u32 = 12;
const GIFT: u32 = 20;
const AUCTION: u32 = 9;
/// Of a market with packs and books.
const PACK: u32 = 8;
const ORDER: u32 = 6;

/// A card as the plan knows it: who will own it, and what moved it last.
#[derive(Debug, Clone, Copy)]
struct Card {
    id: ItemId,
    edition: EditionId,
    moved: Option<u32>,
}

/// A deal that will be taken.
struct Open {
    /// From this place on.
    due: u32,
    opened: u32,
    deal: DealId,
    entries: u64,
    giver: usize,
    taker: usize,
    given: Vec<Card>,
    wanted: Vec<Card>,
    /// The taker names what it gives.
    picks: bool,
}

pub struct Market {
    maker: Player,
    players: Vec<Player>,
    /// Cards at rest, by owner; the longest at rest in front.
    hands: Vec<VecDeque<Card>>,
    open: VecDeque<Open>,
    /// The longest without a bid in front.
    auctions: VecDeque<auction::Open>,
    packs: packs::Packs,
    orders: orders::Orders,
    all: Vec<ItemId>,
    random: StdRng,
    /// Whose turn it is.
    turn: usize,
    /// Transactions of this lane from the opening of a deal to its taking.
    gap: u32,
}

fn price(amount: u64) -> Bundle {
    Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

fn cards(cards: &[Card]) -> Bundle {
    Bundle {
        assets: vec![],
        items: cards.iter().map(|c| c.id).collect(),
    }
}

fn moved(cards: &[Card]) -> impl Iterator<Item = u32> + '_ {
    cards.iter().filter_map(|c| c.moved)
}

impl Lane for Market {
    fn next(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let is_due = |o: &mut Open| o.due <= place;
        if let Some(open) = self.open.pop_front_if(is_due) {
            return self.take(place, draft, open);
        }
        let draw = self.random.random_range(0..100);
        if draw < SALE {
            self.list(place, draft)
        } else if draw < SALE + OFFER {
            self.offer(place, draft)
        } else if draw < SALE + OFFER + SWAP {
            self.swap(place, draft)
        } else if draw < SALE + OFFER + SWAP + GIFT {
            self.give(place, draft)
        } else if draw < SALE + OFFER + SWAP + GIFT + AUCTION {
            self.auction(place, draft)
        } else if draw < SALE + OFFER + SWAP + GIFT + AUCTION + PACK
            && let Some(made) = self.packs(place, draft)
        {
            made
        } else if draw < SALE + OFFER + SWAP + GIFT + AUCTION + PACK + ORDER
            && let Some(made) = self.order(draft)
        {
            made
        } else {
            self.update(place, draft)
        }
    }
}

impl Market {
    /// The next player with at least so many cards at rest, and one who is somebody else.
    fn pair(&mut self, cards: usize) -> (usize, usize) {
        let count = self.players.len();
        self.turn += 1;
        let turns = (0..count).map(|i| (self.turn + i) % count);
        let holder = turns.max_by_key(|p| self.hands[*p].len().min(cards));
        let holder = holder.unwrap_or_default();
        let step = self.random.random_range(1..count);
        self.turn = holder;
        (holder, (holder + step) % count)
    }

    fn draw(&mut self, player: usize, most: usize) -> Vec<Card> {
        let hand = &mut self.hands[player];
        let count = most.min(hand.len());
        hand.drain(..count).collect()
    }

    fn begin(
        &mut self,
        place: u32,
        draft: &Draft,
        terms: NewDeal,
        mut open: Open,
    ) -> (Transaction, Vec<u32>) {
        let key = &self.players[open.giver].key;
        open.entries = terms.entries();
        let transaction = draft.sign(key, vec![Operation::DealOpen(terms)]);
        open.opened = place;
        open.due = place + self.gap;
        open.deal = DealId::derive(&transaction.id(), 0);
        let after = moved(&open.given).collect();
        self.open.push_back(open);
        (transaction, after)
    }

    /// A deal without its transaction.
    fn deal(giver: usize, taker: usize, given: Vec<Card>, wanted: Vec<Card>) -> Open {
        Open {
            due: 0,
            opened: 0,
            deal: DealId::default(),
            entries: 0,
            giver,
            taker,
            given,
            wanted,
            picks: false,
        }
    }

    fn terms(&self, draft: &Draft, gives: Bundle, wants: Bundle) -> NewDeal {
        let now = draft.body(self.maker.address, vec![]).valid_until;
        NewDeal {
            gives,
            wants,
            expires: Millis(now.0.saturating_add(DEAL_OPEN_MS)),
            ..NewDeal::default()
        }
    }

    fn list(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let (seller, buyer) = self.pair(1);
        let given = self.draw(seller, 1);
        let asked = self.random.random_range(1..=PRICE_MAX);
        let terms = self.terms(draft, cards(&given), price(asked));
        self.begin(
            place,
            draft,
            terms,
            Self::deal(seller, buyer, given, vec![]),
        )
    }

    /// Half of the offers are for one card, half for any of its edition.
    fn offer(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let (owner, bidder) = self.pair(1);
        let wanted = self.draw(owner, 1);
        let bid = self.random.random_range(1..=PRICE_MAX);
        let picks = self.random.random_bool(0.5);
        let mut terms = self.terms(draft, price(bid), Bundle::default());
        match wanted.first() {
            Some(card) if picks => terms.wants_any.push(WantedItems {
                from: WantedFrom::Edition(card.edition),
                count: 1,
            }),
            _ => terms.wants = cards(&wanted),
        }
        let mut deal = Self::deal(bidder, owner, vec![], wanted);
        deal.picks = picks;
        self.begin(place, draft, terms, deal)
    }

    fn swap(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let (giver, taker) = self.pair(2);
        let given = self.draw(giver, 2);
        let wanted = self.draw(taker, 2);
        let mut terms = self.terms(draft, cards(&given), cards(&wanted));
        terms.taker = Some(self.players[taker].address);
        self.begin(place, draft, terms, Self::deal(giver, taker, given, wanted))
    }

    fn take(&mut self, place: u32, draft: &Draft, open: Open) -> (Transaction, Vec<u32>) {
        let picked = open.wanted.iter().filter(|_| open.picks);
        let take = Operation::DealTake(Taking::new(open.deal, picked.map(|c| c.id).collect()));
        let draft = reaching(draft, &take, open.entries);
        let transaction = draft.sign(&self.players[open.taker].key, vec![take]);
        let mut after = vec![open.opened];
        after.extend(moved(&open.wanted));
        self.rest(place, open.taker, open.given);
        self.rest(place, open.giver, open.wanted);
        (transaction, after)
    }

    fn give(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let (from, to) = self.pair(1);
        let given = self.draw(from, 1);
        let moves = given.iter().map(|card| ItemTransfer {
            to: self.players[to].address,
            item: card.id,
        });
        let transfer = Operation::Transfer {
            payments: vec![],
            items: moves.collect(),
        };
        let after = moved(&given).collect();
        self.rest(place, to, given);
        (draft.sign(&self.players[from].key, vec![transfer]), after)
    }

    /// The maker may update a card wherever it is.
    fn update(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>) {
        let card = self.random.random_range(0..self.all.len());
        let update = Operation::UpdateItem {
            item: self.all[card],
            status: format!("played {place}"),
            data_hash: None,
        };
        (draft.sign(&self.maker.key, vec![update]), vec![])
    }

    fn rest(&mut self, place: u32, owner: usize, cards: Vec<Card>) {
        let moved = cards.into_iter().map(|card| Card {
            moved: Some(place),
            ..card
        });
        self.hands[owner].extend(moved);
    }
}

#[cfg(test)]
mod tests;
