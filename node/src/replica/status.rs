//! What a replica tells of itself.

use super::Replica;
use crate::view::{CertifiedView, View};
use std::sync::Arc;
use weft_consensus::Buffer;
use weft_types::{Height, Round};

fn catching_up(members: Round) -> String {
    format!("catching up: others are at round {members}")
}

impl Replica {
    /// One consistent picture for readers.
    pub fn view(&self) -> View {
        let behind = self.core.behind();
        let not_accepting = self.not_accepting();
        View {
            epoch: self.committee.epoch(),
            round: match self.own {
                Some(_) => self.core.signed_round(),
                None => self.core.quorum_round(),
            },
            commit: self.ledger.meta().index,
            timestamp: self.ledger.meta().timestamp,
            snapshot: self.ledger.snapshot(),
            height: self.last_height.height,
            state_root: self.last_height.state_root,
            certified: self.certified.clone(),
            held: self.held.views(),
            provable: self.provables.shown(),
            bridge_halted: self.observing.halted().map(str::to_owned),
            anchored: self.anchored,
            own: self.own.as_ref().map(|(index, _)| *index),
            not_voting: self.not_voting(behind),
            not_ready: match self.own {
                Some(_) => not_accepting.clone(),
                None => self.not_fresh(behind),
            },
            not_accepting,
        }
    }

    /// Why this node signs nothing at the moment.
    fn not_voting(&self, behind: Option<Round>) -> Option<String> {
        let waits = || {
            let waits = self.taking_over().or_else(|| self.recovering());
            let waits = waits.or(behind.map(catching_up));
            let waits = waits.or_else(|| self.stalled());
            waits.or_else(|| self.asks_after_restart())
        };
        match (self.halted(), &self.own, waits()) {
            (Some(halted), ..) => Some(halted),
            (None, Some(_), waits) => waits,
            (None, None, None) if self.keys.is_some() => {
                let epoch = self.committee.epoch();
                let text = "its keys are of no member of the committee of epoch";
                Some(format!("{text} {epoch}: it follows until they are"))
            }
            (None, None, None) => Some("an observer follows and signs nothing".to_owned()),
            (None, None, Some(why)) => Some(format!("an observer signs nothing; {why}")),
        }
    }

    /// Why no transactions are taken at the moment: this node would keep them waiting longer than
    /// another one, or F4.
    pub fn not_accepting(&self) -> Option<String> {
        if let Some(halted) = self.halted() {
            return Some(halted);
        }
        if self.own.is_none() {
            let text = "this node is an observer and takes no transactions: send them to a member";
            return Some(text.to_owned());
        }
        let waits = self.taking_over().or_else(|| self.recovering());
        if waits.is_some() {
            return waits;
        }
        if let Some(round) = self.core.behind() {
            return Some(catching_up(round));
        }
        if self.is_leaving() {
            let text = "this member leaves the committee with this epoch: send to another";
            return Some(text.to_owned());
        }
        if let Some(why) = self.progress.no_quorum(&self.committee) {
            return Some(why);
        }
        let open = self.finality.uncertified();
        let limit = self.genesis.template.params.uncertified_heights_max;
        (open > limit).then(|| format!("{open} heights wait for a certificate, more than {limit}"))
    }

    /// Why an observer's state may be old.
    fn not_fresh(&self, behind: Option<Round>) -> Option<String> {
        let unheard = || "nothing was heard of the members yet".to_owned();
        let unheard = self.progress.heard_nobody().then(unheard);
        let waits = self.halted().or_else(|| self.taking_over());
        let waits = waits.or(behind.map(catching_up)).or(unheard);
        waits.or_else(|| self.stalled())
    }

    /// S1: how far this member is in finding out what it has signed.
    pub fn recovering(&self) -> Option<String> {
        self.recovery.as_ref().and_then(|r| r.describe())
    }

    /// S1.5: for a moment after a restart.
    fn asks_after_restart(&self) -> Option<String> {
        let text = "restarted: it asks the others whether another process signs with its key";
        self.recovery.is_some().then(|| text.to_owned())
    }

    fn halted(&self) -> Option<String> {
        let reason = self.halted.as_ref()?;
        Some(format!("halted: {reason}"))
    }

    /// Why rounds do not end, if they do not.
    pub fn stalled(&self) -> Option<String> {
        self.progress.stalled(&self.committee)
    }

    /// Newest certified height.
    pub fn certified_height(&self) -> Height {
        self.finality.certified()
    }

    /// Encoded bytes in the mempool.
    pub fn mempool_bytes(&self) -> usize {
        self.mempool.bytes()
    }

    /// Everything here that others can fill, with its bound.
    pub fn buffers(&self) -> Vec<Buffer> {
        let mut buffers = self.core.buffers().to_vec();
        buffers.push(Buffer {
            name: "mempool",
            bytes: self.mempool.bytes(),
            bytes_max: self.mempool.bytes_max(),
        });
        buffers.push(self.finality.buffer());
        buffers.push(self.outbox.buffer());
        buffers
    }

    /// S2: the snapshots that are held for others.
    pub fn held(&self) -> Arc<[CertifiedView]> {
        self.held.views()
    }

    /// The consensus, for status and metrics.
    pub fn core(&self) -> &weft_consensus::Core {
        &self.core
    }
}
