//! Mix `market`: players trade cards of a collection. Sales (listing, purchase), offers (offer,
//! acceptance), swaps of two for two, gifts, auctions and bids, and updates of a card's status by its maker. The maker
//! has a royalty of the sales. Mix `steve` has packs and books as well.
//!
//! No transaction is expected to fail. Each names what has to be committed before it: a purchase its
//! listing, and every move of a card the card's move before. Cards rest between two moves as long as
//! there are others, and a deal is taken some seconds after it was opened, so that in a network that
//! keeps up nothing ever waits. Every lane has a collection, players and cards of its own.

mod auction;
mod orders;
mod packs;

use super::accounts::Player;
use super::sign::Lane;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::VecDeque;
use weft_client::Draft;
use weft_types::{
    Amount, AssetAmount, AssetId, Bundle, CollectionId, DealId, EditionId, ItemId, ItemTransfer,
    Millis, MintEntry, NewDeal, NewEdition, Operation, Policy, Royalty, Taking, Trait, Transaction,
    WantedFrom, WantedItems,
};

/// Players of one lane.
pub const PLAYERS: u32 = 100;
/// Cards of one edition, all minted at once.
pub const EDITION_CARDS: u32 = 256;
/// Editions that one transaction creates.
const EDITIONS_AT_ONCE: u32 = 50;
/// Cards of a lane, at least.
const CARDS_MIN: u32 = 1_024;
/// Seconds between two moves of a card, as far as cards suffice.
pub const REST_S: f64 = 3.0;
/// How long a deal is open.
const DEAL_OPEN_MS: u64 = 600_000;
/// Prices are 1 to this.
pub const PRICE_MAX: u64 = 100;

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

/// What a lane's market needs before it opens.
pub struct Stall {
    pub maker: Player,
    pub players: Vec<Player>,
    pub cards: u32,
    /// Editions whose cards the maker keeps for packs.
    pub sealed: u32,
    /// Those whose cards it keeps for books.
    pub asked: u32,
}

impl Stall {
    /// Cards enough for `rate` transactions a second in this lane.
    pub fn new(maker: Player, players: Vec<Player>, rate: f64) -> Self {
        let wanted = (rate * REST_S * 2.0).ceil().min(f64::from(u32::MAX / 2)) as u32;
        Self {
            maker,
            players,
            cards: wanted.max(CARDS_MIN).next_multiple_of(EDITION_CARDS),
            sealed: 0,
            asked: 0,
        }
    }

    /// With packs and books enough for `count` transactions in this lane. A series of packs has six, and deals out twelve
    /// cards; an ask, every other order, has two.
    pub fn with_packs_and_books(self, count: u32) -> Self {
        let of = |weight: u32| (u64::from(count) * u64::from(weight)).div_ceil(100);
        let editions = |cards: u64| {
            let editions = cards.div_ceil(u64::from(EDITION_CARDS));
            u32::try_from(editions).unwrap_or(u32::MAX)
        };
        Self {
            sealed: editions((of(PACK).div_ceil(6) + 1) * packs::CARDS),
            // By chance there are some more asks than bids.
            asked: editions(of(ORDER)) + 1,
            ..self
        }
    }

    /// All editions: those of the players' cards, of packs and of books, in this order.
    fn whole(&self) -> u32 {
        self.editions() + self.sealed + self.asked
    }

    /// The maker has 2.5 % of every sale.
    fn policy(&self) -> Policy {
        let to = self.maker.address;
        Policy {
            royalty: Some(Royalty { to, parts: 250 }),
            ..Policy::default()
        }
    }

    fn editions(&self) -> u32 {
        self.cards / EDITION_CARDS
    }

