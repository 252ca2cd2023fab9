//! The members' protocols: who may open them, and the streams themselves.
//!
//! Only members of the committee, and only towards a member. From anybody else a stream of these
//! protocols is reset as soon as its protocol is named, before a byte of its content is read, and
//! counted; a connection that goes on trying is closed. The check stands where streams are
//! accepted, so no later code can forget it.

mod handler;

use crate::protocols::Protocols;
use handler::{FromHandler, Handler, ToHandler};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// Refused streams after which a connection is closed.
const REFUSALS_MAX: u32 = 8;

/// The two protocols between members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Vertex,
    Fetch,
}

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
    /// A member opened a stream.
    Opened {
        peer: PeerId,
        channel: Channel,
        stream: Stream,
    },
    /// An outsider tried to.
    Refused { peer: PeerId },
}

#[derive(Debug)]
pub(crate) struct Behaviour {
    protocols: Protocols,
    /// Peers whose connections are kept: all members but this node.
    members: BTreeSet<PeerId>,
    /// Whether this node is a member, so that members may open streams.
    admits: bool,
    connections: BTreeMap<PeerId, Vec<Connection>>,
    waiting: VecDeque<ToSwarm<Event, ToHandler>>,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    refusals: u32,
}

impl Behaviour {
    pub(crate) fn new(protocols: Protocols, members: BTreeSet<PeerId>, admits: bool) -> Self {
        Self {
            protocols,
            members,
            admits,
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

    fn handler(&self, peer: &PeerId) -> Handler {
        let member = self.members.contains(peer);
        Handler::new(self.protocols.clone(), member && self.admits, member)
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
                    refusals: 0,
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
            FromHandler::Opened(channel, stream) => Event::Opened {
                peer,
                channel,
                stream,
            },
            FromHandler::Refused => Event::Refused { peer },
        };
        if matches!(event, Event::Refused { .. }) {
            let all = self.connections.get_mut(&peer).into_iter().flatten();
            for connection in all.filter(|connection| connection.id == id) {
                connection.refusals += 1;
                if connection.refusals == REFUSALS_MAX {
                    self.waiting.push_back(ToSwarm::CloseConnection {
                        peer_id: peer,
                        connection: CloseConnection::One(id),
                    });
                }
            }
        }
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
