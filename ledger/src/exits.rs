//! X3: the exit tree, which says whose on the base chain is what the ledger holds.
//!
//! The state has what the tree follows from: accounts have exit addresses and the places of their amounts, cards
//! their place and whose leaf it is, deals what they lock. So a restart, a snapshot and a takeover make the same tree.
//!
//! Places and addresses are settled once, at the end of a commit, from what the commit has changed: what comes and
//! goes in between needs none. The work is bounded by the commit's changes; that is why a card has an address of its
//! own, which a new exit address of its holder does not reach by itself.

use crate::draft::Change;
use crate::live::{Live, Objects as _};
use crate::places::PlaceTree;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use weft_types::{
    Account, Address, Amount, AssetAmount, AssetId, BaseAddress, BaseAsset, Bridge, BridgeId, Exit,
    Item, ItemExit, ItemId, Object, ObjectId, TREE_PLACES, erc721_of,
};

/// Amounts that open deals and pools of vouchers hold, by who gets them back.
#[derive(Default)]
pub(crate) struct Locked(HashMap<Address, BTreeMap<AssetId, u64>>);

/// What an object holds beside accounts, and who gets each part back.
fn held_by(object: &Object) -> Vec<(Address, AssetAmount)> {
    match object {
        Object::Deal(deal) => deal.held(),
        Object::VoucherPool(pool) if pool.cover() > Amount::ZERO => {
            let (asset, amount) = (pool.asset, pool.cover());
            vec![(pool.issuer, AssetAmount { asset, amount })]
        }
        _ => Vec::new(),
    }
}

impl Locked {
    /// Takes up an object's change.
    pub fn follow(&mut self, before: Option<&Object>, after: Option<&Object>) {
        for (owner, part) in after.into_iter().flat_map(held_by) {
            let sum = self.0.entry(owner).or_default().entry(part.asset);
            *sum.or_default() += part.amount.0;
        }
        for (owner, part) in before.into_iter().flat_map(held_by) {
            let Some(sums) = self.0.get_mut(&owner) else {
                continue;
            };
            if let Some(sum) = sums.get_mut(&part.asset) {
                *sum -= part.amount.0;
            }
            sums.retain(|_, sum| *sum > 0);
            if sums.is_empty() {
                self.0.remove(&owner);
            }
        }
    }

    fn of(&self, giver: &Address, asset: &AssetId) -> u64 {
        let sums = self.0.get(giver);
        sums.and_then(|s| s.get(asset)).copied().unwrap_or_default()
    }

    fn assets(&self, giver: &Address) -> impl Iterator<Item = AssetId> + '_ {
        let sums = self.0.get(giver);
        sums.into_iter().flat_map(|s| s.keys().copied())
    }
}

/// What a commit means for the tree.
struct Settling<'a> {
    after: After<'a>,
    /// With the commit's deals.
    locked: &'a Locked,
    leaves: Vec<(u64, Option<Exit>)>,
    places: u64,
}

/// The state after the commit.
struct After<'a> {
    /// Before it.
    live: &'a Live,
    /// By id.
    changes: &'a [Change],
    /// What is settled.
    written: BTreeMap<ObjectId, Object>,
}

/// Gives places and addresses, in the commit's changes, and says what then stands where. `named` are cards that were
/// listed with a new exit address.
pub(crate) fn settle(
    live: &Live,
    locked: &Locked,
    named: &[ItemId],
    changes: &mut Vec<Change>,
) -> Vec<(u64, Option<Exit>)> {
    let after = After {
        live,
        changes,
        written: BTreeMap::new(),
    };
    let (amounts, cards) = (amounts(&after, locked), cards(named, changes));
    if amounts.is_empty() && cards.is_empty() {
        return Vec::new();
    }
    let before = after.bridge().map_or(0, |b| b.exit_places);
    let mut settling = Settling {
        after,
        locked,
        leaves: Vec::new(),
        places: before,
    };
    for (address, asset) in amounts {
        settling.amount(address, asset);
    }
    for id in cards {
        settling.card(id);
    }
    if settling.places != before {
        settling.count_places();
    }
    let Settling { after, leaves, .. } = settling;
    let written = after.written;
    write(live, changes, written);
    leaves
}

