//! V1: what a vertex's signature is over. The digest binds who claims to have made the vertex and where
//! it stands beside a hash of the body's bytes as received. So two signed digests for one place can be
//! shown without the bodies ([`crate::Offence`]).

use super::VertexBody;
use crate::committee::Member;
use crate::hash::{Domain, blake3};
use crate::ids::{Epoch, MemberIndex, NetworkId, Round, VertexDigest};

/// The place that a vertex claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub network: NetworkId,
    pub epoch: Epoch,
    pub round: Round,
    pub author: MemberIndex,
}

impl Place {
    pub fn of(body: &VertexBody) -> Self {
        Self {
            network: body.network,
            epoch: body.epoch,
            round: body.round,
            author: body.author,
        }
    }

    /// The digest of a vertex of this place whose body has this hash.
    pub fn digest(&self, body: &[u8; 32]) -> VertexDigest {
        let (epoch, round) = (self.epoch.0.to_be_bytes(), self.round.0.to_be_bytes());
        let author = self.author.0.to_be_bytes();
        let parts: [&[u8]; 5] = [&self.network.0, &epoch, &round, &author, body];
        VertexDigest(blake3(Domain::Vertex, &parts))
    }
}

/// The hash of an encoded body.
pub(crate) fn body_hash(encoded: &[u8]) -> [u8; 32] {
    blake3(Domain::VertexBody, &[encoded])
}

/// What an author signs.
pub(super) fn signed_message(digest: &VertexDigest) -> Vec<u8> {
    [Domain::VertexSignature.tag(), &digest.0].concat()
}

/// Whether a member has signed a vertex with this digest.
pub(crate) fn is_signature(member: &Member, digest: &VertexDigest, signature: &[u8]) -> bool {
    let signature = signature.try_into();
    signature.is_ok_and(|signature| member.has_signed(&signed_message(digest), signature))
}
