//! V8: a proof against a member that has done nothing: signed by the slanderer, or, to see what a proof that
//! proves nothing would do, by the victim's own key.

use super::{Scene, body_of};
use crate::sim::plan::Planted;
use weft_types::{MemberIndex, Offence, Verified, Vertex};

pub(super) fn slander(scene: &Scene<'_>, vertex: &Verified<Vertex>) -> Option<Offence> {
    let next = vertex.author().as_usize() + 1;
    let victim = MemberIndex((next % scene.seating.committee.size()) as u32);
    let signer = match scene.planted {
        Some(Planted::ProofsProveNothing) => scene.seating.node(victim)?,
        _ => scene.member,
    };
    let version = |later| {
        let mut body = body_of(scene.cast, vertex);
        body.author = victim;
        body.timestamp = body.timestamp.saturating_add(later);
        body.transactions.clear();
        Vertex::sign(body, Vec::new(), &scene.cast.keys[signer].vertex)
    };
    Offence::of(&version(0), &version(1))
}
