//! The replica's thread: takes commands one after the other, lets the replica handle them, and carries
//! out its effects in their order. It is the only writer of database and guard, but for what is
//! known of checkpoints, and what is deleted because it is old. A failed write ends
//! it, and with it the node: nothing may leave that is not on disk.

use super::DriverError;
use super::clock::Clock;
use super::conflicts::Conflict;
use super::epochs;
use super::feeds::Halt;
use super::fetch::{ask_closing, ask_latest, fetch, tell_ready};
use super::guard::Guard;
use super::inbound::{CERTIFICATE_FRAME, VERTEX_FRAME, Verifier};
use super::links::Links;
use super::restore::LEDGER_META;
use super::sync::ask_sync;
use super::take_over::store_aside;
use crate::api::Submit;
use crate::events::EventLog;
use crate::index::{self, Indexed};
use crate::metrics::{CheckpointResult, Metrics};
use crate::replica::copies::ProcessId;
use crate::replica::posting::{Due, Unposted};
use crate::replica::sync::Synced;
use crate::replica::{Divergence, Effect, Executed, Input, Replica, ledger_meta, stored_objects};
use crate::sealed;
use crate::tracker::Tracker;
use crate::view::View;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use weft_network::FrameKind;
use weft_storage::{CommitBatch, Durability, GuardFloor, Store};
use weft_types::{Certificate, Committee, Genesis, Height, NetworkId, Verified, Vertex};

/// Commands that wait for the replica's thread.
pub const COMMANDS_MAX: usize = 1024;
/// Bytes of verified vertices among them. At the bound the verifiers wait, and so does who sends.
pub const COMMANDS_BYTES_MAX: usize = 64 << 20;
/// Commands handled before readers get a new view.
const COMMANDS_AT_ONCE: usize = 64;

/// What the rest of the node asks of the replica's thread.
#[derive(Debug)]
pub struct Command(pub Input, pub Option<Room>);

/// Room for the bytes of a command, given back once it is handled.
pub type Room = tokio::sync::OwnedSemaphorePermit;

pub type Commands = mpsc::Sender<Command>;

/// What readers look at, fed by the engine.
#[derive(Clone)]
pub struct Readers {
    pub views: watch::Sender<Arc<View>>,
    pub tracker: Arc<Tracker>,
    pub events: Arc<EventLog>,
    pub metrics: Arc<Metrics>,
    /// B2: what is to be posted to the base chain.
    pub unposted: watch::Sender<Unposted>,
    /// BC21: two statements for one height, to be shown to the contracts.
    pub conflict: watch::Sender<Option<Arc<Conflict>>>,
    /// F4, W1: what has stopped this node from following, if something has.
    pub diverged: watch::Sender<Option<Divergence>>,
}

pub struct Engine {
    pub replica: Replica,
    pub store: Arc<Store>,
    /// `None` for an observer, who signs nothing.
    pub guard: Option<Guard>,
    /// S1: whether others may be shown the latest own vertex of the store.
    pub knows_signed: Arc<AtomicBool>,
    /// S1.9: what this process is told apart by from another one with its key.
    pub process: ProcessId,
    /// S1: what the log has last said of it.
    pub recovering: Option<String>,
    /// Whether the log has last said that rounds do not end.
    pub stalled: bool,
    /// B1: to tell when it is over.
    pub halt: Arc<Halt>,
    pub network: Links,
    /// E2: the committee in office, for all that depends on it.
    pub committees: watch::Sender<Arc<Committee>>,
    pub verifier: Verifier,
    pub commands: Commands,
    pub readers: Readers,
    pub clock: Clock,
    /// Where fetches run, off this thread.
    pub runtime: tokio::runtime::Handle,
    /// How long the replica took for the newest input.
    pub handling: Duration,
    /// S2: where a state is written that is taken over, and what it is checked with.
    pub data: PathBuf,
    pub network_id: NetworkId,
    pub genesis: Arc<Genesis>,
    pub gc_depth: u64,
    /// S2: a state was taken over: this engine is at its end.
    pub taken_over: bool,
}

/// How an engine has ended without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Stopped,
    /// S2: the node is to be started anew, on another database.
    TakenOver,
}

