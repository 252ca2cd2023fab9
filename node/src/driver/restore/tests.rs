use super::*;
use weft_ledger::Office;
use weft_types::{CommitDigest, MemberIndex, MemberSet, VertexDigest, testing};

fn ordered(round: u64) -> Vec<VertexRef> {
    let vertex = |author: u32| VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([author as u8; 32]),
    };
    (0..3).map(vertex).collect()
}

#[test]
fn l22_a_restart_counts_what_was_ordered_since_the_last_height() {
    let genesis = testing::genesis(4);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), genesis.network.id()).unwrap();
    let standing = Standing {
        committee: Arc::new(genesis.committee().unwrap()),
        earlier: Vec::new(),
        after: CommitIndex::ZERO,
    };
    let start = || restore(&store, &genesis, &standing, None, Ok(Round::ZERO)).unwrap();
    let mut ledger = start().ledger;
    for round in 1..=5 {
        let vertices = ordered(round);
        let commit = Commit {
            index: CommitIndex(round),
            leader: vertices[0],
            vertices,
            timestamp: genesis.template.timestamp_ms.saturating_add(round),
            previous: CommitDigest::ZERO,
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        };
        let office = Office {
            network: genesis.network.id(),
            committee: &standing.committee,
            genesis: genesis.template.timestamp_ms,
            contracts: genesis.contracts(),
            ordered: &commit.vertices,
        };
        let seen = (&[][..], &office);
        let nothing = std::iter::empty();
        let mut applied = ledger.apply_observing(commit.index, commit.timestamp, seen, nothing);
        if round == 2 {
            ledger.close_height(false, &mut applied.changes);
        }
        let mut batch = CommitBatch::new(commit);
        batch.objects = stored_objects(&applied.changes);
        batch.put_meta(LEDGER_META, ledger_meta::encode(&ledger.meta()));
        store.write_commit(&batch, Durability::Buffered).unwrap();
    }
    let mut restored = start().ledger;
    let roots = ledger.close_height(false, &mut Vec::new());
    assert_eq!(restored.close_height(false, &mut Vec::new()), roots);
}
