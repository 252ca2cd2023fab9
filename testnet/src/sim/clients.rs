//! Clients that know the order in which members propose a transaction (P1): each gives its transaction to
//! the first few, and to the next one whenever it has waited in vain, as the Rust client does. They
//! cannot tell a member that censors from another.

use super::faults::Kind;
use super::plan::Plan;
use super::time::Time;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::{Committee, Round, Transaction, TransactionId, Verified};

/// P2: rounds of a step, as in the mempool.
const STEP_ROUNDS: u64 = weft_node::replica::STEP_ROUNDS;
/// P4: beside the steps, rounds for the way to the member, for its next vertex, and until that is ordered
/// and executed: twice the longest that runs with F censors have shown, which leave out of their parents
/// what they can.
const ORDER_ROUNDS: u64 = 50;
/// As in the Rust client, in microseconds: a time-out is four times the usual latency, within bounds.
const TIMEOUT_FIRST_US: u64 = 2_000_000;
const TIMEOUT_MIN_US: u64 = 1_000_000;
const TIMEOUT_MAX_US: u64 = 5_000_000;

/// A transaction of a client, not ordered yet.
pub struct Offer {
    pub transaction: Arc<Verified<Transaction>>,
    pub since: Time,
    /// The highest round of anybody honest then.
    pub round: Round,
    /// Members of its order that it has been given to.
    pub given: usize,
    /// P4: it has to be ordered before anybody honest has signed a vertex above this round.
    pub due: Option<Round>,
    /// A member has refused it.
    pub refused: bool,
}

pub struct Clients {
    /// Members that a transaction is given to at first.
    pub copies: usize,
    /// Longest way to a member, in microseconds.
    pub way: u64,
    open: BTreeMap<TransactionId, Offer>,
    /// Smoothed latency, in microseconds.
    usual: Option<u64>,
    /// Rounds that the slowest transaction took until it was ordered.
    slowest: Option<u64>,
}

impl Clients {
    /// `None`: those of the plan look for somebody honest themselves, and have no need to wait.
    pub fn of(plan: &Plan, committee: &Committee) -> Option<Self> {
        let knowing = plan.copies > 1 || plan.has(Kind::Censor);
        knowing.then(|| Self {
            copies: plan.copies.min(committee.size()),
            way: plan.latency.mean(plan.nodes) as u64,
            open: BTreeMap::new(),
            usual: None,
            slowest: None,
        })
    }

    pub fn offer(&mut self, offer: Offer) {
        self.open.insert(offer.transaction.id(), offer);
    }

    pub fn open(&mut self, id: &TransactionId) -> Option<&mut Offer> {
        self.open.get_mut(id)
    }

    /// Whether everything is ordered.
    pub fn are_served(&self) -> bool {
        self.open.is_empty()
    }

    /// When a transaction was given away first, if it is not ordered yet.
    pub fn since(&self, id: &TransactionId) -> Option<Time> {
        self.open.get(id).map(|offer| offer.since)
    }

    /// A commit has brought it, when the highest round was `top`.
    pub fn ordered(&mut self, id: &TransactionId, now: Time, top: Round) {
        let Some(offer) = self.open.remove(id) else {
            return;
        };
        if !offer.refused {
            let rounds = top.0.saturating_sub(offer.round.0);
            self.slowest = self.slowest.max(Some(rounds));
        }
        let latency = now.since(offer.since);
        let usual = self.usual.unwrap_or(latency);
        self.usual = Some((7 * usual + latency) / 8);
    }

    /// How long a client waits before it goes to the next member.
    pub fn timeout(&self) -> u64 {
        let measured = self.usual.map(|usual| 4 * usual);
        let measured = measured.map(|t| t.clamp(TIMEOUT_MIN_US, TIMEOUT_MAX_US));
        measured.unwrap_or(TIMEOUT_FIRST_US)
    }

    /// P4: in how many rounds a transaction is ordered that `copies` members were given.
    pub fn rounds_max(copies: usize) -> u64 {
        let before = copies.saturating_sub(1);
        weft_node::replica::step(before) * STEP_ROUNDS + ORDER_ROUNDS
    }

    /// Those that are overdue now, once each.
    pub fn overdue(&mut self, top: Round) -> Vec<(TransactionId, Round)> {
        let mut overdue = Vec::new();
        for (id, offer) in &mut self.open {
            if let Some(due) = offer.due.take_if(|due| *due < top) {
                overdue.push((*id, due));
            }
        }
        overdue
    }

    /// Rounds that the slowest transaction took.
    pub fn rounds_max_seen(&self) -> Option<u64> {
        self.slowest
    }
}
