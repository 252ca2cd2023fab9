use crate::common::*;
use crate::proxy::Proxy;
use bytes::Bytes;
use std::time::Duration;
use weft_network::{Event, FrameKind, IdentitySeed, MemberIndex, NetworkConfig, SendError};

/// Two members, and an observer that both of them see.
async fn watched(change: impl FnOnce(&mut NetworkConfig)) -> (Vec<Node>, Node) {
    let nodes = cluster(2).await;
    let mut config = observer(2);
    introduce(&mut config, &nodes);
    change(&mut config);
    let observer = Node::start(config).await;
    for node in &nodes {
        eventually("the observer", || node.handle.stats().observers == 1).await;
    }
    (nodes, observer)
}

#[tokio::test]
async fn an_observer_receives_what_members_publish() {
    let (nodes, mut observer) = watched(|_| {}).await;
    for (index, node) in nodes.iter().enumerate() {
        let kind = FrameKind(index as u8 + 10);
        let bytes = Bytes::from(vec![index as u8; 100]);
        node.handle.publish(kind, bytes.clone()).expect("published");
        assert_eq!(observer.gossip().await, (index as u32, kind, bytes));
        assert_eq!(node.handle.stats().published, 1);
    }
    assert_eq!(observer.handle.stats().gossip_received, 2);
    shut_down(nodes).await;
    shut_down(vec![observer]).await;
}

#[tokio::test]
async fn publications_may_be_as_long_as_frames_and_empty() {
    let (nodes, mut observer) = watched(|_| {}).await;
    for length in [limits().frame_bytes_max, 0] {
        let bytes = Bytes::from(vec![3; length]);
        let published = nodes[0].handle.publish(KIND, bytes.clone());
        published.expect("published");
        assert!(observer.gossip().await == (0, KIND, bytes));
    }
    shut_down(nodes).await;
    shut_down(vec![observer]).await;
}

#[tokio::test]
async fn the_same_publication_of_two_members_comes_once() {
    let (nodes, mut observer) = watched(|_| {}).await;
    for content in [&b"certificate 1"[..], b"certificate 2"] {
        for node in &nodes {
            let published = node.handle.publish(KIND, Bytes::copy_from_slice(content));
            published.expect("published");
        }
    }
    let mut received = [observer.gossip().await.2, observer.gossip().await.2];
    received.sort();
    assert_eq!(received, [&b"certificate 1"[..], b"certificate 2"]);
    assert!(
        tokio::time::timeout(SHORT, observer.gossip())
            .await
            .is_err()
    );
    shut_down(nodes).await;
    shut_down(vec![observer]).await;
}

#[tokio::test]
async fn without_observers_publishing_does_nothing() {
    let nodes = cluster(2).await;
    let published = nodes[0].handle.publish(KIND, Bytes::from_static(b"unseen"));
    published.expect("nothing to do");
    let stats = nodes[0].handle.stats();
    assert_eq!((stats.published, stats.publications_dropped), (0, 0));
    shut_down(nodes).await;
}

#[tokio::test]
async fn an_observer_can_neither_send_nor_publish() {
    let (nodes, observer) = watched(|_| {}).await;
    let to = MemberIndex(0);
    let handle = &observer.handle;
    let refused = Err(SendError::Observer);
    assert_eq!(handle.send(to, KIND, Bytes::new()), refused);
    assert_eq!(handle.broadcast(KIND, Bytes::new()), refused);
    assert_eq!(handle.publish(KIND, Bytes::new()), refused);
    shut_down(nodes).await;
    shut_down(vec![observer]).await;
}

