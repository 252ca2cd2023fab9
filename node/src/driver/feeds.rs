//! B1: the task that reads a feed of the base chain once its events lie deep enough, and hands them to the replica. It
//! decides nothing but where to read on, and notices when the chain has taken back what it had confirmed.

use super::engine::{Command, Commands};
use crate::replica::{Confirmed, Input, KEPT_MAX};
use crate::view::View;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_basechain::{At, BaseChain, BlockRef, ClientError, Contracts, Endpoint};
use weft_types::{
    Bridge, BridgeId, Chained, Deposit, Feed, FeedReport, Object, ObjectId, QueueEntry, Root,
    RosterId,
};

/// Between two looks at the base chain.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it does not answer, at most.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Blocks whose events are asked for at once.
const BLOCKS_MAX: u64 = 2_000;

/// A feed as the base chain and the ledger have it.
pub trait Source: Send + Sync + 'static {
    type Event: Chained + Send;
    const NAME: &'static str;

    fn report(
        chain: &BaseChain,
        at: At,
    ) -> impl Future<Output = Result<FeedReport, ClientError>> + Send;

    fn digest(
        chain: &BaseChain,
        count: u64,
        at: At,
    ) -> impl Future<Output = Result<Option<Root>, ClientError>> + Send;

    fn between(
        chain: &BaseChain,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<Confirmed<Self::Event>>, ClientError>> + Send;

    /// What the ledger has taken up.
    fn taken(view: &View) -> FeedReport;

    fn input(events: Vec<Confirmed<Self::Event>>) -> Input;
}

/// The vault's deposits.
pub struct Deposits;

impl Source for Deposits {
    type Event = Deposit;
    const NAME: &'static str = "deposits";

    async fn report(chain: &BaseChain, at: At) -> Result<FeedReport, ClientError> {
        chain.deposits(at).await
    }

    async fn digest(chain: &BaseChain, count: u64, at: At) -> Result<Option<Root>, ClientError> {
        chain.deposit_digest(count, at).await
    }

    async fn between(
        chain: &BaseChain,
        from: u64,
        to: u64,
    ) -> Result<Vec<Confirmed<Deposit>>, ClientError> {
        let found = chain.deposits_between(from, to).await?.into_iter();
        let confirmed = found.map(|d| Confirmed {
            index: d.index,
            event: d.deposit,
            digest: d.digest,
            block: d.block,
        });
        Ok(confirmed.collect())
    }

    fn taken(view: &View) -> FeedReport {
        let found = view.snapshot.get(&ObjectId::Bridge(BridgeId::THE_ONE));
        let bridge = found.as_ref().and_then(Object::as_bridge);
        bridge.map_or_else(
            || Bridge::default().deposits.taken(),
            |b| b.deposits.taken(),
        )
    }

    fn input(events: Vec<Confirmed<Deposit>>) -> Input {
        Input::Deposits(events)
    }
}

/// The registry's queue.
pub struct Queue;

impl Source for Queue {
    type Event = QueueEntry;
    const NAME: &'static str = "entries of the registry's queue";

    async fn report(chain: &BaseChain, at: At) -> Result<FeedReport, ClientError> {
        chain.queue(at).await
    }

    async fn digest(chain: &BaseChain, count: u64, at: At) -> Result<Option<Root>, ClientError> {
        chain.queue_digest(count, at).await
    }

    async fn between(
        chain: &BaseChain,
        from: u64,
        to: u64,
    ) -> Result<Vec<Confirmed<QueueEntry>>, ClientError> {
        let found = chain.queued_between(from, to).await?.into_iter();
        let confirmed = found.map(|q| Confirmed {
            index: q.index,
            event: q.entry,
            digest: q.digest,
            block: q.block,
        });
        Ok(confirmed.collect())
    }

