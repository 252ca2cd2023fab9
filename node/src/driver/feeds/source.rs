//! The feeds of the base chain: the vault's deposits, the registry's queue.

use crate::replica::{Confirmed, Input};
use crate::view::View;
use weft_basechain::{At, BaseChain, ClientError};
use weft_types::{
    Bridge, BridgeId, Chained, Deposit, Feed, FeedReport, Object, ObjectId, QueueEntry, Root,
    RosterId,
};

/// A feed as the base chain and the ledger have it.
pub trait Source: Send + Sync + 'static {
    type Event: Chained + Send;
    const NAME: &'static str;
    /// Under which name the block up to which it was read is kept.
    const ANCHOR: &'static str;

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
    const ANCHOR: &'static str = "deposits read to";

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
        chain.deposits_between(from, to).await
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
    const ANCHOR: &'static str = "queue read to";

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
        chain.queued_between(from, to).await
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
