//! What an import did, in words and as JSON.

use super::mapping::Mapping;
use super::plan::{Plan, Refusal};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::values::lines;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use weft_types::CollectionId;

/// Refusals that are shown to people; `--json` has all of them.
const SHOWN_MAX: usize = 20;

/// What an import did, or would do.
#[derive(Debug, Serialize)]
pub struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionId>,
    pub dry_run: bool,
    pub mapping: String,
    /// Cards of the catalogue.
    pub cards: u64,
    /// Editions created; of a dry run those that would be, unless they exist.
    pub created: u64,
    /// Editions that were there already.
    pub skipped: u64,
    /// Images and documents given to the nodes.
    pub uploaded: u64,
    /// Of those the references whose terms are not what catalogue and mapping say; terms never change.
    pub differing: Vec<String>,
    /// That of the first run, when it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_mapping: Option<String>,
    pub refused: Vec<Refusal>,
    /// Fields too long for a trait, and of how many cards.
    pub left_out: BTreeMap<String, u64>,
    pub fee: u64,
    pub seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
}

impl Report {
    pub fn map(&mut self, mapping: &Mapping, output: &Output) {
        self.mapping = mapping.describe();
        output.say(&self.mapping);
    }

    pub fn take(&mut self, plan: Plan) {
        self.refused = plan.refused;
        self.left_out = plan.left_out;
    }

    /// Whether everything is on the ledger as catalogue and mapping have it.
    pub fn verdict(&self) -> Result<(), Failure> {
        let (refused, differing) = (self.refused.len(), self.differing.len());
        let refused_words = format!("{refused} of {} cards were refused", self.cards);
        let differing_words = format!(
            "{differing} of {} cards exist with other terms, to which nothing of this was applied",
            self.cards
        );
        match (refused, differing) {
            (0, 0) => Ok(()),
            (0, _) => Err(Failure::new(Kind::Invalid, differing_words).hint(
                "an edition's terms never change: leave them, or import into a new collection",
            )),
            (_, 0) => Err(Failure::new(Kind::Refused, refused_words).hint(
                "correct these and run the same command again: it sends only what is missing",
            )),
            _ => Err(Failure::new(
                Kind::Refused,
                format_args!("{refused_words}, and {differing_words}"),
            )),
        }
    }

    pub fn text(&self) -> String {
        let differing = match self.differing.len() {
            0 => String::new(),
            differing => format!("{differing}, and stay as they are"),
        };
        let created = match self.dry_run {
            true => "would be created",
            false => "created",
        };
        let uploaded = match self.uploaded {
            0 => String::new(),
            uploaded => format!("{uploaded} files"),
        };
        let collection = self.collection.map(|id| id.to_string());
        let state = self.state.as_ref().map(|path| path.display().to_string());
        lines(&[
            ("collection", collection.unwrap_or_default()),
            ("cards", self.cards.to_string()),
            (created, self.created.to_string()),
            ("skipped", self.skipped.to_string()),
            ("uploaded", uploaded),
            ("differing", differing),
            ("refused", self.refused.len().to_string()),
            ("fee", self.fee.to_string()),
            ("seconds", format!("{:.1}", self.seconds)),
            ("state file", state.unwrap_or_default()),
        ])
    }

    /// What did not go as the catalogue has it.
    pub fn complain(&self, output: &Output) {
        for (field, cards) in &self.left_out {
            output.say(format_args!(
                "{field} is too long for a trait in {cards} cards, and was left out of these"
            ));
        }
        let differing = self.differing.len();
        if differing > 0 {
            let shown: Vec<&str> = self
                .differing
                .iter()
                .map(String::as_str)
                .take(SHOWN_MAX)
                .collect();
            output.say(format_args!(
                "{differing} editions exist with other terms than the catalogue gives them with this mapping, and stay as they are: {}{}",
                shown.join(", "),
                if differing > SHOWN_MAX { ", ..." } else { "" }
            ));
            if let Some(first) = &self.first_mapping {
                output.say(format_args!(
                    "they were imported with another mapping: {first}"
                ));
            }
        }
        for refusal in self.refused.iter().take(SHOWN_MAX) {
            output.say(format_args!("refused: {refusal}"));
        }
        if self.refused.len() > SHOWN_MAX {
            let more = self.refused.len() - SHOWN_MAX;
            output.say(format_args!("... and {more} more; --json shows all"));
        }
    }
}
