use crate::addresses;
use crate::behaviour::Behaviour;
use crate::config::{NetworkConfig, Role};
use crate::dialer::Dialer;
use crate::error::NetworkError;
use crate::handle::Handle;
use crate::history::History;
use crate::identity;
use crate::inbox::{Events, Inbox};
use crate::outbox::Outbox;
use crate::peers::Peers;
use crate::protocols::Protocols;
use crate::shared::Shared;
use crate::status::Counters;
use crate::swarm::SwarmTask;
use crate::tasks::Tasks;
use crate::transport;
use libp2p::core::transport::{ListenerId, TransportError};
use libp2p::{Multiaddr, Swarm};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Wishes for streams on their way to the swarm's task. Who finds it full waits.
const OPENS_MAX: usize = 64;
/// Streams of one connection whose protocol is still being negotiated. Further ones wait.
const NEGOTIATING_STREAMS_MAX: usize = 16;
/// Longest wait for listeners to report their addresses.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The network of one node.
#[derive(Debug)]
pub struct Network;

impl Network {
    /// Listens, and begins to dial the members. Has to be called within a tokio runtime, in which
    /// the network's tasks then run.
    ///
    /// # Errors
    /// Names what is wrong with the configuration, or the address that cannot be listened on.
    pub async fn start(config: NetworkConfig) -> Result<(Handle, Events), NetworkError> {
        let keypair = identity::keypair(&config.seed);
        let own = keypair.public().to_peer_id();
        let members = config.validate(own)?;
        check_free(&config.listen)?;

        let NetworkConfig { limits, role, .. } = config;
        let inbox = Arc::<Inbox>::default();
        let stop = CancellationToken::new();
        let (opens, opens_wanted) = mpsc::channel(OPENS_MAX);
        let (seatings, seatings_wanted) = mpsc::channel(1);
        let shared = Arc::new(Shared {
            own,
            role,
            peers: Peers::default(),
            links: RwLock::default(),
            history: History::new(&limits.history, &inbox),
            inbox,
            publications: Outbox::new(limits.publish_bytes_max),
            limits,
            counters: Counters::default(),
            observers: Default::default(),
            outsiders: Default::default(),
            listening: Default::default(),
            opens,
            seatings,
            blocks: Default::default(),
            tasks: Tasks::new(stop.clone()),
            stop,
        });
        let handle = Handle::new(shared.clone());

        let protocols = Protocols::new(&config.network_id);
        let peers = shared.peers.clone();
        let transport = transport::build(&keypair, &protocols, peers, shared.limits.silence_max)?;
        let behaviour = Behaviour::new(&shared, &protocols, &keypair)?;
        let executor = shared.clone();
        let swarm_config =
            libp2p::swarm::Config::with_executor(move |task| executor.tasks.spawn(task))
                .with_idle_connection_timeout(shared.limits.idle_timeout)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX);
        let mut swarm = Swarm::new(transport, behaviour, own, swarm_config);
        let starting = config
            .listen
            .iter()
            .map(|address| listen(&mut swarm, address))
            .collect::<Result<_, _>>()?;

        let (started, all_listen) = oneshot::channel();
        let dialler = matches!(role, Role::Member(_)).then_some(own);
        let mut task = SwarmTask {
            swarm,
            links: BTreeMap::new(),
            opens: opens_wanted,
            seatings: seatings_wanted,
            parting: BTreeMap::new(),
            dialer: Dialer::new(dialler, &shared.limits),
            resolving: JoinSet::new(),
            lane: shared.inbox.lane(shared.limits.publish_bytes_max),
            topic: protocols.observer_topic.hash(),
            observers: BTreeSet::new(),
            publish_from: Instant::now(),
            starting,
            started: Some(started),
            shared: shared.clone(),
        };
        task.seat(members);
        shared.spawn_lasting("swarm", shared.stop.clone(), task.run());
        match timeout(LISTEN_TIMEOUT, all_listen).await {
            Ok(Ok(())) => Ok((handle, Events::new(shared.inbox.clone()))),
            _ => Err(NetworkError::ListenTimeout(LISTEN_TIMEOUT)),
        }
    }
}

/// Fails when an address is taken. The transport sets SO_REUSEPORT on its listeners, with which two
/// nodes on one port would both start and each get half of the connections.
fn check_free(listen: &[Multiaddr]) -> Result<(), NetworkError> {
    for address in listen {
        let Some(socket) = addresses::socket(address) else {
            return Err(NetworkError::Config {
                field: "listen",
                problem: format!("{address} is not /ip4|ip6/.../tcp/PORT"),
            });
        };
        TcpListener::bind(socket).map_err(|source| NetworkError::Listen {
            address: address.clone(),
            source,
        })?;
    }
    Ok(())
}

fn listen(swarm: &mut Swarm<Behaviour>, address: &Multiaddr) -> Result<ListenerId, NetworkError> {
    swarm.listen_on(address.clone()).map_err(|error| {
        let source = match error {
            TransportError::Other(source) => source,
            other => io::Error::other(other.to_string()),
        };
        NetworkError::Listen {
            address: address.clone(),
            source,
        }
    })
}
