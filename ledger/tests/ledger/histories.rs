//! Random histories against the plain model: every receipt, every refusal, every object and the root
//! over all of them are compared, and what must always hold is looked at in the ledger's own objects.
//! `WEFT_LEDGER_TRANSACTIONS` asks for more than the five thousand a theme of an ordinary run.

use crate::choice::Chooser;
use crate::model::{Bug, Model, Verdict};
use crate::plan::{Plan, Theme, USERS};
use crate::world::*;
use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_ledger::{Applied, Change, Ledger};
use weft_types::testing::user;
use weft_types::{
    Address, Amount, AppendTree, AssetAmount, AssetId, BaseAsset, DealId, DealState, Deposit,
    FailureCode, ItemId, ItemState, Millis, Object, ObjectId, Receipt, Root, Template, Transaction,
    Verified, empty_hash, key_bit, leaf_hash, node_hash, tree_proof, tree_root_of, value_hash,
};

const TRANSACTIONS_PER_CASE: u32 = 40;

/// The ledger beside its model, and what a store would hold.
struct Pair {
    world: World,
    model: Model,
    store: BTreeMap<ObjectId, Bytes>,
    receipts: Vec<Receipt>,
    ordered: Vec<Arc<Verified<Transaction>>>,
    /// What was ordered, by commit.
    commits: Vec<Ordered>,
    waiting: Vec<Arc<Verified<Transaction>>>,
    deposits: Vec<Deposit>,
    /// Of the native asset.
    supply: u128,
    seen: Seen,
}

/// What a commit brings.
pub struct Ordered {
    pub now: u64,
    pub deposits: Vec<Deposit>,
    pub transactions: Vec<Arc<Verified<Transaction>>>,
}

