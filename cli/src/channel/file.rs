//! The file of a channel and one of its parties: `channel-ID-ADDRESS.json`, the party's book. A command holds its lock
//! from reading to writing, writes it whole or not at all, and never puts an older book in the place of a newer one:
//! what was signed must not be forgotten.

use crate::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use weft_types::{Address, Book, DealId};

/// Longest file: the longest list of items twice, in JSON.
const BYTES_MAX: u64 = 1 << 20;

/// A book on the disk, locked.
pub struct Kept {
    path: PathBuf,
    pub book: Book,
    /// Not on the disk yet.
    pub is_new: bool,
    _lock: File,
}

impl Kept {
    /// A party's book of a channel, or the one that `new` makes of it.
    pub async fn open<F>(
        folder: &Path,
        (deal, party): (&DealId, &Address),
        new: F,
    ) -> Result<Self, Failure>
    where
        F: AsyncFn() -> Result<Book, Failure>,
    {
        if !folder.exists() {
            // Where none is begun nothing is left behind.
            new().await?;
        }
        let (path, lock) = locked(folder, deal, party)?;
        let there = read(&path)?;
        let is_new = there.is_none();
        let book = match there {
            Some(book) => book,
            None => new().await?,
        };
        Ok(Self {
            path,
            book,
            is_new,
            _lock: lock,
        })
    }

    /// A book that was read before, as it is by now. No other is held meanwhile.
    pub fn again(folder: &Path, book: &Book) -> Result<Option<Self>, Failure> {
        let (path, lock) = locked(folder, &book.deal, &book.party())?;
        let book = read(&path)?;
        Ok(book.map(|book| Self {
            path,
            book,
            is_new: false,
            _lock: lock,
        }))
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

/// All books of a folder as they are by now, by their names, and what could not be read.
pub fn all(folder: &Path) -> Result<(Vec<Book>, Vec<Failure>), Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((vec![], vec![])),
        Err(error) => return Err(failed(folder, &error)),
    };
    let paths = entries.map(|entry| entry.map(|e| e.path()));
    let mut paths = paths
        .collect::<io::Result<Vec<PathBuf>>>()
        .map_err(|e| failed(folder, &e))?;
    paths.sort_unstable();
    let (mut books, mut failures) = (vec![], vec![]);
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_book = name.is_some_and(|n| n.starts_with("channel-") && n.ends_with(".json"));
        match is_book.then(|| read(&path)).transpose() {
            Ok(book) => books.extend(book.flatten()),
            Err(failure) => failures.push(failure),
        }
    }
    Ok((books, failures))
}

/// Where a party's book is, and its lock.
fn locked(folder: &Path, deal: &DealId, party: &Address) -> Result<(PathBuf, File), Failure> {
    let path = folder.join(format!("channel-{deal}-{party}.json"));
    let lock = lock(folder, &path)?;
    // Earlier builds had one file of a channel, whichever party's.
    let earlier = folder.join(format!("channel-{deal}.json"));
    let is_its = |book: &Book| book.party() == *party;
    if !path.exists() && read(&earlier)?.as_ref().is_some_and(is_its) {
        fs::rename(&earlier, &path).map_err(|e| failed(&path, &e))?;
    }
    Ok((path, lock))
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
        let of = (&deal, &user(1));
        let open = || Kept::open(folder.path(), of, async || Ok(book(deal)));
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
    async fn both_parties_of_a_channel_have_a_file_each_in_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        let deal = DealId([7; 32]);
        let terms = || (deal, user(1), testing::channel());
        for (of_taker, i) in [(false, 1), (true, 2)] {
            let new = async || Ok(Book::new(testing::network().id(), terms(), of_taker).unwrap());
            let kept = Kept::open(folder.path(), (&deal, &user(i)), new).await;
            kept.unwrap().save().unwrap();
        }
        fs::write(folder.path().join("channel-x.json"), "{}").unwrap();
        let (books, failures) = all(folder.path()).unwrap();
        let mut parties: Vec<_> = books.iter().map(Book::party).collect();
        parties.sort_unstable();
        let mut both = [user(1), user(2)];
        both.sort_unstable();
        assert_eq!((parties.as_slice(), failures.len()), (&both[..], 1));
        assert!(all(&folder.path().join("none")).unwrap().0.is_empty());
    }

    #[tokio::test]
    async fn the_file_of_an_earlier_build_is_its_partys_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let deal = DealId([7; 32]);
        let mut signed = book(deal);
        let state = signed.paying(AssetId::NATIVE, Amount(5)).unwrap();
        let key = UserKey::from(&testing::user_key(1));
        signed.offer(state, &key).unwrap();
        let earlier = folder.path().join(format!("channel-{deal}.json"));
        fs::write(&earlier, serde_json::to_vec(&signed).unwrap()).unwrap();
        let of =
            async |i| Kept::open(folder.path(), (&deal, &user(i)), async || Ok(book(deal))).await;
        assert_eq!(of(2).await.unwrap().book.signed, None);
        assert_eq!(of(1).await.unwrap().book, signed);
        assert!(!earlier.exists());
    }

    #[tokio::test]
    async fn what_is_no_book_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let deal = DealId([7; 32]);
        let path = folder
            .path()
            .join(format!("channel-{deal}-{}.json", user(1)));
        fs::write(&path, "{}").unwrap();
        let of = (&deal, &user(1));
        let opened = Kept::open(folder.path(), of, async || Ok(book(deal))).await;
        assert!(opened.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }
}
