//! A ledger with ten users of a million units each, and short words for what tests do with it.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_ledger::{Applied, Change, Denied, Ledger, LedgerMeta, Observed, Office, Refusal};
use weft_types::hash::{Domain, blake3};
use weft_types::testing::{self, availability_certificate, issuer_key, user, user_key};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Availability, BaseAddress, BaseAsset, Bundle, Chained,
    Collection, CollectionId, Commission, CommitIndex, Committee, Deal, DealId, DealRule, Deposit,
    DrawSecret, EditionId, Entropy, Failure, FailureCode, FeedReport, Guardian, HeightRoots, Item,
    ItemId, KeyChange, Keys, MEMBERS_MAX, MemberIndex, Millis, MintEntry, NewDeal, NewEdition,
    NewVoucherPool, Object, ObjectId, Observation, Offence, Operation, Pass, Payment, Policy,
    ProtocolParams, Receipt, Role, RoleHolder, Round, Royalty, Series, Session, SessionKind,
    Taking, Template, TokenId, Transaction, TransactionBody, UserKey, Verified, VertexDigest,
    VertexRef, draw_commitment,
};

/// What a vertex says of the base chain, and whose it is.
pub type Said = (u64, Observation);

pub struct World {
    pub ledger: Ledger,
    /// In office.
    pub committee: Committee,
    /// Timestamp of the next commit.
    pub now: u64,
    /// What the next commit orders.
    pub ordered: Vec<VertexRef>,
    stored: Stored,
    nonce: u64,
}

/// What a node has on its disk.
#[derive(Default)]
struct Stored {
    objects: BTreeMap<ObjectId, Bytes>,
    receipts: Vec<Receipt>,
    /// By the commits since the last height.
    ordered: Vec<VertexRef>,
}

impl Stored {
    fn keep(&mut self, changes: &[Change]) {
        for change in changes {
            match &change.after {
                Some(object) => self.objects.insert(change.id, object.encode()),
                None => self.objects.remove(&change.id),
            };
        }
    }
}

pub fn template() -> Template {
    testing::genesis(4).template
}

pub fn verified(transaction: Transaction) -> Arc<Verified<Transaction>> {
    let network = testing::network().id();
    Arc::new(transaction.verify(network).expect("tests sign correctly"))
}

/// The body signed by its sender alone.
pub fn signed(body: &TransactionBody, sender: u64) -> Arc<Verified<Transaction>> {
    verified(body.sign(&[&user_key(sender)]))
}

impl World {
    pub fn new() -> Self {
        Self::of(&template())
    }

    /// Genesis with other parameters.
    pub fn with(change: impl FnOnce(&mut ProtocolParams)) -> Self {
        let mut template = template();
        change(&mut template.params);
        Self::of(&template)
    }

    pub fn of(template: &Template) -> Self {
        let (ledger, changes) = Ledger::genesis(template).expect("a valid template");
        let mut stored = Stored::default();
        stored.keep(&changes);
        Self {
            ledger,
            committee: testing::committee(4),
            now: template.timestamp_ms.0 + 1,
            ordered: vec![],
            stored,
            nonce: 0,
        }
    }

    /// A body by `sender`, different from all before.
    pub fn body(&mut self, sender: u64, operations: Vec<Operation>) -> TransactionBody {
        self.nonce += 1;
        let mut body = testing::body(sender, self.nonce, operations);
        body.valid_until = Millis(self.now + 60_000);
        body.max_fee = Amount(100_000);
        body.deal_entries = self.deal_entries(&body.operations);
        body
    }

    /// L60: what operations reach of the deals there are. One that is opened only then is a small one.
    fn deal_entries(&self, operations: &[Operation]) -> u32 {
        let parts = operations.iter().flat_map(Operation::parts);
        let entries = parts.filter_map(|part| {
            let deal = self.get(ObjectId::Deal(*part.deal()?));
            let entries = deal.and_then(|d| Some(d.as_deal()?.terms.entries()));
            Some(part.reaches(entries.unwrap_or(8)))
        });
        u32::try_from(entries.sum::<u64>()).expect("few deals")
    }

    pub fn signed(
        &mut self,
        sender: u64,
        operations: Vec<Operation>,
    ) -> Arc<Verified<Transaction>> {
        let body = self.body(sender, operations);
        signed(&body, sender)
    }

