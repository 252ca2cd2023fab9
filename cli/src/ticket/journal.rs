//! What a gate has let in, and what came of it when it was sent: one JSON object a line, synced before anybody is let
//! in and before anything is sent. A line that a crash cut short is dropped. A transaction is sent again as it was, so
//! that a ticket is never taken for another gate's because this one has sent it twice.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use weft_types::{ItemId, Millis};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
enum Entry {
    LetIn(LetIn),
    /// As which transaction the nth was sent, encoded.
    Sent {
        number: usize,
        #[serde(with = "hex::serde")]
        transaction: Vec<u8>,
    },
    Outcome {
        number: usize,
        outcome: Outcome,
    },
}

/// Somebody who went in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetIn {
    pub item: ItemId,
    pub slot: u64,
    /// By the gate's clock.
    pub at: Millis,
    /// What was shown.
    pub code: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    Redeemed,
    /// Another gate has taken this use of the ticket.
    Duplicate {
        code: String,
    },
    Refused {
        code: String,
    },
    /// Its transaction was not ordered in time: it needs another one.
    Expired,
}

/// What is said of a ticket or its pass, and stays so whoever sends it. All else is about the gate, its account or its role.
const OF_THE_TICKET: [&str; 5] = [
    "item_void",
    "not_found",
    "not_holder",
    "not_redeemable",
    "pass_stale",
];

impl Outcome {
    /// Whether another transaction could come to another one.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Redeemed | Self::Duplicate { .. } => true,
            Self::Refused { code } => OF_THE_TICKET.contains(&code.as_str()),
            Self::Expired => false,
        }
    }

    /// By a receipt's code.
    pub fn of(code: &str) -> Self {
        let code = code.to_owned();
        match code.as_str() {
            "applied" => Self::Redeemed,
            "no_use_left" | "pass_spent" => Self::Duplicate { code },
            _ => Self::Refused { code },
        }
    }
}

/// The file, locked as long as this lives.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    entries: Vec<LetIn>,
    by_item: HashMap<ItemId, Vec<usize>>,
    sent: BTreeMap<usize, Vec<u8>>,
    outcomes: BTreeMap<usize, Outcome>,
    /// What came of the last transaction of those that need another one.
    held: BTreeMap<usize, Outcome>,
}

impl Journal {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let named = |error: &dyn std::fmt::Display| {
            Failure::usage(format_args!("journal {}: {error}", path.display()))
        };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(|e| named(&e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(named(&"another gate is using it").hint("each gate has its own"));
            }
            Err(TryLockError::Error(error)) => return Err(named(&error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|e| named(&e))?;
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let mut journal = Self {
            path: path.to_owned(),
            file,
            entries: vec![],
            by_item: HashMap::new(),
            sent: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            held: BTreeMap::new(),
        };
        for (line, bytes) in (1..).zip(text[..whole].split_inclusive(|b| *b == b'\n')) {
            let damaged = |e: serde_json::Error| named(&format_args!("line {line}: {e}"));
            journal.take(serde_json::from_slice(bytes).map_err(damaged)?);
        }
        journal.file.set_len(whole as u64).map_err(|e| named(&e))?;
        let end = journal.file.seek(SeekFrom::End(0));
        end.map_err(|e| named(&e))?;
        Ok(journal)
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::LetIn(entry) => {
                let number = self.entries.len();
                self.by_item.entry(entry.item).or_default().push(number);
                self.entries.push(entry);
            }
            Entry::Sent {
                number,
                transaction,
            } => {
                self.held.remove(&number);
                self.sent.insert(number, transaction);
            }
            Entry::Outcome { number, outcome } if !outcome.is_final() => {
                self.sent.remove(&number);
                self.held.insert(number, outcome);
            }
            Entry::Outcome { number, outcome } => drop(self.outcomes.insert(number, outcome)),
        }
    }

