use super::record::SLOT_BYTES;
use super::*;
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;

const NETWORK: NetworkId = NetworkId([1; 32]);
const KEY: PublicKey = PublicKey([2; 32]);

fn digest(n: u64) -> VertexDigest {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    VertexDigest(bytes)
}

fn statement(n: u64) -> StatementDigest {
    StatementDigest(digest(n).0)
}

/// A guard in a folder of its own.
fn guard() -> (TempDir, PathBuf, SigningGuard) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("guard");
    let guard = SigningGuard::create(&path, NETWORK, KEY, GuardFloor::default()).unwrap();
    (folder, path, guard)
}

fn open(path: &Path) -> Result<SigningGuard, GuardError> {
    SigningGuard::open(path, NETWORK, KEY)
}

fn vertex(guard: &mut SigningGuard, epoch: u64, round: u64, d: u64) -> Result<(), GuardError> {
    guard.sign_vertex(Epoch(epoch), Round(round), digest(d))
}

fn height(guard: &mut SigningGuard, height: u64, d: u64) -> Result<(), GuardError> {
    guard.sign_statement(Epoch(0), Height(height), statement(d))
}

#[test]
fn a_round_is_signed_once_and_the_identical_vertex_again() {
    let (_folder, _, mut guard) = guard();
    vertex(&mut guard, 0, 5, 1).unwrap();
    vertex(&mut guard, 0, 5, 1).unwrap();
    for (round, d) in [(5, 2), (4, 1), (0, 1)] {
        let refused = vertex(&mut guard, 0, round, d).unwrap_err();
        assert!(matches!(refused, GuardError::Vertex { .. }), "{refused}");
    }
    vertex(&mut guard, 1, 1, 3).unwrap();
    vertex(&mut guard, 0, 6, 3).unwrap_err();
    vertex(&mut guard, 1, 2, 3).unwrap();
}

#[test]
fn a_height_has_one_statement_in_whatever_order_heights_come() {
    let (_folder, _, mut guard) = guard();
    height(&mut guard, 8, 1).unwrap();
    height(&mut guard, 6, 2).unwrap();
    height(&mut guard, 8, 1).unwrap();
    for (h, d) in [(8, 2), (6, 1)] {
        let refused = height(&mut guard, h, d).unwrap_err();
        assert!(matches!(refused, GuardError::Statement { .. }), "{refused}");
    }
    height(&mut guard, 7, 3).unwrap();
    assert_eq!(guard.highest_height(), Height(8));
}

#[test]
fn heights_that_are_no_longer_remembered_are_refused() {
    let (_folder, path, mut guard) = guard();
    let last = STATEMENTS_REMEMBERED as u64 + 2;
    for h in 1..=last {
        height(&mut guard, h, h).unwrap();
    }
    drop(guard);
    let mut guard = open(&path).unwrap();
    for h in 1..=2 {
        let refused = height(&mut guard, h, h).unwrap_err();
        assert!(
            matches!(refused, GuardError::HeightBelowFloor { floor, .. } if floor == Height(2))
        );
    }
    height(&mut guard, 3, 3).unwrap();
    height(&mut guard, 3, 4).unwrap_err();
    height(&mut guard, last, last).unwrap();
}

#[test]
fn what_was_signed_is_remembered_by_the_next_process() {
    let (_folder, path, mut guard) = guard();
    vertex(&mut guard, 3, 9, 1).unwrap();
    height(&mut guard, 4, 2).unwrap();
    let (vertex_before, record) = (guard.highest_vertex(), guard.record.clone());
    drop(guard);
    let mut guard = open(&path).unwrap();
    assert_eq!(guard.record, record);
    assert_eq!(guard.highest_vertex(), vertex_before);
    vertex(&mut guard, 3, 9, 2).unwrap_err();
    height(&mut guard, 4, 3).unwrap_err();
}

#[test]
fn a_floor_forbids_all_up_to_it_and_is_never_lowered() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("guard");
    let floor = |round, height| GuardFloor {
        vertex: Some((Epoch(2), Round(round))),
        height: Height(height),
    };
    let mut guard = SigningGuard::create(&path, NETWORK, KEY, floor(10, 20)).unwrap();
    vertex(&mut guard, 2, 10, 1).unwrap_err();
    height(&mut guard, 20, 1).unwrap_err();
    guard.raise_floor(floor(5, 5)).unwrap();
    drop(guard);

    let mut guard = open(&path).unwrap();
    vertex(&mut guard, 2, 10, 1).unwrap_err();
    height(&mut guard, 20, 1).unwrap_err();
    vertex(&mut guard, 2, 11, 1).unwrap();
    height(&mut guard, 21, 1).unwrap();
    guard.raise_floor(floor(30, 40)).unwrap();
    vertex(&mut guard, 2, 30, 1).unwrap_err();
    height(&mut guard, 40, 1).unwrap_err();
    assert_eq!(guard.highest_height(), Height(40));
    // What was signed and is remembered may be repeated, and only that.
    height(&mut guard, 21, 1).unwrap();
    height(&mut guard, 21, 2).unwrap_err();
}

