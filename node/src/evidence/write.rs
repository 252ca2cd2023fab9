//! W3: writes evidence out of a store and a snapshot, as a stream.

use super::record::{Opened, Record, Writer};
use crate::driver::opened;
use crate::replica::sync::remembered_from;
use crate::view::CertifiedView;
use std::io::Write;
use weft_ledger::{PARTS, Piece, Prefix, Snapshot};
use weft_storage::{PageRequest, Store, StoreError};
use weft_types::{Certificate, CommitIndex, Epoch, Genesis, Height, ProtocolParams, Statement};

/// Receipts looked up at a time.
const PAGE_ENTRIES: usize = 4096;

/// A certificate that is another than the watcher's own statement of that height.
pub struct Case<'a> {
    pub accused: &'a Certificate,
    /// Another one of the same height and epoch, if there is one: it is enough then.
    pub rival: Option<&'a Certificate>,
    /// What the watcher says of that height; `None` when it has none of that number.
    pub own: Option<&'a Statement>,
    /// The state to go on from; `None` is the genesis'.
    pub agreed: Option<&'a CertifiedView>,
}

/// Why evidence was not written, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("evidence was not written: {0}")]
    Io(#[from] std::io::Error),
    #[error("evidence was not read: {0}")]
    Store(#[from] StoreError),
    #[error("the store lacks {0}")]
    Lacks(String),
}

fn lacks(what: impl std::fmt::Display) -> WriteError {
    WriteError::Lacks(what.to_string())
}

/// Writes all that a judge needs who has the genesis.
///
/// # Errors
/// When the store lacks a part, or writing fails; what was written is of no use then.
pub fn write<W: Write>(
    sink: W,
    genesis: &Genesis,
    store: &Store,
    case: &Case<'_>,
) -> Result<W, WriteError> {
    let mut evidence = Evidence {
        writer: Writer::new(sink)?,
        store,
        params: &genesis.template.params,
        epoch: Epoch::ZERO,
    };
    evidence.put(&Record::Network(genesis.network))?;
    evidence.put(&Record::Accused(case.accused.clone()))?;
    if let Some(rival) = case.rival {
        evidence.put(&Record::Rival(rival.clone()))?;
    }
    if let Some(own) = case.own {
        evidence.put(&Record::Own(own.clone()))?;
    }
    evidence.epochs(case.accused.statement.epoch)?;
    if case.rival.is_none() {
        evidence.execution(case)?;
    }
    Ok(evidence.writer.finish()?)
}

struct Evidence<'a, W> {
    writer: Writer<W>,
    store: &'a Store,
    params: &'a ProtocolParams,
    /// Of the next commit.
    epoch: Epoch,
}

impl<W: Write> Evidence<'_, W> {
    fn put(&mut self, record: &Record) -> Result<(), WriteError> {
        Ok(self.writer.write(record)?)
    }

    /// The committees up to that of an epoch.
    fn epochs(&mut self, last: Epoch) -> Result<(), WriteError> {
        for epoch in (1..=last.0).map(Epoch) {
            let opened: Option<Opened> = opened(self.store, epoch)?;
            let opened = opened.ok_or_else(|| lacks(format!("the committee of epoch {epoch}")))?;
            self.put(&Record::Epoch(opened))?;
        }
        Ok(())
    }

    fn execution(&mut self, case: &Case<'_>) -> Result<(), WriteError> {
        let (mut height, mut index) = (Height::ZERO, CommitIndex::ZERO);
        if let Some(agreed) = case.agreed {
            let statement = &agreed.certificate.statement;
            (height, index) = (statement.height, statement.commit);
            self.epoch = statement.epoch;
            self.put(&Record::Agreed((**agreed.certificate).clone()))?;
            self.objects(&agreed.snapshot, &Prefix::default())?;
            self.window(statement)?;
        }
        let accused = &case.accused.statement;
        let before = accused.height.saturating_sub(1);
        if before > height
            && let Some(before) = self.store.certificate(before)?
        {
            self.put(&Record::Before(before))?;
        }
        while index < accused.commit {
            index = index.next();
            self.commit(index)?;
        }
        Ok(())
    }

    /// Piece by piece, which is the order of state keys.
    fn objects(&mut self, snapshot: &Snapshot, prefix: &Prefix) -> Result<(), WriteError> {
        match snapshot.piece(prefix) {
            Piece::Leaves(leaves) => {
                for (id, value) in leaves {
                    self.put(&Record::Object(id, value))?;
                }
            }
            Piece::Split(_) => {
                for digit in 0..PARTS as u8 {
                    self.objects(snapshot, &prefix.child(digit))?;
                }
            }
        }
        Ok(())
    }

    /// The heights whose transactions are remembered at the agreed one, and the one before them.
    fn window(&mut self, agreed: &Statement) -> Result<(), WriteError> {
        let since = remembered_from(agreed, self.params);
        let mut first = agreed.height;
        let mut timestamp = agreed.timestamp;
        while first > Height(1) && timestamp >= since {
            first = first.saturating_sub(1);
            timestamp = self.certificate(first)?.statement.timestamp;
        }
        let mut after = None;
        if first == Height(1) {
            after = Some(CommitIndex::ZERO);
        }
        for height in (first.0..=agreed.height.0).map(Height) {
            let certificate = self.certificate(height)?;
            let commit = certificate.statement.commit;
            self.put(&Record::Height(certificate))?;
            if let Some(after) = after {
                self.receipts(after, commit)?;
            }
            after = Some(commit);
        }
        Ok(())
    }

    fn certificate(&self, height: Height) -> Result<Certificate, WriteError> {
        let certificate = self.store.certificate(height)?;
        certificate.ok_or_else(|| lacks(format!("a certificate of height {height} itself")))
    }

    /// Of the commits after one and up to another.
    fn receipts(&mut self, after: CommitIndex, last: CommitIndex) -> Result<(), WriteError> {
        let mut cursor = None;
        loop {
            let page = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
            let ids = self.store.receipts_between(after.next(), last, &page)?;
            for id in ids.entries {
                let receipt = self.store.receipt(&id)?;
                let receipt = receipt.ok_or_else(|| lacks(format!("receipt {id}")))?;
                self.put(&Record::Receipt(receipt))?;
            }
            cursor = ids.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn commit(&mut self, index: CommitIndex) -> Result<(), WriteError> {
        let commit = self.store.commit(index)?;
        let commit = commit.ok_or_else(|| lacks(format!("commit {index}")))?;
        self.put(&Record::Commit(commit.clone()))?;
        // E2: the commit after a closing one is of the next epoch.
        let leader = self.store.vertex_encoded(self.epoch, &commit.leader)?;
        if leader.is_none() {
            self.epoch = self.epoch.next();
        }
        for vertex in &commit.vertices {
            let bytes = self.store.vertex_encoded(self.epoch, vertex)?;
            let bytes = bytes.ok_or_else(|| lacks(format!("a vertex of commit {index}")))?;
            self.put(&Record::Vertex(bytes))?;
        }
        Ok(())
    }
}
