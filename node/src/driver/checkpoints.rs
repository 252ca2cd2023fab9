//! B2: the task that asks the base chain what [`Posting`] wants to know, and sends what it wants sent. It
//! decides nothing. While a question is under way, what becomes due and the alarm's time are not missed.

use super::asking::{Asking, Decides};
use super::base::Base;
use super::clock::Clock;
use super::conflicts::Judge;
use super::engine::{Command, Commands};
use crate::config::NodeConfig;
use crate::events::EventLog;
use crate::keys::{KeyError, read_secret};
use crate::metrics::{CheckpointResult, Metrics};
use crate::replica::Input as ReplicaInput;
use crate::replica::posting::{self, Effect, Input, Missed, Posting, Seen, Unposted};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_basechain::{
    AccountKey, At, BaseChain, ClientError, Contracts, Endpoint, SubmitOutcome, SubmitterSchedule,
};
use weft_storage::{Durability, Store};
use weft_types::api::MissedCheckpoint;
use weft_types::{
    Certificate, Committee, Epoch, Genesis, Height, MemberIndex, Millis, Verified, ed25519,
};

/// Blocks that are looked back for checkpoints that were not compared.
const COMPARED_BLOCKS_MAX: u64 = 1_000;
/// Longest wait for the base chain at the start.
const START_TIME_MAX: Duration = Duration::from_secs(5);

/// The task that posts and watches checkpoints.
pub struct Checkpoints {
    pub base: Base,
    /// F4: looks at what others have posted.
    pub judge: Judge,
    /// The block up to which that was done; zero before the first look.
    pub compared: AtomicU64,
    /// The newest height of which the log was told that it contradicts.
    pub told: AtomicU64,
    pub vertex_key: Option<ed25519::PublicKey>,
    /// Known to be final before this start.
    pub anchored: Height,
    pub commands: Commands,
    pub store: Arc<Store>,
    pub events: Arc<EventLog>,
    /// What readers are told of it.
    pub missed: watch::Sender<Option<MissedCheckpoint>>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
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
            return Ok::<_, ClientError>((chain_id, None));
        }
        let chain = BaseChain::new(endpoint, contracts).await?;
        let registered = chain.committee_digest(Epoch::ZERO).await?;
        let incomplete = || ClientError::Committee("its genesis is not complete".to_owned());
        Ok((chain_id, Some(registered.ok_or_else(incomplete)?)))
    };
    let committee = Committee::new(Epoch::ZERO, genesis.committee.clone());
    let digest = committee.map(|committee| committee.digest());
    match tokio::time::timeout(START_TIME_MAX, read).await {
        Ok(Ok((found, None))) => Err(Mismatch::Chain {
            expected: genesis.network.chain_id,
            found,
        }),
        Ok(Ok((_, Some(registered)))) if digest == Ok(registered) => Ok(()),
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
        vault: genesis.vault,
    }
}

impl Decides for Posting {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        Posting::handle(self, now, input, out);
    }

    fn next_deadline(&self) -> Option<Millis> {
        Posting::next_deadline(self)
    }

    fn tick() -> Input {
        Input::Tick
    }
}

enum Question {
    Look,
    Submit(Arc<Verified<Certificate>>),
}

impl Checkpoints {
    pub async fn run(
        self,
        mut unposted: watch::Receiver<Unposted>,
        mut in_office: watch::Receiver<Arc<Committee>>,
        stop: CancellationToken,
    ) {
        let pays = self.base.key.is_some();
        let (own, schedule) = self.duties(&in_office.borrow_and_update());
        let posting = Posting::new(own, pays, schedule, self.anchored);
        let mut asking = Asking::new(posting, self.clock);
        let mut input = Input::Due(unposted.borrow_and_update().clone());
        loop {
            for effect in asking.handle(input) {
                match effect {
                    Effect::Look => asking.ask(self.ask(Question::Look)),
                    Effect::Submit(certificate) => {
                        asking.ask(self.ask(Question::Submit(certificate)));
                    }
                    told => self.tell(told).await,
                }
            }
            let missed = asking.part().missed(self.clock.now());
            self.show(missed);
            input = tokio::select! {
                () = stop.cancelled() => return,
                input = asking.next() => input,
                changed = unposted.changed() => {
                    if changed.is_err() {
                        // The replica is gone; the node is stopping.
                        stop.cancelled().await;
                        return;
                    }
                    Input::Due(unposted.borrow_and_update().clone())
                }
                Ok(()) = in_office.changed() => {
                    let (own, schedule) = self.duties(&in_office.borrow_and_update());
                    asking.part().enter(own, schedule);
                    Input::Tick
                }
            };
        }
    }

