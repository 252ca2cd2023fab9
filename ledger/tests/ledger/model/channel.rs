//! Secrets and channels, as plainly as can be: what a channel holds is in a purse, asset by asset.

use super::{Bug, Model, Step, demand, find};
use weft_types::{
    Address, AssetId, ChannelState, ChannelTerms, Deal, DealRule, DealState, FailureCode, ItemId,
    ItemState, Millis, Secret, Showing, Standing,
};

fn knows(secrets: &[Secret], hash: weft_types::SecretHash) -> bool {
    secrets.iter().any(|s| s.hash() == hash)
}

impl Model {
    /// L40: what a taking leaves in the deal's last form.
    pub fn opened(
        &self,
        deal: &Deal,
        secret: Option<Secret>,
    ) -> Result<Option<Standing>, FailureCode> {
        match &deal.terms.rule {
            DealRule::CoSigned(_) => Err(FailureCode::WrongRule),
            DealRule::Secret { hash } => {
                let secret = secret.ok_or(FailureCode::WrongSecret)?;
                let right = secret.hash() == *hash || self.bug(Bug::AnySecretOpens);
                demand(right, FailureCode::WrongSecret)?;
                Ok(Some(Standing {
                    secrets: vec![secret],
                    ..Standing::default()
                }))
            }
            _ => demand(secret.is_none(), FailureCode::WrongSecret).map(|()| None),
        }
    }

    pub fn may_be_cancelled(&self, deal: &Deal) -> Step {
        let bound = match deal.terms.rule {
            DealRule::Secret { .. } => !self.bug(Bug::SecretDealIsCancelled),
            DealRule::CoSigned(_) => true,
            _ => false,
        };
        demand(!bound, FailureCode::DealBound)
    }

    /// When a deal ends by itself.
    pub fn ends(&self, deal: &Deal) -> u64 {
        let closing = deal.standing.as_ref().filter(|s| s.until.0 > 0);
        let Some(standing) = closing else {
            return self.lasts(deal);
        };
        let mut ends = standing.until.0;
        for part in standing.state.iter().flat_map(|s| &s.parts) {
            if !knows(&standing.secrets, part.hash) && !self.bug(Bug::PartsDoNotWait) {
                ends = ends.max(part.expires.0);
            }
        }
        ends
    }

    /// L41: the items are the taker's that it is to have.
    pub fn open_channel(&mut self, deal: &Deal) -> Step {
        let DealRule::CoSigned(channel) = &deal.terms.rule else {
            return Ok(());
        };
        for id in &deal.terms.gives.items {
            self.has_no_price(id)?;
        }
        for id in &channel.to_taker.items {
            find(&mut self.items, id).expect("just locked").owner = deal.terms.taker.expect("read");
        }
        Ok(())
    }

    fn has_no_price(&mut self, id: &ItemId) -> Step {
        let edition = find(&mut self.items, id).expect("there").edition;
        let collection = self.collection_of(&edition)?;
        let policy = find(&mut self.collections, &collection)
            .expect("there")
            .policy;
        let asks = policy.floor_price.0 + policy.cap_price.0 > 0 || policy.royalty.is_some();
        demand(
            !asks || self.bug(Bug::PricedItemPasses),
            FailureCode::PricedItem,
        )
    }

    pub fn show(&mut self, actor: Address, shown: &Showing, closes: bool) -> Step {
        let open = |(id, deal): &(_, Deal)| *id == shown.deal && deal.state == DealState::Open;
        let place = self.deals.iter().position(open);
        let place = place.ok_or(FailureCode::DealNotOpen)?;
        let deal = self.deals[place].1.clone();
        let DealRule::CoSigned(channel) = &deal.terms.rule else {
            return Err(FailureCode::WrongRule);
        };
        demand(self.ends(&deal) > self.now, FailureCode::DealNotOpen)?;
        let parties = [Some(deal.giver), deal.terms.taker];
        let side = parties.iter().position(|p| *p == Some(actor));
        let side = side.or(self.bug(Bug::StrangerShows).then_some(0));
        let side = side.ok_or(FailureCode::NotParty)?;
        let closing = deal.standing.clone();
        if let Some(signed) = &shown.state {
            let state = &signed.state;
            let fits = state.deal == shown.deal && self.holds(place, channel, state);
            demand(fits, FailureCode::WrongState)?;
            let keys = signed.signatures.each_ref().map(|s| s.key());
            let right = keys == [channel.giver_key, channel.taker_key];
            demand(
                right || self.bug(Bug::AnyKeySigns),
                FailureCode::WrongSigner,
            )?;
            let last = closing.as_ref().and_then(|s| s.state.as_ref());
            let newer = state.version > last.map_or(0, |s| s.version);
            demand(
                newer || self.bug(Bug::StaleStateWins),
                FailureCode::StaleState,
            )?;
            if state.last {
                self.deals[place].1.standing = Some(Standing {
                    state: Some(state.clone()),
                    ..Standing::default()
                });
                return self.divide(place, DealState::Taken { by: actor }, true);
            }
        }
        match closes {
            true => demand(closing.is_none(), FailureCode::AlreadyClosing)?,
            false => demand(closing.is_some(), FailureCode::NotClosing)?,
        }
        let until = Millis(self.now + channel.challenge.0);
        let restarts = !self.bug(Bug::WindowGoesOn);
        let late = self.bug(Bug::SecretOpensLate);
        let now = self.now;
        let standing = self.deals[place].1.standing.get_or_insert_default();
        if closes {
            standing.until = until;
        }
        if let Some(signed) = &shown.state {
            let parts = &signed.state.parts;
            let still = |s: &Secret| parts.iter().any(|p| p.hash == s.hash());
            standing.secrets.retain(still);
            standing.state = Some(signed.state.clone());
            standing.shown[side] += 1;
            demand(standing.shown[side] <= 2, FailureCode::ShownTooOften)?;
            if restarts {
                standing.until = until;
            }
        }
        for secret in &shown.secrets {
            let mut parts = standing.state.iter().flat_map(|s| &s.parts);
            let opens = parts.any(|p| p.hash == secret.hash() && (p.expires.0 > now || late));
            demand(opens, FailureCode::WrongSecret)?;
            if !standing.secrets.contains(secret) {
                standing.secrets.push(*secret);
            }
        }
        Ok(())
    }

