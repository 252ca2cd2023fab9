//! From a plan's numbers to ids, chosen among what there is when the plan's turn comes: mostly such that
//! the operation applies, so that histories have some depth.

mod book;
mod channel;
mod data;

use crate::model::Model;
use crate::plan::vouchers::POOLS;
use crate::plan::{Act, KEYS, Said, Terms, USERS};
use crate::world::*;
use std::sync::LazyLock;
use weft_types::testing::{self, issuer_key, user};
use weft_types::{
    Address, Amount, AssetId, Auction, Collection, CollectionId, Commission, Deal, DealId,
    DealRule, DealState, Drawing, EditionId, Entropy, Item, ItemId, ItemState, ItemTransfer,
    KeyChange, Millis, MintEntry, NewDeal, Operation, Pack, Party, Payment, Policy, Purchase,
    RoleHolder, Roles, Royalty, Sale, Session, SessionKind, Taking, Trait, VoucherPool,
    VoucherPoolId, WantedFrom, WantedItems,
};

/// Users on the lists that there are.
const LISTS: [&[u64]; 2] = [&[0, 1, 2, 3, 4], &[1, 3]];

/// Of the pools' keys, which take long to make.
static POOL_IDS: LazyLock<Vec<VoucherPoolId>> = LazyLock::new(|| {
    let ids = (0..POOLS).map(|n| issuer_key(n).public().pool());
    ids.collect()
});

pub struct Chooser<'a> {
    pub model: &'a Model,
    pub now: u64,
}

