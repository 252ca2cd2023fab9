//! Key files of a node: one secret of 32 bytes in hexadecimal each, readable by their owner alone.
//! The key of the bond's owner is never here.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use weft_types::{bls, ed25519};
use zeroize::Zeroizing;

/// Signs vertices, and is the libp2p identity.
pub const VERTEX_KEY_FILE: &str = "vertex.key";
/// Signs finality.
pub const FINALITY_KEY_FILE: &str = "finality.key";

/// In the data folder: the vertex key that has never signed. Its first start makes the signing guard
/// and deletes this; without it a missing guard counts as lost (S1).
pub const NEW_KEY_FILE: &str = "never-signed";

/// A key file that cannot be used. None of the messages shows a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("key file {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "key file {path} can be read by others (mode {mode:03o}): `chmod 600 {path}`, and change the \
         key if somebody may have read it"
    )]
    Permissions { path: PathBuf, mode: u32 },
    #[error(
        "key file {missing} is missing beside {beside}: put it back from its copy, for a member needs both"
    )]
    Half { missing: PathBuf, beside: PathBuf },
    #[error("key file {0} does not hold 32 bytes in hexadecimal: put the right one there")]
    Malformed(PathBuf),
    #[error("key file {path} holds no valid {kind} key: put the right one there")]
    Invalid { path: PathBuf, kind: &'static str },
    #[error("{0} exists already: a key is never overwritten")]
    Exists(PathBuf),
}

/// The two keys that a masternode signs with.
#[derive(Debug, Clone)]
pub struct NodeKeys {
    pub vertex: ed25519::SecretKey,
    pub finality: bls::SecretKey,
}

impl NodeKeys {
    /// New keys from the operating system's entropy.
    pub fn generate() -> Self {
        let entropy = || Zeroizing::new(rand::random::<[u8; 32]>());
        Self {
            vertex: ed25519::SecretKey::from_seed(*entropy()),
            finality: bls::SecretKey::from_entropy(&entropy()),
        }
    }

    /// Writes both files into the folder, which is made if it is missing.
    pub fn save(&self, folder: &Path) -> Result<(), KeyError> {
        write_secret(&folder.join(VERTEX_KEY_FILE), &self.vertex.seed())?;
        write_secret(&folder.join(FINALITY_KEY_FILE), &self.finality.to_bytes())
    }

    /// Says in a node's data folder, which is made if it is missing, that these keys have never signed
    /// anything. To be said only where they are made.
    pub fn mark_new(&self, data: &Path) -> Result<(), KeyError> {
        let path = data.join(NEW_KEY_FILE);
        fs::create_dir_all(data)
            .and_then(|()| fs::write(&path, format!("{}\n", self.vertex.public())))
            .map_err(|source| KeyError::Io { path, source })
    }

    /// Whether these keys were said never to have signed.
    pub fn are_new(&self, data: &Path) -> bool {
        let said = fs::read_to_string(data.join(NEW_KEY_FILE));
        said.is_ok_and(|key| key.trim() == self.vertex.public().to_string())
    }

    /// Takes it back, for a key that has a signing guard.
    pub fn no_longer_new(&self, data: &Path) -> Result<(), KeyError> {
        let path = data.join(NEW_KEY_FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(KeyError::Io { path, source })
            }
            _ => Ok(()),
        }
    }

    /// Reads both files; `None` when the folder has neither.
    pub fn load(folder: &Path) -> Result<Option<Self>, KeyError> {
        let vertex = folder.join(VERTEX_KEY_FILE);
        let finality = folder.join(FINALITY_KEY_FILE);
        let half = |missing, beside| Err(KeyError::Half { missing, beside });
        match (vertex.exists(), finality.exists()) {
            (true, true) => {}
            (false, false) => return Ok(None),
            (false, true) => return half(vertex, finality),
            (true, false) => return half(finality, vertex),
        }
        let seed = read_secret(&vertex)?;
        let scalar = read_secret(&finality)?;
        Ok(Some(Self {
            vertex: ed25519::SecretKey::from_seed(*seed),
            finality: bls::SecretKey::from_bytes(&scalar).map_err(|_| KeyError::Invalid {
                path: finality,
                kind: "BLS",
            })?,
        }))
    }
}

/// Writes a secret that did not exist before, with mode 0600 from its first moment, and syncs it.
pub fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<(), KeyError> {
    let io = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io)?;
    }
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
        _ => io(source),
    })?;
    let text = Zeroizing::new(format!("{}\n", hex::encode(secret)));
    file.write_all(text.as_bytes()).map_err(io)?;
    file.sync_all().map_err(io)
}

/// Reads a secret; refuses a file that others could have read.
pub fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let io = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), secret.as_mut())
        .map_err(|_| KeyError::Malformed(path.to_owned()))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_files_and_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate();
        keys.save(folder.path()).unwrap();
        let read = NodeKeys::load(folder.path()).unwrap().unwrap();
        assert_eq!(read.vertex.public(), keys.vertex.public());
        assert_eq!(read.finality.public(), keys.finality.public());
        assert!(matches!(keys.save(folder.path()), Err(KeyError::Exists(_))));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_cure() {
        let folder = tempfile::tempdir().unwrap();
        NodeKeys::generate().save(folder.path()).unwrap();
        let path = folder.path().join(FINALITY_KEY_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = NodeKeys::load(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("mode 640") && error.contains("chmod 600"),
            "{error}"
        );
    }

    #[test]
    fn no_keys_is_no_error_but_one_missing_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(NodeKeys::load(folder.path()).unwrap().is_none());
        for missing in [VERTEX_KEY_FILE, FINALITY_KEY_FILE] {
            let folder = tempfile::tempdir().unwrap();
            NodeKeys::generate().save(folder.path()).unwrap();
            fs::remove_file(folder.path().join(missing)).unwrap();
            let error = NodeKeys::load(folder.path()).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{missing} is missing beside")),
                "{error}"
            );
        }
    }

    #[test]
    fn malformed_keys_are_refused_without_showing_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        write_secret(&path, &[0xab; 32]).unwrap();
        fs::write(&path, "abab not a key").unwrap();
        let error = read_secret(&path).unwrap_err().to_string();
        assert!(
            error.contains("32 bytes") && !error.contains("abab"),
            "{error}"
        );
    }
}
