//! S2.8: history that is older than this node keeps goes, a little at a time, beside everything else.
//!
//! There is one floor, a certified height, and what stands before it goes: commits, heights,
//! certificates, receipts, vertices, and steps in histories. It lies below the window of validity of the
//! oldest snapshot that is held for others, so that whoever is told that history is gone finds a
//! snapshot, and after it what it needs to go on. A node that holds none yet deletes none of it.
//!
//! Content has no age: it goes when nothing in the state names it any more (A5), and this member has not signed for it
//! either (L53).

use crate::index;
use crate::replica::restore::first_round;
use crate::replica::sync::remembered_from;
use crate::staging::Staging;
use crate::view::{CertifiedView, View};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_storage::{ChainFrom, Cursor, PAGE_ENTRIES_MAX, PageRequest, Store, StoreError};
use weft_types::{Commit, CommitIndex, Height, Millis, ProtocolParams, Statement};

/// Between two passes. Each leaves a marker in some families (see [`Store::prune_vertices`]).
const INTERVAL: Duration = Duration::from_secs(5);
/// Heights that a pass goes forward at the most: at four heights a second, 50 times as fast as they come.
const HEIGHTS_AT_ONCE: usize = 1024;
/// Index entries that a pass looks through.
const INDEXES_AT_ONCE: usize = 4096;
/// Content that a pass looks at.
const CONTENTS_AT_ONCE: usize = 1024;

/// Where history is to begin.
struct Floor {
    commit: Commit,
    /// Of the same height.
    statement: Statement,
}

pub struct Pruner {
    store: Arc<Store>,
    params: ProtocolParams,
    /// Ledger time.
    keep: Millis,
    floor: Option<Floor>,
    sweep: Option<Sweep>,
    /// A5: the content that was looked at last.
    content: Option<Cursor>,
    staging: Arc<Staging>,
}

/// A way through the index entries, many passes long. One floor holds for all of it, so that no list
/// names what is gone.
struct Sweep {
    commit: CommitIndex,
    timestamp: Millis,
    after: Option<Cursor>,
}

impl Pruner {
    pub fn new(
        store: Arc<Store>,
        params: &ProtocolParams,
        keep: Millis,
        staging: Arc<Staging>,
    ) -> Self {
        Self {
            store,
            params: params.clone(),
            keep,
            floor: None,
            sweep: None,
            content: None,
            staging,
        }
    }

    /// Until `stop`, or until the store fails, which ends the node. Readers are told where history
    /// begins.
    pub async fn run(
        mut self,
        views: watch::Receiver<Arc<View>>,
        begins: watch::Sender<CommitIndex>,
        stop: CancellationToken,
    ) {
        while stop
            .run_until_cancelled(tokio::time::sleep(INTERVAL))
            .await
            .is_some()
        {
            let (view, stopped) = (views.borrow().clone(), stop.clone());
            let pass = tokio::task::spawn_blocking(move || {
                let passed = self.pass(&view.held, view.timestamp, view.anchored, &stopped);
                (self, passed)
            });
            let Ok((pruner, passed)) = pass.await else {
                return;
            };
            self = pruner;
            match passed {
                Ok(Some(first)) => drop(begins.send_replace(first)),
                Ok(None) => {}
                Err(error) if error.is_fatal() => {
                    tracing::error!(%error, "history cannot be deleted");
                    return;
                }
                Err(error) => tracing::warn!(%error, "history is not deleted"),
            }
        }
    }

    /// One pass. Returns the first commit that is left, if the floor has moved.
    fn pass(
        &mut self,
        held: &[CertifiedView],
        now: Millis,
        anchored: Height,
        stop: &CancellationToken,
    ) -> Result<Option<CommitIndex>, StoreError> {
        let moved = match held.first() {
            Some(oldest) => {
                let needed = remembered_from(&oldest.certificate.statement, &self.params);
                self.move_floor(needed.min(now.saturating_sub(self.keep.0)), anchored)?
            }
            None => None,
        };
        if let Some(floor) = self.floor.take() {
            let first = floor.commit.index;
            self.sweep(&floor.commit)?;
            self.floor = Some(floor);
            while self.store.prune_receipts(first, PAGE_ENTRIES_MAX)? && !stop.is_cancelled() {}
        }
        self.sweep_contents(now)?;
        Ok(moved)
    }

    /// A5: a step through the content: what nothing in the state names any more goes.
    fn sweep_contents(&mut self, now: Millis) -> Result<(), StoreError> {
        let page = PageRequest::ascending(CONTENTS_AT_ONCE).after(self.content.take());
        let page = self.store.contents(&page)?;
        let mut gone = Vec::new();
        for (hash, _) in page.entries {
            if !index::is_named(&self.store, &hash)? {
                gone.push(hash);
            }
        }
        self.staging.sweep(&self.store, &gone, now)?;
        self.content = page.next;
        Ok(())
    }

    /// A step through the index entries.
    fn sweep(&mut self, from: &Commit) -> Result<(), StoreError> {
        let begun = self.sweep.take();
        let mut sweep = begun.unwrap_or(Sweep {
            commit: from.index,
            timestamp: from.timestamp,
            after: None,
        });
        let past =
            |key: &[u8], value: &[u8]| index::is_before(key, value, sweep.commit, sweep.timestamp);
        let after = sweep.after.take();
        sweep.after = self.store.prune_indexes(after, INDEXES_AT_ONCE, past)?;
        self.sweep = sweep.after.is_some().then_some(sweep);
        Ok(())
    }

    fn move_floor(
        &mut self,
        until: Millis,
        anchored: Height,
    ) -> Result<Option<CommitIndex>, StoreError> {
        let Some(Floor { commit, statement }) = self.next_floor(until)? else {
            return Ok(None);
        };
        self.store.prune_chain(&ChainFrom {
            commit: commit.index,
            height: statement.height,
            // The newest final one is what a restart goes on from (B2).
            checkpoint: anchored.min(statement.height),
        })?;
        let round = first_round(&commit, self.params.gc_depth);
        self.store.prune_vertices(statement.epoch, round)?;
        let first = commit.index;
        self.floor = Some(Floor { commit, statement });
        Ok(Some(first))
    }

    /// Of the next heights before a time the newest that has a certificate of its own: that is what those
    /// who take over a state want of the first one (S2.4).
    fn next_floor(&self, until: Millis) -> Result<Option<Floor>, StoreError> {
        let first = self.store.statements(&PageRequest::ascending(1))?;
        let mut after = first.entries.first().map(|s| Cursor::height(s.height));
        while after.is_some() {
            let page = PageRequest::ascending(HEIGHTS_AT_ONCE).after(after);
            let page = self.store.statements(&page)?;
            let before = page.entries.iter().take_while(|s| s.timestamp < until);
            let before: Vec<&Statement> = before.collect();
            for statement in before.iter().rev() {
                if self.store.certificate(statement.height)?.is_some()
                    && let Some(commit) = self.store.commit(statement.commit)?
                {
                    let statement = (*statement).clone();
                    return Ok(Some(Floor { commit, statement }));
                }
            }
            let all = before.len() == page.entries.len();
            after = page.next.filter(|_| all);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
