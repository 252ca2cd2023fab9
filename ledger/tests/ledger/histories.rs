//! Random histories against the plain model: every receipt, every refusal, every object and the root
//! over all of them are compared, and what must always hold is looked at in the ledger's own objects.
//! `WEFT_LEDGER_TRANSACTIONS` asks for more than the ten thousand of an ordinary run.

use crate::model::{Bug, Model, Verdict};
use crate::world::*;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_ledger::{Applied, Change, Ledger};
use weft_types::testing::{user, user_key};
use weft_types::{
    Address, Amount, AssetId, CollectionId, Deal, DealId, DealState, EditionId, FailureCode, Item,
    ItemId, ItemState, ItemTransfer, Millis, MintEntry, NewDeal, Object, ObjectId, Operation,
    Party, Payment, Receipt, Root, Transaction, Verified, WantedFrom, WantedItems, empty_hash,
    key_bit, leaf_hash, node_hash, value_hash,
};

/// The last one holds nothing at first.
const USERS: u64 = 5;
const TRANSACTIONS_PER_CASE: u32 = 40;

/// One transaction, right in form, with numbers that choose among what there is when its turn comes.
#[derive(Debug, Clone)]
struct Plan {
    sender: u64,
    sponsor: Option<u64>,
    operations: Vec<Act>,
    /// Milliseconds from the commit's time; negative is expired.
    validity: i64,
    max_fee: u64,
    /// Order an earlier transaction instead.
    again: Option<u16>,
    /// Close the commit after it, this much later than the last one.
    commit: Option<u64>,
    /// Close a height, and start anew from what a store would hold.
    restart: bool,
}

#[derive(Debug, Clone)]
enum Act {
    Pay {
        to: u64,
        amount: u64,
        twice: bool,
    },
    Send {
        to: u64,
        items: Vec<u16>,
    },
    Collection {
        cap: u64,
    },
    Edition {
        of: u16,
        cap: u64,
    },
    Mint {
        entries: Vec<(u16, u64, u64)>,
    },
    Update {
        item: u16,
        text: u8,
    },
    Burn {
        items: Vec<u16>,
    },
    Open(Terms),
    Take {
        deal: u16,
        picks: Vec<u16>,
        fitting: bool,
    },
    Cancel {
        deal: u16,
    },
    Together {
        parties: Vec<(u64, Vec<Act>)>,
    },
}

#[derive(Debug, Clone)]
struct Terms {
    gives: (Vec<u64>, Vec<u16>),
    wants: (Vec<u64>, Vec<u16>),
    any: Vec<(bool, u16, u64)>,
    taker: Option<u64>,
    lasts: i64,
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![
        20 => 1..300u64,
        1 => 1..2_000_000u64,
        1 => prop::sample::select(vec![1, u64::MAX]),
    ]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![
        12 => 1..6u64,
        1 => prop::sample::select(vec![200, 257, u64::MAX]),
    ]
}

fn up_to<T: std::fmt::Debug>(
    most: usize,
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(one, 0..=most)
}

fn one_to<T: std::fmt::Debug>(
    most: usize,
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(one, 1..=most)
}

fn terms() -> impl Strategy<Value = Terms> {
    let gives = (one_to(2, amount()), up_to(2, any::<u16>()));
    let wants = (up_to(2, amount()), up_to(2, any::<u16>()));
    let count = prop_oneof![12 => 1..3u64, 1 => count()];
    let wanted = (any::<bool>(), any::<u16>(), count);
    let lasts = prop_oneof![1 => -5..=0i64, 6 => 1..3_000i64, 12 => 3_000..200_000i64];
    let taker = prop::option::weighted(0.2, 0..USERS);
    (gives, wants, up_to(1, wanted), taker, lasts).prop_map(|(gives, wants, any, taker, lasts)| {
        Terms {
            gives,
            wants,
            any,
            taker,
            lasts,
        }
    })
}

