//! Secrets on disk: files that only their owner can read, and keystores that need a password as well.
//!
//! - [`Keystore`] is EIP-2335 (version 4): a node's own keys are written and read in it.
//! - [`web3::open`] reads the Web3 Secret Storage Definition (version 3), which wallets export.
//! - [`files`] writes a secret complete or not at all, and never over another.
//!
//! Both formats are the same three steps with other names: a slow hash of the password gives 32 bytes;
//! their second half and the ciphertext are hashed into a checksum that tells a wrong password; their first
//! half decrypts. What a file asks for is bounded before any of it is done ([`kdf`]), for keystores come from
//! elsewhere. No error shows a secret or a password.

mod cipher;
mod eip2335;
mod error;
pub mod files;
pub mod kdf;
mod password;
pub mod web3;

pub use eip2335::{Keystore, Sealing, is_keystore};
pub use error::KeystoreError;
pub use files::{FileError, KEYSTORE_BYTES_MAX};
pub use kdf::Kdf;
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Password, PasswordError};

/// 32 bytes that are wiped when they are dropped.
pub type Secret = zeroize::Zeroizing<[u8; 32]>;
