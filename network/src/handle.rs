use crate::config::{self, Member, Role};
use crate::error::{FetchError, NetworkError, SendError};
use crate::fetch;
use crate::frame::{Frame, FrameKind};
use crate::link::Link;
use crate::seating::Seating;
use crate::shared::Shared;
use crate::status::{NetworkStats, PeerStatus};
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;
use tokio::time::timeout;
use weft_types::MemberIndex;

/// A running network. Cheap to clone; when the last one is dropped the network ends. Nothing here
/// waits, except for [`fetch`](Self::fetch) and [`shutdown`](Self::shutdown).
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    _last: Arc<StopOnDrop>,
}

#[derive(Debug)]
struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            _last: Arc::new(StopOnDrop(shared.clone())),
            shared,
        }
    }

    /// Queues a frame for one member. Frames wait while the member is not connected; when too many
    /// wait the oldest are dropped.
    ///
    /// # Errors
    /// When the frame cannot be sent at all. Success does not mean that it arrives.
    pub fn send(&self, to: MemberIndex, kind: FrameKind, bytes: Bytes) -> Result<(), SendError> {
        self.check_frame(&bytes)?;
        let link = self.link(to).ok_or(SendError::NoPeer(to))?;
        link.send(Frame {
            kind,
            payload: bytes,
        });
        Ok(())
    }

    /// Queues a frame for every other member, as [`send`](Self::send) does for one. The bytes are
    /// held once.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn broadcast(&self, kind: FrameKind, bytes: Bytes) -> Result<(), SendError> {
        self.check_frame(&bytes)?;
        for link in self.shared.links().values() {
            link.send(Frame {
                kind,
                payload: bytes.clone(),
            });
        }
        Ok(())
    }

    /// Publishes to the observers that are connected to this member, if there are any.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn publish(&self, kind: FrameKind, bytes: Bytes) -> Result<(), SendError> {
        self.check_frame(&bytes)?;
        let shared = &self.shared;
        if shared.observers.load(Ordering::Relaxed) > 0 {
            let dropped = shared.publications.push(Frame {
                kind,
                payload: bytes,
            });
            shared.counters.publications_dropped.add(dropped);
        }
        Ok(())
    }

    /// Asks a member, and waits for its answer: as a member by the members' protocol, as an observer
    /// by the one for history. May be dropped at any time.
    ///
    /// # Errors
    /// Says why there is no answer; [`FetchError::Busy`], [`FetchError::NotConnected`] and the
    /// lengths come at once.
    pub async fn fetch(&self, from: MemberIndex, request: Bytes) -> Result<Bytes, FetchError> {
        let shared = &self.shared;
        if shared.stop.is_cancelled() {
            return Err(FetchError::Closed);
        }
        let link = self.link(from).ok_or(FetchError::NoPeer(from))?;
        fetch::ask(shared, &link, &request).await
    }

    /// Asks a member by the protocol for history, whatever this node is: one that is a member for itself, and for
    /// the other one no longer, or not yet. Otherwise as [`fetch`](Self::fetch).
    ///
    /// # Errors
    /// As of `fetch`.
    pub async fn history(&self, from: MemberIndex, request: Bytes) -> Result<Bytes, FetchError> {
        let shared = &self.shared;
        if shared.stop.is_cancelled() {
            return Err(FetchError::Closed);
        }
        let link = self.link(from).ok_or(FetchError::NoPeer(from))?;
        fetch::ask_outside(shared, &link, &request).await
    }

    /// How the links with all other members stand, by index.
    pub fn peers(&self) -> Vec<PeerStatus> {
        let links = self.shared.links();
        links.values().map(|link| link.status()).collect()
    }

    /// What concerns no single member.
    pub fn stats(&self) -> NetworkStats {
        let shared = &self.shared;
        let counters = &shared.counters;
        NetworkStats {
            observers: shared.observers.load(Ordering::Relaxed),
            outsiders: shared.outsiders.load(Ordering::Relaxed),
            streams_refused: counters.streams_refused.get(),
            history_answered: counters.history_answered.get(),
            history_bytes: counters.history_bytes.get(),
            history_refused: counters.history_refused.get(),
            connections_refused: counters.connections_refused.get(),
            handshakes_failed: counters.handshakes_failed.get(),
            published: counters.published.get(),
            publications_dropped: counters.publications_dropped.get(),
            gossip_received: counters.gossip_received.get(),
            gossip_refused: counters.gossip_refused.get(),
            gossip_dropped: counters.gossip_dropped.get(),
            slow_observers: counters.slow_observers.get(),
        }
    }

    /// Where this node listens, with the ports that it got.
    pub fn listen_addresses(&self) -> Vec<Multiaddr> {
        let all = &self.shared.listening;
        all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// This node's libp2p identity.
    pub fn peer_id(&self) -> PeerId {
        self.shared.own
    }

    /// Cuts the link with a member and refuses it from now on, from either side: for tests and
    /// faults. Frames go on waiting for it.
    ///
    /// # Errors
    /// When there is no such peer.
    pub fn block(&self, member: MemberIndex) -> Result<(), SendError> {
        self.set_blocked(member, true)
    }

    /// Ends a [`block`](Self::block).
    ///
    /// # Errors
    /// When there is no such peer.
    pub fn unblock(&self, member: MemberIndex) -> Result<(), SendError> {
        self.set_blocked(member, false)
    }

    /// Has another committee from now on, and perhaps another index in it. Links with the members of both stand as they
    /// did; the others end or begin. Who was a member has to be one still, and who was an observer one.
    ///
    /// What comes before this returns names members by their index of before. Who is connected is told anew.
    ///
    /// # Errors
    /// Names what is wrong with the committee. Then it is that of before.
    pub async fn seat(&self, role: Role, committee: &[Member]) -> Result<(), NetworkError> {
        let shared = &self.shared;
        if matches!(role, Role::Observer) != matches!(shared.role, Role::Observer) {
            return Err(NetworkError::Config {
                field: "role",
                problem: format!("{:?} cannot become {role:?}", shared.role),
            });
        }
        let members = config::others(shared.own, role, committee)?;
        let (done, seated) = oneshot::channel();
        let sent = shared.seatings.send(Seating { members, done }).await;
        sent.map_err(|_| NetworkError::Closed)?;
        seated.await.map_err(|_| NetworkError::Closed)
    }

    /// Ends all connections and tasks. Events that wait can still be taken.
    ///
    /// # Errors
    /// When some task has not ended within the limit.
    pub async fn shutdown(&self) -> Result<(), NetworkError> {
        let shared = &self.shared;
        shared.stop();
        let after = shared.limits.shutdown_timeout;
        timeout(after, shared.tasks.ended())
            .await
            .map_err(|_| NetworkError::ShutdownTimeout {
                tasks: shared.tasks.running(),
                after,
            })
    }

    fn link(&self, member: MemberIndex) -> Option<Arc<Link>> {
        self.shared.links().get(&member).cloned()
    }

    fn set_blocked(&self, member: MemberIndex, blocked: bool) -> Result<(), SendError> {
        let link = self.link(member).ok_or(SendError::NoPeer(member))?;
        link.set_blocked(blocked);
        self.shared.blocks.notify_one();
        Ok(())
    }

    fn check_frame(&self, bytes: &Bytes) -> Result<(), SendError> {
        let shared = &self.shared;
        if shared.stop.is_cancelled() {
            return Err(SendError::Closed);
        }
        if shared.role == Role::Observer {
            return Err(SendError::Observer);
        }
        let (bytes, bytes_max) = (bytes.len(), shared.limits.frame_bytes_max);
        if bytes > bytes_max {
            return Err(SendError::TooLong { bytes, bytes_max });
        }
        Ok(())
    }
}
