//! Transactions out, outcomes back. A transaction is sent again, to whichever node answers, until it
//! has come as far as the caller waits for: a node answers a transaction that it knows with its
//! present status, and the ledger applies it once.

use crate::client::{Client, Request};
use crate::error::ClientError;
use crate::sending::Sending;
use bytes::Bytes;
use prost::Message as _;
use std::time::Duration;
use tokio::time::Instant;
use weft_types::api::{
    BODY_BYTES_MAX, DryRun, Refused, SUBMIT_TRANSACTIONS_MAX, Submission, TransactionState,
    TransactionStatus,
};
use weft_types::{Transaction, TransactionId, wire};

/// Pause between two looks at a transaction's status.
const POLL: Duration = Duration::from_millis(100);
/// What a transaction takes in a list besides its own bytes, at most.
const ENTRY_BYTES: usize = 8;

/// How far a transaction has to come before the client goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Taken by a node.
    Submitted,
    /// Ordered and applied, or rejected: final.
    Committed,
    /// Under a certificate, or rejected.
    Certified,
}

impl Wait {
    fn parameter(self) -> Option<(&'static str, String)> {
        let text = match self {
            Self::Submitted => return None,
            Self::Committed => "committed",
            Self::Certified => "certified",
        };
        Some(("wait", text.to_owned()))
    }

    /// Whether a transaction in this state has come far enough, or will come no further.
    fn is_over(self, state: TransactionState) -> bool {
        use TransactionState as S;
        match state {
            S::Submitted => self == Self::Submitted,
            S::Committed => self != Self::Certified,
            S::Certified | S::Anchored | S::Rejected | S::Expired => true,
        }
    }

    /// Whether asking again could change the answer to what the caller waits for.
    pub(crate) fn is_settled(self, answer: &Submission) -> bool {
        match answer {
            Submission::Taken(status) => self.is_over(status.state),
            Submission::Refused(refused) => !refused.problem.retryable,
        }
    }
}

impl Client {
    /// Submits a transaction and waits. After `outcome_timeout` the status is returned as it is.
    ///
    /// # Errors
    /// When the transaction is refused, or no node answers. If none answered, it may still be
    /// ordered: submit it again, or ask for its status.
    pub async fn submit(
        &self,
        transaction: &Transaction,
        wait: Wait,
    ) -> Result<TransactionStatus, ClientError> {
        let transactions = std::slice::from_ref(transaction);
        let answers = self.submit_many(transactions, wait).await?;
        match answers.into_iter().next() {
            Some(Submission::Taken(status)) => Ok(status),
            Some(Submission::Refused(refused)) => Err(self.refused(refused)),
            None => Err(ClientError::NoNodes),
        }
    }

    /// Submits many transactions, in as few requests as the limits of a node allow, and waits for
    /// all. The answers are in the order of the transactions; one that is refused spoils no other.
    /// A node that has them four times as long as outcomes take as a rule (one second at least, five at
    /// most, then twice as long) is not waited for any more: the next one is given the same bytes.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn submit_many(
        &self,
        transactions: &[Transaction],
        wait: Wait,
    ) -> Result<Vec<Submission>, ClientError> {
        Sending::new(self, transactions, wait).await.run().await
    }

    /// One request with encoded transactions, answered in their order. The node lets it wait for
    /// some seconds at most. For those who send again themselves.
    ///
    /// # Errors
    /// When no node answers, or the request goes beyond a node's limits.
    pub async fn submit_once(
        &self,
        transactions: Vec<Bytes>,
        wait: Wait,
    ) -> Result<Vec<Submission>, ClientError> {
        let count = transactions.len();
        let request = submission(transactions, wait, 1);
        let answers = self.json(&request).await?;
        self.complete(self.preferred(), count, answers)
    }

    /// The same at one node, asked once, which is told to how many members they are given.
    pub(crate) async fn submit_at(
        &self,
        place: usize,
        transactions: Vec<Bytes>,
        wait: Wait,
        copies: usize,
    ) -> Result<Vec<Submission>, ClientError> {
        let count = transactions.len();
        let request = submission(transactions, wait, copies);
        let answers = self.json_of(place, &request).await?;
        self.complete(place, count, answers)
    }

    fn complete(
        &self,
        place: usize,
        count: usize,
        answers: Vec<Submission>,
    ) -> Result<Vec<Submission>, ClientError> {
        if answers.len() != count {
            let reason = format!("{} answers to {count} transactions", answers.len());
            return Err(ClientError::Malformed {
                node: self.name(place),
                reason,
            });
        }
        for answer in &answers {
            if let Submission::Taken(status) = answer {
                self.has_seen(status.commit.unwrap_or_default());
            }
        }
        Ok(answers)
    }

    /// How far a transaction has come.
    pub async fn transaction(&self, id: &TransactionId) -> Result<TransactionStatus, ClientError> {
        self.json(&Request::get(format!("v1/transactions/{id}")))
            .await
    }

    /// Follows a transaction that somebody submitted, to any node, until it has come this far or
    /// `outcome_timeout` has passed; then the status is returned as it is.
    ///
    /// # Errors
    /// When the nodes do not know it to the end, or none answers.
    pub async fn follow(
        &self,
        id: &TransactionId,
        wait: Wait,
    ) -> Result<TransactionStatus, ClientError> {
        let deadline = Instant::now() + self.options().outcome_timeout;
        loop {
            let status = self.transaction(id).await;
            let is_over = match &status {
                Ok(status) => wait.is_over(status.state),
                // Only the node that took it knows it before it is ordered.
                Err(error) => !error.is_not_found(),
            };
            if is_over || Instant::now() >= deadline {
                return status;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The outcome that a transaction would have now; nothing is ordered.
    pub async fn dry_run(&self, transaction: &Transaction) -> Result<DryRun, ClientError> {
        let transactions = vec![transaction.encoded().clone()];
        let body = wire::TransactionList { transactions }.encode_to_vec();
        self.json(&Request::post("v1/dry-run", body.into())).await
    }

    fn refused(&self, refused: Refused) -> ClientError {
        ClientError::Problem {
            node: self.node(),
            problem: Box::new(refused.problem),
            retry_after: None,
        }
    }
}

fn submission(transactions: Vec<Bytes>, wait: Wait, copies: usize) -> Request {
    let body = wire::TransactionList { transactions }.encode_to_vec();
    let mut request = Request::post("v1/transactions", body.into());
    request.query.extend(wait.parameter());
    if copies > 1 {
        request.query.push(("copies", copies.to_string()));
    }
    request
}

/// Cuts a list of places into requests within a node's limits.
pub(crate) fn parts<'a>(mut places: &'a [usize], transactions: &[Transaction]) -> Vec<&'a [usize]> {
    let mut parts = Vec::new();
    while !places.is_empty() {
        let mut bytes = 0;
        let fits = |place: &&usize| {
            bytes += transactions[**place].encoded().len() + ENTRY_BYTES;
            bytes <= BODY_BYTES_MAX
        };
        let most = places.iter().take(SUBMIT_TRANSACTIONS_MAX);
        // A transaction alone always fits: its own bound is far below that of a body.
        let (part, rest) = places.split_at(most.take_while(fits).count().max(1));
        parts.push(part);
        places = rest;
    }
    parts
}

#[cfg(test)]
mod tests;
