//! B2: the newest certificate that is due gets onto the base chain, by whoever's turn it is; every
//! member watches, so that a silent one is replaced. While nothing is due and everything posted is
//! final, the base chain is not asked at all.

use super::clock::Clock;
use super::engine::{Command, Commands};
use crate::config::NodeConfig;
use crate::events::EventLog;
use crate::keys::{KeyError, read_secret};
use crate::metrics::{CheckpointResult, Metrics};
use crate::replica::Input;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_basechain::{
    AccountKey, At, BaseChain, ClientError, Contracts, Endpoint, SubmitOutcome, SubmitterSchedule,
};
use weft_storage::{Durability, Store};
use weft_types::{Certificate, Genesis, Height, MemberIndex, Millis, Verified};

/// How long one member has for posting before it is the next one's turn.
const TURN: Millis = Millis(3_000);
/// A checkpoint this late raises the alarm.
const DEADLINE: Millis = Millis(30_000);
/// Between two looks at the base chain while something is to be posted or to become final.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after the base chain did not answer.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Longest wait for the base chain at the start.
const START_TIME_MAX: Duration = Duration::from_secs(5);

type Due = Option<Arc<Verified<Certificate>>>;

/// The task that posts and watches checkpoints.
pub struct Checkpoints {
    pub rpc: String,
    pub contracts: Contracts,
    /// Pays for posting; without it this node only watches.
    pub key: Option<AccountKey>,
    pub own: Option<MemberIndex>,
    pub schedule: SubmitterSchedule,
    pub commands: Commands,
    pub store: Arc<Store>,
    pub events: Arc<EventLog>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
}

/// What has been seen on the base chain.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    posted: Height,
    anchored: Height,
    alarmed: Height,
}

/// The account that pays, from its key file.
pub fn base_key(config: &NodeConfig) -> Result<Option<AccountKey>, KeyError> {
    let Some(path) = &config.base_key else {
        return Ok(None);
    };
    let secret = read_secret(path)?;
    let key = AccountKey::from_bytes(&secret).map_err(|_| KeyError::Invalid {
        path: path.clone(),
        kind: "secp256k1",
    })?;
    Ok(Some(key))
}

/// C1: compares the genesis with the registry, if the base chain answers. A node whose genesis names
/// other members, or another chain, would vote in a committee that nobody bonded for.
pub async fn compare_with_registry(rpc: &str, genesis: &Genesis) -> Result<(), Mismatch> {
    let contracts = contracts(genesis);
    let read = async {
        let endpoint = Endpoint::connect(rpc).await?;
        let chain_id = endpoint.chain_id();
        if chain_id != genesis.network.chain_id {
            return Ok((chain_id, None));
        }
        let chain = BaseChain::new(endpoint, contracts).await?;
        let committee = chain.genesis_committee().await?;
        Ok::<_, ClientError>((chain_id, Some(committee)))
    };
    match tokio::time::timeout(START_TIME_MAX, read).await {
        Ok(Ok((found, None))) => Err(Mismatch::Chain {
            expected: genesis.network.chain_id,
            found,
        }),
        Ok(Ok((_, Some(committee)))) if committee.members() == genesis.committee => Ok(()),
        Ok(Ok((_, Some(_)))) => Err(Mismatch::Committee),
        Ok(Err(error)) => {
            tracing::warn!(%error, "base chain: the genesis was not compared with the registry");
            Ok(())
        }
        Err(_) => {
            tracing::warn!("base chain is slow: the genesis was not compared with the registry");
            Ok(())
        }
    }
}

/// The genesis and the base chain speak of different networks.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    #[error(
        "the base chain at base_rpc has id {found}, the genesis names {expected}: one of them is of another network"
    )]
    Chain { expected: u64, found: u64 },
    #[error(
        "the registry's genesis committee is not the one in the genesis: get the genesis again from somebody you trust"
    )]
    Committee,
}

/// The contracts that a genesis names.
pub fn contracts(genesis: &Genesis) -> Contracts {
    Contracts {
        registry: genesis.registry,
        manager: genesis.network.manager,
    }
}

/// Whose turn it is, and when.
///
/// # Panics
/// Never: a committee has members, and a turn has time.
pub fn schedule(genesis: &Genesis) -> SubmitterSchedule {
    SubmitterSchedule::new(genesis.committee.len(), TURN, DEADLINE)
        .expect("a validated genesis has members")
}

