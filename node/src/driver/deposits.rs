//! B1: the task that reads the vault's deposits once they lie deep enough, and hands them to the replica. It
//! decides nothing but where to read on, and notices when the chain has taken back what it had confirmed.

use super::engine::{Command, Commands};
use crate::replica::{Confirmed, Input, KEPT_MAX};
use crate::view::View;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_basechain::{At, BaseChain, ClientError, Contracts, Deposited, Endpoint};
use weft_types::{Bridge, BridgeId, Deposit, FeedReport, Object, ObjectId};

/// Between two looks at the base chain.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it does not answer, at most.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Blocks whose deposits are asked for at once.
const BLOCKS_MAX: u64 = 2_000;

/// What reads deposits.
pub struct Deposits {
    pub rpc: String,
    pub contracts: Contracts,
    /// Base blocks on top of a block before its deposits count.
    pub confirmations: u64,
    pub commands: Commands,
    pub views: watch::Receiver<Arc<View>>,
}

/// How far this task has read.
struct Reading {
    /// The newest block whose deposits have been handed on.
    block: u64,
    /// The newest deposit handed on.
    last: FeedReport,
}

impl Deposits {
    pub async fn run(self, stop: CancellationToken) {
        let (mut chain, mut reading) = (None, None);
        let mut pause = LOOK_INTERVAL;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&mut chain, &mut reading) => looked,
            };
            pause = match looked {
                Ok(Look::More) => Duration::ZERO,
                Ok(Look::Nothing) => LOOK_INTERVAL,
                Ok(Look::Over) => {
                    stop.cancelled().await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "base chain: deposits are not read");
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
        reading: &mut Option<Reading>,
    ) -> Result<Look, ClientError> {
        let chain = match chain {
            Some(chain) => chain,
            None => {
                let endpoint = Endpoint::connect(&self.rpc).await?;
                chain.insert(BaseChain::new(endpoint, self.contracts).await?)
            }
        };
        let head = chain.endpoint().head().await?.number;
        let Some(deep) = head.checked_sub(self.confirmations) else {
            return Ok(Look::Nothing);
        };
        let credited = self.credited();
        let reading = match reading {
            Some(reading) => reading,
            None => reading.insert(Reading {
                block: first_block(chain, credited.count, deep)
                    .await?
                    .saturating_sub(1),
                last: credited,
            }),
        };
        if let Some(reason) = taken_back(chain, [credited, reading.last], deep).await? {
            return Ok(self.hand_on(Err(reason)).await);
        }
        let waiting = reading.last.count.saturating_sub(credited.count);
        let room = KEPT_MAX.saturating_sub(usize::try_from(waiting).unwrap_or(usize::MAX));
        if deep <= reading.block || room == 0 {
            return Ok(Look::Nothing);
        }
        let to = deep.min(reading.block.saturating_add(BLOCKS_MAX));
        let found = chain.deposits_between(reading.block + 1, to).await?;
        let new = found.into_iter().filter(|d| d.index > reading.last.count);
        let mut new: Vec<Confirmed<Deposit>> = new.map(confirmed).collect();
        reading.block = to;
        if new.len() > room {
            new.truncate(room);
            // The block of the last one is read again, for what did not fit.
            reading.block = new.last().map_or(to, |d| d.block.saturating_sub(1));
        }
        let Some(last) = new.last() else {
            return Ok(if to < deep { Look::More } else { Look::Nothing });
        };
        reading.last = FeedReport {
            count: last.index,
            digest: last.digest,
        };
        Ok(self.hand_on(Ok(new)).await)
    }

    async fn hand_on(&self, deposits: Result<Vec<Confirmed<Deposit>>, String>) -> Look {
        let over = deposits.is_err();
        let input = match deposits {
            Ok(deposits) => Input::Deposits(deposits),
            Err(reason) => Input::BaseReorganised(reason),
        };
        // A closed channel means that the node is stopping, and `stop` ends this task.
        let _ = self.commands.send(Command(input, None)).await;
        if over { Look::Over } else { Look::More }
    }

    /// How far the ledger has come.
    fn credited(&self) -> FeedReport {
        let view = self.views.borrow().clone();
        let found = view.snapshot.get(&ObjectId::Bridge(BridgeId::THE_ONE));
        let bridge = found.as_ref().and_then(Object::as_bridge);
        let bridge = bridge.map_or_else(Bridge::default, |b| Bridge::clone(b));
        bridge.deposits.taken()
    }
}

/// What a look has come to.
enum Look {
    /// There may be more at once.
    More,
    Nothing,
    /// The chain has taken back what it had confirmed: nothing is read any more.
    Over,
}

/// The first block after whose execution there are more deposits than `count`, or the one after `deep`. Found by
/// halving; of blocks whose state the chain does not remember it is an earlier one, at worst the first.
async fn first_block(chain: &BaseChain, count: u64, deep: u64) -> Result<u64, ClientError> {
    let (mut low, mut high) = (0, deep.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match chain.deposits(At::Block(middle)).await {
            Ok(report) if report.count > count => high = middle,
            Ok(_) => low = middle + 1,
            // Before the vault was there.
            Err(ClientError::Malformed { .. }) => low = middle + 1,
            Err(ClientError::Answer { .. }) => high = middle,
            Err(error) => return Err(error),
        }
    }
    Ok(low)
}

/// Why what was confirmed is so no longer, if it is not. A chain that has not come so far, because the node that
/// answers lags behind others, contradicts nothing yet.
async fn taken_back(
    chain: &BaseChain,
    known: [FeedReport; 2],
    deep: u64,
) -> Result<Option<String>, ClientError> {
    for FeedReport { count, digest } in known.into_iter().filter(|r| r.count > 0) {
        let found = chain.deposit_digest(count, At::Block(deep)).await?;
        if let Some(found) = found.filter(|found| *found != digest) {
            return Ok(Some(format!(
                "the base chain has taken back blocks that were confirmed: the digest of its first {count} \
                 deposits is {found} at block {deep}, and was {digest}"
            )));
        }
    }
    Ok(None)
}

fn confirmed(deposited: Deposited) -> Confirmed<Deposit> {
    Confirmed {
        index: deposited.index,
        event: deposited.deposit,
        digest: deposited.digest,
        block: deposited.block,
    }
}