    /// Transactions that found the collection and its editions; each after the one before. The first
    /// of them decides the collection's id.
    pub fn found(&self, draft: &Draft) -> (CollectionId, Vec<Transaction>) {
        let create = Operation::CreateCollection {
            name: "Load".to_owned(),
            description: "Cards of the load generator".to_owned(),
            item_cap: 0,
        };
        let set = |collection| Operation::SetPolicy {
            collection,
            policy: Some(self.policy()),
            roles: vec![],
        };
        // The id is as long as the one in its place, so that the fee stays right.
        let operations = vec![create, set(CollectionId::ZERO)];
        let mut first = draft.body(self.maker.address, operations);
        let collection = CollectionId::derive(&self.maker.address, &first.idempotency, 0);
        first.operations[1] = set(collection);
        let mut transactions = vec![first.sign(&[&self.maker.key])];
        let numbers: Vec<u32> = (1..=self.whole()).collect();
        for part in numbers.chunks(EDITIONS_AT_ONCE as usize) {
            let editions = part.iter().map(|n| edition(collection, *n));
            transactions.push(draft.sign(&self.maker.key, editions.collect()));
        }
        (collection, transactions)
    }

    /// Transactions that mint the cards, in any order. The cards of an edition go to the players in
    /// turn.
    pub fn mint(&self, draft: &Draft, collection: CollectionId) -> Vec<Transaction> {
        let mint = |number: u32| {
            let edition = EditionId::derive(&collection, u64::from(number));
            let entry = |card: u32| MintEntry {
                edition,
                to: self.players[self.owner(number, card)].address,
                count: 1,
            };
            let kept = MintEntry {
                edition,
                to: self.maker.address,
                count: u64::from(EDITION_CARDS),
            };
            let entries = match number <= self.editions() {
                true => (0..EDITION_CARDS).map(entry).collect(),
                false => vec![kept],
            };
            draft.sign(&self.maker.key, vec![Operation::Mint { entries }])
        };
        (1..=self.whole()).map(mint).collect()
    }

    /// To whom a card is minted.
    fn owner(&self, edition: u32, card: u32) -> usize {
        ((edition - 1) * EDITION_CARDS + card) as usize % self.players.len()
    }

    /// The market with its cards dealt, `rate` transactions a second to come.
    pub fn open(self, collection: CollectionId, rate: f64, seed: u64) -> Market {
        let mut hands = vec![VecDeque::new(); self.players.len()];
        let mut all = Vec::with_capacity(self.cards as usize);
        for number in 1..=self.editions() {
            let edition = EditionId::derive(&collection, u64::from(number));
            for card in 0..EDITION_CARDS {
                let id = ItemId::derive(&edition, u64::from(card) + 1);
                all.push(id);
                hands[self.owner(number, card)].push_back(Card {
                    id,
                    edition,
                    moved: None,
                });
            }
        }
        let cards = |edition: EditionId| {
            (1..=u64::from(EDITION_CARDS)).map(move |serial| ItemId::derive(&edition, serial))
        };
        let mut kept = (self.editions() + 1..=self.whole())
            .map(|number| EditionId::derive(&collection, u64::from(number)));
        let sealed = kept.by_ref().take(self.sealed as usize);
        let packs = packs::Packs::of(sealed.flat_map(cards).collect());
        let asked = kept.map(|edition| (edition, cards(edition).collect()));
        let orders = orders::Orders(asked.collect());
        Market {
            packs,
            orders,
            maker: self.maker,
            players: self.players,
            hands,
            open: VecDeque::new(),
            auctions: VecDeque::new(),
            all,
            random: StdRng::seed_from_u64(seed),
            turn: 0,
            gap: (rate * REST_S).ceil().max(1.0) as u32,
        }
    }
}

fn edition(collection: CollectionId, number: u32) -> Operation {
    Operation::CreateEdition(NewEdition {
        collection,
        name: format!("Card {number}"),
        cap: u64::from(EDITION_CARDS),
        traits: vec![Trait {
            name: "rarity".to_owned(),
            value: ["common", "rare", "epic"][number as usize % 3].to_owned(),
        }],
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: format!("load-{number}"),
        uses: 0,
    })
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
