//! What a transfer costs in execution, with everything around it: a snapshot after every commit, as
//! the API holds one, and a hashed height at the pace of the default finality interval.
//!
//! `cargo bench -p weft-ledger --bench transfers -- [ACCOUNTS] [TRANSACTIONS] [OWNED]`, 1,000,000 and 40,000 if not given. So many percent
//! of the accounts have exit addresses, 0 if not given. The same number of transfers follows by keys that have sessions (L20).

#[path = "../../types/benches/timing/mod.rs"]
mod timing;

use std::sync::Arc;
use std::time::Duration;
use timing::timed;
use weft_ledger::{Change, Ledger};
use weft_types::testing::{self, body, stranger, user, user_key};
use weft_types::{
    Amount, AssetAmount, AssetId, BaseAddress, Bridge, BridgeId, GenesisAccount, KeyChange, Millis,
    Object, ObjectId, Operation, Payment, Receipt, Session, SessionKind, Transaction, UserKey,
    Verified, verify_transactions,
};

const SENDERS: u64 = 64;
const PER_COMMIT: usize = 250;
const COMMITS_PER_HEIGHT: usize = 5;

/// By the senders' own keys, or by keys that have sessions there.
fn transfers(count: u64, accounts: u64, sessions: bool) -> Vec<Arc<Verified<Transaction>>> {
    let one = |n: u64| {
        let payment = Payment {
            to: stranger(n.wrapping_mul(7_919) % accounts),
            asset: AssetId::NATIVE,
            amount: Amount(1),
        };
        let operation = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        let sender = n % SENDERS;
        let body = body(sender, n, vec![operation]);
        Some(match sessions {
            false => body.sign(&[&user_key(sender)]),
            true => body.sign_for(&[(&session_key(sender), user(sender))]),
        })
    };
    verified((0..count).map(one).collect())
}

fn session_key(sender: u64) -> UserKey {
    UserKey::from(&user_key(SENDERS + sender))
}

/// Each sender begins a session.
fn sessions() -> Vec<Arc<Verified<Transaction>>> {
    let one = |sender: u64| {
        let session = Session {
            key: session_key(sender).address(),
            expires: Millis(1 << 40),
            kinds: [SessionKind::Transfer].into_iter().collect(),
            collections: vec![],
            limits: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: Amount(1 << 39),
            }],
        };
        let changes = vec![KeyChange::Session(session)];
        let body = body(sender, u64::MAX, vec![Operation::SetKeys { changes }]);
        Some(body.sign(&[&user_key(sender)]))
    };
    verified((0..SENDERS).map(one).collect())
}

fn verified(signed: Vec<Option<Transaction>>) -> Vec<Arc<Verified<Transaction>>> {
    let verified = verify_transactions(signed, testing::network().id(), &|_| None);
    verified.into_iter().flatten().collect()
}

/// The same state, in which so many percent of the accounts have an exit address and a place (X3).
fn owned(ledger: &Ledger, changes: Vec<Change>, percent: u64) -> Ledger {
    let mut bridge = Bridge::default();
    let mut objects = Vec::new();
    for (n, change) in changes.into_iter().enumerate() {
        let mut object = change.after.expect("genesis only makes");
        if let (Object::Account(account), true) = (&mut object, n as u64 % 100 < percent) {
            let account = Arc::make_mut(account);
            account.set_exit_address(BaseAddress([1; 20]));
            account.give_exit_place(AssetId::NATIVE, bridge.exit_places);
            bridge.exit_places += 1;
        }
        objects.push((change.id, object.encode()));
    }
    let bridge = Object::Bridge(Arc::new(bridge));
    objects.push((ObjectId::Bridge(BridgeId::THE_ONE), bridge.encode()));
    let restored = Ledger::restore(ledger.params(), ledger.meta(), objects, []);
    restored.expect("a state")
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let accounts = numbers.first().copied().unwrap_or(1_000_000);
    let count = numbers.get(1).copied().unwrap_or(40_000);

    let mut template = testing::genesis(4).template;
    let rich = (0..SENDERS).map(|i| (user(i), Amount(1 << 40)));
    let others = (0..accounts).map(|i| (stranger(i), Amount(1_000)));
    let all = rich.chain(others);
    template.accounts = all
        .map(|(address, balance)| GenesisAccount { address, balance })
        .collect();

    let (mut built, mut hashed) = (Duration::ZERO, Duration::ZERO);
    let genesis = timed(&mut built, || Ledger::genesis(&template));
    let (mut ledger, changes) = genesis.expect("a valid template");
    let percent = numbers.get(2).copied().unwrap_or_default();
    if percent > 0 {
        built = Duration::ZERO;
        ledger = timed(&mut built, || owned(&ledger, changes, percent));
    }
    timed(&mut hashed, || ledger.close_height(false, &mut vec![]));
    println!("{accounts} accounts: built in {built:.2?}, hashed in {hashed:.2?}");

    measure(&mut ledger, "by owners", &transfers(count, accounts, false));
    let index = ledger.meta().index.next();
    let begun = ledger.apply(index, ledger.meta().timestamp, &sessions());
    assert!(begun.receipts.iter().all(Receipt::is_applied));
    // Bodies have to differ from those that are remembered.
    let by_sessions = transfers(2 * count, accounts, true);
    measure(&mut ledger, "by sessions", &by_sessions[count as usize..]);
}

fn measure(ledger: &mut Ledger, by: &str, transactions: &[Arc<Verified<Transaction>>]) {
    let (mut apply, mut hash) = (Duration::ZERO, Duration::ZERO);
    let mut held = ledger.snapshot();
    let mut done = 0;
    let since = ledger.meta().timestamp.0;
    for (n, commit) in transactions.chunks(PER_COMMIT).enumerate() {
        let applied = timed(&mut apply, || {
            let index = ledger.meta().index.next();
            let applied = ledger.apply(index, Millis(since + n as u64), commit);
            held = ledger.snapshot();
            applied
        });
        done += applied.receipts.iter().filter(|r| r.is_applied()).count();
        if (n + 1) % COMMITS_PER_HEIGHT == 0 {
            timed(&mut hash, || ledger.close_height(false, &mut vec![]));
        }
    }
    let count = transactions.len();
    assert_eq!((done, held.index()), (count, ledger.meta().index));
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{count} transfers {by} in commits of {PER_COMMIT}: {:.2} us each to apply, {:.2} us to hash every {} of them",
        each(apply),
        each(hash),
        PER_COMMIT * COMMITS_PER_HEIGHT
    );
}
