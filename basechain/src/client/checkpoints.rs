//! B2: posting certificates, and what has been posted.

use super::BaseChain;
use super::abi::manager::CheckpointManager as Manager;
use super::abi::vault::Vault::Statement as PaidBy;
use super::endpoint::At;
use super::error::ClientError;
use super::key::AccountKey;
use super::order::Order;
use super::refusal::Refusal;
use super::send::Mined;
use alloy::consensus::Transaction as _;
use alloy::primitives::{Address, B256, Bytes, Log, TxKind, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::{SolCall as _, SolEvent as _, SolValue as _};
use std::collections::BTreeSet;
use weft_types::{Certificate, Height, Root, Statement, StatementDigest, bls};

/// A certificate on the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    pub height: Height,
    pub statement: StatementDigest,
    pub state_root: Root,
    /// The block that it was posted in.
    pub base_block: u64,
}

/// A checkpoint, and what it was posted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    pub checkpoint: Checkpoint,
    /// Its hash.
    pub transaction: [u8; 32],
}

/// What came of submitting a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmitOutcome {
    Posted(Mined),
    /// The base chain has this height or a later one: nothing is left to do.
    Superseded {
        latest: Height,
    },
    /// The contract does not accept the certificate, and will not.
    Refused(Refusal),
}

impl BaseChain {
    /// Posts a certificate, from any account that can pay for it.
    ///
    /// # Errors
    /// When the base chain is away or does not take the transaction; what the contract says about the
    /// certificate is an outcome.
    pub async fn submit(
        &self,
        key: &AccountKey,
        certificate: &Certificate,
    ) -> Result<SubmitOutcome, ClientError> {
        let signature = certificate.signature.to_eip2537();
        self.submit_encoded(key, &certificate.statement, &certificate.bitmap, &signature)
            .await
    }

    /// The same for whoever has the bytes as the contract takes them: the signature in EIP-2537's
    /// encoding.
    pub async fn submit_encoded(
        &self,
        key: &AccountKey,
        statement: &Statement,
        bitmap: &[u8],
        signature: &[u8],
    ) -> Result<SubmitOutcome, ClientError> {
        let order = Order {
            what: "checkpoint",
            to: TxKind::Call(self.contracts.manager.into()),
            value: 0,
            input: submit_input(statement, bitmap, signature),
        };
        match self.endpoint.post(key, order).await {
            Ok(mined) => Ok(SubmitOutcome::Posted(mined)),
            Err(ClientError::Refused { refusal, .. }) => Ok(match newer(&refusal) {
                Some(latest) => SubmitOutcome::Superseded { latest },
                None => SubmitOutcome::Refused(refusal),
            }),
            Err(error) => Err(error),
        }
    }

    /// The newest checkpoint, `None` before the first. It is anchored when it is read
    /// [`At::Finalized`].
    pub async fn latest_checkpoint(&self, at: At) -> Result<Option<Checkpoint>, ClientError> {
        let what = "latest checkpoint";
        let call = Manager::latestCall {};
        let read = self.endpoint.read(what, self.contracts.manager, call, at);
        let latest = read.await?;
        if latest.height == 0 {
            return Ok(None);
        }
        let found = self.checkpoint_in(latest.baseBlock, Height(latest.height));
        match found.await? {
            Some(checkpoint) => Ok(Some(checkpoint)),
            None => Err(ClientError::Malformed {
                url: self.endpoint.url().to_owned(),
                what,
                reason: format!("block {} does not have it", latest.baseBlock),
            }),
        }
    }

    /// The checkpoint of a height in a block, if it was posted there.
    pub async fn checkpoint_in(
        &self,
        block: u64,
        height: Height,
    ) -> Result<Option<Checkpoint>, ClientError> {
        let logs = self.checkpoint_logs(block, height).await?;
        Ok(logs
            .iter()
            .find_map(|log| posted(&log.inner, height.0, block)))
    }

    async fn checkpoint_logs(
        &self,
        block: u64,
        height: Height,
    ) -> Result<Vec<alloy::rpc::types::Log>, ClientError> {
        let filter = Filter::new()
            .address(Address::from(self.contracts.manager))
            .event_signature(Manager::Checkpoint::SIGNATURE_HASH)
            .topic2(U256::from(height.0))
            .from_block(block)
            .to_block(block);
        let logs = || self.endpoint.provider.get_logs(&filter);
        self.endpoint.ask("checkpoint", logs).await
    }

    /// The certificate that a transaction has called the manager with.
    async fn submitted(&self, transaction: B256) -> Result<Option<Certificate>, ClientError> {
        let provider = &self.endpoint.provider;
        let found = || provider.get_transaction_by_hash(transaction).into_future();
        let found = self.endpoint.ask("posting", found).await?;
        Ok(found.and_then(|t| submitted(t.input())))
    }

    /// All checkpoints that were posted in some blocks, in their order.
    pub async fn checkpoints_between(
        &self,
        from: u64,
        to: u64,
    ) -> Result<Vec<Posted>, ClientError> {
        let filter = Filter::new()
            .address(Address::from(self.contracts.manager))
            .event_signature(Manager::Checkpoint::SIGNATURE_HASH)
            .from_block(from)
            .to_block(to);
        let logs = || self.endpoint.provider.get_logs(&filter);
        let logs = self.endpoint.ask("checkpoints", logs).await?;
        let posted = logs.iter().filter_map(|log| {
            let event = Manager::Checkpoint::decode_log(&log.inner).ok()?;
            let block = log.block_number?;
            Some(Posted {
                checkpoint: posted(&log.inner, event.height, block)?,
                transaction: log.transaction_hash?.0,
            })
        });
        Ok(posted.collect())
    }

