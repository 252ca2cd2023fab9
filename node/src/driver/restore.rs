//! Reads from the store what a restart needs; what is made of it is [`crate::replica::restore`]'s. Nothing
//! here asks anybody; what is wrong stops the node.

use super::DriverError;
use super::epochs;
use super::guard::Guard;
use super::take_over::synced_from;
use crate::replica::restore::{
    Found, ReceiptsNeeded, first_round_after, genesis_commit, in_office,
};
use crate::replica::{Lost, Restored, ledger_meta, stored_objects, whole_from};
use std::sync::Arc;
use weft_storage::{CommitBatch, Cursor, Durability, PageRequest, Store};
use weft_types::api::Checkpoint;
use weft_types::{
    Certificate, Commit, CommitIndex, Committee, Genesis, Height, Object, ObjectId, Receipt,
    RosterId, Round, Statement, Verified, Vertex, VertexRef, verify_vertex,
};

/// Entries read at a time.
pub const PAGE_ENTRIES: usize = 4096;
/// The store's name for what [`ledger_meta`] encodes.
pub const LEDGER_META: &str = "ledger";
/// S2: the first commit whose receipts are here, eight bytes, if the database was taken over.
pub const SYNCED_META: &str = "synced";
/// W8: the commit whose state was taken over, eight bytes.
pub const AFTER_META: &str = "synced after";

/// Reads everything. A new store gets commit 0, the genesis, first.
pub fn restore(
    store: &Store,
    genesis: &Genesis,
    standing: &Standing,
    guard: Option<&Guard>,
    signed: Result<Round, Lost>,
) -> Result<Restored, DriverError> {
    let committee = &*standing.committee;
    let last = last_commit(store, genesis)?;
    let meta = store.meta(LEDGER_META)?.unwrap_or_default();
    let meta = ledger_meta::decode(&meta).ok_or_else(|| inconsistent(&"no ledger meta"))?;
    let certificate = match store.last_certificate()? {
        Some(certificate) => {
            let epoch = certificate.statement.epoch;
            let of = standing.committees().find(|c| c.epoch() == epoch);
            let of = of.ok_or_else(|| inconsistent(&format!("no committee of epoch {epoch}")))?;
            let verified = certificate.verify(&genesis.network, of);
            Some(Arc::new(verified.map_err(|e| inconsistent(&e))?))
        }
        None => None,
    };
    let certified = certificate
        .as_ref()
        .map_or(Height::ZERO, |c| c.statement.height);
    let newest = certificate.as_ref().map(|c| &***c);
    let params = &genesis.template.params;
    let whole_from = whole_from(newest, params, |height| store.certificate(height))?;
    let floor = first_round_after(standing.after, &last, genesis.template.params.gc_depth);
    let found = Found {
        epoch: committee.epoch(),
        epoch_after: standing.after,
        commits: commits_from(store, floor, standing.after)?,
        vertices: vertices_from(store, genesis, committee, floor)?,
        own: own_vertex(store, genesis, committee)?,
        signed,
        has_signed: guard.is_some_and(Guard::has_signed),
        height_floor: guard.map_or(Height::ZERO, Guard::height_floor),
        objects: objects(store)?,
        decoded: Vec::new(),
        receipts: receipts(store, &last, ReceiptsNeeded::new(&meta, genesis))?,
        ordered: ordered_after(store, meta.height_commit)?,
        statements: statements_from(store, certified)?,
        anchored: newest_anchored(store)?,
        last,
        meta,
        certificate,
        whole_from,
    };
    Ok(found.restore(genesis)?)
}

/// The newest commit; a new store gets commit 0 first.
fn last_commit(store: &Store, genesis: &Genesis) -> Result<Commit, DriverError> {
    match store.last_commit()? {
        Some(commit) => Ok(commit),
        None => write_genesis(store, genesis),
    }
}

/// E2: the epoch that a store stands in.
pub struct Standing {
    pub committee: Arc<Committee>,
    /// Those before it, as far as they are known.
    pub earlier: Vec<Arc<Committee>>,
    /// The last commit of the epoch before.
    pub after: CommitIndex,
}

impl Standing {
    pub fn of(store: &Store, genesis: &Genesis) -> Result<Self, DriverError> {
        let last = last_commit(store, genesis)?;
        let roster = ObjectId::Roster(RosterId::THE_ONE);
        let roster = match store.object(&roster)? {
            Some(value) => Object::decode(&roster, value)
                .map_err(|e| inconsistent(&e))?
                .as_roster()
                .cloned(),
            None => None,
        };
        let certificate = store.last_certificate()?;
        let (committee, after) =
            in_office(genesis, roster.as_deref(), &last, certificate.as_ref())?;
        // Power may have failed between the closing certificate and what is remembered of the next epoch.
        let closes = |c: &&Certificate| c.statement.epoch.next() == committee.epoch();
        if let Some(by) = certificate.as_ref().filter(closes) {
            epochs::remember(store, &committee, by)?;
        }
        Ok(Self {
            earlier: epochs::before(store, genesis, committee.epoch())?,
            committee: Arc::new(committee),
            after,
        })
    }

    fn committees(&self) -> impl Iterator<Item = &Arc<Committee>> {
        self.earlier.iter().chain([&self.committee])
    }
}

/// The first commit that is here: the genesis, unless a state was taken over (S2).
pub fn first_commit(store: &Store) -> Result<CommitIndex, DriverError> {
    let page = store.commits(&PageRequest::ascending(1))?;
    let first = page.entries.first();
    Ok(first.map_or(CommitIndex::ZERO, |commit| commit.index))
}

fn inconsistent(error: &dyn std::fmt::Display) -> DriverError {
    DriverError::Inconsistent(error.to_string())
}

