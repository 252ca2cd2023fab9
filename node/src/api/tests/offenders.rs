//! V8: offenders are shown with what their bonds are taken by.

use super::harness::Node;
use weft_storage::Durability;
use weft_types::api::{Commit, OffenderStatus, Offenders, ProblemCode};
use weft_types::{CommitIndex, Epoch, Offender, Root, Round, TREE_DEPTH, tree_root_of};

#[tokio::test]
async fn nobody_is_an_offender_at_first() {
    let node = Node::start();
    let offenders: Offenders = node.get("/v1/offenders").await.json();
    assert_eq!(offenders.offenders, []);
    assert_ne!(offenders.root, Root::ZERO);
    let answer = node.get("/v1/offenders/3").await;
    answer.problem(ProblemCode::NotFound);
    let answer = node.get("/v1/offenders/three").await;
    answer.problem(ProblemCode::MalformedParameter);
}

#[tokio::test]
async fn an_offender_is_proven_by_the_first_checkpoint_that_has_it() {
    let node = Node::start();
    node.accuse(2, 9);
    node.commit();
    let convicted = Offender {
        id: 3,
        epoch: Epoch::ZERO,
        round: Round(9),
        commit: CommitIndex(1),
    };
    let status: OffenderStatus = node.get("/v1/offenders/3").await.json();
    assert_eq!((status.offender, status.index), (convicted, 0));
    assert_eq!(status.claim, None, "nothing is posted");
    let first = node.certify();
    // A second conviction, and a later checkpoint, change nothing about the first.
    node.accuse(0, 4);
    node.commit();
    let second = node.certify();
    for height in [first, second] {
        let store = &node.state.store;
        store
            .put_checkpoint(height, b"posted", Durability::Buffered)
            .unwrap();
    }
    for (id, height) in [(3, first), (1, second)] {
        let path = format!("/v1/offenders/{id}");
        let status: OffenderStatus = node.get(&path).await.json();
        let claim = status.claim.unwrap();
        assert_eq!(claim.height, height);
        assert_eq!(status.slashed, Some(id == 3));
        let siblings: [Root; TREE_DEPTH] = claim.siblings.try_into().unwrap();
        let root = tree_root_of(status.offender.leaf(), status.index, &siblings);
        assert_eq!(root, claim.statement.offenders_root);
    }
    let offenders: Offenders = node.get("/v1/offenders").await.json();
    let ids: Vec<u64> = offenders.offenders.iter().map(|o| o.id).collect();
    assert_eq!(ids, [3, 1]);
    assert_eq!(offenders.slashed, Some(vec![3]));
}

#[tokio::test]
async fn a_commit_says_who_is_convicted() {
    let node = Node::start();
    node.commit();
    let commit: Commit = node.get("/v1/commits/1").await.json();
    assert_eq!(commit.convicted, []);
}
