//! From disk to a replica that goes on where it stood: the ledger from the objects and receipts of
//! the store, the DAG from its vertices above the GC round, finality from statements, certificates
//! and the shares in those vertices. Nothing here asks anybody; what is wrong stops the node.

use super::DriverError;
use crate::replica::{Restored, ledger_meta};
use std::sync::Arc;
use weft_consensus::{LastCommit, Recovered, gc_floor};
use weft_ledger::{Ledger, LedgerMeta};
use weft_storage::{CommitBatch, Cursor, Durability, PageRequest, SigningGuard, Store};
use weft_types::{
    Commit, CommitDigest, CommitIndex, Committee, Genesis, Height, MemberIndex, MemberSet, Millis,
    Receipt, Round, Statement, Verified, Vertex, verify_vertex,
};

/// Entries read at a time.
const PAGE_ENTRIES: usize = 4096;
/// The store's name for what [`ledger_meta`] encodes.
pub const LEDGER_META: &str = "ledger";

/// Reads everything. A new store gets commit 0, the genesis, first.
pub fn restore(
    store: &Store,
    genesis: &Genesis,
    committee: &Committee,
    guard: Option<&SigningGuard>,
) -> Result<Restored, DriverError> {
    let last = match store.last_commit()? {
        Some(commit) => commit,
        None => write_genesis(store, genesis)?,
    };
    let statement = store.last_statement()?;
    let ledger = restore_ledger(store, genesis, &last, statement.as_ref())?;
    let certificate = match store.last_certificate()? {
        Some(certificate) => {
            let verified = certificate.verify(&genesis.network, committee);
            Some(Arc::new(verified.map_err(|e| inconsistent(&e))?))
        }
        None => None,
    };
    let certified = certificate
        .as_ref()
        .map_or(Height::ZERO, |c| c.statement.height);
    let statements = statements_from(store, certified)?;
    let core = recover_core(store, genesis, committee, guard, &last)?;
    let uncertified = |s: &weft_types::FinalityShare| s.height > certified;
    let shares = core.vertices.iter().flat_map(|vertex| {
        let shares = vertex.shares().iter().filter(|s| uncertified(s)).cloned();
        shares.map(|share| (vertex.author(), share))
    });
    Ok(Restored {
        shares: shares.collect(),
        core,
        ledger,
        statements,
        certificate,
        anchored: store.last_checkpoint()?.map_or(Height::ZERO, |(h, _)| h),
    })
}

fn inconsistent(error: &dyn std::fmt::Display) -> DriverError {
    DriverError::Inconsistent(error.to_string())
}

/// Commit 0 has no vertices: it brings the genesis objects into the store like any other commit.
fn write_genesis(store: &Store, genesis: &Genesis) -> Result<Commit, DriverError> {
    let (ledger, changes) = Ledger::genesis(&genesis.template)?;
    let network = genesis.network.id();
    let leader = Vertex::genesis(network, weft_types::Epoch::ZERO, MemberIndex(0));
    let commit = Commit {
        index: CommitIndex::ZERO,
        leader: leader.reference(),
        vertices: Vec::new(),
        timestamp: genesis.template.timestamp_ms,
        previous: CommitDigest::ZERO,
        demoted: MemberSet::default(),
    };
    let mut batch = CommitBatch::new(commit.clone());
    batch.objects = crate::replica::stored_objects(&changes);
    batch.put_meta(LEDGER_META, ledger_meta::encode(&ledger.meta()));
    store.write_commit(&batch, Durability::Synced)?;
    Ok(commit)
}

