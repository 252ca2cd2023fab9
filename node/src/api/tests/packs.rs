use super::harness::{Node, clock, signed};
use super::world::{World, native};
use weft_types::api::{Deal, DealState, Kept, ProblemCode, ProofBundle};
use weft_types::*;

const SECRET: DrawSecret = DrawSecret([5; 32]);

/// A series of user 2, of one pack, that user 3 has bought; with its lot.
async fn sealed(node: &Node) -> DealId {
    let world = World::make(node).await;
    let terms = NewDeal {
        gives: Bundle {
            assets: native(500),
            items: vec![world.gold(1)],
        },
        wants: Bundle {
            assets: native(500),
            items: vec![],
        },
        expires: clock().saturating_add(60_000),
        rule: DealRule::Draw(Series {
            packs: 1,
            commitment: draw_commitment(&testing::user(2), &SECRET),
            reveal: Millis(60_000),
        }),
        ..NewDeal::default()
    };
    let open = signed(2, 1, vec![Operation::DealOpen(terms)]);
    let deal = DealId::derive(&open.id(), 0);
    node.done(&open).await;
    let buy = Operation::DealTake(Taking::pack(deal, Entropy([7; 32])));
    node.done(&signed(3, 1, vec![buy])).await;
    node.commit();
    node.commit();
    deal
}

/// So much later that a height has the lot; it is certified.
fn settle(node: &Node) -> Height {
    node.commit_at(clock().saturating_add(1_000));
    node.certify()
}

async fn reveal(node: &Node, nonce: u64, deal: DealId) -> Option<u32> {
    let secret = SECRET;
    let reveal = Operation::Reveal { deal, secret };
    node.done(&signed(4, nonce, vec![reveal])).await.code
}

/// The drawing that the proof shows, which holds against the committee.
fn proven(node: &Node, bundle: &ProofBundle) -> Drawing {
    let genesis = &node.state.genesis;
    let certificate = Certificate::try_from(bundle.certificate.clone()).unwrap();
    let committee = genesis.committee().unwrap();
    let certificate = certificate.verify(&genesis.network, &committee).unwrap();
    let value = hex::decode(bundle.value.as_ref().unwrap()).unwrap();
    let (root, key) = (certificate.statement.state_root, bundle.object.state_key());
    bundle.proof.verify(&root, &key, Some(&value)).unwrap();
    let object = Object::decode(&bundle.object, value.into()).unwrap();
    object.as_deal().unwrap().drawing.clone().unwrap()
}

#[tokio::test]
async fn l47_the_proof_of_a_sealed_series_is_there_when_it_is_drawn_and_after_a_restart() {
    let node = Node::start();
    let deal = sealed(&node).await;
    let path = format!("/v1/deals/{deal}/proof");
    let early = FailureCode::NoLot.number();
    assert_eq!(reveal(&node, 1, deal).await, Some(early));
    let height = settle(&node);
    let open: ProofBundle = node.get(&path).await.json();
    assert_eq!(open.kept, Some(Kept::ForLater));
    assert_eq!(reveal(&node, 2, deal).await, Some(0));
    assert!(node.certify() > height);
    for node in [node.restarted(), node] {
        let drawn: Deal = node.get(&format!("/v1/deals/{deal}")).await.json();
        assert_eq!(drawn.state, DealState::Taken);
        let past: ProofBundle = node.get(&path).await.json();
        assert_eq!(past.kept, Some(Kept::Past));
        assert_eq!(past.certificate, open.certificate);
        let (was, is) = (proven(&node, &past), drawn.drawing.unwrap());
        assert_eq!((was.lot, was.packs, was.secret), (is.lot, is.packs, None));
        assert_eq!(is.secret, Some(SECRET));
    }
}

#[tokio::test]
async fn l47_a_node_that_has_no_proof_of_a_drawn_series_says_so_and_proves_no_absence() {
    let node = Node::start();
    let deal = sealed(&node).await;
    settle(&node);
    assert_eq!(reveal(&node, 1, deal).await, Some(0));
    node.certify();
    let row = crate::index::proven_key(&deal);
    let rows = [(row, None)];
    let store = &node.state.store;
    let durability = weft_storage::Durability::Buffered;
    store.write_indexes(&rows, durability).unwrap();
    let path = format!("/v1/deals/{deal}/proof");
    let problem = node.get(&path).await.problem(ProblemCode::NotFound);
    assert!(
        problem.detail.contains("sealed series"),
        "{}",
        problem.detail
    );
    // A deal that never was is proven not to be there.
    let none = format!("/v1/deals/{}/proof", "7".repeat(64));
    let none: ProofBundle = node.get(&none).await.json();
    assert_eq!((none.value, none.kept), (None, None));
}
