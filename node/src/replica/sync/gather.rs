//! S2.3, S2.4: everything that belongs to one certified height, put together from answers of which each is
//! checked when it comes. What is checked against what:
//!
//! - certificates against the committee's keys, each height's receipts against its certificate,
//! - commits, from the certified one backwards, against the digest that the one after them names,
//! - pieces of the state against the state root, or against the piece that was split.
//!
//! So a lie costs the answer that it is in, and whatever stood before it in the answer is kept.

use super::message::{Answer, CertifiedReceipts, Request};
use super::receipts::Receipts;
use super::state::State;
use super::{Synced, Terms, meta_at, remembered_from};
use crate::replica::heights::due_for_posting;
use crate::replica::restore::first_round;
use std::sync::Arc;
use weft_ledger::{Ledger, Prefix};
use weft_types::{
    Certificate, Commit, CommitDigest, CommitIndex, Height, MemberIndex, Millis, Root, Verified,
};

/// One thing that is still to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    Heights(Height),
    /// The commit with this index has this digest.
    Commits(CommitIndex, CommitDigest),
    Receipts {
        height: Height,
        block: u64,
    },
    /// Below the prefix is what has this hash; of which split it is a part.
    State {
        prefix: Prefix,
        root: Root,
        split: Option<usize>,
    },
}

/// What an answer was worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// The server does not have it, any longer or at all.
    Lacks,
    /// No honest server sends this.
    Lie(String),
}

/// A server that has done what no honest one does, found out by another's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Culprit {
    Server(MemberIndex, String),
    /// Whoever has offered this height.
    Offer(String),
}

/// The parts of one height as they come.
pub struct Gathering {
    terms: Arc<Terms>,
    target: Arc<Verified<Certificate>>,
    /// S2.4: receipts of commits before this are not needed.
    since: Millis,
    tasks: Vec<Task>,
    /// Asked for and not answered.
    under_way: usize,
    /// Descending, from the target's on.
    heights: Vec<Arc<Verified<Certificate>>>,
    receipts: Receipts,
    /// Descending, from the certified one on.
    commits: Vec<Commit>,
    state: State,
    culprits: Vec<Culprit>,
}

impl Gathering {
    /// `known` is what was gathered for an earlier height: what has not changed since is not asked for
    /// again.
    pub fn new(terms: Arc<Terms>, target: Arc<Verified<Certificate>>, known: State) -> Self {
        let statement = &target.statement;
        let mut gathering = Self {
            since: remembered_from(statement, &terms.params),
            state: known.anew(),
            tasks: Vec::new(),
            under_way: 0,
            heights: Vec::new(),
            receipts: Receipts::default(),
            commits: Vec::new(),
            culprits: Vec::new(),
            terms,
            target: target.clone(),
        };
        let (root, none) = (statement.state_root, None);
        gathering.ask_state(Prefix::default(), root, none);
        let commit = Task::Commits(statement.commit, statement.commit_digest);
        gathering.tasks.push(commit);
        gathering.tasks.push(Task::Heights(statement.height));
        gathering
    }

    pub fn target(&self) -> &Arc<Verified<Certificate>> {
        &self.target
    }

    /// The next thing to ask for.
    pub fn next(&mut self) -> Option<(Task, Request)> {
        let task = self.tasks.pop()?;
        self.under_way += 1;
        let height = self.target.statement.height;
        let request = match &task {
            Task::Heights(from) => Request::Heights(*from),
            Task::Commits(from, _) => Request::Commits(*from),
            Task::Receipts { height, block } => Request::Receipts {
                height: *height,
                block: *block,
            },
            Task::State { prefix, .. } => Request::State {
                height,
                prefix: prefix.clone(),
            },
        };
        Some((task, request))
    }

    pub fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Nothing came of it: it is to be asked for elsewhere.
    pub fn give_back(&mut self, task: Task) {
        self.under_way -= 1;
        self.tasks.push(task);
    }

    /// Takes what a server has answered; what is missing afterwards is asked for again.
    pub fn take(&mut self, task: Task, from: MemberIndex, answer: Answer) -> Verdict {
        self.under_way -= 1;
        match (task, answer) {
            (task, Answer::Lacks) => {
                self.tasks.push(task);
                Verdict::Lacks
            }
            (Task::Heights(from), Answer::Heights(heights)) => self.take_heights(from, heights),
            (Task::Commits(index, digest), Answer::Commits(commits)) => {
                self.take_commits(index, digest, commits)
            }
            (Task::Receipts { height, block }, Answer::Receipts(receipts)) => {
                let (next, verdict) = self.receipts.take(height, block, &receipts);
                if let Some(block) = next {
                    self.tasks.push(Task::Receipts { height, block });
                }
                verdict
            }
            (
                Task::State {
                    prefix,
                    root,
                    split,
                },
                Answer::State(piece),
            ) => {
                if !self.terms.unchecked
                    && let Err(error) = piece.check(&prefix, &root)
                {
                    self.ask_state(prefix, root, split);
                    return Verdict::Lie(error.to_string());
                }
                let opened = self.state.take(&prefix, root, split, from, piece);
                for (prefix, root, split) in opened {
                    self.ask_state(prefix, root, Some(split));
                }
                self.accuse_splits();
                Verdict::Good
            }
            (task, _) => {
                self.tasks.push(task);
                Verdict::Lie("the answer is to another question".to_owned())
            }
        }
    }

    fn ask_state(&mut self, prefix: Prefix, root: Root, split: Option<usize>) {
        if self.state.recall(&prefix, &root, split) {
            self.accuse_splits();
            return;
        }
        self.tasks.push(Task::State {
            prefix,
            root,
            split,
        });
    }

