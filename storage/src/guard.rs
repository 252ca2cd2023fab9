//! V3: what this member's keys have signed, so that they never sign two things for one place: not
//! after a crash, not beside a second process, not with an older copy of the database.
//!
//! The guard is a file of its own, beside the database and outside of snapshots and backups: copied
//! back, it would forget. G1: a signature leaves the process only after the record of what it signs is
//! on the disk. G2: the file has two slots that are written in turn, so a write that was torn spoils the
//! older record at most, and nothing was signed on its behalf, for the call had not returned; the other
//! slot holds all that was ever signed. G3: a slot that is anything but whole or torn may have held the
//! newest record, so the guard does not open.
//!
//! The file is locked for as long as the guard lives, and bound to network and key. It is never made
//! by opening: a missing guard means that the node has to find out what it has signed (S1) and then
//! creates one that starts above that. A guard that is damaged, or behind the own vertex of the
//! database, counts as missing.

mod export;
mod record;
mod slot;

pub use export::{EXPORT_BYTES_MAX, ExportError, GuardExport};
pub use record::Record;
use slot::{SLOT_BYTES, Slot};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use weft_types::ed25519::PublicKey;
use weft_types::{Epoch, Height, NetworkId, Round, StatementDigest, VertexDigest};

/// Heights whose statement digests are remembered, so that the same one may be signed again. More
/// than may be without a certificate at a time (F4). Older heights are refused.
pub const STATEMENTS_REMEMBERED: usize = 128;

/// The highest place of a vertex for which something was signed, or is forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedVertex {
    pub epoch: Epoch,
    pub round: Round,
    /// `None` when the place is only forbidden, by a [`GuardFloor`].
    pub digest: Option<VertexDigest>,
}

/// Where a new guard begins: nothing at or below is ever signed. Empty for keys that have never
/// signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GuardFloor {
    pub vertex: Option<(Epoch, Round)>,
    pub height: Height,
}

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("signing guard {0}: there is none")]
    Missing(PathBuf),
    #[error("signing guard {0}: exists already")]
    Exists(PathBuf),
    #[error("signing guard {0}: in use by another process; two with one key would be slashed")]
    Locked(PathBuf),
    #[error(
        "signing guard {path}: belongs to another {what}; choose another data folder, and leave the guard there"
    )]
    Foreign { path: PathBuf, what: &'static str },
    #[error("signing guard {path}: damaged, what was signed last is not known: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("signing guard {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "refused to sign a vertex of epoch {epoch} round {round}: epoch {highest_epoch} round \
         {highest_round} is signed or forbidden already"
    )]
    Vertex {
        epoch: Epoch,
        round: Round,
        highest_epoch: Epoch,
        highest_round: Round,
    },
    #[error("refused to sign statement {asked} of height {height}: {signed} is signed already")]
    Statement {
        height: Height,
        signed: StatementDigest,
        asked: StatementDigest,
    },
    #[error("refused to sign a statement of height {height}: all up to {floor} are forbidden")]
    HeightBelowFloor { height: Height, floor: Height },
    #[error("export of a signing guard: {0}")]
    Export(#[from] ExportError),
    /// Fatal: stop the node.
    #[error("signing guard {path}: write failed, nothing more is signed: {reason}")]
    Write { path: PathBuf, reason: String },
}

impl GuardError {
    /// Whether the node has to stop.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Write { .. })
    }
}

/// Memory of what was signed. Every `sign_` function returns once its record is on the disk.
#[derive(Debug)]
pub struct SigningGuard {
    path: PathBuf,
    /// Locked until it is closed.
    file: File,
    record: Record,
    poison: Option<String>,
}

impl SigningGuard {
    /// Makes the guard of a key, complete or not at all.
    ///
    /// # Errors
    /// When there is one already, or another process is making it.
    pub fn create(
        path: &Path,
        network: NetworkId,
        key: PublicKey,
        floor: GuardFloor,
    ) -> Result<Self, GuardError> {
        Self::create_with(path, Record::new(network, key, floor))
    }