fn act() -> impl Strategy<Value = Act> {
    let entry = (any::<u16>(), 0..USERS, count());
    prop_oneof![
        3 => (0..USERS, amount(), any::<bool>())
            .prop_map(|(to, amount, twice)| Act::Pay { to, amount, twice }),
        3 => (0..USERS, one_to(3, any::<u16>())).prop_map(|(to, items)| Act::Send { to, items }),
        1 => prop::sample::select(vec![0, 3, 20]).prop_map(|cap| Act::Collection { cap }),
        2 => (any::<u16>(), count()).prop_map(|(of, cap)| Act::Edition { of, cap }),
        4 => one_to(3, entry).prop_map(|entries| Act::Mint { entries }),
        2 => (any::<u16>(), any::<u8>()).prop_map(|(item, text)| Act::Update { item, text }),
        1 => one_to(2, any::<u16>()).prop_map(|items| Act::Burn { items }),
        8 => terms().prop_map(Act::Open),
        8 => (any::<u16>(), up_to(3, any::<u16>()), prop::bool::weighted(0.8))
            .prop_map(|(deal, picks, fitting)| Act::Take { deal, picks, fitting }),
        2 => any::<u16>().prop_map(|deal| Act::Cancel { deal }),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let party = (0..USERS, one_to(2, act()));
    let parties = one_to(2, party);
    let one = prop_oneof![
        12 => act(),
        1 => parties.prop_map(|parties| Act::Together { parties }),
    ];
    prop_oneof![
        3 => one.prop_map(|act| vec![act]),
        1 => one_to(3, act()),
    ]
}

/// Everybody starts with some items of the first user's.
fn prelude() -> [Plan; 6] {
    let entries = (0..USERS).flat_map(|to| [(0, to, 2), (16, to, 1)]);
    let editions = vec![
        Act::Edition { of: 0, cap: 20 },
        Act::Edition { of: 0, cap: 9 },
    ];
    let acts = [
        (0, vec![Act::Collection { cap: 0 }]),
        (1, vec![Act::Collection { cap: 30 }]),
        (2, vec![Act::Collection { cap: 0 }]),
        (3, vec![Act::Collection { cap: 5 }]),
        (0, editions),
        (
            0,
            vec![Act::Mint {
                entries: entries.collect(),
            }],
        ),
    ];
    acts.map(|(sender, operations)| Plan {
        sender,
        sponsor: None,
        operations,
        validity: 60_000,
        max_fee: 100_000,
        again: None,
        commit: Some(1),
        restart: false,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let validity = prop_oneof![30 => 0..60_000i64, 1 => -2..2i64, 1 => 599_999..=600_001i64];
    let max_fee = prop_oneof![12 => Just(100_000u64), 1 => 200..500u64, 1 => Just(u64::MAX)];
    let later = prop_oneof![40 => 0..500u64, 5 => 500..5_000u64, 1 => 5_000..100_000u64];
    let sender = prop_oneof![15 => 0..USERS - 1, 1 => Just(USERS - 1)];
    (
        sender,
        prop::option::weighted(0.1, 0..USERS),
        acts(),
        validity,
        max_fee,
        prop::option::weighted(0.1, any::<u16>()),
        prop::option::weighted(0.5, later),
        prop::bool::weighted(0.05),
    )
        .prop_map(
            |(sender, sponsor, operations, validity, max_fee, again, commit, restart)| Plan {
                sender,
                sponsor,
                operations,
                validity,
                max_fee,
                again,
                commit,
                restart,
            },
        )
}

/// The ledger beside its model, and what a store would hold.
struct Pair {
    world: World,
    model: Model,
    store: BTreeMap<ObjectId, Bytes>,
    receipts: Vec<Receipt>,
    ordered: Vec<Arc<Verified<Transaction>>>,
    waiting: Vec<Arc<Verified<Transaction>>>,
    supply: u128,
    seen: Seen,
}

/// How often each verdict came, and each kind of operation in a transaction that was applied.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn note(&mut self, transaction: &Transaction, verdict: Verdict) {
        match verdict {
            Verdict::Refused(name) => self.count(name),
            Verdict::Failed { code, .. } => self.count(code.name()),
            Verdict::Applied => {
                for operation in &transaction.body().operations {
                    let json = format!("{operation:?}");
                    self.count(json.split([' ', '(']).next().unwrap_or_default());
                }
            }
        }
    }
}

type Check = Result<(), TestCaseError>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ledger: T, model: T) -> Check {
    prop_assert!(
        ledger == model,
        "{what}: ledger {ledger:?}, model {model:?}"
    );
    Ok(())
}

impl Pair {
    fn new(bug: Option<Bug>) -> Self {
        let mut template = template();
        template.accounts.truncate(USERS as usize - 1);
        let (ledger, changes) = Ledger::genesis(&template).unwrap();
        let mut pair = Self {
            world: World::of(&template),
            model: Model::new(&template, bug),
            store: BTreeMap::new(),
            receipts: vec![],
            ordered: vec![],
            waiting: vec![],
            supply: template
                .accounts
                .iter()
                .map(|a| u128::from(a.balance.0))
                .sum(),
            seen: Seen::default(),
        };
        pair.world.ledger = ledger;
        pair.keep(&changes);
        pair
    }

