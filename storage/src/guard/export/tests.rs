use super::*;
use crate::{GuardError, SigningGuard};
use std::path::{Path, PathBuf};
use weft_types::{StatementDigest, VertexDigest};

const NETWORK: NetworkId = NetworkId([1; 32]);
const KEY: PublicKey = PublicKey([2; 32]);

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("guard");
    (folder, path)
}

fn create(path: &Path) -> SigningGuard {
    SigningGuard::create(path, NETWORK, KEY, GuardFloor::default()).unwrap()
}

fn import(path: &Path, export: &GuardExport) -> SigningGuard {
    SigningGuard::import(path, NETWORK, KEY, export).unwrap()
}

fn vertex(guard: &mut SigningGuard, epoch: u64, round: u64) -> Result<(), GuardError> {
    guard.sign_vertex(Epoch(epoch), Round(round), VertexDigest([7; 32]))
}

fn height(guard: &mut SigningGuard, height: u64) -> Result<(), GuardError> {
    guard.sign_statement(Epoch(3), Height(height), StatementDigest([8; 32]))
}

/// A guard that has signed epoch 3 round 9 and height 20, and its export.
fn signed() -> (tempfile::TempDir, PathBuf, GuardExport) {
    let (folder, path) = place();
    let mut guard = create(&path);
    vertex(&mut guard, 3, 9).unwrap();
    height(&mut guard, 20).unwrap();
    let export = guard.export();
    (folder, path, export)
}

#[test]
fn an_export_has_the_highest_that_was_signed_and_survives_its_text() {
    let (_folder, _, export) = signed();
    assert_eq!(export.floor.vertex, Some((Epoch(3), Round(9))));
    assert_eq!(export.floor.height, Height(20));
    let read = GuardExport::from_json(export.to_json().as_bytes()).unwrap();
    assert_eq!(read, export);
    let (_folder, path) = place();
    let nothing = create(&path).export();
    assert_eq!(nothing.floor, GuardFloor::default());
    assert_eq!(
        GuardExport::from_json(nothing.to_json().as_bytes()),
        Ok(nothing)
    );
}

#[test]
fn where_it_is_imported_nothing_of_it_is_signed_again() {
    let (_kept, _, export) = signed();
    let (_folder, path) = place();
    let mut guard = import(&path, &export);
    assert!(guard.is_moved());
    // The identical one neither: its digest did not come along.
    vertex(&mut guard, 3, 9).unwrap_err();
    vertex(&mut guard, 2, 100).unwrap_err();
    height(&mut guard, 20).unwrap_err();
    height(&mut guard, 3).unwrap_err();
    vertex(&mut guard, 3, 10).unwrap();
    height(&mut guard, 21).unwrap();
}

#[test]
fn importing_never_lowers_what_is_there() {
    let (_folder, path, older) = signed();
    let mut guard = SigningGuard::open(&path, NETWORK, KEY).unwrap();
    vertex(&mut guard, 4, 2).unwrap();
    drop(guard);
    let guard = import(&path, &older);
    assert_eq!(guard.export().floor.vertex, Some((Epoch(4), Round(2))));
    assert_eq!(guard.export().floor.height, Height(20));
    drop(guard);
    let higher = GuardFloor {
        vertex: Some((Epoch(0), Round(1))),
        height: Height(77),
    };
    let mut guard = import(
        &path,
        &GuardExport {
            floor: higher,
            ..older
        },
    );
    assert_eq!(guard.export().floor.vertex, Some((Epoch(4), Round(2))));
    assert_eq!(guard.export().floor.height, Height(77));
    vertex(&mut guard, 4, 2).unwrap();
}

#[test]
fn what_was_imported_counts_as_moved_until_the_others_were_asked() {
    let (_folder, path, export) = signed();
    assert!(!SigningGuard::open(&path, NETWORK, KEY).unwrap().is_moved());
    drop(import(&path, &export));
    let mut guard = SigningGuard::open(&path, NETWORK, KEY).unwrap();
    assert!(guard.is_moved(), "a start that was interrupted");
    guard.raise_floor(export.floor).unwrap();
    assert!(!guard.is_moved());
    drop(guard);
    assert!(!SigningGuard::open(&path, NETWORK, KEY).unwrap().is_moved());
}

#[test]
fn an_export_of_another_network_or_key_is_refused_and_nothing_is_written() {
    let (_kept, _, export) = signed();
    let network = GuardExport {
        network: NetworkId([9; 32]),
        ..export
    };
    let key = GuardExport {
        vertex_key: PublicKey([9; 32]),
        ..export
    };
    for (other, what) in [(network, "another network"), (key, "another vertex key")] {
        let (_folder, path) = place();
        let refused = SigningGuard::import(&path, NETWORK, KEY, &other).unwrap_err();
        assert!(refused.to_string().contains(what), "{refused}");
        assert!(!path.exists());
        drop(create(&path));
        let before = std::fs::read(&path).unwrap();
        SigningGuard::import(&path, NETWORK, KEY, &other).unwrap_err();
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_guard_in_use_takes_no_import() {
    let (_folder, path, export) = signed();
    let _open = SigningGuard::open(&path, NETWORK, KEY).unwrap();
    let refused = SigningGuard::import(&path, NETWORK, KEY, &export);
    assert!(matches!(refused, Err(GuardError::Locked(_))));
}

#[test]
fn text_that_is_no_export_is_refused() {
    let (_kept, _, export) = signed();
    let text = export.to_json();
    for (from, to, named) in [
        ("weft-signing-guard", "eip-3076", "format"),
        ("\"version\": 1", "\"version\": 2", "version 2"),
        ("\"height\": 20", "\"height\": -1", "no export"),
        (
            "\"height\": 20",
            "\"height\": 20, \"more\": 1",
            "unknown field",
        ),
        ("\"height\": 20", "\"heigth\": 20", "unknown field"),
        (
            "\"round\": 9",
            "\"round\": 99999999999999999999",
            "no export",
        ),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        let refused = GuardExport::from_json(wrong.as_bytes()).unwrap_err();
        assert!(
            refused.to_string().contains(named),
            "{named:?} in {refused}"
        );
    }
    let long = format!("{text}{}", " ".repeat(EXPORT_BYTES_MAX));
    assert!(GuardExport::from_json(long.as_bytes()).is_err());
}

#[test]
fn a_guard_that_was_handed_over_counts_as_moved_itself() {
    let (_folder, path, export) = signed();
    let mut guard = SigningGuard::open(&path, NETWORK, KEY).unwrap();
    assert_eq!(guard.hand_over().unwrap().floor.vertex, export.floor.vertex);
    drop(guard);
    assert!(SigningGuard::open(&path, NETWORK, KEY).unwrap().is_moved());
}