    /// B2: this node's part in a committee.
    fn duties(&self, committee: &Committee) -> (Option<MemberIndex>, SubmitterSchedule) {
        let own = self.vertex_key.and_then(|key| committee.index_of(&key));
        (own, posting::schedule(committee.size()))
    }

    async fn tell(&self, effect: Effect) {
        match effect {
            Effect::Posted(seen) => {
                // What is above it the base chain has taken back.
                if let Err(error) = self.store.forget_checkpoints_above(seen.height) {
                    tracing::warn!(%error, "checkpoints that are no more were not forgotten");
                }
                self.record(seen, None, false);
            }
            Effect::Anchored(seen) => {
                self.record(seen, None, true);
                let anchored = Command(ReplicaInput::Anchored(seen.height), None);
                let _ = self.commands.send(anchored).await;
            }
            Effect::Alarm(missed) => self.alarm(missed),
            Effect::Look | Effect::Submit(_) => {}
        }
    }

    fn alarm(&self, missed: Missed) {
        let Missed { due, seen, before } = missed;
        if before == 0 {
            self.metrics.checkpoint(CheckpointResult::Failed);
        }
        let late_s = self.clock.now().0.saturating_sub(due.since.0) / 1_000;
        if seen {
            tracing::error!(height = %due.height, late_s, before, "no member has posted the checkpoint in time");
        } else {
            tracing::error!(height = %due.height, late_s, before, "the base chain has not answered since the start: whether the checkpoint is there is not known");
        }
    }

    /// Tells readers what is missed.
    fn show(&self, missed: Option<Missed>) {
        let shown = missed.map(|missed| MissedCheckpoint {
            height: missed.due.height,
            since: missed.due.since,
            base_seen: missed.seen,
        });
        let changed = self.missed.send_if_modified(|before| {
            let changed = *before != shown;
            *before = shown;
            changed
        });
        if changed {
            self.metrics
                .checkpoint_missed(shown.map(|missed| missed.height));
            if shown.is_none() {
                tracing::info!("the base chain has the checkpoints that were late");
            }
        }
    }

    /// Asks once, connecting first if need be; what goes wrong is an answer too.
    async fn ask(&self, question: Question) -> Input {
        let answered = match self.base.chain().await {
            Ok(chain) => match &question {
                Question::Look => self.look(&chain).await,
                Question::Submit(certificate) => self.submit(&chain, certificate).await,
            },
            Err(error) => Err(error),
        };
        answered.unwrap_or_else(|error| {
            tracing::warn!(%error, "base chain");
            Input::Unreachable
        })
    }

    async fn submit(
        &self,
        chain: &BaseChain,
        certificate: &Certificate,
    ) -> Result<Input, ClientError> {
        let Some(key) = &self.base.key else {
            return Ok(Input::Refused);
        };
        let height = certificate.statement.height;
        Ok(match chain.submit(key, certificate).await? {
            SubmitOutcome::Posted(mined) => {
                self.metrics.checkpoint(CheckpointResult::Posted);
                let transaction = format!("0x{}", hex::encode(mined.hash));
                let seen = Seen {
                    height,
                    block: mined.block,
                };
                self.record(seen, Some(transaction), false);
                tracing::info!(%height, block = mined.block, gas = mined.gas_used, "checkpoint posted");
                Input::Posted(seen)
            }
            SubmitOutcome::Superseded { latest } => {
                tracing::debug!(%height, %latest, "somebody was faster");
                Input::Superseded
            }
            SubmitOutcome::Refused(refusal) => {
                self.metrics.checkpoint(CheckpointResult::Failed);
                tracing::error!(%height, %refusal, "the contract refuses the checkpoint");
                Input::Refused
            }
        })
    }

