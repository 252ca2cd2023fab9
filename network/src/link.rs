//! One member as this node sees it: what waits to go there, what waits from there, and whether the
//! way is open. The swarm's task opens and shuts the way, a writer and a reader task use it.

use crate::config::{Member, Role};
use crate::frame::{Frame, ReadError};
use crate::inbox::{Inbox, Lane};
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::status::{LinkCounters, PeerStatus};
use libp2p::{Multiaddr, PeerId, Stream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use weft_types::MemberIndex;

#[derive(Debug)]
pub(crate) struct Link {
    /// The member's index in the committee that this node has.
    member: AtomicU32,
    pub(crate) peer: PeerId,
    addresses: Mutex<Vec<Multiaddr>>,
    pub(crate) outbox: Outbox,
    pub(crate) lane: Lane,
    pub(crate) arrived: Newest,
    pub(crate) fetches_out: Semaphore,
    pub(crate) fetches_in: Arc<Semaphore>,
    pub(crate) counters: LinkCounters,
    way: watch::Sender<Way>,
    /// Once it is no member any more.
    pub(crate) gone: CancellationToken,
    /// Once nothing more is sent to it.
    pub(crate) ended: CancellationToken,
    /// Whether frames leave at once.
    up: AtomicBool,
    /// Smoothed round trip in microseconds; 0 is none yet.
    rtt_micros: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Way {
    connected: bool,
    blocked: bool,
}

impl Way {
    fn is_open(&self) -> bool {
        self.connected && !self.blocked
    }
}

impl Link {
    pub(crate) fn new(
        peer: PeerId,
        member: Member,
        role: Role,
        limits: &Limits,
        inbox: &Arc<Inbox>,
    ) -> Self {
        let fetches_out = match role {
            Role::Member(_) => limits.fetches_in_flight_max,
            // What the member would refuse is not even asked.
            Role::Observer => limits.history.observer.in_flight_max,
        };
        Self {
            member: AtomicU32::new(member.index.0),
            peer,
            addresses: Mutex::new(member.addresses),
            outbox: Outbox::new(limits.outgoing_bytes_max),
            lane: inbox.lane(limits.incoming_bytes_max),
            arrived: Newest::default(),
            fetches_out: Semaphore::new(fetches_out),
            fetches_in: Arc::new(Semaphore::new(limits.fetches_in_flight_max)),
            counters: LinkCounters::default(),
            way: watch::Sender::default(),
            gone: CancellationToken::new(),
            ended: CancellationToken::new(),
            up: AtomicBool::new(false),
            rtt_micros: AtomicU64::new(0),
        }
    }

    pub(crate) fn member(&self) -> MemberIndex {
        MemberIndex(self.member.load(Ordering::Relaxed))
    }

    /// The member has another index from now on.
    pub(crate) fn seat(&self, index: MemberIndex) {
        self.member.store(index.0, Ordering::Relaxed);
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> Vec<Multiaddr> {
        let addresses = self.addresses.lock();
        addresses.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_addresses(&self, addresses: Vec<Multiaddr>) {
        *self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Puts a frame where the writer takes it from.
    pub(crate) fn send(&self, frame: Frame) {
        let dropped = self.outbox.push(frame);
        self.counters.dropped_frames.add(dropped);
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.way.send_modify(|way| way.connected = connected);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.way.borrow().connected
    }

    pub(crate) fn set_blocked(&self, blocked: bool) {
        self.way.send_modify(|way| way.blocked = blocked);
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.way.borrow().blocked
    }

    pub(crate) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Waits until there is a connection that may be used.
    pub(crate) async fn opened(&self) {
        self.until(Way::is_open).await;
    }

    /// Waits until there is none.
    pub(crate) async fn shut(&self) {
        self.until(|way| !way.is_open()).await;
    }

    async fn until(&self, what: impl FnMut(&Way) -> bool) {
        let mut way = self.way.subscribe();
        way.wait_for(what).await.expect("the link owns the sender");
    }

    /// Takes in a measured round trip.
    pub(crate) fn measured(&self, rtt: Duration) {
        let rtt = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX).max(1);
        let smoothed = match self.rtt_micros.load(Ordering::Relaxed) {
            0 => rtt,
            before => before - before / 8 + rtt / 8,
        };
        self.rtt_micros.store(smoothed.max(1), Ordering::Relaxed);
    }

    /// Counts what ended a stream, if the peer is to blame.
    pub(crate) fn blame(&self, error: &ReadError) {
        match error {
            ReadError::TooLong { .. } => self.counters.oversized.add(1),
            ReadError::Length | ReadError::NoKind => self.counters.malformed.add(1),
            ReadError::Ended | ReadError::Io(_) => {}
        }
    }

    pub(crate) fn status(&self) -> PeerStatus {
        let rtt = self.rtt_micros.load(Ordering::Relaxed);
        let counters = &self.counters;
        PeerStatus {
            member: self.member(),
            connected: self.is_up(),
            blocked: self.is_blocked(),
            rtt: (rtt > 0).then(|| Duration::from_micros(rtt)),
            queued_bytes: self.outbox.bytes(),
            waiting_bytes: self.lane.bytes(),
            dropped_frames: counters.dropped_frames.get(),
            sent_frames: counters.sent_frames.get(),
            sent_bytes: counters.sent_bytes.get(),
            received_frames: counters.received_frames.get(),
            received_bytes: counters.received_bytes.get(),
            oversized: counters.oversized.get(),
            malformed: counters.malformed.get(),
            fetches_answered: counters.fetches_answered.get(),
            fetches_refused: counters.fetches_refused.get(),
        }
    }
}

/// The newest stream that the member opened towards us. A member that opens another one has lost
/// the one before, so that one is dropped.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    stream: Mutex<Option<Stream>>,
    arrived: Notify,
}

impl Newest {
    pub(crate) fn put(&self, stream: Stream) {
        let mut place = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(stream);
        drop(place);
        self.arrived.notify_one();
    }

    /// The next stream to arrive. Loses nothing when dropped before it is ready.
    pub(crate) async fn next(&self) -> Stream {
        loop {
            let waiting = self
                .stream
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(stream) = waiting {
                return stream;
            }
            self.arrived.notified().await;
        }
    }
}
