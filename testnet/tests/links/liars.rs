//! Members that lie to an observer: they hold the members' keys, so the observer has to listen to them,
//! and answer every request with the same lie.

use crate::cluster::{Cluster, MEMBERS, Running, free_port};
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinHandle;
use weft_network::{Event, Handle, IdentitySeed, Limits, Member, Network, NetworkConfig, Role};
use weft_types::ed25519::SecretKey;
use weft_types::{Epoch, MemberIndex, Observation, Round, Vertex, VertexBody, wire};

/// All members but the last, as an observer finds them. Whichever members it hears of first, the one
/// that it asks first is among these.
#[derive(Default)]
pub struct Liars {
    asked: Arc<AtomicUsize>,
    ports: Vec<u16>,
    networks: Vec<Handle>,
    tasks: Vec<JoinHandle<()>>,
}

impl Liars {
    pub async fn start(cluster: &Cluster, lie: &Bytes) -> Self {
        let mut liars = Self::default();
        for member in 0..MEMBERS - 1 {
            liars.add(cluster, member, lie.clone()).await;
        }
        liars
    }

    async fn add(&mut self, cluster: &Cluster, member: usize, lie: Bytes) {
        let port = free_port();
        let members = cluster.genesis.committee.iter().zip(0..);
        let members = members.map(|(member, index)| Member {
            index: MemberIndex(index),
            vertex_key: member.vertex_key.0,
            addresses: Vec::new(),
        });
        let config = NetworkConfig {
            network_id: cluster.genesis.network.id().to_string(),
            role: Role::Member(MemberIndex(member as u32)),
            seed: IdentitySeed::new(*cluster.keys[member].vertex.seed()),
            listen: vec![format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()],
            committee: members.collect(),
            limits: Limits::default(),
        };
        let (network, mut events) = Network::start(config).await.unwrap();
        let asked = self.asked.clone();
        self.tasks.push(tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::History { reply, .. } = event {
                    asked.fetch_add(1, Ordering::Relaxed);
                    let _ = reply.send(lie.clone());
                }
            }
        }));
        self.networks.push(network);
        self.ports.push(port);
    }

    /// How often they have lied.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// An observer that finds them in the places of members.
    pub async fn observed(&self, cluster: &Cluster, name: &str) -> Running {
        let mut genesis = cluster.genesis.clone();
        for (member, port) in genesis.committee.iter_mut().zip(&self.ports) {
            member.addresses = format!("/ip4/127.0.0.1/tcp/{port}");
        }
        let mut config = cluster.observer(name);
        config.genesis = config.data.with_extension("genesis.json");
        std::fs::create_dir_all(config.genesis.parent().unwrap()).unwrap();
        std::fs::write(&config.genesis, genesis.to_json()).unwrap();
        // Nothing answers there, so that the addresses are not compared with the registry.
        config.base_rpc = "http://127.0.0.1:9".to_owned();
        Running::start(config).await
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

/// Answers that no honest member gives.
pub fn lies(cluster: &Cluster) -> Vec<Bytes> {
    let response = |vertex: Bytes| -> Bytes {
        let vertices = vec![vertex];
        let response = wire::FetchResponse {
            vertices,
            ..wire::FetchResponse::default()
        };
        response.encode_to_vec().into()
    };
    let body = VertexBody {
        network: cluster.genesis.network.id(),
        epoch: Epoch::ZERO,
        round: Round(1),
        author: MemberIndex(0),
        timestamp: cluster.genesis.template.timestamp_ms,
        parents: (0..cluster.nodes.len() as u32)
            .map(|i| Vertex::genesis(cluster.genesis.network.id(), Epoch::ZERO, MemberIndex(i)))
            .map(|vertex| vertex.reference())
            .collect(),
        weak_links: Vec::new(),
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: Vec::new(),
    };
    let forged = Vertex::sign(body, Vec::new(), &SecretKey::from_seed([99; 32])).encode();
    vec![
        Bytes::new(),
        Bytes::from_static(b"\xff no message at all"),
        response(Bytes::from_static(b"no vertex")),
        response(forged),
    ]
}
