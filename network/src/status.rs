use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_types::MemberIndex;

/// How the link with one member stands. Counters run from the start of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    pub member: MemberIndex,
    /// Whether frames leave at once. For an observer: whether it is connected.
    pub connected: bool,
    /// Whether this node has cut the link itself.
    pub blocked: bool,
    /// Smoothed round trip of the direct link (as RFC 6298 smooths it); `None` until measured.
    pub rtt: Option<Duration>,
    /// Bytes of frames waiting to leave.
    pub queued_bytes: usize,
    /// Bytes from the member waiting for the node.
    pub waiting_bytes: usize,
    /// Frames dropped because too many were waiting to leave.
    pub dropped_frames: u64,
    pub sent_frames: u64,
    pub sent_bytes: u64,
    pub received_frames: u64,
    pub received_bytes: u64,
    /// Streams ended because a frame, request or answer was longer than allowed.
    pub oversized: u64,
    /// Streams ended because what came was no frame.
    pub malformed: u64,
    pub fetches_answered: u64,
    /// Requests of the member that were refused: too many at once, or no answer from the node.
    pub fetches_refused: u64,
}

/// What concerns no single member. Counters run from the start of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkStats {
    /// Connected peers that are subscribed to publications.
    pub observers: usize,
    /// Connections of peers that are no members.
    pub outsiders: usize,
    /// Streams that a peer tried to open of a protocol that is not for it: outsiders of the members'
    /// protocols, above all.
    pub streams_refused: u64,
    /// Requests of observers.
    pub history_answered: u64,
    /// Bytes of those answers.
    pub history_bytes: u64,
    /// Requests of observers that were refused: a share used up, or no answer from the node.
    pub history_refused: u64,
    /// Connections refused after the handshake, or before it: a limit, or a blocked peer.
    pub connections_refused: u64,
    /// Handshakes that failed: another network, a wrong key, no Weft node at all.
    pub handshakes_failed: u64,
    pub published: u64,
    /// Publications that did not reach every observer, or any.
    pub publications_dropped: u64,
    /// Publications that reached this observer.
    pub gossip_received: u64,
    /// Publications that came from a peer that is no member, or were no publication.
    pub gossip_refused: u64,
    /// Publications dropped because too many were waiting for the node.
    pub gossip_dropped: u64,
    /// Observers disconnected because they did not keep up.
    pub slow_observers: u64,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of one link.
#[derive(Debug, Default)]
pub(crate) struct LinkCounters {
    pub(crate) dropped_frames: Counter,
    pub(crate) sent_frames: Counter,
    pub(crate) sent_bytes: Counter,
    pub(crate) received_frames: Counter,
    pub(crate) received_bytes: Counter,
    pub(crate) oversized: Counter,
    pub(crate) malformed: Counter,
    pub(crate) fetches_answered: Counter,
    pub(crate) fetches_refused: Counter,
}

/// Counters of the whole network.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) streams_refused: Counter,
    pub(crate) history_answered: Counter,
    pub(crate) history_bytes: Counter,
    pub(crate) history_refused: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) handshakes_failed: Counter,
    pub(crate) published: Counter,
    pub(crate) publications_dropped: Counter,
    pub(crate) gossip_received: Counter,
    pub(crate) gossip_refused: Counter,
    pub(crate) gossip_dropped: Counter,
    pub(crate) slow_observers: Counter,
}
