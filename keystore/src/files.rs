//! Files that hold secrets: of mode 0600 from their first moment, complete or not there, never written
//! over another.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Of a keystore's file.
pub const KEYSTORE_BYTES_MAX: usize = 64 << 10;

/// What is wrong with the file of a secret.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{path} can be read by others (mode {mode:03o}): `chmod 600 {path}`, and change what is in it if \
         somebody may have read it"
    )]
    Permissions { path: PathBuf, mode: u32 },
    #[error("{0} exists already, and is never overwritten")]
    Exists(PathBuf),
    #[error("{path} has more than {max} bytes")]
    Long { path: PathBuf, max: usize },
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io {
        path: path.clone(),
        source,
    }
}

/// Writes a file that did not exist before, in a folder that is made if it is missing. After a crash
/// it is there with all its bytes or not at all; then what is left is a file whose name ends in `.new`, which
/// the next attempt replaces.
///
/// # Errors
/// [`FileError::Exists`] when there is one by that name, which stays as it is.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed(folder))?;
    if path.symlink_metadata().is_ok() {
        return Err(FileError::Exists(path.to_owned()));
    }
    let new = path.with_added_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&new)(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&new);
    let mut file = file.map_err(failed(&new))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // A link, and not a rename: it fails where there is a file by now.
    let linked = written.and_then(|()| fs::hard_link(&new, path));
    // Whatever came of it, nothing of the secret stays under the other name.
    let removed = fs::remove_file(&new);
    linked.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.to_owned()),
        _ => failed(path)(source),
    })?;
    removed.map_err(failed(&new))?;
    let synced = File::open(folder).and_then(|f| f.sync_all());
    synced.map_err(failed(folder))
}

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// Also when others than its owner could have read it.
pub fn read_private(path: &Path, max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let io = failed(path);
    let file = File::open(path).map_err(&io)?;
    // Of the open file, so that it is the one that is read.
    let mode = file.metadata().map_err(&io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FileError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(max.saturating_add(1).min(1 << 16)));
    let read = file.take(max as u64 + 1).read_to_end(&mut bytes);
    read.map_err(&io)?;
    if bytes.len() > max {
        return Err(FileError::Long {
            path: path.to_owned(),
            max,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_once_whole_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/key");
        write_private(&path, b"secret").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(read_private(&path, 6).unwrap().as_slice(), b"secret");
        let again = write_private(&path, b"other");
        assert!(matches!(again, Err(FileError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_behind_is_replaced_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(folder.path().join("key.new"), "half").unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        let through = write_private(&link, b"secret");
        assert!(matches!(through, Err(FileError::Exists(_))));
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn a_file_of_others_or_of_another_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_private(&path, b"secret").unwrap();
        let long = read_private(&path, 5);
        assert!(matches!(long, Err(FileError::Long { max: 5, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let open = read_private(&path, 6).unwrap_err().to_string();
        assert!(
            open.contains("mode 640") && open.contains("chmod 600"),
            "{open}"
        );
    }
}
