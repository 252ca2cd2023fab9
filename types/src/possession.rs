//! C2: what a finality key signs to prove that its owner has it. Without the proof, a key computed
//! from the others' keys could sign for all of them, because keys are summed. The proof binds chain,
//! registry, operator and both keys, so that nobody can register with somebody else's.

use crate::bls;
use crate::committee::{address_word, word};
use crate::ed25519;
use crate::hash::keccak;

/// A registration's keys and where they are registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possession {
    /// The base chain's id (EIP-155).
    pub chain_id: u64,
    /// Address of the `MasternodeRegistry` contract.
    pub registry: [u8; 20],
    /// The base-chain account that registers.
    pub operator: [u8; 20],
    pub vertex_key: ed25519::PublicKey,
    pub finality_key: bls::PublicKey,
}

impl Possession {
    /// The message that is signed, as the registry computes it: `keccak256(abi.encode(uint256
    /// chainId, address registry, address operator, bytes32 vertexKey, bytes finalityKey))`.
    pub fn digest(&self) -> [u8; 32] {
        let finality_key = self.finality_key.to_eip2537();
        keccak(&[
            &word(self.chain_id),
            &address_word(&self.registry),
            &address_word(&self.operator),
            &self.vertex_key.0,
            &word(5 * 32),
            &word(finality_key.len() as u64),
            &finality_key,
        ])
    }

    /// The proof; `key` is the secret of `finality_key`.
    pub fn prove(&self, key: &bls::SecretKey) -> bls::Signature {
        key.sign(bls::Purpose::Possession, &self.digest())
    }

    pub fn verify(&self, proof: &bls::Signature) -> bool {
        self.finality_key
            .verify(bls::Purpose::Possession, &self.digest(), proof)
    }
}

#[cfg(test)]
mod tests;
