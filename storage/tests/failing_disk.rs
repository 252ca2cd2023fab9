//! A disk that takes no more: every write after the first that failed is refused, what was written
//! before is still there, and nothing is signed. The children run under a limit on the length of
//! files (`ulimit -f`), at which the kernel refuses writes just as a full disk does.

mod child;

use child::{folder, run_limited};
use weft_storage::{Durability, GuardError, GuardFloor, SigningGuard, Store, StoreError};
use weft_types::ed25519::PublicKey;
use weft_types::{Epoch, Height, NetworkId, Round, VertexDigest};

const NETWORK: NetworkId = NetworkId([1; 32]);
const KEY: PublicKey = PublicKey([2; 32]);

#[test]
fn a_store_refuses_writes_after_one_has_failed() {
    let folder = tempfile::TempDir::new().unwrap();
    // 512 blocks of 512 bytes.
    run_limited("store_child", folder.path(), 512);
    let store = Store::open(folder.path(), NETWORK).unwrap();
    assert_eq!(store.meta("before").unwrap().unwrap(), "kept");
    assert_eq!(store.meta("after").unwrap(), None);
}

#[test]
#[ignore = "run under a limit by another test"]
fn store_child() {
    let Some(folder) = folder() else { return };
    let store = Store::open(&folder, NETWORK).unwrap();
    let put = |name, value: &[u8]| store.put_meta(name, value, Durability::Synced);
    put("before", b"kept").unwrap();
    let large = vec![7; 1 << 20];
    let failed = put("large", &large).unwrap_err();
    assert!(matches!(failed, StoreError::Write(_)), "{failed}");
    assert!(failed.is_fatal());
    let refused = put("after", b"small").unwrap_err();
    assert!(matches!(refused, StoreError::Poisoned(_)), "{refused}");
    assert!(matches!(store.sync(), Err(StoreError::Poisoned(_))));
    let pruned = store.prune_vertices(Epoch(0), Round(9)).unwrap_err();
    assert!(pruned.is_fatal());
    assert_eq!(store.meta("before").unwrap().unwrap(), "kept");
}

#[test]
fn a_guard_signs_nothing_after_a_write_has_failed() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("guard");
    drop(SigningGuard::create(&path, NETWORK, KEY, GuardFloor::default()).unwrap());
    // 16 blocks of 512 bytes: the first slot can be written, the second cannot.
    run_limited("guard_child", folder.path(), 16);
    let mut guard = SigningGuard::open(&path, NETWORK, KEY).unwrap();
    assert_eq!(guard.highest_vertex().unwrap().round, Round(1));
    assert_eq!(guard.highest_height(), Height(0));
    guard
        .sign_vertex(Epoch(0), Round(2), VertexDigest([3; 32]))
        .unwrap();
}

#[test]
#[ignore = "run under a limit by another test"]
fn guard_child() {
    let Some(folder) = folder() else { return };
    let mut guard = SigningGuard::open(&folder.join("guard"), NETWORK, KEY).unwrap();
    let mut sign = |round| guard.sign_vertex(Epoch(0), Round(round), VertexDigest([2; 32]));
    sign(1).unwrap();
    // The second time the disk might do; the guard does not ask it.
    for round in [2, 2, 1] {
        let failed = sign(round).unwrap_err();
        assert!(matches!(failed, GuardError::Write { .. }), "{failed}");
        assert!(failed.is_fatal());
    }
}
