//! Missing history: asking a member for it, and answering out of the store. An answer is cut at a
//! number of bytes and of vertices; what did not fit is asked for again. Members and observers are
//! answered alike, but out of places of their own, and observers with less at a time.

use super::engine::{Command, Commands};
use super::inbound::Verifier;
use crate::replica::Input;
use bytes::Bytes;
use prost::Message as _;
use weft_consensus::{FetchRequest, Wanted};
use weft_network::Handle;
use weft_storage::{PageRequest, Store, StoreError};
use weft_types::{Epoch, MEMBERS_MAX, MemberSet, Round, VERTEX_BYTES_MAX, Vertex, VertexRef, wire};

/// How much is answered at once.
#[derive(Debug, Clone, Copy)]
pub struct AnswerLimits {
    /// Longest answer in bytes of vertices. No vertex is longer, so that each can be had.
    pub bytes_max: usize,
    /// Most vertices asked for, or answered with.
    pub vertices_max: usize,
    /// Answers made at a time.
    pub serving_max: usize,
}

/// Of members' fetches.
pub const MEMBERS: AnswerLimits = AnswerLimits {
    bytes_max: 6 << 20,
    vertices_max: 1024,
    serving_max: 4,
};
/// Of observers' requests. One at a time: reading the store for them takes one core at the most, and
/// how often is the network's to bound.
pub const OBSERVERS: AnswerLimits = AnswerLimits {
    bytes_max: VERTEX_BYTES_MAX,
    vertices_max: 256,
    serving_max: 1,
};

/// A request that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("request is no protobuf message: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("request asks for {asked} vertices, more than {max}")]
    TooMany { asked: usize, max: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers with the vertices that this node has, in the order asked for, or ascending from a round.
pub fn serve(
    store: &Store,
    epoch: Epoch,
    request: Bytes,
    limits: AnswerLimits,
) -> Result<Bytes, ServeError> {
    let request = wire::FetchRequest::decode(request)?;
    let (asked, max) = (request.vertices.len(), limits.vertices_max);
    if asked > max {
        return Err(ServeError::TooMany { asked, max });
    }
    let mut vertices = Vec::new();
    let mut bytes = 0;
    let mut fits = |vertex: &Bytes| {
        bytes += vertex.len();
        bytes <= limits.bytes_max
    };
    for asked in &request.vertices {
        let Ok(asked) = VertexRef::try_from(asked) else {
            continue;
        };
        match store.vertex_encoded(epoch, &asked)? {
            Some(vertex) if fits(&vertex) => vertices.push(vertex),
            Some(_) => break,
            None => {}
        }
    }
    if let Some(rounds) = request.rounds {
        let from = Round(rounds.after).saturating_add(1);
        let page = store.vertices(epoch, from, &PageRequest::ascending(max))?;
        let held = MemberSet::from_bitmap(&rounds.held, MEMBERS_MAX).unwrap_or_default();
        let within = |v: &Vertex| v.round().0 <= rounds.until;
        let wanted = |v: &Vertex| v.round() != from || !held.contains(v.author());
        let vertices_of = page.entries.into_iter().take_while(within).filter(wanted);
        for vertex in vertices_of {
            let vertex = vertex.encode();
            if !fits(&vertex) {
                break;
            }
            vertices.push(vertex);
        }
    }
    Ok(wire::FetchResponse { vertices }.encode_to_vec().into())
}

/// Asks one member, and hands what it answers to the verifier; then says that it is over.
pub async fn fetch(network: Handle, verifier: Verifier, commands: Commands, fetch: FetchRequest) {
    let from = fetch.from;
    let request = match &fetch.wanted {
        Wanted::Vertices(vertices) => wire::FetchRequest {
            vertices: vertices.iter().map(Into::into).collect(),
            rounds: None,
        },
        Wanted::Rounds { after, until, held } => wire::FetchRequest {
            vertices: Vec::new(),
            rounds: Some(wire::Rounds {
                after: after.0,
                until: until.0,
                held: held.to_bitmap(MEMBERS_MAX).into(),
            }),
        },
    };
    let answer = network.fetch(from, request.encode_to_vec().into()).await;
    let answer = answer
        .map_err(|error| error.to_string())
        .and_then(|bytes| wire::FetchResponse::decode(bytes).map_err(|e| e.to_string()));
    match answer {
        Ok(answer) => verifier.vertices(from, answer.vertices).await,
        Err(error) => tracing::debug!(member = %from, %error, "fetch failed"),
    }
    let _ = commands.send(Command(Input::FetchEnded(fetch.id))).await;
}

#[cfg(test)]
mod tests;
