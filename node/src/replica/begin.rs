//! A replica that goes on where a disk stood.

use super::Replica;
use super::effects::{Effect, Input};
use super::epochs::Edge;
use super::finality::Finality;
use super::heights::{LastHeight, due_for_posting};
use super::held::Held;
use super::mempool::{Mempool, MempoolConfig};
use super::observing::Observing;
use super::outbox::Outbox;
use super::progress::Progress;
use super::provable::Provables;
use super::recovery::{Recovery, Watch};
use super::restore::Restored;
use super::sync::{self, Sync, SyncConfig};
use crate::keys::NodeKeys;
use crate::view::CertifiedView;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_consensus::{Core, CoreConfig};
use weft_ledger::Snapshot;
use weft_types::{
    Certificate, CommitIndex, Committee, Epoch, Genesis, Height, MemberIndex, Millis, Network,
    Offenders, ProtocolParams, Round, Statement, Verified,
};

/// What a replica is made of.
pub struct ReplicaConfig {
    pub genesis: Arc<Genesis>,
    pub committee: Arc<Committee>,
    /// Without them, and while they are of no member, it follows as an observer.
    pub keys: Option<NodeKeys>,
    /// S2.1: committees of earlier epochs, as far as they are known.
    pub earlier: Vec<Arc<Committee>>,
    pub mempool: MempoolConfig,
    /// For simulations: changes the core's timing and limits, which are a node's own affair.
    pub adjust: Option<fn(&mut CoreConfig)>,
    pub sync: SyncConfig,
}

impl Replica {
    /// A replica that goes on where `restored` stands. Effects of starting are in `out`.
    pub fn new(
        config: ReplicaConfig,
        restored: Restored,
        now: Millis,
        out: &mut Vec<Effect>,
    ) -> Self {
        let params = &config.genesis.template.params;
        let own = own(&config.committee, config.keys.as_ref());
        let own_index = own.as_ref().map(|(index, _)| *index);
        let certificate = restored.certificate.as_ref();
        let certified_height = certificate.map_or(Height::ZERO, |c| c.statement.height);
        let snapshot = restored.ledger.snapshot();
        let last_height = last_height(&config.genesis, &restored.statements, &snapshot);
        let network = &config.genesis.network;
        let mut finality = finality(network, &config.committee, own.as_ref(), certified_height);
        if restored.lost.is_none() {
            finality.sign_above(restored.height_floor);
        }
        let recovery = recovery(&config.committee, own_index, &restored, now);
        let terms = sync::Terms {
            network: config.genesis.network,
            params: params.clone(),
            in_office: config.committee.clone(),
            committees: committees(config.earlier, &config.committee),
            after: [(
                config.committee.epoch(),
                after(&config.committee, &restored),
            )]
            .into(),
            followed: Vec::new(),
            unchecked: config.sync.unchecked,
        };
        let restarted = recovery.is_some() || restored.has_signed;
        let lost = restored.lost.filter(|_| own_index.is_none());
        let signed_from = signed_from(&restored);
        let mut recovered = restored.core;
        if recovery.is_some() {
            recovered.signed = None;
        }
        let mut replica = Self {
            core: Core::new(
                core_config(
                    network,
                    params,
                    (&config.committee, own_index),
                    &restored.ledger.offenders(),
                    config.adjust,
                ),
                recovered,
                now,
            ),
            core_effects: Vec::new(),
            spare_effects: Vec::new(),
            mempool: Mempool::new(config.mempool),
            ledger: restored.ledger,
            finality,
            recovery,
            signed_from,
            twins: false,
            height_floor: restored.height_floor,
            outbox: Outbox::default(),
            last_height,
            snapshots: BTreeMap::new(),
            certified: certified_view(restored.certificate, snapshot),
            anchored: restored.anchored,
            unordered: false,
            observing: Observing::default(),
            edge: Edge::default(),
            restarted,
            signed_at: restored.signed_at,
            lost,
            adjust: config.adjust,
            progress: Progress::new(&config.committee, own_index, now),
            sync: Sync::new(config.sync, terms, own_index, now),
            held: Held::new(
                config.sync.snapshot_interval,
                params,
                certified_height,
                restored.whole_from,
            ),
            provables: Provables::default(),
            ended: None,
            halted: None,
            network: network.id(),
            committee: config.committee,
            keys: config.keys,
            own,
            genesis: config.genesis,
        };
        replica.sign_again(restored.statements, certified_height, out);
        for (author, share) in restored.shares {
            let outcomes = replica.finality.add(author, &share);
            replica.conclude(outcomes, out);
        }
        replica.handle(now, Input::Tick, out);
        replica
    }

