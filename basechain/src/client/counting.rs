//! X2: which checkpoints decide on the way out, as the base chain alone says it.

use super::BaseChain;
use super::abi::manager::CheckpointManager as Manager;
use super::endpoint::At;
use super::error::ClientError;
use super::escape::{LOG_BLOCKS_MAX, Latch};
use weft_types::{Height, Statement};

/// Windows of [`LOG_BLOCKS_MAX`] blocks that are searched for a checkpoint that counts. It is in the first one, unless
/// the bridge was frozen while checkpoints had their time for challenges, which is 30 days at most.
const WINDOWS_MAX: u32 = 256;

/// What the manager has at a statement's height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostedAs {
    /// Nothing: heights may be skipped.
    Nothing,
    /// Another statement.
    Another,
    /// This one, since then, in Unix seconds.
    This(u64),
}

/// What a statement is worth on the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    Counts,
    /// It counts from then on, in Unix seconds, when its time for challenges is over, unless the bridge is frozen before.
    Pending {
        until: u64,
    },
    NotPosted,
    /// Another statement was posted for its height.
    Another,
    /// It was posted after the latch was tripped.
    AfterLatch,
    /// Its time for challenges was not over when the bridge froze.
    Frozen,
    /// V5: it has other deposits than the vault.
    ForeignDeposits,
}

/// The newest checkpoint that counts, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewestCounting {
    /// None does.
    Nothing,
    Statement(Box<Statement>),
    /// The base chain does not show what this checkpoint, or one below it, was posted with.
    Hidden(Height),
}

impl BaseChain {
    /// Whether a statement is a checkpoint, by the digest that the manager has kept of it.
    pub async fn posted_as(&self, statement: &Statement) -> Result<PostedAs, ClientError> {
        let call = Manager::checkpointCall {
            height: statement.height.0,
        };
        let manager = self.contracts.manager;
        let endpoint = &self.endpoint;
        let read = endpoint.read("checkpoint", manager, call, At::Latest);
        let found = read.await?;
        if found.postedAt == 0 {
            return Ok(PostedAs::Nothing);
        }
        Ok(
            match statement.digest().0.starts_with(&found.digestStart.0) {
                true => PostedAs::This(found.postedAt),
                false => PostedAs::Another,
            },
        )
    }

    /// X2. Before the latch is tripped: as if it were now.
    pub async fn counting(
        &self,
        statement: &Statement,
        latch: &Latch,
    ) -> Result<Counting, ClientError> {
        let posted = match self.posted_as(statement).await? {
            PostedAs::Nothing => return Ok(Counting::NotPosted),
            PostedAs::Another => return Ok(Counting::Another),
            PostedAs::This(posted) => posted,
        };
        if latch.tripped_at.is_some() && statement.height > latch.height {
            return Ok(Counting::AfterLatch);
        }
        let until = posted.saturating_add(latch.finality_delay_s);
        if latch.frozen_at.is_some_and(|frozen| frozen < until) {
            return Ok(Counting::Frozen);
        }
        let count = statement.deposits_processed;
        let known = self.deposit_digest(count, At::Latest).await?;
        Ok(match known == Some(statement.deposits_digest) {
            false => Counting::ForeignDeposits,
            true if latch.frozen_at.is_none() && latch.now < until => Counting::Pending { until },
            true => Counting::Counts,
        })
    }

    /// The newest checkpoint of X2, read off the transaction that has posted it.
    pub async fn newest_counting(&self, latch: &Latch) -> Result<NewestCounting, ClientError> {
        let newest = match latch.tripped_at {
            Some(_) => latch.height,
            None => match self.latest_checkpoint(At::Latest).await? {
                Some(checkpoint) => checkpoint.height,
                None => Height::ZERO,
            },
        };
        let Some(posted) = self.posted_at(newest, At::Latest).await? else {
            return Ok(NewestCounting::Nothing);
        };
        let head = self.endpoint.head().await?.number;
        let block = self.endpoint.first_block_at(posted, head).await?;
        let mut to = head.min(block.saturating_add(LOG_BLOCKS_MAX / 2));
        for _ in 0..WINDOWS_MAX {
            let from = to.saturating_sub(LOG_BLOCKS_MAX - 1);
            let posted = self.checkpoints_between(from, to).await?;
            let mut before = posted.iter().rev();
            let before = before.by_ref().filter(|p| p.checkpoint.height <= newest);
            for posted in before {
                let Some(certificate) = self.certificate_of(posted).await? else {
                    return Ok(NewestCounting::Hidden(posted.checkpoint.height));
                };
                let statement = certificate.statement;
                let counting = self.counting(&statement, latch).await?;
                if matches!(counting, Counting::Counts | Counting::Pending { .. }) {
                    return Ok(NewestCounting::Statement(Box::new(statement)));
                }
            }
            if from == 0 {
                return Ok(NewestCounting::Nothing);
            }
            to = from - 1;
        }
        Ok(NewestCounting::Hidden(newest))
    }
}
