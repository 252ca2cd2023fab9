//! Opening and starting a node's parts. What may refuse because of arguments, files or ports comes before
//! anything is made on the disk, as far as that is possible.

use super::base::Base;
use super::clock::Clock;
use super::conflicts::{Conflict, Judge};
use super::engine::{COMMANDS_MAX, Command, Commands, End, Engine, Readers};
use super::epochs;
use super::feeds::{Deposits, Queue, Reader, Source};
use super::guard::Guard;
use super::inbound::{Inbound, Verifier};
use super::links::{Links, Plug};
use super::pruning::Pruner;
use super::reports::Reports;
use super::restore::Standing;
use super::take_over::{self, DATABASE};
use super::watch::{BaseSeen, BaseWatch, HEARD_MAX, Parts, Sources, Watch, Watcher};
use super::{DriverError, Node, checkpoints, restore};
use crate::api;
use crate::config::NodeConfig;
use crate::events::EventLog;
use crate::keys::NodeKeys;
use crate::metrics::{Direction, Metrics};
use crate::replica::copies::ProcessId;
use crate::replica::posting::{Due, Unposted};
use crate::replica::sync::SyncConfig;
use crate::replica::{Effect, Input, MempoolConfig, Replica, ReplicaConfig, Restored};
use crate::tracker::Tracker;
use crate::view::View;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use weft_basechain::AccountKey;
use weft_storage::Store;
use weft_types::api::MissedCheckpoint;
use weft_types::{Committee, Genesis, Height, MemberIndex, NetworkId, Round};

/// Submissions of the API that wait for the replica.
const SUBMISSIONS_MAX: usize = 1024;
/// Between two looks at the links.
const PEERS_INTERVAL: Duration = Duration::from_millis(500);

/// What files and disk say.
struct Opened {
    genesis: Arc<Genesis>,
    standing: Standing,
    keys: Option<NodeKeys>,
    base_key: Option<AccountKey>,
    store: Arc<Store>,
    guard: Option<Guard>,
    knows_signed: bool,
    anchored: Height,
    unposted: Unposted,
}

impl Opened {
    async fn open(
        config: &NodeConfig,
        keys: Option<NodeKeys>,
    ) -> Result<(Self, Restored), DriverError> {
        config.check().map_err(DriverError::Settings)?;
        let genesis = Arc::new(read_genesis(config)?);
        let base_key = checkpoints::base_key(config).map_err(DriverError::BaseKey)?;
        checkpoints::compare_with_registry(&config.base_rpc, &genesis).await?;
        let network_id = genesis.network.id();
        take_over::adopt(&config.data)?;
        let store = Arc::new(Store::open(&config.data.join(DATABASE), network_id)?);
        let standing = Standing::of(&store, &genesis)?;
        check_keys(config, keys.as_ref(), &standing.committee)?;
        let (guard, signed) = match &keys {
            Some(keys) => {
                let epoch = standing.committee.epoch();
                let (guard, signed) = Guard::open(&config.data, network_id, keys, &store, epoch)?;
                (Some(guard), signed)
            }
            None => (None, Ok(Round::ZERO)),
        };
        let restored = restore::restore(&store, &genesis, &standing, guard.as_ref(), signed)?;
        let interval = genesis.template.params.checkpoint_interval_ms;
        let newest = restored.certificate.clone();
        let mut unposted =
            Unposted::at_restart(newest, interval, |height| store.statement(height))?;
        for closing in epochs::closings(&store, &genesis, &standing, restored.anchored)? {
            let due = Due {
                height: closing.statement.height,
                since: closing.statement.timestamp,
            };
            unposted.add(Arc::new(closing), &[due]);
        }
        let opened = Self {
            genesis,
            standing,
            keys,
            base_key,
            store,
            guard,
            knows_signed: signed.is_ok(),
            anchored: restored.anchored,
            unposted,
        };
        Ok((opened, restored))
    }

