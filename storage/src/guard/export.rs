//! What a guard knows, to be carried to another machine, in the manner of EIP-3076's minimal form: the highest place
//! and height, and no digests. So all up to there is forbidden where it is imported, what was signed itself included.

use super::{GuardError, GuardFloor, Record, SigningGuard};
use serde::{Deserialize, Serialize};
use weft_types::ed25519::PublicKey;
use weft_types::{Epoch, Height, NetworkId, Round};

const FORMAT: &str = "weft-signing-guard";
const VERSION: u64 = 1;
/// Of an export's text.
pub const EXPORT_BYTES_MAX: usize = 4096;

/// The highest of all that a key may have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardExport {
    pub network: NetworkId,
    pub vertex_key: PublicKey,
    pub floor: GuardFloor,
}

/// An export that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    #[error("it is no export of a signing guard: {0}")]
    Malformed(String),
    #[error("it has version {0}, and version {VERSION} can be read")]
    Version(u64),
    #[error("it is of another {what}, {found}, and here is {expected}")]
    Foreign {
        what: &'static str,
        found: String,
        expected: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: String,
    version: u64,
    #[serde(with = "hex::serde")]
    network: [u8; 32],
    #[serde(with = "hex::serde")]
    vertex_key: [u8; 32],
    /// Absent when nothing was ever signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vertex: Option<Place>,
    height: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    epoch: u64,
    round: u64,
}

impl GuardExport {
    /// # Panics
    /// Never: all of it has a JSON form.
    pub fn to_json(&self) -> String {
        let text = Text {
            format: FORMAT.to_owned(),
            version: VERSION,
            network: self.network.0,
            vertex_key: self.vertex_key.0,
            vertex: self.floor.vertex.map(|(epoch, round)| Place {
                epoch: epoch.0,
                round: round.0,
            }),
            height: self.floor.height.0,
        };
        serde_json::to_string_pretty(&text).expect("an export has a JSON form")
    }

    /// # Errors
    /// When the text is no export of this version. A field that is not known is refused: it may forbid
    /// something.
    pub fn from_json(text: &[u8]) -> Result<Self, ExportError> {
        let malformed = |error: &dyn std::fmt::Display| ExportError::Malformed(error.to_string());
        if text.len() > EXPORT_BYTES_MAX {
            return Err(malformed(&"it is too long"));
        }
        let text: Text = serde_json::from_slice(text).map_err(|e| malformed(&e))?;
        if text.format != FORMAT {
            return Err(malformed(&format!("its format is {:?}", text.format)));
        }
        if text.version != VERSION {
            return Err(ExportError::Version(text.version));
        }
        Ok(Self {
            network: NetworkId(text.network),
            vertex_key: PublicKey(text.vertex_key),
            floor: GuardFloor {
                vertex: text.vertex.map(|p| (Epoch(p.epoch), Round(p.round))),
                height: Height(text.height),
            },
        })
    }

    /// Whether it is of this network and key.
    pub fn check(&self, network: NetworkId, key: PublicKey) -> Result<(), ExportError> {
        let foreign = |what, found: String, expected: String| {
            Err(ExportError::Foreign {
                what,
                found,
                expected,
            })
        };
        if self.network != network {
            return foreign("network", self.network.to_string(), network.to_string());
        }
        if self.vertex_key != key {
            return foreign("vertex key", self.vertex_key.to_string(), key.to_string());
        }
        Ok(())
    }
}

impl SigningGuard {
    /// All that it forbids, for another machine to take over. This guard counts as [moved](Self::is_moved) from now on:
    /// were it used again, others would have to be asked first whether the other machine signs.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn hand_over(&mut self) -> Result<GuardExport, GuardError> {
        let export = self.export();
        self.advance(self.record.importing(export.floor))?;
        Ok(export)
    }

    /// All that it forbids, as of now: what is signed afterwards is not in it.
    pub fn export(&self) -> GuardExport {
        GuardExport {
            network: self.record.network,
            vertex_key: self.record.key,
            floor: GuardFloor {
                vertex: self.record.vertex.map(|v| (v.epoch, v.round)),
                height: self.highest_height(),
            },
        }
    }
}

impl Record {
    /// What this is once an export was imported: the highest of both, and the others are to be asked before
    /// anything is signed, for the export may be older than what was signed last.
    pub(super) fn importing(&self, floor: GuardFloor) -> Self {
        let mut next = self.clone();
        next.raise(floor);
        next.moved = true;
        next
    }
}

#[cfg(test)]
mod tests;
