//! TCP, Noise, yamux: see `docs/adr` for the figures.
//!
//! Yamux lets a stream that is read quickly grow its window, up to 1 GiB for a connection, and
//! libp2p offers no way to say less; but 256 KiB of it are set aside for each stream that a
//! connection may have. So the number of streams decides how far windows grow: members' connections
//! may have so many that little is left for growth, outsiders' so few that their sum is small.

use crate::error::NetworkError;
use crate::peers::Peers;
use crate::protocols::Protocols;
use crate::silence::Alive;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{PeerId, Transport, noise, tcp, yamux};
use std::time::Duration;

/// Longest set-up of a connection, from the first byte to the last of the handshakes.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Yamux's default bound for all windows of a connection together.
const YAMUX_CONNECTION_BYTES: usize = 1 << 30;
/// A yamux stream's window at first.
const YAMUX_STREAM_BYTES: usize = 256 << 10;
/// How much the windows of a member's connection may grow beyond that: twice what a link of
/// 100 ms and 1 Gbit/s holds.
const MEMBER_GROWTH_BYTES: usize = 32 << 20;
const MEMBER_STREAMS_MAX: usize =
    (YAMUX_CONNECTION_BYTES - MEMBER_GROWTH_BYTES) / YAMUX_STREAM_BYTES;
/// Identify, ping and gossipsub need six, requests for history a few more.
const OUTSIDER_STREAMS_MAX: usize = 16;

pub(crate) fn build(
    keypair: &Keypair,
    protocols: &Protocols,
    members: Peers,
    silence_max: Duration,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let noise = noise::Config::new(keypair)
        .map_err(|error| NetworkError::Transport(error.to_string()))?
        .with_prologue(protocols.prologue.clone());
    Ok(tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .map(move |stream, _| Alive::new(stream, silence_max))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex_ext(move |peer, _| {
            let mut yamux = yamux::Config::default();
            yamux.set_max_num_streams(match members.contains(peer) {
                true => MEMBER_STREAMS_MAX,
                false => OUTSIDER_STREAMS_MAX,
            });
            yamux
        })
        .timeout(HANDSHAKE_TIMEOUT)
        .boxed())
}
