//! An import's state file: what was sent, before it is sent, and what came of it.
//!
//! A transaction is written down whole, and synced, before a byte of it leaves. After a crash it is
//! sent again as it was: the same bytes are the same transaction, with one outcome. So running an
//! import again never creates an edition twice, wherever it was stopped.
//!
//! One JSON object a line. A line that a crash cut short is dropped.

use super::mapping::Mapping;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use weft_types::{
    CollectionId, CommitIndex, EditionId, Millis, NetworkId, Transaction, TransactionId,
};

/// Version of the file's contents.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Entry {
    /// The first line.
    Import(Header),
    Sent(Sent),
    Outcome {
        transaction: TransactionId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<CommitIndex>,
        /// By reference; empty when nothing was applied.
        editions: BTreeMap<String, EditionId>,
    },
}

/// What the import is into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: u32,
    pub network: NetworkId,
    pub collection: CollectionId,
    /// What names a card, as in a mapping.
    pub reference: String,
    /// The whole mapping of the first run, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

/// A transaction that may have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub transaction: TransactionId,
    pub valid_until: Millis,
    /// Of its editions, in order.
    pub references: Vec<String>,
    #[serde(with = "hex::serde")]
    pub encoded: Vec<u8>,
}

/// The file, locked as long as this lives.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    header: Option<Header>,
    pending: BTreeMap<TransactionId, Sent>,
    /// The newest commit that an outcome was of.
    seen: CommitIndex,
}

