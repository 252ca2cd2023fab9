//! B1: how far a feed was read, and what a chain has of what was confirmed.

use super::source::Source;
use crate::replica::{Confirmed, KEPT_MAX};
use std::marker::PhantomData;
use weft_basechain::{At, BaseChain, BlockRef, ClientError};
use weft_types::FeedReport;

/// Blocks whose events are asked for at once.
const BLOCKS_MAX: u64 = 2_000;

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
    anchor: Option<Anchor>,
    at: Option<ReadTo>,
    /// The chain has fewer events than the ledger has taken up, as of the last look.
    pub lags: bool,
    /// The chain has all of them, as of the last look that could tell.
    pub agrees: bool,
}

struct ReadTo {
    /// The newest block whose events have been handed on.
    block: u64,
    /// The newest event handed on.
    last: FeedReport,
}

/// A block that was confirmed when it was seen, the newest one while the chain had all that was taken up. Another one in
/// its place shows that the chain has taken it back, and does not lag only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    number: u64,
    hash: [u8; 32],
}

impl Anchor {
    pub fn encode(&self) -> Vec<u8> {
        [&self.number.to_be_bytes()[..], &self.hash].concat()
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (number, hash) = bytes.split_first_chunk()?;
        Some(Self {
            number: u64::from_be_bytes(*number),
            hash: hash.try_into().ok()?,
        })
    }

    async fn at(chain: &BaseChain, number: u64) -> Result<Option<Self>, ClientError> {
        let found = chain.endpoint().block_at(number).await?;
        Ok(found.map(|BlockRef { number, hash, .. }| Self { number, hash }))
    }
}

impl<S: Source> Reading<S> {
    /// The anchor of an earlier run shows what the chain has taken back since then.
    pub fn new(confirmations: u64, anchor: Option<Anchor>) -> Self {
        Self {
            source: PhantomData,
            confirmations,
            anchor,
            at: None,
            lags: false,
            agrees: false,
        }
    }

    /// For a later run.
    pub fn anchor(&self) -> Option<Anchor> {
        self.anchor
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
        let exchanged = is_exchanged(chain, self.anchor).await?;
        let known = [taken, at.last];
        let compared = compare::<S>(chain, known, deep, exchanged).await?;
        self.agrees = matches!(compared, Compared::Equal);
        match compared {
            Compared::Equal => self.lags = false,
            Compared::Fewer => self.lags = true,
            Compared::TakenBack(reason) => {
                self.at = Some(at);
                return Ok(Look::Over(reason));
            }
        }
        if exchanged {
            // Nothing is lost, but blocks that were read may have others in their place, with events of their own.
            let known = [taken, at.last].into_iter().max_by_key(|r| r.count);
            at = begin::<S>(chain, known.unwrap_or(taken), deep).await?;
        }
        // A chain that has not got to what is taken up may have taken it back: that shows by the older block.
        let may_move = !self.lags;
        if may_move && (exchanged || self.anchor.is_none()) {
            self.anchor = Anchor::at(chain, deep).await?;
        }
        let at = self.at.insert(at);
        let waiting = at.last.count.saturating_sub(taken.count);
        let room = KEPT_MAX.saturating_sub(usize::try_from(waiting).unwrap_or(usize::MAX));
        if deep <= at.block || room == 0 {
            return Ok(Look::Nothing);
        }
        let to = deep.min(at.block.saturating_add(BLOCKS_MAX));
        // Before its events, so that they are not of a chain that this block is not of.
        if may_move {
            self.anchor = Anchor::at(chain, to).await?;
        }
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

/// Whether another block stands where a confirmed one stood.
async fn is_exchanged(chain: &BaseChain, confirmed: Option<Anchor>) -> Result<bool, ClientError> {
    let Some(confirmed) = confirmed else {
        return Ok(false);
    };
    let found = Anchor::at(chain, confirmed.number).await?;
    Ok(found.is_some_and(|found| found != confirmed))
}

/// What a chain has of what was confirmed.
enum Compared {
    Equal,
    /// Not all of it yet: the node that answers lags behind others, which contradicts nothing.
    Fewer,
    /// It has taken some of it back: why that is known.
    TakenBack(String),
}

/// A chain that has `exchanged` what was confirmed does not lag.
async fn compare<S: Source>(
    chain: &BaseChain,
    known: [FeedReport; 2],
    deep: u64,
    exchanged: bool,
) -> Result<Compared, ClientError> {
    let mut compared = Compared::Equal;
    for FeedReport { count, digest } in known.into_iter().filter(|r| r.count > 0) {
        match S::digest(chain, count, At::Block(deep)).await? {
            Some(found) if found == digest => {}
            Some(found) => {
                return Ok(Compared::TakenBack(format!(
                    "the base chain has taken back blocks that were confirmed: the digest of its first {count} \
                     {} is {found} at block {deep}, and was {digest}",
                    S::NAME
                )));
            }
            None if exchanged => {
                return Ok(Compared::TakenBack(format!(
                    "the base chain has taken back blocks that were confirmed, and with them some of its first {count} {}",
                    S::NAME
                )));
            }
            None => compared = Compared::Fewer,
        }
    }
    Ok(compared)
}
