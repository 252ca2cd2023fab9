//! X3: who has what if the network ends.

use super::*;

impl Model {
    /// X3: what a commit does after its transactions.
    pub fn end_commit(&mut self) {
        if self.bug(Bug::OrdersMeetAtOnce) {
            self.clear_books();
        }
        let addresses: Vec<Address> = self.addresses.keys().copied().collect();
        for address in addresses {
            for (asset, amount) in self.amounts(&address) {
                let holding = (address, asset);
                if amount > 0 && !self.places.iter().any(|(h, _)| *h == holding) {
                    self.places.push((holding, self.placed));
                    self.placed += 1;
                }
            }
        }
        let mut cards: Vec<ItemId> = self.items.iter().map(|(id, _)| *id).collect();
        cards.sort();
        for id in cards {
            let had = self.had.iter().find(|(i, _)| *i == id).map(|(_, o)| *o);
            let item = find(&mut self.items, &id).expect("found");
            let stays = had == Some(item.owner) && !self.named.contains(&id);
            if stays || item.state == ItemState::Burned || card_of(item).is_none() {
                continue;
            }
            let address = self.addresses.get(&item.owner).copied();
            match &mut item.exit {
                Some(_) if self.bug == Some(Bug::ExitStaysTheSellers) => {}
                Some(exit) => exit.address = address,
                None if address.is_some() => {
                    let place = self.placed;
                    item.exit = Some(ItemExit { place, address });
                    self.placed += 1;
                }
                None => {}
            }
        }
    }

    /// What an account holds and gets back if nothing more happens.
    pub(super) fn amounts(&self, address: &Address) -> BTreeMap<AssetId, u128> {
        let mut amounts = BTreeMap::new();
        for ((owner, asset), amount) in &self.money {
            if owner == address {
                *amounts.entry(*asset).or_default() += amount;
            }
        }
        for (id, pool) in &self.pools {
            for ((owner, asset), amount) in &self.money {
                let covers = pool.issuer == *address && *owner == Self::pool_purse(id);
                if covers && !self.bug(Bug::ExitForgetsTheCover) {
                    *amounts.entry(*asset).or_default() += amount;
                }
            }
        }
        if self.bug(Bug::ExitForgetsTheLocked) {
            return amounts;
        }
        for (id, deal) in self
            .deals
            .iter()
            .filter(|(_, d)| d.state == DealState::Open)
        {
            let mut held = |owner: &Address, asset, amount: u64| {
                if owner == address {
                    *amounts.entry(asset).or_default() += u128::from(amount);
                }
            };
            if deal.terms.channel().is_none() {
                for part in &deal.terms.gives.assets {
                    let amount = self.exits_of_bid(deal).unwrap_or(part.amount.0);
                    held(&deal.giver, part.asset, amount);
                }
            }
            if let Some(bid) = deal.bid {
                let owner = match self.bug(Bug::BidIsTheGivers) {
                    true => deal.giver,
                    false => bid.by,
                };
                held(&owner, deal.terms.wants.assets[0].asset, bid.amount.0);
            }
            for pack in deal.drawing.iter().flat_map(|d| &d.packs) {
                let owner = match self.bug(Bug::BuyersPriceExitsToTheGiver) {
                    true => &deal.giver,
                    false => &pack.holder,
                };
                held(owner, AssetId::NATIVE, deal.terms.wants.assets[0].amount.0);
            }
            for ((owner, asset), amount) in &self.money {
                if deal.terms.channel().is_some() && *owner == Self::purse(id) {
                    let lent = self.lent(deal, address, *asset, *amount);
                    *amounts.entry(*asset).or_default() += lent;
                }
            }
        }
        amounts
    }

    /// The leaves of the exit tree, zero where there is none.
    pub fn leaves(&self) -> Vec<[u8; 32]> {
        let mut leaves = vec![[0; 32]; self.placed as usize];
        let mut put = |place: u64, asset, owner| {
            let exit = Exit {
                place,
                asset,
                owner,
            };
            leaves[place as usize] = exit.leaf();
        };
        for ((address, asset), place) in &self.places {
            let amount = self.amounts(address).get(asset).copied();
            let amount = Amount(u64::try_from(amount.unwrap_or_default()).expect("fits"));
            if amount > Amount::ZERO {
                let asset = match asset.token() {
                    Some(token) => BaseAsset::Erc20 { token, amount },
                    None => BaseAsset::Native { amount },
                };
                put(*place, asset, self.addresses[address]);
            }
        }
        for (_, item) in &self.items {
            let there = item.state != ItemState::Burned;
            if let (true, Some(id), Some(exit)) = (there, card_of(item), item.exit)
                && let Some(owner) = exit.address
            {
                put(exit.place, BaseAsset::Erc721 { token: CARDS, id }, owner);
            }
        }
        leaves
    }
}
