//! L36: what the holder of a ticket shows at a gate, signed anew every fifteen seconds. It says which item, when, and
//! at which gate; whether its key may speak for the item's owner, the ledger knows, or the gate's pack.

use super::{Authorisation, Message, Scheme, UserKey, wallet};
use crate::api::AuthorisationJson;
use crate::hash::{Domain, blake3, keccak};
use crate::ids::{Address, ItemId, Millis, NetworkId};
use crate::operation::encode::bytes;
use crate::operation::{OperationError, decode};
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// Milliseconds in which a holder's device signs one pass.
pub const PASS_SLOT_MS: u64 = 15_000;
/// How long after its slot began the ledger takes a pass, so that a gate without connectivity can send what it let in
/// the same day. How fresh one has to be when it is shown is the gate's to ask.
pub const PASS_AGE_MAX: Millis = Millis(86_400_000);
/// How far ahead of the ledger's time a holder's clock may be.
pub const PASS_AHEAD_MAX: Millis = Millis(30_000);

/// A tag and a length, where a message holds it.
const AROUND_BYTES: u64 = 2;

static PASS_TYPE: LazyLock<[u8; 32]> =
    LazyLock::new(|| keccak(&[b"Pass(bytes32 id,bytes32 item,uint64 time)"]));

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassBody {
    pub network: NetworkId,
    pub item: ItemId,
    /// Of [`PASS_SLOT_MS`] since the Unix epoch; not 0.
    pub slot: u64,
    /// The account that may redeem by it; `None`: any gate's.
    pub gate: Option<Address>,
}

/// A signed one. The item stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pass {
    /// Of 15 seconds since the Unix epoch; not 0.
    pub slot: u64,
    /// The account that may redeem by it; absent: any gate's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Address>,
    /// By the owner's key, or one with a session for passes; names no account.
    #[serde(with = "holder_field")]
    #[cfg_attr(feature = "openapi", schema(value_type = AuthorisationJson))]
    pub holder: Authorisation,
}

impl PassBody {
    /// For the slot of a time.
    pub fn at(network: NetworkId, item: ItemId, now: Millis, gate: Option<Address>) -> Self {
        Self {
            network,
            item,
            slot: now.0 / PASS_SLOT_MS,
            gate,
        }
    }

    /// What the key signs stands for.
    pub fn digest(&self) -> [u8; 32] {
        let gate = self.gate.unwrap_or(Address::ZERO);
        let parts: [&[u8]; 4] = [
            &self.network.0,
            &self.item.0,
            &self.slot.to_be_bytes(),
            &gate.0,
        ];
        blake3(Domain::Pass, &parts)
    }

    /// When its slot begins.
    pub fn begins(&self) -> Millis {
        begins(self.slot)
    }

    pub fn sign(&self, key: &UserKey) -> Pass {
        Pass {
            slot: self.slot,
            gate: self.gate,
            holder: key.authorise(self, key.address()),
        }
    }

    fn named(&self) -> Vec<u8> {
        [Domain::PassSignature.tag(), &self.digest()].concat()
    }

    /// The text that `personal_sign` shows.
    fn text(&self) -> String {
        format!(
            "Weft pass {}\nof network {}\nfor item {}\nat {}",
            hex::encode(self.digest()),
            self.network,
            self.item,
            self.begins()
        )
    }
}

impl Message for PassBody {
    fn bytes(&self) -> Vec<u8> {
        self.named()
    }

    fn prehash(&self, scheme: Scheme) -> [u8; 32] {
        match scheme {
            Scheme::Eip191 => wallet::text_hash(&self.text()),
            Scheme::Eip712 => {
                let (id, time) = (self.digest(), wallet::word(self.begins().0));
                let content = keccak(&[&*PASS_TYPE, &id, &self.item.0, &time]);
                wallet::of_network(&self.network, &content)
            }
            Scheme::P256 | Scheme::WebAuthn | Scheme::Ed25519 => {
                Sha256::digest(self.named()).into()
            }
        }
    }

    fn challenge(&self) -> [u8; 32] {
        self.digest()
    }
}

impl Pass {
    /// What its key has signed, if it is for this item.
    pub fn body(&self, network: NetworkId, item: ItemId) -> PassBody {
        PassBody {
            network,
            item,
            slot: self.slot,
            gate: self.gate,
        }
    }

    /// When its slot begins.
    pub fn begins(&self) -> Millis {
        begins(self.slot)
    }

    /// The address of the key.
    pub fn key(&self) -> Address {
        self.holder.key()
    }

    /// Whether its key has signed it for this item.
    pub fn is_signed(&self, network: NetworkId, item: ItemId) -> bool {
        let mut checks = super::Checks::default();
        checks.add(
            &self.body(network, item),
            std::slice::from_ref(&self.holder),
        );
        checks.verify() == [true]
    }

    /// Its bytes in a body.
    pub(crate) fn bytes(&self) -> u64 {
        wire::Pass::from(self).encoded_len() as u64 + AROUND_BYTES
    }

    /// What it counts like an authorisation: its bytes, or what it takes to verify it if that is more.
    pub(crate) fn charged_bytes(&self) -> u64 {
        self.bytes().max(self.holder.scheme.charged_bytes_min())
    }
}

fn begins(slot: u64) -> Millis {
    Millis(slot.saturating_mul(PASS_SLOT_MS))
}

impl From<&Pass> for wire::Pass {
    fn from(pass: &Pass) -> Self {
        Self {
            slot: pass.slot,
            gate: pass.gate.map_or(Bytes::new(), |gate| bytes(&gate.0)),
            holder: Some(pass.holder.to_wire()),
        }
    }
}

impl TryFrom<&wire::Pass> for Pass {
    type Error = OperationError;

    fn try_from(wire: &wire::Pass) -> Result<Self, OperationError> {
        let gate: Option<Address> = decode::optional(&wire.gate)?;
        if gate == Some(Address::ZERO) {
            return Err(OperationError::Zero("pass's gate"));
        }
        let holder = wire.holder.as_ref();
        Ok(Self {
            slot: decode::positive("pass's slot", wire.slot)?,
            gate,
            holder: holder_of(holder.ok_or(OperationError::Missing("pass's holder"))?)?,
        })
    }
}

fn holder_of(wire: &wire::Authorisation) -> Result<Authorisation, OperationError> {
    if !wire.account.is_empty() {
        return Err(OperationError::PassAccount);
    }
    Authorisation::from_wire(0, wire).map_err(|e| OperationError::Pass(e.to_string()))
}

/// JSON of a holder's signature: that of a transaction's authorisation.
mod holder_field {
    use super::*;

    pub fn serialize<S: Serializer>(holder: &Authorisation, to: S) -> Result<S::Ok, S::Error> {
        AuthorisationJson::from(holder).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Authorisation, D::Error> {
        let json = AuthorisationJson::deserialize(from)?;
        let wire = json.to_wire().map_err(de::Error::custom)?;
        holder_of(&wire).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
