//! The files of vouchers: what is secret for its owner alone, what goes between holder and issuer for everybody to read.

use crate::failure::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;
use weft_keystore::{FileError, files};
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Blinding, IssuerKey, NetworkId, UserKey, VoucherError, VoucherKey, VoucherPoint,
};
use zeroize::{Zeroize, Zeroizing};

/// Longest file in bytes.
const BYTES_MAX: usize = 4_096;

/// 32 secret bytes as hexadecimal digits, wiped when they are dropped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digits(String);

impl Digits {
    pub fn of(bytes: &[u8; 32]) -> Self {
        Self(hex::encode(bytes))
    }

    fn bytes(&self) -> Option<Zeroizing<[u8; 32]>> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(&self.0, bytes.as_mut()).ok()?;
        Some(bytes)
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// An issuer's: signs for one pool of one network, and for nothing else.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolFile {
    pub network: NetworkId,
    blind_key: Digits,
}

/// A holder's, while the issuer has not answered.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenFile {
    pub network: NetworkId,
    pub key: VoucherKey,
    /// Of the account that will spend the voucher.
    pub account_key: Digits,
    blinding: Digits,
}

/// For the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub network: NetworkId,
    pub key: VoucherKey,
    pub blinded: VoucherPoint,
}

/// The issuer's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub network: NetworkId,
    pub key: VoucherKey,
    pub signed: VoucherPoint,
}

/// A voucher, and the key of the account that it is for: whoever has the file has what it pays.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherFile {
    pub network: NetworkId,
    pub key: VoucherKey,
    pub account_key: Digits,
    pub voucher: VoucherPoint,
}

fn damaged(what: &str) -> Failure {
    Failure::usage(format!("the file's {what} is no secret of this kind"))
}

/// The key of an account that is for one voucher.
pub fn account_key(digits: &Digits) -> Result<UserKey, Failure> {
    let seed = digits.bytes().ok_or_else(|| damaged("account key"))?;
    Ok(UserKey::Ed25519(SecretKey::from_seed(*seed)))
}

impl PoolFile {
    pub fn new(network: NetworkId, key: &IssuerKey) -> Self {
        Self {
            network,
            blind_key: Digits::of(&key.to_bytes()),
        }
    }

    pub fn key(&self) -> Result<IssuerKey, Failure> {
        let bytes = self.blind_key.bytes();
        let key = bytes.and_then(|b| IssuerKey::from_bytes(&b).ok());
        key.ok_or_else(|| damaged("blind key"))
    }
}

impl HiddenFile {
    /// With an account and a factor of its own.
    pub fn draw(network: NetworkId, key: VoucherKey) -> Self {
        let seed = Zeroizing::new(rand::random());
        let blinding = Blinding::draw(rand::random);
        Self {
            network,
            key,
            account_key: Digits::of(&seed),
            blinding: Digits::of(&blinding.to_bytes()),
        }
    }

    fn parts(&self) -> Result<(Address, Blinding), Failure> {
        let bytes = self.blinding.bytes();
        let blinding = bytes.and_then(|b| Blinding::from_bytes(&b).ok());
        let blinding = blinding.ok_or_else(|| damaged("blinding"))?;
        Ok((account_key(&self.account_key)?.address(), blinding))
    }

    pub fn request(&self) -> Result<Request, Failure> {
        let (account, blinding) = self.parts()?;
        Ok(Request {
            network: self.network,
            key: self.key,
            blinded: blinding.blind(self.network, &self.key, account),
        })
    }

    /// What the issuer has signed, without the blinding.
    pub fn unblind(self, answer: &Signed) -> Result<VoucherFile, Failure> {
        let (account, blinding) = self.parts()?;
        let voucher = blinding.unblind(self.network, &self.key, account, &answer.signed);
        let voucher = voucher.map_err(|error| {
            let hint = match error {
                VoucherError::NotSigned => "the answer is to another request, or the issuer cheats",
                _ => "the answer is damaged, or the issuer cheats",
            };
            Failure::usage(error).hint(hint)
        })?;
        Ok(VoucherFile {
            network: self.network,
            key: self.key,
            account_key: self.account_key,
            voucher,
        })
    }
}

fn malformed(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::usage(format!(
        "{} is no file of this kind: {error}",
        path.display()
    ))
}

/// A secret's file, which nobody else may have been able to read.
pub fn read_secret<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = files::read_private(path, BYTES_MAX).map_err(Failure::usage)?;
    serde_json::from_slice(&text).map_err(|e| malformed(path, e))
}

/// Makes a secret's file; one that exists stays as it is.
pub fn write_secret<T: Serialize>(path: &Path, secret: &T) -> Result<(), Failure> {
    let text = serde_json::to_vec_pretty(secret).map_err(|e| malformed(path, e))?;
    let text = Zeroizing::new(text);
    files::write_private(path, &text).map_err(|error| {
        let exists = matches!(error, FileError::Exists(_));
        match exists {
            true => Failure::usage(error).hint("name another file with --out FILE"),
            false => Failure::usage(error),
        }
    })
}

pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let named = |e: std::io::Error| Failure::usage(format!("{}: {e}", path.display()));
    let file = std::fs::File::open(path).map_err(named)?;
    let mut text = Vec::new();
    let mut file = std::io::Read::take(file, BYTES_MAX as u64);
    std::io::Read::read_to_end(&mut file, &mut text).map_err(named)?;
    serde_json::from_slice(&text).map_err(|e| malformed(path, e))
}

pub fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|e| malformed(path, e))?;
    text.push('\n');
    let named = |e: std::io::Error| Failure::usage(format!("{}: {e}", path.display()));
    std::fs::write(path, text).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voucher_goes_through_the_files_of_holder_and_issuer() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let network = NetworkId([9; 32]);
        let issuer = IssuerKey::from_entropy(&[1; 32]);
        write_secret(&path("pool"), &PoolFile::new(network, &issuer)).unwrap();
        let hidden = HiddenFile::draw(network, issuer.public());
        write(&path("request"), &hidden.request().unwrap()).unwrap();
        write_secret(&path("hidden"), &hidden).unwrap();
        assert!(write_secret(&path("hidden"), &hidden).is_err());

        let pool: PoolFile = read_secret(&path("pool")).unwrap();
        let request: Request = read(&path("request")).unwrap();
        let answer = Signed {
            network,
            key: request.key,
            signed: pool.key().unwrap().sign(&request.blinded).unwrap(),
        };
        let hidden: HiddenFile = read_secret(&path("hidden")).unwrap();
        let voucher = hidden.unblind(&answer).unwrap();
        let account = account_key(&voucher.account_key).unwrap().address();
        let key = issuer.public();
        assert!(key.verify(network, account, &voucher.voucher));
        assert!(read_secret::<HiddenFile>(&path("request")).is_err());

        let other = HiddenFile::draw(network, issuer.public());
        let refused = other.unblind(&answer).err().unwrap();
        assert!(refused.message.contains("not what was asked for"));
    }
}