    /// When this returns they are on disk.
    fn write(&mut self, entries: Vec<Entry>) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for entry in &entries {
            lines.extend(serde_json::to_vec(entry).map_err(std::io::Error::from)?);
            lines.push(b'\n');
        }
        let written = self
            .file
            .write_all(&lines)
            .and_then(|()| self.file.sync_data());
        written
            .map_err(|e| Failure::usage(format_args!("journal {}: {e}", self.path.display())))?;
        entries.into_iter().for_each(|entry| self.take(entry));
        Ok(())
    }

    /// Those who went in with a ticket.
    pub fn with(&self, item: &ItemId) -> impl Iterator<Item = &LetIn> {
        let numbers = self.by_item.get(item).into_iter().flatten();
        numbers.map(|number| &self.entries[*number])
    }

    pub fn let_in(&mut self, entry: LetIn) -> Result<(), Failure> {
        self.write(vec![Entry::LetIn(entry)])
    }

    /// Without an outcome, with the transaction that it was sent as.
    pub fn pending(&self) -> Vec<(usize, LetIn, Option<Vec<u8>>)> {
        let entries = self.entries.iter().enumerate();
        let pending = entries.filter(|(number, _)| !self.outcomes.contains_key(number));
        let pending = pending.map(|(n, entry)| (n, entry.clone(), self.sent.get(&n).cloned()));
        pending.collect()
    }

    /// Of each ticket the first of these that was not tried: a later pass that came before it would spend it.
    pub fn turn(&self, tried: &mut BTreeSet<usize>) -> Vec<(usize, LetIn, Option<Vec<u8>>)> {
        let mut items = HashSet::new();
        let mut turn = self.pending();
        turn.retain(|(_, entry, _)| items.insert(entry.item));
        turn.retain(|(number, ..)| tried.insert(*number));
        turn
    }

    pub fn sending(&mut self, transactions: Vec<(usize, Vec<u8>)>) -> Result<(), Failure> {
        let sent = transactions
            .into_iter()
            .map(|(number, transaction)| Entry::Sent {
                number,
                transaction,
            });
        self.write(sent.collect())
    }

    pub fn settled(&mut self, outcomes: Vec<(usize, Outcome)>) -> Result<(), Failure> {
        let outcomes = outcomes.into_iter();
        let outcomes = outcomes.map(|(number, outcome)| Entry::Outcome { number, outcome });
        self.write(outcomes.collect())
    }

    /// Those that need another transaction, for what the last one was refused.
    pub fn held(&self) -> impl Iterator<Item = (&LetIn, &str)> {
        let held = self.held.iter();
        let held = held.filter(|(number, _)| !self.outcomes.contains_key(number));
        held.filter_map(|(number, outcome)| match outcome {
            Outcome::Refused { code } => Some((self.entries.get(*number)?, code.as_str())),
            _ => None,
        })
    }

    /// Everybody with an outcome, in the order of going in.
    pub fn outcomes(&self) -> impl Iterator<Item = (&LetIn, &Outcome)> {
        let outcomes = self.outcomes.iter();
        outcomes.filter_map(|(number, outcome)| Some((self.entries.get(*number)?, outcome)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u8, slot: u64) -> LetIn {
        LetIn {
            item: ItemId([n; 32]),
            slot,
            at: Millis(slot * 15_000),
            code: format!("WEFT1:{n}"),
        }
    }

    #[test]
    fn a_journal_goes_on_where_it_was_also_after_a_line_that_was_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        for n in 1..=3 {
            journal.let_in(entry(n, 7)).unwrap();
        }
        assert!(Journal::open(&path).is_err(), "one gate at a time");
        journal.sending(vec![(0, vec![1]), (1, vec![2])]).unwrap();
        let duplicate = Outcome::of("no_use_left");
        let expired = Outcome::Expired;
        journal
            .settled(vec![(0, duplicate.clone()), (1, expired)])
            .unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"entry\":\"let_in\",\"it").unwrap();
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.with(&ItemId([2; 32])).count(), 1);
        let pending = journal.pending();
        assert_eq!(pending, [(1, entry(2, 7), None), (2, entry(3, 7), None)]);
        journal.let_in(entry(4, 8)).unwrap();
        let outcomes: Vec<_> = journal.outcomes().collect();
        assert_eq!(outcomes, [(&entry(1, 7), &duplicate)]);
    }

    /// A gate that has no role, or nothing to pay the fee with, sends again when that is mended.
    #[test]
    fn what_was_refused_for_the_gates_sake_is_sent_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path).unwrap();
        for n in 1..=2 {
            journal.let_in(entry(n, 7)).unwrap();
        }
        journal.sending(vec![(0, vec![1]), (1, vec![2])]).unwrap();
        let outcomes = vec![(0, Outcome::of("no_role")), (1, Outcome::of("item_void"))];
        journal.settled(outcomes).unwrap();
        // The gate's own, by a pass that is bound to another.
        assert!(!Outcome::of("wrong_gate").is_final());
        drop(journal);
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.pending(), [(0, entry(1, 7), None)]);
        let held: Vec<_> = journal.held().collect();
        assert_eq!(held, [(&entry(1, 7), "no_role")]);
        journal.sending(vec![(0, vec![3])]).unwrap();
        assert_eq!(journal.held().count(), 0, "another one is on its way");
        journal.settled(vec![(0, Outcome::Redeemed)]).unwrap();
        assert_eq!(journal.outcomes().count(), 2);
    }

    #[test]
    fn passes_of_one_ticket_are_sent_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal")).unwrap();
        for (n, slot) in [(1, 7), (1, 9), (2, 7)] {
            journal.let_in(entry(n, slot)).unwrap();
        }
        let mut tried = BTreeSet::new();
        let mut turn = |journal: &Journal| -> Vec<usize> {
            let turn = journal.turn(&mut tried);
            turn.iter().map(|(number, ..)| *number).collect()
        };
        assert_eq!(turn(&journal), [0, 2]);
        assert!(turn(&journal).is_empty(), "the first has no outcome");
        journal.settled(vec![(0, Outcome::Redeemed)]).unwrap();
        assert_eq!(turn(&journal), [1]);
    }

    #[test]
    fn what_another_gate_has_taken_is_told_from_what_is_refused() {
        assert_eq!(Outcome::of("applied"), Outcome::Redeemed);
        let duplicate = |code: &str| matches!(Outcome::of(code), Outcome::Duplicate { .. });
        assert!(duplicate("no_use_left") && duplicate("pass_spent"));
        assert!(matches!(Outcome::of("item_void"), Outcome::Refused { .. }));
    }
}
