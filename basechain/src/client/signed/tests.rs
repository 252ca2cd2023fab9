use super::*;
use alloy::consensus::{SignableTransaction as _, TxEip2930};
use alloy::primitives::TxKind;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;

fn key() -> PrivateKeySigner {
    PrivateKeySigner::from_slice(&[7; 32]).unwrap()
}

fn order() -> Order {
    Order {
        what: "transfer",
        to: TxKind::Call(Address::repeat_byte(9)),
        value: 5,
        input: b"call".into(),
    }
}

fn transaction() -> TxEip1559 {
    TxEip1559 {
        chain_id: 1,
        nonce: 3,
        gas_limit: 21_000,
        max_fee_per_gas: 10,
        to: order().to,
        value: U256::from(5),
        input: b"call".into(),
        ..TxEip1559::default()
    }
}

fn signed(transaction: TxEip1559) -> Signed {
    let signature = key().sign_hash_sync(&transaction.signature_hash()).unwrap();
    Signed::new(transaction.into_signed(signature), key().address())
}

#[test]
fn its_bytes_are_all_there_is_to_it() {
    let signed = signed(transaction());
    let read = Signed::decode(&signed.encoded()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.account(), key().address().into_array());
    assert_eq!((read.nonce(), read.chain_id(), read.fee()), (3, 1, 10));
    assert_eq!(
        read.hash(),
        alloy::primitives::keccak256(signed.encoded()).0
    );
}

#[test]
fn it_does_one_order_alone() {
    let signed = signed(transaction());
    assert!(signed.does(&order()));
    let another = |change: fn(&mut Order)| {
        let mut order = order();
        change(&mut order);
        signed.does(&order)
    };
    assert!(!another(|o| o.to = TxKind::Create));
    assert!(!another(|o| o.value = 6));
    assert!(!another(|o| o.input = b"ball".into()));
}

#[test]
fn what_is_no_signed_transaction_of_type_2_is_refused_with_the_reason() {
    let encoded = signed(transaction()).encoded();
    let older = TxEip2930 {
        chain_id: 1,
        to: order().to,
        ..TxEip2930::default()
    };
    let signature = key().sign_hash_sync(&older.signature_hash()).unwrap();
    let older = TxEnvelope::from(older.into_signed(signature)).encoded_2718();
    let long = vec![2; SIGNED_BYTES_MAX + 1];
    let trailing = [&encoded[..], &[0]].concat();
    for (raw, words) in [
        (&older[..], "type 1, not 2"),
        (&encoded[..encoded.len() - 1], "cannot be read"),
        (&trailing, "cannot be read"),
        (&[], "cannot be read"),
        (&long, "131073 bytes"),
    ] {
        let refused = Signed::decode(raw).unwrap_err();
        assert!(refused.contains(words), "{words} in {refused}");
    }
}

#[test]
fn a_signature_has_one_form_alone() {
    let good = signed(transaction());
    let signature = good.envelope.signature();
    let order: U256 = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        .parse()
        .unwrap();
    let other =
        alloy::primitives::Signature::new(signature.r(), order - signature.s(), !signature.v());
    let other = Signed::new(transaction().into_signed(other), key().address());
    let refused = Signed::decode(&other.encoded()).unwrap_err();
    assert!(refused.contains("of no key"), "{refused}");
}
