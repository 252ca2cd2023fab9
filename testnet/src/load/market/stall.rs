//! What a lane's market needs before it opens: editions, their cards, and whose they are at first. The editions are of a
//! collection of the lane's own, or its part of one that is there already.

use super::{Card, Market, ORDER, PACK, REST_S, orders, packs};
use crate::load::accounts::Player;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::collections::VecDeque;
use weft_client::Draft;
use weft_types::api::Edition;
use weft_types::{
    CollectionId, EditionId, ItemId, MINTED_ITEMS_MAX, MintEntry, NewEdition, Operation, Policy,
    Royalty, Trait, Transaction,
};

/// Cards of an edition of the lane's own, about: a few less than one transaction mints.
const EDITION_CARDS: u64 = 250;
/// Editions that one transaction creates.
const EDITIONS_AT_ONCE: usize = 50;
/// Cards that the players of a lane hold, at least.
const CARDS_MIN: u64 = 1_024;

/// How many cards a lane needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// In the players' hands.
    dealt: u64,
    /// In packs.
    packed: u64,
    /// Asked for in books.
    asked: u64,
}

impl Need {
    /// For `rate` transactions a second in this lane.
    pub fn at(rate: f64) -> Self {
        let dealt = (rate * REST_S * 2.0).ceil() as u64;
        Self {
            dealt: dealt.max(CARDS_MIN),
            packed: 0,
            asked: 0,
        }
    }

    /// With packs and books enough for `count` transactions in this lane. A series of packs has six, and deals out twelve
    /// cards; an ask, every other order, has two.
    pub fn with_packs_and_books(self, count: u32) -> Self {
        let of = |weight: u32| (u64::from(count) * u64::from(weight)).div_ceil(100);
        Self {
            packed: (of(PACK).div_ceil(6) + 1) * packs::CARDS,
            // By chance there are some more asks than bids.
            asked: of(ORDER) + EDITION_CARDS,
            ..self
        }
    }

    /// Fewest editions that have so many cards.
    fn editions(&self) -> u64 {
        (self.dealt + self.packed + self.asked).div_ceil(EDITION_CARDS)
    }
}

/// An edition whose next cards are this load's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    edition: EditionId,
    /// Serial of the first one.
    first: u64,
    room: u64,
}

impl Shelf {
    /// Of an edition as it is.
    pub fn of(edition: &Edition) -> Self {
        Self {
            edition: edition.id,
            first: edition.issued + 1,
            room: edition.cap.saturating_sub(edition.issued),
        }
    }
}

pub struct Stall {
    maker: Player,
    players: Vec<Player>,
    shelves: Vec<Shelf>,
    /// Cards of each edition that go to the players.
    dealt: u64,
    /// Those that the maker keeps.
    kept: u64,
    /// Editions of which it keeps them for books, not for packs.
    booked: usize,
}

impl Stall {
    /// A collection of the maker's own: its id, and the transactions that found it with its editions; each after the one
    /// before.
    pub fn found(
        maker: Player,
        players: Vec<Player>,
        need: Need,
        draft: &Draft,
    ) -> (CollectionId, Vec<Transaction>, Self) {
        let create = Operation::CreateCollection {
            name: "Load".to_owned(),
            description: "Cards of the load generator".to_owned(),
            item_cap: 0,
        };
        let set = |collection| Operation::SetPolicy {
            collection,
            policy: Some(policy(&maker)),
            roles: vec![],
        };
        // The id is as long as the one in its place, so that the fee stays right.
        let operations = vec![create, set(CollectionId::ZERO)];
        let mut first = draft.body(maker.address, operations);
        let collection = CollectionId::derive(&maker.address, &first.idempotency, 0);
        first.operations[1] = set(collection);
        let mut transactions = vec![first.sign(&[&maker.key])];
        let numbers: Vec<u64> = (1..=need.editions()).collect();
        for part in numbers.chunks(EDITIONS_AT_ONCE) {
            let editions = part.iter().map(|n| edition(collection, *n));
            transactions.push(draft.sign(&maker.key, editions.collect()));
        }
        let shelf = |n: &u64| Shelf {
            edition: EditionId::derive(&collection, *n),
            first: 1,
            room: MINTED_ITEMS_MAX,
        };
        let shelves = numbers.iter().map(shelf).collect();
        let stall = Self::over(maker, players, shelves, need);
        (collection, transactions, stall)
    }

