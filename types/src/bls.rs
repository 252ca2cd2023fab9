//! BLS12-381 signatures with keys in G1 and signatures in G2 (*min-pk*), after RFC 9380 and the IETF
//! BLS draft with proofs of possession. Signatures of one message by many keys are summed and
//! checked with one pairing equation. That is safe only because every key came with a proof of
//! possession (C2): without it, a key chosen as a difference could sign for others.

use blst::BLST_ERROR;
use blst::min_pk as raw;
use std::fmt;

/// Length of a compressed public key in bytes.
pub const PUBLIC_KEY_BYTES: usize = 48;
/// Length of a compressed signature in bytes.
pub const SIGNATURE_BYTES: usize = 96;

/// What a signature is for: the domain separation tag of its hash-to-curve. Network and epoch are in
/// the signed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Finality,
    Possession,
}

impl Purpose {
    /// The tag, in the form that RFC 9380 asks for.
    pub const fn tag(self) -> &'static [u8] {
        match self {
            Self::Finality => b"WEFT-V01-FINALITY-BLS12381G2_XMD:SHA-256_SSWU_RO_",
            Self::Possession => b"WEFT-V01-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_",
        }
    }
}

/// Bytes that are no usable key or signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlsError {
    #[error("BLS {what} has {found} bytes, not {expected}")]
    Length {
        what: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("BLS {0} is not a point of the curve")]
    NotOnCurve(&'static str),
    #[error("BLS {0} is outside the prime-order subgroup")]
    NotInSubgroup(&'static str),
    #[error("BLS {0} is the point at infinity")]
    Infinity(&'static str),
    #[error("BLS secret key is zero or not below the group's order")]
    SecretKey,
}

fn explain(what: &'static str, error: BLST_ERROR) -> BlsError {
    match error {
        BLST_ERROR::BLST_PK_IS_INFINITY => BlsError::Infinity(what),
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => BlsError::NotInSubgroup(what),
        _ => BlsError::NotOnCurve(what),
    }
}

fn expect_length(what: &'static str, bytes: &[u8], expected: usize) -> Result<(), BlsError> {
    if bytes.len() == expected {
        return Ok(());
    }
    Err(BlsError::Length {
        what,
        expected,
        found: bytes.len(),
    })
}

/// A public key in the subgroup and not infinity, kept uncompressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(raw::PublicKey);

impl PublicKey {
    /// From its 48 compressed bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("public key", bytes, PUBLIC_KEY_BYTES)?;
        raw::PublicKey::key_validate(bytes)
            .map(Self)
            .map_err(|e| explain("public key", e))
    }

    /// From the 128 bytes that the base chain keeps (EIP-2537).
    pub fn from_eip2537(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("public key", bytes, 128)?;
        let coordinates = strip_padding(bytes).ok_or(BlsError::NotOnCurve("public key"))?;
        let key =
            raw::PublicKey::deserialize(&coordinates).map_err(|e| explain("public key", e))?;
        key.validate().map_err(|e| explain("public key", e))?;
        Ok(Self(key))
    }

    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.0.compress()
    }

    /// The 128 bytes that the base chain's precompiles take (EIP-2537).
    pub fn to_eip2537(&self) -> [u8; 128] {
        let mut padded = [0; 128];
        add_padding(&self.0.serialize(), &mut padded);
        padded
    }

    /// Whether the signature is this key's over the message. For one message by several keys, sum
    /// the keys and the signatures first.
    pub fn verify(&self, purpose: Purpose, message: &[u8], signature: &Signature) -> bool {
        let result = signature
            .0
            .verify(true, message, purpose.tag(), &[], &self.0, false);
        result == BLST_ERROR::BLST_SUCCESS
    }

    /// The sum of the keys, `None` when there are none or the sum is infinity.
    pub fn sum<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Option<PublicKey> {
        let mut keys = keys.into_iter();
        let mut sum = raw::AggregatePublicKey::from_public_key(&keys.next()?.0);
        for key in keys {
            sum.add_public_key(&key.0, false).ok()?;
        }
        let sum = sum.to_public_key();
        sum.validate().ok()?;
        Some(Self(sum))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bls({})", hex::encode(&self.to_bytes()[..4]))
    }
}

/// A point of the curve G2. Its subgroup is checked when it is verified, so that a hundred shares
/// are summed first and checked once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(raw::Signature);

impl Signature {
    /// From its 96 compressed bytes; infinity is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("signature", bytes, SIGNATURE_BYTES)?;
        if bytes[0] & 0x40 != 0 {
            return Err(BlsError::Infinity("signature"));
        }
        raw::Signature::uncompress(bytes)
            .map(Self)
            .map_err(|e| explain("signature", e))
    }

    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        self.0.compress()
    }

    /// The 256 bytes that the base chain's precompiles take: blst writes c1 before c0, EIP-2537
    /// wants c0 first.
    pub fn to_eip2537(&self) -> [u8; 256] {
        let raw = self.0.serialize();
        let mut swapped = [0; 192];
        for (to, from) in [(0, 48), (48, 0), (96, 144), (144, 96)] {
            swapped[to..to + 48].copy_from_slice(&raw[from..from + 48]);
        }
        let mut padded = [0; 256];
        add_padding(&swapped, &mut padded);
        padded
    }

    /// The sum of the signatures, `None` when there are none.
    pub fn sum<'a>(signatures: impl IntoIterator<Item = &'a Signature>) -> Option<Signature> {
        let mut signatures = signatures.into_iter();
        let mut sum = raw::AggregateSignature::from_signature(&signatures.next()?.0);
        for signature in signatures {
            sum.add_signature(&signature.0, false).ok()?;
        }
        Some(Self(sum.to_signature()))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bls-signature({})", hex::encode(&self.to_bytes()[..4]))
    }
}

/// A secret key. blst wipes it when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct SecretKey(raw::SecretKey);

impl SecretKey {
    /// By the key generation of the IETF draft, from at least 32 bytes of entropy.
    pub fn from_entropy(entropy: &[u8; 32]) -> Self {
        Self(raw::SecretKey::key_gen(entropy, &[]).expect("32 bytes are enough"))
    }

    /// From a scalar's 32 big-endian bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BlsError> {
        raw::SecretKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| BlsError::SecretKey)
    }

    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.sk_to_pk())
    }

    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> Signature {
        Signature(self.0.sign(message, purpose.tag(), &[]))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

/// EIP-2537 writes each 48-byte coordinate behind 16 zero bytes.
fn add_padding(coordinates: &[u8], padded: &mut [u8]) {
    for (from, to) in coordinates
        .chunks_exact(48)
        .zip(padded.chunks_exact_mut(64))
    {
        to[16..].copy_from_slice(from);
    }
}

fn strip_padding(padded: &[u8]) -> Option<Vec<u8>> {
    let mut coordinates = Vec::with_capacity(padded.len() / 64 * 48);
    for chunk in padded.chunks_exact(64) {
        if chunk[..16] != [0; 16] {
            return None;
        }
        coordinates.extend_from_slice(&chunk[16..]);
    }
    Some(coordinates)
}

#[cfg(test)]
mod tests;
