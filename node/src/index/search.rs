//! Rows by which collections and editions are found: by a trait, by the beginning of a word. What they are made of
//! never changes, so that they are written once. How many an object has is bounded: 24 words and 32 traits.

use super::words::{words_of_collection, words_of_edition};
use super::{Row, key};
use bytes::Bytes;
use weft_ledger::Snapshot;
use weft_types::{Collection, CollectionId, EditionId, NewEdition, Object, ObjectId};

/// Words of collections and editions: which of them, a word, zero, an id or number.
pub(super) const WORDS: u8 = b'w';
/// Editions of a collection by a trait: collection, digest of the trait, number.
pub(super) const TRAITS: u8 = b't';

/// Ends a word, which has no zero in it.
const END: u8 = 0;

/// What is looked for by words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordScope {
    Collections,
    Editions,
    /// Of one collection.
    EditionsOf(CollectionId),
}

/// The prefix of whatever has a word that begins so; the word's rest and what [`read_word`] reads follow.
pub fn words_prefix(scope: &WordScope, beginning: &str) -> Bytes {
    let beginning = beginning.as_bytes();
    match scope {
        WordScope::Collections => key(WORDS, &[&[0], beginning]),
        WordScope::Editions => key(WORDS, &[&[1], beginning]),
        WordScope::EditionsOf(id) => key(WORDS, &[&[2], &id.0, beginning]),
    }
}

/// Reads what follows [`words_prefix`]: the word's rest, and what it is a word of.
pub fn read_word<'a>(scope: &WordScope, rest: &'a [u8]) -> Option<(&'a str, ObjectId)> {
    let (word, of) = rest.split_at_checked(rest.iter().position(|byte| *byte == END)?)?;
    let of = of.get(1..)?;
    let id = match scope {
        WordScope::Collections => ObjectId::Collection(CollectionId::try_from(of).ok()?),
        WordScope::Editions => ObjectId::Edition(EditionId::try_from(of).ok()?),
        WordScope::EditionsOf(id) => ObjectId::Edition(EditionId::derive(id, read_number(of)?)),
    };
    Some((std::str::from_utf8(word).ok()?, id))
}

/// The prefix of a collection's editions with a trait; numbers follow.
pub fn trait_prefix(collection: &CollectionId, name: &str, value: &str) -> Bytes {
    let mut digest = blake3::Hasher::new();
    // 0xff is in no text.
    digest.update(name.as_bytes()).update(&[0xff]);
    let digest = digest.update(value.as_bytes()).finalize();
    let (digest, _) = digest.as_bytes().split_at(16);
    key(TRAITS, &[&collection.0, digest])
}

/// Reads what follows [`trait_prefix`].
pub fn read_number(rest: &[u8]) -> Option<u64> {
    rest.try_into().ok().map(u64::from_be_bytes)
}

/// Of a collection that is new or has new editions.
pub(super) fn search_rows(
    snapshot: &Snapshot,
    id: &CollectionId,
    before: Option<&Collection>,
    after: &Collection,
    rows: &mut Vec<Row>,
) {
    let put = |key: Bytes| (key, Some(Bytes::new()));
    let end: &[u8] = &[END];
    if before.is_none() {
        for word in words_of_collection(after) {
            let prefix = words_prefix(&WordScope::Collections, &word);
            rows.push(put([&prefix, end, &id.0].concat().into()));
        }
    }
    let known = before.map_or(0, |collection| collection.editions);
    for number in known + 1..=after.editions {
        let edition = EditionId::derive(id, number);
        let object = snapshot.get(&ObjectId::Edition(edition));
        let Some(terms) = object.as_ref().and_then(Object::as_edition) else {
            continue;
        };
        edition_rows(&terms.terms, (&edition, number), rows);
    }
}

fn edition_rows(terms: &NewEdition, (id, number): (&EditionId, u64), rows: &mut Vec<Row>) {
    let put = |key: Vec<u8>| (Bytes::from(key), Some(Bytes::new()));
    let number = number.to_be_bytes();
    let end: &[u8] = &[END];
    for word in words_of_edition(terms) {
        let all = words_prefix(&WordScope::Editions, &word);
        rows.push(put([&all, end, &id.0].concat()));
        let of = words_prefix(&WordScope::EditionsOf(terms.collection), &word);
        rows.push(put([&of, end, &number].concat()));
    }
    for of_trait in &terms.traits {
        let prefix = trait_prefix(&terms.collection, &of_trait.name, &of_trait.value);
        rows.push(put([&prefix[..], &number].concat()));
    }
}
