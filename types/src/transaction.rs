//! The envelope that applications sign. A transaction's identity is the digest of its body's bytes as
//! received: sending the same body again, anywhere, is the same transaction with one outcome. There
//! are no nonces; `valid_until` bounds how long a digest must be remembered.

use crate::ed25519::{self, PublicKey, SecretKey};
use crate::hash::{Domain, blake3};
use crate::ids::{Address, Amount, IdError, Millis, NetworkId, TransactionId};
use crate::operation::{Operation, OperationError};
use crate::verified::Verified;
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;

/// Longest encoded transaction in bytes.
pub const TRANSACTION_BYTES_MAX: usize = 64 << 10;
/// Most operations of one transaction, those inside a `MultiParty` counted.
pub const OPERATIONS_MAX: usize = 64;
/// Most authorisations of one transaction.
pub const AUTHORISATIONS_MAX: usize = 16;

/// An authorisation on the wire in its shortest form, in bytes: scheme 2, key 34, signature 66, and 2
/// around them.
pub const AUTHORISATION_BYTES: u64 = 104;

/// How an authorisation is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    Ed25519,
}

impl Scheme {
    /// The number on the wire and in the address.
    pub fn code(self) -> u32 {
        match self {
            Self::Ed25519 => 1,
        }
    }

    fn from_code(code: u32) -> Option<Self> {
        (code == 1).then_some(Self::Ed25519)
    }
}

impl Address {
    /// The account that a key controls.
    pub fn of(scheme: Scheme, public_key: &[u8]) -> Self {
        let code = scheme.code().to_be_bytes();
        Self(blake3(Domain::Address, &[&code, public_key]))
    }

    /// The account that an Ed25519 key controls.
    pub fn of_key(key: &PublicKey) -> Self {
        Self::of(Scheme::Ed25519, &key.0)
    }
}

/// A signature by one of a transaction's parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    pub scheme: Scheme,
    pub public_key: PublicKey,
    pub signature: [u8; ed25519::SIGNATURE_BYTES],
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionBody {
    pub network: NetworkId,
    pub sender: Address,
    /// Of the sender's choice: tells two otherwise equal intents apart.
    pub idempotency: [u8; 16],
    pub valid_until: Millis,
    pub max_fee: Amount,
    pub sponsor: Option<Address>,
    pub operations: Vec<Operation>,
}

/// A transaction as received: parsed, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    id: TransactionId,
    encoded: Bytes,
    encoded_body: Bytes,
    body: TransactionBody,
    authorisations: Vec<Authorisation>,
}

/// Why bytes are no transaction, or none of this network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    #[error("transaction has {0} bytes, more than {TRANSACTION_BYTES_MAX}")]
    TooLong(usize),
    #[error("transaction is no protobuf message: {0}")]
    Malformed(String),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("idempotency has {0} bytes, not 16")]
    Idempotency(usize),
    #[error("transaction has {0} bytes that are neither body nor authorisations")]
    Padded(usize),
    #[error("transaction has {0} operations, not 1 to {OPERATIONS_MAX}")]
    Operations(usize),
    #[error(transparent)]
    Operation(#[from] OperationError),
    #[error("transaction has {0} authorisations, not 1 to {AUTHORISATIONS_MAX}")]
    Authorisations(usize),
    #[error("authorisation {index} has the unknown scheme {scheme}")]
    Scheme { index: usize, scheme: u32 },
    #[error("authorisation {index} has a {what} of {found} bytes, not {expected}")]
    AuthorisationLength {
        index: usize,
        what: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("transaction is of network {found}, not {expected}")]
    Network {
        expected: NetworkId,
        found: NetworkId,
    },
    #[error("party {0} has not signed")]
    Unsigned(Address),
    #[error("authorisation {0} is by no party of the transaction")]
    Stranger(usize),
    #[error("authorisation {0} does not verify")]
    Signature(usize),
}

impl TransactionBody {
    pub fn encode(&self) -> Bytes {
        wire::TransactionBody {
            network: Bytes::copy_from_slice(&self.network.0),
            sender: Bytes::copy_from_slice(&self.sender.0),
            idempotency: Bytes::copy_from_slice(&self.idempotency),
            valid_until_ms: self.valid_until.0,
            max_fee: self.max_fee.0,
            sponsor: self
                .sponsor
                .map_or(Bytes::new(), |s| Bytes::copy_from_slice(&s.0)),
            operations: self.operations.iter().map(Into::into).collect(),
        }
        .encode_to_vec()
        .into()
    }

