//! B1, E2: what this member says of the base chain and of the next epoch. Its driver brings the events that lie deep
//! enough; what follows from them is decided here, from them and from how far the ledger has come.

use super::watching::{Confirmed, Watching};
use super::{Effect, Replica};
use weft_ledger::{Ledger, Observed};
use weft_types::{
    Committee, Deposit, Feed, Observation, QueueEntry, Round, Verified, Vertex, WAITING_MAX,
};

/// Rounds for which one member alone brings what is agreed; then it is the next one's turn.
const TURN_ROUNDS: u64 = 8;

/// What is known of the base chain beyond what the ledger has taken up.
#[derive(Debug, Default)]
pub(super) struct Observing {
    deposits: Watching<Deposit>,
    queue: Watching<QueueEntry>,
    /// Why this member says nothing of the base chain any more.
    halted: Option<String>,
}

impl Observing {
    pub fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// B1: the base chain has taken back what it had confirmed. What else the node does goes on.
    fn halt(&mut self, reason: String) {
        self.halted.get_or_insert(reason);
        self.deposits.clear();
        self.queue.clear();
    }

    fn has_nothing_to_say(&self) -> bool {
        self.deposits.has_nothing_to_say() && self.queue.has_nothing_to_say()
    }

    /// The ledger has applied a commit.
    pub fn applied(&mut self, ledger: &Ledger) {
        self.deposits.taken(&ledger.bridge().deposits, u64::MAX);
        let (queue, room) = queue_of(ledger);
        self.queue.taken(&queue, room);
    }

    pub fn next_epoch(&mut self) {
        self.deposits.next_epoch();
        self.queue.next_epoch();
    }
}

/// How far the ledger has come with the registry's queue, and for how many entries it has room.
fn queue_of(ledger: &Ledger) -> (Feed, u64) {
    match ledger.roster() {
        None => (Feed::new(QueueEntry::digest_start()), WAITING_MAX),
        Some(roster) => {
            let room = WAITING_MAX.saturating_sub(roster.waiting.len() as u64);
            (roster.queue.clone(), room)
        }
    }
}

/// B1, E2: what the vertices of a commit say of the base chain and of the next epoch.
pub fn observations<'a>(
    committee: &Committee,
    vertices: &'a [Verified<Vertex>],
) -> Vec<Observed<'a>> {
    let said = vertices.iter().filter_map(|vertex| {
        let (said, offences) = (vertex.observation(), vertex.offences());
        if *said == Observation::default() && offences.is_empty() {
            return None;
        }
        let member = committee.member(vertex.author())?.id;
        Some(Observed {
            member,
            said,
            offences,
        })
    });
    said.collect()
}

impl Replica {
    /// B1: deposits that lie deep enough on the base chain.
    pub(super) fn saw_deposits(
        &mut self,
        deposits: Vec<Confirmed<Deposit>>,
        out: &mut Vec<Effect>,
    ) {
        if self.observing.halted.is_none() {
            let feed = &self.ledger.bridge().deposits;
            let followed = self.observing.deposits.confirm(deposits, feed, u64::MAX);
            self.halt_bridge(followed.err(), out);
        }
    }

    /// B1, E1: the same of the registry's queue.
    pub(super) fn saw_queue(&mut self, entries: Vec<Confirmed<QueueEntry>>, out: &mut Vec<Effect>) {
        if self.observing.halted.is_none() {
            let (feed, room) = queue_of(&self.ledger);
            let followed = self.observing.queue.confirm(entries, &feed, room);
            self.halt_bridge(followed.err(), out);
        }
    }

    /// B1: nothing is said of the base chain any more, if there is a reason.
    pub(super) fn halt_bridge(&mut self, reason: Option<String>, out: &mut Vec<Effect>) {
        if let Some(reason) = reason.filter(|_| self.observing.halted.is_none()) {
            self.observing.halt(reason.clone());
            self.provables.hold();
            out.push(Effect::BridgeHalted(reason));
        }
    }

    /// What the own vertex of a round says of the base chain and of the next epoch; nothing in an epoch that is closed.
    pub(super) fn observe(&mut self, round: Round) -> Observation {
        let own = self.own.as_ref().map(|(own, _)| *own);
        let member = own.and_then(|own| self.committee.member(own));
        let (Some(own), Some(member)) = (own, member) else {
            return Observation::default();
        };
        if self.is_closed() {
            return Observation::default();
        }
        let members = self.committee.size() as u64;
        let turn = |feed: &Feed| {
            let turn = (round.0 / TURN_ROUNDS + feed.processed) % members;
            turn == u64::from(own.0)
        };
        let deposits = &self.ledger.bridge().deposits;
        let (queue, _) = queue_of(&self.ledger);
        let observing = &mut self.observing;
        let (report, deposits) = observing
            .deposits
            .say(round, turn(deposits), member.id, deposits);
        let (queue_report, entries) = observing.queue.say(round, turn(&queue), member.id, &queue);
        Observation {
            report,
            deposits,
            queue_report,
            entries,
            readies: self.readies(),
        }
    }

    /// R2, B1: whether this member has something to say of the base chain, or waits for what it has said to be
    /// taken up.
    pub(super) fn has_seen_events(&self) -> bool {
        // Asked after each input, and nearly always so.
        if self.observing.has_nothing_to_say() {
            return false;
        }
        let own = self
            .own
            .as_ref()
            .and_then(|(own, _)| self.committee.member(*own));
        let observing = &self.observing;
        own.is_some_and(|own| {
            let deposits = &self.ledger.bridge().deposits;
            observing.deposits.has_work(own.id, deposits)
                || observing.queue.has_work(own.id, &queue_of(&self.ledger).0)
        })
    }
}
