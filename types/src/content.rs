//! A1: content that the ledger names by its hash: plain BLAKE3, so that any tool computes it.

use crate::ids::ContentHash;

/// A2: longest content that nodes store, in bytes.
pub const CONTENT_BYTES_MAX: usize = 256 << 10;
/// A4: most that one node asks another for at once.
pub const CONTENTS_ASKED_MAX: usize = 256;

impl ContentHash {
    /// Of these bytes, as `b3sum` prints it: no domain tag, for nothing else is signed or found by it.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test vectors of BLAKE3's authors.
    #[test]
    fn a1_a_hash_is_that_of_common_tools() {
        let known = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(ContentHash::of(b"").to_string(), known);
        let known = "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213";
        assert_eq!(ContentHash::of(&[0]).to_string(), known);
    }
}