    /// Signs with each party's key.
    pub fn sign(&self, keys: &[&SecretKey]) -> Transaction {
        let encoded_body = self.encode();
        let message = signed_message(&encoded_body);
        let authorisations = keys
            .iter()
            .map(|key| Authorisation {
                scheme: Scheme::Ed25519,
                public_key: key.public(),
                signature: key.sign(&message),
            })
            .collect();
        Transaction::assemble(encoded_body, self.clone(), authorisations)
    }

    /// Everybody who must have signed: sender, sponsor and the parties of `MultiParty`, each once.
    pub fn parties(&self) -> Vec<Address> {
        let mut parties = vec![self.sender];
        parties.extend(self.sponsor);
        for operation in &self.operations {
            if let Operation::MultiParty(inner) = operation {
                parties.extend(inner.iter().map(|p| p.account));
            }
        }
        parties.sort_unstable();
        parties.dedup();
        parties
    }
}

impl TryFrom<wire::TransactionBody> for TransactionBody {
    type Error = TransactionError;

    fn try_from(wire: wire::TransactionBody) -> Result<Self, TransactionError> {
        let idempotency = wire.idempotency.as_ref().try_into();
        let sponsor = match wire.sponsor.as_ref() {
            [] => None,
            bytes => Some(Address::try_from(bytes)?),
        };
        let operations = wire.operations.into_iter().map(Operation::try_from);
        let operations: Vec<Operation> = operations.collect::<Result<_, _>>()?;
        let count = operations.iter().map(Operation::count).sum();
        if count == 0 || count > OPERATIONS_MAX {
            return Err(TransactionError::Operations(count));
        }
        Ok(Self {
            network: NetworkId::try_from(wire.network.as_ref())?,
            sender: Address::try_from(wire.sender.as_ref())?,
            idempotency: idempotency
                .map_err(|_| TransactionError::Idempotency(wire.idempotency.len()))?,
            valid_until: Millis(wire.valid_until_ms),
            max_fee: Amount(wire.max_fee),
            sponsor,
            operations,
        })
    }
}

impl Transaction {
    fn assemble(
        encoded_body: Bytes,
        body: TransactionBody,
        authorisations: Vec<Authorisation>,
    ) -> Self {
        let wire = wire::Transaction {
            body: encoded_body.clone(),
            authorisations: authorisations
                .iter()
                .map(|a| wire::Authorisation {
                    scheme: a.scheme.code(),
                    public_key: Bytes::copy_from_slice(&a.public_key.0),
                    signature: Bytes::copy_from_slice(&a.signature),
                })
                .collect(),
        };
        Self {
            id: id_of(&encoded_body),
            encoded: wire.encode_to_vec().into(),
            encoded_body,
            body,
            authorisations,
        }
    }

