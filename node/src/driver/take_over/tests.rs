use super::*;
use tempfile::TempDir;

/// A data folder with these databases; each is a file that says where it was.
fn data(folders: &[&str]) -> TempDir {
    let data = tempfile::tempdir().unwrap();
    for name in folders {
        let folder = data.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("was"), name).unwrap();
    }
    data
}

/// What is left, and what the database was before.
fn left(data: &TempDir) -> (Vec<String>, Option<String>) {
    let names = std::fs::read_dir(data.path()).unwrap();
    let names = names.map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    let was = std::fs::read_to_string(data.path().join(DATABASE).join("was"));
    (names, was.ok())
}

#[test]
fn s2_a_crash_at_any_step_leaves_the_old_database_or_the_new_one() {
    for (found, adopts, was) in [
        (&[][..], false, None),
        (&[DATABASE], false, Some(DATABASE)),
        (&[DATABASE, PART], false, Some(DATABASE)),
        (&[PART], false, None),
        (&[DATABASE, NEW], true, Some(NEW)),
        (&[DATABASE, NEW, OLD], true, Some(NEW)),
        (&[OLD, NEW], true, Some(NEW)),
        (&[NEW], true, Some(NEW)),
        (&[DATABASE, OLD], false, Some(DATABASE)),
    ] {
        let data = data(found);
        assert_eq!(adopt(data.path()).unwrap(), adopts, "{found:?}");
        let (names, found_was) = left(&data);
        assert_eq!(found_was.as_deref(), was, "{found:?}");
        let expected: &[&str] = if was.is_some() { &[DATABASE] } else { &[] };
        assert_eq!(names, expected, "{found:?}");
        assert!(!adopt(data.path()).unwrap(), "once is enough");
    }
}

mod whole {
    use super::*;
    use crate::driver::restore::Standing;
    use crate::driver::restore::{first_commit, restore};
    use crate::replica::sync::Synced;
    use crate::replica::sync::testing::{Chain, Server, run};
    use std::sync::Arc;
    use weft_storage::Kept;
    use weft_types::testing::{committee, genesis, network};
    use weft_types::{ContentHash, Genesis, Round};

    fn taken_over(chain: &Chain) -> Synced {
        let ran = run(chain, &[Server::Honest; 4], 60_000);
        ran.synced.unwrap_or_else(|| panic!("{}", ran.notes))
    }

    fn genesis_of(chain: &Chain) -> Genesis {
        let mut genesis = genesis(4);
        genesis.network = network();
        genesis.template.params = chain.terms().params;
        genesis
    }

    /// The receipts reach further back than the commits, and a restart has to find them all (O4).
    #[test]
    fn s2_a_restart_on_what_was_taken_over_remembers_what_the_others_remember() {
        let chain = Chain::new(300, 80);
        let synced = taken_over(&chain);
        let (first, height) = (synced.commits[0].index, synced.certificate.statement.height);
        let state_root = synced.snapshot.root();
        let data = tempfile::tempdir().unwrap();
        let before = Store::open(&data.path().join(DATABASE), network().id()).unwrap();
        // A4: what the ledger names of it may be nowhere else.
        let image = ContentHash::of(b"image");
        let put = before.put_content(&image, b"image", 9, Durability::Buffered);
        assert_eq!(put.unwrap(), Kept::Now);
        store_aside(data.path(), network().id(), 20, &before, &synced).unwrap();
        drop(before);
        assert!(adopt(data.path()).unwrap());

        let store = Store::open(&data.path().join(DATABASE), network().id()).unwrap();
        let kept = store.content(&image).unwrap();
        assert_eq!(kept.as_deref(), Some(&b"image"[..]));
        assert_eq!(first_commit(&store).unwrap(), first);
        let genesis = genesis_of(&chain);
        let standing = Standing {
            committee: Arc::new(committee(4)),
            earlier: Vec::new(),
            after: CommitIndex::ZERO,
        };
        let restored = restore(&store, &genesis, &standing, None, Ok(Round::ZERO)).unwrap();
        assert_eq!(restored.ledger.snapshot().root(), state_root);
        let certificate = restored.certificate.unwrap();
        assert_eq!(certificate.statement.height, height);
        let remembered = chain.remembered_at(height);
        assert!(
            remembered
                .iter()
                .filter(|t| chain.commit_of(t) < first)
                .count()
                > 5,
            "some are older than the commits"
        );
        for transaction in remembered {
            assert!(restored.ledger.remembers(&transaction));
        }
    }
}
