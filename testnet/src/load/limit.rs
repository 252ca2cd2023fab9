//! How many client signatures this machine can check: the ceiling that a cluster on it cannot pass,
//! because every node checks every transaction.

use std::time::{Duration, Instant};
use weft_types::ed25519::{Check, SecretKey, verify_all};

/// Batches that are tried.
const BATCHES: [usize; 3] = [256, 1_024, 4_096];
/// For each of them.
const TIME: Duration = Duration::from_millis(400);
/// Length of a payment's signed message, domain tag included.
const MESSAGE_BYTES: usize = 256;

/// Signatures a second on all cores, with the best of the batch sizes. Takes a second or two of the
/// whole machine.
pub fn verifications_per_second() -> f64 {
    let rates = BATCHES.iter().map(|size| on_all_cores(*size));
    rates.fold(0.0, f64::max)
}

fn on_all_cores(batch: usize) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let checks = checks(batch);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(|| rate(&checks))).collect();
        let rates = workers.into_iter().map(|w| w.join().unwrap_or_default());
        rates.sum()
    })
}

fn rate(checks: &[Check]) -> f64 {
    let begun = Instant::now();
    let mut verified = 0;
    while begun.elapsed() < TIME {
        let valid = verify_all(checks);
        verified += valid.iter().filter(|v| **v).count();
    }
    verified as f64 / begun.elapsed().as_secs_f64()
}

/// By as many signers as a load has accounts.
fn checks(count: usize) -> Vec<Check> {
    let check = |i: usize| {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(i % 1_000).to_be_bytes());
        let key = SecretKey::from_seed(seed);
        let mut message = [0; MESSAGE_BYTES];
        message[..8].copy_from_slice(&i.to_be_bytes());
        Check::new(&key.public(), &message, &key.sign(&message))
    };
    (0..count).map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_of_the_measurement_is_valid() {
        assert!(verify_all(&checks(300)).into_iter().all(|valid| valid));
    }
}
