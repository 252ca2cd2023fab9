//! S2: a node that lacks the past takes over the state of a certified height, and goes on from there.
//!
//! It is pure, as the replica is: requests and their deadlines go out, answers come in. While a node is
//! behind it asks members which snapshots they hold; one that is far enough ahead is gathered piece by
//! piece from all that hold it, a few requests to each at a time. Nothing is believed that is not
//! checked against the certificate, so a server can withhold and no more. One that lies is left for
//! good, one that does not answer is asked again later, and what it was asked for is asked of another.
//!
//! At the end the replica stops, and is made anew from what was taken over, as after a restart.

mod chain;
mod choosing;
mod gather;
mod message;
mod offers;
mod receipts;
mod serve;
mod servers;
mod state;

pub use chain::{Closing, Opened};
pub use message::{ANSWER_BYTES_MAX, Answer, CertifiedReceipts, Malformed, Request};
pub use serve::{Archive, serve};

use gather::{Culprit, Gathering, Task, Verdict};
use offers::{OFFERS_WAIT, Offers};
use servers::Servers;
use state::State;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_ledger::{LedgerMeta, Snapshot};
use weft_types::{
    Certificate, CertificateError, Commit, CommitIndex, Committee, Epoch, Height, MemberIndex,
    MemberSet, Millis, Network, ObjectId, ProtocolParams, Receipt, Statement, Verified,
};

/// Between two looks at whether this node is behind, and between two rounds of questions, in
/// milliseconds.
const LOOK: u64 = 100;
const ASK_EVERY: u64 = 5_000;
/// A request without an answer after this is asked of another server.
const REQUEST: u64 = 4_000;
/// A node that is behind and has executed nothing for so long is not served any history.
const STUCK: u64 = 10_000;

/// Committees whose certificates are taken: the window of validity (S2.4) reaches back by ten minutes.
pub const COMMITTEES_MAX: usize = 64;

/// How a node serves and chooses; free to differ between nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncConfig {
    /// S2.1: ledger time between two snapshots that are held for others.
    pub snapshot_interval: Millis,
    /// S2.6: a snapshot is taken over if it is so much ahead of the own ledger's time.
    pub after: Millis,
    /// W8: only before anything was executed, and only if history is gone: a watcher believes nobody as long as it can.
    pub at_first_only: bool,
    /// For simulations: pieces are believed, to see that it is noticed.
    pub unchecked: bool,
}

impl Default for SyncConfig {
    fn default() -> Self {
        Self {
            snapshot_interval: Millis(60_000),
            after: Millis(300_000),
            at_first_only: false,
            unchecked: false,
        }
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// Refused, timed out, not connected.
    Failed,
    /// Bytes that are no answer to it.
    Malformed(Malformed),
}

/// Names a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(pub u64);

/// A request to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub id: SyncId,
    pub of: MemberIndex,
    pub request: Request,
}

/// All that a node goes on from: what its store would hold had it been there.
pub struct Synced {
    /// Of the height that was taken over.
    pub certificate: Arc<Verified<Certificate>>,
    /// S2.4: of the heights inside the window of validity and the one before it, this one last.
    pub heights: Vec<Arc<Verified<Certificate>>>,
    /// Ascending, the certified one last, the first one with a leader below the floor.
    pub commits: Vec<Commit>,
    pub meta: LedgerMeta,
    pub objects: Vec<(ObjectId, bytes::Bytes)>,
    /// In their order.
    pub receipts: Vec<Receipt>,
    pub snapshot: Snapshot,
    /// S2.1: epochs up to the certificate's that this node had not come to, ascending.
    pub epochs: Vec<Opened>,
}

/// S2.4: whoever takes over a height needs the receipts of commits from this time on.
pub fn remembered_from(statement: &Statement, params: &ProtocolParams) -> Millis {
    meta_at(statement).remembers_from(params)
}

