//! Over real sockets of this machine. What bounds connections is tested in `weft_http`.

use super::*;
use crate::api::tests::harness::Node;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use weft_http::testing::{self, rest};
use weft_types::api::{BODY_BYTES_MAX, Problem, ProblemCode};

struct Served {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(limits: Limits) -> Served {
    let node = Node::with_limits(limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve(listener, node.state.clone(), shutdown.clone()));
    Served {
        address,
        shutdown,
        task,
    }
}

async fn connect(served: &Served, request: &str) -> TcpStream {
    testing::connect(served.address, request).await
}

#[track_caller]
fn problem(answer: &str, code: ProblemCode) -> Problem {
    let (_, body) = answer.split_once("\r\n\r\n").expect(answer);
    let problem: Problem = serde_json::from_str(body).expect(answer);
    assert_eq!(problem.code, code.as_str(), "{answer}");
    problem
}

#[tokio::test]
async fn connections_have_the_bounds_of_the_configuration() {
    let limits = Limits {
        stall_max: Duration::from_millis(100),
        ..Default::default()
    };
    let served = start(limits).await;
    assert_eq!(rest(connect(&served, "GET /healthz HT").await).await, "");
}

#[tokio::test]
async fn the_problem_reaches_a_client_that_sends_its_whole_body_first() {
    let served = start(Limits::default()).await;
    let length = BODY_BYTES_MAX + (1 << 20);
    let kind = "host: x\r\ncontent-type: application/x-protobuf";
    for size in [
        format!("content-length: {length}\r\n\r\n"),
        format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n"),
    ] {
        let head = format!("POST /v1/transactions HTTP/1.1\r\n{kind}\r\n{size}");
        let mut stream = connect(&served, &head).await;
        stream.write_all(&vec![7; length]).await.unwrap();
        problem(&rest(stream).await, ProblemCode::BodyTooLarge);
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_no_malformed_one() {
    let limits = Limits {
        body_max: Duration::from_millis(100),
        ..Default::default()
    };
    let served = start(limits).await;
    let head = "POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let answer = rest(connect(&served, head).await).await;
    let problem = problem(&answer, ProblemCode::TimedOut);
    assert!(problem.detail.contains("did not come"), "{problem:?}");
}

#[tokio::test]
async fn stopping_ends_streams_with_a_word_and_the_server_with_them() {
    let served = start(Limits::default()).await;
    let commits = "GET /v1/stream?topics=commits HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut stream = connect(&served, commits).await;
    assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
    served.shutdown.cancel();
    let text = rest(stream).await;
    assert!(text.contains("event: end"), "{text}");
    let ended = tokio::time::timeout(weft_http::STOP_MAX * 2, served.task).await;
    ended.unwrap().unwrap();
}
