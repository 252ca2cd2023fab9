//! A masternode, or an observer, around its replica: opens what is on disk, starts network, API and base-chain tasks,
//! runs the replica on a thread of its own, and ends all of it in order. If one part fails, the node
//! stops as a whole and says which.

mod checkpoints;
mod clock;
mod engine;
mod fetch;
mod guard;
mod inbound;
mod restore;
mod sync;
mod take_over;

use crate::api;
use crate::config::{ConfigError, NodeConfig};
use crate::events::EventLog;
use crate::keys::{KeyError, NodeKeys};
use crate::metrics::{Direction, Metrics};
use crate::replica::posting::{self, Unposted};
use crate::replica::restore::RestoreError;
use crate::replica::{MempoolConfig, Replica, ReplicaConfig};
use crate::tracker::Tracker;
use clock::Clock;
use engine::{COMMANDS_MAX, Command, End, Engine, Readers};
use guard::Guard;
use inbound::Verifier;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;
use take_over::DATABASE;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use weft_network::{IdentitySeed, Limits, Member, Network, NetworkConfig, NetworkError, Role};
use weft_storage::{GuardError, Store, StoreError};
use weft_types::{Genesis, GenesisError, MemberIndex, Round};

/// Submissions of the API that wait for the replica.
const SUBMISSIONS_MAX: usize = 1024;
/// S2: how long an old database is waited for until its readers have let go, in looks.
const STORE_CLOSES: u32 = 200;
const STORE_CLOSES_INTERVAL: Duration = Duration::from_millis(50);
/// Between two looks at the links.
const PEERS_INTERVAL: Duration = Duration::from_millis(500);

/// Why a node does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("configuration: {0}")]
    Settings(String),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("base_key: {0}; without base_key this node leaves checkpoints to the others")]
    BaseKey(KeyError),
    #[error(
        "there is no genesis at {0}: put the network's there. A testnet has it in its folder, and every \
         node answers with it at /v1/genesis"
    )]
    NoGenesis(PathBuf),
    #[error("cannot read {path}: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}: {source}")]
    Genesis { path: PathBuf, source: GenesisError },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(
        "the finality key in {0} is not the one that the committee has for this node's vertex key: put the \
         one there that was registered with it"
    )]
    FinalityKey(PathBuf),
    #[error(
        "the vertex key in {keys}, {vertex}, is no member's in the committee of {genesis}: use the keys \
         that were registered, or the genesis of their network; who is no member follows with --observer"
    )]
    NoMember {
        keys: PathBuf,
        vertex: weft_types::ed25519::PublicKey,
        genesis: PathBuf,
    },
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("stored data do not fit together: {0}")]
    Inconsistent(String),
    #[error("a state that was taken over cannot be put into {0}: {1}")]
    Exchange(PathBuf, std::io::Error),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("p2p_listen {address:?} is no multiaddress: {reason}")]
    Address { address: String, reason: String },
    #[error("cannot listen for the API on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the replica wanted to sign, but this node has no signing guard")]
    NoGuard,
    #[error(transparent)]
    Mismatch(#[from] checkpoints::Mismatch),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    #[error("{0} ended unexpectedly")]
    Ended(&'static str),
}

impl DriverError {
    /// Whether arguments, configuration, files or ports do not fit, which the operator can change.
    pub fn is_wrong_use(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::Settings(_)
            | Self::Key(_)
            | Self::BaseKey(_)
            | Self::NoGenesis(_)
            | Self::Read { .. }
            | Self::Genesis { .. }
            | Self::FinalityKey(_)
            | Self::NoMember { .. }
            | Self::Address { .. }
            | Self::Listen { .. }
            | Self::Mismatch(_) => true,
            Self::Store(error) => matches!(
                error,
                StoreError::Network { .. } | StoreError::Schema { .. } | StoreError::Locked { .. }
            ),
            Self::Guard(error) => {
                matches!(error, GuardError::Foreign { .. } | GuardError::Locked(_))
            }
            Self::Network(error) => matches!(
                error,
                NetworkError::Config { .. } | NetworkError::Listen { .. }
            ),
            _ => false,
        }
    }

    /// The address that the node cannot listen on, with the setting that names it and why.
    pub fn not_listening(&self) -> Option<(SocketAddr, &'static str, &std::io::Error)> {
        match self {
            Self::Listen { address, source } => Some((*address, "api_listen", source)),
            Self::Network(NetworkError::Listen { address, source }) => {
                Some((weft_network::socket(address)?, "p2p_listen", source))
            }
            _ => None,
        }
    }
}

