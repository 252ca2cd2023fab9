//! The key that a user signs with, in a file that only its owner can read: an Ed25519 seed as 64 hexadecimal
//! digits, or another scheme's name, a colon and the key's digits.

use crate::failure::Failure;
use std::path::{Path, PathBuf};
use weft_keystore::{FileError, files};
use weft_types::ed25519::SecretKey;
use weft_types::{Address, UserKey, p256, secp256k1};
use zeroize::Zeroizing;

/// Longest key file in bytes.
const BYTES_MAX: usize = 128;

#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Who signs")]
pub struct Wallet {
    /// Key file of the account that signs, made by `weft account new`
    #[arg(long, value_name = "FILE", default_value = ".weft/wallet.key")]
    key: PathBuf,
}

/// How a key signs.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyScheme {
    /// The usual one, and the cheapest
    #[default]
    Ed25519,
    /// A key of the base chain (secp256k1) that signs a text, as wallets do with `personal_sign`
    Eip191,
    /// The same key, which signs typed data
    Eip712,
    /// P-256, as in passkeys and secure elements
    P256,
}

impl KeyScheme {
    /// `None` when the bytes are no key of this scheme.
    fn key(self, bytes: &[u8; 32]) -> Option<UserKey> {
        Some(match self {
            Self::Ed25519 => UserKey::Ed25519(SecretKey::from_seed(*bytes)),
            Self::Eip191 => UserKey::Eip191(secp256k1::SecretKey::from_bytes(bytes)?),
            Self::Eip712 => UserKey::Eip712(secp256k1::SecretKey::from_bytes(bytes)?),
            Self::P256 => UserKey::P256(p256::SecretKey::from_bytes(bytes)?),
        })
    }

    fn text(self, bytes: &[u8; 32]) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex::encode(bytes));
        Zeroizing::new(match self {
            Self::Ed25519 => format!("{}\n", *digits),
            Self::Eip191 => format!("eip191:{}\n", *digits),
            Self::Eip712 => format!("eip712:{}\n", *digits),
            Self::P256 => format!("p256:{}\n", *digits),
        })
    }

    /// The scheme's name and the digits.
    fn split(text: &str) -> Option<(Self, &str)> {
        let Some((name, digits)) = text.split_once(':') else {
            return Some((Self::Ed25519, text));
        };
        <Self as clap::ValueEnum>::from_str(name, false)
            .ok()
            .map(|scheme| (scheme, digits))
    }
}

/// The key that a file's text is.
fn parse(text: &[u8]) -> Option<UserKey> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    let (scheme, digits) = KeyScheme::split(text)?;
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits, bytes.as_mut()).ok()?;
    scheme.key(&bytes)
}

impl Wallet {
    pub fn secret(&self) -> Result<UserKey, Failure> {
        read(&self.key)
    }

    /// The address given, else that of the key file.
    pub fn address_or_own(&self, address: Option<Address>) -> Result<Address, Failure> {
        match address {
            Some(address) => Ok(address),
            None => Ok(self.secret()?.address()),
        }
    }
}

/// The key in a file.
pub fn read(path: &Path) -> Result<UserKey, Failure> {
    let malformed = || {
        let path = path.display();
        let expected = "64 hexadecimal digits, or a scheme, a colon and these";
        Failure::usage(format!("{path} holds no key: {expected}"))
    };
    let text = files::read_private(path, BYTES_MAX).map_err(|error| match &error {
        FileError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Failure::usage(error)
                .hint("make one with `weft account new`, or name another with --key FILE")
        }
        FileError::Long { .. } => malformed(),
        _ => Failure::usage(error),
    })?;
    parse(&text).ok_or_else(malformed)
}

/// Makes a key file; one that exists stays as it is.
pub fn create(path: &Path, scheme: KeyScheme) -> Result<UserKey, Failure> {
    // All but a few of 2^256 numbers are keys of any curve.
    let (bytes, key) = loop {
        let bytes = Zeroizing::new(rand::random::<[u8; 32]>());
        if let Some(key) = scheme.key(&bytes) {
            break (bytes, key);
        }
    };
    match files::write_private(path, scheme.text(&bytes).as_bytes()) {
        Ok(()) => Ok(key),
        Err(error @ FileError::Exists(_)) => {
            Err(Failure::usage(error).hint("name another file with --out FILE"))
        }
        Err(error) => Err(Failure::usage(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn a_key_of_each_scheme_survives_its_file_and_none_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        for scheme in KeyScheme::value_variants() {
            let path = folder.path().join(format!("{scheme:?}"));
            let made = create(&path, *scheme).unwrap();
            let wallet = Wallet { key: path.clone() };
            let read = wallet.secret().unwrap();
            assert_eq!(read.scheme(), made.scheme());
            assert_eq!(read.address(), made.address());
            assert!(create(&path, *scheme).is_err());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let digits = "11".repeat(32);
        assert!(parse(format!(" {digits}\n").as_bytes()).is_some());
        for text in [
            "",
            "eip191:",
            &digits[1..],
            &format!("{digits}00"),
            &format!("rsa:{digits}"),
            // No number below the curve's order.
            &format!("p256:{}", "00".repeat(32)),
            &format!("eip712:{}", "ff".repeat(32)),
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
