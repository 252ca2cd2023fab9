//! The HTTP API of a node: transactions in, what the ledger holds and what happens out.
//!
//! Reading never waits for the replica: a request sees one [`View`] and the store. Writing goes to
//! the replica through one bounded channel ([`Submitter`]). Everything that a client may make large
//! or slow is bounded ([`Limits`]), and everything that fails is a problem after RFC 9457 with a
//! stable code. `docs/spec/api.md` describes the API, `docs/openapi.json` every route.

mod answer;
mod body;
mod book;
mod bridge;
mod chain;
pub(crate) mod claims;
mod content;
mod data;
mod deals;
mod exits;
mod guard;
mod health;
mod lists;
mod market;
mod objects;
pub(crate) mod offenders;
mod openapi;
mod reading;
mod rows;
mod search;
mod serve;
mod stream;
mod submit;
mod transactions;
mod verify;
mod vouchers;

pub use guard::Limits;
pub use openapi::document as openapi_document;
pub use serve::serve;
pub use submit::{Refusal, Submit, Submitter};

use crate::contents::Finder;
use crate::events::EventLog;
use crate::metrics::Metrics;
use crate::staging::Staging;
use crate::tracker::Tracker;
use crate::view::View;
use answer::{Failure, not_kept};
use axum::Router;
use axum::http::{HeaderName, Method, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use guard::Gate;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower_http::cors::{Any, CorsLayer};
use verify::Verifier;
use weft_storage::{Store, StoreError};
use weft_types::api::{COMMIT_HEADER, HEIGHT_HEADER, MissedCheckpoint, ProblemCode};
use weft_types::{Certificate, CommitIndex, Committee, Genesis, Height};

/// How long a browser may remember what is allowed.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(3_600);

/// What the API reads from and writes to.
pub struct ApiParts {
    /// The node's name.
    pub name: String,
    pub genesis: Arc<Genesis>,
    pub store: Arc<Store>,
    /// Replaced after every commit, once the commit is in the store.
    pub views: watch::Receiver<Arc<View>>,
    /// Number of connected peers.
    pub peers: watch::Receiver<u64>,
    pub tracker: Arc<Tracker>,
    pub events: Arc<EventLog>,
    pub submitter: Submitter,
    pub metrics: Arc<Metrics>,
    pub limits: Limits,
    /// S2: the first commit in the store.
    pub history_from: watch::Receiver<CommitIndex>,
    /// In office.
    pub committee: watch::Receiver<Arc<Committee>>,
    /// BC20: of offenders by their ids, whether the registry has taken the bond.
    pub bonds: watch::Receiver<BTreeMap<u64, bool>>,
    /// B2: what the base chain lacks though its time is over.
    pub missed: watch::Receiver<Option<MissedCheckpoint>>,
    pub bridge_lags: watch::Receiver<bool>,
    /// A4: content that others may have.
    pub contents: Finder,
    /// A3: most bytes of content that this node stores.
    pub content_bytes_max: u64,
    /// L53: data that are about to be posted.
    pub staging: Arc<Staging>,
}

/// Shared by all requests; cloning is cheap.
#[derive(Clone)]
pub struct ApiState(Arc<Inner>);

pub struct Inner {
    name: Box<str>,
    genesis: Arc<Genesis>,
    store: Arc<Store>,
    views: watch::Receiver<Arc<View>>,
    peers: watch::Receiver<u64>,
    tracker: Arc<Tracker>,
    events: Arc<EventLog>,
    submitter: Submitter,
    metrics: Arc<Metrics>,
    limits: Limits,
    history_from: watch::Receiver<CommitIndex>,
    committee: watch::Receiver<Arc<Committee>>,
    bonds: watch::Receiver<BTreeMap<u64, bool>>,
    missed: watch::Receiver<Option<MissedCheckpoint>>,
    bridge_lags: watch::Receiver<bool>,
    contents: Finder,
    content_bytes_max: u64,
    staging: Arc<Staging>,
    gate: Gate,
    verifier: Verifier,
}

impl std::ops::Deref for ApiState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl ApiState {
    /// Starts the threads that verify signatures, and tells the tracker what the store has of
    /// certificates and checkpoints.
    ///
    /// # Errors
    /// When the system has no thread to give, or the store cannot be read.
    pub fn new(parts: ApiParts) -> std::io::Result<Self> {
        let network = parts.genesis.network.id();
        let anchored = parts.views.borrow().anchored;
        resume(&parts.tracker, &parts.store, anchored).map_err(std::io::Error::other)?;
        Ok(Self(Arc::new(Inner {
            gate: Gate::new(&parts.limits),
            verifier: Verifier::start(network, parts.metrics.clone())?,
            name: parts.name.into_boxed_str(),
            genesis: parts.genesis,
            store: parts.store,
            views: parts.views,
            peers: parts.peers,
            tracker: parts.tracker,
            events: parts.events,
            submitter: parts.submitter,
            metrics: parts.metrics,
            limits: parts.limits,
            history_from: parts.history_from,
            committee: parts.committee,
            bonds: parts.bonds,
            missed: parts.missed,
            bridge_lags: parts.bridge_lags,
            contents: parts.contents,
            content_bytes_max: parts.content_bytes_max,
            staging: parts.staging,
        })))
    }
}

impl Inner {
    /// What is not there, or was before this node's history begins.
    fn not_kept(&self, what: impl std::fmt::Display) -> Failure {
        not_kept(what, *self.history_from.borrow())
    }
}

/// A node that starts again knows at once how far transactions of before have come.
fn resume(tracker: &Tracker, store: &Store, anchored: Height) -> Result<(), StoreError> {
    if let Some(Certificate { statement, .. }) = store.last_certificate()? {
        tracker.on_certified(statement.height, statement.commit);
    }
    if let Some(statement) = store.statement(anchored)? {
        tracker.on_anchored(statement.height, statement.commit);
    }
    Ok(())
}

/// All routes, behind the guard.
pub fn router(state: ApiState) -> Router {
    let exposed = [
        HeaderName::from_static(COMMIT_HEADER),
        HeaderName::from_static(HEIGHT_HEADER),
        header::RETRY_AFTER,
        header::ETAG,
    ];
    // Browsers may do what any program may: there are no cookies and no sessions to protect.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT])
        .allow_headers(Any)
        .expose_headers(exposed)
        .max_age(PREFLIGHT_MAX_AGE);
    Router::new()
        .route("/v1/transactions", post(submit::submit))
        .route("/v1/transactions/{id}", get(transactions::transaction))
        .route("/v1/dry-run", post(transactions::dry_run))
        .route("/v1/accounts/{address}", get(objects::account))
        .route("/v1/accounts/{address}/items", get(objects::account_items))
        .route(
            "/v1/accounts/{address}/history",
            get(objects::account_history),
        )
        .route("/v1/accounts/{address}/proof", get(objects::account_proof))
        .route("/v1/collections", get(lists::collections))
        .route("/v1/collections/{id}", get(objects::collection_of_id))
        .route(
            "/v1/collections/{id}/editions",
            get(lists::collection_editions),
        )
        .route("/v1/collections/{id}/items", get(lists::collection_items))
        .route("/v1/collections/{id}/proof", get(objects::collection_proof))
        .route(
            "/v1/collections/{id}/prices",
            get(market::collection_prices),
        )
        .route(
            "/v1/collections/{id}/trades",
            get(market::collection_trades),
        )
        .route("/v1/editions", get(search::editions))
        .route("/v1/editions/{id}", get(objects::edition_of_id))
        .route("/v1/editions/{id}/proof", get(objects::edition_proof))
        .route("/v1/editions/{id}/book", get(book::edition_book))
        .route("/v1/editions/{id}/prices", get(market::edition_prices))
        .route("/v1/editions/{id}/trades", get(market::edition_trades))
        .route("/v1/items/{id}", get(objects::item))
        .route("/v1/items/{id}/history", get(objects::item_history))
        .route("/v1/items/{id}/proof", get(objects::item_proof))
        .route("/v1/items/{id}/image", get(content::item_image))
        .route("/v1/editions/{id}/image", get(content::edition_image))
        .route("/v1/editions/{id}/metadata", get(content::edition_metadata))
        .route("/v1/content/{hash}", get(content::get).put(content::put))
        .route("/v1/data/{hash}", get(data::get).put(data::put))
        .route("/v1/data/{hash}/proof", get(data::posted_proof))
        .route("/v1/deals", get(deals::deals))
        .route("/v1/deals/{id}", get(objects::deal))
        .route("/v1/deals/{id}/proof", get(objects::deal_proof))
        .route("/v1/voucher-pools/{id}", get(vouchers::pool))
        .route("/v1/voucher-pools/{id}/proof", get(vouchers::pool_proof))
        .route(
            "/v1/voucher-pools/{id}/spent/{account}",
            get(vouchers::spent_proof),
        )
        .route("/v1/bridge", get(bridge::bridge))
        .route("/v1/withdrawals", get(bridge::withdrawals))
        .route("/v1/withdrawals/{index}", get(bridge::withdrawal))
        .route("/v1/exits/{address}", get(exits::exits))
        .route("/v1/exits/places", get(exits::places))
        .route("/v1/exits/places/{place}", get(exits::place))
        .route("/v1/offenders", get(offenders::offenders))
        .route("/v1/offenders/{id}", get(offenders::offender))
        .route("/v1/commits", get(chain::commits))
        .route("/v1/commits/{index}", get(chain::commit))
        .route("/v1/commits/{index}/receipts", get(transactions::receipts))
        .route("/v1/certificates", get(chain::certificates))
        .route("/v1/certificates/{height}", get(chain::certificate))
        .route("/v1/checkpoints", get(chain::checkpoints))
        .route("/v1/committee", get(chain::committee))
        .route("/v1/epochs/{epoch}/end", get(chain::epoch_end))
        .route("/v1/epoch", get(chain::epoch))
        .route("/v1/vertices", get(chain::vertices))
        .route("/v1/genesis", get(chain::genesis))
        .route("/v1/status", get(chain::status))
        .route("/v1/stream", get(stream::stream))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::openapi))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_route)
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(cors)
        .with_state(state)
}

async fn unknown_route(uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure::new(
        ProblemCode::UnknownRoute,
        format!("there is nothing at {path}"),
    )
}

async fn wrong_method(method: Method, uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    let detail = format!("{path} does not take {method}");
    Failure::new(ProblemCode::MethodNotAllowed, detail)
}

#[cfg(test)]
mod tests;
