//! V4: what only members with F of stake or less have shown that they have.
//!
//! It may be made up: a faulty member can name as many vertices as it likes that nobody has ever made.
//! So those alone are asked for it who have shown it, each by an account of its own, lowest rounds
//! first; after an answer in vain one request at a time, with a pause that doubles. Others are asked when
//! they do not answer, until sixteen such requests in a row have found nothing. What somebody
//! makes up costs few requests, most of them to itself, and delays nothing that others have shown. An
//! honest member has all that it shows, and answers; what it answers ends the pauses.

use std::collections::BTreeSet;
use weft_types::{MemberIndex, MemberSet, Millis, Round, VertexRef};

/// Requests in vain to others than those who have shown something, before no more are made.
const GUESSES_MAX: u32 = 16;
/// The first pause after an answer in vain, in milliseconds, and the longest.
const PAUSE_MIN: u64 = 250;
const PAUSE_MAX: u64 = 4_000;

pub(super) struct Doubted {
    /// By member that is to be asked.
    accounts: Vec<Account>,
    waiting: usize,
}

#[derive(Default, Clone)]
struct Account {
    vertices: BTreeSet<VertexRef>,
    /// Requests in a row that brought nothing.
    failures: u32,
    /// When it may be asked again.
    at: Millis,
    /// Requests in a row to others that brought nothing of what this member has shown.
    guesses: u32,
    /// Requests under way.
    asked: usize,
}

impl Doubted {
    pub fn new(members: usize) -> Self {
        Self {
            accounts: vec![Account::default(); members],
            waiting: 0,
        }
    }

    pub fn put(&mut self, member: MemberIndex, vertex: VertexRef) {
        let account = &mut self.accounts[member.as_usize()];
        self.waiting += usize::from(account.vertices.insert(vertex));
    }

    pub fn remove(&mut self, member: MemberIndex, vertex: &VertexRef) {
        let account = &mut self.accounts[member.as_usize()];
        self.waiting -= usize::from(account.vertices.remove(vertex));
    }

    /// Whether others may be asked for what these members alone have shown: one that withholds gives its
    /// vertices to some. Not for ever, if nobody has anything of it.
    pub fn may_guess(&self, shown_by: &MemberSet) -> bool {
        let accounts = shown_by.iter().map(|m| &self.accounts[m.as_usize()]);
        accounts.into_iter().all(|a| a.guesses < GUESSES_MAX)
    }

    pub fn guessed(&mut self, shown_by: &MemberSet, right: bool) {
        for member in shown_by.iter() {
            let account = &mut self.accounts[member.as_usize()];
            account.guesses = if right { 0 } else { account.guesses + 1 };
        }
    }

    /// Whether the last request to a member brought nothing.
    pub fn fails(&self, member: MemberIndex) -> bool {
        self.accounts[member.as_usize()].failures > 0
    }

    /// The lowest vertex that waits for a member, up to a round.
    pub fn lowest(&self, member: MemberIndex, up_to: Round) -> Option<VertexRef> {
        let lowest = self.accounts[member.as_usize()].vertices.first();
        lowest.filter(|v| v.round <= up_to).copied()
    }

    pub fn asked(&mut self, member: MemberIndex) {
        self.accounts[member.as_usize()].asked += 1;
    }

    /// A member's request is over.
    pub fn ended(&mut self, member: MemberIndex, brought: bool, now: Millis) {
        let account = &mut self.accounts[member.as_usize()];
        account.asked = account.asked.saturating_sub(1);
        if brought {
            (account.failures, account.at) = (0, now);
            return;
        }
        account.failures = account.failures.saturating_add(1);
        // The first answer in vain may be a lost one.
        let pause = match account.failures {
            1 => 0,
            failures => PAUSE_MIN << (failures - 2).min(8),
        };
        account.at = now.saturating_add(pause.min(PAUSE_MAX));
    }

    /// Lets a member alone until then.
    pub fn postpone(&mut self, member: MemberIndex, until: Millis) {
        let account = &mut self.accounts[member.as_usize()];
        account.at = account.at.max(until);
    }

    /// Whether a member that is not to be let alone may be asked once more at the same time.
    pub fn may_ask(&self, member: MemberIndex) -> bool {
        let account = &self.accounts[member.as_usize()];
        account.may_ask() && !account.vertices.is_empty()
    }

    /// Members for which something waits and that may be asked for more, and when.
    pub fn ready(&self) -> impl Iterator<Item = (MemberIndex, Millis)> {
        let accounts = (0..).map(MemberIndex).zip(&self.accounts);
        let some = accounts.filter(|_| self.waiting > 0);
        let ready = some.filter(|(_, a)| !a.vertices.is_empty() && a.may_ask());
        ready.map(|(member, account)| (member, account.at))
    }
}

impl Account {
    fn may_ask(&self) -> bool {
        self.asked == 0 || self.failures == 0
    }
}
