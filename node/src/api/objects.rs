//! Accounts, collections, editions, items and deals as they are now, their histories and proofs.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::reading::{Reading, from_store};
use super::rows::{RowCursor, rows};
use crate::index::{self, HistoryRow, collection_of};
use crate::sealed;
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use weft_storage::{PageRequest, Store};
use weft_types::api::{
    Account, Collection, Deal, DealState, Edition, History, Item, ItemState, Kept, Page, Problem,
    ProblemCode, ProofBundle, TransactionState,
};
use weft_types::{Address, CollectionId, DealId, EditionId, ItemId, Object, ObjectId};

/// An item with its collection.
pub fn shown_item(view: &View, id: ItemId, item: &weft_types::Item) -> Item {
    let mut shown = Item::new(id, item);
    shown.collection = collection_of(&view.snapshot, &item.edition);
    shown
}

/// A collection that exists.
pub fn collection(view: &View, text: &str) -> Result<Collection, Failure> {
    let id: CollectionId = parameter("id", text)?;
    let object = view.snapshot.get(&ObjectId::Collection(id));
    let found = object.as_ref().and_then(Object::as_collection);
    let found = found.ok_or_else(|| not_found(format_args!("collection {id}")))?;
    Ok(Collection::new(id, found))
}

/// An edition that exists.
pub fn edition(view: &View, id: EditionId) -> Result<Edition, Failure> {
    let object = view.snapshot.get(&ObjectId::Edition(id));
    let found = object.as_ref().and_then(Object::as_edition);
    let found = found.ok_or_else(|| not_found(format_args!("edition {id}")))?;
    Ok(Edition::new(id, found))
}