    fn accuse_splits(&mut self) {
        let caught = self.state.caught().into_iter();
        self.culprits.extend(caught.map(|server| {
            let what = "split a piece that would have fitted an answer".to_owned();
            Culprit::Server(server, what)
        }));
    }

    fn take_heights(&mut self, from: Height, heights: Vec<CertifiedReceipts>) -> Verdict {
        let mut next = from;
        for item in heights {
            match self.take_height(next, item) {
                Verdict::Good if self.has_all_heights() => return Verdict::Good,
                Verdict::Good => next = next.saturating_sub(1),
                other => {
                    self.tasks.push(Task::Heights(next));
                    return other;
                }
            }
        }
        self.tasks.push(Task::Heights(next));
        Verdict::Good
    }

    fn take_height(&mut self, height: Height, item: CertifiedReceipts) -> Verdict {
        let found = item.certificate.statement.height;
        if found != height {
            return Verdict::Lie(format!("asked for height {height}, got {found}"));
        }
        let verified = match self.terms.verify(item.certificate.clone()) {
            Ok(verified) => Arc::new(verified),
            Err(error) => return Verdict::Lie(format!("height {height}: {error}")),
        };
        let statement = &verified.statement;
        // S2.4: what comes before the first height in the window is forgotten anyway.
        if statement.timestamp >= self.since {
            match self.receipts.expect(statement, &item.blocks, item.last) {
                Verdict::Good => {}
                other => return other,
            }
            if !item.blocks.is_empty() {
                let block = 0;
                self.tasks.push(Task::Receipts { height, block });
            }
        }
        self.heights.push(verified);
        self.check_due();
        Verdict::Good
    }

    /// S2.1: a snapshot is of a height that was due, so that nothing is unposted after it (F1 b).
    fn check_due(&mut self) {
        let [target, before] = &self.heights[..] else {
            return;
        };
        let (target, before) = (&target.statement, &before.statement);
        let interval = self.terms.params.checkpoint_interval_ms;
        let due = due_for_posting(target.height, before.timestamp, target.timestamp, interval);
        if !due && target.next_committee.is_zero() {
            let what = format!("height {} was not due for posting", target.height);
            self.culprits.push(Culprit::Offer(what));
        }
    }

    fn has_all_heights(&self) -> bool {
        self.heights.last().is_some_and(|last| {
            last.statement.timestamp < self.since || last.statement.height == Height(1)
        })
    }

    fn take_commits(
        &mut self,
        mut index: CommitIndex,
        mut digest: CommitDigest,
        commits: Vec<Commit>,
    ) -> Verdict {
        for commit in commits {
            if commit.index != index || commit.digest() != digest {
                self.tasks.push(Task::Commits(index, digest));
                return Verdict::Lie(format!("commit {} is not the one with {digest}", index));
            }
            (index, digest) = (index.saturating_sub(1), commit.previous);
            self.commits.push(commit);
            if self.has_all_commits() {
                return Verdict::Good;
            }
        }
        self.tasks.push(Task::Commits(index, digest));
        Verdict::Good
    }

    /// From the certified one to the one before the floor, which says who was demoted then (D5).
    fn has_all_commits(&self) -> bool {
        let (Some(newest), Some(oldest)) = (self.commits.first(), self.commits.last()) else {
            return false;
        };
        // Rounds begin anew with each epoch.
        let after = self.terms.after.get(&self.target.statement.epoch);
        let after = after.copied().unwrap_or(CommitIndex::ZERO);
        let floor = first_round(newest, self.terms.params.gc_depth);
        oldest.leader.round < floor || oldest.index <= after.next()
    }

    /// Servers that were found out since this was asked last.
    pub fn culprits(&mut self) -> Vec<Culprit> {
        std::mem::take(&mut self.culprits)
    }

    pub fn is_complete(&self) -> bool {
        self.tasks.is_empty() && self.under_way == 0 && self.culprits.is_empty()
    }

    /// Pieces that are here, those that are known of, and their bytes.
    pub fn progress(&self) -> (usize, usize, usize) {
        let (pieces, bytes) = self.state.held();
        let pending = |t: &&Task| matches!(t, Task::State { .. });
        let waiting = self.tasks.iter().filter(pending).count() + self.under_way;
        (pieces, pieces + waiting, bytes)
    }

    /// What may be of use for a later height.
    pub fn into_state(self) -> State {
        self.state
    }

    /// S2.5: all of it, with the ledger built and its root compared.
    ///
    /// # Errors
    /// When the parts do not make the certified state, which they do if each was checked.
    pub fn finish(mut self) -> Result<Synced, String> {
        let certificate = self.target.clone();
        self.heights.reverse();
        self.commits.reverse();
        let window = self.heights.iter().map(|c| &c.statement);
        let window = window.filter(|s| s.timestamp >= self.since);
        let receipts = self.receipts.in_order(window.map(|s| s.height))?;
        let objects = self.state.into_objects();
        let meta = meta_at(&certificate.statement);
        let ledger = Ledger::restore(
            &self.terms.params,
            meta,
            objects.iter().cloned(),
            receipts.iter().cloned(),
        );
        let mut epochs = self.terms.followed.clone();
        epochs.retain(|opened| opened.committee.epoch() <= certificate.statement.epoch);
        let snapshot = ledger.map_err(|e| e.to_string())?.snapshot();
        let (found, expected) = (snapshot.root(), certificate.statement.state_root);
        if found != expected && !self.terms.unchecked {
            return Err(format!("the objects have root {found}, not {expected}"));
        }
        Ok(Synced {
            heights: self.heights,
            commits: self.commits,
            certificate,
            meta,
            objects,
            receipts,
            snapshot,
            epochs,
        })
    }
}