    fn network_id(&self) -> NetworkId {
        self.genesis.network.id()
    }

    fn replica(&self, config: &NodeConfig, watches: bool) -> ReplicaConfig {
        let mempool = usize::try_from(config.mempool_bytes_max).unwrap_or(usize::MAX);
        ReplicaConfig {
            genesis: self.genesis.clone(),
            committee: self.standing.committee.clone(),
            earlier: self.standing.earlier.clone(),
            keys: self.keys.clone(),
            mempool: MempoolConfig::new(mempool),
            adjust: None,
            sync: SyncConfig {
                at_first_only: watches,
                ..config.sync()
            },
        }
    }

    fn checkpoints(
        &self,
        (base, judge): (Base, Judge),
        commands: &Commands,
        readers: &Readers,
        clock: Clock,
    ) -> (
        checkpoints::Checkpoints,
        watch::Receiver<Option<MissedCheckpoint>>,
    ) {
        let (missed, seen) = watch::channel(None);
        let checkpoints = checkpoints::Checkpoints {
            base,
            judge,
            compared: AtomicU64::new(0),
            told: AtomicU64::new(0),
            vertex_key: self.keys.as_ref().map(|keys| keys.vertex.public()),
            anchored: self.anchored,
            commands: commands.clone(),
            store: self.store.clone(),
            events: readers.events.clone(),
            missed,
            metrics: readers.metrics.clone(),
            clock,
        };
        (checkpoints, seen)
    }

    fn reports(
        &self,
        config: &NodeConfig,
        base: Base,
        readers: &Readers,
        clock: Clock,
    ) -> (Reports, watch::Receiver<BTreeMap<u64, bool>>) {
        let (bonds, seen) = watch::channel(BTreeMap::new());
        let reports = Reports {
            base,
            reporter: config.reporter(),
            vertex_key: self.keys.as_ref().map(|keys| keys.vertex.public()),
            store: self.store.clone(),
            views: readers.views.subscribe(),
            conflicts: readers.conflict.subscribe(),
            bonds,
            metrics: readers.metrics.clone(),
            clock,
        };
        (reports, seen)
    }

    /// An observer says nothing of the base chain: there is nothing to read for it.
    fn reader<S: Source>(
        &self,
        config: &NodeConfig,
        commands: &Commands,
        views: &watch::Receiver<Arc<View>>,
        lags: watch::Sender<bool>,
    ) -> Option<Reader<S>> {
        self.keys.as_ref()?;
        Some(Reader {
            source: PhantomData,
            rpc: config.base_rpc.clone(),
            contracts: checkpoints::contracts(&self.genesis),
            confirmations: self.genesis.template.params.base_confirmations,
            store: self.store.clone(),
            commands: commands.clone(),
            views: views.clone(),
            lags,
        })
    }

    /// The member of the committee in office that this node is, if it is one.
    fn own(&self) -> Option<MemberIndex> {
        let committee = &self.standing.committee;
        committee.index_of(&self.keys.as_ref()?.vertex.public())
    }

    fn say_running(&self, name: &str, api: SocketAddr) {
        let network = self.network_id();
        match self.own() {
            Some(member) => {
                tracing::info!(name, %network, %member, %api, "node is running");
            }
            None => tracing::info!(
                name,
                %network,
                %api,
                "observer is running: it follows, signs nothing and takes no transactions"
            ),
        }
    }
}

