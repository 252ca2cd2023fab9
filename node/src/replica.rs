//! One masternode without its surroundings: consensus, mempool, execution and finality composed into
//! one state machine. Inputs and the time come in, effects and a deadline go out; no socket, no file,
//! no clock, no entropy. The driver runs it over libp2p and RocksDB, a simulator over neither.
//!
//! Effects are carried out in their order: what must be on disk stands before what leaves the
//! process because of it (V3), and a failed write stops the process.

mod begin;
mod coming_back;
pub mod copies;
mod effects;
mod epochs;
mod finality;
mod heights;
mod held;
pub mod ledger_meta;
mod mempool;
mod observing;
mod outbox;
pub mod posting;
mod progress;
mod provable;
mod recovery;
pub mod reporting;
pub mod restore;
mod status;
mod submitting;
pub mod sync;
mod taking_over;
mod watching;

pub use begin::ReplicaConfig;
pub use effects::{Divergence, Effect, Executed, Input};
pub use finality::SHARE_HEIGHTS_AHEAD_MAX;
pub use held::{HELD_MAX, whole_from};
pub use mempool::{HOLD_ROUNDS, MempoolConfig, STEP_ROUNDS, step};
pub use observing::observations;
pub use provable::{PROVABLE_MAX, Provable};
pub use recovery::{Latest, Reply};
pub use restore::{Lost, Restored, stored_objects};
pub use watching::{Confirmed, KEPT_MAX};

use crate::keys::NodeKeys;
use crate::view::CertifiedView;
use epochs::Edge;
use finality::Finality;
use heights::LastHeight;
use held::Held;
use mempool::Mempool;
use observing::Observing;
use outbox::Outbox;
use progress::Progress;
use provable::Provables;
use recovery::Recovery;
use std::collections::BTreeMap;
use std::sync::Arc;
use sync::Sync;
use weft_consensus::{Core, CoreConfig, OrderedCommit, Proposal};
use weft_ledger::{Ledger, Office, Snapshot};
use weft_types::{
    Committee, FINALITY_SHARES_MAX, Genesis, Height, MemberIndex, Millis, NetworkId, Round, Vertex,
    VertexBody, vertex_transactions_max,
};

/// The state machine.
pub struct Replica {
    genesis: Arc<Genesis>,
    /// The genesis' network by its name, which is a hash.
    network: NetworkId,
    committee: Arc<Committee>,
    keys: Option<NodeKeys>,
    /// `None`: in no committee, or not in this one.
    own: Option<(MemberIndex, NodeKeys)>,
    adjust: Option<fn(&mut CoreConfig)>,
    core: Core,
    core_effects: Vec<weft_consensus::Effect>,
    spare_effects: Vec<weft_consensus::Effect>,
    mempool: Mempool,
    ledger: Ledger,
    finality: Finality,
    /// S1: until it is known what this member has signed.
    recovery: Option<Recovery>,
    /// S1.7: above this round of the epoch nobody but this process signs with this key; `None` while it is not known
    /// what was signed.
    signed_from: Option<Round>,
    /// For simulations: a criminal, which signs twice on purpose.
    twins: bool,
    /// What the guard forbade at the start.
    height_floor: Height,
    /// Own shares for the next own vertex.
    outbox: Outbox,
    last_height: LastHeight,
    /// Snapshots of the heights that wait for their certificate.
    snapshots: BTreeMap<Height, Snapshot>,
    certified: Option<CertifiedView>,
    anchored: Height,
    unordered: bool,
    observing: Observing,
    edge: Edge,
    /// S1: it was started on a disk that has signed before, and has been behind others ever since.
    restarted: bool,
    /// S1.5: when this member has signed last, or was last let to, by its own clock; zero if it never has.
    signed_at: Millis,
    /// S1: why it is not known what was signed, of one that was in no committee when it was started.
    lost: Option<Lost>,
    progress: Progress,
    sync: Sync,
    /// S2: snapshots of certified heights, for others.
    held: Held,
    /// X3: the trees of heights that are to be posted.
    provables: Provables,
    /// S2: the state of a height was taken over, and waits to be stored.
    ended: Option<Height>,
    halted: Option<String>,
}

