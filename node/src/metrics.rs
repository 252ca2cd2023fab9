//! What operators see. Every metric stands here with its help text, under a name beginning with
//! `weft_`; `docs/spec/api.md` lists them, and a test holds that list against this file. Gauges of
//! the chain are read from the [`View`] when somebody asks, so that nothing has to keep them.

mod labels;

pub use labels::{CheckpointResult, Direction, ReportResult, TransactionResult};

use crate::view::View;
use labels::{DirectionLabel, RequestLabel, ResultLabel, RouteLabel};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use weft_types::{Height, StatementDigest};

/// Upper bounds of the classes of latencies, in seconds.
const LATENCIES: [f64; 15] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0,
];

fn latencies() -> Histogram {
    Histogram::new(LATENCIES)
}

/// Alarms that are counted.
const ALARMED_MAX: usize = 1_024;

/// Shared by all parts of a node; feeding it never blocks.
pub struct Metrics {
    registry: Registry,
    started: Instant,
    round: Gauge,
    epoch: Gauge,
    height: Gauge,
    certified_height: Gauge,
    anchored_height: Gauge,
    voting: Gauge,
    accepting: Gauge,
    commits: Counter,
    vertices: Counter,
    fetched: Counter,
    equivocations: Counter,
    alarms: Counter,
    alarmed: Mutex<BTreeSet<(Height, StatementDigest)>>,
    withheld: Gauge,
    blind: Gauge,
    transactions: Family<ResultLabel, Counter>,
    checkpoints: Family<ResultLabel, Counter>,
    checkpoint_missed: Gauge,
    reports: Family<ResultLabel, Counter>,
    slashed: Gauge,
    bridge_halted: Gauge,
    bridge_frozen: Gauge,
    network_bytes: Family<DirectionLabel, Counter>,
    peers: Gauge,
    mempool_bytes: Gauge,
    tracked: Gauge,
    streams: Gauge,
    content_bytes: Gauge,
    commit_latency: Histogram,
    certify_latency: Histogram,
    execute: Histogram,
    store_write: Histogram,
    guard_write: Histogram,
    verify: Histogram,
    requests: Family<RequestLabel, Counter>,
    request_time: Family<RouteLabel, Histogram, fn() -> Histogram>,
    requests_in_work: Gauge,
    memory: Gauge,
    uptime: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut r = Registry::with_prefix("weft");
        let metrics = Self {
            started: Instant::now(),
            round: add(
                &mut r,
                "round",
                "Newest own round, or the DAG's for an observer",
            ),
            epoch: add(&mut r, "epoch", "Epoch"),
            height: add(&mut r, "height", "Newest height executed here"),
            certified_height: add(&mut r, "certified_height", "Newest certified height"),
            anchored_height: add(
                &mut r,
                "anchored_height",
                "Newest height anchored on the base chain",
            ),
            voting: add(&mut r, "voting", "1 while this node signs"),
            accepting: add(&mut r, "accepting", "1 while this node takes transactions"),
            commits: add(&mut r, "commits", "Commits executed since the start"),
            vertices: add(&mut r, "vertices", "Vertices accepted since the start"),
            fetched: add(
                &mut r,
                "vertices_fetched",
                "Vertices asked for because they were missing",
            ),
            equivocations: add(
                &mut r,
                "equivocations",
                "Proofs of two vertices for one round",
            ),
            alarms: add(
                &mut r,
                "alarms",
                "Statements that a quorum has certified and this node has not computed",
            ),
            alarmed: Mutex::default(),
            withheld: add(
                &mut r,
                "withheld",
                "Posted heights that a watcher has raised an alarm for, as their data have not been seen here",
            ),
            blind: add(
                &mut r,
                "blind",
                "1 while a watcher has an alarm raised that the base chain does not answer",
            ),
            transactions: add(
                &mut r,
                "transactions",
                "Transactions by what became of them",
            ),
            checkpoints: add(&mut r, "checkpoints", "Checkpoints by what became of them"),
            checkpoint_missed: add(
                &mut r,
                "checkpoint_missed_height",
                "The oldest height that is not on the base chain in time, 0 when all are",
            ),
            reports: add(
                &mut r,
                "reports",
                "Reports of offences to the registry by what became of them",
            ),
            slashed: add(
                &mut r,
                "slashed",
                "Convicted members whose bond the registry has taken",
            ),
            bridge_halted: add(
                &mut r,
                "bridge_halted",
                "1 once this node credits no deposits any more",
            ),
            bridge_frozen: add(
                &mut r,
                "bridge_frozen",
                "1 once the contracts have frozen the bridge, as this node has seen",
            ),
            network_bytes: add(&mut r, "network_bytes", "Bytes exchanged with peers"),
            peers: add(&mut r, "peers", "Connected peers"),
            mempool_bytes: add(
                &mut r,
                "mempool_bytes",
                "Encoded transactions waiting to be ordered",
            ),
            tracked: add(
                &mut r,
                "transactions_followed",
                "Transactions taken here without an outcome yet",
            ),
            streams: add(&mut r, "streams", "Open event streams"),
            content_bytes: add(&mut r, "content_bytes", "Bytes of content stored (A3)"),
            commit_latency: time(
                &mut r,
                "commit_latency",
                "From taking a transaction to its commit",
            ),
            certify_latency: time(
                &mut r,
                "certify_latency",
                "From taking a transaction to its certificate",
            ),
            execute: time(&mut r, "execute", "Executing a commit"),
            store_write: time(&mut r, "store_write", "Writing a batch to the store"),
            guard_write: time(&mut r, "guard_write", "Writing to the signing guard"),
            verify: time(
                &mut r,
                "verify",
                "Verifying a batch of transactions, clients' or vertices'",
            ),
            requests: add(
                &mut r,
                "http_requests",
                "Requests by method, route and status",
            ),
            request_time: {
                let family = Family::new_with_constructor(latencies as fn() -> Histogram);
                let help = "Answering a request, by route";
                r.register_with_unit("http_request", help, Unit::Seconds, family.clone());
                family
            },
            requests_in_work: add(&mut r, "http_requests_in_work", "Requests being answered"),
            memory: add(
                &mut r,
                "resident_memory_bytes",
                "Resident memory of the process",
            ),
            uptime: add(&mut r, "uptime_seconds", "Time since the start"),
            registry: r,
        };
        // What is counted under a label is there from the start, at zero.
        for result in TransactionResult::ALL {
            metrics.count(result, 0);
        }
        for result in CheckpointResult::ALL {
            let result = result.as_str();
            drop(metrics.checkpoints.get_or_create(&ResultLabel { result }));
        }
        for result in ReportResult::ALL {
            let result = result.as_str();
            drop(metrics.reports.get_or_create(&ResultLabel { result }));
        }
        for direction in [Direction::Sent, Direction::Received] {
            metrics.network_bytes(direction, 0);
        }
        metrics
    }

    /// A commit was executed, with so many receipts of each kind.
    pub fn committed(&self, applied: u64, rejected: u64, execution: Duration) {
        self.commits.inc();
        self.count(TransactionResult::Applied, applied);
        self.count(TransactionResult::Rejected, rejected);
        self.execute.observe(execution.as_secs_f64());
    }

    pub fn count(&self, result: TransactionResult, n: u64) {
        let result = result.as_str();
        let label = ResultLabel { result };
        self.transactions.get_or_create(&label).inc_by(n);
    }

    pub fn checkpoint(&self, result: CheckpointResult) {
        let result = result.as_str();
        let label = ResultLabel { result };
        self.checkpoints.get_or_create(&label).inc();
    }

    pub fn checkpoint_missed(&self, height: Option<Height>) {
        let height = height.unwrap_or_default();
        self.checkpoint_missed.set(signed(height.0));
    }

    pub fn report(&self, result: ReportResult) {
        let result = result.as_str();
        let label = ResultLabel { result };
        self.reports.get_or_create(&label).inc();
    }

    pub fn slashed(&self, members: usize) {
        self.slashed.set(signed(members as u64));
    }

    pub fn bridge_frozen(&self) {
        self.bridge_frozen.set(1);
    }

    pub fn network_bytes(&self, direction: Direction, n: u64) {
        let direction = direction.as_str();
        let label = DirectionLabel { direction };
        self.network_bytes.get_or_create(&label).inc_by(n);
    }

    pub fn vertices(&self, n: u64) {
        self.vertices.inc_by(n);
    }

    pub fn fetched(&self, n: u64) {
        self.fetched.inc_by(n);
    }

    pub fn equivocation(&self) {
        self.equivocations.inc();
    }

    /// Each statement counts once, however often it is seen.
    pub fn alarm(&self, height: Height, certified: StatementDigest) {
        let alarmed = self.alarmed.lock();
        let mut alarmed = alarmed.unwrap_or_else(PoisonError::into_inner);
        if alarmed.len() < ALARMED_MAX && alarmed.insert((height, certified)) {
            self.alarms.inc();
        }
    }

    /// W6.
    pub fn withheld(&self, heights: u64) {
        self.withheld.set(signed(heights));
    }

    /// W7.
    pub fn blind(&self, blind: bool) {
        self.blind.set(i64::from(blind));
    }

    pub fn mempool_bytes(&self, bytes: usize) {
        self.mempool_bytes.set(signed(bytes as u64));
    }

    pub fn commit_latency(&self, time: Duration) {
        self.commit_latency.observe(time.as_secs_f64());
    }

    pub fn certify_latency(&self, time: Duration) {
        self.certify_latency.observe(time.as_secs_f64());
    }

    pub fn store_write(&self, time: Duration) {
        self.store_write.observe(time.as_secs_f64());
    }

    pub fn guard_write(&self, time: Duration) {
        self.guard_write.observe(time.as_secs_f64());
    }

    pub fn verify(&self, time: Duration) {
        self.verify.observe(time.as_secs_f64());
    }

    /// A request is in work until [`Metrics::request_done`].
    pub fn request_begun(&self) {
        self.requests_in_work.inc();
    }

    pub fn request_done(&self) {
        self.requests_in_work.dec();
    }

    /// A request was answered. `route` is the pattern, of which there are few, not the path.
    pub fn request(&self, method: &'static str, route: &str, status: u16, time: Duration) {
        let route = route.to_owned();
        let label = RouteLabel {
            route: route.clone(),
        };
        let histogram = self.request_time.get_or_create(&label);
        histogram.observe(time.as_secs_f64());
        drop(histogram);
        let label = RequestLabel {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&label).inc();
    }

    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn content_bytes(&self, bytes: u64) {
        self.content_bytes.set(signed(bytes));
    }

    /// Everything in the text format of OpenMetrics.
    pub fn render(&self, view: &View, peers: u64, tracked: usize, streams: usize) -> String {
        self.round.set(signed(view.round.0));
        self.epoch.set(signed(view.epoch.0));
        self.height.set(signed(view.height.0));
        let certified = view.certified.as_ref();
        let certified = certified.map_or(0, |c| c.certificate.statement.height.0);
        self.certified_height.set(signed(certified));
        self.anchored_height.set(signed(view.anchored.0));
        self.voting.set(i64::from(view.not_voting.is_none()));
        self.bridge_halted
            .set(i64::from(view.bridge_halted.is_some()));
        self.accepting.set(i64::from(view.not_accepting.is_none()));
        self.peers.set(signed(peers));
        self.tracked.set(signed(tracked as u64));
        self.streams.set(signed(streams as u64));
        self.memory.set(signed(resident_bytes()));
        self.uptime.set(signed(self.uptime().as_secs()));
        let mut out = String::new();
        // Writing to a String does not fail.
        let _infallible = text::encode(&mut out, &self.registry);
        out
    }
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn time(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let metric = latencies();
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

#[cfg(test)]
mod tests;
