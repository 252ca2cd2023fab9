//! W1, W5: the task that reads which checkpoints were posted, and when each will be final.

use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use weft_basechain::{At, BaseChain, Checkpoint, ClientError, Contracts, Endpoint, Posted};
use weft_types::{Certificate, StatementDigest};

/// Between two looks at the base chain.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The same while it does not answer, at most.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Blocks whose events are asked for at once.
const BLOCKS_MAX: u64 = 2_000;
/// Blocks that are read again, for the base chain may have exchanged them.
const AGAIN: u64 = 64;
/// Checkpoints that are remembered as handed on.
const KNOWN_MAX: usize = 4_096;

/// A checkpoint as it was posted.
#[derive(Debug, Clone)]
pub struct OnBase {
    pub checkpoint: Checkpoint,
    /// If the transaction shows it; not checked.
    pub certificate: Option<Certificate>,
    /// When something is paid by it, in Unix seconds.
    pub final_at: u64,
}

/// The task.
pub struct BaseWatch {
    pub rpc: String,
    pub contracts: Contracts,
    pub found: mpsc::Sender<OnBase>,
}

struct Reading {
    chain: BaseChain,
    delay: u64,
    /// The next block to read.
    next: u64,
    known: BTreeSet<(u64, StatementDigest)>,
}

impl BaseWatch {
    pub async fn run(self, stop: CancellationToken) {
        let mut reading = None;
        let mut pause = LOOK_INTERVAL;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&mut reading) => looked,
            };
            pause = match looked {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK_INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, "base chain: checkpoints are not read");
                    (pause * 2).clamp(LOOK_INTERVAL, PAUSE_MAX)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Whether there is more to read at once.
    async fn look(&self, reading: &mut Option<Reading>) -> Result<bool, ClientError> {
        let reading = match reading {
            Some(reading) => reading,
            None => reading.insert(self.begin().await?),
        };
        let head = reading.chain.endpoint().head().await?.number;
        let from = reading.next.saturating_sub(AGAIN);
        let to = head.min(reading.next.saturating_add(BLOCKS_MAX));
        if from > to {
            return Ok(false);
        }
        for posted in reading.chain.checkpoints_between(from, to).await? {
            let key = (posted.checkpoint.height.0, posted.checkpoint.statement);
            if !reading.known.contains(&key) {
                let found = reading.read(&posted).await?;
                // A closed channel means that the node is stopping, and `stop` ends this task.
                let _ = self.found.send(found).await;
                reading.known.insert(key);
                while reading.known.len() > KNOWN_MAX {
                    reading.known.pop_first();
                }
            }
        }
        reading.next = to.saturating_add(1);
        Ok(to < head)
    }

    /// From the oldest block on whose checkpoints are not final, as far as the chain remembers.
    async fn begin(&self) -> Result<Reading, ClientError> {
        let endpoint = Endpoint::connect(&self.rpc).await?;
        let chain = BaseChain::new(endpoint, self.contracts).await?;
        let delay = chain.finality_delay().await?;
        let head = chain.endpoint().head().await?;
        let mut next = head.number;
        if let Some(latest) = chain.latest_checkpoint(At::Latest).await? {
            next = latest.base_block;
        }
        // Blocks of a base chain are a second apart at least.
        let next = next.min(head.number.saturating_sub(delay));
        Ok(Reading {
            chain,
            delay,
            next,
            known: BTreeSet::new(),
        })
    }
}

impl Reading {
    async fn read(&self, posted: &Posted) -> Result<OnBase, ClientError> {
        let height = posted.checkpoint.height;
        let at = self.chain.posted_at(height, At::Latest).await?;
        Ok(OnBase {
            checkpoint: posted.checkpoint,
            certificate: self.chain.certificate_of(posted).await?,
            final_at: at.unwrap_or(0).saturating_add(self.delay),
        })
    }
}
