//! A masternode, or an observer, around its replica: opens what is on disk, starts network, API and base-chain tasks,
//! runs the replica on a thread of its own, and ends all of it in order. If one part fails, the node
//! stops as a whole and says which.

mod asking;
mod base;
mod checkpoints;
mod clock;
mod conflicts;
mod contents;
mod engine;
pub mod epochs;
mod error;
mod feeds;
mod fetch;
mod guard;
mod inbound;
mod links;
mod pruning;
mod reports;
mod restore;
mod start;
mod sync;
mod take_over;
mod watch;

pub(crate) use epochs::opened;
pub use error::DriverError;
pub use guard::guard_file;
pub use watch::{Alarm, Blind, Notice, Seen, Shown, Watch, Withheld};

use crate::config::NodeConfig;
use crate::keys::NodeKeys;
use crate::replica::copies::ProcessId;
use engine::End;
use links::Links;
use std::net::SocketAddr;
use std::sync::Weak;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use weft_storage::Store;

/// S2: how long an old database is waited for until its readers have let go, in looks.
const STORE_CLOSES: u32 = 200;
const STORE_CLOSES_INTERVAL: Duration = Duration::from_millis(50);

/// A running node.
pub struct Node {
    api: SocketAddr,
    engine: tokio::task::JoinHandle<Result<End, DriverError>>,
    tasks: tokio::task::JoinSet<&'static str>,
    network: Links,
    stop: CancellationToken,
    /// S2: what it is started with again, on another database.
    again: (NodeConfig, Option<NodeKeys>, Option<Watch>, ProcessId),
    store: Weak<Store>,
}

impl Node {
    /// Opens and starts everything. Ready when this returns; connections come up by themselves.
    ///
    /// Votes with the keys of a member, and refuses others. Without keys it follows as an observer.
    pub async fn start(config: NodeConfig) -> Result<Self, DriverError> {
        let keys = NodeKeys::of(&config)?;
        start::start(config, keys, None, process()).await
    }

    /// As [`start`](Self::start), as an observer whatever keys there are: they are not even read.
    pub async fn observe(config: NodeConfig) -> Result<Self, DriverError> {
        start::start(config, None, None, process()).await
    }

    /// As [`observe`](Self::observe), and holds every certificate that it hears of against its own statements (W1).
    pub async fn watch(config: NodeConfig, watch: Watch) -> Result<Self, DriverError> {
        start::start(config, None, Some(watch), process()).await
    }

    /// Where the API listens.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// The links to the other members of the committee in office, to look at and to cut.
    pub fn network(&self) -> weft_network::Handle {
        self.network.get()
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
            let (config, keys, watch, process) = again;
            node = start::start(config, keys, watch, process).await?;
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
        self.network.get().shutdown().await?;
        tracing::info!("stopped");
        result
    }
}

/// S1.9: a new one each time that a node is started, but for one that goes on after it has taken over a state.
fn process() -> ProcessId {
    ProcessId(rand::random())
}

fn flatten(
    result: Result<Result<End, DriverError>, tokio::task::JoinError>,
) -> Result<End, DriverError> {
    result.unwrap_or(Err(DriverError::Ended("the replica's thread")))
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
