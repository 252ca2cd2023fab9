//! Key files of a node, readable by their owner alone: keystores that a password opens, or, for testnets, plain
//! files of 32 bytes in hexadecimal. The key of the bond's owner is never here.

mod keystores;

pub use keystores::{FINALITY_KEYSTORE_FILE, Keystores, Made, VERTEX_KEYSTORE_FILE};

use crate::config::NodeConfig;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use weft_keystore::{FileError, KeystoreError, Password, PasswordError, files};
use weft_types::{bls, ed25519};
use zeroize::Zeroizing;

/// Signs vertices, and is the libp2p identity.
pub const VERTEX_KEY_FILE: &str = "vertex.key";
/// Signs finality.
pub const FINALITY_KEY_FILE: &str = "finality.key";

/// In the data folder: the vertex key that has never signed. Its first start makes the signing guard
/// and deletes this; without it a missing guard counts as lost (S1).
pub const NEW_KEY_FILE: &str = "never-signed";

/// Of a file with a plain key.
const PLAIN_BYTES_MAX: usize = 256;

/// A key file that cannot be used. None of the messages shows a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("key file {0}")]
    File(#[from] FileError),
    #[error(
        "key file {missing} is missing beside {beside}: put it back from its copy, for a member needs both"
    )]
    Half { missing: PathBuf, beside: PathBuf },
    #[error("there are plain keys and keystores in {0}: move those away that are not to be used")]
    Both(PathBuf),
    #[error("key file {0} does not hold 32 bytes in hexadecimal: put the right one there")]
    Malformed(PathBuf),
    #[error("key file {path} holds no valid {kind} key: put the right one there")]
    Invalid { path: PathBuf, kind: &'static str },
    #[error("keystore {path} cannot be opened: {source}")]
    Keystore {
        path: PathBuf,
        source: KeystoreError,
    },
    #[error("keystore {0} holds another key than the public one in it: put the right one there")]
    OtherKey(PathBuf),
    #[error(
        "the keys in {0} are keystores: name a file with their password, `password_file` in weft.toml or \
         --password-file FILE"
    )]
    Locked(PathBuf),
    #[error("password: {0}")]
    Password(#[from] PasswordError),
}

/// The two keys that a masternode signs with.
#[derive(Debug, Clone)]
pub struct NodeKeys {
    pub vertex: ed25519::SecretKey,
    pub finality: bls::SecretKey,
}

/// What a folder has in the way of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFiles {
    Plain,
    Keystores,
}

impl KeyFiles {
    /// `None` when there are no keys.
    ///
    /// # Errors
    /// When there are some of both kinds, or half of one.
    pub fn find(folder: &Path) -> Result<Option<Self>, KeyError> {
        let plain = pair(folder, VERTEX_KEY_FILE, FINALITY_KEY_FILE);
        let sealed = pair(folder, VERTEX_KEYSTORE_FILE, FINALITY_KEYSTORE_FILE);
        match (plain, sealed) {
            (Ok(false), Ok(false)) => Ok(None),
            (plain, Ok(false)) => plain.map(|_| Some(Self::Plain)),
            (Ok(false), sealed) => sealed.map(|_| Some(Self::Keystores)),
            _ => Err(KeyError::Both(folder.to_owned())),
        }
    }
}

/// Whether both files are there; half of them is an error.
fn pair(folder: &Path, vertex: &str, finality: &str) -> Result<bool, KeyError> {
    let [vertex, finality] = [vertex, finality].map(|name| folder.join(name));
    let half = |missing, beside| Err(KeyError::Half { missing, beside });
    match (vertex.exists(), finality.exists()) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (false, true) => half(vertex, finality),
        (true, false) => half(finality, vertex),
    }
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

    /// Writes both plain files into the folder, which is made if it is missing.
    pub fn save(&self, folder: &Path) -> Result<(), KeyError> {
        write_secret(&folder.join(VERTEX_KEY_FILE), &self.vertex.seed())?;
        write_secret(&folder.join(FINALITY_KEY_FILE), &self.finality.to_bytes())
    }

    /// Says in a node's data folder, which is made if it is missing, that these keys have never signed
    /// anything. To be said only where they are made.
    pub fn mark_new(&self, data: &Path) -> Result<(), KeyError> {
        mark_new(data, &self.vertex)
    }

    /// Whether these keys were said never to have signed.
    pub fn are_new(&self, data: &Path) -> bool {
        is_new(data, &self.vertex)
    }

    /// Takes it back, for a key that has a signing guard.
    pub fn no_longer_new(&self, data: &Path) -> Result<(), KeyError> {
        let path = data.join(NEW_KEY_FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FileError::Io { path, source }.into())
            }
            _ => Ok(()),
        }
    }

    /// The keys of a node as its settings have them; `None` when there are none.
    ///
    /// # Errors
    /// Also when they are keystores and no password is named.
    pub fn of(config: &NodeConfig) -> Result<Option<Self>, KeyError> {
        match KeyFiles::find(&config.keys)? {
            None => Ok(None),
            Some(KeyFiles::Plain) => Self::load(&config.keys),
            Some(KeyFiles::Keystores) => {
                let password = config.password_file.as_deref();
                let password = password.ok_or_else(|| KeyError::Locked(config.keys.clone()))?;
                let password = Password::read(password)?;
                Keystores::in_folder(&config.keys).open(&password).map(Some)
            }
        }
    }

    /// Reads both plain files; `None` when the folder has neither.
    pub fn load(folder: &Path) -> Result<Option<Self>, KeyError> {
        if !pair(folder, VERTEX_KEY_FILE, FINALITY_KEY_FILE)? {
            return Ok(None);
        }
        let seed = read_secret(&folder.join(VERTEX_KEY_FILE))?;
        let finality = folder.join(FINALITY_KEY_FILE);
        let scalar = read_secret(&finality)?;
        Ok(Some(Self {
            vertex: ed25519::SecretKey::from_seed(*seed),
            finality: finality_key(&finality, &scalar)?,
        }))
    }
}