/// An account's balances
///
/// An account that has never received anything is empty, and not an error.
#[utoipa::path(get, path = "/v1/accounts/{address}", tag = "accounts",
    params(("address" = Address, Path)),
    responses(
        (status = 200, body = Account),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn account(Segment(address): Segment, reading: Reading) -> Result<Response, Failure> {
    let address: Address = parameter("address", &address)?;
    let object = reading.view.snapshot.get(&ObjectId::Account(address));
    let account = object.as_ref().and_then(Object::as_account).cloned();
    let account = account.unwrap_or_default();
    Ok(reading.answer(&Account::new(address, &account)))
}

/// An account's items
///
/// By edition, then by serial; those locked in open deals among them.
#[utoipa::path(get, path = "/v1/accounts/{address}/items", tag = "accounts",
    params(("address" = Address, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses(
        (status = 200, body = Page<Item>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn account_items(
    State(state): State<ApiState>,
    Segment(address): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let address: Address = parameter("address", &address)?;
    let request = PageRequest::ascending(reading.limit()?);
    let cursor = reading.cursor::<RowCursor>()?;
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        let prefix = index::owned_prefix(&address);
        let page = rows(store, &prefix, request, cursor.as_ref().map(|c| &c.0[..]))?;
        let items = page.rows.iter().filter_map(|(rest, _)| {
            let (edition, serial) = index::read_owned(rest)?;
            let id = ItemId::derive(&edition, serial);
            let object = view.snapshot.get(&ObjectId::Item(id))?;
            // The store may be a commit ahead of the view: what has gone since is left out.
            let item = object.as_item().filter(|i| i.owner == address)?;
            Some(shown_item(&view, id, item))
        });
        Ok(Page {
            items: items.collect(),
            next: page.next,
        })
    });
    Ok(reading.answer(&page.await?))
}

/// An account's transactions
///
/// Those that it signed, and those that changed it; the newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/accounts/{address}/history", tag = "accounts",
    params(("address" = Address, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<History>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn account_history(
    State(state): State<ApiState>,
    Segment(address): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let address: Address = parameter("address", &address)?;
    history(&state, reading, ObjectId::Account(address)).await
}

/// The proof of an account
#[utoipa::path(get, path = "/v1/accounts/{address}/proof", tag = "accounts",
    params(("address" = Address, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn account_proof(
    Segment(address): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let address: Address = parameter("address", &address)?;
    proof(&reading, ObjectId::Account(address))
}

/// A collection
#[utoipa::path(get, path = "/v1/collections/{id}", tag = "collections",
    params(("id" = CollectionId, Path)),
    responses(
        (status = 200, body = Collection),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collection_of_id(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    Ok(reading.answer(&collection(&reading.view, &id)?))
}

/// An edition
#[utoipa::path(get, path = "/v1/editions/{id}", tag = "collections",
    params(("id" = EditionId, Path)),
    responses(
        (status = 200, body = Edition),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_of_id(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    let id: EditionId = parameter("id", &id)?;
    Ok(reading.answer(&edition(&reading.view, id)?))
}

/// The proof of a collection
///
/// That it is, or is not, in the certified state, with all that it lays down.
#[utoipa::path(get, path = "/v1/collections/{id}/proof", tag = "collections",
    params(("id" = CollectionId, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collection_proof(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    let id: CollectionId = parameter("id", &id)?;
    proof(&reading, ObjectId::Collection(id))
}

/// The proof of an edition
///
/// That it is, or is not, in the certified state.
#[utoipa::path(get, path = "/v1/editions/{id}/proof", tag = "collections",
    params(("id" = EditionId, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_proof(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    let id: EditionId = parameter("id", &id)?;
    proof(&reading, ObjectId::Edition(id))
}

/// An item
///
/// One that was burned is shown in its last form.
#[utoipa::path(get, path = "/v1/items/{id}", tag = "items",
    params(("id" = ItemId, Path)),
    responses(
        (status = 200, body = Item),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn item(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: ItemId = parameter("id", &id)?;
    Ok(reading.answer(&find_item(&state, &reading.view, id).await?))
}

pub async fn find_item(state: &ApiState, view: &View, id: ItemId) -> Result<Item, Failure> {
    let object = view.snapshot.get(&ObjectId::Item(id));
    if let Some(item) = object.as_ref().and_then(Object::as_item) {
        return Ok(shown_item(view, id, item));
    }
    let unknown = || not_found(format_args!("item {id}"));
    let prefix = index::history_prefix(&ObjectId::Item(id)).ok_or_else(unknown)?;
    let last = from_store(state, move |store| {
        let page = rows(store, &prefix, PageRequest::descending(1), None)?;
        Ok(page.rows.into_iter().next())
    });
    let last = last.await?.and_then(|(rest, value)| {
        let (_, row) = HistoryRow::read(&rest, value)?;
        Some(shown_item(view, id, &*row.item?))
    });
    let burned = last.filter(|item| item.state == ItemState::Burned);
    burned.ok_or_else(unknown)
}

/// An item's history
///
/// The newest first unless `order=asc`. Each step shows the item as the step's commit left it, and where it changed
/// hands from whom to whom, by which deal and for how much: all its owners, as far back as this node has histories.
#[utoipa::path(get, path = "/v1/items/{id}/history", tag = "items",
    params(("id" = ItemId, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<History>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn item_history(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: ItemId = parameter("id", &id)?;
    history(&state, reading, ObjectId::Item(id)).await
}

/// The proof that an item is, or is not, in the certified state
///
/// With it and `genesis.json` anybody checks the item without trusting this node.
#[utoipa::path(get, path = "/v1/items/{id}/proof", tag = "items",
    params(("id" = ItemId, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn item_proof(Segment(id): Segment, reading: Reading) -> Result<Response, Failure> {
    let id: ItemId = parameter("id", &id)?;
    proof(&reading, ObjectId::Item(id))
}

/// A deal
///
/// Also one that was taken, cancelled or has expired.
#[utoipa::path(get, path = "/v1/deals/{id}", tag = "deals",
    params(("id" = DealId, Path)),
    responses(
        (status = 200, body = Deal),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn deal(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: DealId = parameter("id", &id)?;
    let found = find_deal(&state.store, &reading.view, &id)?;
    let found = found.ok_or_else(|| state.not_kept(format_args!("deal {id}")))?;
    Ok(reading.answer(&found))
}

/// A deal that is open in the view, or has been.
pub fn find_deal(store: &Store, view: &View, id: &DealId) -> Result<Option<Deal>, Failure> {
    let object = match view.snapshot.get(&ObjectId::Deal(*id)) {
        Some(object) => Some(object),
        None => {
            let closed = store.index(&index::closed_key(id))?;
            let read = closed.map(|value| Object::decode(&ObjectId::Deal(*id), value));
            read.transpose().map_err(Failure::internal)?
        }
    };
    let deal = object.as_ref().and_then(Object::as_deal);
    Ok(deal.map(|deal| Deal::new(*id, deal)))
}

/// The proof of a deal
///
/// Of a series of packs also once it is drawn or undone: then it is the proof that this node has kept of the sealed series,
/// with its lot, at the height in its certificate.
#[utoipa::path(get, path = "/v1/deals/{id}/proof", tag = "deals",
    params(("id" = DealId, Path)),
    responses(
        (status = 200, body = ProofBundle),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn deal_proof(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: DealId = parameter("id", &id)?;
    let newest = bundle(&reading, ObjectId::Deal(id));
    let is_there = newest.as_ref().is_ok_and(|b| b.value.is_some());
    let proof = match (is_there, sealed::kept(&state.store, &id)?) {
        (true, Some(_)) => ProofBundle {
            kept: Some(Kept::ForLater),
            ..newest?
        },
        (false, Some(past)) => past,
        (false, None) if was_drawn(&state.store, &reading.view, &id)? => {
            return Err(state.not_kept(format_args!("the proof of sealed series {id}")));
        }
        (_, None) => newest?,
    };
    Ok(reading.answer(&proof))
}

/// Whether it was a series with a lot, so that there was a proof of it to be kept.
fn was_drawn(store: &Store, view: &View, id: &DealId) -> Result<bool, Failure> {
    let deal = find_deal(store, view, id)?;
    let ended = deal.filter(|deal| deal.state != DealState::Open);
    Ok(ended.is_some_and(|deal| deal.drawing.is_some_and(|drawing| drawing.lot.is_some())))
}

pub fn proof(reading: &Reading, object: ObjectId) -> Result<Response, Failure> {
    Ok(reading.answer(&bundle(reading, object)?))
}

/// Of the newest certified height, which may be a little behind the newest commit.
fn bundle(reading: &Reading, object: ObjectId) -> Result<ProofBundle, Failure> {
    let certified = reading.view.certified.as_ref().ok_or_else(|| {
        let detail = "this node has no certified state to prove against yet";
        Failure::new(ProblemCode::NotCertified, detail)
    })?;
    let (value, proof) = certified.snapshot.prove(&object);
    Ok(ProofBundle {
        object,
        value: value.map(hex::encode),
        proof,
        certificate: certified.certificate.to_json(),
        kept: None,
    })
}

async fn history(
    state: &ApiState,
    reading: Reading,
    subject: ObjectId,
) -> Result<Response, Failure> {
    let unknown = move || not_found(format_args!("a history of {subject}"));
    let prefix = index::history_prefix(&subject).ok_or_else(unknown)?;
    let (request, cursor) = (reading.order()?, reading.cursor::<RowCursor>()?);
    let view = reading.view.clone();
    let not_kept = state.not_kept(format_args!("a history of {subject}"));
    let page = from_store(state, move |store| {
        let page = rows(store, &prefix, request, cursor.as_ref().map(|c| &c.0[..]))?;
        // An account is there before anything has happened to it; an item has a history, or is none.
        if page.rows.is_empty()
            && let ObjectId::Item(_) = subject
            && rows(store, &prefix, PageRequest::ascending(1), None)?
                .rows
                .is_empty()
        {
            return Err(not_kept);
        }
        let steps = page.rows.into_iter().map(|(rest, value)| {
            let damaged =
                || Failure::internal(format_args!("a history row of {subject} is damaged"));
            let (commit, row) = HistoryRow::read(&rest, value).ok_or_else(damaged)?;
            Ok(step(&view, subject, commit, &row))
        });
        Ok(Page {
            items: steps.collect::<Result<_, Failure>>()?,
            next: page.next,
        })
    });
    Ok(reading.answer(&page.await?))
}

fn step(
    view: &View,
    subject: ObjectId,
    commit: weft_types::CommitIndex,
    row: &HistoryRow,
) -> History {
    let item = match (subject, &row.item) {
        (ObjectId::Item(id), Some(item)) => Some(shown_item(view, id, item)),
        _ => None,
    };
    History {
        commit,
        timestamp: row.timestamp,
        transaction: row.transaction,
        state: if row.applied {
            TransactionState::Committed
        } else {
            TransactionState::Rejected
        },
        operations: row.kind_names().map(str::to_owned).collect(),
        item,
        from: row.passing.from,
        to: row.passing.to,
        deal: row.passing.deal,
        price: row.passing.price,
    }
}
