//! Checks the signatures of clients' transactions on threads of their own, so that neither the
//! replica nor other requests wait for them. A thread takes all that waits, up to a batch: what
//! comes while one batch is in work makes the next one, and no request waits for others to come.

use crate::metrics::Metrics;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use weft_types::{NetworkId, Transaction, TransactionError, Verified, verify_transactions};

/// Requests waiting for verification; their bodies are bounded in bytes before.
const WAITING_MAX: usize = 1_024;
/// Transactions after which a batch takes no further request: larger ones gain little.
const BATCH: usize = 1_024;
/// What the authorisations of all requests together may count ([`weft_types::Authorisation::charged_bytes`]): a second of
/// one core's work. One request may have as much.
const WORK_MAX: u32 = 8 << 20;
/// Threads at most, whatever the number of cores.
const THREADS_MAX: usize = 8;

/// Each transaction verified, or what is wrong with it.
pub type Verdicts = Vec<Result<Arc<Verified<Transaction>>, TransactionError>>;

struct Job {
    transactions: Vec<Transaction>,
    answer: oneshot::Sender<Verdicts>,
    /// Given back with the answer.
    work: OwnedSemaphorePermit,
}

/// Why nothing was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    #[error("{WAITING_MAX} requests wait for their signatures to be checked")]
    Full,
    #[error("the signatures that wait to be checked are too much work")]
    Work,
    #[error(
        "authorisations count {0} bytes in one request, more than {WORK_MAX}: send fewer transactions at a time"
    )]
    TooMuch(u64),
    #[error("the node stops")]
    Stopped,
}

/// The threads, ended by dropping it.
pub struct Verifier {
    jobs: mpsc::Sender<Job>,
    work: Arc<Semaphore>,
}

impl Verifier {
    /// Starts one thread a core, [`THREADS_MAX`] at most.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(network: NetworkId, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for n in 0..cores.min(THREADS_MAX) {
            let (waiting, metrics) = (waiting.clone(), metrics.clone());
            std::thread::Builder::new()
                .name(format!("weft-verify-{n}"))
                .spawn(move || {
                    while let Some(batch) = next_batch(&waiting) {
                        let begun = Instant::now();
                        verify(batch, network);
                        metrics.verify(begun.elapsed());
                    }
                })?;
        }
        let work = Arc::new(Semaphore::new(WORK_MAX as usize));
        Ok(Self { jobs, work })
    }

    pub async fn verify(&self, transactions: Vec<Transaction>) -> Result<Verdicts, Busy> {
        let counted = transactions.iter().map(Transaction::authorisation_bytes);
        let counted: u64 = counted.sum();
        let work = u32::try_from(counted).ok().filter(|w| *w <= WORK_MAX);
        let work = work.ok_or(Busy::TooMuch(counted))?;
        let work = self.work.clone().try_acquire_many_owned(work);
        let (answer, verdicts) = oneshot::channel();
        let job = Job {
            transactions,
            answer,
            work: work.map_err(|_| Busy::Work)?,
        };
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Busy::Full,
            mpsc::error::TrySendError::Closed(_) => Busy::Stopped,
        })?;
        verdicts.await.map_err(|_| Busy::Stopped)
    }
}

/// Waits for a request, and takes with it those that are there already.
fn next_batch(waiting: &Mutex<mpsc::Receiver<Job>>) -> Option<Vec<Job>> {
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let first = waiting.blocking_recv()?;
    let mut count = first.transactions.len();
    let mut batch = vec![first];
    while count < BATCH {
        let Ok(job) = waiting.try_recv() else {
            break;
        };
        count += job.transactions.len();
        batch.push(job);
    }
    Some(batch)
}

fn verify(batch: Vec<Job>, network: NetworkId) {
    let mut transactions = Vec::new();
    let mut answers = Vec::with_capacity(batch.len());
    for job in batch {
        // A client that went away needs no answer.
        if job.answer.is_closed() {
            continue;
        }
        let encoded: Vec<_> = job
            .transactions
            .iter()
            .map(|t| t.encoded().clone())
            .collect();
        transactions.extend(job.transactions.into_iter().map(Some));
        answers.push((job.answer, encoded, job.work));
    }
    let mut verified = verify_transactions(transactions, network, &|_| None).into_iter();
    for (answer, encoded, work) in answers {
        let verdicts = verified.by_ref().zip(encoded);
        let verdicts = verdicts.map(|(verified, encoded)| match verified {
            Some(verified) => Ok(verified),
            // Looked at again alone, for the reason. Single and batched checks agree on every input.
            None => Transaction::decode(encoded)?.verify(network).map(Arc::new),
        });
        let verdicts = verdicts.collect();
        drop(work);
        let _gone = answer.send(verdicts);
    }
}

#[cfg(test)]
mod tests;
