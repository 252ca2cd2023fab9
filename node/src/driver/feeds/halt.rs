//! B1: a halt of the bridge is remembered over restarts, only so that the log says when it is over.

use super::source::{Deposits, Queue, Source as _};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use weft_storage::{Durability, Store, StoreError};

/// The store's name for the reason; empty once it is over.
const NAME: &str = "bridge halted";

pub struct Halt {
    store: Arc<Store>,
    earlier: Mutex<Option<Earlier>>,
}

/// A halt of an earlier run, until the base chain has all again.
struct Earlier {
    reason: String,
    /// Feeds of which that is not known.
    feeds: BTreeSet<&'static str>,
}

impl Halt {
    pub fn of(store: Arc<Store>) -> Result<Self, StoreError> {
        let reason = store.meta(NAME)?.filter(|reason| !reason.is_empty());
        let earlier = reason.map(|reason| Earlier {
            reason: String::from_utf8_lossy(&reason).into_owned(),
            feeds: [Deposits::NAME, Queue::NAME].into(),
        });
        Ok(Self {
            store,
            earlier: Mutex::new(earlier),
        })
    }

    /// A halt lasts until the node is started again.
    pub fn begins(&self, reason: &str) -> Result<(), StoreError> {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        *earlier = None;
        self.store
            .put_meta(NAME, reason.as_bytes(), Durability::Synced)
    }

    /// The base chain has all of a feed that was taken up. The reason of the halt that is over with that, once.
    pub fn agrees(&self, feed: &'static str) -> Result<Option<String>, StoreError> {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(halt) = earlier.as_mut() else {
            return Ok(None);
        };
        halt.feeds.remove(feed);
        if !halt.feeds.is_empty() {
            return Ok(None);
        }
        self.store.put_meta(NAME, b"", Durability::Synced)?;
        Ok(earlier.take().map(|halt| halt.reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::testing::NETWORK;

    #[test]
    fn b1_a_halt_is_over_once_after_a_restart_when_all_feeds_agree() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), NETWORK).unwrap());
        let start = || Halt::of(store.clone()).unwrap();
        let agrees = |halt: &Halt, feed| halt.agrees(feed).unwrap();

        let halt = start();
        halt.begins("taken back").unwrap();
        assert_eq!(agrees(&halt, Deposits::NAME), None);
        assert_eq!(agrees(&halt, Queue::NAME), None, "not in the same run");

        let halt = start();
        assert_eq!(agrees(&halt, Deposits::NAME), None);
        assert_eq!(agrees(&halt, Deposits::NAME), None);
        let over = agrees(&halt, Queue::NAME);
        assert_eq!(over.as_deref(), Some("taken back"));
        for halt in [halt, start()] {
            assert_eq!(agrees(&halt, Deposits::NAME), None);
            assert_eq!(agrees(&halt, Queue::NAME), None, "told once");
        }
    }

    #[test]
    fn b1_a_node_that_halts_again_tells_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), NETWORK).unwrap());
        let start = || Halt::of(store.clone()).unwrap();
        start().begins("taken back").unwrap();
        let halt = start();
        assert_eq!(halt.agrees(Queue::NAME).unwrap(), None);
        halt.begins("again").unwrap();
        assert_eq!(halt.agrees(Deposits::NAME).unwrap(), None);
    }
}