impl Engine {
    /// Carries out the effects of starting, then works until `stop` or a fatal error.
    pub async fn run(
        mut self,
        start: Vec<Effect>,
        mut inbox: mpsc::Receiver<Command>,
        mut submissions: mpsc::Receiver<Submit>,
        stop: CancellationToken,
    ) -> Result<End, DriverError> {
        let mut effects = start;
        self.carry_out(&mut effects)?;
        self.log_waiting();
        self.publish();
        loop {
            let deadline = self.replica.next_deadline().map(|d| self.clock.instant(d));
            let sleep = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = inbox.recv() => match command {
                    Some(Command(input, _room)) => self.handle(input, &mut effects)?,
                    None => break,
                },
                Some(submit) = submissions.recv() => self.submit(submit, &mut effects)?,
                () = sleep => self.handle(Input::Tick, &mut effects)?,
            }
            for _ in 1..COMMANDS_AT_ONCE {
                let Ok(Command(input, _room)) = inbox.try_recv() else {
                    break;
                };
                self.handle(input, &mut effects)?;
            }
            self.log_waiting();
            self.publish();
            if self.taken_over {
                return Ok(End::TakenOver);
            }
        }
        self.store.sync()?;
        Ok(End::Stopped)
    }

    fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) -> Result<(), DriverError> {
        let begun = Instant::now();
        self.replica.handle(self.clock.now(), input, effects);
        self.handling = begun.elapsed();
        self.carry_out(effects)
    }

    fn submit(&mut self, submit: Submit, effects: &mut Vec<Effect>) -> Result<(), DriverError> {
        let now = self.clock.now();
        let Submit {
            transactions,
            copies,
            answer,
        } = submit;
        let results = self.replica.submit(now, transactions, copies, effects);
        // The client may have gone.
        let _ = answer.send(results);
        self.carry_out(effects)
    }

    /// Empties the list. Consecutive vertices of others are written together.
    fn carry_out(&mut self, effects: &mut Vec<Effect>) -> Result<(), DriverError> {
        let mut vertices: Vec<Verified<Vertex>> = Vec::new();
        for effect in effects.drain(..) {
            if let Effect::Persist(vertex) = effect {
                vertices.push(vertex);
                continue;
            }
            self.persist(&mut vertices)?;
            self.carry_out_one(effect)?;
        }
        self.persist(&mut vertices)
    }

    fn persist(&self, vertices: &mut Vec<Verified<Vertex>>) -> Result<(), DriverError> {
        if vertices.is_empty() {
            return Ok(());
        }
        self.store
            .put_vertices(vertices.iter().map(|v| &**v), Durability::Buffered)?;
        self.readers.metrics.vertices(vertices.len() as u64);
        for vertex in vertices.drain(..) {
            self.readers.events.on_vertex(&vertex);
            self.publish_to_observers(VERTEX_FRAME, || vertex.encode());
        }
        Ok(())
    }

    fn carry_out_one(&mut self, effect: Effect) -> Result<(), DriverError> {
        match effect {
            Effect::Persist(_) => {}
            // V3: both are on disk before anything that follows.
            Effect::GuardVertex {
                epoch,
                round,
                digest,
            } => {
                let begun = Instant::now();
                self.guard()?.sign_vertex(epoch, round, digest)?;
                self.readers.metrics.guard_write(begun.elapsed());
            }
            Effect::GuardStatement {
                epoch,
                height,
                digest,
            } => self.guard()?.sign_statement(epoch, height, digest)?,
            Effect::GuardFloor {
                epoch,
                round,
                height,
            } => {
                self.guard()?.raise_floor(GuardFloor {
                    vertex: Some((epoch, round)),
                    height,
                })?;
                tracing::info!(
                    %round,
                    %height,
                    "recovered: this node signs again, above this round and height"
                );
            }
            Effect::PersistOwn(vertex) => {
                self.readers.metrics.vertices(1);
                self.readers.events.on_vertex(&vertex);
                let begun = Instant::now();
                self.store.put_own_vertex(&vertex)?;
                // S1: above everything that was signed before.
                self.knows_signed.store(true, Ordering::SeqCst);
                self.readers.metrics.store_write(begun.elapsed());
            }
            Effect::Broadcast(vertex) => {
                let encoded = vertex.encode();
                self.publish_to_observers(VERTEX_FRAME, || encoded.clone());
                if let Err(error) = self.network.get().broadcast(VERTEX_FRAME, encoded) {
                    tracing::warn!(%error, vertex = %vertex.reference(), "not sent");
                }
            }
            Effect::Relay { to, vertex } => {
                // One that is not queued is fetched by the peer instead.
                let _ = self.network.get().send(to, VERTEX_FRAME, vertex.encode());
            }
            Effect::Fetch(request) => {
                let (network, verifier) = (self.network.get(), self.verifier.clone());
                let (commands, epoch) = (self.commands.clone(), self.replica.epoch());
                self.runtime
                    .spawn(fetch(network, verifier, commands, (epoch, request)));
            }
            Effect::AskLatest { of, asked } => {
                let (network, verifier) = (self.network.clone(), self.verifier.clone());
                let (commands, epoch) = (self.commands.clone(), self.replica.epoch());
                self.runtime.spawn(ask_latest(
                    network,
                    verifier,
                    commands,
                    (epoch, of),
                    (self.process, asked),
                ));
            }
            Effect::AskSync(ask) => {
                let (network, commands) = (self.network.get(), self.commands.clone());
                self.runtime.spawn(ask_sync(network, commands, ask));
            }
            Effect::TakeOver(synced) => self.take_over(&synced)?,
            Effect::SendReady(ready) => {
                let network = self.network.get();
                for peer in network.peers() {
                    let (network, ready) = (network.clone(), ready.clone());
                    self.runtime.spawn(tell_ready(network, peer.member, ready));
                }
            }
            Effect::AskClosing { of, after } => {
                let (network, verifier) = (self.network.get(), self.verifier.clone());
                let epoch = self.replica.epoch();
                self.runtime
                    .spawn(ask_closing(network, verifier, (epoch, of, after)));
            }
            Effect::EpochOpened { committee, by } => self.enter(committee, &by)?,
            Effect::BridgeHalted(reason) => {
                self.halt.begins(&reason)?;
                tracing::error!(
                    "the bridge is halted: {reason}; deposits are credited no more, everything else goes on"
                );
            }
            Effect::Note(note) => tracing::info!("{note}"),
            Effect::Executed(executed) => self.executed(*executed)?,
            Effect::Certified {
                certificate,
                due,
                snapshot,
            } => {
                if let Some(snapshot) = &snapshot {
                    sealed::keep(&self.store, &certificate, snapshot)?;
                }
                self.certified(certificate, &due)?;
            }
            Effect::Anchored(height) => self.anchored(height)?,
            Effect::Equivocation(evidence) => {
                self.readers.metrics.equivocation();
                tracing::error!(
                    member = %evidence.first.author(),
                    first = %evidence.first.reference(),
                    second = %evidence.second.reference(),
                    "a member signed two vertices for one round"
                );
            }
            Effect::Contradiction(certificate) => {
                let kept = Conflict::keep(&self.store, &self.genesis, *certificate)?;
                self.readers.conflict.send_replace(Some(Arc::new(kept)));
            }
            Effect::Diverged(divergence) => {
                let Divergence {
                    height, certified, ..
                } = divergence;
                self.readers.metrics.alarm(height, certified);
                self.readers.diverged.send_replace(Some(divergence));
            }
            Effect::Halt(reason) => tracing::error!(reason, "halted"),
        }
        Ok(())
    }

    /// E2: the store knows the committee before anything is signed in its epoch.
    fn enter(&mut self, committee: Arc<Committee>, by: &Certificate) -> Result<(), DriverError> {
        epochs::remember(&self.store, &committee, by)?;
        // Who leaves can be asked no more: those who still lack the certificate get it now.
        let _ = self.network.get().broadcast(CERTIFICATE_FRAME, by.encode());
        self.verifier.enter(committee.clone());
        tracing::info!(
            epoch = %committee.epoch(),
            members = committee.size(),
            height = %by.statement.height,
            "the next epoch is open"
        );
        self.committees.send_replace(committee);
        self.publish();
        Ok(())
    }

    fn guard(&mut self) -> Result<&mut Guard, DriverError> {
        self.guard.as_mut().ok_or(DriverError::NoGuard)
    }

    /// S2.5: beside the database, which is exchanged when nothing runs any longer.
    fn take_over(&mut self, synced: &Synced) -> Result<(), DriverError> {
        let begun = Instant::now();
        self.publish();
        store_aside(
            &self.data,
            self.network_id,
            self.gc_depth,
            &self.store,
            synced,
        )?;
        self.taken_over = true;
        tracing::info!(
            height = %synced.certificate.statement.height,
            objects = synced.objects.len(),
            receipts = synced.receipts.len(),
            seconds = begun.elapsed().as_secs_f64(),
            "the state is stored; the node starts again on it"
        );
        Ok(())
    }

    /// One atomic batch for the commit; then readers learn of it.
    fn executed(&mut self, executed: Executed) -> Result<(), DriverError> {
        let begun = Instant::now();
        let indexed = Indexed {
            commit: executed.commit.index,
            timestamp: executed.commit.timestamp,
            transactions: &executed.transactions,
            applied: &executed.applied,
            snapshot: &executed.view.snapshot,
        };
        let mut batch = CommitBatch::new(executed.commit.clone());
        batch.objects = stored_objects(&executed.applied.changes);
        for receipt in &executed.applied.receipts {
            batch.push_receipt(receipt.transaction, receipt.encode());
        }
        batch.indexes = index::rows(&indexed, |key| self.store.index(key))?;
        batch.statement = executed.statement.as_deref().cloned();
        batch.put_meta(LEDGER_META, ledger_meta::encode(&executed.meta));
        self.store.write_commit(&batch, Durability::Buffered)?;
        let readers = &self.readers;
        readers.metrics.store_write(begun.elapsed());
        let applied = &executed.applied;
        let failed = applied.receipts.iter().filter(|r| r.failure.is_some());
        let failed = failed.count() as u64;
        readers.metrics.committed(
            applied.receipts.len() as u64 - failed,
            failed,
            self.handling,
        );
        // Readers have the state before they are told of it.
        readers.views.send_replace(Arc::new(executed.view.clone()));
        let ordered = applied.receipts.iter().map(|r| r.transaction);
        readers
            .tracker
            .on_commit(executed.commit.index, executed.commit.timestamp, ordered);
        readers.events.on_commit(&executed.commit, &indexed);
        Ok(())
    }

    fn certified(
        &mut self,
        certificate: Arc<Verified<Certificate>>,
        due: &[Due],
    ) -> Result<(), DriverError> {
        // What clients are told is certified survives power loss.
        self.store
            .put_certificate(&certificate, Durability::Synced)?;
        let readers = &self.readers;
        let statement = &certificate.statement;
        self.publish();
        readers
            .tracker
            .on_certified(statement.height, statement.commit);
        readers.events.on_certified(&certificate);
        self.publish_to_observers(CERTIFICATE_FRAME, || certificate.encode());
        if !due.is_empty() {
            let add = |unposted: &mut Unposted| unposted.add(certificate, due);
            readers.unposted.send_modify(add);
        }
        Ok(())
    }

    fn anchored(&mut self, height: Height) -> Result<(), DriverError> {
        self.publish();
        let readers = &self.readers;
        readers.metrics.checkpoint(CheckpointResult::Anchored);
        if let Some(statement) = self.store.statement(height)? {
            readers.tracker.on_anchored(height, statement.commit);
        }
        Ok(())
    }

    /// Costs nothing while no observer is connected; what is not sent is published by others too.
    fn publish_to_observers(&self, kind: FrameKind, encoded: impl FnOnce() -> Bytes) {
        let network = self.network.get();
        if network.stats().observers > 0 {
            let _ = network.publish(kind, encoded());
        }
    }

    /// Tells the operator what this node waits for, when that has changed: others' answers (S1), a quorum.
    fn log_waiting(&mut self) {
        let recovering = self.replica.recovering();
        if recovering != self.recovering {
            if let Some(recovering) = &recovering {
                tracing::warn!("{recovering}");
            }
            // S1.2: also where that was found out only now.
            if !self.replica.knows_signed() {
                self.knows_signed.store(false, Ordering::SeqCst);
            }
            self.recovering = recovering;
        }
        let stalled = self.replica.stalled();
        if stalled.is_some() != self.stalled {
            self.stalled = stalled.is_some();
            match stalled {
                Some(why) => tracing::warn!("{why}"),
                None => tracing::info!("rounds end again"),
            }
        }
    }

    fn publish(&self) {
        let readers = &self.readers;
        readers.metrics.mempool_bytes(self.replica.mempool_bytes());
        readers.views.send_replace(Arc::new(self.replica.view()));
    }
}
