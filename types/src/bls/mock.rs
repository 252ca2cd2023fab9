//! The algebra of BLS without its security, for simulations: a secret key is a number `k`, the public
//! key is the same number, a signature is `k * h` with `h` the hash of tag and message, modulo 2^64.
//! Sums of signatures verify under sums of keys, as BLS's do; whoever knows a public key can forge.
//!
//! Nothing that is read from a file, from the wire or from the base chain becomes a mock key or a mock
//! signature: their bytes have the compression bit of a point clear, which the decoders of this crate
//! refuse. They come from `SecretKey::mock` alone, and a mock signature is never valid under a key of the
//! curve, nor the other way round.

/// The number that a message hashes to; odd, so that no key but zero signs with zero.
pub fn hash(tag: &[u8], message: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(tag).update(message);
    first_number(hasher.finalize().as_bytes()) | 1
}

/// The key with this number in a committee: never zero, and different for different numbers.
pub fn key(number: u64) -> u64 {
    let hashed = blake3::hash(&number.to_be_bytes());
    first_number(hashed.as_bytes()) | 1
}

fn first_number(bytes: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *bytes;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// A form that no decoder takes: the bits that mark a compressed point are zero.
pub fn bytes<const N: usize>(number: u64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[N - 8..].copy_from_slice(&number.to_be_bytes());
    bytes
}