    fn create_with(path: &Path, record: Record) -> Result<Self, GuardError> {
        let failed = |source| GuardError::Io {
            path: path.to_owned(),
            source,
        };
        // Only who holds the new file's lock looks whether there is a guard and moves the file
        // there, so that of two processes one finds the other's.
        let new = path.with_added_extension("new");
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let file = file.open(&new).map_err(failed)?;
        lock(&file, path)?;
        if path.try_exists().map_err(failed)? {
            return Err(GuardError::Exists(path.to_owned()));
        }
        file.set_len(0).map_err(failed)?;
        // Both slots, so that an empty one is damage.
        let before = Record {
            sequence: record.sequence - 1,
            ..record.clone()
        };
        slot::write(&file, &before).map_err(failed)?;
        slot::write(&file, &record).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&new, path).map_err(failed)?;
        sync_folder(path).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            record,
            poison: None,
        })
    }

    /// Opens the guard of a key, or makes it if there is none, and forbids all that an export says. What is
    /// forbidden already stays so. The guard counts as [moved](Self::is_moved) then.
    ///
    /// # Errors
    /// Those of [`open`](Self::open) but for a missing guard, and when the export is of another network or key.
    pub fn import(
        path: &Path,
        network: NetworkId,
        key: PublicKey,
        export: &GuardExport,
    ) -> Result<Self, GuardError> {
        export.check(network, key)?;
        match Self::open(path, network, key) {
            Err(GuardError::Missing(_)) => {
                let new = Record::new(network, key, GuardFloor::default());
                Self::create_with(path, new.importing(export.floor))
            }
            opened => {
                let mut guard = opened?;
                guard.advance(guard.record.importing(export.floor))?;
                Ok(guard)
            }
        }
    }

    /// Opens the guard of a key.
    ///
    /// # Errors
    /// When there is none, another process has it open, it is of another network or key, or it is
    /// damaged: then the newest record may be lost.
    pub fn open(path: &Path, network: NetworkId, key: PublicKey) -> Result<Self, GuardError> {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        let file = opened.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => GuardError::Missing(path.to_owned()),
            _ => GuardError::Io {
                path: path.to_owned(),
                source,
            },
        })?;
        lock(&file, path)?;
        let failed = |source| GuardError::Io {
            path: path.to_owned(),
            source,
        };
        let damaged = |reason: &str| GuardError::Damaged {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        // The length never changes after creation, so a torn write cannot have shortened it.
        let length = file.metadata().map_err(failed)?.len();
        if length != 2 * SLOT_BYTES as u64 {
            return Err(damaged(&format!(
                "it has {length} bytes, not {}",
                2 * SLOT_BYTES
            )));
        }
        let mut slots = vec![0; 2 * SLOT_BYTES];
        file.read_exact_at(&mut slots, 0).map_err(failed)?;
        let record = newest(&slots).map_err(|reason| damaged(&reason))?;
        let foreign = |what| {
            Err(GuardError::Foreign {
                path: path.to_owned(),
                what,
            })
        };
        if record.network != network {
            return foreign("network");
        }
        if record.key != key {
            return foreign("key");
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            record,
            poison: None,
        })
    }

    /// V3: records a vertex that is about to be signed. The identical vertex may be signed again.
    ///
    /// # Errors
    /// When something else was signed at this place or a later one, or the record cannot be written.
    pub fn sign_vertex(
        &mut self,
        epoch: Epoch,
        round: Round,
        digest: VertexDigest,
    ) -> Result<(), GuardError> {
        self.check_poison()?;
        match self.record.with_vertex(epoch, round, digest)? {
            Some(next) => self.advance(next),
            None => Ok(()),
        }
    }

    /// V3: records a statement that is about to be signed. The identical one may be signed again for
    /// as long as it is remembered.
    ///
    /// # Errors
    /// When another statement was signed for this height, the height is too old to be remembered, or
    /// the record cannot be written.
    pub fn sign_statement(
        &mut self,
        epoch: Epoch,
        height: Height,
        digest: StatementDigest,
    ) -> Result<(), GuardError> {
        self.check_poison()?;
        match self.record.with_statement(epoch, height, digest)? {
            Some(next) => self.advance(next),
            None => Ok(()),
        }
    }

    /// S1: whether it was imported, and nobody has been asked since what was signed.
    pub fn is_moved(&self) -> bool {
        self.record.moved
    }

    /// S1: forbids everything at or below the floor, which the others have been asked for. What is forbidden already
    /// stays so.
    pub fn raise_floor(&mut self, floor: GuardFloor) -> Result<(), GuardError> {
        self.check_poison()?;
        let mut next = self.record.clone();
        next.raise(floor);
        next.moved = false;
        self.advance(next)
    }

    /// The highest place at which a vertex was signed or is forbidden.
    pub fn highest_vertex(&self) -> Option<SignedVertex> {
        self.record.highest_vertex()
    }

    /// The height up to which no statement is signed but for those that are remembered above it.
    pub fn height_floor(&self) -> Height {
        self.record.height_floor()
    }

    /// The highest height at which a statement was signed or is forbidden; zero when none.
    pub fn highest_height(&self) -> Height {
        let signed = self.record.statements.last_key_value();
        signed.map_or(self.record.floor, |(height, _)| {
            self.record.floor.max(*height)
        })
    }

    /// Writes the next record into the slot that does not hold the current one.
    fn advance(&mut self, mut next: Record) -> Result<(), GuardError> {
        next.sequence += 1;
        let written = slot::write(&self.file, &next).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // After a failed sync nobody knows what the disk has, and another sync may not say.
            self.poison = Some(error.to_string());
            return self.check_poison();
        }
        self.record = next;
        Ok(())
    }

    fn check_poison(&self) -> Result<(), GuardError> {
        match &self.poison {
            None => Ok(()),
            Some(reason) => Err(GuardError::Write {
                path: self.path.clone(),
                reason: reason.clone(),
            }),
        }
    }
}

/// G3: the newest record, if both slots are as writing in turn leaves them.
fn newest(file: &[u8]) -> Result<Record, String> {
    let (even, odd) = file.split_at(SLOT_BYTES);
    match (slot::decode(even, 0), slot::decode(odd, SLOT_BYTES)) {
        (Slot::Damaged { from, to }, _) | (_, Slot::Damaged { from, to }) => Err(format!(
            "bytes {from} to {} are not what was written there",
            to - 1
        )),
        (Slot::Torn, Slot::Torn) => Err("neither slot is whole".to_owned()),
        (Slot::Whole(record), Slot::Torn) | (Slot::Torn, Slot::Whole(record)) => Ok(record),
        (Slot::Whole(a), Slot::Whole(b)) => match a.sequence.abs_diff(b.sequence) {
            1 => Ok(if a.sequence > b.sequence { a } else { b }),
            _ => Err(format!(
                "records {} and {} do not follow one another",
                a.sequence, b.sequence
            )),
        },
    }
}

fn lock(file: &File, path: &Path) -> Result<(), GuardError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => GuardError::Locked(path.to_owned()),
        TryLockError::Error(source) => GuardError::Io {
            path: path.to_owned(),
            source,
        },
    })
}

/// Makes a new name in the folder survive a power loss.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
