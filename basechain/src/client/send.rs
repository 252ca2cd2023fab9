//! Sending a transaction and waiting for its block.
//!
//! One transaction of an account is on its way at a time, so nonces never race. The signed bytes are
//! sent again while they wait, since a restarted node has forgotten them. One that is in no block
//! in time gives its nonce to the account's next transaction, which takes its place at a higher fee.

use super::bidding::Place;
use super::endpoint::{At, Endpoint};
use super::error::ClientError;
use super::key::{AccountKey, Holder};
use super::offer::{Offer, sign, transaction};
use super::order::Order;
use super::refusal::Refusal;
use super::signed::Signed;
use alloy::eips::BlockId;
use alloy::primitives::{Address, Log};
use alloy::providers::Provider as _;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
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
/// How often, that far apart, the nonce has to be seen in use by something else until that is believed.
const USED_LOOKS: u32 = 3;

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

impl Mined {
    /// The contract that it created, if it did.
    pub fn created(&self) -> Option<[u8; 20]> {
        self.created.map(Address::into_array)
    }
}

/// What it takes to take the place of what an account has waiting.
#[derive(Debug, Default)]
pub struct Senders(SyncMutex<BTreeMap<Address, Arc<Mutex<Option<Offer>>>>>);

impl Senders {
    fn of(&self, account: Address) -> Arc<Mutex<Option<Offer>>> {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(senders.entry(account).or_default())
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
        self.send(key, Order::transfer(to, wei)).await
    }

    /// Signs, sends and waits for the block.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when it would revert, which costs nothing, or did.
    pub(super) async fn send(&self, key: &AccountKey, order: Order) -> Result<Mined, ClientError> {
        self.send_at(Place::Behind, key, order).await
    }

