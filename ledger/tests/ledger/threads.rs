//! The ledger executes on one thread. What others do beside it is to verify transactions before it sees them, in whatever
//! parts, and to read snapshots, where the hashes that a height needs are made by whoever asks first. None of that may
//! reach receipts or roots; neither may what differs between two ledgers in one process, as the keys of their maps.

use crate::histories::{History, history};
use crate::plan::Theme;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread;
use weft_ledger::Snapshot;
use weft_types::testing::network;
use weft_types::{
    CommitIndex, HeightRoots, Receipt, Root, Transaction, Verified, verify_transactions,
};

/// What a ledger has come to with each commit, of which each closes a height.
type Heights = Vec<(Vec<Receipt>, HeightRoots)>;

/// From their bytes, in so many parts at the same time.
fn verified(
    transactions: &[Arc<Verified<Transaction>>],
    parts: usize,
) -> Vec<Arc<Verified<Transaction>>> {
    let verify = |part: &[Arc<Verified<Transaction>>]| {
        let read = |t: &Arc<Verified<Transaction>>| Transaction::decode(t.encoded().clone()).ok();
        let part = part.iter().map(read).collect();
        verify_transactions(part, network().id(), &|_| None)
    };
    let each = transactions.len().div_ceil(parts).max(1);
    let all = thread::scope(|scope| {
        let parts = transactions.chunks(each);
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(move || verify(part)))
            .collect();
        let done = parts.into_iter().map(|part| part.join().expect("no panic"));
        done.collect::<Vec<_>>().concat()
    });
    all.into_iter().flatten().collect()
}

/// Beside a thread that reads the state after each commit while the ledger hashes it.
fn replay(history: &History, parts: usize) -> Heights {
    let mut world = World::of(&history.template);
    let mut heights = Heights::new();
    let read = thread::scope(|scope| {
        let (sender, snapshots) = mpsc::channel::<Snapshot>();
        let reader = scope.spawn(move || {
            let read = snapshots.iter().map(|s| (s.index(), s.root()));
            read.collect::<BTreeMap<CommitIndex, Root>>()
        });
        for commit in &history.commits {
            world.now = commit.now;
            world.lead();
            let transactions = verified(&commit.transactions, parts);
            assert_eq!(transactions.len(), commit.transactions.len());
            let applied = match &commit.deposits[..] {
                [] => world.commit(&transactions),
                deposits => world.commit_with(deposits, &transactions),
            };
            sender
                .send(world.ledger.snapshot())
                .expect("somebody reads");
            heights.push((applied.receipts, world.close_height(false)));
        }
        drop(sender);
        reader.join().expect("no panic")
    });
    let roots = heights.iter().map(|(_, roots)| roots.state_root);
    assert!(read.into_values().eq(roots), "a reader saw another state");
    heights
}

#[test]
fn receipts_and_roots_are_the_same_however_many_threads_verify_apply_and_read() {
    for theme in Theme::ALL {
        let history = history(theme, 150);
        let first = replay(&history, 1);
        let receipts = first.iter().flat_map(|(receipts, _)| receipts);
        assert!(receipts.eq(&history.receipts), "{theme:?}");
        let last = first.last().map(|(_, roots)| roots.state_root);
        assert_eq!(last, Some(history.root), "{theme:?}");
        for threads in [2, 8] {
            let all = thread::scope(|scope| {
                let ledgers = (0..threads).map(|_| scope.spawn(|| replay(&history, threads)));
                let ledgers: Vec<_> = ledgers.collect();
                let ends = ledgers.into_iter().map(|l| l.join().expect("no panic"));
                ends.collect::<Vec<Heights>>()
            });
            for heights in all {
                assert!(heights == first, "{theme:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn another_order_of_the_same_transactions_comes_to_other_roots() {
    let mut history = history(Theme::Cards, 300);
    let first = replay(&history, 1);
    for commit in &mut history.commits {
        commit.transactions.reverse();
    }
    assert!(replay(&history, 1) != first);
}
