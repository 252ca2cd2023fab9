//! Whether a load has made or lost anything: what all of its accounts and their deals hold, read through the API as
//! anybody reads it, before and after. The books of the load have no part in it.

use super::report::Conservation;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use weft_client::{Client, ClientError, DealQuery, PageQuery};
use weft_types::api::{Deal, Item, ItemState, Page};
use weft_types::{
    Address, AssetAmount, AssetId, BaseAsset, CollectionId, DealId, ItemId, Millis, VoucherPoolId,
    Withdrawal,
};

/// Longest wait for pools of vouchers to end, and for deals to stay as they are while accounts are read; how often it is looked.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);
/// Entries asked for at once.
const PAGE: usize = 200;

/// Whose things are counted.
pub struct Conserved {
    accounts: BTreeSet<Address>,
    collections: Vec<CollectionId>,
    pools: Pools,
    /// Withdrawals ever requested before.
    withdrawals: u64,
    before: Holdings,
}

/// Pools of vouchers that a load opens, and when they end; named while it is signed.
#[derive(Debug, Clone, Default)]
pub struct Pools(Arc<Mutex<Vec<(VoucherPoolId, Millis)>>>);

impl Pools {
    pub fn add(&self, pool: VoucherPoolId, ends: Millis) {
        self.locked().push((pool, ends));
    }

    pub fn named(&self) -> Vec<(VoucherPoolId, Millis)> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(VoucherPoolId, Millis)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Holdings {
    /// Of the native asset, in accounts, in the fee pool, in open deals, in pools of vouchers, and withdrawn meanwhile.
    coin: u128,
    /// By whom each is held, and in which deal it is locked.
    items: BTreeMap<ItemId, (Address, Option<DealId>)>,
    /// As often as they are listed.
    listed: usize,
    /// Open ones of these accounts.
    deals: BTreeSet<DealId>,
}

impl Conserved {
    /// Counts before a load begins. Fees go to the pool, and at an epoch's end to the members: they are counted too.
    pub async fn begin(
        client: &Client,
        accounts: impl IntoIterator<Item = Address>,
        collections: Vec<CollectionId>,
    ) -> Result<Self, ClientError> {
        let committee = client.committee().await?;
        let members = committee.members.iter();
        let members = members.map(|member| Address::of_key(&member.vertex_key));
        let accounts: BTreeSet<Address> = accounts
            .into_iter()
            .chain(members)
            .chain([Address::FEE_POOL])
            .collect();
        let before = Holdings::read(client, &accounts, &collections).await?;
        Ok(Self {
            accounts,
            collections,
            pools: Pools::default(),
            withdrawals: client.bridge().await?.bridge.withdrawals,
            before,
        })
    }

    /// With pools that are opened from then on.
    pub fn with(self, pools: Pools) -> Self {
        Self { pools, ..self }
    }

    /// What is there, as before; else words.
    pub async fn compare(
        &self,
        client: &Client,
    ) -> Result<Result<Conservation, String>, ClientError> {
        let pools = self.pools.named();
        self.until_ended(client, &pools).await?;
        let mut after = Holdings::read(client, &self.accounts, &self.collections).await?;
        after.add_covers(client, &pools).await?;
        self.add_withdrawn(client, &mut after).await?;
        Ok(match self.before.compared(&after, &self.accounts) {
            None => Ok(Conservation {
                coin: after.coin.to_string(),
                items: after.items.len() as u64,
                deals: after.deals.len() as u64,
            }),
            Some(words) => Err(words),
        })
    }

