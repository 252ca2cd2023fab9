use super::*;
use weft_types::{AssetId, Payment, testing};

fn pay() -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: testing::user(2),
            asset: AssetId::NATIVE,
            amount: Amount(7),
        }],
        items: vec![],
    }
}

#[test]
fn a_signed_draft_is_a_transaction_of_its_network() {
    let genesis = testing::genesis(4);
    let transaction = Draft::new(&genesis).sign(&testing::user_key(1), vec![pay()]);
    assert_eq!(transaction.body().sender, testing::user(1));
    transaction.verify(genesis.network.id()).unwrap();
}

#[test]
fn the_fee_stays_within_what_the_draft_allows() {
    let genesis = testing::genesis(4);
    let fees = &genesis.template.params.fees;
    for count in [1, 2, 40] {
        let operations = vec![pay(); count];
        let transaction = Draft::new(&genesis).sign(&testing::user_key(1), operations);
        let (fee, most) = (fees.of(&transaction), transaction.body().max_fee);
        assert!(fee <= most, "{fee} of {most}");
        assert!(most.0 - fee.0 <= 10 * fees.per_byte.0, "{fee} of {most}");
    }
}

#[test]
fn a_draft_for_another_account_is_signed_for_it_at_its_exact_fee() {
    let genesis = testing::genesis(4);
    let draft = Draft::new(&genesis).for_account(testing::user(3));
    let transaction = draft.sign(&testing::user_key(1), vec![pay()]);
    assert_eq!(transaction.body().sender, testing::user(3));
    let fee = genesis.template.params.fees.of(&transaction);
    assert!(transaction.body().max_fee.0 - fee.0 <= 10);
    transaction.verify(genesis.network.id()).unwrap();
    // Its own is named by no more than the key.
    let own = Draft::new(&genesis).for_account(testing::user(1));
    let own = own.sign(&testing::user_key(1), vec![pay()]);
    assert_eq!(own.authorisations()[0].account, None);
}

#[test]
fn equal_intents_are_different_transactions() {
    let draft = Draft::new(&testing::genesis(4));
    let sign = || draft.sign(&testing::user_key(1), vec![pay()]).id();
    assert_ne!(sign(), sign());
}

#[test]
fn a_sponsor_counts_as_a_party_that_signs() {
    let genesis = testing::genesis(4);
    let draft = Draft::new(&genesis).sponsored_by(testing::user(3));
    let body = draft.body(testing::user(1), vec![pay()]);
    let keys = [&testing::user_key(1), &testing::user_key(3)];
    let transaction = body.sign(&keys);
    assert!(genesis.template.params.fees.of(&transaction) <= body.max_fee);
    transaction.verify(genesis.network.id()).unwrap();
}
