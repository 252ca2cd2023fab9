//! ECDSA over secp256k1 and P-256, each key and signature in one form: keys compressed, signatures as r and s of
//! 32 bytes each, with s in the lower half of the order. Else anybody could negate the s of a signature.

/// Length of a public key in bytes.
pub const KEY_BYTES: usize = 33;

macro_rules! curve {
    ($curve:ident, $library:ident) => {
        pub mod $curve {
            use super::KEY_BYTES;
            use $library::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
            use $library::ecdsa::{Signature, SigningKey, VerifyingKey};

            /// Whether the signature is this key's over what has this hash.
            pub fn verify(key: &[u8], hash: &[u8; 32], signature: &[u8]) -> bool {
                // A first byte of 4 or 5 is another encoding of the same key.
                if key.len() != KEY_BYTES || !matches!(key[0], 2 | 3) {
                    return false;
                }
                let Ok(key) = VerifyingKey::from_sec1_bytes(key) else {
                    return false;
                };
                let Ok(signature) = Signature::from_slice(signature) else {
                    return false;
                };
                signature.normalize_s().is_none() && key.verify_prehash(hash, &signature).is_ok()
            }

            /// A signing key; it is wiped when it is dropped.
            #[derive(Clone)]
            pub struct SecretKey(SigningKey);

            impl SecretKey {
                /// `None` for bytes that are no number from 1 to below the curve's order.
                pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
                    SigningKey::from_bytes(bytes.into()).ok().map(Self)
                }

                pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
                    zeroize::Zeroizing::new(self.0.to_bytes().into())
                }

                /// Compressed.
                pub fn public(&self) -> Vec<u8> {
                    let point = self.0.verifying_key().to_encoded_point(true);
                    point.as_bytes().to_vec()
                }

                /// The nonce is RFC 6979's.
                ///
                /// # Panics
                /// Never: a hash of 32 bytes is as long as the order.
                pub fn sign(&self, hash: &[u8; 32]) -> [u8; 64] {
                    let signature: Signature = self.0.sign_prehash(hash).expect("a whole hash");
                    let signature = signature.normalize_s().unwrap_or(signature);
                    signature.to_bytes().into()
                }
            }
        }
    };
}

curve!(secp256k1, k256);
curve!(p256, p256);