    /// The same for what is not to wait for anything else of its account: it takes the place of what the account has
    /// waiting, by whomever that was sent.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn post(&self, key: &AccountKey, order: Order) -> Result<Mined, ClientError> {
        self.send_at(Place::First, key, order).await
    }

    async fn send_at(
        &self,
        place: Place,
        key: &AccountKey,
        order: Order,
    ) -> Result<Mined, ClientError> {
        let what = order.what;
        let sender = self.senders.of(key.account());
        let mut bar = sender.lock().await;
        let request = order.request(key.account());
        let signed = self.bid(place, key, &order, &mut bar).await?;
        let receipt = self.wait(what, &[signed]).await;
        if matches!(receipt, Ok(_) | Err(ClientError::Replaced { .. })) {
            *bar = None;
        }
        self.outcome(what, request, receipt?).await
    }

    /// Sends what is signed and waits for the block, longest as long as the endpoint does. All that is given has one account and
    /// nonce, so that at most one of it is ever in a block; the last takes the place of the others.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when what came into a block reverted there, [`ClientError::Replaced`] when something
    /// else with that nonce is in one. After any other error it may still come into one.
    pub async fn deliver(
        &self,
        what: &'static str,
        attempts: &[Signed],
    ) -> Result<Mined, ClientError> {
        let Some(newest) = attempts.last() else {
            return Err(ClientError::Malformed {
                url: self.url().to_owned(),
                what,
                reason: "there is nothing to send".to_owned(),
            });
        };
        let receipt = match self.look(attempts).await? {
            Some(receipt) => receipt,
            None => {
                self.broadcast(what, newest, true).await?;
                self.wait(what, attempts).await?
            }
        };
        let of = |signed: &&Signed| signed.hash_word() == receipt.transaction_hash;
        let request = attempts.iter().find(of).unwrap_or(newest).request();
        self.outcome(what, request, receipt).await
    }

    /// Which of them is in a block, by its hash. Sends nothing.
    pub async fn find_mined(&self, attempts: &[Signed]) -> Result<Option<[u8; 32]>, ClientError> {
        let receipt = self.look(attempts).await?;
        Ok(receipt.map(|receipt| receipt.transaction_hash.0))
    }

    /// What a transaction offers for a unit of gas and as a tip, in wei.
    pub(super) async fn fees(&self) -> Result<(u128, u128), ClientError> {
        let fees = || self.provider.estimate_eip1559_fees();
        let fees = self.ask("fees", fees).await?;
        Ok((fees.max_fee_per_gas, fees.max_priority_fee_per_gas))
    }

    pub(super) async fn sign_offer(
        &self,
        key: &AccountKey,
        sending: &Offer,
        gas_limit: u64,
        order: &Order,
    ) -> Result<Signed, ClientError> {
        let what = order.what;
        if let Holder::Elsewhere(signer) = key.holder() {
            let transaction = transaction(self.chain_id(), sending, gas_limit, order);
            return signer.sign(what, &transaction).await;
        }
        let signed = sign(key, self.chain_id(), sending, gas_limit, order);
        signed.map_err(|reason| ClientError::Malformed {
            url: self.url().to_owned(),
            what,
            reason,
        })
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
        let gas = self.gas(what, request).await?;
        // The state may move between the estimate and the block.
        Ok(gas.saturating_add(gas / 5))
    }

    pub(super) async fn gas(
        &self,
        what: &'static str,
        request: &TransactionRequest,
    ) -> Result<u64, ClientError> {
        let pending = || self.provider.estimate_gas(request.clone()).into_future();
        let pending = self.ask(what, pending).await;
        if !matches!(pending, Err(ClientError::Refused { .. })) {
            return pending;
        }
        // What is pending may be the very transaction that this takes the place of. The newest block alone would not do: on a
        // chain at rest its time is long past.
        let latest = || {
            let estimate = self.provider.estimate_gas(request.clone());
            estimate.block(BlockId::latest()).into_future()
        };
        self.ask(what, latest).await.or(pending)
    }

    pub(super) async fn nonce(&self, account: Address, block: BlockId) -> Result<u64, ClientError> {
        let nonce = || {
            let count = self.provider.get_transaction_count(account);
            count.block_id(block).into_future()
        };
        self.ask("nonce", nonce).await
    }

    /// Hands the transaction to the node. One that may have arrived before, in an attempt whose answer was lost or
    /// (`known`) of an earlier run, is then refused as known or outdated: the receipt will tell.
    pub(super) async fn broadcast(
        &self,
        what: &'static str,
        signed: &Signed,
        known: bool,
    ) -> Result<(), ClientError> {
        let raw = signed.encoded();
        let mut attempts = 0;
        let send = || {
            attempts += 1;
            let repeated = known || attempts > 1;
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

    /// The receipt of whichever is in a block.
    async fn look(&self, attempts: &[Signed]) -> Result<Option<TransactionReceipt>, ClientError> {
        for signed in attempts {
            let hash = signed.hash_word();
            let receipt = || self.provider.get_transaction_receipt(hash).into_future();
            let receipt = self.ask("receipt", receipt).await?;
            if receipt.is_some() {
                return Ok(receipt);
            }
        }
        Ok(None)
    }

    async fn wait(
        &self,
        what: &'static str,
        attempts: &[Signed],
    ) -> Result<TransactionReceipt, ClientError> {
        let start = Instant::now();
        let mut sent = start;
        let mut pause = LOOK_PAUSES.0;
        let mut used = 0;
        while start.elapsed() < self.mined_time_max {
            sleep(pause).await;
            pause = (pause * 3 / 2).min(LOOK_PAUSES.1);
            if let Some(receipt) = self.look(attempts).await? {
                return Ok(receipt);
            }
            if let Some(newest) = attempts.last()
                && sent.elapsed() > RESEND_INTERVAL
            {
                let next = self.nonce(newest.account().into(), BlockId::latest());
                if next.await? > newest.nonce() {
                    // Of several nodes behind one URL one may have a block that another has not yet.
                    used += 1;
                    if used > USED_LOOKS {
                        let nonce = newest.nonce();
                        return Err(ClientError::Replaced { what, nonce });
                    }
                } else {
                    used = 0;
                    let again = self.provider.send_raw_transaction(&newest.encoded()).await;
                    tracing::debug!(what, error = ?again.err(), "sent again");
                }
                sent = Instant::now();
            }
        }
        let hash = attempts.last().map(Signed::hash_word).unwrap_or_default();
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

fn is_known(message: &str) -> bool {
    let message = message.to_lowercase();
    let known = [
        "already known",
        "already imported",
        "nonce too low",
        "underpriced",
    ];
    known.iter().any(|known| message.contains(known))
}
