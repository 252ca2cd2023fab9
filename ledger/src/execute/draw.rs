//! L45 to L48: a series of packs. Its contents are locked when it opens; packs are sold sealed and handed on; when the sale
//! is over the ledger takes a lot, from a commit that nobody knew before; then the giver's secret draws what is in all of
//! them at once. Who does not show it in time pays for it.

use super::Execution;
use crate::draft::{Draft, Fault};
use crate::live::Objects;
use std::collections::BTreeSet;
use std::sync::Arc;
use weft_types::{
    Address, Amount, AssetId, Closing, CommitIndex, Deal, DealId, DealState, DrawSecret, Drawing,
    Epoch, FailureCode, Item, Lot, Millis, NewDeal, Object, ObjectId, Pack, Round, Series, Taking,
    VertexDigest, draw_commitment,
};

/// Rounds from the leader of the commit that ends a sale to one whose digest makes a lot. By the commit rule every vertex
/// that far above has that leader in its history: so its digest is of what was not there yet when the last pack was bought.
const LOT_ROUNDS: u64 = 2;

/// The vertex that a commit commits, the last one that it orders, and when. A dry run has none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leader {
    pub commit: CommitIndex,
    pub at: Millis,
    pub epoch: Epoch,
    pub round: Round,
    pub digest: VertexDigest,
}

impl Leader {
    fn closing(&self) -> Closing {
        Closing {
            at: self.at,
            epoch: self.epoch,
            round: self.round,
        }
    }

    /// L47: rounds begin anew with an epoch, which opens when the last one's commits are certified.
    fn makes_a_lot(&self, closing: &Closing) -> bool {
        let from = match self.epoch == closing.epoch {
            true => closing.round.saturating_add(LOT_ROUNDS),
            false => Round(LOT_ROUNDS),
        };
        self.round >= from
    }
}

/// L47: gives a lot to series that have none, if this commit makes it.
pub(crate) fn draw_lots<B: Objects>(
    draft: &mut Draft<'_, B>,
    waiting: &BTreeSet<DealId>,
    leader: Leader,
) {
    for id in waiting {
        let deal = draft.deal(id).expect("a series that waits is open").clone();
        let waits =
            |d: &&Drawing| d.lot.is_none() && d.closing.is_some_and(|c| leader.makes_a_lot(&c));
        let Some(drawing) = deal.drawing.as_ref().filter(waits) else {
            continue;
        };
        let lot = Some(Lot {
            at: leader.at,
            commit: leader.commit,
            digest: leader.digest,
        });
        let drawing = Drawing {
            lot,
            ..drawing.clone()
        };
        draft.put_drawing(*id, &deal, drawing);
    }
    draft.keep();
}

/// L47: what heights there were, as far as commits say it. The first commit from `interval` after a lot on ends a height, if
/// none has ended since that: the lot is a change, and the height before it ended no later than it came (F1 a).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    /// Of the newest commit that is done.
    pub at: Millis,
    /// `finality_interval_ms`, which is not zero.
    pub interval: Millis,
}

impl Settled {
    fn has(&self, lot: &Lot) -> bool {
        lot.at.saturating_add(self.interval.0) <= self.at
    }
}

/// L47: from now on the secret draws where an ended height has the lot: in its state stands what is drawn from.
pub(crate) fn begin_reveals<B: Objects>(
    draft: &mut Draft<'_, B>,
    waiting: &BTreeSet<DealId>,
    now: Millis,
    settled: Settled,
) {
    for id in waiting {
        let deal = draft.deal(id).expect("a series that waits is open").clone();
        let begins = |d: &&Drawing| d.lot.is_some_and(|lot| settled.has(&lot));
        if let Some(drawing) = deal.drawing.as_ref().filter(begins) {
            let drawing = Drawing {
                reveal_from: Some(now),
                ..drawing.clone()
            };
            draft.put_drawing(*id, &deal, drawing);
        }
    }
    draft.keep();
}

