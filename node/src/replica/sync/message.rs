//! S2.2: what is asked of a server and what it answers, and how both are written. Reading bounds what is
//! allocated by the bytes that came; whether an answer is true is the gatherer's to check.

use super::chain::Closing;
use bytes::Bytes;
use prost::Message as _;
use weft_ledger::{PARTS, Part, Piece, Prefix};
use weft_types::wire::sync_request::What;
use weft_types::{
    Certificate, Commit, CommitIndex, Epoch, Height, LIST_BLOCK, MEMBERS_MAX, Member, MemberKeys,
    OBJECT_ID_BYTES, ObjectId, QueueEntry, Root, wire,
};

/// Bytes of items in an answer beyond which no further one is added. The first one is always there, and
/// none is longer.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Certificates in an answer: each costs who asked a pairing.
pub const HEIGHTS_MAX: usize = 64;
/// Ends of epochs in an answer: each costs who asked a pairing, too.
pub const CLOSINGS_MAX: usize = 64;
/// Snapshots that a server offers at the most.
pub const OFFERS_MAX: usize = 8;

/// Longest answer that is read, in bytes: one item may be longer than [`ANSWER_BYTES_MAX`].
pub const LENGTH_MAX: usize = 4 << 20;
/// The same for offers, which come from every member, and at any time.
pub const OFFERS_LENGTH_MAX: usize = 16 << 10;
/// What is kept of an answer keeps all of its bytes in memory. So it may be twice as long as it has to be,
/// and so much.
const PADDING_MAX: usize = 1 << 10;

/// No item of an answer is shorter, so that reading one allocates no more than a few times its bytes.
const ITEM_BYTES_MIN: usize = 32;
/// A part's kind and hash.
const PART_BYTES: usize = 33;

/// What a server is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Certificates of the heights whose snapshots it holds.
    Offers,
    /// How epochs ended, from this one upwards.
    Closings(Epoch),
    /// Certificates and receipts of heights, from this one downwards.
    Heights(Height),
    /// Commits, from this one downwards.
    Commits(CommitIndex),
    /// Receipts of a height, from a block on.
    Receipts { height: Height, block: u64 },
    /// What stands below a prefix in the snapshot of a height.
    State { height: Height, prefix: Prefix },
}

/// What came. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The server does not hold it.
    Lacks,
    Offers(Vec<Certificate>),
    Closings(Vec<Closing>),
    Heights(Vec<CertifiedReceipts>),
    Commits(Vec<Commit>),
    /// Encoded; whole blocks, but for the height's last.
    Receipts(Vec<Bytes>),
    State(Piece),
}

/// A height with all its receipts, if they are one block; with the roots of the blocks before the last
/// one otherwise. The last block is here because it shows how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedReceipts {
    pub certificate: Certificate,
    pub blocks: Vec<Root>,
    /// Encoded; none if the height has none.
    pub last: Vec<Bytes>,
}

/// Bytes that are no answer to the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("answer cannot be read: {0}")]
pub struct Malformed(String);

fn malformed(error: impl std::fmt::Display) -> Malformed {
    Malformed(error.to_string())
}

impl Request {
    pub fn to_wire(&self) -> wire::SyncRequest {
        let what = match self {
            Self::Offers => What::Offers(true),
            Self::Closings(from) => What::Closings(from.0),
            Self::Heights(from) => What::Heights(from.0),
            Self::Commits(from) => What::Commits(from.0),
            Self::Receipts { height, block } => What::Receipts(wire::ReceiptBlocks {
                height: height.0,
                from: *block,
            }),
            Self::State { height, prefix } => What::State(wire::StatePiece {
                height: height.0,
                prefix: Bytes::copy_from_slice(prefix.digits()),
            }),
        };
        wire::SyncRequest { what: Some(what) }
    }

    /// `None` for what asks for nothing.
    pub fn from_wire(request: &wire::SyncRequest) -> Option<Self> {
        Some(match request.what.as_ref()? {
            What::Offers(_) => Self::Offers,
            What::Closings(from) => Self::Closings(Epoch(*from)),
            What::Heights(from) => Self::Heights(Height(*from)),
            What::Commits(from) => Self::Commits(CommitIndex(*from)),
            What::Receipts(blocks) => Self::Receipts {
                height: Height(blocks.height),
                block: blocks.from,
            },
            What::State(piece) => Self::State {
                height: Height(piece.height),
                prefix: Prefix::new(&piece.prefix)?,
            },
        })
    }
}

