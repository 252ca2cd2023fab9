//! A base chain that is away, or is none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use weft_basechain::{ClientError, Endpoint};

/// A server that gives everybody the same answer, so many times.
fn answering(answer: &'static str, times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(times) {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

async fn error_of(url: &str) -> ClientError {
    let start = Instant::now();
    let error = Endpoint::connect(url).await.unwrap_err();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    error
}

#[tokio::test]
async fn what_is_no_url_is_refused_at_once() {
    for url in ["", "127.0.0.1:8545", "nonsense", "ftp://127.0.0.1:8545"] {
        let error = error_of(url).await;
        assert!(matches!(error, ClientError::Url { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn nobody_there_is_said_after_some_attempts() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = error_of(&format!("http://{free}")).await;
    let text = error.to_string();
    assert!(
        matches!(error, ClientError::Unreachable { attempts: 4, .. }),
        "{text}"
    );
    assert!(
        text.contains("chain id") && text.to_lowercase().contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_that_is_no_base_chain_is_an_error() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "SSH-2.0-OpenSSH_9\r\n",
    ] {
        let error = error_of(&answering(answer, 4)).await;
        assert!(
            matches!(
                error,
                ClientError::Unreachable { .. } | ClientError::Malformed { .. }
            ),
            "{answer}: {error}"
        );
    }
}

#[tokio::test]
async fn the_nodes_own_refusal_is_passed_on_with_its_code() {
    let body = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no"}}"#;
    assert_eq!(body.len(), 63);
    let url = answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 63\r\nconnection: close\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32601,\"message\":\"no\"}}",
        1,
    );
    let error = error_of(&url).await;
    assert!(
        matches!(error, ClientError::Answer { code: -32601, .. }),
        "{error}"
    );
}
