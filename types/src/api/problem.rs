//! RFC 9457 problems with a stable code, a hint of what to do, and whether to try again. Codes,
//! titles, hints and HTTP states stand in one table here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What `type` begins with; the code follows.
pub const PROBLEM_TYPE_PREFIX: &str = "urn:weft:problem:";

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, retryable $retryable:literal, $title:literal, $hint:literal;)*) => {
        /// Every code that a node answers with. Codes are stable: they are added, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode {
            $($(#[$doc])* $name,)*
        }

        impl ProblemCode {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether the same request may succeed later.
            pub fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What to do about it.
            pub fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

problems! {
    EmptyRequest = "empty-request", 400, retryable false,
        "the request has no transaction", "send at least one transaction in the body";
    MalformedBody = "malformed-body", 400, retryable false,
        "the body cannot be read", "send a TransactionList or a Transaction as application/x-protobuf, or the JSON of /openapi.json";
    MalformedTransaction = "malformed-transaction", 400, retryable false,
        "the transaction cannot be read", "encode it after proto/transaction.proto and keep within its limits";
    UnknownParameter = "unknown-parameter", 400, retryable false,
        "the query has a parameter that this path does not take, or one twice", "leave it out; the detail names those that are known";
    MalformedParameter = "malformed-parameter", 400, retryable false,
        "a part of the path or of the query cannot be read", "see /openapi.json for the form of each parameter";
    InvalidCursor = "invalid-cursor", 400, retryable false,
        "the cursor is none of this list", "take `next` of the last page as it is, or begin again without a cursor";
    UnknownRoute = "unknown-route", 404, retryable false,
        "there is nothing at this path", "see /openapi.json for every path";
    NotFound = "not-found", 404, retryable false,
        "there is no such thing", "check the identifier; what has just been created is there once its transaction is committed";
    MethodNotAllowed = "method-not-allowed", 405, retryable false,
        "the path does not take this method", "see the header Allow";
    TimedOut = "timed-out", 503, retryable true,
        "the request took too long", "send it again; the same transaction again has the same outcome";
    NotReached = "not-reached", 409, retryable true,
        "this node has not yet reached the commit or height asked for", "try again shortly, or ask another node";
    NotCertified = "not-certified", 409, retryable true,
        "nothing is certified yet", "try again when /v1/status shows a certified height";
    BodyTooLarge = "body-too-large", 413, retryable false,
        "the body is too large", "send fewer transactions at a time";
    HeadTooLarge = "head-too-large", 431, retryable false,
        "the request's head is too large", "send a shorter path and fewer or shorter headers";
    TooManyTransactions = "too-many-transactions", 413, retryable false,
        "the request has too many transactions", "send fewer transactions at a time";
    TransactionTooLarge = "transaction-too-large", 413, retryable false,
        "the transaction is too large", "spread its operations over several transactions";
    UnsupportedMediaType = "unsupported-media-type", 415, retryable false,
        "the body's media type is not known", "send application/x-protobuf or application/json";
    WrongNetwork = "wrong-network", 422, retryable false,
        "the transaction is of another network", "sign for the network that /v1/status names";
    SignatureMissing = "signature-missing", 422, retryable false,
        "a party has not signed", "sender, sponsor and every party of a MultiParty must sign";
    SignatureUnexpected = "signature-unexpected", 422, retryable false,
        "somebody signed who is no party", "leave out signatures by others, and second signatures";
    SignatureInvalid = "signature-invalid", 422, retryable false,
        "a signature does not verify", "sign the domain tag `weft/v1/transaction-signature` and the body's bytes as sent";
    Expired = "expired", 422, retryable false,
        "the transaction's validity has passed", "sign again with a later valid_until";
    ValidityTooLong = "validity-too-long", 422, retryable false,
        "the transaction would be valid for too long", "choose a valid_until at most ten minutes ahead";
    FeeTooLow = "fee-too-low", 422, retryable false,
        "max_fee is below the fee", "raise max_fee to the figure in the detail";
    NotAuthorised = "not-authorised", 422, retryable false,
        "a key has not the say for what it has signed", "sign with the owner's key, or with a session that may do it: GET /v1/accounts/{address} shows both";
    CannotPay = "cannot-pay", 422, retryable false,
        "the payer cannot pay the fee", "fund the account, or name a sponsor";
    Replayed = "replayed", 409, retryable false,
        "the transaction has had its outcome before", "ask GET /v1/transactions/{id} for it";
    LedgerFull = "ledger-full", 503, retryable true,
        "the ledger remembers as many transactions as it may", "try again when some of those in work have expired";
    RateLimited = "rate-limited", 429, retryable true,
        "too many requests from this address", "wait as long as Retry-After says, and send transactions in batches";
    StreamsFull = "streams-full", 503, retryable true,
        "too many open streams", "share one stream among several topics, or use another node";
    Overloaded = "overloaded", 503, retryable true,
        "too many requests are in work", "wait as long as Retry-After says, or use another node";
    MempoolFull = "mempool-full", 503, retryable true,
        "the node holds as many waiting transactions as it may", "wait as long as Retry-After says, or use another node";
    NotAccepting = "not-accepting", 503, retryable true,
        "the node takes no transactions at the moment", "see the detail, or use another node";
    ContentMismatch = "content-mismatch", 422, retryable false,
        "the bytes have another hash", "send the bytes whose BLAKE3 hash is in the path, as they are";
    ContentNotNamed = "content-not-named", 404, retryable false,
        "nothing on the ledger names this hash", "name it first, in an edition or on a card; what has just been named is there once its transaction is committed";
    ContentMissing = "content-missing", 404, retryable true,
        "the ledger names this hash, and no node that was asked has the bytes", "whoever has the bytes may send them: PUT /v1/content/{hash}";
    ContentFull = "content-full", 503, retryable true,
        "the node stores as much content as it may", "use another node; an operator raises `content_bytes_max`";
    Internal = "internal", 500, retryable true,
        "the node failed to answer", "the node's log has the cause";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request, or one transaction of a batch, got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI that names the code.
    pub r#type: String,
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence, with its figures.
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// For programs; one of a stable list.
    pub code: String,
    /// What to do about it.
    pub hint: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl Problem {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("{PROBLEM_TYPE_PREFIX}{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            instance: None,
            code: code.as_str().to_owned(),
            hint: code.hint().to_owned(),
            retryable: code.retryable(),
        }
    }

    /// Whether this is a problem of that code.
    pub fn is(&self, code: ProblemCode) -> bool {
        self.code == code.as_str()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}
