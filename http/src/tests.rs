//! Over real sockets of this machine.

use super::testing::{PATIENCE, rest};
use super::*;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const HERE: &str = "GET /here HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const NEVER: &str = "GET /never HTTP/1.1\r\nhost: x\r\n\r\n";

struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        connections_max: 3,
        connections_per_address_max: 2,
        stall_max: Duration::from_millis(200),
        body_max: Duration::from_millis(300),
    }
}

fn patient() -> ConnectionLimits {
    ConnectionLimits {
        stall_max: PATIENCE,
        body_max: PATIENCE,
        ..limits()
    }
}

async fn read(body: Result<Bytes, BytesRejection>) -> (StatusCode, String) {
    match body {
        Ok(bytes) => (StatusCode::OK, format!("{} bytes", bytes.len())),
        Err(rejection) => (rejection.status(), innermost(&rejection)),
    }
}

async fn start(limits: ConnectionLimits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let router = Router::new()
        .route("/here", get(async || "here"))
        .route("/long", get(async || vec![7u8; 1 << 20]))
        .route("/never", get(std::future::pending::<&str>))
        .route("/read", post(read))
        .route(
            "/refuse",
            post(async || (StatusCode::PAYLOAD_TOO_LARGE, "too much")),
        );
    let task = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
    Served {
        address,
        shutdown,
        task,
    }
}

async fn connect(served: &Served, request: &str) -> TcpStream {
    testing::connect(served.address, request).await
}

fn upload(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
}

/// One answer whose body is this text; the connection stays open.
async fn one(stream: &mut TcpStream, body: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(body) {
        let mut piece = [0; 1024];
        let read = timeout(PATIENCE, stream.read(&mut piece)).await;
        let count = read.expect("an answer comes").unwrap();
        assert!(count > 0, "closed after {text}");
        text += &String::from_utf8_lossy(&piece[..count]);
    }
    text
}

#[tokio::test]
async fn a_half_sent_head_and_an_idle_connection_are_closed() {
    let served = start(limits()).await;
    let silent = connect(&served, "").await;
    assert_eq!(rest(silent).await, "");
    let half = connect(&served, "GET /here HTTP/1.1\r\nhost:").await;
    assert_eq!(rest(half).await, "");
    let mut idle = connect(&served, &HERE.replace("close", "keep-alive")).await;
    one(&mut idle, "here").await;
    assert_eq!(rest(idle).await, "");
}

#[tokio::test]
async fn a_body_that_does_not_come_in_its_time_fails_and_ends_the_connection() {
    let served = start(limits()).await;
    for half in ["", "half"] {
        let answer = rest(connect(&served, &(upload("/read", 100) + half)).await).await;
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(
            answer.ends_with("did not come whole within 300ms"),
            "{answer}"
        );
    }
    // Sending a byte now and then does not help.
    let mut stream = connect(&served, &upload("/read", 1_000_000)).await;
    let begun = Instant::now();
    while stream.write_all(b"x").await.is_ok() && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() < PATIENCE);
}

#[tokio::test]
async fn connections_are_bounded_in_all_and_by_address_and_given_back() {
    let served = start(patient()).await;
    let first = connect(&served, NEVER).await;
    let _second = connect(&served, NEVER).await;
    assert_eq!(rest(connect(&served, HERE).await).await, "");
    drop(first);
    // The server notices the end in its own time.
    let begun = Instant::now();
    while !rest(connect(&served, HERE).await).await.ends_with("here") {
        let taking = "the place of a closed connection is not given back";
        assert!(begun.elapsed() < PATIENCE, "{taking}");
        sleep(Duration::from_millis(20)).await;
    }
    let all = ConnectionLimits {
        connections_max: 1,
        ..patient()
    };
    let served = start(all).await;
    let _first = connect(&served, NEVER).await;
    assert_eq!(rest(connect(&served, HERE).await).await, "");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let served = start(limits()).await;
    // Answers by the megabyte fill the buffers of both sockets, and nobody reads them.
    let mut stream = connect(&served, "").await;
    let request = "GET /long HTTP/1.1\r\nhost: x\r\n\r\n";
    let cut_off = async {
        while stream.write_all(request.as_bytes()).await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let cut_off = timeout(PATIENCE, cut_off).await;
    assert!(cut_off.is_ok(), "the connection is closed by the server");
}

#[tokio::test]
async fn whoever_sends_a_refused_body_to_its_end_first_sees_the_answer() {
    let served = start(patient()).await;
    for (path, length) in [("/refuse", 20 << 20), ("/read", 3 << 20)] {
        let mut stream = connect(&served, &upload(path, length)).await;
        stream.write_all(&vec![7; length]).await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    // Nor is the answer lost to a head that is too long.
    let long = "x".repeat(1 << 20);
    let answer = rest(connect(&served, &format!("GET /{long}")).await).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_refused_body_that_has_no_end_is_cut_off() {
    let served = start(patient()).await;
    let chunked = "POST /refuse HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = connect(&served, chunked).await;
    let chunk = [b"10000\r\n".as_slice(), &[7; 1 << 16], b"\r\n"].concat();
    let mut sent = 0;
    while stream.write_all(&chunk).await.is_ok() {
        sent += chunk.len();
        assert!(sent < 256 << 20, "the server reads for ever");
    }
}

#[tokio::test]
async fn a_small_refused_body_does_not_cost_the_connection() {
    let served = start(patient()).await;
    let mut stream = connect(&served, &upload("/refuse", 1_000)).await;
    let answer = one(&mut stream, "too much").await;
    assert!(!answer.contains("connection: close"), "{answer}");
    stream.write_all(&[7; 1_000]).await.unwrap();
    stream.write_all(HERE.as_bytes()).await.unwrap();
    assert!(rest(stream).await.ends_with("here"));
    // Whether that body still comes is unknown of a client that waits to be told to go on.
    let expect = "host: x\r\nexpect: 100-continue";
    let waiting = upload("/refuse", 1_000).replace("host: x", expect);
    let answer = rest(connect(&served, &waiting).await).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn stopping_ends_idle_connections_at_once_and_the_rest_in_time() {
    let served = start(patient()).await;
    let mut idle = connect(&served, &HERE.replace("close", "keep-alive")).await;
    one(&mut idle, "here").await;
    let waiting = connect(&served, NEVER).await;
    sleep(Duration::from_millis(50)).await;
    served.shutdown.cancel();
    let begun = Instant::now();
    assert_eq!(rest(idle).await, "");
    assert!(begun.elapsed() < STOP_MAX);
    assert_eq!(rest(waiting).await, "");
    timeout(STOP_MAX, served.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}
