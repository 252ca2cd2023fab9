//! What observers may fetch of members, and what they may not take from anybody.

use crate::common::*;
use crate::outsiders::Outsider;
use bytes::Bytes;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::identity::Keypair;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use weft_network::{Event, FetchError, HistoryLimits, IdentitySeed, MemberIndex, Share};

const REFUSED: Result<Bytes, FetchError> = Err(FetchError::Refused(MemberIndex(0)));
/// More than any test takes.
const AMPLE: Share = Share {
    in_flight_max: 100,
    bytes_per_second: 1 << 30,
};

/// Member 0 of two with a change to what it gives observers.
async fn member_with(change: impl FnOnce(&mut HistoryLimits)) -> Node {
    let mut config = member(0, 2);
    config.limits.history = HistoryLimits {
        observer: AMPLE,
        address: AMPLE,
        total: AMPLE,
        ..HistoryLimits::default()
    };
    change(&mut config.limits.history);
    Node::start(config).await
}

/// Connected to the member. Asks for as much as it likes.
async fn observer_of(node: &Node, number: u8) -> Node {
    let mut config = observer(2);
    config.seed = IdentitySeed::new([number; 32]);
    config.limits.history.observer = AMPLE;
    introduce(&mut config, std::slice::from_ref(node));
    let observer = Node::start(config).await;
    observer.connected(0).await;
    observer
}

/// Asks member 0.
fn ask(node: &Node, request: &'static [u8]) -> JoinHandle<Result<Bytes, FetchError>> {
    let handle = node.handle.clone();
    tokio::spawn(async move { handle.fetch(MemberIndex(0), request.into()).await })
}

async fn answer_of(asked: JoinHandle<Result<Bytes, FetchError>>) -> Result<Bytes, FetchError> {
    within("an answer", asked).await.expect("the task ends")
}

/// The next request of an observer.
async fn request(node: &mut Node) -> (Bytes, oneshot::Sender<Bytes>) {
    loop {
        if let Event::History { request, reply } = node.next().await {
            return (request, reply);
        }
    }
}

/// Asks, and is answered by the member with so many bytes.
async fn served(observer: &Node, node: &mut Node, length: usize) {
    let asked = ask(observer, b"?");
    let (_, reply) = request(node).await;
    let answer = Bytes::from(vec![1; length]);
    reply.send(answer.clone()).expect("still waiting");
    assert!(answer_of(asked).await == Ok(answer));
}

#[tokio::test]
async fn an_observer_fetches_history_of_the_member_it_asks() {
    let mut node = member_with(|_| {}).await;
    let observer = observer_of(&node, 100).await;
    let longest = HistoryLimits::default().answer_bytes_max;
    for answer in [vec![], vec![7], vec![9; longest]] {
        let asked = ask(&observer, b"what was there");
        let (bytes, reply) = request(&mut node).await;
        assert_eq!(&bytes[..], b"what was there");
        reply.send(answer.clone().into()).expect("still waiting");
        assert!(answer_of(asked).await == Ok(answer.into()));
    }
    eventually("the count", || node.handle.stats().history_answered == 3).await;
    assert_eq!(node.handle.stats().history_bytes, 1 + longest as u64);
    assert_eq!(node.handle.stats().streams_refused, 0);
    shut_down(vec![node, observer]).await;
}

#[tokio::test]
async fn a_member_that_does_not_answer_refuses_at_once() {
    let mut node = member_with(|_| {}).await;
    let observer = observer_of(&node, 100).await;
    let asked = ask(&observer, b"?");
    let (_, reply) = request(&mut node).await;
    let since = Instant::now();
    drop(reply);
    assert_eq!(answer_of(asked).await, REFUSED);
    assert!(since.elapsed() < SHORT);
    eventually("the count", || node.handle.stats().history_refused == 1).await;
    shut_down(vec![node, observer]).await;
}

