//! F1-F3: what members sign about a height, and the certificate that a quorum's signatures make.
//! The statement's encoding is fixed, 17 words of 32 bytes, the base chain's `abi.encode` of the same
//! struct, so that one signature serves light clients, state sync and the contract.

use crate::bls;
use crate::commit::Commit;
use crate::committee::{Committee, MemberSet, address_word, word};
use crate::feed::FeedReport;
use crate::hash::keccak;
use crate::ids::{
    CommitDigest, CommitIndex, CommitteeDigest, Epoch, GenesisDigest, Height, Millis, NetworkId,
    Root, StatementDigest,
};
use crate::network::Network;
use crate::verified::Verified;
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Serialize};

/// Length of a statement's fixed encoding in bytes.
pub const STATEMENT_BYTES: usize = 17 * 32;

/// F1: what a member claims of a height. At most one statement per height can gather a quorum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Statement {
    pub network: Network,
    pub epoch: Epoch,
    pub height: Height,
    pub timestamp: Millis,
    pub commit: CommitIndex,
    pub commit_digest: CommitDigest,
    pub state_root: Root,
    /// Over the receipts since the last height.
    pub receipts_root: Root,
    pub offenders_root: Root,
    pub withdrawals_root: Root,
    pub exit_root: Root,
    pub deposits_processed: u64,
    pub deposits_digest: Root,
    pub registry_cursor: u64,
    /// Zero unless this height closes its epoch.
    pub next_committee: CommitteeDigest,
}

/// What a height's statement says of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeightRoots {
    pub state_root: Root,
    /// Over the receipts since the last height.
    pub receipts_root: Root,
    pub offenders_root: Root,
    pub withdrawals_root: Root,
    pub exit_root: Root,
    /// The deposits that are credited.
    pub deposits: FeedReport,
    /// E1: entries of the registry's queue in the committee in office, or in the next one once it is announced.
    pub registry_cursor: u64,
    /// E2: zero unless the height closes its epoch.
    pub next_committee: CommitteeDigest,
}

/// Bytes that are no statement or no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("statement has {0} bytes, not {STATEMENT_BYTES}")]
    StatementLength(usize),
    #[error("statement word {0} exceeds its type")]
    WordRange(usize),
    #[error("certificate is no protobuf message: {0}")]
    Malformed(String),
    #[error(transparent)]
    Signature(#[from] bls::BlsError),
    #[error("certificate is of network {found}, not {expected}")]
    Network {
        expected: NetworkId,
        found: NetworkId,
    },
    #[error("certificate is of epoch {found}, the committee of epoch {expected}")]
    Epoch { expected: Epoch, found: Epoch },
    #[error("bitmap of {found} bytes does not fit {members} members")]
    Bitmap { members: usize, found: usize },
    #[error("signed stake {signed} is below the quorum {quorum}")]
    Quorum { signed: u64, quorum: u64 },
    #[error("aggregate signature does not fit statement and signers")]
    Invalid,
}

impl Statement {
    /// Of a commit that is a height, with the roots after it.
    pub fn of_commit(
        network: Network,
        epoch: Epoch,
        height: Height,
        (commit, digest): (&Commit, CommitDigest),
        roots: &HeightRoots,
    ) -> Self {
        Self {
            network,
            epoch,
            height,
            timestamp: commit.timestamp,
            commit: commit.index,
            commit_digest: digest,
            state_root: roots.state_root,
            receipts_root: roots.receipts_root,
            offenders_root: roots.offenders_root,
            withdrawals_root: roots.withdrawals_root,
            exit_root: roots.exit_root,
            deposits_processed: roots.deposits.count,
            deposits_digest: roots.deposits.digest,
            registry_cursor: roots.registry_cursor,
            next_committee: roots.next_committee,
        }
    }

    /// The fixed encoding.
    pub fn encode(&self) -> [u8; STATEMENT_BYTES] {
        let words = [
            self.network.genesis.0,
            word(self.network.chain_id),
            address_word(&self.network.manager),
            word(self.epoch.0),
            word(self.height.0),
            word(self.timestamp.0),
            word(self.commit.0),
            self.commit_digest.0,
            self.state_root.0,
            self.receipts_root.0,
            self.offenders_root.0,
            self.withdrawals_root.0,
            self.exit_root.0,
            word(self.deposits_processed),
            self.deposits_digest.0,
            word(self.registry_cursor),
            self.next_committee.0,
        ];
        let mut bytes = [0; STATEMENT_BYTES];
        for (to, from) in bytes.chunks_exact_mut(32).zip(words) {
            to.copy_from_slice(&from);
        }
        bytes
    }

