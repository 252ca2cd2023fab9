//! V1, V2: the vertex. Its digest is over its place and the body's bytes as received, never over a re-encoding,
//! and the signature is over the digest: nothing that a relay can add or alter makes a second vertex out
//! of one. Equivocation is two different digests, both validly signed, for one author and round.

mod digest;
mod limits;
mod offences;
mod parts;
mod reference;
mod wired;

use digest::signed_message;
pub(crate) use digest::{Place, body_hash, is_signature};
pub use limits::{vertex_bytes_max, vertex_transactions_max};
pub use parts::VertexParts;
pub use reference::VertexRef;

use crate::bridge::{BridgeError, DEPOSITS_MAX, Deposit};
use crate::committee::{Committee, MEMBERS_MAX, MemberSet};
use crate::ed25519::SecretKey;
use crate::feed::FeedReport;
use crate::ids::{
    Epoch, IdError, MemberIndex, Millis, NetworkId, Round, StatementDigest, VertexDigest,
};
use crate::offence::{OFFENCES_MAX, Offence, OffenceError};
use crate::roster::{ENTRIES_MAX, QueueEntry, READIES_MAX, Ready, RosterError};
use crate::statement::FinalityShare;
use crate::transaction::{Transaction, verify_transactions};
use crate::verified::Verified;
use crate::{bls, wire};
use bytes::Bytes;
use prost::Message as _;
use std::fmt;
use std::sync::Arc;

/// Longest encoded vertex in bytes; what is longer is not decoded. V9 allows less in most committees.
pub const VERTEX_BYTES_MAX: usize = 4 << 20;
/// Most weak links of one vertex.
pub const WEAK_LINKS_MAX: usize = 512;
/// Most finality shares in one vertex.
pub const FINALITY_SHARES_MAX: usize = 256;
/// Most transactions in one vertex; less in large committees (V9).
pub const VERTEX_TRANSACTIONS_MAX: usize = 16_384;

/// What an author puts into a vertex.
#[derive(Debug, Clone)]
pub struct VertexBody {
    pub network: NetworkId,
    pub epoch: Epoch,
    pub round: Round,
    pub author: MemberIndex,
    pub timestamp: Millis,
    /// First the author's own latest vertex, then those of the previous round by others, ascending.
    pub parents: Vec<VertexRef>,
    /// Older vertices not yet in the history: inclusion only, never a vote.
    pub weak_links: Vec<VertexRef>,
    /// Encoded transactions.
    pub transactions: Vec<Bytes>,
    pub shares: Vec<FinalityShare>,
    pub observation: Observation,
    /// V8: proofs against other members, ascending by author, one for each.
    pub offences: Vec<Offence>,
}

/// B1, E2: what a vertex says of the base chain and of the next epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// What the author has seen of the vault.
    pub report: Option<FeedReport>,
    /// The deposits that lead up to what is agreed.
    pub deposits: Vec<Deposit>,
    /// The same of the registry's queue.
    pub queue_report: Option<FeedReport>,
    pub entries: Vec<QueueEntry>,
    /// E2: who is ready for the next epoch, the author or somebody that has told it so.
    pub readies: Vec<Ready>,
}

/// A vertex with its place in the DAG. Cloning is cheap: all but the name is shared.
#[derive(Clone)]
pub struct Vertex {
    reference: VertexRef,
    content: Arc<Content>,
    /// One entry per transaction of the body. Filled by verification; nothing is held for a body without
    /// any.
    transactions: Option<Arc<[Parsed]>>,
}

/// A transaction of a body; `None` is void (O3), for its bytes or its authorisations are wrong.
type Parsed = Option<Arc<Verified<Transaction>>>;

struct Content {
    encoded: Bytes,
    signature: Bytes,
    body: VertexBody,
}

impl fmt::Debug for Vertex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vertex({})", self.reference)
    }
}

impl PartialEq for Vertex {
    fn eq(&self, other: &Self) -> bool {
        self.reference == other.reference
    }
}

impl Eq for Vertex {}

/// Why bytes are no vertex of this committee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VertexError {
    #[error("vertex has {0} bytes, more than {VERTEX_BYTES_MAX}")]
    TooLong(usize),
    #[error("vertex {vertex} has {found} bytes, more than {limit} in a committee of {members}")]
    TooLongHere {
        vertex: VertexRef,
        found: usize,
        limit: usize,
        members: usize,
    },
    #[error("vertex is no protobuf message: {0}")]
    Malformed(String),
    #[error("vertex holds {found} {what}, more than {limit}")]
    TooMany {
        what: &'static str,
        found: usize,
        limit: usize,
    },
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error(transparent)]
    Offence(#[from] OffenceError),
    #[error("vertex {vertex} is of network {found}")]
    Network { vertex: VertexRef, found: NetworkId },
    #[error("vertex {vertex} is of epoch {found}, not {expected}")]
    Epoch {
        vertex: VertexRef,
        expected: Epoch,
        found: Epoch,
    },
    #[error("vertex {0} is by no member")]
    UnknownAuthor(VertexRef),
    #[error("vertex {0} is signed by somebody else, or not at all")]
    Signature(VertexRef),
    #[error("vertex {0} is of round 0, whose vertices are derived and never sent")]
    RoundZero(VertexRef),
    #[error("vertex {vertex}: parent stake {stake} is below the quorum {quorum}")]
    ParentStake {
        vertex: VertexRef,
        stake: u64,
        quorum: u64,
    },
    #[error("vertex {vertex}: {reason}")]
    Offences {
        vertex: VertexRef,
        reason: &'static str,
    },
    #[error("vertex {vertex}: {reason}")]
    Links {
        vertex: VertexRef,
        reason: &'static str,
    },
}

