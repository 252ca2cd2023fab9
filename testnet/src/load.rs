//! The load generator: signed transactions at a rate, or as many as go through, and what becomes of
//! each of them, as its client sees it.
//!
//! It knows of a network only what any client knows, its nodes' URLs and a funded key; the processes
//! it is told of serve for the figures of their use of the machine. [`book`] says what is counted.

mod accounts;
mod book;
mod conserve;
mod drive;
mod follow;
mod founding;
mod limit;
mod market;
mod mechanisms;
mod meter;
mod prepare;
mod report;
mod sign;
mod stadium;
mod transfer;

pub use book::Counts;
pub use report::{Agreement, Conservation, Latencies, Quantiles, Report};

use crate::process::ProcessId;
use book::{Book, Planned};
use drive::{Drive, Pace};
use follow::{Errands, clients, follow};
use meter::Meter;
use prepare::{Prepared, prepare};
use report::two_places;
use sign::{Signed, Timing, sign};
use stadium::Counted;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;
use weft_basechain::BaseChain;
use weft_client::{Client, ClientError, Options};
use weft_types::api::NodeStatus;
use weft_types::ed25519::SecretKey;
use weft_types::{CollectionId, CommitIndex};

/// Most transactions of one load: all are signed beforehand and held in memory, about half a KiB
/// each.
pub const TRANSACTIONS_MAX: u64 = 2_000_000;
/// Longest load.
pub const DURATION_MAX: Duration = Duration::from_secs(900);
/// Longest one without a rate: with the time that a transaction stays valid it has to fit what the protocol allows.
pub const SATURATING_MAX: Duration = Duration::from_secs(420);
/// How long a transaction is valid after its time has come.
const VALIDITY: Duration = Duration::from_secs(60);
/// Longest wait for outcomes after the last transaction was sent; by then the last has expired.
const DRAIN: Duration = Duration::from_secs(70);
/// Longest wait for all nodes to come to one height afterwards.
const AGREEMENT: Duration = Duration::from_secs(30);
/// Room for notes of nodes that the books have not taken yet.
const NOTES: usize = 4_096;
/// What one transaction of these mixes costs at most, fee and price together.
const COST_MAX: u64 = 4_000;
/// Time for signing one transaction, several times what it takes.
const SIGNING: Duration = Duration::from_micros(100);
/// Between the end of signing and the first transaction, for what is left to prepare.
const LEAD: Duration = Duration::from_secs(5);
/// Of what the signatures alone would allow, a saturating load is prepared for this much: nothing
/// goes beyond, and what is not sent is not missed.
const SATURATION: f64 = 1.1;
/// Rate that the cards of a saturating market suffice for.
const MARKET_RATE_MAX: f64 = 5_000.0;

/// What kinds of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Payments among many accounts.
    Transfer,
    /// The same, each signed by a key that has a session for its account (L20).
    Session,
    /// Trades of cards.
    Market,
    /// The same with packs and books; whatever all accounts hold is counted before and after.
    Steve,
    /// Tickets for a third of those who ask for one (L38).
    Stadium,
    /// Tickets shown at gates, some of them twice (L35).
    Redeem,
    /// What is in none of the others: channels, hash locks, vouchers, posted data and more.
    Mechanisms,
}

/// A text that names no mix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no mix of transactions: {mixes}", mixes = Mix::ALL.map(Mix::name).join(", "))]
pub struct MixError(String);

impl Mix {
    pub const ALL: [Self; 7] = [
        Self::Transfer,
        Self::Session,
        Self::Market,
        Self::Steve,
        Self::Stadium,
        Self::Redeem,
        Self::Mechanisms,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Session => "session",
            Self::Market => "market",
            Self::Steve => "steve",
            Self::Stadium => "stadium",
            Self::Redeem => "redeem",
            Self::Mechanisms => "mechanisms",
        }
    }
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut named = Self::ALL.into_iter().filter(|mix| mix.name() == text);
        named.next().ok_or_else(|| MixError(text.to_owned()))
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many transactions a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    PerSecond(u32),
    Max,
}

/// What a load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    pub rate: Rate,
    pub duration: Duration,
    pub mix: Mix,
    /// Whose editions a market trades; the load's account has created it. Else it makes its own.
    pub collection: Option<CollectionId>,
}

/// What it does it to.
pub struct Target<'a> {
    /// URLs of all nodes' APIs.
    pub nodes: Vec<String>,
    /// A funded account that pays for all.
    pub key: SecretKey,
    /// For the gas of checkpoints, where there is one.
    pub base: Option<BaseChain>,
    /// The nodes' processes at this moment.
    pub processes: &'a (dyn Fn() -> Vec<ProcessId> + Sync),
}

