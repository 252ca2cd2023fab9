use super::*;

fn id(n: u8) -> TransactionId {
    TransactionId([n; 32])
}

/// One transaction each millisecond, each valid for a second.
fn plan(count: u8) -> Vec<Planned> {
    let planned = |n: u8| Planned {
        id: id(n),
        intended: u64::from(n) * 1_000,
        expires: u64::from(n) * 1_000 + 1_000_000,
        after: vec![],
    };
    (0..count).map(planned).collect()
}

fn book(nodes: usize, plan: Vec<Planned>) -> Book {
    Book::new(nodes, CommitIndex(10), plan)
}

fn send(book: &mut Book, place: Place, node: usize, now: Micros) {
    let intended = book.planned(place).intended;
    assert!(book.offer(place, intended));
    book.sent(place, node, now);
    book.accepted(place);
}

fn applied(n: u8) -> (TransactionId, Result<(), String>) {
    (id(n), Ok(()))
}

#[test]
fn latency_runs_from_the_intended_moment_to_the_own_nodes_announcement() {
    let mut book = book(2, plan(2));
    // Sent 4 ms late.
    send(&mut book, 1, 1, 5_000);
    // The other node is quicker; that is not what this client sees.
    assert_eq!(
        book.executed(0, CommitIndex(11), Some(1), 8_000),
        [CommitIndex(11)]
    );
    book.receipts(CommitIndex(11), [applied(1)], 8_100);
    assert_eq!(book.counts().committed, 0);
    assert!(
        book.executed(1, CommitIndex(11), Some(1), 11_000)
            .is_empty(),
        "asked for once"
    );
    let counts = book.counts();
    assert_eq!((counts.submitted, counts.committed, counts.open), (1, 1, 0));
    assert_eq!(book.latencies().0.max() / 100, 100, "11 ms less 1 ms");
}

#[test]
fn each_second_has_the_latencies_of_what_was_to_be_sent_in_it() {
    let mut plan = plan(2);
    plan[1].intended = 2 * SECOND + 7;
    let mut book = book(1, plan);
    send(&mut book, 0, 0, 0);
    send(&mut book, 1, 0, 2 * SECOND + 7);
    book.receipts(CommitIndex(11), [applied(0), applied(1)], 3 * SECOND);
    book.executed(0, CommitIndex(11), Some(2), 3 * SECOND);
    let counts: Vec<u64> = book.by_second().iter().map(Histogram::len).collect();
    assert_eq!(counts, [1, 0, 1]);
    let last = book.by_second()[2].max();
    assert!(last.abs_diff(SECOND - 7) < SECOND / 50, "{last}");
}

#[test]
fn an_announcement_before_the_receipts_are_read_counts() {
    let mut book = book(1, plan(1));
    send(&mut book, 0, 0, 0);
    book.executed(0, CommitIndex(11), Some(1), 7_000);
    book.certificate(0, CommitIndex(12), 9_000);
    book.receipts(CommitIndex(11), [applied(0)], 50_000);
    let (committed, certified) = book.latencies();
    assert_eq!((committed.max() / 100, certified.max() / 100), (70, 90));
}

#[test]
fn a_certificate_covers_all_commits_before_it() {
    let mut book = book(1, plan(3));
    for place in 0..3 {
        send(&mut book, place, 0, 0);
    }
    for (n, commit) in [(0, 11), (1, 12), (2, 13)] {
        book.executed(0, CommitIndex(commit), Some(1), 5_000);
        book.receipts(CommitIndex(commit), [applied(n)], 5_000);
    }
    book.certificate(0, CommitIndex(12), 6_000);
    assert_eq!(book.counts().certified, 2);
    book.certificate(0, CommitIndex(12), 7_000);
    book.certificate(0, CommitIndex(14), 8_000);
    assert_eq!(book.counts().certified, 3);
}

#[test]
fn skipped_announcements_are_looked_up_and_old_commits_ignored() {
    let mut book = book(2, plan(1));
    send(&mut book, 0, 0, 0);
    assert!(book.executed(0, CommitIndex(10), Some(5), 1).is_empty());
    assert_eq!(
        book.executed(0, CommitIndex(13), Some(0), 2_000),
        [CommitIndex(11), CommitIndex(12)]
    );
    assert_eq!(
        book.executed(1, CommitIndex(14), None, 2_000),
        [CommitIndex(14)]
    );
    book.receipts(CommitIndex(12), [applied(0), applied(99)], 3_000);
    assert_eq!(book.counts().committed, 1);
    assert_eq!(book.latencies().0.max() / 100, 20);
}

