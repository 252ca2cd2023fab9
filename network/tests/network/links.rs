use crate::common::*;
use crate::proxy::Proxy;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;
use weft_network::{Event, FetchError, MemberIndex, NetworkConfig};

/// Links that came up (true) and went down, as the node was told so far.
fn told(node: &mut Node) -> Vec<(u32, bool)> {
    std::iter::from_fn(|| node.events.try_recv())
        .filter_map(|event| match event {
            Event::PeerUp(member) => Some((member.0, true)),
            Event::PeerDown(member) => Some((member.0, false)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_link_is_told_and_measured() {
    let mut nodes = cluster(2).await;
    assert_eq!(told(&mut nodes[0]), [(1, true)]);
    assert_eq!(told(&mut nodes[1]), [(0, true)]);
    eventually("a round trip", || nodes[0].peer(1).rtt.is_some()).await;
    shut_down(nodes).await;
}

#[tokio::test]
async fn a_member_that_restarts_is_reached_again() {
    let mut nodes = cluster(3).await;
    // Member 0 is never dialled in this cluster but by the others; it comes back where it was.
    let stopped = nodes.remove(0);
    let address = stopped.address();
    shut_down(vec![stopped]).await;
    nodes[0].disconnected(0).await;
    nodes[0].send(0, b"while it was away");

    let mut config = member(0, 3);
    config.listen = vec![address];
    let mut again = Node::start(config).await;
    assert_eq!(again.frame().await.2, &b"while it was away"[..]);
    nodes[1].connected(0).await;
    again.send(2, b"back");
    assert_eq!(nodes[1].frame().await.2, &b"back"[..]);
    assert!(told(&mut nodes[0]).contains(&(0, true)));
    nodes.push(again);
    shut_down(nodes).await;
}

#[tokio::test]
async fn a_blocked_link_is_cut_and_both_sides_still_reach_the_third() {
    let mut nodes = cluster(3).await;
    nodes[0].handle.block(MemberIndex(1)).expect("a peer");
    nodes[0].disconnected(1).await;
    nodes[1].disconnected(0).await;

    nodes[0].send(1, b"through the cut");
    nodes[1].send(0, b"through the cut");
    for index in [0, 1] {
        nodes[index].send(2, &[index as u8]);
        let (from, _, bytes) = nodes[2].frame().await;
        assert_eq!((from, &bytes[..]), (index as u32, &[index as u8][..]));
        nodes[2].send(index as u32, b"to both");
        assert_eq!(nodes[index].frame().await.0, 2);
    }
    for index in [0, 1] {
        assert!(timeout(SHORT, nodes[index].frame()).await.is_err());
    }
    let fetched = nodes[0].handle.fetch(MemberIndex(1), Bytes::new()).await;
    assert_eq!(fetched, Err(FetchError::NotConnected(MemberIndex(1))));
    assert!(nodes[0].peer(1).blocked && !nodes[1].peer(0).blocked);

    nodes[0].handle.unblock(MemberIndex(1)).expect("a peer");
    assert_eq!(nodes[0].frame().await.0, 1);
    assert_eq!(nodes[1].frame().await.0, 0);
    shut_down(nodes).await;
}

/// Both know the other's address, so both dial. Whether one connection or two come of it, frames
/// pass once.
#[tokio::test]
async fn two_members_that_dial_each_other_get_each_frame_once() {
    let ports = [(); 2].map(|()| {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        socket.local_addr().expect("bound").port()
    });
    let mut nodes = Vec::new();
    for index in 0..2 {
        let mut config = member(index, 2);
        for (member, port) in config.committee.iter_mut().zip(ports) {
            let address = format!("/dns4/localhost/tcp/{port}");
            member.addresses = vec![address.parse().expect("a multiaddress")];
        }
        let address = format!("/ip4/127.0.0.1/tcp/{}", ports[index as usize]);
        config.listen = vec![address.parse().expect("a multiaddress")];
        nodes.push(Node::start(config).await);
    }
    for (index, other) in [(0, 1), (1, 0)] {
        nodes[index].connected(other).await;
        for number in 0..10 {
            nodes[index].send(other, &[number]);
        }
    }
    for node in &mut nodes {
        for number in 0..10 {
            assert_eq!(node.frame().await.2, [number][..]);
        }
        assert!(timeout(SHORT, node.frame()).await.is_err());
    }
    shut_down(nodes).await;
}

/// No packet says that the wire is dead, and it swallows nothing more, so even closing would wait.
#[tokio::test]
async fn a_link_that_goes_silent_is_noticed_by_both_sides_and_comes_back() {
    let quick = |config: &mut NetworkConfig| {
        config.limits.ping_interval = Duration::from_millis(100);
        config.limits.silence_max = Duration::from_secs(1);
    };
    let mut config = member(0, 2);
    quick(&mut config);
    let first = Node::start(config).await;
    let wire = Proxy::before(&first.address()).await;
    let mut config = member(1, 2);
    quick(&mut config);
    config.committee[0].addresses = vec![wire.address.clone()];
    let mut second = Node::start(config).await;
    first.connected(1).await;
    second.connected(0).await;

    wire.set_dead(true);
    for _ in 0..20 {
        first.send(1, &[0; 1 << 20]);
    }
    first.disconnected(1).await;
    second.disconnected(0).await;
    wire.set_dead(false);
    first.connected(1).await;
    first.send(1, b"after the silence");
    while second.frame().await.2 != b"after the silence"[..] {}
    shut_down(vec![first, second]).await;
}

#[tokio::test]
async fn nodes_of_different_networks_stay_strangers() {
    let mut first = member(0, 2);
    first.network_id = "00c0ffef".to_owned();
    let first = Node::start(first).await;
    let mut config = member(1, 2);
    introduce(&mut config, std::slice::from_ref(&first));
    let second = Node::start(config).await;

    eventually("two refused handshakes", || {
        first.handle.stats().handshakes_failed >= 2
    })
    .await;
    assert!(!first.peer(1).connected && !second.peer(0).connected);
    assert_eq!(first.handle.stats().outsiders, 0);
    shut_down(vec![first, second]).await;
}
