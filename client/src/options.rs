//! How long the client tries. All times are bounded: no call waits for ever.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// To open a connection.
    pub connect_timeout: Duration,
    /// For one answer, connecting included. Longer than nodes let a request wait for its outcome
    /// (ten seconds).
    pub request_timeout: Duration,
    /// How often all nodes are asked before a request fails.
    pub rounds: u32,
    /// Pause after the first round in which no node answered; doubles after each.
    pub backoff: Duration,
    /// Longest pause, also when a node asks for a longer one.
    pub backoff_max: Duration,
    /// For the outcome of a submission, over all requests that it takes.
    pub outcome_timeout: Duration,
    /// To how many members each transaction is given at once, the first of its order, where this client
    /// knows nodes of theirs. More than one of stake F (F+1 members of equal stake) make it certain that
    /// an honest one is among them, so that nobody can hold it up for long; it costs their requests.
    pub copies: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(15),
            rounds: 4,
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            outcome_timeout: Duration::from_secs(60),
            copies: 1,
        }
    }
}

impl Options {
    /// The pause after so many rounds without an answer, of which the last node asked for `wanted`.
    /// Shortened at random by up to half, so that clients that failed together do not come back
    /// together.
    pub(crate) fn pause(&self, rounds: u32, wanted: Option<Duration>) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << rounds.min(16));
        let spread = doubled.mul_f64(rand::random_range(0.5..=1.0));
        spread.max(wanted.unwrap_or_default()).min(self.backoff_max)
    }
}
