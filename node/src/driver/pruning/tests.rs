use super::*;
use crate::driver::restore::first_commit;
use crate::driver::testing::{NETWORK, vertex};
use crate::replica::sync::testing::{Chain, STEP, VALIDITY};
use crate::replica::sync::{NoAnswer, Place, Sync, SyncConfig, serve};
use tempfile::TempDir;
use weft_storage::{Durability, Import, Kept};
use weft_types::{ContentHash, Epoch, Round};

/// The chain has two rounds to a commit, and keeps vertices of 20 below a leader.
const GC_DEPTH: u64 = 20;

struct Node {
    folder: TempDir,
    chain: Chain,
    pruner: Pruner,
    written: u64,
    payload: usize,
}

impl Node {
    fn new(keep: Millis) -> Self {
        let chain = Chain::new(10, 0);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), NETWORK).unwrap();
        // One that has signed for nothing.
        let staging = Arc::new(Staging::new(NETWORK, None, Millis::ZERO));
        let params = chain.terms().params.clone();
        Self {
            pruner: Pruner::new(Arc::new(store), &params, keep, staging),
            folder,
            chain,
            written: 0,
            payload: 0,
        }
    }

    fn store(&self) -> &Store {
        &self.pruner.store
    }

    /// So many commits of one transfer, executed and stored.
    fn go_on(&mut self, commits: usize) {
        (0..commits).for_each(|_| self.chain.extend(1));
        self.store_all();
    }

    fn store_all(&mut self) {
        while self.written < self.chain.commits.len() as u64 {
            self.written += 1;
            self.chain.write(self.store(), CommitIndex(self.written));
            let leader = 2 * self.written;
            let vertices = [leader - 1, leader].map(|round| vertex(round, 0, self.payload));
            let put = self.store().put_vertices(&vertices, Durability::Buffered);
            put.unwrap();
        }
    }

    fn pass(&mut self) -> Option<CommitIndex> {
        let now = self.chain.commits.last().unwrap().timestamp;
        let held = self.chain.held.clone();
        let stop = CancellationToken::new();
        self.pruner.pass(&held, now, Height(7), &stop).unwrap()
    }

    fn first_round(&self) -> Round {
        let page = PageRequest::ascending(1);
        let page = self.store().vertices(Epoch::ZERO, Round::ZERO, &page);
        page.unwrap().entries[0].round()
    }

    fn timestamp(&self, commit: CommitIndex) -> Millis {
        self.chain.commits[commit.0 as usize - 1].timestamp
    }

    fn bytes_on_disk(&self) -> u64 {
        let files = std::fs::read_dir(self.folder.path().join("db")).unwrap();
        files
            .map(|f| f.unwrap().metadata().map_or(0, |m| m.len()))
            .sum()
    }
}

#[test]
fn s2_history_begins_at_a_certified_height_below_the_window_of_the_oldest_snapshot() {
    let mut node = Node::new(Millis(1_000));
    node.go_on(150);
    let first = node.pass().expect("there is something to delete");
    let oldest = &node.chain.held[0].certificate.statement;
    let window = oldest.timestamp.0 - VALIDITY - 1_000;
    let begins = node.timestamp(first).0;
    assert!(
        (window - STEP..window).contains(&begins),
        "{begins}, {window}"
    );
    assert_eq!(first_commit(node.store()).unwrap(), first);
    let (store, below, height) = (node.store(), CommitIndex(first.0 - 1), Height(first.0));
    for (height, is) in [(height, true), (Height(height.0 - 1), false)] {
        assert_eq!(store.statement(height).unwrap().is_some(), is);
        assert_eq!(store.certificate(height).unwrap().is_some(), is);
    }
    let receipts = |commit| {
        let page = store
            .receipts_of(commit, &PageRequest::ascending(9))
            .unwrap();
        page.entries
            .into_iter()
            .filter(|id| store.receipt(id).unwrap().is_some())
            .count()
    };
    assert_eq!((receipts(first), receipts(below)), (1, 0));
    let leader = Round(2 * first.0);
    assert_eq!(node.first_round(), Round(leader.0 + 1 - GC_DEPTH));
    // Nothing more, until there is more to delete.
    assert_eq!(node.pass(), None);
    node.go_on(20);
    assert!(node.pass() > Some(first));
}

