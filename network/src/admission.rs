//! Who may connect, and how often. Members always may; outsiders (observers, the curious, the
//! hostile) share a fixed number of places, some of them for each IP address, so that no address
//! takes them all and none of them takes a member's. Before the handshake everybody is a stranger:
//! there only the number of handshakes under way counts.

use crate::addresses::origin;
use crate::limits::Limits;
use crate::peers::Peers;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

/// Handshakes under way in all, as a multiple of those from one address.
const ADDRESSES_AT_ONCE: usize = 4;

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("{0} handshakes are under way from this address")]
    Handshakes(usize),
    #[error("{0} handshakes are under way")]
    AllHandshakes(usize),
    #[error("{0} connections stand with this peer")]
    Peer(usize),
    #[error("{0} outsiders are connected from this address")]
    Address(usize),
    #[error("{0} outsiders are connected")]
    Outsiders(usize),
    #[error("not an IP address")]
    NoAddress,
}

#[derive(Debug)]
pub(crate) struct Behaviour {
    members: Peers,
    handshakes: Places,
    outsiders: Places,
    peers: BTreeMap<PeerId, usize>,
    handshakes_per_address_max: usize,
    outsiders_max: usize,
    outsiders_per_address_max: usize,
    connections_per_peer_max: usize,
}

impl Behaviour {
    pub(crate) fn new(members: Peers, limits: &Limits) -> Self {
        Self {
            members,
            handshakes: Places::default(),
            outsiders: Places::default(),
            peers: BTreeMap::new(),
            handshakes_per_address_max: limits.handshakes_per_address_max,
            outsiders_max: limits.outsiders_max,
            outsiders_per_address_max: limits.outsiders_per_address_max,
            connections_per_peer_max: limits.connections_per_peer_max,
        }
    }

    /// Connections of outsiders that stand.
    pub(crate) fn outsiders(&self) -> usize {
        self.outsiders.all.len()
    }

    /// Takes a place for a handshake.
    fn greet(&mut self, id: ConnectionId, remote: &Multiaddr) -> Result<(), Refused> {
        let from = origin(remote).ok_or(Refused::NoAddress)?;
        let here = self.handshakes.count(from);
        if here >= self.handshakes_per_address_max {
            return Err(Refused::Handshakes(here));
        }
        let all = self.handshakes.all.len();
        if all >= ADDRESSES_AT_ONCE.saturating_mul(self.handshakes_per_address_max) {
            return Err(Refused::AllHandshakes(all));
        }
        self.handshakes.take(id, from);
        Ok(())
    }

    /// Whether a connection whose peer is known now may stand.
    fn admit(&self, peer: &PeerId, remote: &Multiaddr) -> Result<(), Refused> {
        let standing = self.peers.get(peer).copied().unwrap_or(0);
        if standing >= self.connections_per_peer_max {
            return Err(Refused::Peer(standing));
        }
        if self.members.contains(peer) {
            return Ok(());
        }
        let all = self.outsiders.all.len();
        if all >= self.outsiders_max {
            return Err(Refused::Outsiders(all));
        }
        let here = self
            .outsiders
            .count(origin(remote).ok_or(Refused::NoAddress)?);
        if here >= self.outsiders_per_address_max {
            return Err(Refused::Address(here));
        }
        Ok(())
    }

    fn stands(&mut self, id: ConnectionId, peer: PeerId, remote: &Multiaddr) {
        *self.peers.entry(peer).or_default() += 1;
        if let Some(from) = origin(remote).filter(|_| !self.members.contains(&peer)) {
            self.outsiders.take(id, from);
        }
    }

    fn ended(&mut self, id: ConnectionId, peer: PeerId) {
        self.outsiders.leave(id);
        if let Some(standing) = self.peers.get_mut(&peer) {
            *standing -= 1;
            if *standing == 0 {
                self.peers.remove(&peer);
            }
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.greet(id, remote).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handshakes.leave(id);
        self.admit(&peer, remote)
            .map(|()| dummy::ConnectionHandler)
            .map_err(ConnectionDenied::new)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(&peer, remote)
            .map(|()| dummy::ConnectionHandler)
            .map_err(ConnectionDenied::new)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(new) => {
                let remote = new.endpoint.get_remote_address();
                self.stands(new.connection_id, new.peer_id, remote);
            }
            FromSwarm::ConnectionClosed(closed) => {
                self.ended(closed.connection_id, closed.peer_id);
            }
            FromSwarm::ListenFailure(failed) => self.handshakes.leave(failed.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// Who takes a place, and from where.
#[derive(Debug, Default)]
struct Places {
    all: BTreeMap<ConnectionId, IpAddr>,
    per_address: BTreeMap<IpAddr, usize>,
}

impl Places {
    fn count(&self, from: IpAddr) -> usize {
        self.per_address.get(&from).copied().unwrap_or(0)
    }

    fn take(&mut self, id: ConnectionId, from: IpAddr) {
        if self.all.insert(id, from).is_none() {
            *self.per_address.entry(from).or_default() += 1;
        }
    }

    fn leave(&mut self, id: ConnectionId) {
        let Some(from) = self.all.remove(&id) else {
            return;
        };
        if let Some(taken) = self.per_address.get_mut(&from) {
            *taken -= 1;
            if *taken == 0 {
                self.per_address.remove(&from);
            }
        }
    }
}

#[cfg(test)]
mod tests;
