//! B1: how far the ledger has come with the base chain's vault, and what withdrawals are paid by.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::claims::{claim, first_height};
use super::exits::proven;
use super::reading::{Reading, from_store};
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
use weft_storage::Store;
use weft_types::api::{
    self, BridgeStatus, Problem, ProvenWithdrawal, WithdrawalState, WithdrawalStatus, Withdrawals,
};
use weft_types::{
    Address, BaseAddress, BridgeId, CommitIndex, Height, Object, ObjectId, TREE_PLACES, Withdrawal,
    WithdrawalId,
};

/// Withdrawals that a request may go through to find those of an account.
const WITHDRAWALS_WALKED_MAX: u64 = 10_000;

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
        lags: *state.bridge_lags.borrow(),
        provable: reading.view.provable.iter().map(|p| p.height).collect(),
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

/// Withdrawals
///
/// Those that the newest checkpoint has, or the one asked for; an account's with the proofs that the vault pays them by, so that whoever keeps
/// them needs no masternode any more. A page may be short of `limit` while `next` is there.
#[utoipa::path(get, path = "/v1/withdrawals", tag = "bridge",
    params(("account" = Option<Address>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query),
        ("checkpoint" = Option<Height>, Query)),
    responses(
        (status = 200, body = Withdrawals),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn withdrawals(
    State(state): State<ApiState>,
    reading: Reading,
) -> Result<Response, Failure> {
    let (limit, from) = (reading.limit()?, reading.cursor::<u64>()?);
    let account: Option<Address> = reading.parameter("account")?;
    let wanted = reading.parameter("checkpoint")?.map(Height);
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        let proven = proven(store, &view, wanted)?;
        let (statement, _) = proven.ok_or_else(|| not_found("a checkpoint"))?;
        let count = withdrawn_by(&view, statement.commit);
        let tree = &view.snapshot.base_trees().withdrawals;
        let mut at = from.unwrap_or_default();
        let end = count.min(at.saturating_add(WITHDRAWALS_WALKED_MAX));
        let mut withdrawals = Vec::new();
        while at < end && withdrawals.len() < limit {
            let found = withdrawal_at(&view, at);
            let found = found.filter(|w| account.is_none_or(|account| w.account == account));
            withdrawals.extend(found.map(|withdrawal| ProvenWithdrawal {
                withdrawal,
                siblings: match account {
                    Some(_) => tree.prove_among(at, count).to_vec(),
                    None => vec![],
                },
            }));
            at += 1;
        }
        Ok(Withdrawals {
            statement,
            count,
            withdrawals,
            next: (at < count).then(|| at.to_string()),
        })
    });
    Ok(reading.answer(&page.await?))
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
    let newest = view.certified.as_ref();
    let newest = newest.map(|c| c.certificate.statement.height);
    let height = first_height(store, view, withdrawal.commit)?;
    let certified = newest.is_some_and(|newest| newest >= height);
    let mut status = WithdrawalStatus {
        withdrawal,
        certified: certified.then_some(height),
        state: match certified {
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
