//! Series of packs: sold, handed on, drawn or refunded, pack by pack.

use super::{Bug, Model, Step, demand, find};
use crate::world::{leader_of, leader_round};
use weft_types::hash::{Domain, blake3};
use weft_types::{
    Address, AssetId, Closing, Deal, DealId, DealState, DrawSecret, Drawing, FailureCode, ItemId,
    Lot, Millis, Pack, Taking, testing,
};

impl Model {
    /// A series of which packs are sold, or waited for.
    pub fn series_at(&self, id: &DealId) -> Result<usize, FailureCode> {
        let series = |(other, deal): &(DealId, Deal)| {
            other == id && deal.state == DealState::Open && deal.terms.series().is_some()
        };
        let place = self.deals.iter().position(series);
        place.ok_or(FailureCode::DealNotOpen)
    }

    fn drawing(&mut self, place: usize) -> &mut Drawing {
        let drawing = self.deals[place].1.drawing.as_mut();
        drawing.expect("a series has one")
    }

    fn closing(&self) -> Option<Closing> {
        Some(Closing {
            at: Millis(self.now),
            epoch: testing::committee(4).epoch(),
            round: leader_round(self.commit),
        })
    }

    pub fn draw_lots(&mut self) {
        let (at, commit, round) = (Millis(self.now), self.commit, leader_round(self.commit));
        let interval = self.params.finality_interval_ms.0;
        let after = if self.bug(Bug::LotComesTooEarly) {
            1
        } else {
            2
        };
        for (_, deal) in &mut self.deals {
            let open = deal.state == DealState::Open;
            for drawing in deal.drawing.iter_mut().filter(|_| open) {
                let closed = drawing.closing.map(|c| c.round.0 + after);
                if drawing.lot.is_none() && closed.is_some_and(|from| round.0 >= from) {
                    let digest = leader_of(commit).digest;
                    drawing.lot = Some(Lot { at, commit, digest });
                }
                let under = drawing
                    .lot
                    .is_some_and(|l| l.at.0 + interval <= self.before);
                if under && drawing.reveal_from.is_none() {
                    drawing.reveal_from = Some(at);
                }
            }
        }
    }

    /// What the time has come for.
    pub fn end_series(&mut self, place: usize) {
        let (closing, now) = (self.closing(), self.now);
        let (id, deal) = self.deals[place].clone();
        let (series, drawing) = (deal.terms.series().unwrap(), deal.drawing.unwrap());
        if drawing.packs.is_empty() {
            if deal.terms.expires.0 <= now {
                self.end(place, deal.giver, DealState::Expired);
            }
            return;
        }
        if drawing.closing.is_none() {
            if deal.terms.expires.0 <= now {
                self.drawing(place).closing = closing;
            }
            return;
        }
        let longer = if self.bug(Bug::LateSecretDraws) { 2 } else { 1 };
        let from = match drawing.lot.filter(|_| self.bug(Bug::TimeBeginsWithTheLot)) {
            Some(lot) => Some(lot.at),
            None => drawing.reveal_from,
        };
        let late = from.is_some_and(|from| from.0 + longer * series.reveal.0 <= now);
        if !late {
            return;
        }
        let price = u128::from(deal.terms.wants.assets[0].amount.0);
        let bond = u128::from(deal.terms.gives.assets[0].amount.0) / u128::from(series.packs);
        for pack in &drawing.packs {
            let paid = self.pay(Self::purse(&id), pack.holder, AssetId::NATIVE, price);
            paid.expect("the purse has what was paid");
        }
        self.end(place, deal.giver, DealState::Expired);
        for pack in &drawing.packs {
            if !self.bug(Bug::RefundIsWithoutBond) {
                let paid = self.pay(deal.giver, pack.holder, AssetId::NATIVE, bond);
                paid.expect("the bond has come back");
            }
        }
    }

    fn on_sale(&mut self, place: usize) -> Step {
        let passed = self.deals[place].1.terms.expires.0 <= self.now;
        let over = self.drawing(place).closing.is_some() || passed;
        demand(!over, FailureCode::SaleOver)
    }

    pub fn buy_pack(&mut self, actor: Address, taking: &Taking) -> Step {
        let place = self.series_at(&taking.deal)?;
        self.on_sale(place)?;
        let (id, deal) = self.deals[place].clone();
        demand(deal.giver != actor, FailureCode::OwnDeal)?;
        let for_me = deal.terms.taker.is_none_or(|t| t == actor);
        demand(for_me, FailureCode::NotTaker)?;
        demand(taking.items.is_empty(), FailureCode::WrongItemCount)?;
        let entropy = taking.entropy.ok_or(FailureCode::WrongEntropy)?;
        let sales = self.sales(&deal.terms)?;
        for sale in &sales {
            self.judge(sale, self.now, self.now)?;
        }
        self.leave_something(&sales, &deal.terms)?;
        for item in &deal.terms.gives.items {
            if !self.bug(Bug::FrozenPacksAreSold) {
                self.not_frozen(item)?;
            }
        }
        let price = deal.terms.wants.assets[0].amount.0;
        self.give(actor, Self::purse(&id), AssetId::NATIVE, price.into())?;
        let closing = self.closing();
        let drawing = self.drawing(place);
        let holder = actor;
        drawing.packs.push(Pack { holder, entropy });
        if drawing.packs.len() as u32 == deal.terms.series().unwrap().packs {
            drawing.closing = closing;
        }
        Ok(())
    }