    fn taken(view: &View) -> FeedReport {
        let found = view.snapshot.get(&ObjectId::Roster(RosterId::THE_ONE));
        let roster = found.as_ref().and_then(Object::as_roster);
        let start = || Feed::new(QueueEntry::digest_start()).taken();
        roster.map_or_else(start, |r| r.queue.taken())
    }

    fn input(events: Vec<Confirmed<QueueEntry>>) -> Input {
        Input::Queue(events)
    }
}

/// What reads a feed.
pub struct Reader<S> {
    pub rpc: String,
    pub contracts: Contracts,
    /// Base blocks on top of a block before its events count.
    pub confirmations: u64,
    pub commands: Commands,
    pub views: watch::Receiver<Arc<View>>,
    pub source: PhantomData<S>,
}

impl<S: Source> Reader<S> {
    pub async fn run(self, stop: CancellationToken) {
        let (mut chain, mut reading) = (None, Reading::<S>::new(self.confirmations));
        let mut pause = LOOK_INTERVAL;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&mut chain, &mut reading) => looked,
            };
            pause = match looked {
                Ok(Look::More(events)) => {
                    if !events.is_empty() {
                        self.hand_on(S::input(events)).await;
                    }
                    Duration::ZERO
                }
                Ok(Look::Nothing) => LOOK_INTERVAL,
                Ok(Look::Over(reason)) => {
                    self.hand_on(Input::BaseReorganised(reason)).await;
                    stop.cancelled().await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "base chain: the {} are not read", S::NAME);
                    (pause * 2).clamp(LOOK_INTERVAL, PAUSE_MAX)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn look(
        &self,
        chain: &mut Option<BaseChain>,
        reading: &mut Reading<S>,
    ) -> Result<Look<S::Event>, ClientError> {
        let chain = match chain {
            Some(chain) => chain,
            None => {
                let endpoint = Endpoint::connect(&self.rpc).await?;
                chain.insert(BaseChain::new(endpoint, self.contracts).await?)
            }
        };
        let taken = S::taken(&self.views.borrow());
        reading.look(chain, taken).await
    }

    async fn hand_on(&self, input: Input) {
        // A closed channel means that the node is stopping, and `stop` ends this task.
        let _ = self.commands.send(Command(input, None)).await;
    }
}

/// What a look has come to.
#[derive(Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// Events to hand on, if there are new ones; there may be more at once.
    More(Vec<Confirmed<T>>),
    Nothing,
    /// The chain has taken back what it had confirmed: nothing is read any more.
    Over(String),
}

/// How far a feed was read.
pub struct Reading<S> {
    source: PhantomData<S>,
    /// Base blocks on top of a block before its events count.
    confirmations: u64,
    at: Option<ReadTo>,
}

struct ReadTo {
    /// The newest block whose events have been handed on.
    block: u64,
    /// The newest event handed on.
    last: FeedReport,
    /// A block that was confirmed when it was seen, the newest one. Another one in its place shows that the chain has
    /// taken it back, and does not lag only.
    anchor: Option<BlockRef>,
}

impl<S: Source> Reading<S> {
    pub fn new(confirmations: u64) -> Self {
        Self {
            source: PhantomData,
            confirmations,
            at: None,
        }
    }

