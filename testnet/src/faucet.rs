//! The faucet: gives coins of a testnet to whoever asks, some at a time, not too often. It pays with
//! an account of its own through the nodes' API, as any other program would.
//!
//! `POST /v1/faucet` with `{"address": "weft1...", "amount": 5000000000}` is answered, once the payment is
//! committed, with `{"transaction": "...", "address": "weft1...", "amount": 5000000000}`; problems are as
//! those of the nodes.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::cors::{Any, CorsLayer};
use tower_http::timeout::TimeoutLayer;
use weft_client::{Client, ClientError, Draft, Options, Wait};
use weft_types::api::{PROBLEM_JSON, Problem, ProblemCode, TransactionState};
use weft_types::ed25519::SecretKey;
use weft_types::{Address, Amount, AssetId, Operation, Payment, TransactionId};

/// Longest request, in bytes.
const BODY_BYTES_MAX: usize = 4 << 10;
/// Longest time for a request.
const REQUEST_MAX: Duration = Duration::from_secs(20);
/// Longest wait for a payment's outcome; with the pauses between the nodes within `REQUEST_MAX`.
const OUTCOME_MAX: Duration = Duration::from_secs(8);
/// Addresses whose rate is remembered; beyond it those that have been quiet are forgotten.
const ADDRESSES_MAX: usize = 65_536;
/// How long requests under way may take when the faucet stops.
const STOP_MAX: Duration = Duration::from_secs(3);

/// What the faucet gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaucetLimits {
    /// When no amount is asked for.
    pub amount: Amount,
    pub amount_max: Amount,
    /// Payments to one account in a minute; as many may come at once.
    pub per_address_minute: NonZeroU32,
    /// Payments in a second, to all together.
    pub per_second: NonZeroU32,
}

impl Default for FaucetLimits {
    fn default() -> Self {
        let at_least_one = |n: u32| NonZeroU32::MIN.saturating_add(n - 1);
        Self {
            // In gwei: ten coins, at most a hundred.
            amount: Amount(10_000_000_000),
            amount_max: Amount(100_000_000_000),
            per_address_minute: at_least_one(10),
            per_second: at_least_one(50),
        }
    }
}

/// Why the faucet does not run.
#[derive(Debug, thiserror::Error)]
pub enum FaucetError {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("serving failed: {0}")]
    Serve(std::io::Error),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    address: Address,
    amount: Option<Amount>,
}

#[derive(Debug, Serialize)]
struct Given {
    transaction: TransactionId,
    address: Address,
    amount: Amount,
}

struct Faucet {
    client: Client,
    draft: Draft,
    key: SecretKey,
    limits: FaucetLimits,
    by_address: DefaultKeyedRateLimiter<Address>,
    in_all: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

/// Serves until `shutdown` resolves. `ready` is told the address as soon as it listens.
pub async fn serve_faucet(
    listen: SocketAddr,
    nodes: &[String],
    key: SecretKey,
    limits: FaucetLimits,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), FaucetError> {
    let listening = |source| FaucetError::Listen {
        address: listen,
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    let options = Options {
        outcome_timeout: OUTCOME_MAX,
        ..Options::default()
    };
    let client = Client::with_options(nodes, options)?;
    let draft = Draft::new(&client.genesis().await?);
    let per_address = Quota::per_minute(limits.per_address_minute);
    let faucet = Faucet {
        client,
        draft,
        key,
        limits,
        by_address: RateLimiter::dashmap(per_address),
        in_all: RateLimiter::direct(Quota::per_second(limits.per_second)),
        clock: DefaultClock::default(),
    };
    ready(address);
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let serve = axum::serve(listener, router(faucet)).with_graceful_shutdown(async move {
        shutdown.await;
        drop(stopping);
    });
    // Connections that idle do not keep it from ending.
    tokio::select! {
        served = serve.into_future() => served.map_err(FaucetError::Serve),
        () = async {
            let _dropped = stopped.await;
            tokio::time::sleep(STOP_MAX).await;
        } => Ok(()),
    }
}

fn router(faucet: Faucet) -> Router {
    // Web pages of the testnet may ask.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers([header::CONTENT_TYPE]);
    Router::new()
        .route("/v1/faucet", post(give))
        .fallback(async || {
            let words = "the faucet answers POST /v1/faucet";
            answer(Problem::new(ProblemCode::UnknownRoute, words))
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_MAX,
        ))
        .layer(cors)
        .with_state(Arc::new(faucet))
}

async fn give(
    State(faucet): State<Arc<Faucet>>,
    request: Result<Json<Request>, JsonRejection>,
) -> Response {
    let given = match request {
        Ok(Json(request)) => faucet.give(request).await,
        Err(rejection) => Err(refuse(ProblemCode::MalformedBody, rejection.body_text())),
    };
    match given {
        Ok(given) => Json(given).into_response(),
        Err(problem) => answer(*problem),
    }
}

fn answer(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    (status, [kind], Json(problem)).into_response()
}

impl Faucet {
    async fn give(&self, request: Request) -> Result<Given, Box<Problem>> {
        let amount = request.amount.unwrap_or(self.limits.amount);
        let most = self.limits.amount_max;
        if amount == Amount::ZERO || amount > most {
            let words = format!("amount is {amount}: the faucet gives 1 to {most} at a time");
            return Err(refuse(ProblemCode::MalformedParameter, words));
        }
        self.check_rate(request.address)?;
        let payment = Payment {
            to: request.address,
            asset: AssetId::NATIVE,
            amount,
        };
        let transfer = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        let transaction = self.draft.sign(&self.key, vec![transfer]);
        let status = self.client.submit(&transaction, Wait::Committed).await;
        let status = status.map_err(|error| problem(&error))?;
        if status.state == TransactionState::Submitted {
            let seconds = OUTCOME_MAX.as_secs();
            let words = format!(
                "payment {} is taken and not committed within {seconds} s; it still can be",
                status.id
            );
            return Err(refuse(ProblemCode::TimedOut, words));
        }
        if !status.state.applied() {
            let words = status.detail.unwrap_or_default();
            let words = format!(
                "payment {} is {}: {words}",
                status.id,
                status.state.as_str()
            );
            return Err(refuse(ProblemCode::Internal, words));
        }
        tracing::info!(address = %request.address, %amount, transaction = %status.id, "given");
        Ok(Given {
            transaction: status.id,
            address: request.address,
            amount,
        })
    }

    fn check_rate(&self, address: Address) -> Result<(), Box<Problem>> {
        if self.by_address.len() > ADDRESSES_MAX {
            self.by_address.retain_recent();
        }
        let now = self.clock.now();
        let limited = |who: &str, wait: Duration| {
            let words = format!("{who} again in {} s", wait.as_secs() + 1);
            refuse(ProblemCode::RateLimited, words)
        };
        self.in_all
            .check()
            .map_err(|until| limited("ask", until.wait_time_from(now)))?;
        let who = format!("this many payments are enough for {address}: ask");
        self.by_address
            .check_key(&address)
            .map_err(|until| limited(&who, until.wait_time_from(now)))
    }
}

/// What a node said, or that none answers.
fn problem(error: &ClientError) -> Box<Problem> {
    match error.problem() {
        Some(said) => Box::new(said.clone()),
        None => refuse(ProblemCode::TimedOut, error.to_string()),
    }
}

fn refuse(code: ProblemCode, detail: String) -> Box<Problem> {
    Box::new(Problem::new(code, detail))
}
