//! L46 to L48: where a series of packs stands. All that the draw is made from is here, or in the terms.

use super::{Deal, DealState, ObjectError};
use crate::ids::{Address, CommitIndex, DrawSecret, Entropy, Epoch, Millis};
use crate::ids::{Round, VertexDigest};
use crate::operation::encode::bytes;
use crate::wire;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drawing {
    /// Sold, in their order: the number of a pack is its place here.
    pub packs: Vec<Pack>,
    /// Once the sale is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Lot>,
    /// Since when the secret draws, and the giver's time runs: a height has ended that has the lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal_from: Option<Millis>,
    /// Once drawn, for histories: then the deal is in the state no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<DrawSecret>,
}

/// A pack that is sold and sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pack {
    /// Who gets what is in it.
    pub holder: Address,
    /// The buyer's.
    pub entropy: Entropy,
}

/// The commit that ended the sale: when, and the place of its leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Closing {
    pub at: Millis,
    pub epoch: Epoch,
    pub round: Round,
}

/// The commit whose leader's digest is part of the draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lot {
    pub at: Millis,
    pub commit: CommitIndex,
    /// Of the leader's vertex.
    pub digest: VertexDigest,
}

impl Deal {
    /// L47: whether the series waits for its lot, or for a height that has it.
    pub fn awaits_reveal(&self) -> bool {
        let waits = |d: &Drawing| d.closing.is_some() && d.reveal_from.is_none();
        self.drawing.as_ref().is_some_and(waits)
    }
}

/// A deal has a drawing when it is a series, and a drawing has what its deal's state lets it have.
pub(super) fn check(deal: &Deal) -> Result<(), ObjectError> {
    let fits = match (deal.terms.series(), &deal.drawing) {
        (None, None) => true,
        (Some(series), Some(drawing)) => {
            let sold = drawing.packs.len();
            let all = series.packs as usize;
            let closed = drawing.closing.is_some();
            let drawn = drawing.secret.is_some();
            let unsold_open = sold < all || closed;
            sold <= all
                && unsold_open
                && (sold > 0 || !closed)
                && (closed || drawing.lot.is_none())
                && (drawing.lot.is_some() || drawing.reveal_from.is_none())
                && (!drawn || drawing.reveal_from.is_some())
                && drawn == matches!(deal.state, DealState::Taken { .. })
        }
        _ => false,
    };
    fits.then_some(()).ok_or(ObjectError::Drawing)
}

impl From<&Drawing> for wire::Drawing {
    fn from(drawing: &Drawing) -> Self {
        let packs = drawing.packs.iter().map(|pack| wire::Pack {
            holder: bytes(&pack.holder.0),
            entropy: bytes(&pack.entropy.0),
        });
        Self {
            packs: packs.collect(),
            closing: drawing.closing.map(|c| wire::Closing {
                at_ms: c.at.0,
                epoch: c.epoch.0,
                round: c.round.0,
            }),
            lot: drawing.lot.map(|l| wire::Lot {
                at_ms: l.at.0,
                commit: l.commit.0,
                digest: bytes(&l.digest.0),
            }),
            reveal_from_ms: drawing.reveal_from.map(|from| from.0),
            secret: drawing.secret.map_or(Bytes::new(), |s| bytes(&s.0)),
        }
    }
}

impl TryFrom<&wire::Drawing> for Drawing {
    type Error = ObjectError;

    fn try_from(wire: &wire::Drawing) -> Result<Self, ObjectError> {
        let mut packs = Vec::with_capacity(wire.packs.len());
        for pack in &wire.packs {
            packs.push(Pack {
                holder: Address::try_from(pack.holder.as_ref())?,
                entropy: Entropy::try_from(pack.entropy.as_ref())?,
            });
        }
        let lot = wire.lot.as_ref().map(|l| {
            Ok::<_, ObjectError>(Lot {
                at: Millis(l.at_ms),
                commit: CommitIndex(l.commit),
                digest: VertexDigest::try_from(l.digest.as_ref())?,
            })
        });
        Ok(Self {
            packs,
            closing: wire.closing.map(|c| Closing {
                at: Millis(c.at_ms),
                epoch: Epoch(c.epoch),
                round: Round(c.round),
            }),
            lot: lot.transpose()?,
            reveal_from: wire.reveal_from_ms.map(Millis),
            secret: crate::operation::decode::optional(&wire.secret)?,
        })
    }
}
