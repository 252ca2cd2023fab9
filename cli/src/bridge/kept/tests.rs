use super::*;
use weft_types::testing;
use weft_types::{Amount, BaseAddress, BaseAsset};

fn exit(place: u64) -> Exit {
    Exit {
        place,
        asset: BaseAsset::Native {
            amount: Amount(place + 1),
        },
        owner: BaseAddress([7; 20]),
    }
}

/// Of a tree with something at the places 0 and 2.
fn kept(height: u64, whole: bool) -> Kept {
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
    Kept::new(&testing::genesis(4), vec![], statement, content).unwrap()
}

#[test]
fn a_file_is_read_as_it_was_written_and_proves_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    for (name, whole) in [("some", false), ("all", true)] {
        let (path, kept) = (folder.path().join(name), kept(5, whole));
        assert!(kept.write(&path).unwrap());
        assert_eq!(Kept::read(&path).unwrap(), kept);
        for place in 0..3 {
            let proven = kept.proven(place).unwrap();
            let root = tree_root_of(proven.leaf().0, place, &proven.siblings);
            assert_eq!(root, kept.statement.exit_root, "{place}");
            assert_eq!(proven.exit, (place != 1).then(|| exit(place)));
        }
        assert_eq!(kept.proven(3), None);
        assert_eq!(kept.exits().count(), 2);
    }
}

#[test]
fn an_older_checkpoint_does_not_replace_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    assert!(kept(5, false).write(&path).unwrap());
    assert!(!kept(4, false).write(&path).unwrap());
    assert!(!kept(5, false).write(&path).unwrap(), "the same again");
    assert!(kept(6, false).write(&path).unwrap());
    assert_eq!(Kept::read(&path).unwrap().statement.height.0, 6);
    let mut other = kept(7, false);
    other.statement.network.chain_id += 1;
    assert_eq!(other.write(&path).unwrap_err().kind, Kind::Usage);
    std::fs::write(&path, "{}").unwrap();
    assert!(
        kept(8, false).write(&path).is_err(),
        "somebody's other file"
    );
}

#[test]
fn what_does_not_lead_to_the_root_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let broken: [fn(&mut Kept); 4] = [
        |k| k.places[0].exit.as_mut().unwrap().owner = BaseAddress([8; 20]),
        |k| k.places[2].siblings[3] = Root([1; 32]),
        |k| k.places[2].siblings.truncate(31),
        |k| k.statement.exit_root = Root([1; 32]),
    ];
    for break_it in broken {
        let mut kept = kept(5, false);
        break_it(&mut kept);
        std::fs::write(&path, serde_json::to_string(&kept).unwrap()).unwrap();
        assert_eq!(Kept::read(&path).unwrap_err().kind, Kind::Invalid);
    }
    let mut whole = kept(5, true);
    whole.whole = Some(2);
    std::fs::write(&path, serde_json::to_string(&whole).unwrap()).unwrap();
    assert_eq!(Kept::read(&path).unwrap_err().kind, Kind::Invalid);
}
