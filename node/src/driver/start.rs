//! Opening and starting a node's parts. What may refuse because of arguments, files or ports comes before
//! anything is made on the disk, as far as that is possible.

mod opened;

use self::opened::Opened;
use super::base::Base;
use super::clock::Clock;
use super::conflicts::{Conflict, Judge};
use super::contents::Puller;
use super::engine::{COMMANDS_MAX, Command, End, Engine, Readers};
use super::feeds::{Deposits, Halt, Queue};
use super::inbound::{Inbound, Verifier};
use super::links::{Links, Plug};
use super::pruning::Pruner;
use super::watch::{BaseSeen, BaseWatch, HEARD_MAX, Parts, Sources, Watch, Watcher};
use super::{DriverError, Node, checkpoints, restore};
use crate::api;
use crate::config::NodeConfig;
use crate::contents::Finder;
use crate::events::EventLog;
use crate::keys::NodeKeys;
use crate::metrics::{Direction, Metrics};
use crate::replica::copies::ProcessId;
use crate::replica::{Effect, Input, Replica};
use crate::tracker::Tracker;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Between two looks at the links.
const PEERS_INTERVAL: Duration = Duration::from_millis(500);

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
    let mut tasks = Tasks {
        running: JoinSet::new(),
        stop: stop.clone(),
    };
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
    let links = network.clone();
    tasks.spawn("the network", |stop| {
        plug.run(links, events, inbound, offices, stop)
    });
    let (reports, bonds) = opened.reports(&config, base.clone(), &readers, clock);
    let offices = in_office.clone();
    tasks.spawn("reporting offences", |stop| reports.run(offices, stop));
    let (posting, missed) = opened.checkpoints((base, judge), &commands, &readers, clock);
    let offices = in_office.clone();
    tasks.spawn("checkpointing", |stop| posting.run(to_post, offices, stop));
    let (peers, connected) = watch::channel(0);
    let (links, counted) = (network.clone(), metrics.clone());
    tasks.spawn("watching peers", |stop| {
        watch_peers(links, peers, counted, stop)
    });
    let begins = restore::first_commit(&opened.store)?;
    let (begins, history_from) = watch::channel(begins);
    let params = &opened.genesis.template.params;
    let staging = Arc::new(opened.staging(view.borrow().timestamp));
    let (store, keep) = (opened.store.clone(), config.history_keep());
    let pruner = Pruner::new(store, params, keep, staging.clone());
    let views = view.clone();
    tasks.spawn("pruning", |stop| pruner.run(views, begins, stop));
    let halt = Arc::new(Halt::of(opened.store.clone())?);
    let (contents, wanted) = Finder::channel();
    let puller = Puller {
        store: opened.store.clone(),
        links: network.clone(),
        bytes_max: config.content_bytes_max,
        wanted,
    };
    tasks.spawn("fetching content", |stop| puller.run(stop));
    let (lags, bridge_lags) = watch::channel(false);
    let of_feed = (lags, &halt);
    if let Some(reader) = opened.reader::<Deposits>(&config, &commands, &view, of_feed) {
        tasks.spawn("reading deposits", |stop| reader.run(stop));
    }
    let of_feed = (watch::Sender::new(false), &halt);
    if let Some(reader) = opened.reader::<Queue>(&config, &commands, &view, of_feed) {
        tasks.spawn("reading the registry's queue", |stop| reader.run(stop));
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
        tasks.spawn("reading checkpoints", |stop| base.run(stop));
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
        tasks.spawn("watching", |stop| watcher.run(sources, stop));
    }
    let (submitter, submissions) = api::Submitter::channel();
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
        contents,
        content_bytes_max: config.content_bytes_max,
        staging,
    })
    .map_err(DriverError::Thread)?;
    tasks.spawn("the API", |stop| api::serve(listener, state, stop));

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
        halt,
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
        tasks: tasks.running,
        network,
        stop,
        again,
        store,
    })
}

/// What runs beside the replica until the node stops.
struct Tasks {
    running: JoinSet<&'static str>,
    stop: CancellationToken,
}

impl Tasks {
    /// A task that ends is told by its name.
    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> F,
    ) {
        let task = task(self.stop.clone());
        self.running.spawn(async move {
            task.await;
            name
        });
    }
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
