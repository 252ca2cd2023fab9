//! From a request's body to transactions. A body is counted against a budget in bytes while it
//! comes in, so that many large or slow ones together stay bounded; and each transaction is copied
//! out of it, so that one that waits in the mempool does not hold the whole body.

use super::answer::Failure;
use super::guard::Gate;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use prost::Message as _;
use std::error::Error as _;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use weft_http::BodyTooSlow;
use weft_types::api::{
    BODY_BYTES_MAX, JSON_BYTES_MAX, JsonError, PROTOBUF, ProblemCode, SUBMIT_TRANSACTIONS_MAX,
    SubmitRequest, TransactionJson,
};
use weft_types::{OPERATIONS_MAX, TRANSACTION_BYTES_MAX, Transaction, TransactionError, wire};

/// A body up to this length counts as small.
const SMALL_BODY_BYTES: usize = 32 << 10;

/// A body as received, holding its part of the budget.
pub struct Received {
    media: Media,
    bytes: Bytes,
    _budget: Vec<OwnedSemaphorePermit>,
}

/// The media types that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Protobuf,
}

impl Media {
    fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|k| k.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| name.eq_ignore_ascii_case(essence);
        if is("application/json") {
            return Ok(Self::Json);
        }
        if is(PROTOBUF) || is("application/protobuf") || is("application/octet-stream") {
            return Ok(Self::Protobuf);
        }
        let shown: String = kind.chars().take(80).collect();
        let detail = format!("the content type is {shown:?}");
        Err(Failure::new(ProblemCode::UnsupportedMediaType, detail))
    }

    fn bytes_max(self) -> usize {
        match self {
            Self::Json => JSON_BYTES_MAX,
            Self::Protobuf => BODY_BYTES_MAX,
        }
    }
}

/// Reads a body within its bound and the budget.
pub async fn receive(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Received, Failure> {
    let media = Media::of(headers)?;
    let (bytes, budget) = collect(gate, headers, body, media.bytes_max()).await?;
    Ok(Received {
        media,
        bytes,
        _budget: budget,
    })
}

/// Bytes with their part of the budget.
pub type Collected = (Bytes, Vec<OwnedSemaphorePermit>);

/// Reads a body of any kind.
pub async fn collect(
    gate: &Gate,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Collected, Failure> {
    not_compressed(headers)?;
    let too_large = |bytes: u64| {
        let detail = format!("the body has {bytes} bytes or more, at most {bytes_max} are taken");
        Failure::new(ProblemCode::BodyTooLarge, detail)
    };
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if let Some(length) = announced.filter(|l| *l > bytes_max as u64) {
        return Err(too_large(length));
    }
    let mut bytes = BytesMut::new();
    let mut budget: Vec<OwnedSemaphorePermit> = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| ended_early(&e))?;
        let length = bytes.len() + piece.len();
        if length > bytes_max {
            return Err(too_large(length as u64));
        }
        // The bound on a body keeps this within 32 bits.
        let pool = if length <= SMALL_BODY_BYTES {
            &gate.small_bodies
        } else {
            &gate.large_bodies
        };
        let permits = pool.clone().try_acquire_many_owned(piece.len() as u32);
        let permits = permits.map_err(|_| {
            let detail = "the bodies in work have as many bytes as the node takes at a time";
            Failure::new(ProblemCode::Overloaded, detail)
        })?;
        // One permit a pool, not one a piece.
        let same = |b: &&mut OwnedSemaphorePermit| Arc::ptr_eq(b.semaphore(), pool);
        match budget.iter_mut().find(same) {
            Some(held) => held.merge(permits),
            None => budget.push(permits),
        }
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.freeze(), budget))
}

fn not_compressed(headers: &HeaderMap) -> Result<(), Failure> {
    let coding = headers.get(header::CONTENT_ENCODING);
    let Some(coding) = coding.filter(|c| !c.as_bytes().eq_ignore_ascii_case(b"identity")) else {
        return Ok(());
    };
    let shown: String = String::from_utf8_lossy(coding.as_bytes())
        .chars()
        .take(80)
        .collect();
    let detail = format!("the content encoding is {shown:?}, bodies are taken without any");
    let failure = Failure::new(ProblemCode::UnsupportedMediaType, detail);
    Err(failure.hint("send the body as it is, without Content-Encoding"))
}