    fn keep(&mut self, changes: &[Change]) {
        for change in changes {
            match &change.after {
                Some(object) => self.store.insert(change.id, object.encode()),
                None => self.store.remove(&change.id),
            };
        }
    }

    fn run(&mut self, plans: &[Plan]) -> Check {
        for plan in prelude().iter().chain(plans) {
            let transaction = self.transaction(plan);
            self.waiting.push(transaction);
            if let Some(later) = plan.commit {
                self.commit(later)?;
            }
            if plan.restart {
                self.commit(0)?;
                self.restart()?;
            }
        }
        self.commit(300_000)?;
        self.compare_root()
    }

    fn compare_root(&mut self) -> Check {
        let root = self.world.ledger.close_height().state_root;
        same("root", root, naive_root(&self.store))
    }

    fn transaction(&mut self, plan: &Plan) -> Arc<Verified<Transaction>> {
        let known: Vec<_> = self.ordered.iter().chain(&self.waiting).collect();
        if let (Some(n), false) = (plan.again, known.is_empty()) {
            return known[usize::from(n) % known.len()].clone();
        }
        let operations = self.operations(user(plan.sender), &plan.operations);
        let mut body = self.world.body(plan.sender, operations);
        body.max_fee = Amount(plan.max_fee);
        body.sponsor = plan.sponsor.map(user);
        body.valid_until = Millis(self.world.now.saturating_add_signed(plan.validity));
        let keys = (0..USERS).map(|i| (user(i), user_key(i)));
        let keys: Vec<_> = keys.filter(|(a, _)| body.parties().contains(a)).collect();
        let signed = body.sign(&keys.iter().map(|(_, key)| key).collect::<Vec<_>>());
        verified(Transaction::decode(signed.encoded().clone()).expect("right in form"))
    }

    fn commit(&mut self, later: u64) -> Check {
        self.world.now += later;
        let transactions = std::mem::take(&mut self.waiting);
        let applied = self.world.commit(&transactions);
        self.keep(&applied.changes);
        self.receipts.extend(applied.receipts.iter().cloned());
        self.compare(&transactions, &applied)?;
        self.ordered.extend(transactions);
        Ok(())
    }

    fn compare(&mut self, transactions: &[Arc<Verified<Transaction>>], applied: &Applied) -> Check {
        self.model.begin(self.world.now);
        let (mut receipts, mut refused) = (applied.receipts.iter(), applied.refused.iter());
        for transaction in transactions {
            let expected = self.model.transact(transaction);
            let (id, found) = match expected {
                Verdict::Refused(_) => {
                    let Some(next) = refused.next() else {
                        return same("refusals", None, Some(expected));
                    };
                    (next.transaction, Verdict::Refused(next.refusal.name()))
                }
                _ => {
                    let Some(next) = receipts.next() else {
                        return same("receipts", None, Some(expected));
                    };
                    let found = next.failure.map_or(Verdict::Applied, |f| Verdict::Failed {
                        operation: f.operation,
                        code: f.code,
                    });
                    (next.transaction, found)
                }
            };
            same("transaction", id, transaction.id())?;
            same("verdict", found, expected)?;
            self.seen.note(transaction, expected);
        }
        same("receipts left", receipts.count(), 0)?;
        same("refusals left", refused.count(), 0)?;
        self.compare_state()
    }

    fn compare_state(&mut self) -> Check {
        let snapshot = self.world.ledger.snapshot();
        let objects = self.model.objects();
        for (id, object) in &objects {
            same(&format!("{id}"), snapshot.get(id), Some(object.clone()))?;
        }
        let encoded = objects.iter().map(|(id, object)| (*id, object.encode()));
        let encoded: BTreeMap<ObjectId, Bytes> = encoded.collect();
        same("store", self.store.keys().count(), encoded.len())?;
        prop_assert!(self.store == encoded, "the changes are not the state's");
        self.check_invariants()
    }

