//! How a transaction's parties sign: with a key made for Weft, with a wallet of the base chain, or with a
//! passkey. A key has one address, whichever of its schemes signs, and signs for the account of that address or for
//! another; whether it has the say there is the ledger's to know (L18).
//!
//! Everything here is judged alike by every node, or ledgers would part: encodings have one form, lengths
//! are bounded, and no library's leniency decides.

use crate::channel::ChannelState;
use crate::ed25519;
use crate::hash::{Domain, blake3};
use crate::ids::Address;
use crate::operation::decode::optional;
use crate::operation::encode::bytes;
use crate::transaction::{TransactionBody, TransactionError};
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

mod ecdsa;
mod pass;
mod user_key;
mod wallet;
mod webauthn;

pub use ecdsa::{p256, secp256k1};
pub use pass::{PASS_AGE_MAX, PASS_AHEAD_MAX, PASS_SLOT_MS, Pass, PassBody};
pub use user_key::UserKey;
pub use webauthn::{Assertion, CLIENT_DATA_BYTES_MAX};

/// An Ed25519 authorisation on the wire in its shortest form, in bytes: scheme 2, key 34, signature 66, and
/// 2 around them.
const ED25519_BYTES: u64 = 104;
/// What stands around the longest signature on the wire: scheme 2, key 35, and the lengths and tags of both
/// messages.
const AROUND_BYTES: u64 = 2 + 35 + 3 + 3;
/// The account, where a key signs for another than its own; and one more for the length of the message.
const ACCOUNT_BYTES: u64 = 34;
const LONGER_LENGTH_BYTES: u64 = 1;
/// What others count at least: as much as the Ed25519 ones that are verified in the same time, in batches
/// (`cargo bench -p weft-types`).
const SECP256K1_BYTES: u64 = 5 * ED25519_BYTES;
const P256_BYTES: u64 = 13 * ED25519_BYTES;

/// How an authorisation is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Under the rules of ZIP 215, over the domain tag and the body's bytes.
    Ed25519,
    /// secp256k1, over a text that the wallet shows (EIP-191, `personal_sign`).
    Eip191,
    /// P-256 and SHA-256, over the domain tag and the transaction's id.
    P256,
    /// secp256k1, over the transaction as typed data that the wallet shows (EIP-712).
    Eip712,
    /// P-256 in a passkey: an assertion of WebAuthn, whose challenge is the transaction's id.
    WebAuthn,
}

/// The curve of a key; its number goes into the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ed25519 = 1,
    Secp256k1 = 2,
    P256 = 3,
}

impl Scheme {
    pub const ALL: [Self; 5] = [
        Self::Ed25519,
        Self::Eip191,
        Self::P256,
        Self::Eip712,
        Self::WebAuthn,
    ];

    /// The number on the wire.
    pub fn code(self) -> u32 {
        match self {
            Self::Ed25519 => 1,
            Self::Eip191 => 2,
            Self::P256 => 3,
            Self::Eip712 => 4,
            Self::WebAuthn => 5,
        }
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.code() == code)
    }

    fn kind(self) -> Kind {
        match self {
            Self::Ed25519 => Kind::Ed25519,
            Self::Eip191 | Self::Eip712 => Kind::Secp256k1,
            Self::P256 | Self::WebAuthn => Kind::P256,
        }
    }

    /// Length of a public key, in bytes: ECDSA keys are compressed.
    fn key_bytes(self) -> usize {
        match self.kind() {
            Kind::Ed25519 => 32,
            Kind::Secp256k1 | Kind::P256 => ecdsa::KEY_BYTES,
        }
    }

    /// What an authorisation counts for the fee at least, in bytes.
    fn charged_bytes_min(self) -> u64 {
        match self.kind() {
            Kind::Ed25519 => ED25519_BYTES,
            Kind::Secp256k1 => SECP256K1_BYTES,
            Kind::P256 => P256_BYTES,
        }
    }

    /// The same at most, for the key's own account or for another: only a passkey's have different lengths.
    pub fn charged_bytes_max(self, for_another: bool) -> u64 {
        match (self, for_another) {
            (Self::WebAuthn, false) => webauthn::BYTES_MAX as u64 + AROUND_BYTES,
            (Self::WebAuthn, true) => webauthn::BYTES_MAX as u64 + AROUND_BYTES + ACCOUNT_BYTES,
            (Self::Ed25519, true) => ED25519_BYTES + ACCOUNT_BYTES + LONGER_LENGTH_BYTES,
            _ => self.charged_bytes_min(),
        }
    }
}

