//! Lists of collections, editions, items and deals.

use super::ApiState;
use super::answer::{Failure, Segment, not_found};
use super::objects::{RowCursor, collection, edition, find_deal, rows, shown_item};
use super::reading::{Reading, from_store};
use crate::index::{self, DealScope};
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use std::str::FromStr;
use weft_storage::{PageRequest, Store};
use weft_types::api::{Collection, Deal, DealState, Edition, Item, Page, Problem, ProblemCode};
use weft_types::{Address, CollectionId, EditionId, ItemId, Object, ObjectId, WantedFrom};

/// Numbers that a request may go through to find the items of one page: burned ones leave gaps.
const SERIALS_WALKED_MAX: u64 = 10_000;
/// Deals that a request may go through to find those of one page that pass its filters.
const DEALS_WALKED_MAX: usize = 2_000;

/// Collections
///
/// The newest first unless `order=asc`; of one creator if asked for.
#[utoipa::path(get, path = "/v1/collections", tag = "collections",
    params(("creator" = Option<Address>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<Collection>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn collections(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let creator = reading.parameter::<Address>("creator")?;
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
/// By edition and serial, without those that were burned; of one edition if asked for.
#[utoipa::path(get, path = "/v1/collections/{id}/items", tag = "collections",
    params(("id" = CollectionId, Path), ("edition" = Option<EditionId>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
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
    let view = reading.view.clone();
    let page = from_store(&state, move |_| match edition_id {
        Some(id) => {
            let edition = edition(&view, id)?;
            if edition.collection != collection.id {
                let of = collection.id;
                return Err(not_found(format_args!("edition {id} of collection {of}")));
            }
            let (items, serial) = items_of(&view, &edition, from.serial, limit, SERIALS_WALKED_MAX);
            let next = Place { edition: 0, serial };
            Ok(Page {
                items,
                next: (serial < edition.issued).then(|| next.to_string()),
            })
        }
        None => all_items(&view, &collection, from, limit),
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

/// Which deals were asked for.
struct Filter {
    giver: Option<Address>,
    collection: Option<CollectionId>,
    /// A trait's name and value, of an item given.
    of_trait: Option<(String, String)>,
    state: DealState,
}

impl Filter {
    fn read(reading: &Reading) -> Result<Self, Failure> {
        let of_trait = reading.parameter::<String>("trait")?;
        let of_trait = of_trait.map(|text| {
            let pair = text.split_once(':');
            let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
            pair.ok_or_else(|| {
                let detail = "trait: must be NAME:VALUE";
                Failure::new(ProblemCode::MalformedParameter, detail)
            })
        });
        Ok(Self {
            giver: reading.parameter("giver")?,
            collection: reading.parameter("collection")?,
            of_trait: of_trait.transpose()?,
            state: match reading.parameter::<String>("state")?.as_deref() {
                None | Some("open") => DealState::Open,
                Some("taken") => DealState::Taken,
                Some("cancelled") => DealState::Cancelled,
                Some("expired") => DealState::Expired,
                Some(other) => {
                    let shown: String = other.chars().take(80).collect();
                    let detail =
                        format!("state {shown:?}: must be open, taken, cancelled or expired");
                    return Err(Failure::new(ProblemCode::MalformedParameter, detail));
                }
            },
        })
    }

    /// The list to walk, and the number of the state in its keys.
    fn list(&self) -> (DealScope, u8) {
        let scope = match (self.giver, self.collection) {
            (Some(giver), _) => DealScope::Giver(giver),
            (None, Some(collection)) => DealScope::Collection(collection),
            (None, None) => DealScope::All,
        };
        let state = match self.state {
            DealState::Open => 0,
            DealState::Taken => 1,
            DealState::Cancelled => 2,
            DealState::Expired => 3,
        };
        (scope, state)
    }

    fn passes(&self, view: &View, deal: &Deal) -> bool {
        let edition_of = |item: &ItemId| {
            let object = view.snapshot.get(&ObjectId::Item(*item))?;
            edition(view, object.as_item()?.edition).ok()
        };
        let given = || deal.gives.items.iter().filter_map(edition_of);
        let in_collection = |id: &CollectionId| {
            let wanted = deal.wants_any.iter().any(|wanted| match wanted.from {
                WantedFrom::Collection(collection) => collection == *id,
                WantedFrom::Edition(e) => edition(view, e).is_ok_and(|e| e.collection == *id),
            });
            wanted || given().any(|e| e.collection == *id)
        };
        // By the scope every deal is in the collection already, unless the scope is the giver's.
        let collection = self.collection.as_ref();
        let collection = self.giver.is_none() || collection.is_none_or(in_collection);
        let has_trait = |(name, value): &(String, String)| {
            given().any(|e| {
                e.traits
                    .iter()
                    .any(|t| t.name == *name && t.value == *value)
            })
        };
        deal.state == self.state && collection && self.of_trait.as_ref().is_none_or(has_trait)
    }
}

/// Deals
///
/// Open ones unless another `state` is asked for; those that expire last come first unless
/// `order=asc`. `collection`: gives an item of it, or wants any of it. `trait=NAME:VALUE`: gives an
/// item whose edition has the trait. A page may be short of `limit` while `next` is there.
#[utoipa::path(get, path = "/v1/deals", tag = "deals",
    params(
        ("collection" = Option<CollectionId>, Query), ("giver" = Option<Address>, Query),
        ("state" = Option<DealState>, Query), ("trait" = Option<String>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query),
    ),
    responses(
        (status = 200, body = Page<Deal>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn deals(State(state): State<ApiState>, reading: Reading) -> Result<Response, Failure> {
    let filter = Filter::read(&reading)?;
    let cursor = reading.cursor::<RowCursor>()?;
    let limit = reading.limit()?;
    let order = reading.order()?;
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        walk_deals(store, &view, &filter, &order, cursor, limit)
    });
    Ok(reading.answer(&page.await?))
}

fn walk_deals(
    store: &Store,
    view: &View,
    filter: &Filter,
    order: &PageRequest,
    cursor: Option<RowCursor>,
    limit: usize,
) -> Result<Page<Deal>, Failure> {
    let (scope, state) = filter.list();
    let prefix = index::deals_prefix(&scope, state);
    let mut cursor = cursor.map(|c| c.0);
    let (mut found, mut walked) = (Vec::new(), 0);
    loop {
        let page = rows(store, &prefix, order.clone(), cursor.as_deref())?;
        let mut more = page.next.is_some();
        let count = page.rows.len();
        for (n, (rest, _)) in page.rows.into_iter().enumerate() {
            walked += 1;
            let deal = match index::read_deal(&rest) {
                Some(id) => find_deal(store, view, &id)?,
                None => None,
            };
            found.extend(deal.filter(|deal| filter.passes(view, deal)));
            cursor = Some(rest);
            if found.len() == limit {
                more |= n + 1 < count;
                break;
            }
        }
        if !more || found.len() == limit || walked >= DEALS_WALKED_MAX {
            let next = cursor.filter(|_| more).map(hex::encode);
            return Ok(Page { items: found, next });
        }
    }
}
