//! A node's two keys as EIP-2335 keystores in its `keys` folder, both under one password.
//!
//! Making them can be interrupted anywhere and begun again: the vertex key is said to be new before it is
//! written, and only a vertex key that has never signed gets a finality key made for it. So a half that is left of
//! keys in use is never completed by another half.

use super::{
    FINALITY_KEY_FILE, KeyError, KeyFiles, NodeKeys, VERTEX_KEY_FILE, finality_key, is_new,
    mark_new, mark_whole, were_whole,
};
use std::path::{Path, PathBuf};
use weft_keystore::{
    KEYSTORE_BYTES_MAX, Kdf, Keystore, KeystoreError, Password, Sealing, Secret, files,
};
use weft_types::ed25519;
use zeroize::Zeroizing;

pub const VERTEX_KEYSTORE_FILE: &str = "vertex.json";
pub const FINALITY_KEYSTORE_FILE: &str = "finality.json";

/// What making keys found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Nothing: both are new.
    Both,
    /// A vertex key of an attempt that was interrupted.
    Rest,
    /// Both: nothing was made.
    Nothing,
}

/// The keystores of a folder.
#[derive(Debug, Clone)]
pub struct Keystores {
    vertex: PathBuf,
    finality: PathBuf,
}

impl Keystores {
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            vertex: folder.join(VERTEX_KEYSTORE_FILE),
            finality: folder.join(FINALITY_KEYSTORE_FILE),
        }
    }

    /// Opens both. Takes some two seconds and 256 MiB with the usual cost.
    ///
    /// # Errors
    /// When one is missing or no keystore, the password is not theirs, or a key is not the one that the file names.
    pub fn open(&self, password: &Password) -> Result<NodeKeys, KeyError> {
        Ok(NodeKeys {
            vertex: self.open_vertex(password)?,
            finality: self.open_finality(password)?,
        })
    }

    /// The vertex key that its file names. Opening the file is what proves it.
    pub fn vertex_key(&self) -> Result<ed25519::PublicKey, KeyError> {
        let public = read(&self.vertex)?.public_key();
        let public: Option<[u8; 32]> = public.ok().and_then(|bytes| bytes.try_into().ok());
        let public = public
            .map(ed25519::PublicKey)
            .filter(ed25519::PublicKey::is_valid);
        public.ok_or_else(|| KeyError::Invalid {
            path: self.vertex.clone(),
            kind: "Ed25519",
        })
    }

    /// Makes what is missing of both, and opens what is there, so that the password is known to fit all.
    ///
    /// # Errors
    /// When there are plain keys in the folder, or half a pair that is not known to be new; whatever is there stays.
    pub fn make(
        &self,
        data: &Path,
        password: &Password,
        kdf: Kdf,
    ) -> Result<(NodeKeys, Made), KeyError> {
        let folder = self.vertex.parent().unwrap_or(Path::new("."));
        let plain = [VERTEX_KEY_FILE, FINALITY_KEY_FILE].map(|name| folder.join(name));
        if plain.iter().any(|path| path.exists()) {
            return Err(KeyError::Both(folder.to_owned()));
        }
        let new = NodeKeys::generate();
        match KeyFiles::find(folder) {
            Ok(None) => {
                mark_new(data, &new.vertex)?;
                let public = new.vertex.public().0;
                let secret = Zeroizing::new(new.vertex.seed());
                seal(
                    &self.vertex,
                    &secret,
                    &public,
                    "vertex key (Ed25519)",
                    password,
                    kdf,
                )?;
                self.seal_finality(&new, password, kdf)?;
                mark_whole(data, &new.finality.public())?;
                Ok((self.open(password)?, Made::Both))
            }
            Err(KeyError::Half { missing, beside }) if beside == self.vertex => {
                let vertex = self.open_vertex(password)?;
                // One that was there may be bonded with, and was lost since.
                if !is_new(data, &vertex) || were_whole(data) {
                    return Err(KeyError::Half { missing, beside });
                }
                self.seal_finality(&new, password, kdf)?;
                mark_whole(data, &new.finality.public())?;
                Ok((self.open(password)?, Made::Rest))
            }
            found => {
                found?;
                let keys = self.open(password)?;
                if is_new(data, &keys.vertex) && !were_whole(data) {
                    mark_whole(data, &keys.finality.public())?;
                }
                Ok((keys, Made::Nothing))
            }
        }
    }

    fn seal_finality(&self, new: &NodeKeys, password: &Password, kdf: Kdf) -> Result<(), KeyError> {
        let public = new.finality.public().to_bytes();
        let secret = Zeroizing::new(new.finality.to_bytes());
        seal(
            &self.finality,
            &secret,
            &public,
            "finality key (BLS12-381)",
            password,
            kdf,
        )
    }

    fn open_vertex(&self, password: &Password) -> Result<ed25519::SecretKey, KeyError> {
        let (keystore, secret) = open(&self.vertex, password)?;
        let key = ed25519::SecretKey::from_seed(*secret);
        same_key(&self.vertex, &keystore, &key.public().0)?;
        Ok(key)
    }

    fn open_finality(&self, password: &Password) -> Result<weft_types::bls::SecretKey, KeyError> {
        let (keystore, secret) = open(&self.finality, password)?;
        let key = finality_key(&self.finality, &secret)?;
        same_key(&self.finality, &keystore, &key.public().to_bytes())?;
        Ok(key)
    }
}

fn seal(
    path: &Path,
    secret: &Secret,
    public_key: &[u8],
    what: &str,
    password: &Password,
    kdf: Kdf,
) -> Result<(), KeyError> {
    let sealing = Sealing {
        password,
        kdf,
        public_key,
        description: &format!("Weft masternode, {what}"),
    };
    let keystore = Keystore::seal(secret, &sealing).map_err(refused(path))?;
    let text = format!("{}\n", keystore.to_json());
    Ok(files::write_private(path, text.as_bytes())?)
}

fn read(path: &Path) -> Result<Keystore, KeyError> {
    let text = files::read_private(path, KEYSTORE_BYTES_MAX)?;
    Keystore::from_json(&text).map_err(refused(path))
}

fn open(path: &Path, password: &Password) -> Result<(Keystore, Secret), KeyError> {
    let keystore = read(path)?;
    let secret = keystore.open(password).map_err(refused(path))?;
    Ok((keystore, secret))
}

fn refused(path: &Path) -> impl FnOnce(KeystoreError) -> KeyError {
    let path = path.to_owned();
    |source| KeyError::Keystore { path, source }
}

/// A file whose public key is another's would be registered as that one.
fn same_key(path: &Path, keystore: &Keystore, public: &[u8]) -> Result<(), KeyError> {
    match keystore.public_key() {
        Ok(said) if said == public => Ok(()),
        _ => Err(KeyError::OtherKey(path.to_owned())),
    }
}

#[cfg(test)]
mod tests;
