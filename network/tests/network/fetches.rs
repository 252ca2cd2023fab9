use crate::common::*;
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use weft_network::{Event, FetchError, MemberIndex};

const FETCH_TIMEOUT: Duration = Duration::from_millis(700);

/// Two members with small limits.
async fn pair() -> (Node, Node) {
    let mut nodes = cluster_with(2, |_, config| {
        config.limits.fetch_timeout = FETCH_TIMEOUT;
        config.limits.fetch_request_bytes_max = 100;
        config.limits.fetch_answer_bytes_max = 1 << 20;
        config.limits.fetches_in_flight_max = 2;
    })
    .await;
    let second = nodes.remove(1);
    (nodes.remove(0), second)
}

/// Asks member 1.
fn ask(node: &Node, request: &'static [u8]) -> JoinHandle<Result<Bytes, FetchError>> {
    let handle = node.handle.clone();
    tokio::spawn(async move { handle.fetch(MemberIndex(1), request.into()).await })
}

async fn answer_of(asked: JoinHandle<Result<Bytes, FetchError>>) -> Result<Bytes, FetchError> {
    within("an answer", asked).await.expect("the task ends")
}

/// The next request that reaches the node.
async fn request(node: &mut Node) -> (u32, Bytes, oneshot::Sender<Bytes>) {
    loop {
        if let Event::Fetch {
            from,
            request,
            reply,
        } = node.next().await
        {
            return (from.0, request, reply);
        }
    }
}

#[tokio::test]
async fn a_fetch_brings_the_answer_of_the_member_asked() {
    let (asker, mut server) = pair().await;
    for answer in [vec![], vec![7; 1], vec![9; 1 << 20]] {
        let asked = ask(&asker, b"what was there");
        let (from, bytes, reply) = request(&mut server).await;
        assert_eq!((from, &bytes[..]), (0, &b"what was there"[..]));
        reply.send(answer.clone().into()).expect("still waiting");
        assert_eq!(answer_of(asked).await, Ok(answer.into()));
    }
    eventually("the count", || server.peer(0).fetches_answered == 3).await;
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn answers_belong_to_their_requests() {
    let (asker, mut server) = pair().await;
    let (one, two) = (ask(&asker, b"one"), ask(&asker, b"two"));
    let first = request(&mut server).await;
    let second = request(&mut server).await;
    for (_, request, reply) in [second, first] {
        reply.send(request).expect("still waiting");
    }
    assert_eq!(answer_of(one).await, Ok(Bytes::from_static(b"one")));
    assert_eq!(answer_of(two).await, Ok(Bytes::from_static(b"two")));
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn without_an_answer_a_fetch_times_out() {
    let (asker, mut server) = pair().await;
    let asked = ask(&asker, b"?");
    let kept = request(&mut server).await;
    assert_eq!(
        answer_of(asked).await,
        Err(FetchError::Timeout(FETCH_TIMEOUT))
    );
    eventually("the count", || server.peer(0).fetches_refused == 1).await;
    drop(kept);
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn a_member_may_refuse_to_answer() {
    let (asker, mut server) = pair().await;
    let asked = ask(&asker, b"?");
    drop(request(&mut server).await);
    let refused = Err(FetchError::Refused(MemberIndex(1)));
    assert_eq!(answer_of(asked).await, refused);
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn requests_and_answers_have_their_limits() {
    let (asker, mut server) = pair().await;
    let too_long = FetchError::RequestTooLong {
        bytes: 101,
        bytes_max: 100,
    };
    assert_eq!(answer_of(ask(&asker, &[0; 101])).await, Err(too_long));

    let asked = ask(&asker, &[0; 100]);
    let (_, _, reply) = request(&mut server).await;
    reply
        .send(vec![0; (1 << 20) + 1].into())
        .expect("still waiting");
    let refused = Err(FetchError::Refused(MemberIndex(1)));
    assert_eq!(answer_of(asked).await, refused);
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn limits_hold_against_a_peer_that_does_not_keep_them() {
    let mut nodes = cluster_with(2, |index, config| {
        if index == 0 {
            config.limits.fetch_answer_bytes_max = 1000;
        } else {
            config.limits.fetch_request_bytes_max = 1000;
        }
    })
    .await;
    let (mut server, asker) = (nodes.remove(1), nodes.remove(0));
    assert!(answer_of(ask(&asker, &[0; 1001])).await.is_err());
    assert_eq!(server.peer(0).oversized, 1);

    let asked = ask(&asker, b"?");
    let (_, _, reply) = request(&mut server).await;
    reply.send(vec![0; 1001].into()).expect("still waiting");
    let too_long = FetchError::AnswerTooLong {
        bytes: 1001,
        bytes_max: 1000,
    };
    assert_eq!(answer_of(asked).await, Err(too_long));
    assert_eq!(asker.peer(1).oversized, 1);
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn only_so_many_fetches_are_under_way_with_one_member() {
    let (asker, mut server) = pair().await;
    let one = ask(&asker, b"one");
    let kept = request(&mut server).await;
    let two = ask(&asker, b"two");
    let _also_kept = request(&mut server).await;
    assert_eq!(answer_of(ask(&asker, b"?")).await, Err(FetchError::Busy(2)));

    kept.2.send(kept.1).expect("still waiting");
    assert!(answer_of(one).await.is_ok());
    let three = ask(&asker, b"three");
    let (_, _, reply) = request(&mut server).await;
    reply.send(Bytes::new()).expect("still waiting");
    assert!(answer_of(three).await.is_ok());
    assert!(answer_of(two).await.is_err());
    shut_down(vec![asker, server]).await;
}

#[tokio::test]
async fn a_member_that_is_not_connected_cannot_be_asked() {
    let asker = Node::start(member(0, 2)).await;
    let not_connected = Err(FetchError::NotConnected(MemberIndex(1)));
    assert_eq!(answer_of(ask(&asker, b"?")).await, not_connected);
    let nobody = asker.handle.fetch(MemberIndex(7), Bytes::new());
    assert_eq!(nobody.await, Err(FetchError::NoPeer(MemberIndex(7))));
    shut_down(vec![asker]).await;
}