/// A running node.
pub struct Node {
    api: SocketAddr,
    engine: tokio::task::JoinHandle<Result<End, DriverError>>,
    tasks: tokio::task::JoinSet<&'static str>,
    network: weft_network::Handle,
    stop: CancellationToken,
    /// S2: what it is started with again, on another database.
    again: (NodeConfig, Option<NodeKeys>),
    store: Weak<Store>,
}

/// What a node is in its committee.
struct Identity {
    own: Option<(MemberIndex, NodeKeys)>,
    /// Of the libp2p identity: the vertex key's seed, or a fresh one for an observer.
    seed: IdentitySeed,
}

impl Node {
    /// Opens and starts everything. Ready when this returns; connections come up by themselves.
    ///
    /// Votes with the keys of a member, and refuses others. Without keys it follows as an observer.
    pub async fn start(config: NodeConfig) -> Result<Self, DriverError> {
        let keys = NodeKeys::load(&config.keys)?;
        Self::start_with(config, keys).await
    }

    /// As [`start`](Self::start), as an observer whatever keys there are: they are not even read.
    pub async fn observe(config: NodeConfig) -> Result<Self, DriverError> {
        Self::start_with(config, None).await
    }

    async fn start_with(config: NodeConfig, keys: Option<NodeKeys>) -> Result<Self, DriverError> {
        let mut again = (config.clone(), keys.clone());
        config.check().map_err(DriverError::Settings)?;
        let genesis = Arc::new(read_genesis(&config)?);
        let committee = genesis.committee().map_err(|source| DriverError::Genesis {
            path: config.genesis.clone(),
            source,
        })?;
        let committee = Arc::new(committee);
        let identity = identify(&config, keys, &committee)?;
        let base_key = checkpoints::base_key(&config).map_err(DriverError::BaseKey)?;
        checkpoints::compare_with_registry(&config.base_rpc, &genesis).await?;
        let network_id = genesis.network.id();
        take_over::adopt(&config.data)?;
        let store = Arc::new(Store::open(&config.data.join(DATABASE), network_id)?);
        let (guard, signed) = match &identity.own {
            Some((_, keys)) => {
                let (guard, signed) = Guard::open(&config.data, network_id, keys, &store)?;
                (Some(guard), signed)
            }
            None => (None, Ok(Round::ZERO)),
        };
        // S1: what a member has signed it shows to others only while it knows that itself.
        let knows_signed = Arc::new(AtomicBool::new(signed.is_ok()));
        let clock = Clock::start();
        let metrics = Arc::new(Metrics::new());
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let stop = CancellationToken::new();
        let restored = restore::restore(&store, &genesis, &committee, guard.as_ref(), signed)?;
        let anchored = restored.anchored;
        let interval = genesis.template.params.checkpoint_interval_ms;
        let newest = restored.certificate.clone();
        let unposted = Unposted::at_restart(newest, interval, |height| store.statement(height))?;
        let mut effects = Vec::new();
        let replica = Replica::new(
            ReplicaConfig {
                genesis: genesis.clone(),
                committee: committee.clone(),
                own: identity.own.clone(),
                mempool: MempoolConfig::new(
                    usize::try_from(config.mempool_bytes_max).unwrap_or(usize::MAX),
                ),
                adjust: None,
                sync: config.sync(),
            },
            restored,
            clock.now(),
            &mut effects,
        );
        let (network, events) =
            Network::start(network_config(&config, &genesis, &identity)?).await?;
        let listener = tokio::net::TcpListener::bind(config.api_listen)
            .await
            .map_err(|source| DriverError::Listen {
                address: config.api_listen,
                source,
            })?;
        let api = listener.local_addr().unwrap_or(config.api_listen);
        again.0.api_listen = api;
        let open_store = Arc::downgrade(&store);
        let history_from = restore::first_commit(&store)?;
        let gc_depth = genesis.template.params.gc_depth;
        let (views, view) = watch::channel(Arc::new(replica.view()));
        let (unposted, to_post) = watch::channel(unposted);
        let readers = Readers {
            views,
            tracker: Arc::new(Tracker::new(metrics.clone())),
            events: EventLog::new(clock.now().0),
            metrics: metrics.clone(),
            unposted,
        };
        let verifier = Verifier::new(
            network_id,
            committee.clone(),
            commands.clone(),
            metrics.clone(),
        );
        let mut tasks = tokio::task::JoinSet::new();
        let inbound = inbound::run(
            events,
            verifier.clone(),
            store.clone(),
            view.clone(),
            knows_signed.clone(),
            stop.clone(),
        );
        tasks.spawn(async move {
            inbound.await;
            "the network"
        });
        let posting = checkpoints::Checkpoints {
            rpc: config.base_rpc.clone(),
            contracts: checkpoints::contracts(&genesis),
            key: base_key,
            own: identity.own.as_ref().map(|(index, _)| *index),
            schedule: posting::schedule(genesis.committee.len()),
            anchored,
            commands: commands.clone(),
            store: store.clone(),
            events: readers.events.clone(),
            metrics: metrics.clone(),
            clock,
        };
        let posting = posting.run(to_post, stop.clone());
        tasks.spawn(async move {
            posting.await;
            "checkpointing"
        });
        let (submitter, submissions) = api::Submitter::channel(SUBMISSIONS_MAX);
        let (peers, connected) = watch::channel(0);
        let watching = watch_peers(network.clone(), peers, metrics.clone(), stop.clone());
        tasks.spawn(async move {
            watching.await;
            "watching peers"
        });
        let state = api::ApiState::new(api::ApiParts {
            name: config.name.clone(),
            genesis,
            store: store.clone(),
            views: view,
            peers: connected,
            tracker: readers.tracker.clone(),
            events: readers.events.clone(),
            submitter,
            metrics,
            limits: api::Limits {
                requests_per_second: config.api_rate_max,
                ..api::Limits::default()
            },
            history_from,
        })
        .map_err(DriverError::Thread)?;
        let serving = api::serve(listener, state, stop.clone());
        tasks.spawn(async move {
            serving.await;
            "the API"
        });
        let engine = Engine {
            replica,
            store,
            guard,
            knows_signed,
            recovering: None,
            stalled: false,
            network: network.clone(),
            verifier,
            commands,
            readers,
            clock,
            runtime: tokio::runtime::Handle::current(),
            handling: Duration::ZERO,
            data: config.data.clone(),
            network_id,
            gc_depth,
            taken_over: false,
        };
        let engine = spawn_engine(engine, effects, inbox, submissions, stop.clone())?;
        let name = &config.name;
        match &identity.own {
            Some((member, _)) => {
                tracing::info!(name, network = %network_id, %member, %api, "node is running");
            }
            None => tracing::info!(
                name,
                network = %network_id,
                %api,
                "observer is running: it follows, signs nothing and takes no transactions"
            ),
        }
        Ok(Self {
            api,
            engine,
            tasks,
            network,
            stop,
            again,
            store: open_store,
        })
    }

