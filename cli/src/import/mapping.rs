//! Which field of a row becomes what of an edition: as told, else by the usual names.
//!
//! The reference is what makes an import resumable: it names a card in its catalogue for ever. A field
//! that is called so, or `id` and the like, is taken as it is: rows that lack it or share it are
//! refused. Where there is none, the row's own content is the reference.

use super::plan::Refusal;
use super::source::{Fields, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use weft_types::hash::keccak;
use weft_types::{CollectionId, NAME_BYTES_MAX, NewEdition, TEXT_BYTES_MAX, TRAITS_MAX, Trait};

/// Fields that usually hold it, the likeliest first.
const NAMES: &[&str] = &["name", "title", "name.en", "title.en", "card_name", "label"];
const IMAGES: &[&str] = &[
    "image",
    "image_url",
    "imageUrl",
    "image.url",
    "images.large",
    "images.small",
    "img",
    "picture",
];
const CAPS: &[&str] = &[
    "cap",
    "supply",
    "max_supply",
    "maxSupply",
    "print_run",
    "edition_size",
];
const REFERENCES: &[&str] = &["reference", "id", "code", "sku", "slug", "key"];
/// What may name a card when no such field is there; taken when it does, for every row.
const REFERENCE_TEMPLATES: &[&str] = &["{set}-{number}", "{set.id}-{number}"];
/// In a mapping: the row itself.
const ROW: &str = "@row";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Field(String),
    /// Texts and fields in turn, as in `{set}-{number}`.
    Template(Vec<Part>),
    /// A digest of the whole row.
    Row,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Field(String),
}

/// What was asked for with `--map`; the rest is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    targets: BTreeMap<&'static str, Source>,
    traits: Vec<(String, Source)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub name: Source,
    pub image: Option<Source>,
    pub cap: Option<Source>,
    /// Of cards that have none of their own.
    pub usual_cap: u64,
    pub reference: Source,
    image_hash: Option<Source>,
    metadata_hash: Option<Source>,
    metadata: Option<Source>,
    /// `None`: all other fields that are short enough.
    traits: Option<Vec<(String, Source)>>,
}

const TARGETS: &[&str] = &[
    "name",
    "image",
    "cap",
    "reference",
    "image_hash",
    "metadata_hash",
    "metadata",
];

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a field's name is missing".to_owned());
        }
        if text == ROW {
            return Ok(Self::Row);
        }
        if !text.contains(['{', '}']) {
            return Ok(Self::Field(text.to_owned()));
        }
        let wrong = || format!("{text:?} has braces that do not match");
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (before, after) = rest.split_once('{').unwrap_or((rest, ""));
            if before.contains('}') {
                return Err(wrong());
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            if before.len() == rest.len() {
                break;
            }
            let (field, after) = after.split_once('}').ok_or_else(wrong)?;
            if field.is_empty() || field.contains('{') {
                return Err(wrong());
            }
            parts.push(Part::Field(field.to_owned()));
            rest = after;
        }
        Ok(Self::Template(parts))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field),
            Self::Template(parts) => parts.iter().try_for_each(|part| match part {
                Part::Text(text) => f.write_str(text),
                Part::Field(field) => write!(f, "{{{field}}}"),
            }),
            Self::Row => f.write_str(ROW),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    /// Reads `name=title,image=https://host/{img},trait:Rarity=rarity`. Commas inside braces divide
    /// nothing.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut wanted = Self::default();
        for entry in split(text) {
            let (target, source) = entry
                .split_once('=')
                .ok_or_else(|| format!("{entry:?} is not TARGET=FIELD"))?;
            let source: Source = source.parse()?;
            if let Some(name) = target.strip_prefix("trait:") {
                if name.is_empty() {
                    return Err(format!("{entry:?} names no trait"));
                }
                wanted.traits.push((name.to_owned(), source));
                continue;
            }
            let known = TARGETS.iter().find(|t| **t == target).ok_or_else(|| {
                format!("{target:?} is none of {}, trait:NAME", TARGETS.join(", "))
            })?;
            if wanted.targets.insert(known, source).is_some() {
                return Err(format!("{target} is mapped twice"));
            }
        }
        Ok(wanted)
    }
}

fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = text.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|p| !p.is_empty()).collect()
}

