//! What items cost: prices of editions and collections, and their trades.

use super::ApiState;
use super::answer::{Failure, Segment, parameter};
use super::objects::{collection, edition};
use super::reading::{Reading, from_store};
use super::rows::{RowCursor, rows};
use crate::index::{self, PriceScope, SaleRow, SaleScope, Totals};
use axum::extract::State;
use axum::response::Response;
use weft_storage::{Cursor, PageRequest, Store};
use weft_types::api::{Page, Prices, Problem, Trade, Turnover};
use weft_types::{Amount, CollectionId, EditionId, Millis};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn trade(row: SaleRow) -> Trade {
    Trade {
        commit: row.commit,
        timestamp: row.timestamp,
        item: row.item,
        edition: row.edition,
        deal: row.deal,
        price: row.price,
        seller: row.seller,
        buyer: row.buyer,
        transaction: row.transaction,
    }
}

fn edition_scope(reading: &Reading, id: &str) -> Result<SaleScope, Failure> {
    let id: EditionId = parameter("id", id)?;
    edition(&reading.view, id)?;
    Ok(SaleScope::Edition(id))
}

fn collection_scope(reading: &Reading, id: &str) -> Result<SaleScope, Failure> {
    Ok(SaleScope::Collection(collection(&reading.view, id)?.id))
}

/// The trades of an edition
///
/// Its items that deals have sold for the native asset alone, the newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/editions/{id}/trades", tag = "deals",
    params(("id" = EditionId, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<Trade>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_trades(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let scope = edition_scope(&reading, &id)?;
    trades(&state, &reading, scope).await
}

/// The trades of a collection
///
/// Its items that deals have sold for the native asset alone, the newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/collections/{id}/trades", tag = "deals",
    params(("id" = CollectionId, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<Trade>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collection_trades(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let scope = collection_scope(&reading, &id)?;
    trades(&state, &reading, scope).await
}

async fn trades(
    state: &ApiState,
    reading: &Reading,
    scope: SaleScope,
) -> Result<Response, Failure> {
    let (request, cursor) = (reading.order()?, reading.cursor::<RowCursor>()?);
    let page = from_store(state, move |store| {
        let prefix = index::sales_prefix(&scope);
        let page = rows(store, &prefix, request, cursor.as_ref().map(|c| &c.0[..]))?;
        let read = page.rows.into_iter().map(|(_, value)| sale(value));
        let trades = read.map(|row| row.map(trade));
        Ok(Page {
            items: trades.collect::<Result<_, Failure>>()?,
            next: page.next,
        })
    });
    Ok(reading.answer(&page.await?))
}

fn sale(value: bytes::Bytes) -> Result<SaleRow, Failure> {
    SaleRow::read(value).ok_or_else(|| Failure::internal("a row of a sale is damaged"))
}

/// The prices of an edition
///
/// Of one item, in the native asset: the cheapest open listing, the highest offer for any, the newest trade, and what was
/// sold in a day.
#[utoipa::path(get, path = "/v1/editions/{id}/prices", tag = "deals",
    params(("id" = EditionId, Path)),
    responses(
        (status = 200, body = Prices),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_prices(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let scope = edition_scope(&reading, &id)?;
    prices(&state, &reading, scope).await
}

/// The prices of a collection
///
/// Of one item, in the native asset: the cheapest open listing, the highest offer for any, the newest trade, and what was
/// sold in a day.
#[utoipa::path(get, path = "/v1/collections/{id}/prices", tag = "deals",
    params(("id" = CollectionId, Path)),
    responses(
        (status = 200, body = Prices),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collection_prices(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let scope = collection_scope(&reading, &id)?;
    prices(&state, &reading, scope).await
}

/// A few looks into the store, however much was sold.
async fn prices(
    state: &ApiState,
    reading: &Reading,
    scope: SaleScope,
) -> Result<Response, Failure> {
    let (listings, offers) = match scope {
        SaleScope::Edition(id) => (
            PriceScope::ListingsOfEdition(id),
            PriceScope::OffersForEdition(id),
        ),
        SaleScope::Collection(id) => (
            PriceScope::ListingsOfCollection(id),
            PriceScope::OffersForCollection(id),
        ),
    };
    let since = Millis(reading.view.timestamp.0.saturating_sub(DAY_MS));
    let prices = from_store(state, move |store| {
        let last = store.index(&index::last_sale_key(&scope))?;
        let last = last.map(sale).transpose()?;
        let sold = match (&last, first_since(store, &scope, since)?) {
            (Some(last), Some(first)) => last.totals.since(&first.totals_before()),
            _ => Totals::default(),
        };
        Ok(Prices {
            floor: first_price(store, &listings)?,
            offer: first_price(store, &offers)?,
            last: last.map(trade),
            day: Turnover {
                trades: sold.items,
                volume: Amount(u64::try_from(sold.volume).unwrap_or(u64::MAX)),
            },
        })
    });
    Ok(reading.answer(&prices.await?))
}

/// The best price of a list.
fn first_price(store: &Store, scope: &PriceScope) -> Result<Option<Amount>, Failure> {
    let prefix = index::prices_prefix(scope);
    let page = rows(store, &prefix, PageRequest::ascending(1), None)?;
    let first = page.rows.first();
    Ok(first.and_then(|(rest, _)| index::read_price(scope, rest).map(|(price, _)| price)))
}

/// The first sale at this time or later.
fn first_since(
    store: &Store,
    scope: &SaleScope,
    since: Millis,
) -> Result<Option<SaleRow>, Failure> {
    let prefix = index::sales_prefix(scope);
    let from = Cursor::index(&[&prefix[..], &since.0.to_be_bytes()].concat());
    let request = PageRequest::ascending(1).after(Some(from));
    let page = store.indexes(&prefix, &request)?;
    let first = page.entries.into_iter().next();
    first.map(|(_, value)| sale(value)).transpose()
}
