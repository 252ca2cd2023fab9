//! What of a transaction's vouchers can be checked without the ledger: proofs of possession (L49) and vouchers (L51). A
//! pool is named by its key, and an account by its address, so that nothing of the state is needed, and the checks are
//! done where signatures are: beside the order, on as many cores as there are.

use crate::ids::{Address, NetworkId};
use crate::operation::Operation;
use crate::transaction::TransactionBody;

/// Most operations with such a check in one transaction.
pub const VOUCHER_CHECKS_MAX: usize = 8;
/// What one counts beside the transaction's bytes, for the fee and for V9: as much as the Ed25519 signatures that are
/// verified in the same time, in batches (`cargo bench -p weft-types`).
pub const VOUCHER_CHECK_BYTES: u64 = 50 * 104;

impl Operation {
    /// Checks of vouchers that this one takes.
    pub fn voucher_checks(&self) -> usize {
        match self {
            Self::VoucherOpen(_) | Self::VoucherSpend { .. } => 1,
            Self::MultiParty(parties) => {
                let inner = parties.iter().flat_map(|p| &p.operations);
                inner.map(Self::voucher_checks).sum()
            }
            _ => 0,
        }
    }
}

impl TransactionBody {
    /// What its checks of vouchers count together, in bytes.
    pub fn voucher_bytes(&self) -> u64 {
        let checks: usize = self.operations.iter().map(Operation::voucher_checks).sum();
        checks as u64 * VOUCHER_CHECK_BYTES
    }
}

/// Whether all of them hold.
pub(crate) fn verify_all(body: &TransactionBody) -> bool {
    body.operations.iter().all(|operation| match operation {
        Operation::MultiParty(parties) => parties.iter().all(|party| {
            let mut inner = party.operations.iter();
            inner.all(|operation| holds(body.network, party.account, operation))
        }),
        operation => holds(body.network, body.sender, operation),
    })
}

fn holds(network: NetworkId, actor: Address, operation: &Operation) -> bool {
    match operation {
        Operation::VoucherOpen(pool) => pool.key.proven(network, actor, &pool.proof),
        Operation::VoucherSpend { key, voucher } => key.verify(network, actor, voucher),
        _ => true,
    }
}
