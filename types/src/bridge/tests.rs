//! Against `bridge.json`, which another implementation made and the vault is tested with too.

use super::*;
use crate::feed::{Feed, FeedReport};
use serde_json::Value;

fn fixture() -> Value {
    let text = include_str!("../../../basechain/contracts/test/fixtures/bridge.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn text<'v>(entry: &'v Value, field: &str) -> &'v str {
    entry[field].as_str().expect("a text")
}

fn root(entry: &Value, field: &str) -> Root {
    text(entry, field).parse().expect("32 bytes")
}

fn base_address(entry: &Value, field: &str) -> BaseAddress {
    text(entry, field).parse().expect("20 bytes")
}

fn asset(entry: &Value) -> BaseAsset {
    let amount = || {
        let digits = text(entry, "value").trim_start_matches("0x");
        Amount(u64::from_str_radix(digits, 16).expect("64 bits"))
    };
    let token = base_address(entry, "token");
    match entry["kind"].as_u64() {
        Some(0) => BaseAsset::Native { amount: amount() },
        Some(1) => BaseAsset::Erc20 {
            token,
            amount: amount(),
        },
        _ => BaseAsset::Erc721 {
            token,
            id: text(entry, "value").parse().expect("32 bytes"),
        },
    }
}

fn withdrawals(fixture: &Value) -> Vec<Withdrawal> {
    let entries = fixture["withdrawals"].as_array().expect("a list").iter();
    let entries = entries.zip(0..).map(|(entry, index)| Withdrawal {
        index,
        asset: asset(entry),
        recipient: base_address(entry, "recipient"),
        account: Address::ZERO,
        commit: CommitIndex::ZERO,
    });
    entries.collect()
}

#[test]
fn deposits_have_the_digests_of_the_fixture() {
    let fixture = fixture();
    let mut digest = Deposit::digest_start();
    assert_eq!(digest, root(&fixture, "depositsStart"));
    let entries = fixture["deposits"].as_array().expect("a list");
    for (entry, index) in entries.iter().zip(1..) {
        let deposit = Deposit {
            asset: asset(entry),
            sender: base_address(entry, "sender"),
            account: Address(root(entry, "account").0),
        };
        digest = deposit.extend(&digest, index);
        assert_eq!(digest, root(entry, "digest"), "deposit {index}");
    }
}

#[test]
fn the_tree_of_withdrawals_has_the_roots_and_proofs_of_the_fixture() {
    let fixture = fixture();
    let mut tree = AppendTree::default();
    assert_eq!(tree.root(), root(&fixture, "emptyRoot"));
    let all = withdrawals(&fixture);
    for withdrawal in &all {
        let entry = &fixture["withdrawals"][withdrawal.index as usize];
        assert_eq!(Root(withdrawal.leaf()), root(entry, "leaf"));
        tree.push(withdrawal.leaf());
        assert_eq!(tree.root(), root(entry, "root"), "{}", withdrawal.index);
    }
    let leaves: Vec<_> = all.iter().map(Withdrawal::leaf).collect();
    for withdrawal in &all {
        let index = withdrawal.index as usize;
        let proof = tree_proof(&leaves, index).expect("there is such a leaf");
        let expected: Vec<Root> =
            serde_json::from_value(fixture["proofs"][index].clone()).expect("roots");
        assert_eq!(proof[..], expected[..]);
        let proven = tree_root_of(withdrawal.leaf(), withdrawal.index, &proof);
        assert_eq!(proven, tree.root());
        assert_ne!(
            tree_root_of(withdrawal.leaf(), withdrawal.index ^ 1, &proof),
            tree.root()
        );
    }
    assert_eq!(tree_proof(&leaves, leaves.len()), None);
}

#[test]
fn the_exit_tree_has_the_leaves_and_proofs_of_the_fixture() {
    let fixture = fixture();
    let entries = fixture["exits"].as_array().expect("a list");
    let mut leaves = Vec::new();
    for (entry, place) in entries.iter().zip(0..) {
        let leaf = root(entry, "leaf").0;
        if entry.get("owner").is_some() {
            let exit = Exit {
                place,
                asset: asset(entry),
                owner: base_address(entry, "owner"),
            };
            assert_eq!(exit.leaf(), leaf, "{place}");
        }
        leaves.push(leaf);
    }
    assert!(leaves.contains(&[0; 32]), "one is empty");
    for (leaf, place) in leaves.iter().zip(0..) {
        let proof = tree_proof(&leaves, place).expect("there is such a leaf");
        let expected = fixture["exitProofs"][place].clone();
        let expected: Vec<Root> = serde_json::from_value(expected).expect("roots");
        assert_eq!(proof[..], expected[..]);
        let proven = tree_root_of(*leaf, place as u64, &proof);
        assert_eq!(proven, root(&fixture, "exitRoot"));
    }
}

#[test]
fn a_tree_is_made_of_its_own_peaks_only() {
    let mut tree = AppendTree::default();
    for leaf in 1..=6 {
        tree.push([leaf; 32]);
    }
    let peaks = tree.peaks().to_vec();
    assert_eq!(AppendTree::from_parts(6, peaks.clone()), Some(tree));
    assert_eq!(
        AppendTree::from_parts(7, peaks.clone()),
        None,
        "a peak is missing"
    );
    assert_eq!(
        AppendTree::from_parts(2, peaks.clone()),
        None,
        "a peak too many"
    );
    assert_eq!(
        AppendTree::from_parts(6, peaks[..2].to_vec()),
        None,
        "one is cut off"
    );
    assert_eq!(
        AppendTree::from_parts(1 << 33, vec![[1; 32]; 34]),
        None,
        "too deep"
    );
}

fn deposit(amount: u64) -> Deposit {
    Deposit {
        asset: BaseAsset::Native {
            amount: Amount(amount),
        },
        sender: BaseAddress([1; 20]),
        account: Address([2; 32]),
    }
}

#[test]
fn only_the_deposits_that_are_agreed_reach_what_is_agreed() {
    let deposits = [deposit(1), deposit(2)];
    let digest = deposits
        .iter()
        .zip(1..)
        .fold(Deposit::digest_start(), |d, (deposit, i)| {
            deposit.extend(&d, i)
        });
    let mut feed = Feed::new(Deposit::digest_start());
    assert!(!feed.reaches_agreed(&deposits), "nothing is agreed");
    let agreed = FeedReport { count: 2, digest };
    feed.agreed = Some(agreed);
    feed.report(7, agreed);
    feed.report(8, FeedReport { count: 3, digest });
    assert!(!feed.reaches_agreed(&deposits[..1]));
    assert!(!feed.reaches_agreed(&[deposit(2), deposit(1)]));
    assert!(!feed.reaches_agreed::<Deposit>(&[]));
    assert!(feed.reaches_agreed(&deposits));

    feed.take_agreed();
    assert_eq!((feed.processed, feed.digest), (2, digest));
    assert_eq!(feed.reports.len(), 1, "what is credited needs no report");
    assert!(
        !feed.reaches_agreed::<Deposit>(&[]),
        "nothing is agreed any more"
    );
}

#[test]
fn a_member_counts_once_by_its_newest_report() {
    let report = |count| FeedReport {
        count,
        digest: Root([1; 32]),
    };
    let mut feed = Feed::new(Deposit::digest_start());
    for (member, count) in [(3, 1), (1, 1), (3, 2), (3, 1), (2, 2)] {
        feed.report(member, report(count));
    }
    assert_eq!(feed.reporters(report(1)).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(feed.reporters(report(2)).collect::<Vec<_>>(), [2]);
}

#[test]
fn assets_of_the_bridge_have_names_of_their_own() {
    let (token, other) = (BaseAddress([1; 20]), BaseAddress([2; 20]));
    assert_eq!(AssetId::erc20(token).token(), Some(token));
    assert_eq!(AssetId::NATIVE.token(), None);
    assert_eq!(AssetId([1; 32]).token(), None);
    assert_ne!(CollectionId::erc721(token), CollectionId::erc721(other));
    let id = TokenId([3; 32]);
    assert_ne!(EditionId::erc721(token, &id), EditionId::erc721(other, &id));
    assert_ne!(
        EditionId::erc721(token, &id),
        EditionId::erc721(token, &TokenId([4; 32]))
    );
}

#[test]
fn an_asset_survives_the_wire_and_contradictions_do_not() {
    let fixture = fixture();
    for withdrawal in withdrawals(&fixture) {
        let wire = crate::wire::BaseAsset::from(&withdrawal.asset);
        assert_eq!(BaseAsset::try_from(&wire), Ok(withdrawal.asset));
        let amount = u64::from(wire.amount == 0);
        let wrong = crate::wire::BaseAsset { amount, ..wire };
        assert!(BaseAsset::try_from(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_whole_tree_proves_each_of_its_leaves_as_the_append_tree_has_them() {
    for count in [0, 1, 2, 3, 5, 8, 13] {
        let leaves: Vec<[u8; 32]> = (1..=count).map(|n| [n; 32]).collect();
        let mut appended = AppendTree::default();
        leaves.iter().for_each(|leaf| appended.push(*leaf));
        let tree = WholeTree::new(leaves.clone());
        assert_eq!(tree.root(), appended.root(), "{count}");
        for (leaf, place) in leaves.iter().zip(0..) {
            let proof = tree.prove(place).expect("there is such a leaf");
            assert_eq!(tree_root_of(*leaf, place, &proof), tree.root());
        }
        assert_eq!(tree.prove(u64::from(count)), None);
    }
}
