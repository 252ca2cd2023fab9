//! Accounts of the ledger under keys of the base chain: what alloy, as a wallet, signs is what the ledger takes.

use alloy::primitives::B256;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{Eip712Domain, SolStruct as _};
use bytes::Bytes;
use weft_types::testing::{body, network};
use weft_types::{Address, Authorisation, Scheme, Transaction, TransactionBody};

alloy::sol! {
    struct Transaction712 {
        bytes32 id;
        bytes32 sender;
        uint64 maxFee;
        uint64 validUntil;
    }
}

fn wallet() -> (PrivateKeySigner, Bytes) {
    let wallet = PrivateKeySigner::from_slice(&[0x45; 32]).unwrap();
    let point = wallet.credential().verifying_key().to_encoded_point(true);
    (wallet, Bytes::copy_from_slice(point.as_bytes()))
}

fn payment() -> TransactionBody {
    let sender = Address::of(Scheme::Eip191, &wallet().1);
    TransactionBody {
        sender,
        ..body(
            1,
            7,
            vec![weft_types::Operation::Burn {
                items: vec![weft_types::ItemId([3; 32])],
            }],
        )
    }
}

fn authorised(scheme: Scheme, signature: &alloy::primitives::Signature) -> Transaction {
    let signature = Bytes::copy_from_slice(&signature.as_bytes()[..64]);
    payment().authorised_by(vec![Authorisation {
        scheme,
        public_key: wallet().1,
        signature,
        account: None,
    }])
}

#[test]
fn a_text_that_a_wallet_signed_authorises() {
    let (wallet, _) = wallet();
    let text = payment().to_sign().text;
    let signature = wallet.sign_message_sync(text.as_bytes()).unwrap();
    let transaction = authorised(Scheme::Eip191, &signature);
    transaction.verify(network().id()).unwrap();

    let signature = wallet.sign_message_sync(b"another").unwrap();
    let transaction = authorised(Scheme::Eip191, &signature);
    transaction.verify(network().id()).unwrap_err();
}

#[test]
fn typed_data_that_a_wallet_signed_authorises() {
    let payment = payment();
    let typed = Transaction712 {
        id: B256::from(payment.to_sign().challenge),
        sender: B256::from(payment.sender.0),
        maxFee: payment.max_fee.0,
        validUntil: payment.valid_until.0,
    };
    let salt = B256::from(payment.network.0);
    let domain = Eip712Domain::new(
        Some("Weft".into()),
        Some("1".into()),
        None,
        None,
        Some(salt),
    );
    // The struct has another name here alone, which its type's hash would have in it.
    let kind = alloy::primitives::keccak256(
        Transaction712::eip712_encode_type().replace("Transaction712", "Transaction"),
    );
    let mut content = kind.to_vec();
    content.extend(typed.eip712_encode_data());
    let content = alloy::primitives::keccak256(content);
    let whole = [
        b"\x19\x01".as_slice(),
        domain.separator().as_slice(),
        content.as_slice(),
    ]
    .concat();
    let hash = alloy::primitives::keccak256(whole);
    let signature = wallet().0.sign_hash_sync(&hash).unwrap();
    let transaction = authorised(Scheme::Eip712, &signature);
    transaction.verify(network().id()).unwrap();
    // One form is not taken for the other.
    authorised(Scheme::Eip191, &signature)
        .verify(network().id())
        .unwrap_err();
}

#[test]
fn the_json_for_wallets_has_the_same_types() {
    let json = payment().to_sign().typed_data;
    let of = |name: &str| {
        let fields = json["types"][name].as_array().unwrap().iter();
        let fields = fields.map(|f| {
            let text = |key: &str| f[key].as_str().unwrap().to_owned();
            format!("{} {}", text("type"), text("name"))
        });
        format!("{name}({})", fields.collect::<Vec<_>>().join(","))
    };
    let expected = Transaction712::eip712_encode_type().replace("Transaction712", "Transaction");
    assert_eq!(of("Transaction"), expected);
    let salt = B256::ZERO;
    let domain = Eip712Domain::new(
        Some("Weft".into()),
        Some("1".into()),
        None,
        None,
        Some(salt),
    );
    assert_eq!(of("EIP712Domain"), domain.encode_type());
    assert_eq!(json["message"]["maxFee"], payment().max_fee.0.to_string());
}
