//! Somebody else with a member's key, in its place.

use crate::cluster::Cluster;
use tokio::task::JoinHandle;
use weft_network::{
    Event, Events, FrameKind, Handle, IdentitySeed, Limits, Member, Network, NetworkConfig, Role,
};
use weft_types::ed25519::SecretKey;
use weft_types::{Epoch, MemberIndex, Millis, NetworkId, Observation, Round, Vertex, VertexBody};

const VERTEX_FRAME: FrameKind = FrameKind(1);

pub struct Twin {
    pub network: Handle,
    task: JoinHandle<()>,
}

impl Twin {
    /// Takes the place of a member that is down, and signs two vertices of each round.
    pub async fn equivocate(cluster: &Cluster, member: u32) -> Self {
        let (network, events) = join(cluster, member).await;
        let key = &cluster.keys[member as usize].vertex;
        let liar = Liar {
            network: cluster.genesis.network.id(),
            author: MemberIndex(member),
            key: SecretKey::from_seed(*key.seed()),
        };
        let task = tokio::spawn(liar.lie(network.clone(), events));
        Self { network, task }
    }

    /// The same, and only listens.
    pub async fn listen(cluster: &Cluster, member: u32) -> Self {
        let (network, mut events) = join(cluster, member).await;
        let task = tokio::spawn(async move { while events.recv().await.is_some() {} });
        Self { network, task }
    }

    pub async fn stop(self) {
        self.network.shutdown().await.unwrap();
        self.task.await.unwrap();
    }
}

async fn join(cluster: &Cluster, member: u32) -> (Handle, Events) {
    let members = cluster.genesis.committee.iter().zip(0..);
    let members = members.map(|(member, index)| Member {
        index: MemberIndex(index),
        vertex_key: member.vertex_key.0,
        addresses: vec![member.addresses.parse().unwrap()],
    });
    let own = member as usize;
    let config = NetworkConfig {
        network_id: cluster.genesis.network.id().to_string(),
        role: Role::Member(MemberIndex(member)),
        seed: IdentitySeed::new(*cluster.keys[own].vertex.seed()),
        listen: vec![cluster.genesis.committee[own].addresses.parse().unwrap()],
        committee: members.collect(),
        limits: Limits::default(),
    };
    Network::start(config).await.unwrap()
}

struct Liar {
    network: NetworkId,
    author: MemberIndex,
    key: SecretKey,
}

impl Liar {
    async fn lie(self, network: Handle, mut events: Events) {
        let mut heard: Vec<Vertex> = Vec::new();
        while let Some(event) = events.recv().await {
            let Event::Frame {
                kind: VERTEX_FRAME,
                bytes,
                ..
            } = event
            else {
                continue;
            };
            let vertex = Vertex::decode(bytes).unwrap();
            heard.retain(|v| v.round() >= vertex.round() && v.author() != vertex.author());
            heard.push(vertex);
            let round = heard[0].round();
            if heard.len() == 3 && heard.iter().all(|v| v.round() == round) {
                for version in self.versions(&heard) {
                    network.broadcast(VERTEX_FRAME, version.encode()).unwrap();
                }
            }
        }
    }

    /// Two of the round after that of a quorum by others.
    fn versions(&self, others: &[Vertex]) -> [Vertex; 2] {
        let own = Vertex::genesis(self.network, Epoch::ZERO, self.author);
        let mut parents: Vec<_> = others.iter().map(Vertex::reference).collect();
        parents.sort_unstable_by_key(|parent| parent.author);
        parents.insert(0, own.reference());
        let latest = others.iter().map(Vertex::timestamp).max().unwrap();
        let body = |later| VertexBody {
            network: self.network,
            epoch: Epoch::ZERO,
            round: Round(others[0].round().0 + 1),
            author: self.author,
            timestamp: Millis(latest.0 + later),
            parents: parents.clone(),
            weak_links: Vec::new(),
            transactions: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
            shares: Vec::new(),
        };
        [1, 2].map(|later| Vertex::sign(body(later), Vec::new(), &self.key).into_inner())
    }
}
