use super::harness::{Node, pay, signed};
use super::world::World;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderValue, Request, header};
use futures::StreamExt as _;
use std::time::Duration;
use tower::ServiceExt as _;
use weft_types::api::{Event, ProblemCode};
use weft_types::*;

/// A server-sent event as a client reads it.
#[derive(Debug)]
struct Seen {
    id: Option<String>,
    name: String,
    event: Event,
}

struct Listening {
    body: BodyDataStream,
    text: String,
}

async fn listen(node: &Node, topics: &str, last: Option<&str>) -> Listening {
    let mut request = Request::get(format!("/v1/stream?topics={topics}"));
    if let Some(last) = last {
        request = request.header("last-event-id", HeaderValue::from_str(last).unwrap());
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = node.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    Listening {
        body: answer.into_body().into_data_stream(),
        text: String::new(),
    }
}

impl Listening {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(seen) = read(&block) {
                    return Some(seen);
                }
                continue;
            }
            let piece = tokio::time::timeout(Duration::from_secs(5), self.body.next());
            let piece = piece.await.expect("an event within its time")?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        while seen.len() < count {
            seen.push(self.next().await.expect("the stream goes on"));
        }
        seen
    }
}

/// A block without data is a comment.
fn read(block: &str) -> Option<Seen> {
    let field = |name: &str| {
        let line = block.lines().find_map(|l| l.strip_prefix(name));
        line.map(|l| {
            l.trim_start_matches(": ")
                .trim_start_matches(':')
                .to_owned()
        })
    };
    Some(Seen {
        id: field("id"),
        name: field("event")?,
        event: serde_json::from_str(&field("data")?).unwrap(),
    })
}

fn names(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|s| s.name.as_str()).collect()
}

#[tokio::test]
async fn a_stream_brings_the_events_of_its_topics() {
    let node = Node::start();
    let account = format!("account:{}", testing::user(2));
    let mut stream = listen(&node, &format!("{account},certificates"), None).await;
    node.done(&pay(1, 1, 3, 5)).await;
    node.done(&pay(1, 2, 2, 10)).await;
    node.certify();
    let seen = stream.take(2).await;
    assert_eq!(names(&seen), ["account", "certificate"]);
    let Event::Account(account) = &seen[0].event else {
        panic!("named account");
    };
    assert_eq!(account.object.balance(AssetId::NATIVE), Amount(1_000_010));
    assert_eq!(account.commit, CommitIndex(2));
}

#[tokio::test]
async fn a_card_is_followed_from_listing_to_sale() {
    let node = Node::start();
    let world = World::make(&node).await;
    let card = world.gold(1);
    let mut stream = listen(&node, &format!("item:{card}"), None).await;
    let mut of_collection = listen(&node, &format!("collection:{}", world.collection), None).await;
    let expires = super::harness::clock().saturating_add(60_000);
    let listing = super::world::sell(vec![card], 500, expires);
    let listed = node.done(&signed(2, 1, vec![listing])).await;
    let ObjectId::Deal(deal) = listed.receipt.unwrap().created[0] else {
        panic!("a deal is created");
    };
    let items = vec![];
    node.done(&signed(
        3,
        1,
        vec![Operation::DealTake(Taking::new(deal, items))],
    ))
    .await;
    let seen = stream.take(4).await;
    assert_eq!(names(&seen), ["item", "deal", "item", "deal"]);
    let Event::Item(sold) = &seen[2].event else {
        panic!("named item");
    };
    assert_eq!(sold.object.owner, testing::user(3));
    assert_eq!(sold.object.collection, Some(world.collection));
    assert_eq!(names(&of_collection.take(4).await), names(&seen));
}

#[tokio::test]
async fn who_comes_back_is_sent_what_was_missed() {
    let node = Node::start();
    let mut stream = listen(&node, "commits", None).await;
    node.commit();
    let last = stream.next().await.unwrap().id.unwrap();
    drop(stream);
    node.commit();
    node.commit();
    let mut again = listen(&node, "commits", Some(&last)).await;
    let seen = again.take(2).await;
    let index = |seen: &Seen| match seen.event {
        Event::Commit { index, .. } => index.0,
        _ => panic!("named commit"),
    };
    assert_eq!(seen.iter().map(index).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn an_id_of_another_run_is_answered_by_a_gap() {
    let node = Node::start();
    let mut stream = listen(&node, "commits", Some("77-3")).await;
    let seen = stream.next().await.unwrap();
    assert_eq!(seen.event, Event::Gap { missed: None });
    assert_eq!(seen.id, None);
}

#[tokio::test]
async fn a_stopping_node_ends_its_streams_with_the_reason() {
    let node = Node::start();
    let mut stream = listen(&node, "commits", None).await;
    node.commit();
    node.state.events.close("the node stops");
    assert_eq!(names(&stream.take(2).await), ["commit", "end"]);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn wrong_topics_and_ids_are_named() {
    let node = Node::start();
    let many: Vec<String> = (0..65u8)
        .map(|n| format!("item:{}", hex::encode([n; 32])))
        .collect();
    for query in [
        "",
        "?topics=",
        "?topics=everything",
        "?topics=item:12",
        &format!("?topics={}", many.join(",")),
        "?topics=commits&last_event_id=yesterday",
    ] {
        let answer = node.get(&format!("/v1/stream{query}")).await;
        answer.problem(ProblemCode::MalformedParameter);
    }
}
