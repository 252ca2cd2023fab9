//! What one node lets its peers cost it. Every bound is in bytes, or in things whose bytes are
//! bounded; beside each stands what happens when it is reached.
//!
//! The most that members can make a node hold is, for each of them,
//! `outgoing_bytes_max + incoming_bytes_max`, twice `fetches_in_flight_max *
//! (fetch_request_bytes_max + fetch_answer_bytes_max)`, and the windows of its connections
//! (see `transport`). Broadcast frames are counted for each member but held once. Outsiders can make
//! it hold `outsiders_max * observer_bytes_max`, what [`HistoryLimits`] allows, and small windows.

use crate::error::NetworkError;
use crate::history::limits::HistoryLimits;
use std::time::Duration;
use weft_types::VERTEX_BYTES_MAX;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Room in a frame for what surrounds a vertex of the largest size.
const FRAME_ENVELOPE_BYTES: usize = 4 * KIB;

/// Bounds of a node's network, with defaults for a machine with some gigabytes of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Payload of one frame. Sending more is an error; receiving more ends the stream.
    pub frame_bytes_max: usize,
    /// Frames waiting for one member. The oldest make room for the newest.
    pub outgoing_bytes_max: usize,
    /// Frames and requests from one member that wait for the node. That member's stream is read no
    /// further.
    pub incoming_bytes_max: usize,
    /// A request. Asking for more is an error; a longer one from a peer is refused.
    pub fetch_request_bytes_max: usize,
    /// An answer. A longer one is not sent, and not read.
    pub fetch_answer_bytes_max: usize,
    /// Fetches under way with one member, in each direction. More are refused at once.
    pub fetches_in_flight_max: usize,
    /// From asking to the last byte of the answer.
    pub fetch_timeout: Duration,
    /// Publications waiting to go to observers, and those from members waiting for an observer.
    /// The oldest of the former and the newest of the latter are dropped.
    pub publish_bytes_max: usize,
    /// Publications waiting for one observer. Further ones are lost to it, and it is disconnected.
    /// Gossipsub counts messages, so as many may wait as would fill this if all were as long as a
    /// frame may be: usually they fill a small part.
    pub observer_bytes_max: usize,
    /// What observers may fetch.
    pub history: HistoryLimits,
    /// Connections of peers that are no members, observers or not. Further ones are refused.
    pub outsiders_max: usize,
    /// The same from one IP address (from one /64 of IPv6).
    pub outsiders_per_address_max: usize,
    /// Connections that have not shown their identity yet, from one IP address. Members may come
    /// from one address too, so this is no less than a committee.
    pub handshakes_per_address_max: usize,
    /// Connections with one peer: one in use, one from dialling each other at the same time, one
    /// dead without either side's knowing. Further ones are refused.
    pub connections_per_peer_max: usize,
    /// An outsider's connection that is not subscribed to anything is closed after this.
    pub idle_timeout: Duration,
    /// Time between two measurements of a peer's round trip, which also show that it is there.
    pub ping_interval: Duration,
    /// A connection on which nothing is heard for so long is dead, and dropped. At least twice
    /// `ping_interval`.
    pub silence_max: Duration,
    /// Pause before dialling a member again, at first; it doubles with each failure.
    pub redial_min: Duration,
    /// The longest such pause.
    pub redial_max: Duration,
    /// After this, shutdown reports the tasks that have not ended.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: VERTEX_BYTES_MAX + FRAME_ENVELOPE_BYTES,
            outgoing_bytes_max: 32 * MIB,
            incoming_bytes_max: 16 * MIB,
            fetch_request_bytes_max: 64 * KIB,
            fetch_answer_bytes_max: 8 * MIB,
            fetches_in_flight_max: 4,
            fetch_timeout: Duration::from_secs(5),
            publish_bytes_max: 16 * MIB,
            observer_bytes_max: 128 * MIB,
            history: HistoryLimits::default(),
            outsiders_max: 8,
            outsiders_per_address_max: 4,
            handshakes_per_address_max: 256,
            connections_per_peer_max: 3,
            idle_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(5),
            silence_max: Duration::from_secs(20),
            redial_min: Duration::from_millis(100),
            redial_max: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// # Errors
    /// Names the first field whose value cannot work, with the value and its range.
    pub fn validate(&self) -> Result<(), NetworkError> {
        let at_least = |field, value: usize, min: usize| {
            if value >= min {
                return Ok(());
            }
            Err(NetworkError::Config {
                field,
                problem: format!("{value} is below {min}"),
            })
        };
        let frame = self.frame_bytes_max;
        // The wire counts a frame's bytes in 32 bits.
        if frame == 0 || frame > u32::MAX as usize / 2 {
            return Err(NetworkError::Config {
                field: "frame_bytes_max",
                problem: format!("{frame} is not within 1..={}", u32::MAX / 2),
            });
        }
        at_least("outgoing_bytes_max", self.outgoing_bytes_max, frame)?;
        at_least("incoming_bytes_max", self.incoming_bytes_max, frame)?;
        at_least("publish_bytes_max", self.publish_bytes_max, frame)?;
        at_least("observer_bytes_max", self.observer_bytes_max, frame)?;
        at_least(
            "incoming_bytes_max",
            self.incoming_bytes_max,
            self.fetch_request_bytes_max,
        )?;
        at_least("fetches_in_flight_max", self.fetches_in_flight_max, 1)?;
        at_least("connections_per_peer_max", self.connections_per_peer_max, 1)?;
        self.history.validate()?;
        for (field, duration) in [
            ("fetch_timeout", self.fetch_timeout),
            ("ping_interval", self.ping_interval),
            ("redial_min", self.redial_min),
        ] {
            if duration.is_zero() {
                let problem = "0 s is below 1 ms".to_owned();
                return Err(NetworkError::Config { field, problem });
            }
        }
        for (field, value, what, min) in [
            ("redial_max", self.redial_max, "redial_min", self.redial_min),
            (
                "silence_max",
                self.silence_max,
                "twice ping_interval",
                self.ping_interval.saturating_mul(2),
            ),
        ] {
            if value < min {
                let problem = format!("{value:?} is below {what}, {min:?}");
                return Err(NetworkError::Config { field, problem });
            }
        }
        Ok(())
    }
}