    /// Reads a transaction, without copying its bytes. Nothing is verified yet.
    pub fn decode(bytes: Bytes) -> Result<Self, TransactionError> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(TransactionError::TooLong(bytes.len()));
        }
        let malformed = |e: prost::DecodeError| TransactionError::Malformed(e.to_string());
        let count = wire::occurrences(&bytes).map_err(malformed)?[2];
        if count == 0 || count > AUTHORISATIONS_MAX {
            return Err(TransactionError::Authorisations(count));
        }
        let outer = wire::Transaction::decode(bytes.clone()).map_err(malformed)?;
        let count = wire::occurrences(&outer.body).map_err(malformed)?[7];
        if count > OPERATIONS_MAX {
            return Err(TransactionError::Operations(count));
        }
        let authorisations = outer.authorisations.iter().enumerate();
        let authorisations = authorisations
            .map(|(index, a)| parse_authorisation(index, a))
            .collect::<Result<_, _>>()?;
        // Nobody pays for these (`charged_bytes`), and whoever has it on the way could add them.
        match bytes.len().saturating_sub(outer.encoded_len()) {
            0 => {}
            padding => return Err(TransactionError::Padded(padding)),
        }
        let body = wire::TransactionBody::decode(outer.body.clone()).map_err(malformed)?;
        Ok(Self {
            id: id_of(&outer.body),
            encoded: bytes,
            body: TransactionBody::try_from(body)?,
            encoded_body: outer.body,
            authorisations,
        })
    }

    /// The bytes that travel.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// What the fee is for: the body, and what its parties' signatures take.
    pub fn charged_bytes(&self) -> u64 {
        self.encoded_body.len() as u64 + AUTHORISATION_BYTES * self.authorisations.len() as u64
    }

    pub fn body(&self) -> &TransactionBody {
        &self.body
    }

    pub fn authorisations(&self) -> &[Authorisation] {
        &self.authorisations
    }

    /// Whether every party has signed, nobody else has, and the network is this one. Signatures are
    /// checked apart, in batches.
    fn check_parties(&self, network: NetworkId) -> Result<(), TransactionError> {
        if self.body.network != network {
            return Err(TransactionError::Network {
                expected: network,
                found: self.body.network,
            });
        }
        let parties = self.body.parties();
        let mut signed = Vec::with_capacity(parties.len());
        for (index, authorisation) in self.authorisations.iter().enumerate() {
            let signer = Address::of_key(&authorisation.public_key);
            // A party signs once: a second signature would only cost everybody a verification.
            if !parties.contains(&signer) || signed.contains(&signer) {
                return Err(TransactionError::Stranger(index));
            }
            signed.push(signer);
        }
        match parties.iter().find(|p| !signed.contains(p)) {
            Some(party) => Err(TransactionError::Unsigned(*party)),
            None => Ok(()),
        }
    }

    fn signature_checks(&self) -> impl Iterator<Item = ed25519::Check> {
        let message = signed_message(&self.encoded_body);
        self.authorisations
            .iter()
            .map(move |a| ed25519::Check::new(&a.public_key, &message, &a.signature))
    }

    /// Verifies one transaction and says what is wrong with it.
    pub fn verify(self, network: NetworkId) -> Result<Verified<Self>, TransactionError> {
        self.check_parties(network)?;
        let checks: Vec<_> = self.signature_checks().collect();
        let valid = ed25519::verify_all(&checks);
        match valid.iter().position(|v| !v) {
            Some(index) => Err(TransactionError::Signature(index)),
            None => Ok(Verified::new(self)),
        }
    }
}

/// Verifies many transactions, all signatures in one batch. `None` in is `None` out; so is a
/// transaction of another network, with a missing signature, or with one that does not verify.
///
/// What `known` returns is taken without verifying it again, but only when it is the same byte for
/// byte. Its id alone would not do: the id is of the body, so somebody could order the body with a
/// broken signature, and nodes that know the transaction would apply what the others call void.
pub fn verify_transactions(
    transactions: Vec<Option<Transaction>>,
    network: NetworkId,
    known: &dyn Fn(&Transaction) -> Option<Arc<Verified<Transaction>>>,
) -> Vec<Option<Arc<Verified<Transaction>>>> {
    let mut verified = Vec::with_capacity(transactions.len());
    let mut checks = Vec::new();
    let mut pending = Vec::new();
    for (place, transaction) in transactions.into_iter().enumerate() {
        let found = transaction
            .as_ref()
            .and_then(|t| known(t).filter(|k| k.encoded == t.encoded && k.body.network == network));
        let transaction =
            transaction.filter(|t| found.is_none() && t.check_parties(network).is_ok());
        verified.push(found);
        if let Some(transaction) = transaction {
            let first = checks.len();
            checks.extend(transaction.signature_checks());
            pending.push((place, first..checks.len(), transaction));
        }
    }
    let valid = ed25519::verify_all(&checks);
    for (place, range, transaction) in pending {
        if valid[range].iter().all(|v| *v) {
            verified[place] = Some(Arc::new(Verified::new(transaction)));
        }
    }
    verified
}

fn parse_authorisation(
    index: usize,
    wire: &wire::Authorisation,
) -> Result<Authorisation, TransactionError> {
    let scheme = Scheme::from_code(wire.scheme).ok_or(TransactionError::Scheme {
        index,
        scheme: wire.scheme,
    })?;
    let length = |what, expected, found| TransactionError::AuthorisationLength {
        index,
        what,
        expected,
        found,
    };
    let (key, signature) = (wire.public_key.as_ref(), wire.signature.as_ref());
    Ok(Authorisation {
        scheme,
        public_key: PublicKey(
            key.try_into()
                .map_err(|_| length("public key", 32, key.len()))?,
        ),
        signature: signature
            .try_into()
            .map_err(|_| length("signature", 64, signature.len()))?,
    })
}

fn id_of(encoded_body: &[u8]) -> TransactionId {
    TransactionId(blake3(Domain::Transaction, &[encoded_body]))
}

fn signed_message(encoded_body: &[u8]) -> Vec<u8> {
    [Domain::TransactionSignature.tag(), encoded_body].concat()
}

#[cfg(test)]
mod tests;
