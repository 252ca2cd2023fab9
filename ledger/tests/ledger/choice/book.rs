//! Orders of books, of what their givers have.

use super::Chooser;
use crate::plan::book::Entered;
use crate::world::{cancel, commission};
use weft_types::{Address, Amount, EditionId, ItemId, ItemState, Millis, NewDeal, Operation};

impl Chooser<'_> {
    pub fn entered(&self, actor: Address, entered: &Entered) -> Operation {
        let expires = Millis(self.now.saturating_add_signed(entered.lasts));
        let price = Amount(entered.price);
        let edition = self.traded_edition(entered.of);
        let order = match entered.ask {
            true => {
                let items = self.free_items(actor, edition, entered);
                NewDeal::ask(items, price, expires)
            }
            false => NewDeal::bid(edition, price, entered.count, expires),
        };
        let mut order = order.expect("prices are such that it fits");
        if let (true, Some((to, parts))) = (entered.ask, entered.commission) {
            order.commission = commission(to, parts);
        }
        Operation::DealOpen(order)
    }

    /// Most often the first one.
    fn traded_edition(&self, n: u16) -> EditionId {
        let editions = &self.model.editions;
        let place = match n % 16 {
            0 => return EditionId([1; 32]),
            1..4 => usize::from(n / 16) % editions.len().max(1),
            _ => 0,
        };
        editions
            .get(place)
            .map_or(EditionId([1; 32]), |(id, _)| *id)
    }

    fn free_items(&self, actor: Address, edition: EditionId, entered: &Entered) -> Vec<ItemId> {
        let mixed = entered.mixed.is_multiple_of(8);
        let free = self.model.items.iter().filter(|(_, item)| {
            item.owner == actor
                && item.state == ItemState::Held
                && (mixed || item.edition == edition)
        });
        let mut free: Vec<ItemId> = free.map(|(id, _)| *id).collect();
        // In no order of serials.
        let by = usize::from(entered.of) % free.len().max(1);
        free.rotate_left(by);
        free.truncate(entered.count as usize);
        if free.is_empty() {
            free.push(self.item(actor, entered.of));
        }
        free
    }

    /// Mostly an order of the actor's.
    pub fn cancelled_order(&self, actor: Address, n: u16) -> Operation {
        cancel(self.deal(n, |deal| deal.giver == actor && deal.order.is_some()))
    }
}
