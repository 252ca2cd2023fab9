use super::ecdsa::{p256, secp256k1};
use super::*;
use crate::testing::{body, network, user_key};
use crate::transaction::{Transaction, verify_transactions};
use crate::{Amount, Operation};

fn secp256k1() -> secp256k1::SecretKey {
    secp256k1::SecretKey::from_bytes(&[7; 32]).unwrap()
}

fn p256() -> p256::SecretKey {
    p256::SecretKey::from_bytes(&[9; 32]).unwrap()
}

fn keys() -> [UserKey; 4] {
    [
        UserKey::from(&user_key(1)),
        UserKey::Eip191(secp256k1()),
        UserKey::Eip712(secp256k1()),
        UserKey::P256(p256()),
    ]
}

/// A payment by an account.
fn payment(sender: Address) -> TransactionBody {
    let burn = Operation::Burn {
        items: vec![crate::ItemId([3; 32])],
    };
    TransactionBody {
        sender,
        max_fee: Amount(1_000),
        ..body(1, 7, vec![burn])
    }
}

fn verify(transaction: Transaction) -> Result<(), TransactionError> {
    // What is verified with others has the same outcome.
    let batch = verify_transactions(vec![Some(transaction.clone())], network().id(), &|_| None);
    let alone = transaction.verify(network().id()).map(|_| ());
    assert_eq!(batch[0].is_some(), alone.is_ok());
    alone
}

/// The transaction with its one authorisation changed.
fn changed(
    transaction: &Transaction,
    change: impl Fn(&mut wire::Authorisation),
) -> Result<(), TransactionError> {
    let mut wire = wire::Transaction::decode(transaction.encoded().clone()).unwrap();
    change(&mut wire.authorisations[0]);
    Transaction::decode(wire.encode_to_vec().into()).and_then(verify)
}

/// What a passkey would sign for a transaction, with its client data changed.
fn asserted(change: impl Fn(&mut Assertion, &str)) -> Transaction {
    use base64::Engine as _;
    let sender = Address::of(Scheme::WebAuthn, &p256().public());
    let body = payment(sender);
    let unsigned = body.sign_with(&[]);
    let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(unsigned.id().0);
    let client_data = format!(
        r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://cards.example","crossOrigin":false}}"#
    );
    let mut data = vec![1; 37];
    data[32] = 5;
    let mut assertion = Assertion {
        signature: [0; 64],
        authenticator_data: data.into(),
        client_data: client_data.into(),
    };
    change(&mut assertion, &challenge);
    let mut hash = Sha256::new();
    hash.update(&assertion.authenticator_data);
    hash.update(Sha256::digest(&assertion.client_data));
    assertion.signature = p256().sign(&hash.finalize().into());
    let mut wire = wire::Transaction::decode(unsigned.encoded().clone()).unwrap();
    wire.authorisations = vec![wire::Authorisation {
        scheme: Scheme::WebAuthn.code(),
        public_key: p256().public().into(),
        signature: assertion.encode(),
        account: Bytes::new(),
    }];
    Transaction::decode(wire.encode_to_vec().into()).unwrap()
}

#[test]
fn each_scheme_signs_for_its_own_account() {
    for key in keys() {
        let transaction = payment(key.address()).sign_with(&[&key]);
        let read = Transaction::decode(transaction.encoded().clone()).unwrap();
        assert_eq!(read, transaction);
        assert_eq!(verify(read), Ok(()), "{:?}", key.scheme());
    }
    assert_eq!(verify(asserted(|_, _| ())), Ok(()));
}

#[test]
fn a_key_has_one_account_and_each_curve_its_own() {
    let [ed25519, eip191, eip712, p256_key] = keys().map(|k| k.address());
    assert_eq!(eip191, eip712);
    let passkey = Address::of(Scheme::WebAuthn, &p256().public());
    assert_eq!(p256_key, passkey);
    assert!(ed25519 != eip191 && eip191 != p256_key && p256_key != ed25519);
    // The bytes of a key are no other curve's.
    let public = p256().public();
    assert_ne!(
        Address::of(Scheme::P256, &public),
        Address::of(Scheme::Eip191, &public)
    );
}