impl Chooser<'_> {
    pub fn operations(&self, actor: Address, acts: &[Act]) -> Vec<Operation> {
        acts.iter().map(|act| self.operation(actor, act)).collect()
    }

    fn operation(&self, actor: Address, act: &Act) -> Operation {
        match act {
            Act::Pay { to, amount, twice } => {
                let payment = Payment {
                    to: user(*to),
                    asset: AssetId::NATIVE,
                    amount: Amount(*amount),
                };
                Operation::Transfer {
                    payments: vec![payment; if *twice { 2 } else { 1 }],
                    items: vec![],
                }
            }
            Act::Send { to, items } => {
                let to = user(*to);
                let items = self.items(actor, items).into_iter();
                Operation::Transfer {
                    payments: vec![],
                    items: items.map(|item| ItemTransfer { to, item }).collect(),
                }
            }
            Act::Collection { cap } => create_collection(*cap),
            Act::Edition { of, cap } => {
                let mut edition = new_edition(self.collection(actor, *of), *cap);
                edition.traits.push(rarity(*cap));
                edition.uses = (*cap % 3) as u32;
                Operation::CreateEdition(edition)
            }
            Act::Mint { entries } => {
                let entries = entries.iter().map(|(edition, to, count)| MintEntry {
                    edition: self.edition(actor, *edition),
                    to: user(*to),
                    count: *count,
                });
                Operation::Mint {
                    entries: entries.collect(),
                }
            }
            Act::Update { item, text } => {
                let item = match text % 4 {
                    0 => self.item(actor, *item),
                    _ => self.created_item(actor, *item),
                };
                update(item, &text.to_string())
            }
            Act::Burn { items } => burn(&self.items(actor, items)),
            Act::Withdraw { kind, amount, item } => {
                let gives = match kind % 8 {
                    0 => AssetId([9; 32]),
                    1..3 => AssetId::erc20(COINS),
                    3..6 => return withdraw(cards(&[self.bridged_item(actor, *item)])),
                    _ => AssetId::NATIVE,
                };
                withdraw(weft_types::Bundle {
                    assets: vec![weft_types::AssetAmount {
                        asset: gives,
                        amount: Amount(*amount),
                    }],
                    items: vec![],
                })
            }
            Act::Exit { address, cards } => {
                let cards: Vec<ItemId> = cards.iter().map(|n| self.card(actor, *n)).collect();
                // One in four is a contract of the network.
                let address = match address {
                    0 => CONTRACTS[1].0[0],
                    other => *other,
                };
                exit_address(address, &cards)
            }
            Act::Keys { changes } => {
                let changes: Vec<_> = changes
                    .iter()
                    .map(|said| self.change(actor, said))
                    .collect();
                set_keys(&changes)
            }
            Act::Recover { of, owner } => recover(self.guarded(actor, *of), *owner),
            Act::Policy {
                of,
                kind,
                figure,
                roles,
            } => self.policy(actor, *of, (*kind, *figure), roles),
            Act::Freeze { frozen, kind, of } => {
                let (mut collections, mut editions, mut items) = (vec![], vec![], vec![]);
                for n in of {
                    match kind % 8 {
                        0 => collections.push(self.collection(actor, *n)),
                        1 => editions.push(self.edition(actor, *n)),
                        2..5 => items.push(self.given_item(actor, *n)),
                        _ => items.push(self.created_item(actor, *n)),
                    }
                }
                Operation::Freeze {
                    frozen: *frozen,
                    collections,
                    editions,
                    items,
                }
            }
            Act::Redeem {
                item,
                signs,
                when,
                gate,
            } => self.redeem(actor, (*item, *signs), *when, *gate),
            Act::Void { items, text } => {
                let items = items.iter().map(|n| self.created_item(actor, *n));
                void(&items.collect::<Vec<_>>(), &text.to_string())
            }
            Act::Sale { of, kind, figure } => self.sale(actor, *of, *kind, *figure),
            Act::Buy { of, count, kind } => self.buy(actor, *of, *count, *kind),
            Act::Open(terms) => Operation::DealOpen(self.terms(actor, terms)),
            Act::Take {
                deal,
                picks,
                fitting,
                secret,
            } => {
                let deal = self.deal(*deal, |d| self.could_take(actor, d));
                // What fits but for the trait, or what does not fit at all.
                let loose = !fitting && picks.len().is_multiple_of(2);
                let mut fill = self.fitting(actor, deal, loose);
                if !fitting && !loose {
                    match (fill.first_mut(), picks.first()) {
                        (Some(first), Some(n)) => *first = self.item(actor, *n),
                        _ => fill = self.items(actor, picks),
                    }
                }
                Operation::DealTake(Taking {
                    secret: self.secret_of(deal, *secret),
                    ..Taking::new(deal, fill)
                })
            }
            Act::Cancel { deal } => {
                let mine = |d: &Deal| d.giver == actor && d.terms.rule.is_fixed();
                cancel(self.deal(*deal, mine))
            }
            Act::Bid { deal, more } => {
                let auction = |d: &Deal| d.giver != actor && d.auction().is_some();
                let deal = self.deal(*deal, auction);
                let mut deals = self.model.deals.iter();
                let found = deals.find(|(id, _)| *id == deal);
                let least = found.and_then(|(_, d)| d.least_bid()).unwrap_or(5);
                let amount = u64::try_from(least).unwrap_or(u64::MAX);
                bid(deal, amount.saturating_add_signed(*more).max(1))
            }
            Act::Series { .. } => Operation::DealOpen(self.series(actor, act)),
            Act::BuyPack {
                deal,
                entropy,
                fitting,
            } => self.buy_pack(actor, *deal, *entropy, *fitting),
            Act::PassPack { deal, pack, to } => {
                let mine = |p: &Pack| p.holder == actor;
                let sealed = |d: &Drawing| d.closing.is_none() && !d.packs.is_empty();
                let holds = |d: &Drawing| sealed(d) && (*pack == 0 || d.packs.iter().any(mine));
                let deal = self.drawing(*deal, |_, d| holds(d));
                let packs = self.packs(deal);
                let place = packs.iter().position(mine);
                let pack = place.filter(|_| *pack > 0).map_or(*pack, |p| p as u32);
                pass(deal, pack, *to)
            }
            Act::Reveal { deal, right } => {
                let deal = self.drawing(*deal, |_, d| d.lot.is_some());
                let known = self.model.deals.iter().find(|(id, _)| *id == deal);
                let giver = known.filter(|_| *right).map_or(actor, |(_, d)| d.giver);
                reveal(deal, secret(giver))
            }
            Act::Pool {
                n,
                worth,
                coins,
                lasts,
            } => {
                let asset = match coins {
                    true => AssetId::erc20(COINS),
                    false => AssetId::NATIVE,
                };
                let ends = self.now.saturating_add_signed(*lasts);
                open_pool(actor, *n, (asset, *worth), ends)
            }
            Act::Cover { pool, count } => {
                let pools = self.model.pools.iter();
                let open = |p: &VoucherPool| p.issuer == actor && p.ends.0 > self.now;
                let own = pools.clone().filter(|(_, p)| open(p));
                let own: Vec<_> = own.map(|(id, _)| *id).collect();
                let all: Vec<_> = pools.map(|(id, _)| *id).collect();
                Operation::VoucherIssue {
                    pool: choose(*pool, &own, &all, VoucherPoolId([1; 32])),
                    count: *count,
                }
            }
            Act::Spend { pool } => spend(actor, self.pool_key(actor, *pool)),
            Act::Post(post) => self.post(post),
            Act::Together { parties } => {
                let parties = parties.iter().map(|(i, acts)| Party {
                    account: user(*i),
                    operations: self.operations(user(*i), acts),
                });
                Operation::MultiParty(parties.collect())
            }
            Act::Enter(order) => self.entered(actor, order),
            Act::CancelOrder { deal } => self.cancelled_order(actor, *deal),
            Act::Channel(channel) => self.channel(actor, channel),
            Act::Show(shown, channel) => {
                match self.is_party(actor) || shown.wrong.is_multiple_of(16) {
                    true => self.showing(actor, shown),
                    false => self.channel(actor, channel),
                }
            }
        }
    }

    /// Mostly of a pool that would pay.
    fn pool_key(&self, actor: Address, n: u16) -> u64 {
        let number = |id: &VoucherPoolId| {
            let place = POOL_IDS.iter().position(|known| known == id);
            place.map(|n| n as u64)
        };
        let pays = |(id, pool): &&(VoucherPoolId, VoucherPool)| {
            let covered = pool.spent < pool.issued && pool.ends.0 > self.now;
            covered && !self.model.spent.contains(&(*id, actor))
        };
        let good = self.model.pools.iter().filter(pays);
        let good: Vec<u64> = good.filter_map(|(id, _)| number(id)).collect();
        let all = self.model.pools.iter();
        let all: Vec<u64> = all.filter_map(|(id, _)| number(id)).collect();
        choose(n, &good, &all, 99)
    }

    fn change(&self, actor: Address, said: &Said) -> KeyChange {
        let keys = self.model.keys_of(actor);
        let lasts = Millis(self.now.saturating_add_signed(said.lasts));
        match said.kind % 16 {
            0 => owner(said.key),
            1..6 => guardian(said.key % USERS, said.lasts.max(1) as u64),
            6 => KeyChange::NoGuardian,
            7..14 => {
                let kinds: Vec<_> = SessionKind::ALL.to_vec();
                let kinds = kinds.into_iter().enumerate();
                let kinds = kinds.filter(|(n, _)| said.kinds >> n & 1 == 1);
                let kinds: Vec<_> = kinds.map(|(_, kind)| kind).collect();
                let all = &self.model.collections;
                let listed = said.collections.iter().filter(|_| !all.is_empty());
                let listed = listed.map(|n| all[usize::from(*n) % all.len()].0);
                let mut listed: Vec<CollectionId> = listed.collect();
                listed.sort_unstable();
                listed.dedup();
                KeyChange::Session(Session {
                    expires: lasts,
                    ..session(said.key, &kinds, &listed, said.limit)
                })
            }
            14 => KeyChange::EndSession {
                key: keys.sessions.first().map_or(user(said.key), |s| s.key),
            },
            _ => KeyChange::RefuseRecovery,
        }
    }

    /// Mostly one that the actor guards.
    fn guarded(&self, actor: Address, n: u16) -> u64 {
        let guarded = (0..USERS).filter(|account| {
            let guardian = self.model.keys_of(user(*account)).guardian;
            guardian.is_some_and(|g| g.account == actor)
        });
        let guarded: Vec<u64> = guarded.collect();
        let all: Vec<u64> = (0..USERS).collect();
        choose(n, &guarded, &all, 99)
    }

    /// Mostly a key that has some say, by its number.
    pub fn key(&self, account: Address, n: u16) -> u64 {
        let keys = self.model.keys_of(account);
        let number = |key: &Address| (0..KEYS).find(|i| user(*i) == *key);
        let owner = number(&keys.owner.unwrap_or(account)).unwrap_or_default();
        let sessions: Vec<u64> = keys
            .sessions
            .iter()
            .filter_map(|s| number(&s.key))
            .collect();
        match n % 8 {
            0..4 => owner,
            4..7 if !sessions.is_empty() => sessions[usize::from(n / 8) % sessions.len()],
            7 if n % 64 == 7 => u64::from(n / 64) % KEYS,
            _ => owner,
        }
    }

    fn terms(&self, actor: Address, terms: &Terms) -> NewDeal {
        let assets = |amounts: &[u64]| amounts.iter().flat_map(|a| assets(*a).assets).collect();
        let (gives, wants) = (&terms.gives, &terms.wants);
        let owner = user(u64::from(wants.1.first().map_or(0, |n| n % 5)));
        let wants_any = terms.any.iter().map(|(edition, n, count)| WantedItems {
            from: match (edition, self.model.collections.first()) {
                (false, Some((id, _))) if n % 2 == 0 => WantedFrom::Collection(*id),
                (false, Some((id, _))) => {
                    let Trait { name, value } = rarity(u64::from(n / 2));
                    WantedFrom::Trait {
                        collection: *id,
                        name,
                        value,
                    }
                }
                _ => WantedFrom::Edition(self.edition(user(0), *n)),
            },
            count: *count,
        });
        let given = self.items(actor, &gives.1);
        let commission = terms.commission.map(|(to, parts)| Commission {
            to: user(to),
            parts,
        });
        let expires = Millis(self.now.saturating_add_signed(terms.lasts));
        if let Some((raise, extend, after)) = terms.auction {
            let sold = match given.is_empty() {
                true => vec![self.item(actor, wants.1.first().copied().unwrap_or_default())],
                false => given,
            };
            let rule = DealRule::Auction(Auction {
                raise,
                extend: Millis(extend),
                last: Millis(expires.0 + after),
            });
            return NewDeal {
                gives: cards(&sold),
                wants: crate::world::assets(wants.0.first().copied().unwrap_or(5)),
                expires,
                commission,
                rule,
                ..NewDeal::default()
            };
        }
        // A deal gives something.
        let paid = match given.is_empty() && gives.0.is_empty() {
            true => assets(&[1]),
            false => assets(&gives.0),
        };
        NewDeal {
            gives: weft_types::Bundle {
                assets: paid,
                items: given,
            },
            wants: weft_types::Bundle {
                assets: assets(&wants.0),
                items: self.items(owner, &wants.1),
            },
            wants_any: wants_any.collect(),
            taker: terms.taker.map(user),
            expires,
            commission,
            rule: channel::locked(terms),
            ..NewDeal::default()
        }
    }

    /// Mostly one of the actor's.
    fn collection(&self, actor: Address, n: u16) -> CollectionId {
        let collections = &self.model.collections;
        let own = collections.iter().filter(|(_, c)| c.creator == actor);
        let own: Vec<_> = own.map(|(id, _)| *id).collect();
        let all: Vec<_> = collections.iter().map(|(id, _)| *id).collect();
        choose(n, &own, &all, CollectionId([1; 32]))
    }

    /// One part changed, mostly such that the policy is tighter, and some roles.
    fn policy(
        &self,
        actor: Address,
        n: u16,
        (kind, figure): (u8, u64),
        roles: &[(u64, u32)],
    ) -> Operation {
        let collection = self.collection(actor, n);
        let mut all = self.model.collections.iter();
        let found = all.find(|(id, _)| *id == collection);
        let mut policy = found.map_or(Policy::default(), |(_, c)| c.policy);
        match kind % 16 {
            0 => {
                policy.royalty = Some(Royalty {
                    to: user(figure % USERS),
                    parts: figure as u32 * 20 + 1,
                });
            }
            1..3 => policy.floor_price = Amount(policy.floor_price.0 + figure / 8),
            3..5 => policy.cap_price = Amount(figure / 4),
            5..7 => policy.locked_until = Millis(self.now + figure * 5),
            // Soon, if there is a draw to be stopped by it.
            7 => {
                let closed = |d: &Deal| d.drawing.as_ref().is_some_and(|d| d.closing.is_some());
                let mut deals = self.model.deals.iter();
                let drawn = deals.any(|(_, d)| d.state == DealState::Open && closed(d));
                policy.cut_off = Millis(self.now + if drawn { 1 } else { figure * 50 });
            }
            8 => policy.personal = figure < 150,
            9 => policy = Policy::default(),
            10 => policy.royalty = None,
            _ => {}
        }
        let roles = roles.iter().map(|(account, bits)| RoleHolder {
            account: user(*account),
            roles: Roles::from_bits(*bits).expect("three roles"),
        });
        let roles: Vec<RoleHolder> = roles.collect();
        let policy = (kind % 16 < 11 || roles.is_empty()).then_some(policy);
        Operation::SetPolicy {
            collection,
            policy,
            roles,
        }
    }

    /// Of the actor's making, or with some role of its.
    fn created(&self, actor: Address, collection: &CollectionId) -> bool {
        let mut all = self.model.collections.iter();
        let has = |c: &Collection| c.roles.iter().any(|h| h.account == actor);
        all.any(|(id, c)| id == collection && (c.creator == actor || has(c)))
    }

    fn edition(&self, actor: Address, n: u16) -> EditionId {
        let editions = &self.model.editions;
        let own = editions.iter();
        let own = own.filter(|(_, e)| self.created(actor, &e.terms.collection));
        let own: Vec<_> = own.map(|(id, _)| *id).collect();
        let all: Vec<_> = editions.iter().map(|(id, _)| *id).collect();
        choose(n, &own, &all, EditionId([1; 32]))
    }

    /// An item of an edition that the actor created, whoever has it.
    fn created_item(&self, actor: Address, n: u16) -> ItemId {
        let edition = self.edition(actor, n);
        let items = self.model.items.iter();
        let items: Vec<_> = items.filter(|(_, i)| i.edition == edition).collect();
        let item = items.get(usize::from(n) % items.len().max(1));
        item.map_or(ItemId([1; 32]), |(id, _)| *id)
    }

    /// Mostly one of the actor's making that an open deal gives.
    fn given_item(&self, actor: Address, n: u16) -> ItemId {
        let made = |item: &Item| {
            let mut editions = self.model.editions.iter();
            let of = editions.find(|(id, _)| *id == item.edition);
            of.is_some_and(|(_, edition)| self.created(actor, &edition.terms.collection))
        };
        let items = self.model.items.iter();
        let given = items.filter(|(_, i)| i.state != ItemState::Held && made(i));
        let given: Vec<_> = given.map(|(id, _)| *id).collect();
        match given.len() {
            0 => self.created_item(actor, n),
            len => given[usize::from(n) % len],
        }
    }

    /// Mostly of who holds it, for an item where the actor has a role.
    fn redeem(
        &self,
        actor: Address,
        (item, signs): (u16, u16),
        when: i64,
        gate: Option<u64>,
    ) -> Operation {
        let editions = self.model.editions.iter();
        let mine = |edition: &EditionId| {
            let mut editions = editions.clone();
            let found = editions.find(|(id, _)| id == edition);
            found.is_some_and(|(_, e)| e.terms.uses > 0 && self.created(actor, &e.terms.collection))
        };
        let items = self.model.items.iter();
        let there = items.filter(|(_, i)| i.state != ItemState::Burned && mine(&i.edition));
        let again = there.clone().filter(|(_, i)| i.used > 0);
        let again: Vec<_> = again.map(|(id, _)| *id).collect();
        let there: Vec<_> = match item.is_multiple_of(3) && !again.is_empty() {
            true => again,
            false => there.map(|(id, _)| *id).collect(),
        };
        let all: Vec<_> = self.model.items.iter().map(|(id, _)| *id).collect();
        let item = choose(item / 3, &there, &all, ItemId([1; 32]));
        let mut items = self.model.items.iter();
        let owner = items.find(|(id, _)| *id == item).map(|(_, i)| i.owner);
        let key = self.key(owner.unwrap_or(actor), signs);
        // Histories begin with the first slot, which is none.
        let slot = self.now.saturating_add_signed(when) / 15_000;
        redeem(item, testing::pass(key, item, slot.max(1), gate.map(user)))
    }

    fn sale(&self, actor: Address, of: u16, kind: u8, figure: u64) -> Operation {
        let edition = self.edition(actor, of);
        let lists = LISTS.map(|users| testing::allow_list(&edition, users).0);
        let sale = Sale {
            price: Amount(figure % 90),
            from: Millis(self.now + if kind.is_multiple_of(8) { 900 } else { 0 }),
            until: Millis(match kind % 4 {
                3 => self.now + figure * 20,
                _ => 0,
            }),
            by_permit: kind % 8 == 5,
            list: (kind % 8 > 5).then(|| lists[usize::from(kind / 8) % 2]),
        };
        let sale = (kind % 16 != 15).then_some(sale);
        Operation::SetSale { edition, sale }
    }

    /// Mostly of an edition that is for sale, for its price.
    fn buy(&self, actor: Address, of: u16, count: u64, kind: u8) -> Operation {
        let editions = self.model.editions.iter();
        let sold = editions.clone().filter(|(_, e)| e.sale.is_some());
        let listed = sold
            .clone()
            .filter(|(_, e)| e.sale.as_ref().is_some_and(|s| s.list.is_some()));
        let listed: Vec<_> = listed.map(|(id, _)| *id).collect();
        let sold: Vec<_> = match of.is_multiple_of(3) && !listed.is_empty() {
            true => listed,
            false => sold.map(|(id, _)| *id).collect(),
        };
        let all: Vec<_> = editions.map(|(id, _)| *id).collect();
        let edition = choose(of / 3, &sold, &all, EditionId([1; 32]));
        let mut editions = self.model.editions.iter();
        let sale = editions.find(|(id, _)| *id == edition);
        let sale = sale.and_then(|(_, e)| e.sale.as_ref());
        let price = sale.map_or(Amount(9), |s| s.price);
        let lists = LISTS.map(|users| (users, testing::allow_list(&edition, users)));
        let mut lists = lists.iter();
        let found = lists.find(|(_, (list, _))| sale.and_then(|s| s.list) == Some(*list));
        let listed = found.and_then(|(users, (_, entries))| {
            let place = users.iter().position(|i| user(*i) == actor)?;
            Some(testing::list_place(entries, place as u32))
        });
        Operation::Buy(Purchase {
            edition,
            count,
            price: Amount(price.0 + u64::from(kind.is_multiple_of(16))),
            listed,
        })
    }

    fn item(&self, actor: Address, n: u16) -> ItemId {
        let free = |i: &Item| i.owner == actor && i.state == ItemState::Held;
        let own = self.model.items.iter().filter(|(_, i)| free(i));
        let own: Vec<_> = own.map(|(id, _)| *id).collect();
        let all: Vec<_> = self.model.items.iter().map(|(id, _)| *id).collect();
        choose(n, &own, &all, ItemId([1; 32]))
    }

    /// Mostly one that came over the bridge.
    fn bridged_item(&self, actor: Address, n: u16) -> ItemId {
        let items = self.model.items.iter();
        let came = |edition: &EditionId| {
            let (token, number) = (CARDS, card_number(u64::from(n % 3)));
            *edition == EditionId::erc721(token, &number)
        };
        let mut own = items.filter(|(_, i)| i.owner == actor && came(&i.edition));
        own.next_back()
            .map_or_else(|| self.item(actor, n), |(id, _)| *id)
    }

    /// One that came over the bridge, if the actor has one.
    fn card(&self, actor: Address, n: u16) -> ItemId {
        let numbers = (0..3).map(|n| EditionId::erc721(CARDS, &card_number(n)));
        let editions: Vec<EditionId> = numbers.collect();
        let own = self.model.items.iter();
        let mut own = own.filter(|(_, i)| i.owner == actor && editions.contains(&i.edition));
        own.next_back()
            .map_or_else(|| self.item(actor, n), |(id, _)| *id)
    }

    fn items(&self, actor: Address, choices: &[u16]) -> Vec<ItemId> {
        choices.iter().map(|n| self.item(actor, *n)).collect()
    }

    /// Of items that the actor holds, as far as there are enough.
    fn series(&self, actor: Address, act: &Act) -> NewDeal {
        let Act::Series {
            items,
            packs,
            price,
            bond,
            lasts,
            reveal,
            taker,
        } = act
        else {
            panic!("a series");
        };
        let free = |i: &Item| i.owner == actor && i.state == ItemState::Held;
        let own = self.model.items.iter().filter(|(_, i)| free(i));
        let own: Vec<ItemId> = own.map(|(id, _)| *id).collect();
        let packs = *packs.min(&(own.len() as u32).max(1));
        let each = usize::from(*items).min(own.len() / packs as usize).max(1);
        let mut own = own.into_iter();
        let contents = (0..each * packs as usize).map(|_| own.next().unwrap_or(ItemId([1; 32])));
        let contents: Vec<ItemId> = contents.collect();
        NewDeal {
            taker: taker.map(user),
            expires: Millis(self.now.saturating_add_signed(*lasts)),
            ..series(actor, (&contents, packs), (*price, *bond), *reveal)
        }
    }

    fn buy_pack(&self, actor: Address, deal: u16, entropy: u8, fitting: u8) -> Operation {
        let others = |d: &Deal| d.giver != actor && d.terms.taker.is_none_or(|t| t == actor);
        let deal = match fitting % 16 {
            0 => self.deal(deal, |d| d.terms.series().is_none()),
            _ => self.drawing(deal, |d, drawing| others(d) && drawing.closing.is_none()),
        };
        match fitting {
            16..24 => take(deal, &[]),
            24..32 => {
                let items = vec![self.item(actor, 0)];
                let entropy = Some(Entropy([entropy; 32]));
                Operation::DealTake(Taking {
                    entropy,
                    ..Taking::new(deal, items)
                })
            }
            _ => buy(deal, entropy),
        }
    }

    /// Mostly a series, most often one that fits.
    fn drawing(&self, n: u16, likely: impl Fn(&Deal, &Drawing) -> bool) -> DealId {
        let fits = |d: &Deal| d.drawing.as_ref().is_some_and(|drawing| likely(d, drawing));
        let any = |d: &Deal| d.state == DealState::Open && fits(d);
        match self.model.deals.iter().any(|(_, d)| any(d)) {
            true => self.deal(n, fits),
            false => self.deal(n, |d| d.drawing.is_some()),
        }
    }

    fn packs(&self, deal: DealId) -> Vec<Pack> {
        let found = self.model.deals.iter().find(|(id, _)| *id == deal);
        let drawing = found.and_then(|(_, d)| d.drawing.as_ref());
        drawing.map_or(vec![], |d| d.packs.clone())
    }

    fn deal(&self, n: u16, likely: impl Fn(&Deal) -> bool) -> DealId {
        let open = |d: &Deal| d.state == DealState::Open && likely(d);
        let good = self.model.deals.iter().filter(|(_, d)| open(d));
        let good: Vec<_> = good.map(|(id, _)| *id).collect();
        let all: Vec<_> = self.model.deals.iter().map(|(id, _)| *id).collect();
        choose(n, &good, &all, DealId([1; 32]))
    }

    fn could_take(&self, actor: Address, deal: &Deal) -> bool {
        let mine = |id: &ItemId| {
            let mut items = self.model.items.iter();
            items.any(|(i, item)| i == id && item.owner == actor && item.state == ItemState::Held)
        };
        deal.giver != actor
            && deal.terms.rule.is_fixed()
            && deal.terms.channel().is_none()
            && deal.terms.taker.is_none_or(|t| t == actor)
            && deal.terms.wants.items.iter().all(mine)
    }

    /// Items of the actor that fill what a deal wants, as far as there are any.
    fn fitting(&self, actor: Address, deal: DealId, loose: bool) -> Vec<ItemId> {
        let Some((_, deal)) = self.model.deals.iter().find(|(id, _)| *id == deal) else {
            return vec![];
        };
        let mut picks: Vec<ItemId> = vec![];
        for wanted in &deal.terms.wants_any {
            let fits = |item: &Item| match &wanted.from {
                WantedFrom::Edition(edition) => item.edition == *edition,
                WantedFrom::Collection(of) | WantedFrom::Trait { collection: of, .. } => {
                    let mut editions = self.model.editions.iter();
                    editions.any(|(id, e)| {
                        let fits = match &wanted.from {
                            WantedFrom::Trait { name, value, .. } => {
                                loose || e.terms.has_trait(name, value)
                            }
                            _ => true,
                        };
                        *id == item.edition && e.terms.collection == *of && fits
                    })
                }
            };
            let free = self.model.items.iter().filter(|(id, item)| {
                item.owner == actor
                    && item.state == ItemState::Held
                    && !picks.contains(id)
                    && fits(item)
            });
            let chosen: Vec<ItemId> = free
                .map(|(id, _)| *id)
                .take(wanted.count as usize)
                .collect();
            picks.extend(chosen);
        }
        picks
    }
}

/// Of a new edition, by a number.
fn rarity(n: u64) -> Trait {
    let value = ["common", "rare"][usize::from(n % 2 == 1)];
    Trait {
        name: "rarity".to_owned(),
        value: value.to_owned(),
    }
}

/// Mostly one of the good ones, sometimes any, rarely one that does not exist.
fn choose<T: Copy>(n: u16, good: &[T], all: &[T], none: T) -> T {
    let (kind, n) = (n % 16, usize::from(n / 16));
    let list = if kind < 13 && !good.is_empty() {
        good
    } else {
        all
    };
    match list.len() {
        0 => none,
        _ if kind == 15 => none,
        len => list[n % len],
    }
}
