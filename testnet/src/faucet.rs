//! The faucet: gives coins of a testnet to whoever asks, some at a time, not too often. It pays with
//! an account of its own through the nodes' API, as any other program would.
//!
//! `POST /v1/faucet` with `{"address": "weft1...", "amount": 5000000000}` is answered, once the payment is
//! committed, with `{"transaction": "...", "address": "weft1...", "amount": 5000000000}`; problems are as
//! those of the nodes, with hints of their own.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
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
use tokio_util::sync::CancellationToken;
use tower_http::cors::{Any, CorsLayer};
use weft_client::{Client, ClientError, Draft, Options, Wait};
use weft_http::ConnectionLimits;
use weft_types::api::{PROBLEM_JSON, Problem, ProblemCode, TransactionState};
use weft_types::ed25519::SecretKey;
use weft_types::{Address, Amount, AssetId, Operation, Payment, TransactionId};

/// The hint of whatever is asked for in a wrong way.
const FORM: &str = r#"POST to /v1/faucet, as application/json, {"address": "weft1...", "amount": 5000000000}; without amount it gives its usual one"#;
/// Longest request, in bytes.
const BODY_BYTES_MAX: usize = 4 << 10;
/// Longest time for a request.
const REQUEST_MAX: Duration = Duration::from_secs(20);
/// Longest wait for a payment's outcome; with the pauses between the nodes within `REQUEST_MAX`.
const OUTCOME_MAX: Duration = Duration::from_secs(8);
/// Addresses whose rate is remembered; beyond it those that have been quiet are forgotten.
const ADDRESSES_MAX: usize = 65_536;
const CONNECTIONS: ConnectionLimits = ConnectionLimits {
    connections_max: 512,
    connections_per_address_max: 256,
    stall_max: Duration::from_secs(30),
    body_max: Duration::from_secs(5),
};

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
    let stop = CancellationToken::new();
    let serving = weft_http::serve(listener, router(faucet), CONNECTIONS, stop.clone());
    let stopping = async {
        shutdown.await;
        stop.cancel();
    };
    tokio::join!(serving, stopping);
    Ok(())
}

fn router(faucet: Faucet) -> Router {
    // Web pages of the testnet may ask.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER]);
    Router::new()
        .route("/v1/faucet", post(give))
        .method_not_allowed_fallback(async |method: Method| {
            let words = format!("/v1/faucet does not take {method}");
            refuse(ProblemCode::MethodNotAllowed, words)
        })
        .fallback(async |uri: Uri| {
            let path: String = uri.path().chars().take(200).collect();
            let words = format!("the faucet has nothing at {path}");
            refuse(ProblemCode::UnknownRoute, words)
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(cors)
        .with_state(Arc::new(faucet))
}

async fn give(
    State(faucet): State<Arc<Faucet>>,
    request: Result<Json<Request>, JsonRejection>,
) -> Result<Json<Given>, Refused> {
    let Json(request) = request.map_err(|rejection| unreadable(&rejection))?;
    let given = tokio::time::timeout(REQUEST_MAX, faucet.give(request)).await;
    let late = |_| {
        let words = format!("no answer within {REQUEST_MAX:?}");
        refuse(ProblemCode::TimedOut, words)
    };
    given.map_err(late)?.map(Json)
}

/// What the faucet does not do, and when to ask again if that is known.
struct Refused {
    problem: Box<Problem>,
    again: Option<Duration>,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        let mut response = (status, [kind], Json(self.problem)).into_response();
        if let Some(again) = self.again {
            let seconds = HeaderValue::from(again.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

fn refuse(code: ProblemCode, detail: String) -> Refused {
    let mut problem = Box::new(Problem::new(code, detail));
    problem.hint = match code {
        ProblemCode::RateLimited => "wait as long as Retry-After says",
        ProblemCode::TimedOut => "look at the account, and ask again if nothing has come",
        ProblemCode::Internal => "the faucet's log and the nodes' have the cause",
        _ => FORM,
    }
    .to_owned();
    Refused {
        problem,
        again: None,
    }
}

fn unreadable(rejection: &JsonRejection) -> Refused {
    let code = match rejection {
        JsonRejection::MissingJsonContentType(_) => ProblemCode::UnsupportedMediaType,
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let words = format!("at most {BODY_BYTES_MAX} bytes are taken");
            return refuse(ProblemCode::BodyTooLarge, words);
        }
        _ => ProblemCode::MalformedBody,
    };
    refuse(code, weft_http::innermost(rejection))
}

impl Faucet {
    async fn give(&self, request: Request) -> Result<Given, Refused> {
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
        let status = status.map_err(|error| failed(&error))?;
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

    fn check_rate(&self, address: Address) -> Result<(), Refused> {
        if self.by_address.len() > ADDRESSES_MAX {
            self.by_address.retain_recent();
        }
        let now = self.clock.now();
        let limited = |who: &str, wait: Duration| {
            let words = format!("{who} again in {} s", wait.as_secs() + 1);
            Refused {
                again: Some(wait),
                ..refuse(ProblemCode::RateLimited, words)
            }
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
fn failed(error: &ClientError) -> Refused {
    match error.problem() {
        Some(said) => Refused {
            problem: Box::new(said.clone()),
            again: None,
        },
        None => refuse(ProblemCode::TimedOut, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
