//! The ledger once more, as plainly as can be: lists that are searched from end to end, sums in 128
//! bits, a copy of everything to undo a transaction with. It shares with the ledger the shapes of
//! objects and operations, and none of its ways.

mod auction;
mod book;
mod bridge;
mod bugs;
mod channel;
mod data;
mod draw;
mod exits;
mod keys;
mod mint;
mod policy;
mod reach;
mod ticket;
mod voucher;

pub use bugs::Bug;

use crate::world::{CARDS, CONTRACTS, card_number};
use std::collections::BTreeMap;
use weft_types::{
    Account, Address, Amount, AssetId, BaseAddress, BaseAsset, Bridge, BridgeId, Bundle, Chained,
    Collection, CollectionId, CommitIndex, ContentHash, Deal, DealId, DealRule, DealState, Deposit,
    Drawing, Edition, EditionId, Exit, FailureCode, Item, ItemExit, ItemId, ItemState, Keys,
    Object, ObjectId, Operation, Policy, Posted, ProtocolParams, Role, Taking, Template, TokenId,
    Transaction, VoucherPool, VoucherPoolId, WantedFrom, Withdrawal, WithdrawalId, erc721_edition,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Refused(&'static str),
    Applied,
    Failed { operation: u32, code: FailureCode },
}

#[derive(Debug, Clone)]
pub struct Model {
    params: ProtocolParams,
    bug: Option<Bug>,
    now: u64,
    commit: CommitIndex,
    /// The time of the commit before.
    before: u64,
    money: BTreeMap<(Address, AssetId), u128>,
    /// Everything ever made, burned items and closed deals too.
    pub collections: Vec<(CollectionId, Collection)>,
    pub editions: Vec<(EditionId, Edition)>,
    pub items: Vec<(ItemId, Item)>,
    pub deals: Vec<(DealId, Deal)>,
    pub withdrawals: Vec<Withdrawal>,
    /// Those that have ended too.
    pub pools: Vec<(VoucherPoolId, VoucherPool)>,
    /// In the order in which they were.
    pub spent: Vec<(VoucherPoolId, Address)>,
    posted: Vec<(ContentHash, Posted)>,
    /// Deposits credited, and those that the next commit credits.
    deposits: Vec<Deposit>,
    pub arrive: Vec<Deposit>,
    /// X3: who has what an account holds, and the places of amounts; those of cards are with the items.
    addresses: BTreeMap<Address, BaseAddress>,
    places: Vec<((Address, AssetId), u64)>,
    placed: u64,
    /// Of this commit: cards listed with an exit address, and who had which before it.
    named: Vec<ItemId>,
    had: Vec<(ItemId, Address)>,
    seen: Vec<Transaction>,
    /// Where it is not the account's own key alone.
    keys: BTreeMap<Address, Keys>,
    /// Of this transaction: accounts for which a session signs, and its key.
    by: Vec<(Address, Address)>,
}

type Step = Result<(), FailureCode>;

fn find<'a, K: PartialEq, V>(list: &'a mut [(K, V)], key: &K) -> Option<&'a mut V> {
    list.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v)
}

/// Which card of the base chain it is.
fn card_of(item: &Item) -> Option<TokenId> {
    let mut numbers = (0..3).map(card_number);
    numbers.find(|n| item.edition == EditionId::erc721(CARDS, n))
}

fn demand(holds: bool, code: FailureCode) -> Step {
    if holds { Ok(()) } else { Err(code) }
}

impl Model {
    pub fn new(template: &Template, bug: Option<Bug>) -> Self {
        let money = template.accounts.iter();
        let money = money.map(|a| ((a.address, AssetId::NATIVE), u128::from(a.balance.0)));
        Self {
            params: template.params.clone(),
            bug,
            now: template.timestamp_ms.0,
            commit: CommitIndex::ZERO,
            before: 0,
            money: money.collect(),
            collections: vec![],
            editions: vec![],
            items: vec![],
            deals: vec![],
            withdrawals: vec![],
            pools: vec![],
            spent: vec![],
            posted: vec![],
            deposits: vec![],
            arrive: vec![],
            addresses: BTreeMap::new(),
            places: vec![],
            placed: 0,
            named: vec![],
            had: vec![],
            seen: vec![],
            keys: BTreeMap::new(),
            by: vec![],
        }
    }