fn ended_early(error: &axum::Error) -> Failure {
    let cause = error.source();
    match cause.and_then(|cause| cause.downcast_ref::<BodyTooSlow>()) {
        Some(slow) => Failure::new(ProblemCode::TimedOut, slow.to_string()),
        None => {
            let detail = format!("the body ended early: {error}");
            Failure::new(ProblemCode::MalformedBody, detail)
        }
    }
}

/// One transaction of a request: read, or what is wrong with it.
pub type Read = Result<Transaction, Failure>;

/// The transactions of a request.
pub struct Posted {
    /// One by itself, not a list, which may also be of one.
    pub single: bool,
    /// At least one.
    pub transactions: Vec<Read>,
}

impl Posted {
    fn one(read: Read) -> Self {
        Self {
            single: true,
            transactions: vec![read],
        }
    }

    fn many(reads: impl Iterator<Item = Read>) -> Self {
        Self {
            single: false,
            transactions: reads.collect(),
        }
    }
}

/// Reads the transactions of a body.
pub fn transactions(received: &Received) -> Result<Posted, Failure> {
    let body = &received.bytes;
    if body.is_empty() {
        let detail = "the body is empty";
        return Err(Failure::new(ProblemCode::EmptyRequest, detail));
    }
    match received.media {
        Media::Json => json(body),
        Media::Protobuf => encoded(body),
    }
}

/// A `Transaction`, which always has authorisations in field 2, or a `TransactionList`, which has no
/// such field. Counted before it is decoded.
fn encoded(body: &Bytes) -> Result<Posted, Failure> {
    let malformed = |e: prost::DecodeError| {
        let detail = format!("the body is no protobuf message: {e}");
        Failure::new(ProblemCode::MalformedBody, detail)
    };
    let [_, entries, authorisations, ..] = wire::occurrences(body).map_err(malformed)?;
    if authorisations > 0 {
        return Ok(Posted::one(decode(body)));
    }
    bounded(entries)?;
    let list = wire::TransactionList::decode(body.clone()).map_err(malformed)?;
    // A transaction without authorisations looks like a list of one; the one is its body then.
    if let [only] = &list.transactions[..]
        && is_body(only)
    {
        return Ok(Posted::one(Err(unsigned())));
    }
    Ok(Posted::many(list.transactions.iter().map(decode)))
}

/// Whether this is the body of a transaction, which is never a whole transaction as well: its first
/// field is a network's id, shorter than any body.
fn is_body(bytes: &Bytes) -> bool {
    let operations = wire::occurrences(bytes).map_or(usize::MAX, |counts| counts[7]);
    bytes.len() <= TRANSACTION_BYTES_MAX
        && operations <= OPERATIONS_MAX
        && wire::TransactionBody::decode(bytes.clone())
            .is_ok_and(|body| body.network.len() == 32 && body.sender.len() == 32)
}

fn unsigned() -> Failure {
    wrong(&TransactionError::Authorisations(0))
}

fn json(body: &Bytes) -> Result<Posted, Failure> {
    // serde would take a list for the object's fields in their order.
    if body.trim_ascii_start().first().is_some_and(|b| *b != b'{') {
        let detail = "the body is no JSON object: one with `transaction`, `transactions`, or `body` \
                      and `authorisations` is expected";
        return Err(Failure::new(ProblemCode::MalformedBody, detail));
    }
    let request: SubmitRequest = serde_json::from_slice(body).map_err(|e| {
        let detail = format!("the body is no JSON of the expected form: {e}");
        Failure::new(ProblemCode::MalformedBody, detail)
    })?;
    let SubmitRequest {
        transaction,
        transactions,
        body,
        authorisations,
    } = request;
    match (transaction, transactions, body, authorisations) {
        (Some(one), None, None, None) => Ok(Posted::one(read(&one))),
        (None, Some(many), None, None) => {
            bounded(many.len())?;
            Ok(Posted::many(many.iter().map(|entry| match &entry.0 {
                Ok(one) => read(one),
                Err(reason) => {
                    let detail = format!("the entry is no transaction: {reason}");
                    Err(Failure::new(ProblemCode::MalformedTransaction, detail))
                }
            })))
        }
        (None, None, Some(body), Some(authorisations)) => {
            let one = TransactionJson::Structured {
                body,
                authorisations,
            };
            Ok(Posted::one(read(&one)))
        }
        (None, None, None, None) => {
            let detail = "the body names no transaction";
            Err(Failure::new(ProblemCode::EmptyRequest, detail))
        }
        _ => {
            let detail = "the body has more than one of `transaction`, `transactions`, and `body` \
                          with `authorisations`, or only one of the latter two";
            Err(Failure::new(ProblemCode::MalformedBody, detail))
        }
    }
}