fn write_genesis(store: &Store, genesis: &Genesis) -> Result<Commit, DriverError> {
    let (commit, changes, meta) = genesis_commit(genesis)?;
    let mut batch = CommitBatch::new(commit.clone());
    batch.objects = stored_objects(&changes);
    batch.put_meta(LEDGER_META, ledger_meta::encode(&meta));
    store.write_commit(&batch, Durability::Synced)?;
    Ok(commit)
}

fn objects(store: &Store) -> Result<Vec<(weft_types::ObjectId, bytes::Bytes)>, DriverError> {
    let mut objects = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.objects(&PageRequest::ascending(PAGE_ENTRIES).after(cursor))?;
        objects.extend(page.entries);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(objects);
        }
    }
}

/// The receipts that the ledger still needs, in their order.
fn receipts(
    store: &Store,
    last: &Commit,
    needed: ReceiptsNeeded,
) -> Result<Vec<Receipt>, DriverError> {
    let mut first = last.index.next();
    let mut cursor = None;
    'back: loop {
        let page = store.commits(&PageRequest::descending(PAGE_ENTRIES).after(cursor))?;
        for commit in page.entries {
            if !needed.has(&commit) {
                break 'back;
            }
            first = commit.index;
        }
        cursor = page.next;
        if cursor.is_none() {
            // S2: receipts reach further down than commits in a database that was taken over.
            first = synced_from(store)?.map_or(first, |synced| first.min(synced));
            break;
        }
    }
    let mut receipts = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
        let ids = store.receipts_between(first, last.index, &page)?;
        for id in ids.entries {
            let encoded = store.receipt(&id)?;
            let encoded = encoded.ok_or_else(|| inconsistent(&format!("no receipt {id}")))?;
            receipts.push(Receipt::decode(encoded).map_err(|e| inconsistent(&e))?);
        }
        cursor = ids.next;
        if cursor.is_none() {
            return Ok(receipts);
        }
    }
}

/// What the commits after one have ordered, in their order.
fn ordered_after(store: &Store, after: CommitIndex) -> Result<Vec<VertexRef>, DriverError> {
    let mut ordered = Vec::new();
    let mut cursor = Some(Cursor::commit(after));
    while cursor.is_some() {
        let page = store.commits(&PageRequest::ascending(PAGE_ENTRIES).after(cursor))?;
        ordered.extend(page.entries.into_iter().flat_map(|commit| commit.vertices));
        cursor = page.next;
    }
    Ok(ordered)
}

/// The statement of the certified height, if it is here, and all after it.
fn statements_from(store: &Store, certified: Height) -> Result<Vec<Statement>, DriverError> {
    let mut statements: Vec<Statement> = store.statement(certified)?.into_iter().collect();
    let mut cursor = Some(Cursor::height(certified));
    while cursor.is_some() {
        let page = store.statements(&PageRequest::ascending(PAGE_ENTRIES).after(cursor))?;
        statements.extend(page.entries);
        cursor = page.next;
    }
    Ok(statements)
}

/// The newest checkpoint that was seen to be final. Newer ones that were only posted stand above it: as
/// many as are posted while one becomes final.
fn newest_anchored(store: &Store) -> Result<Height, DriverError> {
    let mut cursor = None;
    loop {
        let page = store.checkpoints(&PageRequest::descending(PAGE_ENTRIES).after(cursor))?;
        for (height, encoded) in page.entries {
            let read = serde_json::from_slice::<Checkpoint>(&encoded);
            if read.map_err(|e| inconsistent(&e))?.anchored {
                return Ok(height);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(Height::ZERO);
        }
    }
}

/// The commits with leaders from `floor` on and the one before them, but for the genesis, ascending.
fn commits_from(
    store: &Store,
    floor: Round,
    after: CommitIndex,
) -> Result<Vec<Commit>, DriverError> {
    let mut commits = Vec::new();
    let mut cursor = None;
    'back: loop {
        let page = store.commits(&PageRequest::descending(PAGE_ENTRIES).after(cursor))?;
        for commit in page.entries {
            if commit.index <= after {
                break 'back;
            }
            // One below the floor as well: it says who was demoted until the next one (D5).
            let last = commit.leader.round < floor;
            commits.push(commit);
            if last {
                break 'back;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    commits.reverse();
    Ok(commits)
}

fn vertices_from(
    store: &Store,
    genesis: &Genesis,
    committee: &Committee,
    floor: Round,
) -> Result<Vec<Verified<Vertex>>, DriverError> {
    let mut vertices = Vec::new();
    let mut cursor = None;
    loop {
        let request = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
        let page = store.vertices(committee.epoch(), floor, &request)?;
        for vertex in page.entries {
            vertices.push(verify(vertex, genesis, committee)?);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(vertices);
        }
    }
}

fn own_vertex(
    store: &Store,
    genesis: &Genesis,
    committee: &Committee,
) -> Result<Option<Verified<Vertex>>, DriverError> {
    let Some(own) = store.own_vertex()? else {
        return Ok(None);
    };
    let vertex = store.vertex(own.epoch, &own.vertex)?;
    // E2: what was signed in an earlier epoch is nobody's parent any more.
    let vertex = vertex.filter(|v| v.epoch() == committee.epoch());
    vertex.map(|v| verify(v, genesis, committee)).transpose()
}

fn verify(
    vertex: Vertex,
    genesis: &Genesis,
    committee: &Committee,
) -> Result<Verified<Vertex>, DriverError> {
    verify_vertex(vertex, genesis.network.id(), committee, &|_| None).map_err(|e| inconsistent(&e))
}

#[cfg(test)]
mod tests;
