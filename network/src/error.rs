use libp2p::Multiaddr;
use std::time::Duration;
use weft_types::MemberIndex;

/// Why a network does not start or does not end.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("network configuration: {field}: {problem}")]
    Config {
        field: &'static str,
        problem: String,
    },
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: Multiaddr,
        source: std::io::Error,
    },
    #[error("no listener came up within {0:?}")]
    ListenTimeout(Duration),
    #[error("cannot set up the transport: {0}")]
    Transport(String),
    #[error("the network is shut down")]
    Closed,
    #[error("{tasks} network tasks still run {after:?} after shutdown")]
    ShutdownTimeout { tasks: usize, after: Duration },
}

/// Why a frame is not even queued. Loss later on is no error: see
/// [`PeerStatus::dropped_frames`](crate::PeerStatus::dropped_frames).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("member {0} is not a peer of this node")]
    NoPeer(MemberIndex),
    #[error("frame of {bytes} bytes is longer than {bytes_max}")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("an observer may not send to members")]
    Observer,
    #[error("the network is shut down")]
    Closed,
}

/// Why a fetch brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("member {0} is not a peer of this node")]
    NoPeer(MemberIndex),
    #[error("request of {bytes} bytes is longer than {bytes_max}")]
    RequestTooLong { bytes: usize, bytes_max: usize },
    #[error("answer of {bytes} bytes is longer than {bytes_max}")]
    AnswerTooLong { bytes: usize, bytes_max: usize },
    #[error("{0} fetches to this member are under way already")]
    Busy(usize),
    #[error("member {0} is not connected")]
    NotConnected(MemberIndex),
    #[error("member {0} refused to answer")]
    Refused(MemberIndex),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the link broke: {0}")]
    Broken(String),
    #[error("the network is shut down")]
    Closed,
}
