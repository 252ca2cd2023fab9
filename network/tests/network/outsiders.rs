//! Peers that are no members, built from libp2p directly: they keep to no rule of ours.

use crate::common::*;
use crate::proxy::socket;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, Transport};
use libp2p::{gossipsub, noise, ping, swarm, tcp, yamux};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use weft_network::Limits;

#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: libp2p_stream::Behaviour,
    ping: ping::Behaviour,
}

/// Connected to one node, until dropped.
pub struct Outsider {
    streams: libp2p_stream::Control,
    target: PeerId,
    swarm: JoinHandle<()>,
}

impl Drop for Outsider {
    fn drop(&mut self) {
        self.swarm.abort();
    }
}

impl Outsider {
    pub async fn connect(keypair: Keypair, node: &Node) -> Self {
        let outsiders = node.handle.stats().outsiders;
        let outsider = Self::dial(keypair, node).await;
        eventually("the outsider", || node.handle.stats().outsiders > outsiders).await;
        outsider
    }

    /// The same with any key, a member's too: connected as far as this side knows.
    pub async fn dial(keypair: Keypair, node: &Node) -> Self {
        let mut swarm = dialling(keypair, node.address());
        let streams = swarm.behaviour().streams.new_control();
        loop {
            let event = within("the connection", swarm.next()).await;
            if let Some(SwarmEvent::ConnectionEstablished { .. }) = event {
                break;
            }
        }
        Self {
            streams,
            target: node.handle.peer_id(),
            swarm: tokio::spawn(async move { while swarm.next().await.is_some() {} }),
        }
    }

    /// Opens a stream.
    pub async fn open(&mut self, protocol: &str) -> Result<Stream, libp2p_stream::OpenStreamError> {
        let protocol = format!("/weft/{NETWORK}/{protocol}");
        let protocol = StreamProtocol::try_from_owned(protocol).expect("starts with a slash");
        within("a stream", self.streams.open_stream(self.target, protocol)).await
    }

    /// Opens a stream and writes to it; returns whether it was dropped by the node.
    pub async fn is_refused(&mut self, protocol: &str) -> bool {
        let Ok(mut stream) = self.open(protocol).await else {
            return true;
        };
        // A whole frame of one byte, kind 1.
        if stream.write_all(&[2, 1, 7]).await.is_err() || stream.flush().await.is_err() {
            return true;
        }
        let answer = within("the end", stream.read(&mut [0; 1])).await;
        matches!(answer, Ok(0) | Err(_))
    }
}

/// A swarm that dials the address and speaks the network's handshake.
fn dialling(keypair: Keypair, address: Multiaddr) -> Swarm<Behaviour> {
    let behaviour = Behaviour {
        streams: libp2p_stream::Behaviour::new(),
        ping: ping::Behaviour::default(),
    };
    dialling_with(keypair, address, behaviour)
}

fn dialling_with<B: NetworkBehaviour>(
    keypair: Keypair,
    address: Multiaddr,
    behaviour: B,
) -> Swarm<B> {
    let prologue = format!("/weft/{NETWORK}/noise/1").into_bytes();
    let noise = noise::Config::new(&keypair).expect("a key");
    let transport = tcp::tokio::Transport::new(tcp::Config::default())
        .upgrade(Version::V1Lazy)
        .authenticate(noise.with_prologue(prologue))
        .multiplex(yamux::Config::default())
        .boxed();
    let own = keypair.public().to_peer_id();
    let config =
        swarm::Config::with_tokio_executor().with_idle_connection_timeout(Duration::from_secs(600));
    let mut swarm = Swarm::new(transport, behaviour, own, config);
    swarm.dial(address).expect("a good address");
    swarm
}

async fn node_with(change: impl FnOnce(&mut Limits)) -> Node {
    let mut config = member(0, 2);
    change(&mut config.limits);
    Node::start(config).await
}

#[tokio::test]
async fn an_outsiders_streams_are_refused_and_counted() {
    let mut node = node_with(|_| {}).await;
    let mut outsider = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    assert!(outsider.is_refused("vertex/1").await);
    assert!(outsider.is_refused("fetch/1").await);
    assert_eq!(node.handle.stats().streams_refused, 2);
    assert!(node.events.try_recv().is_none());
    assert_eq!(node.handle.stats().outsiders, 1);
    shut_down(vec![node]).await;
}

