//! Lists of collections, editions and items.

use super::ApiState;
use super::answer::{Failure, Segment, not_found};
use super::objects::{collection, edition, shown_item};
use super::reading::{Reading, from_store};
use super::rows::{RowCursor, rows};
use super::search::{Matching, collections_by_words, has_traits, query_words};
use crate::index;
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use std::str::FromStr;
use weft_types::api::{Collection, Edition, Item, Page, Problem};
use weft_types::{Address, CollectionId, EditionId, ItemId, Object, ObjectId};

/// Numbers that a request may go through to find the items of one page: burned ones leave gaps.
const SERIALS_WALKED_MAX: u64 = 10_000;

/// Collections
///
/// The newest first unless `order=asc`; of one creator if asked for. With `q` those whose names and descriptions have
/// words that begin with all of its words, by the word found: without `order`, and a page may be short of `limit` while
/// `next` is there.
#[utoipa::path(get, path = "/v1/collections", tag = "collections",
    params(("creator" = Option<Address>, Query), ("q" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<Collection>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collections(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let creator = reading.parameter::<Address>("creator")?;
    if let Some(words) = query_words(&reading)? {
        return collections_by_words(&state, &reading, creator, words).await;
    }
    let (request, cursor) = (reading.order()?, reading.cursor::<RowCursor>()?);
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        let prefix = index::collections_prefix(creator.as_ref());
        let page = rows(store, &prefix, request, cursor.as_ref().map(|c| &c.0[..]))?;
        let found = page.rows.iter().filter_map(|(_, value)| {
            let id = CollectionId::try_from(value.as_ref()).ok()?;
            let object = view.snapshot.get(&ObjectId::Collection(id))?;
            Some(Collection::new(id, object.as_collection()?))
        });
        Ok(Page {
            items: found.collect(),
            next: page.next,
        })
    });
    Ok(reading.answer(&page.await?))
}

/// A place in a collection: the number of an edition, and the serial of an item. As text, two
/// numbers with a point between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    edition: u64,
    serial: u64,
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (edition, serial) = text.split_once('.').ok_or(())?;
        Ok(Self {
            edition: edition.parse().map_err(|_| ())?,
            serial: serial.parse().map_err(|_| ())?,
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.edition, self.serial)
    }
}

/// The editions of a collection
///
/// In the order of creation.
#[utoipa::path(get, path = "/v1/collections/{id}/editions", tag = "collections",
    params(("id" = CollectionId, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses(
        (status = 200, body = Page<Edition>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collection_editions(
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let collection = collection(&reading.view, &id)?;
    let after = reading.cursor::<Place>()?.unwrap_or_default().edition;
    let limit = reading.limit()? as u64;
    let last = collection.editions.min(after.saturating_add(limit));
    let mut editions = Vec::new();
    for number in after.saturating_add(1)..=last {
        let id = EditionId::derive(&collection.id, number);
        editions.push(edition(&reading.view, id)?);
    }
    let next = Place {
        edition: last,
        serial: 0,
    };
    Ok(reading.answer(&Page {
        items: editions,
        next: (last < collection.editions).then(|| next.to_string()),
    }))
}

/// The items of a collection
///
/// By edition and serial, without those that were burned; of one edition if asked for, or of those with a trait:
/// `trait=NAME:VALUE`, several times for several that all have to be there.
#[utoipa::path(get, path = "/v1/collections/{id}/items", tag = "collections",
    params(("id" = CollectionId, Path), ("edition" = Option<EditionId>, Query), ("trait" = Option<Vec<String>>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses(
        (status = 200, body = Page<Item>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collection_items(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let collection = collection(&reading.view, &id)?;
    let limit = reading.limit()?;
    let from = reading.cursor::<Place>()?.unwrap_or_default();
    let edition_id = reading.parameter::<EditionId>("edition")?;
    let traits = reading.traits()?;
    let view = reading.view.clone();
    let page = from_store(&state, move |store| match edition_id {
        Some(id) => {
            let edition = edition(&view, id)?;
            if edition.collection != collection.id {
                let of = collection.id;
                return Err(not_found(format_args!("edition {id} of collection {of}")));
            }
            if !has_traits(&edition.traits, &traits) {
                return Ok(Page {
                    items: Vec::new(),
                    next: None,
                });
            }
            let (items, serial) = items_of(&view, &edition, from.serial, limit, SERIALS_WALKED_MAX);
            let next = Place { edition: 0, serial };
            Ok(Page {
                items,
                next: (serial < edition.issued).then(|| next.to_string()),
            })
        }
        None => {
            let matching = Matching::new(store, &collection, &traits);
            all_items(&view, &collection, matching, from, limit)
        }
    });
    Ok(reading.answer(&page.await?))
}

/// The items of an edition after a serial, and the last serial looked at.
fn items_of(
    view: &View,
    edition: &Edition,
    after: u64,
    limit: usize,
    walk: u64,
) -> (Vec<Item>, u64) {
    let mut items = Vec::new();
    let mut at = after.min(edition.issued);
    let end = edition.issued.min(after.saturating_add(walk));
    while at < end && items.len() < limit {
        at += 1;
        let id = ItemId::derive(&edition.id, at);
        let object = view.snapshot.get(&ObjectId::Item(id));
        let item = object.as_ref().and_then(Object::as_item);
        items.extend(item.map(|item| shown_item(view, id, item)));
    }
    (items, at)
}

fn all_items(
    view: &View,
    collection: &Collection,
    mut matching: Matching<'_>,
    from: Place,
    limit: usize,
) -> Result<Page<Item>, Failure> {
    let mut items = Vec::new();
    let mut walk = SERIALS_WALKED_MAX;
    let mut at = Place {
        edition: from.edition.max(1),
        ..from
    };
    while at.edition <= collection.editions && walk > 0 && items.len() < limit {
        let number = matching.reach(at.edition)?;
        if number != at.edition {
            at = Place {
                edition: number,
                serial: 0,
            };
        }
        if matching.is_tired() || number > collection.editions {
            break;
        }
        let edition = edition(view, EditionId::derive(&collection.id, at.edition))?;
        let (found, serial) = items_of(view, &edition, at.serial, limit - items.len(), walk);
        items.extend(found);
        // An edition without items costs a step, too.
        walk = walk.saturating_sub(serial.saturating_sub(at.serial).max(1));
        at.serial = serial;
        if serial >= edition.issued {
            at = Place {
                edition: at.edition.saturating_add(1),
                serial: 0,
            };
        }
    }
    let more = at.edition <= collection.editions;
    Ok(Page {
        items,
        next: more.then(|| at.to_string()),
    })
}
