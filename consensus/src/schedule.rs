//! D5: who leads a round. Leaders of a round are distinct and drawn by stake from a seed, so that
//! every member computes the same ones from the round's number and from who is out of the schedule
//! (`reputation.rs`) alone.

use crate::config::CoreConfig;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use weft_types::hash::{Domain, blake3};
use weft_types::{Committee, MemberIndex, MemberSet, Round};

#[derive(Debug, Clone)]
pub struct Schedule(Kind);

#[derive(Debug, Clone)]
enum Kind {
    ByStake {
        seed: [u8; 32],
        per_round: usize,
    },
    /// Row `(round - 1) mod length`.
    #[cfg_attr(not(any(test, feature = "testing")), allow(dead_code))]
    Table {
        rows: Arc<[Vec<MemberIndex>]>,
        fixed: bool,
    },
}

impl Schedule {
    pub fn by_stake(seed: [u8; 32], leaders_per_round: u32) -> Self {
        Self(Kind::ByStake {
            seed,
            per_round: leaders_per_round as usize,
        })
    }

    /// Leaders by hand: the first row leads round 1, and the rows repeat.
    ///
    /// # Panics
    /// When there is no row.
    #[cfg(any(test, feature = "testing"))]
    pub fn table(rows: Vec<Vec<MemberIndex>>) -> Self {
        Self::of_rows(rows, true)
    }

    /// The same, with the place of a demoted leader taken by the next member that is not demoted
    /// and has no place in the row yet.
    ///
    /// # Panics
    /// When there is no row.
    #[cfg(any(test, feature = "testing"))]
    pub fn table_with_reputation(rows: Vec<Vec<MemberIndex>>) -> Self {
        Self::of_rows(rows, false)
    }

    #[cfg(any(test, feature = "testing"))]
    fn of_rows(rows: Vec<Vec<MemberIndex>>, fixed: bool) -> Self {
        assert!(!rows.is_empty());
        let rows = rows.into();
        Self(Kind::Table { rows, fixed })
    }

    /// Whether nobody is ever demoted.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(&self.0, Kind::Table { fixed: true, .. })
    }

    /// The leaders of a round in the order of their slots. Round 0 has none: its vertices are known
    /// to all.
    ///
    /// Slot `i` goes to the member in whose interval of the remaining stake the number
    /// `floor(h * remaining / 2^64)` falls, members in ascending order, where `h` is the first eight
    /// bytes, big-endian, of BLAKE3 over (seed, epoch, round, i). Demoted members have no stake in it.
    pub fn leaders(
        &self,
        committee: &Committee,
        round: Round,
        demoted: &MemberSet,
    ) -> Vec<MemberIndex> {
        if round == Round::ZERO {
            return Vec::new();
        }
        match &self.0 {
            Kind::ByStake { seed, per_round } => draw(committee, seed, *per_round, round, demoted),
            Kind::Table { rows, .. } => {
                let row = &rows[(round.0 - 1) as usize % rows.len()];
                fill(committee, row, demoted)
            }
        }
    }
}

/// Draws that are kept.
const DRAWN_MAX: usize = 16;

/// A core's leaders, drawn once: slots and reputation ask for the same rounds, and a draw costs a hash for
/// each member.
#[derive(Debug)]
pub(crate) struct Leaders {
    config: Arc<CoreConfig>,
    drawn: Mutex<VecDeque<(Draw, Vec<MemberIndex>)>>,
}

/// A round, and who is demoted.
type Draw = (Round, MemberSet);

impl Leaders {
    pub fn new(config: &Arc<CoreConfig>) -> Arc<Self> {
        Arc::new(Self {
            config: config.clone(),
            drawn: Mutex::default(),
        })
    }

    /// [`Schedule::leaders`].
    pub fn of(&self, round: Round, demoted: &MemberSet) -> Vec<MemberIndex> {
        let draw = (round, *demoted);
        // Each entry is whole, whatever has become of a thread.
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, leaders)) = drawn.iter().rev().find(|(known, _)| *known == draw) {
            return leaders.clone();
        }
        let config = &self.config;
        let leaders = config.schedule.leaders(&config.committee, round, demoted);
        if drawn.len() >= DRAWN_MAX {
            drawn.pop_front();
        }
        drawn.push_back((draw, leaders.clone()));
        leaders
    }
}

fn draw(
    committee: &Committee,
    seed: &[u8; 32],
    count: usize,
    round: Round,
    demoted: &MemberSet,
) -> Vec<MemberIndex> {
    let members = committee.indices().filter(|m| !demoted.contains(*m));
    committee.draw(members, count, |slot| {
        let numbers = [committee.epoch().0, round.0, slot].map(u64::to_be_bytes);
        let [epoch, round, slot] = &numbers;
        blake3(Domain::LeaderSchedule, &[seed, epoch, round, slot])
    })
}

/// A row of a table without the demoted.
fn fill(committee: &Committee, row: &[MemberIndex], demoted: &MemberSet) -> Vec<MemberIndex> {
    let mut leaders: Vec<MemberIndex> = Vec::with_capacity(row.len());
    let free = |m: &MemberIndex| !demoted.contains(*m);
    for member in row {
        let after = committee.indices().filter(|m| m > member);
        let around = after
            .chain(committee.indices())
            .filter(|m| !row.contains(m));
        let mut choice = std::iter::once(*member).chain(around).filter(free);
        leaders.extend(choice.find(|m| !leaders.contains(m)));
    }
    leaders
}

#[cfg(test)]
mod tests;
