//! Transactions as JSON: what is sent, what becomes of it, receipts. A transaction may be sent as
//! its encoding in a text, or as a structure that the server encodes; signatures are over the
//! canonical encoding of the body (fields in ascending order, defaults left out) in that case.

use super::{Problem, SUBMIT_TRANSACTIONS_MAX};
use crate::authorisation::Authorisation;
use crate::ids::{Address, Amount, CommitIndex, Height, Millis, NetworkId, TransactionId};
use crate::operation::Operation;
use crate::operation::encode::bytes;
use crate::state::ObjectId;
use crate::transaction::{Transaction, TransactionBody, TransactionError};
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// How far a transaction has come: forwards only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TransactionState {
    /// Taken by this node, not ordered yet.
    Submitted,
    /// Ordered and applied; final.
    Committed,
    /// Under a certificate of the committee.
    Certified,
    /// Under a checkpoint that the base chain has finalised.
    Anchored,
    /// Ordered, and refused by the ledger; final.
    Rejected,
    /// Not ordered in its time, and never will be.
    Expired,
}

impl TransactionState {
    /// Whether the transaction was ordered and applied.
    pub fn applied(self) -> bool {
        matches!(self, Self::Committed | Self::Certified | Self::Anchored)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Committed => "committed",
            Self::Certified => "certified",
            Self::Anchored => "anchored",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

/// A transaction's outcome in the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    pub transaction: TransactionId,
    pub commit: CommitIndex,
    /// Among the receipts of the commit, from 0.
    pub position: u32,
    /// 0: applied. Others are listed in the ledger's specification.
    pub code: u32,
    pub code_name: String,
    /// The operation that failed, from 0; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<u32>,
    /// The figures, for people.
    pub detail: String,
    pub fee: Amount,
    /// Objects created, in order.
    pub created: Vec<ObjectId>,
}

/// What has become of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransactionStatus {
    pub id: TransactionId,
    pub state: TransactionState,
    /// The receipt's code, once ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_name: Option<String>,
    /// Why it was rejected, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitIndex>,
    /// The certified height that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Height>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

impl From<&crate::receipt::Receipt> for Receipt {
    fn from(receipt: &crate::receipt::Receipt) -> Self {
        let failure = receipt.failure.as_ref();
        Self {
            transaction: receipt.transaction,
            commit: receipt.commit,
            position: receipt.position,
            code: failure.map_or(0, |f| f.code.number()),
            code_name: failure.map_or("applied", |f| f.code.name()).to_owned(),
            operation: failure.map(|f| f.operation),
            detail: failure.map_or_else(String::new, ToString::to_string),
            fee: receipt.fee,
            created: receipt.created.clone(),
        }
    }
}

impl TransactionStatus {
    /// One that is not ordered.
    pub fn unordered(id: TransactionId, state: TransactionState) -> Self {
        Self {
            id,
            state,
            code: None,
            code_name: None,
            detail: None,
            commit: None,
            height: None,
            receipt: None,
        }
    }
}

/// A transaction that the node did not take. It may be, or become, ordered through another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    /// Absent when the bytes are no transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<TransactionId>,
    pub problem: Problem,
}

/// The answer to one transaction of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Submission {
    Refused(Refused),
    Taken(TransactionStatus),
}

/// The outcome that a transaction would have as the next one; nothing is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRun {
    pub receipt: Receipt,
    /// The commit after which it was tried.
    pub after: CommitIndex,
}

/// Transactions to submit: `transaction`, or `transactions`, or `body` with `authorisations`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmitRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionJson>,
    /// At most 4096.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "one_too_many_at_most"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<TransactionJson>>))]
    pub transactions: Option<Vec<ListEntry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisations: Option<Vec<AuthorisationJson>>,
}

/// A list that is too long is read as one entry too long, whatever its length: two bytes of JSON
/// would else become two hundred in memory.
fn one_too_many_at_most<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<ListEntry>>, D::Error> {
    struct List;

    impl<'de> de::Visitor<'de> for List {
        type Value = Vec<ListEntry>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of transactions")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut transactions = Vec::new();
            while transactions.len() <= SUBMIT_TRANSACTIONS_MAX {
                match list.next_element()? {
                    Some(transaction) => transactions.push(transaction),
                    None => return Ok(transactions),
                }
            }
            while list.next_element::<de::IgnoredAny>()?.is_some() {}
            Ok(transactions)
        }
    }

    deserializer.deserialize_seq(List).map(Some)
}

/// An entry of a list: a transaction, or what is wrong with the JSON in its place. So it spoils no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry(pub Result<TransactionJson, String>);

/// Characters of the reason why an entry is no transaction; longer ones quote what was sent.
const REASON_CHARS_MAX: usize = 300;

impl<T: Into<TransactionJson>> From<T> for ListEntry {
    fn from(transaction: T) -> Self {
        Self(Ok(transaction.into()))
    }
}

impl Serialize for ListEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(transaction) => transaction.serialize(serializer),
            Err(reason) => Err(ser::Error::custom(reason)),
        }
    }
}

impl<'de> Deserialize<'de> for ListEntry {
    /// From JSON text alone: what is no transaction is passed over as text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let read = serde_json::from_str(text.get());
        Ok(Self(read.map_err(|error| {
            error.to_string().chars().take(REASON_CHARS_MAX).collect()
        })))
    }
}

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TransactionJson {
    /// The encoded transaction in base64 or hexadecimal.
    Encoded(String),
    Structured {
        body: BodyJson,
        authorisations: Vec<AuthorisationJson>,
    },
}

