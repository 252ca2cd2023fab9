//! Sums of stake for all members at once.

use super::{MemberSet, Stake};
use crate::ids::MemberIndex;

/// By member: the stake of whatever was added to sets that it is in. Held bit by bit, one set for each
/// binary digit of the sums, so that adding a set costs the digits of its stake and not its members.
#[derive(Clone)]
pub struct StakeSums {
    digits: [u128; 64],
    /// Digits above these are all zero.
    used: usize,
}

impl Default for StakeSums {
    fn default() -> Self {
        Self {
            digits: [0; 64],
            used: 0,
        }
    }
}

impl StakeSums {
    /// Adds stake to each member of a set. All that is ever added together must fit into 64 bits, as a
    /// committee's total does.
    pub fn add(&mut self, members: &MemberSet, stake: Stake) {
        let mut left = stake.0;
        while left != 0 {
            let mut place = left.trailing_zeros() as usize;
            left &= left - 1;
            let mut carry = members.0;
            while carry != 0 && place < self.digits.len() {
                let digit = &mut self.digits[place];
                (*digit, carry) = (*digit ^ carry, *digit & carry);
                place += 1;
            }
            self.used = self.used.max(place);
        }
    }

    /// One member's sum.
    pub fn of(&self, member: MemberIndex) -> Stake {
        let digits = self.digits[..self.used].iter().enumerate();
        let set = digits.filter(|(_, digit)| MemberSet(**digit).contains(member));
        Stake(set.map(|(place, _)| 1 << place).sum())
    }

    /// The members whose sum is at least `enough`.
    pub fn at_least(&self, enough: Stake) -> MemberSet {
        let (mut above, mut equal) = (0, u128::MAX);
        // No sum has as many digits as `enough`.
        if enough.0.checked_shr(self.used as u32).unwrap_or(0) != 0 {
            return MemberSet::default();
        }
        for (place, digit) in self.digits[..self.used].iter().enumerate().rev() {
            if (enough.0 >> place) & 1 == 0 {
                above |= equal & digit;
                equal &= !digit;
            } else {
                equal &= digit;
            }
        }
        MemberSet(above | equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_plain_addition() {
        let mut sums = StakeSums::default();
        let mut plain = [0u64; 128];
        let mut state = 7u64;
        for _ in 0..200 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let stake = state >> 40;
            let members: MemberSet = (0..128)
                .filter(|i| (state >> (i % 37)) & 1 == 1)
                .map(MemberIndex)
                .collect();
            sums.add(&members, Stake(stake));
            for member in members.iter() {
                plain[member.as_usize()] += stake;
            }
        }
        for (member, sum) in (0..).zip(plain) {
            assert_eq!(sums.of(MemberIndex(member)), Stake(sum));
        }
        let most = plain.iter().max().copied().unwrap_or_default();
        for enough in plain.iter().copied().chain([0, 1, most + 1]) {
            let expected: MemberSet = (0..128)
                .filter(|i| plain[*i as usize] >= enough)
                .map(MemberIndex)
                .collect();
            assert_eq!(sums.at_least(Stake(enough)), expected, "{enough}");
        }
    }
}
