//! L47: what is in the packs of a series. The contents are shuffled once, for all packs together, by a seed from what the
//! giver has committed to before the first sale, what each buyer has added, and the lot, which nobody knew before the last
//! sale. So no pack is drawn before another, and no order of sale, opening or arrival chooses between outcomes.
//!
//! A pure function of what is in the deal's last form: whoever has that draws again.

use crate::hash::{Domain, blake3};
use crate::ids::{Address, ContentHash, DealId, DrawSecret, ItemId};
use crate::object::{Deal, Drawing, Lot};
use crate::operation::Series;

/// What the giver of a series publishes of its secret. With the giver's address in it nobody else can use it.
pub fn draw_commitment(giver: &Address, secret: &DrawSecret) -> ContentHash {
    ContentHash(blake3(Domain::DrawCommitment, &[&giver.0, &secret.0]))
}

/// What there is of a series once it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The items of each pack that was sold, in the order of sale.
    pub packs: Vec<Vec<ItemId>>,
    /// Of packs that were not.
    pub unsold: Vec<ItemId>,
}

impl Deal {
    /// The draw by a secret, whether or not it is the one that the giver has committed to; `None` for what is no series or
    /// has no lot yet.
    pub fn draw(&self, id: &DealId, secret: &DrawSecret) -> Option<Drawn> {
        let (series, drawing) = (self.terms.series()?, self.drawing.as_ref()?);
        let seed = seed(id, secret, drawing, drawing.lot.as_ref()?);
        Some(self.deal_out(series, drawing, &seed))
    }

    fn deal_out(&self, series: &Series, drawing: &Drawing, seed: &[u8; 32]) -> Drawn {
        let mut contents = self.terms.gives.items.clone();
        shuffle(&mut contents, &mut numbers(seed));
        let each = contents.len() / series.packs.max(1) as usize;
        let sold = each.saturating_mul(drawing.packs.len()).min(contents.len());
        let unsold = contents.split_off(sold);
        let packs = contents.chunks(each.max(1)).map(<[ItemId]>::to_vec);
        Drawn {
            packs: packs.collect(),
            unsold,
        }
    }
}

fn seed(id: &DealId, secret: &DrawSecret, drawing: &Drawing, lot: &Lot) -> [u8; 32] {
    let commit = lot.commit.0.to_be_bytes();
    let mut parts: Vec<&[u8]> = vec![&id.0, &secret.0, &commit, &lot.digest.0];
    parts.extend(drawing.packs.iter().map(|pack| &pack.entropy.0[..]));
    blake3(Domain::DrawSeed, &parts)
}

/// The first eight bytes of a hash of the seed and 0, 1, 2 and so on.
fn numbers(seed: &[u8; 32]) -> impl FnMut() -> u64 + '_ {
    let mut count = 0u64;
    move || {
        let hash = blake3(Domain::DrawNumber, &[seed, &count.to_be_bytes()]);
        count += 1;
        let [a, b, c, d, e, f, g, h, ..] = hash;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Fisher and Yates: each place, from the first on, changes with one that is left, itself included.
fn shuffle<T>(list: &mut [T], numbers: &mut impl FnMut() -> u64) {
    let length = list.len();
    for place in 0..length {
        let left = (length - place) as u64;
        list.swap(place, place + below(left, numbers) as usize);
    }
}

/// One of `bound` numbers, each as likely: what is above the greatest multiple of the bound is drawn again.
fn below(bound: u64, numbers: &mut impl FnMut() -> u64) -> u64 {
    let over = (u64::MAX % bound + 1) % bound;
    loop {
        let number = numbers();
        if number <= u64::MAX - over {
            return number % bound;
        }
    }
}

#[cfg(test)]
mod tests;