/// The negative control of the test above: the same client with a member's key gets through.
#[tokio::test]
async fn the_same_streams_are_open_to_a_member() {
    let mut node = node_with(|_| {}).await;
    let key = Keypair::ed25519_from_bytes([2; 32]).expect("a seed");
    let mut member_1 = Outsider::dial(key, &node).await;
    let mut stream = member_1.open("vertex/1").await.expect("admitted");
    stream.write_all(&[2, 1, 7]).await.expect("written");
    stream.flush().await.expect("written");
    assert_eq!(node.frame().await, (1, KIND, [7][..].to_vec().into()));
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn an_outsider_that_goes_on_trying_is_disconnected() {
    let node = node_with(|_| {}).await;
    let mut outsider = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    for _ in 0..8 {
        assert!(outsider.is_refused("vertex/1").await);
    }
    eventually("the end", || node.handle.stats().outsiders == 0).await;
    assert_eq!(node.handle.stats().streams_refused, 8);
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn outsiders_from_one_address_have_so_many_places() {
    let node = node_with(|limits| limits.outsiders_per_address_max = 2).await;
    let mut connected = Vec::new();
    for _ in 0..2 {
        connected.push(Outsider::connect(Keypair::generate_ed25519(), &node).await);
    }
    let mut swarm = dialling(Keypair::generate_ed25519(), node.address());
    let third = tokio::spawn(async move { while swarm.next().await.is_some() {} });
    eventually("the refusal", || {
        node.handle.stats().connections_refused >= 1
    })
    .await;
    assert_eq!(node.handle.stats().outsiders, 2);

    // A place that is left can be taken.
    connected.pop();
    eventually("a place", || node.handle.stats().outsiders == 1).await;
    connected.push(Outsider::connect(Keypair::generate_ed25519(), &node).await);
    third.abort();
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn an_idle_outsider_is_disconnected() {
    let node = node_with(|limits| limits.idle_timeout = Duration::from_millis(300)).await;
    let _outsider = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    eventually("the end", || node.handle.stats().outsiders == 0).await;
    shut_down(vec![node]).await;
}

/// Connections that never say a word.
#[tokio::test]
async fn silent_connections_from_one_address_are_bounded() {
    let node = node_with(|limits| limits.handshakes_per_address_max = 3).await;
    let mut silent = Vec::new();
    for _ in 0..5 {
        let socket = tokio::net::TcpStream::connect(socket(&node.address())).await;
        silent.push(socket.expect("accepted by the system"));
    }
    eventually("the refusals", || {
        node.handle.stats().connections_refused == 2
    })
    .await;
    sleep(SHORT).await;
    assert_eq!(node.handle.stats().connections_refused, 2);
    shut_down(vec![node]).await;
}

/// Subscribed like an observer, and publishing like a member.
#[tokio::test]
async fn publications_of_outsiders_are_refused() {
    let mut config = observer(2);
    config.listen = vec![any_port()];
    let mut node = Node::start(config).await;

    let gossip = gossipsub::ConfigBuilder::default()
        .protocol_id_prefix(format!("/weft/{NETWORK}/gossip"))
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .build()
        .expect("a good configuration");
    let gossip: gossipsub::Behaviour =
        gossipsub::Behaviour::new(gossipsub::MessageAuthenticity::Anonymous, gossip)
            .expect("a good configuration");
    let mut swarm = dialling_with(Keypair::generate_ed25519(), node.address(), gossip);
    let topic = gossipsub::IdentTopic::new(format!("/weft/{NETWORK}/observer"));
    within("the refusal", async {
        while node.handle.stats().gossip_refused == 0 {
            tokio::select! {
                _ = swarm.next() => {}
                () = sleep(Duration::from_millis(20)) => {}
            }
            // No peer is subscribed until the connection stands.
            let _ = swarm
                .behaviour_mut()
                .publish(topic.clone(), &b"\x01lies"[..]);
        }
    })
    .await;
    assert!(node.events.try_recv().is_none());
    assert_eq!(node.handle.stats().gossip_received, 0);
    shut_down(vec![node]).await;
}