/// Why a load was not run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(
        "a load lasts 1 s to {} s, and to {} s without a rate, not {} s",
        DURATION_MAX.as_secs(), SATURATING_MAX.as_secs(), .0.as_secs_f64()
    )]
    Duration(Duration),
    #[error(
        "{0} transactions are more than the {TRANSACTIONS_MAX} that are signed beforehand: a lower rate or a shorter load"
    )]
    Transactions(u64),
    #[error("a rate is 1 a second at least")]
    Rate,
    #[error("mix {0} trades no collection; market and steve do")]
    NoCollection(Mix),
    #[error("the collection is not the load's to trade: {0}")]
    Collection(String),
    #[error("preparing the load: {0} was refused: {1}")]
    Prepare(&'static str, String),
    #[error("the tickets do not add up: {0}")]
    Tickets(String),
    #[error("something was made or lost: {0}")]
    Conserved(String),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("a thread of the load generator ended: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

/// Words about how far a load is.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

impl LoadOptions {
    fn check(&self) -> Result<(), LoadError> {
        let longest = match self.rate {
            Rate::PerSecond(_) => DURATION_MAX,
            Rate::Max => SATURATING_MAX,
        };
        if !(Duration::from_secs(1)..=longest).contains(&self.duration) {
            return Err(LoadError::Duration(self.duration));
        }
        if self.collection.is_some() && !matches!(self.mix, Mix::Market | Mix::Steve) {
            return Err(LoadError::NoCollection(self.mix));
        }
        let Rate::PerSecond(rate) = self.rate else {
            return Ok(());
        };
        if rate == 0 {
            return Err(LoadError::Rate);
        }
        self.count(rate.into()).map(|_| ())
    }

    /// How many transactions, at a rate.
    fn count(&self, rate: f64) -> Result<u32, LoadError> {
        let count = (rate * self.duration.as_secs_f64()).ceil() as u64;
        match u32::try_from(count) {
            Ok(fits) if count <= TRANSACTIONS_MAX => Ok(fits),
            _ => Err(LoadError::Transactions(count)),
        }
    }
}

/// Runs a load.
pub async fn run(
    options: LoadOptions,
    target: &Target<'_>,
    say: Say<'_>,
) -> Result<Report, LoadError> {
    options.check()?;
    say("measuring what this machine can verify");
    let verified = tokio::task::spawn_blocking(limit::verifications_per_second).await?;
    let verify_limit = verified / target.nodes.len() as f64;
    let (rate, pace, count) = match options.rate {
        Rate::PerSecond(rate) => {
            let rate = f64::from(rate);
            (rate, Pace::Open, options.count(rate)?)
        }
        Rate::Max => {
            let most = (TRANSACTIONS_MAX as f64 / options.duration.as_secs_f64()).floor();
            let rate = (verify_limit * SATURATION).min(most);
            let pace = Pace::Saturating(options.duration);
            (rate, pace, options.count(rate)?)
        }
    };
    let mut prepared = prepare(options, target, rate, count, say).await?;
    let step = Duration::from_secs_f64(1.0 / rate);
    let expected = prepared.expected.take();
    let conserved = prepared.conserved.take();
    let plan = signed(prepared, count, pace, step, say).await?;

    let clients = clients(&target.nodes)?;
    let from = newest_commit(&clients).await?;
    let (sender, mut notes) = mpsc::channel(NOTES);
    let followers = clients.iter().cloned().enumerate();
    let followers = followers.map(|(node, c)| tokio::spawn(follow(node, c, sender.clone())));
    let followers: Vec<_> = followers.collect();
    let mut meter = Meter::default();
    meter.begin(&(target.processes)());
    let base_from = head(target.base.as_ref()).await;

    say("running");
    let start = Instant::now();
    let book = Book::new(clients.len(), from, planned(&plan, step));
    let errands = Errands::new(clients.clone(), sender);
    let drive = Drive::new(book, &plan, pace, errands, start);
    let said = AtomicU64::new(0);
    let spectator = |counts: Counts, time: Duration| {
        let seconds = time.as_secs();
        if said.swap(seconds, Ordering::Relaxed) == seconds {
            return;
        }
        let Counts {
            offered,
            committed,
            failed,
            ..
        } = counts;
        say(&format!(
            "{seconds} s: {offered} offered, {committed} committed, {failed} failed"
        ));
    };
    let look = || meter.look(&(target.processes)());
    let book = drive.run(&mut notes, DRAIN, &spectator, look).await;
    for follower in followers {
        follower.abort();
    }
    meter.look(&(target.processes)());
    let base_gas = base_gas(target.base.as_ref(), base_from).await;
    say("comparing the nodes");
    let agreement = agreement(&clients).await;

    let up: Vec<usize> = (0..clients.len()).filter(|n| book.is_up(*n)).collect();
    let counts = book.counts();
    if let Some(expected) = expected {
        let told = book.reasons().get(expected.refusal()).copied();
        let counted = Counted {
            offered: counts.offered,
            committed: counts.committed,
            untold: counts.open + counts.failed - told.unwrap_or_default(),
        };
        let client = Client::with_options(&target.nodes, Options::default())?;
        if let Some(words) = expected.wrong(&client, counted).await? {
            return Err(LoadError::Tickets(words));
        }
    }
    let conserved = match conserved {
        None => None,
        Some(before) => {
            say("counting what everybody has");
            let client = Client::with_options(&target.nodes, Options::default())?;
            let compared = before.compare(&client).await?;
            Some(compared.map_err(LoadError::Conserved)?)
        }
    };
    let elapsed = book.all_executed(&up).map_or_else(
        || start.elapsed().as_secs_f64(),
        |micros| micros as f64 / 1e6,
    );
    let tps = counts.committed as f64 / elapsed.max(f64::MIN_POSITIVE);
    Ok(Report {
        offered: counts.offered,
        submitted: counts.submitted,
        committed: counts.committed,
        certified: counts.certified,
        // What is still without an outcome is not known to have succeeded.
        failed: counts.failed + counts.open,
        tps: two_places(tps),
        latency_ms: Latencies::of(&book),
        cpu_s: two_places(meter.cpu_s()),
        rss_mb_max: meter.rss_bytes_max() >> 20,
        base_gas,
        verify_limit_tps: two_places(verify_limit),
        of_limit: two_places(tps / verify_limit),
        per_second: book.by_second().iter().map(Quantiles::of).collect(),
        conserved,
        reasons: book.reasons().clone(),
        agreement,
    })
}

/// Signs the whole load on all cores.
async fn signed(
    prepared: Prepared,
    count: u32,
    pace: Pace,
    step: Duration,
    say: Say<'_>,
) -> Result<Vec<Signed>, LoadError> {
    let Prepared { draft, lanes, .. } = prepared;
    let lead = SIGNING * count / lanes.len() as u32 + LEAD;
    let timing = match pace {
        Pace::Open => Timing {
            lead,
            step,
            validity: VALIDITY,
        },
        Pace::Saturating(duration) => Timing {
            lead,
            step: Duration::ZERO,
            validity: duration + VALIDITY,
        },
    };
    let done = Arc::new(AtomicU64::new(0));
    let counter = done.clone();
    let mut signing =
        tokio::task::spawn_blocking(move || sign(lanes, count, &draft, timing, &counter));
    loop {
        tokio::select! {
            plan = &mut signing => return Ok(plan?),
            () = tokio::time::sleep(Duration::from_millis(500)) => {
                let done = done.load(Ordering::Relaxed);
                say(&format!("signing: {done} of {count} transactions"));
            }
        }
    }
}

/// By this machine's clock.
fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The plan's times, counted from now.
fn planned(plan: &[Signed], step: Duration) -> Vec<Planned> {
    let now = now_ms();
    let entry = |(place, signed): (u64, &Signed)| Planned {
        id: signed.id,
        intended: (step.as_nanos() * u128::from(place) / 1_000) as u64,
        expires: signed
            .valid_until
            .0
            .saturating_sub(now)
            .saturating_mul(1_000),
        after: signed.after.clone(),
    };
    (0..).zip(plan).map(entry).collect()
}

/// The base chain's newest block.
async fn head(base: Option<&BaseChain>) -> Option<u64> {
    Some(base?.endpoint().head().await.ok()?.number)
}

/// What checkpoints have used in the blocks after `from`; 0 when the base chain does not say.
async fn base_gas(base: Option<&BaseChain>, from: Option<u64>) -> u64 {
    let (Some(base), Some(from)) = (base, from) else {
        return 0;
    };
    match base.checkpoint_gas_since(from).await {
        Ok(gas) => gas,
        Err(error) => {
            tracing::warn!(%error, "the gas of checkpoints is not known");
            0
        }
    }
}

async fn newest_commit(clients: &[Client]) -> Result<CommitIndex, LoadError> {
    let mut newest = None;
    let mut failure = ClientError::NoNodes;
    for client in clients {
        match client.status().await {
            Ok(status) => newest = newest.max(Some(status.commit)),
            Err(error) => failure = error,
        }
    }
    newest.ok_or(LoadError::Client(failure))
}

/// Waits until the nodes that are up stand at one height, and compares their roots there.
async fn agreement(clients: &[Client]) -> Agreement {
    let until = Instant::now() + AGREEMENT;
    loop {
        let mut found: Vec<NodeStatus> = Vec::new();
        for client in clients {
            found.extend(client.status().await.ok());
        }
        let compared = compare(&found);
        if !matches!(compared, Agreement::Unknown(_)) || Instant::now() >= until {
            return compared;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn compare(nodes: &[NodeStatus]) -> Agreement {
    let shown = |n: &NodeStatus| format!("{} has {} at height {}", n.name, n.state_root, n.height);
    let all = nodes.iter().map(shown).collect::<Vec<_>>().join(", ");
    for (place, a) in nodes.iter().enumerate() {
        let differs = |b: &&NodeStatus| b.height == a.height && b.state_root != a.state_root;
        if let Some(b) = nodes[place + 1..].iter().find(differs) {
            return Agreement::Different(format!("{}, {}", shown(a), shown(b)));
        }
    }
    match nodes.first() {
        Some(first) if nodes.iter().all(|n| n.height == first.height) => Agreement::Equal {
            height: first.height.0,
            state_root: first.state_root.to_string(),
        },
        Some(_) => Agreement::Unknown(all),
        None => Agreement::Unknown("no node answers".to_owned()),
    }
}

#[cfg(test)]
mod tests;
