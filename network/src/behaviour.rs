use crate::config::Role;
use crate::error::NetworkError;
use crate::protocols::Protocols;
use crate::shared::Shared;
use crate::{admission, gossip, substreams};
use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{identify, ping};

/// Everything that a connection is used for.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) blocked: allow_block_list::Behaviour<BlockedPeers>,
    pub(crate) admission: admission::Behaviour,
    pub(crate) substreams: substreams::Behaviour,
    pub(crate) gossip: gossip::Behaviour,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
}

impl Behaviour {
    pub(crate) fn new(
        shared: &Shared,
        protocols: &Protocols,
        keypair: &Keypair,
    ) -> Result<Self, NetworkError> {
        let limits = &shared.limits;
        let is_member = matches!(shared.role, Role::Member(_));
        // Addresses come from the registry, so none are told and none are learnt.
        let identify = identify::Config::new(protocols.identify.clone(), keypair.public())
            .with_agent_version(format!("weft/{}", env!("CARGO_PKG_VERSION")))
            .with_hide_listen_addrs(true)
            .with_cache_size(0);
        let ping = ping::Config::new()
            .with_interval(limits.ping_interval)
            .with_timeout(limits.silence_max);
        let mut gossip = gossip::behaviour(protocols, limits)?;
        if !is_member {
            gossip
                .subscribe(&protocols.observer_topic)
                .map_err(|error| NetworkError::Transport(error.to_string()))?;
        }
        Ok(Self {
            blocked: allow_block_list::Behaviour::default(),
            admission: admission::Behaviour::new(shared.peers.clone(), limits),
            substreams: substreams::Behaviour::new(
                protocols.clone(),
                shared.peers.clone(),
                is_member,
                limits.history.refusals_per_second_max,
            ),
            gossip,
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping),
        })
    }
}
