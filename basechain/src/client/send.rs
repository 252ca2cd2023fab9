//! Sending a transaction and waiting for its block.
//!
//! One transaction of an account is on its way at a time, so nonces never race. The signed bytes are
//! sent again while they wait, since a restarted node has forgotten them. One that is in no block
//! in time keeps its nonce: the account's next transaction takes its place at a higher fee.

use super::endpoint::{At, Endpoint};
use super::error::ClientError;
use super::key::{AccountKey, Holder};
use super::refusal::Refusal;
use super::signer::Done;
use alloy::consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy::eips::BlockId;
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, B256, Bytes, Log, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{TransactionInput, TransactionReceipt, TransactionRequest};
use alloy::signers::SignerSync as _;
use alloy::transports::RpcError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// The pause between looks for a receipt, at first and at most.
pub const LOOK_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));
/// How often a waiting transaction is sent again.
pub const RESEND_INTERVAL: Duration = Duration::from_secs(3);

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mined {
    pub hash: [u8; 32],
    /// Number of its block.
    pub block: u64,
    pub gas_used: u64,
    /// Wei per gas.
    pub gas_price: u128,
    pub(super) created: Option<Address>,
    pub(super) logs: Vec<Log>,
}

/// What an account has sent.
#[derive(Debug, Default)]
pub struct Senders(SyncMutex<BTreeMap<Address, Arc<Mutex<Option<Unmined>>>>>);

impl Senders {
    fn of(&self, account: Address) -> Arc<Mutex<Option<Unmined>>> {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(senders.entry(account).or_default())
    }
}

/// A transaction that is in no block yet: its nonce, and what it offers in wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unmined {
    pub nonce: u64,
    pub fee: u128,
    pub tip: u128,
}

impl Unmined {
    /// Takes the place of `stuck` at a higher fee, unless the account's next nonce shows that something with
    /// its nonce is in a block by now.
    pub fn outbidding(self, stuck: &Self, next: u64) -> Self {
        if next > stuck.nonce {
            return self;
        }
        Self {
            nonce: stuck.nonce,
            fee: self.fee.max(quarter_more(stuck.fee)),
            tip: self.tip.max(quarter_more(stuck.tip)),
        }
    }
}

impl Unmined {
    /// Offers no more than `max`; refused if less than `least` is no use.
    fn within(self, what: &'static str, least: u128, max: u128) -> Result<Self, ClientError> {
        if least > max {
            let fee = least;
            return Err(ClientError::Fee { what, fee, max });
        }
        Ok(Self {
            fee: self.fee.min(max),
            tip: self.tip.min(max),
            ..self
        })
    }
}

/// The transaction for an order, signed by a key that is here.
pub(crate) fn sign(
    key: &AccountKey,
    chain_id: u64,
    sending: &Unmined,
    gas_limit: u64,
    order: Order,
) -> Result<TxEnvelope, String> {
    let Holder::Here(key) = key.holder() else {
        return Err("the key is not here".to_owned());
    };
    let transaction = transaction(chain_id, sending, gas_limit, order);
    let signature = key.sign_hash_sync(&transaction.signature_hash());
    let signature = signature.map_err(|error| error.to_string())?;
    Ok(TxEnvelope::from(transaction.into_signed(signature)))
}

fn transaction(chain_id: u64, sending: &Unmined, gas_limit: u64, order: Order) -> TxEip1559 {
    TxEip1559 {
        chain_id,
        nonce: sending.nonce,
        gas_limit,
        max_fee_per_gas: sending.fee,
        max_priority_fee_per_gas: sending.tip,
        to: order.to,
        value: U256::from(order.value),
        input: order.input,
        ..TxEip1559::default()
    }
}

/// What a transaction is to do.
pub struct Order {
    /// For messages.
    pub what: &'static str,
    pub to: TxKind,
    /// In wei.
    pub value: u128,
    pub input: Bytes,
}

impl Order {
    pub(super) fn request(&self, from: Address) -> TransactionRequest {
        TransactionRequest {
            from: Some(from),
            to: Some(self.to),
            value: Some(U256::from(self.value)),
            input: TransactionInput::new(self.input.clone()),
            ..TransactionRequest::default()
        }
    }
}

impl Endpoint {
    /// Sends coins.
    pub async fn transfer(
        &self,
        key: &AccountKey,
        to: [u8; 20],
        wei: u128,
    ) -> Result<Mined, ClientError> {
        let order = Order {
            what: "transfer",
            to: TxKind::Call(to.into()),
            value: wei,
            input: Bytes::new(),
        };
        self.send(key, order).await
    }

