use super::*;
use crate::ids::ItemId;

fn failed(code: FailureCode) -> Receipt {
    Receipt {
        transaction: TransactionId([1; 32]),
        commit: CommitIndex(7),
        position: 3,
        valid_until: Millis(60_000),
        fee: Amount(150),
        created: vec![],
        failure: Some(Failure {
            operation: 2,
            code,
            subject: Some(ObjectId::Item(ItemId([5; 32]))),
            found: 4,
            limit: u64::MAX,
        }),
    }
}

#[test]
fn receipts_survive_their_encoding() {
    let applied = Receipt {
        created: vec![ObjectId::Item(ItemId([6; 32]))],
        failure: None,
        ..failed(FailureCode::NotFound)
    };
    let failures = FailureCode::ALL.iter().map(|code| failed(*code));
    for receipt in failures.chain([applied]) {
        assert_eq!(Receipt::decode(receipt.encode()), Ok(receipt.clone()));
    }
}

#[test]
fn numbers_go_up_and_names_are_the_variants() {
    assert!(FailureCode::ALL.is_sorted_by(|a, b| a.number() < b.number()));
    for code in FailureCode::ALL {
        let name = code.name().replace('_', "");
        assert_eq!(name, format!("{code:?}").to_lowercase());
    }
}

#[test]
fn a_failure_says_what_and_the_figures() {
    let failure = failed(FailureCode::TooManyItems).failure.unwrap();
    let item = "05".repeat(32);
    let expected = format!(
        "operation 2: item {item} has 4 items, {} are allowed",
        u64::MAX
    );
    assert_eq!(failure.to_string(), expected);
}

#[test]
fn an_unknown_code_and_a_broken_id_are_refused() {
    let refused = |change: &dyn Fn(&mut wire::Receipt)| {
        let encoded = failed(FailureCode::NotOwner).encode();
        let mut wire = wire::Receipt::decode(encoded).unwrap();
        change(&mut wire);
        Receipt::decode(wire.encode_to_vec().into()).unwrap_err()
    };
    let code = refused(&|r| r.failure.as_mut().unwrap().code = 99);
    assert_eq!(code, ReceiptError::Code(99));
    let object = refused(&|r| r.created.push(Bytes::from_static(b"short")));
    assert_eq!(object, ReceiptError::Object(5));
    let id = refused(&|r| r.transaction = Bytes::new());
    assert!(matches!(id, ReceiptError::Id(_)));
    let noise = Receipt::decode(Bytes::from_static(&[0xff; 9]));
    assert!(matches!(noise, Err(ReceiptError::Malformed(_))));
}
