//! Which places of a list are taken: a bit for each, bit i%8 of byte i/8.

/// A set of places, as long as its last one asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<u8>);

impl Places {
    pub fn has(&self, place: u32) -> bool {
        let byte = self.0.get(place as usize / 8);
        byte.is_some_and(|byte| byte >> (place % 8) & 1 == 1)
    }

    pub fn insert(&mut self, place: u32) {
        let byte = place as usize / 8;
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        self.0[byte] |= 1 << (place % 8);
    }

    /// On the wire.
    pub fn bits(&self) -> &[u8] {
        &self.0
    }

    /// Reads them; `None` when one is not below `count`, or there are more bytes than the last one asks for.
    pub fn from_bits(bits: &[u8], count: u32) -> Option<Self> {
        let Some(last) = bits.last() else {
            return Some(Self::default());
        };
        let highest = bits.len() as u64 * 8 - u64::from(last.leading_zeros()) - 1;
        let sound = *last != 0 && highest < u64::from(count);
        sound.then(|| Self(bits.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_there_and_reads_back_in_one_form_alone() {
        let mut places = Places::default();
        for place in [3, 8, 8, 20] {
            places.insert(place);
        }
        let there: Vec<u32> = (0..40).filter(|place| places.has(*place)).collect();
        assert_eq!(there, [3, 8, 20]);
        assert_eq!(Places::from_bits(places.bits(), 21), Some(places.clone()));
        assert_eq!(Places::from_bits(places.bits(), 20), None);
        let longer = [places.bits(), &[0]].concat();
        assert_eq!(Places::from_bits(&longer, 100), None);
        assert_eq!(Places::from_bits(&[], 0), Some(Places::default()));
        assert!(!Places::default().has(u32::MAX));
    }
}
