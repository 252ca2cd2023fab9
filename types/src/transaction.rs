//! The envelope that applications sign. A transaction's identity is the digest of its body's bytes as
//! received: sending the same body again, anywhere, is the same transaction with one outcome. There
//! are no nonces; `valid_until` bounds how long a digest must be remembered.

use crate::authorisation::{Authorisation, Checks, Pass, Shown, Signed, ToSign, UserKey};
use crate::availability::POSTS_MAX;
use crate::channel::STATES_MAX;
use crate::ed25519::SecretKey;
use crate::hash::{Domain, blake3};
use crate::ids::{Address, Amount, IdError, ItemId, Millis, NetworkId, TransactionId};
use crate::operation::{Operation, OperationError};
use crate::verified::Verified;
use crate::voucher::{VOUCHER_CHECKS_MAX, verify_all};
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

/// Most passes of one transaction.
pub const PASSES_MAX: usize = 16;

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
    /// L60: entries of deals that the operations may reach together.
    pub deal_entries: u32,
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
    #[error("transaction has {0} passes, more than {PASSES_MAX}")]
    Passes(usize),
    #[error("transaction shows {0} states of channels, more than {STATES_MAX}")]
    States(usize),
    #[error("transaction shows a channel's state of network {0}")]
    StateNetwork(NetworkId),
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
    #[error("authorisation {0} holds no assertion of a passkey")]
    Assertion(usize),
    #[error("authorisation {0} names the key's own account, which goes without saying")]
    OwnAccount(usize),
    #[error("transaction is of network {found}, not {expected}")]
    Network {
        expected: NetworkId,
        found: NetworkId,
    },
    #[error("party {0} has not signed")]
    Unsigned(Address),
    #[error("authorisation {0} is for no party of the transaction, or for one that has signed")]
    Stranger(usize),
    #[error("authorisation {0} does not verify")]
    Signature(usize),
    #[error("pass {0} does not verify")]
    Pass(usize),
    #[error("state {0} of a channel is not signed by both")]
    State(usize),
    #[error(
        "transaction has {0} vouchers and keys of pools to check, more than {VOUCHER_CHECKS_MAX}"
    )]
    VoucherChecks(usize),
    #[error("a voucher of the transaction, or a proof of possession, does not verify")]
    Voucher,
    #[error(
        "transaction's signatures and the deals that it reaches count {0} bytes, more than {TRANSACTION_BYTES_MAX}"
    )]
    Work(u64),
    #[error("transaction posts data {0} times, more than {POSTS_MAX}")]
    Posts(usize),
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
            deal_entries: self.deal_entries,
        }
        .encode_to_vec()
        .into()
    }

    /// Signs with each party's Ed25519 key.
    pub fn sign(&self, keys: &[&SecretKey]) -> Transaction {
        let keys: Vec<UserKey> = keys.iter().map(|k| UserKey::from(*k)).collect();
        self.sign_with(&keys.iter().collect::<Vec<_>>())
    }

    /// Signs with each party's key.
    pub fn sign_with(&self, keys: &[&UserKey]) -> Transaction {
        let own: Vec<_> = keys.iter().map(|key| (*key, key.address())).collect();
        self.sign_for(&own)
    }

    /// Signs with each key for the account beside it.
    pub fn sign_for(&self, keys: &[(&UserKey, Address)]) -> Transaction {
        let keys = keys.iter();
        self.with_signed(|signed| keys.map(|(key, a)| key.authorise(signed, *a)).collect())
    }

    /// The transaction with authorisations that were made elsewhere.
    pub fn authorised_by(&self, authorisations: Vec<Authorisation>) -> Transaction {
        self.with_signed(|_| authorisations)
    }

    fn with_signed(&self, authorise: impl FnOnce(&Signed) -> Vec<Authorisation>) -> Transaction {
        let encoded_body = self.encode();
        let signed = Signed {
            id: id_of(&encoded_body).0,
            encoded: &encoded_body,
            shown: Shown::Transaction(self),
        };
        let authorisations = authorise(&signed);
        Transaction::assemble(encoded_body, self.clone(), authorisations)
    }

    /// What each scheme signs, for wallets and devices that keep their keys to themselves.
    pub fn to_sign(&self) -> ToSign {
        let encoded_body = self.encode();
        ToSign::of(&Signed {
            id: id_of(&encoded_body).0,
            encoded: &encoded_body,
            shown: Shown::Transaction(self),
        })
    }

    /// What its passes count for the fee beyond their bytes in it, for what it takes to verify them.
    pub fn pass_bytes(&self) -> u64 {
        let passes = passes(&self.operations);
        passes
            .map(|(_, pass)| pass.charged_bytes() - pass.bytes())
            .sum()
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
        let passes = passes(&operations).count();
        if passes > PASSES_MAX {
            return Err(TransactionError::Passes(passes));
        }
        let states = operations.iter().map(|o| o.states().len()).sum();
        if states > STATES_MAX {
            return Err(TransactionError::States(states));
        }
        let checks = operations.iter().map(Operation::voucher_checks).sum();
        if checks > VOUCHER_CHECKS_MAX {
            return Err(TransactionError::VoucherChecks(checks));
        }
        let body = Self {
            network: NetworkId::try_from(wire.network.as_ref())?,
            sender: Address::try_from(wire.sender.as_ref())?,
            idempotency: idempotency
                .map_err(|_| TransactionError::Idempotency(wire.idempotency.len()))?,
            valid_until: Millis(wire.valid_until_ms),
            max_fee: Amount(wire.max_fee),
            sponsor,
            operations,
            deal_entries: wire.deal_entries,
        };
        match body.posted().count() {
            posts if posts > POSTS_MAX => Err(TransactionError::Posts(posts)),
            _ => Ok(body),
        }
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
            authorisations: authorisations.iter().map(|a| a.to_wire()).collect(),
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
            .map(|(index, a)| Authorisation::from_wire(index, a))
            .collect::<Result<_, _>>()?;
        // Nobody pays for these (`charged_bytes`), and whoever has it on the way could add them.
        match bytes.len().saturating_sub(outer.encoded_len()) {
            0 => {}
            padding => return Err(TransactionError::Padded(padding)),
        }
        let body = wire::TransactionBody::decode(outer.body.clone()).map_err(malformed)?;
        let transaction = Self {
            id: id_of(&outer.body),
            encoded: bytes,
            body: TransactionBody::try_from(body)?,
            encoded_body: outer.body,
            authorisations,
        };
        match transaction.work_bytes() {
            work if work > TRANSACTION_BYTES_MAX as u64 => Err(TransactionError::Work(work)),
            _ => Ok(transaction),
        }
    }

    /// The bytes that travel.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// What the fee is for: the body, what its parties' signatures count, and data that are kept.
    pub fn charged_bytes(&self) -> u64 {
        let bytes = self.encoded_body.len() as u64 + self.parties_bytes() + self.body.pass_bytes();
        bytes.saturating_add(self.body.retention_bytes() + self.body.deal_bytes())
    }

    /// V9: what its signatures and the deals that it reaches count together. No more than the longest transaction has
    /// bytes, so that one always fits a vertex.
    pub fn work_bytes(&self) -> u64 {
        self.authorisation_bytes() + self.body.deal_bytes()
    }

    /// What its signatures count together, those of passes, channels' states, vouchers and data among them: their
    /// bytes, or what it takes to verify them.
    pub fn authorisation_bytes(&self) -> u64 {
        let passes = passes(&self.body.operations).map(|(_, pass)| pass.charged_bytes());
        self.parties_bytes() + passes.sum::<u64>()
    }

    fn parties_bytes(&self) -> u64 {
        let authorisations = self.authorisations.iter();
        let own: u64 = authorisations.map(Authorisation::charged_bytes).sum();
        let operations = self.body.operations.iter();
        let states: u64 = operations.map(Operation::signature_bytes).sum();
        own + states + self.body.voucher_bytes() + self.body.availability_bytes()
    }

    pub fn body(&self) -> &TransactionBody {
        &self.body
    }

    pub fn authorisations(&self) -> &[Authorisation] {
        &self.authorisations
    }

    /// Whether it is signed once for every party and for nobody else, and the network is this one. Signatures are
    /// checked apart, in batches; whether the keys have the say for these accounts, by the ledger (L18).
    fn check_parties(&self, network: NetworkId) -> Result<(), TransactionError> {
        if self.body.network != network {
            return Err(TransactionError::Network {
                expected: network,
                found: self.body.network,
            });
        }
        let mut states = self.body.operations.iter().flat_map(Operation::states);
        if let Some(stray) = states.find(|s| s.state.network != network) {
            return Err(TransactionError::StateNetwork(stray.state.network));
        }
        let parties = self.body.parties();
        let mut signed = Vec::with_capacity(parties.len());
        for (index, authorisation) in self.authorisations.iter().enumerate() {
            let account = authorisation.account();
            // A party signs once: a second signature would only cost everybody a verification.
            if !parties.contains(&account) || signed.contains(&account) {
                return Err(TransactionError::Stranger(index));
            }
            signed.push(account);
        }
        match parties.iter().find(|p| !signed.contains(p)) {
            Some(party) => Err(TransactionError::Unsigned(*party)),
            None => Ok(()),
        }
    }

    fn add_checks(&self, checks: &mut Checks) {
        let signed = Signed {
            id: self.id.0,
            encoded: &self.encoded_body,
            shown: Shown::Transaction(&self.body),
        };
        checks.add(&signed, &self.authorisations);
        for (item, pass) in passes(&self.body.operations) {
            let shown = pass.body(self.body.network, *item);
            checks.add(&shown, std::slice::from_ref(&pass.holder));
        }
        // L42: channels' states are signed before they are shown.
        let states = self.body.operations.iter().flat_map(Operation::states);
        states.for_each(|state| state.add_checks(checks));
    }

    /// Which of the signatures, in the order of `add_checks`.
    fn unverified(&self, index: usize) -> TransactionError {
        let Some(inside) = index.checked_sub(self.authorisations.len()) else {
            return TransactionError::Signature(index);
        };
        match inside.checked_sub(passes(&self.body.operations).count()) {
            None => TransactionError::Pass(inside),
            // Each state has two.
            Some(signature) => TransactionError::State(signature / 2),
        }
    }

    /// Verifies one transaction and says what is wrong with it.
    pub fn verify(self, network: NetworkId) -> Result<Verified<Self>, TransactionError> {
        self.check_parties(network)?;
        let mut checks = Checks::default();
        self.add_checks(&mut checks);
        match checks.verify().iter().position(|v| !v) {
            Some(index) => Err(self.unverified(index)),
            None if verify_all(&self.body) => Ok(Verified::new(self)),
            None => Err(TransactionError::Voucher),
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
    let mut checks = Checks::default();
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
            transaction.add_checks(&mut checks);
            pending.push((place, first..checks.len(), transaction));
        }
    }
    let valid = checks.verify();
    for (place, range, transaction) in pending {
        // Vouchers last: who has not signed has others do no work.
        if valid[range].iter().all(|v| *v) && verify_all(&transaction.body) {
            verified[place] = Some(Arc::new(Verified::new(transaction)));
        }
    }
    verified
}

/// What holders have signed for gates (L36), in order.
fn passes(operations: &[Operation]) -> impl Iterator<Item = (&ItemId, &Pass)> {
    let operations = operations.iter().flat_map(Operation::parts);
    operations.filter_map(|operation| match operation {
        Operation::Redeem { item, pass } => Some((item, pass)),
        _ => None,
    })
}

fn id_of(encoded_body: &[u8]) -> TransactionId {
    TransactionId(blake3(Domain::Transaction, &[encoded_body]))
}

#[cfg(test)]
mod tests;