    /// Where the API listens.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// The links to the other members, to look at and to cut.
    pub fn network(&self) -> &weft_network::Handle {
        &self.network
    }

    /// Runs until `shutdown` resolves or a part fails, then ends every part. When a state was taken over
    /// (S2), everything is ended and started again on it.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), DriverError> {
        tokio::pin!(shutdown);
        let mut node = self;
        loop {
            let (again, store) = (node.again.clone(), node.store.clone());
            if node.run_once(shutdown.as_mut()).await? == End::Stopped {
                return Ok(());
            }
            // Readers that are still at work have the old database open.
            for _ in 0..STORE_CLOSES {
                if store.strong_count() == 0 {
                    break;
                }
                tokio::time::sleep(STORE_CLOSES_INTERVAL).await;
            }
            let (config, keys) = again;
            node = Self::start_with(config, keys).await?;
        }
    }

    async fn run_once(mut self, shutdown: impl Future<Output = ()>) -> Result<End, DriverError> {
        let mut failed = None;
        tokio::select! {
            () = shutdown => tracing::info!("shutting down"),
            result = &mut self.engine => failed = Some(flatten(result)),
            ended = self.tasks.join_next() => {
                let part = ended.and_then(Result::ok).unwrap_or("a task");
                failed = Some(Err(DriverError::Ended(part)));
            }
        }
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        let result = match failed {
            Some(failure) if self.engine.is_finished() => failure,
            Some(failure) => flatten(self.engine.await).and(failure),
            None => flatten(self.engine.await),
        };
        self.network.shutdown().await?;
        tracing::info!("stopped");
        result
    }
}

