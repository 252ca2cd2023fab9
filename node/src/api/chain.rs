//! The chain and the node: commits, certificates, checkpoints, committee, vertices, genesis, status.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::reading::{Reading, from_store, page_of};
use crate::driver::epochs;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use weft_storage::PageRequest;
use weft_types::api::{
    Checkpoint, Commit, Committee, EpochEnd, NodeStatus, Page, Problem, Roster, Vertex,
};
use weft_types::{
    self as types, CertificateJson, CommitIndex, Epoch, Genesis, Height, Object, ObjectId,
    RosterId, Round,
};

fn shown_commit(commit: weft_types::Commit) -> Commit {
    Commit {
        index: commit.index,
        digest: commit.digest(),
        previous: commit.previous,
        timestamp: commit.timestamp,
        leader: commit.leader,
        demoted: commit.demoted.iter().collect(),
        convicted: commit.convicted.iter().collect(),
        vertices: commit.vertices,
    }
}

fn shown_vertex(vertex: &weft_types::Vertex) -> Vertex {
    Vertex {
        round: vertex.round(),
        author: vertex.author(),
        digest: vertex.digest(),
        epoch: vertex.epoch(),
        timestamp: vertex.timestamp(),
        parents: vertex.parents().to_vec(),
        weak_links: vertex.weak_links().to_vec(),
        transactions: vertex.payload().len() as u64,
        bytes: vertex.size() as u64,
    }
}