impl Address {
    /// The address of a key, and the account that it has the say for from the beginning.
    pub fn of(scheme: Scheme, public_key: &[u8]) -> Self {
        let code = (scheme.kind() as u32).to_be_bytes();
        Self(blake3(Domain::Address, &[&code, public_key]))
    }

    /// The same of an Ed25519 key.
    pub fn of_key(key: &ed25519::PublicKey) -> Self {
        Self::of(Scheme::Ed25519, &key.0)
    }
}

/// A signature by one of a transaction's parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    pub scheme: Scheme,
    /// As long as the scheme's keys are; the bytes need be no key.
    pub public_key: Bytes,
    /// 64 bytes; of a passkey an [`Assertion`].
    pub signature: Bytes,
    /// `None`: the account of the key's own address.
    pub account: Option<Address>,
}

impl Authorisation {
    /// The address of the key.
    pub fn key(&self) -> Address {
        Address::of(self.scheme, &self.public_key)
    }

    /// The account that it signs for. Whether it has the say for it, the ledger knows (L18).
    pub fn account(&self) -> Address {
        self.account.unwrap_or_else(|| self.key())
    }

    /// What it counts for the fee: its bytes on the wire, or what it takes to verify it if that is more.
    pub fn charged_bytes(&self) -> u64 {
        let length = self.to_wire().encoded_len();
        let whole = 1 + prost::length_delimiter_len(length) + length;
        self.scheme.charged_bytes_min().max(whole as u64)
    }

    pub(crate) fn to_wire(&self) -> wire::Authorisation {
        wire::Authorisation {
            scheme: self.scheme.code(),
            public_key: self.public_key.clone(),
            signature: self.signature.clone(),
            account: self.account.map_or(Bytes::new(), |a| bytes(&a.0)),
        }
    }

    /// Reads what stands at a place of a transaction's list.
    pub(crate) fn from_wire(
        index: usize,
        wire: &wire::Authorisation,
    ) -> Result<Self, TransactionError> {
        let scheme = Scheme::from_code(wire.scheme).ok_or(TransactionError::Scheme {
            index,
            scheme: wire.scheme,
        })?;
        let (key, signature) = (wire.public_key.len(), wire.signature.len());
        let length = |what, expected, found| TransactionError::AuthorisationLength {
            index,
            what,
            expected,
            found,
        };
        if key != scheme.key_bytes() {
            return Err(length("public key", scheme.key_bytes(), key));
        }
        match scheme {
            Scheme::WebAuthn if Assertion::decode(&wire.signature).is_none() => {
                return Err(TransactionError::Assertion(index));
            }
            Scheme::WebAuthn => {}
            _ if signature != ed25519::SIGNATURE_BYTES => {
                return Err(length("signature", ed25519::SIGNATURE_BYTES, signature));
            }
            _ => {}
        }
        let read = Self {
            scheme,
            public_key: wire.public_key.clone(),
            signature: wire.signature.clone(),
            account: optional(&wire.account)?,
        };
        if read.account == Some(read.key()) {
            return Err(TransactionError::OwnAccount(index));
        }
        Ok(read)
    }
}

/// What is signed, in the form of each scheme.
pub(crate) trait Message {
    /// Ed25519.
    fn bytes(&self) -> Vec<u8>;
    /// What an ECDSA key signs.
    fn prehash(&self, scheme: Scheme) -> [u8; 32];
    /// Of a passkey.
    fn challenge(&self) -> [u8; 32];
}

/// A transaction or a channel's state.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub id: [u8; 32],
    pub encoded: &'a [u8],
    pub shown: Shown<'a>,
}

/// What it is, for a wallet to show.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    Transaction(&'a TransactionBody),
    Channel(&'a ChannelState),
}

