//! E1, E2: who is in office, and what comes next, as JSON.

use crate::ids::{Epoch, Millis, Round, Stake};
use crate::work::FeeShare;
use crate::{roster, work};
use serde::{Deserialize, Serialize};

/// A member in office, or on its way in or out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seat {
    /// Its id in the registry.
    pub id: u64,
    /// The weight that is bonded: what it comes to have.
    pub bonded: Stake,
    /// The weight in office: zero before its first epoch.
    pub weight: Stake,
}

/// A member whose weight moves, and what the next edges make of it as the queue stands. What is queued later can
/// change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outlook {
    /// Its id in the registry.
    pub id: u64,
    /// With how many edges from now on it is in office; absent if it is, or will not be within 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joins_in: Option<u64>,
    /// With how many edges it has the weight that it has bonded; absent if that takes more than 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_in: Option<u64>,
}

/// Where the epoch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Roster {
    pub epoch: Epoch,
    /// When the epoch began, in ledger time.
    pub since: Millis,
    /// Ascending by id.
    pub seats: Vec<Seat>,
    /// Entries of the registry's queue that the ledger knows of.
    pub entries: u64,
    /// How many of them the committee in office includes.
    pub applied: u64,
    /// How many the next one will include; absent before it is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<u64>,
    /// Ids of members of the next committee that are ready.
    pub ready: Vec<u64>,
    /// Those whose weight moves, ascending by id.
    #[serde(default)]
    pub outlook: Vec<Outlook>,
    /// Whether the epoch is closed: its last height waits for its certificate.
    pub closed: bool,
    /// Who got what of the fees of the epoch before, ascending by id; those who got nothing are not there.
    #[serde(default)]
    pub shares: Vec<FeeShare>,
}

/// How much of the order the members have carried since the epoch began, up to the last height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Work {
    /// Rounds of which a vertex is ordered, by place in the committee; those after the last have none.
    pub vertices: Vec<u64>,
    /// Of each place the newest such round.
    pub rounds: Vec<Round>,
}

impl Work {
    pub fn new(work: &work::Work) -> Self {
        let (vertices, rounds) = work.counted().unzip();
        Self { vertices, rounds }
    }
}

impl Roster {
    pub fn new(roster: &roster::Roster) -> Self {
        let seat = |seat: &roster::Seat| Seat {
            id: seat.id,
            bonded: seat.target,
            weight: seat.effective,
        };
        let outlook = |(id, outlook): (u64, roster::Outlook)| Outlook {
            id,
            joins_in: outlook.joins_in,
            settles_in: outlook.settles_in,
        };
        Self {
            epoch: roster.epoch,
            since: roster.since,
            seats: roster.seats.iter().map(seat).collect(),
            entries: roster.queue.processed,
            applied: roster.applied(),
            announced: roster.announced,
            ready: roster.ready.clone(),
            outlook: roster.outlook().into_iter().map(outlook).collect(),
            closed: roster.closed,
            shares: roster.shares.clone(),
        }
    }
}