#[test]
fn what_depends_on_others_is_held_until_all_are_committed() {
    let mut plan = plan(3);
    plan[2].after = vec![0, 1];
    let mut book = book(1, plan);
    send(&mut book, 0, 0, 0);
    send(&mut book, 1, 0, 0);
    assert!(!book.offer(2, 2_000));
    assert!(book.receipts(CommitIndex(11), [applied(0)], 1).is_empty());
    assert_eq!(book.receipts(CommitIndex(12), [applied(1)], 1), [2]);
    book.executed(0, CommitIndex(12), Some(1), 5);
    book.sent(2, 0, 30_000);
    book.executed(0, CommitIndex(13), Some(1), 40_000);
    book.receipts(CommitIndex(13), [applied(2)], 40_000);
    assert_eq!(book.latencies().0.max() / 1_000, 38, "the wait counts");
}

#[test]
fn a_failure_takes_its_dependents_along() {
    let mut plan = plan(4);
    plan[1].after = vec![0];
    plan[2].after = vec![1];
    let mut book = book(1, plan);
    send(&mut book, 0, 0, 0);
    assert!(!book.offer(1, 1_000));
    let rejected = (id(0), Err("not_owner".to_owned()));
    book.receipts(CommitIndex(11), [rejected.clone()], 1);
    book.receipts(CommitIndex(11), [rejected], 1);
    let counts = book.counts();
    assert_eq!((counts.offered, counts.failed, counts.open), (3, 3, 0));
    assert_eq!(book.reasons()["not_owner"], 1);
    assert_eq!(book.reasons()["depends on a failed transaction"], 2);
}

#[test]
fn time_runs_out_for_what_is_not_ordered_alone() {
    let mut book = book(1, plan(3));
    for place in 0..3 {
        send(&mut book, place, 0, 0);
    }
    book.receipts(CommitIndex(11), [applied(0)], 1);
    book.expire(1_001_500);
    assert_eq!(
        book.counts().failed,
        1,
        "the first is ordered, the last has time"
    );
    assert_eq!(book.reasons()["expired"], 1);
    // It was ordered after all: too late to be told, but not counted twice.
    book.receipts(CommitIndex(12), [applied(1)], 2_000_000);
    assert_eq!(book.counts().failed, 1);
}

#[test]
fn a_dead_nodes_clients_go_to_the_next_one_and_their_wait_counts() {
    let mut book = book(3, plan(4));
    for place in 0..3 {
        send(&mut book, place, 1, 1_000);
    }
    send(&mut book, 3, 0, 1_000);
    book.executed(2, CommitIndex(11), Some(2), 4_000);
    book.receipts(CommitIndex(11), [applied(0)], 4_000);
    let again = book.node_down(1, 60_000);
    assert_eq!(
        again,
        [1, 2],
        "the ordered one is only asked about elsewhere"
    );
    assert_eq!(book.counts().committed, 1);
    assert_eq!(book.latencies().0.max() / 1_000, 60);
    assert_eq!(book.up_from(1), Some(2));
    // Ordered through the dead node all the same, before it is sent again.
    book.receipts(CommitIndex(12), [applied(1)], 61_000);
    book.executed(2, CommitIndex(12), Some(1), 62_000);
    assert_eq!(book.counts().committed, 2);
    book.node_up(1);
    assert_eq!(book.up_from(1), Some(1));
}

#[test]
fn nothing_is_lost_when_every_node_is_down() {
    let mut book = book(1, plan(1));
    send(&mut book, 0, 0, 0);
    assert!(book.node_down(0, 1_000).is_empty());
    assert_eq!(book.up_from(0), None);
    book.receipts(CommitIndex(11), [applied(0)], 2_000);
    book.node_up(0);
    book.executed(0, CommitIndex(11), Some(1), 3_000);
    assert_eq!(book.counts().committed, 1);
}

#[test]
fn the_silent_are_found_oldest_first() {
    let mut book = book(1, plan(3));
    for (place, sent) in [(0, 3_000), (1, 1_000), (2, 9_000)] {
        send(&mut book, place, 0, sent);
    }
    assert_eq!(book.silent(5_000, 10), [1, 0]);
    assert_eq!(book.silent(5_000, 1), [1]);
    book.sent(1, 0, 10_000);
    assert_eq!(book.silent(5_000, 10), [0], "sent again");
}

#[test]
fn the_slowest_node_tells_when_all_is_executed() {
    let mut book = book(3, plan(1));
    assert_eq!(book.all_executed(&[0, 1]), None);
    send(&mut book, 0, 0, 0);
    book.executed(0, CommitIndex(11), Some(1), 1_000);
    book.receipts(CommitIndex(11), [applied(0)], 1_000);
    assert_eq!(book.all_executed(&[0, 1]), None);
    book.executed(1, CommitIndex(15), Some(1), 9_000);
    assert_eq!(
        book.all_executed(&[0, 1]),
        Some(9_000),
        "the third is not asked"
    );
}
