//! Whose an item was and whose it became, step by step within a commit: objects only tell what the commit as a whole
//! has done.

use super::sales::{Traded, each};
use super::{HistoryRow, Indexed};
use std::collections::{BTreeMap, HashMap};
use weft_types::{
    Address, Amount, DealId, ItemId, Object, ObjectId, Operation, Receipt, Taking, Transaction,
    TransactionId,
};

/// How an item changed hands; empty when it did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passing {
    /// Nobody for what was minted or came in.
    pub from: Option<Address>,
    /// Nobody for what was burned or went out.
    pub to: Option<Address>,
    pub deal: Option<DealId>,
    pub price: Option<Amount>,
}

impl Passing {
    pub(super) fn new(
        (from, to): (Option<Address>, Option<Address>),
        traded: Option<&Traded>,
    ) -> Self {
        if from == to {
            return Self::default();
        }
        Self {
            from,
            to,
            deal: traded.map(|t| t.deal),
            price: traded.and_then(|t| t.price),
        }
    }
}

/// Who owns the items of a commit, between its transactions.
pub(super) struct Owners<'a> {
    indexed: &'a Indexed<'a>,
    now: HashMap<ItemId, Option<Address>>,
    by_transaction: HashMap<Option<TransactionId>, Vec<&'a Traded>>,
}

impl<'a> Owners<'a> {
    pub fn new(indexed: &'a Indexed<'a>, traded: &'a [Traded]) -> Self {
        let mut by_transaction: HashMap<_, Vec<&Traded>> = HashMap::new();
        for one in traded {
            by_transaction.entry(one.transaction).or_default().push(one);
        }
        // What the ledger does by itself comes before all transactions.
        let first = by_transaction.get(&None).into_iter().flatten();
        let now = first.map(|t| (t.item, Some(t.buyer))).collect();
        Self {
            indexed,
            now,
            by_transaction,
        }
    }

    /// Before the commit.
    pub fn before(&self, item: &ItemId) -> Option<Address> {
        let change = self.indexed.change(&ObjectId::Item(*item))?;
        owner(change.before.as_ref())
    }

    /// After it.
    pub fn after(&self, item: &ItemId) -> Option<Address> {
        let change = self.indexed.change(&ObjectId::Item(*item))?;
        owner(change.after.as_ref())
    }

    pub fn now(&self, item: &ItemId) -> Option<Address> {
        let now = self.now.get(item).copied();
        now.unwrap_or_else(|| self.before(item))
    }

    /// A step that the ledger has made by itself, with the item of which it is.
    pub fn by_ledger(&self, row: HistoryRow, subject: &ObjectId) -> HistoryRow {
        let ObjectId::Item(id) = subject else {
            return row;
        };
        let between = (self.before(id), self.after(id));
        let passing = Passing::new(between, self.traded(None, id));
        row.of_item(self.indexed.last_item(subject), passing)
    }

    /// How a deal of the transaction, or of the ledger's own doing, has passed the item on.
    pub fn traded(&self, by: Option<TransactionId>, item: &ItemId) -> Option<&'a Traded> {
        let traded = self.by_transaction.get(&by)?;
        // Whoever has it in the end got it by the last one.
        traded.iter().rev().find(|t| t.item == *item).copied()
    }

    /// Goes on behind an applied transaction, and says what changed hands by it.
    pub fn follow(
        &mut self,
        transaction: &Transaction,
        receipt: &Receipt,
    ) -> BTreeMap<ItemId, Passing> {
        let mut to = BTreeMap::new();
        let mut created = receipt.created.iter().filter_map(|id| match id {
            ObjectId::Item(item) => Some(*item),
            _ => None,
        });
        let deals = self.by_transaction.get(&Some(receipt.transaction));
        each(
            &transaction.body().operations,
            &mut |operation| match operation {
                Operation::Transfer { items, .. } => {
                    to.extend(items.iter().map(|i| (i.item, Some(i.to))));
                }
                Operation::Mint { entries } => {
                    for entry in entries {
                        let minted = (0..entry.count).map_while(|_| created.next());
                        to.extend(minted.map(|item| (item, Some(entry.to))));
                    }
                }
                Operation::DealTake(Taking { deal, .. }) | Operation::Reveal { deal, .. } => {
                    let traded = deals.into_iter().flatten().filter(|t| t.deal == *deal);
                    to.extend(traded.map(|t| (t.item, Some(t.buyer))));
                }
                Operation::Burn { items } => to.extend(items.iter().map(|item| (*item, None))),
                Operation::Withdraw { gives, .. } => {
                    to.extend(gives.items.iter().map(|item| (*item, None)));
                }
                _ => {}
            },
        );
        let passed = to.into_iter().map(|(item, to)| {
            let traded = self.traded(Some(receipt.transaction), &item);
            let from = self.now(&item);
            self.now.insert(item, to);
            (item, Passing::new((from, to), traded))
        });
        passed.collect()
    }
}

fn owner(object: Option<&Object>) -> Option<Address> {
    object?.as_item().map(|item| item.owner)
}
