//! What the store keeps of the ledger beside objects and receipts, in 25 bytes.

use bytes::Bytes;
use weft_ledger::LedgerMeta;
use weft_types::{CommitIndex, Millis};

/// Three big-endian numbers and a byte of flags.
pub fn encode(meta: &LedgerMeta) -> Bytes {
    let mut bytes = Vec::with_capacity(25);
    for number in [meta.index.0, meta.timestamp.0, meta.height_commit.0] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.push(u8::from(meta.changed) | u8::from(meta.unposted) << 1);
    bytes.into()
}

/// `None` for anything that `encode` does not write.
pub fn decode(bytes: &[u8]) -> Option<LedgerMeta> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    let numbers: Vec<u64> = numbers.iter().map(|n| u64::from_be_bytes(*n)).collect();
    match (numbers.as_slice(), rest) {
        ([index, timestamp, height_commit], [flags @ 0..=3]) => Some(LedgerMeta {
            index: CommitIndex(*index),
            timestamp: Millis(*timestamp),
            height_commit: CommitIndex(*height_commit),
            changed: flags & 1 != 0,
            unposted: flags & 2 != 0,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_survives_its_bytes_and_nothing_else_is_taken() {
        let meta = LedgerMeta {
            index: CommitIndex(1),
            timestamp: Millis(u64::MAX),
            height_commit: CommitIndex(0),
            changed: false,
            unposted: true,
        };
        let bytes = encode(&meta);
        assert_eq!(decode(&bytes), Some(meta));
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None);
        }
        let mut wrong = bytes.to_vec();
        wrong[24] = 4;
        assert_eq!(decode(&wrong), None);
    }
}
