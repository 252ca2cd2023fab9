//! What needs a look inside: the bound on remembered digests.

use super::*;
use weft_types::testing::{self, transaction, user};
use weft_types::{Operation, Payment};

fn pay(nonce: u64) -> Arc<Verified<Transaction>> {
    let payment = Payment {
        to: user(1),
        asset: AssetId::NATIVE,
        amount: Amount(1),
    };
    let operation = Operation::Transfer {
        payments: vec![payment],
        items: vec![],
    };
    let signed = transaction(0, nonce, vec![operation]);
    Arc::new(signed.verify(testing::network().id()).unwrap())
}

#[test]
fn when_no_more_digests_fit_transactions_wait_until_some_expire() {
    let (mut ledger, _) = Ledger::genesis(&testing::genesis(4).template).unwrap();
    ledger.remembered = Remembered::new(2);
    let transactions: Vec<_> = (0..3).map(pay).collect();
    let applied = ledger.apply(CommitIndex(1), Millis(2_000), &transactions);
    assert_eq!(applied.receipts.len(), 2);
    let refusal = &applied.refused[0].refusal;
    assert_eq!(*refusal, Refusal::Full { remembered: 2 });
    assert!(refusal.may_pass_later());
    // Tests sign with a validity until 60,000.
    ledger.apply(CommitIndex(2), Millis(61_000), &[]);
    assert_eq!(ledger.remembered.len(), 0);
}
