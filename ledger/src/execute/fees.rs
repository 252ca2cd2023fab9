//! L23: the fees of an epoch that has ended go to those who were in office, by their stake and their work (L22).
//!
//! What is shared is what the pool holds when the next epoch opens, of the native asset, which is all that fees are paid
//! in. Of other assets the pool has only what somebody gave away; sharing them too would make a commit's work a matter of
//! how many assets strangers have sent there.

use crate::draft::Draft;
use crate::live::Objects;
use weft_types::{Address, Amount, AssetId, FeeShare, Roster, Seat, Work};

/// Pays, and says whom: by the seats and the work of the epoch that has ended. What the proportions leave over stays
/// in the pool, and so does everything if nobody has a part.
pub(super) fn share<B: Objects>(
    draft: &mut Draft<'_, B>,
    ended: &Roster,
    work: &Work,
) -> Vec<FeeShare> {
    let pool = draft.account(Address::FEE_POOL).balance(&AssetId::NATIVE);
    let convicted = draft.offenders();
    let weight = |(place, seat): (usize, &Seat)| -> u128 {
        // Who was convicted in an earlier epoch has had no part in this one (V8.7).
        let offends = convicted.list().iter().any(|o| o.id == seat.id);
        if offends || ended.is_slashed(seat) {
            return 0;
        }
        u128::from(seat.effective.0) * u128::from(work.of(place))
    };
    let weights: Vec<u128> = ended.in_office().enumerate().map(weight).collect();
    // A committee's stake and a count are below 2^64 each, so the sum of their products is below 2^128.
    let whole = weights.iter().sum();
    let mut shares = Vec::new();
    for (seat, weight) in ended.in_office().zip(weights) {
        let amount = Amount(proportion(pool.0, weight, whole));
        if amount > Amount::ZERO {
            let account = Address::of_key(&seat.keys.vertex_key);
            draft.credit(account, AssetId::NATIVE, amount);
            shares.push(FeeShare {
                member: seat.id,
                account,
                amount,
            });
        }
    }
    let paid = shares.iter().map(|s| s.amount.0).sum();
    draft
        .debit(Address::FEE_POOL, AssetId::NATIVE, Amount(paid))
        .expect("parts of the pool are no more than the pool");
    shares
}

/// `floor(amount * part / whole)` for any values with `part <= whole`; zero of no whole. Digit by digit, as one divides on paper:
/// the product has up to 192 bits.
fn proportion(amount: u64, part: u128, whole: u128) -> u64 {
    if whole == 0 {
        return 0;
    }
    let (mut quotient, mut rest) = (0, 0);
    // The sum of two numbers of which neither is above the whole, and whether the whole fits into it.
    let add = |a: u128, b: u128| match a >= whole - b {
        true => (a - (whole - b), 1),
        false => (a + b, 0),
    };
    for bit in (0..u64::BITS).rev() {
        let (doubled, carry) = add(rest, rest);
        (rest, quotient) = (doubled, 2 * quotient + carry);
        if amount >> bit & 1 == 1 {
            let (sum, carry) = add(rest, part);
            (rest, quotient) = (sum, quotient + carry);
        }
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proportion_is_rounded_down() {
        for (amount, part, whole, expected) in [
            (0, 1, 1, 0),
            (7, 0, 3, 0),
            (7, 0, 0, 0),
            (7, 3, 3, 7),
            (7, 1, 2, 3),
            (100, 1, 3, 33),
            (100, 2, 3, 66),
            (2, 1, 3, 0),
        ] {
            assert_eq!(proportion(amount, part, whole), expected);
        }
    }

    #[test]
    fn a_proportion_of_whatever_size_is_exact() {
        let mut random = weft_types::SplitMix64::new(7);
        let mut wide = || u128::from(random.draw()) << 64 | u128::from(random.draw());
        for n in 0..2_000 {
            let whole = wide() >> (n % 128);
            let (amount, part) = (wide() as u64 >> (n % 7), wide().checked_rem(whole));
            let part = part.unwrap_or_default();
            let found = u128::from(proportion(amount, part, whole));
            // By the definition, in two halves of 64 bits: found * whole <= amount * part < (found + 1) * whole.
            let product = |a: u128, b: u128| {
                let (high, low) = (a * (b >> 64), a * (b & u128::from(u64::MAX)));
                (high + (low >> 64), low & u128::from(u64::MAX))
            };
            let true_product = product(u128::from(amount), part);
            assert!(product(found, whole) <= true_product);
            assert!(whole == 0 || true_product < product(found + 1, whole));
        }
        assert_eq!(proportion(u64::MAX, u128::MAX, u128::MAX), u64::MAX);
        assert_eq!(proportion(u64::MAX, u128::MAX - 1, u128::MAX), u64::MAX - 1);
    }
}
