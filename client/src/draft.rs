//! From operations to a signed transaction of one network. The fee is known beforehand, because it
//! is a function of the body and the parties; `max_fee` is exactly what it can be at most.

use std::time::{Duration, SystemTime};
use weft_types::{
    Address, Amount, FeeSchedule, Genesis, Millis, NetworkId, Operation, Scheme, Transaction,
    TransactionBody, UserKey,
};

/// How long a transaction is valid, unless the caller says otherwise, or the network does not allow twice
/// as much.
const VALIDITY: Duration = Duration::from_secs(60);

/// What every transaction of a network says besides its operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    network: NetworkId,
    fees: FeeSchedule,
    validity: Duration,
    sponsor: Option<Address>,
    account: Option<Address>,
    deal_entries: u32,
}

/// How somebody signs, which the fee depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signer {
    pub scheme: Scheme,
    /// Whether the account is not that of the key's own address.
    pub for_another: bool,
}

impl From<Scheme> for Signer {
    /// For the account of its own address.
    fn from(scheme: Scheme) -> Self {
        Self {
            scheme,
            for_another: false,
        }
    }
}

impl Draft {
    pub fn new(genesis: &Genesis) -> Self {
        let params = &genesis.template.params;
        Self {
            network: genesis.network.id(),
            fees: params.fees.clone(),
            validity: VALIDITY.min(Duration::from_millis(params.validity_max_ms.0 / 2)),
            sponsor: None,
            account: None,
            deal_entries: 0,
        }
    }

    /// For how long it may be ordered, from now on by this machine's clock. At most ten minutes.
    #[must_use]
    pub fn valid_for(mut self, validity: Duration) -> Self {
        self.validity = validity;
        self
    }

    /// Who pays the fee, and has to sign as well.
    #[must_use]
    pub fn sponsored_by(mut self, sponsor: Address) -> Self {
        self.sponsor = Some(sponsor);
        self
    }

    /// The account that [`Self::sign`] signs for, if not that of the key's own address.
    #[must_use]
    pub fn for_account(mut self, account: Address) -> Self {
        self.account = Some(account);
        self
    }

    /// L60: what its operations reach of deals that are open ([`crate::Client::deal_entries`]).
    #[must_use]
    pub fn reaching(mut self, entries: u32) -> Self {
        self.deal_entries = entries;
        self
    }

    /// A transaction with one signature.
    pub fn sign(&self, key: impl Into<UserKey>, operations: Vec<Operation>) -> Transaction {
        let key = key.into();
        let body = self.body_by(&key, operations);
        body.sign_for(&[(&key, body.sender)])
    }

    /// What [`Self::sign`] signs.
    pub fn body_by(&self, key: &UserKey, operations: Vec<Operation>) -> TransactionBody {
        let account = self.account.unwrap_or(key.address());
        let signer = Signer {
            scheme: key.scheme(),
            for_another: account != key.address(),
        };
        self.body_signed_by(account, operations, &[signer])
    }

    /// A body for [`TransactionBody::parties`] to sign, each with an Ed25519 key.
    pub fn body(&self, sender: Address, operations: Vec<Operation>) -> TransactionBody {
        self.body_signed_by::<Signer>(sender, operations, &[])
    }

    /// A body for [`TransactionBody::parties`] to be signed for so, in any order, for the rest by Ed25519 keys of their own.
    pub fn body_signed_by<S: Into<Signer> + Copy>(
        &self,
        sender: Address,
        operations: Vec<Operation>,
        signers: &[S],
    ) -> TransactionBody {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let until = now.unwrap_or_default().saturating_add(self.validity);
        let mut body = TransactionBody {
            network: self.network,
            sender,
            idempotency: rand::random(),
            valid_until: Millis(u64::try_from(until.as_millis()).unwrap_or(u64::MAX)),
            // The longest encoding there is, so that the fee below holds for the true one.
            max_fee: Amount::MAX,
            sponsor: self.sponsor,
            operations,
            deal_entries: self.deal_entries,
        };
        body.max_fee = self.fee(&body, signers);
        body
    }

    fn fee<S: Into<Signer> + Copy>(&self, body: &TransactionBody, signers: &[S]) -> Amount {
        let operations = body.operations.iter().map(|o| o.count() as u64).sum();
        let minted = body.operations.iter().map(Operation::minted);
        let rest = std::iter::repeat(Scheme::Ed25519.into());
        let signers = signers.iter().map(|s| (*s).into()).chain(rest);
        let signers = signers.take(body.parties().len());
        let signatures = signers.map(|s: Signer| s.scheme.charged_bytes_max(s.for_another));
        let states = body.operations.iter().map(Operation::signature_bytes);
        let signatures: u64 = signatures.chain(states).sum();
        let inside = body.pass_bytes() + body.voucher_bytes() + body.availability_bytes();
        let bytes = body.encode().len() as u64 + signatures + inside;
        let bytes = bytes.saturating_add(body.retention_bytes() + body.deal_bytes());
        self.fees
            .fee(operations, bytes, minted.fold(0, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests;
