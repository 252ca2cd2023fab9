//! What a wallet of the base chain signs. Both forms name the transaction by its id, which binds all of it, and show
//! what it may cost and until when; neither can be mistaken for a transaction of the base chain (EIP-191).

use super::Signed;
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
static NAME: LazyLock<[u8; 32]> = LazyLock::new(|| keccak(&[b"Weft"]));
static VERSION: LazyLock<[u8; 32]> = LazyLock::new(|| keccak(&[b"1"]));

/// The text that `personal_sign` shows.
pub fn text(signed: &Signed) -> String {
    let body = signed.body;
    format!(
        "Weft transaction {}\nof network {}\nfee at most {}\nvalid until {}",
        signed.id, body.network, body.max_fee, body.valid_until
    )
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
    let body = signed.body;
    let content = keccak(&[
        &*TRANSACTION_TYPE,
        &signed.id.0,
        &body.sender.0,
        &word(body.max_fee.0),
        &word(body.valid_until.0),
    ]);
    of_network(&body.network, &content)
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
    let body = signed.body;
    json!({
        "types": {
            "EIP712Domain": [field("name", "string"), field("version", "string"), field("salt", "bytes32")],
            "Transaction": [
                field("id", "bytes32"), field("sender", "bytes32"),
                field("maxFee", "uint64"), field("validUntil", "uint64"),
            ],
        },
        "primaryType": "Transaction",
        "domain": { "name": "Weft", "version": "1", "salt": hex(&body.network.0) },
        "message": {
            "id": hex(&signed.id.0),
            "sender": hex(&body.sender.0),
            "maxFee": body.max_fee.0.to_string(),
            "validUntil": body.valid_until.0.to_string(),
        },
    })
}

pub fn word(number: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&number.to_be_bytes());
    word
}