impl Wanted {
    /// Whether it says what the reference is.
    pub fn names_reference(&self) -> bool {
        self.targets.contains_key("reference")
    }
}

impl Source {
    fn fields(&self) -> Vec<&str> {
        match self {
            Self::Field(field) => vec![field],
            Self::Template(parts) => {
                let fields = parts.iter().filter_map(|part| match part {
                    Part::Field(field) => Some(field.as_str()),
                    Part::Text(_) => None,
                });
                fields.collect()
            }
            Self::Row => vec![],
        }
    }

    /// `None` when a field that it takes is not there.
    fn value(&self, fields: &Fields) -> Option<String> {
        match self {
            Self::Field(field) => fields.get(field).cloned(),
            Self::Template(parts) => parts.iter().try_fold(String::new(), |text, part| {
                Some(match part {
                    Part::Text(words) => text + words,
                    Part::Field(field) => text + fields.get(field)?,
                })
            }),
            Self::Row => Some(digest(fields)),
        }
    }
}

fn digest(fields: &Fields) -> String {
    let mut bytes = Vec::new();
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    format!("row-{}", hex::encode(&keccak(&[&bytes])[..12]))
}

impl Mapping {
    /// # Errors
    /// When a field that was asked for is in no row, or there is none for the name.
    pub fn find(wanted: Wanted, rows: &[Row], usual_cap: u64) -> Result<Self, String> {
        let names: BTreeSet<&str> = rows
            .iter()
            .flat_map(|row| row.fields.keys().map(String::as_str))
            .collect();
        let asked = wanted.targets.values();
        let asked = asked.chain(wanted.traits.iter().map(|(_, source)| source));
        for field in asked.flat_map(Source::fields) {
            if !names.contains(field) {
                return Err(format!(
                    "no card has a field {field:?}; there are {}",
                    listed(&names)
                ));
            }
        }
        let usual = |candidates: &[&str]| {
            let found = candidates.iter().find_map(|c| names.get(c));
            found.map(|field| Source::Field((*field).to_owned()))
        };
        let mut targets = wanted.targets;
        let name = targets.remove("name").or_else(|| usual(NAMES));
        let name = name.ok_or_else(|| {
            format!(
                "no field holds the cards' name: map one with --map name=FIELD; there are {}",
                listed(&names)
            )
        })?;
        let reference = targets.remove("reference");
        Ok(Self {
            name,
            image: targets.remove("image").or_else(|| usual(IMAGES)),
            cap: targets.remove("cap").or_else(|| usual(CAPS)),
            usual_cap,
            reference: reference
                .or_else(|| usual(REFERENCES))
                .unwrap_or_else(|| unique_reference(rows)),
            image_hash: targets.remove("image_hash"),
            metadata_hash: targets.remove("metadata_hash"),
            metadata: targets.remove("metadata"),
            traits: (!wanted.traits.is_empty()).then_some(wanted.traits),
        })
    }

    /// The edition that a row describes, and the fields that were left out of its traits because
    /// they are too long.
    pub fn edition(
        &self,
        row: &Row,
        collection: CollectionId,
    ) -> Result<(NewEdition, Vec<String>), Refusal> {
        let fields = &row.fields;
        let reference = self.required("reference", &self.reference, row, None)?;
        let refuse = |field: &str, reason: String| Refusal {
            place: row.place,
            reference: Some(reference.clone()),
            field: Some(field.to_owned()),
            reason,
        };
        let bounded = |field: &str, text: String, limit: usize| match text.len() {
            found if found <= limit => Ok(text),
            found => Err(refuse(
                field,
                format!("has {found} bytes, more than {limit}"),
            )),
        };
        let name = self.required("name", &self.name, row, Some(&reference))?;
        let hash = |field: &str, source: &Option<Source>| {
            let text = source.as_ref().and_then(|s| s.value(fields));
            let hash = text.map(|t| t.parse()).transpose();
            hash.map_err(|e: weft_types::IdError| refuse(field, e.to_string()))
        };
        let cap = match self.cap.as_ref().and_then(|source| source.value(fields)) {
            None => self.usual_cap,
            Some(text) => {
                let cap = text.parse().ok().filter(|cap| *cap > 0);
                cap.ok_or_else(|| refuse("cap", format!("is {text:?}, no whole number above 0")))?
            }
        };
        let image = self.image.as_ref().and_then(|source| source.value(fields));
        let (traits, left_out) = self.traits(fields);
        if traits.len() > TRAITS_MAX {
            let reason = format!(
                "there are {}, more than {TRAITS_MAX}: choose with --map trait:NAME=FIELD",
                traits.len()
            );
            return Err(refuse("traits", reason));
        }
        for t in &traits {
            bounded(&t.name, t.name.clone(), NAME_BYTES_MAX)?;
            bounded(&t.name, t.value.clone(), NAME_BYTES_MAX)?;
        }
        let edition = NewEdition {
            collection,
            name: bounded("name", name, NAME_BYTES_MAX)?,
            cap,
            traits,
            image: bounded("image", image.unwrap_or_default(), TEXT_BYTES_MAX)?,
            image_hash: hash("image_hash", &self.image_hash)?,
            metadata_hash: hash("metadata_hash", &self.metadata_hash)?,
            reference: bounded("reference", reference.clone(), NAME_BYTES_MAX)?,
            uses: 0,
        };
        Ok((edition, left_out))
    }

