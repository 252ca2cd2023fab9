use super::slot::{SECTOR_BYTES, SLOT_BYTES};
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
        network.to_string().contains("another network;"),
        "{network}"
    );
    assert!(key.to_string().contains("another key;"), "{key}");
}

/// The file before and after one more signature of a guard with all the history it can have, so that
/// the record fills its slot.
fn one_step() -> (TempDir, PathBuf, Vec<u8>, Vec<u8>) {
    let (folder, path, mut guard) = guard();
    for n in 1..=STATEMENTS_REMEMBERED as u64 + 1 {
        height(&mut guard, n, n).unwrap();
    }
    vertex(&mut guard, 0, 5, 5).unwrap();
    let before = fs::read(&path).unwrap();
    vertex(&mut guard, 0, 6, 6).unwrap();
    drop(guard);
    let after = fs::read(&path).unwrap();
    (folder, path, before, after)
}

/// What a guard opened from these bytes remembers.
fn opened(path: &Path, bytes: &[u8]) -> Record {
    fs::write(path, bytes).unwrap();
    open(path).unwrap().record.clone()
}

fn is_refused_as_damaged(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let opened = open(path);
    assert!(
        matches!(opened, Err(GuardError::Damaged { .. })),
        "{opened:?}"
    );
}

/// The sectors in which two files differ.
fn changed(before: &[u8], after: &[u8]) -> Vec<std::ops::Range<usize>> {
    let sectors = (0..before.len())
        .step_by(SECTOR_BYTES)
        .map(|from| from..from + SECTOR_BYTES);
    sectors
        .filter(|sector| before[sector.clone()] != after[sector.clone()])
        .collect()
}

/// `old` with some of the sectors of `new`.
fn torn<'a>(
    old: &[u8],
    new: &[u8],
    written: impl IntoIterator<Item = &'a std::ops::Range<usize>>,
) -> Vec<u8> {
    let mut file = old.to_vec();
    for sector in written {
        file[sector.clone()].copy_from_slice(&new[sector.clone()]);
    }
    file
}

#[test]
fn a_write_of_which_any_sectors_are_missing_leaves_the_state_before_it() {
    let (_folder, path, before, after) = one_step();
    let state = opened(&path, &before);
    assert_eq!(state.vertex.unwrap().round, Round(5));
    let sectors = changed(&before, &after);
    assert!(sectors.len() > 10, "{} sectors change", sectors.len());
    assert!(
        sectors
            .iter()
            .all(|s| s.start / SLOT_BYTES == sectors[0].start / SLOT_BYTES),
        "one slot changes"
    );
    for at in 0..sectors.len() {
        let (one, rest) = (&sectors[at..=at], &sectors[at + 1..]);
        let others = sectors[..at].iter().chain(rest);
        for file in [
            torn(&before, &after, &sectors[..at]),
            torn(&before, &after, rest),
            torn(&before, &after, one),
            torn(&before, &after, others),
        ] {
            assert_eq!(opened(&path, &file), state, "at sector {at}");
        }
    }
    assert_eq!(opened(&path, &after).vertex.unwrap().round, Round(6));
}

#[test]
fn after_a_torn_write_the_next_one_goes_into_the_torn_slot_and_may_be_torn_again() {
    let (_folder, path, before, after) = one_step();
    let sectors = changed(&before, &after);
    let (some, others) = sectors.split_at(sectors.len() / 2);
    let once = torn(&before, &after, some);
    let state = opened(&path, &once);
    height(&mut open(&path).unwrap(), 200, 1).unwrap();
    let again = fs::read(&path).unwrap();
    height(&mut open(&path).unwrap(), 200, 1).unwrap();
    height(&mut open(&path).unwrap(), 200, 2).unwrap_err();
    // Sectors of three records in one slot.
    for written in [&some[1..], others, &others[..1]] {
        assert_eq!(opened(&path, &torn(&once, &again, written)), state);
    }
}

