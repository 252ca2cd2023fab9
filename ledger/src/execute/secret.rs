//! L40: a deal that only a secret opens. Its giver is bound until the expiry, or a route of such deals would not be
//! safe: who has paid for the secret behind him must be able to claim what is before him.

use super::Execution;
use crate::draft::Fault;
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{Deal, DealId, DealRule, FailureCode, ObjectId, Standing, Taking};

impl<B: Objects> Execution<'_, '_, B> {
    /// The deal as its last form has it, if the taking brings what its rule asks for.
    pub(super) fn opened(&self, deal: Arc<Deal>, taking: &Taking) -> Result<Arc<Deal>, Fault> {
        let refused = |code| Err(Fault::new(code, ObjectId::Deal(taking.deal)));
        match (&deal.terms.rule, taking.secret) {
            (DealRule::CoSigned(_), _) => refused(FailureCode::WrongRule),
            (DealRule::Secret { hash }, Some(secret)) if secret.hash() == *hash => {
                let standing = Standing {
                    secrets: vec![secret],
                    ..Standing::default()
                };
                Ok(Arc::new(Deal {
                    standing: Some(standing),
                    ..Deal::clone(&deal)
                }))
            }
            // Nobody shows the secret of another deal by mistake.
            (DealRule::Secret { .. }, _) | (_, Some(_)) => refused(FailureCode::WrongSecret),
            (DealRule::Fixed | DealRule::Auction(_) | DealRule::Draw(_) | DealRule::Book, None) => {
                Ok(deal)
            }
        }
    }
}

/// Whether the giver may take the deal back before its time.
pub(super) fn cancellable(id: &DealId, deal: &Deal) -> Result<(), Fault> {
    match deal.terms.rule {
        DealRule::Secret { .. } | DealRule::CoSigned(_) => {
            Err(Fault::new(FailureCode::DealBound, ObjectId::Deal(*id)))
        }
        DealRule::Fixed | DealRule::Auction(_) | DealRule::Draw(_) | DealRule::Book => Ok(()),
    }
}
