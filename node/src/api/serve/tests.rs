//! Over real sockets of this machine.

use super::*;
use crate::api::tests::harness::Node;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(node: &Node) -> Served {
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

fn limits() -> Limits {
    Limits {
        stall_max: Duration::from_millis(200),
        connections_per_address_max: 2,
        ..Default::default()
    }
}

async fn connect(served: &Served, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the server closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    let read = tokio::time::timeout(Duration::from_secs(10), read).await;
    // A reset is an end as well.
    let _ended = read.expect("the connection ends in its time");
    String::from_utf8_lossy(&text).into_owned()
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const COMMITS: &str = "GET /v1/stream?topics=commits HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn requests_are_answered_and_a_slow_head_is_cut_off() {
    let node = Node::with_limits(limits());
    let served = start(&node).await;
    let answer = rest(connect(&served, HEALTH).await).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let slow = connect(&served, "GET /healthz HTTP/1.1\r\nhost:").await;
    assert!(!rest(slow).await.contains("200 OK"));
}

#[tokio::test]
async fn connections_of_one_address_are_bounded() {
    let node = Node::with_limits(Limits {
        stall_max: Duration::from_secs(30),
        ..limits()
    });
    let served = start(&node).await;
    let mut first = connect(&served, COMMITS).await;
    let mut second = connect(&served, COMMITS).await;
    for stream in [&mut first, &mut second] {
        assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
    }
    assert_eq!(rest(connect(&served, HEALTH).await).await, "");
    drop(first);
    // The server notices the end in its own time.
    for _ in 0..100 {
        let answer = rest(connect(&served, HEALTH).await).await;
        if answer.contains("200 OK") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place of a closed connection is not given back");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let node = Node::with_limits(limits());
    let served = start(&node).await;
    // Answers by the thousand fill the buffers of both sockets, and nobody reads them.
    let request = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let cut_off = async {
        while stream.write_all(request.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    };
    let cut_off = tokio::time::timeout(Duration::from_secs(20), cut_off).await;
    assert!(cut_off.is_ok(), "the connection is closed by the server");
}

#[tokio::test]
async fn stopping_ends_streams_with_a_word_and_the_server_with_them() {
    let node = Node::with_limits(Limits::default());
    let served = start(&node).await;
    let mut stream = connect(&served, COMMITS).await;
    assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
    served.shutdown.cancel();
    let text = rest(stream).await;
    assert!(text.contains("event: end"), "{text}");
    let ended = tokio::time::timeout(STOP_MAX * 2, served.task).await;
    ended.unwrap().unwrap();
}