    fn over(maker: Player, players: Vec<Player>, shelves: Vec<Shelf>, need: Need) -> Self {
        let editions = shelves.len() as u64;
        let kept = (need.packed + need.asked).div_ceil(editions);
        Self {
            maker,
            players,
            dealt: need.dealt.div_ceil(editions),
            kept,
            booked: need.asked.checked_div(kept).map_or(0, |n| n as usize + 1),
            shelves,
        }
    }

    /// Over editions that are there, of which the maker may mint; else words.
    pub fn among(
        maker: Player,
        players: Vec<Player>,
        shelves: Vec<Shelf>,
        need: Need,
    ) -> Result<Self, String> {
        let (found, fewest) = (shelves.len() as u64, need.editions());
        if found < fewest {
            return Err(format!(
                "{found} editions for a lane of the load, which needs {fewest}: a larger collection, or a smaller load"
            ));
        }
        let stall = Self::over(maker, players, shelves, need);
        let each = stall.dealt + stall.kept;
        match stall.shelves.iter().find(|shelf| shelf.room < each) {
            None => Ok(stall),
            Some(Shelf { edition, room, .. }) => Err(format!(
                "edition {edition} has room for {room} cards, and the load mints {each} of each"
            )),
        }
    }

    /// Transactions that mint the cards, in any order. The dealt ones of an edition go to the players in turn.
    pub fn mint(&self, draft: &Draft) -> Vec<Transaction> {
        let at_once = (MINTED_ITEMS_MAX / (self.dealt + self.kept)).max(1);
        let numbered: Vec<(usize, &Shelf)> = self.shelves.iter().enumerate().collect();
        let parts = numbered.chunks(at_once as usize);
        let minted = parts.map(|part| {
            let entries = part.iter().flat_map(|(n, shelf)| self.entries(*n, shelf));
            let entries = entries.collect();
            draft.sign(&self.maker.key, vec![Operation::Mint { entries }])
        });
        minted.collect()
    }

    fn entries(&self, number: usize, shelf: &Shelf) -> impl Iterator<Item = MintEntry> {
        let entry = |to: &Player, count| MintEntry {
            edition: shelf.edition,
            to: to.address,
            count,
        };
        let dealt =
            (0..self.dealt).map(move |card| entry(&self.players[self.owner(number, card)], 1));
        let kept = (self.kept > 0).then(|| entry(&self.maker, self.kept));
        dealt.chain(kept)
    }

    /// To whom a card is minted.
    fn owner(&self, edition: usize, card: u64) -> usize {
        (edition as u64 * self.dealt + card) as usize % self.players.len()
    }

    /// The market with its cards dealt, `rate` transactions a second to come.
    pub fn open(self, rate: f64, seed: u64) -> Market {
        let mut hands = vec![VecDeque::new(); self.players.len()];
        let mut all = Vec::new();
        let (mut sealed, mut asked) = (Vec::new(), Vec::new());
        for (number, shelf) in self.shelves.iter().enumerate() {
            let edition = shelf.edition;
            let card = |n: u64| ItemId::derive(&edition, shelf.first + n);
            for n in 0..self.dealt {
                all.push(card(n));
                hands[self.owner(number, n)].push_back(Card {
                    id: card(n),
                    edition,
                    moved: None,
                });
            }
            let kept = (self.dealt..self.dealt + self.kept).map(card);
            match number < self.booked {
                true => asked.push((edition, kept.collect())),
                false => sealed.extend(kept),
            }
        }
        Market {
            packs: packs::Packs::of(sealed),
            orders: orders::Orders(asked),
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

/// The maker has 2.5 % of every sale.
fn policy(maker: &Player) -> Policy {
    let to = maker.address;
    Policy {
        royalty: Some(Royalty { to, parts: 250 }),
        ..Policy::default()
    }
}

fn edition(collection: CollectionId, number: u64) -> Operation {
    Operation::CreateEdition(NewEdition {
        collection,
        name: format!("Card {number}"),
        cap: MINTED_ITEMS_MAX,
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
