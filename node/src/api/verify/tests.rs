use super::*;
use std::time::Duration;
use weft_types::{ItemId, Operation, testing};

fn transaction(n: u64) -> Transaction {
    let items = vec![ItemId([1; 32])];
    testing::transaction(1, n, vec![Operation::Burn { items }])
}

/// Signed by somebody else than the sender.
fn forged(n: u64) -> Transaction {
    let body = testing::body(1, n, transaction(n).body().operations.clone());
    body.sign(&[&testing::user_key(2)])
}

fn verifier() -> Verifier {
    Verifier::start(testing::network().id(), Arc::default()).unwrap()
}

#[tokio::test]
async fn each_verdict_stands_in_its_transactions_place() {
    let verifier = verifier();
    let sent = vec![transaction(1), forged(2), transaction(3)];
    let ids: Vec<_> = sent.iter().map(Transaction::id).collect();
    let verdicts = verifier.verify(sent).await.unwrap();
    let found: Vec<_> = verdicts
        .iter()
        .map(|v| v.as_ref().ok().map(|t| t.id()))
        .collect();
    assert_eq!(found, [Some(ids[0]), None, Some(ids[2])]);
    assert!(matches!(verdicts[1], Err(TransactionError::Stranger(0))));
}

#[tokio::test]
async fn many_requests_at_once_each_get_their_own_verdicts() {
    let verifier = verifier();
    let requests = (0..200u64).map(|n| {
        let wrong = n % 7 == 0;
        let sent = if wrong { forged(n) } else { transaction(n) };
        let verified = verifier.verify(vec![sent]);
        async move { verified.await.unwrap()[0].is_ok() != wrong }
    });
    let right = futures::future::join_all(requests);
    let right = tokio::time::timeout(Duration::from_secs(20), right)
        .await
        .unwrap();
    assert!(right.into_iter().all(|r| r));
}

#[tokio::test]
async fn the_threads_end_with_the_verifier() {
    let (jobs, waiting) = mpsc::channel(1);
    let verifier = Verifier { jobs };
    drop(verifier);
    let waiting = Mutex::new(waiting);
    let ended = tokio::task::spawn_blocking(move || next_batch(&waiting).is_none());
    assert!(ended.await.unwrap());
}
