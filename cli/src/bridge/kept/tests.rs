use super::*;
use weft_types::api::ProvenWithdrawal;
use weft_types::testing;
use weft_types::{
    Amount, BaseAddress, BaseAsset, CommitIndex, Exit, Root, Statement, Withdrawal, tree_proof,
    tree_root_of,
};

const ALL: Retention = Retention {
    most: GENERATIONS_MAX,
    hold: Millis(1),
};

fn exit(place: u64) -> Exit {
    Exit {
        place,
        asset: BaseAsset::Native {
            amount: Amount(place + 1),
        },
        owner: BaseAddress([7; 20]),
    }
}

fn withdrawal(index: u64) -> Withdrawal {
    Withdrawal {
        index,
        asset: exit(index).asset,
        recipient: BaseAddress([index as u8 + 1; 20]),
        account: testing::user(1),
        commit: CommitIndex(1),
    }
}

/// Of trees with two withdrawals, of which an account has the second, and with something at the places 0 and 2.
pub fn generation(height: u64, whole: bool) -> Generation {
    let leaves = [exit(0).leaf(), [0; 32], exit(2).leaf()];
    let proof = |place: usize| tree_proof(&leaves, place).unwrap();
    let statement = Statement {
        exit_root: tree_root_of(leaves[0], 0, &proof(0)),
        ..testing::statement(height)
    };
    let content = match whole {
        true => Content::Whole(vec![exit(0), exit(2)], 3),
        false => {
            let places = (0..3).map(|place| KeptPlace {
                place,
                exit: (place != 1).then(|| exit(place)),
                siblings: proof(place as usize).to_vec(),
            });
            Content::Places(places.collect())
        }
    };
    let given_up = [withdrawal(0), withdrawal(1)];
    let leaves = given_up.map(|w| w.leaf());
    let proven = (0..2)
        .filter(|i| whole || *i == 1)
        .map(|i| ProvenWithdrawal {
            withdrawal: given_up[i],
            siblings: match whole {
                true => vec![],
                false => tree_proof(&leaves, i).unwrap().to_vec(),
            },
        });
    let withdrawals = KeptWithdrawals::new(proven.collect(), whole);
    let statement = Statement {
        withdrawals_root: tree_root_of(leaves[0], 0, &tree_proof(&leaves, 0).unwrap()),
        ..statement
    };
    Generation::new(statement, Checked::Certificate, content, withdrawals).unwrap()
}

pub fn kept(height: u64, whole: bool) -> Kept {
    Kept::new(&testing::genesis(4), vec![], generation(height, whole))
}

fn heights(kept: &Kept) -> Vec<u64> {
    let all = kept.generations().iter();
    all.map(|g| g.statement.height.0).collect()
}

#[test]
fn a_file_is_read_as_it_was_written_and_proves_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    for (name, whole) in [("some", false), ("all", true)] {
        let path = folder.path().join(name);
        assert!(kept(5, whole).write(&path, ALL).unwrap());
        let read = Kept::read(&path).unwrap();
        let newest = read.newest();
        assert!(newest.is_same(&generation(5, whole)) && newest.is_whole() == whole);
        for place in 0..3 {
            let proven = newest.proven(place).unwrap();
            let root = tree_root_of(proven.leaf().0, place, &proven.siblings);
            assert_eq!(root, newest.statement.exit_root, "{place}");
            assert_eq!(proven.exit, (place != 1).then(|| exit(place)));
        }
        assert_eq!(newest.proven(3), None);
        assert_eq!(newest.exits().count(), 2);
        assert_eq!(newest.claim(0).is_some(), whole);
        let claim = newest.claim(1).unwrap();
        let root = tree_root_of(claim.withdrawal.leaf(), 1, &claim.siblings);
        assert_eq!(root, newest.statement.withdrawals_root);
        assert_eq!(newest.claim(2), None);
    }
}

#[test]
fn older_checkpoints_stay_beside_a_newer_one_and_do_not_come_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    assert!(kept(5, false).write(&path, ALL).unwrap());
    let mut older = kept(4, false);
    assert!(!older.write(&path, ALL).unwrap());
    assert_eq!(heights(&older), [5], "what is there");
    assert!(!kept(5, false).write(&path, ALL).unwrap(), "the same again");
    assert!(kept(6, false).write(&path, ALL).unwrap());
    assert!(kept(9, false).write(&path, ALL).unwrap());
    let read = Kept::read(&path).unwrap();
    assert_eq!(heights(&read), [9, 6, 5]);
    assert!(read.generations().iter().all(|g| g.proven(2).is_some()));

    let mut other = kept(10, false);
    other.generations[0].statement.network.chain_id += 1;
    assert_eq!(other.write(&path, ALL).unwrap_err().kind, Kind::Usage);
    let whole = kept(10, true).write(&path, ALL).unwrap_err();
    assert_eq!(whole.kind, Kind::Usage);
    std::fs::write(&path, "{}").unwrap();
    let foreign = kept(8, false).write(&path, ALL);
    assert!(foreign.is_err(), "somebody's other file");
}