impl Journal {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let named = |error: std::io::Error| {
            Failure::usage(format_args!("state file {}: {error}", path.display()))
                .hint("name another with --state FILE")
        };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(named)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let words = format!("state file {}: another import is using it", path.display());
                return Err(Failure::usage(words).hint("wait until that one has ended"));
            }
            Err(TryLockError::Error(error)) => return Err(named(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(named)?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let mut journal = Self {
            path: path.to_owned(),
            file,
            header: None,
            pending: BTreeMap::new(),
            seen: CommitIndex::ZERO,
        };
        for (line, bytes) in (1..).zip(text[..whole].split_inclusive(|b| *b == b'\n')) {
            let entry = serde_json::from_slice(bytes).map_err(|e| journal.damaged(line, &e))?;
            journal.take(line, entry)?;
        }
        journal.file.set_len(whole as u64).map_err(named)?;
        journal.file.seek(SeekFrom::End(0)).map_err(named)?;
        Ok(journal)
    }

    fn damaged(&self, line: u64, error: &dyn std::fmt::Display) -> Failure {
        Failure::usage(format_args!(
            "state file {}: line {line}: {error}",
            self.path.display()
        ))
        .hint("is it one of `weft collection import`? Name another with --state FILE, or, a minute after the last import, remove it: editions that exist are found by their references")
    }

    fn take(&mut self, line: u64, entry: Entry) -> Result<(), Failure> {
        match entry {
            Entry::Import(header) if header.format == FORMAT => self.header = Some(header),
            Entry::Import(header) => {
                let words = format!("has format {}, not {FORMAT}", header.format);
                return Err(self.damaged(line, &words));
            }
            _ if self.header.is_none() => {
                return Err(self.damaged(line, &"the line that says what it is of is missing"));
            }
            Entry::Sent(sent) => drop(self.pending.insert(sent.transaction, sent)),
            Entry::Outcome {
                transaction,
                commit,
                ..
            } => {
                self.pending.remove(&transaction);
                self.seen = self.seen.max(commit.unwrap_or_default());
            }
        }
        Ok(())
    }

    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Sent, as far as is known, and without an outcome.
    pub fn pending(&self) -> Vec<Sent> {
        self.pending.values().cloned().collect()
    }

    /// The newest commit that an outcome was of.
    pub fn seen(&self) -> CommitIndex {
        self.seen
    }

    /// Says what the import is into, once.
    pub fn begin(
        &mut self,
        network: NetworkId,
        collection: CollectionId,
        mapping: &Mapping,
    ) -> Result<(), Failure> {
        if self.header.is_some() {
            return Ok(());
        }
        self.write(vec![Entry::Import(Header {
            format: FORMAT,
            network,
            collection,
            reference: mapping.reference.to_string(),
            mapping: Some(mapping.describe()),
        })])
    }

    /// Before transactions are sent. When this returns they are on disk.
    pub fn sending(&mut self, transactions: &[(Transaction, Vec<String>)]) -> Result<(), Failure> {
        let entry = |(transaction, references): &(Transaction, Vec<String>)| {
            Entry::Sent(Sent {
                transaction: transaction.id(),
                valid_until: transaction.body().valid_until,
                references: references.clone(),
                encoded: transaction.encoded().to_vec(),
            })
        };
        self.write(transactions.iter().map(entry).collect())?;
        self.file.sync_data().map_err(|e| self.failed(&e))
    }

    /// What came of a transaction; lost in a crash, it is asked for again.
    pub fn outcome(
        &mut self,
        transaction: TransactionId,
        commit: Option<CommitIndex>,
        editions: BTreeMap<String, EditionId>,
    ) -> Result<(), Failure> {
        self.write(vec![Entry::Outcome {
            transaction,
            commit,
            editions,
        }])
    }

    fn write(&mut self, entries: Vec<Entry>) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut lines, entry).map_err(|e| self.failed(&e.into()))?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines).map_err(|e| self.failed(&e))?;
        entries
            .into_iter()
            .try_for_each(|entry| self.take(0, entry))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::usage(format_args!("state file {}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Place;
    use super::super::source::Row;
    use super::*;
    use tempfile::TempDir;
    use weft_client::Draft;
    use weft_types::ed25519::SecretKey;
    use weft_types::{Operation, testing};

    const COLLECTION: CollectionId = CollectionId([7; 32]);

    fn transaction(name: &str) -> Transaction {
        let create = Operation::CreateCollection {
            name: name.to_owned(),
            description: String::new(),
            item_cap: 0,
        };
        let draft = Draft::new(&testing::genesis(4));
        draft.sign(&SecretKey::from_seed([1; 32]), vec![create])
    }

    fn mapping() -> Mapping {
        let fields = [("name".to_owned(), "Mew".to_owned())].into();
        let place = Place::line(2);
        Mapping::find("".parse().unwrap(), &[Row { place, fields }], 1).unwrap()
    }

    /// A folder with the journal of two transactions, of which the first has an outcome.
    fn written() -> (TempDir, PathBuf, Transaction) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut journal = Journal::open(&path).unwrap();
        let (a, b) = (transaction("a"), transaction("b"));
        journal
            .begin(NetworkId([1; 32]), COLLECTION, &mapping())
            .unwrap();
        let sent = [
            (a.clone(), vec!["x".to_owned()]),
            (b.clone(), vec!["y".to_owned()]),
        ];
        journal.sending(&sent).unwrap();
        let editions = [("x".to_owned(), EditionId([2; 32]))].into();
        journal
            .outcome(a.id(), Some(CommitIndex(5)), editions)
            .unwrap();
        (folder, path, b)
    }

    #[test]
    fn what_was_sent_without_an_outcome_comes_back_byte_for_byte() {
        let (_folder, path, pending) = written();
        let journal = Journal::open(&path).unwrap();
        let header = journal.header().unwrap();
        assert_eq!(header.collection, COLLECTION);
        assert_eq!(header.mapping, Some(mapping().describe()));
        assert_eq!(journal.seen(), CommitIndex(5));
        let [sent] = &journal.pending()[..] else {
            panic!("one is pending");
        };
        assert_eq!(sent.encoded, pending.encoded().as_ref());
        assert_eq!(sent.references, ["y"]);
    }

    #[test]
    fn a_line_that_a_crash_cut_short_is_dropped() {
        let (_folder, path, _) = written();
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 10]).unwrap();
        // The outcome is the line that was cut.
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.pending().len(), 2);
        for sent in journal.pending() {
            journal
                .outcome(sent.transaction, None, BTreeMap::new())
                .unwrap();
        }
        drop(journal);
        assert!(Journal::open(&path).unwrap().pending().is_empty());
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left_alone() {
        let (_folder, path, _) = written();
        for text in [
            "{\"entry\": \"import\"}\n",
            "name,image\n",
            "{\"entry\":\"outcome\",\"transaction\":\"00\",\"editions\":{}}\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let failure = Journal::open(&path).unwrap_err();
            assert!(failure.message.contains("line 1"), "{}", failure.message);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn two_imports_never_share_a_file() {
        let (_folder, path, _) = written();
        let _first = Journal::open(&path).unwrap();
        let failure = Journal::open(&path).unwrap_err();
        assert!(
            failure.message.contains("another import"),
            "{}",
            failure.message
        );
    }
}
