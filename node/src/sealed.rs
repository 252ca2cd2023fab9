//! L47: proofs of series that are sealed still are kept as a height is certified, beside its certificate.

use crate::index::{proofs, proven_key, read_proven, read_unproven, unproven_prefix};
use weft_ledger::Snapshot;
use weft_storage::{Durability, PageRequest, Store, StoreError};
use weft_types::api::ProofBundle;
use weft_types::{Certificate, DealId};

/// Series whose proofs are kept with one height at the most. Those behind come with the next one, if they are sealed then.
const SERIES_MAX: usize = 256;

/// Keeps what a certified height proves; buffered, so that the sync of its certificate, which comes after it, is of both.
pub fn keep(
    store: &Store,
    certificate: &Certificate,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let page = store.indexes(&unproven_prefix(), &PageRequest::ascending(SERIES_MAX))?;
    let unproven = page.entries.iter();
    let unproven = unproven.filter_map(|(key, value)| read_unproven(key, value));
    let rows = proofs(unproven, certificate, snapshot);
    match rows.is_empty() {
        true => Ok(()),
        false => store.write_indexes(&rows, Durability::Buffered),
    }
}

/// What is kept of a series.
pub fn kept(store: &Store, deal: &DealId) -> Result<Option<ProofBundle>, StoreError> {
    let value = store.index(&proven_key(deal))?;
    Ok(value.and_then(|value| read_proven(&value)))
}
