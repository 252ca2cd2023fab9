use crate::common::*;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;
use weft_network::{FetchError, MemberIndex, Network, NetworkError, SendError};

#[tokio::test]
async fn a_taken_port_is_named() {
    let node = Node::start(member(0, 2)).await;
    let mut config = member(1, 2);
    config.listen = vec![any_port(), node.address()];
    let error = Network::start(config).await.expect_err("the port is taken");
    assert!(matches!(error, NetworkError::Listen { .. }));
    let text = error.to_string();
    assert!(text.contains(&node.address().to_string()), "{text}");
    assert!(text.contains("in use"), "{text}");
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn an_address_that_is_no_tcp_address_is_named() {
    let mut config = member(0, 2);
    let address = "/ip4/127.0.0.1/udp/0/quic-v1";
    config.listen = vec![address.parse().expect("a multiaddress")];
    let error = Network::start(config).await.expect_err("no TCP");
    let text = error.to_string();
    assert!(text.contains("listen") && text.contains(address), "{text}");
}

#[tokio::test]
async fn several_addresses_are_listened_on() {
    let mut config = member(0, 2);
    config.listen = vec![any_port(), any_port()];
    let node = Node::start(config).await;
    let addresses = node.handle.listen_addresses();
    assert_eq!(addresses.len(), 2);
    assert!(!addresses.contains(&any_port()));
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn shutdown_ends_everything_under_load() {
    let nodes = cluster(3).await;
    // Member 2 takes nothing, so streams are full and tasks wait everywhere.
    for _ in 0..200 {
        let sent = nodes[0].handle.broadcast(KIND, vec![1; 200_000].into());
        sent.expect("a good frame");
    }
    let handle = nodes[0].handle.clone();
    let asking = tokio::spawn(async move { handle.fetch(MemberIndex(1), Bytes::new()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;

    let since = Instant::now();
    for node in &nodes {
        node.handle.shutdown().await.expect("all tasks end");
    }
    assert!(since.elapsed() < Duration::from_secs(3));
    let asked = within("the fetch", asking).await.expect("the task ends");
    assert_eq!(asked, Err(FetchError::Closed));
    for mut node in nodes {
        let refused = node.handle.send(MemberIndex(1), KIND, Bytes::new());
        assert!(matches!(
            refused,
            Err(SendError::Closed | SendError::NoPeer(_))
        ));
        within("the end of the events", async {
            while node.events.recv().await.is_some() {}
        })
        .await;
        node.handle.shutdown().await.expect("may be called twice");
    }
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_network() {
    let Node { handle, mut events } = Node::start(member(0, 2)).await;
    let other = handle.clone();
    drop(handle);
    assert!(events.try_recv().is_none());
    assert_eq!(other.listen_addresses().len(), 1);
    drop(other);
    assert!(within("the end", events.recv()).await.is_none());
}