    /// So that a load after this one finds none of them, which it would not know.
    async fn until_ended(
        &self,
        client: &Client,
        pools: &[(VoucherPoolId, Millis)],
    ) -> Result<(), ClientError> {
        let last = pools.iter().map(|(_, ends)| *ends).max();
        let begun = Instant::now();
        while let Some(last) = last
            && client.status().await?.timestamp <= last
            && begun.elapsed() < PATIENCE
        {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// What these accounts have given up meanwhile.
    async fn add_withdrawn(
        &self,
        client: &Client,
        after: &mut Holdings,
    ) -> Result<(), ClientError> {
        let requested = client.bridge().await?.bridge.withdrawals;
        for index in self.withdrawals..requested {
            let Withdrawal { account, asset, .. } = client.withdrawal(&index).await?.withdrawal;
            if let BaseAsset::Native { amount } = asset
                && self.accounts.contains(&account)
            {
                after.coin += u128::from(amount.0);
            }
        }
        Ok(())
    }
}

impl Holdings {
    /// At one state, as far as deals go: one that ends while accounts are read would be in neither.
    async fn read(
        client: &Client,
        accounts: &BTreeSet<Address>,
        collections: &[CollectionId],
    ) -> Result<Self, ClientError> {
        let begun = Instant::now();
        let mut deals = Self::deals(client, accounts).await?;
        loop {
            let mut found = Self::owned(client, accounts, collections).await?;
            let after = Self::deals(client, accounts).await?;
            if after == deals || begun.elapsed() > PATIENCE {
                found.coin += after.coin;
                found.deals = after.deals;
                return Ok(found);
            }
            deals = after;
        }
    }

    /// What is in open deals of these accounts.
    async fn deals(client: &Client, accounts: &BTreeSet<Address>) -> Result<Self, ClientError> {
        let mut found = Self::default();
        let query = DealQuery::default();
        all(
            async |page| client.deals(&query, page).await,
            |deal| found.add_deal(&deal, accounts),
        )
        .await?;
        Ok(found)
    }

    async fn owned(
        client: &Client,
        accounts: &BTreeSet<Address>,
        collections: &[CollectionId],
    ) -> Result<Self, ClientError> {
        let mut found = Self::default();
        for address in accounts {
            found.coin += u128::from(client.account(address).await?.balance(AssetId::NATIVE).0);
        }
        for collection in collections {
            let items =
                async |page: &PageQuery| client.collection_items(collection, None, &[], page).await;
            all(items, |item: Item| {
                let locked = item.deal.filter(|_| item.state == ItemState::Locked);
                found.items.insert(item.id, (item.owner, locked));
                found.listed += 1;
            })
            .await?;
        }
        Ok(found)
    }

    async fn add_covers(
        &mut self,
        client: &Client,
        pools: &[(VoucherPoolId, Millis)],
    ) -> Result<(), ClientError> {
        for (pool, _) in pools {
            match client.voucher_pool(pool).await {
                Ok(pool) => self.coin += u128::from(pool.cover.0),
                // It was not opened, or is over.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn add_deal(&mut self, deal: &Deal, accounts: &BTreeSet<Address>) {
        if !accounts.contains(&deal.giver) {
            return;
        }
        let coin = |assets: &[AssetAmount]| -> u128 {
            let native = assets.iter().filter(|a| a.asset == AssetId::NATIVE);
            native.map(|a| u128::from(a.amount.0)).sum()
        };
        let packs = deal.drawing.as_ref().map_or(0, |d| d.packs.len());
        let bid = deal.highest_bid.map_or(0, |bid| bid.amount.0);
        self.deals.insert(deal.id);
        self.coin += coin(&deal.gives.assets);
        self.coin += u128::from(bid) + coin(&deal.wants.assets) * packs as u128;
    }

    fn compared(&self, after: &Self, accounts: &BTreeSet<Address>) -> Option<String> {
        if self.coin != after.coin {
            let (before, after) = (self.coin, after.coin);
            return Some(format!(
                "there were {before} of the native asset, and {after} are left"
            ));
        }
        if !self.items.keys().eq(after.items.keys()) || after.listed != after.items.len() {
            let (before, after) = (self.listed, after.listed);
            return Some(format!(
                "there were {before} items, and {after} or others are left"
            ));
        }
        after.items.iter().find_map(|(item, (owner, deal))| {
            let before = self.items.get(item).map(|(owner, _)| owner);
            if !accounts.contains(owner) && before != Some(owner) {
                return Some(format!("item {item} is {owner}'s, who takes no part"));
            }
            let deal = deal.filter(|deal| !after.deals.contains(deal))?;
            Some(format!(
                "item {item} is locked in deal {deal}, which is not open"
            ))
        })
    }
}

/// Every entry of a list, page by page.
pub(super) async fn all<T>(
    read: impl AsyncFn(&PageQuery) -> Result<Page<T>, ClientError>,
    mut each: impl FnMut(T),
) -> Result<(), ClientError> {
    let mut page = PageQuery::limit(PAGE);
    loop {
        let Page { items, next, .. } = read(&page).await?;
        items.into_iter().for_each(&mut each);
        match next {
            None => return Ok(()),
            next => page.cursor = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing::user;

    fn holdings() -> Holdings {
        let item = |n: u8| ItemId([n; 32]);
        let deal = DealId([7; 32]);
        Holdings {
            coin: 500,
            items: [(item(1), (user(1), None)), (item(2), (user(2), Some(deal)))].into(),
            listed: 2,
            deals: [deal].into(),
        }
    }

    #[test]
    fn whatever_was_made_or_lost_is_noticed() {
        let accounts: BTreeSet<Address> = [user(1), user(2)].into();
        let wrong = |change: &dyn Fn(&mut Holdings)| {
            let mut after = holdings();
            change(&mut after);
            holdings().compared(&after, &accounts)
        };
        assert_eq!(wrong(&|_| ()), None);
        let traded = |after: &mut Holdings| {
            after.items.insert(ItemId([1; 32]), (user(2), None));
        };
        assert_eq!(wrong(&traded), None);
        assert!(wrong(&|after| after.coin += 1).is_some());
        assert!(wrong(&|after| after.coin -= 1).is_some());
        let lost = |after: &mut Holdings| {
            after.items.remove(&ItemId([1; 32]));
        };
        assert!(wrong(&lost).is_some());
        let made = |after: &mut Holdings| {
            after.items.insert(ItemId([3; 32]), (user(1), None));
            after.listed += 1;
        };
        assert!(wrong(&|after| after.listed += 1).is_some());
        assert!(wrong(&made).is_some());
        let strange = |after: &mut Holdings| {
            after.items.insert(ItemId([1; 32]), (user(3), None));
        };
        assert!(wrong(&strange).is_some());
        assert!(wrong(&|after| after.deals.clear()).is_some());
        let mut others = holdings();
        strange(&mut others);
        assert_eq!(others.compared(&others, &accounts), None, "it was before");
    }
}
