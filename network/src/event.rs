use crate::frame::FrameKind;
use bytes::Bytes;
use tokio::sync::oneshot;
use weft_types::MemberIndex;

/// What reaches the node from its peers. Who it is from is proven by the handshake; what the bytes
/// say is not.
#[derive(Debug)]
pub enum Event {
    /// A frame of a member. Those of one connection come in the order in which they were sent.
    Frame {
        from: MemberIndex,
        kind: FrameKind,
        bytes: Bytes,
    },
    /// A member asks. Dropping `reply` refuses; an answer after the fetch timeout is lost.
    Fetch {
        from: MemberIndex,
        request: Bytes,
        reply: oneshot::Sender<Bytes>,
    },
    /// An observer asks. Dropping `reply` refuses; an answer after the fetch timeout is lost. Few
    /// come at a time: the network has refused the others.
    History {
        request: Bytes,
        reply: oneshot::Sender<Bytes>,
    },
    /// A publication, to an observer, handed over by the named member.
    Gossip {
        from: MemberIndex,
        kind: FrameKind,
        bytes: Bytes,
    },
    /// Frames to the member leave at once from here on. For an observer: it is connected.
    /// May come twice in a row when the link was down for a moment in between.
    PeerUp(MemberIndex),
    /// Frames to the member wait, and the oldest are dropped when there are too many.
    PeerDown(MemberIndex),
}
