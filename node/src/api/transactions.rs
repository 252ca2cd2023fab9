//! What became of a transaction. Ordered ones are answered from the store's receipts, those on the
//! way from the tracker.

use super::ApiState;
use super::answer::{Failure, Segment, parameter};
use super::body::{receive, transactions, wrong};
use super::openapi::EncodedTransactions;
use super::reading::{Reading, from_store, has_seen, now, page_of};
use super::submit::refused;
use super::verify::Busy;
use crate::tracker::Unordered;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use weft_storage::{PageRequest, Store};
use weft_types::api::{
    self, DryRun, Page, Problem, ProblemCode, TransactionState, TransactionStatus,
};
use weft_types::{CommitIndex, Height, Receipt, TransactionId};

/// A transaction's receipt, if it has one.
pub fn receipt(state: &ApiState, id: &TransactionId) -> Result<Option<Receipt>, Failure> {
    stored_receipt(&state.store, id)
}

fn stored_receipt(store: &Store, id: &TransactionId) -> Result<Option<Receipt>, Failure> {
    let encoded = store.receipt(id)?;
    let receipt = encoded.map(Receipt::decode).transpose();
    receipt.map_err(Failure::internal)
}

/// How far a transaction has come; `None` when nothing is known of it.
pub fn status(state: &ApiState, id: &TransactionId) -> Result<Option<TransactionStatus>, Failure> {
    if let Some(receipt) = receipt(state, id)? {
        return of_receipt(state, &receipt).map(Some);
    }
    let unordered = state
        .tracker
        .unordered(id)
        .map(|unordered| match unordered {
            Unordered::Submitted => TransactionState::Submitted,
            Unordered::Expired => TransactionState::Expired,
        });
    match unordered {
        Some(state) => Ok(Some(TransactionStatus::unordered(*id, state))),
        // It may have been ordered between the two looks.
        None => match receipt(state, id)? {
            Some(receipt) => of_receipt(state, &receipt).map(Some),
            None => Ok(None),
        },
    }
}

fn of_receipt(state: &ApiState, receipt: &Receipt) -> Result<TransactionStatus, Failure> {
    let progress = state.tracker.progress();
    let covered = receipt.commit <= progress.certified.1;
    let height = if covered {
        covering_height(state, receipt.commit, progress.certified.0)?
    } else {
        None
    };
    let reached = if receipt.commit <= progress.anchored.1 {
        TransactionState::Anchored
    } else if covered {
        TransactionState::Certified
    } else {
        TransactionState::Committed
    };
    let receipt = api::Receipt::from(receipt);
    let applied = receipt.code == 0;
    Ok(TransactionStatus {
        id: receipt.transaction,
        state: if applied {
            reached
        } else {
            TransactionState::Rejected
        },
        code: Some(receipt.code),
        code_name: Some(receipt.code_name.clone()),
        detail: (!applied).then(|| receipt.detail.clone()),
        commit: Some(receipt.commit),
        height,
        receipt: Some(receipt),
    })
}

/// The first height that covers a commit, which the newest one does.
fn covering_height(
    state: &ApiState,
    commit: CommitIndex,
    newest: Height,
) -> Result<Option<Height>, Failure> {
    if let Some(height) = state.tracker.height_of(commit) {
        return Ok(Some(height));
    }
    // Heights ascend with their commits: halve until one is left.
    let (mut low, mut high) = (1, newest.0);
    while low < high {
        let middle = low + (high - low) / 2;
        match state.store.statement(Height(middle))? {
            Some(statement) if statement.commit >= commit => high = middle,
            _ => low = middle + 1,
        }
    }
    let found = state.store.statement(Height(low))?;
    Ok(found.filter(|s| s.commit >= commit).map(|s| s.height))
}

/// How far a transaction has come
#[utoipa::path(get, path = "/v1/transactions/{id}", tag = "transactions",
    params(("id" = TransactionId, Path, description = "The digest of the transaction's body")),
    responses(
        (status = 200, body = TransactionStatus),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn transaction(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: TransactionId = parameter("id", &id)?;
    let status = status(&state, &id)?;
    let status = status.ok_or_else(|| state.not_kept(format_args!("transaction {id}")))?;
    Ok(has_seen(reading.answer(&status), status.commit))
}

/// The receipts of a commit
///
/// In the order of execution.
#[utoipa::path(get, path = "/v1/commits/{index}/receipts", tag = "chain",
    params(("index" = u64, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses(
        (status = 200, body = Page<api::Receipt>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn receipts(
    State(state): State<ApiState>,
    Segment(index): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let index = CommitIndex(parameter("index", &index)?);
    let request = PageRequest::ascending(reading.limit()?).after(reading.cursor()?);
    let not_kept = state.not_kept(format_args!("commit {index}"));
    let page = from_store(&state, move |store| {
        if store.commit(index)?.is_none() {
            return Err(not_kept);
        }
        page_of(store.receipts_of(index, &request)?, |id| {
            let receipt = stored_receipt(store, &id)?;
            let missing = || Failure::internal(format_args!("{id} has no receipt"));
            Ok(api::Receipt::from(&receipt.ok_or_else(missing)?))
        })
    });
    Ok(reading.answer(&page.await?))
}

/// The outcome that a transaction would have now
///
/// Takes one signed transaction, in the forms of `POST /v1/transactions`, and orders nothing.
#[utoipa::path(post, path = "/v1/dry-run", tag = "transactions",
    request_body(content(
        (api::SubmitRequest = "application/json"),
        (EncodedTransactions = "application/x-protobuf"),
    )),
    responses(
        (status = 200, body = DryRun),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn dry_run(
    State(state): State<ApiState>,
    reading: Reading,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, Failure> {
    let received = receive(&state.gate, &headers, body).await?;
    let mut posted = transactions(&received)?.transactions;
    let count = posted.len();
    let one = posted.pop().filter(|_| count == 1).ok_or_else(|| {
        let detail = format!("{count} transactions, a dry run takes one");
        Failure::new(ProblemCode::TooManyTransactions, detail)
    })??;
    let verdicts = state.verifier.verify(vec![one]).await;
    let verdicts =
        verdicts.map_err(|busy: Busy| Failure::new(ProblemCode::Overloaded, busy.to_string()))?;
    let missing = || Failure::internal("a verdict is missing");
    let verdict = verdicts.into_iter().next().ok_or_else(missing)?;
    let transaction = verdict.map_err(|e| wrong(&e))?;
    let now = now(&reading.view);
    let committee = state.committee.borrow().clone();
    let around = (state.genesis.contracts(), &*committee);
    let snapshot = &reading.view.snapshot;
    let receipt = snapshot.dry_run(&transaction, now, around);
    let receipt = receipt.map_err(|refusal| refused(&refusal))?;
    Ok(reading.answer(&DryRun {
        receipt: (&receipt).into(),
        after: reading.view.commit,
    }))
}
