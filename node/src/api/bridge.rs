//! B1: how far the ledger has come with the base chain's vault, and what withdrawals are paid by.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::claims::claim;
use super::reading::{Reading, from_store};
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use weft_storage::Store;
use weft_types::api::{self, BridgeStatus, Problem, WithdrawalState, WithdrawalStatus};
use weft_types::{
    BaseAddress, BridgeId, CommitIndex, Object, ObjectId, TREE_PLACES, Withdrawal, WithdrawalId,
};

/// The bridge
///
/// The contracts on the base chain, deposits credited and about to be, withdrawals requested.
#[utoipa::path(get, path = "/v1/bridge", tag = "bridge",
    responses(
        (status = 200, body = BridgeStatus),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn bridge(State(state): State<ApiState>, reading: Reading) -> Result<Response, Failure> {
    let found = reading
        .view
        .snapshot
        .get(&ObjectId::Bridge(BridgeId::THE_ONE));
    let bridge = found
        .as_ref()
        .and_then(Object::as_bridge)
        .cloned()
        .unwrap_or_default();
    Ok(reading.answer(&BridgeStatus {
        vault: BaseAddress(state.genesis.vault),
        manager: BaseAddress(state.genesis.network.manager),
        registry: BaseAddress(state.genesis.registry),
        challenge_window_s: state.genesis.template.params.challenge_window_s,
        bridge: api::Bridge::new(&bridge),
        halted: reading.view.bridge_halted.clone(),
    }))
}

/// A withdrawal
///
/// With the proof that the vault pays it by, from the first checkpoint on that has it.
#[utoipa::path(get, path = "/v1/withdrawals/{index}", tag = "bridge",
    params(("index" = u64, Path)),
    responses(
        (status = 200, body = WithdrawalStatus),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn withdrawal(
    State(state): State<ApiState>,
    Segment(index): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let index: u64 = parameter("index", &index)?;
    let view = reading.view.clone();
    let missing = || not_found(format_args!("withdrawal {index}"));
    let withdrawal = withdrawal_at(&view, index).ok_or_else(missing)?;
    let status = from_store(&state, move |store| status(store, &view, withdrawal));
    Ok(reading.answer(&status.await?))
}

fn withdrawal_at(view: &View, index: u64) -> Option<Withdrawal> {
    let found = view
        .snapshot
        .get(&ObjectId::Withdrawal(WithdrawalId::new(index)));
    found.as_ref().and_then(Object::as_withdrawal).map(|w| **w)
}

/// How many withdrawals a statement's tree has: all up to its commit.
fn withdrawn_by(view: &View, commit: CommitIndex) -> u64 {
    let (mut low, mut high) = (0, TREE_PLACES);
    while low < high {
        let middle = low + (high - low) / 2;
        match withdrawal_at(view, middle) {
            Some(withdrawal) if withdrawal.commit <= commit => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

fn status(
    store: &Store,
    view: &Arc<View>,
    withdrawal: Withdrawal,
) -> Result<WithdrawalStatus, Failure> {
    let certified = view
        .certified
        .as_ref()
        .map(|c| c.certificate.statement.commit);
    let mut status = WithdrawalStatus {
        withdrawal,
        state: match certified >= Some(withdrawal.commit) {
            true => WithdrawalState::Certified,
            false => WithdrawalState::Requested,
        },
        claim: None,
    };
    let prove = |commit, index| {
        let count = withdrawn_by(view, commit);
        let trees = view.snapshot.base_trees();
        (index < count).then(|| trees.withdrawals.prove_among(index, count))
    };
    let place = (withdrawal.commit, withdrawal.index);
    status.claim = claim((store, view), place, prove)?;
    if status.claim.is_some() {
        status.state = WithdrawalState::Posted;
    }
    Ok(status)
}
