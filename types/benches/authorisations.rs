//! What it takes to verify a transaction by the scheme that signed it, in batches as a node does, and how much more
//! than by Ed25519: what an authorisation counts for the fee.
//!
//! `cargo bench -p weft-types`.

use std::time::{Duration, Instant};
use weft_types::ed25519::SecretKey;
use weft_types::testing::{body, network};
use weft_types::{Transaction, UserKey, p256, secp256k1, verify_transactions};

const BATCH: u8 = 128;
const ROUNDS: usize = 9;

type Make = fn([u8; 32]) -> UserKey;

fn main() {
    let keys: [(&str, Make); 3] = [
        ("Ed25519", |b| UserKey::from(&SecretKey::from_seed(b))),
        ("secp256k1", |b| {
            let key = secp256k1::SecretKey::from_bytes(&b);
            UserKey::Eip712(key.expect("below the order"))
        }),
        ("P-256", |b| {
            let key = p256::SecretKey::from_bytes(&b);
            UserKey::P256(key.expect("below the order"))
        }),
    ];
    let mut first = None;
    for (name, key) in keys {
        let all: Vec<Option<Transaction>> = (1..=BATCH)
            .map(|i| {
                let key = key([i; 32]);
                let mut body = body(1, u64::from(i), vec![]);
                body.sender = key.address();
                Some(body.sign_with(&[&key]))
            })
            .collect();
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let batch = all.clone();
                let begun = Instant::now();
                let verified = verify_transactions(batch, network().id(), &|_| None);
                assert!(verified.iter().all(Option::is_some));
                begun.elapsed() / u32::from(BATCH)
            })
            .collect();
        times.sort_unstable();
        let median = times[ROUNDS / 2];
        let ratio = median.as_secs_f64() / first.get_or_insert(median).as_secs_f64();
        println!(
            "{name:9}  {:6.1} us ({:.1} to {:.1}), {ratio:.1} times Ed25519",
            median.as_secs_f64() * 1e6,
            times[0].as_secs_f64() * 1e6,
            times[ROUNDS - 1].as_secs_f64() * 1e6,
        );
    }
}
