//! Transactions of users.

use super::*;
use crate::ids::{Amount, Millis};
use crate::operation::Operation;
use crate::transaction::{Transaction, TransactionBody};

/// A body by user `i` with everything but the operations filled in.
pub fn body(i: u64, nonce: u64, operations: Vec<Operation>) -> TransactionBody {
    let mut idempotency = [0; 16];
    idempotency[..8].copy_from_slice(&nonce.to_be_bytes());
    let parts = operations.iter().flat_map(Operation::parts);
    let named = parts.filter(|part| part.deal().is_some()).count() as u32;
    TransactionBody {
        network: network().id(),
        sender: user(i),
        idempotency,
        valid_until: Millis(60_000),
        max_fee: Amount(10_000),
        sponsor: None,
        operations,
        // Enough for small deals.
        deal_entries: 8 * named,
    }
}

/// A transaction signed by user `i` alone.
pub fn transaction(i: u64, nonce: u64, operations: Vec<Operation>) -> Transaction {
    body(i, nonce, operations).sign(&[&user_key(i)])
}
