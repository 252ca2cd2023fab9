//! A base chain's RPC URL: asking, with a time limit and repetition.

use super::error::ClientError;
use super::refusal::Refusal;
use super::send::Senders;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::Ethereum;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::types::{TransactionInput, TransactionRequest};
use alloy::sol_types::SolCall;
use alloy::transports::http::{Http, reqwest};
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Longest time for one request.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest time until a connection stands.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// How often a request is made before its failure is final.
pub const ATTEMPTS_MAX: u32 = 4;
/// The pause before the second attempt; each further one is twice as long.
pub const PAUSE_MIN: Duration = Duration::from_millis(100);

/// Longest wait for a transaction's block, unless the endpoint is told otherwise.
pub const MINED_TIME_MAX: Duration = Duration::from_secs(90);

/// Which state a read is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The head's, which a reorganisation may still take back.
    Latest,
    /// That of the newest final block.
    Finalized,
    /// That of a block by its number.
    Block(u64),
}

impl From<At> for BlockId {
    fn from(at: At) -> Self {
        match at {
            At::Latest => Self::latest(),
            At::Finalized => Self::finalized(),
            At::Block(number) => Self::number(number),
        }
    }
}

/// A block of the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    pub number: u64,
    pub hash: [u8; 32],
    /// Seconds since the Unix epoch.
    pub timestamp: u64,
}

/// A connected base chain. Cheap to clone; clones share what they have sent.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: Arc<str>,
    pub(super) provider: RootProvider<Ethereum>,
    chain_id: u64,
    pub(super) mined_time_max: Duration,
    pub(super) fee_max: u128,
    pub(super) senders: Arc<Senders>,
}

fn refused(url: &str, reason: impl fmt::Display) -> ClientError {
    ClientError::Url {
        url: url.to_owned(),
        reason: reason.to_string(),
    }
}

pub(super) fn parse(rpc_url: &str) -> Result<reqwest::Url, ClientError> {
    let url: reqwest::Url = rpc_url.parse().map_err(|e| refused(rpc_url, e))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(refused(rpc_url, "the scheme must be http or https")),
    }
}

fn is_local(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}

/// For requests that take `longest` at most.
pub(super) fn http_client(
    text: &str,
    url: &reqwest::Url,
    longest: Duration,
) -> Result<reqwest::Client, ClientError> {
    // The library takes its cryptography from the process. A second attempt to set it changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut http = reqwest::Client::builder()
        .timeout(longest)
        .connect_timeout(CONNECT_TIME_MAX)
        // What was meant for one host is not for another to read.
        .redirect(reqwest::redirect::Policy::none());
    if url.scheme() == "http" {
        // Without this the system's certificates are read, and a machine that has none could not even do without.
        http = http.tls_certs_only([]);
    }
    if is_local(url) {
        // A proxy of the surroundings is not for this machine.
        http = http.no_proxy();
    }
    http.build().map_err(|e| refused(text, e))
}

impl Endpoint {
    /// Connects to an `http` or `https` URL and asks for the chain id.
    pub async fn connect(rpc_url: &str) -> Result<Self, ClientError> {
        let url = parse(rpc_url)?;
        let local = is_local(&url);
        let http = http_client(rpc_url, &url, REQUEST_TIME_MAX)?;
        let client = RpcClient::new(Http::with_client(http, url), local);
        let mut endpoint = Self::of_client(rpc_url, client);
        endpoint.chain_id = endpoint
            .ask("chain id", || {
                endpoint.provider.get_chain_id().into_future()
            })
            .await?;
        Ok(endpoint)
    }

    /// Whether [`connect`](Self::connect) could use the URL. Asks nobody.
    ///
    /// # Errors
    /// When it is no URL, or neither of `http` nor of `https`.
    pub fn check_url(rpc_url: &str) -> Result<(), ClientError> {
        parse(rpc_url).map(drop)
    }

    /// Without the chain id.
    pub(super) fn of_client(url: &str, client: RpcClient) -> Self {
        Self {
            url: url.into(),
            provider: RootProvider::new(client),
            chain_id: 0,
            mined_time_max: MINED_TIME_MAX,
            fee_max: u128::MAX,
            senders: Arc::default(),
        }
    }

    /// The same chain with another longest wait for a transaction's block.
    #[must_use]
    pub fn with_mined_time_max(mut self, longest: Duration) -> Self {
        self.mined_time_max = longest;
        self
    }

