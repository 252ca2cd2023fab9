//! The protocols on streams: who may open them, and the streams themselves.
//!
//! Towards a member, members of the committee may open those for frames and fetches, and nobody but
//! outsiders the one for history; towards an observer nobody may open anything. Any other stream is
//! reset as soon as its protocol is named, before a byte of its content is read, and counted; a
//! connection that goes on trying is closed. The check stands where streams are accepted, so no
//! later code can forget it.

mod handler;

use crate::addresses::origin;
use crate::peers::Peers;
use crate::protocols::Protocols;
use handler::{FromHandler, Handler, ToHandler};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Refused streams after which a connection is closed.
const REFUSALS_MAX: u32 = 8;

/// The protocols on streams: two between members, one of observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Vertex,
    Fetch,
    History,
}

/// Who is a member here may be none for itself yet, and follow as an observer does.
const OF_MEMBERS: &[Channel] = &[Channel::Vertex, Channel::Fetch, Channel::History];
const OF_OUTSIDERS: &[Channel] = &[Channel::History];

/// A wish for a new stream.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) channel: Channel,
    pub(crate) reply: oneshot::Sender<Result<Stream, OpenError>>,
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("not connected")]
    NotConnected,
    #[error("the connection went down")]
    Lost,
    #[error("the peer does not speak the protocol with us")]
    Unsupported,
    #[error("{0}")]
    Failed(String),
}

/// What the swarm's task learns.
#[derive(Debug)]
pub(crate) enum Event {
    /// A peer opened a stream that it may open.
    Opened(Opened),
    /// A peer tried to open another one.
    Refused { peer: PeerId },
}

/// A stream that was opened by a peer.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    /// Whom the connection is counted against.
    pub(crate) origin: Option<IpAddr>,
    pub(crate) channel: Channel,
    pub(crate) stream: Stream,
}

#[derive(Debug)]
pub(crate) struct Behaviour {
    protocols: Protocols,
    /// Peers whose connections are kept: all members but this node.
    members: Peers,
    /// Whether this node is a member, so that peers may open streams.
    admits: bool,
    history_refusals_per_second_max: u32,
    connections: BTreeMap<PeerId, Vec<Connection>>,
    waiting: VecDeque<ToSwarm<Event, ToHandler>>,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    origin: Option<IpAddr>,
    /// Streams of protocols that are not for the peer.
    refusals: u32,
    /// Refused requests for history in the second that began then.
    history_refusals: u32,
    since: Instant,
}

impl Behaviour {
    pub(crate) fn new(
        protocols: Protocols,
        members: Peers,
        admits: bool,
        history_refusals_per_second_max: u32,
    ) -> Self {
        Self {
            protocols,
            members,
            admits,
            history_refusals_per_second_max,
            connections: BTreeMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Opens a stream on the newest connection with the peer: an older one may be dead without
    /// anybody's knowing yet.
    pub(crate) fn open(&mut self, peer: PeerId, open: Open) {
        let Some(newest) = self.connections.get(&peer).and_then(|all| all.last()) else {
            // The asker may be gone; then there is nobody to tell.
            let _ = open.reply.send(Err(OpenError::NotConnected));
            return;
        };
        self.waiting.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(newest.id),
            event: ToHandler::Open(open),
        });
    }

    /// Keeps an outsider's connections open although they are idle, or no longer.
    pub(crate) fn keep(&mut self, peer: PeerId, keep: bool) {
        for connection in self.connections.get(&peer).into_iter().flatten() {
            self.waiting.push_back(ToSwarm::NotifyHandler {
                peer_id: peer,
                handler: NotifyHandler::One(connection.id),
                event: ToHandler::Keep(keep),
            });
        }
    }

    /// A request for history on the connection was refused: if that happens too often, the
    /// connection is closed.
    pub(crate) fn history_refused(&mut self, peer: PeerId, id: ConnectionId, now: Instant) {
        let max = self.history_refusals_per_second_max;
        let Some(connection) = self.connection(&peer, id) else {
            return;
        };
        if now.saturating_duration_since(connection.since) >= Duration::from_secs(1) {
            connection.since = now;
            connection.history_refusals = 0;
        }
        connection.history_refusals = connection.history_refusals.saturating_add(1);
        if connection.history_refusals == max.saturating_add(1) {
            self.close(peer, id);
        }
    }

    fn connection(&mut self, peer: &PeerId, id: ConnectionId) -> Option<&mut Connection> {
        let mut all = self.connections.get_mut(peer)?.iter_mut();
        all.find(|connection| connection.id == id)
    }

    fn close(&mut self, peer: PeerId, id: ConnectionId) {
        self.waiting.push_back(ToSwarm::CloseConnection {
            peer_id: peer,
            connection: CloseConnection::One(id),
        });
    }

    fn handler(&self, peer: &PeerId) -> Handler {
        let member = self.members.contains(peer);
        let admits = match (self.admits, member) {
            (false, _) => &[],
            (true, true) => OF_MEMBERS,
            (true, false) => OF_OUTSIDERS,
        };
        Handler::new(self.protocols.clone(), admits, member)
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(&peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(new) => {
                let connection = Connection {
                    id: new.connection_id,
                    origin: origin(new.endpoint.get_remote_address()),
                    refusals: 0,
                    history_refusals: 0,
                    since: Instant::now(),
                };
                let all = self.connections.entry(new.peer_id).or_default();
                all.push(connection);
            }
            FromSwarm::ConnectionClosed(closed) => {
                let Some(all) = self.connections.get_mut(&closed.peer_id) else {
                    return;
                };
                all.retain(|connection| connection.id != closed.connection_id);
                if all.is_empty() {
                    self.connections.remove(&closed.peer_id);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        let event = match event {
            FromHandler::Opened(channel, stream) => Event::Opened(Opened {
                peer,
                connection: id,
                origin: self.connection(&peer, id).and_then(|c| c.origin),
                channel,
                stream,
            }),
            FromHandler::Refused => {
                let refusals = self.connection(&peer, id).map_or(0, |connection| {
                    connection.refusals = connection.refusals.saturating_add(1);
                    connection.refusals
                });
                // A member that is not in office for this node yet takes it for one.
                if refusals == REFUSALS_MAX && self.admits {
                    self.close(peer, id);
                }
                Event::Refused { peer }
            }
        };
        self.waiting.push_back(ToSwarm::GenerateEvent(event));
    }

    /// Needs no waker: everything that fills the queue is called by the swarm or by the task that
    /// polls it, and both poll afterwards.
    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        match self.waiting.pop_front() {
            Some(next) => Poll::Ready(next),
            None => Poll::Pending,
        }
    }
}
