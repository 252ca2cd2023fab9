//! L56: an edition's book, level by level.

use super::ApiState;
use super::answer::{Failure, Segment, parameter};
use super::objects::edition;
use super::reading::{Reading, from_store};
use super::rows::{ROWS_WALKED_MAX, rows};
use crate::index::{self, ClearingRow};
use axum::extract::State;
use axum::response::Response;
use weft_storage::{PageRequest, Store};
use weft_types::api::{Book, Clearing, Level, PAGE_MAX, Problem};
use weft_types::{BookSide, EditionId};

/// The book of an edition
///
/// Its open orders (`rule=book` of `/v1/deals`) by price, at most `limit` prices of each side, the best first; and the newest clearing.
#[utoipa::path(get, path = "/v1/editions/{id}/book", tag = "deals",
    params(("id" = EditionId, Path), ("limit" = Option<usize>, Query)),
    responses(
        (status = 200, body = Book),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_book(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: EditionId = parameter("id", &id)?;
    edition(&reading.view, id)?;
    let limit = reading.limit()?;
    let book = from_store(&state, move |store| {
        let last = store.index(&index::last_clearing_key(&id))?;
        let read = |value| {
            let row = ClearingRow::read(value);
            row.ok_or_else(|| Failure::internal("a row of a clearing is damaged"))
        };
        let last = last.map(read).transpose()?;
        Ok(Book {
            edition: id,
            bids: levels(store, &id, BookSide::Bid, limit)?,
            asks: levels(store, &id, BookSide::Ask, limit)?,
            last: last.map(|row| Clearing {
                commit: row.commit,
                timestamp: row.timestamp,
                price: row.price,
                items: row.items,
            }),
        })
    });
    Ok(reading.answer(&book.await?))
}

/// The best prices of a side. A book has fewer orders than a request may go through.
fn levels(
    store: &Store,
    edition: &EditionId,
    side: BookSide,
    limit: usize,
) -> Result<Vec<Level>, Failure> {
    let prefix = index::orders_prefix(edition, side);
    let mut levels: Vec<Level> = Vec::new();
    let (mut walked, mut cursor): (usize, Option<Vec<u8>>) = (0, None);
    while walked < ROWS_WALKED_MAX {
        let request = PageRequest::ascending(PAGE_MAX);
        let page = rows(store, &prefix, request, cursor.as_deref())?;
        walked += page.rows.len();
        for (rest, value) in &page.rows {
            let read = index::read_order(side, rest, value);
            let (price, items) =
                read.ok_or_else(|| Failure::internal("a row of an order is damaged"))?;
            if levels.last().is_none_or(|level| level.price != price) {
                if levels.len() == limit {
                    return Ok(levels);
                }
                levels.push(Level {
                    price,
                    items: 0,
                    orders: 0,
                });
            }
            if let Some(level) = levels.last_mut() {
                level.items += items;
                level.orders += 1;
            }
        }
        cursor = page.rows.into_iter().next_back().map(|(rest, _)| rest);
        if page.next.is_none() {
            break;
        }
    }
    Ok(levels)
}