    /// What there is beyond what the ledger has `taken`.
    pub async fn look(
        &mut self,
        chain: &BaseChain,
        taken: FeedReport,
    ) -> Result<Look<S::Event>, ClientError> {
        let head = chain.endpoint().head().await?.number;
        let Some(deep) = head.checked_sub(self.confirmations) else {
            return Ok(Look::Nothing);
        };
        let mut at = match self.at.take() {
            Some(at) => at,
            None => begin::<S>(chain, taken, deep).await?,
        };
        let other = exchanged(chain, at.anchor).await?;
        let known = [taken, at.last];
        if let Some(reason) = taken_back::<S>(chain, known, deep, other.is_some()).await? {
            self.at = Some(at);
            return Ok(Look::Over(reason));
        }
        if other.is_some() {
            // Nothing is lost, but blocks that were read may have others in their place, with events of their own.
            let known = [taken, at.last].into_iter().max_by_key(|r| r.count);
            at = begin::<S>(chain, known.unwrap_or(taken), deep).await?;
        }
        let at = self.at.insert(at);
        let waiting = at.last.count.saturating_sub(taken.count);
        let room = KEPT_MAX.saturating_sub(usize::try_from(waiting).unwrap_or(usize::MAX));
        if deep <= at.block || room == 0 {
            return Ok(Look::Nothing);
        }
        let to = deep.min(at.block.saturating_add(BLOCKS_MAX));
        // Before its events, so that they are not of a chain that this block is not of.
        at.anchor = chain.endpoint().block_at(to).await?;
        let found = S::between(chain, at.block + 1, to).await?;
        let new = found.into_iter().filter(|e| e.index > at.last.count);
        let mut new: Vec<Confirmed<S::Event>> = new.collect();
        at.block = to;
        if new.len() > room {
            new.truncate(room);
            // The block of the last one is read again, for what did not fit.
            at.block = new.last().map_or(to, |e| e.block.saturating_sub(1));
        }
        if let Some(last) = new.last() {
            at.last = FeedReport {
                count: last.index,
                digest: last.digest,
            };
        } else if to == deep {
            return Ok(Look::Nothing);
        }
        Ok(Look::More(new))
    }
}

/// Where to read from for what is beyond `taken`.
async fn begin<S: Source>(
    chain: &BaseChain,
    taken: FeedReport,
    deep: u64,
) -> Result<ReadTo, ClientError> {
    let first = first_block::<S>(chain, taken.count, deep).await?;
    Ok(ReadTo {
        block: first.saturating_sub(1),
        last: taken,
        anchor: chain.endpoint().block_at(deep).await?,
    })
}

/// The first block after whose execution there are more events than `count`, or the one after `deep`. Found by
/// halving; of blocks whose state the chain does not remember it is an earlier one, at worst the first.
async fn first_block<S: Source>(
    chain: &BaseChain,
    count: u64,
    deep: u64,
) -> Result<u64, ClientError> {
    let (mut low, mut high) = (0, deep.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match S::report(chain, At::Block(middle)).await {
            Ok(report) if report.count > count => high = middle,
            Ok(_) => low = middle + 1,
            // Before the contract was there.
            Err(ClientError::Malformed { .. }) => low = middle + 1,
            Err(ClientError::Answer { .. }) => high = middle,
            Err(error) => return Err(error),
        }
    }
    Ok(low)
}

/// The block that stands where a confirmed one stood, if it is another.
async fn exchanged(
    chain: &BaseChain,
    confirmed: Option<BlockRef>,
) -> Result<Option<BlockRef>, ClientError> {
    let Some(confirmed) = confirmed else {
        return Ok(None);
    };
    let found = chain.endpoint().block_at(confirmed.number).await?;
    Ok(found.filter(|found| found.hash != confirmed.hash))
}

/// Why what was confirmed is so no longer, if it is not. A chain that has not come so far, because the node that
/// answers lags behind others, contradicts nothing; one that has `exchanged` what was confirmed does.
async fn taken_back<S: Source>(
    chain: &BaseChain,
    known: [FeedReport; 2],
    deep: u64,
    exchanged: bool,
) -> Result<Option<String>, ClientError> {
    for FeedReport { count, digest } in known.into_iter().filter(|r| r.count > 0) {
        let found = S::digest(chain, count, At::Block(deep)).await?;
        if found.is_none() && exchanged {
            return Ok(Some(format!(
                "the base chain has taken back blocks that were confirmed, and with them some of its first {count} {}",
                S::NAME
            )));
        }
        if let Some(found) = found.filter(|found| *found != digest) {
            return Ok(Some(format!(
                "the base chain has taken back blocks that were confirmed: the digest of its first {count} \
                 {} is {found} at block {deep}, and was {digest}",
                S::NAME
            )));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
