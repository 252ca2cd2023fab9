//! What a wallet of the base chain signs. Both forms name the transaction by its id, which binds all of it, and show
//! what it may cost and until when, or of a channel's state which and how new it is; neither can be mistaken for a transaction of the base chain (EIP-191).

use super::{Shown, Signed};
use crate::hash::keccak;
use crate::ids::NetworkId;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Of the structs' types, as EIP-712 has them.
static DOMAIN_TYPE: LazyLock<[u8; 32]> =
    LazyLock::new(|| keccak(&[b"EIP712Domain(string name,string version,bytes32 salt)"]));
static TRANSACTION_TYPE: LazyLock<[u8; 32]> = LazyLock::new(|| {
    keccak(&[b"Transaction(bytes32 id,bytes32 sender,uint64 maxFee,uint64 validUntil)"])
});
static CHANNEL_TYPE: LazyLock<[u8; 32]> =
    LazyLock::new(|| keccak(&[b"ChannelState(bytes32 id,bytes32 deal,uint64 version)"]));
static NAME: LazyLock<[u8; 32]> = LazyLock::new(|| keccak(&[b"Weft"]));
static VERSION: LazyLock<[u8; 32]> = LazyLock::new(|| keccak(&[b"1"]));

/// The text that `personal_sign` shows.
pub fn text(signed: &Signed) -> String {
    let id = hex::encode(signed.id);
    match signed.shown {
        Shown::Transaction(body) => format!(
            "Weft transaction {id}\nof network {}\nfee at most {}\nvalid until {}",
            body.network, body.max_fee, body.valid_until
        ),
        Shown::Channel(state) => format!(
            "Weft channel {}\nof network {}\nversion {}\nstate {id}",
            state.deal, state.network, state.version
        ),
    }
}

/// EIP-191, version 0x45.
pub fn text_hash(text: &str) -> [u8; 32] {
    let length = text.len().to_string();
    keccak(&[
        b"\x19Ethereum Signed Message:\n",
        length.as_bytes(),
        text.as_bytes(),
    ])
}

/// EIP-712.
pub fn typed_hash(signed: &Signed) -> [u8; 32] {
    let (network, content) = match signed.shown {
        Shown::Transaction(body) => {
            let content = keccak(&[
                &*TRANSACTION_TYPE,
                &signed.id,
                &body.sender.0,
                &word(body.max_fee.0),
                &word(body.valid_until.0),
            ]);
            (body.network, content)
        }
        Shown::Channel(state) => {
            let version = word(state.version);
            let content = keccak(&[&*CHANNEL_TYPE, &signed.id, &state.deal.0, &version]);
            (state.network, content)
        }
    };
    of_network(&network, &content)
}

/// A struct's hash in the domain of a network, which is the domain's salt.
pub fn of_network(network: &NetworkId, content: &[u8; 32]) -> [u8; 32] {
    let domain = keccak(&[&*DOMAIN_TYPE, &*NAME, &*VERSION, &network.0]);
    keccak(&[b"\x19\x01", &domain, content])
}

/// The same as JSON, for `eth_signTypedData_v4`.
pub fn typed_data(signed: &Signed) -> Value {
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let hex = |bytes: &[u8; 32]| format!("0x{}", hex::encode(bytes));
    let (name, fields, network, message) = match signed.shown {
        Shown::Transaction(body) => (
            "Transaction",
            vec![
                field("id", "bytes32"),
                field("sender", "bytes32"),
                field("maxFee", "uint64"),
                field("validUntil", "uint64"),
            ],
            body.network,
            json!({
                "id": hex(&signed.id),
                "sender": hex(&body.sender.0),
                "maxFee": body.max_fee.0.to_string(),
                "validUntil": body.valid_until.0.to_string(),
            }),
        ),
        Shown::Channel(state) => (
            "ChannelState",
            vec![
                field("id", "bytes32"),
                field("deal", "bytes32"),
                field("version", "uint64"),
            ],
            state.network,
            json!({
                "id": hex(&signed.id),
                "deal": hex(&state.deal.0),
                "version": state.version.to_string(),
            }),
        ),
    };
    json!({
        "types": {
            "EIP712Domain": [field("name", "string"), field("version", "string"), field("salt", "bytes32")],
            name: fields,
        },
        "primaryType": name,
        "domain": { "name": "Weft", "version": "1", "salt": hex(&network.0) },
        "message": message,
    })
}

pub fn word(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}