#[test]
fn parties_of_all_schemes_sign_one_transaction() {
    let keys = keys();
    let party = |key: &UserKey| crate::operation::Party {
        account: key.address(),
        operations: vec![Operation::Burn {
            items: vec![crate::ItemId([3; 32])],
        }],
    };
    let parties = [&keys[0], &keys[1], &keys[3]];
    let mut body = payment(keys[0].address());
    body.operations = vec![Operation::MultiParty(
        parties.into_iter().map(party).collect(),
    )];
    assert_eq!(verify(body.sign_with(&parties)), Ok(()));
    // Who signs by two schemes has signed twice.
    let twice = [&keys[0], &keys[1], &keys[2], &keys[3]];
    assert_eq!(
        verify(body.sign_with(&twice)),
        Err(TransactionError::Stranger(2))
    );
}

#[test]
fn a_signature_by_another_scheme_or_of_another_body_is_refused() {
    for key in keys() {
        let transaction = payment(key.address()).sign_with(&[&key]);
        for other in [
            Scheme::Eip191,
            Scheme::Eip712,
            Scheme::P256,
            Scheme::Ed25519,
        ] {
            let outcome = changed(&transaction, |a| a.scheme = other.code());
            assert_eq!(outcome.is_ok(), other == key.scheme(), "{other:?}");
        }
        let mut another = payment(key.address());
        another.max_fee.0 += 1;
        let another = another.sign_with(&[&key]);
        let outcome = changed(&transaction, |a| {
            a.signature = another.authorisations()[0].signature.clone();
        });
        assert_eq!(outcome, Err(TransactionError::Signature(0)));
    }
}

#[test]
fn a_negated_signature_and_another_encoding_of_a_key_are_refused() {
    // Orders of the curves (SEC 2; FIPS 186-4), less the s of the signature.
    for (key, order) in [
        (
            UserKey::Eip191(secp256k1()),
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        ),
        (
            UserKey::P256(p256()),
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ),
    ] {
        let transaction = payment(key.address()).sign_with(&[&key]);
        let order = hex::decode(order).unwrap();
        let negated = changed(&transaction, |a| {
            let mut signature = a.signature.to_vec();
            let mut borrow = 0;
            for i in (0..32).rev() {
                let difference = i32::from(order[i]) - i32::from(signature[32 + i]) - borrow;
                borrow = i32::from(difference < 0);
                signature[32 + i] = difference.rem_euclid(256) as u8;
            }
            a.signature = signature.into();
        });
        assert_eq!(negated, Err(TransactionError::Signature(0)));
        let other_form = changed(&transaction, |a| {
            let mut key = a.public_key.to_vec();
            key[0] = 5;
            a.public_key = key.into();
        });
        // Other bytes are another account's.
        assert_eq!(other_form, Err(TransactionError::Stranger(0)));
        let address = Address::of(key.scheme(), &[&[5], &key.public()[1..]].concat());
        let of_that = payment(address).sign_with(&[&key]);
        let outcome = changed(&of_that, |a| {
            let mut key = a.public_key.to_vec();
            key[0] = 5;
            a.public_key = key.into();
        });
        assert_eq!(outcome, Err(TransactionError::Signature(0)));
    }
}

#[test]
fn zero_and_bytes_that_are_no_numbers_of_the_curve_are_refused() {
    for key in keys() {
        let transaction = payment(key.address()).sign_with(&[&key]);
        for bytes in [[0; 64], [0xff; 64]] {
            let outcome = changed(&transaction, |a| a.signature = bytes.to_vec().into());
            assert_eq!(outcome, Err(TransactionError::Signature(0)));
        }
        let length = changed(&transaction, |a| {
            a.signature = a.signature.slice(..63);
        });
        let expected = TransactionError::AuthorisationLength {
            index: 0,
            what: "signature",
            expected: 64,
            found: 63,
        };
        assert_eq!(length, Err(expected));
        // A key that is no point of its curve has an account, for which nobody can sign.
        let mut no_point = key.public().to_vec();
        no_point[1..].fill(0xff);
        let body = payment(Address::of(key.scheme(), &no_point));
        let outcome = changed(&body.sign_with(&[&key]), |a| {
            a.public_key = no_point.clone().into();
        });
        assert_eq!(outcome, Err(TransactionError::Signature(0)));
    }
}