/// Commits
///
/// The newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/commits", tag = "chain",
    params(("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<Commit>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn commits(State(state): State<ApiState>, reading: Reading) -> Result<Response, Failure> {
    let request = reading.page()?;
    let page = from_store(&state, move |store| {
        page_of(store.commits(&request)?, |commit| Ok(shown_commit(commit)))
    });
    Ok(reading.answer(&page.await?))
}

/// A commit
#[utoipa::path(get, path = "/v1/commits/{index}", tag = "chain",
    params(("index" = u64, Path)),
    responses(
        (status = 200, body = Commit),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn commit(
    State(state): State<ApiState>,
    Segment(index): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let index = CommitIndex(parameter("index", &index)?);
    let commit = state.store.commit(index)?;
    let commit = commit.ok_or_else(|| state.not_kept(format_args!("commit {index}")))?;
    Ok(reading.answer(&shown_commit(commit)))
}

/// Certificates
///
/// The newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/certificates", tag = "chain",
    params(("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<CertificateJson>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn certificates(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let request = reading.page()?;
    let page = from_store(&state, move |store| {
        page_of(store.certificates(&request)?, |c| Ok(c.to_json()))
    });
    Ok(reading.answer(&page.await?))
}

/// The certificate of a height
#[utoipa::path(get, path = "/v1/certificates/{height}", tag = "chain",
    params(("height" = u64, Path)),
    responses(
        (status = 200, body = CertificateJson),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn certificate(
    State(state): State<ApiState>,
    Segment(height): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let height = Height(parameter("height", &height)?);
    let certificate = state.store.certificate(height)?;
    let missing = || not_found(format_args!("a certificate of height {height}"));
    Ok(reading.answer(&certificate.ok_or_else(missing)?.to_json()))
}

/// Checkpoints
///
/// What this node knows of certificates on the base chain, the newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/checkpoints", tag = "chain",
    params(("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query)),
    responses(
        (status = 200, body = Page<Checkpoint>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn checkpoints(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let request = reading.page()?;
    let anchored = reading.view.anchored;
    let page = from_store(&state, move |store| {
        page_of(store.checkpoints(&request)?, |(height, encoded)| {
            let read = serde_json::from_slice::<Checkpoint>(&encoded);
            let mut checkpoint = read.map_err(Failure::internal)?;
            checkpoint.anchored |= height <= anchored;
            Ok(checkpoint)
        })
    });
    Ok(reading.answer(&page.await?))
}

/// The committee in office
#[utoipa::path(get, path = "/v1/committee", tag = "chain",
    responses(
        (status = 200, body = Committee),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn committee(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let committee = state.committee.borrow().clone();
    Ok(reading.answer(&Committee {
        epoch: committee.epoch(),
        digest: committee.digest(),
        total: committee.total(),
        quorum: committee.quorum(),
        members: committee.members().to_vec(),
    }))
}

/// How an epoch ended
///
/// From the genesis on each end gives the committee that signs the next one, so that anybody can follow them by the genesis alone.
#[utoipa::path(get, path = "/v1/epochs/{epoch}/end", tag = "chain",
    params(("epoch" = u64, Path)),
    responses(
        (status = 200, body = EpochEnd),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn epoch_end(
    State(state): State<ApiState>,
    Segment(epoch): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let epoch = Epoch(parameter("epoch", &epoch)?);
    let ended = epochs::ended(&state.store, epoch)?;
    let ended = ended.ok_or_else(|| not_found(format_args!("an end of epoch {epoch}")))?;
    Ok(reading.answer(&EpochEnd {
        certificate: ended.certificate.to_json(),
        next: ended.next,
    }))
}

/// Where the epoch stands, and who comes and goes
#[utoipa::path(get, path = "/v1/epoch", tag = "chain",
    responses(
        (status = 200, body = Roster),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn epoch(State(state): State<ApiState>, reading: Reading) -> Result<Response, Failure> {
    let found = reading
        .view
        .snapshot
        .get(&ObjectId::Roster(RosterId::THE_ONE));
    let roster = found.as_ref().and_then(Object::as_roster);
    let genesis = || {
        let since = state.genesis.template.timestamp_ms;
        let committee = state.genesis.committee().map_err(Failure::internal)?;
        Ok::<_, Failure>(Roster::new(&types::Roster::genesis(&committee, since)))
    };
    let roster = roster.map_or_else(genesis, |roster| Ok(Roster::new(roster)))?;
    Ok(reading.answer(&roster))
}

/// The vertices of a round
///
/// The newest complete round unless one is asked for; rounds behind the garbage collection are gone.
#[utoipa::path(get, path = "/v1/vertices", tag = "chain",
    params(("round" = Option<u64>, Query), ("epoch" = Option<u64>, Query)),
    responses(
        (status = 200, body = Page<Vertex>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn vertices(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let before = reading.view.round.saturating_sub(1);
    let round = reading.parameter::<u64>("round")?.map_or(before, Round);
    let epoch = reading.parameter::<u64>("epoch")?;
    let epoch = epoch.map_or(reading.view.epoch, Epoch);
    let page = from_store(&state, move |store| {
        // A round has one vertex a member, and at most one more that an equivocator was caught with.
        let request = PageRequest::ascending(2 * weft_types::MEMBERS_MAX);
        let page = store.vertices(epoch, round, &request)?;
        let of_round = page.entries.iter().filter(|v| v.round() == round);
        Ok(Page {
            items: of_round.map(shown_vertex).collect(),
            next: None,
        })
    });
    Ok(reading.answer(&page.await?))
}

/// What the network starts with
///
/// All that a light client needs to check proofs.
#[utoipa::path(get, path = "/v1/genesis", tag = "chain", responses((status = 200, body = Genesis)))]
pub async fn genesis(State(state): State<ApiState>) -> Response {
    let json = state.genesis.to_json();
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

/// The node's status
#[utoipa::path(get, path = "/v1/status", tag = "node",
    responses(
        (status = 200, body = NodeStatus),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn status(State(state): State<ApiState>, reading: Reading) -> Response {
    let view = &reading.view;
    let status = NodeStatus {
        name: state.name.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        network: state.genesis.network.id(),
        epoch: view.epoch,
        round: view.round,
        commit: view.commit,
        timestamp: view.timestamp,
        height: view.height,
        state_root: view.state_root,
        certified_height: state.tracker.progress().certified.0,
        anchored_height: view.anchored,
        checkpoint_missed: *state.missed.borrow(),
        history_from: *state.history_from.borrow(),
        peers: *state.peers.borrow(),
        member: view.own,
        voting: view.not_voting.is_none(),
        why_not_voting: view.not_voting.clone(),
        accepting: view.not_accepting.is_none(),
        why_not_accepting: view.not_accepting.clone(),
        rss_mb: crate::metrics::resident_bytes() >> 20,
        uptime_s: state.metrics.uptime().as_secs(),
    };
    reading.answer(&status)
}
