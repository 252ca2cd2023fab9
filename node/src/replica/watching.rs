//! B1: what a member has seen of a feed of the base chain beyond what the ledger has taken up, and what it says of it.

use std::collections::VecDeque;
use weft_basechain::Placed;
use weft_types::{Chained, Feed, FeedReport, Round};

/// Rounds after which a report is made again that nobody has ordered.
const REPEAT_ROUNDS: u64 = 60;
/// Most events that are kept ahead of the ledger: deposits have 120 bytes each, entries of the queue up to 700.
pub const KEPT_MAX: usize = 4_096;

/// An event that lies deep enough, in the order of their numbers.
pub type Confirmed<T> = Placed<T>;

#[derive(Debug)]
pub(super) struct Watching<T> {
    confirmed: VecDeque<Confirmed<T>>,
    /// B1: what this member has to report, while it has not been taken up.
    next: Option<FeedReport>,
    reported: Option<(FeedReport, Round)>,
}

impl<T> Default for Watching<T> {
    fn default() -> Self {
        Self {
            confirmed: VecDeque::new(),
            next: None,
            reported: None,
        }
    }
}

impl<T: Chained> Watching<T> {
    /// Takes up what follows without a gap; the rest has to come again.
    ///
    /// # Errors
    /// When it does not follow from what the ledger has: the base chain has lost what it had confirmed.
    pub fn confirm(
        &mut self,
        events: Vec<Confirmed<T>>,
        feed: &Feed,
        room: u64,
    ) -> Result<(), String> {
        self.taken(feed, room);
        for confirmed in events {
            let next = self.confirmed.back().map_or(feed.processed, |c| c.index) + 1;
            if confirmed.index == next && self.confirmed.len() < KEPT_MAX {
                self.confirmed.push_back(confirmed);
            }
        }
        self.next = self.next_report(feed, room);
        if self.contradicts(feed) {
            return Err(format!(
                "the base chain's events do not follow from the {} that are taken up: it has lost blocks \
                 that were confirmed",
                feed.processed
            ));
        }
        Ok(())
    }

    /// Nothing is known any more, and nothing is said.
    pub fn clear(&mut self) {
        self.confirmed.clear();
        self.next = None;
    }

    /// Forgets what the ledger has taken up; it takes `room` more at the moment.
    pub fn taken(&mut self, feed: &Feed, room: u64) {
        let taken = |c: &Confirmed<T>| c.index <= feed.processed;
        while self.confirmed.front().is_some_and(taken) {
            self.confirmed.pop_front();
        }
        self.next = self.next_report(feed, room);
    }

    /// B1: the next report, which is the same for all who see the same chain: all events up to the end of the block
    /// of the first one that is not taken up, as far as there is room. `None` when there is none, or when it does not
    /// follow from what is taken up.
    fn next_report(&self, feed: &Feed, room: u64) -> Option<FeedReport> {
        let block = self.confirmed.front()?.block;
        let mut report = None;
        let mut digest = feed.digest;
        let most = T::AT_ONCE.min(room);
        for confirmed in self.confirmed.iter().take(most as usize) {
            digest = confirmed.event.extend(&digest, confirmed.index);
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

    /// The first event that is not taken up does not follow from those that are.
    fn contradicts(&self, feed: &Feed) -> bool {
        self.confirmed
            .front()
            .is_some_and(|c| c.event.extend(&feed.digest, c.index) != c.digest)
    }

    /// Without a look at how far the ledger has come.
    pub fn has_nothing_to_say(&self) -> bool {
        self.next.is_none()
    }

    /// Whether something is to be said.
    pub fn has_work(&self, own: u64, feed: &Feed) -> bool {
        self.next
            .is_some_and(|next| !feed.has_reported(own, next) || feed.agreed.is_some())
    }

    /// What the vertex of a round says: a report, and the events that are agreed if it is this member's `turn` to
    /// bring them.
    pub fn say(
        &mut self,
        round: Round,
        turn: bool,
        own: u64,
        feed: &Feed,
    ) -> (Option<FeedReport>, Vec<T>) {
        let report = self.next.filter(|next| {
            let again = |(r, at): (FeedReport, Round)| {
                r != *next || round.0 >= at.0.saturating_add(REPEAT_ROUNDS)
            };
            !feed.has_reported(own, *next) && self.reported.is_none_or(again)
        });
        if let Some(report) = report {
            self.reported = Some((report, round));
        }
        let agreed = feed.agreed.filter(|_| turn);
        let events = agreed.map_or_else(Vec::new, |agreed| self.up_to(agreed.count));
        match feed.reaches_agreed(&events) {
            true => (report, events),
            false => (report, Vec::new()),
        }
    }

    /// Rounds start anew.
    pub fn next_epoch(&mut self) {
        self.reported = None;
    }

    fn up_to(&self, count: u64) -> Vec<T> {
        let wanted = self.confirmed.iter().take_while(|c| c.index <= count);
        wanted.map(|c| c.event.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