impl Vertex {
    /// The unsigned vertex of round 0 that every member starts from: the same on every node.
    pub fn genesis(network: NetworkId, epoch: Epoch, author: MemberIndex) -> Verified<Self> {
        let body = VertexBody {
            network,
            epoch,
            round: Round::ZERO,
            author,
            timestamp: Millis::ZERO,
            parents: Vec::new(),
            weak_links: Vec::new(),
            transactions: Vec::new(),
            shares: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
        };
        Verified::new(Self::assemble(body.encode(), Bytes::new(), body))
    }

    /// Signs an own vertex. The transactions are the parsed ones of `body.transactions`, in order;
    /// who calls has verified them. The signing guard has allowed the digest before (V3).
    ///
    /// # Panics
    /// When the two lists differ: our own bug, which would part this node's ledger from the others'.
    pub fn sign(
        body: VertexBody,
        transactions: Vec<Arc<Verified<Transaction>>>,
        key: &SecretKey,
    ) -> Verified<Self> {
        let parsed = transactions.iter().map(|t| t.encoded());
        assert!(
            body.transactions.iter().eq(parsed),
            "a vertex holds the transactions that were verified"
        );
        let encoded = body.encode();
        let digest = Place::of(&body).digest(&body_hash(&encoded));
        let signature = key.sign(&signed_message(&digest));
        let mut vertex = Self::assemble(encoded, Bytes::copy_from_slice(&signature), body);
        vertex.set_transactions(transactions.into_iter().map(Some).collect());
        Verified::new(vertex)
    }

    fn assemble(encoded: Bytes, signature: Bytes, body: VertexBody) -> Self {
        Self {
            reference: VertexRef {
                round: body.round,
                author: body.author,
                digest: Place::of(&body).digest(&body_hash(&encoded)),
            },
            content: Arc::new(Content {
                encoded,
                signature,
                body,
            }),
            transactions: None,
        }
    }

    fn set_transactions(&mut self, transactions: Vec<Parsed>) {
        self.transactions = (!transactions.is_empty()).then(|| transactions.into());
    }

    /// Reads a vertex, without copying its payload. Nothing is verified yet.
    pub fn decode(bytes: Bytes) -> Result<Self, VertexError> {
        if bytes.len() > VERTEX_BYTES_MAX {
            return Err(VertexError::TooLong(bytes.len()));
        }
        let malformed = |e: prost::DecodeError| VertexError::Malformed(e.to_string());
        let outer = wire::Vertex::decode(bytes).map_err(malformed)?;
        wired::check_counts(&wire::occurrences(&outer.body).map_err(malformed)?)?;
        let wire = wire::VertexBody::decode(outer.body.clone()).map_err(malformed)?;
        let body = VertexBody::try_from(wire)?;
        Ok(Self::assemble(outer.body, outer.signature, body))
    }

    /// The encoding that travels and is stored.
    pub fn encode(&self) -> Bytes {
        wire::Vertex {
            body: self.content.encoded.clone(),
            signature: self.content.signature.clone(),
        }
        .encode_to_vec()
        .into()
    }

    /// Length of the encoding in bytes, nearly.
    #[inline]
    pub fn size(&self) -> usize {
        self.content.encoded.len() + self.content.signature.len() + 16
    }

    #[inline]
    pub fn reference(&self) -> VertexRef {
        self.reference
    }

    #[inline]
    pub fn digest(&self) -> VertexDigest {
        self.reference.digest
    }

    #[inline]
    pub fn round(&self) -> Round {
        self.reference.round
    }

    #[inline]
    pub fn author(&self) -> MemberIndex {
        self.reference.author
    }

    #[inline]
    pub fn epoch(&self) -> Epoch {
        self.content.body.epoch
    }

    #[inline]
    pub fn timestamp(&self) -> Millis {
        self.content.body.timestamp
    }

    #[inline]
    pub fn parents(&self) -> &[VertexRef] {
        &self.content.body.parents
    }

    /// The parents of the previous round: those that vote (V2).
    #[inline]
    pub fn voting_parents(&self) -> impl Iterator<Item = &VertexRef> {
        let round = self.round();
        let previous = move |p: &&VertexRef| p.round.checked_add(1) == Some(round);
        self.content.body.parents.iter().filter(previous)
    }