/// Into the changes, as if the commit's transactions had done it.
fn write(live: &Live, changes: &mut Vec<Change>, written: BTreeMap<ObjectId, Object>) {
    let mut new = Vec::new();
    for (id, object) in written {
        match changes.binary_search_by_key(&id, |c| c.id) {
            Ok(found) => changes[found].after = Some(object),
            Err(_) => new.push(Change {
                id,
                before: live.get(&id).cloned(),
                after: Some(object),
                retired: None,
            }),
        }
    }
    if !new.is_empty() {
        changes.extend(new);
        changes.sort_unstable_by_key(|c| c.id);
    }
}

/// Amounts whose leaf may have changed.
fn amounts(after: &After<'_>, locked: &Locked) -> BTreeSet<(Address, AssetId)> {
    let mut touched = BTreeSet::new();
    for change in after.changes {
        match (change.id, &change.before, &change.after) {
            (ObjectId::Account(id), before, Some(Object::Account(after))) => {
                let before = before.as_ref().and_then(Object::as_account);
                let assets = changed_assets(before.map(|b| b.as_ref()), after);
                touched.extend(assets.map(|asset| (id, asset)));
                let address = before.and_then(|b| b.exit_address());
                if after.exit_address() != address {
                    let assets = locked.assets(&id).chain(held(after));
                    touched.extend(assets.map(|asset| (id, asset)));
                }
            }
            (ObjectId::Deal(_) | ObjectId::VoucherPool(_), before, after) => {
                for object in before.iter().chain(after) {
                    let held = held_by(object).into_iter();
                    touched.extend(held.map(|(owner, part)| (owner, part.asset)));
                }
            }
            _ => {}
        }
    }
    let has_address = |address: &Address| {
        let account = after.account(address);
        account.is_some_and(|a| a.exit_address().is_some())
    };
    touched.retain(|(address, _)| has_address(address));
    touched
}

fn held(account: &Account) -> impl Iterator<Item = AssetId> + '_ {
    account.balances().map(|b| b.asset)
}

/// Assets of which it holds another amount than before. An account without an exit address has no leaves.
fn changed_assets(before: Option<&Account>, after: &Account) -> impl Iterator<Item = AssetId> {
    let mut changed = Vec::new();
    if after.exit_address().is_some() {
        let had = |asset: &AssetId| before.map_or(Amount::ZERO, |b| b.balance(asset));
        changed.extend(held(after).chain(before.into_iter().flat_map(held)));
        changed.retain(|asset| had(asset) != after.balance(asset));
    }
    changed.into_iter()
}

/// Cards that were listed, came to somebody or left.
fn cards(named: &[ItemId], changes: &[Change]) -> BTreeSet<ItemId> {
    let owner =
        |object: &Option<Object>| object.as_ref().and_then(Object::as_item).map(|i| i.owner);
    let moved = changes.iter().filter_map(|change| match change.id {
        ObjectId::Item(id) => (owner(&change.before) != owner(&change.after)).then_some(id),
        _ => None,
    });
    moved.chain(named.iter().copied()).collect()
}

impl After<'_> {
    fn get(&self, id: &ObjectId) -> Option<&Object> {
        if let Some(object) = self.written.get(id) {
            return Some(object);
        }
        match self.changes.binary_search_by_key(id, |c| c.id) {
            Ok(found) => self.changes[found].after.as_ref(),
            Err(_) => self.live.get(id),
        }
    }

    fn account(&self, address: &Address) -> Option<Arc<Account>> {
        let found = self.get(&ObjectId::Account(*address))?;
        found.as_account().cloned()
    }

    fn bridge(&self) -> Option<Arc<Bridge>> {
        let found = self.get(&ObjectId::Bridge(BridgeId::THE_ONE));
        found.and_then(Object::as_bridge).cloned()
    }

    fn put(&mut self, id: ObjectId, object: Object) {
        self.written.insert(id, object);
    }
}

