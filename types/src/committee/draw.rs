//! Members drawn by stake from a seed that everybody can compute: who leads a round (D5), and in
//! which order a transaction's members propose it (P1).

use super::Committee;
use crate::hash::{Domain, blake3};
use crate::ids::{MemberIndex, TransactionId};

impl Committee {
    /// Distinct ones of the given members, which ascend, `count` at most. The next is the one in whose
    /// interval of the remaining stake the number `floor(h * remaining / 2^64)` falls, each interval as
    /// long as the member's stake; `h` is the first eight bytes, big-endian, of the draw's `hash`.
    pub fn draw(
        &self,
        members: impl Iterator<Item = MemberIndex>,
        count: usize,
        hash: impl Fn(u64) -> [u8; 32],
    ) -> Vec<MemberIndex> {
        let mut left: Vec<MemberIndex> = members.collect();
        let mut remaining: u64 = left.iter().map(|m| self.stake(*m).0).sum();
        let count = count.min(left.len());
        let mut drawn = Vec::with_capacity(count);
        for number in 0..count as u64 {
            let [a, b, c, d, e, f, g, h, ..] = hash(number);
            let h = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            let mut point = ((u128::from(h) * u128::from(remaining)) >> 64) as u64;
            let place = left.iter().position(|m| {
                let stake = self.stake(*m).0;
                let here = point < stake;
                point = point.saturating_sub(stake);
                here
            });
            let member = left.remove(place.expect("the point lies within the remaining stake"));
            remaining -= self.stake(member).0;
            drawn.push(member);
        }
        drawn
    }

    /// P1: the first `count` members, all if there are fewer, of the order in which a transaction's
    /// members propose it: drawn by the hash of epoch, id and number.
    pub fn proposers(&self, transaction: &TransactionId, count: usize) -> Vec<MemberIndex> {
        let epoch = self.epoch().0.to_be_bytes();
        self.draw(self.indices(), count, |number| {
            let number = number.to_be_bytes();
            blake3(Domain::Proposers, &[&epoch, &transaction.0, &number])
        })
    }
}
