//! The key that a user signs with: 32 bytes in hexadecimal, in a file that only its owner can read.

use crate::failure::Failure;
use std::path::{Path, PathBuf};
use weft_keystore::FileError;
use weft_node::{KeyError, read_secret, write_secret};
use weft_types::Address;
use weft_types::ed25519::SecretKey;

#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Who signs")]
pub struct Wallet {
    /// Key file of the account that signs, made by `weft account new`
    #[arg(long, value_name = "FILE", default_value = ".weft/wallet.key")]
    key: PathBuf,
}

impl Wallet {
    pub fn secret(&self) -> Result<SecretKey, Failure> {
        read_secret(&self.key)
            .map(|seed| SecretKey::from_seed(*seed))
            .map_err(|error| match &error {
                KeyError::File(FileError::Io { source, .. })
                    if source.kind() == std::io::ErrorKind::NotFound =>
                {
                    Failure::usage(error)
                        .hint("make one with `weft account new`, or name another with --key FILE")
                }
                _ => Failure::usage(error),
            })
    }

    /// The address given, else that of the key file.
    pub fn address_or_own(&self, address: Option<Address>) -> Result<Address, Failure> {
        match address {
            Some(address) => Ok(address),
            None => Ok(Address::of_key(&self.secret()?.public())),
        }
    }
}

/// Makes a key file; one that exists stays as it is.
pub fn create(path: &Path) -> Result<SecretKey, Failure> {
    let seed: [u8; 32] = rand::random();
    let key = SecretKey::from_seed(seed);
    match write_secret(path, &key.seed()) {
        Ok(()) => Ok(key),
        Err(error @ KeyError::File(FileError::Exists(_))) => {
            Err(Failure::usage(error).hint("name another file with --out FILE"))
        }
        Err(error) => Err(Failure::usage(error)),
    }
}
