//! BLS12-381 signatures with keys in G1 and signatures in G2 (*min-pk*), after RFC 9380 and the IETF
//! BLS draft with proofs of possession. Signatures of one message by many keys are summed and
//! checked with one pairing equation. That is safe only because every key came with a proof of
//! possession (C2): without it, a key chosen as a difference could sign for others.

mod mock;

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
    Availability,
}

impl Purpose {
    /// The tag, in the form that RFC 9380 asks for.
    pub const fn tag(self) -> &'static [u8] {
        match self {
            Self::Finality => b"WEFT-V01-FINALITY-BLS12381G2_XMD:SHA-256_SSWU_RO_",
            Self::Possession => b"WEFT-V01-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_",
            Self::Availability => b"WEFT-V01-AVAILABILITY-BLS12381G2_XMD:SHA-256_SSWU_RO_",
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
pub struct PublicKey(Key);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Curve(raw::PublicKey),
    /// Of a simulation: see [`SecretKey::mock`].
    Mock(u64),
}

impl PublicKey {
    /// From its 48 compressed bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("public key", bytes, PUBLIC_KEY_BYTES)?;
        raw::PublicKey::key_validate(bytes)
            .map(|key| Self(Key::Curve(key)))
            .map_err(|e| explain("public key", e))
    }

    /// From the 128 bytes that the base chain keeps (EIP-2537).
    pub fn from_eip2537(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("public key", bytes, 128)?;
        let coordinates = strip_padding(bytes).ok_or(BlsError::NotOnCurve("public key"))?;
        let key =
            raw::PublicKey::deserialize(&coordinates).map_err(|e| explain("public key", e))?;
        key.validate().map_err(|e| explain("public key", e))?;
        Ok(Self(Key::Curve(key)))
    }

    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_BYTES] {
        match &self.0 {
            Key::Curve(key) => key.compress(),
            Key::Mock(key) => mock::bytes(*key),
        }
    }

    /// Whether this is a simulation's key ([`SecretKey::mock`]). No decoded key is.
    pub(crate) fn is_mock(&self) -> bool {
        matches!(self.0, Key::Mock(_))
    }

    /// The 128 bytes that the base chain's precompiles take (EIP-2537).
    pub fn to_eip2537(&self) -> [u8; 128] {
        let mut padded = [0; 128];
        match &self.0 {
            Key::Curve(key) => add_padding(&key.serialize(), &mut padded),
            Key::Mock(key) => padded = mock::bytes(*key),
        }
        padded
    }

    /// Whether the signature is this key's over the message. For one message by several keys, sum
    /// the keys and the signatures first.
    pub fn verify(&self, purpose: Purpose, message: &[u8], signature: &Signature) -> bool {
        match (&self.0, &signature.0) {
            (Key::Curve(key), Point::Curve(point)) => {
                let result = point.verify(true, message, purpose.tag(), &[], key, false);
                result == BLST_ERROR::BLST_SUCCESS
            }
            (Key::Mock(key), Point::Mock(number)) => {
                key.wrapping_mul(mock::hash(purpose.tag(), message)) == *number
            }
            _ => false,
        }
    }

    /// The sum of the keys, `None` when there are none or the sum is infinity.
    pub fn sum<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Option<PublicKey> {
        let mut keys = keys.into_iter();
        let mut sum = match keys.next()?.0 {
            Key::Curve(first) => raw::AggregatePublicKey::from_public_key(&first),
            Key::Mock(first) => {
                let sum = keys.try_fold(first, |sum, key| match key.0 {
                    Key::Mock(key) => Some(sum.wrapping_add(key)),
                    Key::Curve(_) => None,
                });
                return sum.map(|sum| Self(Key::Mock(sum)));
            }
        };
        for key in keys {
            let Key::Curve(key) = &key.0 else {
                return None;
            };
            sum.add_public_key(key, false).ok()?;
        }
        let sum = sum.to_public_key();
        sum.validate().ok()?;
        Some(Self(Key::Curve(sum)))
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
pub struct Signature(Point);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Point {
    Curve(raw::Signature),
    /// By a simulation's key: see [`SecretKey::mock`].
    Mock(u64),
}

impl Signature {
    /// From its 96 compressed bytes; infinity is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("signature", bytes, SIGNATURE_BYTES)?;
        if bytes[0] & 0x40 != 0 {
            return Err(BlsError::Infinity("signature"));
        }
        raw::Signature::uncompress(bytes)
            .map(|point| Self(Point::Curve(point)))
            .map_err(|e| explain("signature", e))
    }

    pub fn to_bytes(&self) -> [u8; SIGNATURE_BYTES] {
        match &self.0 {
            Point::Curve(point) => point.compress(),
            Point::Mock(number) => mock::bytes(*number),
        }
    }

    /// The 256 bytes that the base chain's precompiles take: blst writes c1 before c0, EIP-2537
    /// wants c0 first.
    pub fn to_eip2537(&self) -> [u8; 256] {
        let raw = match &self.0 {
            Point::Curve(point) => point.serialize(),
            Point::Mock(number) => return mock::bytes(*number),
        };
        let mut swapped = [0; 192];
        for (to, from) in [(0, 48), (48, 0), (96, 144), (144, 96)] {
            swapped[to..to + 48].copy_from_slice(&raw[from..from + 48]);
        }
        let mut padded = [0; 256];
        add_padding(&swapped, &mut padded);
        padded
    }

    /// From the 256 bytes that the base chain takes (EIP-2537); infinity is refused.
    pub fn from_eip2537(bytes: &[u8]) -> Result<Self, BlsError> {
        expect_length("signature", bytes, 256)?;
        let swapped = strip_padding(bytes).ok_or(BlsError::NotOnCurve("signature"))?;
        if swapped.iter().all(|byte| *byte == 0) {
            return Err(BlsError::Infinity("signature"));
        }
        let mut raw = [0; 192];
        for (to, from) in [(0, 48), (48, 0), (96, 144), (144, 96)] {
            raw[to..to + 48].copy_from_slice(&swapped[from..from + 48]);
        }
        // Blst's flags, which no coordinate has.
        if raw[0] & 0xe0 != 0 {
            return Err(BlsError::NotOnCurve("signature"));
        }
        let point = raw::Signature::deserialize(&raw).map_err(|e| explain("signature", e))?;
        Ok(Self(Point::Curve(point)))
    }

    /// The sum of the signatures, `None` when there are none.
    pub fn sum<'a>(signatures: impl IntoIterator<Item = &'a Signature>) -> Option<Signature> {
        let mut signatures = signatures.into_iter();
        let mut sum = match signatures.next()?.0 {
            Point::Curve(first) => raw::AggregateSignature::from_signature(&first),
            Point::Mock(first) => {
                let sum = signatures.try_fold(first, |sum, signature| match signature.0 {
                    Point::Mock(number) => Some(sum.wrapping_add(number)),
                    Point::Curve(_) => None,
                });
                return sum.map(|sum| Self(Point::Mock(sum)));
            }
        };
        for signature in signatures {
            let Point::Curve(point) = &signature.0 else {
                return None;
            };
            sum.add_signature(point, false).ok()?;
        }
        Some(Self(Point::Curve(sum.to_signature())))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bls-signature({})", hex::encode(&self.to_bytes()[..4]))
    }
}

