//! B1: what this member says of the base chain's vault. Its driver brings the deposits that lie deep enough;
//! what follows from them is decided here, from them and from how far the ledger has come.

use super::{Effect, Replica};
use std::collections::VecDeque;
use weft_ledger::Observed;
use weft_types::{
    Bridge, DEPOSITS_MAX, Deposit, FeedReport, Observation, Root, Round, Verified, Vertex,
};

/// Rounds for which one member alone brings the deposits that are agreed; then it is the next one's turn.
const TURN_ROUNDS: u64 = 8;
/// Rounds after which a report is made again that nobody has ordered.
const REPEAT_ROUNDS: u64 = 60;
/// Most deposits that are kept ahead of the ledger, 120 bytes each.
pub const KEPT_MAX: usize = 4_096;

/// A deposit that lies deep enough, in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// From 1.
    pub index: u64,
    pub deposit: Deposit,
    /// The running digest up to it, as the vault has it.
    pub digest: Root,
    /// The base chain's block that it is in.
    pub block: u64,
}

/// What is known of the vault beyond what the ledger has credited.
#[derive(Debug, Default)]
pub(super) struct Observing {
    confirmed: VecDeque<Confirmed>,
    /// B1: what this member has to report, while it has not been credited.
    next: Option<FeedReport>,
    reported: Option<(FeedReport, Round)>,
    /// Why this member says nothing of the base chain any more.
    halted: Option<String>,
}

impl Observing {
    /// Takes up what follows without a gap; the rest has to come again.
    pub fn confirm(&mut self, deposits: Vec<Confirmed>, bridge: &Bridge) {
        self.credited(bridge);
        for confirmed in deposits {
            let next = self.confirmed.back().map_or(bridge.processed, |c| c.index) + 1;
            if confirmed.index == next && self.confirmed.len() < KEPT_MAX {
                self.confirmed.push_back(confirmed);
            }
        }
        self.next = self.next_report(bridge);
        if self.contradicts(bridge) {
            let processed = bridge.processed;
            self.halt(format!(
                "the base chain's deposits do not follow from the {processed} that are credited: it has \
                 lost blocks that were confirmed"
            ));
        }
    }

    /// B1: the base chain has taken back what it had confirmed. What else the node does goes on.
    pub fn halt(&mut self, reason: String) {
        self.halted.get_or_insert(reason);
        self.confirmed.clear();
        self.next = None;
    }

    pub fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// Forgets what the ledger has credited.
    pub fn credited(&mut self, bridge: &Bridge) {
        while self
            .confirmed
            .front()
            .is_some_and(|c| c.index <= bridge.processed)
        {
            self.confirmed.pop_front();
        }
        self.next = self.next_report(bridge);
    }

    /// B1: the next report, which is the same for all who see the same chain: all deposits up to the end of the block
    /// of the first one that is not credited. `None` when there is none, or when it does not follow from what is
    /// credited: then the chain has lost what it had confirmed.
    fn next_report(&self, bridge: &Bridge) -> Option<FeedReport> {
        let block = self.confirmed.front()?.block;
        let mut report = None;
        let mut digest = bridge.digest;
        for confirmed in self.confirmed.iter().take(DEPOSITS_MAX as usize) {
            digest = confirmed.deposit.extend(&digest, confirmed.index);
            if confirmed.block > block || digest != confirmed.digest {
                break;
            }
            report = Some(FeedReport {
                count: confirmed.index,
                digest,
            });
        }
        report
    }

    /// The first deposit that is not credited does not follow from those that are.
    fn contradicts(&self, bridge: &Bridge) -> bool {
        self.confirmed
            .front()
            .is_some_and(|c| c.deposit.extend(&bridge.digest, c.index) != c.digest)
    }

    /// Whether something is to be said.
    fn has_work(&self, own: u64, bridge: &Bridge) -> bool {
        self.next.is_some_and(|next| {
            let said = bridge
                .reports
                .iter()
                .any(|(id, r)| *id == own && *r == next);
            !said || bridge.agreed.is_some()
        })
    }

    /// What the vertex of a round says; `turn` is whether this member brings what is agreed.
    fn observe(&mut self, round: Round, turn: bool, own: u64, bridge: &Bridge) -> Observation {
        let report = self.next.filter(|next| {
            let ordered = bridge.reports.iter().any(|(id, r)| *id == own && r == next);
            let again = |(r, at): (FeedReport, Round)| {
                r != *next || round.0 >= at.0.saturating_add(REPEAT_ROUNDS)
            };
            !ordered && self.reported.is_none_or(again)
        });
        if let Some(report) = report {
            self.reported = Some((report, round));
        }
        let agreed = bridge.agreed.filter(|_| turn);
        let deposits = agreed.map_or_else(Vec::new, |agreed| self.up_to(agreed.count));
        Observation {
            report,
            deposits: if bridge.reaches_agreed(&deposits) {
                deposits
            } else {
                Vec::new()
            },
        }
    }

    fn up_to(&self, count: u64) -> Vec<Deposit> {
        let wanted = self.confirmed.iter().take_while(|c| c.index <= count);
        wanted.map(|c| c.deposit).collect()
    }
}

impl Replica {
    /// B1: deposits that lie deep enough on the base chain, or why there will be none any more.
    pub(super) fn observed(
        &mut self,
        deposits: Result<Vec<Confirmed>, String>,
        out: &mut Vec<Effect>,
    ) {
        let before = self.observing.halted.is_some();
        match deposits {
            Ok(deposits) if !before => self.observing.confirm(deposits, &self.ledger.bridge()),
            Ok(_) => {}
            Err(reason) => self.observing.halt(reason),
        }
        if let Some(reason) = self.observing.halted().filter(|_| !before) {
            out.push(Effect::BridgeHalted(reason.to_owned()));
        }
    }

    /// B1: what the vertices of a commit say of the base chain.
    pub(super) fn observations<'a>(&self, vertices: &'a [Verified<Vertex>]) -> Vec<Observed<'a>> {
        let said = vertices.iter().filter_map(|vertex| {
            let Observation { report, deposits } = vertex.observation();
            if report.is_none() && deposits.is_empty() {
                return None;
            }
            let member = self.committee.member(vertex.author())?.id;
            Some(Observed {
                member,
                report: *report,
                deposits,
            })
        });
        said.collect()
    }

    /// B1: what the own vertex of a round says of the base chain.
    pub(super) fn observe(&mut self, round: Round) -> Observation {
        let own = self.own.as_ref().map(|(own, _)| *own);
        let member = own.and_then(|own| self.committee.member(own));
        let (Some(own), Some(member)) = (own, member) else {
            return Observation::default();
        };
        let bridge = self.ledger.bridge();
        let members = self.committee.size() as u64;
        let turn = (round.0 / TURN_ROUNDS + bridge.processed) % members;
        let turn = turn == u64::from(own.0);
        self.observing.observe(round, turn, member.id, &bridge)
    }

    /// R2, B1: whether this member has something to say of the base chain, or waits for what it has said to be
    /// credited.
    pub(super) fn has_seen_deposits(&self) -> bool {
        let own = self
            .own
            .as_ref()
            .and_then(|(own, _)| self.committee.member(*own));
        own.is_some_and(|own| self.observing.has_work(own.id, &self.ledger.bridge()))
    }
}

#[cfg(test)]
mod tests;
