//! Getting a transaction into the node's pool: at which nonce, and for how much.
//!
//! A pool keeps what waits until it is in a block, or dropped for its fee. What is signed behind something that is dropped
//! waits for ever. So whoever posts takes the first nonce that is in no block, and outbids what waits there; whether the
//! account sent that in this run or in an earlier one makes no difference. What is refused for too little is
//! offered again for more: a quarter more than what waits, where the node shows it, else twice as much as before. No
//! offer goes beyond what the account pays at most, and at that most it is still made: the pool may have dropped by now what
//! could not be outbid.

use super::endpoint::Endpoint;
use super::error::ClientError;
use super::key::AccountKey;
use super::offer::{Offer, least};
use super::order::Order;
use super::signed::Signed;
use alloy::consensus::Transaction as _;
use alloy::eips::BlockId;
use alloy::primitives::Address;
use alloy::providers::Provider as _;

/// How often one transaction is offered. The next one of the account begins where the last offer was refused.
const OFFERS_MAX: u32 = 8;

/// Which of its account's nonces a transaction takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// That of what this endpoint has sent and that is in no block, else the one behind all that waits.
    Behind,
    /// The first that is in no block.
    First,
}

impl Endpoint {
    /// Signs the order, and hands it to the node. `bar` is what it takes to take the place of what waits, before and after.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when it would revert, [`ClientError::Fee`] when more than the most would have to be offered.
    pub(super) async fn bid(
        &self,
        place: Place,
        key: &AccountKey,
        order: &Order,
        bar: &mut Option<Offer>,
    ) -> Result<Signed, ClientError> {
        let what = order.what;
        let request = order.request(key.account());
        let mut offers = 1;
        loop {
            let gas_limit = self.gas_limit(what, &request).await?;
            let offer = self.offer(place, what, key.account(), bar).await?;
            let signed = self.sign_offer(key, &offer, gas_limit, order).await?;
            let error = match self.broadcast(what, &signed, false).await {
                Ok(()) => {
                    *bar = Some(offer.outbid());
                    return Ok(signed);
                }
                Err(error) => error,
            };
            let first = place == Place::First;
            match answer(&error) {
                // The same bytes, from an earlier run.
                Some(Answer::Known) if first => {
                    *bar = Some(offer.outbid());
                    return Ok(signed);
                }
                // Something with the nonce has come into a block meanwhile.
                Some(Answer::Outdated) if first && offers < OFFERS_MAX => {}
                Some(Answer::Underpriced) => {
                    self.raise(what, key.account(), &offer, bar).await?;
                    if !first || offers == OFFERS_MAX {
                        return Err(error);
                    }
                }
                _ => return Err(error),
            }
            offers += 1;
            tracing::debug!(what, nonce = offer.nonce, fee = offer.fee, %error, "offered again");
        }
    }

    /// Sets the bar above what was refused.
    ///
    /// # Errors
    /// When no more can be offered than that.
    async fn raise(
        &self,
        what: &'static str,
        account: Address,
        refused: &Offer,
        bar: &mut Option<Offer>,
    ) -> Result<(), ClientError> {
        let (raised, max) = (self.raised(account, refused).await, self.fee_max);
        *bar = Some(raised);
        let ends = refused.fee == max && raised.fee > max;
        if ends || *refused == refused.at_least(&raised.capped(max)) {
            let fee = raised.fee.max(raised.tip);
            return Err(ClientError::Fee { what, fee, max });
        }
        Ok(())
    }

    async fn offer(
        &self,
        place: Place,
        what: &'static str,
        account: Address,
        bar: &mut Option<Offer>,
    ) -> Result<Offer, ClientError> {
        let (fee, tip) = self.fees().await?;
        let least = least(fee, tip);
        let first = self.nonce(account, BlockId::latest()).await?;
        let nonce = match place {
            Place::First => first,
            Place::Behind => {
                let behind = self.nonce(account, BlockId::pending()).await?;
                // Above that nothing can come into a block: the pool has dropped what was before it.
                let stuck = bar.map(|bar| bar.nonce);
                stuck
                    .filter(|n| (first..=behind).contains(n))
                    .unwrap_or(behind)
            }
        };
        *bar = bar.filter(|bar| bar.nonce == nonce);
        let offer = Offer { nonce, fee, tip };
        let offer = bar.map_or(offer, |bar| offer.at_least(&bar));
        offer.within(what, least, self.fee_max)
    }

    /// What to offer after `refused` was too little.
    async fn raised(&self, account: Address, refused: &Offer) -> Offer {
        let nonce = refused.nonce;
        let waiting = self
            .provider
            .get_transaction_by_sender_nonce(account, nonce);
        // Few nodes have this method.
        let Ok(Some(waiting)) = waiting.await else {
            return refused.doubled();
        };
        let waiting = Offer {
            nonce,
            fee: waiting.max_fee_per_gas(),
            tip: waiting.max_priority_fee_per_gas().unwrap_or_default(),
        };
        let outbid = waiting.outbid();
        // What waits may be cheap already, and the pool wants more for another reason.
        match outbid.fee > refused.fee || outbid.tip > refused.tip {
            true => outbid.at_least(refused),
            false => refused.doubled(),
        }
    }
}

/// What a node says of a transaction that it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It has it.
    Known,
    /// Something with its nonce is in a block.
    Outdated,
    /// It offers too little for its place, or for any.
    Underpriced,
}

/// By the words of go-ethereum, which others use as well.
fn answer(error: &ClientError) -> Option<Answer> {
    let ClientError::Answer { message, .. } = error else {
        return None;
    };
    let message = message.to_lowercase();
    let words = [
        ("already known", Answer::Known),
        ("already imported", Answer::Known),
        ("nonce too low", Answer::Outdated),
        ("underpriced", Answer::Underpriced),
        ("could not replace existing", Answer::Underpriced),
        ("replacementnotallowed", Answer::Underpriced),
    ];
    let said = words.into_iter().find(|(words, _)| message.contains(words));
    said.map(|(_, answer)| answer)
}

#[cfg(test)]
mod tests;
