use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use weft_network::{
    Event, Events, FrameKind, Handle, IdentitySeed, Limits, Member, MemberIndex, Multiaddr,
    Network, NetworkConfig, PeerStatus, Role,
};
use weft_types::ed25519::SecretKey;

pub const NETWORK: &str = "00c0ffee";
pub const KIND: FrameKind = FrameKind(1);
/// For what has to happen.
pub const LONG: Duration = Duration::from_secs(20);
/// For what must not happen.
pub const SHORT: Duration = Duration::from_millis(500);

/// A node under test.
pub struct Node {
    pub handle: Handle,
    pub events: Events,
}

impl Node {
    pub async fn start(config: NetworkConfig) -> Self {
        let (handle, events) = Network::start(config).await.expect("a good configuration");
        Self { handle, events }
    }

    pub fn address(&self) -> Multiaddr {
        self.handle.listen_addresses().remove(0)
    }

    pub fn peer(&self, member: u32) -> PeerStatus {
        let mut peers = self.handle.peers().into_iter();
        let peer = peers.find(|peer| peer.member == MemberIndex(member));
        peer.expect("a member of the committee")
    }

    pub async fn next(&mut self) -> Event {
        within("an event", self.events.recv())
            .await
            .expect("the network runs")
    }

    /// The next frame, whatever comes before it.
    pub async fn frame(&mut self) -> (u32, FrameKind, Bytes) {
        loop {
            if let Event::Frame { from, kind, bytes } = self.next().await {
                return (from.0, kind, bytes);
            }
        }
    }

    /// The next publication, whatever comes before it.
    pub async fn gossip(&mut self) -> (u32, FrameKind, Bytes) {
        loop {
            if let Event::Gossip { from, kind, bytes } = self.next().await {
                return (from.0, kind, bytes);
            }
        }
    }

    pub fn send(&self, to: u32, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        let sent = self.handle.send(MemberIndex(to), KIND, bytes);
        sent.expect("a good frame");
    }

    pub async fn connected(&self, member: u32) {
        eventually("the link", || self.peer(member).connected).await;
    }

    pub async fn disconnected(&self, member: u32) {
        eventually("the end of the link", || !self.peer(member).connected).await;
    }
}

/// Member `index` of `size`, which knows no addresses.
pub fn member(index: u32, size: u32) -> NetworkConfig {
    NetworkConfig {
        network_id: NETWORK.to_owned(),
        role: Role::Member(MemberIndex(index)),
        seed: seed(index),
        listen: vec![any_port()],
        committee: (0..size).map(committee_member).collect(),
        limits: limits(),
    }
}

pub fn observer(size: u32) -> NetworkConfig {
    NetworkConfig {
        role: Role::Observer,
        seed: seed(100),
        listen: Vec::new(),
        ..member(0, size)
    }
}

/// Quick to dial again, so that tests are.
pub fn limits() -> Limits {
    Limits {
        redial_min: Duration::from_millis(20),
        redial_max: Duration::from_millis(200),
        ping_interval: Duration::from_millis(200),
        ..Limits::default()
    }
}

pub fn any_port() -> Multiaddr {
    "/ip4/127.0.0.1/tcp/0".parse().expect("a multiaddress")
}

fn seed(index: u32) -> IdentitySeed {
    IdentitySeed::new([index as u8 + 1; 32])
}

pub fn committee_member(index: u32) -> Member {
    Member {
        index: MemberIndex(index),
        vertex_key: SecretKey::from_seed([index as u8 + 1; 32]).public().0,
        addresses: Vec::new(),
    }
}

/// Tells the configuration where the nodes listen that run already: member 0 and those after it.
pub fn introduce(config: &mut NetworkConfig, running: &[Node]) {
    for (member, node) in config.committee.iter_mut().zip(running) {
        member.addresses = vec![node.address()];
    }
}

/// A whole committee, connected, with a change to each member's configuration.
pub async fn cluster_with(size: u32, change: impl Fn(u32, &mut NetworkConfig)) -> Vec<Node> {
    let mut nodes = Vec::new();
    for index in 0..size {
        let mut config = member(index, size);
        introduce(&mut config, &nodes);
        change(index, &mut config);
        nodes.push(Node::start(config).await);
    }
    for node in &nodes {
        let all_up = || node.handle.peers().iter().all(|peer| peer.connected);
        eventually("all links", all_up).await;
    }
    nodes
}

pub async fn cluster(size: u32) -> Vec<Node> {
    cluster_with(size, |_, _| {}).await
}

pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(LONG, future).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not come within {LONG:?}"),
    }
}

pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(
            since.elapsed() < LONG,
            "{what} did not come within {LONG:?}"
        );
        sleep(Duration::from_millis(5)).await;
    }
}

pub async fn shut_down(nodes: Vec<Node>) {
    for node in nodes {
        node.handle.shutdown().await.expect("all tasks end");
    }
}
