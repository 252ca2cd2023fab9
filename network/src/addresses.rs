//! The part of multiaddresses that Weft uses: a host, a TCP port, nothing else but a peer id.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;

/// Addresses of one member that are dialled; further ones are ignored.
pub(crate) const ADDRESSES_PER_MEMBER_MAX: usize = 8;
/// Longest wait for the name server.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

enum Host {
    Ip(IpAddr),
    Name(String),
}

/// Host and port of `/ip4|ip6|dns|dns4|dns6/.../tcp/PORT`, with or without a peer id behind.
fn host_and_port(address: &Multiaddr) -> Option<(Host, u16)> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(ip) => Host::Ip(ip.into()),
        Protocol::Ip6(ip) => Host::Ip(ip.into()),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => {
            Host::Name(name.into_owned())
        }
        _ => return None,
    };
    let Protocol::Tcp(port) = parts.next()? else {
        return None;
    };
    match (parts.next(), parts.next()) {
        (None | Some(Protocol::P2p(_)), None) => Some((host, port)),
        _ => None,
    }
}

/// Whether a node can dial or listen on the address.
pub(crate) fn usable(address: &Multiaddr) -> bool {
    host_and_port(address).is_some()
}

/// Why a member that names these addresses could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressesError {
    #[error(
        "{0:?} is no address of the form /ip4/ADDRESS/tcp/PORT, nor one with ip6, dns, dns4 or dns6"
    )]
    Form(String),
    #[error("{0:?} is nowhere: others cannot dial it")]
    Nowhere(String),
    #[error("{0:?} is a second http URL, and there can be one")]
    SecondUrl(String),
    #[error("none of them is a libp2p address, by which the others reach the node")]
    NoneToDial,
    #[error(
        "{found} libp2p addresses, of which others dial the first {ADDRESSES_PER_MEMBER_MAX} alone"
    )]
    TooMany { found: usize },
}

/// Whether others can dial all of what a member names, as the registry has it: multiaddresses separated by commas, and one
/// `http` or `https` URL at most.
pub fn check_addresses(text: &str) -> Result<(), AddressesError> {
    let (mut found, mut urls) = (0, 0);
    for one in text.split(',').map(str::trim) {
        if one.starts_with("http://") || one.starts_with("https://") {
            urls += 1;
            if urls > 1 {
                return Err(AddressesError::SecondUrl(one.to_owned()));
            }
            continue;
        }
        let form = || AddressesError::Form(one.chars().take(80).collect());
        let address: Multiaddr = one.parse().map_err(|_| form())?;
        let (host, port) = host_and_port(&address).ok_or_else(form)?;
        let nowhere = matches!(host, Host::Ip(ip) if ip.is_unspecified() || ip.is_multicast());
        if nowhere || port == 0 {
            return Err(AddressesError::Nowhere(one.to_owned()));
        }
        found += 1;
    }
    match found {
        0 => Err(AddressesError::NoneToDial),
        1..=ADDRESSES_PER_MEMBER_MAX => Ok(()),
        _ => Err(AddressesError::TooMany { found }),
    }
}

/// The socket address of `/ip4|ip6/ADDRESS/tcp/PORT`; `None` for everything else.
pub fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    match host_and_port(address)? {
        (Host::Ip(ip), port) => Some(SocketAddr::new(ip, port)),
        (Host::Name(_), _) => None,
    }
}

/// Whom a connection is counted against: an IPv4 address, or a /64 of IPv6, which is what one
/// customer gets.
pub(crate) fn origin(address: &Multiaddr) -> Option<IpAddr> {
    match socket(address)?.ip().to_canonical() {
        IpAddr::V6(ip) => {
            let network = u128::from(ip) & !u128::from(u64::MAX);
            Some(Ipv6Addr::from(network).into())
        }
        v4 => Some(v4),
    }
}

/// The addresses with names replaced by what they resolve to now. A name that does not resolve
/// adds nothing.
pub(crate) async fn resolve(addresses: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let mut found = Vec::with_capacity(addresses.len());
    for address in addresses {
        let Some((Host::Name(name), port)) = host_and_port(&address) else {
            found.push(address);
            continue;
        };
        match timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((name, port))).await {
            Ok(Ok(sockets)) => found.extend(sockets.map(tcp)),
            Ok(Err(error)) => tracing::debug!(%address, %error, "name does not resolve"),
            Err(_) => tracing::debug!(%address, "name server does not answer"),
        }
    }
    found.truncate(ADDRESSES_PER_MEMBER_MAX);
    found
}

fn tcp(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port()))
}

#[cfg(test)]
mod tests;