    fn known_series(&self, id: &DealId) -> Result<usize, FailureCode> {
        self.series_at(id).map_err(|code| {
            let other = self.deals.iter().find(|(other, _)| other == id);
            let open = other.is_some_and(|(_, d)| d.state == DealState::Open);
            if open { FailureCode::WrongRule } else { code }
        })
    }

    pub fn pass_pack(&mut self, actor: Address, id: &DealId, pack: u32, to: Address) -> Step {
        let place = self.known_series(id)?;
        if !self.bug(Bug::PackIsPassedAfterTheSale) {
            self.on_sale(place)?;
        }
        let anybody = self.bug(Bug::AnybodyPassesPacks);
        let found = self.drawing(place).packs.get_mut(pack as usize);
        let found = found.ok_or(FailureCode::NoPack)?;
        demand(found.holder == actor || anybody, FailureCode::NotPackHolder)?;
        found.holder = to;
        Ok(())
    }

    pub fn reveal(&mut self, actor: Address, id: &DealId, secret: &DrawSecret) -> Step {
        let place = self.known_series(id)?;
        let (_, deal) = self.deals[place].clone();
        let drawing = deal.drawing.clone().unwrap();
        let lot = drawing.lot.ok_or(FailureCode::NoLot)?;
        let under = drawing.reveal_from.is_some() || self.bug(Bug::RevealNeedsNoHeight);
        demand(under, FailureCode::NoLot)?;
        let commitment = blake3(Domain::DrawCommitment, &[&deal.giver.0, &secret.0]);
        let right = commitment == deal.terms.series().unwrap().commitment.0;
        let right = right || self.bug(Bug::AnySecretDraws);
        demand(right, FailureCode::WrongSecret)?;
        let contents = deal.terms.gives.items.clone();
        for item in &contents {
            let edition = find(&mut self.items, item).expect("locked").edition;
            let collection = self.collection_of(&edition)?;
            let collection = find(&mut self.collections, &collection).expect("found");
            let ends = collection.policy.cut_off.0;
            let over = ends != 0 && ends <= self.now;
            demand(!over, FailureCode::TransfersOver)?;
        }
        let mut seed = vec![];
        seed.extend(id.0);
        seed.extend(secret.0);
        seed.extend(lot.commit.0.to_be_bytes());
        seed.extend(lot.digest.0);
        for pack in &drawing.packs {
            if !self.bug(Bug::EntropyIsLeftOut) {
                seed.extend(pack.entropy.0);
            }
        }
        let shuffled = dealt(contents, blake3(Domain::DrawSeed, &[&seed]));
        let each = shuffled.len() / deal.terms.series().unwrap().packs as usize;

        let price = u128::from(deal.terms.wants.assets[0].amount.0);
        let paid = price * drawing.packs.len() as u128;
        let sold = &shuffled[..each * drawing.packs.len()];
        let sale = self.sold(sold, paid)?;
        let (purse, native) = (Self::purse(id), AssetId::NATIVE);
        self.pay(purse, deal.giver, native, paid)?;
        self.end(place, deal.giver, DealState::Taken { by: actor });
        self.drawing(place).secret = Some(*secret);
        for (place, item) in shuffled.iter().enumerate() {
            let mut pack = drawing.packs.get(place / each);
            if self.bug(Bug::UnsoldIsDealtOut) {
                pack = pack.or(drawing.packs.first());
            }
            if let Some(pack) = pack {
                find(&mut self.items, item).expect("locked").owner = pack.holder;
            }
        }
        self.pay_shares(deal.giver, &sale, &deal.terms)
    }
}

/// One after the other of what is left; the place of the one that goes is taken by the first that is left.
fn dealt(mut left: Vec<ItemId>, seed: [u8; 32]) -> Vec<ItemId> {
    let mut count = 0u64;
    let mut dealt = vec![];
    while !left.is_empty() {
        let hash = blake3(Domain::DrawNumber, &[&seed, &count.to_be_bytes()]);
        count += 1;
        let number = hash[..8].iter().fold(0u128, |n, b| n << 8 | u128::from(*b));
        let bound = left.len() as u128;
        if number >= (1u128 << 64) / bound * bound {
            continue;
        }
        left.swap(0, (number % bound) as usize);
        dealt.push(left.remove(0));
    }
    dealt
}
