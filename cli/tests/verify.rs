//! `weft verify` as a script sees it.

use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;
use weft_types::api::ProofBundle;
use weft_types::{
    EditionId, Item, ItemId, Object, ObjectId, Root, StateProof, Statement, leaf_hash, testing,
    value_hash,
};

const CARD: ObjectId = ObjectId::Item(ItemId([7; 32]));

/// A folder with a proof of the only object there is, and the genesis.
fn folder() -> TempDir {
    let card = Item {
        status: "mint".to_owned(),
        ..Item::new(EditionId([3; 32]), 5, testing::user(1))
    };
    let value = Object::Item(card.into()).encode();
    let statement = Statement {
        network: testing::genesis(4).network,
        state_root: Root(leaf_hash(&CARD.state_key(), &value_hash(&value))),
        ..testing::statement(9)
    };
    let bundle = ProofBundle {
        object: CARD,
        value: Some(hex::encode(&value)),
        proof: StateProof {
            siblings: vec![],
            other: None,
        },
        certificate: testing::certify(&statement, &[0, 1, 3]).to_json(),
        kept: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let proof = serde_json::to_string(&bundle).unwrap();
    fs::write(folder.path().join("proof.json"), proof).unwrap();
    let genesis = testing::genesis(4).to_json();
    fs::write(folder.path().join("genesis.json"), genesis).unwrap();
    folder
}

fn verify(folder: &TempDir) -> (i32, Output) {
    let output = Command::new(env!("CARGO_BIN_EXE_weft"))
        .current_dir(folder.path())
        .args([
            "verify",
            "proof.json",
            "--genesis",
            "genesis.json",
            "--json",
        ])
        .output()
        .unwrap();
    (output.status.code().unwrap(), output)
}

#[test]
fn what_is_proven_is_printed() {
    let (code, output) = verify(&folder());
    assert_eq!(code, 0);
    let proven: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(proven["object"]["serial"], 5);
    assert_eq!(proven["object"]["owner"], testing::user(1).to_string());
    assert_eq!(proven["height"], 9);
}

#[test]
fn no_byte_of_a_proof_can_be_changed() {
    let folder = folder();
    let path = folder.path().join("proof.json");
    let proof = fs::read(&path).unwrap();
    // Each run is a process: some places all over the file.
    for place in (0..proof.len()).step_by(proof.len() / 24) {
        let mut forged = proof.clone();
        forged[place] ^= 1;
        fs::write(&path, forged).unwrap();
        let (code, output) = verify(&folder);
        assert_eq!(code, 5, "byte {place}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_wrong_genesis_is_wrong_use_and_another_one_proves_nothing() {
    let folder = folder();
    let path = folder.path().join("genesis.json");
    fs::write(&path, testing::genesis(7).to_json()).unwrap();
    assert_eq!(verify(&folder).0, 5);
    fs::write(&path, "{}").unwrap();
    let (code, output) = verify(&folder);
    assert_eq!(code, 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("genesis.json"));
}
