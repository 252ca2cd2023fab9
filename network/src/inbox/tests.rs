use super::*;
use crate::frame::FrameKind;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(5);

fn frame(from: u32, kind: u8) -> Event {
    Event::Frame {
        from: MemberIndex(from),
        kind: FrameKind(kind),
        bytes: Bytes::new(),
    }
}

/// Who the waiting events are from, and their kinds; links as (member, 255 or 254).
fn drain(events: &mut Events) -> Vec<(u32, u8)> {
    std::iter::from_fn(|| events.try_recv())
        .map(|event| match event {
            Event::Frame { from, kind, .. } => (from.0, kind.0),
            Event::PeerUp(member) => (member.0, 255),
            Event::PeerDown(member) => (member.0, 254),
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

fn inbox() -> (Arc<Inbox>, Events) {
    let inbox = Arc::<Inbox>::default();
    let events = Events::new(inbox.clone());
    (inbox, events)
}

#[tokio::test]
async fn a_flood_from_one_source_delays_the_others_by_one_event() {
    let (inbox, mut events) = inbox();
    let (flood, quiet) = (inbox.lane(1000), inbox.lane(1000));
    for kind in 0..4 {
        flood.push(frame(1, kind), flood.room(100).await);
    }
    quiet.push(frame(2, 0), quiet.room(100).await);
    assert_eq!(drain(&mut events), [(1, 0), (2, 0), (1, 1), (1, 2), (1, 3)]);
}

#[tokio::test]
async fn a_full_lane_waits_for_the_node_and_others_do_not() {
    let (inbox, mut events) = inbox();
    let (full, other) = (inbox.lane(200), inbox.lane(200));
    for kind in 0..2 {
        full.push(frame(1, kind), full.room(100).await);
    }
    assert_eq!(full.bytes(), 200);
    assert!(timeout(SHORT, full.room(100)).await.is_err());
    assert!(full.try_room(1).is_none());
    assert!(timeout(SHORT, other.room(100)).await.is_ok());

    assert!(events.try_recv().is_some());
    assert!(timeout(SHORT, full.room(100)).await.is_ok());
}

#[tokio::test]
async fn an_event_larger_than_its_lane_passes_alone() {
    let (inbox, mut events) = inbox();
    let lane = inbox.lane(200);
    lane.push(frame(1, 0), lane.room(10_000).await);
    assert!(lane.try_room(1).is_none());
    assert_eq!(drain(&mut events), [(1, 0)]);
    assert_eq!(lane.bytes(), 0);
}

#[tokio::test]
async fn only_the_newest_state_of_a_link_is_told_and_first() {
    let (inbox, mut events) = inbox();
    let lane = inbox.lane(200);
    lane.push(frame(1, 0), lane.room(100).await);
    for up in [true, false, true, false] {
        inbox.link(MemberIndex(3), up);
    }
    inbox.link(MemberIndex(2), true);
    assert_eq!(drain(&mut events), [(2, 255), (3, 254), (1, 0)]);
}

#[tokio::test]
async fn after_closing_the_rest_is_delivered_and_then_the_end() {
    let (inbox, mut events) = inbox();
    let lane = inbox.lane(200);
    lane.push(frame(1, 0), lane.room(100).await);
    inbox.close();
    assert!(timeout(LONG, events.recv()).await.expect("ready").is_some());
    assert!(timeout(LONG, events.recv()).await.expect("ready").is_none());
}

#[tokio::test]
async fn a_waiting_node_is_woken() {
    let (inbox, mut events) = inbox();
    let lane = inbox.lane(200);
    let (event, ()) = tokio::join!(timeout(LONG, events.recv()), async {
        tokio::task::yield_now().await;
        lane.push(frame(1, 9), lane.room(1).await);
    });
    assert!(matches!(event, Ok(Some(Event::Frame { .. }))));
}
