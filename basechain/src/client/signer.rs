//! An account whose key is elsewhere: in a signer that speaks JSON-RPC, as clef and Web3Signer do.
//!
//! The signer is asked for a signature (`eth_signTransaction`, or clef's `account_signTransaction`) and never to send: so
//! what it gives back can be held to what was asked, field by field, and written down before anybody else has it. It is
//! asked once, for behind it may be a person.

use super::endpoint::{http_client, parse, with_causes};
use super::error::ClientError;
use super::signed::Signed;
use alloy::consensus::TxEip1559;
use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::{TransactionInput, TransactionRequest};
use alloy::transports::http::reqwest;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for a signature: somebody may have to read, and to find a device.
pub const SIGN_TIME_MAX: Duration = Duration::from_secs(300);
/// Longest answer, in bytes. A transaction has a tenth of it in hexadecimal digits, and clef adds it in words.
pub const ANSWER_BYTES_MAX: usize = 2 << 20;
/// Longest error of a signer that is shown, in characters.
const WORDS_MAX: usize = 300;
/// What signers answer to a method that they do not have.
const NO_SUCH_METHOD: [i64; 3] = [-32_601, -32_004, 4_200];

/// A signer at an `http` or `https` URL, and the account that it signs for.
#[derive(Debug, Clone)]
pub struct Signer {
    url: String,
    address: reqwest::Url,
    http: reqwest::Client,
    account: Address,
}

/// JSON-RPC 2.0. Of both members one is there.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    error: Option<Denial>,
}

#[derive(Deserialize)]
struct Denial {
    code: i64,
    #[serde(default)]
    message: String,
}

impl Signer {
    /// Asks which accounts it has. Without a wish it has to be one alone.
    ///
    /// # Errors
    /// When it does not answer, does not have the account, or has several to choose from.
    pub async fn connect(url: &str, wish: Option<[u8; 20]>) -> Result<Self, ClientError> {
        let address = parse(url)?;
        let mut signer = Self {
            url: url.to_owned(),
            http: http_client(url, &address, SIGN_TIME_MAX)?,
            address,
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
        for method in ["eth_accounts", "account_list"] {
            if let Some(accounts) = self.ask("accounts", method, json!([])).await? {
                return serde_json::from_value(accounts)
                    .map_err(|_| self.unfit("it lists no accounts".to_owned()));
            }
        }
        Err(self.unfit("it lists no accounts".to_owned()))
    }

    /// Has a transaction signed.
    pub(super) async fn sign(
        &self,
        what: &'static str,
        transaction: &TxEip1559,
    ) -> Result<Signed, ClientError> {
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
            if let Some(signed) = self.ask(what, method, json!([request])).await? {
                return self.read(&signed, transaction);
            }
        }
        Err(self.unfit(
            "it has no eth_signTransaction: what a wallet sends by itself cannot be held to what was asked".to_owned(),
        ))
    }

    /// What was signed, if it is what was asked and nothing else.
    fn read(&self, answer: &Value, asked: &TxEip1559) -> Result<Signed, ClientError> {
        let raw = answer.get("raw").unwrap_or(answer);
        let raw = raw.as_str().and_then(|text| text.parse::<Bytes>().ok());
        let raw =
            raw.ok_or_else(|| self.unfit("its answer holds no signed transaction".to_owned()))?;
        let signed = Signed::decode(&raw).map_err(|reason| self.unfit(reason))?;
        let found = signed.transaction();
        let same = [
            ("chain", found.chain_id == asked.chain_id),
            ("recipient", found.to == asked.to),
            ("value", found.value == asked.value),
            ("call", found.input == asked.input),
            ("nonce", found.nonce == asked.nonce),
            ("gas limit", found.gas_limit == asked.gas_limit),
            ("fee", found.max_fee_per_gas == asked.max_fee_per_gas),
            (
                "tip",
                found.max_priority_fee_per_gas == asked.max_priority_fee_per_gas,
            ),
            ("access list", found.access_list == asked.access_list),
            // Last: whoever changes one of the above and keeps the signature has another account as well.
            ("account", signed.account() == self.account.into_array()),
        ];
        match same.iter().find(|(_, same)| !same) {
            Some((part, _)) => Err(self.unfit(format!("it signed another {part} than was asked"))),
            None => Ok(signed),
        }
    }

    /// `None` when there is no such method.
    async fn ask(
        &self,
        what: &'static str,
        method: &'static str,
        params: Value,
    ) -> Result<Option<Value>, ClientError> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let body = self.post(what, &request).await?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| self.unfit(format!("its answer to {method} is none: {error}")))?;
        match (answer.result, answer.error) {
            (_, Some(denial)) if NO_SUCH_METHOD.contains(&denial.code) => Ok(None),
            (_, Some(denial)) => {
                let words: String = denial.message.chars().take(WORDS_MAX).collect();
                Err(self.unfit(format!("{what}: {words} (code {})", denial.code)))
            }
            (Some(result), None) => Ok(Some(result)),
            (None, None) => Err(self.unfit(format!("its answer to {method} is empty"))),
        }
    }

    async fn post(&self, what: &'static str, request: &Value) -> Result<Vec<u8>, ClientError> {
        let away = |error: reqwest::Error| ClientError::SignerAway {
            url: self.url.clone(),
            what,
            reason: with_causes(&error),
        };
        let sent = self.http.post(self.address.clone()).json(request).send();
        let mut response = sent.await.map_err(away)?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(away)? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(
                    self.unfit(format!("its answer has more than {ANSWER_BYTES_MAX} bytes"))
                );
            }
            body.extend_from_slice(&part);
        }
        // Signers answer errors with JSON, too, whatever the status.
        let status = response.status();
        if !status.is_success() && serde_json::from_slice::<Answer>(&body).is_err() {
            return Err(self.unfit(format!("it answers {status}")));
        }
        Ok(body)
    }

    fn unfit(&self, reason: String) -> ClientError {
        ClientError::Signer {
            url: self.url.clone(),
            reason,
        }
    }
}
