//! V9: how much one vertex may hold, by the size of the committee. All that is in the DAG stays in
//! everybody's memory until its round is collected, and a liar can sign a vertex for each round; so
//! what one vertex may have is an equal share of what all of them may have together.

use super::reference::LINK_BYTES_MAX;
use super::{
    FINALITY_SHARES_MAX, VERTEX_TRANSACTIONS_MAX, Vertex, VertexBody, VertexError, WEAK_LINKS_MAX,
};
use crate::bridge::DEPOSITS_MAX;
use crate::committee::{ADDRESSES_BYTES_MAX, MEMBERS_MAX};
use crate::offence::OFFENCES_MAX;
use crate::roster::{ENTRIES_MAX, READIES_MAX};
use crate::transaction::{TRANSACTION_BYTES_MAX, Transaction};

/// What the vertices of `DAG_ROUNDS` rounds may have together, one of each member.
const DAG_BYTES: usize = 1 << 30;
/// Rounds that a DAG holds while commits are made: the usual depth of 60, and what is not decided yet.
const DAG_ROUNDS: usize = 80;
/// Longest body of the smallest committees: with its signature it stays below `VERTEX_BYTES_MAX`.
const MOST: usize = super::VERTEX_BYTES_MAX - 1024;
/// Longest body of the largest committees: room for the longest lists of everything and one transaction
/// of the longest kind, so that nothing is ever too long to be ordered.
const LEAST: usize = 224 << 10;
/// An entry of the list of transactions takes about as much memory, however short the transaction.
const TRANSACTION_BYTES_LEAST: usize = 64;

// Longest encodings as fields: tags, lengths, numbers of ten bytes, digests, signatures.
const HEAD_BYTES_MAX: usize = 34 + 11 + 11 + 6 + 11;
const SHARE_BYTES_MAX: usize = 3 + 11 + 11 + 34 + 98;
const REPORT_BYTES_MAX: usize = 2 + 11 + 34;
const DEPOSIT_BYTES_MAX: usize = 3 + (2 + 6 + 22 + 11 + 34) + 22 + 34;
const ENTRY_BYTES_MAX: usize = 3 + 11 + 11 + 34 + 50 + (3 + ADDRESSES_BYTES_MAX);
const READY_BYTES_MAX: usize = 2 + 11 + 34 + 66;
const OFFENCE_FIELD_BYTES_MAX: usize = 4 + 11 + 11 + 6 + 2 * (34 + 66);
/// Tag and length of a transaction.
const FIELD_BYTES_MAX: usize = 4;

const _: () = {
    let links = (MEMBERS_MAX + WEAK_LINKS_MAX) * LINK_BYTES_MAX;
    let shares = FINALITY_SHARES_MAX * SHARE_BYTES_MAX;
    let deposits = REPORT_BYTES_MAX + DEPOSITS_MAX as usize * DEPOSIT_BYTES_MAX;
    let entries = REPORT_BYTES_MAX + ENTRIES_MAX as usize * ENTRY_BYTES_MAX;
    let readies = READIES_MAX * READY_BYTES_MAX;
    let fields = LEAST / TRANSACTION_BYTES_LEAST * FIELD_BYTES_MAX;
    let offences = OFFENCES_MAX * OFFENCE_FIELD_BYTES_MAX;
    let rest = HEAD_BYTES_MAX + links + shares + deposits + entries + readies + offences + fields;
    assert!(
        rest + TRANSACTION_BYTES_MAX <= LEAST,
        "the longest lists leave no room for a transaction"
    );
};

/// V9: longest body of a vertex in a committee of so many members, in bytes.
pub fn vertex_bytes_max(members: usize) -> usize {
    (DAG_BYTES / DAG_ROUNDS / members.max(1)).clamp(LEAST, MOST)
}

/// V9: most transactions of a vertex in a committee of so many members.
pub fn vertex_transactions_max(members: usize) -> usize {
    (vertex_bytes_max(members) / TRANSACTION_BYTES_LEAST).min(VERTEX_TRANSACTIONS_MAX)
}

/// V9: refuses what takes longer to verify than as many Ed25519 signatures as a vertex can hold, or reaches more of
/// deals than a vertex can list. Bytes that are no transaction are neither verified nor executed.
pub(super) fn check_work(
    transactions: &[Option<Transaction>],
    members: usize,
) -> Result<(), VertexError> {
    let bytes = transactions.iter().flatten();
    let bytes: u64 = bytes.map(Transaction::work_bytes).sum();
    let (found, limit) = (bytes as usize, vertex_bytes_max(members));
    let what = "bytes that signatures and deals count";
    if found > limit {
        return Err(VertexError::TooMany { what, found, limit });
    }
    Ok(())
}

impl Vertex {
    /// V9: refuses what holds more than a vertex of so many members may.
    pub(super) fn check_limits(&self, members: usize) -> Result<(), VertexError> {
        let (found, limit) = (self.content.encoded.len(), vertex_bytes_max(members));
        if found > limit {
            return Err(VertexError::TooLongHere {
                vertex: self.reference,
                found,
                limit,
                members,
            });
        }
        let found = self.content.body.transactions.len();
        let (what, limit) = ("transactions", vertex_transactions_max(members));
        if found > limit {
            return Err(VertexError::TooMany { what, found, limit });
        }
        Ok(())
    }
}

impl VertexBody {
    /// V9: bytes of transactions that a body may have, beside what it holds but for its transactions.
    /// Never less than one of the longest kind needs.
    pub fn payload_bytes_max(&self, members: usize) -> usize {
        let links = (self.parents.len() + self.weak_links.len()) * LINK_BYTES_MAX;
        let shares = self.shares.len() * SHARE_BYTES_MAX;
        let said = &self.observation;
        let deposits = REPORT_BYTES_MAX + said.deposits.len() * DEPOSIT_BYTES_MAX;
        let entries = REPORT_BYTES_MAX + said.entries.len() * ENTRY_BYTES_MAX;
        let readies = said.readies.len() * READY_BYTES_MAX;
        let fields = vertex_transactions_max(members) * FIELD_BYTES_MAX;
        let offences = self.offences.len() * OFFENCE_FIELD_BYTES_MAX;
        let rest =
            HEAD_BYTES_MAX + links + shares + deposits + entries + readies + offences + fields;
        vertex_bytes_max(members).saturating_sub(rest)
    }
}

#[cfg(test)]
mod tests;