    /// # Errors
    /// When the length is wrong or a number does not fit its type: each statement has one encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        let whole: &[u8; STATEMENT_BYTES] = bytes
            .try_into()
            .map_err(|_| CertificateError::StatementLength(bytes.len()))?;
        let digest = |i: usize| -> [u8; 32] {
            let mut word = [0; 32];
            word.copy_from_slice(&whole[i * 32..(i + 1) * 32]);
            word
        };
        let number = |i: usize| -> Result<u64, CertificateError> {
            let word = digest(i);
            let (high, low) = word.split_at(24);
            match <[u8; 8]>::try_from(low) {
                Ok(low) if high == [0; 24] => Ok(u64::from_be_bytes(low)),
                _ => Err(CertificateError::WordRange(i)),
            }
        };
        let manager_word = digest(2);
        let (padding, address) = manager_word.split_at(12);
        let manager = match <[u8; 20]>::try_from(address) {
            Ok(address) if padding == [0; 12] => address,
            _ => return Err(CertificateError::WordRange(2)),
        };
        Ok(Self {
            network: Network {
                genesis: GenesisDigest(digest(0)),
                chain_id: number(1)?,
                manager,
            },
            epoch: Epoch(number(3)?),
            height: Height(number(4)?),
            timestamp: Millis(number(5)?),
            commit: CommitIndex(number(6)?),
            commit_digest: CommitDigest(digest(7)),
            state_root: Root(digest(8)),
            receipts_root: Root(digest(9)),
            offenders_root: Root(digest(10)),
            withdrawals_root: Root(digest(11)),
            exit_root: Root(digest(12)),
            deposits_processed: number(13)?,
            deposits_digest: Root(digest(14)),
            registry_cursor: number(15)?,
            next_committee: CommitteeDigest(digest(16)),
        })
    }

    /// keccak256 of the fixed encoding: the message that BLS signs.
    pub fn digest(&self) -> StatementDigest {
        StatementDigest(keccak(&[&self.encode()]))
    }
}

/// F2: one member's signature of a statement, carried in its next vertex. Not verified: shares are
/// summed and checked once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalityShare {
    pub epoch: Epoch,
    pub height: Height,
    pub statement: StatementDigest,
    pub signature: bls::Signature,
}

impl FinalityShare {
    /// Signs a statement's digest. The caller has recorded it in the signing guard before (V3).
    pub fn sign(statement: &Statement, key: &bls::SecretKey) -> Self {
        let digest = statement.digest();
        Self {
            epoch: statement.epoch,
            height: statement.height,
            statement: digest,
            signature: key.sign(bls::Purpose::Finality, &digest.0),
        }
    }
}

/// F3: a statement with the sum of a quorum's signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub statement: Statement,
    /// Who signed, one bit a member in the committee's order.
    pub bitmap: Bytes,
    pub signature: bls::Signature,
}

impl Certificate {
    pub fn encode(&self) -> Bytes {
        wire::Certificate {
            statement: Bytes::copy_from_slice(&self.statement.encode()),
            bitmap: self.bitmap.clone(),
            signature: Bytes::copy_from_slice(&self.signature.to_bytes()),
        }
        .encode_to_vec()
        .into()
    }

    pub fn decode(bytes: Bytes) -> Result<Self, CertificateError> {
        let wire = wire::Certificate::decode(bytes)
            .map_err(|e| CertificateError::Malformed(e.to_string()))?;
        Ok(Self {
            statement: Statement::decode(&wire.statement)?,
            bitmap: wire.bitmap,
            signature: bls::Signature::from_bytes(&wire.signature)?,
        })
    }

    /// F3: one pairing check against the summed keys of the signers.
    ///
    /// # Errors
    /// When network, epoch or bitmap are not the committee's, the signers are no quorum, or the
    /// aggregate does not verify.
    pub fn verify(
        self,
        network: &Network,
        committee: &Committee,
    ) -> Result<Verified<Self>, CertificateError> {
        if self.statement.network != *network {
            return Err(CertificateError::Network {
                expected: network.id(),
                found: self.statement.network.id(),
            });
        }
        if self.statement.epoch != committee.epoch() {
            return Err(CertificateError::Epoch {
                expected: committee.epoch(),
                found: self.statement.epoch,
            });
        }
        let members = committee.size();
        let signers = MemberSet::from_bitmap(&self.bitmap, members).ok_or({
            CertificateError::Bitmap {
                members,
                found: self.bitmap.len(),
            }
        })?;
        if !committee.is_quorum(&signers) {
            return Err(CertificateError::Quorum {
                signed: committee.stake_of(&signers).0,
                quorum: committee.quorum().0,
            });
        }
        let keys = signers.iter().filter_map(|m| committee.member(m));
        let key =
            bls::PublicKey::sum(keys.map(|m| &m.finality_key)).ok_or(CertificateError::Invalid)?;
        let digest = self.statement.digest();
        if !key.verify(bls::Purpose::Finality, &digest.0, &self.signature) {
            return Err(CertificateError::Invalid);
        }
        Ok(Verified::new(self))
    }

    /// The JSON form: the statement's fields, bitmap and signature in hexadecimal.
    pub fn to_json(&self) -> CertificateJson {
        CertificateJson {
            statement: self.statement.clone(),
            bitmap: hex::encode(&self.bitmap),
            signature: hex::encode(self.signature.to_bytes()),
        }
    }
}

/// A certificate as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateJson {
    pub statement: Statement,
    pub bitmap: String,
    pub signature: String,
}

impl TryFrom<CertificateJson> for Certificate {
    type Error = CertificateError;

    fn try_from(json: CertificateJson) -> Result<Self, CertificateError> {
        let bytes =
            |text: &str| hex::decode(text).map_err(|e| CertificateError::Malformed(e.to_string()));
        Ok(Self {
            bitmap: bytes(&json.bitmap)?.into(),
            signature: bls::Signature::from_bytes(&bytes(&json.signature)?)?,
            statement: json.statement,
        })
    }
}

#[cfg(test)]
mod tests;