/// S2.5: the ledger's counters after a height that was due for posting.
pub fn meta_at(statement: &Statement) -> LedgerMeta {
    LedgerMeta {
        index: statement.commit,
        timestamp: statement.timestamp,
        height_commit: statement.commit,
        changed: false,
        unposted: false,
    }
}

/// What everything is checked against.
#[derive(Debug, Clone)]
pub struct Terms {
    pub network: Network,
    pub params: ProtocolParams,
    /// Here, and so whom this node asks.
    pub in_office: Arc<Committee>,
    /// By epoch, as far as they are known.
    pub committees: BTreeMap<Epoch, Arc<Committee>>,
    /// By epoch, as far as it is known: the last commit of the one before.
    pub after: BTreeMap<Epoch, CommitIndex>,
    /// Epochs after the one in office here that servers have shown.
    pub followed: Vec<Opened>,
    pub unchecked: bool,
}

impl Terms {
    /// S2.1: against the keys of the committee of the certificate's epoch.
    fn verify(&self, certificate: Certificate) -> Result<Verified<Certificate>, CertificateError> {
        let epoch = certificate.statement.epoch;
        let committee = self.committees.get(&epoch).unwrap_or(&self.in_office);
        certificate.verify(&self.network, committee)
    }

    /// The newest one that is known.
    fn newest(&self) -> &Arc<Committee> {
        let newest = self.committees.last_key_value();
        newest.map_or(&self.in_office, |(_, committee)| committee)
    }
}

/// Where the replica stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub behind: bool,
    pub commit: CommitIndex,
    pub timestamp: Millis,
}

struct Pending {
    of: MemberIndex,
    what: What,
    deadline: Millis,
}

/// What a server was asked for.
enum What {
    Offers,
    Closings,
    Part(Task),
}

/// The state machine.
pub struct Sync {
    config: SyncConfig,
    terms: Arc<Terms>,
    servers: Servers,
    requests: BTreeMap<SyncId, Pending>,
    next_id: u64,
    look_at: Millis,
    ask_at: Millis,
    /// The newest commit, and since when it is.
    reached: (CommitIndex, Millis),
    /// S2.8: who has deleted the history that would come next.
    gone: MemberSet,
    offers: Offers,
    /// S2.1: who offers heights of epochs whose committees are not known.
    ahead: MemberSet,
    gathering: Option<Gathering>,
    /// Of a height that no server holds any longer.
    known: State,
    notes: Vec<String>,
    /// At the last look.
    behind: bool,
    now: Millis,
}

impl Sync {
    pub fn new(config: SyncConfig, terms: Terms, own: Option<MemberIndex>, now: Millis) -> Self {
        Self {
            config,
            servers: Servers::new(&terms.in_office, own),
            terms: Arc::new(terms),
            requests: BTreeMap::new(),
            next_id: 0,
            look_at: now,
            ask_at: now,
            reached: (CommitIndex::ZERO, now),
            gone: MemberSet::default(),
            offers: Offers::default(),
            ahead: MemberSet::default(),
            gathering: None,
            known: State::default(),
            notes: Vec::new(),
            behind: false,
            now,
        }
    }

    /// Other members are asked from now on. What was gathered was of the epoch before, and is not missed.
    /// `after` is the last commit of the epoch before.
    pub fn next_epoch(
        &mut self,
        committee: Arc<Committee>,
        after: CommitIndex,
        own: Option<MemberIndex>,
        now: Millis,
    ) {
        let mut terms = Terms::clone(&self.terms);
        terms
            .committees
            .insert(committee.epoch(), committee.clone());
        terms.after.insert(committee.epoch(), after);
        while terms.committees.len() > COMMITTEES_MAX {
            terms.committees.pop_first();
        }
        while terms.after.len() > COMMITTEES_MAX {
            terms.after.pop_first();
        }
        terms
            .followed
            .retain(|o| o.committee.epoch() > committee.epoch());
        terms.in_office = committee;
        let next_id = self.next_id;
        *self = Self::new(self.config, terms, own, now);
        self.next_id = next_id;
    }