#[test]
fn s2_what_is_to_be_kept_is_kept_and_nothing_goes_before_a_snapshot_is_held() {
    let mut node = Node::new(Millis(60_000));
    node.go_on(150);
    let held = std::mem::take(&mut node.chain.held);
    assert_eq!(node.pass(), None);
    node.chain.held = held;
    let first = node.pass().unwrap();
    let now = node.timestamp(CommitIndex(150));
    assert_eq!(node.timestamp(first).0, now.0 - 60_000 - STEP);
    let mut all = Node::new(Millis(315_360_000_000));
    all.go_on(150);
    assert_eq!(all.pass(), None);
}

/// Those who take over a state want a certificate of the first height (S2.4).
#[test]
fn s2_history_begins_at_no_height_without_a_certificate() {
    let mut node = Node::new(Millis(1_000));
    let mut plain = Node::new(Millis(1_000));
    plain.go_on(150);
    let would_be = plain.pass().unwrap();
    for index in 1..=150 {
        // The two before it as well, far below what is held.
        match would_be.0 - 2 <= index && index <= would_be.0 {
            true => node.chain.extend_uncertified(1),
            false => node.chain.extend(1),
        }
    }
    // As one that was there before holds them.
    node.chain.held = plain.chain.held.clone();
    node.store_all();
    assert_eq!(node.pass(), Some(CommitIndex(would_be.0 - 3)));
}

#[test]
fn s2_a_snapshot_is_taken_over_from_a_database_that_was_pruned() {
    let mut node = Node::new(Millis(1));
    node.go_on(150);
    node.pass().unwrap();
    for held in node.chain.held.clone() {
        let height = held.certificate.statement.height;
        let eager = SyncConfig {
            after: Millis(1_000),
            ..SyncConfig::default()
        };
        let mut sync = Sync::new(eager, node.chain.terms(), None, Millis(0));
        let place = || Place {
            behind: true,
            commit: CommitIndex::ZERO,
            timestamp: Millis(0),
        };
        let synced = (0..10_000).find_map(|now| {
            let mut asks = Vec::new();
            let synced = sync.step(Millis(now), place, &mut asks).unwrap();
            for ask in asks {
                let answer = serve(node.store(), std::slice::from_ref(&held), &ask.request);
                let answer = answer.map_err(|_| NoAnswer::Failed);
                sync.answered(Millis(now), ask.id, answer);
            }
            synced
        });
        let synced = synced.unwrap_or_else(|| panic!("{:?}", sync.notes()));
        assert_eq!(synced.certificate.statement.height, height);
    }
}

#[test]
fn s2_the_disk_is_bounded_by_what_is_kept() {
    let mut node = Node::new(Millis(1));
    node.payload = 128 << 10;
    // 25 MiB of vertices a turn, of which some 70 rounds, 9 MiB, are kept.
    let mut largest = 0;
    for _ in 0..12 {
        node.go_on(100);
        node.pass();
        largest = largest.max(node.bytes_on_disk());
    }
    assert_eq!(node.written, 1_200);
    // Beside what is kept: a turn's, the log of 64 MiB, and files not compacted yet.
    assert!(largest < 160 << 20, "{largest} bytes");
}

#[test]
fn a5_content_goes_when_nothing_names_it_any_more() {
    let mut node = Node::new(Millis(1_000));
    node.go_on(1);
    let hashes = [b"named", b"other"].map(|bytes| {
        let hash = ContentHash::of(bytes);
        let put = node
            .store()
            .put_content(&hash, bytes, u64::MAX, Durability::Buffered);
        assert_eq!(put.unwrap(), Kept::Now);
        hash
    });
    let row = [&b"n"[..], &hashes[0].0, &[4; 33]].concat();
    let indexes = [(bytes::Bytes::from(row), Some(bytes::Bytes::new()))];
    let named = Import {
        indexes: &indexes,
        ..Import::default()
    };
    node.store().import(&named).unwrap();
    node.pass();
    assert!(node.store().has_content(&hashes[0]).unwrap());
    assert!(!node.store().has_content(&hashes[1]).unwrap());
}