#[tokio::test]
async fn requests_and_answers_have_their_limits() {
    let mut node = member_with(|limits| {
        limits.request_bytes_max = 10;
        limits.answer_bytes_max = 1_000;
    })
    .await;
    let mut config = observer(2);
    config.limits.history.request_bytes_max = 20;
    config.limits.history.answer_bytes_max = 900;
    introduce(&mut config, std::slice::from_ref(&node));
    let observer = Node::start(config).await;
    observer.connected(0).await;

    let too_long = FetchError::RequestTooLong {
        bytes: 21,
        bytes_max: 20,
    };
    assert_eq!(answer_of(ask(&observer, &[0; 21])).await, Err(too_long));
    // The member reads no more than the length.
    assert!(answer_of(ask(&observer, &[0; 11])).await.is_err());
    assert!(node.events.try_recv().is_none());

    let asked = ask(&observer, &[0; 10]);
    let (_, reply) = request(&mut node).await;
    reply.send(vec![0; 1_001].into()).expect("still waiting");
    assert_eq!(answer_of(asked).await, REFUSED);

    // The observer does not believe a member's length either.
    let asked = ask(&observer, &[0; 10]);
    let (_, reply) = request(&mut node).await;
    reply.send(vec![0; 901].into()).expect("still waiting");
    let too_long = FetchError::AnswerTooLong {
        bytes: 901,
        bytes_max: 900,
    };
    assert_eq!(answer_of(asked).await, Err(too_long));
    shut_down(vec![node, observer]).await;
}

#[tokio::test]
async fn what_is_more_than_an_observers_share_is_refused_at_once_and_served_later() {
    let mut node = member_with(|limits| {
        limits.request_cost_bytes = 10_000;
        limits.burst = Duration::from_secs(1);
        limits.observer.bytes_per_second = 40_000;
    })
    .await;
    let greedy = observer_of(&node, 100).await;
    let modest = observer_of(&node, 101).await;
    served(&greedy, &mut node, 60_000).await;
    let since = Instant::now();
    assert_eq!(answer_of(ask(&greedy, b"?")).await, REFUSED);
    assert!(since.elapsed() < SHORT);
    served(&modest, &mut node, 30_000).await;
    assert_eq!(node.handle.stats().history_refused, 1);
    sleep(Duration::from_millis(700)).await;
    served(&greedy, &mut node, 1).await;
    shut_down(vec![node, greedy, modest]).await;
}

/// A key costs nothing, an address does.
#[tokio::test]
async fn observers_behind_one_address_share_its_places() {
    let mut node = member_with(|limits| {
        limits.observer.in_flight_max = 2;
        limits.address.in_flight_max = 3;
    })
    .await;
    let one = observer_of(&node, 100).await;
    let two = observer_of(&node, 101).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let asked = ask(&one, b"?");
        kept.push((asked, request(&mut node).await));
    }
    assert_eq!(answer_of(ask(&one, b"?")).await, REFUSED);
    let asked = ask(&two, b"?");
    kept.push((asked, request(&mut node).await));
    assert_eq!(answer_of(ask(&two, b"?")).await, REFUSED);

    let (asked, (_, reply)) = kept.remove(0);
    reply.send(Bytes::new()).expect("still waiting");
    assert!(answer_of(asked).await.is_ok());
    served(&two, &mut node, 1).await;
    drop(kept);
    shut_down(vec![node, one, two]).await;
}

/// All of what observers may have is taken, and none of it given back.
#[tokio::test]
async fn observers_cannot_starve_a_members_fetches() {
    let mut server = {
        let mut config = member(0, 2);
        config.limits.history.observer = AMPLE;
        config.limits.history.address = AMPLE;
        config.limits.history.total.in_flight_max = 4;
        Node::start(config).await
    };
    let mut config = member(1, 2);
    introduce(&mut config, std::slice::from_ref(&server));
    let member = Node::start(config).await;
    member.connected(0).await;
    let outsider = observer_of(&server, 100).await;
    let mut kept = Vec::new();
    for _ in 0..4 {
        let asked = ask(&outsider, b"?");
        kept.push((asked, request(&mut server).await));
    }
    for _ in 0..20 {
        assert_eq!(answer_of(ask(&outsider, b"?")).await, REFUSED);
        let asked = ask(&member, b"member's");
        let (from, reply) = loop {
            match server.next().await {
                Event::Fetch { from, reply, .. } => break (from, reply),
                Event::History { .. } => panic!("more than its places"),
                _ => {}
            }
        };
        assert_eq!(from, MemberIndex(1));
        let answer = Bytes::from(vec![3; 1 << 20]);
        reply.send(answer.clone()).expect("still waiting");
        assert!(answer_of(asked).await == Ok(answer));
    }
    assert_eq!(server.peer(1).fetches_refused, 0);
    drop(kept);
    shut_down(vec![server, member, outsider]).await;
}

