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
        let request = || {
            let provider = self.provider.clone();
            async move {
                let asked = provider.raw_request::<_, ()>("anvil_reorg".into(), (depth, none));
                asked.await
            }
        };
        self.ask("reorganisation", request).await
    }
}
