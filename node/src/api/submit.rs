//! `POST /v1/transactions`. Each transaction of a request goes its own way: read, recognised if it
//! is known, verified, held against the newest state, handed to the replica, followed. One that is
//! refused on the way is answered with a problem and spoils no other.
//!
//! Sending the same transaction again is answered with its present status, whatever that is, so a
//! client that lost an answer just sends it again.

use super::ApiState;
use super::answer::{Failure, Query, json, parameter};
use super::body::{Posted, receive, transactions, wrong};
use super::openapi::EncodedTransactions;
use super::reading::{has_seen, now};
use super::transactions::{receipt, status};
use super::verify::Busy;
use crate::metrics::TransactionResult;
use crate::tracker::{Outcome, Unordered};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use weft_types::api::{ProblemCode, Refused, Submission, TransactionState, TransactionStatus};
use weft_types::{CommitIndex, MEMBERS_MAX, Transaction, TransactionId, Verified};

/// Submissions on their way to the replica; further ones are refused.
const SUBMISSIONS_MAX: usize = 1_024;

/// Why the replica does not take a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// In bytes.
    #[error("the mempool holds {bytes} of {bytes_max} bytes")]
    Full { bytes: usize, bytes_max: usize },
    #[error("{0}")]
    NotAccepting(String),
}

/// Verified transactions on their way to the replica, which answers each in its place.
pub struct Submit {
    pub transactions: Vec<Arc<Verified<Transaction>>>,
    /// To how many members the client has given them.
    pub copies: usize,
    pub answer: oneshot::Sender<Vec<Result<(), Refusal>>>,
}

/// The API's end of the way to the replica.
#[derive(Clone)]
pub struct Submitter(mpsc::Sender<Submit>);

impl Submitter {
    /// The two ends. The driver answers each.
    pub fn channel() -> (Self, mpsc::Receiver<Submit>) {
        let (sender, receiver) = mpsc::channel(SUBMISSIONS_MAX);
        (Self(sender), receiver)
    }

    async fn submit(
        &self,
        transactions: Vec<Arc<Verified<Transaction>>>,
        copies: usize,
    ) -> Result<Vec<Result<(), Refusal>>, Failure> {
        let (answer, answered) = oneshot::channel();
        let submit = Submit {
            transactions,
            copies,
            answer,
        };
        self.0.try_send(submit).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure::new(
                ProblemCode::Overloaded,
                "the replica has more submissions waiting than it takes",
            ),
            mpsc::error::TrySendError::Closed(_) => stopping(),
        })?;
        answered.await.map_err(|_| stopping())
    }
}

fn stopping() -> Failure {
    Failure::new(ProblemCode::NotAccepting, "the node stops")
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wait {
    Committed,
    Certified,
}

impl std::str::FromStr for Wait {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "committed" => Ok(Self::Committed),
            "certified" => Ok(Self::Certified),
            _ => Err("must be committed or certified"),
        }
    }
}

/// P1: to how many members, the first of its order, a transaction has been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copies(usize);

impl std::str::FromStr for Copies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let copies = text.parse().ok();
        let copies = copies.filter(|n| (1..=MEMBERS_MAX).contains(n));
        let copies = copies.ok_or_else(|| format!("must be a number from 1 to {MEMBERS_MAX}"))?;
        Ok(Self(copies))
    }
}

/// One transaction of a request on its way.
enum Slot {
    Refused(Option<TransactionId>, Failure),
    /// Known, or taken now; its status is read at the end.
    Taken(TransactionId),
    /// On the way.
    Open(TransactionId),
}

/// Submits transactions
///
/// The body is an encoded `TransactionList` or `Transaction` (application/x-protobuf), or JSON. The
/// answer is a list in the order of the request; a request with a single transaction (not a list of
/// one) that is refused is answered with its problem instead. 202 while any is still `submitted`.
#[utoipa::path(post, path = "/v1/transactions", tag = "transactions",
    params(("wait" = Option<Wait>, Query, description = "wait, some seconds at most, until all are committed or certified"),
        ("copies" = Option<u32>, Query, minimum = 1, maximum = 128, description = "to how many members each \
            transaction is given, the first of its order; 1 by default. Those that are not the first \
            propose it after some rounds, unless another has")),
    request_body(content(
        (weft_types::api::SubmitRequest = "application/json"),
        (EncodedTransactions = "application/x-protobuf"),
    )),
    responses(
        (status = 200, description = "Every transaction has come as far as was waited for", body = Vec<Submission>),
        (status = 202, description = "Some are taken and not ordered yet", body = Vec<Submission>),
        (status = "default", description = "Nothing was taken", body = weft_types::api::Problem, content_type = "application/problem+json"),
    ))]
