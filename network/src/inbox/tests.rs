use super::*;
use crate::config::{Member, Role};
use crate::frame::FrameKind;
use crate::limits::Limits;
use bytes::Bytes;
use libp2p::PeerId;
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

fn link(member: u32, inbox: &Arc<Inbox>) -> Link {
    let member = Member {
        index: MemberIndex(member),
        vertex_key: [0; 32],
        addresses: Vec::new(),
    };
    let role = Role::Observer;
    Link::new(PeerId::random(), member, role, &Limits::default(), inbox)
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
    let [two, three] = [2, 3].map(|member| link(member, &inbox));
    for up in [true, false, true, false] {
        inbox.link(&three, up);
    }
    inbox.link(&two, true);
    assert_eq!(drain(&mut events), [(2, 255), (3, 254), (1, 0)]);
}

#[tokio::test]
async fn with_another_committee_who_is_up_is_told_by_the_new_index_and_who_is_gone_no_more() {
    let (inbox, mut events) = inbox();
    let [stays, comes, goes] = [1, 2, 3].map(|member| Arc::new(link(member, &inbox)));
    stays.set_up(true);
    inbox.link(&stays, true);
    inbox.link(&goes, false);
    goes.gone.cancel();
    inbox.seat(&[(MemberIndex(3), stays), (MemberIndex(1), comes)].into());
    inbox.link(&goes, true);
    assert_eq!(drain(&mut events), [(3, 255)]);
}

#[tokio::test]
async fn a_lane_is_used_again_and_what_waits_in_it_is_served() {
    let (inbox, mut events) = inbox();
    let gone = inbox.lane(200);
    gone.push(frame(1, 0), gone.room(100).await);
    drop(gone);
    let next = inbox.lane(200);
    next.push(frame(2, 0), next.room(200).await);
    assert_eq!(inbox.state().lanes.len(), 1);
    assert_eq!(drain(&mut events), [(1, 0), (2, 0)]);
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
