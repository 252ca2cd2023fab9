//! What CPU time it takes to verify a transaction by the scheme that signed it, in batches as a node does, and how much
//! more than by Ed25519: what an authorisation, a voucher and posted data count for the fee.
//!
//! `cargo bench -p weft-types`.

mod timing;

use std::time::Duration;
use timing::timed;
use weft_types::ed25519::SecretKey;
use weft_types::testing::{
    availability, availability_certificate, body, committee, issuer_key, network, user, user_key,
    voucher,
};
use weft_types::{
    MEMBERS_MAX, Operation, Transaction, TransactionBody, UserKey, p256, secp256k1,
    verify_transactions,
};

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
        let all = transactions(|i, body| {
            let key = key([i; 32]);
            body.sender = key.address();
            body.sign_with(&[&key])
        });
        show(name, measured(&all), &mut first);
    }
    // What a voucher takes beside the signature of its transaction.
    let all = transactions(|i, body| {
        body.sender = user(i.into());
        body.operations.push(Operation::VoucherSpend {
            key: issuer_key(1).public(),
            voucher: voucher(1, body.sender),
        });
        body.sign(&[&user_key(i.into())])
    });
    let first_median = first.unwrap_or_default();
    let mut times = measured(&all);
    for time in &mut times {
        *time = time.saturating_sub(first_median);
    }
    show("voucher", times, &mut first);
    // What the ledger looks at where data are posted (L53), signed by all of a committee.
    for members in [4, MEMBERS_MAX] {
        let committee = committee(members);
        let all: Vec<usize> = (0..members).collect();
        let certificate = availability_certificate(availability(), &all);
        let check = |()| {
            let checked = certificate.check(network().id(), &committee);
            assert_eq!(checked, Ok(()));
        };
        let times = rounds(|| (), check);
        show(&format!("data, {members}"), times, &mut first);
    }
}

fn transactions(
    make: impl Fn(u8, &mut TransactionBody) -> Transaction,
) -> Vec<Option<Transaction>> {
    let all = (1..=BATCH).map(|i| Some(make(i, &mut body(1, u64::from(i), vec![]))));
    all.collect()
}

/// For each transaction, ascending.
fn measured(all: &[Option<Transaction>]) -> Vec<Duration> {
    let verify = |batch| {
        let verified = verify_transactions(batch, network().id(), &|_| None);
        assert!(verified.iter().all(Option::is_some));
    };
    let mut times = rounds(|| all.to_vec(), verify);
    for time in &mut times {
        *time /= u32::from(BATCH);
    }
    times
}

/// Ascending.
fn rounds<T>(make: impl Fn() -> T, work: impl Fn(T)) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let (made, mut spent) = (make(), Duration::ZERO);
            timed(&mut spent, || work(made));
            spent
        })
        .collect();
    times.sort_unstable();
    times
}

fn show(name: &str, times: Vec<Duration>, first: &mut Option<Duration>) {
    let median = times[ROUNDS / 2];
    let ratio = median.as_secs_f64() / first.get_or_insert(median).as_secs_f64();
    println!(
        "{name:9}  {:6.1} us ({:.1} to {:.1}), {ratio:.1} times Ed25519",
        median.as_secs_f64() * 1e6,
        times[0].as_secs_f64() * 1e6,
        times[ROUNDS - 1].as_secs_f64() * 1e6,
    );
}