fn restore_ledger(
    store: &Store,
    genesis: &Genesis,
    last: &Commit,
    statement: Option<&Statement>,
) -> Result<Ledger, DriverError> {
    let meta = store.meta(LEDGER_META)?.unwrap_or_default();
    let meta = ledger_meta::decode(&meta).ok_or_else(|| inconsistent(&"no ledger meta"))?;
    if meta.index != last.index {
        let text = format!("ledger at commit {}, store at {}", meta.index, last.index);
        return Err(inconsistent(&text));
    }
    let mut objects = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.objects(&PageRequest::ascending(PAGE_ENTRIES).after(cursor))?;
        objects.extend(page.entries);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let params = &genesis.template.params;
    let receipts = receipts_since(store, last, &meta, meta.remembers_from(params))?;
    let ledger = Ledger::restore(params, meta, objects, receipts)?;
    // Nothing has changed since the last height: then the root must be the one that was stated.
    if let Some(statement) = statement.filter(|_| !meta.changed) {
        let root = ledger.snapshot().root();
        if root != statement.state_root {
            let text = format!(
                "the stored objects have root {root}, height {} has {}",
                statement.height, statement.state_root
            );
            return Err(inconsistent(&text));
        }
    }
    Ok(ledger)
}

/// The receipts that the ledger still needs, in their order.
fn receipts_since(
    store: &Store,
    last: &Commit,
    meta: &LedgerMeta,
    since: Millis,
) -> Result<Vec<Receipt>, DriverError> {
    let mut first = last.index.next();
    let mut cursor = None;
    'back: loop {
        let page = store.commits(&PageRequest::descending(PAGE_ENTRIES).after(cursor))?;
        for commit in page.entries {
            if commit.timestamp < since && commit.index <= meta.height_commit {
                break 'back;
            }
            first = commit.index;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let mut receipts = Vec::new();
    for index in first.0..=last.index.0 {
        let page = PageRequest::ascending(weft_storage::PAGE_ENTRIES_MAX);
        let mut cursor = None;
        loop {
            let ids = store.receipts_of(CommitIndex(index), &page.clone().after(cursor))?;
            for id in ids.entries {
                let encoded = store.receipt(&id)?;
                let encoded = encoded.ok_or_else(|| inconsistent(&format!("no receipt {id}")))?;
                receipts.push(Receipt::decode(encoded).map_err(|e| inconsistent(&e))?);
            }
            cursor = ids.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(receipts)
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

fn recover_core(
    store: &Store,
    genesis: &Genesis,
    committee: &Committee,
    guard: Option<&SigningGuard>,
    last: &Commit,
) -> Result<Recovered, DriverError> {
    let depth = genesis.template.params.gc_depth;
    let signed = guard.and_then(SigningGuard::highest_vertex);
    let signed = signed.map_or(Round::ZERO, |s| s.round);
    let (last_commit, floor) = match last.index {
        CommitIndex::ZERO => (
            LastCommit::genesis(genesis.template.timestamp_ms),
            Round::ZERO,
        ),
        _ => (LastCommit::of(last), gc_floor(last.leader.round, depth)),
    };
    let mut recovered = Recovered::fresh(last_commit);
    recovered.signed = signed;
    let mut cursor = None;
    'back: loop {
        let page = store.commits(&PageRequest::descending(PAGE_ENTRIES).after(cursor))?;
        for commit in page.entries {
            if commit.index == CommitIndex::ZERO {
                break 'back;
            }
            // One below the floor as well: it says who was demoted until the next one (D5).
            let last = commit.leader.round < floor;
            recovered.commits.push(commit);
            if last {
                break 'back;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    recovered.commits.reverse();
    let mut cursor = None;
    loop {
        let request = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
        let page = store.vertices(committee.epoch(), floor, &request)?;
        for vertex in page.entries {
            recovered.vertices.push(verify(vertex, genesis, committee)?);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if let Some(own) = store.own_vertex()? {
        let vertex = store.vertex(own.epoch, &own.vertex)?;
        recovered.own = vertex.map(|v| verify(v, genesis, committee)).transpose()?;
    }
    Ok(recovered)
}

fn verify(
    vertex: Vertex,
    genesis: &Genesis,
    committee: &Committee,
) -> Result<Verified<Vertex>, DriverError> {
    verify_vertex(vertex, genesis.network.id(), committee, &|_| None).map_err(|e| inconsistent(&e))
}
