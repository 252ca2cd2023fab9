//! The transactions of one call on their way: each from node to node until its outcome is known.
//!
//! A node may take a transaction and do nothing about it. So whoever has had it much longer than outcomes
//! take as a rule is not waited for: the next node is given the same bytes, and tells as soon as they are
//! ordered, by whomever. The ledger applies them once.

use crate::client::Client;
use crate::error::ClientError;
use crate::order::Order;
use crate::submit::{Wait, parts};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use weft_types::Transaction;
use weft_types::api::Submission;

/// Before any outcome was seen, and the bounds of a node's time afterwards.
const PATIENCE_FIRST: Duration = Duration::from_secs(2);
const PATIENCE_MIN: Duration = Duration::from_secs(1);
const PATIENCE_MAX: Duration = Duration::from_secs(5);
/// Of the usual time until an outcome.
const PATIENCE_FACTOR: u32 = 4;
/// The longest that nodes let a request wait for its outcome.
const NODE_WAIT: Duration = Duration::from_secs(10);

/// How long a node is waited for in the `turn`th turn, of `nodes` in each round.
fn patience(usual: Option<Duration>, turn: usize, nodes: usize) -> Duration {
    let first = usual.map_or(PATIENCE_FIRST, |usual| {
        (PATIENCE_FACTOR * usual).clamp(PATIENCE_MIN, PATIENCE_MAX)
    });
    let doubled = u32::try_from(turn / nodes).unwrap_or(u32::MAX).min(4);
    (first * (1 << doubled)).min(NODE_WAIT)
}

pub(crate) struct Sending<'a> {
    client: &'a Client,
    order: Option<&'a Order>,
    transactions: &'a [Transaction],
    wait: Wait,
    answers: Vec<Option<Submission>>,
    /// The node that is asked first, without an order.
    first: usize,
}

/// What one node is to be given.
struct Batch {
    place: usize,
    wait: Wait,
    copies: usize,
    /// The requests: places of transactions, and their bytes.
    requests: Vec<(Vec<usize>, Vec<Bytes>)>,
}

/// What came of a request: `None` when it took too long.
type Answered = (
    usize,
    Vec<usize>,
    Result<Option<Vec<Submission>>, ClientError>,
);

impl<'a> Sending<'a> {
    pub async fn new(client: &'a Client, transactions: &'a [Transaction], wait: Wait) -> Self {
        let order = match client.options().copies {
            0 | 1 => None,
            _ => client.order().await,
        };
        Self {
            client,
            order,
            transactions,
            wait,
            answers: vec![None; transactions.len()],
            first: client.preferred(),
        }
    }

