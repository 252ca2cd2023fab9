//! D5: who leads a round. Leaders of a round are distinct and drawn by stake from a seed, so that
//! every member computes the same ones from the round's number alone.

use std::sync::Arc;
use weft_types::hash::{Domain, blake3};
use weft_types::{Committee, MemberIndex, Round};

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
    Table(Arc<[Vec<MemberIndex>]>),
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
        assert!(!rows.is_empty());
        Self(Kind::Table(rows.into()))
    }

    /// The leaders of a round in the order of their slots. Round 0 has none: its vertices are known
    /// to all.
    ///
    /// Slot `i` goes to the member in whose interval of the remaining stake the number
    /// `floor(h * remaining / 2^64)` falls, members in ascending order, where `h` is the first eight
    /// bytes, big-endian, of BLAKE3 over (seed, epoch, round, i).
    pub fn leaders(&self, committee: &Committee, round: Round) -> Vec<MemberIndex> {
        if round == Round::ZERO {
            return Vec::new();
        }
        match &self.0 {
            Kind::ByStake { seed, per_round } => draw(committee, seed, *per_round, round),
            Kind::Table(rows) => rows[(round.0 - 1) as usize % rows.len()].clone(),
        }
    }
}

fn draw(committee: &Committee, seed: &[u8; 32], count: usize, round: Round) -> Vec<MemberIndex> {
    let mut left: Vec<MemberIndex> = committee.indices().collect();
    let mut remaining = committee.total().0;
    let mut leaders = Vec::with_capacity(count);
    for slot in 0..count.min(left.len()) as u64 {
        let numbers = [committee.epoch().0, round.0, slot].map(u64::to_be_bytes);
        let [epoch, round, slot] = &numbers;
        let hash = blake3(Domain::LeaderSchedule, &[seed, epoch, round, slot]);
        let [a, b, c, d, e, f, g, h, ..] = hash;
        let drawn = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        let mut point = ((u128::from(drawn) * u128::from(remaining)) >> 64) as u64;
        let place = left.iter().position(|m| {
            let stake = committee.stake(*m).0;
            let here = point < stake;
            point = point.saturating_sub(stake);
            here
        });
        let leader = left.remove(place.expect("the point lies within the remaining stake"));
        remaining -= committee.stake(leader).0;
        leaders.push(leader);
    }
    leaders
}

#[cfg(test)]
mod tests;