impl<B: Objects> Execution<'_, '_, B> {
    /// L46: a pack for its price, which the deal holds.
    pub(super) fn buy_pack(
        &mut self,
        buyer: Address,
        taking: &Taking,
        deal: &Deal,
        series: &Series,
    ) -> Result<(), Fault> {
        let (id, subject) = (taking.deal, ObjectId::Deal(taking.deal));
        let mut drawing = self.drawing_on_sale(id, deal)?;
        let refused = |code| Err(Fault::new(code, subject));
        if deal.giver == buyer {
            return refused(FailureCode::OwnDeal);
        }
        if deal.terms.taker.is_some_and(|t| t != buyer) {
            return refused(FailureCode::NotTaker);
        }
        if !taking.items.is_empty() {
            let (code, found) = (FailureCode::WrongItemCount, taking.items.len() as u64);
            return Err(Fault::figures(code, Some(subject), found, 0));
        }
        let Some(entropy) = taking.entropy else {
            return refused(FailureCode::WrongEntropy);
        };
        let now = (self.now, self.now);
        self.draft.judged(&deal.terms, subject, now)?;
        for item in &deal.terms.gives.items {
            self.draft.not_frozen(item, self.draft.item(item)?)?;
        }
        self.debit(buyer, AssetId::NATIVE, deal.terms.pack_price())?;
        let holder = buyer;
        drawing.packs.push(Pack { holder, entropy });
        if drawing.packs.len() == series.packs as usize {
            drawing.closing = Some(self.leader.closing());
        }
        self.draft.put_drawing(id, deal, drawing);
        Ok(())
    }

    /// L46: from its holder to anybody, as long as nobody can know what is in it.
    pub(super) fn pass_pack(
        &mut self,
        actor: Address,
        id: &DealId,
        number: u32,
        to: Address,
    ) -> Result<(), Fault> {
        let (deal, subject) = (self.series(id)?, ObjectId::Deal(*id));
        let mut drawing = self.drawing_on_sale(*id, &deal)?;
        let sold = drawing.packs.len() as u64;
        let Some(pack) = drawing.packs.get_mut(number as usize) else {
            let code = FailureCode::NoPack;
            return Err(Fault::figures(code, Some(subject), number.into(), sold));
        };
        if pack.holder != actor {
            return Err(Fault::new(FailureCode::NotPackHolder, subject));
        }
        pack.holder = to;
        self.draft.put_drawing(*id, &deal, drawing);
        Ok(())
    }

    /// L47: whoever shows it, the secret draws.
    pub(super) fn reveal(
        &mut self,
        actor: Address,
        id: &DealId,
        secret: DrawSecret,
    ) -> Result<(), Fault> {
        let (deal, subject) = (self.series(id)?, ObjectId::Deal(*id));
        let refused = |code| Err(Fault::new(code, subject));
        let from = deal.drawing.as_ref().and_then(|d| d.reveal_from);
        if from.is_none() {
            return refused(FailureCode::NoLot);
        }
        if deal.due() <= self.now {
            return refused(FailureCode::DealNotOpen);
        }
        let commitment = deal.terms.series().map(|s| s.commitment);
        if commitment != Some(draw_commitment(&deal.giver, &secret)) {
            return refused(FailureCode::WrongSecret);
        }
        self.draft.before_cut_off(&deal.terms, self.now)?;
        self.draft.deal_out(*id, &deal, secret, actor)
    }

    fn series(&self, id: &DealId) -> Result<Arc<Deal>, Fault> {
        let deal = self.draft.deal(id)?;
        match deal.drawing {
            Some(_) => Ok(deal.clone()),
            None => Err(Fault::new(FailureCode::WrongRule, ObjectId::Deal(*id))),
        }
    }

    /// The drawing of a series of which packs are bought and handed on.
    fn drawing_on_sale(&self, id: DealId, deal: &Deal) -> Result<Drawing, Fault> {
        let drawing = deal.drawing.clone().unwrap_or_default();
        let over = drawing.closing.is_some() || deal.terms.expires <= self.now;
        let code = match drawing.packs.is_empty() {
            true => FailureCode::DealNotOpen,
            false => FailureCode::SaleOver,
        };
        match over {
            true => Err(Fault::new(code, ObjectId::Deal(id))),
            false => Ok(drawing),
        }
    }
}

