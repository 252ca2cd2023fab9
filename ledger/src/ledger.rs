//! The ledger as the replica drives it: commits in, receipts and changes out, roots per height.

mod height;

use crate::admission::{Admitted, Refusal, admit, in_time};
use crate::draft::{Change, Draft};
use crate::due::Due;
use crate::execute::{Cleared, Leader, Opened, Place, Settled, convene, convict, execute, observe};
use crate::exits::{Locked, settle, tree_of};
use crate::live::{Live, Objects as _};
use crate::places::BaseTrees;
use crate::remembered::{BUCKET_MS, REMEMBERED_MAX, Remembered};
use crate::snapshot::Snapshot;
use crate::tree::Tree;
use bytes::Bytes;
use std::sync::Arc;
use weft_types::{
    Address, Amount, AssetId, BaseAddress, Bridge, BridgeId, CommitIndex, Committee, DealState,
    Deposit, Epoch, FeeShare, GenesisError, ItemId, ItemState, Millis, NetworkId, Object,
    ObjectError, ObjectId, Observation, Offence, Offender, Offenders, OffendersId, ProtocolParams,
    Receipt, Roster, RosterId, Round, Template, Transaction, TransactionId, Verified, VertexDigest,
    VertexRef, Work,
};

/// The newest state, and what decides how it goes on.
pub struct Ledger {
    params: Arc<ProtocolParams>,
    live: Live,
    tree: Tree,
    /// What the ledger does by itself. Derived from the objects.
    due: Due,
    /// What open deals and pools of vouchers hold, derived likewise.
    locked: Locked,
    /// What the vault pays by, derived likewise.
    trees: BaseTrees,
    /// L22: of this epoch, up to the newest commit. The object has it up to the last height.
    work: Work,
    remembered: Remembered,
    /// Encoded receipts since the last height.
    receipts: Vec<Bytes>,
    meta: LedgerMeta,
}

/// What has to be stored with the objects to go on from them. Receipts say the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerMeta {
    /// The newest commit applied; zero is genesis.
    pub index: CommitIndex,
    /// Its timestamp: the ledger's time.
    pub timestamp: Millis,
    /// The commit that the last height closed with.
    pub height_commit: CommitIndex,
    /// F1: whether a receipt was made or an object changed since then.
    pub changed: bool,
    /// F1: whether one was since the last height that was due for posting.
    pub unposted: bool,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// In order; one for every transaction that was taken.
    pub receipts: Vec<Receipt>,
    /// Transactions that were not taken, and why. Nothing of them remains.
    pub refused: Vec<Refused>,
    /// B1: what was credited.
    pub deposits: Vec<Deposit>,
    /// V8: who is convicted by it, in order.
    pub convicted: Vec<Offender>,
    /// L57: what books have traded.
    pub cleared: Vec<Cleared>,
    /// L23: who was paid for the epoch that has ended, by id.
    pub shares: Vec<FeeShare>,
    /// By id, each object once.
    pub changes: Vec<Change>,
}

/// What a vertex of the commit says beside its transactions: of the base chain and of the next epoch (B1, E2), and
/// against others (V8).
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The author's id in the registry.
    pub member: u64,
    pub said: &'a Observation,
    pub offences: &'a [Offence],
}

/// What came of that.
#[derive(Default)]
struct Seen {
    deposits: Vec<Deposit>,
    convicted: Vec<Offender>,
    opened: Opened,
}

/// Whose commit it is.
#[derive(Debug, Clone, Copy)]
pub struct Office<'a> {
    pub network: NetworkId,
    /// The committee in office.
    pub committee: &'a Committee,
    /// When the genesis committee came into office.
    pub genesis: Millis,
    /// L17: the network's on the base chain.
    pub contracts: [BaseAddress; 3],
    /// L22: what the commit orders.
    pub ordered: &'a [VertexRef],
}

/// A transaction that was ordered and not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub transaction: TransactionId,
    pub refusal: Refusal,
}

/// State that a ledger cannot start from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    #[error("{id}: {error}")]
    Object { id: ObjectId, error: ObjectError },
    #[error("{0} is of the past: no part of a state")]
    Retired(ObjectId),
    #[error("receipt of {transaction} is of commit {commit}, after the state's {index}")]
    Receipt {
        transaction: TransactionId,
        commit: CommitIndex,
        index: CommitIndex,
    },
}

