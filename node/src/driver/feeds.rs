//! B1: the task that reads a feed of the base chain once its events lie deep enough, and hands them to the replica. It
//! decides nothing but where to read on, and notices when the chain has taken back what it had confirmed.

mod halt;
mod reading;
mod source;

use super::engine::{Command, Commands};
use crate::replica::Input;
use crate::view::View;
pub use halt::Halt;
use reading::{Anchor, Look, Reading};
pub use source::{Deposits, Queue, Source};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weft_basechain::{BaseChain, ClientError, Contracts, Endpoint};
use weft_storage::{Durability, Store};

/// Between two looks at the base chain.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it does not answer, at most.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// How long a base chain may lack what the ledger has taken up, as one does that lags, before the log says so.
const LAG_MAX: Duration = Duration::from_secs(60);

/// What reads a feed.
pub struct Reader<S> {
    pub rpc: String,
    pub contracts: Contracts,
    /// Base blocks on top of a block before its events count.
    pub confirmations: u64,
    pub store: Arc<Store>,
    pub commands: Commands,
    pub views: watch::Receiver<Arc<View>>,
    /// Whether the chain has lacked for long what the ledger has taken up.
    pub lags: watch::Sender<bool>,
    /// Of an earlier run.
    pub halt: Arc<Halt>,
    pub source: PhantomData<S>,
}

impl<S: Source> Reader<S> {
    pub async fn run(self, stop: CancellationToken) {
        let mut anchor = self.known_anchor();
        let (mut chain, mut reading) = (None, Reading::<S>::new(self.confirmations, anchor));
        let mut pause = LOOK_INTERVAL;
        let mut lag = Lag::default();
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look(&mut chain, &mut reading) => looked,
            };
            if let Some(new) = reading.anchor().filter(|new| anchor != Some(*new)) {
                self.keep_anchor(new);
                anchor = Some(new);
            }
            if lag.is_due(reading.lags, Instant::now()) {
                tracing::warn!(
                    "base chain: for {} s it has had fewer {} than the ledger has taken up: it lags, or has taken some back",
                    LAG_MAX.as_secs(),
                    S::NAME
                );
            }
            self.lags
                .send_if_modified(|was| std::mem::replace(was, lag.told) != lag.told);
            if reading.agrees {
                self.tell_if_over();
            }
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

    /// B1: a start has lifted a halt.
    fn tell_if_over(&self) {
        match self.halt.agrees(S::NAME) {
            Ok(None) => {}
            Ok(Some(reason)) => tracing::warn!(
                "the bridge is no longer halted: the base chain has again all that the ledger has taken up, and deposits are credited. \
                 It was halted: {reason}"
            ),
            Err(error) => tracing::error!(%error, "base chain: whether a halt is over"),
        }
    }

    fn known_anchor(&self) -> Option<Anchor> {
        let found = self.store.meta(S::ANCHOR);
        let found = found.inspect_err(|error| tracing::error!(%error, "base chain: {}", S::ANCHOR));
        Anchor::decode(&found.ok()??)
    }

    /// Before the events are handed on that it stands for. A crash of the machine may lose the newest.
    fn keep_anchor(&self, anchor: Anchor) {
        let value = anchor.encode();
        let kept = self.store.put_meta(S::ANCHOR, &value, Durability::Buffered);
        if let Err(error) = kept {
            tracing::error!(%error, "base chain: {}", S::ANCHOR);
        }
    }

    async fn hand_on(&self, input: Input) {
        // A closed channel means that the node is stopping, and `stop` ends this task.
        let _ = self.commands.send(Command(input, None)).await;
    }
}

/// Since when a base chain has lacked what the ledger has taken up.
#[derive(Debug, Default)]
struct Lag {
    since: Option<Instant>,
    told: bool,
}

impl Lag {
    /// Whether to tell it: once for each time.
    fn is_due(&mut self, lags: bool, now: Instant) -> bool {
        if !lags {
            *self = Self::default();
            return false;
        }
        let since = *self.since.get_or_insert(now);
        let is_due = !self.told && now.duration_since(since) >= LAG_MAX;
        self.told |= is_due;
        is_due
    }
}

#[cfg(test)]
mod tests;
