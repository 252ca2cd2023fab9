use super::*;
use crate::driver::engine::COMMANDS_MAX;
use crate::driver::testing::NETWORK;
use std::time::Duration;
use tokio::time::timeout;
use weft_types::testing::{committee, vertex_key};
use weft_types::{Epoch, Millis, Observation, Round, VertexBody};

/// Long enough for what does not wait.
const SOON: Duration = Duration::from_millis(300);
const AUTHOR: MemberIndex = MemberIndex(0);

/// A vertex of round 1, another one for each number.
fn signed(number: u64) -> Bytes {
    let parent = |i| Vertex::genesis(NETWORK, Epoch::ZERO, MemberIndex(i)).reference();
    let body = VertexBody {
        network: NETWORK,
        epoch: Epoch::ZERO,
        round: Round(1),
        author: AUTHOR,
        timestamp: Millis(1_000 + number),
        parents: (0..4).map(parent).collect(),
        weak_links: Vec::new(),
        transactions: Vec::new(),
        shares: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
    };
    Vertex::sign(body, vec![], &vertex_key(0)).encode()
}

fn verifier(commands: Commands) -> Verifier {
    let metrics = Arc::new(Metrics::new());
    Verifier::new(NETWORK, Arc::new(committee(4)), commands, metrics)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vertex_waits_until_the_replica_has_handled_what_fills_the_room() {
    let (commands, mut inbox) = mpsc::channel(COMMANDS_MAX);
    let of_one = Vertex::decode(signed(0)).unwrap().size();
    let verifier = Verifier {
        room: Arc::new(Semaphore::new(of_one)),
        ..verifier(commands)
    };
    for number in 0..2 {
        verifier.vertex(AUTHOR, signed(number)).await;
    }
    let first = inbox.recv().await.unwrap();
    assert!(timeout(SOON, inbox.recv()).await.is_err(), "no room");
    drop(first);
    assert!(inbox.recv().await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_waits_while_all_verifiers_wait_for_the_replica() {
    let (commands, mut inbox) = mpsc::channel(1);
    let verifier = verifier(commands);
    // One is with the replica, the others take all places.
    let places = verifier.places.available_permits() as u64;
    for number in 0..=places {
        verifier.vertex(AUTHOR, signed(number)).await;
    }
    let mut late = std::pin::pin!(verifier.vertex(AUTHOR, signed(99)));
    assert!(timeout(SOON, &mut late).await.is_err(), "a place was free");
    for _ in 0..=places {
        assert!(inbox.recv().await.is_some());
    }
    late.await;
    assert!(inbox.recv().await.is_some());
}
