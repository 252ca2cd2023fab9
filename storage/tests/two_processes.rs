//! What one process has open, another one cannot open: neither the database nor the signing guard.

mod child;

use child::{folder, run};
use weft_storage::{GuardError, GuardFloor, SigningGuard, Store, StoreError};
use weft_types::NetworkId;
use weft_types::ed25519::PublicKey;

const NETWORK: NetworkId = NetworkId([1; 32]);
const KEY: PublicKey = PublicKey([2; 32]);

#[test]
fn a_second_process_is_refused_until_the_first_has_ended() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("guard");
    let guard = SigningGuard::create(&path, NETWORK, KEY, GuardFloor::default()).unwrap();
    let store = Store::open(&folder.path().join("db"), NETWORK).unwrap();
    run("refused_child", folder.path());
    drop((guard, store));
    run("welcome_child", folder.path());
}

#[test]
#[ignore = "run in another process by another test"]
fn refused_child() {
    let Some(folder) = folder() else { return };
    let guard = SigningGuard::open(&folder.join("guard"), NETWORK, KEY);
    assert!(matches!(guard, Err(GuardError::Locked(_))));
    let store = Store::open(&folder.join("db"), NETWORK);
    assert!(matches!(store, Err(StoreError::Locked { .. })));
}

#[test]
#[ignore = "run in another process by another test"]
fn welcome_child() {
    let Some(folder) = folder() else { return };
    SigningGuard::open(&folder.join("guard"), NETWORK, KEY).unwrap();
    Store::open(&folder.join("db"), NETWORK).unwrap();
}