    fn bug(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The state as the ledger should have it.
    pub fn objects(&self) -> Vec<(ObjectId, Object)> {
        let mut accounts: BTreeMap<Address, Account> = BTreeMap::new();
        for ((address, asset), amount) in &self.money {
            let of_deal = self.deals.iter().any(|(id, _)| Self::purse(id) == *address);
            let of_pool = |(id, _): &(VoucherPoolId, _)| Self::pool_purse(id) == *address;
            if *amount > 0 && !of_deal && !self.pools.iter().any(of_pool) {
                let account = accounts.entry(*address).or_default();
                account.set(*asset, Amount(u64::try_from(*amount).expect("fits")));
            }
        }
        for (address, exit) in &self.addresses {
            let account = accounts.entry(*address).or_default();
            account.set_exit_address(*exit);
            for ((_, asset), place) in self.places.iter().filter(|((a, _), _)| a == address) {
                account.give_exit_place(*asset, *place);
            }
        }
        for (address, keys) in &self.keys {
            if self.bug(Bug::KeysGoWithTheLastUnit) && !accounts.contains_key(address) {
                continue;
            }
            accounts.entry(*address).or_default().set_keys(keys.clone());
        }
        let accounts = accounts.into_iter();
        let accounts = accounts.map(|(a, o)| (ObjectId::Account(a), Object::Account(o.into())));
        let collections = self.collections.iter().cloned();
        let collections =
            collections.map(|(id, o)| (ObjectId::Collection(id), Object::Collection(o.into())));
        let editions = self.editions.iter().cloned();
        let editions = editions.map(|(id, o)| (ObjectId::Edition(id), Object::Edition(o.into())));
        let burned =
            |i: &&(ItemId, Item)| i.1.state != ItemState::Burned || self.bug(Bug::BurnedItemStays);
        let items = self.items.iter().filter(burned).cloned();
        let items = items.map(|(id, o)| (ObjectId::Item(id), Object::Item(o.into())));
        let deals = self
            .deals
            .iter()
            .filter(|(_, d)| d.state == DealState::Open);
        let deals = deals
            .cloned()
            .map(|(id, o)| (ObjectId::Deal(id), Object::Deal(o.into())));
        accounts
            .chain(collections)
            .chain(editions)
            .chain(items)
            .chain(deals)
            .chain(self.bridge())
            .chain(self.voucher_objects())
            .chain(self.posted_objects())
            .collect()
    }

    /// What a new commit does before its transactions.
    pub fn begin(&mut self, now: u64) {
        self.before = std::mem::replace(&mut self.now, now);
        self.commit = self.commit.next();
        self.named.clear();
        self.had = self.items.iter().map(|(id, i)| (*id, i.owner)).collect();
        self.draw_lots();
        for place in 0..self.deals.len() {
            let (_, deal) = &self.deals[place];
            if deal.state == DealState::Open && deal.terms.series().is_some() {
                self.end_series(place);
            } else if deal.state == DealState::Open && self.ends(deal) <= now {
                let giver = deal.giver;
                let ended = match &deal.terms.rule {
                    DealRule::CoSigned(_) => self.divide(place, DealState::Expired, false),
                    DealRule::Auction(_) if deal.bid.is_some() => {
                        self.end_auction(place);
                        Ok(())
                    }
                    _ => {
                        self.end(place, giver, DealState::Expired);
                        Ok(())
                    }
                };
                ended.expect("it has what it divides");
            }
        }
        self.end_pools();
        self.end_posted();
        self.clear_books();
        for deposit in std::mem::take(&mut self.arrive) {
            self.arrived(&deposit);
        }
    }

    pub fn transact(&mut self, transaction: &Transaction) -> Verdict {
        let body = transaction.body();
        if body.valid_until.0 < self.now {
            return Verdict::Refused("expired");
        }
        let longest = u128::from(self.now) + u128::from(self.params.validity_max_ms.0);
        if u128::from(body.valid_until.0) > longest {
            return Verdict::Refused("validity_too_long");
        }
        let known = self.seen.iter().any(|t| t.id() == transaction.id());
        if known && !self.bug(Bug::ReplayIsApplied) {
            return Verdict::Refused("replayed");
        }
        let fee = self.fee(transaction);
        if fee > u128::from(body.max_fee.0) {
            return Verdict::Refused("fee_too_low");
        }
        if !self.authorised(transaction, fee) {
            return Verdict::Refused("not_authorised");
        }
        let payer = body.sponsor.unwrap_or(body.sender);
        let unspent = (self.pools.clone(), self.spent.clone());
        let mut by_voucher = false;
        if self
            .pay(payer, Address::FEE_POOL, AssetId::NATIVE, fee)
            .is_err()
        {
            by_voucher = !self.bug(Bug::VoucherPaysNoFee) && self.fee_by_voucher(transaction, fee);
            if !by_voucher {
                return Verdict::Refused("cannot_pay");
            }
            let paid = self.pay(payer, Address::FEE_POOL, AssetId::NATIVE, fee);
            paid.expect("the voucher is worth the rest");
        }
        if !self.bug(Bug::SessionPaysNoFees) {
            let spent = self.spend(payer, AssetId::NATIVE, fee);
            spent.expect("what is authorised has enough left");
        }
        if self.bug(Bug::FeeIsLost) {
            self.money.remove(&(Address::FEE_POOL, AssetId::NATIVE));
        }
        self.seen.push(transaction.clone());

        let mut before = self.clone();
        if by_voucher && self.bug(Bug::VoucherComesBack) {
            (before.pools, before.spent) = unspent;
        }
        let flat = body
            .operations
            .iter()
            .flat_map(|operation| match operation {
                Operation::MultiParty(parties) => parties
                    .iter()
                    .flat_map(|p| p.operations.iter().map(|o| (p.account, o)))
                    .collect(),
                operation => vec![(body.sender, operation)],
            });
        let (mut minted, mut reached) = (0, 0);
        for (n, (actor, operation)) in flat.enumerate() {
            let n = n as u32;
            if n == 0 && by_voucher {
                continue;
            }
            reached += self.reach(operation);
            let step = match reached > u128::from(body.deal_entries) {
                true => Err(FailureCode::DealEntries),
                false => self.step(transaction, n, actor, operation, &mut minted),
            };
            if let Err(code) = step {
                if !self.bug(Bug::FailureKeepsItsEffects) {
                    *self = before;
                }
                return Verdict::Failed { operation: n, code };
            }
        }
        Verdict::Applied
    }

    fn fee(&self, transaction: &Transaction) -> u128 {
        let (mut operations, mut minted, mut checks) = (0u128, 0u128, 0u128);
        let mut count = |operation: &Operation| {
            operations += 1;
            match operation {
                Operation::Mint { entries } => {
                    minted += entries.iter().map(|e| u128::from(e.count)).sum::<u128>();
                }
                Operation::Buy(purchase) => minted += u128::from(purchase.count),
                Operation::VoucherOpen(_) | Operation::VoucherSpend { .. } => checks += 1,
                _ => {}
            }
        };
        for operation in &transaction.body().operations {
            match operation {
                Operation::MultiParty(parties) => {
                    parties
                        .iter()
                        .flat_map(|p| &p.operations)
                        .for_each(&mut count);
                }
                operation => count(operation),
            }
        }
        let fees = &self.params.fees;
        let signatures = transaction.authorisations().iter();
        let signatures = signatures.map(|a| if a.account.is_some() { 139 } else { 104 });
        let shown = |operation: &Operation| match operation {
            Operation::ChannelClose(s) | Operation::ChannelChallenge(s) if s.state.is_some() => 208,
            _ => 0,
        };
        let states = transaction
            .body()
            .operations
            .iter()
            .map(|operation| match operation {
                Operation::MultiParty(parties) => {
                    parties.iter().flat_map(|p| &p.operations).map(shown).sum()
                }
                operation => shown(operation),
            });
        let signed = signatures.sum::<usize>() + states.sum::<usize>();
        let bytes = transaction.body().encode().len() + signed;
        let fee = u128::from(fees.per_transaction.0)
            + u128::from(fees.per_operation.0) * operations
            + u128::from(fees.per_byte.0)
                * (bytes as u128
                    + 5_200 * checks
                    + self.posted_bytes(transaction.body())
                    + self.named_bytes(transaction.body()))
            + u128::from(fees.per_item.0) * minted;
        fee.min(u64::MAX.into())
    }

    fn pay(&mut self, from: Address, to: Address, asset: AssetId, amount: u128) -> Step {
        let purse = self.money.entry((from, asset)).or_default();
        demand(*purse >= amount, FailureCode::InsufficientBalance)?;
        *purse -= amount;
        *self.money.entry((to, asset)).or_default() += amount;
        Ok(())
    }

    /// The deal's own purse is an account that nobody has.
    fn purse(deal: &DealId) -> Address {
        Address(deal.0)
    }

    fn free(&mut self, owner: Address, id: &ItemId) -> Result<&mut Item, FailureCode> {
        let moves = self.bug(Bug::UsedItemMoves);
        let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
        let item = item.ok_or(FailureCode::NotFound)?;
        demand(item.owner == owner, FailureCode::NotOwner)?;
        let unused = item.used == 0 || moves;
        demand(unused, FailureCode::ItemUsed)?;
        demand(item.state == ItemState::Held, FailureCode::ItemLocked)?;
        Ok(item)
    }

    /// One that the actor may give away by what it signs with.
    fn mine(&mut self, actor: Address, id: &ItemId) -> Result<&mut Item, FailureCode> {
        let edition = self.free(actor, id)?.edition;
        self.not_void(id)?;
        self.not_frozen(id)?;
        let collection = self.collection_of(&edition)?;
        self.in_scope(actor, collection)?;
        self.free(actor, id)
    }

    fn give_item(&mut self, from: Address, to: Address, id: &ItemId) -> Step {
        self.mine(from, id)?.owner = to;
        Ok(())
    }

    /// Pays by what the actor signs with.
    fn give(&mut self, from: Address, to: Address, asset: AssetId, amount: u128) -> Step {
        self.spend(from, asset, amount)?;
        self.pay(from, to, asset, amount)
    }

    fn collection_of(&mut self, edition: &EditionId) -> Result<CollectionId, FailureCode> {
        let edition = find(&mut self.editions, edition).ok_or(FailureCode::NotFound)?;
        Ok(edition.terms.collection)
    }

    fn created_by(&mut self, id: &CollectionId, actor: Address) -> Step {
        let collection = find(&mut self.collections, id).ok_or(FailureCode::NotFound)?;
        demand(collection.creator == actor, FailureCode::NotCreator)?;
        self.in_scope(actor, *id)
    }

    fn end(&mut self, place: usize, to: Address, state: DealState) {
        let (id, deal) = &mut self.deals[place];
        deal.state = state;
        let purse = Self::purse(id);
        let Bundle { assets, items } = deal.terms.gives.clone();
        for part in assets {
            if state == DealState::Expired && self.bug(Bug::ExpiryForgetsTheMoney) {
                continue;
            }
            let paid = self.pay(purse, to, part.asset, part.amount.0.into());
            paid.expect("the purse has what was given");
        }
        self.money.retain(|(owner, _), _| *owner != purse);
        for id in items {
            let taken = matches!(state, DealState::Taken { .. });
            let locked = taken && self.bug(Bug::TakenItemStaysLocked);
            let item = find(&mut self.items, &id).expect("given items exist");
            item.owner = to;
            if !locked {
                item.state = ItemState::Held;
            }
        }
    }

    /// One operation, with its number among all of the transaction.
    fn step(
        &mut self,
        transaction: &Transaction,
        n: u32,
        actor: Address,
        operation: &Operation,
        minted: &mut u128,
    ) -> Step {
        match operation {
            Operation::Transfer { payments, items } => {
                for p in payments {
                    self.give(actor, p.to, p.asset, p.amount.0.into())?;
                }
                for i in items {
                    let edition = self.mine(actor, &i.item)?.edition;
                    self.may_be_sent(&edition)?;
                    self.give_item(actor, i.to, &i.item)?;
                }
                Ok(())
            }
            Operation::CreateCollection {
                name,
                description,
                item_cap,
            } => {
                let idempotency = transaction.body().idempotency;
                let id = CollectionId::derive(&actor, &idempotency, n);
                let free = find(&mut self.collections, &id).is_none();
                demand(free, FailureCode::AlreadyExists)?;
                let collection = Collection {
                    creator: actor,
                    name: name.clone(),
                    description: description.clone(),
                    item_cap: *item_cap,
                    issued: 0,
                    editions: 0,
                    policy: Policy::default(),
                    roles: vec![],
                    frozen: false,
                };
                self.collections.push((id, collection));
                Ok(())
            }
            Operation::CreateEdition(terms) => {
                self.created_by(&terms.collection, actor)?;
                let others = self.editions.iter();
                let others = others.filter(|(_, e)| e.terms.collection == terms.collection);
                let number = others.count() as u64 + 1;
                let collection = find(&mut self.collections, &terms.collection).expect("found");
                collection.editions = number;
                let edition = Edition::new(terms.clone());
                let id = EditionId::derive(&terms.collection, number);
                self.editions.push((id, edition));
                Ok(())
            }
            Operation::Mint { entries } => {
                for entry in entries {
                    self.mint(actor, &entry.edition, entry.to, entry.count, minted)?;
                }
                Ok(())
            }
            Operation::UpdateItem {
                item,
                status,
                data_hash,
            } => {
                let found = find(&mut self.items, item);
                let found = found.filter(|i| i.state != ItemState::Burned);
                let edition = found.ok_or(FailureCode::NotFound)?.edition;
                let collection = self.collection_of(&edition)?;
                self.created_by(&collection, actor)?;
                let item = find(&mut self.items, item).expect("found");
                (item.status, item.data_hash) = (status.clone(), *data_hash);
                Ok(())
            }
            Operation::Burn { items } => {
                for id in items {
                    self.mine(actor, id)?.state = ItemState::Burned;
                }
                Ok(())
            }
            Operation::Withdraw { recipient, gives } => {
                let known = CONTRACTS.contains(recipient);
                demand(!known, FailureCode::ContractAddress)?;
                let mut assets = vec![];
                for part in &gives.assets {
                    let amount = part.amount;
                    assets.push(match part.asset.token() {
                        Some(token) => BaseAsset::Erc20 { token, amount },
                        None if part.asset == AssetId::NATIVE => BaseAsset::Native { amount },
                        None => return Err(FailureCode::NotBridged),
                    });
                    let gone = Address([0xff; 32]);
                    self.pay(actor, gone, part.asset, amount.0.into())?;
                    self.money.remove(&(gone, part.asset));
                }
                for id in &gives.items {
                    let item = self.mine(actor, id)?;
                    let number = card_of(item).ok_or(FailureCode::NotBridged)?;
                    item.state = ItemState::Burned;
                    assets.push(BaseAsset::Erc721 {
                        token: CARDS,
                        id: number,
                    });
                }
                for asset in assets {
                    self.withdrawals.push(Withdrawal {
                        index: self.withdrawals.len() as u64,
                        asset,
                        recipient: *recipient,
                        account: actor,
                        commit: self.commit,
                    });
                }
                Ok(())
            }
            Operation::ExitAddress { address, items } => {
                let known = CONTRACTS.contains(address);
                demand(!known, FailureCode::ContractAddress)?;
                for id in items {
                    let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
                    let item = item.ok_or(FailureCode::NotFound)?;
                    demand(item.owner == actor, FailureCode::NotOwner)?;
                    demand(card_of(item).is_some(), FailureCode::NotBridged)?;
                    self.named.push(*id);
                }
                self.addresses.insert(actor, *address);
                Ok(())
            }
            Operation::DealOpen(terms) => {
                let id = DealId::derive(&transaction.id(), n);
                demand(terms.expires.0 > self.now, FailureCode::ExpiryPassed)?;
                demand(terms.taker != Some(actor), FailureCode::OwnDeal)?;
                let wanted: u128 = terms.wants_any.iter().map(|w| u128::from(w.count)).sum();
                demand(wanted <= 256, FailureCode::TooManyItems)?;
                let mut named = terms.gives.items.clone();
                named.extend(&terms.wants.items);
                let once = |id: &ItemId| named.iter().filter(|i| *i == id).count() == 1;
                demand(named.iter().all(once), FailureCode::DuplicateItem)?;
                for id in &terms.wants.items {
                    let found = find(&mut self.items, id);
                    let there = found.is_some_and(|i| i.state != ItemState::Burned);
                    demand(there, FailureCode::NotFound)?;
                }
                for wanted in &terms.wants_any {
                    let there = match &wanted.from {
                        WantedFrom::Edition(id) => find(&mut self.editions, id).is_some(),
                        WantedFrom::Collection(id) | WantedFrom::Trait { collection: id, .. } => {
                            find(&mut self.collections, id).is_some()
                        }
                    };
                    demand(there, FailureCode::NotFound)?;
                }
                let order = self.entering(terms)?;
                for part in &terms.gives.assets {
                    self.give(actor, Self::purse(&id), part.asset, part.amount.0.into())?;
                }
                for item in &terms.gives.items {
                    self.mine(actor, item)?.state = ItemState::Locked { deal: id };
                }
                let (first, last) = self.times(terms)?;
                let deal = Deal {
                    order,
                    giver: actor,
                    terms: terms.clone(),
                    state: DealState::Open,
                    bid: None,
                    drawing: terms.series().map(|_| Drawing::default()),
                    standing: None,
                };
                self.open_channel(&deal)?;
                let sales = self.sales(terms)?;
                for sale in &sales {
                    self.judge(sale, first, last)?;
                }
                self.leave_something(&sales, terms)?;
                self.deals.push((id, deal));
                Ok(())
            }
            Operation::DealTake(taking) if self.series_at(&taking.deal).is_ok() => {
                self.buy_pack(actor, taking)
            }
            Operation::DealTake(Taking {
                deal: id,
                items,
                entropy,
                secret,
            }) => {
                let place = self.open_deal(id)?;
                let Deal { giver, terms, .. } = self.deals[place].1.clone();
                let auction = matches!(terms.rule, DealRule::Auction(_));
                demand(!auction, FailureCode::WrongRule)?;
                self.no_order(&self.deals[place].1)?;
                demand(actor != giver, FailureCode::OwnDeal)?;
                let for_me = terms.taker.is_none_or(|t| t == actor);
                demand(for_me, FailureCode::NotTaker)?;
                demand(entropy.is_none(), FailureCode::WrongEntropy)?;
                let deal = self.deals[place].1.clone();
                self.deals[place].1.standing = self.opened(&deal, *secret)?;
                let wanted: u64 = terms.wants_any.iter().map(|w| w.count).sum();
                demand(items.len() as u64 == wanted, FailureCode::WrongItemCount)?;
                let sales = self.sales(&terms)?;
                for sale in &sales {
                    self.judge_taking(sale)?;
                }
                self.leave_something(&sales, &terms)?;
                for item in &terms.gives.items {
                    self.not_void(item)?;
                    if !self.bug(Bug::FrozenItemIsTaken) {
                        self.not_frozen(item)?;
                    }
                }
                for part in &terms.wants.assets {
                    let amount = part.amount.0.into();
                    match self.bug(Bug::SessionTakesDealsForNothing) {
                        true => self.pay(actor, giver, part.asset, amount)?,
                        false => self.give(actor, giver, part.asset, amount)?,
                    }
                }
                for item in &terms.wants.items {
                    match self.bug(Bug::SessionTakesDealsWithAnyItem) {
                        true => self.free(actor, item)?.owner = giver,
                        false => self.give_item(actor, giver, item)?,
                    }
                }
                let mut picks = items.iter();
                for wanted in &terms.wants_any {
                    for pick in picks.by_ref().take(wanted.count as usize) {
                        self.fits(&wanted.from, pick)?;
                        self.give_item(actor, giver, pick)?;
                    }
                }
                self.end(place, actor, DealState::Taken { by: actor });
                let [given, wanted] = sales;
                self.pay_shares(giver, &given, &terms)?;
                self.pay_shares(actor, &wanted, &terms)
            }
            Operation::DealCancel { deal: id } => {
                let place = self.series_at(id).or_else(|_| self.open_deal(id))?;
                let giver = self.deals[place].1.giver;
                let allowed = giver == actor || self.bug(Bug::AnybodyCancels);
                demand(allowed, FailureCode::NotGiver)?;
                let bid = self.deals[place].1.bid;
                if !self.bug(Bug::AuctionWithBidIsCancelled) {
                    demand(bid.is_none(), FailureCode::HasBid)?;
                }
                let drawing = self.deals[place].1.drawing.as_ref();
                let unsold = drawing.is_none_or(|d| d.packs.is_empty());
                let unsold = unsold || self.bug(Bug::SoldSeriesIsCancelled);
                demand(unsold, FailureCode::PacksSold)?;
                self.may_be_cancelled(&self.deals[place].1)?;
                if self.bug(Bug::FrozenDealIsNotCancelled) {
                    let given = self.deals[place].1.terms.gives.items.clone();
                    given.iter().try_for_each(|item| self.not_frozen(item))?;
                }
                self.end(place, giver, DealState::Cancelled);
                Ok(())
            }
            Operation::Bid { deal, amount } => self.bid(actor, deal, *amount),
            Operation::SetKeys { changes } => self.set_keys(actor, changes),
            Operation::Recover { account, owner } => self.recover(actor, *account, *owner),
            Operation::SetPolicy {
                collection,
                policy,
                roles,
            } => self.set_policy(actor, collection, policy.as_ref(), roles),
            Operation::Freeze {
                frozen,
                collections,
                editions,
                items,
            } => {
                for id in collections {
                    self.has_role(actor, id, Role::Freezer)?;
                    find(&mut self.collections, id).expect("found").frozen = *frozen;
                }
                for id in editions {
                    let collection = self.collection_of(id)?;
                    self.has_role(actor, &collection, Role::Freezer)?;
                    find(&mut self.editions, id).expect("found").frozen = *frozen;
                }
                for id in items {
                    let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
                    let edition = item.ok_or(FailureCode::NotFound)?.edition;
                    let collection = self.collection_of(&edition)?;
                    self.has_role(actor, &collection, Role::Freezer)?;
                    find(&mut self.items, id).expect("found").frozen = *frozen;
                }
                Ok(())
            }
            Operation::Redeem { item, pass } => self.redeem(actor, item, pass),
            Operation::Void { items, reason } => self.void(actor, items, reason),
            Operation::SetSale { edition, sale } => self.set_sale(actor, edition, sale.as_ref()),
            Operation::Buy(purchase) => self.buy(transaction, actor, purchase, minted),
            Operation::Reveal { deal, secret } => self.reveal(actor, deal, secret),
            Operation::PassPack { deal, pack, to } => self.pass_pack(actor, deal, *pack, *to),
            Operation::MultiParty(_) => unreachable!("flattened before"),
            Operation::ChannelClose(shown) => self.show(actor, shown, true),
            Operation::ChannelChallenge(shown) => self.show(actor, shown, false),
            Operation::VoucherOpen(terms) => self.open_pool(actor, terms),
            Operation::VoucherIssue { pool, count } => self.issue_vouchers(actor, pool, *count),
            Operation::VoucherSpend { key, .. } => self.spend_voucher(actor, key),
            Operation::PostData(certificate) => self.post_data(actor, certificate),
        }
    }

    pub fn open_deal(&self, id: &DealId) -> Result<usize, FailureCode> {
        let open = |(other, deal): &(DealId, Deal)| {
            other == id && deal.state == DealState::Open && self.ends(deal) > self.now
        };
        let place = self.deals.iter().position(open);
        place.ok_or(FailureCode::DealNotOpen)
    }

    fn fits(&mut self, from: &WantedFrom, id: &ItemId) -> Step {
        let item = find(&mut self.items, id).filter(|i| i.state != ItemState::Burned);
        let edition = item.ok_or(FailureCode::NotFound)?.edition;
        let fits = match from {
            WantedFrom::Edition(wanted) => edition == *wanted,
            WantedFrom::Collection(wanted) => self.collection_of(&edition)? == *wanted,
            WantedFrom::Trait {
                collection,
                name,
                value,
            } => {
                let any_trait = self.bug(Bug::AnyTraitFits);
                let edition = find(&mut self.editions, &edition).expect("found");
                let mut traits = edition.terms.traits.iter();
                let has = traits.any(|t| (&t.name, &t.value) == (name, value));
                edition.terms.collection == *collection && (has || any_trait)
            }
        };
        demand(fits, FailureCode::WrongItem)
    }
}
