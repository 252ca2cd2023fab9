//! The loop that runs a load: sends what is due, in batches of a few milliseconds for each node, and
//! enters what the nodes tell into the books.
//!
//! A transaction that no node has ordered for some seconds is sent again, the same bytes to the next
//! node, as is everything that was with a node that stops answering. Sending twice is safe: it is the
//! same transaction, and is applied once.

use super::book::{Book, Counts, Micros, Place};
use super::follow::{Errands, Note};
use super::sign::Signed;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use weft_client::ClientError;
use weft_types::api::{ProblemCode, Submission, TransactionState};

/// How long transactions for a node are collected.
const TICK: Duration = Duration::from_millis(2);
/// How often the slow affairs are looked after.
const ROUND: Duration = Duration::from_millis(250);
/// Transactions of one request.
const BATCH: usize = 1_000;
/// Requests to one node under way at the same time.
const REQUESTS: usize = 16;
/// Without a sign of it for so long, a transaction is sent again.
const SILENCE: Micros = 5_000_000;
/// Of those at most this many each round.
const RESENT: usize = 500;
/// Before a transaction that a node could not take goes to the next one.
const RETRY: Micros = 100_000;
/// Notes taken before what is due is looked at.
const NOTES_AT_ONCE: usize = 256;

/// When transactions are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// At their intended times, whatever becomes of those before.
    Open,
    /// As many as possible for this long: a new one when an old one is done.
    Saturating(Duration),
}

/// For a saturating load: how many are under way. Grows while that brings more through, but not beyond
/// what goes through in an interval, so that none waits much longer than that.
#[derive(Debug)]
struct Window {
    size: u64,
    /// Committed in the best interval so far.
    best: u64,
    /// Committed until this interval began.
    before: u64,
    began: Micros,
}

const WINDOW_FIRST: u64 = 1_024;
const WINDOW_MAX: u64 = 32_768;
const WINDOW_INTERVAL: Micros = 1_000_000;

impl Window {
    fn new() -> Self {
        Self {
            size: WINDOW_FIRST,
            best: 0,
            before: 0,
            began: 0,
        }
    }

    fn observe(&mut self, committed: u64, now: Micros) {
        if now < self.began + WINDOW_INTERVAL {
            return;
        }
        let through = committed - self.before;
        if through > self.best + self.best / 20 {
            self.best = through;
            let most = through.clamp(WINDOW_FIRST, WINDOW_MAX);
            self.size = (self.size * 2).min(most).max(self.size);
        }
        self.before = committed;
        self.began = now;
    }
}

/// Tells a spectator how the load goes.
pub type Spectator<'a> = &'a (dyn Fn(Counts, Duration) + Sync);

pub struct Drive<'a> {
    pub book: Book,
    pub plan: &'a [Signed],
    pub pace: Pace,
    pub errands: Errands,
    /// The time that all times count from.
    pub start: Instant,
    /// Waiting to be sent, by node.
    queues: Vec<VecDeque<Place>>,
    /// Requests under way, by node.
    requests: Vec<usize>,
    /// To be sent again, to this node or the next one that is up.
    retries: BTreeMap<(Micros, Place), usize>,
    next: Place,
    window: Window,
}

impl<'a> Drive<'a> {
    pub fn new(
        book: Book,
        plan: &'a [Signed],
        pace: Pace,
        errands: Errands,
        start: Instant,
    ) -> Self {
        let nodes = errands.clients.len();
        Self {
            book,
            plan,
            pace,
            errands,
            start,
            queues: vec![VecDeque::new(); nodes],
            requests: vec![0; nodes],
            retries: BTreeMap::new(),
            next: 0,
            window: Window::new(),
        }
    }

