//! G3: a slot on the disk, so that one that a crash has torn looks different from one that was damaged.
//!
//! A disk writes a sector whole or not at all. So each sector of a slot has a checksum of its own: a torn
//! write leaves whole sectors, some of the new record and some of the one before it, and only the
//! checksum of the record fails. That slot was being written and its call had not returned; what
//! counts is the other slot. A sector that is not whole is no trace of a crash: it may have held the
//! newest record, and nobody knows what that was. Sectors are whole for their place alone, so one that
//! ended up elsewhere is damage too.

use super::record::Record;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Length of one slot. A full record takes about 7.5 KiB of it.
pub(super) const SLOT_BYTES: usize = 8 << 10;
/// The smallest that disks write as one. Larger ones are multiples of it.
pub(super) const SECTOR_BYTES: usize = 512;
const CHECKSUM_BYTES: usize = 32;
const LENGTH_BYTES: usize = 4;
/// What the sectors of a slot hold beside their checksums.
const CONTENT_BYTES: usize = SLOT_BYTES / SECTOR_BYTES * (SECTOR_BYTES - CHECKSUM_BYTES);

/// What was found in a slot.
pub(super) enum Slot {
    Whole(Record),
    /// A write of it did not finish.
    Torn,
    /// Something other than this module has written these bytes of the file.
    Damaged {
        from: usize,
        to: usize,
    },
}

/// Where the slot of a record begins in the file.
pub(super) fn offset(record: &Record) -> usize {
    (record.sequence % 2) as usize * SLOT_BYTES
}

/// Writes a record into its slot, all sectors of it. The caller syncs.
///
/// # Panics
/// When the record outgrows its slot: our own bug, for its parts are bounded.
pub(super) fn write(file: &File, record: &Record) -> io::Result<()> {
    let offset = offset(record);
    file.write_all_at(&seal(&record.encode(), offset), offset as u64)
}

/// The slot of a record, given the record's bytes and where the slot begins.
pub(super) fn seal(body: &[u8], offset: usize) -> Vec<u8> {
    let mut content = (body.len() as u32).to_be_bytes().to_vec();
    content.extend_from_slice(blake3::hash(body).as_bytes());
    content.extend_from_slice(body);
    assert!(content.len() <= CONTENT_BYTES, "a record fits its slot");
    content.resize(CONTENT_BYTES, 0);
    let mut slot = Vec::with_capacity(SLOT_BYTES);
    for part in content.chunks(SECTOR_BYTES - CHECKSUM_BYTES) {
        let checksum = checksum(offset + slot.len(), part);
        slot.extend_from_slice(checksum.as_bytes());
        slot.extend_from_slice(part);
    }
    slot
}

/// Reads the slot that begins at an offset of the file.
pub(super) fn decode(slot: &[u8], offset: usize) -> Slot {
    let mut content = Vec::with_capacity(CONTENT_BYTES);
    for (from, sector) in (offset..)
        .step_by(SECTOR_BYTES)
        .zip(slot.chunks(SECTOR_BYTES))
    {
        let whole = sector
            .split_first_chunk::<CHECKSUM_BYTES>()
            .filter(|(stored, part)| checksum(from, part) == **stored);
        let Some((_, part)) = whole else {
            let to = from + sector.len();
            return Slot::Damaged { from, to };
        };
        content.extend_from_slice(part);
    }
    let Some(body) = body(&content) else {
        return Slot::Torn;
    };
    match Record::decode(body) {
        Some(record) if self::offset(&record) == offset => Slot::Whole(record),
        // Written as one, by a program that means something else by it.
        _ => Slot::Damaged {
            from: offset,
            to: offset + slot.len(),
        },
    }
}

/// The record's bytes, if all of them are of one write.
fn body(content: &[u8]) -> Option<&[u8]> {
    let (length, rest) = content.split_first_chunk::<LENGTH_BYTES>()?;
    let (stored, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
    let body = rest.get(..u32::from_be_bytes(*length) as usize)?;
    (blake3::hash(body) == *stored).then_some(body)
}

/// Of a sector's content at its place in the file.
fn checksum(offset: usize, part: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(offset as u64).to_be_bytes());
    hasher.update(part);
    hasher.finalize()
}
