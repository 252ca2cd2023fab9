//! Passkeys: an assertion of WebAuthn (W3C, level 2) whose challenge is the transaction's id. What a browser adds is
//! read by the limited verification of section 5.8.1.2, which needs no JSON and so has one answer everywhere.
//!
//! The ledger does not know which web site a passkey is for: the authenticator does, and gives no signature to
//! another. That the user was there is asked for; that he proved who he is is between him and his device.

use super::ecdsa;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{BufMut as _, Bytes};
use sha2::{Digest as _, Sha256};

/// Bytes of authenticator data without extensions: the hash of the site's id, flags, a counter.
const AUTHENTICATOR_DATA_BYTES: usize = 37;
/// Most with extensions.
const AUTHENTICATOR_DATA_BYTES_MAX: usize = 512;
/// Most bytes of what the browser says.
pub const CLIENT_DATA_BYTES_MAX: usize = 1024;
/// Longest encoding.
pub(super) const BYTES_MAX: usize = 64 + 2 + AUTHENTICATOR_DATA_BYTES_MAX + CLIENT_DATA_BYTES_MAX;
/// In the flags: the user was there.
const USER_PRESENT: u8 = 1;

/// What an authenticator gives. Encoded as the signature (64 bytes: r, s), the length of the authenticator data (two
/// bytes, big-endian), these, and the client data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    pub signature: [u8; 64],
    /// 37 to 512 bytes.
    pub authenticator_data: Bytes,
    /// JSON as the browser wrote it, at most [`CLIENT_DATA_BYTES_MAX`].
    pub client_data: Bytes,
}

impl Assertion {
    pub fn encode(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(BYTES_MAX);
        bytes.extend_from_slice(&self.signature);
        bytes.put_u16(self.authenticator_data.len() as u16);
        bytes.extend_from_slice(&self.authenticator_data);
        bytes.extend_from_slice(&self.client_data);
        bytes.into()
    }

    /// `None` for bytes that are none.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let (signature, rest) = bytes.split_first_chunk::<64>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (authenticator_data, client_data) = rest.split_at_checked(length)?;
        let sound = (AUTHENTICATOR_DATA_BYTES..=AUTHENTICATOR_DATA_BYTES_MAX).contains(&length)
            && client_data.len() <= CLIENT_DATA_BYTES_MAX;
        sound.then(|| Self {
            signature: *signature,
            authenticator_data: bytes.slice_ref(authenticator_data),
            client_data: bytes.slice_ref(client_data),
        })
    }

    /// Whether it is this key's for this challenge.
    pub fn verify(&self, key: &[u8], challenge: &[u8; 32]) -> bool {
        let flags = self.authenticator_data.get(AUTHENTICATOR_DATA_BYTES - 5);
        let present = flags.is_some_and(|flags| flags & USER_PRESENT != 0);
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let begins = format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":""#);
        if !present || !self.client_data.starts_with(begins.as_bytes()) {
            return false;
        }
        let hash = Sha256::new()
            .chain_update(&self.authenticator_data)
            .chain_update(Sha256::digest(&self.client_data));
        ecdsa::p256::verify(key, &hash.finalize().into(), &self.signature)
    }
}