    /// What must always hold, read from the ledger's objects alone.
    fn check_invariants(&self) -> Check {
        let objects = self.store.iter();
        let objects: Vec<(ObjectId, Object)> = objects
            .map(|(id, bytes)| (*id, Object::decode(id, bytes.clone()).unwrap()))
            .collect();
        let mut supply = 0u128;
        let mut locked: BTreeMap<ItemId, DealId> = BTreeMap::new();
        for (id, object) in &objects {
            match (id, object) {
                (_, Object::Account(account)) => {
                    supply += account
                        .balances()
                        .map(|b| u128::from(b.amount.0))
                        .sum::<u128>();
                }
                (ObjectId::Deal(id), Object::Deal(deal)) => {
                    prop_assert_eq!(deal.state, DealState::Open);
                    let parts = deal.terms.gives.assets.iter();
                    supply += parts.map(|p| u128::from(p.amount.0)).sum::<u128>();
                    for item in &deal.terms.gives.items {
                        let other = locked.insert(*item, *id);
                        prop_assert_eq!(other, None, "one lock");
                    }
                }
                (_, Object::Edition(edition)) => {
                    prop_assert!(edition.issued <= edition.terms.cap);
                }
                (_, Object::Collection(c)) => {
                    prop_assert!(c.item_cap == 0 || c.issued <= c.item_cap);
                }
                _ => {}
            }
        }
        prop_assert_eq!(supply, self.supply, "nothing is made or lost");
        for (id, object) in &objects {
            if let (ObjectId::Item(id), Object::Item(item)) = (id, object) {
                let deal = match item.state {
                    ItemState::Locked { deal } => Some(deal),
                    _ => None,
                };
                prop_assert_eq!(locked.remove(id), deal, "locks and deals agree");
            }
        }
        prop_assert!(locked.is_empty(), "a deal gives what is not there");
        Ok(())
    }

    fn restart(&mut self) -> Check {
        self.compare_root()?;
        let root = self.world.ledger.snapshot().root();
        let params = self.world.ledger.params().clone();
        let meta = self.world.ledger.meta();
        let stored = std::mem::take(&mut self.store);
        let restored = Ledger::restore(&params, meta, stored.clone(), self.receipts.clone());
        self.store = stored;
        self.world.ledger = restored.expect("what was stored is a state");
        same(
            "root after a restart",
            self.world.ledger.snapshot().root(),
            root,
        )
    }

