//! L49 to L52: vouchers, which are blind BLS signatures (Boldyreva 2003) with keys in G2 and signatures in G1 (*min-sig*).
//!
//! A voucher is the issuer's signature of an account's address. The holder multiplies the hash of the address by a
//! random factor, the issuer signs the product, and the holder divides the factor out again. The factor is uniform, and
//! so is what the issuer sees, whichever address is in it: nothing that it has seen tells the vouchers that it has signed
//! apart. `docs/adr/vouchers.md` has the argument, and what leaks by other ways.
//!
//! A key that signs blindly signs whatever it is given. So these keys are of another group than those of finality, under
//! tags of their own, one key is one pool, and it must not sign for anything else.

mod checks;
mod encoded;

pub(crate) use checks::verify_all;
pub use checks::{VOUCHER_CHECK_BYTES, VOUCHER_CHECKS_MAX};
pub(crate) use encoded::encoded;
pub use encoded::{VoucherKey, VoucherPoint};

use crate::hash::{Domain, blake3};
use crate::ids::{Address, NetworkId, VoucherPoolId};
use blst::{BLST_ERROR, MultiPoint as _, blst_scalar, min_sig as raw};
use k256::elliptic_curve::bigint::{Encoding as _, U256};
use std::fmt;
use zeroize::Zeroizing;

/// Of the hash to the curve, in the form that RFC 9380 asks for.
const VOUCHER_TAG: &[u8] = b"WEFT-V01-VOUCHER-BLS12381G1_XMD:SHA-256_SSWU_RO_";
const POSSESSION_TAG: &[u8] = b"WEFT-V01-VOUCHER-POSSESSION-BLS12381G1_XMD:SHA-256_SSWU_RO_";

/// Of both groups: a prime of 255 bits.
const ORDER: U256 =
    U256::from_be_hex("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
const ORDER_BITS: usize = 255;

/// Bytes that are no voucher's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VoucherError {
    #[error("not a point of the group that signatures are of, or the point at infinity")]
    Point,
    #[error("not signed by the pool's key, or not what was asked for")]
    NotSigned,
    #[error("secret is zero or not below the group's order")]
    Secret,
}

/// The secret that signs blindly. It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct IssuerKey(raw::SecretKey);

impl IssuerKey {
    /// By the key generation of the IETF draft.
    pub fn from_entropy(entropy: &[u8; 32]) -> Self {
        Self(raw::SecretKey::key_gen(entropy, &[]).expect("32 bytes are enough"))
    }

    /// From a scalar's 32 big-endian bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, VoucherError> {
        scalar(bytes).map(Self)
    }

    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    pub fn public(&self) -> VoucherKey {
        VoucherKey(self.0.sk_to_pk().compress())
    }

    /// L49: that who opens the pool has the key, for this network and account alone.
    pub fn prove(&self, network: NetworkId, issuer: Address) -> VoucherPoint {
        let message = possession(network, issuer, &self.public());
        VoucherPoint(self.0.sign(&message, POSSESSION_TAG, &[]).compress())
    }

    /// Signs what a holder has blinded, without knowing what it is.
    ///
    /// # Errors
    /// For a point that is none of the group: the product with it would tell something of the key.
    pub fn sign(&self, blinded: &VoucherPoint) -> Result<VoucherPoint, VoucherError> {
        let signed = times(in_group(blinded)?, &self.0);
        Ok(VoucherPoint(signed.compress()))
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerKey(of {:?})", self.public())
    }
}

/// What a holder hides the account with, for one voucher and never again. Wiped when it is dropped.
#[derive(Clone)]
pub struct Blinding(raw::SecretKey);

impl Blinding {
    /// Draws until the bytes are a factor, so that each is as likely as any other.
    pub fn draw(mut random: impl FnMut() -> [u8; 32]) -> Self {
        loop {
            let mut bytes = Zeroizing::new(random());
            bytes[0] &= 0x7f;
            if let Ok(factor) = Self::from_bytes(&bytes) {
                return factor;
            }
        }
    }