impl Signed<'_> {
    fn tag(&self) -> &'static [u8] {
        match self.shown {
            Shown::Transaction(_) => Domain::TransactionSignature.tag(),
            Shown::Channel(_) => Domain::ChannelSignature.tag(),
        }
    }

    /// The domain tag and the id, which binds the rest.
    fn named(&self) -> Vec<u8> {
        [self.tag(), &self.id].concat()
    }
}

impl Message for Signed<'_> {
    fn bytes(&self) -> Vec<u8> {
        [self.tag(), self.encoded].concat()
    }

    fn prehash(&self, scheme: Scheme) -> [u8; 32] {
        match scheme {
            Scheme::Eip191 => wallet::text_hash(&wallet::text(self)),
            Scheme::Eip712 => wallet::typed_hash(self),
            // Not the body: its end, which others may choose, could be the hash of client data, and the whole what
            // an authenticator signs for another transaction. That is never as short as this.
            Scheme::P256 | Scheme::WebAuthn | Scheme::Ed25519 => {
                Sha256::digest(self.named()).into()
            }
        }
    }

    fn challenge(&self) -> [u8; 32] {
        self.id
    }
}

/// A transaction or a channel's state in the form that each scheme signs.
#[derive(Debug, Clone, PartialEq)]
pub struct ToSign {
    /// Ed25519: the domain tag and the body's bytes.
    pub bytes: Vec<u8>,
    /// P-256, its SHA-256: the domain tag and the transaction's id.
    pub named: Vec<u8>,
    /// EIP-191: for `personal_sign`.
    pub text: String,
    /// EIP-712: for `eth_signTypedData_v4`.
    pub typed_data: serde_json::Value,
    /// WebAuthn: for `navigator.credentials.get`.
    pub challenge: [u8; 32],
}

impl ToSign {
    pub(crate) fn of(signed: &Signed) -> Self {
        Self {
            bytes: signed.bytes(),
            named: signed.named(),
            text: wallet::text(signed),
            typed_data: wallet::typed_data(signed),
            challenge: signed.id,
        }
    }
}

/// Authorisations to verify, those of Ed25519 together.
#[derive(Default)]
pub(crate) struct Checks {
    /// By place; of the Ed25519 ones `false` until they are verified.
    valid: Vec<bool>,
    batch: Vec<ed25519::Check>,
    in_batch: Vec<usize>,
}

impl Checks {
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    pub fn add(&mut self, signed: &impl Message, authorisations: &[Authorisation]) {
        // Made once for all who sign so.
        let mut message = None;
        let mut wrong = false;
        for Authorisation {
            scheme,
            public_key,
            signature,
            ..
        } in authorisations
        {
            let valid = match scheme {
                // Nobody asks for the rest, and each costs as much.
                _ if wrong => false,
                Scheme::Ed25519 => {
                    let message = message.get_or_insert_with(|| signed.bytes());
                    let key = public_key.as_ref().try_into().map(ed25519::PublicKey);
                    let signature = signature.as_ref().try_into();
                    if let (Ok(key), Ok(signature)) = (key, signature) {
                        self.in_batch.push(self.valid.len());
                        self.batch
                            .push(ed25519::Check::new(&key, message, &signature));
                    }
                    false
                }
                Scheme::Eip191 | Scheme::Eip712 => {
                    let hash = signed.prehash(*scheme);
                    ecdsa::secp256k1::verify(public_key, &hash, signature)
                }
                Scheme::P256 => {
                    let hash = signed.prehash(*scheme);
                    ecdsa::p256::verify(public_key, &hash, signature)
                }
                Scheme::WebAuthn => Assertion::decode(signature)
                    .is_some_and(|assertion| assertion.verify(public_key, &signed.challenge())),
            };
            wrong |= !valid && *scheme != Scheme::Ed25519;
            self.valid.push(valid);
        }
    }

    /// By place, whether it is valid.
    pub fn verify(mut self) -> Vec<bool> {
        let batch = ed25519::verify_all(&self.batch);
        for (place, valid) in self.in_batch.into_iter().zip(batch) {
            self.valid[place] = valid;
        }
        self.valid
    }
}

#[cfg(test)]
mod tests;
