use crate::common::*;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use weft_network::{Event, FrameKind, MemberIndex, SendError};

/// Bytes that differ for each number, of lengths from none to more than a stream's window.
fn payload(number: usize) -> Bytes {
    let length = match number % 50 {
        49 => 600_000,
        n => n * n * 20,
    };
    (0..length)
        .map(|place| (place * 7 + number) as u8)
        .collect::<Vec<_>>()
        .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_arrive_in_order_and_intact() {
    let mut nodes = cluster(2).await;
    const FRAMES: usize = 300;
    for number in 0..FRAMES {
        let kind = FrameKind(number as u8);
        let sent = nodes[0].handle.send(MemberIndex(1), kind, payload(number));
        sent.expect("a good frame");
    }
    for number in 0..FRAMES {
        let (from, kind, bytes) = nodes[1].frame().await;
        assert_eq!((from, kind), (0, FrameKind(number as u8)));
        assert!(bytes == payload(number), "frame {number} differs");
    }
    let (sent, received) = (nodes[0].peer(1), nodes[1].peer(0));
    assert_eq!(sent.sent_frames, FRAMES as u64);
    assert_eq!(received.received_frames, FRAMES as u64);
    assert_eq!(sent.sent_bytes, received.received_bytes);
    assert_eq!((sent.queued_bytes, received.waiting_bytes), (0, 0));
    assert_eq!(sent.dropped_frames, 0);
    shut_down(nodes).await;
}

#[tokio::test]
async fn a_broadcast_reaches_every_other_member() {
    let mut nodes = cluster(4).await;
    for (index, node) in nodes.iter().enumerate() {
        let sent = node.handle.broadcast(KIND, Bytes::from(vec![index as u8]));
        sent.expect("a good frame");
    }
    for (index, node) in nodes.iter_mut().enumerate() {
        let mut senders = Vec::new();
        for _ in 0..3 {
            let (from, _, bytes) = node.frame().await;
            assert_eq!(bytes, [from as u8][..]);
            senders.push(from);
        }
        senders.sort_unstable();
        let others: Vec<_> = (0..4).filter(|other| *other != index as u32).collect();
        assert_eq!(senders, others);
    }
    shut_down(nodes).await;
}

#[tokio::test]
async fn frames_wait_for_a_member_that_is_not_there_yet() {
    let mut first = Node::start(member(0, 2)).await;
    first.send(1, b"early");
    let mut config = member(1, 2);
    introduce(&mut config, std::slice::from_ref(&first));
    let mut second = Node::start(config).await;
    assert_eq!(second.frame().await.2, &b"early"[..]);
    second.send(0, b"late");
    assert_eq!(first.frame().await.2, &b"late"[..]);
    shut_down(vec![first, second]).await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_at_once() {
    let node = Node::start(member(0, 2)).await;
    let bytes_max = limits().frame_bytes_max;
    let bytes = bytes_max + 1;
    assert_eq!(
        node.handle
            .send(MemberIndex(1), KIND, vec![0; bytes].into()),
        Err(SendError::TooLong { bytes, bytes_max })
    );
    for stranger in [0, 2] {
        let stranger = MemberIndex(stranger);
        assert_eq!(
            node.handle.send(stranger, KIND, Bytes::new()),
            Err(SendError::NoPeer(stranger))
        );
    }
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn an_oversized_frame_ends_its_stream_only_and_is_counted() {
    let mut nodes = cluster_with(2, |index, config| {
        if index == 1 {
            config.limits.frame_bytes_max = 1000;
        }
    })
    .await;
    while nodes[1].events.try_recv().is_some() {}
    nodes[0].send(1, &[1; 1000]);
    nodes[0].send(1, &[2; 1001]);
    assert_eq!(nodes[1].frame().await.2.len(), 1000);
    eventually("the refusal", || nodes[1].peer(0).oversized == 1).await;

    // The sender opens another stream; the other direction never noticed.
    nodes[0].disconnected(1).await;
    nodes[0].connected(1).await;
    nodes[0].send(1, &[3; 10]);
    nodes[1].send(0, &[4; 10]);
    assert_eq!(nodes[0].frame().await.2, &[4; 10][..]);
    let event = nodes[1].next().await;
    assert!(
        matches!(&event, Event::Frame { bytes, .. } if *bytes == [3; 10][..]),
        "{event:?}"
    );
    assert_eq!(nodes[1].peer(0).malformed, 0);
    shut_down(nodes).await;
}

/// Member 2 takes no events. What goes there fills its lane, the windows and sockets, and then the
/// sender's queue, where the oldest are dropped; member 1 gets everything meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_member_delays_nobody_and_costs_a_bounded_amount() {
    const FRAME: usize = 64 << 10;
    const FRAMES: usize = 640;
    const OUTGOING: usize = 2 << 20;
    const INCOMING: usize = 1 << 20;
    let mut nodes = cluster_with(3, |_, config| {
        config.limits.frame_bytes_max = FRAME;
        config.limits.outgoing_bytes_max = OUTGOING;
        config.limits.incoming_bytes_max = INCOMING;
    })
    .await;
    let numbered = |number: usize| {
        let mut bytes = vec![0; FRAME];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Bytes::from(bytes)
    };
    let number_of = |bytes: &Bytes| usize::from_be_bytes(bytes[..8].try_into().expect("8 bytes"));

    let mut slowest = Duration::ZERO;
    for number in 0..FRAMES {
        let since = Instant::now();
        let sent = nodes[0].handle.broadcast(KIND, numbered(number));
        sent.expect("a good frame");
        let (_, _, bytes) = nodes[1].frame().await;
        assert_eq!(number_of(&bytes), number);
        slowest = slowest.max(since.elapsed());
        assert!(nodes[0].peer(2).queued_bytes <= OUTGOING);
        assert!(nodes[2].peer(0).waiting_bytes <= INCOMING);
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert_eq!(nodes[0].peer(1).dropped_frames, 0);
    let dropped = nodes[0].peer(2).dropped_frames as usize;
    assert!(dropped > 0);
    assert!(nodes[0].peer(2).connected);

    // When it takes events again it gets the rest, in order, the newest included.
    let mut received = Vec::new();
    while received.last() != Some(&(FRAMES - 1)) {
        received.push(number_of(&nodes[2].frame().await.2));
    }
    assert!(received.is_sorted());
    assert_eq!(received.len(), FRAMES - dropped);
    assert!(timeout(SHORT, nodes[2].frame()).await.is_err());
    shut_down(nodes).await;
}
