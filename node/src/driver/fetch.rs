//! Missing history: asking a member for it, and answering out of the store. An answer is cut at a
//! number of bytes and of vertices; what did not fit is asked for again. Members and observers are
//! answered alike, but out of places of their own, and observers with less at a time.

use super::contents;
use super::engine::{Command, Commands};
use super::epochs;
use super::inbound::Verifier;
use super::links::Links;
use super::sync;
use crate::replica::copies::ProcessId;
use crate::replica::{Input, Latest, Reply};
use crate::view::CertifiedView;
use bytes::Bytes;
use prost::Message as _;
use weft_consensus::{FetchRequest, Wanted};
use weft_network::Handle;
use weft_storage::{PageRequest, Store, StoreError};
use weft_types::wire::latest::Answer;
use weft_types::{
    Epoch, MEMBERS_MAX, MemberIndex, MemberSet, Millis, Ready, Round, VERTEX_BYTES_MAX, Vertex,
    VertexRef, wire,
};

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

/// S1: vertices from the round before the own latest one on that are looked through.
const NEWEST_VERTICES: usize = 4 * MEMBERS_MAX;

/// A request that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("request is no protobuf message: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("request asks for {asked} vertices or contents, more than {max}")]
    TooMany { asked: usize, max: usize },
    #[error("request asks for nothing that there is")]
    Nothing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// S1: how a member is answered that asks for this node's latest vertex.
#[derive(Debug, Clone, Copy)]
pub struct Shows {
    /// Its place in the committee of the epoch that it asks for; `None`: it has none.
    pub to: Option<MemberIndex>,
    /// Whether the latest own vertex of the store is the latest that was signed.
    pub knows_signed: bool,
    /// S1.9: another process has asked with the same key.
    pub another: bool,
}

/// What answers are made of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub store: &'a Store,
    /// S2: the snapshots that are held for others.
    pub held: &'a [CertifiedView],
}