#[test]
fn one_guard_at_a_time() {
    let (_folder, path, guard) = guard();
    assert!(matches!(open(&path), Err(GuardError::Locked(_))));
    drop(guard);
    open(&path).unwrap();
}

#[test]
fn opening_makes_no_guard_and_creating_replaces_none() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("guard");
    assert!(matches!(open(&path), Err(GuardError::Missing(_))));
    assert!(!path.exists());
    let create = || SigningGuard::create(&path, NETWORK, KEY, GuardFloor::default());
    let mut first = create().unwrap();
    vertex(&mut first, 0, 1, 1).unwrap();
    assert!(matches!(create(), Err(GuardError::Exists(_))));
    drop(first);
    assert!(matches!(create(), Err(GuardError::Exists(_))));
    vertex(&mut open(&path).unwrap(), 0, 1, 2).unwrap_err();
}

#[test]
fn a_guard_half_made_is_made_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("guard");
    fs::write(folder.path().join("guard.new"), b"half").unwrap();
    drop(SigningGuard::create(&path, NETWORK, KEY, GuardFloor::default()).unwrap());
    open(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_guard_of_another_network_or_key_is_refused() {
    let (_folder, path, guard) = guard();
    drop(guard);
    let network = SigningGuard::open(&path, NetworkId([9; 32]), KEY).unwrap_err();
    let key = SigningGuard::open(&path, NETWORK, PublicKey([9; 32])).unwrap_err();
    assert!(
        network.to_string().ends_with("another network"),
        "{network}"
    );
    assert!(key.to_string().ends_with("another key"), "{key}");
}

/// The file before and after one more signature of a guard with some history.
fn one_step() -> (TempDir, PathBuf, Vec<u8>, Vec<u8>) {
    let (folder, path, mut guard) = guard();
    for n in 1..=5 {
        vertex(&mut guard, 0, n, n).unwrap();
        height(&mut guard, n, n).unwrap();
    }
    let before = fs::read(&path).unwrap();
    vertex(&mut guard, 0, 6, 6).unwrap();
    drop(guard);
    let after = fs::read(&path).unwrap();
    (folder, path, before, after)
}

/// What a guard opened from these bytes has signed last.
fn round_in(path: &Path, bytes: &[u8]) -> Round {
    fs::write(path, bytes).unwrap();
    open(path).unwrap().highest_vertex().unwrap().round
}

#[test]
fn a_write_torn_at_any_byte_leaves_the_state_before_it() {
    let (_folder, path, before, after) = one_step();
    let changed: Vec<usize> = (0..before.len())
        .filter(|i| before[*i] != after[*i])
        .collect();
    let (first, last) = (changed[0], changed[changed.len() - 1]);
    assert!(last - first < SLOT_BYTES, "one slot changes");
    for torn in first + 1..=last {
        let beginning = [&after[..torn], &before[torn..]].concat();
        assert_eq!(round_in(&path, &beginning), Round(5), "torn at {torn}");
        let end = [&before[..torn], &after[torn..]].concat();
        assert_eq!(round_in(&path, &end), Round(5), "torn before {torn}");
    }
    assert_eq!(round_in(&path, &before), Round(5));
    assert_eq!(round_in(&path, &after), Round(6));
}

#[test]
fn after_a_torn_write_the_next_one_goes_into_the_torn_slot() {
    let (_folder, path, before, after) = one_step();
    let place = (0..before.len()).find(|i| before[*i] != after[*i]).unwrap();
    let mut torn = before;
    torn[place] = after[place];
    fs::write(&path, &torn).unwrap();
    let mut guard = open(&path).unwrap();
    vertex(&mut guard, 0, 6, 66).unwrap();
    drop(guard);
    let mut guard = open(&path).unwrap();
    vertex(&mut guard, 0, 6, 66).unwrap();
    vertex(&mut guard, 0, 6, 6).unwrap_err();
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let (_folder, path, _, whole) = one_step();
    let file = fs::File::options().write(true).open(&path).unwrap();
    for length in (0..whole.len() as u64).rev() {
        file.set_len(length).unwrap();
        let refused = open(&path).unwrap_err();
        assert!(matches!(refused, GuardError::Damaged { .. }), "{refused}");
    }
}

#[test]
fn a_file_whose_slots_are_both_damaged_is_refused() {
    let (_folder, path, _, mut bytes) = one_step();
    bytes[40] ^= 1;
    bytes[SLOT_BYTES + 40] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(open(&path), Err(GuardError::Damaged { .. })));
}

#[test]
fn a_full_record_fits_its_slot() {
    let floor = GuardFloor {
        vertex: Some((Epoch::MAX, Round::MAX)),
        height: Height::MAX,
    };
    let mut record = Record::new(NETWORK, KEY, floor);
    record.sequence = u64::MAX;
    record.vertex.as_mut().unwrap().digest = Some(digest(1));
    for n in 0..STATEMENTS_REMEMBERED as u64 {
        let entry = (Epoch::MAX, statement(n));
        Arc::make_mut(&mut record.statements).insert(Height(u64::MAX - n), entry);
    }
    let (_folder, path, guard) = guard();
    record.write(&guard.file).unwrap();
    drop(guard);
    assert_eq!(open(&path).unwrap().record, record);
}
