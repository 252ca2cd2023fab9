//! Names on the wire. All of them carry the network's id, and so does the prologue of the Noise
//! handshake, which fails when the two sides' prologues differ: nodes of different networks part
//! before any protocol is spoken.

use libp2p::StreamProtocol;
use libp2p::gossipsub::IdentTopic;

/// The protocols of one network.
#[derive(Clone, Debug)]
pub(crate) struct Protocols {
    /// Frames, one stream for each direction.
    pub(crate) vertex: StreamProtocol,
    /// One stream for each request.
    pub(crate) fetch: StreamProtocol,
    /// The same, of an observer to a member.
    pub(crate) history: StreamProtocol,
    pub(crate) observer_topic: IdentTopic,
    /// Prefix of gossipsub's own protocol.
    pub(crate) gossip: String,
    pub(crate) identify: String,
    pub(crate) prologue: Vec<u8>,
}

impl Protocols {
    pub(crate) fn new(network_id: &str) -> Self {
        let name = |protocol| format!("/weft/{network_id}/{protocol}");
        let stream = |protocol| {
            StreamProtocol::try_from_owned(name(protocol)).expect("the name starts with a slash")
        };
        Self {
            vertex: stream("vertex/1"),
            fetch: stream("fetch/1"),
            history: stream("history/1"),
            observer_topic: IdentTopic::new(name("observer")),
            gossip: name("gossip"),
            identify: name("identify/1"),
            prologue: name("noise/1").into_bytes(),
        }
    }
}