impl Replica {
    /// Takes one input. What follows from it is appended to `out`.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        if self.is_over() {
            return;
        }
        match input {
            Input::Vertex { vertex, from } => {
                let from = from.filter(|from| self.is_place(*from));
                if let Some(from) = from {
                    self.progress.hear(from, now);
                }
                self.note_own(now, &vertex);
                self.feed(now, weft_consensus::Input::Vertex { vertex, from });
            }
            Input::Asked { by, vertices } if self.is_place(by) => {
                self.feed(now, weft_consensus::Input::Asked { by, vertices });
            }
            Input::Asked { .. } => {}
            Input::FetchEnded(id) => self.feed(now, weft_consensus::Input::FetchEnded(id)),
            Input::HistoryGone { of } => self.sync.history_gone(of),
            Input::Latest { epoch, of, reply } => {
                if epoch == self.committee.epoch() {
                    self.answered(now, of, reply);
                }
            }
            Input::Sync { id, answer } => self.sync.answered(now, id, answer),
            Input::Anchored(height) if height > self.anchored => {
                self.anchored = height;
                out.push(Effect::Anchored(height));
            }
            Input::Anchored(_) => {}
            Input::Deposits(deposits) => self.saw_deposits(deposits, out),
            Input::Queue(entries) => self.saw_queue(entries, out),
            Input::BaseReorganised(reason) => self.halt_bridge(Some(reason), out),
            Input::Ready(ready) => self.heard_ready(ready),
            Input::Later { from } => self.heard_later(now, from, out),
            Input::Closing { from, certificate } => self.saw_closing(now, from, *certificate, out),
            Input::Contradiction(certificate) => self.contradicted(certificate, out),
            Input::Tick => self.feed(now, weft_consensus::Input::Tick),
        }
        if self.halted.is_some() {
            return;
        }
        self.run(now, out);
        self.progress.note(self.core.quorum_round(), now);
        self.ask_latest(now, out);
        self.step_sync(now, out);
        self.tell_ready(now, out);
        self.ask_later(now, out);
        self.seek_closing(now, out);
    }

    /// Whether somebody is in the committee in office. Peers are known by their places in the one that is dialed, which
    /// may be another for a moment.
    fn is_place(&self, member: MemberIndex) -> bool {
        self.committee.member(member).is_some()
    }

    /// When `handle` wants a `Tick` at the latest.
    pub fn next_deadline(&self) -> Option<Millis> {
        if self.is_over() {
            return None;
        }
        let recovery = self.recovery.as_ref().and_then(Recovery::deadline);
        let others = recovery.into_iter().chain(self.sync.deadline());
        let others = others.chain(self.edge_deadline());
        self.core.next_deadline().into_iter().chain(others).min()
    }

    fn feed(&mut self, now: Millis, input: weft_consensus::Input) {
        self.core.handle(now, input, &mut self.core_effects);
    }

    /// Carries out the core's effects until it has no more.
    fn run(&mut self, now: Millis, out: &mut Vec<Effect>) {
        loop {
            while !self.core_effects.is_empty() {
                // Two lists in turn: following one fills the other, and neither is allocated anew.
                let spare = std::mem::take(&mut self.spare_effects);
                let mut effects = std::mem::replace(&mut self.core_effects, spare);
                for effect in effects.drain(..) {
                    self.follow(now, effect, out);
                    if self.halted.is_some() {
                        self.core_effects.clear();
                        return;
                    }
                }
                self.spare_effects = effects;
            }
            if self.open_epoch(now, out) || self.recovered(now, out) {
                continue;
            }
            let unordered = self.has_work(now);
            if unordered == self.unordered {
                return;
            }
            self.unordered = unordered;
            self.feed(now, weft_consensus::Input::Unordered(unordered));
        }
    }

    /// R2: whether anything waits to be ordered or certified.
    fn has_work(&self, now: Millis) -> bool {
        !self.mempool.is_empty()
            || !self.outbox.is_empty()
            || self.ledger.meta().changed
            || self.finality.uncertified() > 0
            || self.has_seen_events()
            || self.has_readies()
            || self.epoch_is_over(now)
    }

    fn follow(&mut self, now: Millis, effect: weft_consensus::Effect, out: &mut Vec<Effect>) {
        use weft_consensus::Effect as Core;
        match effect {
            Core::Propose(proposal) => self.propose(now, proposal, out),
            Core::Accepted(vertex) => {
                self.note_carried(&vertex);
                out.push(Effect::Persist(vertex.clone()));
                for share in vertex.shares() {
                    let outcomes = self.finality.add(vertex.author(), share);
                    self.conclude(outcomes, out);
                }
            }
            // S2: what is not asked for times out, and is asked for again if nothing comes of the snapshot.
            Core::Fetch(_) if self.sync.is_gathering() => {}
            Core::Fetch(request) => out.push(Effect::Fetch(request)),
            Core::Expired(vertex) => self.mempool.reclaim(vertex.round()),
            Core::Relay { to, vertex } => out.push(Effect::Relay { to, vertex }),
            Core::Committed(ordered) => self.execute(ordered, out),
            Core::Equivocation(evidence) => out.push(Effect::Equivocation(evidence)),
            Core::SignedElsewhere(round) => self.signed_elsewhere(now, round),
        }
    }

    /// V1-V3: fills the core's proposal, signs it, and has it stored before it leaves.
    fn propose(&mut self, now: Millis, proposal: Proposal, out: &mut Vec<Effect>) {
        // S1.7: asked for before it was known that nothing may be signed.
        if self.recovery.is_some() {
            return;
        }
        self.signed_at = now;
        let observation = self.observe(proposal.round);
        let Some((author, keys)) = &self.own else {
            return;
        };
        let params = &self.genesis.template.params;
        let payload_max = usize::try_from(params.vertex_payload_bytes_max).unwrap_or(usize::MAX);
        let payload_max = payload_max.min(proposal.payload_bytes_max);
        for offender in self.core.equivocators().iter() {
            self.mempool.distrust(offender);
        }
        let mut body = VertexBody {
            network: self.network,
            epoch: self.committee.epoch(),
            round: proposal.round,
            author: *author,
            timestamp: now.max(proposal.timestamp_floor),
            parents: proposal.parents,
            weak_links: proposal.weak_links,
            transactions: Vec::new(),
            observation,
            offences: proposal.offences,
            shares: self.outbox.take(FINALITY_SHARES_MAX),
        };
        // V9: what is left beside all of this.
        let members = self.committee.size();
        let payload_max = payload_max.min(body.payload_bytes_max(members));
        let count_max = vertex_transactions_max(members);
        let transactions = match self.ledger.is_closed(self.committee.epoch()) {
            true => Vec::new(),
            false => self.mempool.take(body.round, now, count_max, payload_max),
        };
        body.transactions = transactions.iter().map(|t| t.encoded().clone()).collect();
        let vertex = Vertex::sign(body, transactions, &keys.vertex);
        // Stored first: a crash in between leaves a vertex that was never sent, and can be shown. The
        // other way round the round would be forbidden with nothing to show for it.
        out.push(Effect::PersistOwn(vertex.clone()));
        out.push(Effect::GuardVertex {
            epoch: self.committee.epoch(),
            round: vertex.round(),
            digest: vertex.digest(),
        });
        out.push(Effect::Broadcast(vertex.clone()));
        self.feed(now, weft_consensus::Input::Proposed(vertex));
    }

    /// O3, F1: applies a commit, and closes a height when it is time.
    fn execute(&mut self, ordered: OrderedCommit, out: &mut Vec<Effect>) {
        // E2: what is ordered after the closing commit is nobody's to execute.
        if self.is_closed() {
            return;
        }
        let OrderedCommit {
            commit,
            digest,
            vertices,
        } = ordered;
        if let Some((own, _)) = &self.own {
            for vertex in vertices.iter().filter(|v| v.author() == *own) {
                self.mempool.ordered(vertex.round());
            }
        }
        let all = vertices.iter().flat_map(|v| v.transactions());
        let transactions: Vec<_> = all.flatten().cloned().collect();
        let observed = observations(&self.committee, &vertices);
        let office = Office {
            network: self.network,
            committee: &self.committee,
            genesis: self.genesis.template.timestamp_ms,
            contracts: self.genesis.contracts(),
            ordered: &commit.vertices,
        };
        let mut applied = self.ledger.apply_observing(
            commit.index,
            commit.timestamp,
            (&observed, &office),
            &transactions,
        );
        if !observed.is_empty() {
            self.observing.applied(&self.ledger);
        }
        self.note_outcomes(&applied);
        let statement = self.close_height(&commit, digest, &mut applied.changes);
        if let Some(recovery) = &mut self.recovery {
            recovery.committed(commit.leader.round);
        }
        out.push(Effect::Executed(Box::new(Executed {
            commit,
            digest,
            transactions,
            applied,
            meta: self.ledger.meta(),
            statement: statement.as_ref().map(|(s, _)| Arc::new(s.clone())),
            view: self.view(),
        })));
        if let Some((statement, due)) = statement {
            if due {
                self.held.due(statement.height);
            }
            self.snapshots
                .insert(statement.height, self.ledger.snapshot());
            self.sign_statement(statement, due, out);
            self.adopt_closing(out);
        }
    }
}