    /// The certificate that a checkpoint was posted with, unchecked: read off the transaction. `None` when the manager was not
    /// called by the transaction itself, or the checkpoint is no more.
    pub async fn certificate_of(
        &self,
        posted: &Posted,
    ) -> Result<Option<Certificate>, ClientError> {
        let found = self.submitted(B256::from(posted.transaction)).await?;
        Ok(found.filter(|c| c.statement.digest() == posted.checkpoint.statement))
    }

    /// When the checkpoint of a height was posted, in Unix seconds; `None` when it was not: heights may be skipped.
    pub async fn posted_at(&self, height: Height, at: At) -> Result<Option<u64>, ClientError> {
        let call = Manager::checkpointCall { height: height.0 };
        let read = self
            .endpoint
            .read("checkpoint", self.contracts.manager, call, at);
        let posted = read.await?.postedAt;
        Ok((posted != 0).then_some(posted))
    }

    /// BC12: seconds from a checkpoint's posting until it is final.
    pub async fn finality_delay(&self) -> Result<u64, ClientError> {
        let call = Manager::finalityDelayCall {};
        let manager = self.contracts.manager;
        let endpoint = &self.endpoint;
        endpoint
            .read("finality delay", manager, call, At::Latest)
            .await
    }

    /// When the bridge was frozen by a conflict, in Unix seconds; `None` while it works.
    pub async fn frozen_at(&self) -> Result<Option<u64>, ClientError> {
        let call = Manager::frozenAtCall {};
        let read = self
            .endpoint
            .read("freeze", self.contracts.manager, call, At::Latest);
        let frozen = read.await?;
        Ok((frozen != 0).then_some(frozen))
    }

    /// Gas that the transactions of all checkpoints posted after block `from` have used.
    pub async fn checkpoint_gas_since(&self, from: u64) -> Result<u64, ClientError> {
        let endpoint = &self.endpoint;
        let filter = Filter::new()
            .address(Address::from(self.contracts.manager))
            .event_signature(Manager::Checkpoint::SIGNATURE_HASH)
            .from_block(from.saturating_add(1));
        let logs = || endpoint.provider.get_logs(&filter);
        let logs = endpoint.ask("checkpoints", logs).await?;
        let posted = logs.iter().filter_map(|log| log.transaction_hash);
        let posted: BTreeSet<B256> = posted.collect();
        let mut gas: u64 = 0;
        for hash in posted {
            let receipt = || {
                endpoint
                    .provider
                    .get_transaction_receipt(hash)
                    .into_future()
            };
            let receipt = endpoint.ask("receipt of a checkpoint", receipt).await?;
            // A reorganisation may have taken it back since.
            gas = gas.saturating_add(receipt.map_or(0, |r| r.gas_used));
        }
        Ok(gas)
    }

    /// How many checkpoints there are.
    pub async fn checkpoint_count(&self) -> Result<u64, ClientError> {
        let call = Manager::checkpointCountCall {};
        let read = self
            .endpoint
            .read("checkpoint count", self.contracts.manager, call, At::Latest);
        read.await
    }
}

/// What the manager is called with to post.
pub(crate) fn submit_input(statement: &Statement, bitmap: &[u8], signature: &[u8]) -> Bytes {
    let call = Manager::submitCall {
        statement: encode(statement).into(),
        bitmap: bitmap.to_vec().into(),
        signature: signature.to_vec().into(),
    };
    call.abi_encode().into()
}

/// The certificate that the manager is called with.
fn submitted(input: &[u8]) -> Option<Certificate> {
    let call = Manager::submitCall::abi_decode(input).ok()?;
    let statement = Statement::decode(&call.statement.abi_encode()).ok()?;
    let signature = bls::Signature::from_eip2537(&call.signature).ok()?;
    Some(Certificate {
        statement,
        bitmap: call.bitmap.0,
        signature,
    })
}

/// A checkpoint as the manager has announced it, if the log is of this height.
pub(crate) fn posted(log: &Log, height: u64, block: u64) -> Option<Checkpoint> {
    let event = Manager::Checkpoint::decode_log(log).ok()?;
    (event.height == height).then_some(Checkpoint {
        height: Height(height),
        statement: StatementDigest(event.statementDigest.0),
        state_root: Root(event.stateRoot.0),
        base_block: block,
    })
}

/// The latest height, when the refusal is that there is a newer one.
pub(crate) fn newer(refusal: &Refusal) -> Option<Height> {
    if refusal.name != "HeightNotNewer" {
        return None;
    }
    refusal.argument("latest")?.parse().ok().map(Height)
}

/// A statement in the words of either contract.
pub(super) fn encode(statement: &Statement) -> impl Into<Manager::Statement> + Into<PaidBy> {
    (
        B256::from(statement.network.genesis.0),
        statement.network.chain_id,
        Address::from(statement.network.manager),
        statement.epoch.0,
        statement.height.0,
        statement.timestamp.0,
        statement.commit.0,
        B256::from(statement.commit_digest.0),
        B256::from(statement.state_root.0),
        B256::from(statement.receipts_root.0),
        B256::from(statement.offenders_root.0),
        B256::from(statement.withdrawals_root.0),
        B256::from(statement.exit_root.0),
        statement.deposits_processed,
        B256::from(statement.deposits_digest.0),
        statement.registry_cursor,
        B256::from(statement.next_committee.0),
    )
}
