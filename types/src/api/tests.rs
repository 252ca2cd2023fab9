use super::*;
use crate::ids::{Address, Amount, AssetId, EditionId, ItemId};
use crate::operation::{Operation, Payment};
use crate::state::ObjectId;
use crate::testing;

fn pay(to: Address) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to,
            asset: AssetId::NATIVE,
            amount: Amount(7),
        }],
        items: vec![],
    }
}

#[test]
fn a_structured_transaction_has_the_identity_and_signatures_of_the_encoded_one() {
    let sent = testing::transaction(1, 1, vec![pay(testing::user(2))]);
    let text = serde_json::to_string(&TransactionJson::from(&sent)).unwrap();
    let TransactionJson::Structured {
        body,
        authorisations,
    } = serde_json::from_str(&text).unwrap()
    else {
        panic!("an object is structured");
    };
    let read = body.assemble(&authorisations).unwrap();
    assert_eq!(read.id(), sent.id());
    assert!(read.verify(testing::network().id()).is_ok());
}

#[test]
fn a_structured_transaction_is_held_to_the_bounds_of_an_encoded_one() {
    let signed = testing::transaction(1, 1, vec![pay(testing::user(2))]);
    let mut body = BodyJson::from(signed.body());
    let authorisations: Vec<AuthorisationJson> =
        signed.authorisations().iter().map(Into::into).collect();
    body.operations.clear();
    let refused = body.assemble(&authorisations).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "transaction has 0 operations, not 1 to 64"
    );
    body.idempotency = "00".repeat(15);
    assert_eq!(
        body.assemble(&authorisations),
        Err(JsonError::Idempotency(15))
    );
    body.idempotency = "xyz".to_owned();
    let refused = body.assemble(&authorisations).unwrap_err();
    assert_eq!(refused.to_string(), "idempotency is not hexadecimal");
}

#[test]
fn a_wrong_structured_transaction_names_the_field() {
    let text = r#"{"transaction": {"body": {"network": "00"}, "authorisations": []}}"#;
    let refused = serde_json::from_str::<SubmitRequest>(text).unwrap_err();
    assert!(
        refused.to_string().contains("NetworkId has 1 bytes"),
        "{refused}"
    );
    let refused = serde_json::from_str::<SubmitRequest>(r#"{"transaction": 5}"#).unwrap_err();
    assert!(
        refused.to_string().contains("base64 or hexadecimal"),
        "{refused}"
    );
}

#[test]
fn a_wrong_entry_of_a_list_spoils_no_other() {
    let text = format!(
        r#"{{"transactions": [5, "0a", {{"body": 1}}, null, [[]], "{}"]}}"#,
        "x".repeat(1_000)
    );
    let list: SubmitRequest = serde_json::from_str(&text).unwrap();
    let list: Vec<_> = list
        .transactions
        .unwrap()
        .into_iter()
        .map(|e| e.0)
        .collect();
    let good: Vec<bool> = list.iter().map(Result::is_ok).collect();
    assert_eq!(good, [false, true, false, false, false, true]);
    let reason = list[0].as_ref().unwrap_err();
    assert!(
        reason.contains("integer `5`, expected an encoded"),
        "{reason}"
    );
    let long = format!(r#"{{"transactions": [{{"{}": 1}}]}}"#, "x".repeat(1_000));
    let list: SubmitRequest = serde_json::from_str(&long).unwrap();
    let reason = list.transactions.unwrap().remove(0).0.unwrap_err();
    assert_eq!(reason.len(), 300);
    assert!(serde_json::from_str::<SubmitRequest>(r#"{"transactions": [}"#).is_err());
}

#[test]
fn a_refused_and_a_taken_submission_are_told_apart() {
    let id = testing::transaction(1, 1, vec![pay(testing::user(2))]).id();
    let taken = Submission::Taken(TransactionStatus::unordered(
        id,
        TransactionState::Submitted,
    ));
    let problem = Problem::new(ProblemCode::MempoolFull, "64 MiB are waiting");
    let refused = Submission::Refused(Refused {
        id: Some(id),
        problem,
    });
    for submission in [taken, refused] {
        let text = serde_json::to_string(&submission).unwrap();
        assert_eq!(
            serde_json::from_str::<Submission>(&text).unwrap(),
            submission
        );
    }
}

#[test]
fn every_topic_reads_back_and_a_wrong_one_is_named() {
    let topics = [
        Topic::Item(ItemId([1; 32])),
        Topic::Account(testing::user(1)),
        Topic::Collection(crate::CollectionId([2; 32])),
        Topic::Commits,
        Topic::Certificates,
        Topic::Checkpoints,
        Topic::Dag,
    ];
    for topic in topics {
        assert_eq!(topic.to_string().parse::<Topic>(), Ok(topic));
    }
    for wrong in [
        "",
        "item",
        "item:",
        "item:00",
        "commits:1",
        "account:weft1",
        "DAG",
    ] {
        assert!(wrong.parse::<Topic>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_locked_item_reads_from_its_encoding_and_names_its_deal() {
    let deal = crate::DealId([4; 32]);
    let held = crate::Item {
        state: crate::ItemState::Locked { deal },
        status: "on sale".to_owned(),
        ..crate::Item::new(EditionId([3; 32]), 5, testing::user(1))
    };
    let id = ObjectId::Item(ItemId([1; 32]));
    let encoded = crate::Object::Item(held.into()).encode();
    let Object::Item(item) = Object::decode(&id, encoded).unwrap() else {
        panic!("an item's id reads an item");
    };
    assert_eq!(item.edition, EditionId([3; 32]));
    assert_eq!((item.state, item.serial), (ItemState::Locked, 5));
    assert_eq!(item.deal, Some(deal));
}

#[test]
fn a_receipt_tells_its_code_by_number_and_name() {
    let mut receipt = crate::Receipt {
        transaction: crate::TransactionId([1; 32]),
        commit: crate::CommitIndex(7),
        position: 3,
        valid_until: crate::Millis(60_000),
        fee: Amount(150),
        created: vec![],
        failure: None,
    };
    let applied = Receipt::from(&receipt);
    assert_eq!((applied.code, applied.operation), (0, None));
    assert_eq!(
        (applied.code_name.as_str(), applied.detail.as_str()),
        ("applied", "")
    );
    receipt.failure = Some(crate::Failure {
        operation: 2,
        code: crate::FailureCode::CapReached,
        subject: Some(ObjectId::Edition(EditionId([3; 32]))),
        found: 11,
        limit: 10,
    });
    let failed = Receipt::from(&receipt);
    assert_eq!((failed.code, failed.operation), (6, Some(2)));
    assert_eq!(failed.code_name, "cap_reached");
    assert!(
        failed
            .detail
            .ends_with("would have 11 items, 10 are allowed")
    );
}

#[test]
fn codes_of_problems_are_distinct_and_their_states_are_errors() {
    let mut codes: Vec<&str> = ProblemCode::ALL.iter().map(|c| c.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), ProblemCode::ALL.len());
    for code in ProblemCode::ALL {
        assert!((400..600).contains(&code.status()), "{code}");
        assert!(
            !code.title().is_empty() && !code.hint().is_empty(),
            "{code}"
        );
    }
}
