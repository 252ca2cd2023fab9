//! EIP-2335: a keystore of version 4.
//!
//! The EIP is for BLS keys; nothing in its bytes depends on the curve, so vertex keys (Ed25519) are kept in it
//! too, with their own public key in `pubkey`.

use crate::cipher::{DerivedKey, IV_BYTES};
use crate::error::KeystoreError;
use crate::kdf::{Kdf, Params, SALT_BYTES, array};
use crate::{Password, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const VERSION: u64 = 4;
const CHECKSUM: &str = "sha256";
const CIPHER: &str = "aes-128-ctr";

/// A keystore as it is written. Reading one computes nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keystore {
    crypto: Crypto,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default)]
    pubkey: String,
    path: String,
    uuid: String,
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Crypto {
    kdf: Module<Params>,
    checksum: Module<Empty>,
    cipher: Module<Iv>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Module<P> {
    function: String,
    params: P,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Empty {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Iv {
    iv: String,
}

/// What a secret is locked with, and what the file says about it openly.
#[derive(Debug, Clone, Copy)]
pub struct Sealing<'a> {
    pub password: &'a Password,
    pub kdf: Kdf,
    pub public_key: &'a [u8],
    pub description: &'a str,
}

impl Keystore {
    /// Locks a secret, with salt and initialisation vector from the operating system.
    ///
    /// # Errors
    /// When the cost of the function is out of range.
    pub fn seal(secret: &Secret, sealing: &Sealing<'_>) -> Result<Self, KeystoreError> {
        let params = Params::new(sealing.kdf, &rand::random::<[u8; SALT_BYTES]>());
        let function = params.function();
        let key = sealing.password.derive(&params, function)?;
        let iv: [u8; IV_BYTES] = rand::random();
        let mut message = **secret;
        key.apply(&iv, &mut message);
        Ok(Self {
            crypto: Crypto {
                checksum: Module {
                    function: CHECKSUM.to_owned(),
                    params: Empty {},
                    message: hex::encode(checksum(&key, &message)),
                },
                cipher: Module {
                    function: CIPHER.to_owned(),
                    params: Iv {
                        iv: hex::encode(iv),
                    },
                    message: hex::encode(message),
                },
                kdf: Module {
                    function: function.to_owned(),
                    params,
                    message: String::new(),
                },
            },
            description: sealing.description.to_owned(),
            pubkey: hex::encode(sealing.public_key),
            path: String::new(),
            uuid: random_uuid(),
            version: VERSION,
        })
    }

    /// # Errors
    /// When the text is none of version 4.
    pub fn from_json(text: &[u8]) -> Result<Self, KeystoreError> {
        let read: Self = parse(text)?;
        if read.version != VERSION {
            return Err(KeystoreError::Unsupported {
                what: "version",
                found: read.version.to_string(),
                known: "version 4",
            });
        }
        Ok(read)
    }

    /// # Panics
    /// Never: all of it has a JSON form.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a keystore has a JSON form")
    }

    /// What the file says of the public key. Whoever opens it has to compare.
    ///
    /// # Errors
    /// When it is no hexadecimal.
    pub fn public_key(&self) -> Result<Vec<u8>, KeystoreError> {
        crate::kdf::bytes("pubkey", &self.pubkey)
    }

    /// Unlocks the secret. Takes as long as the file's function does.
    ///
    /// # Errors
    /// [`KeystoreError::Password`] when the checksum does not fit, or what is wrong with the file.
    pub fn open(&self, password: &Password) -> Result<Secret, KeystoreError> {
        let Crypto {
            kdf,
            checksum: check,
            cipher,
        } = &self.crypto;
        known("checksum", &check.function, CHECKSUM)?;
        known("cipher", &cipher.function, CIPHER)?;
        let iv: [u8; IV_BYTES] = array("initialisation vector", &cipher.params.iv)?;
        let expected: [u8; 32] = array("checksum", &check.message)?;
        let mut secret = Secret::new(array("ciphertext", &cipher.message)?);
        let key = password.derive(&kdf.params, &kdf.function)?;
        if checksum(&key, &secret) != expected {
            return Err(KeystoreError::Password);
        }
        key.apply(&iv, &mut secret);
        Ok(secret)
    }
}

/// Whether a text looks like a keystore of some kind, and not like a plain key.
pub fn is_keystore(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}

/// What is no object is not handed to the parser, whose errors may quote it: it may be a plain key.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, KeystoreError> {
    if !is_keystore(text) {
        return Err(KeystoreError::Malformed("it is no JSON object".to_owned()));
    }
    serde_json::from_slice(text).map_err(|error| KeystoreError::Malformed(error.to_string()))
}

pub(crate) fn known(
    what: &'static str,
    found: &str,
    known: &'static str,
) -> Result<(), KeystoreError> {
    if found == known {
        return Ok(());
    }
    Err(KeystoreError::Unsupported {
        what,
        found: found.to_owned(),
        known,
    })
}

fn checksum(key: &DerivedKey, message: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(key.checking());
    hasher.update(message);
    hasher.finalize().into()
}

/// RFC 4122, version 4.
fn random_uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests;
