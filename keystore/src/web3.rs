//! The Web3 Secret Storage Definition, version 3: what wallets export an account's key as. Only read here.

use crate::cipher::IV_BYTES;
use crate::eip2335::{known, parse};
use crate::error::KeystoreError;
use crate::kdf::{Params, array};
use crate::{Password, Secret};
use serde::Deserialize;
use sha3::{Digest as _, Keccak256};

const CIPHER: &str = "aes-128-ctr";

#[derive(Deserialize)]
struct Web3Keystore {
    /// Some wallets write it with a capital.
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    version: u64,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: Params,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

/// Unlocks the secret of a keystore. The password counts as it was typed: this format normalises nothing.
///
/// # Errors
/// [`KeystoreError::Password`] when the checksum does not fit, or what is wrong with the text.
pub fn open(text: &[u8], password: &Password) -> Result<Secret, KeystoreError> {
    let read: Web3Keystore = parse(text)?;
    if read.version != 3 {
        return Err(KeystoreError::Unsupported {
            what: "version",
            found: read.version.to_string(),
            known: "version 3",
        });
    }
    let crypto = read.crypto;
    known("cipher", &crypto.cipher, CIPHER)?;
    let iv: [u8; IV_BYTES] = array("initialisation vector", &crypto.cipherparams.iv)?;
    let expected: [u8; 32] = array("mac", &crypto.mac)?;
    let mut secret = Secret::new(array("ciphertext", &crypto.ciphertext)?);
    let key = crypto.kdfparams.derive(&crypto.kdf, password.as_typed())?;
    let mut hasher = Keccak256::new();
    hasher.update(key.checking());
    hasher.update(*secret);
    if <[u8; 32]>::from(hasher.finalize()) != expected {
        return Err(KeystoreError::Password);
    }
    key.apply(&iv, &mut secret);
    Ok(secret)
}

#[cfg(test)]
mod tests;
