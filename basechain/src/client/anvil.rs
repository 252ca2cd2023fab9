//! What only anvil answers, for tests.

use super::endpoint::Endpoint;
use super::error::ClientError;
use alloy::providers::Provider as _;

impl Endpoint {
    /// Has anvil exchange its newest `depth` blocks for empty ones. What was in them is gone.
    ///
    /// # Errors
    /// When it is another base chain, or does not answer.
    pub async fn reorganise(&self, depth: u64) -> Result<(), ClientError> {
        let none: [(); 0] = [];
        self.have("reorganisation", "anvil_reorg", (depth, none))
            .await
    }

    /// Has anvil make a block with this base fee, in wei. The next one's is an eighth lower.
    ///
    /// # Errors
    /// When it is another base chain, or does not answer.
    pub async fn raise_base_fee(&self, wei: u128) -> Result<(), ClientError> {
        let fee = [format!("{wei:#x}")];
        let what = "base fee";
        self.have(what, "anvil_setNextBlockBaseFeePerGas", fee)
            .await?;
        self.have(what, "anvil_mine", ["0x1"]).await
    }

    /// Has anvil make a block of each transaction, or none at all of itself.
    ///
    /// # Errors
    /// When it is another base chain, or does not answer.
    pub async fn automine(&self, does: bool) -> Result<(), ClientError> {
        self.have("automining", "evm_setAutomine", [does]).await
    }

    async fn have<P>(
        &self,
        what: &'static str,
        method: &'static str,
        params: P,
    ) -> Result<(), ClientError>
    where
        P: serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin + 'static,
    {
        let request = || {
            let (provider, params) = (self.provider.clone(), params.clone());
            async move { provider.raw_request::<_, ()>(method.into(), params).await }
        };
        self.ask(what, request).await
    }
}
