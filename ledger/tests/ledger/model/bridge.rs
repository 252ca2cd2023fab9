//! What came over the bridge, and what left by it.

use super::*;

impl Model {
    pub(super) fn bridge(&self) -> Vec<(ObjectId, Object)> {
        if self.withdrawals.is_empty() && self.deposits.is_empty() && self.placed == 0 {
            return vec![];
        }
        let mut bridge = Bridge {
            exit_places: self.placed,
            ..Bridge::default()
        };
        for (n, deposit) in self.deposits.iter().enumerate() {
            let feed = &mut bridge.deposits;
            feed.processed = n as u64 + 1;
            feed.digest = deposit.extend(&feed.digest, feed.processed);
        }
        let mut objects = vec![];
        for withdrawal in &self.withdrawals {
            bridge.withdrawals.push(withdrawal.leaf());
            let id = ObjectId::Withdrawal(WithdrawalId::new(withdrawal.index));
            objects.push((id, Object::Withdrawal((*withdrawal).into())));
        }
        let id = ObjectId::Bridge(BridgeId::THE_ONE);
        objects.push((id, Object::Bridge(bridge.into())));
        objects
    }

    pub(super) fn arrived(&mut self, deposit: &Deposit) {
        let to = deposit.account;
        if self.bug(Bug::DepositMakesTheOwner) {
            self.addresses.entry(to).or_insert(deposit.sender);
        }
        match deposit.asset {
            BaseAsset::Native { amount } => {
                *self.money.entry((to, AssetId::NATIVE)).or_default() += u128::from(amount.0);
            }
            BaseAsset::Erc20 { token, amount } => {
                let asset = AssetId::erc20(token);
                *self.money.entry((to, asset)).or_default() += u128::from(amount.0);
            }
            BaseAsset::Erc721 { token, id } => {
                let (collection, edition) =
                    (CollectionId::erc721(token), EditionId::erc721(token, &id));
                if find(&mut self.collections, &collection).is_none() {
                    let new = Collection {
                        creator: Address::BRIDGE,
                        name: token.to_string(),
                        description: String::new(),
                        item_cap: 0,
                        issued: 0,
                        editions: 0,
                        policy: Policy::default(),
                        roles: vec![],
                        frozen: false,
                    };
                    self.collections.push((collection, new));
                }
                let whole = find(&mut self.collections, &collection).expect("just made");
                whole.issued += 1;
                if find(&mut self.editions, &edition).is_none() {
                    whole.editions += 1;
                    let terms = erc721_edition(token, &id);
                    let new = Edition::new(terms);
                    self.editions.push((edition, new));
                }
                let print = find(&mut self.editions, &edition).expect("just made");
                print.issued += 1;
                let item = Item::new(edition, print.issued, to);
                let id = ItemId::derive(&edition, item.serial);
                self.items.push((id, item));
            }
        }
        self.deposits.push(*deposit);
    }
}
