//! What a commit looks up in the state, for who measures it. Behind the feature `testing`; while nobody counts, a look-up
//! costs one branch more.

use std::cell::RefCell;
use std::collections::HashMap;
use weft_types::{Object, ObjectId};

/// Of one commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// Also those of one object, of what the same commit has written, and of what is not there.
    pub lookups: u64,
    /// Ids that were looked up in the state before the commit.
    pub objects: u64,
    /// Encoded, of what is there, each object once: it is read whole.
    pub bytes: u64,
}

thread_local! {
    static COUNTED: RefCell<Option<Counted>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Counted {
    lookups: u64,
    found: HashMap<ObjectId, u64>,
}

/// What `work` returns, and what it has looked up on this thread.
pub fn reads<T>(work: impl FnOnce() -> T) -> (T, Reads) {
    COUNTED.set(Some(Counted::default()));
    let done = work();
    let counted = COUNTED.take().unwrap_or_default();
    let reads = Reads {
        lookups: counted.lookups,
        objects: counted.found.len() as u64,
        bytes: counted.found.values().sum(),
    };
    (done, reads)
}

/// A look-up in the state before the commit.
pub(crate) fn note(id: &ObjectId, found: Option<&Object>) {
    with(|counted| {
        counted.lookups += 1;
        let bytes = || found.map_or(0, |object| object.encode().len() as u64);
        counted.found.entry(*id).or_insert_with(bytes);
    });
}

/// A look-up of what the commit has written.
pub(crate) fn note_written() {
    with(|counted| counted.lookups += 1);
}

fn with(count: impl FnOnce(&mut Counted)) {
    COUNTED.with_borrow_mut(|counted| {
        if let Some(counted) = counted {
            count(counted);
        }
    });
}