    /// F2: heights that were open when the node went down.
    fn sign_again(&mut self, statements: Vec<Statement>, certified: Height, out: &mut Vec<Effect>) {
        let interval = self.genesis.template.params.checkpoint_interval_ms;
        let mut previous = self.genesis.template.timestamp_ms;
        for statement in statements {
            let due = due_for_posting(statement.height, previous, statement.timestamp, interval)
                || !statement.next_committee.is_zero();
            previous = statement.timestamp;
            if statement.height > certified {
                self.sign_statement(statement, due, out);
            }
        }
    }
}

/// C1: the member of a committee that these keys are, if they are one's.
pub(super) fn own(
    committee: &Committee,
    keys: Option<&NodeKeys>,
) -> Option<(MemberIndex, NodeKeys)> {
    let keys = keys?;
    let index = committee.index_of(&keys.vertex.public())?;
    Some((index, keys.clone()))
}

/// The last commit of the epoch before the one that a disk stands in.
fn after(committee: &Committee, restored: &Restored) -> CommitIndex {
    let roster = restored.ledger.roster();
    roster.map_or(CommitIndex::ZERO, |r| match r.epoch == committee.epoch() {
        true => r.after,
        false => restored.ledger.meta().index,
    })
}

fn committees(
    earlier: Vec<Arc<Committee>>,
    newest: &Arc<Committee>,
) -> BTreeMap<Epoch, Arc<Committee>> {
    let all = earlier.into_iter().chain([newest.clone()]);
    all.map(|committee| (committee.epoch(), committee))
        .collect()
}

pub(super) fn core_config(
    network: &Network,
    params: &ProtocolParams,
    (committee, own): (&Arc<Committee>, Option<MemberIndex>),
    offenders: &Offenders,
    adjust: Option<fn(&mut CoreConfig)>,
) -> CoreConfig {
    let mut core = CoreConfig::new(network.id(), committee.clone(), own, params);
    core.convicted = offenders.carried_into(committee);
    if let Some(adjust) = adjust {
        adjust(&mut core);
    }
    core
}

pub(super) fn finality(
    network: &Network,
    committee: &Arc<Committee>,
    own: Option<&(MemberIndex, NodeKeys)>,
    certified: Height,
) -> Finality {
    let signer = own.map(|(index, keys)| (*index, keys.finality.clone()));
    Finality::new(*network, committee.clone(), signer, certified)
}

fn last_height(genesis: &Genesis, statements: &[Statement], snapshot: &Snapshot) -> LastHeight {
    statements.last().map_or(
        LastHeight {
            height: Height::ZERO,
            timestamp: genesis.template.timestamp_ms,
            state_root: snapshot.root(),
        },
        |statement| LastHeight {
            height: statement.height,
            timestamp: statement.timestamp,
            state_root: statement.state_root,
        },
    )
}

/// The store holds the state after the newest commit. It proves the certified height only when nothing
/// has changed since.
fn certified_view(
    certificate: Option<Arc<Verified<Certificate>>>,
    snapshot: Snapshot,
) -> Option<CertifiedView> {
    let certificate = certificate.filter(|c| snapshot.root() == c.statement.state_root)?;
    Some(CertifiedView {
        certificate,
        snapshot,
    })
}

/// S1.7: above which round this process alone signs; `None` while that is not known.
fn signed_from(restored: &Restored) -> Option<Round> {
    let signed = restored.core.signed.filter(|_| restored.lost.is_none())?;
    let own = restored.core.own.as_ref();
    Some(own.map_or(signed, |own| own.round().max(signed)))
}

/// S1: what has to be asked before anything is signed; `None` for what has never signed.
fn recovery(
    committee: &Arc<Committee>,
    own: Option<MemberIndex>,
    restored: &Restored,
    now: Millis,
) -> Option<Recovery> {
    let (own, committee) = (own?, committee.clone());
    if let Some(lost) = restored.lost {
        let leader = restored.core.last.leader.map(|l| l.round);
        return Some(Recovery::lost(
            committee,
            own,
            lost,
            leader,
            Watch::from(now),
        ));
    }
    let signed = restored.core.signed.unwrap_or(Round::ZERO);
    let signed_at = restored.signed_at;
    // Also if that was in an epoch before: another process may be further.
    (restored.has_signed || signed_at > Millis::ZERO)
        .then(|| Recovery::restart(committee, own, (signed, signed_at), now))
}
