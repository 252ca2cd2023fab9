//! The file of a channel: `channel-ID.json`, the party's book. A command holds its lock from reading to writing, writes
//! it whole or not at all, and never puts an older book in the place of a newer one: what was signed must not be
//! forgotten.

use crate::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use weft_types::{Book, DealId};

/// Longest file: the longest list of items twice, in JSON.
const BYTES_MAX: u64 = 1 << 20;

/// A book on the disk, locked.
pub struct Kept {
    path: PathBuf,
    pub book: Book,
    _lock: File,
}

impl Kept {
    /// The book of a channel, or the one that `new` makes of it.
    pub async fn open<F>(folder: &Path, deal: &DealId, new: F) -> Result<Self, Failure>
    where
        F: AsyncFnOnce() -> Result<Book, Failure>,
    {
        let path = folder.join(format!("channel-{deal}.json"));
        let lock = lock(folder, &path)?;
        let book = match read(&path)? {
            Some(book) => book,
            None => new().await?,
        };
        Ok(Self {
            path,
            book,
            _lock: lock,
        })
    }

    /// Synced: what is sent after it was written down before.
    pub fn save(&self) -> Result<(), Failure> {
        if let Some(there) = read(&self.path)?
            && order(&there) > order(&self.book)
        {
            return Err(Failure::usage(format_args!(
                "{} has a newer state by now, and stays as it is",
                self.path.display()
            )));
        }
        let new = self.path.with_added_extension("new");
        let json = serde_json::to_vec_pretty(&self.book).map_err(io::Error::from)?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&new).map_err(|e| failed(&new, &e))?;
        let written = file.write_all(&json).and_then(|()| file.sync_all());
        let renamed = written.and_then(|()| fs::rename(&new, &self.path));
        let folder = self.path.parent().filter(|f| !f.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let synced = renamed.and_then(|()| File::open(folder)?.sync_all());
        synced.map_err(|e| failed(&self.path, &e))
    }
}

/// How new a book is.
fn order(book: &Book) -> (u64, u64) {
    let signed = book.signed.as_ref().map_or(0, |s| s.version);
    (book.state().version, signed)
}

/// The book of a channel as it is by now, if there is a file of it.
pub fn look(folder: &Path, deal: &DealId) -> Result<Option<Book>, Failure> {
    read(&folder.join(format!("channel-{deal}.json")))
}

fn lock(folder: &Path, path: &Path) -> Result<File, Failure> {
    fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
    let path = path.with_extension("lock");
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(|e| failed(&path, &e))?;
    file.lock().map_err(|e| failed(&path, &e))?;
    Ok(file)
}

fn read(path: &Path) -> Result<Option<Book>, Failure> {
    let text = match fs::metadata(path) {
        Ok(there) if there.len() > BYTES_MAX => {
            let words = format!("{} is too long for a channel's file", path.display());
            return Err(Failure::usage(words));
        }
        Ok(_) => fs::read(path).map_err(|e| failed(path, &e))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    let book = serde_json::from_slice(&text);
    book.map(Some).map_err(|error| {
        Failure::usage(format_args!("{} is no channel's file: {error}", path.display()))
            .hint("nothing was written; a copy of the file from another place may be older than what you have signed")
    })
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format_args!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing::{self, user};
    use weft_types::{Amount, AssetId, UserKey};

    fn book(deal: DealId) -> Book {
        let terms = (deal, user(1), testing::channel());
        Book::new(testing::network().id(), terms, false).unwrap()
    }

    #[tokio::test]
    async fn a_book_is_kept_and_an_older_one_never_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let deal = DealId([7; 32]);
        let open = || Kept::open(folder.path(), &deal, async || Ok(book(deal)));
        let mut kept = open().await.unwrap();
        let old = kept.book.clone();
        let state = kept.book.paying(AssetId::NATIVE, Amount(5)).unwrap();
        let key = UserKey::from(&testing::user_key(1));
        kept.book.offer(state, &key).unwrap();
        kept.save().unwrap();
        let newer = kept.book.clone();
        kept.book = old;
        assert!(kept.save().is_err());
        drop(kept);
        assert_eq!(open().await.unwrap().book, newer);
    }

    #[tokio::test]
    async fn what_is_no_book_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let deal = DealId([7; 32]);
        let path = folder.path().join(format!("channel-{deal}.json"));
        fs::write(&path, "{}").unwrap();
        let opened = Kept::open(folder.path(), &deal, async || Ok(book(deal))).await;
        assert!(opened.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }
}