    /// Whether history is not worth fetching now.
    pub fn is_gathering(&self) -> bool {
        self.gathering.is_some()
    }

    /// When [`Self::step`] is to be called at the latest; `None` while this node is not behind.
    pub fn deadline(&self) -> Option<Millis> {
        let requests = self.requests.values().map(|r| r.deadline);
        let pauses = match self.gathering.as_ref().is_some_and(Gathering::has_tasks) {
            true => self.servers.next_free(&self.holders(), self.now),
            false => None,
        };
        let looks = (self.behind || self.is_gathering()).then_some(self.look_at);
        requests.chain(pauses).chain(looks).min()
    }

    /// An answer, or that there is none.
    pub fn answered(&mut self, now: Millis, id: SyncId, answer: Result<Answer, NoAnswer>) {
        let Some(Pending { of, what, .. }) = self.requests.remove(&id) else {
            return;
        };
        self.servers.done(of);
        match (answer, what) {
            (Err(NoAnswer::Failed), what) => {
                self.give_back(of, what);
                self.servers.pause(of, now);
            }
            (Err(NoAnswer::Malformed(error)), what) => {
                self.give_back(of, what);
                self.leave(of, &error.to_string());
            }
            (Ok(answer), What::Offers) => self.offered(now, of, answer),
            (Ok(answer), What::Closings) => self.shown_closings(now, of, answer),
            (Ok(answer), What::Part(task)) => self.gathered(now, of, task, answer),
        }
    }

    fn give_back(&mut self, of: MemberIndex, what: What) {
        match (what, &mut self.gathering) {
            (What::Part(task), Some(gathering)) => gathering.give_back(task),
            (What::Closings, _) => self.ahead.remove(of),
            (What::Part(_) | What::Offers, _) => {}
        }
    }

    /// S2.1: follows the committees from the newest known one on.
    fn shown_closings(&mut self, now: Millis, by: MemberIndex, answer: Answer) {
        self.ahead.remove(by);
        let closings = match answer {
            Answer::Closings(closings) => closings,
            Answer::Lacks => return,
            _ => return self.leave(by, "the answer is to another question"),
        };
        let mut terms = Terms::clone(&self.terms);
        let mut followed = Ok(());
        for closing in closings {
            followed = terms.follow(closing);
            if followed.is_err() {
                break;
            }
        }
        self.terms = Arc::new(terms);
        // What was offered before may count now.
        self.ask_at = now;
        if let Err(why) = followed {
            self.leave(by, &why);
        }
    }

    fn offered(&mut self, now: Millis, by: MemberIndex, answer: Answer) {
        let offers = match answer {
            Answer::Offers(offers) => offers,
            Answer::Lacks => return,
            _ => return self.leave(by, "the answer is to another question"),
        };
        for certificate in offers {
            if self.offers.joins(&certificate, by) {
                continue;
            }
            if certificate.statement.epoch > self.terms.newest().epoch() {
                self.ahead.insert(by);
                continue;
            }
            match self.terms.verify(certificate) {
                Ok(verified) => {
                    if self.offers.insert(verified, by, now) {
                        self.look_at = self.look_at.min(now.saturating_add(OFFERS_WAIT));
                    }
                }
                Err(error) => return self.leave(by, &error.to_string()),
            }
        }
    }

    fn gathered(&mut self, now: Millis, of: MemberIndex, task: Task, answer: Answer) {
        let Some(gathering) = &mut self.gathering else {
            return;
        };
        let verdict = gathering.take(task, of, answer);
        let culprits = gathering.culprits();
        match verdict {
            Verdict::Good => self.servers.good(of),
            Verdict::Lacks => {
                if self.servers.lacks(of, now) {
                    self.offers.withdraw(of, self.target());
                }
            }
            Verdict::Lie(what) => self.leave(of, &what),
        }
        for culprit in culprits {
            match culprit {
                Culprit::Server(server, what) => self.leave(server, &what),
                Culprit::Offer(what) => {
                    for server in self.holders().iter() {
                        self.leave(server, &what);
                    }
                }
            }
        }
    }