/// A secret key. blst wipes it when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct SecretKey(Secret);

#[derive(Clone)]
enum Secret {
    Curve(raw::SecretKey),
    Mock(u64),
}

impl SecretKey {
    /// By the key generation of the IETF draft, from at least 32 bytes of entropy.
    pub fn from_entropy(entropy: &[u8; 32]) -> Self {
        let key = raw::SecretKey::key_gen(entropy, &[]).expect("32 bytes are enough");
        Self(Secret::Curve(key))
    }

    /// From a scalar's 32 big-endian bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BlsError> {
        raw::SecretKey::from_bytes(bytes)
            .map(|key| Self(Secret::Curve(key)))
            .map_err(|_| BlsError::SecretKey)
    }

    /// For simulations alone: a key that signs in nanoseconds and that anybody can forge. A member
    /// with its public key signs vertices with mock keys too. No key file, genesis or registry can
    /// hold such a key, because no decoder makes one: `docs/adr/mock-signer.md`.
    pub fn mock(number: u64) -> Self {
        Self(Secret::Mock(mock::key(number)))
    }

    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(match &self.0 {
            Secret::Curve(key) => key.to_bytes(),
            Secret::Mock(key) => mock::bytes(*key),
        })
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Secret::Curve(key) => Key::Curve(key.sk_to_pk()),
            Secret::Mock(key) => Key::Mock(*key),
        })
    }

    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> Signature {
        Signature(match &self.0 {
            Secret::Curve(key) => Point::Curve(key.sign(message, purpose.tag(), &[])),
            Secret::Mock(key) => Point::Mock(key.wrapping_mul(mock::hash(purpose.tag(), message))),
        })
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
