//! A client of raw bytes, for tests of servers (feature `testing`, for dev-dependencies only).

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a server may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A connection on which so much of a request was sent.
///
/// # Panics
/// When the server takes no connection or no bytes.
pub async fn connect(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("a request is taken");
    stream
}

/// All that comes until the server closes the connection; a reset is an end as well.
///
/// # Panics
/// When it takes longer than [`PATIENCE`].
pub async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    let _ended = read.expect("the connection ends in its time");
    String::from_utf8_lossy(&text).into_owned()
}

/// The whole answer to a request that is complete and asks for the connection's end.
///
/// # Panics
/// As the two above.
pub async fn ask(address: SocketAddr, request: &str) -> String {
    rest(connect(address, request).await).await
}

/// The whole answer to a GET.
///
/// # Panics
/// As [`ask`].
pub async fn get(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    ask(address, &request).await
}
