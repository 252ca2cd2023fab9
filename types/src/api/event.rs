//! What the stream brings, and the topics that choose from it.

use super::objects::{Account, Collection, Deal, Edition, Item};
use crate::ids::{
    Address, CollectionId, CommitDigest, CommitIndex, Epoch, Height, IdError, ItemId, MemberIndex,
    Millis, Root, Round, VertexDigest,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a subscriber wants to hear of. As text: `item:<id>`, `account:<address>`,
/// `collection:<id>`, `commits`, `certificates`, `checkpoints`, `dag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    Item(ItemId),
    /// Balances, items that come or go, deals given or taken.
    Account(Address),
    /// The collection, its editions, its items, and deals that give its items.
    Collection(CollectionId),
    Commits,
    Certificates,
    Checkpoints,
    /// Every vertex.
    Dag,
}

/// A text that is no topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    #[error(
        "{0:?} is no topic: item:ID, account:ADDRESS, collection:ID, commits, certificates, checkpoints, dag"
    )]
    Unknown(String),
    #[error("topic {topic:?}: {error}")]
    Id { topic: String, error: IdError },
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let shown = || text.chars().take(80).collect::<String>();
        let id = |error| TopicError::Id {
            topic: shown(),
            error,
        };
        Ok(match text.split_once(':') {
            Some(("item", rest)) => Self::Item(rest.parse().map_err(id)?),
            Some(("account", rest)) => Self::Account(rest.parse().map_err(id)?),
            Some(("collection", rest)) => Self::Collection(rest.parse().map_err(id)?),
            None if text == "commits" => Self::Commits,
            None if text == "certificates" => Self::Certificates,
            None if text == "checkpoints" => Self::Checkpoints,
            None if text == "dag" => Self::Dag,
            _ => return Err(TopicError::Unknown(shown())),
        })
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(id) => write!(f, "item:{id}"),
            Self::Account(address) => write!(f, "account:{address}"),
            Self::Collection(id) => write!(f, "collection:{id}"),
            Self::Commits => f.write_str("commits"),
            Self::Certificates => f.write_str("certificates"),
            Self::Checkpoints => f.write_str("checkpoints"),
            Self::Dag => f.write_str("dag"),
        }
    }
}

/// An object as it is after a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ordered<T> {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    #[serde(flatten)]
    pub object: T,
}

/// One event of the stream. Its name (`event:` of the server-sent event) is the `type` in its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Event {
    Account(Ordered<Account>),
    Collection(Ordered<Collection>),
    Edition(Ordered<Edition>),
    Item(Ordered<Item>),
    Deal(Ordered<Deal>),
    Commit {
        index: CommitIndex,
        digest: CommitDigest,
        timestamp: Millis,
        /// Vertices in it.
        vertices: u64,
        /// Transactions with a receipt in it.
        transactions: u64,
    },
    /// A quorum has signed this height.
    Certificate {
        height: Height,
        epoch: Epoch,
        commit: CommitIndex,
        state_root: Root,
    },
    /// A certificate is on the base chain.
    Checkpoint {
        height: Height,
        /// Whether the base chain has finalised it.
        anchored: bool,
    },
    Vertex {
        round: Round,
        author: MemberIndex,
        digest: VertexDigest,
        /// Digests of its parents.
        parents: Vec<VertexDigest>,
        transactions: u64,
    },
    /// Events between the last one seen and the next one are lost: read again what matters.
    Gap {
        /// How many; absent when the node cannot tell, because it is another or has restarted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missed: Option<u64>,
    },
    /// The last event of a stream that the node ends, with the reason.
    End {
        reason: String,
    },
}

impl Event {
    /// The name in the stream.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Collection(_) => "collection",
            Self::Edition(_) => "edition",
            Self::Item(_) => "item",
            Self::Deal(_) => "deal",
            Self::Commit { .. } => "commit",
            Self::Certificate { .. } => "certificate",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Vertex { .. } => "vertex",
            Self::Gap { .. } => "gap",
            Self::End { .. } => "end",
        }
    }
}
