//! A member's key in the hands of somebody that passes an observer's questions on to the members: a liar, who changes
//! what they answer about the state, or one that leaves out what they publish of one kind.

use crate::cluster::{Cluster, MEMBERS, free_port};
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinHandle;
use weft_network::{
    Event, Events, FrameKind, Handle, IdentitySeed, Limits, Member, Network, NetworkConfig, Role,
};
use weft_node::NodeConfig;
use weft_types::{Genesis, MemberIndex, wire};

/// The member in whose place it stands.
const LIAR: usize = 0;
/// As the network names what members publish.
pub const VERTICES: FrameKind = FrameKind(1);
pub const CERTIFICATES: FrameKind = FrameKind(2);

pub struct GoBetween {
    lies: Arc<AtomicUsize>,
    genesis: Genesis,
    networks: [Handle; 2],
    tasks: Vec<JoinHandle<()>>,
}

fn members(genesis: &Genesis) -> Vec<Member> {
    let members = genesis.committee.iter().zip(0..);
    let member = |(member, index): (&weft_types::Member, u32)| Member {
        index: MemberIndex(index),
        vertex_key: member.vertex_key.0,
        addresses: member.addresses.parse().into_iter().collect(),
    };
    members.map(member).collect()
}

impl GoBetween {
    pub async fn start(cluster: &Cluster) -> Self {
        Self::start_with(cluster, None).await
    }

    /// Nobody else is there for its observers, and of what is published they hear what is of these kinds.
    pub async fn passing(cluster: &Cluster, kinds: &'static [FrameKind]) -> Self {
        Self::start_with(cluster, Some(kinds)).await
    }

    async fn start_with(cluster: &Cluster, passes: Option<&'static [FrameKind]>) -> Self {
        let port = free_port();
        let mut genesis = cluster.genesis.clone();
        if passes.is_some() {
            for member in &mut genesis.committee {
                member.addresses = format!("/ip4/127.0.0.1/tcp/{}", free_port());
            }
        }
        genesis.committee[LIAR].addresses = format!("/ip4/127.0.0.1/tcp/{port}");
        let honest = NetworkConfig {
            network_id: genesis.network.id().to_string(),
            role: Role::Observer,
            seed: IdentitySeed::new([0x60; 32]),
            listen: Vec::new(),
            committee: members(&cluster.genesis),
            limits: Limits::default(),
        };
        let own = NetworkConfig {
            role: Role::Member(MemberIndex(LIAR as u32)),
            seed: IdentitySeed::new(*cluster.keys[LIAR].vertex.seed()),
            listen: vec![genesis.committee[LIAR].addresses.parse().unwrap()],
            committee: members(&cluster.genesis)
                .into_iter()
                .map(|member| Member {
                    addresses: Vec::new(),
                    ..member
                })
                .collect(),
            ..honest.clone()
        };
        let (honest, published) = Network::start(honest).await.unwrap();
        let (own, events) = Network::start(own).await.unwrap();
        let lies = Arc::new(AtomicUsize::new(0));
        let lying = passes.is_none().then(|| lies.clone());
        let answering = tokio::spawn(answer(events, honest.clone(), lying));
        let passing = passes.map(|kinds| tokio::spawn(pass(published, own.clone(), kinds)));
        Self {
            tasks: std::iter::once(answering).chain(passing).collect(),
            networks: [honest, own],
            lies,
            genesis,
        }
    }

    pub fn lies(&self) -> usize {
        self.lies.load(Ordering::Relaxed)
    }

    /// The settings of an observer that finds it in the place of a member.
    pub fn observer(&self, cluster: &Cluster, name: &str) -> NodeConfig {
        let mut config = cluster.observer(name);
        config.genesis = config.data.with_extension("genesis.json");
        std::fs::create_dir_all(config.genesis.parent().unwrap()).unwrap();
        std::fs::write(&config.genesis, self.genesis.to_json()).unwrap();
        // Nothing answers there, so that the addresses are not compared with the registry.
        config.base_rpc = "http://127.0.0.1:9".to_owned();
        config
    }

    /// Tells its observers something of its own.
    pub fn publish(&self, kind: FrameKind, bytes: Bytes) {
        self.networks[1].publish(kind, bytes).unwrap();
    }

    pub async fn stop(self) {
        for network in &self.networks {
            network.shutdown().await.unwrap();
        }
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

async fn pass(mut published: Events, own: Handle, kinds: &'static [FrameKind]) {
    while let Some(event) = published.recv().await {
        if let Event::Gossip { kind, bytes, .. } = event
            && kinds.contains(&kind)
        {
            let _ = own.publish(kind, bytes);
        }
    }
}

async fn answer(mut events: Events, honest: Handle, lies: Option<Arc<AtomicUsize>>) {
    let mut next = 0;
    while let Some(event) = events.recv().await {
        let Event::History { request, reply, .. } = event else {
            continue;
        };
        next += 1;
        let of = MemberIndex(1 + next % (MEMBERS as u32 - 1));
        let (honest, lies) = (honest.clone(), lies.clone());
        tokio::spawn(async move {
            if let Ok(answer) = honest.fetch(of, request).await {
                let answer = match lies {
                    Some(lies) => lie(answer, &lies),
                    None => answer,
                };
                let _ = reply.send(answer);
            }
        });
    }
}

/// Changes the last byte of the last object.
fn lie(answer: Bytes, lies: &AtomicUsize) -> Bytes {
    let mut response = wire::FetchResponse::decode(answer).unwrap_or_default();
    let mut sync = wire::SyncAnswer::decode(response.sync.clone()).unwrap_or_default();
    if sync.leaves
        && let Some(object) = sync.items.last_mut()
    {
        let mut changed = object.to_vec();
        if let Some(last) = changed.last_mut() {
            *last ^= 1;
        }
        *object = changed.into();
        lies.fetch_add(1, Ordering::Relaxed);
        response.sync = sync.encode_to_vec().into();
    }
    response.encode_to_vec().into()
}
