//! A reading of the ledger that stays as it is. Cheap to take and to clone; any thread may read it.

use crate::admission::{Admitted, Refusal, admit, in_time};
use crate::draft::Draft;
use crate::execute::{Leader, Place, execute};
use crate::live::Objects;
use crate::piece::{PIECE_BYTES_MAX, Piece, Prefix};
use crate::places::BaseTrees;
use crate::tree::Tree;
use bytes::Bytes;
use std::sync::Arc;
use weft_types::{
    Amount, BaseAddress, CommitIndex, Committee, Millis, Object, ObjectId, ProtocolParams, Receipt,
    Root, StateProof, Transaction, Verified,
};

/// The state after one commit.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) tree: Tree,
    pub(crate) trees: BaseTrees,
    pub(crate) params: Arc<ProtocolParams>,
    pub(crate) index: CommitIndex,
    pub(crate) timestamp: Millis,
}

impl Snapshot {
    /// The commit that this is the state after; zero is genesis.
    pub fn index(&self) -> CommitIndex {
        self.index
    }

    /// The ledger's time.
    pub fn timestamp(&self) -> Millis {
        self.timestamp
    }

    /// What the vault pays by.
    pub fn base_trees(&self) -> &BaseTrees {
        &self.trees
    }

    pub fn params(&self) -> &ProtocolParams {
        &self.params
    }

    pub fn get(&self, id: &ObjectId) -> Option<Object> {
        Objects::get(self, id).cloned()
    }

    /// The state root. Free for the snapshot of a height; else what has changed since is hashed here,
    /// once for all snapshots that share it.
    pub fn root(&self) -> Root {
        self.tree.root()
    }

    /// The object's encoding, if it exists, and the proof of that under [`root`](Self::root).
    pub fn prove(&self, id: &ObjectId) -> (Option<Bytes>, StateProof) {
        let (object, proof) = self.tree.prove(&id.state_key());
        (object.map(Object::encode), proof)
    }

    /// S2.3: what stands below a prefix of the state keys under [`root`](Self::root).
    pub fn piece(&self, prefix: &Prefix) -> Piece {
        self.tree.piece(prefix, PIECE_BYTES_MAX)
    }

    /// Whether the ledger would take the transaction at `now`, and for which fee. Whether it was
    /// taken before is not judged here. Cheap enough for every transaction that comes in.
    pub fn check(
        &self,
        transaction: &Verified<Transaction>,
        now: Millis,
    ) -> Result<Amount, Refusal> {
        self.admit(transaction, now).map(|admitted| admitted.fee)
    }

    fn admit(&self, transaction: &Verified<Transaction>, now: Millis) -> Result<Admitted, Refusal> {
        in_time(&self.params, transaction, now)?;
        admit(self, &self.params, transaction, now)
    }

    /// The receipt that the transaction would have as the next commit's only one, at `now`, in a network
    /// with these contracts ([`weft_types::Genesis::contracts`]) and this committee in office.
    pub fn dry_run(
        &self,
        transaction: &Verified<Transaction>,
        now: Millis,
        (contracts, committee): ([BaseAddress; 3], &Committee),
    ) -> Result<Receipt, Refusal> {
        let admitted = self.admit(transaction, now)?;
        let place = Place {
            commit: self.index.saturating_add(1),
            position: 0,
            now,
            contracts,
            delay_min: self.params.guardian_delay_min(),
            leader: Leader::default(),
            committee: Some(committee),
        };
        let mut draft = Draft::new(self);
        Ok(execute(&mut draft, transaction, admitted, place))
    }
}

impl Objects for Snapshot {
    fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.tree.get(&id.state_key())
    }
}