/// One that ended as the model says.
pub struct History {
    pub template: Template,
    pub commits: Vec<Ordered>,
    pub receipts: Vec<Receipt>,
    /// Of the last state.
    pub root: Root,
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

fn few_users() -> Template {
    let mut template = template();
    template.accounts.truncate(USERS as usize - 1);
    // Histories last minutes.
    template.params.guardian_delay_min_ms = Some(Millis(1_000));
    template
}

impl Pair {
    fn new(bug: Option<Bug>) -> Self {
        let template = few_users();
        let (ledger, changes) = Ledger::genesis(&template).unwrap();
        let mut pair = Self {
            world: World::of(&template),
            model: Model::new(&template, bug),
            store: BTreeMap::new(),
            receipts: vec![],
            ordered: vec![],
            commits: vec![],
            waiting: vec![],
            deposits: vec![],
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

    fn run(&mut self, plans: impl Iterator<Item = Plan>) -> Check {
        for plan in plans {
            let plan = &plan;
            let transaction = self.transaction(plan);
            self.waiting.push(transaction);
            self.deposits.extend(plan.deposit.map(deposit_of));
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
        let roots = self.world.close_height(false);
        same("root", roots.state_root, naive_root(&self.store))?;
        let leaves = self.model.leaves();
        same("exit root", roots.exit_root, naive_exit_root(&leaves))
    }

    fn transaction(&mut self, plan: &Plan) -> Arc<Verified<Transaction>> {
        let known: Vec<_> = self.ordered.iter().chain(&self.waiting).collect();
        if let (Some(n), false) = (plan.again, known.is_empty()) {
            return known[usize::from(n) % known.len()].clone();
        }
        let chooser = Chooser {
            model: &self.model,
            now: self.world.now,
        };
        let operations = chooser.operations(user(plan.sender), &plan.operations);
        let mut body = self.world.body(plan.sender, operations);
        body.max_fee = Amount(plan.max_fee);
        body.sponsor = plan.sponsor.map(user);
        if plan.signs % 11 == 10 {
            body.deal_entries = body.deal_entries.saturating_sub(1);
        }
        body.valid_until = Millis(self.world.now.saturating_add_signed(plan.validity));
        let parties = body.parties();
        let accounts = (0..USERS).filter(|i| parties.contains(&user(*i)));
        let keys = accounts.map(|i| (chooser.key(user(i), plan.signs), i));
        let keys: Vec<_> = keys.collect();
        let signed = with_keys(&body, &keys);
        verified(Transaction::decode(signed.encoded().clone()).expect("right in form"))
    }

    fn commit(&mut self, later: u64) -> Check {
        self.world.now += later;
        self.world.lead();
        let transactions = std::mem::take(&mut self.waiting);
        let deposits = std::mem::take(&mut self.deposits);
        let applied = match deposits.as_slice() {
            [] => self.world.commit(&transactions),
            deposits => self.world.commit_with(deposits, &transactions),
        };
        same("deposits", &applied.deposits, &deposits)?;
        self.commits.push(Ordered {
            now: self.world.now,
            deposits: deposits.clone(),
            transactions: transactions.clone(),
        });
        for deposit in &deposits {
            self.seen.count("deposit");
            if let BaseAsset::Native { amount } = deposit.asset {
                self.supply += u128::from(amount.0);
            }
        }
        if !applied.cleared.is_empty() {
            self.seen.count("cleared");
        }
        self.model.arrive = deposits;
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
        self.model.end_commit();
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
        let mut owned = BTreeMap::new();
        let tokens = |b: &AssetAmount| b.asset != AssetId::NATIVE;
        let mut locked: BTreeMap<ItemId, DealId> = BTreeMap::new();
        for (id, object) in &objects {
            match (id, object) {
                (_, Object::Account(account)) => {
                    if account.exit_address().is_some() {
                        add(&mut owned, account.balances());
                    }
                    supply += account
                        .balances()
                        .filter(|b| !tokens(b))
                        .map(|b| u128::from(b.amount.0))
                        .sum::<u128>();
                }
                (ObjectId::Deal(id), Object::Deal(deal)) => {
                    prop_assert_eq!(deal.state, DealState::Open);
                    for (whose, part) in deal.held() {
                        if !tokens(&part) {
                            supply += u128::from(part.amount.0);
                        }
                        if self.has_address(whose) {
                            add(&mut owned, [part].into_iter());
                        }
                    }
                    for item in &deal.terms.gives.items {
                        let other = locked.insert(*item, *id);
                        prop_assert_eq!(other, None, "one lock");
                    }
                }
                (_, Object::VoucherPool(pool)) => {
                    let cover = AssetAmount {
                        asset: pool.asset,
                        amount: pool.cover(),
                    };
                    if !tokens(&cover) {
                        supply += u128::from(cover.amount.0);
                    }
                    if self.has_address(pool.issuer) && cover.amount > Amount::ZERO {
                        add(&mut owned, [cover].into_iter());
                    }
                }
                (_, Object::Withdrawal(withdrawal)) => {
                    if let BaseAsset::Native { amount } = withdrawal.asset {
                        supply += u128::from(amount.0);
                    }
                }
                (_, Object::Edition(edition)) => {
                    prop_assert!(edition.issued <= edition.terms.cap);
                }
                (_, Object::Collection(c)) => {
                    prop_assert!(c.item_cap == 0 || c.issued <= c.item_cap);
                }
                (_, Object::Item(item)) => {
                    let edition = self.store.get(&ObjectId::Edition(item.edition));
                    let id = ObjectId::Edition(item.edition);
                    let edition = Object::decode(&id, edition.expect("it stays").clone()).unwrap();
                    let uses = edition.as_edition().expect("one").terms.uses;
                    let spent = item.state == ItemState::Redeemed;
                    prop_assert!(item.used <= uses, "redeemed at most its uses");
                    prop_assert_eq!(spent, item.used > 0 && item.used == uses);
                }
                _ => {}
            }
        }
        prop_assert_eq!(supply, self.supply, "nothing is made or lost");
        prop_assert_eq!(owned, self.exits(), "the exit tree has what is held");
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

    fn has_address(&self, account: Address) -> bool {
        let found = self.world.get(ObjectId::Account(account));
        let account = found.as_ref().and_then(Object::as_account);
        account.is_some_and(|a| a.exit_address().is_some())
    }

    /// What the leaves of the exit tree add up to.
    fn exits(&self) -> BTreeMap<AssetId, u128> {
        let mut sums = BTreeMap::new();
        let tree = &self.world.ledger.base_trees().exits;
        let places = 0..self.world.ledger.bridge().exit_places;
        for exit in places.filter_map(|place| tree.get(place)) {
            let (asset, amount) = match exit.asset {
                BaseAsset::Native { amount } => (AssetId::NATIVE, amount),
                BaseAsset::Erc20 { token, amount } => (AssetId::erc20(token), amount),
                BaseAsset::Erc721 { .. } => continue,
            };
            add(&mut sums, [AssetAmount { asset, amount }].into_iter());
        }
        sums
    }

    fn restart(&mut self) -> Check {
        self.compare_root()?;
        let root = self.world.ledger.snapshot().root();
        let trees = self.world.ledger.base_trees();
        let base = (trees.exits.root(), trees.withdrawals.root());
        let withdrawals = &self.world.ledger.bridge().withdrawals;
        same("withdrawals", base.1, withdrawals.root())?;
        let params = self.world.ledger.params().clone();
        let meta = self.world.ledger.meta();
        let stored = std::mem::take(&mut self.store);
        let restored = Ledger::restore(&params, meta, stored.clone(), self.receipts.clone());
        self.store = stored;
        self.world.ledger = restored.expect("what was stored is a state");
        let ledger = &self.world.ledger;
        same("root after a restart", ledger.snapshot().root(), root)?;
        let trees = ledger.base_trees();
        let found = (trees.exits.root(), trees.withdrawals.root());
        same("roots of the vault's trees after a restart", found, base)
    }
}

fn deposit_of((to, kind, n): (u64, u8, u64)) -> Deposit {
    let amount = Amount(n);
    deposit(
        to,
        match kind % 3 {
            0 => BaseAsset::Native { amount },
            1 => BaseAsset::Erc20 {
                token: COINS,
                amount,
            },
            _ => BaseAsset::Erc721 {
                token: CARDS,
                id: card_number(n % 3),
            },
        },
    )
}

fn add(sums: &mut BTreeMap<AssetId, u128>, parts: impl Iterator<Item = AssetAmount>) {
    for part in parts {
        *sums.entry(part.asset).or_default() += u128::from(part.amount.0);
    }
}

/// By the siblings of the first place.
fn naive_exit_root(leaves: &[[u8; 32]]) -> Root {
    let Some(first) = leaves.first() else {
        return AppendTree::default().root();
    };
    tree_root_of(*first, 0, &tree_proof(leaves, 0).expect("it is there"))
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

fn explore(
    (theme, cases): (Theme, u32),
    bug: Option<Bug>,
    seen: &RefCell<Seen>,
) -> Result<(), TestError<Vec<Plan>>> {
    let config = Config {
        cases,
        max_shrink_iters: if bug.is_some() { 0 } else { 2_000 },
        failure_persistence: None,
        ..Config::default()
    };
    let (prelude, plan) = theme.history();
    let most = TRANSACTIONS_PER_CASE as usize;
    let plans = prop::collection::vec(plan, most / 2..=most * 3 / 2);
    // The same histories in every run; more transactions are more histories.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng).run(&plans, |plans| {
        let mut pair = Pair::new(bug);
        let outcome = pair.run(prelude.iter().cloned().chain(plans));
        for (what, times) in pair.seen.0 {
            *seen.borrow_mut().0.entry(what).or_default() += times;
        }
        outcome
    })
}

/// One of so many transactions, the same in every run.
pub fn history(theme: Theme, transactions: usize) -> History {
    let (prelude, plan) = theme.history();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let plans = prop::collection::vec(plan, transactions);
    let plans = plans.new_tree(&mut runner).expect("plans").current();
    let mut pair = Pair::new(None);
    let run = pair.run(prelude.into_iter().chain(plans));
    run.expect("as the model says");
    History {
        template: few_users(),
        commits: pair.commits,
        receipts: pair.receipts,
        root: pair.world.ledger.snapshot().root(),
    }
}

#[test]
fn random_histories_end_as_the_plain_model_says() {
    let asked = std::env::var("WEFT_LEDGER_TRANSACTIONS");
    let themes = Theme::ALL.len() as u32;
    let transactions = asked.map_or(5_000 * themes, |n| n.parse().expect("a number"));
    let seen = RefCell::default();
    let cases = transactions / TRANSACTIONS_PER_CASE / themes;
    for theme in Theme::ALL {
        if let Err(error) = explore((theme, cases), None, &seen) {
            panic!("{theme:?}: {error}");
        }
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
        "Withdraw",
        "ExitAddress",
        "SetKeys",
        "SetPolicy",
        "Freeze",
        "Bid",
        "Redeem",
        "SetSale",
        "Buy",
        "ChannelClose",
        "VoucherOpen",
        "VoucherIssue",
        "VoucherSpend",
        "PostData",
        "deposit",
        "cleared",
    ];
    let refusals = [
        "replayed",
        "expired",
        "validity_too_long",
        "fee_too_low",
        "not_authorised",
        "cannot_pay",
    ];
    let codes = FailureCode::ALL.iter().map(|c| c.name());
    let never = ["too_many_sessions", "too_many_roles", "shown_too_often"];
    let rare = codes.filter(|c| !never.contains(c)).chain(refusals).chain([
        "Recover",
        "Void",
        "PassPack",
        "Reveal",
        "ChannelChallenge",
    ]);
    let expected = often
        .into_iter()
        .map(|o| (o, 40))
        .chain(rare.map(|r| (r, 1)));
    for (what, least) in expected {
        let times = seen.get(what).copied().unwrap_or_default();
        assert!(times >= least, "{what} came {times} times");
    }
}

fn all_are_noticed(theme: Theme, mut bugs: Vec<Bug>) {
    bugs.retain(|bug| {
        // A mistake where two themes meet is rare in one of them.
        let others = Theme::ALL.into_iter().filter(|other| *other != theme);
        !std::iter::once(theme).chain(others).any(|theme| {
            let explored = explore((theme, 2_000), Some(*bug), &RefCell::default());
            matches!(explored, Err(TestError::Fail(..)))
        })
    });
    assert!(bugs.is_empty(), "{bugs:?} went unnoticed");
}

#[test]
fn planted_mistakes_of_objects_are_noticed() {
    all_are_noticed(Theme::Cards, Bug::OF_OBJECTS.to_vec());
}

#[test]
fn planted_mistakes_of_keys_are_noticed() {
    all_are_noticed(Theme::Keys, Bug::OF_KEYS.to_vec());
}

#[test]
fn planted_mistakes_of_policies_are_noticed() {
    all_are_noticed(Theme::Cards, Bug::OF_POLICIES.to_vec());
}

#[test]
fn planted_mistakes_of_trading_are_noticed() {
    all_are_noticed(Theme::Trading, Bug::OF_TRADING.to_vec());
}

#[test]
fn planted_mistakes_of_gates_are_noticed() {
    all_are_noticed(Theme::Tickets, Bug::OF_GATES.to_vec());
}

#[test]
fn planted_mistakes_of_sales_are_noticed() {
    all_are_noticed(Theme::Tickets, Bug::OF_SALES.to_vec());
}

#[test]
fn planted_mistakes_of_draws_are_noticed() {
    all_are_noticed(Theme::Packs, Bug::OF_DRAWS.to_vec());
}

#[test]
fn planted_mistakes_of_channels_are_noticed() {
    all_are_noticed(Theme::Channels, Bug::OF_CHANNELS.to_vec());
}

#[test]
fn planted_mistakes_of_vouchers_are_noticed() {
    all_are_noticed(Theme::Vouchers, Bug::OF_VOUCHERS.to_vec());
}

#[test]
fn planted_mistakes_of_data_are_noticed() {
    all_are_noticed(Theme::Data, Bug::OF_DATA.to_vec());
}

#[test]
fn planted_mistakes_of_books_are_noticed() {
    all_are_noticed(Theme::Book, Bug::OF_BOOKS.to_vec());
}