impl Ledger {
    /// The ledger that a network starts with, and its objects as changes from nothing.
    pub fn genesis(template: &Template) -> Result<(Self, Vec<Change>), LedgerError> {
        template.validate()?;
        let meta = LedgerMeta {
            index: CommitIndex::ZERO,
            timestamp: template.timestamp_ms,
            height_commit: CommitIndex::ZERO,
            changed: false,
            unposted: false,
        };
        let mut ledger = Self::empty(&template.params, meta);
        let mut draft = Draft::new(&ledger.live);
        for account in &template.accounts {
            draft.credit(account.address, AssetId::NATIVE, account.balance);
        }
        let changes = draft.into_changes();
        ledger.install(&changes);
        Ok((ledger, changes))
    }

    fn empty(params: &ProtocolParams, meta: LedgerMeta) -> Self {
        Self {
            params: Arc::new(params.clone()),
            live: Live::default(),
            tree: Tree::default(),
            due: Due::default(),
            locked: Locked::default(),
            trees: BaseTrees::default(),
            work: Work::default(),
            remembered: Remembered::new(REMEMBERED_MAX),
            receipts: Vec::new(),
            meta,
        }
    }

    /// The ledger as it was when `meta` and `objects` were stored. `receipts` are those of the
    /// commits after `meta.height_commit` and of the commits with a timestamp from
    /// [`LedgerMeta::remembers_from`] on, in their order; older ones do no harm. The caller compares
    /// the root with a certified one: that is what shows the objects to be right and complete.
    pub fn restore(
        params: &ProtocolParams,
        meta: LedgerMeta,
        objects: impl IntoIterator<Item = (ObjectId, Bytes)>,
        receipts: impl IntoIterator<Item = Receipt>,
    ) -> Result<Self, LedgerError> {
        let decode = |(id, value)| {
            let object = Object::decode(&id, value);
            let object = object.map_err(|error| LedgerError::Object { id, error })?;
            Ok((id, object))
        };
        let objects = objects.into_iter().map(decode);
        Self::restore_decoded(params, meta, objects, receipts)
    }

    /// The same of objects that are decoded, or the reason why one is not.
    pub fn restore_decoded(
        params: &ProtocolParams,
        meta: LedgerMeta,
        objects: impl IntoIterator<Item = Result<(ObjectId, Object), LedgerError>>,
        receipts: impl IntoIterator<Item = Receipt>,
    ) -> Result<Self, LedgerError> {
        let mut ledger = Self::empty(params, meta);
        for object in objects {
            let (id, object) = object?;
            if !is_live(&object) {
                return Err(LedgerError::Retired(id));
            }
            ledger.locked.follow(None, Some(&object));
            if let Some(work) = object.as_work() {
                ledger.work = Work::clone(work);
            }
            ledger.set(id, None, Some(&object));
        }
        for receipt in receipts {
            if receipt.commit > meta.index {
                return Err(LedgerError::Receipt {
                    transaction: receipt.transaction,
                    commit: receipt.commit,
                    index: meta.index,
                });
            }
            ledger.note(&receipt, meta.height_commit);
        }
        ledger.remembered.forget(meta.timestamp);
        ledger.trees.exits = tree_of(&ledger.live, &ledger.locked);
        Ok(ledger)
    }

    /// L22: takes up what commits after `meta.height_commit` have ordered, in their order. A restored ledger has to be told.
    pub fn recount(&mut self, ordered: &[VertexRef]) {
        self.work.count(ordered);
    }

    pub fn meta(&self) -> LedgerMeta {
        self.meta
    }

    pub fn params(&self) -> &ProtocolParams {
        &self.params
    }

    /// Whether a transaction has had its outcome. The answer holds until its `valid_until`.
    pub fn remembers(&self, transaction: &Transaction) -> bool {
        let valid_until = transaction.body().valid_until;
        self.remembered.contains(&transaction.id(), valid_until)
    }