/// The vertex key of a node, by what its files say openly where they are locked: no password is needed. `None`
/// when there are no keys.
pub fn public_vertex_key(config: &NodeConfig) -> Result<Option<ed25519::PublicKey>, KeyError> {
    match KeyFiles::find(&config.keys)? {
        None => Ok(None),
        Some(KeyFiles::Plain) => Ok(NodeKeys::load(&config.keys)?.map(|k| k.vertex.public())),
        Some(KeyFiles::Keystores) => Keystores::in_folder(&config.keys).vertex_key().map(Some),
    }
}

fn finality_key(path: &Path, scalar: &[u8; 32]) -> Result<bls::SecretKey, KeyError> {
    bls::SecretKey::from_bytes(scalar).map_err(|_| KeyError::Invalid {
        path: path.to_owned(),
        kind: "BLS",
    })
}

fn written(path: &Path, result: io::Result<()>) -> Result<(), KeyError> {
    let path = path.to_owned();
    result.map_err(|source| FileError::Io { path, source }.into())
}

fn mark_new(data: &Path, vertex: &ed25519::SecretKey) -> Result<(), KeyError> {
    let path = data.join(NEW_KEY_FILE);
    let write = || {
        fs::create_dir_all(data)?;
        let mut file = fs::File::create(&path)?;
        writeln!(file, "{}", vertex.public())?;
        file.sync_all()
    };
    written(&path, write())
}

fn is_new(data: &Path, vertex: &ed25519::SecretKey) -> bool {
    let said = fs::read_to_string(data.join(NEW_KEY_FILE));
    let said = said.unwrap_or_default();
    said.lines().next().map(str::trim) == Some(&vertex.public().to_string())
}

/// Says beside a new vertex key that its finality key was made as well: from now on it may be known to others, so that no
/// other one can take its place.
fn mark_whole(data: &Path, finality: &bls::PublicKey) -> Result<(), KeyError> {
    let path = data.join(NEW_KEY_FILE);
    let write = || {
        let mut file = fs::OpenOptions::new().append(true).open(&path)?;
        writeln!(file, "{}", hex::encode(finality.to_bytes()))?;
        file.sync_all()
    };
    written(&path, write())
}

/// Whether both keys are known to have been made.
fn were_whole(data: &Path) -> bool {
    let said = fs::read_to_string(data.join(NEW_KEY_FILE));
    said.is_ok_and(|said| said.lines().count() > 1)
}

/// Writes a plain secret that did not exist before, with mode 0600 from its first moment, and syncs it.
pub fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<(), KeyError> {
    let text = Zeroizing::new(format!("{}\n", hex::encode(secret)));
    Ok(files::write_private(path, text.as_bytes())?)
}

/// Reads a plain secret; refuses a file that others could have read.
pub fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let text = match files::read_private(path, PLAIN_BYTES_MAX) {
        Err(FileError::Long { path, .. }) => return Err(KeyError::Malformed(path)),
        read => read?,
    };
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii(), secret.as_mut())
        .map_err(|_| KeyError::Malformed(path.to_owned()))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_survive_their_files_and_are_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let keys = NodeKeys::generate();
        keys.save(folder.path()).unwrap();
        let read = NodeKeys::load(folder.path()).unwrap().unwrap();
        assert_eq!(read.vertex.public(), keys.vertex.public());
        assert_eq!(read.finality.public(), keys.finality.public());
        assert!(matches!(
            keys.save(folder.path()),
            Err(KeyError::File(FileError::Exists(_)))
        ));
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
