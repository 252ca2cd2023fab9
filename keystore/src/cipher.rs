//! What both formats do with the 32 bytes that come of a password.

use crate::Secret;
use aes::cipher::{KeyIvInit as _, StreamCipher as _};

pub const IV_BYTES: usize = 16;
const HALF: usize = 16;

/// The 32 bytes that a password gives, in their two halves.
pub struct DerivedKey(pub Secret);

impl DerivedKey {
    fn encrypting(&self) -> [u8; HALF] {
        std::array::from_fn(|i| self.0[i])
    }

    /// What the checksum is over, together with the ciphertext.
    pub fn checking(&self) -> &[u8] {
        &self.0[HALF..]
    }

    /// AES-128 in counter mode, which is its own inverse.
    pub fn apply(&self, iv: &[u8; IV_BYTES], bytes: &mut [u8; 32]) {
        let key = zeroize::Zeroizing::new(self.encrypting());
        let mut cipher = ctr::Ctr128BE::<aes::Aes128>::new((&*key).into(), iv.into());
        cipher.apply_keystream(bytes);
    }
}