    /// The state after the newest commit.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            tree: self.tree.clone(),
            trees: self.trees.clone(),
            params: self.params.clone(),
            index: self.meta.index,
            timestamp: self.meta.timestamp,
        }
    }

    /// Applies the next commit of one that says nothing of the base chain; see [`Ledger::apply_observing`].
    ///
    /// # Panics
    /// When the commit is not the next one, or its timestamp is behind the last one's (O3).
    pub fn apply<'a>(
        &mut self,
        index: CommitIndex,
        timestamp: Millis,
        transactions: impl IntoIterator<Item = &'a Arc<Verified<Transaction>>>,
    ) -> Applied {
        let nobody = |_: &mut Draft<'_, Live>, _: &Work| Seen::default();
        let nowhere = ([BaseAddress::ZERO; 3], None, &[][..]);
        self.apply_with((index, timestamp), nobody, nowhere, transactions)
    }

    /// Applies the next commit: first what is due by its timestamp, then what its vertices say of the base chain
    /// (B1, E2) and against others (V8), in their order, then its transactions, void ones left out, in theirs. The same
    /// commits make the same receipts and changes everywhere.
    ///
    /// # Panics
    /// When the commit is not the next one, its timestamp is behind the last one's (O3), or the epoch is closed (E2).
    pub fn apply_observing<'a>(
        &mut self,
        index: CommitIndex,
        timestamp: Millis,
        (observed, office): (&[Observed<'_>], &Office<'_>),
        transactions: impl IntoIterator<Item = &'a Arc<Verified<Transaction>>>,
    ) -> Applied {
        let duration = self.params.epoch_duration_ms;
        let look = |draft: &mut Draft<'_, Live>, work: &Work| {
            let opened = convene(
                draft,
                (observed, work),
                office,
                (index, timestamp, duration),
            );
            Seen {
                deposits: observe(draft, observed, office.committee),
                convicted: convict(draft, observed, office.committee, index),
                opened,
            }
        };
        let of = (office.contracts, Some(office.committee), office.ordered);
        self.apply_with((index, timestamp), look, of, transactions)
    }

    fn apply_with<'a>(
        &mut self,
        (index, timestamp): (CommitIndex, Millis),
        look: impl FnOnce(&mut Draft<'_, Live>, &Work) -> Seen,
        (contracts, committee, ordered): ([BaseAddress; 3], Option<&Committee>, &[VertexRef]),
        transactions: impl IntoIterator<Item = &'a Arc<Verified<Transaction>>>,
    ) -> Applied {
        let last = self.meta;
        assert_eq!(index, last.index.next(), "commits are applied in order");
        assert!(
            timestamp >= last.timestamp,
            "the ledger's time goes forward"
        );
        self.remembered.forget(timestamp);

        let mut applied = Applied::default();
        let mut fees = Amount::ZERO;
        let mut draft = Draft::new(&self.live);
        let newest = ordered.last();
        let leader = Leader {
            commit: index,
            at: timestamp,
            epoch: committee.map_or(Epoch::ZERO, Committee::epoch),
            round: newest.map_or(Round::ZERO, |v| v.round),
            digest: newest.map_or(VertexDigest::ZERO, |v| v.digest),
        };
        let settled = Settled {
            at: last.timestamp,
            interval: self.params.finality_interval_ms,
        };
        applied.cleared = self.due.run(&mut draft, leader, settled);
        let seen = look(&mut draft, &self.work);
        (applied.deposits, applied.convicted) = (seen.deposits, seen.convicted);
        for transaction in transactions {
            let place = Place {
                commit: index,
                position: applied.receipts.len() as u32,
                now: timestamp,
                contracts,
                delay_min: self.params.guardian_delay_min(),
                leader,
                committee,
            };
            match self.admit(&draft, transaction, timestamp) {
                Ok(admitted) => {
                    let fee = admitted.fee;
                    let receipt = execute(&mut draft, transaction, admitted, place);
                    self.remembered
                        .insert(receipt.transaction, receipt.valid_until);
                    self.receipts.push(receipt.encode());
                    applied.receipts.push(receipt);
                    fees = fees.saturating_add(fee.0);
                }
                Err(refusal) => applied.refused.push(Refused {
                    transaction: transaction.id(),
                    refusal,
                }),
            }
        }
        // Most commits bring no fee.
        if fees > Amount::ZERO {
            draft.credit(Address::FEE_POOL, AssetId::NATIVE, fees);
        }
        let named = draft.take_named();
        applied.changes = draft.into_changes();
        self.settle(&named, &mut applied.changes);
        self.install(&applied.changes);
        // L22: a new epoch's work begins with the commit that opens it.
        if let Some(shares) = seen.opened {
            self.work = Work::default();
            applied.shares = shares;
        }
        self.work.count(ordered);
        self.meta.index = index;
        self.meta.timestamp = timestamp;
        let changed = !applied.receipts.is_empty() || !applied.changes.is_empty();
        self.meta.changed |= changed;
        self.meta.unposted |= changed;
        applied
    }

    fn admit(
        &self,
        draft: &Draft<'_, Live>,
        transaction: &Verified<Transaction>,
        now: Millis,
    ) -> Result<Admitted, Refusal> {
        in_time(&self.params, transaction, now)?;
        if self.remembers(transaction) {
            return Err(Refusal::Replayed);
        }
        let admitted = admit(draft, &self.params, transaction, now)?;
        if self.remembered.is_full() {
            let remembered = self.remembered.len();
            return Err(Refusal::Full { remembered });
        }
        Ok(admitted)
    }

    /// What the vault pays by, after the newest commit. A clone stays as it is and costs next to nothing.
    pub fn base_trees(&self) -> &BaseTrees {
        &self.trees
    }

    /// B1: how far the ledger has come with the base chain's vault.
    pub fn bridge(&self) -> Arc<Bridge> {
        let found = self.live.get(&ObjectId::Bridge(BridgeId::THE_ONE));
        found
            .and_then(Object::as_bridge)
            .cloned()
            .unwrap_or_default()
    }

    /// E1: who is in office, and what comes next; `None` while the genesis committee is, and no other was heard of.
    pub fn roster(&self) -> Option<Arc<Roster>> {
        let found = self.live.get(&ObjectId::Roster(RosterId::THE_ONE));
        found.and_then(Object::as_roster).cloned()
    }

    /// E2: whether the committee's epoch is closed. Then nothing more is applied before the next one opens.
    pub fn is_closed(&self, epoch: Epoch) -> bool {
        let roster = self.roster();
        roster.is_some_and(|r| r.epoch == epoch && r.closed)
    }

    /// V8: who was convicted.
    pub fn offenders(&self) -> Arc<Offenders> {
        let found = self.live.get(&ObjectId::Offenders(OffendersId::THE_ONE));
        let offenders = found.and_then(Object::as_offenders);
        offenders.cloned().unwrap_or_default()
    }

    /// X3: takes up what the commit means for the exit tree, before it is installed.
    fn settle(&mut self, named: &[ItemId], changes: &mut Vec<Change>) {
        // All that ends before what begins: changes are in the order of ids, and the sums of both at once may be more
        // than there is of an asset.
        for change in &*changes {
            self.locked.follow(change.before.as_ref(), None);
        }
        for change in &*changes {
            self.locked.follow(None, change.after.as_ref());
        }
        for (place, exit) in settle(&self.live, &self.locked, named, changes) {
            self.trees.exits.set(place, exit);
        }
    }

    fn install(&mut self, changes: &[Change]) {
        for change in changes {
            self.set(change.id, change.before.as_ref(), change.after.as_ref());
        }
    }

    fn set(&mut self, id: ObjectId, before: Option<&Object>, after: Option<&Object>) {
        self.due.follow(id, before, after);
        if let Some(Object::Withdrawal(withdrawal)) = after {
            self.trees.withdrawn(withdrawal);
        }
        self.live.set(id, after.cloned());
        match after {
            Some(object) => self.tree.insert(id.state_key(), id, object.clone()),
            None => self.tree.remove(&id.state_key()),
        }
    }

    /// Takes up a stored receipt.
    fn note(&mut self, receipt: &Receipt, height_commit: CommitIndex) {
        self.remembered
            .insert(receipt.transaction, receipt.valid_until);
        if receipt.commit > height_commit {
            self.receipts.push(receipt.encode());
        }
    }
}

impl LedgerMeta {
    /// Commits before this time hold no transaction that is still remembered. A whole bucket is
    /// added, so that what is restored has as many digests as what was stored.
    pub fn remembers_from(&self, params: &ProtocolParams) -> Millis {
        let from = self.timestamp.saturating_sub(params.validity_max_ms.0);
        from.saturating_sub(BUCKET_MS)
    }
}

/// Whether an object can be part of a state.
fn is_live(object: &Object) -> bool {
    match object {
        Object::Account(account) => !account.is_empty(),
        Object::Item(item) => item.state != ItemState::Burned,
        Object::Work(work) => !work.is_empty(),
        Object::Deal(deal) => deal.state == DealState::Open,
        Object::Collection(_)
        | Object::Edition(_)
        | Object::Bridge(_)
        | Object::Withdrawal(_)
        | Object::Roster(_)
        | Object::Offenders(_)
        | Object::VoucherPool(_)
        | Object::SpentVoucher(_)
        | Object::Posted(_) => true,
    }
}

#[cfg(test)]
mod tests;