    pub async fn run(mut self) -> Result<Vec<Submission>, ClientError> {
        let options = self.client.options();
        let (begun, nodes) = (Instant::now(), self.client.nodes());
        let deadline = begun + options.outcome_timeout;
        let most = nodes.saturating_mul(options.rounds.max(1) as usize);
        let (mut turn, mut in_vain) = (0, 0);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (answered, failure) = self.turn(turn, left).await;
            if self.open().is_empty() {
                if turn == 0 && self.wait != Wait::Submitted {
                    self.client.took(begun.elapsed());
                }
                return self.finish(failure);
            }
            in_vain = if answered { 0 } else { in_vain + 1 };
            match failure {
                Some(failure) if !failure.is_retryable() || in_vain >= most => return Err(failure),
                failure if Instant::now() >= deadline => return self.finish(failure),
                failure => {
                    turn += 1;
                    if turn.is_multiple_of(nodes) {
                        let round = u32::try_from(turn / nodes - 1).unwrap_or(u32::MAX);
                        let wanted = failure.and_then(|f| f.retry_after());
                        tokio::time::sleep(options.pause(round, wanted)).await;
                    }
                }
            }
        }
    }

    /// Gives all that is open to the nodes whose turn it is. Whether any has answered, or at least has it;
    /// and how one failed.
    async fn turn(&mut self, turn: usize, left: Duration) -> (bool, Option<ClientError>) {
        let (client, wait) = (self.client, self.wait);
        let longest = match (wait, client.nodes()) {
            // A request has its own time-out; there is nobody else to go to.
            (Wait::Submitted, _) | (_, 1) => Duration::MAX,
            (_, nodes) => patience(client.usual(), turn, nodes).min(left),
        };
        let mut asked = JoinSet::new();
        for batch in self.batches(turn) {
            asked.spawn(batch.give(client.clone(), longest));
        }
        let (mut any, mut failure) = (false, None);
        while let Some(done) = asked.join_next().await {
            for (place, of, answers) in done.unwrap_or_default() {
                match answers {
                    Ok(answers) => {
                        any = true;
                        self.note(place, &of, answers.unwrap_or_default());
                    }
                    Err(error) => failure = Some(error),
                }
            }
            if wait != Wait::Submitted && self.open().is_empty() {
                break;
            }
        }
        (any, failure)
    }

    fn note(&mut self, place: usize, of: &[usize], answers: Vec<Submission>) {
        for (index, answer) in of.iter().zip(answers) {
            if self.wait.is_settled(&answer) {
                self.client.prefer(place);
            }
            let slot = &mut self.answers[*index];
            let known = slot
                .as_ref()
                .is_some_and(|known| self.wait.is_settled(known));
            // That one node refuses it says nothing of another that has taken it.
            let taken = matches!(slot, Some(Submission::Taken(_)));
            let kept = known || taken && matches!(answer, Submission::Refused(_));
            if !kept {
                *slot = Some(answer);
            }
        }
    }

    fn open(&self) -> Vec<usize> {
        let open =
            |answer: &Option<Submission>| answer.as_ref().is_none_or(|a| !self.wait.is_settled(a));
        let all = self.answers.iter().enumerate();
        all.filter(|(_, a)| open(a))
            .map(|(index, _)| index)
            .collect()
    }

    /// What is open, by the node that is given it in this turn. In the first one, the others of the first
    /// members of its order are given it too, and are not waited for.
    fn batches(&self, turn: usize) -> Vec<Batch> {
        let nodes = self.client.nodes();
        let copies = match self.order {
            Some(_) if turn == 0 => self.client.options().copies,
            _ => 1,
        };
        let mut waited = BTreeMap::<usize, Vec<usize>>::new();
        let mut beside = BTreeMap::<usize, Vec<usize>>::new();
        for index in self.open() {
            let Some(order) = self.order else {
                let place = (self.first + turn) % nodes;
                waited.entry(place).or_default().push(index);
                continue;
            };
            let (route, first) = order.route(&self.transactions[index].id(), copies, nodes);
            waited.entry(route[turn % nodes]).or_default().push(index);
            for place in route.iter().take(first).skip(1).filter(|_| turn == 0) {
                beside.entry(*place).or_default().push(index);
            }
        }
        let batch = |wait| {
            move |(place, indices): (usize, Vec<usize>)| Batch {
                place,
                wait,
                copies,
                requests: self.requests(&indices),
            }
        };
        let beside = beside.into_iter().map(batch(Wait::Submitted));
        beside
            .chain(waited.into_iter().map(batch(self.wait)))
            .collect()
    }

    fn requests(&self, indices: &[usize]) -> Vec<(Vec<usize>, Vec<Bytes>)> {
        let bytes = |part: &[usize]| {
            let encoded = part.iter().map(|i| self.transactions[*i].encoded().clone());
            encoded.collect()
        };
        let parts = parts(indices, self.transactions).into_iter();
        parts.map(|part| (part.to_vec(), bytes(part))).collect()
    }

    /// # Errors
    /// When no node has answered some of them.
    fn finish(self, failure: Option<ClientError>) -> Result<Vec<Submission>, ClientError> {
        let answers: Option<Vec<Submission>> = self.answers.into_iter().collect();
        answers.ok_or_else(|| {
            failure.unwrap_or_else(|| ClientError::TimedOut {
                node: self.client.node(),
                after: self.client.options().outcome_timeout,
            })
        })
    }
}

impl Batch {
    /// One request after the other, each for so long at the most.
    async fn give(self, client: Client, longest: Duration) -> Vec<Answered> {
        let mut answered = Vec::with_capacity(self.requests.len());
        for (of, encoded) in self.requests {
            let asked = client.submit_at(self.place, encoded, self.wait, self.copies);
            let answers = match tokio::time::timeout(longest, asked).await {
                Ok(answers) => answers.map(Some),
                Err(_) => Ok(None),
            };
            answered.push((self.place, of, answers));
        }
        answered
    }
}

#[cfg(test)]
mod tests;