#[test]
fn an_assertion_is_for_one_transaction_by_a_user_who_was_there() {
    type Change = fn(&mut Assertion, &str);
    let wrong: [(&str, Change); 5] = [
        ("nobody was there", |a, _| {
            a.authenticator_data = vec![0; 37].into();
        }),
        ("a registration", |a, challenge| {
            let text = format!(
                r#"{{"type":"webauthn.create","challenge":"{challenge}","origin":"https://cards.example"}}"#
            );
            a.client_data = text.into();
        }),
        ("another challenge", |a, challenge| {
            let other = challenge.chars().rev().collect::<String>();
            let text = String::from_utf8(a.client_data.to_vec()).unwrap();
            a.client_data = text.replace(challenge, &other).into();
        }),
        ("a challenge that goes on", |a, challenge| {
            let text = String::from_utf8(a.client_data.to_vec()).unwrap();
            let longer = format!("{challenge}AAAA");
            a.client_data = text.replace(challenge, &longer).into();
        }),
        ("the challenge in another place", |a, challenge| {
            let text = format!(
                r#"{{"origin":"https://cards.example","type":"webauthn.get","challenge":"{challenge}","origin":""}}"#
            );
            a.client_data = text.into();
        }),
    ];
    for (what, change) in wrong {
        let outcome = verify(asserted(change));
        assert_eq!(outcome, Err(TransactionError::Signature(0)), "{what}");
    }
}

/// The end of a body is often what others have chosen: here the hash of client data for another transaction. If the body
/// were signed, what comes before it could pass for authenticator data.
#[test]
fn a_plain_signature_is_no_assertion_for_another_transaction() {
    let key = UserKey::P256(p256());
    let client_data = b"chosen by somebody who knows the other transaction's id";
    let hash: [u8; 32] = Sha256::digest(client_data).into();
    let mut body = payment(key.address());
    body.operations = vec![Operation::Burn {
        items: vec![crate::ItemId(hash)],
    }];
    let to_sign = body.to_sign();
    assert!(to_sign.bytes.ends_with(&hash));
    let signature = body.sign_with(&[&key]).authorisations()[0]
        .signature
        .clone();
    let as_asserted: [u8; 32] = Sha256::digest(&to_sign.bytes).into();
    assert!(!p256::verify(&key.public(), &as_asserted, &signature));
    // What it signs is shorter than whatever an authenticator does.
    assert!(to_sign.named.len() < 37 + 32);
    let named: [u8; 32] = Sha256::digest(&to_sign.named).into();
    assert!(p256::verify(&key.public(), &named, &signature));
}

#[test]
fn an_assertion_has_one_encoding_and_its_bounds() {
    let good = asserted(|_, _| ());
    let encoded = good.authorisations()[0].signature.clone();
    let assertion = Assertion::decode(&encoded).unwrap();
    assert_eq!(assertion.encode(), encoded);
    let with = |data: usize, client: usize| {
        let assertion = Assertion {
            authenticator_data: vec![1; data].into(),
            client_data: vec![b'x'; client].into(),
            ..assertion.clone()
        };
        Assertion::decode(&assertion.encode()).is_some()
    };
    assert!(with(37, 0) && with(512, CLIENT_DATA_BYTES_MAX));
    assert!(!with(36, 100) && !with(513, 100) && !with(37, CLIENT_DATA_BYTES_MAX + 1));
    for cut in [0, 63, 64, 65, 66, 102] {
        assert_eq!(Assertion::decode(&encoded.slice(..cut)), None, "{cut}");
        let outcome = changed(&good, |a| a.signature = a.signature.slice(..cut));
        assert_eq!(outcome, Err(TransactionError::Assertion(0)));
    }
}

