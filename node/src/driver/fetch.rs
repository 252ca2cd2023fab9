//! Missing history: asking a member for it, and answering members out of the store. An answer is cut
//! at a number of bytes; what did not fit is asked for again.

use super::engine::{Command, Commands};
use super::inbound::Verifier;
use crate::replica::Input;
use bytes::Bytes;
use prost::Message as _;
use weft_network::Handle;
use weft_storage::{PageRequest, Store, StoreError};
use weft_types::{Epoch, MemberIndex, Round, Vertex, VertexRef, wire};

/// Longest answer in bytes of vertices.
pub const ANSWER_BYTES_MAX: usize = 6 << 20;
/// Most vertices asked for, or answered with, at once.
pub const VERTICES_MAX: usize = 1024;
/// Fetches of others answered at a time.
pub const SERVING_MAX: usize = 4;

/// A request that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("request is no protobuf message: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("request asks for {0} vertices, more than {VERTICES_MAX}")]
    TooMany(usize),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers with the vertices that this node has, in the order asked for, or ascending from a round.
pub fn serve(store: &Store, epoch: Epoch, request: Bytes) -> Result<Bytes, ServeError> {
    let request = wire::FetchRequest::decode(request)?;
    if request.vertices.len() > VERTICES_MAX {
        return Err(ServeError::TooMany(request.vertices.len()));
    }
    let mut vertices = Vec::new();
    let mut bytes = 0;
    let mut fits = |vertex: &Bytes| {
        bytes += vertex.len();
        bytes <= ANSWER_BYTES_MAX
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
    if let Some(after) = request.after_round {
        let limit = usize::try_from(request.limit).unwrap_or(VERTICES_MAX);
        let page = PageRequest::first(limit.clamp(1, VERTICES_MAX));
        let from = Round(after).saturating_add(1);
        for vertex in store.vertices(epoch, from, &page)?.entries {
            let vertex = vertex.encode();
            if !fits(&vertex) {
                break;
            }
            vertices.push(vertex);
        }
    }
    Ok(wire::FetchResponse { vertices }.encode_to_vec().into())
}

/// What the replica wants to have fetched.
#[derive(Debug)]
pub enum Wanted {
    Vertices(Vec<VertexRef>),
    Rounds { after: Round, limit: usize },
}

/// Asks one member, and hands what it answers to the verifier. What it did not answer with is
/// reported to the replica, which asks somebody else.
pub async fn fetch(
    network: Handle,
    verifier: Verifier,
    commands: Commands,
    from: MemberIndex,
    wanted: Wanted,
) {
    let request = match &wanted {
        Wanted::Vertices(vertices) => wire::FetchRequest {
            vertices: vertices.iter().map(Into::into).collect(),
            after_round: None,
            limit: 0,
        },
        Wanted::Rounds { after, limit } => wire::FetchRequest {
            vertices: Vec::new(),
            after_round: Some(after.0),
            limit: u32::try_from(*limit).unwrap_or(u32::MAX),
        },
    };
    let mut missing = match wanted {
        Wanted::Vertices(vertices) => vertices,
        Wanted::Rounds { .. } => Vec::new(),
    };
    let answer = network.fetch(from, request.encode_to_vec().into()).await;
    let answer = answer
        .map_err(|error| error.to_string())
        .and_then(|bytes| wire::FetchResponse::decode(bytes).map_err(|e| e.to_string()));
    match answer {
        Ok(answer) => {
            for bytes in answer.vertices {
                // Decoded twice (here for its name only): fetches are rare, the code is simple.
                if let Ok(vertex) = Vertex::decode(bytes.clone()) {
                    missing.retain(|m| *m != vertex.reference());
                }
                verifier.vertex(from, bytes).await;
            }
        }
        Err(error) => tracing::debug!(member = %from, %error, "fetch failed"),
    }
    if !missing.is_empty() {
        let failed = Input::FetchFailed { from, missing };
        let _ = commands.send(Command::Input(failed)).await;
    }
}