#[tokio::test]
async fn an_observer_is_told_of_its_links_and_finds_a_member_that_restarts() {
    let (mut nodes, mut observer) = watched(|_| {}).await;
    let mut up = Vec::new();
    while up.len() < 2 {
        match observer.next().await {
            Event::PeerUp(member) => up.push(member.0),
            other => panic!("unexpected {other:?}"),
        }
    }
    up.sort_unstable();
    assert_eq!(up, [0, 1]);

    let stopped = nodes.remove(0);
    let mut config = member(0, 2);
    config.listen = vec![stopped.address()];
    shut_down(vec![stopped]).await;
    observer.disconnected(0).await;
    let again = Node::start(config).await;
    eventually("the observer", || again.handle.stats().observers == 1).await;
    let published = again.handle.publish(KIND, Bytes::from_static(b"back"));
    published.expect("published");
    assert_eq!(observer.gossip().await.2, &b"back"[..]);
    nodes.push(again);
    shut_down(nodes).await;
    shut_down(vec![observer]).await;
}

#[tokio::test]
async fn an_observer_that_takes_no_events_keeps_a_bounded_amount() {
    const FRAME: usize = 10_000;
    let (nodes, mut observer) = watched(|config| {
        config.limits.frame_bytes_max = FRAME;
        config.limits.publish_bytes_max = 3 * (FRAME + 1000);
    })
    .await;
    for number in 0..20 {
        let bytes = Bytes::from(vec![number; FRAME]);
        nodes[0].handle.publish(KIND, bytes).expect("published");
    }
    eventually("all publications", || {
        let stats = observer.handle.stats();
        stats.gossip_received + stats.gossip_dropped == 20
    })
    .await;
    assert_eq!(observer.handle.stats().gossip_received, 3);
    for number in 0..3 {
        assert_eq!(observer.gossip().await.2[0], number);
    }
    shut_down(nodes).await;
    shut_down(vec![observer]).await;
}

#[tokio::test]
async fn an_observer_stays_connected_while_nothing_is_published() {
    let node = {
        let mut config = member(0, 1);
        config.limits.idle_timeout = Duration::from_millis(100);
        Node::start(config).await
    };
    let mut config = observer(1);
    introduce(&mut config, std::slice::from_ref(&node));
    config.limits.idle_timeout = Duration::from_millis(100);
    let mut observer = Node::start(config).await;
    eventually("the observer", || node.handle.stats().observers == 1).await;
    tokio::time::sleep(SHORT).await;
    assert_eq!(node.handle.stats().observers, 1);
    while observer.events.try_recv().is_some() {}
    node.handle.publish(KIND, Bytes::new()).expect("published");
    let event = observer.next().await;
    assert!(matches!(event, Event::Gossip { .. }), "{event:?}");
    shut_down(vec![node, observer]).await;
}

/// What waits for an observer is bounded: it is cut off, and the others do not notice.
#[tokio::test]
async fn an_observer_that_stops_reading_is_disconnected() {
    const FRAME: usize = 100_000;
    let mut config = member(0, 1);
    config.limits.frame_bytes_max = FRAME;
    config.limits.observer_bytes_max = 8 * FRAME;
    let node = Node::start(config).await;
    let wire = Proxy::before(&node.address()).await;
    let mut stalled = observer(1);
    stalled.committee[0].addresses = vec![wire.address.clone()];
    let stalled = Node::start(stalled).await;
    let mut reading = observer(1);
    reading.seed = IdentitySeed::new([102; 32]);
    introduce(&mut reading, std::slice::from_ref(&node));
    let mut reading = Node::start(reading).await;
    eventually("both observers", || node.handle.stats().observers == 2).await;

    wire.set_dead(true);
    let mut number: u32 = 0;
    while node.handle.stats().slow_observers == 0 {
        assert!(number < 2000, "200 MB went somewhere");
        let mut bytes = vec![0; FRAME];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        node.handle.publish(KIND, bytes.into()).expect("published");
        assert_eq!(reading.gossip().await.2[..4], number.to_be_bytes());
        number += 1;
    }
    eventually("the end", || node.handle.stats().observers == 1).await;
    assert!(node.handle.stats().publications_dropped > 0);
    shut_down(vec![node, stalled, reading]).await;
}
