//! W1, W5: the task that reads which checkpoints were posted, and when each will be final.

use super::sight::{Answer, Seen};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weft_basechain::{At, BaseChain, Checkpoint, ClientError, Contracts, Endpoint, Posted};
use weft_types::{Certificate, StatementDigest};

/// Between two looks at the base chain, at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The same while it does not answer.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// W5: the shortest pause, whatever the window.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// W5: how long a look may take, at most and at least.
const LOOK_TIME_MAX: Duration = Duration::from_secs(60);
const LOOK_TIME_MIN: Duration = Duration::from_secs(2);
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
    /// From posting until final, as the genesis says.
    pub window: Duration,
    pub found: mpsc::Sender<OnBase>,
    pub seen: watch::Sender<Seen>,
}

struct Reading {
    chain: BaseChain,
    delay: u64,
    /// The next block to read.
    next: u64,
    known: BTreeSet<(u64, StatementDigest)>,
}

impl BaseWatch {
    pub async fn run(mut self, stop: CancellationToken) {
        let mut reading: Option<Reading> = None;
        let mut pause = PAUSE_MIN;
        loop {
            let delay = reading.as_ref().map(|r| Duration::from_secs(r.delay));
            self.window = delay.map_or(self.window, |delay| delay.min(self.window));
            let longest = (self.window / 4).clamp(LOOK_TIME_MIN, LOOK_TIME_MAX);
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = tokio::time::timeout(longest, self.look(&mut reading)) => looked,
            };
            pause = match looked {
                Ok(Ok(true)) => Duration::ZERO,
                Ok(Ok(false)) => self.at_most(LOOK_INTERVAL),
                Ok(Err(error)) => self.failed(pause, &error),
                Err(_) => {
                    let late = format_args!("no answer within {} s", longest.as_secs());
                    self.failed(pause, &late)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// W5: so that what is posted after a look is seen long before it is final.
    fn at_most(&self, pause: Duration) -> Duration {
        pause.min(self.window / 8).max(PAUSE_MIN)
    }

    /// How long to wait then.
    fn failed(&self, pause: Duration, error: &dyn std::fmt::Display) -> Duration {
        // Once for each time that it is away; W7 has the rest.
        let is_first = self.seen.borrow().error.is_none();
        if is_first {
            tracing::warn!(%error, "base chain: checkpoints are not read");
        } else {
            tracing::debug!(%error, "base chain: checkpoints are not read");
        }
        let error = Some(error.to_string());
        self.seen.send_modify(|seen| seen.error = error);
        let longest = self.at_most(PAUSE_MAX);
        (pause * 2).clamp(self.at_most(LOOK_INTERVAL), longest)
    }

    /// Whether there is more to read at once.
    async fn look(&self, reading: &mut Option<Reading>) -> Result<bool, ClientError> {
        let reading = match reading {
            Some(reading) => reading,
            None => reading.insert(self.begin().await?),
        };
        let head = reading.chain.endpoint().head().await?;
        let from = reading.next.saturating_sub(AGAIN);
        let to = head.number.min(reading.next.saturating_add(BLOCKS_MAX));
        if from <= to {
            for posted in reading.chain.checkpoints_between(from, to).await? {
                self.hand_on(reading, &posted).await?;
            }
            reading.next = to.saturating_add(1);
        }
        let answer = Answer {
            at: Instant::now(),
            time: head.timestamp,
            read: reading.next.saturating_sub(1),
        };
        self.seen.send_replace(Seen {
            answer: Some(answer),
            error: None,
        });
        Ok(to < head.number)
    }

    /// If it is new.
    async fn hand_on(&self, reading: &mut Reading, posted: &Posted) -> Result<(), ClientError> {
        let key = (posted.checkpoint.height.0, posted.checkpoint.statement);
        if reading.known.contains(&key) {
            return Ok(());
        }
        let found = reading.read(posted).await?;
        // A closed channel means that the node is stopping, and `stop` ends this task.
        let _ = self.found.send(found).await;
        reading.known.insert(key);
        while reading.known.len() > KNOWN_MAX {
            reading.known.pop_first();
        }
        Ok(())
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
        // Exchanged since, or asked of one that lags: the next look says.
        let at = at.ok_or_else(|| ClientError::Malformed {
            url: self.chain.endpoint().url().to_owned(),
            what: "checkpoint",
            reason: format!("height {height} was posted, and is not there"),
        })?;
        Ok(OnBase {
            checkpoint: posted.checkpoint,
            certificate: self.chain.certificate_of(posted).await?,
            final_at: at.saturating_add(self.delay),
        })
    }
}
