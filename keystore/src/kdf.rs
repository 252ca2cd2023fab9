//! The slow hash of a password. A file from elsewhere names its parameters, so they are bounded before
//! anything is computed: scrypt's memory to 512 MiB, and the time of both to some seconds.

use crate::cipher::DerivedKey;
use crate::error::KeystoreError;
use crate::{Password, Secret};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub const SALT_BYTES: usize = 32;
/// Both formats cut what is longer, so that nothing longer is ever asked for.
const KEY_BYTES: u64 = 32;
/// Of scrypt, `128 * n * r` bytes.
const MEMORY_MAX: u64 = 512 << 20;
/// Of scrypt, `n * r * p`: eight times what wallets usually take.
const WORK_MAX: u64 = 1 << 24;
const ROUNDS_MAX: u64 = 10_000_000;
/// Shorter salts are not random enough to keep two files apart, longer ones serve nothing.
const SALT: std::ops::RangeInclusive<u64> = 8..=256;

/// A function and its cost, without the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kdf {
    Scrypt { n: u64, r: u64, p: u64 },
    Pbkdf2 { c: u64 },
}

impl Kdf {
    /// What EIP-2335 and wallets use: 256 MiB of memory, about a second.
    pub const SCRYPT: Self = Self::Scrypt {
        n: 262_144,
        r: 8,
        p: 1,
    };
    /// For machines without that memory. Whoever has the file guesses faster.
    pub const PBKDF2: Self = Self::Pbkdf2 { c: 262_144 };
}

/// Parameters as both formats write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Params {
    Scrypt {
        dklen: u64,
        n: u64,
        p: u64,
        r: u64,
        salt: String,
    },
    Pbkdf2 {
        dklen: u64,
        c: u64,
        prf: String,
        salt: String,
    },
}

impl Params {
    pub fn new(kdf: Kdf, salt: &[u8; SALT_BYTES]) -> Self {
        let (dklen, salt) = (KEY_BYTES, hex::encode(salt));
        match kdf {
            Kdf::Scrypt { n, r, p } => Self::Scrypt {
                dklen,
                n,
                p,
                r,
                salt,
            },
            Kdf::Pbkdf2 { c } => Self::Pbkdf2 {
                dklen,
                c,
                prf: PRF.to_owned(),
                salt,
            },
        }
    }

    pub fn function(&self) -> &'static str {
        match self {
            Self::Scrypt { .. } => "scrypt",
            Self::Pbkdf2 { .. } => "pbkdf2",
        }
    }

    /// # Errors
    /// When the function is not the one that these are the parameters of, or they are out of range.
    pub fn derive(&self, function: &str, password: &[u8]) -> Result<DerivedKey, KeystoreError> {
        if function != self.function() {
            return Err(KeystoreError::Unsupported {
                what: "key derivation",
                found: function.to_owned(),
                known: "scrypt or pbkdf2 with the parameters of each",
            });
        }
        let mut key = Secret::default();
        match self {
            Self::Scrypt {
                dklen,
                n,
                p,
                r,
                salt,
            } => {
                let salt = common(*dklen, salt)?;
                scrypt::scrypt(password, &salt, &scrypt_params(*n, *r, *p)?, key.as_mut())
                    .map_err(|error| KeystoreError::Malformed(error.to_string()))?;
            }
            Self::Pbkdf2 {
                dklen,
                c,
                prf,
                salt,
            } => {
                let salt = common(*dklen, salt)?;
                if prf != PRF {
                    return Err(KeystoreError::Unsupported {
                        what: "pseudo-random function",
                        found: prf.clone(),
                        known: PRF,
                    });
                }
                let rounds = within("count of rounds", *c, 1, ROUNDS_MAX)?;
                let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
                pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, rounds, key.as_mut());
            }
        }
        Ok(DerivedKey(key))
    }
}

const PRF: &str = "hmac-sha256";

fn within(what: &'static str, found: u64, min: u64, max: u64) -> Result<u64, KeystoreError> {
    if (min..=max).contains(&found) {
        return Ok(found);
    }
    Err(KeystoreError::Range {
        what,
        found,
        min,
        max,
    })
}

/// The salt, with the length of the key checked.
fn common(dklen: u64, salt: &str) -> Result<Vec<u8>, KeystoreError> {
    within("length of the key", dklen, KEY_BYTES, KEY_BYTES)?;
    let bytes = bytes("salt", salt)?;
    within(
        "length of the salt",
        bytes.len() as u64,
        *SALT.start(),
        *SALT.end(),
    )?;
    Ok(bytes)
}

fn scrypt_params(n: u64, r: u64, p: u64) -> Result<scrypt::Params, KeystoreError> {
    within("scrypt n", n, 2, MEMORY_MAX / 128)?;
    within("scrypt r", r, 1, MEMORY_MAX / 256)?;
    within("scrypt p", p, 1, WORK_MAX)?;
    // Bounded above, so that no product overflows.
    within("scrypt memory", 128 * r * (n + p), 1, MEMORY_MAX)?;
    within("scrypt work", n * r * p, 1, WORK_MAX)?;
    if !n.is_power_of_two() {
        let reason = format!("its scrypt n is {n}, no power of two");
        return Err(KeystoreError::Malformed(reason));
    }
    let [r, p] = [r, p].map(|v| u32::try_from(v).unwrap_or(u32::MAX));
    scrypt::Params::new(n.ilog2() as u8, r, p)
        .map_err(|error| KeystoreError::Malformed(error.to_string()))
}

/// Hexadecimal of a bounded file; wallets put `0x` before some of it.
pub(crate) fn bytes(what: &str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text))
        .map_err(|error| KeystoreError::Malformed(format!("its {what} is no hexadecimal: {error}")))
}

/// The same of a length.
pub(crate) fn array<const N: usize>(what: &str, text: &str) -> Result<[u8; N], KeystoreError> {
    let bytes = bytes(what, text)?;
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| KeystoreError::Malformed(format!("its {what} has {length} bytes, not {N}")))
}

impl Password {
    pub(crate) fn derive(
        &self,
        params: &Params,
        function: &str,
    ) -> Result<DerivedKey, KeystoreError> {
        params.derive(function, self.normalised().as_bytes())
    }
}

#[cfg(test)]
mod tests;
