//! E1, E2: who is in office, who comes and goes. The registry on the base chain appends every change to a queue;
//! at the edge of an epoch both sides apply the same part of it by the same arithmetic (`edge.rs`), so that the
//! contract computes just the committee that the old one has signed.

mod edge;
mod outlook;
mod queue;
mod wired;

pub use outlook::{EDGES_AHEAD_MAX, Outlook};
pub use queue::{ENTRIES_MAX, MemberKeys, QueueEntry, READIES_MAX, Ready};
pub use wired::RosterError;

use crate::committee::{Committee, CommitteeError, Member};
use crate::feed::Feed;
use crate::ids::{CommitIndex, Epoch, MemberIndex, Millis, Stake};
use crate::work::FeeShare;

/// Most entries that one edge applies; no more wait in the ledger.
pub const WAITING_MAX: u64 = 256;

/// A member in office, or on its way in or out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its id in the registry.
    pub id: u64,
    /// The weight that is bonded.
    pub target: Stake,
    /// The weight in office: follows the target, bounded at each edge.
    pub effective: Stake,
    /// Its bond is taken: it goes before all others.
    pub slashed: bool,
    pub keys: MemberKeys,
}

/// The ledger's side of the registry, an object of the state: so a snapshot has it, and a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// The epoch of the committee in office.
    pub epoch: Epoch,
    /// When it began, in ledger time.
    pub since: Millis,
    /// The last commit of the epoch before; zero for the first epoch.
    pub after: CommitIndex,
    /// Ascending by id.
    pub seats: Vec<Seat>,
    /// Ids of seats whose weight moves at the next edge, in the order in which they do.
    pub moving: Vec<u64>,
    /// B1: how far the registry's queue is taken up.
    pub queue: Feed,
    /// Entries taken up that no edge has applied. The newest is the `queue.processed`th.
    pub waiting: Vec<QueueEntry>,
    /// E1: how many entries the next committee includes, once it is announced.
    pub announced: Option<u64>,
    /// When that was, in ledger time; zero before.
    pub announced_at: Millis,
    /// E2: ids of members of the next committee that are ready, ascending.
    pub ready: Vec<u64>,
    /// E2: nothing more is applied in this epoch.
    pub closed: bool,
    /// L23: who got what of the last epoch's fees, ascending by id.
    pub shares: Vec<FeeShare>,
}

impl Roster {
    /// The genesis committee in office.
    pub fn genesis(committee: &Committee, since: Millis) -> Self {
        let seat = |member: &Member| Seat {
            id: member.id,
            target: member.stake,
            effective: member.stake,
            slashed: false,
            keys: MemberKeys::of(member),
        };
        Self {
            epoch: committee.epoch(),
            since,
            after: CommitIndex::ZERO,
            seats: committee.members().iter().map(seat).collect(),
            moving: Vec::new(),
            queue: Feed::new(QueueEntry::digest_start()),
            waiting: Vec::new(),
            announced: None,
            announced_at: Millis::ZERO,
            ready: Vec::new(),
            closed: false,
            shares: Vec::new(),
        }
    }

    /// Entries that the committee in office includes.
    pub fn applied(&self) -> u64 {
        self.queue.processed - self.waiting.len() as u64
    }

    /// E1: what statements name: the entries in the next committee once it is announced, else in the one in office.
    pub fn cursor(&self) -> u64 {
        self.announced.unwrap_or_else(|| self.applied())
    }

    /// The committee in office.
    ///
    /// # Errors
    /// Never for a roster that this program has made.
    pub fn committee(&self) -> Result<Committee, CommitteeError> {
        committee_of(self.epoch, &self.seats)
    }

    /// E1: the next committee, if it is announced.
    pub fn next_committee(&self) -> Option<Committee> {
        self.announced?;
        let next = self.after_edge();
        next.committee().ok()
    }

    /// E1: the next committee takes in all entries that wait. `None` if that makes no committee, which the registry
    /// does not let happen: then the old one stays. Who was ready for another committee is not for this one.
    pub fn announce(&mut self, now: Millis) -> Option<Committee> {
        let before = (self.announced, self.announced_at);
        (self.announced, self.announced_at) = (Some(self.queue.processed), now);
        let next = self.next_committee();
        match &next {
            Some(_) => self.ready.clear(),
            None => (self.announced, self.announced_at) = before,
        }
        next
    }

    /// E1, E2: whether the next committee is to be announced, for the first time, or anew because the announced one
    /// has had its time to get ready and entries wait that it lacks.
    pub fn is_announcement_due(&self, now: Millis, duration: Millis) -> bool {
        match self.announced {
            None => now >= self.since.saturating_add(duration.0),
            Some(cursor) => {
                cursor < self.queue.processed && now >= self.announced_at.saturating_add(duration.0)
            }
        }
    }

    /// E2: whether members of the next committee with a quorum of its stake are ready.
    pub fn is_ready(&self, next: &Committee) -> bool {
        let index = |id: &u64| next.members().binary_search_by_key(id, |m| m.id).ok();
        let ready = self.ready.iter().filter_map(index);
        next.is_quorum(&ready.map(|i| MemberIndex(i as u32)).collect())
    }

    /// E2: notes that a member of the next committee is ready. Whether that is news.
    pub fn note_ready(&mut self, id: u64) -> bool {
        match self.ready.binary_search(&id) {
            Ok(_) => false,
            Err(place) => {
                self.ready.insert(place, id);
                true
            }
        }
    }

    /// The next epoch begins, after a commit.
    pub fn open_next(&mut self, after: CommitIndex, now: Millis) {
        *self = self.after_edge();
        self.after = after;
        self.since = now;
        self.shares.clear();
    }

    /// Those with weight, in the order of their places in the committee.
    pub fn in_office(&self) -> impl Iterator<Item = &Seat> {
        in_office(&self.seats)
    }

    /// Whether the bond of a member is taken, as far as the registry's queue is taken up.
    pub fn is_slashed(&self, seat: &Seat) -> bool {
        let waits = |entry: &QueueEntry| entry.slashed && entry.id == seat.id;
        seat.slashed || self.waiting.iter().any(waits)
    }
}

fn in_office(seats: &[Seat]) -> impl Iterator<Item = &Seat> {
    seats.iter().filter(|s| s.effective > Stake::ZERO)
}

fn committee_of(epoch: Epoch, seats: &[Seat]) -> Result<Committee, CommitteeError> {
    let members = in_office(seats).map(|seat| Member {
        id: seat.id,
        stake: seat.effective,
        vertex_key: seat.keys.vertex_key,
        finality_key: seat.keys.finality_key,
        addresses: seat.keys.addresses.clone(),
    });
    Committee::new(epoch, members.collect())
}

#[cfg(test)]
mod tests;
