//! Transactions signed before the load begins, so that signing takes nothing from what is measured.
//! They are made in lanes that know nothing of each other, one for each core.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_client::Draft;
use weft_types::{Millis, Operation, Transaction, TransactionId};

/// A transaction ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub id: TransactionId,
    pub bytes: bytes::Bytes,
    pub valid_until: Millis,
    /// Places of those that have to be committed before.
    pub after: Vec<u32>,
}

/// Makes transactions one after the other.
pub trait Lane: Send {
    /// The next one, with the places in this lane of those that it depends on. `place` is its own.
    fn next(&mut self, place: u32, draft: &Draft) -> (Transaction, Vec<u32>);
}

/// For an operation that reaches into a deal of so many entries, if it does (L60).
pub fn reaching(draft: &Draft, operation: &Operation, entries: u64) -> Draft {
    let reached = operation.deal().map_or(0, |_| operation.reaches(entries));
    let reached = u32::try_from(reached).unwrap_or(u32::MAX);
    draft.clone().reaching(reached)
}

/// When the transactions are to be sent, for their validity.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// From the beginning of signing to the first.
    pub lead: Duration,
    /// Between one and the next; zero when all may be sent at any time.
    pub step: Duration,
    /// How long each is valid after its time has come.
    pub validity: Duration,
}

impl Timing {
    fn validity(&self, place: u32) -> Duration {
        self.lead + self.step * place + self.validity
    }
}

/// Signs `count` transactions, taken from the lanes in turn. `done` counts along.
pub fn sign(
    lanes: Vec<Box<dyn Lane>>,
    count: u32,
    draft: &Draft,
    timing: Timing,
    done: &AtomicU64,
) -> Vec<Signed> {
    let width = lanes.len() as u32;
    let begun = std::time::Instant::now();
    let mut lists: Vec<std::vec::IntoIter<Signed>> = std::thread::scope(|scope| {
        let workers = (0..width).zip(lanes).map(|(index, mut lane)| {
            let of_lane = count / width + u32::from(index < count % width);
            scope.spawn(move || {
                let mut signed = Vec::with_capacity(of_lane as usize);
                for place in 0..of_lane {
                    let whole = |place: u32| place * width + index;
                    // Validity counts from the beginning for all, however long signing takes.
                    let validity = timing
                        .validity(whole(place))
                        .saturating_sub(begun.elapsed());
                    let draft = draft.clone().valid_for(validity);
                    let (transaction, after) = lane.next(place, &draft);
                    signed.push(Signed {
                        id: transaction.id(),
                        bytes: transaction.encoded().clone(),
                        valid_until: transaction.body().valid_until,
                        after: after.into_iter().map(whole).collect(),
                    });
                    done.fetch_add(1, Ordering::Relaxed);
                }
                signed.into_iter()
            })
        });
        // All are started before the first is waited for.
        let workers: Vec<_> = workers.collect();
        let joined = workers
            .into_iter()
            .map(|w| w.join().expect("a lane does not panic"));
        joined.collect()
    });
    (0..count)
        .filter_map(|place| lists[(place % width) as usize].next())
        .collect()
}
