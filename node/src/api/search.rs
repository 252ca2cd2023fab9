//! Finding collections and editions: by traits, and by the beginnings of words.
//!
//! Traits of a collection's editions are lists in the order of creation. Those that have several are found by going
//! through all of the lists at once, always from the one that is furthest: as long as the shortest takes. Of several
//! words the rarest is looked up, and what has it is held against the others: a page may be short while more follows.

use super::ApiState;
use super::answer::Failure;
use super::objects::{collection, edition};
use super::reading::{Reading, from_store};
use super::rows::{ROWS_WALKED_MAX, RowCursor, rows, walk};
use crate::index::{self, WordScope};
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use std::collections::BTreeSet;
use weft_storage::{Cursor, PageRequest, Store};
use weft_types::api::{Collection, Edition, Page, Problem, ProblemCode};
use weft_types::{Address, CollectionId, EditionId, Object, ObjectId, Trait};

/// Words that a search may have.
const QUERY_WORDS_MAX: usize = 8;
/// Looks into lists that a request may take to find the editions of one page.
const SEEKS_MAX: usize = 2_000;

/// Whether all that are asked for are there.
pub fn has_traits(there: &[Trait], asked: &[Trait]) -> bool {
    asked.iter().all(|asked| there.contains(asked))
}

/// The words that were asked for, if any were.
pub fn query_words(reading: &Reading) -> Result<Option<BTreeSet<String>>, Failure> {
    let Some(text) = reading.parameter::<String>("q")? else {
        return Ok(None);
    };
    let words = index::words([&text[..]], QUERY_WORDS_MAX + 1);
    if (1..=QUERY_WORDS_MAX).contains(&words.len()) {
        return Ok(Some(words));
    }
    let detail = format!("q: must have 1 to {QUERY_WORDS_MAX} words of letters or digits");
    Err(Failure::new(ProblemCode::MalformedParameter, detail))
}

/// The place of the word that the fewest begin with, as far as a request looks; the longest of those that are alike.
fn rarest(store: &Store, scope: &WordScope, words: &BTreeSet<String>) -> Result<usize, Failure> {
    let mut rarest = (usize::MAX, 0, 0);
    if words.len() > 1 {
        for (place, word) in words.iter().enumerate() {
            let prefix = index::words_prefix(scope, word);
            let few = PageRequest::ascending(ROWS_WALKED_MAX);
            let count = rows(store, &prefix, few, None)?.rows.len();
            rarest = rarest.min((count, usize::MAX - word.len(), place));
        }
    }
    Ok(rarest.2)
}

/// Whether each asked word begins one of an object's, which was found for `by` by its word `found`. An object with
/// several words of one beginning is found by each of them, and taken for the first.
fn has_words(
    there: &BTreeSet<String>,
    asked: &BTreeSet<String>,
    (by, found): (&str, &str),
) -> bool {
    let first = |beginning: &str| {
        let from = there.range(beginning.to_owned()..).next();
        from.filter(|word| word.starts_with(beginning))
    };
    asked.iter().all(|word| first(word).is_some()) && first(by).is_some_and(|word| word == found)
}

/// The editions of a collection that have some traits, by number.
pub struct Matching<'a> {
    store: &'a Store,
    editions: u64,
    lists: Vec<Bytes>,
    seeks: usize,
}

impl<'a> Matching<'a> {
    pub fn new(store: &'a Store, collection: &Collection, traits: &[Trait]) -> Self {
        let lists = traits
            .iter()
            .map(|t| index::trait_prefix(&collection.id, &t.name, &t.value));
        Self {
            store,
            editions: collection.editions,
            lists: lists.collect(),
            seeks: SEEKS_MAX,
        }
    }

    /// The first number from `from` on with all traits; beyond the collection's last one if there is none. When the
    /// request has looked often enough, one before which there is none.
    pub fn reach(&mut self, from: u64) -> Result<u64, Failure> {
        let mut at = from;
        let mut agreed = 0;
        while agreed < self.lists.len() && !self.is_tired() {
            self.seeks -= 1;
            let list = &self.lists[agreed];
            let before = at.saturating_sub(1).to_be_bytes();
            let request = PageRequest::ascending(1);
            let request = request.after(Some(Cursor::index(&[&list[..], &before].concat())));
            let page = self.store.indexes(list, &request)?;
            let number = page.entries.first();
            let number = number.and_then(|(key, _)| index::read_number(&key[list.len()..]));
            let Some(number) = number else {
                return Ok(self.editions.saturating_add(1));
            };
            match number == at {
                true => agreed += 1,
                false => (at, agreed) = (number, usize::from(agreed == 0)),
            }
        }
        Ok(at)
    }

    pub fn is_tired(&self) -> bool {
        self.seeks == 0 && !self.lists.is_empty()
    }
}

