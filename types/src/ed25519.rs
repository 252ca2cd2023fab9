//! Ed25519 after ZIP 215, under which verifying one by one and verifying in a batch agree on every
//! input. With strict verification beside a batched one, two honest nodes could disagree on a
//! signature, and their ledgers would part.

use ed25519_zebra::{Signature, SigningKey, VerificationKey, VerificationKeyBytes, batch};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Length of a signature in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// A public key as received: 32 bytes that need not be a point of the curve. A signature under
/// bytes that are no key is simply invalid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "hex::serde")] pub [u8; 32]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519({})", hex::encode(&self.0[..4]))
    }
}

impl PublicKey {
    /// Whether the bytes are a key at all.
    pub fn is_valid(&self) -> bool {
        VerificationKey::try_from(self.0).is_ok()
    }

    /// Whether the signature is this key's over the message.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        VerificationKey::try_from(self.0)
            .and_then(|key| key.verify(&Signature::from(*signature), message))
            .is_ok()
    }
}

/// A signing key. Its bytes are wiped when it is dropped, and `Debug` does not show them.
#[derive(Clone)]
pub struct SecretKey(Secret);

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large one")]
enum Secret {
    Curve(SigningKey),
    /// See [`SecretKey::mock`].
    Mock([u8; 32]),
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public())
    }
}

impl SecretKey {
    /// From the 32-byte seed of RFC 8032.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Secret::Curve(SigningKey::from(seed)))
    }

    /// For simulations alone: a key whose signatures anybody can make, in a fraction of a
    /// microsecond. They are taken for vertices of members with a mock finality key
    /// ([`crate::bls::SecretKey::mock`]) and nowhere else; `docs/adr/mock-signer.md`.
    pub fn mock(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        Self(Secret::Mock(seed))
    }

    /// The 32-byte seed of RFC 8032.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(match &self.0 {
            Secret::Curve(key) => (*key).into(),
            Secret::Mock(seed) => *seed,
        })
    }

    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Secret::Curve(key) => PublicKey(key.verification_key().into()),
            Secret::Mock(seed) => PublicKey(*blake3::hash(seed).as_bytes()),
        }
    }

    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        match &self.0 {
            Secret::Curve(key) => key.sign(message).into(),
            Secret::Mock(_) => mock_signature(&self.public(), message),
        }
    }
}

/// What a mock key signs with: a hash under its public key, which everybody can compute.
pub(crate) fn mock_signature(key: &PublicKey, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let mut signature = [0; SIGNATURE_BYTES];
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    hasher.update(message).finalize_xof().fill(&mut signature);
    signature
}

/// A signature waiting to be checked together with others.
#[derive(Clone, Debug)]
pub struct Check(batch::Item);

impl Check {
    pub fn new(key: &PublicKey, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Self {
        let key = VerificationKeyBytes::from(key.0);
        Self(batch::Item::from((
            key,
            Signature::from(*signature),
            message,
        )))
    }
}

/// Below this size a batch costs more than single verifications.
const BATCH_MIN: usize = 4;

/// Verifies all checks; `true` at the place of each that is valid. One batch when all are valid,
/// which is the common case; a failing batch is halved until the culprits are found, so that one
/// bad signature among n costs O(log n) batches.
pub fn verify_all(checks: &[Check]) -> Vec<bool> {
    let mut valid = vec![false; checks.len()];
    verify_range(checks, &mut valid);
    valid
}

fn verify_range(checks: &[Check], valid: &mut [bool]) {
    if checks.len() < BATCH_MIN {
        for (check, valid) in checks.iter().zip(valid) {
            *valid = check.0.clone().verify_single().is_ok();
        }
        return;
    }
    let mut verifier = batch::Verifier::new();
    for check in checks {
        verifier.queue(check.0.clone());
    }
    if verifier.verify(rand::rng()).is_ok() {
        valid.fill(true);
        return;
    }
    let middle = checks.len() / 2;
    let (left, right) = valid.split_at_mut(middle);
    verify_range(&checks[..middle], left);
    verify_range(&checks[middle..], right);
}

#[cfg(test)]
mod tests;
