//! `weft watch --replay` as a script sees it.

use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;
use weft_node::evidence::{Record, Writer};
use weft_types::testing::{self, certify};
use weft_types::{Root, Statement};

/// A folder with the genesis, and evidence of two certificates of one height.
fn folder() -> TempDir {
    let genesis = testing::genesis(4);
    let statement = Statement {
        network: genesis.network,
        ..testing::statement(9)
    };
    let other = Statement {
        state_root: Root([7; 32]),
        ..statement.clone()
    };
    let mut writer = Writer::new(Vec::new()).unwrap();
    let records = [
        Record::Network(genesis.network),
        Record::Accused(certify(&other, &[1, 2, 3])),
        Record::Rival(certify(&statement, &[0, 1, 2])),
    ];
    for record in &records {
        writer.write(record).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("evidence"), writer.finish().unwrap()).unwrap();
    fs::write(folder.path().join("genesis.json"), genesis.to_json()).unwrap();
    folder
}

fn replay(folder: &TempDir, arguments: &[&str]) -> (i32, Output) {
    let output = Command::new(env!("CARGO_BIN_EXE_weft"))
        .current_dir(folder.path())
        .args(["watch", "--replay", "evidence"])
        .args(arguments)
        .output()
        .unwrap();
    (output.status.code().unwrap(), output)
}

const GENESIS: [&str; 2] = ["--genesis", "genesis.json"];

#[test]
fn two_certificates_of_one_height_are_a_conflict_and_name_who_signed_both() {
    let folder = folder();
    let (code, output) = replay(&folder, &GENESIS);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(code, 6, "{out}{err}");
    assert!(
        out.contains("CONFLICT") && out.contains("members 2, 3"),
        "{out}"
    );
    assert!(err.contains("two statements of height 9"), "{err}");
}

#[test]
fn evidence_of_another_network_or_with_a_changed_byte_shows_nothing() {
    let folder = folder();
    let mut bytes = fs::read(folder.path().join("evidence")).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(folder.path().join("evidence"), &bytes).unwrap();
    let (code, output) = replay(&folder, &GENESIS);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("shows nothing"), "{err}");

    fs::write(folder.path().join("evidence"), b"weft").unwrap();
    assert_eq!(replay(&folder, &GENESIS).0, 5);
}

#[test]
fn a_genesis_is_needed() {
    let folder = folder();
    let (code, output) = replay(&folder, &["--genesis", "none.json"]);
    assert_eq!(code, 2, "{output:?}");
    // There is no node's folder to take it from.
    assert_eq!(replay(&folder, &[]).0, 2);
}
