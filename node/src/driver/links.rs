//! The network of the committee in office. When other members come into office, links with those who stay go on. Only when this
//! node becomes a member, or is one no longer, is the network ended and started anew: it is another thing to others then.
//!
//! A node that was away for long may know a committee of which nobody is left. When it finds nobody it asks the registry who is in
//! office, and follows those as an observer, from epoch to epoch, until it has come to theirs. What they say is checked as
//! anybody's: the registry's word is only whom to dial.

use super::DriverError;
use super::base::Base;
use super::inbound::{self, Inbound};
use crate::config::NodeConfig;
use crate::keys::NodeKeys;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_network::{Events, Handle, IdentitySeed, Limits, Member, Network, NetworkConfig, Role};
use weft_types::{Committee, Epoch, MemberIndex, NetworkId};

/// For how long the network of the last committee goes on before it is ended.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Between two attempts to start the network again.
const RETRY: Duration = Duration::from_millis(200);
/// Between two looks at whether anybody is connected.
const LOOK: Duration = Duration::from_secs(1);
/// Looks without anybody after which the registry is asked, each time.
const LOOKS_MAX: u32 = 10;

/// The network as it is at the moment.
#[derive(Clone)]
pub struct Links(Arc<RwLock<Seated>>);

struct Seated {
    handle: Handle,
    /// In whose committee the members have their places; `None` while they change, or are those of others whom this
    /// node follows.
    epoch: Option<Epoch>,
}

impl Links {
    fn new(handle: Handle, epoch: Option<Epoch>) -> Self {
        Self(Arc::new(RwLock::new(Seated { handle, epoch })))
    }

    pub fn get(&self) -> Handle {
        let seated = self.0.read().unwrap_or_else(PoisonError::into_inner);
        seated.handle.clone()
    }

    /// The same while places are those of an epoch's committee: for questions where it matters who answers. They have
    /// to be still when the answer is there.
    pub fn of(&self, epoch: Epoch) -> Option<Handle> {
        let seated = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (seated.epoch == Some(epoch)).then(|| seated.handle.clone())
    }

    fn set(&self, handle: Handle, epoch: Option<Epoch>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Seated { handle, epoch };
    }

    fn set_epoch(&self, epoch: Option<Epoch>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).epoch = epoch;
    }
}

/// What a node is to others in any committee.
#[derive(Clone)]
pub struct Plug {
    network: NetworkId,
    keys: Option<NodeKeys>,
    seed: IdentitySeed,
    listen: weft_network::Multiaddr,
    base: Base,
}

/// Whom the network is of.
#[derive(Clone)]
struct Dialed {
    committee: Arc<Committee>,
    /// The registry's, in a later epoch than this node's: only followed.
    is_ahead: bool,
}

impl Dialed {
    fn epoch(&self) -> Option<Epoch> {
        (!self.is_ahead).then(|| self.committee.epoch())
    }

    /// Whether the network has to be another one for this committee in office.
    fn is_over(&self, in_office: &Committee) -> bool {
        match self.is_ahead {
            true => in_office.epoch() >= self.committee.epoch(),
            false => places(in_office) != places(&self.committee),
        }
    }
}

fn places(committee: &Committee) -> Vec<(&weft_types::ed25519::PublicKey, &str)> {
    let members = committee.members().iter();
    members
        .map(|m| (&m.vertex_key, m.addresses.as_str()))
        .collect()
}