    pub fn commit(&mut self, transactions: &[Arc<Verified<Transaction>>]) -> Applied {
        self.apply_observed(&[], transactions)
    }

    /// A commit in which three of four members have seen the next deposits, and one brings them.
    pub fn commit_with(
        &mut self,
        deposits: &[Deposit],
        transactions: &[Arc<Verified<Transaction>>],
    ) -> Applied {
        let report = Some(self.report(deposits));
        let says = |member| {
            let deposits = if member == 3 { deposits } else { &[] };
            let said = Observation {
                report,
                deposits: deposits.to_vec(),
                ..Observation::default()
            };
            (member, said)
        };
        self.observe(&[says(1), says(2), says(3)], transactions)
    }

    pub fn observe(
        &mut self,
        said: &[Said],
        transactions: &[Arc<Verified<Transaction>>],
    ) -> Applied {
        let observed = said.iter().map(|(member, said)| Observed {
            member: *member,
            said,
            offences: &[],
        });
        let observed: Vec<_> = observed.collect();
        self.apply_observed(&observed, transactions)
    }

    /// A commit of vertices that carry these proofs.
    pub fn prove(&mut self, offences: &[&[Offence]]) -> Applied {
        let said = Observation::default();
        let observed = offences.iter().map(|offences| Observed {
            member: 1,
            said: &said,
            offences,
        });
        let observed: Vec<_> = observed.collect();
        self.apply_observed(&observed, &[])
    }