    /// Keeps what is known of a checkpoint, and tells readers. Its loss costs nothing but the row.
    fn record(&self, seen: Seen, transaction: Option<String>, anchored: bool) {
        let height = seen.height;
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
            base_block: Some(seen.block),
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

    /// The newest checkpoint, and the newest final one. A base chain that cannot say what is final, as long
    /// as the contracts themselves are not, anchors nothing, and is posted to all the same.
    async fn look(&self, chain: &BaseChain) -> Result<Input, ClientError> {
        let seen = |latest: Option<weft_basechain::Checkpoint>| {
            latest.map_or_else(Seen::default, |latest| Seen {
                height: latest.height,
                block: latest.base_block,
            })
        };
        let latest = chain.latest_checkpoint(At::Latest).await?;
        if let Some(latest) = &latest {
            self.compare_until(chain, latest.base_block).await?;
        }
        let finalised = match chain.latest_checkpoint(At::Finalized).await {
            Err(error @ (ClientError::Malformed { .. } | ClientError::Answer { .. })) => {
                tracing::debug!(%error, "base chain: nothing is final");
                Seen::default()
            }
            read => seen(read?),
        };
        let posted = seen(latest);
        Ok(Input::Seen { posted, finalised })
    }

    /// F4: whether what was posted is what was executed here, also where a later checkpoint is there already.
    async fn compare_until(&self, chain: &BaseChain, newest: u64) -> Result<(), ClientError> {
        let oldest = newest.saturating_sub(COMPARED_BLOCKS_MAX);
        // The last one once more: another block may be in its place. At the start as far back as ever, and also while the
        // own certificate is looked for.
        let from = match self.judge.lacks_own() {
            Some(_) => oldest,
            None => self.compared.load(Ordering::Relaxed).clamp(oldest, newest),
        };
        let mut until = newest;
        for posted in chain.checkpoints_between(from, newest).await? {
            let checkpoint = &posted.checkpoint;
            let own = self.store.statement(checkpoint.height).unwrap_or_default();
            match own {
                // It is compared once it is executed here.
                None => until = until.min(checkpoint.base_block),
                Some(own) if own.digest() == checkpoint.statement => {
                    if self.judge.lacks_own() == Some(checkpoint.height) {
                        self.show_judge(chain, &posted).await?;
                    }
                }
                Some(_) => self.contradicts(chain, &posted).await?,
            }
        }
        self.compared.store(until, Ordering::Relaxed);
        Ok(())
    }

    async fn contradicts(
        &self,
        chain: &BaseChain,
        posted: &weft_basechain::Posted,
    ) -> Result<(), ClientError> {
        let checkpoint = &posted.checkpoint;
        let height = checkpoint.height;
        if self.told.swap(height.0, Ordering::Relaxed) != height.0 {
            let statement = checkpoint.statement;
            tracing::error!(%height, %statement, "a checkpoint has another statement than this node");
        }
        self.show_judge(chain, posted).await
    }

    /// Hands the certificate of a checkpoint to who compares it with the own statement.
    async fn show_judge(
        &self,
        chain: &BaseChain,
        posted: &weft_basechain::Posted,
    ) -> Result<(), ClientError> {
        if let Some(certificate) = chain.certificate_of(posted).await? {
            let judge = self.judge.clone();
            let looked = tokio::task::spawn_blocking(move || judge.look_at(None, certificate));
            if let Ok(Err(error)) = looked.await {
                tracing::warn!(%error, "a checkpoint was not compared with the own statement");
            }
        }
        Ok(())
    }
}