    /// Whether the channel has what a state divides.
    fn holds(&self, place: usize, channel: &ChannelTerms, state: &ChannelState) -> bool {
        let (id, deal) = &self.deals[place];
        let purse = Self::purse(id);
        let mut assets: Vec<AssetId> = state.to_taker.assets.iter().map(|a| a.asset).collect();
        assets.extend(state.parts.iter().map(|p| p.asset));
        let enough = assets.into_iter().all(|asset| {
            let parts = state.parts.iter().filter(|p| p.asset == asset);
            let parts: u128 = parts.map(|p| u128::from(p.amount.0)).sum();
            let has = self.money.get(&(purse, asset)).copied().unwrap_or(0);
            self.takers(channel, Some(state), asset) + parts <= has
        });
        let there = |id: &ItemId| deal.terms.gives.items.contains(id);
        let in_time = state.parts.iter().all(|p| p.expires <= deal.terms.expires);
        enough && in_time && state.to_taker.items.iter().all(there)
    }

    /// What is the taker's of an asset, without hash-locked parts.
    fn takers(&self, channel: &ChannelTerms, state: Option<&ChannelState>, asset: AssetId) -> u128 {
        let bundle = state.map_or(&channel.to_taker, |s| &s.to_taker);
        let of = bundle.assets.iter().filter(|a| a.asset == asset);
        of.map(|a| u128::from(a.amount.0)).sum()
    }

    /// X3: of what a deal has in its purse of an asset, what an account has if the network ends.
    pub fn lent(&self, deal: &Deal, to: &Address, asset: AssetId, amount: u128) -> u128 {
        let theirs = match &deal.terms.rule {
            DealRule::CoSigned(channel) if !self.bug(Bug::ExitForgetsTheTaker) => {
                self.takers(channel, None, asset)
            }
            _ => 0,
        };
        let of_giver = if deal.giver == *to {
            amount - theirs
        } else {
            0
        };
        let of_taker = if deal.terms.taker == Some(*to) {
            theirs
        } else {
            0
        };
        of_giver + of_taker
    }

    /// Pays a channel out. Of those who agree, what may not be is refused.
    pub fn divide(&mut self, place: usize, last: DealState, agreed: bool) -> Step {
        let (id, deal) = self.deals[place].clone();
        let DealRule::CoSigned(channel) = &deal.terms.rule else {
            unreachable!("a channel");
        };
        let taker = deal.terms.taker.expect("a channel has one");
        let standing = deal.standing.clone().unwrap_or_default();
        let state = standing
            .state
            .as_ref()
            .filter(|_| !self.bug(Bug::BeginningWins));
        let purse = Self::purse(&id);
        let held: Vec<(AssetId, u128)> = self
            .money
            .iter()
            .filter(|((owner, _), _)| *owner == purse)
            .map(|((_, asset), amount)| (*asset, *amount))
            .collect();
        for (asset, amount) in held {
            let mut theirs = self.takers(channel, state, asset);
            for part in state.iter().flat_map(|s| &s.parts) {
                let opened = knows(&standing.secrets, part.hash);
                let opened = opened && !self.bug(Bug::SecretsAreForgotten);
                if part.asset == asset && part.to_taker == opened {
                    theirs += u128::from(part.amount.0);
                }
            }
            self.pay(purse, taker, asset, theirs)?;
            self.pay(purse, deal.giver, asset, amount - theirs)?;
        }
        self.money.retain(|(owner, _), _| *owner != purse);
        let takers = state.map_or(&channel.to_taker, |s| &s.to_taker);
        let mut givers = deal.terms.gives.items.clone();
        givers.retain(|id| !takers.items.contains(id));
        givers.sort();
        let givers = givers.into_iter().map(|id| (id, deal.giver));
        let all = givers.chain(takers.items.iter().map(|id| (*id, taker)));
        for (id, to) in all.collect::<Vec<_>>() {
            let (owner, edition) = {
                let item = find(&mut self.items, &id).expect("locked");
                (item.owner, item.edition)
            };
            let mut may = match owner == to {
                true => Ok(()),
                false => self
                    .not_void(&id)
                    .and_then(|()| self.not_frozen(&id))
                    .and_then(|()| self.has_no_price(&id))
                    .and_then(|()| self.may_be_sent(&edition)),
            };
            if self.bug(Bug::ChannelMovesAnyItem) {
                may = Ok(());
            }
            if agreed {
                may?;
            }
            let item = find(&mut self.items, &id).expect("locked");
            item.state = ItemState::Held;
            if may.is_ok() {
                item.owner = to;
            }
        }
        self.deals[place].1.state = last;
        Ok(())
    }
}
