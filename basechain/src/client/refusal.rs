//! Revert data in words: the custom errors of all contracts, which pass on each other's, by what
//! their artifacts say.

use alloy::dyn_abi::{DynSolValue, ErrorExt as _};
use alloy::json_abi::{Error as AbiError, JsonAbi};
use alloy::primitives::hex;
use alloy::sol_types::{GenericContractError, SolInterface as _};
use std::fmt;
use std::sync::LazyLock;

/// Longest revert data that is shown when it is no known error, in bytes.
const UNKNOWN_BYTES_MAX: usize = 64;

const ARTIFACTS: [&str; 4] = [
    include_str!("../../contracts/artifacts/MasternodeRegistry.json"),
    include_str!("../../contracts/artifacts/CheckpointManager.json"),
    include_str!("../../contracts/artifacts/Vault.json"),
    include_str!("../../contracts/artifacts/HashLock.json"),
];

static ERRORS: LazyLock<Vec<AbiError>> = LazyLock::new(|| {
    #[derive(serde::Deserialize)]
    struct Artifact {
        abi: JsonAbi,
    }
    let errors = |text: &&str| {
        let artifact: Artifact =
            serde_json::from_str(text).expect("the committed artifacts have an ABI");
        artifact.abi.errors().cloned().collect::<Vec<_>>()
    };
    ARTIFACTS.iter().flat_map(errors).collect()
});

/// Why a contract refused: a custom error with its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error's name, as in the contract's source.
    pub name: String,
    /// Name and value of each argument.
    pub arguments: Vec<(String, String)>,
}

impl Refusal {
    /// From revert data, which need not be of our contracts.
    pub(crate) fn decode(data: &[u8]) -> Self {
        let selector = data.get(..4).unwrap_or_default();
        let known = ERRORS.iter().find(|error| error.selector() == selector);
        if let Some(error) = known
            && let Ok(decoded) = error.decode_error(data)
        {
            let names = error.inputs.iter().map(|input| input.name.clone());
            return Self {
                name: error.name.clone(),
                arguments: names.zip(decoded.body.iter().map(show)).collect(),
            };
        }
        Self::unknown(data)
    }

    fn unknown(data: &[u8]) -> Self {
        let (name, reason) = match GenericContractError::abi_decode(data) {
            Ok(GenericContractError::Revert(error)) => ("Error", error.reason),
            Ok(GenericContractError::Panic(panic)) => ("Panic", panic.to_string()),
            _ if data.is_empty() => ("Reverted", "none given".to_owned()),
            _ => {
                let shown = &data[..data.len().min(UNKNOWN_BYTES_MAX)];
                ("UnknownError", hex::encode_prefixed(shown))
            }
        };
        Self {
            name: name.to_owned(),
            arguments: vec![("reason".to_owned(), reason)],
        }
    }

    /// An argument by its name.
    pub fn argument(&self, name: &str) -> Option<&str> {
        let found = self.arguments.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, (name, value)) in self.arguments.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {value}")?;
        }
        f.write_str(")")
    }
}

fn show(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::FixedBytes(word, length) => hex::encode_prefixed(&word[..(*length).min(32)]),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
