//! An embedded chain as a process of its own: HTTP, a clock and a disk around the pure core.
//!
//! Blocks come when transactions do, and on a slow heartbeat, quicker while something waits to
//! become final, so that `finalized` moves and an idle chain costs next to nothing. A block is on
//! disk before anybody can read it; a failed write stops the server.

mod journal;

use crate::embedded::{Chain, ChainConfig, ConfigError, RewindError};
use crate::rpc::{self, Shared, Stopped};
use axum::Router;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use journal::Journal;
pub use journal::JournalError;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{Any, CorsLayer};
use tower_http::timeout::TimeoutLayer;
use weft_http::ConnectionLimits;

/// Requests that are answered at the same time; others wait.
pub const ANSWERS_MAX: usize = 8;
/// Longest time for a request, its body included.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// Every node and every tool of a testnet may come from one address.
const CONNECTIONS: ConnectionLimits = ConnectionLimits {
    connections_max: 1_024,
    connections_per_address_max: 1_024,
    stall_max: Duration::from_secs(30),
    body_max: Duration::from_secs(12),
};

/// How to serve an embedded chain.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    pub chain: ChainConfig,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where sealed blocks are kept, so that the chain goes on after a restart. Without it they are
    /// gone with the process.
    pub journal: Option<PathBuf>,
    pub pace: Pace,
}

/// The time from one block to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// When transactions wait.
    pub busy: Duration,
    /// When a transaction's block is not final yet.
    pub settling: Duration,
    /// When there is nothing to do.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            busy: Duration::from_millis(50),
            settling: Duration::from_millis(500),
            idle: Duration::from_secs(10),
        }
    }
}

/// Why an embedded chain is not served, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot listen on {address}: {error}")]
    Listen {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error("a task ended: {0}")]
    Task(#[from] JoinError),
}

