//! Operations, one after the other, on a draft. Each names in its failure what was wrong with the
//! figures; whoever calls undoes what the transaction had done by then.
//!
//! The work of a transaction is bounded by what it counts: lists are bounded by `LIST_MAX` each, operations by
//! `OPERATIONS_MAX`, items that are minted by [`weft_types::MINTED_ITEMS_MAX`] for the transaction, and what is reached
//! of deals by the entries that it names (L60).

use crate::admission::{Admitted, payer};
use crate::authority::Sessions;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use weft_types::{
    Address, AssetId, BaseAddress, CommitIndex, Committee, Failure, FailureCode, Millis, NetworkId,
    ObjectId, Operation, Receipt, Transaction, TransactionId,
};

mod auction;
mod book;
mod bridge;
mod channel;
mod collection;
mod data;
mod deal;
mod draw;
mod epoch;
mod feed;
mod fees;
mod keys;
mod offences;
mod policy;
mod purchase;
mod sale;
mod secret;
mod ticket;
mod transfer;
mod voucher;

pub(crate) use book::clear_books;
pub use book::{BOOK_WORK_MAX, BookTrade, Cleared};
pub(crate) use bridge::observe;
pub use data::POSTED_WORK_MAX;
pub(crate) use data::end_posted;
pub use deal::EXPIRY_WORK_MAX;
pub(crate) use deal::expire;
pub(crate) use draw::{Leader, Settled, begin_reveals, draw_lots};
pub(crate) use epoch::{Opened, convene};
pub(crate) use offences::convict;
pub use voucher::POOL_WORK_MAX;
pub(crate) use voucher::{end_pools, fee_voucher};

/// Where a transaction stands in the order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub commit: CommitIndex,
    pub position: u32,
    pub now: Millis,
    /// L17
    pub contracts: [BaseAddress; 3],
    /// L19
    pub delay_min: Millis,
    /// L46
    pub leader: Leader,
    /// L53: in office.
    pub committee: Option<&'a Committee>,
}

/// One transaction at work.
struct Execution<'d, 'b, B> {
    draft: &'d mut Draft<'b, B>,
    commit: CommitIndex,
    now: Millis,
    contracts: [BaseAddress; 3],
    delay_min: Millis,
    leader: Leader,
    committee: Option<&'d Committee>,
    network: NetworkId,
    /// L20: who signs by which.
    sessions: Sessions,
    transaction: TransactionId,
    idempotency: [u8; 16],
    sponsor: Option<Address>,
    /// L60: entries of deals, as far as they are reached.
    reached: u64,
    deal_entries: u64,
    /// The operation at work, those inside a `MultiParty` counted one by one.
    operation: u32,
    minted: u64,
    created: Vec<ObjectId>,
}

/// Takes the fee, which the payer has, and applies all operations or none.
pub(crate) fn execute<B: Objects>(
    draft: &mut Draft<'_, B>,
    transaction: &Transaction,
    Admitted {
        fee,
        sessions,
        by_voucher,
    }: Admitted,
    place: Place<'_>,
) -> Receipt {
    let body = transaction.body();
    let payer = payer(transaction);
    if let Some((_, key)) = sessions.iter().find(|(account, _)| *account == payer) {
        draft
            .spend(payer, *key, AssetId::NATIVE, fee)
            .expect("an admitted transaction's session may pay its fee");
    }
    // L51: the voucher is spent with the fee, and stays so whatever follows.
    let mut left = &body.operations[..];
    if by_voucher && let [Operation::VoucherSpend { key, .. }, rest @ ..] = left {
        draft
            .pay_voucher(payer, key, place.now)
            .expect("an admitted transaction's voucher is paid");
        left = rest;
    }
    draft
        .debit(payer, AssetId::NATIVE, fee)
        .expect("an admitted transaction's fee can be paid");
    draft.keep();
    let mut execution = Execution {
        draft,
        commit: place.commit,
        now: place.now,
        contracts: place.contracts,
        delay_min: place.delay_min,
        leader: place.leader,
        committee: place.committee,
        network: body.network,
        sessions,
        transaction: transaction.id(),
        idempotency: body.idempotency,
        sponsor: body.sponsor,
        reached: 0,
        deal_entries: body.deal_entries.into(),
        operation: (body.operations.len() - left.len()) as u32,
        minted: 0,
        created: Vec::new(),
    };
    let outcome = execution.run_all(body.sender, left);
    let (operation, created) = (execution.operation, execution.created);
    let (created, failure) = match outcome {
        Ok(()) => {
            draft.keep();
            (created, None)
        }
        Err(fault) => {
            draft.undo();
            let failure = Failure {
                operation,
                code: fault.code,
                subject: fault.subject,
                found: fault.found,
                limit: fault.limit,
            };
            (Vec::new(), Some(failure))
        }
    };
    Receipt {
        transaction: transaction.id(),
        commit: place.commit,
        position: place.position,
        valid_until: body.valid_until,
        fee,
        created,
        failure,
    }
}

