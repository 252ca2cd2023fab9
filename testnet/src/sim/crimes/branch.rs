//! V5: versions below versions. Each vertex that is sent names another version of its author's vertex below, and one
//! of the vertex below that, each of which does the same. Whoever takes the vertex fetches all of them.

use super::{Scene, body_of};
use crate::sim::rng::Rng;
use weft_types::{Round, Verified, Vertex, VertexRef};

/// Vertices on the longest way down: the numbers of all are 1, 2, 4, 7, 12, 20.
const LEVELS: u32 = 6;
/// By how much versions differ in their timestamps, in milliseconds: not so much that they would wait (V6).
const LATER_MS: u64 = 400;

/// What is sent instead of an own vertex, and what it needs.
pub(super) fn branch(
    scene: &Scene<'_>,
    rng: &mut Rng,
    vertex: &Verified<Vertex>,
) -> (Verified<Vertex>, Vec<Verified<Vertex>>) {
    let mut below = Vec::new();
    let root = grow(scene, rng, vertex, LEVELS, &mut below);
    (root, below)
}

/// Another version of an own vertex, whose links are to further ones: these go to `below`.
fn grow(
    scene: &Scene<'_>,
    rng: &mut Rng,
    vertex: &Verified<Vertex>,
    levels: u32,
    below: &mut Vec<Verified<Vertex>>,
) -> Verified<Vertex> {
    let mut body = body_of(scene.cast, vertex);
    let mut transactions: Vec<_> = vertex.transactions().iter().flatten().cloned().collect();
    if levels < LEVELS {
        body.transactions.clear();
        transactions.clear();
    }
    body.timestamp = body.timestamp.saturating_add(rng.below(LATER_MS));
    let own = |round: Round| {
        let from = scene.disk.vertices_from(vertex.epoch(), round);
        let mut of_round = from.take_while(|v| v.round() == round);
        of_round.find(|v| v.author() == vertex.author())
    };
    let parent = body.parents.first().map_or(Round::ZERO, |p| p.round);
    if let Some(old) = own(parent).filter(|_| levels > 1) {
        let version = grow(scene, rng, old, levels - 1, below);
        body.parents[0] = version.reference();
        // V6: no vertex is behind its own parent.
        body.timestamp = body.timestamp.max(version.timestamp());
        below.push(version);
    }
    let older = parent.checked_sub(1).and_then(own);
    if let Some(old) = older.filter(|_| levels > 2) {
        let version = grow(scene, rng, old, levels - 2, below);
        let link = version.reference();
        let elsewhere = |l: &VertexRef| (l.round, l.author) != (link.round, link.author);
        body.weak_links.retain(elsewhere);
        body.weak_links.push(link);
        body.weak_links.sort_unstable();
        below.push(version);
    }
    Vertex::sign(body, transactions, &scene.cast.keys[scene.member].vertex)
}