    pub fn apply_observed(
        &mut self,
        observed: &[Observed<'_>],
        transactions: &[Arc<Verified<Transaction>>],
    ) -> Applied {
        let ordered = std::mem::take(&mut self.ordered);
        let applied = self.execute(observed, &ordered, transactions);
        self.stored.keep(&applied.changes);
        self.stored.receipts.extend_from_slice(&applied.receipts);
        self.stored.ordered.extend_from_slice(&ordered);
        applied
    }

    /// What the ledger alone does in a commit.
    pub fn execute(
        &mut self,
        observed: &[Observed<'_>],
        ordered: &[VertexRef],
        transactions: &[Arc<Verified<Transaction>>],
    ) -> Applied {
        let (index, now) = (self.ledger.meta().index.next(), Millis(self.now));
        let office = Office {
            network: testing::network().id(),
            committee: &self.committee,
            genesis: Millis::ZERO,
            contracts: CONTRACTS,
            ordered,
        };
        let base = (observed, &office);
        self.ledger.apply_observing(index, now, base, transactions)
    }

    /// Ends a height.
    pub fn close_height(&mut self, due: bool) -> HeightRoots {
        let mut changes = vec![];
        let roots = self.ledger.close_height(due, &mut changes);
        self.stored.keep(&changes);
        self.stored.ordered.clear();
        roots
    }

    /// A ledger from what is on the disk takes this one's place.
    pub fn restart(&mut self) {
        let (params, meta) = (self.ledger.params().clone(), self.ledger.meta());
        let (objects, receipts) = (self.stored.objects.clone(), self.stored.receipts.clone());
        let restored = Ledger::restore(&params, meta, objects, receipts);
        self.ledger = restored.expect("what was stored is a state");
        self.ledger.recount(&self.stored.ordered);
    }

    /// S2: ends a height, and a ledger from what is certified of it takes this one's place.
    pub fn take_over(&mut self) {
        let root = self.close_height(true).state_root;
        let (params, meta) = (self.ledger.params().clone(), self.ledger.meta());
        let meta = LedgerMeta {
            height_commit: meta.index,
            changed: false,
            unposted: false,
            ..meta
        };
        let (objects, receipts) = (self.stored.objects.clone(), self.stored.receipts.clone());
        let restored = Ledger::restore(&params, meta, objects, receipts);
        self.ledger = restored.expect("what is certified is a state");
        assert_eq!(self.ledger.snapshot().root(), root);
    }

    /// What members report who have seen these deposits follow.
    pub fn report(&self, deposits: &[Deposit]) -> FeedReport {
        let bridge = &self.ledger.bridge().deposits;
        let numbered = deposits.iter().zip(bridge.processed + 1..);
        FeedReport {
            count: bridge.processed + deposits.len() as u64,
            digest: numbered.fold(bridge.digest, |d, (deposit, i)| deposit.extend(&d, i)),
        }
    }

    /// A commit without transactions.
    pub fn tick(&mut self, now: u64) -> Applied {
        self.now = now;
        self.commit(&[])
    }

    /// The one receipt of a commit with one transaction.
    pub fn run_signed(&mut self, transaction: Arc<Verified<Transaction>>) -> Receipt {
        let applied = self.commit(&[transaction]);
        assert_eq!(applied.refused, []);
        applied.receipts.into_iter().next().expect("one receipt")
    }

    pub fn run(&mut self, sender: u64, operations: Vec<Operation>) -> Receipt {
        let transaction = self.signed(sender, operations);
        self.run_signed(transaction)
    }

    /// Applies, or the test is wrong.
    pub fn done(&mut self, sender: u64, operation: Operation) -> Receipt {
        let receipt = self.run(sender, vec![operation]);
        assert_eq!(receipt.failure, None);
        receipt
    }

    /// The failure of a transaction that must have none of its effects but the fee.
    pub fn failed(&mut self, sender: u64, operations: Vec<Operation>) -> Failure {
        let before = (self.balance(user(sender)), self.balance(Address::FEE_POOL));
        let transaction = self.signed(sender, operations);
        let applied = self.commit(&[transaction]);
        let receipt = &applied.receipts[0];
        assert_eq!(receipt.created, []);
        let changed: Vec<ObjectId> = applied.changes.iter().map(|c| c.id).collect();
        for id in changed {
            let payer = ObjectId::Account(user(sender));
            assert!(id == payer || id == ObjectId::Account(Address::FEE_POOL));
        }
        let after = (self.balance(user(sender)), self.balance(Address::FEE_POOL));
        assert_eq!(after, (before.0 - receipt.fee.0, before.1 + receipt.fee.0));
        receipt.failure.expect("the transaction fails")
    }

    pub fn fails(&mut self, sender: u64, operation: Operation) -> FailureCode {
        self.failed(sender, vec![operation]).code
    }

    pub fn refused(&mut self, transaction: Arc<Verified<Transaction>>) -> Refusal {
        let applied = self.commit(&[transaction]);
        assert_eq!((applied.receipts, applied.changes), (vec![], vec![]));
        applied.refused.into_iter().next().expect("refused").refusal
    }

    pub fn get(&self, id: ObjectId) -> Option<Object> {
        self.ledger.snapshot().get(&id)
    }

    pub fn balance(&self, address: Address) -> u64 {
        let account = self.get(ObjectId::Account(address));
        let account = account.as_ref().and_then(Object::as_account);
        account.map_or(0, |a| a.balance(&AssetId::NATIVE).0)
    }

    pub fn item(&self, id: ItemId) -> Option<Item> {
        let item = self.get(ObjectId::Item(id));
        item.as_ref()
            .and_then(Object::as_item)
            .map(|i| Item::clone(i))
    }

    pub fn owner(&self, id: ItemId) -> Address {
        self.item(id).expect("the item exists").owner
    }

    /// A collection by `creator` with one edition of `cap` items.
    pub fn edition(&mut self, creator: u64, cap: u64) -> (CollectionId, EditionId) {
        let receipt = self.done(creator, create_collection(0));
        let [ObjectId::Collection(collection)] = receipt.created[..] else {
            panic!("one collection: {:?}", receipt.created);
        };
        let receipt = self.done(creator, create_edition(collection, cap));
        let [ObjectId::Edition(edition)] = receipt.created[..] else {
            panic!("one edition: {:?}", receipt.created);
        };
        (collection, edition)
    }

    /// Items minted by `creator` to `owner`, of a collection of their own.
    pub fn items(&mut self, creator: u64, owner: u64, count: u64) -> Vec<ItemId> {
        let (_, edition) = self.edition(creator, count);
        let receipt = self.done(creator, mint(edition, owner, count));
        items_of(&receipt)
    }

    pub fn open(&mut self, giver: u64, terms: NewDeal) -> DealId {
        let receipt = self.done(giver, Operation::DealOpen(terms));
        let [ObjectId::Deal(deal)] = receipt.created[..] else {
            panic!("one deal: {:?}", receipt.created);
        };
        deal
    }
}

pub fn items_of(receipt: &Receipt) -> Vec<ItemId> {
    let items = receipt.created.iter().filter_map(|id| match id {
        ObjectId::Item(item) => Some(*item),
        _ => None,
    });
    items.collect()
}

pub fn pay(to: u64, amount: u64) -> Operation {
    pay_asset(to, AssetId::NATIVE, amount)
}

pub fn pay_asset(to: u64, asset: AssetId, amount: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: user(to),
            asset,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

pub fn send(to: u64, items: &[ItemId]) -> Operation {
    let to = user(to);
    let items = items
        .iter()
        .map(|item| weft_types::ItemTransfer { to, item: *item });
    Operation::Transfer {
        payments: vec![],
        items: items.collect(),
    }
}

pub fn create_collection(item_cap: u64) -> Operation {
    Operation::CreateCollection {
        name: "Cards".to_owned(),
        description: String::new(),
        item_cap,
    }
}

pub fn create_edition(collection: CollectionId, cap: u64) -> Operation {
    create_tickets(collection, cap, 0)
}

/// Each is good for so many uses.
pub fn create_tickets(collection: CollectionId, cap: u64, uses: u32) -> Operation {
    Operation::CreateEdition(NewEdition {
        uses,
        ..new_edition(collection, cap)
    })
}

pub fn new_edition(collection: CollectionId, cap: u64) -> NewEdition {
    NewEdition {
        collection,
        name: "Dragon".to_owned(),
        cap,
        traits: vec![],
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 0,
    }
}

pub fn mint(edition: EditionId, to: u64, count: u64) -> Operation {
    let to = user(to);
    Operation::Mint {
        entries: vec![MintEntry { edition, to, count }],
    }
}

pub fn burn(items: &[ItemId]) -> Operation {
    Operation::Burn {
        items: items.to_vec(),
    }
}

/// An ERC-20 and an ERC-721 of the base chain.
pub const COINS: BaseAddress = BaseAddress([0xc0; 20]);
/// Of the network, on the base chain.
pub const CONTRACTS: [BaseAddress; 3] = [
    BaseAddress([0x22; 20]),
    BaseAddress([0x11; 20]),
    BaseAddress([0x33; 20]),
];
pub const CARDS: BaseAddress = BaseAddress([0xca; 20]);

pub fn card_number(n: u64) -> TokenId {
    TokenId([n as u8 + 1; 32])
}

pub fn deposit(to: u64, asset: BaseAsset) -> Deposit {
    Deposit {
        asset,
        sender: BaseAddress([1; 20]),
        account: user(to),
    }
}

pub fn withdraw(gives: Bundle) -> Operation {
    Operation::Withdraw {
        recipient: BaseAddress([2; 20]),
        gives,
    }
}

pub fn exit_address(address: u8, cards: &[ItemId]) -> Operation {
    Operation::ExitAddress {
        address: BaseAddress([address; 20]),
        items: cards.to_vec(),
    }
}

pub fn update(item: ItemId, status: &str) -> Operation {
    Operation::UpdateItem {
        item,
        status: status.to_owned(),
        data_hash: None,
    }
}

pub fn take(deal: DealId, picks: &[ItemId]) -> Operation {
    Operation::DealTake(Taking::new(deal, picks.to_vec()))
}

pub fn cancel(deal: DealId) -> Operation {
    Operation::DealCancel { deal }
}

pub fn bid(deal: DealId, amount: u64) -> Operation {
    let amount = Amount(amount);
    Operation::Bid { deal, amount }
}

pub fn assets(amount: u64) -> Bundle {
    Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

pub fn cards(items: &[ItemId]) -> Bundle {
    Bundle {
        assets: vec![],
        items: items.to_vec(),
    }
}

/// Terms that anyone may take, good for a long time.
pub fn terms(gives: Bundle, wants: Bundle) -> NewDeal {
    NewDeal {
        gives,
        wants,
        expires: Millis(1_000_000),
        ..NewDeal::default()
    }
}

impl World {
    /// By the account of one user with the key of another.
    pub fn signed_for(
        &mut self,
        account: u64,
        key: u64,
        operations: Vec<Operation>,
    ) -> Arc<Verified<Transaction>> {
        let body = self.body(account, operations);
        with_keys(&body, &[(key, account)])
    }

    pub fn run_for(&mut self, account: u64, key: u64, operations: Vec<Operation>) -> Receipt {
        let transaction = self.signed_for(account, key, operations);
        self.run_signed(transaction)
    }

    /// The failure's code, or `None`.
    pub fn code_for(
        &mut self,
        account: u64,
        key: u64,
        operation: Operation,
    ) -> Option<FailureCode> {
        let receipt = self.run_for(account, key, vec![operation]);
        receipt.failure.map(|f| f.code)
    }

    /// Why it is not authorised.
    pub fn denied(&mut self, account: u64, key: u64, operation: Operation) -> Denied {
        let transaction = self.signed_for(account, key, vec![operation]);
        self.denied_signed(transaction)
    }

    pub fn denied_signed(&mut self, transaction: Arc<Verified<Transaction>>) -> Denied {
        match self.refused(transaction) {
            Refusal::NotAuthorised { why, .. } => why,
            other => panic!("refused otherwise: {other}"),
        }
    }

    pub fn keys(&self, account: u64) -> Option<Keys> {
        let found = self.get(ObjectId::Account(user(account)));
        let keys = found.as_ref().and_then(Object::as_account);
        keys.and_then(|a| a.keys().cloned())
    }

    /// What the session may still spend.
    pub fn left(&self, account: u64, key: u64) -> u64 {
        let keys = self.keys(account).expect("the account has keys");
        let session = keys.session(&user(key)).expect("the key has a session");
        session.left(&AssetId::NATIVE).0
    }
}

/// The body signed with the keys of these users for the accounts of those beside them.
pub fn with_keys(body: &TransactionBody, keys: &[(u64, u64)]) -> Arc<Verified<Transaction>> {
    let keys = keys.iter();
    let keys = keys.map(|(key, account)| (UserKey::from(&user_key(*key)), user(*account)));
    let keys: Vec<_> = keys.collect();
    let keys: Vec<_> = keys.iter().map(|(key, account)| (key, *account)).collect();
    verified(body.sign_for(&keys))
}

pub fn set_keys(changes: &[KeyChange]) -> Operation {
    Operation::SetKeys {
        changes: changes.to_vec(),
    }
}

pub fn owner(key: u64) -> KeyChange {
    KeyChange::Owner { key: user(key) }
}

pub fn guardian(account: u64, delay: u64) -> KeyChange {
    KeyChange::Guardian(Guardian {
        account: user(account),
        delay: Millis(delay),
    })
}

pub fn recover(account: u64, owner: u64) -> Operation {
    Operation::Recover {
        account: user(account),
        owner: user(owner),
    }
}

/// Of the key of a user, good for a long time.
pub fn session(
    key: u64,
    kinds: &[SessionKind],
    collections: &[CollectionId],
    limit: u64,
) -> Session {
    let mut collections = collections.to_vec();
    collections.sort_unstable();
    let limits = (limit > 0).then(|| assets(limit).assets);
    Session {
        key: user(key),
        expires: Millis(1_000_000),
        kinds: kinds.iter().copied().collect(),
        collections,
        limits: limits.unwrap_or_default(),
    }
}

pub fn set_policy(collection: CollectionId, policy: Policy) -> Operation {
    Operation::SetPolicy {
        collection,
        policy: Some(policy),
        roles: vec![],
    }
}

pub fn give_roles(collection: CollectionId, holders: &[(u64, &[Role])]) -> Operation {
    let holders = holders.iter().map(|(account, roles)| RoleHolder {
        account: user(*account),
        roles: roles.iter().copied().collect(),
    });
    Operation::SetPolicy {
        collection,
        policy: None,
        roles: holders.collect(),
    }
}

pub fn freeze(frozen: bool, items: &[ItemId]) -> Operation {
    Operation::Freeze {
        frozen,
        collections: vec![],
        editions: vec![],
        items: items.to_vec(),
    }
}

pub fn redeem(item: ItemId, pass: Pass) -> Operation {
    Operation::Redeem { item, pass }
}

pub fn void(items: &[ItemId], reason: &str) -> Operation {
    Operation::Void {
        items: items.to_vec(),
        reason: reason.to_owned(),
    }
}

pub fn royalty(to: u64, parts: u32) -> Option<Royalty> {
    let to = user(to);
    Some(Royalty { to, parts })
}

pub fn commission(to: u64, parts: u32) -> Option<Commission> {
    let to = user(to);
    Some(Commission { to, parts })
}

/// No policy but for one part.
pub fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

impl World {
    /// Items of user 1, in a collection of user 0's with this policy.
    pub fn under(&mut self, policy: Policy, count: u64) -> (CollectionId, Vec<ItemId>) {
        let (collection, edition) = self.edition(0, 100);
        self.done(0, set_policy(collection, policy));
        let receipt = self.done(0, mint(edition, 1, count));
        (collection, items_of(&receipt))
    }

    pub fn collection(&self, id: CollectionId) -> Collection {
        let found = self.get(ObjectId::Collection(id));
        let found = found.as_ref().and_then(Object::as_collection);
        Collection::clone(found.expect("the collection exists"))
    }
}

/// The round of the leader of a commit, where a test leads commits.
pub fn leader_round(commit: CommitIndex) -> Round {
    Round(commit.0)
}

/// A leader beyond the members' places, which makes no work.
pub fn leader_of(commit: CommitIndex) -> VertexRef {
    VertexRef {
        round: leader_round(commit),
        author: MemberIndex(MEMBERS_MAX as u32),
        digest: VertexDigest(blake3(Domain::Vertex, &[&commit.0.to_be_bytes()])),
    }
}

impl World {
    /// The next commit's leader is of the round after the last one's.
    pub fn lead(&mut self) {
        self.ordered = vec![leader_of(self.ledger.meta().index.next())];
    }

    pub fn deal(&self, id: DealId) -> Option<Deal> {
        let found = self.get(ObjectId::Deal(id));
        found
            .as_ref()
            .and_then(Object::as_deal)
            .map(|d| Deal::clone(d))
    }
}

/// A user's secret.
pub fn secret(giver: Address) -> DrawSecret {
    DrawSecret(giver.0)
}

/// Items in so many packs, each for a price with a bond, drawn within a time.
pub fn series(
    giver: Address,
    (items, packs): (&[ItemId], u32),
    (price, bond): (u64, u64),
    reveal: u64,
) -> NewDeal {
    let gives = Bundle {
        items: items.to_vec(),
        ..assets(bond * u64::from(packs))
    };
    NewDeal {
        rule: DealRule::Draw(Series {
            packs,
            commitment: draw_commitment(&giver, &secret(giver)),
            reveal: Millis(reveal),
        }),
        ..terms(gives, assets(price))
    }
}

pub fn buy(deal: DealId, entropy: u8) -> Operation {
    Operation::DealTake(Taking::pack(deal, Entropy([entropy; 32])))
}

pub fn reveal(deal: DealId, secret: DrawSecret) -> Operation {
    Operation::Reveal { deal, secret }
}

pub fn pass(deal: DealId, pack: u32, to: u64) -> Operation {
    let to = user(to);
    Operation::PassPack { deal, pack, to }
}

/// The pool of the `n`th key, with what each voucher pays.
pub fn open_pool(
    issuer: Address,
    n: u64,
    (asset, denomination): (AssetId, u64),
    ends: u64,
) -> Operation {
    let key = issuer_key(n);
    Operation::VoucherOpen(NewVoucherPool {
        key: key.public(),
        proof: key.prove(testing::network().id(), issuer),
        asset,
        denomination: Amount(denomination),
        ends: Millis(ends),
    })
}

pub fn cover(n: u64, count: u64) -> Operation {
    Operation::VoucherIssue {
        pool: issuer_key(n).public().pool(),
        count,
    }
}

/// The account's voucher of the pool.
pub fn spend(account: Address, n: u64) -> Operation {
    Operation::VoucherSpend {
        key: issuer_key(n).public(),
        voucher: testing::voucher(n, account),
    }
}

/// What these members of four have signed, posted.
pub fn posting(claim: Availability, signers: &[usize]) -> Operation {
    Operation::PostData(availability_certificate(claim, signers))
}