impl Settling<'_> {
    fn amount(&mut self, address: Address, asset: AssetId) {
        let Some(account) = self.after.account(&address) else {
            return;
        };
        let Some(owner) = account.exit_address() else {
            return;
        };
        let held = account.balance(&asset).0;
        let amount = held.saturating_add(self.locked.of(&address, &asset));
        let mut place = account.exit_place(&asset);
        if place.is_none() && amount > 0 {
            place = self.next_place();
            if let Some(place) = place {
                let mut account = Account::clone(&account);
                account.give_exit_place(asset, place);
                self.after.put(
                    ObjectId::Account(address),
                    Object::Account(Arc::new(account)),
                );
            }
        }
        let asset = BaseAsset::of_amount(&asset, Amount(amount)).filter(|_| amount > 0);
        self.leaf(place, asset, Some(owner));
    }

    fn card(&mut self, id: ItemId) {
        let object = ObjectId::Item(id);
        let Some(item) = self.after.get(&object).and_then(Object::as_item) else {
            let before = self.after.live.get(&object).and_then(Object::as_item);
            let place = before.and_then(|i| i.exit).map(|e| e.place);
            return self.leaf(place, None, None);
        };
        let item = Item::clone(item);
        let holder = self.after.account(&item.owner);
        let address = holder.and_then(|a| a.exit_address());
        if item.exit.is_none() && address.is_none() {
            return;
        }
        let edition = ObjectId::Edition(item.edition);
        let edition = self.after.get(&edition).and_then(Object::as_edition);
        let Some((token, number)) = edition.and_then(|e| erc721_of(&item.edition, &e.terms)) else {
            return;
        };
        let place = item.exit.map(|e| e.place).or_else(|| self.next_place());
        let Some(place) = place else { return };
        let exit = Some(ItemExit { place, address });
        if item.exit != exit {
            self.after
                .put(object, Object::Item(Arc::new(Item { exit, ..item })));
        }
        let card = BaseAsset::Erc721 { token, id: number };
        self.leaf(Some(place), Some(card), address);
    }

    fn leaf(&mut self, place: Option<u64>, asset: Option<BaseAsset>, owner: Option<BaseAddress>) {
        let Some(place) = place else { return };
        let exit = asset.zip(owner);
        let exit = exit.map(|(asset, owner)| Exit {
            place,
            asset,
            owner,
        });
        self.leaves.push((place, exit));
    }

    /// `None` when all are given: what comes then has no leaf.
    fn next_place(&mut self) -> Option<u64> {
        let place = self.places;
        (place < TREE_PLACES).then(|| self.places += 1)?;
        Some(place)
    }

    fn count_places(&mut self) {
        let mut bridge = self
            .after
            .bridge()
            .map(|b| Bridge::clone(&b))
            .unwrap_or_default();
        bridge.exit_places = self.places;
        let id = ObjectId::Bridge(BridgeId::THE_ONE);
        self.after.put(id, Object::Bridge(Arc::new(bridge)));
    }
}

/// The tree that a state has.
pub(crate) fn tree_of(live: &Live, locked: &Locked) -> PlaceTree<Exit> {
    let mut tree = PlaceTree::default();
    for (id, object) in live.iter() {
        match (id, object) {
            (ObjectId::Account(id), Object::Account(account)) => {
                for exit in exits_of(id, account, locked) {
                    tree.set(exit.place, Some(exit));
                }
            }
            (_, Object::Item(item)) => {
                if let Some(exit) = exit_of_card(live, item) {
                    tree.set(exit.place, Some(exit));
                }
            }
            _ => {}
        }
    }
    tree
}

fn exits_of<'a>(
    id: &'a Address,
    account: &'a Account,
    locked: &'a Locked,
) -> impl Iterator<Item = Exit> + 'a {
    let owner = account.exit_address();
    account
        .exit_places()
        .iter()
        .filter_map(move |(asset, place)| {
            let amount = account
                .balance(asset)
                .0
                .saturating_add(locked.of(id, asset));
            let asset = BaseAsset::of_amount(asset, Amount(amount)).filter(|_| amount > 0)?;
            let (place, owner) = (*place, owner?);
            Some(Exit {
                place,
                asset,
                owner,
            })
        })
}

fn exit_of_card(live: &Live, item: &Item) -> Option<Exit> {
    let ItemExit { place, address } = item.exit?;
    let edition = live.get(&ObjectId::Edition(item.edition))?.as_edition()?;
    let (token, id) = erc721_of(&item.edition, &edition.terms)?;
    Some(Exit {
        place,
        asset: BaseAsset::Erc721 { token, id },
        owner: address?,
    })
}
