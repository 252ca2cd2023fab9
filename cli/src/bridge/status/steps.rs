//! The steps of a withdrawal, in words and for scripts.

use crate::base::hash_shown;
use crate::bridge::standing_still::Still;
use crate::bridge::way_out::instant;
use serde::Serialize;
use weft_basechain::{Latch, Payout};
use weft_types::api::{LeafClaim, WithdrawalStatus};
use weft_types::{Millis, Withdrawal};

/// What the base chain says of it. Times are Unix seconds.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// When the checkpoint that has it was posted.
    pub posted_at: Option<u64>,
    /// When that checkpoint's time for challenges is over.
    pub final_at: Option<u64>,
    /// Why the vault pays nothing by it, for good or until people decide.
    pub refusal: Option<String>,
    pub is_paid: bool,
    pub payout: Option<Payout>,
    pub latch: Option<Latch>,
}

impl Seen {
    fn now(&self) -> u64 {
        self.latch.map_or(0, |latch| latch.now)
    }
}

/// Why the base chain says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// Nothing says where it is.
    Unnamed,
    /// It does not answer.
    Away,
}

impl Silence {
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unnamed => "name a JSON-RPC of the base chain with --base-rpc",
            Self::Away => {
                "the base chain does not answer: look again, or name another JSON-RPC of it with --base-rpc"
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Taken out of the ledger.
    Requested,
    Certified,
    /// Under a checkpoint whose time for challenges is not over, or that the base chain was not asked of.
    Posted,
    Payable,
    Paid,
    /// Under a checkpoint that the vault does not pay by.
    Refused,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Certified => "certified",
            Self::Posted => "posted",
            Self::Payable => "payable",
            Self::Paid => "paid",
            Self::Refused => "refused",
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub name: &'static str,
    pub done: bool,
    pub words: String,
    /// When it was done, or will be, by the base chain's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct Progress {
    #[serde(flatten)]
    pub withdrawal: Withdrawal,
    pub state: State,
    pub next: String,
    /// The bridge, where that holds it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_still: Option<Still>,
    /// From when on the next step can be made, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    pub steps: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_transaction: Option<String>,
    /// V7
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<LeafClaim>,
}

impl Progress {
    /// Without a base chain what is known ends with the posting.
    pub fn of(
        status: WithdrawalStatus,
        seen: Result<Seen, Silence>,
        interval: Millis,
        still: Option<Still>,
    ) -> Self {
        let index = status.withdrawal.index;
        let (state, mut next, not_before) = judged(&status, seen.as_ref(), interval);
        let still = still.filter(|_| is_held_up(state, seen.as_ref().ok()));
        if let Some(still) = &still {
            next = match state {
                State::Requested | State::Certified => still.for_withdrawal(),
                _ => format!("{next}; {}", still.for_withdrawal()),
            };
        }
        let seen = seen.ok();
        let payout = seen.as_ref().and_then(|s| s.payout);
        let steps = vec![
            burned(&status),
            certified(&status),
            checkpoint(&status, seen.as_ref(), interval),
            payable(state, seen.as_ref()),
            paid(state, seen.as_ref(), index),
        ];
        Self {
            withdrawal: status.withdrawal,
            state,
            next,
            stands_still: still,
            not_before,
            steps,
            base_transaction: payout.map(|p| hash_shown(&p.transaction)),
            kept: payout.map(|p| p.kept),
            claim: status.claim,
        }
    }
}

/// Whether a bridge that stands still holds it up. What is under a checkpoint that counts is paid all the same.
fn is_held_up(state: State, seen: Option<&Seen>) -> bool {
    match state {
        State::Requested | State::Certified | State::Refused => true,
        State::Posted => seen.is_none(),
        State::Payable | State::Paid => false,
    }
}

fn every(interval: Millis) -> String {
    format!("one comes every {} s", interval.0.div_ceil(1_000))
}

fn judged(
    status: &WithdrawalStatus,
    seen: Result<&Seen, &Silence>,
    interval: Millis,
) -> (State, String, Option<u64>) {
    let index = status.withdrawal.index;
    if status.claim.is_none() {
        return match status.certified {
            None => (
                State::Requested,
                "a certificate, within a second".to_owned(),
                None,
            ),
            Some(_) => (
                State::Certified,
                format!("a checkpoint on the base chain; {}", every(interval)),
                None,
            ),
        };
    }
    let seen = match seen {
        Ok(seen) => seen,
        Err(silence) => {
            let words = format!("not known: {}", silence.advice());
            return (State::Posted, words, None);
        }
    };
    if seen.is_paid {
        let kept = seen.payout.is_some_and(|p| p.kept);
        let words = match kept {
            true => {
                "its payout was refused and is kept: the recipient gets it by `weft bridge fetch`"
            }
            false => "nothing: it is paid",
        };
        return (State::Paid, words.to_owned(), None);
    }
    if let Some(refusal) = &seen.refusal {
        return (State::Refused, refusal.clone(), None);
    }
    match seen.final_at {
        None => (
            State::Certified,
            "the base chain does not have the node's checkpoint (yet): look again in a moment"
                .to_owned(),
            None,
        ),
        Some(at) if seen.now() < at => (
            State::Posted,
            format!("the time for challenges is over at {}", instant(at)),
            Some(at),
        ),
        Some(_) => (
            State::Payable,
            format!("`weft bridge claim {index}`: anybody may"),
            None,
        ),
    }
}

fn step(name: &'static str, done: bool, words: String, at: Option<u64>) -> Step {
    Step {
        name,
        done,
        words,
        at,
    }
}

fn burned(status: &WithdrawalStatus) -> Step {
    let words = format!(
        "taken out of the ledger in commit {}",
        status.withdrawal.commit
    );
    step("burned", true, words, None)
}

fn certified(status: &WithdrawalStatus) -> Step {
    match status.certified {
        Some(height) => step("certified", true, format!("with height {height}"), None),
        None => step(
            "certified",
            false,
            "comes with the next height".to_owned(),
            None,
        ),
    }
}

fn checkpoint(status: &WithdrawalStatus, seen: Option<&Seen>, interval: Millis) -> Step {
    let name = "checkpoint";
    let Some(claim) = &status.claim else {
        return step(name, false, every(interval), None);
    };
    let height = claim.height;
    match seen.and_then(|s| s.posted_at) {
        Some(at) => {
            let words = format!("height {height}, posted {}", instant(at));
            step(name, true, words, Some(at))
        }
        None if seen.is_some() => {
            let words = format!("height {height}, which the base chain does not have");
            step(name, false, words, None)
        }
        None => step(name, true, format!("height {height}"), None),
    }
}

/// What the base chain alone knows, where it says nothing.
const UNKNOWN: &str = "not known";

fn payable(state: State, seen: Option<&Seen>) -> Step {
    let name = "payable";
    let at = seen.and_then(|s| s.final_at);
    match (state, at) {
        (State::Payable | State::Paid, Some(at)) => {
            step(name, true, format!("since {}", instant(at)), Some(at))
        }
        (State::Posted, Some(at)) => {
            step(name, false, format!("from {} on", instant(at)), Some(at))
        }
        (State::Paid, None) => step(name, true, String::new(), None),
        (State::Posted, None) => step(name, false, UNKNOWN.to_owned(), None),
        (State::Refused, _) => step(
            name,
            false,
            "the vault refuses the checkpoint".to_owned(),
            None,
        ),
        _ => step(
            name,
            false,
            "once the checkpoint's time for challenges is over".to_owned(),
            None,
        ),
    }
}

fn paid(state: State, seen: Option<&Seen>, index: u64) -> Step {
    let name = "paid";
    if state == State::Posted && seen.is_none() {
        return step(name, false, UNKNOWN.to_owned(), None);
    }
    if state != State::Paid {
        let words = format!("by `weft bridge claim {index}`");
        return step(name, false, words, None);
    }
    let words = match seen.and_then(|s| s.payout) {
        Some(payout) => format!(
            "in transaction {} of block {}",
            hash_shown(&payout.transaction),
            payout.block
        ),
        None => "the base chain does not show the transaction any more".to_owned(),
    };
    step(name, true, words, None)
}

#[cfg(test)]
mod tests;
