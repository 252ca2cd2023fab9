use super::*;

fn tracker() -> Tracker {
    Tracker::new(Arc::default())
}

fn id(n: u8) -> TransactionId {
    TransactionId([n; 32])
}

#[tokio::test]
async fn a_commit_wakes_who_waits_for_its_transactions_and_nobody_else() {
    let tracker = tracker();
    for n in [1, 2] {
        tracker.submitted(id(n), Millis(5_000), Instant::now());
    }
    let first = tracker.wait(&id(1)).unwrap();
    let mut second = tracker.wait(&id(2)).unwrap();
    tracker.on_commit(CommitIndex(1), Millis(10), [id(1), id(9)]);
    assert_eq!(first.await, Ok(Outcome::Ordered));
    assert!(second.try_recv().is_err());
    assert_eq!(tracker.unordered(&id(1)), None);
    assert_eq!(tracker.unordered(&id(2)), Some(Unordered::Submitted));
}

#[tokio::test]
async fn a_transaction_expires_once_a_commit_is_past_its_validity() {
    let tracker = tracker();
    tracker.submitted(id(1), Millis(5_000), Instant::now());
    let waiting = tracker.wait(&id(1)).unwrap();
    tracker.on_commit(CommitIndex(1), Millis(5_000), []);
    assert_eq!(tracker.len(), 1, "still valid");
    tracker.on_commit(CommitIndex(2), Millis(6_001), []);
    assert_eq!(waiting.await, Ok(Outcome::Expired));
    assert_eq!(tracker.unordered(&id(1)), Some(Unordered::Expired));
    assert!(tracker.is_empty());
}

#[test]
fn expired_transactions_are_remembered_up_to_a_bound() {
    let tracker = tracker();
    for n in 0..=EXPIRED_MAX as u64 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        tracker.submitted(TransactionId(bytes), Millis(1), Instant::now());
    }
    tracker.on_commit(CommitIndex(1), Millis(2_000), []);
    assert!(tracker.is_empty());
    let expired = lock(&tracker.expired);
    assert_eq!(expired.ids.len(), EXPIRED_MAX);
    assert_eq!(expired.order.len(), EXPIRED_MAX);
}

#[test]
fn at_the_bound_there_is_no_room_until_something_is_ordered() {
    let tracker = Tracker::with_limit(Arc::default(), 2);
    tracker.submitted(id(1), Millis(5_000), Instant::now());
    assert_eq!(tracker.has_room(1), Ok(()));
    assert_eq!(tracker.has_room(2), Err(TrackerFull(1)));
    tracker.ordered(&id(1), CommitIndex(1));
    assert_eq!(tracker.has_room(2), Ok(()));
}

#[test]
fn waiters_for_one_transaction_are_bounded_and_those_who_left_make_room() {
    let tracker = tracker();
    tracker.submitted(id(1), Millis(5_000), Instant::now());
    let mut waiting: Vec<_> = (0..WAITERS_MAX)
        .map(|_| tracker.wait(&id(1)).unwrap())
        .collect();
    assert!(tracker.wait(&id(1)).is_none());
    waiting.pop();
    assert!(tracker.wait(&id(1)).is_some());
    assert!(tracker.wait(&id(2)).is_none(), "not followed");
}

#[tokio::test]
async fn progress_goes_forwards_only() {
    let tracker = tracker();
    let mut watch = tracker.watch_progress();
    tracker.on_certified(Height(2), CommitIndex(20));
    tracker.on_certified(Height(1), CommitIndex(10));
    tracker.on_anchored(Height(1), CommitIndex(10));
    let progress = *watch
        .wait_for(|p| p.anchored.0 > Height::ZERO)
        .await
        .unwrap();
    assert_eq!(progress.certified, (Height(2), CommitIndex(20)));
    assert_eq!(progress.anchored, (Height(1), CommitIndex(10)));
}

#[test]
fn a_commit_belongs_to_the_first_height_that_covers_it() {
    let tracker = tracker();
    for h in 5..8 {
        tracker.on_certified(Height(h), CommitIndex(h * 10));
    }
    assert_eq!(tracker.height_of(CommitIndex(51)), Some(Height(6)));
    assert_eq!(tracker.height_of(CommitIndex(60)), Some(Height(6)));
    assert_eq!(tracker.height_of(CommitIndex(71)), None, "not certified");
    assert_eq!(
        tracker.height_of(CommitIndex(42)),
        None,
        "height 4 may have covered it"
    );
    let young = Tracker::new(Arc::default());
    young.on_certified(Height(1), CommitIndex(3));
    assert_eq!(young.height_of(CommitIndex(2)), Some(Height(1)));
}