#[test]
fn what_takes_longer_to_verify_counts_more_and_never_more_than_its_bound() {
    for key in keys() {
        let transaction = payment(key.address()).sign_with(&[&key]);
        let charged = transaction.authorisations()[0].charged_bytes();
        let expected = match key {
            UserKey::Ed25519(_) => 104,
            UserKey::Eip191(_) | UserKey::Eip712(_) => 520,
            UserKey::P256(_) => 1_352,
        };
        assert_eq!(charged, expected);
        assert_eq!(charged, key.scheme().charged_bytes_max(false));
    }
    for key in keys() {
        let other = Address([9; 32]);
        let transaction = payment(other).sign_for(&[(&key, other)]);
        let charged = transaction.authorisations()[0].charged_bytes();
        let expected = match key {
            UserKey::Ed25519(_) => 139,
            UserKey::Eip191(_) | UserKey::Eip712(_) => 520,
            UserKey::P256(_) => 1_352,
        };
        assert_eq!(charged, expected);
        assert_eq!(charged, key.scheme().charged_bytes_max(true));
        assert_eq!(verify(transaction), Ok(()));
    }
    let longest = asserted(|assertion, challenge| {
        assertion.authenticator_data = vec![1; 512].into();
        let mut text = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://cards.example"}}"#
        );
        text.extend(std::iter::repeat_n(' ', CLIENT_DATA_BYTES_MAX - text.len()));
        assertion.client_data = text.into();
    });
    assert_eq!(verify(longest.clone()), Ok(()));
    let charged = longest.authorisations()[0].charged_bytes();
    let around = longest.encoded().len() - longest.body().encode().len();
    assert_eq!(charged as usize + 2 + 1, around, "without the body's tag");
    assert!(charged <= Scheme::WebAuthn.charged_bytes_max(false));
    let mut of_another = longest.authorisations()[0].clone();
    of_another.account = Some(Address([9; 32]));
    let (longer, most) = (charged + 34, Scheme::WebAuthn.charged_bytes_max(true));
    assert_eq!(of_another.charged_bytes(), longer);
    assert!(longer <= most);
}

#[test]
fn the_account_that_is_signed_for_has_one_form_and_is_a_party() {
    let other = Address([9; 32]);
    let [key, ..] = keys();
    let signed = payment(other).sign_for(&[(&key, other)]);
    assert_eq!(signed.authorisations()[0].account(), other);
    assert_eq!(signed.authorisations()[0].key(), key.address());
    let with = |account: &[u8]| {
        let mut wire = wire::Transaction::decode(signed.encoded().clone()).unwrap();
        wire.authorisations[0].account = Bytes::copy_from_slice(account);
        Transaction::decode(wire.encode_to_vec().into())
    };
    assert_eq!(with(&other.0), Ok(signed.clone()));
    assert!(matches!(with(&other.0[1..]), Err(TransactionError::Id(_))));
    let own = Err(TransactionError::OwnAccount(0));
    assert_eq!(with(&key.address().0), own);
    let nobodys = verify(with(&[8; 32]).unwrap());
    assert_eq!(nobodys, Err(TransactionError::Stranger(0)));
    let unnamed = verify(with(&[]).unwrap());
    assert_eq!(unnamed, Err(TransactionError::Stranger(0)));
    let twice = payment(other).sign_for(&[(&key, other), (&key, other)]);
    assert_eq!(verify(twice), Err(TransactionError::Stranger(1)));
}

/// The example of web3.js's documentation for `accounts.sign`.
#[test]
fn a_text_is_signed_as_wallets_do() {
    let key = hex::decode("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318");
    let key = secp256k1::SecretKey::from_bytes(&key.unwrap().try_into().unwrap()).unwrap();
    let hash = wallet::text_hash("Some data");
    assert_eq!(
        hex::encode(hash),
        "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
    );
    assert_eq!(
        hex::encode(key.sign(&hash)),
        "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd\
         6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029"
    );
}

/// What an authenticator made: the vector for ES256 in the tests of Yubico's `python-fido2`.
#[test]
fn a_signature_of_an_authenticator_verifies() {
    let key = "02a5fd5ce1b1c458c530a54fa61b31bf6b04be8b97afde54dd8cbb69275a8a1be1";
    let message = "0021f5fc0b85cd22e60623bcd7d1ca48948909249b4776eb515154e57b66ae12010000002c\
                   7b89f12a9088b0f5ee0ef8f6718bccc374249c31aeebaeb79bd0450132cd536c";
    let signature = "2b3933fe954a2d29de691901eb732535393d4859aaa80d58b08741598109516d\
                     236fbe6b52326c0a6b1cfdc6bf0a35bda92a6c2e41e40c3a1643428d820941e0";
    let [key, message, signature] = [key, message, signature].map(|t| hex::decode(t).unwrap());
    let hash: [u8; 32] = Sha256::digest(message).into();
    assert!(p256::verify(&key, &hash, &signature));
    let mut other = hash;
    other[31] ^= 1;
    assert!(!p256::verify(&key, &other, &signature));
}
