use super::*;
use crate::frame::{FRAME_OVERHEAD_BYTES, FrameKind};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

fn frame(number: u8, payload_bytes: usize) -> Frame {
    Frame {
        kind: FrameKind(number),
        payload: Bytes::from(vec![number; payload_bytes]),
    }
}

fn kinds(outbox: &Outbox) -> Vec<u8> {
    std::iter::from_fn(|| outbox.try_pop())
        .map(|frame| frame.kind.0)
        .collect()
}

#[test]
fn frames_leave_in_the_order_they_came() {
    let outbox = Outbox::new(10_000);
    for number in 0..5 {
        assert_eq!(outbox.push(frame(number, 100)), 0);
    }
    assert_eq!(outbox.bytes(), 5 * (100 + FRAME_OVERHEAD_BYTES));
    assert_eq!(kinds(&outbox), [0, 1, 2, 3, 4]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn the_oldest_make_room_for_the_newest() {
    let cost = 100 + FRAME_OVERHEAD_BYTES;
    let outbox = Outbox::new(3 * cost);
    for number in 0..3 {
        outbox.push(frame(number, 100));
    }
    assert_eq!(outbox.push(frame(3, 100)), 1);
    assert_eq!(outbox.push(frame(4, 2 * 100)), 2);
    assert!(outbox.bytes() <= 3 * cost);
    assert_eq!(kinds(&outbox), [3, 4]);
}

#[test]
fn empty_frames_are_bounded_too() {
    let outbox = Outbox::new(10 * FRAME_OVERHEAD_BYTES);
    let dropped: u64 = (0..100).map(|number| outbox.push(frame(number, 0))).sum();
    assert_eq!(dropped, 90);
}

#[test]
fn after_a_break_what_is_recent_is_left_and_always_the_newest() {
    let outbox = Outbox::new(10_000);
    outbox.push(frame(0, 100));
    outbox.push(frame(1, 100));
    std::thread::sleep(Duration::from_millis(20));
    outbox.push(frame(2, 100));
    assert_eq!(outbox.drop_older(Duration::from_secs(60)), 0);
    assert_eq!(outbox.drop_older(Duration::from_millis(19)), 2);
    assert_eq!(outbox.drop_older(Duration::ZERO), 0, "the newest");
    assert_eq!(outbox.bytes(), 100 + FRAME_OVERHEAD_BYTES);
    assert_eq!(kinds(&outbox), [2]);
}

#[tokio::test]
async fn a_reader_is_woken_by_a_frame() {
    let outbox = Outbox::new(10_000);
    let (popped, ()) = tokio::join!(timeout(Duration::from_secs(5), outbox.pop()), async {
        tokio::task::yield_now().await;
        outbox.push(frame(7, 1));
    });
    assert_eq!(popped.expect("woken").kind, FrameKind(7));
}
