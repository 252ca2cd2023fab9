//! What keeps a node from starting, and that it is told before anything is made on the disk.

use super::*;
use crate::keys::{KeyError, write_secret};
use std::path::Path;
use tempfile::TempDir;
use weft_storage::{GuardError, GuardFloor, SigningGuard, StoreError};
use weft_types::NetworkId;
use weft_types::testing;

/// A node of a committee of four, whose base chain does not answer, with the keys of a member.
fn node(member: usize) -> (TempDir, NodeConfig) {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("genesis.json"), testing::genesis(4).to_json()).unwrap();
    let keys = NodeKeys {
        vertex: testing::vertex_key(member),
        finality: testing::finality_key(member),
    };
    keys.save(&at("keys")).unwrap();
    let config = NodeConfig {
        data: at("data"),
        genesis: at("genesis.json"),
        keys: at("keys"),
        api_listen: ([127, 0, 0, 1], 0).into(),
        p2p_listen: "/ip4/127.0.0.1/tcp/0".to_owned(),
        base_rpc: "http://127.0.0.1:9".to_owned(),
        ..NodeConfig::default()
    };
    (folder, config)
}

/// Why this configuration does not start; what can be changed about it is wrong use.
async fn refused(config: NodeConfig) -> DriverError {
    match Node::start(config).await {
        Ok(_) => panic!("it starts"),
        Err(error) => {
            assert!(error.is_wrong_use(), "{error}");
            error
        }
    }
}

fn is_untouched(data: &Path) {
    assert!(!data.exists(), "something was made before the refusal");
}

#[tokio::test]
async fn keys_of_no_member_follow_until_they_are_and_an_observer_needs_none() {
    let (_folder, config) = node(4);
    let node = Node::start(config.clone()).await.unwrap();
    node.run(async {}).await.unwrap();
    let node = Node::observe(config).await.unwrap();
    node.run(async {}).await.unwrap();
}

#[tokio::test]
async fn the_base_key_is_read_before_anything_is_made() {
    let (folder, config) = node(0);
    let path = folder.path().join("base.key");
    let config = NodeConfig {
        base_key: Some(path.clone()),
        ..config
    };
    let missing = refused(config.clone()).await;
    assert!(matches!(missing, DriverError::BaseKey(KeyError::File(_))));
    write_secret(&path, &[0; 32]).unwrap();
    let zero = refused(config.clone()).await.to_string();
    assert!(
        zero.contains("base_key") && zero.contains("secp256k1"),
        "{zero}"
    );
    is_untouched(&config.data);
}

#[tokio::test]
async fn settings_are_checked_however_they_were_made() {
    let (_folder, config) = node(0);
    let config = NodeConfig {
        base_rpc: "no url".to_owned(),
        ..config
    };
    let error = refused(config.clone()).await.to_string();
    assert!(
        error.contains("base_rpc") && error.contains("no url"),
        "{error}"
    );
    is_untouched(&config.data);
}

#[tokio::test]
async fn a_genesis_that_is_not_there_is_told_with_where_to_get_it() {
    let (_folder, config) = node(0);
    std::fs::remove_file(&config.genesis).unwrap();
    let error = refused(config).await.to_string();
    assert!(
        error.contains("genesis.json") && error.contains("/v1/genesis"),
        "{error}"
    );
}

#[tokio::test]
async fn data_of_another_network_are_wrong_use() {
    let (_folder, config) = node(0);
    let other = NetworkId([9; 32]);
    drop(Store::open(&config.data.join("db"), other).unwrap());
    let database = refused(config.clone()).await;
    assert!(matches!(
        database,
        DriverError::Store(StoreError::Network { .. })
    ));

    std::fs::remove_dir_all(config.data.join("db")).unwrap();
    let path = config.data.join("signing-guard");
    let key = testing::vertex_key(0).public();
    drop(SigningGuard::create(&path, other, key, GuardFloor::default()).unwrap());
    let guard = refused(config).await;
    assert!(matches!(
        guard,
        DriverError::Guard(GuardError::Foreign { .. })
    ));
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (_folder, config) = node(0);
    let api = NodeConfig {
        api_listen: address,
        ..config.clone()
    };
    let p2p = NodeConfig {
        p2p_listen: format!("/ip4/127.0.0.1/tcp/{}", address.port()),
        ..config
    };
    for (config, setting) in [(api, "api_listen"), (p2p, "p2p_listen")] {
        let error = refused(config).await;
        let (found, named, source) = error.not_listening().unwrap();
        assert_eq!((found, named), (address, setting));
        assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
    }
}
