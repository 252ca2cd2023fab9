//! What a transaction would cost, and whether the contract would take it, before anything is signed; and the signing of
//! exactly that. Between both a person may have read it: what has changed since then is an error, and nothing is sent.

use super::BaseChain;
use super::abi::registry::MasternodeRegistry as Registry;
use super::endpoint::Endpoint;
use super::error::ClientError;
use super::key::AccountKey;
use super::offer::{Offer, least};
use super::order::Order;
use super::registry::{Registration, register_input};
use super::signed::Signed;
use alloy::eips::BlockId;
use alloy::primitives::TxKind;
use alloy::sol_types::SolCall as _;

/// What an operator may have the registry do.
#[derive(Debug, Clone, Copy)]
pub enum RegistryCall<'a> {
    Register(&'a Registration),
    /// In wei.
    TopUp(u128),
    RequestExit,
    WithdrawBond,
}

/// What a transaction has beside what it does, and the most that it takes of its account beside what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub nonce: u64,
    pub gas_limit: u64,
    /// The most for a unit of gas, in wei.
    pub fee: u128,
    /// The part of it that is the block maker's, in wei.
    pub tip: u128,
    /// It takes the place of another with its nonce.
    outbids: bool,
}

impl Quote {
    /// In wei.
    pub fn fee_max(&self) -> u128 {
        self.fee.saturating_mul(u128::from(self.gas_limit))
    }
}

impl Endpoint {
    /// What an order costs at most. `fee_max` is what a unit of gas may cost, in wei; without it that is twice the next
    /// block's base fee and the usual tip. It takes the place of `instead`, at a fee a quarter higher, if that is in no
    /// block.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the contract would refuse it, [`ClientError::Fee`] when a unit of gas costs more.
    pub async fn quote(
        &self,
        key: &AccountKey,
        order: &Order,
        fee_max: Option<u128>,
        instead: Option<&Signed>,
    ) -> Result<Quote, ClientError> {
        let request = order.request(key.account());
        let gas_limit = self.gas_limit(order.what, &request).await?;
        let (fee, tip) = self.fees().await?;
        let nonce = self.nonce(key.account(), BlockId::pending()).await?;
        let mut offer = Offer { nonce, fee, tip };
        let mut least = least(fee, tip);
        if let Some(instead) = instead {
            let next = self.nonce(key.account(), BlockId::latest()).await?;
            offer = offer.outbidding(&Offer::of(instead), next);
            if offer.nonce == instead.nonce() {
                least = least.max(offer.fee);
            }
        }
        if let Some(max) = fee_max {
            offer = offer.within(order.what, least, max)?;
            offer.fee = max;
        }
        Ok(Quote {
            nonce: offer.nonce,
            gas_limit,
            fee: offer.fee,
            tip: offer.tip,
            outbids: instead.is_some_and(|instead| instead.nonce() == offer.nonce),
        })
    }

    /// Signs an order with what was quoted for it, and sends nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the contract would refuse it by now, [`ClientError::Fee`] and
    /// [`ClientError::Outdated`] when it takes more by now than was quoted.
    pub async fn sign(
        &self,
        key: &AccountKey,
        order: &Order,
        quote: &Quote,
    ) -> Result<Signed, ClientError> {
        let what = order.what;
        let (fee, tip) = self.fees().await?;
        let offer = Offer {
            nonce: quote.nonce,
            fee: quote.fee,
            tip: quote.tip,
        };
        offer.within(what, least(fee, tip), quote.fee)?;
        let gas = self.gas(what, &order.request(key.account())).await?;
        if gas > quote.gas_limit {
            return Err(outdated(what, "gas", gas, quote.gas_limit));
        }
        let next = match quote.outbids {
            true => BlockId::latest(),
            false => BlockId::pending(),
        };
        let next = self.nonce(key.account(), next).await?;
        if next != quote.nonce {
            return Err(outdated(what, "next nonce", next, quote.nonce));
        }
        self.sign_offer(key, &offer, quote.gas_limit, order).await
    }
}

fn outdated(what: &'static str, part: &'static str, now: u64, quoted: u64) -> ClientError {
    ClientError::Outdated {
        what,
        part,
        now,
        quoted,
    }
}

impl BaseChain {
    /// What the registry is called with.
    pub fn order(&self, operator: &AccountKey, call: RegistryCall<'_>) -> Order {
        let registry = self.contracts.registry;
        let chain_id = self.endpoint.chain_id();
        let (what, value, input) = match call {
            RegistryCall::Register(registration) => (
                "registration",
                registration.bond,
                register_input(chain_id, registry, operator, registration),
            ),
            RegistryCall::TopUp(wei) => ("top-up", wei, Registry::topUpCall {}.abi_encode().into()),
            RegistryCall::RequestExit => {
                ("exit", 0, Registry::requestExitCall {}.abi_encode().into())
            }
            RegistryCall::WithdrawBond => (
                "payout of the bond",
                0,
                Registry::withdrawBondCall {}.abi_encode().into(),
            ),
        };
        Order {
            what,
            to: TxKind::Call(registry.into()),
            value,
            input,
        }
    }
}