/// Opens and starts everything.
pub(super) async fn start(
    config: NodeConfig,
    keys: Option<NodeKeys>,
    watch_for: Option<Watch>,
    process: ProcessId,
) -> Result<Node, DriverError> {
    let mut again = (config.clone(), keys.clone(), watch_for.clone(), process);
    let (opened, restored) = Opened::open(&config, keys).await?;
    let clock = Clock::start();
    let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
    let stop = CancellationToken::new();
    let mut effects = Vec::new();
    let of_replica = opened.replica(&config, watch_for.is_some());
    let mut replica = Replica::new(of_replica, restored, clock.now(), &mut effects);
    let known = Conflict::read(&opened.store)?;
    if let Some(other) = known.as_ref().and_then(|k| k.verified(&opened.genesis)) {
        // F4: it stops again.
        let contradiction = Input::Contradiction(Box::new(other));
        replica.handle(clock.now(), contradiction, &mut effects);
    }
    let committee = opened.standing.committee.clone();
    let base = Base::new(&config, &opened.genesis, opened.base_key.clone());
    let (network_id, keys) = (opened.network_id(), opened.keys.clone());
    let plug = Plug::new(&config, network_id, keys, base.clone())?;
    let (network, events) = plug.start(&committee).await?;
    let listener = listen(config.api_listen).await?;
    let api = listener.local_addr().unwrap_or(config.api_listen);
    // S2: started again, it is where it was.
    again.0.api_listen = api;

    let (views, view) = watch::channel(Arc::new(replica.view()));
    let (unposted, to_post) = watch::channel(opened.unposted.clone());
    let metrics = Arc::new(Metrics::new());
    let readers = Readers {
        views,
        tracker: Arc::new(Tracker::new(metrics.clone())),
        events: EventLog::new(clock.now().0),
        metrics: metrics.clone(),
        unposted,
        conflict: watch::channel(known.map(Arc::new)).0,
        diverged: watch::Sender::new(None),
    };
    let (published, certificates) = mpsc::channel(HEARD_MAX);
    let verifier = Verifier::new(
        opened.network_id(),
        committee.clone(),
        commands.clone(),
        metrics.clone(),
    );
    let verifier = verifier.watched(watch_for.is_some().then_some(published));
    // S1: what a member has signed it shows to others only while it knows that itself.
    let knows_signed = Arc::new(AtomicBool::new(opened.knows_signed));
    let mut tasks = JoinSet::new();
    let (committees, in_office) = watch::channel(committee.clone());
    let judge = Judge::new(
        opened.store.clone(),
        opened.genesis.clone(),
        in_office.clone(),
        readers.conflict.clone(),
        commands.clone(),
    );
    let inbound = Inbound {
        verifier: verifier.clone(),
        store: opened.store.clone(),
        views: view.clone(),
        knows_signed: knows_signed.clone(),
        in_office: in_office.clone(),
        clock,
        genesis: opened.genesis.clone(),
        judge: judge.clone(),
    };
    let offices = (committee, in_office.clone());
    let links = plug.run(network.clone(), events, inbound, offices, stop.clone());
    tasks.spawn(named("the network", links));
    let (reports, bonds) = opened.reports(&config, base.clone(), &readers, clock);
    let reporting = reports.run(in_office.clone(), stop.clone());
    tasks.spawn(named("reporting offences", reporting));
    let (posting, missed) = opened.checkpoints((base, judge), &commands, &readers, clock);
    let posting = posting.run(to_post, in_office.clone(), stop.clone());
    tasks.spawn(named("checkpointing", posting));
    let (peers, connected) = watch::channel(0);
    let watching = watch_peers(network.clone(), peers, metrics.clone(), stop.clone());
    tasks.spawn(named("watching peers", watching));
    let begins = restore::first_commit(&opened.store)?;
    let (begins, history_from) = watch::channel(begins);
    let params = &opened.genesis.template.params;
    let pruner = Pruner::new(opened.store.clone(), params, config.history_keep());
    let pruning = pruner.run(view.clone(), begins, stop.clone());
    tasks.spawn(named("pruning", pruning));
    let (lags, bridge_lags) = watch::channel(false);
    if let Some(reader) = opened.reader::<Deposits>(&config, &commands, &view, lags) {
        tasks.spawn(named("reading deposits", reader.run(stop.clone())));
    }
    let lags = watch::Sender::new(false);
    if let Some(reader) = opened.reader::<Queue>(&config, &commands, &view, lags) {
        tasks.spawn(named(
            "reading the registry's queue",
            reader.run(stop.clone()),
        ));
    }
    if let Some(watch_for) = watch_for {
        let (found, posted) = mpsc::channel(HEARD_MAX);
        let (seen, base_seen) = watch::channel(BaseSeen::default());
        let base = BaseWatch {
            rpc: config.base_rpc.clone(),
            contracts: checkpoints::contracts(&opened.genesis),
            window: Duration::from_secs(params.challenge_window_s),
            found,
            seen,
        };
        tasks.spawn(named("reading checkpoints", base.run(stop.clone())));
        let sources = Sources {
            published: certificates,
            posted,
            base: base_seen,
            diverged: readers.diverged.subscribe(),
        };
        let parts = Parts {
            genesis: opened.genesis.clone(),
            store: opened.store.clone(),
            views: view.clone(),
            peers: connected.clone(),
            metrics: metrics.clone(),
        };
        let watcher = Watcher::new(parts, watch_for);
        tasks.spawn(named("watching", watcher.run(sources, stop.clone())));
    }
    let (submitter, submissions) = api::Submitter::channel(SUBMISSIONS_MAX);
    let state = api::ApiState::new(api::ApiParts {
        name: config.name.clone(),
        genesis: opened.genesis.clone(),
        store: opened.store.clone(),
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
        committee: in_office,
        bonds,
        missed,
        bridge_lags,
    })
    .map_err(DriverError::Thread)?;
    tasks.spawn(named("the API", api::serve(listener, state, stop.clone())));

    opened.say_running(&config.name, api);
    let store = Arc::downgrade(&opened.store);
    let engine = Engine {
        replica,
        network_id: opened.network_id(),
        genesis: opened.genesis.clone(),
        gc_depth: opened.genesis.template.params.gc_depth,
        store: opened.store,
        guard: opened.guard,
        knows_signed,
        process,
        recovering: None,
        stalled: false,
        network: network.clone(),
        committees,
        verifier,
        commands,
        readers,
        clock,
        runtime: tokio::runtime::Handle::current(),
        handling: Duration::ZERO,
        data: config.data,
        taken_over: false,
    };
    let engine = spawn_engine(engine, effects, inbox, submissions, stop.clone())?;
    Ok(Node {
        api,
        engine,
        tasks,
        network,
        stop,
        again,
        store,
    })
}

