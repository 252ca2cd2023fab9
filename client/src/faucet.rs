//! A testnet's faucet, which has a URL of its own and speaks HTTP as nodes do.

use crate::client::{Client, Request};
use crate::error::ClientError;
use serde::{Deserialize, Serialize};
use weft_types::{Address, Amount, TransactionId};

#[derive(Serialize)]
struct Ask<'a> {
    address: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
}

/// What the faucet has paid; committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funded {
    pub transaction: TransactionId,
    pub address: Address,
    pub amount: Amount,
}

impl Client {
    /// Asks the faucet that this client has the URL of. Without an amount it gives what it usually
    /// does. Asked again after silence, it may pay twice.
    pub async fn fund(
        &self,
        address: &Address,
        amount: Option<Amount>,
    ) -> Result<Funded, ClientError> {
        let ask = serde_json::to_vec(&Ask { address, amount });
        let ask = ask.map_err(|e| ClientError::Malformed {
            node: self.node(),
            reason: e.to_string(),
        })?;
        self.json(&Request {
            media: "application/json",
            ..Request::post("v1/faucet", ask.into())
        })
        .await
    }
}
