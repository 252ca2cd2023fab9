//! One connection's side of the protocols on streams.

use super::{Channel, Open, OpenError};
use crate::protocols::Protocols;
use futures::future::{Ready, ready};
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
};
use libp2p::{Stream, StreamProtocol};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// Longest negotiation of a stream's protocol.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(5);

type Reply = oneshot::Sender<Result<Stream, OpenError>>;

#[derive(Debug)]
pub(crate) enum ToHandler {
    Open(Open),
    Keep(bool),
}

#[derive(Debug)]
pub(crate) enum FromHandler {
    Opened(Channel, Stream),
    Refused,
}

#[derive(Debug)]
pub(crate) struct Handler {
    protocols: Protocols,
    /// What the peer may open.
    admits: &'static [Channel],
    /// Whether the connection stays when it is idle.
    keep: bool,
    wanted: VecDeque<Open>,
    waiting: VecDeque<FromHandler>,
}

impl Handler {
    pub(super) fn new(protocols: Protocols, admits: &'static [Channel], keep: bool) -> Self {
        Self {
            protocols,
            admits,
            keep,
            wanted: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    fn name(&self, channel: Channel) -> StreamProtocol {
        match channel {
            Channel::Vertex => self.protocols.vertex.clone(),
            Channel::Fetch => self.protocols.fetch.clone(),
            Channel::History => self.protocols.history.clone(),
        }
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = ToHandler;
    type ToBehaviour = FromHandler;
    type InboundProtocol = Offer;
    type OutboundProtocol = Offer;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Reply;

    /// The same for everybody: a refusal that is counted tells more than a protocol unknown.
    fn listen_protocol(&self) -> SubstreamProtocol<Offer> {
        let offer = Offer(vec![
            (self.name(Channel::Vertex), Channel::Vertex),
            (self.name(Channel::Fetch), Channel::Fetch),
            (self.name(Channel::History), Channel::History),
        ]);
        SubstreamProtocol::new(offer, ()).with_timeout(NEGOTIATION_TIMEOUT)
    }

    fn connection_keep_alive(&self) -> bool {
        self.keep
    }

    fn on_behaviour_event(&mut self, event: ToHandler) {
        match event {
            ToHandler::Open(open) => self.wanted.push_back(open),
            ToHandler::Keep(keep) => self.keep = keep,
        }
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Offer, Reply, FromHandler>> {
        if let Some(event) = self.waiting.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if let Some(Open { channel, reply }) = self.wanted.pop_front() {
            let offer = Offer(vec![(self.name(channel), channel)]);
            let protocol = SubstreamProtocol::new(offer, reply).with_timeout(NEGOTIATION_TIMEOUT);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Offer, Offer, (), Reply>) {
        // Whoever asked for a stream may be gone by now; then the stream is dropped, and so reset.
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (channel, stream),
                ..
            }) => self
                .waiting
                .push_back(match self.admits.contains(&channel) {
                    true => FromHandler::Opened(channel, stream),
                    false => FromHandler::Refused,
                }),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (_, stream),
                info: reply,
            }) => {
                let _ = reply.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: reply, error }) => {
                let _ = reply.send(Err(match error {
                    StreamUpgradeError::NegotiationFailed => OpenError::Unsupported,
                    other => OpenError::Failed(other.to_string()),
                }));
            }
            _ => {}
        }
    }
}

/// Protocols offered on a stream, with what they are; the upgrade does no I/O of its own.
#[derive(Debug)]
pub(crate) struct Offer(Vec<(StreamProtocol, Channel)>);

impl Offer {
    fn settle(self, stream: Stream, name: &StreamProtocol) -> (Channel, Stream) {
        let settled = self.0.into_iter().find(|(offered, _)| offered == name);
        let (_, channel) = settled.expect("negotiation ends with an offered protocol");
        (channel, stream)
    }
}

impl UpgradeInfo for Offer {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        let names: Vec<_> = self.0.iter().map(|(name, _)| name.clone()).collect();
        names.into_iter()
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = (Channel, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok(self.settle(stream, &name)))
    }
}

impl OutboundUpgrade<Stream> for Offer {
    type Output = (Channel, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, name: StreamProtocol) -> Self::Future {
        ready(Ok(self.settle(stream, &name)))
    }
}