    fn operations(&self, actor: Address, acts: &[Act]) -> Vec<Operation> {
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
                let collections = &self.model.collections;
                let own = collections.iter().filter(|(_, c)| c.creator == actor);
                let own: Vec<_> = own.map(|(id, _)| *id).collect();
                let all: Vec<_> = collections.iter().map(|(id, _)| *id).collect();
                let none = CollectionId([1; 32]);
                create_edition(choose(*of, &own, &all, none), *cap)
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
            Act::Open(terms) => Operation::DealOpen(self.terms(actor, terms)),
            Act::Take {
                deal,
                picks,
                fitting,
            } => {
                let deal = self.deal(*deal, |d| self.could_take(actor, d));
                let mut fill = self.fitting(actor, deal);
                if !fitting {
                    match (fill.first_mut(), picks.first()) {
                        (Some(first), Some(n)) => *first = self.item(actor, *n),
                        _ => fill = self.items(actor, picks),
                    }
                }
                take(deal, &fill)
            }
            Act::Cancel { deal } => cancel(self.deal(*deal, |d| d.giver == actor)),
            Act::Together { parties } => {
                let parties = parties.iter().map(|(i, acts)| Party {
                    account: user(*i),
                    operations: self.operations(user(*i), acts),
                });
                Operation::MultiParty(parties.collect())
            }
        }
    }

    fn terms(&self, actor: Address, terms: &Terms) -> NewDeal {
        let assets = |amounts: &[u64]| amounts.iter().flat_map(|a| assets(*a).assets).collect();
        let (gives, wants) = (&terms.gives, &terms.wants);
        let owner = user(u64::from(wants.1.first().map_or(0, |n| n % 5)));
        let wants_any = terms.any.iter().map(|(edition, n, count)| WantedItems {
            from: match (edition, self.model.collections.first()) {
                (false, Some((id, _))) => WantedFrom::Collection(*id),
                _ => WantedFrom::Edition(self.edition(user(0), *n)),
            },
            count: *count,
        });
        NewDeal {
            gives: weft_types::Bundle {
                assets: assets(&gives.0),
                items: self.items(actor, &gives.1),
            },
            wants: weft_types::Bundle {
                assets: assets(&wants.0),
                items: self.items(owner, &wants.1),
            },
            wants_any: wants_any.collect(),
            taker: terms.taker.map(user),
            expires: Millis(self.world.now.saturating_add_signed(terms.lasts)),
        }
    }

    fn created(&self, actor: Address, collection: &CollectionId) -> bool {
        let mut all = self.model.collections.iter();
        all.any(|(id, c)| id == collection && c.creator == actor)
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

    fn item(&self, actor: Address, n: u16) -> ItemId {
        let free = |i: &Item| i.owner == actor && i.state == ItemState::Held;
        let own = self.model.items.iter().filter(|(_, i)| free(i));
        let own: Vec<_> = own.map(|(id, _)| *id).collect();
        let all: Vec<_> = self.model.items.iter().map(|(id, _)| *id).collect();
        choose(n, &own, &all, ItemId([1; 32]))
    }

    fn items(&self, actor: Address, choices: &[u16]) -> Vec<ItemId> {
        choices.iter().map(|n| self.item(actor, *n)).collect()
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
            && deal.terms.taker.is_none_or(|t| t == actor)
            && deal.terms.wants.items.iter().all(mine)
    }

    /// Items of the actor that fill what a deal wants, as far as there are any.
    fn fitting(&self, actor: Address, deal: DealId) -> Vec<ItemId> {
        let Some((_, deal)) = self.model.deals.iter().find(|(id, _)| *id == deal) else {
            return vec![];
        };
        let mut picks: Vec<ItemId> = vec![];
        for wanted in &deal.terms.wants_any {
            let fits = |item: &Item| match wanted.from {
                WantedFrom::Edition(edition) => item.edition == edition,
                WantedFrom::Collection(collection) => {
                    let mut editions = self.model.editions.iter();
                    editions.any(|(id, e)| *id == item.edition && e.terms.collection == collection)
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

fn naive_root(objects: &BTreeMap<ObjectId, Bytes>) -> Root {
    fn hash(leaves: &[(weft_types::StateKey, &Bytes)], depth: usize) -> [u8; 32] {
        match leaves {
            [] => empty_hash(),
            [(key, value)] => leaf_hash(key, &value_hash(value)),
            _ => {
                let right = leaves.partition_point(|(key, _)| !key_bit(key, depth));
                let (left, right) = leaves.split_at(right);
                node_hash(&hash(left, depth + 1), &hash(right, depth + 1))
            }
        }
    }
    let mut leaves: Vec<_> = objects.iter().map(|(id, v)| (id.state_key(), v)).collect();
    leaves.sort();
    Root(hash(&leaves, 0))
}

fn explore(cases: u32, bug: Option<Bug>, seen: &RefCell<Seen>) -> Result<(), TestError<Vec<Plan>>> {
    let config = Config {
        cases,
        max_shrink_iters: if bug.is_some() { 0 } else { 2_000 },
        failure_persistence: None,
        ..Config::default()
    };
    let most = TRANSACTIONS_PER_CASE as usize;
    let plans = prop::collection::vec(plan(), most / 2..=most * 3 / 2);
    // The same histories in every run; more transactions are more histories.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng).run(&plans, |plans| {
        let mut pair = Pair::new(bug);
        let outcome = pair.run(&plans);
        for (what, times) in pair.seen.0 {
            *seen.borrow_mut().0.entry(what).or_default() += times;
        }
        outcome
    })
}

#[test]
fn random_histories_end_as_the_plain_model_says() {
    let asked = std::env::var("WEFT_LEDGER_TRANSACTIONS");
    let transactions = asked.map_or(10_000, |n| n.parse().expect("a number of transactions"));
    let seen = RefCell::default();
    if let Err(error) = explore(transactions / TRANSACTIONS_PER_CASE, None, &seen) {
        panic!("{error}");
    }
    let Seen(seen) = seen.into_inner();
    println!("{seen:?}");
    // Histories in which nothing much happens would prove little.
    let often = [
        "Transfer",
        "CreateCollection",
        "CreateEdition",
        "Mint",
        "UpdateItem",
        "Burn",
        "DealOpen",
        "DealTake",
        "DealCancel",
        "MultiParty",
    ];
    let refusals = [
        "replayed",
        "expired",
        "validity_too_long",
        "fee_too_low",
        "cannot_pay",
    ];
    let codes = FailureCode::ALL.iter().map(|c| c.name());
    let rare = codes.filter(|c| *c != "already_exists").chain(refusals);
    let expected = often
        .into_iter()
        .map(|o| (o, 40))
        .chain(rare.map(|r| (r, 1)));
    for (what, least) in expected {
        let times = seen.get(what).copied().unwrap_or_default();
        assert!(times >= least, "{what} came {times} times");
    }
}

#[test]
fn every_planted_mistake_is_noticed() {
    for bug in Bug::ALL {
        let noticed = explore(500, Some(bug), &RefCell::default());
        let noticed = matches!(noticed, Err(TestError::Fail(..)));
        assert!(noticed, "{bug:?} went unnoticed");
    }
}
