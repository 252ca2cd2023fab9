//! How masternodes reach each other: identity, transport, dissemination of vertices, fetching of
//! history, limits for everybody who connects.
//!
//! All payloads are opaque bytes; this crate knows peers, frames and bounds, never a vertex.
//!
//! - *Frames* go from member to member over one long-lived stream for each direction, in order, as
//!   soon as they are sent. A member that cannot keep up loses the oldest of what waits for it, and
//!   nobody else is slowed ([`Handle::send`], [`Handle::broadcast`]).
//! - *Fetches* ask one member for what is missing and bring one answer ([`Handle::fetch`]).
//! - *Observers*, who are no members, get what members publish through gossipsub
//!   ([`Handle::publish`]), and fetch what they lack by a protocol of their own, out of a budget of
//!   their own. They can open neither of the members' protocols.
//!
//! A member's libp2p identity is its vertex key, so a connection proves membership. The network's
//! id is part of the handshake: nodes of two networks never get as far as a connection.
//!
//! Everything that a peer can make us hold is bounded in bytes by [`Limits`].

mod addresses;
mod admission;
mod behaviour;
mod config;
mod dialer;
mod error;
mod event;
mod fetch;
mod frame;
mod gossip;
mod handle;
mod history;
mod identity;
mod inbox;
mod limits;
mod link;
mod outbox;
mod peers;
mod protocols;
mod reader;
mod seating;
mod shared;
mod silence;
mod start;
mod status;
mod substreams;
mod swarm;
mod tasks;
mod transport;
mod writer;

pub use addresses::{AddressesError, check_addresses, socket};
pub use config::{IdentitySeed, Member, NetworkConfig, Role};
pub use error::{FetchError, NetworkError, SendError};
pub use event::Event;
pub use frame::FrameKind;
pub use handle::Handle;
pub use history::limits::{HistoryLimits, Share};
pub use inbox::Events;
pub use libp2p::{Multiaddr, PeerId};
pub use limits::Limits;
pub use start::Network;
pub use status::{NetworkStats, PeerStatus};
pub use weft_types::MemberIndex;
