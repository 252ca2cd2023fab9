//! The network of the committee in office. When other members come into office it is ended and started anew with them;
//! the rest of the node goes on meanwhile, and hears and says nothing for a moment.

use super::DriverError;
use super::inbound::{self, Inbound};
use crate::config::NodeConfig;
use crate::keys::NodeKeys;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_network::{Events, Handle, IdentitySeed, Limits, Member, Network, NetworkConfig, Role};
use weft_types::{Committee, MemberIndex, NetworkId};

/// For how long the network of the last committee goes on.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Between two attempts to start the network again.
const RETRY: Duration = Duration::from_millis(200);

/// The network as it is at the moment.
#[derive(Clone)]
pub struct Links(Arc<RwLock<Handle>>);

impl Links {
    pub fn get(&self) -> Handle {
        let handle = self.0.read();
        handle.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, handle: Handle) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = handle;
    }
}

/// What a node is to others in any committee.
#[derive(Clone)]
pub struct Plug {
    network: NetworkId,
    keys: Option<NodeKeys>,
    seed: IdentitySeed,
    listen: weft_network::Multiaddr,
}

impl Plug {
    pub fn new(
        config: &NodeConfig,
        network: NetworkId,
        keys: Option<NodeKeys>,
    ) -> Result<Self, DriverError> {
        let listen = config.p2p_listen.parse();
        let listen = listen.map_err(|e: <weft_network::Multiaddr as std::str::FromStr>::Err| {
            DriverError::Address {
                address: config.p2p_listen.clone(),
                reason: e.to_string(),
            }
        })?;
        let seed = match &keys {
            Some(keys) => IdentitySeed::new(*keys.vertex.seed()),
            None => IdentitySeed::new(rand::random()),
        };
        Ok(Self {
            network,
            keys,
            seed,
            listen,
        })
    }

    fn config(&self, committee: &Committee) -> NetworkConfig {
        let keys = self.keys.as_ref();
        let own = keys.and_then(|keys| committee.index_of(&keys.vertex.public()));
        let members = committee.members().iter().zip(0..);
        let members = members.map(|(member, index)| Member {
            index: MemberIndex(index),
            vertex_key: member.vertex_key.0,
            addresses: member
                .addresses
                .split(',')
                .filter_map(|a| a.trim().parse().ok())
                .collect(),
        });
        NetworkConfig {
            network_id: self.network.to_string(),
            role: own.map_or(Role::Observer, Role::Member),
            seed: self.seed.clone(),
            // Observers dial; nobody dials them.
            listen: own.iter().map(|_| self.listen.clone()).collect(),
            committee: members.collect(),
            limits: Limits::default(),
        }
    }

    /// Starts the network of the first committee.
    pub async fn start(&self, committee: &Committee) -> Result<(Links, Events), DriverError> {
        let (handle, events) = Network::start(self.config(committee)).await?;
        Ok((Links(Arc::new(RwLock::new(handle))), events))
    }

    /// Follows the network's events and, when the committee changes, the network of the next one.
    pub async fn run(
        self,
        links: Links,
        mut events: Events,
        inbound: Inbound,
        (mut committee, mut committees): (Arc<Committee>, watch::Receiver<Arc<Committee>>),
        stop: CancellationToken,
    ) {
        loop {
            let until = stop.child_token();
            let following = inbound::run(events, inbound.clone(), until.clone());
            tokio::pin!(following);
            let next = tokio::select! {
                () = &mut following => return,
                next = others(&mut committees, &committee) => next,
            };
            until.cancel();
            following.await;
            if let Err(error) = links.get().shutdown().await {
                tracing::warn!(%error, "the network of the last committee did not end");
            }
            let started = self.restart(&links, &next);
            events = tokio::select! {
                () = stop.cancelled() => return,
                events = started => events,
            };
            committee = next;
        }
    }

    async fn restart(&self, links: &Links, committee: &Committee) -> Events {
        loop {
            match Network::start(self.config(committee)).await {
                Ok((handle, events)) => {
                    links.set(handle);
                    return events;
                }
                Err(error) => tracing::error!(%error, "the network of the next committee"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// The next committee that has other members, or the same ones in another order.
async fn others(
    committees: &mut watch::Receiver<Arc<Committee>>,
    committee: &Committee,
) -> Arc<Committee> {
    loop {
        let next = committees.borrow_and_update().clone();
        let place = |c: &Committee| -> Vec<_> {
            let members = c.members().iter();
            members
                .map(|m| (m.vertex_key, m.addresses.clone()))
                .collect()
        };
        if place(&next) != place(committee) {
            // E2: what was sent last has to get out, for those who still lack the certificate.
            tokio::time::sleep(LAST_WORDS).await;
            return next;
        }
        if committees.changed().await.is_err() {
            // The replica is gone; the node is stopping.
            std::future::pending::<()>().await;
        }
    }
}
