//! The journal: each sealed block as a line of JSON, appended and synced before the block can be
//! read. On start the blocks are sealed again from it, and each hash must come out the same, which
//! makes the journal its own checksum.
//!
//! The first line names the chain's configuration. A last line that is cut or damaged is a write
//! that power loss or `kill -9` interrupted, before anybody saw its block: it is dropped. Anything
//! else that does not fit is an error, and the file stays as it is. One process at a time has it.

use crate::embedded::{Chain, Record, ReplayError};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;
/// Longest line, in bytes: a full block of zeros is half of it.
const LINE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: another process uses this base chain", path.display())]
    InUse { path: PathBuf },
    #[error("{}: is no journal of an embedded chain", path.display())]
    NoJournal { path: PathBuf },
    #[error("{}: is version {found}, this program writes {VERSION}", path.display())]
    Version { path: PathBuf, found: u32 },
    #[error(
        "{}: belongs to a chain with another configuration; use that one, or another folder",
        path.display()
    )]
    OtherChain { path: PathBuf },
    #[error("{}: line {line} is damaged: {reason}", path.display())]
    Damaged {
        path: PathBuf,
        line: u64,
        reason: String,
    },
    #[error("{}: line {line}: {error}", path.display())]
    Replay {
        path: PathBuf,
        line: u64,
        error: ReplayError,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    journal_version: u32,
    #[serde(with = "hex::serde")]
    config: [u8; 32],
}

#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Opens or creates the journal of a chain that is at its genesis, and brings the chain to where
    /// the journal ends.
    pub fn open(path: &Path, chain: &mut Chain) -> Result<Self, JournalError> {
        let path = path.to_owned();
        let io = |error| JournalError::Io {
            path: path.clone(),
            error,
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }

        let head = Head {
            journal_version: VERSION,
            config: chain.config().digest(),
        };
        let mut lines = Lines::new(&file, &path);
        let kept = match lines.next()? {
            Line::Whole(line) => {
                check_head(&line, &head, &path)?;
                replay(&mut lines, chain)?
            }
            Line::Cut(rest) if to_line(&head).map_err(io)?.starts_with(&rest) => 0,
            Line::Cut(_) => return Err(JournalError::NoJournal { path }),
        };
        file.set_len(kept).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut journal = Self { file, path };
        if kept == 0 {
            journal.write(&head)?;
            journal.sync_folder()?;
        }
        Ok(journal)
    }

    #[cfg(test)]
    pub fn read_only(path: &Path) -> Self {
        Self {
            file: File::open(path).expect("the journal is there"),
            path: path.to_owned(),
        }
    }

    /// Returns when the block is on disk.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        self.write(record)
    }

    fn io(&self, error: io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.clone(),
            error,
        }
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        let written = to_line(line)
            .and_then(|bytes| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_data());
        written.map_err(|error| self.io(error))
    }

    /// Makes the file's name survive power loss.
    fn sync_folder(&self) -> Result<(), JournalError> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| self.io(error))
    }
}

fn to_line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value).map_err(io::Error::other)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn check_head(line: &[u8], expected: &Head, path: &Path) -> Result<(), JournalError> {
    let path = path.to_owned();
    let Ok(head) = serde_json::from_slice::<Head>(line) else {
        return Err(JournalError::NoJournal { path });
    };
    if head.journal_version != VERSION {
        let found = head.journal_version;
        return Err(JournalError::Version { path, found });
    }
    if head.config != expected.config {
        return Err(JournalError::OtherChain { path });
    }
    Ok(())
}

/// Seals the recorded blocks again and returns the length that is worth keeping.
fn replay(lines: &mut Lines<'_>, chain: &mut Chain) -> Result<u64, JournalError> {
    let mut kept = lines.offset;
    while let Line::Whole(line) = lines.next()? {
        let record: Record = match serde_json::from_slice(&line) {
            Ok(record) => record,
            Err(error) if lines.at_end()? => {
                tracing::warn!(%error, line = lines.number, "dropped an interrupted write");
                return Ok(kept);
            }
            Err(error) => {
                return Err(JournalError::Damaged {
                    path: lines.path.to_owned(),
                    line: lines.number,
                    reason: error.to_string(),
                });
            }
        };
        chain
            .replay(&record)
            .map_err(|error| JournalError::Replay {
                path: lines.path.to_owned(),
                line: lines.number,
                error,
            })?;
        kept = lines.offset;
    }
    Ok(kept)
}

/// What a file goes on with.
enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// What is left, and does not end as a line does.
    Cut(Vec<u8>),
}

struct Lines<'a> {
    reader: BufReader<&'a File>,
    path: &'a Path,
    number: u64,
    offset: u64,
}

impl<'a> Lines<'a> {
    fn new(file: &'a File, path: &'a Path) -> Self {
        Self {
            reader: BufReader::new(file),
            path,
            number: 0,
            offset: 0,
        }
    }

    fn io(&self, error: io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.to_owned(),
            error,
        }
    }

    fn next(&mut self) -> Result<Line, JournalError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX + 1);
        let read = limited.read_until(b'\n', &mut line);
        let length = read.map_err(|error| self.io(error))? as u64;
        self.number += 1;
        if length > LINE_BYTES_MAX {
            return Err(JournalError::Damaged {
                path: self.path.to_owned(),
                line: self.number,
                reason: format!("longer than {LINE_BYTES_MAX} bytes"),
            });
        }
        if line.pop_if(|last| *last == b'\n').is_none() {
            return Ok(Line::Cut(line));
        }
        self.offset += length;
        Ok(Line::Whole(line))
    }

    fn at_end(&mut self) -> Result<bool, JournalError> {
        let rest = self.reader.fill_buf().map(<[u8]>::is_empty);
        rest.map_err(|error| self.io(error))
    }
}