    /// It lied: nothing is asked of it again.
    fn leave(&mut self, server: MemberIndex, why: &str) {
        let note = format!("member {server} lied about a snapshot, and is left: {why}");
        self.notes.push(note);
        self.servers.leave(server);
        self.ahead.remove(server);
        self.offers.withdraw(server, None);
        let left: Vec<SyncId> = self.requests_to(server).collect();
        for id in left {
            if let Some(pending) = self.requests.remove(&id) {
                self.give_back(server, pending.what);
            }
        }
    }

    fn requests_to(&self, server: MemberIndex) -> impl Iterator<Item = SyncId> {
        let requests = self.requests.iter();
        requests
            .filter(move |(_, r)| r.of == server)
            .map(|(id, _)| *id)
    }

    /// The height that is gathered.
    fn target(&self) -> Option<Height> {
        self.gathering.as_ref().map(|g| g.target().statement.height)
    }

    fn holders(&self) -> MemberSet {
        self.target()
            .map(|height| self.offers.holders(height))
            .unwrap_or_default()
    }

    /// Goes on: what is to be asked, or all of a snapshot.
    ///
    /// # Errors
    /// When the parts of a snapshot do not fit together, which is this program's own fault.
    pub fn step(
        &mut self,
        now: Millis,
        place: impl Fn() -> Place,
        out: &mut Vec<Ask>,
    ) -> Result<Option<Synced>, String> {
        self.now = now;
        self.expire(now);
        let looks = now >= self.look_at || self.look_at > now.saturating_add(LOOK);
        if looks {
            self.look_at = now.saturating_add(LOOK);
            self.look(now, place(), out);
        }
        self.ask(now, out);
        // What was under way when it began may have brought this node further than the snapshot.
        let reached = |g: &Gathering| place().commit >= g.target().statement.commit;
        match self.gathering.take_if(|g| g.is_complete()) {
            Some(gathering) if !reached(&gathering) => gathering.finish().map(Some),
            _ => Ok(None),
        }
    }

    fn expire(&mut self, now: Millis) {
        let late = |r: &&Pending| r.deadline <= now || r.deadline > now.saturating_add(REQUEST);
        let late = self.requests.iter().filter(|(_, r)| late(r));
        let late: Vec<SyncId> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.answered(now, id, Err(NoAnswer::Failed));
        }
    }

    /// Hands out what is still to be asked for, a few requests to each server.
    fn ask(&mut self, now: Millis, out: &mut Vec<Ask>) {
        if self.gathering.is_none() {
            return;
        }
        let holders = self.holders();
        while let Some(server) = self.servers.free(&holders, now) {
            let next = self.gathering.as_mut().and_then(Gathering::next);
            let Some((task, request)) = next else {
                return;
            };
            self.request(now, server, What::Part(task), request, out);
        }
    }

    fn request(
        &mut self,
        now: Millis,
        of: MemberIndex,
        what: What,
        request: Request,
        out: &mut Vec<Ask>,
    ) {
        let id = SyncId(self.next_id);
        self.next_id += 1;
        self.servers.asked(of);
        let deadline = now.saturating_add(REQUEST);
        self.requests.insert(id, Pending { of, what, deadline });
        out.push(Ask { id, of, request });
    }

    /// What the operator's log is to say.
    pub fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// How far it is, for the operator.
    pub fn describe(&self) -> Option<String> {
        let gathering = self.gathering.as_ref()?;
        let (pieces, all, bytes) = gathering.progress();
        Some(format!(
            "taking over the state of height {}: {pieces} of {all} parts known of, {} KiB, from {} members",
            gathering.target().statement.height,
            bytes / 1024,
            self.holders().iter().count(),
        ))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
