use super::*;
use bytes::Bytes;
use tempfile::TempDir;
use weft_types::testing::{finality_key, network, vertex_key};
use weft_types::{MemberIndex, Millis, Observation, Vertex, VertexBody};

struct Folder {
    folder: TempDir,
    keys: NodeKeys,
    store: Store,
}

fn folder() -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), network().id()).unwrap();
    Folder {
        store,
        keys: NodeKeys {
            vertex: vertex_key(0),
            finality: finality_key(0),
        },
        folder,
    }
}

impl Folder {
    fn open(&self) -> (Guard, Result<Round, Lost>) {
        let id = network().id();
        Guard::open(self.folder.path(), id, &self.keys, &self.store, Epoch::ZERO).unwrap()
    }

    fn guard_file(&self) -> PathBuf {
        self.folder.path().join(GUARD_FILE)
    }

    fn vertex(&self, round: u64, own_parent: u64) -> Vertex {
        let parent = |round| weft_types::VertexRef {
            round: Round(round),
            author: MemberIndex(0),
            digest: VertexDigest([1; 32]),
        };
        let body = VertexBody {
            network: network().id(),
            epoch: Epoch::ZERO,
            round: Round(round),
            author: MemberIndex(0),
            timestamp: Millis(0),
            parents: vec![parent(own_parent)],
            weak_links: Vec::new(),
            transactions: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
            shares: Vec::new(),
        };
        let signed = Vertex::sign(body, Vec::new(), &self.keys.vertex);
        Vertex::decode(Bytes::from(signed.encode().to_vec())).unwrap()
    }
}

#[test]
fn s1_a_missing_guard_is_made_for_a_key_that_is_new_and_for_no_other() {
    let new = folder();
    assert_eq!(new.open().1, Err(Lost::GuardMissing));
    new.keys.mark_new(new.folder.path()).unwrap();
    assert_eq!(new.open().1, Ok(Round::ZERO));
    // It is new no longer.
    std::fs::remove_file(new.guard_file()).unwrap();
    assert_eq!(new.open().1, Err(Lost::GuardMissing));
    // Another key's word, and a database that knows better.
    let other = folder();
    let keys = NodeKeys {
        vertex: vertex_key(1),
        ..other.keys.clone()
    };
    keys.mark_new(other.folder.path()).unwrap();
    assert_eq!(other.open().1, Err(Lost::GuardMissing));
    other.keys.mark_new(other.folder.path()).unwrap();
    other.store.put_own_vertex(&other.vertex(1, 0)).unwrap();
    assert_eq!(other.open().1, Err(Lost::GuardMissing));
}

#[test]
fn s1_guard_and_database_that_do_not_fit_are_told_apart() {
    let f = folder();
    f.keys.mark_new(f.folder.path()).unwrap();
    let (mut guard, _) = f.open();
    guard
        .sign_vertex(Epoch::ZERO, Round(5), VertexDigest([5; 32]))
        .unwrap();
    drop(guard);
    assert_eq!(f.open().1, Err(Lost::StoreBehind(Epoch::ZERO, Round(5))));
    // Stored and not guarded yet: one own vertex, on top of what the guard knows.
    f.store.put_own_vertex(&f.vertex(6, 5)).unwrap();
    assert_eq!(f.open().1, Ok(Round(6)));
    f.store.put_own_vertex(&f.vertex(9, 8)).unwrap();
    assert_eq!(f.open().1, Err(Lost::GuardBehind));
    std::fs::write(f.guard_file(), b"no guard").unwrap();
    assert_eq!(f.open().1, Err(Lost::GuardDamaged));
}

#[test]
fn s1_a_guard_is_made_at_its_floor_and_a_damaged_one_is_set_aside() {
    let f = folder();
    let floor = GuardFloor {
        vertex: Some((Epoch::ZERO, Round(7))),
        height: Height(3),
    };
    for damaged in [false, true] {
        if damaged {
            std::fs::write(f.guard_file(), b"no guard").unwrap();
        }
        let (mut guard, _) = f.open();
        let refused = guard.sign_vertex(Epoch::ZERO, Round(8), VertexDigest([8; 32]));
        assert!(matches!(refused, Err(DriverError::NoGuard)));
        guard.raise_floor(floor).unwrap();
        let refused = guard.sign_vertex(Epoch::ZERO, Round(7), VertexDigest([7; 32]));
        assert!(matches!(refused, Err(DriverError::Guard(_))));
        drop(guard);
        // Until the first vertex is stored above it, others are to be asked again.
        let (guard, signed) = f.open();
        assert_eq!(signed, Err(Lost::StoreBehind(Epoch::ZERO, Round(7))));
        assert_eq!(guard.height_floor(), Height(3));
        drop(guard);
        std::fs::remove_file(f.guard_file()).unwrap();
    }
    let aside = f.guard_file().with_added_extension("damaged");
    assert_eq!(std::fs::read(aside).unwrap(), b"no guard");
}

#[test]
fn s1_an_imported_guard_asks_the_others_even_when_it_is_what_was_exported() {
    let f = folder();
    f.keys.mark_new(f.folder.path()).unwrap();
    let (mut guard, _) = f.open();
    let own = f.vertex(5, 4);
    f.store.put_own_vertex(&own).unwrap();
    guard
        .sign_vertex(Epoch::ZERO, Round(5), own.digest())
        .unwrap();
    drop(guard);
    assert_eq!(f.open().1, Ok(Round(5)), "an ordinary restart");
    let (id, key) = (network().id(), f.keys.vertex.public());
    let export = SigningGuard::open(&f.guard_file(), id, key)
        .unwrap()
        .export();
    drop(SigningGuard::import(&f.guard_file(), id, key, &export).unwrap());
    let moved = Err(Lost::Moved(Epoch::ZERO, Round(5)));
    assert_eq!(f.open().1, moved);
    let (mut guard, signed) = f.open();
    assert_eq!(signed, moved, "a start that was interrupted asks as well");
    let floor = GuardFloor {
        vertex: Some((Epoch::ZERO, Round(8))),
        height: Height(2),
    };
    guard.raise_floor(floor).unwrap();
    drop(guard);
    // Above what is stored now, as after any recovery.
    assert_eq!(f.open().1, Err(Lost::StoreBehind(Epoch::ZERO, Round(8))));
}