impl Answer {
    /// The bytes of a `SyncAnswer`.
    pub fn encode(&self) -> Bytes {
        let (mut split, mut leaves) = (Bytes::new(), false);
        let items = match self {
            Self::Lacks => Vec::new(),
            Self::Offers(offers) => offers.iter().map(Certificate::encode).collect(),
            Self::Closings(closings) => closings.iter().map(Closing::encode).collect(),
            Self::Heights(heights) => heights.iter().map(CertifiedReceipts::encode).collect(),
            Self::Commits(commits) => commits.iter().map(Commit::encode).collect(),
            Self::Receipts(receipts) => receipts.clone(),
            Self::State(Piece::Leaves(objects)) => {
                leaves = true;
                let item = |(id, value): &(ObjectId, Bytes)| [&id.to_bytes()[..], value].concat();
                objects.iter().map(|o| item(o).into()).collect()
            }
            Self::State(Piece::Split(parts)) => {
                split = parts.iter().flat_map(part_bytes).collect();
                Vec::new()
            }
        };
        let answer = wire::SyncAnswer {
            items,
            split,
            leaves,
        };
        answer.encode_to_vec().into()
    }

    /// Reads what answers the request.
    ///
    /// # Errors
    /// When the bytes are no answer to it, or more than an honest server needs for it.
    pub fn decode(request: &Request, bytes: Bytes) -> Result<Self, Malformed> {
        let length = bytes.len();
        let most = match request {
            Request::Offers => OFFERS_LENGTH_MAX,
            _ => LENGTH_MAX,
        };
        if length > most {
            return Err(malformed(format_args!("{length} bytes, more than {most}")));
        }
        let answer = Self::read(request, bytes)?;
        let needed = answer.encode().len();
        if length > 2 * needed + PADDING_MAX {
            return Err(malformed(format_args!("{length} bytes for {needed}")));
        }
        Ok(answer)
    }

    fn read(request: &Request, bytes: Bytes) -> Result<Self, Malformed> {
        let length = bytes.len();
        let items = wire::occurrences(&bytes).map_err(malformed)?[1];
        if items > length / ITEM_BYTES_MIN {
            return Err(malformed(format_args!("{items} items in {length} bytes")));
        }
        let answer = wire::SyncAnswer::decode(bytes).map_err(malformed)?;
        let lacks = answer.items.is_empty() && answer.split.is_empty() && !answer.leaves;
        if lacks {
            return Ok(Self::Lacks);
        }
        let items = answer.items.into_iter();
        Ok(match request {
            Request::Offers => {
                let offers = items.take(OFFERS_MAX).map(Certificate::decode);
                Self::Offers(offers.collect::<Result<_, _>>().map_err(malformed)?)
            }
            Request::Closings(_) => {
                let closings = items.take(CLOSINGS_MAX).map(Closing::decode);
                Self::Closings(closings.collect::<Result<_, _>>()?)
            }
            Request::Heights(_) => {
                let heights = items.take(HEIGHTS_MAX).map(CertifiedReceipts::decode);
                Self::Heights(heights.collect::<Result<_, _>>()?)
            }
            Request::Commits(_) => {
                let commits = items.map(Commit::decode);
                Self::Commits(commits.collect::<Result<_, _>>().map_err(malformed)?)
            }
            Request::Receipts { .. } => Self::Receipts(items.collect()),
            Request::State { .. } if answer.split.is_empty() => {
                let leaves = items.map(leaf).collect::<Result<_, _>>()?;
                Self::State(Piece::Leaves(leaves))
            }
            Request::State { .. } => Self::State(Piece::Split(parts(&answer.split)?)),
        })
    }
}

fn leaf(mut item: Bytes) -> Result<(ObjectId, Bytes), Malformed> {
    if item.len() < OBJECT_ID_BYTES {
        return Err(malformed("a leaf is too short"));
    }
    let value = item.split_off(OBJECT_ID_BYTES);
    let id = ObjectId::from_bytes(&item).ok_or_else(|| malformed("a leaf has no object's id"))?;
    Ok((id, value))
}

