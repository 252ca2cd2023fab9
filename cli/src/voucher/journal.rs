//! What a pool's key has signed, in a file beside it, a line for each request: the ledger does not see it (L50). So a request is
//! covered once, however often it is answered, and no more is signed than is covered.

use crate::failure::Failure;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use weft_types::VoucherPoint;

pub struct Journal {
    path: PathBuf,
    signed: BTreeSet<[u8; VoucherPoint::BYTES]>,
}

impl Journal {
    /// That of a key's file; empty where there is none.
    pub fn beside(pool_key: &Path) -> Result<Self, Failure> {
        let path = pool_key.with_added_extension("journal");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|e| named(&path, e))?,
        };
        let points = text.lines().map(str::parse::<VoucherPoint>);
        let signed = points.map(|point| point.map(|p| p.0));
        let signed = signed.collect::<Result<_, _>>();
        let signed = signed.map_err(|e| named(&path, e))?;
        Ok(Self { path, signed })
    }

    /// How many.
    pub fn signed(&self) -> u64 {
        self.signed.len() as u64
    }

    /// Those that were never signed, each once.
    pub fn new_among(&self, asked: &[VoucherPoint]) -> Vec<VoucherPoint> {
        let mut seen = self.signed.clone();
        let new = asked.iter().filter(|point| seen.insert(point.0));
        new.copied().collect()
    }

    /// On the disk before anybody has an answer.
    pub fn add(&mut self, points: &[VoucherPoint]) -> Result<(), Failure> {
        let mut text = String::new();
        for point in points {
            self.signed.insert(point.0);
            let _ = writeln!(text, "{point}");
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|e| named(&self.path, e))
    }
}

fn named(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::usage(format_args!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_once_however_often_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("pool.key");
        let [a, b, c] = [1, 2, 3].map(|n| VoucherPoint([n; VoucherPoint::BYTES]));
        let mut journal = Journal::beside(&key).unwrap();
        assert_eq!(journal.new_among(&[a, b, a]), [a, b]);
        journal.add(&[a, b]).unwrap();
        let mut again = Journal::beside(&key).unwrap();
        assert_eq!((journal.signed(), again.signed()), (2, 2));
        assert_eq!(again.new_among(&[b, c]), [c]);
        again.add(&[c]).unwrap();
        assert_eq!(Journal::beside(&key).unwrap().signed(), 3);
        fs::write(key.with_added_extension("journal"), "torn").unwrap();
        assert!(
            Journal::beside(&key)
                .err()
                .unwrap()
                .message
                .contains("pool.key.journal")
        );
    }
}
