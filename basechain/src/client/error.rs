//! What can go wrong with a base chain, so that a caller can tell its own mistake, a refusal of the
//! contract, and a chain that is away.

use super::refusal::Refusal;
use alloy::primitives::{Address, B256};
use std::time::Duration;
use weft_types::CommitteeDigest;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("{url:?} is no http or https URL: {reason}")]
    Url { url: String, reason: String },
    #[error("base chain {url} does not answer ({what}, {attempts} attempts): {reason}")]
    Unreachable {
        url: String,
        what: &'static str,
        attempts: u32,
        reason: String,
    },
    /// The node's own refusal: not the contract's.
    #[error("base chain {url} refuses {what}: {message} (code {code})")]
    Answer {
        url: String,
        what: &'static str,
        code: i64,
        message: String,
    },
    #[error("base chain {url} gives an answer to {what} that cannot be read: {reason}")]
    Malformed {
        url: String,
        what: &'static str,
        reason: String,
    },
    #[error("{what} is refused by the contract: {refusal}")]
    Refused {
        what: &'static str,
        refusal: Refusal,
    },
    #[error("{what}: transaction {hash} is in no block after {waited:.1?}")]
    NotMined {
        what: &'static str,
        hash: B256,
        waited: Duration,
    },
    #[error(
        "{what} would cost {fee} wei for a unit of gas, more than the {max} that this account pays at most"
    )]
    Fee {
        what: &'static str,
        fee: u128,
        max: u128,
    },
    /// Between a quote and the signature.
    #[error("{what}: the {part} is {now} by now, and was {quoted} when it was shown")]
    Outdated {
        what: &'static str,
        part: &'static str,
        now: u64,
        quoted: u64,
    },
    #[error(
        "{what}: something else of the account with its nonce {nonce} is in a block, so that it never will be"
    )]
    Replaced { what: &'static str, nonce: u64 },
    /// Who is to sign does not, or not what was asked.
    #[error("signer {url}: {reason}")]
    Signer { url: String, reason: String },
    #[error("signer {url} does not answer ({what}): {reason}")]
    SignerAway {
        url: String,
        what: &'static str,
        reason: String,
    },
    #[error("base chain {url} has no contract at {address}")]
    NoContract { url: String, address: Address },
    #[error(
        "base chain {url} has another contract at {address} than the hash locks that come with this program"
    )]
    ForeignCode { url: String, address: Address },
    #[error("the {what} is {found}, not {expected}")]
    OtherContract {
        what: &'static str,
        expected: Address,
        found: Address,
    },
    #[error("the registry's committee is not usable: {0}")]
    Committee(String),
    #[error("committee digest is {found} by its members, {expected} by the registry")]
    CommitteeDigest {
        expected: CommitteeDigest,
        found: CommitteeDigest,
    },
}

impl ClientError {
    /// The contract's refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}