impl Plug {
    pub fn new(
        config: &NodeConfig,
        network: NetworkId,
        keys: Option<NodeKeys>,
        base: Base,
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
            base,
        })
    }

    fn config(&self, dialed: &Dialed) -> NetworkConfig {
        let committee = &dialed.committee;
        let keys = self.keys.as_ref().filter(|_| !dialed.is_ahead);
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
    pub async fn start(&self, committee: &Arc<Committee>) -> Result<(Links, Events), DriverError> {
        let dialed = Dialed {
            committee: committee.clone(),
            is_ahead: false,
        };
        let (handle, events) = Network::start(self.config(&dialed)).await?;
        Ok((Links::new(handle, dialed.epoch()), events))
    }

    /// Follows the network's events and, when the committee changes, the network of the next one.
    pub async fn run(
        self,
        links: Links,
        mut events: Events,
        inbound: Inbound,
        (committee, mut committees): (Arc<Committee>, watch::Receiver<Arc<Committee>>),
        stop: CancellationToken,
    ) {
        let mut dialed = Dialed {
            committee,
            is_ahead: false,
        };
        loop {
            let until = stop.child_token();
            let following = inbound::run(events, inbound.clone(), until.clone());
            tokio::pin!(following);
            let in_office = committees.clone();
            let next = loop {
                let next = tokio::select! {
                    () = &mut following => return,
                    next = others(&links, &mut committees, &dialed) => next,
                    next = self.found(&links, &in_office, &dialed) => next,
                };
                if !self.seat(&links, &next).await {
                    break next;
                }
                dialed = next;
            };
            // E2: what was sent last has to get out, for those who still lack the certificate.
            tokio::select! {
                () = &mut following => return,
                () = tokio::time::sleep(LAST_WORDS) => {}
            }
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
            dialed = next;
        }
    }

    /// Whether the network could go on with another committee, as what it was.
    async fn seat(&self, links: &Links, dialed: &Dialed) -> bool {
        let config = self.config(dialed);
        links.set_epoch(None);
        let seated = links.get().seat(config.role, &config.committee).await;
        if let Err(reason) = &seated {
            tracing::info!(%reason, epoch = %dialed.committee.epoch(), "the network starts anew");
        } else {
            links.set_epoch(dialed.epoch());
        }
        seated.is_ok()
    }

    /// The registry's committee, once nobody is found of the one that is dialed and it is of a later epoch.
    async fn found(
        &self,
        links: &Links,
        in_office: &watch::Receiver<Arc<Committee>>,
        dialed: &Dialed,
    ) -> Dialed {
        loop {
            nobody(links).await;
            let own = in_office.borrow().epoch();
            let read = async { self.base.chain().await?.committee().await };
            match read.await {
                Ok(committee)
                    if committee.epoch() > own
                        && places(&committee) != places(&dialed.committee) =>
                {
                    tracing::warn!(
                        epoch = %own,
                        registry = %committee.epoch(),
                        "nobody of the committee that this node knows is found: it follows the registry's"
                    );
                    return Dialed {
                        committee: Arc::new(committee),
                        is_ahead: true,
                    };
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "nobody is found, and the registry does not say who is in office")
                }
            }
        }
    }

    async fn restart(&self, links: &Links, dialed: &Dialed) -> Events {
        loop {
            match Network::start(self.config(dialed)).await {
                Ok((handle, events)) => {
                    links.set(handle, dialed.epoch());
                    return events;
                }
                Err(error) => tracing::error!(%error, "the network of the next committee"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Ends when nobody was connected for a while, of others that there are.
async fn nobody(links: &Links) {
    let mut looks = 0;
    while looks < LOOKS_MAX {
        tokio::time::sleep(LOOK).await;
        let peers = links.get().peers();
        let found = peers.is_empty() || peers.iter().any(|peer| peer.connected);
        looks = if found { 0 } else { looks + 1 };
    }
}

/// The next committee that has other members, or the same ones in another order; of one that follows those ahead, the one
/// with which it has come to them.
async fn others(
    links: &Links,
    committees: &mut watch::Receiver<Arc<Committee>>,
    dialed: &Dialed,
) -> Dialed {
    loop {
        let next = committees.borrow_and_update().clone();
        if dialed.is_over(&next) {
            return Dialed {
                committee: next,
                is_ahead: false,
            };
        }
        if !dialed.is_ahead {
            links.set_epoch(Some(next.epoch()));
        }
        if committees.changed().await.is_err() {
            // The replica is gone; the node is stopping.
            std::future::pending::<()>().await;
        }
    }
}