    /// What of a row names a file with metadata.
    pub fn metadata_file(&self, row: &Row) -> Option<String> {
        self.metadata.as_ref()?.value(&row.fields)
    }

    fn required(
        &self,
        target: &str,
        source: &Source,
        row: &Row,
        reference: Option<&str>,
    ) -> Result<String, Refusal> {
        source.value(&row.fields).ok_or_else(|| Refusal {
            place: row.place,
            reference: reference.map(str::to_owned),
            field: Some(target.to_owned()),
            reason: format!("is missing: {source} has no value"),
        })
    }

    fn traits(&self, fields: &Fields) -> (Vec<Trait>, Vec<String>) {
        if let Some(traits) = &self.traits {
            let traits = traits.iter().filter_map(|(name, source)| {
                let (name, value) = (name.clone(), source.value(fields)?);
                Some(Trait { name, value })
            });
            return (traits.collect(), vec![]);
        }
        // A template's fields are worth a trait of their own.
        let whole = |source: &Source| match source {
            Source::Field(field) => Some(field.clone()),
            _ => None,
        };
        let image = self.image.as_ref().and_then(whole);
        let cap = self.cap.as_ref().and_then(whole);
        let used = [whole(&self.name), image, cap, whole(&self.reference)];
        let rest = fields
            .iter()
            .filter(|(f, _)| !used.iter().flatten().any(|u| u == *f));
        let short = |value: &str| value.len() <= NAME_BYTES_MAX;
        let (fit, long): (Vec<_>, Vec<_>) = rest.partition(|(_, value)| short(value));
        let traits = fit.into_iter().map(|(name, value)| Trait {
            name: name.clone(),
            value: value.clone(),
        });
        let long = long.into_iter().map(|(name, _)| name.clone());
        (traits.collect(), long.collect())
    }

    /// For people.
    pub fn describe(&self) -> String {
        let image = self
            .image
            .as_ref()
            .map_or("none".to_owned(), ToString::to_string);
        let cap = match &self.cap {
            Some(source) => format!("{source}, else {}", self.usual_cap),
            None => format!("{} for each", self.usual_cap),
        };
        let traits = match &self.traits {
            None => "all other fields".to_owned(),
            Some(traits) => {
                let names: Vec<&str> = traits.iter().map(|(name, _)| name.as_str()).collect();
                names.join(", ")
            }
        };
        format!(
            "name: {}; image: {image}; cap: {cap}; reference: {}; traits: {traits}",
            self.name, self.reference
        )
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    names.join(", ")
}

/// The first template that every row fills, each in its own way; else the row.
fn unique_reference(rows: &[Row]) -> Source {
    let templates = REFERENCE_TEMPLATES.iter().filter_map(|t| t.parse().ok());
    let mut unique = templates.filter(|source: &Source| {
        let mut seen = BTreeSet::new();
        let mut values = rows.iter().map(|row| source.value(&row.fields));
        values.all(|value| value.is_some_and(|value| seen.insert(value)))
    });
    unique.next().unwrap_or(Source::Row)
}

#[cfg(test)]
mod tests;
