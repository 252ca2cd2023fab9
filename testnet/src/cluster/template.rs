//! What an app's own network is made of: a file that names it, changes parameters and hands out coins, over what every
//! testnet has.

use super::error::ClusterError;
use super::setup;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use weft_types::{GenesisAccount, Millis, ProtocolParams, Template};

/// Longest name of a network, in characters.
const NAME_MAX: usize = 64;
/// Longest file.
const BYTES_MAX: u64 = 1 << 20;

/// Contents of the file. What it leaves out is as usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnTemplate {
    pub name: String,
    /// Names and values of [`ProtocolParams`].
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Who begins with coins, beside the testnet's own accounts.
    #[serde(default)]
    pub accounts: Vec<GenesisAccount>,
}

impl OwnTemplate {
    /// One with every parameter of a testnet, to be changed.
    pub fn usual() -> Self {
        Self {
            name: setup::NAME.to_owned(),
            params: object(&params()),
            accounts: Vec::new(),
        }
    }

    /// # Errors
    /// [`ClusterError::Template`] where the file is none.
    pub fn read(path: &Path) -> Result<Self, ClusterError> {
        let wrong = |reason: String| ClusterError::Template {
            path: path.to_owned(),
            reason,
        };
        let size = fs::metadata(path).map_err(|e| ClusterError::io(path, e))?;
        if size.len() > BYTES_MAX {
            return Err(wrong(format!("it has more than {BYTES_MAX} bytes")));
        }
        let text = fs::read_to_string(path).map_err(|e| ClusterError::io(path, e))?;
        let read: Self = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        read.check().map_err(wrong)?;
        Ok(read)
    }

    fn check(&self) -> Result<(), String> {
        let long = self.name.chars().count() > NAME_MAX;
        if self.name.is_empty() || long || self.name.chars().any(char::is_control) {
            return Err(format!(
                "`name` is 1 to {NAME_MAX} characters that can be printed"
            ));
        }
        let mut template = Template {
            name: self.name.clone(),
            timestamp_ms: Millis::ZERO,
            params: params(),
            accounts: Vec::new(),
        };
        self.apply(&mut template)?;
        template.validate().map_err(|e| e.to_string())
    }

    /// # Errors
    /// What of it is no parameter.
    pub(super) fn apply(&self, template: &mut Template) -> Result<(), String> {
        let mut params = object(&template.params);
        over(&mut params, &self.params);
        template.params =
            serde_json::from_value(Value::Object(params)).map_err(|e| format!("`params`: {e}"))?;
        template.name.clone_from(&self.name);
        template.accounts.extend_from_slice(&self.accounts);
        Ok(())
    }
}

/// Those of a testnet.
pub(super) fn params() -> ProtocolParams {
    ProtocolParams {
        // Nobody has to sleep over what is tried out here.
        guardian_delay_min_ms: Some(Millis(1_000)),
        ..ProtocolParams::default()
    }
}

fn object(params: &ProtocolParams) -> Map<String, Value> {
    match serde_json::to_value(params) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("parameters are an object of JSON: {other:?}"),
    }
}

/// Fields of `new` take the place of those of `old`, in objects inside as well.
fn over(old: &mut Map<String, Value>, new: &Map<String, Value>) {
    for (name, value) in new {
        match (old.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => over(inner, value),
            _ => {
                old.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
