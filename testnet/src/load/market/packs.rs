//! Packs of cards, of the maker's own: sold sealed, and drawn when the last one of a series is sold. What is in them the
//! plan cannot know, so that their cards are not traded afterwards.

use super::{Draft, Market, price};
use crate::load::sign::reaching;
use rand::RngExt as _;
use std::collections::VecDeque;
use weft_types::{
    Bundle, DealId, DealRule, DrawSecret, Entropy, ItemId, Millis, NewDeal, Operation, Series,
    Taking, Transaction, draw_commitment,
};

/// Of a series.
const PACKS: u32 = 4;
const CARDS_IN_PACK: usize = 3;
/// Of a series.
pub(super) const CARDS: u64 = PACKS as u64 * CARDS_IN_PACK as u64;
/// Of a pack.
const PRICE: u64 = 20;
/// Series for sale at a time.
const FOR_SALE: usize = 8;
/// How long the maker has to show the secret.
const REVEAL_MS: u64 = 600_000;

/// What the maker has to put into packs, and the series that are not drawn yet.
pub(super) struct Packs {
    left: Vec<ItemId>,
    /// The longest for sale in front.
    for_sale: VecDeque<Open>,
    /// The longest waiting for its draw in front.
    sold: VecDeque<Open>,
}

impl Packs {
    pub fn of(cards: Vec<ItemId>) -> Self {
        Self {
            left: cards,
            for_sale: VecDeque::new(),
            sold: VecDeque::new(),
        }
    }
}

/// A series as the plan knows it.
struct Open {
    deal: DealId,
    entries: u64,
    secret: DrawSecret,
    opened: u32,
    /// Purchases of its packs.
    bought: Vec<u32>,
    /// From this place on it goes on.
    due: u32,
}

impl Market {
    /// A draw, a purchase or a new series; `None` when nothing is due and there are series enough, or no cards.
    pub(super) fn packs(&mut self, place: u32, draft: &Draft) -> Option<(Transaction, Vec<u32>)> {
        let due = |open: &mut Open| open.due <= place;
        if let Some(open) = self.packs.sold.pop_front_if(due) {
            return Some(self.reveal(draft, open));
        }
        if let Some(open) = self.packs.for_sale.pop_front_if(due) {
            return Some(self.buy_pack(place, draft, open));
        }
        match self.packs.for_sale.len() < FOR_SALE {
            true => self.sell_packs(place, draft),
            false => None,
        }
    }

    fn sell_packs(&mut self, place: u32, draft: &Draft) -> Option<(Transaction, Vec<u32>)> {
        let left = &mut self.packs.left;
        let rest = left.len().checked_sub(CARDS as usize)?;
        let items = left.split_off(rest);
        let secret = DrawSecret(self.random.random());
        let gives = Bundle {
            items,
            ..price(PRICE * u64::from(PACKS))
        };
        let terms = NewDeal {
            rule: DealRule::Draw(Series {
                packs: PACKS,
                commitment: draw_commitment(&self.maker.address, &secret),
                reveal: Millis(REVEAL_MS),
            }),
            ..self.terms(draft, gives, price(PRICE))
        };
        let entries = terms.entries();
        let transaction = draft.sign(&self.maker.key, vec![Operation::DealOpen(terms)]);
        self.packs.for_sale.push_back(Open {
            entries,
            deal: DealId::derive(&transaction.id(), 0),
            secret,
            opened: place,
            bought: Vec::new(),
            due: place.saturating_add(self.gap),
        });
        Some((transaction, vec![]))
    }

    fn buy_pack(&mut self, place: u32, draft: &Draft, mut open: Open) -> (Transaction, Vec<u32>) {
        let buyer = self.random.random_range(0..self.players.len());
        let taking = Taking::pack(open.deal, Entropy(self.random.random()));
        let buy = Operation::DealTake(taking);
        let draft = reaching(draft, &buy, open.entries);
        open.bought.push(place);
        let after = vec![open.opened];
        if open.bought.len() < PACKS as usize {
            self.packs.for_sale.push_front(open);
        } else {
            // The lot comes some commits after the last one is sold.
            open.due = place.saturating_add(self.gap);
            self.packs.sold.push_back(open);
        }
        (draft.sign(&self.players[buyer].key, vec![buy]), after)
    }

    fn reveal(&mut self, draft: &Draft, open: Open) -> (Transaction, Vec<u32>) {
        let Open {
            deal,
            entries,
            secret,
            bought,
            ..
        } = open;
        let reveal = Operation::Reveal { deal, secret };
        let draft = reaching(draft, &reveal, entries);
        (draft.sign(&self.maker.key, vec![reveal]), bought)
    }
}
