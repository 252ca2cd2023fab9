//! What is of deals of all rules: until when they last, and whose it is what they hold.

use super::{AssetAmount, Deal, DealState, Drawing};
use crate::channel::Standing;
use crate::ids::{Address, AssetId, Millis};
use crate::operation::NewDeal;

impl Deal {
    /// As it opens.
    pub fn open(giver: Address, terms: NewDeal) -> Self {
        Self {
            giver,
            state: DealState::Open,
            bid: None,
            drawing: terms.series().map(|_| Drawing::default()),
            standing: None,
            order: None,
            terms,
        }
    }

    /// From when on the ledger ends it by itself, or the sale of its packs (L46).
    pub fn due(&self) -> Millis {
        let drawing = self.drawing.as_ref().filter(|d| d.closing.is_some());
        if let Some((series, drawing)) = self.terms.series().zip(drawing) {
            // L48: the giver's time begins behind the height that has the lot.
            let ends = |from: Millis| from.saturating_add(series.reveal.0);
            return drawing.reveal_from.map_or(Millis::MAX, ends);
        }
        // L42: of a channel that is closing, once nothing can change any more.
        let closing = self.standing.as_ref().filter(|s| s.until > Millis::ZERO);
        closing.map_or(self.expires(), Standing::ends)
    }

    /// Amounts that it holds, and who gets each back if it comes to nothing: who brought it in (X3).
    pub fn held(&self) -> Vec<(Address, AssetAmount)> {
        let gives = &self.terms.gives;
        let channel = self.terms.channel().zip(self.terms.taker);
        let shares = channel.and_then(|(c, taker)| Some((c.shares(gives, None, &[])?, taker)));
        let mut held = Vec::new();
        let mut of = |whose: Address, parts: Vec<AssetAmount>| {
            held.extend(parts.into_iter().map(|part| (whose, part)));
        };
        match shares {
            Some(([rest, theirs], taker)) => {
                of(self.giver, rest.assets);
                of(taker, theirs.assets);
            }
            None => of(self.giver, gives.assets.clone()),
        }
        if let Some((bid, wanted)) = self.bid.zip(self.terms.wants.assets.first()) {
            let (asset, amount) = (wanted.asset, bid.amount);
            of(bid.by, vec![AssetAmount { asset, amount }]);
        }
        for pack in self.drawing.iter().flat_map(|d| &d.packs) {
            let (asset, amount) = (AssetId::NATIVE, self.terms.pack_price());
            of(pack.holder, vec![AssetAmount { asset, amount }]);
        }
        held
    }
}