    /// Signs, sends and waits for the block.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when it would revert, which costs nothing, or did.
    pub(super) async fn send(&self, key: &AccountKey, order: Order) -> Result<Mined, ClientError> {
        let what = order.what;
        let sender = self.senders.of(key.account());
        let mut unmined = sender.lock().await;
        let request = order.request(key.account());
        let gas_limit = self.gas_limit(what, &request).await?;
        let fees = || self.provider.estimate_eip1559_fees();
        let fees = self.ask("fees", fees).await?;
        let (fee, tip) = (fees.max_fee_per_gas, fees.max_priority_fee_per_gas);
        let nonce = self.nonce(key.account(), BlockId::pending()).await?;
        let mut sending = Unmined { nonce, fee, tip };
        let mut least = least(fee, tip);
        if let Some(stuck) = *unmined {
            let next = self.nonce(key.account(), BlockId::latest()).await?;
            sending = sending.outbidding(&stuck, next);
            if sending.nonce == stuck.nonce {
                least = least.max(quarter_more(stuck.fee));
            }
        }
        sending = sending.within(what, least, self.fee_max)?;
        let done = self.sign(key, &sending, gas_limit, order).await?;
        let signed = match &done {
            Done::Signed(signed) => {
                self.broadcast(what, signed).await?;
                *unmined = Some(sending);
                (*signed.tx_hash(), Some(signed.encoded_2718()))
            }
            Done::Sent(hash) => (*hash, None),
        };
        let receipt = self.wait(what, signed.0, signed.1.as_deref()).await?;
        *unmined = None;
        self.outcome(what, request, receipt).await
    }

    async fn sign(
        &self,
        key: &AccountKey,
        sending: &Unmined,
        gas_limit: u64,
        order: Order,
    ) -> Result<Done, ClientError> {
        let what = order.what;
        if let Holder::Elsewhere(signer) = key.holder() {
            let transaction = transaction(self.chain_id(), sending, gas_limit, order);
            return signer.sign(what, &transaction).await;
        }
        let signed = sign(key, self.chain_id(), sending, gas_limit, order);
        let signed = signed.map_err(|reason| ClientError::Malformed {
            url: self.url().to_owned(),
            what,
            reason,
        })?;
        Ok(Done::Signed(Box::new(signed)))
    }

    /// What to allow a transaction in gas.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when it would revert.
    pub(super) async fn gas_limit(
        &self,
        what: &'static str,
        request: &TransactionRequest,
    ) -> Result<u64, ClientError> {
        let gas = || self.provider.estimate_gas(request.clone()).into_future();
        let gas: u64 = self.ask(what, gas).await?;
        // The state may move between the estimate and the block.
        Ok(gas.saturating_add(gas / 5))
    }

    pub(super) async fn nonce(&self, account: Address, block: BlockId) -> Result<u64, ClientError> {
        let nonce = || {
            let count = self.provider.get_transaction_count(account);
            count.block_id(block).into_future()
        };
        self.ask("nonce", nonce).await
    }

    /// Hands the transaction to the node. An attempt whose answer was lost may have arrived, and then
    /// the next one is refused as known or outdated: the receipt will tell.
    async fn broadcast(&self, what: &'static str, signed: &TxEnvelope) -> Result<(), ClientError> {
        let raw = signed.encoded_2718();
        let mut attempts = 0;
        let send = || {
            attempts += 1;
            let repeated = attempts > 1;
            let raw = &raw;
            async move {
                match self.provider.send_raw_transaction(raw).await {
                    Err(RpcError::ErrorResp(payload)) if repeated && is_known(&payload.message) => {
                        Ok(())
                    }
                    sent => sent.map(|_| ()),
                }
            }
        };
        self.ask(what, send).await
    }

    async fn wait(
        &self,
        what: &'static str,
        hash: B256,
        raw: Option<&[u8]>,
    ) -> Result<TransactionReceipt, ClientError> {
        let start = Instant::now();
        let mut sent = start;
        let mut pause = LOOK_PAUSES.0;
        while start.elapsed() < self.mined_time_max {
            sleep(pause).await;
            pause = (pause * 3 / 2).min(LOOK_PAUSES.1);
            let receipt = || self.provider.get_transaction_receipt(hash).into_future();
            if let Some(receipt) = self.ask("receipt", receipt).await? {
                return Ok(receipt);
            }
            if let Some(raw) = raw
                && sent.elapsed() > RESEND_INTERVAL
            {
                let again = self.provider.send_raw_transaction(raw).await;
                tracing::debug!(%hash, what, error = ?again.err(), "sent again");
                sent = Instant::now();
            }
        }
        Err(ClientError::NotMined {
            what,
            hash,
            waited: start.elapsed(),
        })
    }

    /// What came of a transaction that is in a block. For one that reverted, the call is made again
    /// on that block's state to learn why.
    async fn outcome(
        &self,
        what: &'static str,
        request: TransactionRequest,
        receipt: TransactionReceipt,
    ) -> Result<Mined, ClientError> {
        let block = receipt.block_number.unwrap_or_default();
        if !receipt.status() {
            return Err(match self.call(what, request, At::Block(block)).await {
                Err(error) if error.refusal().is_some() => error,
                _ => ClientError::Refused {
                    what,
                    refusal: Refusal::decode(&[]),
                },
            });
        }
        Ok(Mined {
            hash: receipt.transaction_hash.0,
            block,
            gas_used: receipt.gas_used,
            gas_price: receipt.effective_gas_price,
            created: receipt.contract_address,
            logs: receipt
                .inner
                .into_logs()
                .into_iter()
                .map(|log| log.inner)
                .collect(),
        })
    }
}

/// What a unit of gas costs in the next block. An offer is twice the base fee and the tip, for blocks to come.
fn least(fee: u128, tip: u128) -> u128 {
    (fee.saturating_sub(tip) / 2).saturating_add(tip)
}

fn quarter_more(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(4))
}

fn is_known(message: &str) -> bool {
    let message = message.to_lowercase();
    ["already known", "already imported", "nonce too low"]
        .iter()
        .any(|known| message.contains(known))
}
