//! What an operator's transaction would cost, and whether the registry would take it, before anything is sent.

use super::BaseChain;
use super::abi::registry::MasternodeRegistry as Registry;
use super::error::ClientError;
use super::key::AccountKey;
use super::registry::{Registration, register_input};
use super::send::Order;
use alloy::primitives::TxKind;
use alloy::providers::Provider as _;
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

/// The most that a transaction takes of its account beside what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub gas_limit: u64,
    /// In wei.
    pub fee_max: u128,
}

impl BaseChain {
    /// # Errors
    /// [`ClientError::Refused`] when the registry would refuse it.
    pub async fn quote(
        &self,
        operator: &AccountKey,
        call: RegistryCall<'_>,
    ) -> Result<Quote, ClientError> {
        let order = self.order(operator, call);
        let request = order.request(operator.account());
        let gas_limit = self.endpoint.gas_limit(order.what, &request).await?;
        let fees = || self.endpoint.provider.estimate_eip1559_fees();
        let fees = self.endpoint.ask("fees", fees).await?;
        Ok(Quote {
            gas_limit,
            fee_max: fees.max_fee_per_gas.saturating_mul(u128::from(gas_limit)),
        })
    }

    pub(super) fn order(&self, operator: &AccountKey, call: RegistryCall<'_>) -> Order {
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
            RegistryCall::WithdrawBond => {
                ("bond", 0, Registry::withdrawBondCall {}.abi_encode().into())
            }
        };
        Order {
            what,
            to: TxKind::Call(registry.into()),
            value,
            input,
        }
    }
}