impl Checkpoints {
    pub async fn run(self, mut due: watch::Receiver<Due>, stop: CancellationToken) {
        let mut chain = None;
        let mut seen = Seen::default();
        loop {
            let target = due.borrow_and_update().clone();
            let look = self.look(&mut chain, &target, &mut seen);
            let Some(looked) = stop.run_until_cancelled(look).await else {
                return;
            };
            let pause = match looked {
                Ok(true) => None,
                Ok(false) => Some(LOOK_INTERVAL),
                Err(error) => {
                    tracing::warn!(%error, "base chain");
                    Some(RETRY_PAUSE)
                }
            };
            let sleep = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep => {}
                changed = due.changed() => if changed.is_err() {
                    // The replica is gone; the node is stopping.
                    stop.cancelled().await;
                    return;
                }
            }
        }
    }

    /// One look at the base chain, and a posting if it is this member's turn. Whether everything is
    /// posted and final.
    async fn look(
        &self,
        chain: &mut Option<BaseChain>,
        target: &Due,
        seen: &mut Seen,
    ) -> Result<bool, ClientError> {
        let chain = match chain {
            Some(chain) => chain,
            None => {
                let endpoint = Endpoint::connect(&self.rpc).await?;
                let endpoint = endpoint.with_mined_time_max(Duration::from_millis(TURN.0));
                chain.insert(BaseChain::new(endpoint, self.contracts).await?)
            }
        };
        if let Some(latest) = chain.latest_checkpoint(At::Latest).await?
            && latest.height > seen.posted
        {
            seen.posted = latest.height;
            self.record(latest.height, Some(latest.base_block), None, false);
        }
        if seen.anchored < seen.posted
            && let Some(last) = chain.latest_checkpoint(At::Finalized).await?
            && last.height > seen.anchored
        {
            seen.anchored = last.height;
            self.record(last.height, Some(last.base_block), None, true);
            let anchored = Command(Input::Anchored(last.height));
            let _ = self.commands.send(anchored).await;
        }
        let Some(certificate) = target else {
            return Ok(seen.anchored == seen.posted);
        };
        if certificate.statement.height > seen.posted {
            self.post(chain, certificate, seen).await?;
        }
        Ok(seen.anchored >= certificate.statement.height)
    }

    async fn post(
        &self,
        chain: &BaseChain,
        certificate: &Certificate,
        seen: &mut Seen,
    ) -> Result<(), ClientError> {
        let Some(own) = self.own else {
            return Ok(());
        };
        let (height, since) = (
            certificate.statement.height,
            certificate.statement.timestamp,
        );
        let duty = self.schedule.duty(own, height, since, self.clock.now());
        if duty.alarm && seen.alarmed < height {
            seen.alarmed = height;
            self.metrics.checkpoint(CheckpointResult::Failed);
            tracing::error!(%height, "no member has posted the checkpoint in time");
        }
        let Some(key) = self.key.as_ref().filter(|_| duty.submit) else {
            return Ok(());
        };
        match chain.submit(key, certificate).await? {
            SubmitOutcome::Posted(mined) => {
                self.metrics.checkpoint(CheckpointResult::Posted);
                seen.posted = height;
                let transaction = format!("0x{}", hex::encode(mined.hash));
                self.record(height, Some(mined.block), Some(transaction), false);
                tracing::info!(%height, block = mined.block, gas = mined.gas_used, "checkpoint posted");
            }
            SubmitOutcome::Superseded { latest } => {
                tracing::debug!(%height, %latest, "somebody was faster");
            }
            SubmitOutcome::Refused(refusal) => {
                self.metrics.checkpoint(CheckpointResult::Failed);
                tracing::error!(%height, %refusal, "the contract refuses the checkpoint");
            }
        }
        Ok(())
    }

    /// Keeps what is known of a checkpoint, and tells readers. Its loss costs nothing but the row.
    fn record(
        &self,
        height: Height,
        block: Option<u64>,
        transaction: Option<String>,
        anchored: bool,
    ) {
        let statement = match self.store.statement(height) {
            Ok(Some(statement)) => statement,
            // Posted by others before this node has executed it.
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "checkpoint not recorded");
                return;
            }
        };
        let known = self.store.checkpoint(height).ok().flatten();
        let known = known.and_then(|k| serde_json::from_slice(&k).ok());
        let known: Option<weft_types::api::Checkpoint> = known;
        let checkpoint = weft_types::api::Checkpoint {
            height,
            epoch: statement.epoch,
            commit: statement.commit,
            state_root: statement.state_root,
            base_transaction: transaction.or(known.and_then(|k| k.base_transaction)),
            base_block: block,
            anchored,
        };
        let encoded = serde_json::to_vec(&checkpoint).unwrap_or_default();
        if let Err(error) = self
            .store
            .put_checkpoint(height, &encoded, Durability::Buffered)
        {
            tracing::warn!(%error, "checkpoint not recorded");
        }
        self.events.on_checkpoint(height, anchored);
    }
}