#[test]
fn a_file_has_so_many_checkpoints_and_always_one_that_is_old_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let few = Retention {
        most: 4,
        hold: Millis(3),
    };
    for height in 1..=10 {
        kept(height, false).write(&path, few).unwrap();
    }
    assert_eq!(heights(&Kept::read(&path).unwrap()), [10, 9, 8, 7]);

    // Kept far more often than anything gets old.
    let path = folder.path().join("often.json");
    let hold = 1_000;
    let often = Retention {
        most: 4,
        hold: Millis(hold),
    };
    for height in 1..=5_000 {
        let mut now = kept(height, false);
        if height % 50 == 0 || height > 4_990 {
            now.write(&path, often).unwrap();
            let heights = heights(&now);
            assert!(heights.len() <= 4 && heights[0] == height);
            let oldest = heights.last().unwrap();
            assert!(height < hold || height - oldest >= hold / 2, "{heights:?}");
            assert!(height - oldest <= 2 * hold, "{heights:?}");
        }
    }
    let one = Retention {
        most: 1,
        hold: Millis(hold),
    };
    let mut newest = kept(6_000, false);
    newest.write(&path, one).unwrap();
    assert_eq!(heights(&newest), [6_000]);
}

#[test]
fn what_does_not_lead_to_the_root_proves_nothing() {
    type Break = fn(&mut serde_json::Value);
    let places = "/generations/0/places";
    let broken: [(bool, Break); 5] = [
        (false, |k| {
            *k.pointer_mut("/generations/0/places/0/exit/owner").unwrap() =
                BaseAddress([8; 20]).to_string().into()
        }),
        (false, |k| {
            *k.pointer_mut("/generations/0/places/2/siblings/3").unwrap() =
                Root([1; 32]).to_string().into()
        }),
        (false, |k| {
            drop(
                k.pointer_mut("/generations/0/places/2/siblings")
                    .unwrap()
                    .as_array_mut()
                    .unwrap()
                    .pop(),
            )
        }),
        (true, |k| {
            *k.pointer_mut("/generations/0/statement/exit_root").unwrap() =
                Root([1; 32]).to_string().into()
        }),
        (true, |k| {
            *k.pointer_mut("/generations/0/whole").unwrap() = 2.into()
        }),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    for (whole, break_it) in broken {
        let mut json = serde_json::to_value(kept(5, whole)).unwrap();
        assert!(json.pointer(places).is_some());
        break_it(&mut json);
        std::fs::write(&path, json.to_string()).unwrap();
        let read = Kept::read(&path).unwrap();
        assert!(read.newest().sound().is_err(), "{json}");
        assert_eq!(read.newest().proven(0), None);
    }
}

#[test]
fn k5_a_file_of_the_version_without_withdrawals_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let mut old = serde_json::to_value(kept(5, false)).unwrap();
    old["version"] = 2.into();
    let generation = old.pointer_mut("/generations/0").unwrap();
    generation.as_object_mut().unwrap().remove("withdrawals");
    std::fs::write(&path, old.to_string()).unwrap();
    let read = Kept::read(&path).unwrap();
    assert!(read.newest().proven(0).is_some());
    assert_eq!(read.newest().withdrawals().count(), 0);
    assert!(kept(5, false).write(&path, ALL).unwrap(), "it has more");
    assert!(kept(6, false).write(&path, ALL).unwrap());
    let read = Kept::read(&path).unwrap();
    assert_eq!((read.version, heights(&read)), (3, vec![6, 5]));
    assert_eq!(read.newest().withdrawals().count(), 1);
}

#[test]
fn a_file_of_another_version_or_in_disorder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let refused = |json: &serde_json::Value| {
        std::fs::write(&path, json.to_string()).unwrap();
        Kept::read(&path).unwrap_err().message
    };
    let whole = || serde_json::to_value(kept(5, false)).unwrap();
    let mut old = whole();
    old["version"] = 1.into();
    assert!(refused(&old).contains("version 1"));
    let mut empty = whole();
    empty["generations"] = serde_json::json!([]);
    assert!(refused(&empty).contains("0 checkpoints"));
    let mut twice = whole();
    let again = twice["generations"][0].clone();
    twice["generations"].as_array_mut().unwrap().push(again);
    assert!(refused(&twice).contains("order"));
    let mut foreign = whole();
    foreign["chain_id"] = 1.into();
    assert!(refused(&foreign).contains("network"));
}

#[test]
fn one_that_the_vault_pays_by_comes_beside_newer_ones_that_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    for height in [5, 6, 9] {
        assert!(kept(height, false).write(&path, ALL).unwrap());
    }
    let mut older = kept(7, false);
    assert!(older.insert(&path, ALL).unwrap());
    assert_eq!(heights(&older), [9, 7, 6, 5]);
    assert!(
        !kept(7, false).insert(&path, ALL).unwrap(),
        "the same again"
    );
    let few = Retention { most: 2, ..ALL };
    let mut older = kept(8, false);
    assert!(older.insert(&path, few).unwrap());
    assert_eq!(heights(&older), [9, 8]);
    assert!(Kept::read(&path).is_ok());
}
