//! Bodies and shares to their wire messages and back.

use super::reference::LINK_BYTES_MAX;
use super::*;

impl VertexBody {
    pub(super) fn encode(&self) -> Bytes {
        let head = wire::VertexBody {
            network: Bytes::copy_from_slice(&self.network.0),
            epoch: self.epoch.0,
            round: self.round.0,
            author: self.author.0,
            timestamp_ms: self.timestamp.0,
            ..wire::VertexBody::default()
        };
        let rest = wire::VertexBody {
            transactions: self.transactions.clone(),
            finality_shares: self.shares.iter().map(Into::into).collect(),
            deposit_report: self.observation.report.as_ref().map(Into::into),
            deposits: self.observation.deposits.iter().map(Into::into).collect(),
            queue_report: self.observation.queue_report.as_ref().map(Into::into),
            queue_entries: self.observation.entries.iter().map(Into::into).collect(),
            readies: self.observation.readies.iter().map(Into::into).collect(),
            offences: self.offences.iter().map(Into::into).collect(),
            ..wire::VertexBody::default()
        };
        // Fields stand in the order of their numbers. Links are most of a vertex in a large committee.
        let links = (self.parents.len() + self.weak_links.len()) * LINK_BYTES_MAX;
        let mut bytes = Vec::with_capacity(head.encoded_len() + links + rest.encoded_len());
        head.encode_raw(&mut bytes);
        for parent in &self.parents {
            parent.encode_field(6, &mut bytes);
        }
        for link in &self.weak_links {
            link.encode_field(7, &mut bytes);
        }
        rest.encode_raw(&mut bytes);
        bytes.into()
    }
}

/// V2: the lists of a body, by their field numbers in `vertex.proto`.
pub(super) fn check_counts(counts: &[usize; 32]) -> Result<(), VertexError> {
    let limits = [
        (6, "parents", MEMBERS_MAX),
        (7, "weak links", WEAK_LINKS_MAX),
        (8, "transactions", VERTEX_TRANSACTIONS_MAX),
        (9, "shares", FINALITY_SHARES_MAX),
        (11, "deposits", DEPOSITS_MAX as usize),
        (13, "queue entries", ENTRIES_MAX as usize),
        (14, "readies", READIES_MAX),
        (20, "offences", OFFENCES_MAX),
    ];
    for (field, what, limit) in limits {
        let found = counts[field];
        if found > limit {
            return Err(VertexError::TooMany { what, found, limit });
        }
    }
    Ok(())
}

impl TryFrom<wire::VertexBody> for VertexBody {
    type Error = VertexError;

    fn try_from(wire: wire::VertexBody) -> Result<Self, VertexError> {
        let references = |list: &[wire::VertexRef]| -> Result<Vec<VertexRef>, IdError> {
            list.iter().map(VertexRef::try_from).collect()
        };
        Ok(Self {
            network: NetworkId::try_from(wire.network.as_ref())?,
            epoch: Epoch(wire.epoch),
            round: Round(wire.round),
            author: MemberIndex(wire.author),
            timestamp: Millis(wire.timestamp_ms),
            parents: references(&wire.parents)?,
            weak_links: references(&wire.weak_links)?,
            transactions: wire.transactions,
            shares: wire
                .finality_shares
                .iter()
                .map(FinalityShare::try_from)
                .collect::<Result<_, _>>()?,
            offences: wire
                .offences
                .iter()
                .map(Offence::try_from)
                .collect::<Result<_, _>>()?,
            observation: Observation {
                report: wire
                    .deposit_report
                    .as_ref()
                    .map(TryInto::try_into)
                    .transpose()?,
                deposits: wire
                    .deposits
                    .iter()
                    .map(Deposit::try_from)
                    .collect::<Result<_, _>>()?,
                queue_report: wire
                    .queue_report
                    .as_ref()
                    .map(TryInto::try_into)
                    .transpose()?,
                entries: wire
                    .queue_entries
                    .iter()
                    .map(QueueEntry::try_from)
                    .collect::<Result<_, _>>()?,
                readies: wire
                    .readies
                    .iter()
                    .map(Ready::try_from)
                    .collect::<Result<_, _>>()?,
            },
        })
    }
}

impl From<&FinalityShare> for wire::FinalityShare {
    fn from(share: &FinalityShare) -> Self {
        Self {
            epoch: share.epoch.0,
            height: share.height.0,
            statement_digest: Bytes::copy_from_slice(&share.statement.0),
            signature: Bytes::copy_from_slice(&share.signature.to_bytes()),
        }
    }
}

impl TryFrom<&wire::FinalityShare> for FinalityShare {
    type Error = VertexError;

    fn try_from(wire: &wire::FinalityShare) -> Result<Self, VertexError> {
        let malformed = |e: bls::BlsError| VertexError::Malformed(e.to_string());
        Ok(Self {
            epoch: Epoch(wire.epoch),
            height: crate::ids::Height(wire.height),
            statement: StatementDigest::try_from(wire.statement_digest.as_ref())?,
            signature: bls::Signature::from_bytes(&wire.signature).map_err(malformed)?,
        })
    }
}
