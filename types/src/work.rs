//! L22: how much of the order each member has carried in its epoch, an object of the state: so a snapshot has it, and a
//! restart. It is what the epoch's fees are shared by, beside stake.
//!
//! A vertex counts when its round is above that of every vertex of its author that has counted. All that an honest member
//! signs and that is ordered counts: its vertices name each other as first parents, so they come in ascending rounds. Two
//! versions of one round count once, whoever refers to them.

use crate::committee::MEMBERS_MAX;
use crate::ids::{Address, Amount, Round};
use crate::object::ObjectError;
use crate::vertex::VertexRef;
use crate::wire;
use serde::{Deserialize, Serialize};

/// By place in the committee in office.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The last one is of somebody who has worked.
    members: Vec<Worked>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Worked {
    vertices: u64,
    /// Of the newest vertex that has counted.
    round: Round,
}

/// L23: what a member got of an epoch's fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeeShare {
    /// Its id in the registry.
    pub member: u64,
    /// The account of its vertex key.
    pub account: Address,
    pub amount: Amount,
}

impl Work {
    /// Takes up vertices in the order in which a commit has them.
    pub fn count(&mut self, ordered: &[VertexRef]) {
        for vertex in ordered {
            let place = vertex.author.as_usize();
            if place >= MEMBERS_MAX || vertex.round <= self.worked(place).round {
                continue;
            }
            if place >= self.members.len() {
                self.members.resize(place + 1, Worked::default());
            }
            let worked = &mut self.members[place];
            worked.vertices += 1;
            worked.round = vertex.round;
        }
    }

    /// Vertices that have counted of the member in this place.
    pub fn of(&self, place: usize) -> u64 {
        self.worked(place).vertices
    }

    /// Nobody has worked: then it is no object of the state.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn worked(&self, place: usize) -> Worked {
        self.members.get(place).copied().unwrap_or_default()
    }

    /// Of each place how many vertices have counted, and the round of the newest.
    pub fn counted(&self) -> impl Iterator<Item = (u64, Round)> + '_ {
        self.members.iter().map(|w| (w.vertices, w.round))
    }
}

impl From<&Work> for wire::Work {
    fn from(work: &Work) -> Self {
        let (vertices, rounds) = work.counted().map(|(n, round)| (n, round.0)).unzip();
        Self { vertices, rounds }
    }
}

impl TryFrom<wire::Work> for Work {
    type Error = ObjectError;

    fn try_from(wire: wire::Work) -> Result<Self, ObjectError> {
        let (vertices, rounds) = (&wire.vertices, &wire.rounds);
        let ends = vertices.last() != Some(&0);
        if vertices.len() != rounds.len() || vertices.len() > MEMBERS_MAX || !ends {
            return Err(ObjectError::Work);
        }
        let members = vertices.iter().zip(rounds).map(|(vertices, round)| {
            // Each is of a round of its own, and none of round 0.
            let possible = vertices <= round && (*vertices == 0) == (*round == 0);
            let worked = Worked {
                vertices: *vertices,
                round: Round(*round),
            };
            possible.then_some(worked).ok_or(ObjectError::Work)
        });
        Ok(Self {
            members: members.collect::<Result<_, _>>()?,
        })
    }
}

impl From<&FeeShare> for wire::FeeShare {
    fn from(share: &FeeShare) -> Self {
        Self {
            member: share.member,
            account: bytes::Bytes::copy_from_slice(&share.account.0),
            amount: share.amount.0,
        }
    }
}

impl TryFrom<&wire::FeeShare> for FeeShare {
    type Error = crate::ids::IdError;

    fn try_from(wire: &wire::FeeShare) -> Result<Self, Self::Error> {
        Ok(Self {
            member: wire.member,
            account: Address::try_from(wire.account.as_ref())?,
            amount: Amount(wire.amount),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{MemberIndex, VertexDigest};

    fn vertex(author: u32, round: u64, version: u8) -> VertexRef {
        VertexRef {
            round: Round(round),
            author: MemberIndex(author),
            digest: VertexDigest([version; 32]),
        }
    }

    fn counted(work: &Work) -> Vec<(u64, u64)> {
        work.counted().map(|(n, round)| (n, round.0)).collect()
    }

    #[test]
    fn l22_a_round_counts_once_for_each_member() {
        let mut work = Work::default();
        work.count(&[vertex(2, 1, 0), vertex(0, 1, 0), vertex(2, 4, 0)]);
        assert_eq!(counted(&work), [(1, 1), (0, 0), (2, 4)]);
        // Another version of its round, and one of a round that it has left behind.
        work.count(&[vertex(2, 4, 1), vertex(2, 3, 0)]);
        work.count(&[vertex(2, 4, 2), vertex(0, 2, 0)]);
        assert_eq!(counted(&work), [(2, 2), (0, 0), (2, 4)]);
        assert_eq!((work.of(2), work.of(1), work.of(9)), (2, 0, 0));
    }

    #[test]
    fn what_is_in_no_order_counts_nothing() {
        let mut work = Work::default();
        work.count(&[vertex(0, 0, 0), vertex(MEMBERS_MAX as u32, 1, 0)]);
        assert!(work.is_empty());
    }

    #[test]
    fn work_that_no_order_makes_is_refused() {
        for (vertices, rounds) in [
            (vec![1], vec![]),
            (vec![1, 0], vec![1, 0]),
            (vec![0, 1], vec![3, 1]),
            (vec![3], vec![2]),
            (vec![1; MEMBERS_MAX + 1], vec![1; MEMBERS_MAX + 1]),
        ] {
            let wire = wire::Work { vertices, rounds };
            assert_eq!(Work::try_from(wire), Err(ObjectError::Work));
        }
    }
}
