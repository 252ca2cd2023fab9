//! Which transactions are taken. Taking one means three things at once: the fee is paid, the digest
//! is remembered, there will be a receipt. One that is refused leaves nothing behind: no fee, no
//! digest, no receipt, so that nobody fills the memory of others for nothing, and no transaction has
//! two outcomes. It may be ordered again while it is valid; once the ledger's time is past its
//! `valid_until` it never can be applied, which is how a client learns its fate.

use crate::authority::{Denied, Sessions, authorise};
use crate::execute::fee_voucher;
use crate::live::Objects;
use weft_types::{
    Address, Amount, AssetId, Millis, Object, ObjectId, ProtocolParams, Transaction, Verified,
};

/// Why a transaction is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("transaction has had its outcome before")]
    Replayed,
    #[error("transaction was valid until {valid_until}, it is {now}")]
    Expired { valid_until: Millis, now: Millis },
    #[error("transaction is valid until {valid_until}, at most {latest} is allowed")]
    ValidityTooLong { valid_until: Millis, latest: Millis },
    #[error("transaction costs {fee}, more than its max_fee {max_fee}")]
    FeeTooLow { fee: Amount, max_fee: Amount },
    #[error("key {key} may not sign this for account {account}: {why}")]
    NotAuthorised {
        account: Address,
        key: Address,
        why: Denied,
    },
    #[error("account {payer} holds {balance}, the fee is {fee}")]
    CannotPay {
        payer: Address,
        fee: Amount,
        balance: Amount,
    },
    #[error("{remembered} transactions are remembered, no more fit until some expire")]
    Full { remembered: usize },
}

impl Refusal {
    /// The name in interfaces; stable.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Expired { .. } => "expired",
            Self::ValidityTooLong { .. } => "validity_too_long",
            Self::FeeTooLow { .. } => "fee_too_low",
            Self::NotAuthorised { .. } => "not_authorised",
            Self::CannotPay { .. } => "cannot_pay",
            Self::Full { .. } => "full",
        }
    }

    /// Whether the same transaction may still be taken later.
    pub fn may_pass_later(&self) -> bool {
        match self {
            Self::ValidityTooLong { .. }
            | Self::NotAuthorised { .. }
            | Self::CannotPay { .. }
            | Self::Full { .. } => true,
            Self::Replayed | Self::Expired { .. } | Self::FeeTooLow { .. } => false,
        }
    }
}

/// Who pays: the sponsor, or the sender. Both have signed.
pub(crate) fn payer(transaction: &Transaction) -> Address {
    let body = transaction.body();
    body.sponsor.unwrap_or(body.sender)
}

/// Whether `now` is within the transaction's validity, and its end near enough to be remembered.
pub(crate) fn in_time(
    params: &ProtocolParams,
    transaction: &Transaction,
    now: Millis,
) -> Result<(), Refusal> {
    let valid_until = transaction.body().valid_until;
    if valid_until < now {
        return Err(Refusal::Expired { valid_until, now });
    }
    let latest = now.saturating_add(params.validity_max_ms.0);
    if valid_until > latest {
        return Err(Refusal::ValidityTooLong {
            valid_until,
            latest,
        });
    }
    Ok(())
}

/// What a transaction is taken with.
pub(crate) struct Admitted {
    pub fee: Amount,
    pub sessions: Sessions,
    /// L51: whether the voucher that the transaction spends first is needed for the fee.
    pub by_voucher: bool,
}

/// The fee, if it is agreed to, the keys have the say, and the payer has it.
pub(crate) fn admit(
    objects: &impl Objects,
    params: &ProtocolParams,
    transaction: &Verified<Transaction>,
    now: Millis,
) -> Result<Admitted, Refusal> {
    let (fee, max_fee) = (params.fees.of(transaction), transaction.body().max_fee);
    if fee > max_fee {
        return Err(Refusal::FeeTooLow { fee, max_fee });
    }
    let sessions = authorise(objects, transaction, fee, now)?;
    let payer = payer(transaction);
    let account = objects.get(&ObjectId::Account(payer));
    let account = account.and_then(Object::as_account);
    let balance = account.map_or(Amount::ZERO, |a| a.balance(&AssetId::NATIVE));
    let by_voucher = balance < fee;
    if by_voucher {
        let voucher = fee_voucher(objects, transaction, now).unwrap_or_default();
        if balance.saturating_add(voucher.0) < fee {
            return Err(Refusal::CannotPay {
                payer,
                fee,
                balance,
            });
        }
    }
    Ok(Admitted {
        fee,
        sessions,
        by_voucher,
    })
}