fn part_bytes(part: &Part) -> [u8; PART_BYTES] {
    let mut bytes = [0; PART_BYTES];
    let (kind, root) = match part {
        Part::Empty => return bytes,
        Part::Leaf(root) => (1, root),
        Part::Branch(root) => (2, root),
    };
    bytes[0] = kind;
    bytes[1..].copy_from_slice(&root.0);
    bytes
}

fn parts(bytes: &[u8]) -> Result<Box<[Part; PARTS]>, Malformed> {
    let (found, rest) = bytes.as_chunks::<PART_BYTES>();
    if found.len() != PARTS || !rest.is_empty() {
        return Err(malformed(format_args!("a split of {} bytes", bytes.len())));
    }
    let mut parts = Box::new([Part::Empty; PARTS]);
    for (part, [kind, root @ ..]) in parts.iter_mut().zip(found) {
        *part = match kind {
            0 => Part::Empty,
            1 => Part::Leaf(Root(*root)),
            2 => Part::Branch(Root(*root)),
            _ => return Err(malformed("a part of a split is of no kind")),
        };
    }
    Ok(parts)
}

impl Closing {
    fn encode(&self) -> Bytes {
        let entry = |member: &Member| QueueEntry {
            id: member.id,
            weight: member.stake,
            slashed: false,
            keys: Some(MemberKeys::of(member)),
        };
        let next = self.next.iter().map(|m| (&entry(m)).into());
        let item = wire::ClosedEpoch {
            certificate: self.certificate.encode(),
            next: next.collect(),
        };
        item.encode_to_vec().into()
    }

    fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let members = wire::occurrences(&bytes).map_err(malformed)?[2];
        if members > MEMBERS_MAX {
            return Err(malformed(format_args!("a committee of {members} members")));
        }
        let wire = wire::ClosedEpoch::decode(bytes).map_err(malformed)?;
        let member = |entry: &wire::QueueEntry| {
            let entry = QueueEntry::try_from(entry).map_err(malformed)?;
            let keys = entry
                .keys
                .ok_or_else(|| malformed("a member has no keys"))?;
            Ok(Member {
                id: entry.id,
                stake: entry.weight,
                vertex_key: keys.vertex_key,
                finality_key: keys.finality_key,
                addresses: keys.addresses,
            })
        };
        Ok(Self {
            certificate: Certificate::decode(wire.certificate).map_err(malformed)?,
            next: wire.next.iter().map(member).collect::<Result<_, _>>()?,
        })
    }

    /// Encoded bytes, about.
    pub fn bytes(&self) -> usize {
        let members = self.next.iter().map(|m| 128 + m.addresses.len());
        weft_types::STATEMENT_BYTES + members.sum::<usize>()
    }
}

impl CertifiedReceipts {
    fn encode(&self) -> Bytes {
        let blocks = self.blocks.iter().flat_map(|b| b.0);
        let item = wire::CertifiedReceipts {
            certificate: self.certificate.encode(),
            blocks: blocks.collect(),
            last: self.last.clone(),
        };
        item.encode_to_vec().into()
    }

    fn decode(bytes: Bytes) -> Result<Self, Malformed> {
        let last = wire::occurrences(&bytes).map_err(malformed)?[3];
        if last > LIST_BLOCK {
            return Err(malformed(format_args!("{last} receipts in one block")));
        }
        let wire = wire::CertifiedReceipts::decode(bytes).map_err(malformed)?;
        let (blocks, rest) = wire.blocks.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(malformed("a block's root is too short"));
        }
        Ok(Self {
            certificate: Certificate::decode(wire.certificate).map_err(malformed)?,
            blocks: blocks.iter().map(|b| Root(*b)).collect(),
            last: wire.last,
        })
    }

    /// Encoded bytes, about.
    pub fn bytes(&self) -> usize {
        let last: usize = self.last.iter().map(Bytes::len).sum();
        weft_types::STATEMENT_BYTES + 32 * self.blocks.len() + last
    }
}

#[cfg(test)]
mod tests;
