//! A gate's pack: which keys may show which tickets, as one node has said at a time, with what of it is proven. A line
//! of JSON, and 36 bytes for each key of each ticket: the serial in four of them, the key's address in the others.

use crate::failure::{Failure, Kind};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use weft_types::{Address, EditionId, Height, ItemId, Millis, NetworkId};

/// Version of the file's contents.
const FORMAT: u32 = 1;
const ENTRY_BYTES: usize = 4 + 32;

/// What a pack says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    format: u32,
    pub network: NetworkId,
    pub edition: EditionId,
    /// How often each ticket is good.
    pub uses: u32,
    /// Issued when it was made; those that are missing below are burned, void, frozen, for sale or redeemed.
    pub issued: u64,
    pub tickets: u64,
    /// When it was made.
    pub made: Millis,
    pub proven: Proven,
}

/// How far what the node said was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// Serials whose ticket, or absence, was proven under a certificate to be as listed.
    pub serials: u64,
    /// Of the certificates. Absent when nothing was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heights: Option<(Height, Height)>,
    /// The earliest of their times: what has changed hands since, the pack does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
}

/// A pack, with its tickets by id.
pub struct Pack {
    pub head: Head,
    keys: HashMap<ItemId, (u32, Vec<Address>)>,
}

impl Head {
    pub fn new(
        network: NetworkId,
        edition: EditionId,
        uses: u32,
        issued: u64,
        made: Millis,
    ) -> Self {
        let proven = Proven {
            serials: 0,
            heights: None,
            since: None,
        };
        Self {
            format: FORMAT,
            network,
            edition,
            uses,
            issued,
            tickets: 0,
            made,
            proven,
        }
    }
}

/// Writes a pack; entries are put in order. The number of tickets is theirs.
pub fn write(path: &Path, head: &Head, mut entries: Vec<(u32, Address)>) -> Result<(), Failure> {
    entries.sort_unstable();
    entries.dedup();
    let mut bytes = serde_json::to_vec(head).map_err(std::io::Error::from)?;
    bytes.push(b'\n');
    for (serial, key) in &entries {
        bytes.extend_from_slice(&serial.to_be_bytes());
        bytes.extend_from_slice(&key.0);
    }
    let named = |e: std::io::Error| Failure::usage(format_args!("{}: {e}", path.display()));
    let mut file = std::fs::File::create(path).map_err(named)?;
    file.write_all(&bytes).map_err(named)?;
    file.sync_all().map_err(named)
}

impl Pack {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let named = |e: std::io::Error| Failure::usage(format_args!("{}: {e}", path.display()));
        let bytes = std::fs::read(path).map_err(named)?;
        Self::parse(&bytes).map_err(|why| {
            Failure::new(Kind::Invalid, format_args!("{}: {why}", path.display()))
                .hint("make it anew with `weft ticket pack`")
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, rest) = bytes.split_at(end.ok_or("it is no pack")?);
        let head: Head = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        if head.format != FORMAT {
            return Err(format!("its format is {}, not {FORMAT}", head.format));
        }
        let (entries, cut) = rest[1..].as_chunks::<ENTRY_BYTES>();
        if !cut.is_empty() {
            return Err("it was cut short".to_owned());
        }
        let mut keys: HashMap<ItemId, (u32, Vec<Address>)> = HashMap::new();
        for entry in entries {
            let (serial, key) = entry.split_at(4);
            let serial = <[u8; 4]>::try_from(serial).map_err(|e| e.to_string())?;
            let serial = u32::from_be_bytes(serial);
            let key = Address::try_from(key).map_err(|e| e.to_string())?;
            let item = ItemId::derive(&head.edition, serial.into());
            keys.entry(item).or_insert((serial, vec![])).1.push(key);
        }
        match keys.len() as u64 == head.tickets {
            true => Ok(Self { head, keys }),
            false => Err(format!("it has {} of {} tickets", keys.len(), head.tickets)),
        }
    }

    /// The serial of a ticket and the keys that may show it.
    pub fn ticket(&self, item: &ItemId) -> Option<(u32, &[Address])> {
        let found = self.keys.get(item);
        found.map(|(serial, keys)| (*serial, &keys[..]))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use weft_types::testing::{network, user};

    pub const EDITION: EditionId = EditionId([5; 32]);

    /// Tickets 1 to `count` of users of their numbers, written to a file.
    pub fn written(path: &Path, uses: u32, count: u32) {
        let mut head = Head::new(network().id(), EDITION, uses, count.into(), Millis(1));
        head.tickets = count.into();
        let entries = (1..=count).rev().map(|n| (n, user(n.into())));
        write(path, &head, entries.collect()).unwrap();
    }

    #[test]
    fn a_pack_is_36_bytes_a_ticket_and_knows_whose_each_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.pack");
        written(&path, 1, 50);
        let bytes = std::fs::read(&path).unwrap();
        let head = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
        assert_eq!(bytes.len() - head, 50 * 36);
        let pack = Pack::read(&path).unwrap();
        let ticket = |serial| pack.ticket(&ItemId::derive(&EDITION, serial));
        assert_eq!(ticket(7), Some((7, &[user(7)][..])));
        assert_eq!(ticket(51), None);
    }

    #[test]
    fn what_is_no_whole_pack_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.pack");
        written(&path, 1, 3);
        let bytes = std::fs::read(&path).unwrap();
        for cut in [0, 10, bytes.len() - 1, bytes.len() - 36] {
            assert!(Pack::parse(&bytes[..cut]).is_err(), "{cut}");
        }
        let other = String::from_utf8_lossy(&bytes[..40]).replace("\"format\":1", "\"format\":2");
        assert!(Pack::parse(&[other.as_bytes(), &bytes[40..]].concat()).is_err());
    }
}
