//! What comes next for a masternode, by the registry and by the edges that the ledger has ahead.

use crate::failure::Failure;
use crate::time;
use serde::Serialize;
use weft_basechain::{MemberState, MemberStatus};
use weft_client::Client;
use weft_types::api::{Outlook, Roster};
use weft_types::{Millis, Stake};

/// What comes next for a masternode, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The status that it comes to; absent where nothing changes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// With which epoch, as the queue stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// Not before, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<u64>,
    pub words: String,
}

/// The next edges of epochs, as the ledger has them.
#[derive(Debug, Clone)]
pub struct Edges {
    /// The epoch that the next one opens, and when at the earliest.
    epoch: u64,
    not_before: Millis,
    duration: Millis,
    /// Those whose weight moves.
    outlook: Vec<Outlook>,
}

/// One of them.
struct Edge {
    epoch: u64,
    not_before: Millis,
    words: String,
}

impl Edges {
    pub async fn asked(client: &Client) -> Result<(Roster, Self), Failure> {
        let roster = client.epoch().await?;
        let duration = client.genesis().await?.template.params.epoch_duration_ms;
        let edges = Self::of(&roster, duration);
        Ok((roster, edges))
    }

    fn of(roster: &Roster, duration: Millis) -> Self {
        Self {
            epoch: roster.epoch.0.saturating_add(1),
            not_before: roster.since.saturating_add(duration.0),
            duration,
            outlook: roster.outlook.clone(),
        }
    }

    /// The edge that ends a masternode's wait, or the next one, where the ledger knows of no wait yet, or of no end.
    fn ending(&self, id: u64, wait: impl Fn(&Outlook) -> Option<u64>) -> Edge {
        let known = self.outlook.iter().find(|outlook| outlook.id == id);
        let known = known.and_then(wait);
        let further = known.map_or(0, |edges| edges.saturating_sub(1));
        let epoch = self.epoch.saturating_add(further);
        let more = self.duration.0.saturating_mul(further);
        let not_before = self.not_before.saturating_add(more);
        let sure = match known {
            Some(_) => "as the queue stands",
            None => "at the earliest",
        };
        Edge {
            epoch,
            not_before,
            words: format!("epoch {epoch} {sure}, not before {}", time::utc(not_before)),
        }
    }
}

impl Next {
    pub fn of(state: &MemberState, edges: Option<&Edges>) -> Self {
        let free_at = state.free_at;
        let free = || free_at.map(|at| time::utc(Millis(at.saturating_mul(1_000))));
        let edge = edges.map(|edges| match state.status {
            MemberStatus::Queued => edges.ending(state.id, |o| o.joins_in),
            _ => edges.ending(state.id, |o| o.settles_in),
        });
        let some = || "one of the next epochs".to_owned();
        let with = edge.as_ref().map_or_else(some, |edge| edge.words.clone());
        let (status, at_edge, words) = match state.status {
            MemberStatus::Registered => (
                Some("active"),
                false,
                "the other operators of the genesis register".to_owned(),
            ),
            MemberStatus::Queued => (
                Some("active"),
                true,
                format!("it joins with {with}; its node has to run by then"),
            ),
            MemberStatus::Active if state.weight != state.effective => {
                let moves = format!("its weight moves to {} with {with}", state.weight.0);
                (None, true, moves)
            }
            MemberStatus::Active => (None, false, "it stays until it leaves".to_owned()),
            MemberStatus::Leaving => (
                Some("unbonding"),
                true,
                format!("it leaves with {with}; keep the node running until then"),
            ),
            MemberStatus::Unbonding => {
                let words = match free() {
                    Some(free) => format!("the bond is free at {free}"),
                    None => "the bond becomes free".to_owned(),
                };
                (Some("free"), false, words)
            }
            MemberStatus::Free => (
                Some("withdrawn"),
                false,
                "`weft masternode withdraw` pays the bond out".to_owned(),
            ),
            MemberStatus::Withdrawn => (None, false, "nothing: the bond is paid out".to_owned()),
            MemberStatus::Slashed if state.effective > Stake::ZERO => {
                let goes = format!("the bond is gone; its weight goes with {with}");
                (None, true, goes)
            }
            MemberStatus::Slashed => (None, false, "nothing: the bond is gone".to_owned()),
        };
        let edge = edge.filter(|_| at_edge);
        let free_at = free_at.filter(|_| state.status == MemberStatus::Unbonding);
        Self {
            status,
            epoch: edge.as_ref().map(|edge| edge.epoch),
            not_before: edge
                .map(|edge| edge.not_before.0.div_ceil(1_000))
                .or(free_at),
            words,
        }
    }
}

#[cfg(test)]
pub mod tests;
