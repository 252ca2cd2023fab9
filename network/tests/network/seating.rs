//! Another committee in place of the one before.

use crate::common::*;
use bytes::Bytes;
use tokio::time::timeout;
use weft_network::{Event, Member, MemberIndex, NetworkError, Role};

/// The nodes with these numbers as a committee, in this order.
fn committee(numbers: &[u32], nodes: &[(u32, &Node)]) -> Vec<Member> {
    let members = numbers.iter().zip(0..).map(|(number, index)| {
        let node = nodes.iter().find(|(n, _)| n == number);
        Member {
            index: MemberIndex(index),
            addresses: node.iter().map(|(_, node)| node.address()).collect(),
            ..committee_member(*number)
        }
    });
    members.collect()
}

async fn seat(node: &Node, index: u32, committee: &[Member]) {
    let role = Role::Member(MemberIndex(index));
    let seated = node.handle.seat(role, committee).await;
    seated.expect("a good committee");
}

/// Links that broke since the last look.
fn broken(node: &mut Node) -> usize {
    let events = std::iter::from_fn(|| node.events.try_recv());
    events
        .filter(|event| matches!(event, Event::PeerDown(_)))
        .count()
}

#[tokio::test]
async fn links_with_who_stays_go_on_under_other_indices() {
    let mut nodes = cluster(3).await;
    let sent = nodes[2].peer(0).sent_frames;
    // 1 leaves, and 0 and 2 change places.
    let all: Vec<_> = (0..).zip(&nodes).collect();
    let next = committee(&[2, 0], &all);
    for node in &mut nodes {
        broken(node);
    }
    nodes[0].send(1, b"the last words");
    seat(&nodes[0], 1, &next).await;
    assert_eq!(nodes[1].frame().await.2, &b"the last words"[..]);
    nodes[2].send(0, b"numbered as before");
    let (from, _, bytes) = nodes[0].frame().await;
    assert_eq!((from, &bytes[..]), (0, &b"numbered as before"[..]));
    seat(&nodes[2], 0, &next).await;
    assert!(nodes[2].peer(1).connected);
    nodes[2].send(1, b"numbered anew");
    let (from, _, bytes) = nodes[0].frame().await;
    assert_eq!((from, &bytes[..]), (0, &b"numbered anew"[..]));
    assert_eq!(
        nodes[2].peer(1).sent_frames,
        sent + 2,
        "one link, one count"
    );
    assert_eq!((broken(&mut nodes[0]), broken(&mut nodes[2])), (0, 0));

    nodes[1].send(0, b"out of office");
    let heard = timeout(SHORT, nodes[0].frame()).await;
    assert!(heard.is_err(), "{heard:?}");
    assert_eq!(nodes[0].handle.peers().len(), 1);
    shut_down(nodes).await;
}

#[tokio::test]
async fn who_joins_is_dialled_and_who_is_told_of_it_late_takes_part_from_then_on() {
    let mut nodes = cluster(2).await;
    let mut config = member(2, 3);
    introduce(&mut config, &nodes);
    let mut newcomer = Node::start(config).await;
    let mut all: Vec<_> = (0..).zip(&nodes).collect();
    all.push((2, &newcomer));
    let next = committee(&[0, 1, 2], &all);
    seat(&nodes[0], 0, &next).await;
    newcomer.connected(0).await;
    newcomer.send(0, b"here I am");
    assert_eq!(nodes[0].frame().await.0, 2);

    // 1 takes it for an outsider until then.
    assert!(!newcomer.peer(1).connected);
    seat(&nodes[1], 1, &next).await;
    newcomer.connected(1).await;
    nodes[1].connected(2).await;
    nodes[1].send(2, b"welcome");
    assert_eq!(newcomer.frame().await.0, 1);
    nodes.push(newcomer);
    shut_down(nodes).await;
}

#[tokio::test]
async fn an_observer_goes_on_with_another_committee() {
    let nodes = cluster(2).await;
    let mut config = observer(2);
    introduce(&mut config, &nodes);
    let mut watching = Node::start(config).await;
    watching.connected(0).await;
    watching.connected(1).await;
    let all: Vec<_> = (0..).zip(&nodes).collect();
    let next = committee(&[1], &all);
    let seated = watching.handle.seat(Role::Observer, &next).await;
    seated.expect("a good committee");
    eventually("a subscription", || nodes[1].handle.stats().observers == 1).await;
    let published = nodes[1].handle.publish(KIND, Bytes::from_static(b"news"));
    published.expect("a good frame");
    assert_eq!(watching.gossip().await.0, 0);
    shut_down(nodes).await;
    shut_down(vec![watching]).await;
}

#[tokio::test]
async fn a_committee_that_this_node_has_another_place_in_is_refused_and_changes_nothing() {
    let nodes = cluster(2).await;
    let all: Vec<_> = (0..).zip(&nodes).collect();
    let next = committee(&[1, 0], &all);
    for role in [Role::Member(MemberIndex(0)), Role::Observer] {
        let refused = nodes[0].handle.seat(role, &next).await;
        assert!(
            matches!(refused, Err(NetworkError::Config { .. })),
            "{role:?}"
        );
    }
    assert!(nodes[0].peer(1).connected);
    nodes[0].handle.shutdown().await.expect("all tasks end");
    let role = Role::Member(MemberIndex(1));
    let late = nodes[0].handle.seat(role, &next).await;
    assert!(matches!(late, Err(NetworkError::Closed)));
    shut_down(nodes).await;
}
