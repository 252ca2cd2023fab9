//! The one task that owns the libp2p swarm. It never waits for a peer or for the node: what takes
//! time is handed to the links' tasks, and what it cannot hand over it drops and counts.

use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::config::Role;
use crate::dialer::Dialer;
use crate::event::Event;
use crate::frame::{Frame, cost};
use crate::inbox::Lane;
use crate::link::Link;
use crate::seating::{Parting, Seating};
use crate::shared::Shared;
use crate::substreams::{self, Channel, Open, Opened};
use crate::{addresses, fetch, gossip, history};
use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{self, MessageAcceptance, PublishError, TopicHash};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, ping};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Time between two publications. A burst handed to gossipsub at once would overflow the queues of
/// observers that are as quick as can be.
const PUBLISH_SPACING: Duration = Duration::from_millis(1);

pub(crate) struct SwarmTask {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) links: BTreeMap<PeerId, Arc<Link>>,
    pub(crate) opens: mpsc::Receiver<(PeerId, Open)>,
    pub(crate) seatings: mpsc::Receiver<Seating>,
    pub(crate) parting: Parting,
    pub(crate) dialer: Dialer<PeerId>,
    /// Addresses on their way from the name server.
    pub(crate) resolving: JoinSet<(PeerId, Vec<Multiaddr>)>,
    /// Publications that wait for the node, if it is an observer.
    pub(crate) lane: Lane,
    pub(crate) topic: TopicHash,
    pub(crate) observers: BTreeSet<PeerId>,
    /// Not before this is anything published.
    pub(crate) publish_from: Instant,
    /// Listeners that have no address yet, and whom to tell when there are none.
    pub(crate) starting: HashSet<ListenerId>,
    pub(crate) started: Option<oneshot::Sender<()>>,
}

