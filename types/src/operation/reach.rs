//! L60: an operation names a deal by 32 bytes, and reaches all that it lists. So a transaction says how many entries its
//! operations may reach: it pays for as many, a vertex bounds them, and one that reaches more fails before the work is done.

use super::{NewDeal, Operation};
use crate::ids::DealId;
use crate::transaction::TransactionBody;

/// What an entry counts beside the transaction's bytes, for the fee and for V9: what one takes that is written there.
pub const DEAL_ENTRY_BYTES: u64 = 40;

impl NewDeal {
    /// Amounts and items that change hands, and packs that are sold: no more as long as the deal is open.
    pub fn entries(&self) -> u64 {
        let bundles = [&self.gives, &self.wants];
        let listed = bundles.map(|bundle| bundle.assets.len() + bundle.items.len());
        let packs = self.series().map_or(0, |series| series.packs);
        listed.iter().sum::<usize>() as u64 + u64::from(packs)
    }
}

impl Operation {
    /// The deal that it reaches into; of a `MultiParty` its parts say that.
    pub fn deal(&self) -> Option<&DealId> {
        match self {
            Self::DealTake(taking) => Some(&taking.deal),
            Self::DealCancel { deal }
            | Self::Bid { deal, .. }
            | Self::Reveal { deal, .. }
            | Self::PassPack { deal, .. } => Some(deal),
            Self::ChannelClose(shown) | Self::ChannelChallenge(shown) => Some(&shown.deal),
            _ => None,
        }
    }

    /// How many entries count of a deal that has so many: all where they change hands, half where each is looked at, an
    /// eighth where they are written anew with the deal.
    pub fn reaches(&self, entries: u64) -> u64 {
        match self {
            Self::DealTake(taking) if taking.entropy.is_none() => entries,
            Self::DealCancel { .. } | Self::Reveal { .. } => entries,
            Self::ChannelClose(shown) | Self::ChannelChallenge(shown) if shown.is_last() => entries,
            Self::DealTake(_) | Self::Bid { .. } => entries.div_ceil(2),
            _ => entries.div_ceil(8),
        }
    }
}

impl TransactionBody {
    /// What the entries of deals that it may reach count, in bytes.
    pub fn deal_bytes(&self) -> u64 {
        u64::from(self.deal_entries) * DEAL_ENTRY_BYTES
    }
}
