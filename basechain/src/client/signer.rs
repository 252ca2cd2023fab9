//! An account whose key is elsewhere: in a signer that speaks JSON-RPC, as clef, Web3Signer and wallets do.
//!
//! The signer is asked for a signature (`eth_signTransaction`, or clef's `account_signTransaction`), and what
//! comes back is compared with what was asked before it is sent: whose it is, to whom, how much, and what is
//! called. One that only sends by itself (`eth_sendTransaction`) has to be on the same chain. It is asked once, for
//! behind it may be a person.

use super::endpoint::{http_client, parse};
use super::error::ClientError;
use alloy::consensus::transaction::SignerRecoverable as _;
use alloy::consensus::{Transaction as _, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Decodable2718 as _;
use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{TransactionInput, TransactionRequest};
use alloy::transports::RpcError;
use alloy::transports::http::Http;
use serde_json::Value;
use std::time::Duration;

/// Longest wait for a signature: somebody may have to read, and to find a device.
pub const SIGN_TIME_MAX: Duration = Duration::from_secs(300);
/// What signers answer to a method that they do not have.
const NO_SUCH_METHOD: [i64; 3] = [-32_601, -32_004, 4_200];

/// A signer at an `http` URL, and the account that it signs for.
#[derive(Debug, Clone)]
pub struct Signer {
    url: String,
    client: RpcClient,
    account: Address,
}

/// What a signer did.
pub(super) enum Done {
    Signed(Box<TxEnvelope>),
    Sent(B256),
}

impl Signer {
    /// Asks which accounts it has. Without a wish it has to be one alone.
    ///
    /// # Errors
    /// When it does not answer, does not have the account, or has several to choose from.
    pub async fn connect(url: &str, wish: Option<[u8; 20]>) -> Result<Self, ClientError> {
        let address = parse(url)?;
        let http = http_client(url, &address, SIGN_TIME_MAX)?;
        let mut signer = Self {
            url: url.to_owned(),
            client: RpcClient::new(Http::with_client(http, address), true),
            account: Address::ZERO,
        };
        let accounts = signer.accounts().await?;
        signer.account = match (wish.map(Address::from), accounts.as_slice()) {
            (Some(wish), _) if accounts.contains(&wish) => wish,
            (None, [only]) => *only,
            (Some(wish), _) => return Err(signer.unfit(format!("it does not have account {wish}"))),
            (None, []) => return Err(signer.unfit("it has no account".to_owned())),
            (None, several) => {
                let several: Vec<String> = several.iter().map(Address::to_string).collect();
                return Err(signer.unfit(format!("which of its accounts: {}?", several.join(", "))));
            }
        };
        Ok(signer)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn account(&self) -> Address {
        self.account
    }

    async fn accounts(&self) -> Result<Vec<Address>, ClientError> {
        let what = "accounts";
        match self
            .ask(what, "eth_accounts", Value::Array(Vec::new()))
            .await?
        {
            Some(accounts) => Ok(accounts),
            None => {
                let listed = self.ask(what, "account_list", Value::Array(Vec::new()));
                listed
                    .await?
                    .ok_or_else(|| self.unfit("it lists no accounts".to_owned()))
            }
        }
    }

    /// Has a transaction signed, or sent.
    pub(super) async fn sign(
        &self,
        what: &'static str,
        transaction: &TxEip1559,
    ) -> Result<Done, ClientError> {
        let request = TransactionRequest {
            from: Some(self.account),
            to: Some(transaction.to),
            gas: Some(transaction.gas_limit),
            max_fee_per_gas: Some(transaction.max_fee_per_gas),
            max_priority_fee_per_gas: Some(transaction.max_priority_fee_per_gas),
            value: Some(transaction.value),
            input: TransactionInput::both(transaction.input.clone()),
            nonce: Some(transaction.nonce),
            chain_id: Some(transaction.chain_id),
            transaction_type: Some(2),
            ..TransactionRequest::default()
        };
        for method in ["eth_signTransaction", "account_signTransaction"] {
            let signed: Option<Value> = self.ask(what, method, (&request,)).await?;
            if let Some(signed) = signed {
                let signed = self.read(&signed, transaction);
                return signed.map(|signed| Done::Signed(Box::new(signed)));
            }
        }
        let chain: Option<U64> = self.ask("chain id", "eth_chainId", ()).await?;
        if chain != Some(U64::from(transaction.chain_id)) {
            return Err(self.unfit(format!(
                "it signs nothing for others to send, and is not on chain {} itself",
                transaction.chain_id
            )));
        }
        let sent: Option<B256> = self.ask(what, "eth_sendTransaction", (&request,)).await?;
        sent.map(Done::Sent)
            .ok_or_else(|| self.unfit("it neither signs nor sends transactions".to_owned()))
    }

    /// What was signed, if it is what was asked. Nonce, gas and fees may be changed by whoever signs.
    fn read(&self, answer: &Value, asked: &TxEip1559) -> Result<TxEnvelope, ClientError> {
        let raw = answer.get("raw").unwrap_or(answer);
        let raw: Bytes = serde_json::from_value(raw.clone())
            .map_err(|_| self.unfit("its answer holds no signed transaction".to_owned()))?;
        let signed = TxEnvelope::decode_2718_exact(&raw)
            .map_err(|error| self.unfit(format!("its transaction cannot be read: {error}")))?;
        let signer = signed.recover_signer();
        let same = [
            ("account", signer.is_ok_and(|signer| signer == self.account)),
            ("chain", signed.chain_id() == Some(asked.chain_id)),
            ("recipient", signed.kind() == asked.to),
            ("value", signed.value() == U256::from(asked.value)),
            ("call", *signed.input() == asked.input),
        ];
        match same.iter().find(|(_, same)| !same) {
            Some((part, _)) => Err(self.unfit(format!("it signed another {part} than was asked"))),
            None => Ok(signed),
        }
    }

    /// `None` when there is no such method.
    async fn ask<
        T: serde::de::DeserializeOwned + Send + Sync + Unpin + std::fmt::Debug + 'static,
    >(
        &self,
        what: &'static str,
        method: &'static str,
        params: impl serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin,
    ) -> Result<Option<T>, ClientError> {
        match self.client.request(method, params).await {
            Ok(answer) => Ok(Some(answer)),
            Err(RpcError::ErrorResp(payload)) if NO_SUCH_METHOD.contains(&payload.code) => Ok(None),
            Err(RpcError::ErrorResp(payload)) => Err(self.unfit(format!(
                "{what}: {} (code {})",
                payload.message, payload.code
            ))),
            Err(error) => Err(ClientError::Unreachable {
                url: self.url.clone(),
                what,
                attempts: 1,
                reason: super::endpoint::with_causes(&error),
            }),
        }
    }

    fn unfit(&self, reason: String) -> ClientError {
        ClientError::Signer {
            url: self.url.clone(),
            reason,
        }
    }
}