pub async fn submit(
    State(state): State<ApiState>,
    Query(query): Query,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, Failure> {
    let wait = query.get("wait").map(|w| parameter::<Wait>("wait", w));
    let wait = wait.transpose()?;
    let copies = query.get("copies").map(|c| parameter("copies", c));
    let Copies(copies) = copies.transpose()?.unwrap_or(Copies(1));
    let until = Instant::now() + state.limits.wait_max;
    never_taken(&state)?;
    let received = receive(&state.gate, &headers, body).await?;
    let Posted {
        single,
        transactions,
    } = transactions(&received)?;
    let mut slots = Vec::with_capacity(transactions.len());
    let (mut open, mut seen) = (Vec::new(), HashSet::new());
    for transaction in transactions {
        slots.push(match recognise(&state, transaction)? {
            (slot, Some(transaction)) => {
                // The same transaction twice in one request goes once.
                if seen.insert(transaction.id()) {
                    open.push(transaction);
                }
                slot
            }
            (slot, None) => slot,
        });
    }
    if !open.is_empty() {
        let outcomes = take(&state, open, copies).await?;
        conclude(&mut slots, outcomes);
    }
    // The transactions have been copied out; the body's part of the budget is free again.
    drop(received);
    count(&state, &slots);
    if let Some(wait) = wait {
        wait_for(&state, &slots, wait, until).await?;
    }
    answer(&state, single, slots)
}

/// An observer refuses the request as a whole, unread: a client with several nodes goes on to the next.
fn never_taken(state: &ApiState) -> Result<(), Failure> {
    let view = state.views.borrow();
    match &view.not_accepting {
        Some(reason) if view.own.is_none() => {
            Err(Failure::new(ProblemCode::NotAccepting, reason.clone()))
        }
        _ => Ok(()),
    }
}

/// What is known already, or wrong at first sight, goes no further.
fn recognise(
    state: &ApiState,
    read: Result<Transaction, Failure>,
) -> Result<(Slot, Option<Transaction>), Failure> {
    let transaction = match read {
        Ok(transaction) => transaction,
        Err(failure) => return Ok((Slot::Refused(None, failure), None)),
    };
    let id = transaction.id();
    let submitted = state.tracker.unordered(&id) == Some(Unordered::Submitted);
    if submitted || state.store.receipt(&id)?.is_some() {
        return Ok((Slot::Taken(id), None));
    }
    // Cheaper to say before the signatures are looked at.
    let network = state.genesis.network.id();
    let found = transaction.body().network;
    if found != network {
        let error = weft_types::TransactionError::Network {
            expected: network,
            found,
        };
        return Ok((Slot::Refused(Some(id), wrong(&error)), None));
    }
    Ok((Slot::Open(id), Some(transaction)))
}

type Outcomes = HashMap<TransactionId, Result<(), Failure>>;

/// Verifies, checks and hands over; the outcome of each by its id.
async fn take(
    state: &ApiState,
    open: Vec<Transaction>,
    copies: usize,
) -> Result<Outcomes, Failure> {
    let full =
        |e: crate::tracker::TrackerFull| Failure::new(ProblemCode::MempoolFull, e.to_string());
    state.tracker.has_room(open.len()).map_err(full)?;
    let ids: Vec<TransactionId> = open.iter().map(Transaction::id).collect();
    // A node that catches up has better use for its processors than signatures that it refuses.
    if let Some(reason) = &state.views.borrow().not_accepting {
        let failure = Failure::new(ProblemCode::NotAccepting, reason.clone());
        return Ok(ids
            .into_iter()
            .map(|id| (id, Err(failure.clone())))
            .collect());
    }
    let verdicts = state.verifier.verify(open).await;
    let verdicts = verdicts.map_err(|busy| match busy {
        Busy::Full | Busy::Work => Failure::new(ProblemCode::Overloaded, busy.to_string()),
        Busy::TooMuch(_) => Failure::new(ProblemCode::TooManyTransactions, busy.to_string()),
        Busy::Stopped => stopping(),
    })?;
    let view = state.views.borrow().clone();
    let now = now(&view);
    let mut outcomes = Outcomes::with_capacity(ids.len());
    let mut admitted = Vec::with_capacity(ids.len());
    for (id, verdict) in ids.into_iter().zip(verdicts) {
        match verdict {
            Err(error) => drop(outcomes.insert(id, Err(wrong(&error)))),
            Ok(transaction) => match view.snapshot.check(&transaction, now) {
                // Ordered since it was recognised as unknown: its receipt says what came of it.
                Err(weft_ledger::Refusal::Replayed) if state.store.receipt(&id)?.is_some() => {
                    outcomes.insert(id, Ok(()));
                }
                Err(refusal) => drop(outcomes.insert(id, Err(refused(&refusal)))),
                Ok(_fee) => admitted.push(transaction),
            },
        }
    }
    if admitted.is_empty() {
        return Ok(outcomes);
    }
    let since = std::time::Instant::now();
    let results = state.submitter.submit(admitted.clone(), copies).await?;
    for (transaction, result) in admitted.iter().zip(results) {
        let id = transaction.id();
        let outcome = match result {
            Ok(()) => {
                follow(state, transaction, since)?;
                Ok(())
            }
            Err(refusal @ Refusal::Full { .. }) => {
                Err(Failure::new(ProblemCode::MempoolFull, refusal.to_string()))
            }
            Err(Refusal::NotAccepting(reason)) => {
                Err(Failure::new(ProblemCode::NotAccepting, reason))
            }
        };
        outcomes.insert(id, outcome);
    }
    Ok(outcomes)
}

/// The problem of a transaction that the ledger would not take.
pub fn refused(refusal: &weft_ledger::Refusal) -> Failure {
    use weft_ledger::Refusal as R;
    let code = match refusal {
        R::Replayed => ProblemCode::Replayed,
        R::Expired { .. } => ProblemCode::Expired,
        R::ValidityTooLong { .. } => ProblemCode::ValidityTooLong,
        R::FeeTooLow { .. } => ProblemCode::FeeTooLow,
        R::NotAuthorised { .. } => ProblemCode::NotAuthorised,
        R::CannotPay { .. } => ProblemCode::CannotPay,
        R::Full { .. } => ProblemCode::LedgerFull,
    };
    Failure::new(code, refusal.to_string())
}

/// Enters a transaction that the replica has taken; see [`crate::tracker`] for why the store is
/// looked at afterwards.
fn follow(
    state: &ApiState,
    transaction: &Transaction,
    since: std::time::Instant,
) -> Result<(), Failure> {
    let (id, valid_until) = (transaction.id(), transaction.body().valid_until);
    state.tracker.submitted(id, valid_until, since);
    if let Some(receipt) = receipt(state, &id)? {
        state.tracker.ordered(&id, receipt.commit);
    }
    Ok(())
}

fn conclude(slots: &mut [Slot], outcomes: Outcomes) {
    for slot in slots {
        let Slot::Open(id) = slot else {
            continue;
        };
        let id = *id;
        *slot = match outcomes.get(&id) {
            Some(Ok(())) => Slot::Taken(id),
            Some(Err(failure)) => Slot::Refused(Some(id), failure.clone()),
            None => Slot::Refused(Some(id), stopping()),
        };
    }
}

fn count(state: &ApiState, slots: &[Slot]) {
    let refused = slots.iter().filter(|s| matches!(s, Slot::Refused(..)));
    let refused = refused.count() as u64;
    let metrics = &state.metrics;
    metrics.count(TransactionResult::Refused, refused);
    metrics.count(TransactionResult::Submitted, slots.len() as u64 - refused);
}

/// Waits until every taken transaction is ordered, or expired, and if asked for, certified.
async fn wait_for(
    state: &ApiState,
    slots: &[Slot],
    wait: Wait,
    until: Instant,
) -> Result<(), Failure> {
    let mut last = CommitIndex::ZERO;
    for slot in slots {
        let Slot::Taken(id) = slot else {
            continue;
        };
        if let Some(signal) = state.tracker.wait(id) {
            match tokio::time::timeout_at(until, signal).await {
                Ok(Ok(Outcome::Expired)) => continue,
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
        }
        if wait == Wait::Certified
            && let Some(receipt) = receipt(state, id)?
            && receipt.is_applied()
        {
            last = last.max(receipt.commit);
        }
    }
    let mut progress = state.tracker.watch_progress();
    let certified = progress.wait_for(|p| p.certified.1 >= last);
    // The time being over is no failure: the answer says how far each has come.
    let _either = tokio::time::timeout_at(until, certified).await;
    Ok(())
}

fn answer(state: &ApiState, single: bool, slots: Vec<Slot>) -> Result<Response, Failure> {
    let mut submissions = Vec::with_capacity(slots.len());
    let (mut waiting, mut seen) = (false, None);
    for slot in slots {
        let (id, failure) = match slot {
            Slot::Taken(id) => {
                // Taken, and nowhere to be found: pruned while this request waited.
                let unordered = || TransactionStatus::unordered(id, TransactionState::Submitted);
                let status = status(state, &id)?.unwrap_or_else(unordered);
                waiting |= status.state == TransactionState::Submitted;
                seen = seen.max(status.commit);
                submissions.push(Submission::Taken(status));
                continue;
            }
            Slot::Refused(id, failure) => (id, failure),
            Slot::Open(id) => (Some(id), stopping()),
        };
        if single {
            return Err(failure);
        }
        submissions.push(Submission::Refused(Refused {
            id,
            problem: *failure.problem,
        }));
    }
    let status = if waiting {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let response = (status, json(&submissions)).into_response();
    Ok(has_seen(response, seen))
}

#[cfg(test)]
mod tests;
