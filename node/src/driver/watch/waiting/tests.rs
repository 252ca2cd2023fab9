use super::*;
use weft_basechain::Checkpoint;
use weft_types::{Root, StatementDigest};

const WINDOW: u64 = 80;

fn posted(height: u64) -> OnBase {
    OnBase {
        checkpoint: Checkpoint {
            height: Height(height),
            statement: StatementDigest([1; 32]),
            state_root: Root([2; 32]),
            base_block: height,
        },
        certificate: None,
        final_at: 0,
    }
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn waiting() -> Waiting {
    Waiting::new(seconds(WINDOW))
}

#[test]
fn w6_one_is_told_by_half_of_the_window_and_again_before_it_is_final() {
    let (mut waiting, start) = (waiting(), Instant::now());
    waiting.add(posted(7), seconds(WINDOW), start);
    // Seen again, as the same blocks are read again.
    waiting.add(posted(7), seconds(WINDOW - 20), start + seconds(20));
    assert_eq!(waiting.deadline(), Some(start + seconds(40)));
    assert!(waiting.due(start + seconds(39)).is_none());
    let first = waiting.due(start + seconds(40)).unwrap();
    assert_eq!(
        (first.named.checkpoint.height, first.again),
        (Height(7), false)
    );
    assert_eq!(waiting.told(), 1);
    assert_eq!(waiting.deadline(), Some(start + seconds(70)));
    assert!(waiting.due(start + seconds(70)).unwrap().again);
    assert_eq!(waiting.deadline(), None);
}

#[test]
fn w6_one_that_is_seen_late_is_given_half_of_what_is_left() {
    let (mut waiting, start) = (waiting(), Instant::now());
    waiting.add(posted(7), seconds(60), start);
    assert_eq!(waiting.deadline(), Some(start + seconds(20)));
    waiting.add(posted(6), seconds(16), start);
    assert_eq!(waiting.deadline(), Some(start + seconds(8)));
    let mut last = start;
    while let Some(at) = waiting.deadline() {
        last = at;
        assert!(waiting.due(at).is_some());
    }
    // The last word comes before height 7 is final.
    assert!(last < start + seconds(60));
}

#[test]
fn w6_one_that_was_final_before_it_was_seen_is_told_as_well() {
    let (mut waiting, start) = (waiting(), Instant::now());
    waiting.add(posted(7), Duration::ZERO, start);
    assert_eq!(waiting.deadline(), Some(start + FINAL_MISSING));
    assert!(waiting.due(start + FINAL_MISSING).is_some());
    assert_eq!(waiting.deadline(), None);
}

#[test]
fn w6_many_are_told_at_once_by_the_oldest_of_them() {
    let (mut waiting, start) = (waiting(), Instant::now());
    for height in 0..40 {
        waiting.add(posted(height), seconds(WINDOW), start + seconds(height));
    }
    let (mut alarms, mut first) = (0, None);
    while let Some(at) = waiting.deadline() {
        let due = waiting.due(at).unwrap();
        first.get_or_insert(due.named.checkpoint.height);
        alarms += 1;
    }
    assert_eq!((first, waiting.told()), (Some(Height(0)), 40));
    assert!((2..=10).contains(&alarms), "{alarms}");
}

#[test]
fn w6_reached_ones_wait_no_longer() {
    let (mut waiting, start) = (waiting(), Instant::now());
    for height in [5, 6] {
        waiting.add(posted(height), seconds(WINDOW), start);
    }
    assert!(waiting.reached(Height(4)).is_none());
    assert!(!waiting.reached(Height(5)).unwrap().told);
    assert!(waiting.reached(Height(5)).is_none());
    waiting.due(start + seconds(40)).unwrap();
    assert!(waiting.reached(Height(6)).unwrap().told);
    assert_eq!((waiting.len(), waiting.deadline()), (0, None));
}

#[test]
fn w6_what_is_no_longer_remembered_is_told_at_once_and_then_now_and_then() {
    let (mut waiting, start) = (waiting(), Instant::now());
    for height in 0..=POSTED_MAX as u64 {
        waiting.add(posted(height), seconds(WINDOW), start);
    }
    assert_eq!(waiting.len(), POSTED_MAX);
    assert_eq!(waiting.deadline(), Some(start));
    let due = waiting.due(start).unwrap();
    assert_eq!((due.named.checkpoint.height, due.forgotten), (Height(0), 1));
    // Those that are remembered have their own time.
    assert_eq!(waiting.told(), 0);
    let more = POSTED_MAX as u64 + 1;
    for height in more..more + 3 {
        waiting.add(posted(height), seconds(WINDOW), start + seconds(1));
    }
    let due = waiting.due(start + seconds(40)).unwrap();
    assert_eq!((due.forgotten, due.named.checkpoint.height), (0, Height(4)));
    // Together with the second word for those that are remembered, by the oldest of all.
    let due = waiting.due(start + FORGOTTEN_EVERY).unwrap();
    assert_eq!((due.forgotten, due.again), (3, true));
    assert_eq!(due.named.checkpoint.height, Height(4));
}
