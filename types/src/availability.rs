//! L53: posted data. Bytes stay off the ledger; what is on it is their hash and what a quorum of members has signed of
//! them: that they have the bytes on their disks, and give them to whoever asks until a time.
//!
//! It is no vote: two such signatures never contradict each other, whatever they say, so that no signing guard is
//! needed. A signature says by when it has to be on the ledger. Until then its member keeps the bytes without a record,
//! and after that the ledger takes it no more: so nothing is ever recorded that an honest signer was free to drop.

use crate::bls;
use crate::committee::{Committee, MemberSet};
use crate::hash::{Domain, blake3};
use crate::ids::{ContentHash, Epoch, MemberIndex, Millis, NetworkId, Stake};
use crate::operation::Operation;
use crate::transaction::TransactionBody;
use crate::voucher::encoded;
use serde::{Deserialize, Serialize};

/// L54: longest time for which data are posted at once.
pub const RETENTION_MAX: Millis = Millis(30 * DAY_MS);
/// L53: most operations that post data in one transaction: each is a pairing for the ledger's own thread.
pub const POSTS_MAX: usize = 1;
/// What the check of a quorum's signature counts beside the transaction's bytes, for the fee and for V9: as much as the
/// Ed25519 signatures that are verified in the same time, in batches.
pub const AVAILABILITY_CHECK_BYTES: u64 = 70 * 104;
/// L54: days for which a byte is kept that cost as much as a byte of a transaction.
pub const DAYS_PER_BYTE: u64 = 16;

const DAY_MS: u64 = 86_400_000;
/// No commit that takes a transaction is further than this before its `valid_until` (O3), whatever the network's
/// parameters are.
const VALIDITY_MAX_MS: u64 = 600_000;

encoded!(
    /// A sum of members' signatures over an [`Availability`], compressed: bytes that were not looked at.
    AvailabilitySignature,
    96
);

/// What a member signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Availability {
    /// In which it is in office.
    pub epoch: Epoch,
    pub hash: ContentHash,
    /// In bytes, at least 1.
    pub size: u64,
    /// Before then it has them.
    pub until: Millis,
    /// Before then the ledger takes it.
    pub by: Millis,
}

/// The sum of what members have signed of one [`Availability`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AvailabilityCertificate {
    pub claim: Availability,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<MemberIndex>))]
    pub signers: MemberSet,
    pub signature: AvailabilitySignature,
}

/// A quorum has not signed it. Where enough have, it is their signatures that do not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stake of {} stands under it and the quorum is {}, or a signature is not over this", signed.0, quorum.0)]
pub struct Unavailable {
    pub signed: Stake,
    pub quorum: Stake,
}

impl Availability {
    /// The message that BLS signs.
    pub fn digest(&self, network: NetworkId) -> [u8; 32] {
        blake3(
            Domain::Availability,
            &[
                &network.0,
                &self.epoch.0.to_be_bytes(),
                &self.hash.0,
                &self.size.to_be_bytes(),
                &self.until.0.to_be_bytes(),
                &self.by.0.to_be_bytes(),
            ],
        )
    }

    /// Signs. The caller has the bytes on its disk, synced, and keeps them.
    pub fn sign(&self, network: NetworkId, key: &bls::SecretKey) -> bls::Signature {
        key.sign(bls::Purpose::Availability, &self.digest(network))
    }

    /// Whether it is the key's signature.
    pub fn is_signed(
        &self,
        network: NetworkId,
        key: &bls::PublicKey,
        signature: &bls::Signature,
    ) -> bool {
        key.verify(bls::Purpose::Availability, &self.digest(network), signature)
    }
}

impl AvailabilityCertificate {
    /// Of members' signatures over the same, each member's once. `None` for none.
    pub fn gather(claim: Availability, signed: &[(MemberIndex, bls::Signature)]) -> Option<Self> {
        let sum = bls::Signature::sum(signed.iter().map(|(_, signature)| signature))?;
        Some(Self {
            claim,
            signers: signed.iter().map(|(member, _)| *member).collect(),
            signature: AvailabilitySignature(sum.to_bytes()),
        })
    }

    /// Whether a quorum of the committee has signed it: one pairing check against the summed keys. The caller looks at
    /// the epoch.
    ///
    /// # Errors
    /// When it has not.
    pub fn check(&self, network: NetworkId, committee: &Committee) -> Result<(), Unavailable> {
        let refused = Unavailable {
            signed: committee.stake_of(&self.signers),
            quorum: committee.quorum(),
        };
        let keys = self.signers.iter().map(|m| committee.member(m));
        let keys: Option<Vec<_>> = keys.map(|m| m.map(|m| &m.finality_key)).collect();
        let keys = keys.filter(|_| committee.is_quorum(&self.signers));
        let key = keys.and_then(bls::PublicKey::sum);
        let signature = bls::Signature::from_bytes(&self.signature.0).ok();
        let (Some(key), Some(signature)) = (key, signature) else {
            return Err(refused);
        };
        match self.claim.is_signed(network, &key, &signature) {
            true => Ok(()),
            false => Err(refused),
        }
    }

    /// L54: days that are paid for: from the earliest commit that can take the transaction to the end, begun ones whole.
    fn days(&self, valid_until: Millis) -> u64 {
        let earliest = valid_until.saturating_sub(VALIDITY_MAX_MS);
        let kept = self.claim.until.saturating_sub(earliest.0);
        kept.0.div_ceil(DAY_MS).max(1)
    }

    fn retention_bytes(&self, valid_until: Millis) -> u64 {
        let days = self.days(valid_until);
        self.claim.size.saturating_mul(days).div_ceil(DAYS_PER_BYTE)
    }
}

impl TransactionBody {
    /// Data that it posts.
    pub fn posted(&self) -> impl Iterator<Item = &AvailabilityCertificate> {
        let parts = self.operations.iter().flat_map(Operation::parts);
        parts.filter_map(|operation| match operation {
            Operation::PostData(certificate) => Some(certificate),
            _ => None,
        })
    }

    /// What the checks of its certificates count together, in bytes.
    pub fn availability_bytes(&self) -> u64 {
        self.posted().count() as u64 * AVAILABILITY_CHECK_BYTES
    }

    /// L54: what its data count for being kept.
    pub fn retention_bytes(&self) -> u64 {
        let kept = self.posted().map(|p| p.retention_bytes(self.valid_until));
        kept.fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests;
