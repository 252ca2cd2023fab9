//! What a replica tells of itself.

use super::Replica;
use crate::view::View;
use weft_types::{Height, Millis};

/// B2: whether a height is the first of all, or of its checkpoint interval. Known from heights and
/// timestamps alone, so that every member and every restart agrees.
pub fn due_for_posting(
    height: Height,
    previous: Millis,
    timestamp: Millis,
    interval: Millis,
) -> bool {
    height == Height(1) || timestamp.0 / interval.0 > previous.0 / interval.0
}

impl Replica {
    /// One consistent picture for readers.
    pub fn view(&self) -> View {
        View {
            epoch: self.committee.epoch(),
            round: self.core.status().own_round,
            commit: self.ledger.meta().index,
            timestamp: self.ledger.meta().timestamp,
            snapshot: self.ledger.snapshot(),
            height: self.last_height.height,
            state_root: self.last_height.state_root,
            certified: self.certified.clone(),
            anchored: self.anchored,
            own: self.own.as_ref().map(|(index, _)| *index),
            not_voting: self.not_voting(),
            not_accepting: self.not_accepting(),
        }
    }

    /// Why this node signs nothing at the moment.
    pub fn not_voting(&self) -> Option<String> {
        if let Some(reason) = &self.halted {
            return Some(format!("halted: {reason}"));
        }
        if self.own.is_none() {
            return Some("this node is an observer: its key is in no committee".to_owned());
        }
        let behind = self.core.status().behind?;
        Some(format!("catching up: others are at round {behind}"))
    }

    /// Why no transactions are taken at the moment: this node would keep them waiting longer than
    /// another one, or F4.
    pub fn not_accepting(&self) -> Option<String> {
        let not_voting = self.not_voting();
        if not_voting.is_some() {
            return not_voting;
        }
        // A node that has just come back does not know yet how far the others are.
        let committee = &self.committee;
        if !committee.is_quorum(&self.heard) {
            return Some(format!(
                "since it started, this node has heard from members with {} of {} stake, itself \
                 included, and a quorum is {}",
                committee.stake_of(&self.heard),
                committee.total(),
                committee.quorum()
            ));
        }
        let open = self.finality.uncertified();
        let limit = self.genesis.template.params.uncertified_heights_max;
        (open > limit).then(|| format!("{open} heights wait for a certificate, more than {limit}"))
    }

    /// Newest certified height.
    pub fn certified_height(&self) -> Height {
        self.finality.certified()
    }

    /// Encoded bytes in the mempool.
    pub fn mempool_bytes(&self) -> usize {
        self.mempool.bytes()
    }

    /// The consensus, for status and metrics.
    pub fn core(&self) -> &weft_consensus::Core {
        &self.core
    }
}