    #[inline]
    pub fn weak_links(&self) -> &[VertexRef] {
        &self.content.body.weak_links
    }

    /// Parents and weak links.
    #[inline]
    pub fn links(&self) -> impl Iterator<Item = &VertexRef> {
        self.content
            .body
            .parents
            .iter()
            .chain(&self.content.body.weak_links)
    }

    #[inline]
    pub fn shares(&self) -> &[FinalityShare] {
        &self.content.body.shares
    }

    #[inline]
    pub fn observation(&self) -> &Observation {
        &self.content.body.observation
    }

    /// Transactions as the author sent them, void ones among them.
    #[inline]
    pub fn payload(&self) -> &[Bytes] {
        &self.content.body.transactions
    }

    /// The transactions in the author's order; `None` is void.
    #[inline]
    pub fn transactions(&self) -> &[Option<Arc<Verified<Transaction>>>] {
        self.transactions.as_deref().unwrap_or_default()
    }

    /// V8: proofs against others.
    #[inline]
    pub fn offences(&self) -> &[Offence] {
        &self.content.body.offences
    }

    /// The body's bytes and the signature.
    pub(crate) fn signed_parts(&self) -> (&[u8], &[u8]) {
        (&self.content.encoded, &self.content.signature)
    }

    /// V2 and C1: everything about a vertex that can be judged without the DAG.
    fn check_form(&self, network: NetworkId, committee: &Committee) -> Result<(), VertexError> {
        let (vertex, body) = (self.reference, &self.content.body);
        if body.network != network {
            let found = body.network;
            return Err(VertexError::Network { vertex, found });
        }
        if body.epoch != committee.epoch() {
            return Err(VertexError::Epoch {
                vertex,
                expected: committee.epoch(),
                found: body.epoch,
            });
        }
        if committee.member(body.author).is_none() {
            return Err(VertexError::UnknownAuthor(vertex));
        }
        if body.round == Round::ZERO {
            return Err(VertexError::RoundZero(vertex));
        }
        self.check_limits(committee.size())?;
        let links = |reason| Err(VertexError::Links { vertex, reason });
        let Some((own, others)) = body.parents.split_first() else {
            return links("it has no parents");
        };
        if own.author != body.author || own.round >= body.round {
            return links("its first parent is not an earlier vertex of its author");
        }
        let previous = body.round.saturating_sub(1);
        let mut voters = MemberSet::default();
        if own.round == previous {
            voters.insert(own.author);
        }
        let mut last: Option<MemberIndex> = None;
        for parent in others {
            if parent.round != previous {
                return links("a parent by another author is not of the previous round");
            }
            if parent.author == body.author || committee.member(parent.author).is_none() {
                return links("a parent is by its own author again, or by no member");
            }
            if last.is_some_and(|l| l >= parent.author) {
                return links("parents are not of distinct authors in ascending order");
            }
            last = Some(parent.author);
            voters.insert(parent.author);
        }
        if !committee.is_quorum(&voters) {
            return Err(VertexError::ParentStake {
                vertex,
                stake: committee.stake_of(&voters).0,
                quorum: committee.quorum().0,
            });
        }
        let old = |l: &VertexRef| l.round < previous && committee.member(l.author).is_some();
        if !body.weak_links.iter().all(old) {
            return links("a weak link is not to an older vertex of a member");
        }
        // One version at most of each author and round: else a single vertex could force hundreds of
        // an equivocator's versions into every member's memory.
        let place = |l: &VertexRef| (l.round, l.author);
        if !body.weak_links.is_sorted_by(|a, b| place(a) < place(b)) {
            return links("weak links are not of distinct places in ascending order");
        }
        Ok(())
    }
}

/// V1, V2: verifies one vertex and each of its transactions.
///
/// Transactions that `known` returns have been verified before and are not verified again, if they
/// are the same byte for byte ([`verify_transactions`]). Wrong ones make a void entry, not a wrong
/// vertex (O3).
///
/// # Errors
/// When the vertex is not this committee's, is not signed by its author, or breaks a rule of form.
pub fn verify_vertex(
    mut vertex: Vertex,
    network: NetworkId,
    committee: &Committee,
    known: &dyn Fn(&Transaction) -> Option<Arc<Verified<Transaction>>>,
) -> Result<Verified<Vertex>, VertexError> {
    vertex.check_form(network, committee)?;
    let reference = vertex.reference;
    let member = committee
        .member(reference.author)
        .ok_or(VertexError::UnknownAuthor(reference))?;
    if !is_signature(member, &reference.digest, &vertex.content.signature) {
        return Err(VertexError::Signature(reference));
    }
    vertex.check_offences(network, committee)?;
    let decoded = vertex.content.body.transactions.iter().cloned();
    let decoded: Vec<_> = decoded
        .map(|bytes| Transaction::decode(bytes).ok())
        .collect();
    limits::check_work(&decoded, committee.size())?;
    vertex.set_transactions(verify_transactions(decoded, network, known));
    Ok(Verified::new(vertex))
}

#[cfg(test)]
mod tests;