    /// The same chain with a most that a unit of gas may cost, in wei. Above it nothing is sent.
    #[must_use]
    pub fn with_fee_max(mut self, wei: u128) -> Self {
        self.fee_max = wei;
        self
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// EIP-155.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Makes a request until there is an answer, at most `ATTEMPTS_MAX` times. The request must have
    /// one outcome however often it is made.
    pub(super) async fn ask<T, F>(
        &self,
        what: &'static str,
        mut request: impl FnMut() -> F,
    ) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            let error = match request().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempt == ATTEMPTS_MAX || !may_pass(&error) {
                return Err(self.explain(what, attempt, error));
            }
            tracing::debug!(%error, what, attempt, "the base chain is asked again");
            sleep(pause).await;
            pause *= 2;
        }
        unreachable!("the last attempt returns")
    }

    pub(super) fn explain(
        &self,
        what: &'static str,
        attempts: u32,
        error: TransportError,
    ) -> ClientError {
        let url = self.url.to_string();
        match error {
            RpcError::ErrorResp(payload) => {
                if let Some(data) = payload.as_revert_data() {
                    let refusal = Refusal::decode(&data);
                    return ClientError::Refused { what, refusal };
                }
                ClientError::Answer {
                    url,
                    what,
                    code: payload.code,
                    message: payload.message.into_owned(),
                }
            }
            RpcError::Transport(kind) => ClientError::Unreachable {
                url,
                what,
                attempts,
                reason: with_causes(&kind),
            },
            other => ClientError::Malformed {
                url,
                what,
                reason: other.to_string(),
            },
        }
    }

    /// Calls a function that changes nothing.
    pub(super) async fn read<C: SolCall>(
        &self,
        what: &'static str,
        contract: [u8; 20],
        call: C,
        at: At,
    ) -> Result<C::Return, ClientError> {
        let request = TransactionRequest {
            to: Some(TxKind::Call(contract.into())),
            input: TransactionInput::new(call.abi_encode().into()),
            ..TransactionRequest::default()
        };
        let answer = self.call(what, request, at).await?;
        C::abi_decode_returns(&answer).map_err(|error| ClientError::Malformed {
            url: self.url.to_string(),
            what,
            reason: error.to_string(),
        })
    }

    /// Calls any contract without a transaction, in the head's state; returns what it answers, encoded.
    pub async fn view(&self, contract: [u8; 20], input: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let request = TransactionRequest {
            to: Some(TxKind::Call(contract.into())),
            input: TransactionInput::new(input.into()),
            ..TransactionRequest::default()
        };
        let answer = self.call("a contract", request, At::Latest).await?;
        Ok(answer.into())
    }

    pub(super) async fn call(
        &self,
        what: &'static str,
        request: TransactionRequest,
        at: At,
    ) -> Result<Bytes, ClientError> {
        let call = || {
            let call = self.provider.call(request.clone()).block(at.into());
            call.into_future()
        };
        self.ask(what, call).await
    }

    pub(super) async fn code(&self, address: Address) -> Result<Bytes, ClientError> {
        let code = || self.provider.get_code_at(address).into_future();
        self.ask("code", code).await
    }

    /// Whether there is code at an address.
    pub async fn is_contract(&self, address: [u8; 20]) -> Result<bool, ClientError> {
        Ok(!self.code(address.into()).await?.is_empty())
    }

    /// In wei; `u128::MAX` when it is more, which no chain has.
    pub async fn balance(&self, account: [u8; 20]) -> Result<u128, ClientError> {
        let balance = || self.provider.get_balance(account.into()).into_future();
        let balance: U256 = self.ask("balance", balance).await?;
        Ok(u128::try_from(balance).unwrap_or(u128::MAX))
    }

    /// The newest block.
    pub async fn head(&self) -> Result<BlockRef, ClientError> {
        self.block("head", BlockNumberOrTag::Latest).await
    }

    /// The newest block that no reorganisation takes back.
    pub async fn finalized(&self) -> Result<BlockRef, ClientError> {
        self.block("finalized head", BlockNumberOrTag::Finalized)
            .await
    }

    /// A block that there is, by its number.
    pub(super) async fn mined_block(&self, number: u64) -> Result<BlockRef, ClientError> {
        self.block("block", BlockNumberOrTag::Number(number)).await
    }

    /// The first block that is not earlier than this time, which the head is not.
    pub(super) async fn first_block_at(&self, time: u64, head: u64) -> Result<u64, ClientError> {
        let (mut low, mut high) = (0, head);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.mined_block(middle).await?.timestamp >= time {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        Ok(low)
    }

    /// The block of a number, unless the chain has not come so far.
    pub async fn block_at(&self, number: u64) -> Result<Option<BlockRef>, ClientError> {
        self.find_block("block", BlockNumberOrTag::Number(number))
            .await
    }

    async fn block(
        &self,
        what: &'static str,
        tag: BlockNumberOrTag,
    ) -> Result<BlockRef, ClientError> {
        let found = self.find_block(what, tag).await?;
        found.ok_or_else(|| ClientError::Malformed {
            url: self.url.to_string(),
            what,
            reason: "there is no such block".to_owned(),
        })
    }

    async fn find_block(
        &self,
        what: &'static str,
        tag: BlockNumberOrTag,
    ) -> Result<Option<BlockRef>, ClientError> {
        let block = || self.provider.get_block_by_number(tag).into_future();
        let block = self.ask(what, block).await?;
        let header = block.map(|block| block.header);
        Ok(header.map(|header| BlockRef {
            number: header.inner.number,
            hash: header.hash.0,
            timestamp: header.inner.timestamp,
        }))
    }
}

/// Whether the same request may succeed later.
fn may_pass(error: &TransportError) -> bool {
    match error {
        RpcError::Transport(TransportErrorKind::NonRetryable(_)) => false,
        RpcError::Transport(_) => true,
        RpcError::ErrorResp(payload) => payload.is_retry_err(),
        _ => false,
    }
}

/// An error with the errors behind it: the outer ones seldom say what happened.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
