//! Numbers from a seed, split into independent streams so that one more draw for the links changes no
//! draw of the load.

use weft_types::SplitMix64;

/// One stream of numbers.
#[derive(Debug, Clone)]
pub struct Rng(SplitMix64);

/// What a stream is for.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    Links = 1,
    Load = 2,
    Faults = 3,
    Disks = 4,
    Crimes = 5,
    Clocks = 6,
    Base = 7,
    Epochs = 8,
}

impl Rng {
    pub fn new(seed: u64, stream: Stream) -> Self {
        let start = SplitMix64::new(seed).draw();
        let apart = (stream as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
        Self(SplitMix64::new(start ^ apart))
    }

    pub fn next(&mut self) -> u64 {
        self.0.draw()
    }

    /// A number below `n`; zero when `n` is zero.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// A number of `low..=high`; `low` when the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below((high.saturating_sub(low)).saturating_add(1))
    }

    /// True in so many of a thousand cases. Draws nothing when that is none.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    /// A random place of a list; zero for an empty one.
    pub fn place(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.place(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut rng = Rng::new(1, Stream::Links);
        let drawn: Vec<u64> = (0..1000).map(|_| rng.between(3, 5)).collect();
        assert!(drawn.iter().all(|n| (3..=5).contains(n)));
        assert!(drawn.contains(&3) && drawn.contains(&5));
        assert_eq!((rng.below(0), rng.place(0), rng.between(7, 7)), (0, 0, 7));
    }

    #[test]
    fn streams_of_one_seed_differ() {
        let mut links = Rng::new(5, Stream::Links);
        let mut load = Rng::new(5, Stream::Load);
        assert_ne!(links.next(), load.next());
    }
}