fn flatten(
    result: Result<Result<End, DriverError>, tokio::task::JoinError>,
) -> Result<End, DriverError> {
    result.unwrap_or(Err(DriverError::Ended("the replica's thread")))
}

/// The replica has a thread of its own, with a timer, so that nothing else of the node delays it.
fn spawn_engine(
    engine: Engine,
    effects: Vec<crate::replica::Effect>,
    inbox: mpsc::Receiver<Command>,
    submissions: mpsc::Receiver<api::Submit>,
    stop: CancellationToken,
) -> Result<tokio::task::JoinHandle<Result<End, DriverError>>, DriverError> {
    let (finished, result) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(DriverError::Thread)?;
    std::thread::Builder::new()
        .name("weft-replica".to_owned())
        .spawn(move || {
            let _ = finished.send(runtime.block_on(engine.run(effects, inbox, submissions, stop)));
        })
        .map_err(DriverError::Thread)?;
    Ok(tokio::spawn(async move {
        result
            .await
            .unwrap_or(Err(DriverError::Ended("the replica's thread")))
    }))
}

/// Tells the API and the metrics how the links stand.
async fn watch_peers(
    network: weft_network::Handle,
    peers: watch::Sender<u64>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let (mut sent, mut received) = (0, 0);
    while stop
        .run_until_cancelled(tokio::time::sleep(PEERS_INTERVAL))
        .await
        .is_some()
    {
        let status = network.peers();
        peers.send_replace(status.iter().filter(|p| p.connected).count() as u64);
        let (out, into) = status.iter().fold((0, 0), |(out, into), peer| {
            (out + peer.sent_bytes, into + peer.received_bytes)
        });
        metrics.network_bytes(Direction::Sent, out.saturating_sub(sent));
        metrics.network_bytes(Direction::Received, into.saturating_sub(received));
        (sent, received) = (out, into);
    }
}

fn read_genesis(config: &NodeConfig) -> Result<Genesis, DriverError> {
    let path = config.genesis.clone();
    let text = std::fs::read_to_string(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => DriverError::NoGenesis(path.clone()),
        _ => DriverError::Read {
            path: path.clone(),
            source,
        },
    })?;
    Genesis::from_json(&text).map_err(|source| DriverError::Genesis { path, source })
}

fn identify(
    config: &NodeConfig,
    keys: Option<NodeKeys>,
    committee: &weft_types::Committee,
) -> Result<Identity, DriverError> {
    // There is one committee yet. With more, keys of a later one will have to wait for it here.
    let own = match keys {
        None => None,
        Some(keys) => match committee.index_of(&keys.vertex.public()) {
            Some(index) => Some((index, keys)),
            None => {
                return Err(DriverError::NoMember {
                    keys: config.keys.clone(),
                    vertex: keys.vertex.public(),
                    genesis: config.genesis.clone(),
                });
            }
        },
    };
    if let Some((index, keys)) = &own {
        let member = committee.member(*index);
        if member.is_none_or(|m| m.finality_key != keys.finality.public()) {
            return Err(DriverError::FinalityKey(config.keys.clone()));
        }
    }
    let seed = match &own {
        Some((_, keys)) => IdentitySeed::new(*keys.vertex.seed()),
        None => IdentitySeed::new(rand::random()),
    };
    Ok(Identity { own, seed })
}

fn network_config(
    config: &NodeConfig,
    genesis: &Genesis,
    identity: &Identity,
) -> Result<NetworkConfig, DriverError> {
    let listen: weft_network::Multiaddr = config.p2p_listen.parse().map_err(
        |e: <weft_network::Multiaddr as std::str::FromStr>::Err| DriverError::Address {
            address: config.p2p_listen.clone(),
            reason: e.to_string(),
        },
    )?;
    let members = genesis.committee.iter().zip(0..);
    let members = members.map(|(member, index)| Member {
        index: MemberIndex(index),
        vertex_key: member.vertex_key.0,
        addresses: member
            .addresses
            .split(',')
            .filter_map(|a| a.trim().parse().ok())
            .collect(),
    });
    Ok(NetworkConfig {
        network_id: genesis.network.id().to_string(),
        role: identity
            .own
            .as_ref()
            .map_or(Role::Observer, |(index, _)| Role::Member(*index)),
        seed: identity.seed.clone(),
        // Observers dial; nobody dials them.
        listen: identity.own.iter().map(|_| listen.clone()).collect(),
        committee: members.collect(),
        limits: Limits::default(),
    })
}

#[cfg(test)]
mod tests;