    /// From a scalar's 32 big-endian bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, VoucherError> {
        scalar(bytes).map(Self)
    }

    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// What the issuer is given.
    pub fn blind(&self, network: NetworkId, key: &VoucherKey, account: Address) -> VoucherPoint {
        let message = hashed(&message(network, key, account));
        VoucherPoint(times(message, &self.0).compress())
    }

    /// The voucher, from what the issuer has signed.
    ///
    /// # Errors
    /// When it has not signed what it was given, so that there is no voucher in it.
    pub fn unblind(
        &self,
        network: NetworkId,
        key: &VoucherKey,
        account: Address,
        signed: &VoucherPoint,
    ) -> Result<VoucherPoint, VoucherError> {
        let voucher = times(in_group(signed)?, &inverse(&self.0));
        let voucher = VoucherPoint(voucher.compress());
        match key.verify(network, account, &voucher) {
            true => Ok(voucher),
            false => Err(VoucherError::NotSigned),
        }
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding")
    }
}

impl VoucherKey {
    /// The pool of this key: there is one.
    pub fn pool(&self) -> VoucherPoolId {
        VoucherPoolId::derive(self)
    }

    /// L51: whether it is a voucher of this key's for the account.
    pub fn verify(&self, network: NetworkId, account: Address, voucher: &VoucherPoint) -> bool {
        self.signed(&message(network, self, account), VOUCHER_TAG, voucher)
    }

    /// L49: whether the issuer has the key.
    pub fn proven(&self, network: NetworkId, issuer: Address, proof: &VoucherPoint) -> bool {
        self.signed(&possession(network, issuer, self), POSSESSION_TAG, proof)
    }

    fn signed(&self, message: &[u8; 32], tag: &[u8], signature: &VoucherPoint) -> bool {
        let (Ok(key), Ok(signature)) = (
            raw::PublicKey::key_validate(&self.0),
            raw::Signature::uncompress(&signature.0),
        ) else {
            return false;
        };
        signature.verify(true, message, tag, &[], &key, false) == BLST_ERROR::BLST_SUCCESS
    }
}

fn message(network: NetworkId, key: &VoucherKey, account: Address) -> [u8; 32] {
    blake3(Domain::Voucher, &[&network.0, &key.pool().0, &account.0])
}

fn possession(network: NetworkId, issuer: Address, key: &VoucherKey) -> [u8; 32] {
    blake3(Domain::VoucherPool, &[&network.0, &issuer.0, &key.0])
}

/// The hash to the curve: what the key one would sign.
fn hashed(message: &[u8; 32]) -> raw::Signature {
    let mut one = [0; 32];
    one[31] = 1;
    let one = raw::SecretKey::from_bytes(&one).expect("one is below the order");
    one.sign(message, VOUCHER_TAG, &[])
}

fn in_group(point: &VoucherPoint) -> Result<raw::Signature, VoucherError> {
    raw::Signature::sig_validate(&point.0, true).map_err(|_| VoucherError::Point)
}

fn scalar(bytes: &[u8; 32]) -> Result<raw::SecretKey, VoucherError> {
    raw::SecretKey::from_bytes(bytes).map_err(|_| VoucherError::Secret)
}

/// In a time that does not depend on the factor: blst's own for one point.
fn times(point: raw::Signature, factor: &raw::SecretKey) -> raw::Signature {
    let factor: &blst_scalar = factor.into();
    [point].mult(&factor.b, ORDER_BITS).to_signature()
}

fn inverse(factor: &raw::SecretKey) -> raw::SecretKey {
    let bytes = Zeroizing::new(factor.to_bytes());
    let factor = Zeroizing::new(U256::from_be_slice(bytes.as_slice()));
    let (inverse, _) = factor.inv_odd_mod(&ORDER);
    let inverse = Zeroizing::new(inverse);
    let bytes = Zeroizing::new(inverse.to_be_bytes());
    raw::SecretKey::from_bytes(bytes.as_slice()).expect("all but zero have an inverse")
}

#[cfg(test)]
mod tests;
