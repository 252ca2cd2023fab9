//! V8: who has signed two vertices of one round, and what their bonds are taken by.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::claims::claim;
use super::reading::{Reading, from_store};
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use weft_types::api::{self, OffenderStatus, Problem};
use weft_types::{
    CommitIndex, Object, ObjectId, Offender, Offenders, OffendersId, Root, TREE_DEPTH, tree_proof,
};

pub(crate) fn offenders_of(view: &View) -> Arc<Offenders> {
    let found = view
        .snapshot
        .get(&ObjectId::Offenders(OffendersId::THE_ONE));
    let offenders = found.as_ref().and_then(Object::as_offenders);
    offenders.cloned().unwrap_or_default()
}

/// An offender in the tree as it was after a commit.
pub(crate) fn prove(
    offenders: &Offenders,
    commit: CommitIndex,
    index: u64,
) -> Option<[Root; TREE_DEPTH]> {
    let had = offenders.list().iter().take_while(|o| o.commit <= commit);
    let leaves: Vec<_> = had.map(Offender::leaf).collect();
    tree_proof(&leaves, usize::try_from(index).ok()?)
}

/// Offenders
///
/// Members that signed two vertices of one round, in the order of conviction.
#[utoipa::path(get, path = "/v1/offenders", tag = "chain",
    responses(
        (status = 200, body = api::Offenders),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn offenders(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let mut offenders = api::Offenders::new(&offenders_of(&reading.view));
    let bonds = state.bonds.borrow();
    let taken = bonds.iter().filter(|(_, taken)| **taken);
    offenders.slashed = Some(taken.map(|(id, _)| *id).collect());
    drop(bonds);
    Ok(reading.answer(&offenders))
}

/// An offender
///
/// By the member's id in the registry; its first conviction, with the proof that its bond is taken by, from the first
/// checkpoint on that has it.
#[utoipa::path(get, path = "/v1/offenders/{id}", tag = "chain",
    params(("id" = u64, Path)),
    responses(
        (status = 200, body = OffenderStatus),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn offender(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let id: u64 = parameter("id", &id)?;
    let offenders = offenders_of(&reading.view);
    let index = offenders.list().iter().position(|o| o.id == id);
    let index = index.ok_or_else(|| not_found(format_args!("offender {id}")))?;
    let view = reading.view.clone();
    let slashed = state.bonds.borrow().get(&id).copied();
    let status = from_store(&state, move |store| {
        let offender = offenders.list()[index];
        let index = index as u64;
        let prove = |commit, index| prove(&offenders, commit, index);
        Ok(OffenderStatus {
            offender,
            index,
            claim: claim((store, &view), (offender.commit, index), prove)?,
            slashed,
        })
    });
    Ok(reading.answer(&status.await?))
}