fn bounded(count: usize) -> Result<(), Failure> {
    if count == 0 {
        let detail = "the list of transactions is empty";
        return Err(Failure::new(ProblemCode::EmptyRequest, detail));
    }
    if count > SUBMIT_TRANSACTIONS_MAX {
        let detail = format!("{count} transactions, at most {SUBMIT_TRANSACTIONS_MAX} are taken");
        return Err(Failure::new(ProblemCode::TooManyTransactions, detail));
    }
    Ok(())
}

fn read(transaction: &TransactionJson) -> Read {
    match transaction {
        TransactionJson::Encoded(text) => decode(&text_bytes(text)?),
        TransactionJson::Structured {
            body,
            authorisations,
        } => body.assemble(authorisations).map_err(|error| match error {
            JsonError::Transaction(error) => wrong(&error),
            error => Failure::new(ProblemCode::MalformedTransaction, error.to_string()),
        }),
    }
}

/// Hexadecimal if it can be (no encoded transaction looks like that in base64, for it holds a key
/// and a signature), else base64, with padding or for URLs.
fn text_bytes(text: &str) -> Result<Bytes, Failure> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if let Ok(bytes) = hex::decode(digits) {
        return Ok(bytes.into());
    }
    let standard = STANDARD.decode(text);
    let bytes = standard.or_else(|_| URL_SAFE_NO_PAD.decode(text));
    bytes.map(Bytes::from).map_err(|e| {
        let detail = format!("the transaction is neither hexadecimal nor base64: {e}");
        Failure::new(ProblemCode::MalformedTransaction, detail)
    })
}

fn decode(bytes: &Bytes) -> Read {
    if bytes.is_empty() {
        let detail = "the transaction has no bytes";
        return Err(Failure::new(ProblemCode::MalformedTransaction, detail));
    }
    let own = Bytes::copy_from_slice(bytes);
    Transaction::decode(own).map_err(|error| match error {
        // Only what is a transaction otherwise lacks nothing but signatures.
        TransactionError::Authorisations(0) if !has_body(bytes) => {
            Failure::new(ProblemCode::MalformedTransaction, error.to_string())
        }
        error => wrong(&error),
    })
}

fn has_body(bytes: &Bytes) -> bool {
    wire::Transaction::decode(bytes.clone()).is_ok_and(|outer| is_body(&outer.body))
}

/// The problem that says what is wrong with a transaction.
pub fn wrong(error: &TransactionError) -> Failure {
    use TransactionError as E;
    let code = match error {
        E::TooLong(_) => ProblemCode::TransactionTooLarge,
        E::Network { .. } | E::StateNetwork(_) => ProblemCode::WrongNetwork,
        E::Unsigned(_) | E::Authorisations(0) => ProblemCode::SignatureMissing,
        E::Stranger(_) => ProblemCode::SignatureUnexpected,
        E::Signature(_) | E::Pass(_) | E::State(_) | E::Voucher => ProblemCode::SignatureInvalid,
        E::Malformed(_)
        | E::Id(_)
        | E::Idempotency(_)
        | E::Padded(_)
        | E::Operations(_)
        | E::Operation(_)
        | E::Passes(_)
        | E::States(_)
        | E::Authorisations(_)
        | E::Scheme { .. }
        | E::Assertion(_)
        | E::OwnAccount(_)
        | E::AuthorisationLength { .. }
        | E::VoucherChecks(_)
        | E::Posts(_)
        | E::Work(_) => ProblemCode::MalformedTransaction,
    };
    Failure::new(code, error.to_string())
}
