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
}

impl Draft {
    pub fn new(genesis: &Genesis) -> Self {
        let params = &genesis.template.params;
        Self {
            network: genesis.network.id(),
            fees: params.fees.clone(),
            validity: VALIDITY.min(Duration::from_millis(params.validity_max_ms.0 / 2)),
            sponsor: None,
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

    /// A transaction with one signature.
    pub fn sign(&self, key: impl Into<UserKey>, operations: Vec<Operation>) -> Transaction {
        let key = key.into();
        let body = self.body_signed_by(key.address(), operations, &[key.scheme()]);
        body.sign_with(&[&key])
    }

    /// A body for [`TransactionBody::parties`] to sign, each with an Ed25519 key.
    pub fn body(&self, sender: Address, operations: Vec<Operation>) -> TransactionBody {
        self.body_signed_by(sender, operations, &[])
    }

    /// A body for [`TransactionBody::parties`] to sign by these schemes, in any order, the rest by Ed25519.
    pub fn body_signed_by(
        &self,
        sender: Address,
        operations: Vec<Operation>,
        schemes: &[Scheme],
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
        };
        body.max_fee = self.fee(&body, schemes);
        body
    }

    fn fee(&self, body: &TransactionBody, schemes: &[Scheme]) -> Amount {
        let operations = body.operations.iter().map(|o| o.count() as u64).sum();
        let minted = body.operations.iter().map(Operation::minted);
        let rest = std::iter::repeat(&Scheme::Ed25519);
        let schemes = schemes.iter().chain(rest).take(body.parties().len());
        let signatures: u64 = schemes.map(|s| s.charged_bytes_max()).sum();
        let bytes = body.encode().len() as u64 + signatures;
        self.fees
            .fee(operations, bytes, minted.fold(0, u64::saturating_add))
    }
}

#[cfg(test)]
mod tests;