/// Answers with the vertices that this node has, in the order asked for, or ascending from a round, or says
/// that it has deleted some of them (S2.8), or with content (A4); a member also with the own latest one (S1); or with a part of a snapshot (S2).
pub fn serve(
    source: &Source<'_>,
    request: Bytes,
    limits: AnswerLimits,
    shows: Option<Shows>,
) -> Result<Bytes, ServeError> {
    let store = source.store;
    let request = wire::FetchRequest::decode(request)?;
    let epoch = Epoch(request.epoch);
    if let Some(sync) = &request.sync {
        return sync::answer(store, source.held, sync);
    }
    if !request.contents.is_empty() {
        return contents::answer(store, &request.contents, limits);
    }
    if let Some(shows) = shows.filter(|_| request.latest) {
        return Ok(latest(store, epoch, shows)?.encode_to_vec().into());
    }
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
    let begins = store.vertices_from()?;
    let asked_from = request.vertices.iter().map(|v| v.round);
    let rounds_from = request.rounds.as_ref().map(|r| r.after.saturating_add(1));
    // S2.8: what is deleted here will be asked for elsewhere, or a state is taken over.
    let gone = asked_from
        .chain(rounds_from)
        .any(|r| (epoch, Round(r)) < begins);
    if let Some(rounds) = request.rounds.as_ref().filter(|_| !gone) {
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
    let answer = wire::FetchResponse {
        vertices,
        rounds_from: if gone { begins.1.0 } else { 0 },
        closing: match request.closing {
            true => epochs::closing(store, epoch)?.unwrap_or_default(),
            false => Bytes::new(),
        },
        ..wire::FetchResponse::default()
    };
    Ok(answer.encode_to_vec().into())
}

/// S1.9: which process asks for this node's latest vertex, and in which epoch, if one does.
pub fn asks_latest(request: &Bytes) -> Option<(ProcessId, Epoch)> {
    let request = wire::FetchRequest::decode(request.clone()).ok()?;
    let asks = (ProcessId(request.process), Epoch(request.epoch));
    request.latest.then_some(asks)
}

/// The vertices of an epoch that a request names.
pub fn asked_for(request: &Bytes, epoch: Epoch) -> Vec<VertexRef> {
    let request = wire::FetchRequest::decode(request.clone()).unwrap_or_default();
    if request.epoch != epoch.0 {
        return Vec::new();
    }
    let asked = request.vertices.iter().take(MEMBERS.vertices_max);
    asked.filter_map(|v| VertexRef::try_from(v).ok()).collect()
}

/// S1: the latest vertex that this node has signed, which the database has before it leaves; and the
/// latest of the asking member that is not linked to by it.
fn latest(store: &Store, epoch: Epoch, shows: Shows) -> Result<wire::FetchResponse, StoreError> {
    let own = store.own_vertex()?;
    // Rounds of another epoch say nothing of where this one stands.
    let of_epoch = own.filter(|own| own.epoch == epoch);
    let (from, page) = match of_epoch {
        Some(own) => (
            own.vertex.round.saturating_sub(1),
            PageRequest::ascending(NEWEST_VERTICES),
        ),
        None => (Round::ZERO, PageRequest::descending(NEWEST_VERTICES)),
    };
    let page = store.vertices(epoch, from, &page)?;
    let of_asker = page.entries.iter().filter(|v| Some(v.author()) == shows.to);
    let of_asker = of_asker.max_by_key(|v| v.round());
    let own = match own {
        Some(own) => store.vertex_encoded(own.epoch, &own.vertex)?,
        None => None,
    };
    let answer = match own {
        _ if !shows.knows_signed => Answer::Recovering(true),
        Some(vertex) => Answer::Vertex(vertex),
        None => Answer::NothingSigned(true),
    };
    let answer = Some(answer);
    Ok(wire::FetchResponse {
        vertices: of_asker.map(|v| v.encode()).into_iter().collect(),
        latest: Some(wire::Latest {
            answer,
            another: shows.another,
        }),
        ..wire::FetchResponse::default()
    })
}

/// S1: asks a member for the latest vertex that it has signed. One that does not answer, or not as it
/// should, is asked again later.
pub async fn ask_latest(
    links: Links,
    verifier: Verifier,
    commands: Commands,
    (epoch, of): (Epoch, MemberIndex),
    (process, asked): (ProcessId, Millis),
) {
    // S1.4 counts who has answered, so nobody may answer in another's place.
    let Some(network) = links.of(epoch) else {
        return;
    };
    let request = wire::FetchRequest {
        latest: true,
        process: process.0,
        epoch: epoch.0,
        ..wire::FetchRequest::default()
    };
    let answer = match network.fetch(of, request.encode_to_vec().into()).await {
        Ok(bytes) => wire::FetchResponse::decode(bytes),
        Err(error) => {
            tracing::debug!(member = %of, %error, "did not say what it has signed last");
            return;
        }
    };
    if links.of(epoch).is_none() {
        return;
    }
    let answer = answer.unwrap_or_default();
    // First what it has of this node, so that it is known when the answer is.
    let vertices = answer.vertices.into_iter().take(1).collect();
    verifier.vertices(of, vertices).await;
    let another = answer.latest.as_ref().is_some_and(|l| l.another);
    let latest = match answer.latest.and_then(|l| l.answer) {
        Some(Answer::Vertex(bytes)) => {
            let vertex = verifier.checked(of, bytes).await;
            vertex.filter(|v| v.author() == of).map(Latest::Vertex)
        }
        Some(Answer::NothingSigned(true)) => Some(Latest::Nothing),
        Some(Answer::Recovering(true)) => Some(Latest::Recovering),
        _ => None,
    };
    match latest {
        Some(latest) => {
            let reply = Reply {
                asked,
                latest,
                another,
            };
            let _ = commands
                .send(Command(Input::Latest { epoch, of, reply }, None))
                .await;
        }
        None => tracing::warn!(member = %of, "says nothing of use about what it has signed last"),
    }
}

/// Rounds asked for beside a closing certificate.
const CLOSING_ROUNDS: u64 = 250;

/// E3: asks a member how an epoch ended. One that does not answer, or does not know, is asked again later.
pub async fn ask_closing(
    network: Handle,
    verifier: Verifier,
    (epoch, of, after): (Epoch, MemberIndex, Round),
) {
    let request = wire::FetchRequest {
        epoch: epoch.0,
        closing: true,
        rounds: Some(wire::Rounds {
            after: after.0,
            until: after.0.saturating_add(CLOSING_ROUNDS),
            held: Bytes::new(),
        }),
        ..wire::FetchRequest::default()
    };
    // Members of the next committee know one that leaves as an outsider.
    let answer = match network.history(of, request.encode_to_vec().into()).await {
        Ok(bytes) => wire::FetchResponse::decode(bytes).unwrap_or_default(),
        Err(error) => {
            tracing::debug!(member = %of, %error, "did not say how the epoch ended");
            return;
        }
    };
    verifier.vertices(of, answer.vertices).await;
    if !answer.closing.is_empty() {
        verifier.certificate(of, answer.closing);
    }
}

/// E2: tells a member that this node is ready. One that does not hear it is told again.
pub async fn tell_ready(network: Handle, to: MemberIndex, ready: Ready) {
    let request = wire::FetchRequest {
        ready: Some((&ready).into()),
        ..wire::FetchRequest::default()
    };
    if let Err(error) = network.fetch(to, request.encode_to_vec().into()).await {
        tracing::debug!(member = %to, %error, "was not told that this node is ready");
    }
}

/// E2: what a request tells instead of asking.
pub fn told_ready(request: &Bytes) -> Option<Ready> {
    let request = wire::FetchRequest::decode(request.clone()).ok()?;
    Ready::try_from(&request.ready?).ok()
}

/// Asks one member, and hands what it answers to the verifier; then says that it is over.
pub async fn fetch(
    network: Handle,
    verifier: Verifier,
    commands: Commands,
    (epoch, fetch): (Epoch, FetchRequest),
) {
    let from = fetch.from;
    let mut request = match &fetch.wanted {
        Wanted::Vertices(vertices) => wire::FetchRequest {
            vertices: vertices.iter().map(Into::into).collect(),
            ..wire::FetchRequest::default()
        },
        Wanted::Rounds { after, until, held } => wire::FetchRequest {
            rounds: Some(wire::Rounds {
                after: after.0,
                until: until.0,
                held: held.to_bitmap(MEMBERS_MAX).into(),
            }),
            ..wire::FetchRequest::default()
        },
    };
    request.epoch = epoch.0;
    let answer = network.fetch(from, request.encode_to_vec().into()).await;
    let answer = answer
        .map_err(|error| error.to_string())
        .and_then(|bytes| wire::FetchResponse::decode(bytes).map_err(|e| e.to_string()));
    match answer {
        Ok(answer) => {
            if answer.rounds_from > 0 {
                let _ = commands
                    .send(Command(Input::HistoryGone { of: from }, None))
                    .await;
            }
            verifier.vertices(from, answer.vertices).await;
        }
        Err(error) => tracing::debug!(member = %from, %error, "fetch failed"),
    }
    let _ = commands
        .send(Command(Input::FetchEnded(fetch.id), None))
        .await;
}

#[cfg(test)]
mod tests;
