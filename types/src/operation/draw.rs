//! L45: a series of packs, as its giver lays it down.

use super::decode::positive;
use super::encode::bytes;
use super::*;

/// Longest time that a giver takes for showing the secret: 30 days.
pub const REVEAL_MAX: Millis = Millis(30 * 86_400_000);

/// What a deal is beside its terms when it is a series of packs. The contents are all items that it gives, as many in each
/// pack; what it gives of the native asset is the bond, as much for each pack; what it wants of it is the price of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    pub packs: u32,
    /// To the giver's secret ([`crate::draw_commitment`]).
    pub commitment: ContentHash,
    /// How long the giver has to show it.
    pub reveal: Millis,
}

impl NewDeal {
    /// `None`: it is no series.
    pub fn series(&self) -> Option<&Series> {
        match &self.rule {
            DealRule::Draw(series) => Some(series),
            _ => None,
        }
    }

    /// L45: all that bytes alone say of a series.
    pub(super) fn check_series(&self, series: &Series) -> Result<(), OperationError> {
        let refused = |what| Err(OperationError::Series(what));
        let (gives, wants) = (&self.gives, &self.wants);
        let coin = |bundle: &Bundle| {
            let [part] = &bundle.assets[..] else {
                return None;
            };
            (part.asset == AssetId::NATIVE).then_some(u128::from(part.amount.0))
        };
        if !(1..LIST_MAX as u32).contains(&series.packs) {
            return refused("it has 1 to 255 packs");
        }
        if series.reveal > REVEAL_MAX {
            return refused("its secret is shown within 30 days");
        }
        positive("time to reveal", series.reveal.0)?;
        if !wants.items.is_empty() || !self.wants_any.is_empty() {
            return refused("a pack is sold for coin, not for items");
        }
        let (Some(bond), Some(_)) = (coin(gives), coin(wants)) else {
            return refused(
                "its bond and the price of a pack are one amount of the native asset each",
            );
        };
        let packs = series.packs as usize;
        if gives.items.is_empty() || gives.items.len() % packs != 0 {
            return refused("there are as many items in each pack, one at least");
        }
        if bond % packs as u128 != 0 || bond < self.series_price(series) {
            return refused("its bond is the same for each pack, and no less than the price");
        }
        Ok(())
    }

    /// What all packs of a series cost together.
    pub fn series_price(&self, series: &Series) -> u128 {
        let price = self.wants.assets.first().map_or(0, |a| a.amount.0);
        u128::from(price) * u128::from(series.packs)
    }

    /// What the giver of a series forfeits for each pack.
    pub fn pack_bond(&self, series: &Series) -> Amount {
        let bond = self.gives.assets.first().map_or(0, |a| a.amount.0);
        Amount(bond / u64::from(series.packs.max(1)))
    }

    /// What a pack of a series costs.
    pub fn pack_price(&self) -> Amount {
        self.wants.assets.first().map_or(Amount::ZERO, |a| a.amount)
    }
}

impl From<&Series> for wire::Draw {
    fn from(series: &Series) -> Self {
        Self {
            packs: series.packs,
            commitment: bytes(&series.commitment.0),
            reveal_ms: series.reveal.0,
        }
    }
}

impl TryFrom<&wire::Draw> for Series {
    type Error = OperationError;

    fn try_from(wire: &wire::Draw) -> Result<Self, OperationError> {
        Ok(Self {
            packs: wire.packs,
            commitment: ContentHash::try_from(wire.commitment.as_ref())?,
            reveal: Millis(wire.reveal_ms),
        })
    }
}

#[cfg(test)]
mod tests;
