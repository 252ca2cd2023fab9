//! Reading lists of the index, page by page.

use super::answer::Failure;
use weft_storage::{Cursor, Page as StoredPage, PageRequest, Store};
use weft_types::api::Page;

/// Rows that a request may go through to find those of one page that pass its filters.
pub const ROWS_WALKED_MAX: usize = 2_000;

/// Part of a list of the index: `rest` is what follows the prefix in a row's key, and the cursor.
pub struct Rows {
    pub rows: Vec<(Vec<u8>, bytes::Bytes)>,
    pub next: Option<String>,
}

/// Reads a page of rows under a prefix, on from a cursor of this list.
pub fn rows(
    store: &Store,
    prefix: &[u8],
    request: PageRequest,
    cursor: Option<&[u8]>,
) -> Result<Rows, Failure> {
    let cursor = cursor.map(|rest| Cursor::index(&[prefix, rest].concat()));
    let StoredPage { entries, next } = store.indexes(prefix, &request.after(cursor))?;
    let rest = |key: &[u8]| key.strip_prefix(prefix).unwrap_or_default().to_vec();
    let rows: Vec<_> = entries
        .iter()
        .map(|(key, value)| (rest(key), value.clone()))
        .collect();
    let last = rows.last().map(|(rest, _)| hex::encode(rest));
    Ok(Rows {
        next: next.and(last),
        rows,
    })
}

/// A cursor of the index: what follows the prefix in a key, in hexadecimal.
pub struct RowCursor(pub Vec<u8>);

impl std::str::FromStr for RowCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = text.len() <= 2 * weft_storage::CURSOR_BYTES_MAX / 2;
        let bytes = fits.then(|| hex::decode(text).ok()).flatten();
        bytes.filter(|b| !b.is_empty()).map(Self).ok_or(())
    }
}

/// Goes through a list, as far as a page needs or a request may, and keeps what `take` makes of its rows. The page is
/// short while more follows when the rows that do not pass are many.
pub fn walk<T>(
    store: &Store,
    prefix: &[u8],
    (request, limit): (&PageRequest, usize),
    cursor: Option<RowCursor>,
    mut take: impl FnMut(&[u8]) -> Result<Option<T>, Failure>,
) -> Result<Page<T>, Failure> {
    let mut cursor = cursor.map(|c| c.0);
    let (mut found, mut walked) = (Vec::new(), 0);
    loop {
        let page = rows(store, prefix, request.clone(), cursor.as_deref())?;
        let mut more = page.next.is_some();
        let count = page.rows.len();
        for (n, (rest, _)) in page.rows.into_iter().enumerate() {
            walked += 1;
            found.extend(take(&rest)?);
            cursor = Some(rest);
            if found.len() == limit {
                more |= n + 1 < count;
                break;
            }
        }
        if !more || found.len() == limit || walked >= ROWS_WALKED_MAX {
            let next = cursor.filter(|_| more).map(hex::encode);
            return Ok(Page { items: found, next });
        }
    }
}
