//! A3: which content the state names, so that nobody stores what nothing on the ledger asks for.

use super::{NAMED, Row, key};
use bytes::Bytes;
use std::collections::BTreeSet;
use weft_ledger::Change;
use weft_storage::{Cursor, PageRequest, Store, StoreError};
use weft_types::{CONTENTS_ASKED_MAX, ContentHash, Object, ObjectId};

/// Rows looked through at a time.
const ROWS_AT_ONCE: usize = 4_096;

fn named_by(id: &ObjectId, object: Option<&Object>) -> BTreeSet<ContentHash> {
    let hashes = match object {
        Some(Object::Edition(edition)) => [edition.terms.image_hash, edition.terms.metadata_hash],
        Some(Object::Item(item)) => [item.data_hash, None],
        Some(Object::Posted(_)) => match id {
            ObjectId::Posted(hash) => [Some(*hash), None],
            _ => [None, None],
        },
        _ => [None, None],
    };
    hashes.into_iter().flatten().collect()
}

pub(super) fn rows(change: &Change, rows: &mut Vec<Row>) {
    let before = named_by(&change.id, change.before.as_ref());
    let after = named_by(&change.id, change.after.as_ref());
    let row = |hash: &ContentHash| key(NAMED, &[&hash.0, &change.id.to_bytes()]);
    rows.extend(before.difference(&after).map(|hash| (row(hash), None)));
    let added = after.difference(&before);
    rows.extend(added.map(|hash| (row(hash), Some(Bytes::new()))));
}

/// Whether anything in the state names the content.
pub fn is_named(store: &Store, hash: &ContentHash) -> Result<bool, StoreError> {
    let prefix = key(NAMED, &[&hash.0]);
    let page = store.indexes(&prefix, &PageRequest::ascending(1))?;
    Ok(!page.entries.is_empty())
}

/// A4: some of the content that is named and not here, on from a row, and the row to go on from; `None` at
/// the end.
pub fn missing(
    store: &Store,
    after: Option<Cursor>,
) -> Result<(BTreeSet<ContentHash>, Option<Cursor>), StoreError> {
    let page = PageRequest::ascending(ROWS_AT_ONCE).after(after);
    let page = store.indexes(&[NAMED], &page)?;
    let mut missing = BTreeSet::new();
    for (row, _) in &page.entries {
        let hash = row.get(1..33).and_then(|h| ContentHash::try_from(h).ok());
        let Some(hash) = hash else { continue };
        if !store.has_content(&hash)? {
            missing.insert(hash);
        }
        if missing.len() == CONTENTS_ASKED_MAX {
            return Ok((missing, Some(Cursor::index(row))));
        }
    }
    Ok((missing, page.next))
}