impl<B: Objects> Draft<'_, B> {
    fn put_drawing(&mut self, id: DealId, deal: &Deal, drawing: Drawing) {
        let drawing = Some(drawing);
        let deal = Deal {
            drawing,
            ..deal.clone()
        };
        self.put(ObjectId::Deal(id), Object::Deal(Arc::new(deal)));
    }

    /// Packs are sold, and the deal ends by draw or refund alone.
    pub(super) fn packs_sold(&self, id: DealId, deal: &Deal) -> Result<(), Fault> {
        match deal.drawing.as_ref().map_or(0, |d| d.packs.len()) {
            0 => Ok(()),
            sold => {
                let (code, subject) = (FailureCode::PacksSold, Some(ObjectId::Deal(id)));
                Err(Fault::figures(code, subject, sold as u64, 0))
            }
        }
    }

    /// L25: gates go by what a certified height after the cut-off says. Nothing else is asked at the draw, of all the
    /// contents alike: what is in which pack was sold before.
    fn before_cut_off(&self, terms: &NewDeal, now: Millis) -> Result<(), Fault> {
        for item in &terms.gives.items {
            let edition = self.item(item)?.edition;
            let id = self.edition(&edition)?.terms.collection;
            let ends = self.collection(&id)?.policy.cut_off;
            if ends != Millis::ZERO && ends <= now {
                let (code, subject) = (FailureCode::TransfersOver, Some(ObjectId::Collection(id)));
                return Err(Fault::figures(code, subject, now.0, ends.0));
            }
        }
        Ok(())
    }

    /// L47: what is in the packs to their holders, what was paid to the giver, the rest back to him.
    fn deal_out(
        &mut self,
        id: DealId,
        deal: &Deal,
        secret: DrawSecret,
        by: Address,
    ) -> Result<(), Fault> {
        let drawn = deal.draw(&id, &secret).expect("a series with a lot");
        let mut drawing = deal.drawing.clone().unwrap_or_default();
        let sold: Vec<_> = drawn.packs.concat();
        let paid = deal.terms.pack_price().0 * drawing.packs.len() as u64;
        let side = self.sold(&sold, paid.into())?;
        drawing.secret = Some(secret);
        let holders: Vec<Address> = drawing.packs.iter().map(|pack| pack.holder).collect();
        let last = Deal {
            drawing: Some(drawing),
            ..deal.clone()
        };
        self.close(id, &last, deal.giver, DealState::Taken { by });
        for (owner, items) in holders.into_iter().zip(&drawn.packs) {
            for item_id in items {
                let item = Item::clone(self.item(item_id)?);
                self.put_item(*item_id, Item { owner, ..item });
            }
        }
        self.credit(deal.giver, AssetId::NATIVE, Amount(paid));
        self.pay_shares(deal.giver, &side, deal.terms.commission)
    }

    /// What a series is due for; `false` for any other deal, and for a series of which nothing was sold.
    pub(super) fn end_sale(&mut self, id: DealId, deal: &Deal, leader: Leader) -> bool {
        let Some((series, drawing)) = deal.terms.series().zip(deal.drawing.as_ref()) else {
            return false;
        };
        if drawing.packs.is_empty() {
            return false;
        }
        if drawing.closing.is_none() {
            let drawing = Drawing {
                closing: Some(leader.closing()),
                ..drawing.clone()
            };
            self.put_drawing(id, deal, drawing);
            return true;
        }
        // L48: to each holder the price and the bond of his pack, all else to the giver.
        self.close(id, deal, deal.giver, DealState::Expired);
        let (price, bond) = (deal.terms.pack_price(), deal.terms.pack_bond(series));
        for pack in &drawing.packs {
            let taken = self.debit(deal.giver, AssetId::NATIVE, bond);
            taken.expect("the bond has come back to the giver");
            self.credit(pack.holder, AssetId::NATIVE, price);
            self.credit(pack.holder, AssetId::NATIVE, bond);
        }
        true
    }
}