/// Why blocks were not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ReorganiseError {
    #[error(transparent)]
    Final(#[from] RewindError),
    #[error("a chain with a journal keeps its blocks")]
    Journal,
    #[error(transparent)]
    Stopped(#[from] ServeError),
}

/// A chain that is being served. Dropping it ends the service without waiting.
#[derive(Debug)]
pub struct ServerHandle {
    rpc_url: String,
    shared: Arc<Shared>,
    has_journal: bool,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl ServerHandle {
    pub fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    /// A reorganisation: the newest `depth` blocks are exchanged for empty ones, and what waits is forgotten.
    ///
    /// # Errors
    /// When one of them is final, or the chain has a journal, which is of the blocks as they were.
    pub fn reorganise(&self, depth: u64) -> Result<(), ReorganiseError> {
        if self.has_journal {
            return Err(ReorganiseError::Journal);
        }
        let mut chain = self.shared.write().map_err(ServeError::from)?;
        chain.rewind(depth)?;
        for _ in 0..depth {
            chain.seal(rpc::now());
        }
        Ok(())
    }

    /// Ends the service: requests under way are answered, what waits is sealed.
    pub async fn shutdown(mut self) -> Result<(), ServeError> {
        self.stop.send_replace(true);
        (&mut self.task).await?
    }

    /// Waits for the service to end by itself, which is always an error.
    pub async fn ended(&mut self) -> Result<(), ServeError> {
        (&mut self.task).await?
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Serves a chain until the future resolves. `ready` is told the URL as soon as it answers.
pub async fn run_embedded(
    config: EmbeddedConfig,
    ready: impl FnOnce(&str),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let mut server = serve_embedded(config).await?;
    ready(server.rpc_url());
    tokio::select! {
        ended = server.ended() => return ended,
        () = shutdown => {}
    }
    server.shutdown().await
}

/// Starts serving a chain.
///
/// # Errors
/// When the configuration makes no chain, the journal is another chain's or damaged, or the address
/// cannot be bound.
pub async fn serve_embedded(config: EmbeddedConfig) -> Result<ServerHandle, ServeError> {
    serve_within(config, CONNECTIONS).await
}

async fn serve_within(
    config: EmbeddedConfig,
    connections: ConnectionLimits,
) -> Result<ServerHandle, ServeError> {
    let address = config.listen;
    let listening = |error| ServeError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(listening)?;
    let rpc_url = format!("http://{}", listener.local_addr().map_err(listening)?);

    let (chain, journal) = spawn_blocking(move || -> Result<_, ServeError> {
        let mut chain = Chain::new(config.chain)?;
        let path = config.journal.as_deref();
        let journal = path
            .map(|path| Journal::open(path, &mut chain))
            .transpose()?;
        Ok((chain, journal))
    })
    .await??;
    tracing::info!(%rpc_url, head = chain.head().number(), "the embedded base chain answers");

    let shared = Arc::new(Shared::new(chain));
    let (served, has_journal) = (shared.clone(), journal.is_some());
    let (stop, stopped) = watch::channel(false);
    let producer = Producer {
        shared: Arc::clone(&shared),
        journal,
        pace: config.pace,
    };
    let task = tokio::spawn(serve(listener, connections, shared, producer, stopped));
    Ok(ServerHandle {
        rpc_url,
        shared: served,
        has_journal,
        stop,
        task,
    })
}

/// Resolves when the handle says so, or is gone.
async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn serve(
    listener: TcpListener,
    connections: ConnectionLimits,
    shared: Arc<Shared>,
    producer: Producer,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let app = Router::new()
        .route("/", post(handle))
        .method_not_allowed_fallback(async || elsewhere(StatusCode::METHOD_NOT_ALLOWED))
        .fallback(async || elsewhere(StatusCode::NOT_FOUND))
        .layer(DefaultBodyLimit::max(rpc::BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST_TIME_MAX,
        ))
        // Web pages may talk to the chain: it holds nobody's keys.
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods([Method::POST])
                .allow_headers([CONTENT_TYPE]),
        )
        .with_state(Service {
            shared,
            answers: Arc::new(Semaphore::new(ANSWERS_MAX)),
        });
    // Ends the requests when the blocks end, whatever ended those.
    let close = CancellationToken::new();
    let requests = weft_http::serve(listener, app, connections, close.clone());
    let requests = tokio::spawn(requests);

    let producer = produce(producer, stopped).await;
    close.cancel();
    requests.await?;
    // Last, so that what the last requests brought is sealed.
    producer?.seal_rest().await
}

/// Seals blocks until told to stop.
async fn produce(
    mut producer: Producer,
    stopped: watch::Receiver<bool>,
) -> Result<Producer, ServeError> {
    let stopped = until_stopped(stopped);
    tokio::pin!(stopped);
    let pace = producer.pace;
    let mut last = Instant::now();
    loop {
        let (ready, settled) = {
            let chain = producer.shared.read()?;
            (chain.has_ready(), chain.is_settled())
        };
        let wait = match (ready, settled) {
            (true, _) => pace.busy,
            (false, false) => pace.settling,
            (false, true) => pace.idle,
        };
        let shared = Arc::clone(&producer.shared);
        tokio::select! {
            () = &mut stopped => return Ok(producer),
            () = sleep_until(last + wait) => {
                producer = producer.seal().await?;
                last = Instant::now();
            }
            () = shared.submitted.notified(), if !ready => {}
        }
    }
}

struct Producer {
    shared: Arc<Shared>,
    journal: Option<Journal>,
    pace: Pace,
}

impl Producer {
    async fn seal(mut self) -> Result<Self, ServeError> {
        spawn_blocking(move || {
            let mut chain = self.shared.write()?;
            let record = chain.seal(rpc::now());
            if let Some(journal) = &mut self.journal
                && let Err(error) = journal.append(&record)
            {
                self.shared.stop();
                return Err(error.into());
            }
            drop(chain);
            let (number, transactions) = (record.number, record.transactions.len());
            tracing::debug!(number, transactions, hash = %record.hash, "sealed a block");
            Ok(self)
        })
        .await?
    }

    /// Seals what waits, so that what was accepted is not lost.
    async fn seal_rest(mut self) -> Result<(), ServeError> {
        while self.shared.read()?.has_ready() {
            self = self.seal().await?;
        }
        Ok(())
    }
}

fn elsewhere(status: StatusCode) -> Response {
    let json = [(CONTENT_TYPE, "application/json")];
    let reason = "JSON-RPC is answered at / by POST".to_owned();
    (status, json, rpc::refused(reason)).into_response()
}

#[derive(Clone)]
struct Service {
    shared: Arc<Shared>,
    answers: Arc<Semaphore>,
}

async fn handle(State(service): State<Service>, body: Result<Bytes, BytesRejection>) -> Response {
    let json = [(CONTENT_TYPE, "application/json")];
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let status = rejection.status();
            let reason = match status {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    format!("body is longer than {} bytes", rpc::BODY_BYTES_MAX)
                }
                _ => weft_http::innermost(&rejection),
            };
            return (status, json, rpc::refused(reason)).into_response();
        }
    };
    // Held until the answer is ready, even when whoever asked has gone.
    let Ok(permit) = service.answers.acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let answer = spawn_blocking(move || {
        let answer = rpc::answer(&body, &service.shared);
        drop(permit);
        answer
    });
    match answer.await {
        Ok(Some(answer)) => (json, answer).into_response(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests;