/// Editions by words and traits
///
/// `q`: those of whose name and traits' values some words begin with each of its words, whatever their case and
/// accents, by the word found. `trait=NAME:VALUE`, several times for several: those that have them all, exactly. With
/// `collection` those of one, else of all; without `q` a collection has to be named, and its editions come in the order
/// of creation. A page may be short of `limit` while `next` is there.
#[utoipa::path(get, path = "/v1/editions", tag = "collections",
    params(("collection" = Option<CollectionId>, Query), ("q" = Option<String>, Query), ("trait" = Option<Vec<String>>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses(
        (status = 200, body = Page<Edition>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn editions(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let (words, traits) = (query_words(&reading)?, reading.traits()?);
    let of = reading.parameter::<String>("collection")?;
    let of = of
        .map(|text| collection(&reading.view, &text))
        .transpose()?;
    let (limit, view) = (reading.limit()?, reading.view.clone());
    let page = match (words, of) {
        (Some(words), of) => {
            let cursor = reading.cursor::<RowCursor>()?;
            let read = from_store(&state, move |store| {
                let all = WordScope::Editions;
                let scope = of.map_or(all, |of| WordScope::EditionsOf(of.id));
                by_words(store, scope, &words, (limit, cursor), |id| {
                    let object = view.snapshot.get(&id);
                    let found = object.as_ref().and_then(Object::as_edition)?;
                    let ObjectId::Edition(id) = id else {
                        return None;
                    };
                    let passes = has_traits(&found.terms.traits, &traits);
                    let words = index::words_of_edition(&found.terms);
                    passes.then(|| (words, Edition::new(id, found)))
                })
            });
            read.await?
        }
        (None, Some(of)) => {
            let after = reading.cursor::<u64>()?.unwrap_or(0);
            let read = from_store(&state, move |store| {
                let mut matching = Matching::new(store, &of, &traits);
                let mut items = Vec::new();
                let mut at = after.saturating_add(1);
                while items.len() < limit {
                    at = matching.reach(at)?;
                    if at > of.editions || matching.is_tired() {
                        break;
                    }
                    items.push(edition(&view, EditionId::derive(&of.id, at))?);
                    at += 1;
                }
                let next = (at <= of.editions).then(|| (at - 1).to_string());
                Ok(Page { items, next })
            });
            read.await?
        }
        (None, None) => {
            let detail = "editions are found by q, or in a collection that is named";
            return Err(Failure::new(ProblemCode::MalformedParameter, detail));
        }
    };
    Ok(reading.answer(&page))
}

/// Collections by words, of one creator if asked for.
pub async fn collections_by_words(
    state: &ApiState,
    reading: &Reading,
    creator: Option<Address>,
    words: BTreeSet<String>,
) -> Result<Response, Failure> {
    reading.without("order", "what is found by q comes by the word found")?;
    let (limit, cursor) = (reading.limit()?, reading.cursor::<RowCursor>()?);
    let view = reading.view.clone();
    let page = from_store(state, move |store| {
        let scope = WordScope::Collections;
        by_words(store, scope, &words, (limit, cursor), |id| {
            let object = view.snapshot.get(&id);
            let found = object.as_ref().and_then(Object::as_collection)?;
            let ObjectId::Collection(id) = id else {
                return None;
            };
            let passes = creator.is_none_or(|creator| creator == found.creator);
            let words = index::words_of_collection(found);
            passes.then(|| (words, Collection::new(id, found)))
        })
    });
    Ok(reading.answer(&page.await?))
}

/// What has all the words, of whatever `read` shows with its own words. A cursor begins with the place of the word that
/// is looked up.
fn by_words<T>(
    store: &Store,
    scope: WordScope,
    words: &BTreeSet<String>,
    (limit, cursor): (usize, Option<RowCursor>),
    read: impl Fn(ObjectId) -> Option<(BTreeSet<String>, T)>,
) -> Result<Page<T>, Failure> {
    let (place, cursor) = match cursor.as_ref().and_then(|cursor| cursor.0.split_first()) {
        Some((place, rest)) => (usize::from(*place), Some(RowCursor(rest.to_vec()))),
        None => (rarest(store, &scope, words)?, None),
    };
    let beginning = words.iter().nth(place).ok_or_else(|| {
        let detail = "the cursor is of another search";
        Failure::new(ProblemCode::InvalidCursor, detail)
    })?;
    let prefix = index::words_prefix(&scope, beginning);
    let request = PageRequest::ascending(limit);
    let page = walk(store, &prefix, (&request, limit), cursor, |rest| {
        let Some((end, id)) = index::read_word(&scope, rest) else {
            return Ok(None);
        };
        // The store may be a commit ahead of the view: what is not there yet is left out.
        let found = read(id).filter(|(there, _)| {
            let by = format!("{beginning}{end}");
            has_words(there, words, (beginning, &by))
        });
        Ok(found.map(|(_, shown)| shown))
    })?;
    let next = page.next.map(|rest| format!("{place:02x}{rest}"));
    Ok(Page { next, ..page })
}