impl SwarmTask {
    /// Runs until cancelled.
    pub(crate) async fn run(mut self) {
        self.started_if_all_listen();
        loop {
            let (dial_at, part_at) = (self.dialer.next(), self.parts_at());
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some((peer, open)) = self.opens.recv() => {
                    self.swarm.behaviour_mut().substreams.open(peer, open);
                }
                Some(seating) = self.seatings.recv() => {
                    self.seat(seating.members);
                    // Whoever waited may have given up.
                    let _ = seating.done.send(());
                }
                frame = next_publication(&self.shared, self.publish_from) => self.publish(&frame),
                () = self.shared.blocks.notified() => self.apply_blocks(),
                Some(Ok((peer, addresses))) = self.resolving.join_next() => {
                    self.dial(peer, addresses);
                }
                () = sleep_until(dial_at.unwrap_or_else(Instant::now)), if dial_at.is_some() => {
                    self.resolve_due();
                }
                () = sleep_until(part_at.unwrap_or_else(Instant::now)), if part_at.is_some() => {
                    self.disconnect_due();
                }
            }
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let shared = self.shared.clone();
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.on_connected(peer_id),
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established,
                cause,
                ..
            } => {
                tracing::debug!(peer = %peer_id, ?cause, num_established, "connection closed");
                self.on_connection_closed(peer_id, num_established == 0);
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(?peer_id, %error, "dial failed");
                match error {
                    DialError::WrongPeerId { .. } => shared.counters.handshakes_failed.add(1),
                    DialError::Denied { .. } => shared.counters.connections_refused.add(1),
                    _ => {}
                }
                if let Some(peer) = peer_id {
                    self.dialer.failed(peer, Instant::now());
                }
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error,
                ..
            } => {
                tracing::debug!(from = %send_back_addr, %error, "connection not accepted");
                match error {
                    ListenError::Denied { .. } => shared.counters.connections_refused.add(1),
                    _ => shared.counters.handshakes_failed.add(1),
                }
            }
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } => {
                tracing::info!(%address, "listening");
                self.listening(|all| all.push(address));
                self.starting.remove(&listener_id);
                self.started_if_all_listen();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening(|all| all.retain(|listening| *listening != address));
            }
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                tracing::error!(?addresses, ?reason, "no longer listening");
                self.listening(|all| all.retain(|listening| !addresses.contains(listening)));
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "cannot accept a connection");
            }
            _ => {}
        }
        let outsiders = self.swarm.behaviour().admission.outsiders();
        shared.outsiders.store(outsiders, Ordering::Relaxed);
    }

    fn on_connected(&mut self, peer: PeerId) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        self.dialer.connected(peer, Instant::now());
        link.set_connected(true);
        self.observer_link(link, true);
    }

    fn on_connection_closed(&mut self, peer: PeerId, last: bool) {
        if !last {
            return;
        }
        if self.observers.remove(&peer) {
            self.count_observers();
        }
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        link.set_connected(false);
        self.dialer.disconnected(peer, Instant::now());
        if link.is_blocked() {
            self.dialer.suspend(peer);
        }
        self.observer_link(link, false);
    }

    /// For an observer a link is up when there is a connection; for a member its writer decides.
    fn observer_link(&self, link: &Link, up: bool) {
        if self.shared.role == Role::Observer {
            link.set_up(up);
            self.shared.inbox.link(link, up);
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Substreams(substreams::Event::Opened(opened)) => self.on_stream(opened),
            BehaviourEvent::Substreams(substreams::Event::Refused { peer }) => {
                tracing::debug!(%peer, "peer tried to open a protocol that is not for it");
                self.shared.counters.streams_refused.add(1);
            }
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Ping(ping::Event { peer, result, .. }) => {
                // A ping that fails proves nothing: silence ends a connection.
                if let (Ok(rtt), Some(link)) = (result, self.links.get(&peer)) {
                    link.measured(rtt);
                }
            }
            BehaviourEvent::Identify(event) => tracing::trace!(?event, "identify"),
            BehaviourEvent::Blocked(never) | BehaviourEvent::Admission(never) => match never {},
        }
    }

    fn on_stream(&mut self, opened: Opened) {
        let Opened { peer, stream, .. } = opened;
        let link = self.links.get(&peer).filter(|link| !link.is_blocked());
        match (opened.channel, link) {
            (Channel::History, _) => {
                if !history::opened(&self.shared, peer, opened.origin, stream) {
                    let streams = &mut self.swarm.behaviour_mut().substreams;
                    streams.history_refused(peer, opened.connection, Instant::now());
                }
            }
            (_, None) => {}
            (Channel::Vertex, Some(link)) => link.arrived.put(stream),
            (Channel::Fetch, Some(link)) => match link.fetches_in.clone().try_acquire_owned() {
                Ok(place) => {
                    let (shared, link) = (self.shared.clone(), link.clone());
                    self.shared
                        .tasks
                        .spawn(fetch::answer(shared, link, stream, place));
                }
                Err(_) => link.counters.fetches_refused.add(1),
            },
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            } => {
                self.swarm
                    .behaviour_mut()
                    .gossip
                    .report_message_validation_result(
                        &message_id,
                        &propagation_source,
                        MessageAcceptance::Ignore,
                    );
                self.on_publication(propagation_source, message.data);
            }
            gossipsub::Event::Subscribed { peer_id, topic } if topic == self.topic => {
                self.observers.insert(peer_id);
                self.swarm.behaviour_mut().substreams.keep(peer_id, true);
                self.count_observers();
            }
            gossipsub::Event::Unsubscribed { peer_id, topic } if topic == self.topic => {
                self.observers.remove(&peer_id);
                self.swarm.behaviour_mut().substreams.keep(peer_id, false);
                self.count_observers();
            }
            gossipsub::Event::SlowPeer {
                peer_id,
                failed_messages,
            } => {
                let lost = failed_messages.non_priority as u64;
                self.shared.counters.publications_dropped.add(lost);
                if !self.links.contains_key(&peer_id)
                    && self.swarm.disconnect_peer_id(peer_id).is_ok()
                {
                    tracing::debug!(peer = %peer_id, lost, "observer does not keep up");
                    self.shared.counters.slow_observers.add(1);
                }
            }
            _ => {}
        }
    }

    fn on_publication(&mut self, source: PeerId, data: Vec<u8>) {
        let counters = &self.shared.counters;
        let (Some(link), Some(frame)) = (self.links.get(&source), gossip::unpack(data)) else {
            counters.gossip_refused.add(1);
            return;
        };
        let Some(room) = self.lane.try_room(cost(frame.payload.len())) else {
            counters.gossip_dropped.add(1);
            return;
        };
        counters.gossip_received.add(1);
        let event = Event::Gossip {
            from: link.member(),
            kind: frame.kind,
            bytes: frame.payload,
        };
        self.lane.push(event, room);
    }

    fn publish(&mut self, frame: &Frame) {
        self.publish_from = Instant::now() + PUBLISH_SPACING;
        let counters = &self.shared.counters;
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        match gossip.publish(self.topic.clone(), gossip::pack(frame)) {
            Ok(_) => counters.published.add(1),
            Err(PublishError::NoPeersSubscribedToTopic | PublishError::Duplicate) => {}
            // Each of these peers is reported as slow, too, and counted there.
            Err(PublishError::AllQueuesFull(_)) => {}
            Err(error) => {
                tracing::warn!(%error, bytes = frame.payload.len(), "cannot publish");
                counters.publications_dropped.add(1);
            }
        }
    }

    fn count_observers(&self) {
        let observers = self.observers.len();
        self.shared.observers.store(observers, Ordering::Relaxed);
    }

    /// Brings the swarm in line with what the links say.
    fn apply_blocks(&mut self) {
        let blocked = &mut self.swarm.behaviour_mut().blocked;
        for (peer, link) in &self.links {
            if link.is_blocked() {
                // Ends the connections that stand.
                if blocked.block_peer(*peer) {
                    self.dialer.suspend(*peer);
                }
            } else if blocked.unblock_peer(*peer) {
                self.dialer.resume(*peer, Instant::now());
            }
        }
    }

    fn resolve_due(&mut self) {
        for peer in self.dialer.due(Instant::now()) {
            let Some(link) = self.links.get(&peer) else {
                continue;
            };
            let addresses = link.addresses();
            self.resolving
                .spawn(async move { (peer, addresses::resolve(addresses).await) });
        }
    }

    fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let Some(link) = self.links.get(&peer) else {
            return;
        };
        if link.is_connected() || link.is_blocked() {
            return;
        }
        let dial = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            // From the listener's port, two sides dialling each other at once would collide.
            .allocate_new_port()
            .build();
        if let Err(error) = self.swarm.dial(dial) {
            tracing::debug!(member = %link.member(), %error, "cannot dial");
            self.dialer.failed(peer, Instant::now());
        }
    }

    fn listening(&self, change: impl FnOnce(&mut Vec<Multiaddr>)) {
        let all = &self.shared.listening;
        change(&mut all.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn started_if_all_listen(&mut self) {
        if self.starting.is_empty()
            && let Some(started) = self.started.take()
        {
            // Whoever waited may have given up; then it stops this task.
            let _ = started.send(());
        }
    }
}

/// Loses nothing when dropped before it is ready.
async fn next_publication(shared: &Shared, from: Instant) -> Frame {
    sleep_until(from).await;
    shared.publications.pop().await
}