/// What is signed, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BodyJson {
    pub network: NetworkId,
    pub sender: Address,
    /// 16 bytes of the sender's choice, in hexadecimal.
    pub idempotency: String,
    pub valid_until: Millis,
    pub max_fee: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sponsor: Option<Address>,
    pub operations: Vec<Operation>,
    /// L60: entries of deals that the operations may reach together: all `entries` of a deal that is taken, cancelled,
    /// revealed or closed with a last state, half of them for a bid or a pack, an eighth for other operations that name
    /// one, each rounded up.
    #[serde(default, skip_serializing_if = "crate::operation::is_default")]
    pub deal_entries: u32,
}

/// A signature, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorisationJson {
    /// 1: Ed25519 (ZIP 215), 2: EIP-191, 3: P-256, 4: EIP-712, 5: WebAuthn.
    pub scheme: u32,
    /// In hexadecimal.
    pub public_key: String,
    /// In hexadecimal; of WebAuthn an assertion.
    pub signature: String,
    /// For which the key signs; absent for the account of its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Address>,
}

/// A structured transaction that has no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("{what} is not hexadecimal")]
    NotHex { what: &'static str },
    #[error("idempotency has {0} bytes, not 16")]
    Idempotency(usize),
    #[error(transparent)]
    Transaction(#[from] TransactionError),
}

fn from_hex(what: &'static str, text: &str) -> Result<Vec<u8>, JsonError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).map_err(|_| JsonError::NotHex { what })
}

impl BodyJson {
    /// The body that this is the JSON of.
    pub fn to_body(&self) -> Result<TransactionBody, JsonError> {
        let idempotency = from_hex("idempotency", &self.idempotency)?;
        Ok(TransactionBody {
            network: self.network,
            sender: self.sender,
            idempotency: idempotency
                .as_slice()
                .try_into()
                .map_err(|_| JsonError::Idempotency(idempotency.len()))?,
            valid_until: self.valid_until,
            max_fee: self.max_fee,
            sponsor: self.sponsor,
            operations: self.operations.clone(),
            deal_entries: self.deal_entries,
        })
    }

    /// The transaction of this body and these authorisations, held to the same form and bounds as
    /// one received encoded. Nothing is verified yet.
    pub fn assemble(&self, authorisations: &[AuthorisationJson]) -> Result<Transaction, JsonError> {
        let mut wire = wire::Transaction {
            body: self.to_body()?.encode(),
            authorisations: Vec::with_capacity(authorisations.len()),
        };
        for authorisation in authorisations {
            wire.authorisations.push(authorisation.to_wire()?);
        }
        Ok(Transaction::decode(Bytes::from(wire.encode_to_vec()))?)
    }
}

impl AuthorisationJson {
    pub(crate) fn to_wire(&self) -> Result<wire::Authorisation, JsonError> {
        Ok(wire::Authorisation {
            scheme: self.scheme,
            public_key: from_hex("public key", &self.public_key)?.into(),
            signature: from_hex("signature", &self.signature)?.into(),
            account: self.account.map_or(Bytes::new(), |a| bytes(&a.0)),
        })
    }

    /// The signature that this is the JSON of.
    pub fn read(&self) -> Result<Authorisation, JsonError> {
        Ok(Authorisation::from_wire(0, &self.to_wire()?)?)
    }
}

impl From<&TransactionBody> for BodyJson {
    fn from(body: &TransactionBody) -> Self {
        Self {
            network: body.network,
            sender: body.sender,
            idempotency: hex::encode(body.idempotency),
            valid_until: body.valid_until,
            max_fee: body.max_fee,
            sponsor: body.sponsor,
            operations: body.operations.clone(),
            deal_entries: body.deal_entries,
        }
    }
}

impl From<&Authorisation> for AuthorisationJson {
    fn from(authorisation: &Authorisation) -> Self {
        Self {
            scheme: authorisation.scheme.code(),
            public_key: hex::encode(&authorisation.public_key),
            signature: hex::encode(&authorisation.signature),
            account: authorisation.account,
        }
    }
}

impl From<&Transaction> for TransactionJson {
    fn from(transaction: &Transaction) -> Self {
        let authorisations = transaction.authorisations().iter();
        Self::Structured {
            body: transaction.body().into(),
            authorisations: authorisations.map(Into::into).collect(),
        }
    }
}

/// By hand, because a derived untagged form says only that nothing matched.
impl<'de> Deserialize<'de> for TransactionJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Structured {
            body: BodyJson,
            authorisations: Vec<AuthorisationJson>,
        }

        struct TextOrMap;

        impl<'de> de::Visitor<'de> for TextOrMap {
            type Value = TransactionJson;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an encoded transaction in base64 or hexadecimal, or an object with body and authorisations")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TransactionJson::Encoded(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(TransactionJson::Encoded(text))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let map = de::value::MapAccessDeserializer::new(map);
                let Structured {
                    body,
                    authorisations,
                } = Structured::deserialize(map)?;
                Ok(TransactionJson::Structured {
                    body,
                    authorisations,
                })
            }
        }

        deserializer.deserialize_any(TextOrMap)
    }
}
