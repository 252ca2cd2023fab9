use crate::error::NetworkError;
use crate::identity;
use crate::limits::Limits;
use libp2p::{Multiaddr, PeerId};
use std::collections::BTreeMap;
use std::fmt;
use weft_types::MemberIndex;
use zeroize::Zeroizing;

/// Longest network id, in characters: 32 bytes in hexadecimal.
const NETWORK_ID_CHARS_MAX: usize = 64;

/// What a node does in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Exchanges frames and fetches with the other members, and publishes to observers.
    Member(MemberIndex),
    /// Receives what members publish, and fetches what it lacks.
    Observer,
}

/// The 32-byte Ed25519 seed behind a node's identity: for a member that of its vertex key. Wiped
/// when dropped, never shown.
#[derive(Clone)]
pub struct IdentitySeed(Zeroizing<[u8; 32]>);

impl IdentitySeed {
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    pub(crate) fn bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }
}

impl fmt::Debug for IdentitySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentitySeed(..)")
    }
}

/// One member of the committee as peers see it.
#[derive(Clone, Debug)]
pub struct Member {
    pub index: MemberIndex,
    /// Its Ed25519 vertex key, from which its peer id follows. Bytes that are no point of the
    /// curve make a member that cannot be reached; the network starts without it.
    pub vertex_key: [u8; 32],
    /// Where it listens: `/ip4|ip6|dns|dns4|dns6/.../tcp/PORT`. Others are ignored with a warning,
    /// for what a member writes into the registry must not stop its peers. May be empty: then it
    /// has to dial.
    pub addresses: Vec<Multiaddr>,
}

/// Everything that [`Network::start`](crate::Network::start) needs.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// The network's id in lower-case hexadecimal. Nodes with another id are strangers.
    pub network_id: String,
    pub role: Role,
    pub seed: IdentitySeed,
    /// Port 0 takes a free one. Observers may leave it empty.
    pub listen: Vec<Multiaddr>,
    /// All members, the node itself included when it is one.
    pub committee: Vec<Member>,
    pub limits: Limits,
}

/// The members other than this node, by index, with their peer ids.
pub(crate) type Members = BTreeMap<MemberIndex, (PeerId, Member)>;

impl NetworkConfig {
    pub(crate) fn validate(&self, own: PeerId) -> Result<Members, NetworkError> {
        self.limits.validate()?;
        check_network_id(&self.network_id)?;
        others(own, self.role, &self.committee)
    }
}

/// The members of a committee other than this node, whose place in it has to be that of its role.
pub(crate) fn others(
    own: PeerId,
    role: Role,
    committee: &[Member],
) -> Result<Members, NetworkError> {
    let mut members = BTreeMap::new();
    let mut peers = BTreeMap::new();
    for member in committee {
        let index = member.index;
        let Some(peer) = identity::peer_of(&member.vertex_key) else {
            tracing::warn!(member = %index, "vertex key is no point of the curve: unreachable");
            continue;
        };
        if let Some(other) = peers.insert(peer, index) {
            return committee_problem(format!(
                "members {other} and {index} have the same vertex key"
            ));
        }
        if members.insert(index, (peer, member.clone())).is_some() {
            return committee_problem(format!("member {index} is named twice"));
        }
    }
    match role {
        Role::Member(index) => match members.remove(&index) {
            None => committee_problem(format!("this node, member {index}, is not in it")),
            Some((peer, _)) if peer != own => {
                let problem =
                    format!("the seed is not that of member {index}: {own} instead of {peer}");
                Err(NetworkError::Config {
                    field: "seed",
                    problem,
                })
            }
            Some(_) => Ok(members),
        },
        Role::Observer => match peers.get(&own) {
            None => Ok(members),
            Some(index) => Err(NetworkError::Config {
                field: "seed",
                problem: format!("an observer may not use the key of member {index}"),
            }),
        },
    }
}

fn committee_problem<T>(problem: String) -> Result<T, NetworkError> {
    Err(NetworkError::Config {
        field: "committee",
        problem,
    })
}

fn check_network_id(id: &str) -> Result<(), NetworkError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if (1..=NETWORK_ID_CHARS_MAX).contains(&id.len()) && id.chars().all(hex) {
        return Ok(());
    }
    Err(NetworkError::Config {
        field: "network_id",
        problem: format!("{id:?} is not 1 to {NETWORK_ID_CHARS_MAX} lower-case hexadecimal digits"),
    })
}

#[cfg(test)]
mod tests;