#[tokio::test]
async fn a_stream_without_a_request_gives_its_place_back() {
    let mut node = member_with(|limits| {
        limits.request_timeout = Duration::from_millis(300);
        limits.total.in_flight_max = 1;
    })
    .await;
    let mut silent = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    let mut stream = silent.open("history/1").await.expect("admitted");
    // One byte of a length that goes on.
    stream.write_all(&[0x80]).await.expect("written");
    stream.flush().await.expect("written");
    let observer = observer_of(&node, 100).await;
    assert_eq!(answer_of(ask(&observer, b"?")).await, REFUSED);
    let ended = within("the end", stream.read(&mut [0; 1])).await;
    assert!(matches!(ended, Ok(0) | Err(_)));
    served(&observer, &mut node, 1).await;
    shut_down(vec![node, observer]).await;
}

#[tokio::test]
async fn an_outsider_that_goes_on_asking_when_refused_is_disconnected() {
    let node = member_with(|limits| {
        limits.observer.in_flight_max = 1;
        limits.refusals_per_second_max = 10;
    })
    .await;
    let mut outsider = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    let _kept = outsider.open("history/1").await.expect("admitted");
    for _ in 0..10 {
        assert!(outsider.is_refused("history/1").await);
    }
    assert_eq!(node.handle.stats().outsiders, 1);
    outsider.is_refused("history/1").await;
    eventually("the end", || node.handle.stats().outsiders == 0).await;
    assert_eq!(node.handle.stats().streams_refused, 0);
    shut_down(vec![node]).await;
}

/// A member may not know yet that it is one: it follows as an observer until it has seen the epoch's end.
#[tokio::test]
async fn history_is_open_to_outsiders_and_to_members() {
    let mut node = member_with(|_| {}).await;
    let mut outsider = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    let mut stream = outsider.open("history/1").await.expect("admitted");
    stream.write_all(&[2, 1, 7]).await.expect("written");
    stream.flush().await.expect("written");
    assert_eq!(&request(&mut node).await.0[..], &[1, 7]);

    let key = Keypair::ed25519_from_bytes([2; 32]).expect("a seed");
    let mut member_1 = Outsider::dial(key, &node).await;
    let mut stream = member_1.open("history/1").await.expect("admitted");
    stream.write_all(&[2, 1, 8]).await.expect("written");
    stream.flush().await.expect("written");
    assert_eq!(&request(&mut node).await.0[..], &[1, 8]);
    assert_eq!(node.handle.stats().streams_refused, 0);
    shut_down(vec![node]).await;
}

#[tokio::test]
async fn an_observer_serves_nobody() {
    let mut config = observer(2);
    config.listen = vec![any_port()];
    let mut node = Node::start(config).await;
    let mut outsider = Outsider::connect(Keypair::generate_ed25519(), &node).await;
    assert!(outsider.is_refused("history/1").await);
    assert!(outsider.is_refused("fetch/1").await);
    assert_eq!(node.handle.stats().streams_refused, 2);
    assert!(node.events.try_recv().is_none());
    shut_down(vec![node]).await;
}

/// Of two committees that follow each other: the one has gone on without the other, which does not know.
#[tokio::test]
async fn a_member_that_is_one_no_longer_asks_by_the_protocol_for_history() {
    let mut node = Node::start(member(0, 1)).await;
    let mut config = member(1, 2);
    introduce(&mut config, std::slice::from_ref(&node));
    let former = Node::start(config).await;
    let handle = former.handle.clone();
    // Its streams for frames are refused, so that the link never stands for long.
    let asked = tokio::spawn(async move {
        loop {
            let question = Bytes::from_static(b"how did it end");
            let refused = handle.fetch(MemberIndex(0), Bytes::from_static(b"?")).await;
            assert!(refused.is_err(), "{refused:?}");
            match handle.history(MemberIndex(0), question).await {
                Ok(answer) => return answer,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    });
    let answered = async {
        let (bytes, reply) = request(&mut node).await;
        assert_eq!(bytes, "how did it end");
        reply
            .send(Bytes::from_static(b"so"))
            .expect("still waiting");
    };
    within("the question", answered).await;
    assert_eq!(within("an answer", asked).await.expect("it ends"), "so");
}