/// A task that ends is told by its name.
async fn named(name: &'static str, task: impl Future<Output = ()>) -> &'static str {
    task.await;
    name
}

async fn listen(address: SocketAddr) -> Result<TcpListener, DriverError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| DriverError::Listen { address, source })
}

/// The replica has a thread of its own, with a timer, so that nothing else of the node delays it.
fn spawn_engine(
    engine: Engine,
    effects: Vec<Effect>,
    inbox: mpsc::Receiver<Command>,
    submissions: mpsc::Receiver<api::Submit>,
    stop: CancellationToken,
) -> Result<JoinHandle<Result<End, DriverError>>, DriverError> {
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
    links: Links,
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
        let status = links.get().peers();
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

/// Keys that are of no member yet follow until they are.
fn check_keys(
    config: &NodeConfig,
    keys: Option<&NodeKeys>,
    committee: &Committee,
) -> Result<(), DriverError> {
    let Some(keys) = keys else { return Ok(()) };
    let vertex = keys.vertex.public();
    match committee
        .index_of(&vertex)
        .and_then(|i| committee.member(i))
    {
        Some(member) if member.finality_key != keys.finality.public() => {
            Err(DriverError::FinalityKey(config.keys.clone()))
        }
        Some(_) => Ok(()),
        None => {
            tracing::warn!(
                keys = %config.keys.display(),
                %vertex,
                epoch = %committee.epoch(),
                "these keys are of no member of the committee in office: this node follows as an observer \
                 until they are"
            );
            Ok(())
        }
    }
}
