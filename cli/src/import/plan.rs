//! What an import would create, and what it refuses, before anything is sent.

use super::mapping::Mapping;
use super::source::Row;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use weft_types::{CollectionId, ContentHash, NewEdition};

/// Where a card stands in its catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// That it begins on, from 1.
    pub line: u64,
    /// Of a JSON array, whose lines mean little: which element, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

impl Place {
    pub fn line(line: u64) -> Self {
        Self { line, entry: None }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.entry {
            None => write!(f, "line {}", self.line),
            // An array on one line, or its beginning.
            Some(entry) if self.line == 1 => write!(f, "entry {entry}"),
            Some(entry) => write!(f, "entry {entry}, line {}", self.line),
        }
    }
}

/// Why a card becomes no edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    #[serde(flatten)]
    pub place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What of the edition is wrong; absent when it is the card as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.place)?;
        if let Some(reference) = &self.reference {
            write!(f, " ({reference})")?;
        }
        match &self.field {
            Some(field) => write!(f, ": {field} {}", self.reason),
            None => write!(f, " {}", self.reason),
        }
    }
}

/// An edition to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    pub place: Place,
    pub edition: NewEdition,
    /// The file that holds its metadata, by its name in the catalogue.
    pub metadata: Option<String>,
    /// What is given to the nodes, once it is read.
    pub files: Vec<(PathBuf, ContentHash)>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub cards: Vec<Card>,
    pub refused: Vec<Refusal>,
    /// Fields too long for a trait, and in how many cards.
    pub left_out: BTreeMap<String, u64>,
}

impl Plan {
    /// References are unique: the second card of one is refused.
    pub fn new(
        rows: &[Row],
        refused: Vec<Refusal>,
        mapping: &Mapping,
        collection: CollectionId,
    ) -> Self {
        let mut plan = Self {
            refused,
            ..Self::default()
        };
        let mut places = BTreeMap::new();
        for row in rows {
            let place = row.place;
            match mapping.edition(row, collection) {
                Err(refusal) => plan.refused.push(refusal),
                Ok((edition, left_out)) => match places.entry(edition.reference.clone()) {
                    Entry::Occupied(first) => plan.refused.push(Refusal {
                        place,
                        reference: Some(edition.reference),
                        field: Some("reference".to_owned()),
                        reason: format!("is that of {} already", first.get()),
                    }),
                    Entry::Vacant(vacant) => {
                        vacant.insert(place);
                        for field in left_out {
                            *plan.left_out.entry(field).or_default() += 1;
                        }
                        plan.cards.push(Card {
                            place,
                            edition,
                            metadata: mapping.metadata_file(row),
                            files: vec![],
                        });
                    }
                },
            }
        }
        plan.refused.sort_by_key(|refusal| refusal.place);
        plan
    }
}

/// Divides cards into transactions by their number and their bytes, in order.
pub fn batches(
    cards: &[Card],
    most: usize,
    bytes_max: usize,
    bytes: impl Fn(&Card) -> usize,
) -> Vec<&[Card]> {
    let (mut batches, mut start, mut total) = (Vec::new(), 0, 0);
    for (place, card) in cards.iter().enumerate() {
        let size = bytes(card);
        let full = place - start == most || total + size > bytes_max;
        if full && place > start {
            batches.push(&cards[start..place]);
            (start, total) = (place, 0);
        }
        total += size;
    }
    if start < cards.len() {
        batches.push(&cards[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(list: &[(u64, &str, &str)]) -> Vec<Row> {
        let row = |(line, id, name): &(u64, &str, &str)| Row {
            place: Place::line(*line),
            fields: [("id", id), ("name", name)]
                .map(|(field, value)| (field.to_owned(), (*value).to_owned()))
                .into(),
        };
        list.iter().map(row).collect()
    }

    fn plan(list: &[(u64, &str, &str)]) -> Plan {
        let rows = rows(list);
        let mapping = Mapping::find("reference=id".parse().unwrap(), &rows, 9).unwrap();
        Plan::new(&rows, vec![], &mapping, CollectionId::ZERO)
    }

    #[test]
    fn the_second_card_of_a_reference_is_refused_with_both_lines() {
        let plan = plan(&[(2, "a", "Mew"), (3, "b", "Mew"), (8, "a", "Mewtwo")]);
        let lines: Vec<u64> = plan.cards.iter().map(|card| card.place.line).collect();
        assert_eq!(lines, [2, 3]);
        let words: Vec<String> = plan.refused.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["line 8 (a): reference is that of line 2 already"]);
    }

    #[test]
    fn refusals_of_all_kinds_come_by_line() {
        let broken = Refusal {
            place: Place::line(5),
            reference: None,
            field: None,
            reason: "is no JSON object".to_owned(),
        };
        let long = "x".repeat(200);
        let rows = rows(&[(2, "a", &long), (4, "b", "Mew"), (9, "c", &long)]);
        let mapping = Mapping::find("".parse().unwrap(), &rows, 9).unwrap();
        let plan = Plan::new(&rows, vec![broken], &mapping, CollectionId::ZERO);
        let lines: Vec<u64> = plan
            .refused
            .iter()
            .map(|refusal| refusal.place.line)
            .collect();
        assert_eq!(lines, [2, 5, 9]);
        assert_eq!(plan.refused[1].to_string(), "line 5 is no JSON object");
        assert_eq!(plan.cards.len(), 1);
    }

    #[test]
    fn batches_keep_the_order_and_both_limits() {
        let list: Vec<(u64, String)> = (0..10).map(|i| (i, format!("{i}"))).collect();
        let list: Vec<(u64, &str, &str)> =
            list.iter().map(|(i, id)| (*i, id.as_str(), "n")).collect();
        let cards = plan(&list).cards;
        let sizes = |most, limit, bytes: fn(&Card) -> usize| {
            let batches = batches(&cards, most, limit, bytes);
            assert_eq!(batches.concat(), cards);
            batches.iter().map(|b| b.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(4, 1_000, |_| 1), [4, 4, 2]);
        assert_eq!(sizes(100, 30, |_| 10), [3, 3, 3, 1]);
        // One that is too long by itself travels alone; the signer says so.
        assert_eq!(sizes(100, 5, |_| 10), [1; 10]);
        assert_eq!(
            sizes(5, 20, |card| if card.place.line == 3 { 19 } else { 2 }),
            [3, 1, 5, 1]
        );
        assert!(batches(&[], 4, 10, |_| 1).is_empty());
    }
}