impl<B: Objects> Execution<'_, '_, B> {
    /// Applies `actor`'s operations.
    fn run_all(&mut self, actor: Address, operations: &[Operation]) -> Result<(), Fault> {
        for operation in operations {
            match operation {
                // Does not nest, and every party has signed.
                Operation::MultiParty(parties) => {
                    for party in parties {
                        self.run_all(party.account, &party.operations)?;
                    }
                }
                operation => {
                    self.reach(operation)?;
                    self.run(actor, operation)?;
                    self.operation += 1;
                }
            }
        }
        Ok(())
    }

    /// L60: refuses what reaches more than is paid for, before it is done.
    fn reach(&mut self, operation: &Operation) -> Result<(), Fault> {
        let named = operation.deal().map(|id| (id, self.draft.deal(id)));
        let Some((id, Ok(deal))) = named else {
            return Ok(());
        };
        self.reached += operation.reaches(deal.terms.entries());
        if self.reached > self.deal_entries {
            let (code, subject) = (FailureCode::DealEntries, ObjectId::Deal(*id));
            return Err(Fault::figures(
                code,
                Some(subject),
                self.reached,
                self.deal_entries,
            ));
        }
        Ok(())
    }

    fn run(&mut self, actor: Address, operation: &Operation) -> Result<(), Fault> {
        match operation {
            Operation::Transfer { payments, items } => self.transfer(actor, payments, items),
            Operation::CreateCollection {
                name,
                description,
                item_cap,
            } => self.create_collection(actor, name, description, *item_cap),
            Operation::CreateEdition(edition) => self.create_edition(actor, edition),
            Operation::Mint { entries } => self.mint(actor, entries),
            Operation::UpdateItem {
                item,
                status,
                data_hash,
            } => self.update_item(actor, item, status, *data_hash),
            Operation::Burn { items } => self.burn(actor, items),
            Operation::DealOpen(terms) => self.open_deal(actor, terms),
            Operation::DealTake(taking) => self.take_deal(actor, taking),
            Operation::DealCancel { deal } => self.cancel_deal(actor, deal),
            Operation::Bid { deal, amount } => self.bid(actor, deal, *amount),
            Operation::Withdraw { recipient, gives } => self.withdraw(actor, *recipient, gives),
            Operation::ExitAddress { address, items } => self.name_exit(actor, *address, items),
            Operation::SetKeys { changes } => self.set_keys(actor, changes),
            Operation::Recover { account, owner } => self.recover(actor, *account, *owner),
            Operation::SetPolicy {
                collection,
                policy,
                roles,
            } => self.set_policy(actor, collection, policy.as_ref(), roles),
            Operation::Freeze {
                frozen,
                collections,
                editions,
                items,
            } => self.freeze(actor, *frozen, (collections, editions, items)),
            Operation::Redeem { item, pass } => self.redeem(actor, item, pass),
            Operation::Void { items, reason } => self.void(actor, items, reason),
            Operation::SetSale { edition, sale } => self.set_sale(actor, edition, sale.as_ref()),
            Operation::Buy(purchase) => self.buy(actor, purchase),
            Operation::Reveal { deal, secret } => self.reveal(actor, deal, *secret),
            Operation::PassPack { deal, pack, to } => self.pass_pack(actor, deal, *pack, *to),
            Operation::MultiParty(_) => unreachable!("run_all opens it"),
            Operation::ChannelClose(shown) => self.close_channel(actor, shown),
            Operation::ChannelChallenge(shown) => self.challenge(actor, shown),
            Operation::VoucherOpen(terms) => self.open_pool(actor, terms),
            Operation::VoucherIssue { pool, count } => self.issue_vouchers(actor, pool, *count),
            Operation::VoucherSpend { key, .. } => self.spend_voucher(actor, key),
            Operation::PostData(certificate) => self.post_data(actor, certificate),
        }
    }
}