#[test]
fn a_file_with_any_byte_changed_is_refused() {
    let (_folder, path, before, after) = one_step();
    // Also while one of its slots is torn.
    let half = torn(&before, &after, &changed(&before, &after)[3..]);
    for whole in [after, half] {
        let file = fs::File::options().write(true).open(&path).unwrap();
        fs::write(&path, &whole).unwrap();
        for (at, byte) in (0..).zip(&whole) {
            file.write_all_at(&[byte ^ 1], at).unwrap();
            let refused = open(&path).unwrap_err().to_string();
            let place = format!("bytes {} to", at / 512 * 512);
            assert!(refused.contains(&place), "byte {at}: {refused}");
            file.write_all_at(&[*byte], at).unwrap();
        }
        open(&path).unwrap();
    }
}

#[test]
fn a_file_with_a_part_lost_or_moved_is_refused() {
    let (_folder, path, _, after) = one_step();
    let places = (0..after.len()).step_by(SECTOR_BYTES);
    for (from, to) in places.clone().flat_map(|at| {
        let whole_slot = at / SLOT_BYTES * SLOT_BYTES;
        [
            (at, at + SECTOR_BYTES),
            (whole_slot, whole_slot + SLOT_BYTES),
        ]
    }) {
        for byte in [0, 0xff] {
            let mut file = after.clone();
            file[from..to].fill(byte);
            is_refused_as_damaged(&path, &file);
        }
        // What belongs to the other slot, or to the next sector.
        for shift in [SLOT_BYTES, SECTOR_BYTES] {
            let mut file = after.clone();
            let other = (from + shift) % after.len();
            file.copy_within(other..other + SECTOR_BYTES, from);
            is_refused_as_damaged(&path, &file);
        }
    }
}

#[test]
fn a_write_torn_inside_a_sector_is_refused_rather_than_forgotten() {
    let (_folder, path, before, after) = one_step();
    for sector in changed(&before, &after) {
        // Between the halves of the sector's checksum.
        let middle = sector.start + 16;
        let first = [&after[..middle], &before[middle..]].concat();
        let last = [&before[..middle], &after[middle..]].concat();
        for file in [first, last] {
            is_refused_as_damaged(&path, &file);
        }
    }
}

#[test]
fn slots_that_were_not_written_in_turn_are_refused() {
    let (_folder, path, before, _) = one_step();
    let mut guard = open(&path).unwrap();
    for round in 7..=9 {
        vertex(&mut guard, 0, round, 1).unwrap();
    }
    drop(guard);
    let after = fs::read(&path).unwrap();
    for [a, b] in [[&before, &after], [&after, &before]] {
        is_refused_as_damaged(&path, &[&a[..SLOT_BYTES], &b[SLOT_BYTES..]].concat());
    }
}

#[test]
fn a_record_that_is_whole_but_not_understood_is_refused() {
    let (_folder, path, _, file) = one_step();
    let of_other_slot = open(&path).unwrap().record.clone();
    let place = SLOT_BYTES - slot::offset(&of_other_slot);
    for body in [b"of a later version".as_slice(), &of_other_slot.encode()] {
        let mut file = file.clone();
        file[place..place + SLOT_BYTES].copy_from_slice(&slot::seal(body, place));
        is_refused_as_damaged(&path, &file);
    }
}

#[test]
fn a_file_cut_or_grown_at_any_byte_is_refused() {
    let (_folder, path, _, whole) = one_step();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(whole.len() as u64 + 1).unwrap();
    assert!(matches!(open(&path), Err(GuardError::Damaged { .. })));
    for length in (0..whole.len() as u64).rev() {
        file.set_len(length).unwrap();
        let refused = open(&path).unwrap_err();
        assert!(matches!(refused, GuardError::Damaged { .. }), "{refused}");
    }
}

#[test]
fn a_guard_that_is_new_has_no_empty_slot() {
    let (_folder, path, guard) = guard();
    drop(guard);
    let file = fs::read(&path).unwrap();
    open(&path).unwrap();
    for slot in [0..SLOT_BYTES, SLOT_BYTES..2 * SLOT_BYTES] {
        let mut file = file.clone();
        file[slot].fill(0);
        is_refused_as_damaged(&path, &file);
    }
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
    let before = Record {
        sequence: u64::MAX - 1,
        ..record.clone()
    };
    let (_folder, path, guard) = guard();
    for record in [&before, &record] {
        slot::write(&guard.file, record).unwrap();
    }
    drop(guard);
    assert_eq!(open(&path).unwrap().record, record);
}
