//! Whose histories a transaction belongs to.

use super::{Indexed, history};
use std::collections::BTreeSet;
use weft_types::{Address, DealId, ItemId, ObjectId, Operation, Receipt, Taking, Transaction};

/// In whose histories a transaction stands, and as what.
#[derive(Default)]
pub(super) struct Touched {
    pub subjects: BTreeSet<ObjectId>,
    pub kinds: u64,
}

impl Touched {
    pub fn by(indexed: &Indexed<'_>, transaction: &Transaction, receipt: &Receipt) -> Self {
        let body = transaction.body();
        let mut touched = Self::default();
        let parties = body.parties().into_iter().map(ObjectId::Account);
        touched.subjects.extend(parties);
        touched.walk(indexed, &body.operations, receipt.is_applied());
        let items = receipt.created.iter();
        let items = items.filter(|id| matches!(id, ObjectId::Item(_)));
        touched.subjects.extend(items);
        touched
    }

    /// A rejected transaction touched nobody but those who signed it.
    fn walk(&mut self, indexed: &Indexed<'_>, operations: &[Operation], applied: bool) {
        for operation in operations {
            self.kinds |= history::kind(operation);
            if let Operation::MultiParty(parties) = operation {
                for party in parties {
                    self.walk(indexed, &party.operations, applied);
                }
            } else if applied {
                self.one(indexed, operation);
            }
        }
    }

    fn one(&mut self, indexed: &Indexed<'_>, operation: &Operation) {
        match operation {
            Operation::Transfer { payments, items } => {
                self.accounts(payments.iter().map(|p| p.to));
                self.accounts(items.iter().map(|i| i.to));
                self.items(items.iter().map(|i| i.item));
            }
            Operation::Mint { entries } => self.accounts(entries.iter().map(|e| e.to)),
            Operation::UpdateItem { item, .. } => self.items([*item]),
            Operation::Burn { items } => self.items(items.iter().copied()),
            Operation::DealOpen(deal) => {
                self.items(deal.gives.items.iter().copied());
                self.accounts(deal.channel().and(deal.taker));
            }
            // The contents of a pack change hands when it is drawn.
            Operation::DealTake(taking) if taking.entropy.is_some() => {
                let deal = indexed.last_deal(&taking.deal);
                self.accounts(deal.map(|d| d.giver));
            }
            Operation::DealTake(Taking { deal, items, .. }) => {
                self.items(items.iter().copied());
                self.deal(indexed, deal);
                self.shares(indexed, deal, items);
            }
            Operation::DealCancel { deal } => self.deal(indexed, deal),
            Operation::ChannelClose(shown) | Operation::ChannelChallenge(shown) => {
                self.deal(indexed, &shown.deal);
            }
            Operation::Bid { deal, .. } => {
                self.deal(indexed, deal);
                self.accounts(indexed.outbid(deal));
            }
            Operation::PassPack { to, .. } => self.accounts([*to]),
            Operation::Reveal { deal, .. } => {
                self.deal(indexed, deal);
                self.shares(indexed, deal, &[]);
                let drawing = indexed.last_deal(deal).and_then(|d| d.drawing.as_ref());
                let packs = drawing.into_iter().flat_map(|d| &d.packs);
                self.accounts(packs.map(|pack| pack.holder));
            }
            Operation::Withdraw { gives, .. } => self.items(gives.items.iter().copied()),
            Operation::ExitAddress { items, .. } => self.items(items.iter().copied()),
            // Its owner has to learn of it, to refuse it.
            Operation::Recover { account, .. } => self.accounts([*account]),
            Operation::SetPolicy { roles, .. } => self.accounts(roles.iter().map(|r| r.account)),
            Operation::Freeze { items, .. } => self.items(items.iter().copied()),
            // Whose they are has to learn of it.
            Operation::Redeem { item, .. } => self.held(indexed, std::slice::from_ref(item)),
            Operation::Void { items, .. } => self.held(indexed, items),
            Operation::Buy(purchase) => self.accounts(indexed.creator_of(&purchase.edition)),
            Operation::VoucherOpen(_)
            | Operation::VoucherIssue { .. }
            | Operation::VoucherSpend { .. }
            | Operation::PostData(_)
            | Operation::SetSale { .. }
            | Operation::SetKeys { .. }
            | Operation::CreateCollection { .. }
            | Operation::CreateEdition(_)
            | Operation::MultiParty(_) => {}
        }
    }

    fn deal(&mut self, indexed: &Indexed<'_>, id: &DealId) {
        if let Some(deal) = indexed.last_deal(id) {
            let terms = &deal.terms;
            self.accounts([deal.giver]);
            // What is shown of a channel its other party has to answer in time.
            self.accounts(terms.channel().and(terms.taker));
            self.items(terms.gives.items.iter().chain(&terms.wants.items).copied());
        }
    }

    fn shares(&mut self, indexed: &Indexed<'_>, id: &DealId, picks: &[ItemId]) {
        if let Some(deal) = indexed.last_deal(id) {
            self.accounts(indexed.shared_with(deal, picks));
        }
    }

    /// Items and their owners.
    fn held(&mut self, indexed: &Indexed<'_>, items: &[ItemId]) {
        let owners = items
            .iter()
            .map(|item| indexed.last_item(&ObjectId::Item(*item)));
        self.accounts(owners.flatten().map(|item| item.owner));
        self.items(items.iter().copied());
    }

    fn accounts(&mut self, accounts: impl IntoIterator<Item = Address>) {
        let accounts = accounts.into_iter().map(ObjectId::Account);
        self.subjects.extend(accounts);
    }

    fn items(&mut self, items: impl IntoIterator<Item = ItemId>) {
        self.subjects.extend(items.into_iter().map(ObjectId::Item));
    }
}
