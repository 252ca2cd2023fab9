//! What observers may ask of a member. A peer id costs nothing to make, so an observer's own share
//! keeps honest observers apart, the address's share binds a crowd behind one address, and the total
//! binds everybody. All three hold for each request, beside and never out of what members have.
//!
//! The most that observers' requests can make a member hold is `total.in_flight_max *
//! (request_bytes_max + answer_bytes_max)`, 33 MiB by default.

use crate::error::NetworkError;
use std::time::Duration;
use weft_types::VERTEX_BYTES_MAX;

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

/// Room in an answer for what surrounds a vertex of the largest size.
const ANSWER_ENVELOPE_BYTES: usize = 64 * KIB;

/// A part of what a member gives to observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Requests under way. More are refused at once.
    pub in_flight_max: usize,
    /// Answers, in the long run. While more has been taken, requests are refused at once.
    pub bytes_per_second: u64,
}

/// Bounds of the protocol by which observers fetch history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// A request. A longer one is refused unread.
    pub request_bytes_max: usize,
    /// An answer. A longer one is not sent, and not read.
    pub answer_bytes_max: usize,
    /// The least that a request counts for, in bytes of answer: reading and sending many small
    /// vertices costs as much as a large one. So this bounds requests a second, too.
    pub request_cost_bytes: u64,
    /// From the opening of a stream to the last byte of the request. The answer then has what is
    /// left of `fetch_timeout`.
    pub request_timeout: Duration,
    /// How much of an unused share can be taken at once later: what it gives in this time.
    pub burst: Duration,
    /// Of each observer.
    pub observer: Share,
    /// Of each IP address (each /64 of IPv6).
    pub address: Share,
    /// Of all observers together.
    pub total: Share,
    /// Refused requests within a second on one connection. It is closed at the next: whoever is
    /// refused is to ask another member.
    pub refusals_per_second_max: u32,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self {
            request_bytes_max: 16 * KIB,
            answer_bytes_max: VERTEX_BYTES_MAX + ANSWER_ENVELOPE_BYTES,
            request_cost_bytes: 256 * KIB as u64,
            request_timeout: Duration::from_secs(2),
            burst: Duration::from_secs(2),
            // As many as a core asks of one member at the same time.
            observer: Share {
                in_flight_max: 3,
                bytes_per_second: 4 * MIB,
            },
            address: Share {
                in_flight_max: 6,
                bytes_per_second: 8 * MIB,
            },
            total: Share {
                in_flight_max: 8,
                bytes_per_second: 16 * MIB,
            },
            refusals_per_second_max: 32,
        }
    }
}

impl HistoryLimits {
    /// # Errors
    /// Names the first field whose value cannot work, with the value and its range.
    pub(crate) fn validate(&self) -> Result<(), NetworkError> {
        let at_least_1 = |field, value: u64| match value {
            0 => Err(NetworkError::Config {
                field,
                problem: "0 is below 1".to_owned(),
            }),
            _ => Ok(()),
        };
        at_least_1("history.request_cost_bytes", self.request_cost_bytes)?;
        let fields = [
            (
                "history.observer.in_flight_max",
                "history.observer.bytes_per_second",
                self.observer,
            ),
            (
                "history.address.in_flight_max",
                "history.address.bytes_per_second",
                self.address,
            ),
            (
                "history.total.in_flight_max",
                "history.total.bytes_per_second",
                self.total,
            ),
        ];
        for (in_flight, rate, share) in fields {
            at_least_1(in_flight, share.in_flight_max as u64)?;
            at_least_1(rate, share.bytes_per_second)?;
        }
        for (field, duration) in [
            ("history.request_timeout", self.request_timeout),
            ("history.burst", self.burst),
        ] {
            if duration.is_zero() {
                let problem = "0 s is below 1 ms".to_owned();
                return Err(NetworkError::Config { field, problem });
            }
        }
        Ok(())
    }
}
