//! Publications to observers, over gossipsub with one topic.
//!
//! - Members publish without subscribing, to each observer that is connected to them: they are in
//!   no mesh, receive nothing, and with no observer there it costs nothing.
//! - Messages are anonymous and named by the BLAKE3 hash of their content: who wrote a vertex is
//!   signed inside it, and two members that publish the same bytes publish one message.
//! - An observer believes members only, as far as taking what they hand over; what it gets is the
//!   node's to verify. It passes nothing on, so nobody can use it to spread anything
//!   (`validate_messages`, with the verdict always to ignore).

use crate::error::NetworkError;
use crate::frame::{Frame, FrameKind};
use crate::limits::Limits;
use crate::protocols::Protocols;
use bytes::Bytes;
use libp2p::gossipsub::{
    self, ConfigBuilder, IdentityTransform, Message, MessageAuthenticity, MessageId,
    ValidationMode, WhitelistSubscriptionFilter,
};
use std::time::Duration;

/// Room for what gossipsub wraps around a publication, its kind included.
const ENVELOPE_BYTES: usize = 1 << 10;
/// How often gossipsub looks after its peers, and finds those that do not keep up.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Heartbeats for which a member keeps what it published, for observers that ask again.
const HISTORY_HEARTBEATS: usize = 3;

pub(crate) type Behaviour = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

pub(crate) fn behaviour(protocols: &Protocols, limits: &Limits) -> Result<Behaviour, NetworkError> {
    let frame = limits.frame_bytes_max;
    let config = ConfigBuilder::default()
        .protocol_id_prefix(protocols.gossip.clone())
        .max_transmit_size(frame + ENVELOPE_BYTES)
        .connection_handler_queue_len(limits.observer_bytes_max / frame)
        .heartbeat_initial_delay(HEARTBEAT)
        .heartbeat_interval(HEARTBEAT)
        .history_length(HISTORY_HEARTBEATS)
        .history_gossip(HISTORY_HEARTBEATS)
        .flood_publish(true)
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message: &Message| MessageId::new(blake3::hash(&message.data).as_bytes()))
        .build()
        .map_err(|error| NetworkError::Transport(error.to_string()))?;
    let known = WhitelistSubscriptionFilter([protocols.observer_topic.hash()].into());
    Behaviour::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, known)
        .map_err(|error| NetworkError::Transport(error.to_owned()))
}

/// A publication is its kind and then its payload.
pub(crate) fn pack(frame: &Frame) -> Vec<u8> {
    let mut data = Vec::with_capacity(1 + frame.payload.len());
    data.push(frame.kind.0);
    data.extend_from_slice(&frame.payload);
    data
}

/// `None` when there is no kind.
pub(crate) fn unpack(data: Vec<u8>) -> Option<Frame> {
    let kind = FrameKind(*data.first()?);
    let payload = Bytes::from(data).slice(1..);
    Some(Frame { kind, payload })
}
