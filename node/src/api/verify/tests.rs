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
async fn work_is_bounded_by_what_authorisations_count() {
    // Nobody takes what waits.
    let (jobs, _waiting) = mpsc::channel(WAITING_MAX);
    let work = Arc::new(Semaphore::new(WORK_MAX as usize));
    let verifier = Verifier { jobs, work };
    let one = transaction(1);
    let fits = WORK_MAX as usize / one.authorisation_bytes() as usize;
    let too_much = verifier.verify(vec![one.clone(); fits + 1]).await;
    assert!(matches!(too_much, Err(Busy::TooMuch(_))));

    let mut all = Box::pin(verifier.verify(vec![one.clone(); fits]));
    assert!(futures::poll!(&mut all).is_pending());
    let more = verifier.verify(vec![one.clone()]).await;
    assert_eq!(more.unwrap_err(), Busy::Work);
}

#[tokio::test]
async fn the_threads_end_with_the_verifier() {
    let (jobs, waiting) = mpsc::channel(1);
    let work = Arc::new(Semaphore::new(1));
    let verifier = Verifier { jobs, work };
    drop(verifier);
    let waiting = Mutex::new(waiting);
    let ended = tokio::task::spawn_blocking(move || next_batch(&waiting).is_none());
    assert!(ended.await.unwrap());
}