    fn now(&self) -> Micros {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Runs until everything offered is certified or has failed, at most `drain` after the last was
    /// sent. `look` is called each round, for meters.
    pub async fn run(
        mut self,
        notes: &mut mpsc::Receiver<Note>,
        drain: Duration,
        spectator: Spectator<'_>,
        mut look: impl FnMut(),
    ) -> Book {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent_all = None;
        loop {
            tokio::select! {
                biased;
                _ = tick.tick() => self.send_due(),
                _ = round.tick() => {
                    self.look_after();
                    spectator(self.book.counts(), self.start.elapsed());
                    look();
                }
                Some(note) = notes.recv() => {
                    self.take(note);
                    for _ in 1..NOTES_AT_ONCE {
                        match notes.try_recv() {
                            Ok(note) => self.take(note),
                            Err(_) => break,
                        }
                    }
                }
            }
            if !self.all_offered() {
                continue;
            }
            let since = *sent_all.get_or_insert_with(Instant::now);
            let counts = self.book.counts();
            let done = counts.open == 0 && counts.certified == counts.committed;
            if done || since.elapsed() >= drain {
                spectator(counts, self.start.elapsed());
                return self.book;
            }
        }
    }

    fn all_offered(&self) -> bool {
        let over = match self.pace {
            Pace::Open => false,
            Pace::Saturating(time) => self.start.elapsed() >= time,
        };
        over || self.next as usize >= self.plan.len()
    }

    fn send_due(&mut self) {
        let now = self.now();
        while !self.all_offered() {
            let intended = match self.pace {
                Pace::Open => self.book.planned(self.next).intended,
                Pace::Saturating(_) if self.book.counts().open >= self.window.size => break,
                Pace::Saturating(_) => now,
            };
            if intended > now {
                break;
            }
            if self.book.offer(self.next, intended) {
                self.queue(self.next);
            }
            self.next += 1;
        }
        while let Some((&(due, place), &node)) = self.retries.first_key_value() {
            if due > now {
                break;
            }
            self.retries.pop_first();
            self.queue_at(place, node);
        }
        for node in 0..self.queues.len() {
            self.flush(node, now);
        }
    }

    /// Each client has a node of its own as long as that is up.
    fn queue(&mut self, place: Place) {
        self.queue_at(place, place as usize % self.queues.len());
    }

    fn queue_at(&mut self, place: Place, node: usize) {
        // With nobody up it waits at its own node.
        let node = self.book.up_from(node).unwrap_or(node);
        self.queues[node].push_back(place);
    }

    fn flush(&mut self, node: usize, now: Micros) {
        if !self.book.is_up(node) {
            // Somebody else may be up by now.
            if self.book.up_from(node).is_some() {
                for place in std::mem::take(&mut self.queues[node]) {
                    self.queue_at(place, node);
                }
            }
            return;
        }
        while self.requests[node] < REQUESTS && !self.queues[node].is_empty() {
            let count = BATCH.min(self.queues[node].len());
            let places: Vec<Place> = self.queues[node].drain(..count).collect();
            let bytes = places.iter().map(|p| self.plan[*p as usize].bytes.clone());
            let bytes = bytes.collect();
            for place in &places {
                self.book.sent(*place, node, now);
            }
            self.requests[node] += 1;
            self.errands.submit(node, places, bytes);
        }
    }

    fn look_after(&mut self) {
        let now = self.now();
        self.book.expire(now);
        for place in self.book.silent(now.saturating_sub(SILENCE), RESENT) {
            let next = self.book.node_of(place) + 1;
            self.book.touched(place, now);
            self.queue_at(place, next % self.queues.len());
        }
        self.window.observe(self.book.counts().committed, now);
    }

    fn take(&mut self, note: Note) {
        let now = self.now();
        match note {
            Note::Executed {
                node,
                commit,
                transactions,
            } => {
                self.book.node_up(node);
                for commit in self.book.executed(node, commit, transactions, now) {
                    self.errands.read(node, commit);
                }
            }
            Note::Certified { node, commit } => self.book.certificate(node, commit, now),
            Note::Receipts { commit, receipts } => {
                for place in self.book.receipts(commit, receipts, now) {
                    self.queue(place);
                }
            }
            Note::Unread { commit, error } => {
                // Its transactions fall silent, and are asked about one by one.
                tracing::warn!(%commit, error, "the receipts of a commit cannot be read");
            }
            Note::Answered {
                node,
                places,
                answers,
            } => {
                self.requests[node] -= 1;
                self.answered(node, &places, answers, now);
            }
            Note::Up(node) => self.book.node_up(node),
            Note::Down(node) => self.down(node, now),
        }
    }

    fn down(&mut self, node: usize, now: Micros) {
        if self.book.is_up(node) {
            for place in self.book.node_down(node, now) {
                self.queue_at(place, node);
            }
        }
    }

    fn answered(
        &mut self,
        node: usize,
        places: &[Place],
        answers: Result<Vec<Submission>, ClientError>,
        now: Micros,
    ) {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                if matches!(
                    error,
                    ClientError::Unreachable { .. } | ClientError::TimedOut { .. }
                ) {
                    self.down(node, now);
                }
                tracing::debug!(%error, "a batch was not answered");
                for place in places {
                    self.retry(*place, node, now);
                }
                return;
            }
        };
        for (place, answer) in places.iter().zip(answers) {
            match answer {
                Submission::Taken(status) => {
                    self.book.accepted(*place);
                    let outcome = match status.state {
                        TransactionState::Rejected => {
                            Err(status.code_name.unwrap_or_else(|| "rejected".to_owned()))
                        }
                        _ => Ok(()),
                    };
                    // One that was sent again may long be ordered.
                    if let Some(commit) = status.commit {
                        let id = self.plan[*place as usize].id;
                        for released in self.book.receipts(commit, [(id, outcome)], now) {
                            self.queue(released);
                        }
                    }
                }
                Submission::Refused(refused) if refused.problem.retryable => {
                    self.retry(*place, node, now);
                }
                // It has had its outcome, which the stream has told or will tell.
                Submission::Refused(refused) if refused.problem.is(ProblemCode::Replayed) => {
                    self.book.accepted(*place);
                }
                Submission::Refused(refused) => self.book.failed(*place, &refused.problem.code),
            }
        }
    }

    fn retry(&mut self, place: Place, node: usize, now: Micros) {
        if self.book.is_unordered(place) {
            let next = (node + 1) % self.queues.len();
            self.retries.insert((now + RETRY, place), next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_only_while_more_comes_through() {
        let mut window = Window::new();
        window.observe(500, WINDOW_INTERVAL / 2);
        assert_eq!(window.size, WINDOW_FIRST, "not before its time");
        window.observe(4_000, WINDOW_INTERVAL);
        window.observe(9_000, 2 * WINDOW_INTERVAL);
        assert_eq!(window.size, 4 * WINDOW_FIRST);
        window.observe(14_100, 3 * WINDOW_INTERVAL);
        assert_eq!(window.size, 4 * WINDOW_FIRST, "2 % more is noise");
        window.observe(20_100, 4 * WINDOW_INTERVAL);
        assert_eq!(window.size, 6_000, "an interval's worth");
        for i in 5..20 {
            window.observe(20_100 << i, i * WINDOW_INTERVAL);
        }
        assert_eq!(window.size, WINDOW_MAX);
    }
}
