use super::deals::PRICES;
use super::search::{TRAITS, WORDS};
mod auctions;
mod books;
mod packs;

use super::*;
use std::collections::BTreeMap as Map;
use std::convert::Infallible;
use weft_ledger::Ledger;
use weft_types::{
    Account, Amount, AssetAmount, AssetId, Bundle, ContentHash, FeeShare, NewDeal, Operation,
    Receipt, Taking, testing,
};

/// A ledger with its rows, as a store would hold them.
struct Indexing {
    ledger: Ledger,
    rows: Map<Bytes, Bytes>,
    /// What the state has.
    objects: Map<ObjectId, Bytes>,
    nonce: u64,
}

impl Indexing {
    fn new() -> Self {
        let (ledger, changes) = Ledger::genesis(&testing::genesis(4).template).unwrap();
        let encoded = |change: Change| Some((change.id, change.after?.encode()));
        Self {
            ledger,
            rows: Map::new(),
            objects: changes.into_iter().filter_map(encoded).collect(),
            nonce: 0,
        }
    }

    /// Commits transactions, one for each (user, operations).
    fn commit(&mut self, all: Vec<(u64, Vec<Operation>)>) -> Applied {
        let network = testing::network().id();
        let transactions: Vec<_> = all
            .into_iter()
            .map(|(user, operations)| {
                self.nonce += 1;
                let transaction = testing::transaction(user, self.nonce, operations);
                Arc::new(transaction.verify(network).unwrap())
            })
            .collect();
        self.apply(Millis(2_000), transactions)
    }

    fn apply(
        &mut self,
        timestamp: Millis,
        transactions: Vec<Arc<Verified<Transaction>>>,
    ) -> Applied {
        let commit = self.ledger.meta().index.next();
        let applied = self.ledger.apply(commit, timestamp, &transactions);
        self.write((commit, timestamp), &transactions, &applied);
        applied
    }

    fn write(
        &mut self,
        (commit, timestamp): (CommitIndex, Millis),
        transactions: &[Arc<Verified<Transaction>>],
        applied: &Applied,
    ) {
        let snapshot = self.ledger.snapshot();
        let indexed = Indexed {
            commit,
            timestamp,
            transactions,
            applied,
            snapshot: &snapshot,
        };
        for change in &applied.changes {
            match &change.after {
                Some(object) => drop(self.objects.insert(change.id, object.encode())),
                None => drop(self.objects.remove(&change.id)),
            }
        }
        let stored = |key: &[u8]| Ok::<_, Infallible>(self.rows.get(key).cloned());
        let Ok(rows) = rows(&indexed, stored);
        for (key, value) in rows {
            match value {
                Some(value) => drop(self.rows.insert(key, value)),
                None => assert!(
                    self.rows.remove(&key).is_some(),
                    "a row that is deleted was there"
                ),
            }
        }
    }

    /// A collection of user 1 with an edition, and items minted for user 2.
    fn with_items(&mut self, count: u64) -> (CollectionId, EditionId) {
        self.with_items_under(count, |_| vec![])
    }

    /// The same with operations by user 1 before the items are minted.
    fn with_items_under(
        &mut self,
        count: u64,
        before: impl FnOnce(CollectionId) -> Vec<Operation>,
    ) -> (CollectionId, EditionId) {
        let create = Operation::CreateCollection {
            name: "cards".to_owned(),
            description: String::new(),
            item_cap: 0,
        };
        let applied = self.commit(vec![(1, vec![create])]);
        let ObjectId::Collection(collection) = applied.receipts[0].created[0] else {
            panic!("a collection is created");
        };
        let edition = weft_types::NewEdition {
            collection,
            name: "one".to_owned(),
            cap: 100,
            traits: vec![],
            image: String::new(),
            image_hash: None,
            metadata_hash: None,
            reference: String::new(),
            uses: 0,
        };
        let id = EditionId::derive(&collection, 1);
        let entries = vec![weft_types::MintEntry {
            edition: id,
            to: testing::user(2),
            count,
        }];
        let mut operations = before(collection);
        operations.push(Operation::CreateEdition(edition));
        operations.push(Operation::Mint { entries });
        let applied = self.commit(vec![(1, operations)]);
        assert!(applied.receipts[0].is_applied());
        (collection, id)
    }

    fn count(&self, prefix: &[u8]) -> usize {
        self.rows.keys().filter(|k| k.starts_with(prefix)).count()
    }

    fn owned(&self, user: u64) -> usize {
        self.count(&owned_prefix(&testing::user(user)))
    }

    fn deals(&self, scope: DealScope) -> [usize; 4] {
        [0, 1, 2, 3].map(|state| self.count(&deals_prefix(&scope, state)))
    }

    fn history(&self, subject: ObjectId) -> Vec<(CommitIndex, HistoryRow)> {
        let prefix = history_prefix(&subject).unwrap();
        let rows = self.rows.iter().filter(|(k, _)| k.starts_with(&prefix));
        rows.map(|(k, v)| HistoryRow::read(&k[prefix.len()..], v.clone()).unwrap())
            .collect()
    }
}

fn open(item: ItemId) -> Operation {
    Operation::DealOpen(listing(vec![item], 10))
}

fn listing(items: Vec<ItemId>, price: u64) -> NewDeal {
    NewDeal {
        gives: Bundle {
            assets: vec![],
            items,
        },
        wants: coin(price),
        expires: Millis(50_000),
        ..NewDeal::default()
    }
}

fn coin(amount: u64) -> Bundle {
    Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

fn deal_of(applied: &Applied) -> DealId {
    match applied.receipts[0].created[0] {
        ObjectId::Deal(id) => id,
        other => panic!("a deal, not {other}"),
    }
}

mod market;
mod search;

#[test]
fn an_item_stands_in_its_owners_list_alone() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(2);
    assert_eq!((indexing.owned(2), indexing.owned(3)), (2, 0));
    let item = ItemId::derive(&edition, 1);
    let to = testing::user(3);
    let give = Operation::Transfer {
        payments: vec![],
        items: vec![weft_types::ItemTransfer { to, item }],
    };
    indexing.commit(vec![(2, vec![give])]);
    assert_eq!((indexing.owned(2), indexing.owned(3)), (1, 1));
    let items = vec![item];
    indexing.commit(vec![(3, vec![Operation::Burn { items }])]);
    assert_eq!((indexing.owned(2), indexing.owned(3)), (1, 0));
    let last = indexing.history(ObjectId::Item(item)).pop().unwrap().1;
    assert_eq!(last.item.unwrap().state, weft_types::ItemState::Burned);
}

#[test]
fn a_deal_is_in_the_list_of_its_state_in_every_scope() {
    let mut indexing = Indexing::new();
    let (collection, edition) = indexing.with_items(3);
    let scopes = [
        DealScope::All,
        DealScope::Giver(testing::user(2)),
        DealScope::Collection(collection),
    ];
    let item = |serial| ItemId::derive(&edition, serial);
    let first = deal_of(&indexing.commit(vec![(2, vec![open(item(1))])]));
    let second = deal_of(&indexing.commit(vec![(2, vec![open(item(2))])]));
    indexing.commit(vec![(2, vec![open(item(3))])]);
    for scope in scopes {
        assert_eq!(indexing.deals(scope), [3, 0, 0, 0], "{scope:?}");
    }
    let items = vec![];
    let take = Operation::DealTake(Taking::new(first, items));
    let cancel = Operation::DealCancel { deal: second };
    // The taker burns at once what it got: the deal is still found by its collection.
    let items = vec![item(1)];
    let burn = Operation::Burn { items };
    indexing.commit(vec![(3, vec![take, burn]), (2, vec![cancel])]);
    indexing.apply(Millis(60_000), vec![]);
    for scope in scopes {
        assert_eq!(indexing.deals(scope), [0, 1, 1, 1], "{scope:?}");
    }
    assert!(indexing.rows.contains_key(&closed_key(&first)));
    assert_eq!(indexing.owned(2), 2);
}

#[test]
fn a_deal_opened_and_taken_in_one_commit_is_known_as_taken() {
    let mut indexing = Indexing::new();
    let (collection, edition) = indexing.with_items(1);
    let opening = testing::transaction(2, 77, vec![open(ItemId::derive(&edition, 1))]);
    let deal = DealId::derive(&opening.id(), 0);
    let items = vec![];
    let taking = testing::transaction(3, 78, vec![Operation::DealTake(Taking::new(deal, items))]);
    let network = testing::network().id();
    let both = [opening, taking].map(|t| Arc::new(t.verify(network).unwrap()));
    let applied = indexing.apply(Millis(2_000), both.to_vec());
    assert!(applied.receipts.iter().all(Receipt::is_applied));
    assert_eq!(
        indexing.deals(DealScope::Collection(collection)),
        [0, 1, 0, 0]
    );
    assert_eq!((indexing.owned(2), indexing.owned(3)), (0, 1));
    let item = ObjectId::Item(ItemId::derive(&edition, 1));
    let kinds: Vec<Vec<_>> = indexing
        .history(item)
        .iter()
        .map(|(_, row)| row.kind_names().collect())
        .collect();
    let minted = vec!["create_edition", "mint"];
    assert_eq!(kinds, [minted, vec!["deal_open"], vec!["deal_take"]]);
}

#[test]
fn l23_a_share_of_fees_is_a_step_of_its_account_and_the_pools_changes_are_none() {
    let mut indexing = Indexing::new();
    indexing.with_items(1);
    let (account, amount) = (testing::user(77), Amount(9));
    let mut holds = Account::default();
    holds.set(AssetId::NATIVE, amount);
    let id = ObjectId::Account(account);
    let applied = Applied {
        shares: vec![FeeShare {
            member: 3,
            account,
            amount,
        }],
        changes: vec![Change {
            id,
            before: None,
            after: Some(Object::Account(Arc::new(holds))),
            retired: None,
        }],
        ..Applied::default()
    };
    indexing.write((CommitIndex(9), Millis(3_000)), &[], &applied);
    let [(commit, step)] = &indexing.history(id)[..] else {
        panic!("one step");
    };
    assert_eq!(*commit, CommitIndex(9));
    assert_eq!(step.kind_names().collect::<Vec<_>>(), ["fee_share"]);
    assert_eq!((step.transaction, step.applied), (None, true));
    let pool = ObjectId::Account(Address::FEE_POOL);
    assert!(indexing.history(pool).is_empty());
}

#[test]
fn policies_royalties_and_freezing_stand_in_the_histories_of_whom_they_concern() {
    let mut indexing = Indexing::new();
    let holder = weft_types::RoleHolder {
        account: testing::user(8),
        roles: [weft_types::Role::Gate].into_iter().collect(),
    };
    let (_, edition) = indexing.with_items_under(1, |collection| {
        let policy = weft_types::Policy {
            royalty: Some(weft_types::Royalty {
                to: testing::user(7),
                parts: 5_000,
            }),
            ..weft_types::Policy::default()
        };
        vec![Operation::SetPolicy {
            collection,
            policy: Some(policy),
            roles: vec![holder],
        }]
    });
    let id = ItemId::derive(&edition, 1);
    let deal = deal_of(&indexing.commit(vec![(2, vec![open(id)])]));
    let items = vec![];
    let take = Operation::DealTake(Taking::new(deal, items));
    indexing.commit(vec![(3, vec![take])]);
    let freeze = Operation::Freeze {
        frozen: true,
        collections: vec![],
        editions: vec![],
        items: vec![id],
    };
    indexing.commit(vec![(1, vec![freeze])]);
    let told = |subject| {
        let history = indexing.history(subject);
        let last = history.last().map(|(_, row)| row.kind_names().collect());
        let last: Vec<_> = last.unwrap_or_default();
        (history.len(), last)
    };
    let payee = ObjectId::Account(testing::user(7));
    assert_eq!(told(payee), (1, vec!["deal_take"]));
    let made = vec!["create_edition", "mint", "set_policy"];
    assert_eq!(told(ObjectId::Account(holder.account)), (1, made));
    assert_eq!(told(ObjectId::Item(id)), (4, vec!["freeze"]));
    let creator = told(ObjectId::Account(testing::user(1)));
    assert_eq!(creator, (3, vec!["freeze"]));
}

#[test]
fn a_multi_party_transaction_stands_in_the_history_of_every_party() {
    let mut indexing = Indexing::new();
    let party = |user: u64, to: u64| weft_types::Party {
        account: testing::user(user),
        operations: vec![Operation::Transfer {
            payments: vec![weft_types::Payment {
                to: testing::user(to),
                asset: AssetId::NATIVE,
                amount: Amount(5),
            }],
            items: vec![],
        }],
    };
    let parties = vec![party(2, 3), party(3, 4)];
    let body = testing::body(1, 1, vec![Operation::MultiParty(parties)]);
    let keys = [1, 2, 3].map(testing::user_key);
    let transaction = body.sign(&[&keys[0], &keys[1], &keys[2]]);
    let transaction = transaction.verify(testing::network().id()).unwrap();
    indexing.apply(Millis(2_000), vec![Arc::new(transaction)]);
    for user in 1..=4 {
        let history = indexing.history(ObjectId::Account(testing::user(user)));
        assert_eq!(history.len(), 1, "user {user}");
        let kinds: Vec<_> = history[0].1.kind_names().collect();
        assert_eq!(kinds, ["transfer"]);
    }
}

#[test]
fn a_step_has_room_for_every_kind() {
    let row = HistoryRow {
        timestamp: Millis(7),
        transaction: None,
        applied: false,
        kinds: u64::MAX,
        passing: Passing::default(),
        item: None,
    };
    let account = ObjectId::Account(testing::user(1));
    let (key, value) = row.row(&account, CommitIndex(3), 4).unwrap();
    let rest = key.slice(history_prefix(&account).unwrap().len()..);
    let read = HistoryRow::read(&rest, value.unwrap());
    assert_eq!(read, Some((CommitIndex(3), row)));
}

#[test]
fn a_damaged_row_reads_as_none() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(1);
    let item = ObjectId::Item(ItemId::derive(&edition, 1));
    let prefix = history_prefix(&item).unwrap();
    let row = indexing.rows.iter().find(|(k, _)| k.starts_with(&prefix));
    let (key, value) = row.unwrap();
    let rest = &key[prefix.len()..];
    assert!(HistoryRow::read(rest, value.clone()).is_some());
    assert!(HistoryRow::read(&rest[..4], value.clone()).is_none());
    for cut in 0..value.len() {
        // A cut after the head leaves an item that lacks a field, or none.
        let read = HistoryRow::read(rest, value.slice(..cut));
        assert!(read.is_none_or(
            |(_, row)| row.item != HistoryRow::read(rest, value.clone()).unwrap().1.item
        ));
    }
}

/// S2.8: lists of what is live stay whole, whatever history is deleted.
#[test]
fn rows_of_what_is_live_are_never_before_anything_and_those_of_histories_go_by_commit() {
    let mut indexing = Indexing::new();
    let (collection, edition) = indexing.with_items(2);
    let item = |serial| ItemId::derive(&edition, serial);
    let closed = deal_of(&indexing.commit(vec![(2, vec![open(item(1))])]));
    let cancel = Operation::DealCancel { deal: closed };
    indexing.commit(vec![(2, vec![cancel, open(item(2))])]);
    let all = indexing.rows.clone();
    let mut left = |commit: u64, time: u64| {
        let before = |k: &Bytes, v: &Bytes| is_before(k, v, CommitIndex(commit), Millis(time));
        indexing.rows = all.clone();
        indexing.rows.retain(|k, v| !before(k, v));
        let histories = [ITEM_HISTORY, ACCOUNT_HISTORY].map(|tag| indexing.count(&[tag]));
        let closed = indexing.count(&closed_key(&closed));
        let lists = [DealScope::All, DealScope::Collection(collection)];
        (
            histories[0] + histories[1],
            closed,
            lists.map(|s| indexing.deals(s)),
        )
    };
    let (histories, _, _) = left(0, 0);
    let listed = [1, 0, 1, 0];
    assert_eq!(left(0, 0), (histories, 1, [listed; 2]));
    // The newest commit's stay, and so does a deal that could still be open.
    let (some, _, _) = left(4, 60_000);
    assert!(0 < some && some < histories, "{some} of {histories}");
    assert_eq!(left(5, 0), (0, 1, [listed; 2]));
    let live = [1, 0, 0, 0];
    assert_eq!(left(u64::MAX, u64::MAX), (0, 0, [live; 2]));
    let tags: BTreeSet<u8> = indexing.rows.keys().map(|k| k[0]).collect();
    let live = [OWNED, COLLECTIONS, CREATED, DEALS, PRICES, WORDS];
    assert_eq!(tags, live.into());
}

#[test]
fn a3_content_is_named_by_editions_for_ever_and_by_items_until_they_say_otherwise() {
    let mut indexing = Indexing::new();
    let (collection, _) = indexing.with_items(1);
    let [image, data, other] = [1, 2, 3].map(|n| ContentHash([n; 32]));
    let edition = EditionId::derive(&collection, 2);
    let create = Operation::CreateEdition(weft_types::NewEdition {
        collection,
        name: "with an image".to_owned(),
        cap: 9,
        traits: vec![],
        image: String::new(),
        image_hash: Some(image),
        metadata_hash: Some(image),
        reference: String::new(),
        uses: 0,
    });
    let mint = Operation::Mint {
        entries: vec![weft_types::MintEntry {
            edition,
            to: testing::user(1),
            count: 1,
        }],
    };
    let item = ItemId::derive(&edition, 1);
    let update = |hash| Operation::UpdateItem {
        item,
        status: String::new(),
        data_hash: hash,
    };
    let named = |indexing: &Indexing| {
        [image, data, other].map(|hash| indexing.count(&key(NAMED, &[&hash.0])))
    };
    indexing.commit(vec![(1, vec![create, mint, update(Some(data))])]);
    assert_eq!(named(&indexing), [1, 1, 0]);
    indexing.commit(vec![(1, vec![update(Some(other))])]);
    assert_eq!(named(&indexing), [1, 0, 1]);
    // The same again changes nothing, and an edition names what it named when more of it is minted.
    indexing.commit(vec![(1, vec![update(Some(other))])]);
    assert_eq!(named(&indexing), [1, 0, 1]);
    let snapshot = indexing.ledger.snapshot();
    let objects = [ObjectId::Edition(edition), ObjectId::Item(item)];
    let objects = objects.map(|id| (id, snapshot.get(&id).unwrap().encode()));
    let rows = rows_of_state(&objects, &snapshot).unwrap();
    let rows = rows.iter().filter(|(row, _)| row[0] == NAMED).count();
    assert_eq!(rows, 2, "a state that was taken over names the same");
    let burn = Operation::Burn { items: vec![item] };
    indexing.commit(vec![(1, vec![burn])]);
    assert_eq!(named(&indexing), [1, 0, 0]);
}

mod tickets;

/// A commit whose leader is of the round of its number.
fn led(indexing: &mut Indexing, timestamp: u64, by: Vec<(u64, Operation)>) -> Applied {
    let (commit, timestamp) = (indexing.ledger.meta().index.next(), Millis(timestamp));
    let transactions: Vec<_> = by
        .into_iter()
        .map(|(user, operation)| {
            indexing.nonce += 1;
            let transaction = testing::transaction(user, indexing.nonce, vec![operation]);
            Arc::new(transaction.verify(testing::network().id()).unwrap())
        })
        .collect();
    let leader = weft_types::VertexRef {
        round: weft_types::Round(commit.0),
        author: weft_types::MemberIndex(0),
        digest: weft_types::VertexDigest([7; 32]),
    };
    let office = weft_ledger::Office {
        network: testing::network().id(),
        committee: &testing::committee(4),
        genesis: Millis::ZERO,
        contracts: [weft_types::BaseAddress::ZERO; 3],
        ordered: &[leader],
    };
    let ledger = &mut indexing.ledger;
    let applied = ledger.apply_observing(commit, timestamp, (&[], &office), &transactions);
    indexing.write((commit, timestamp), &transactions, &applied);
    applied
}

#[test]
fn every_operation_has_a_kind_in_histories() {
    let published = include_str!("../../../docs/spec/vectors/transaction.json");
    let transactions: Vec<serde_json::Value> = serde_json::from_str(published).unwrap();
    let operations = transactions.iter().flat_map(|t| {
        let operations = t["body"]["operations"].as_array();
        operations.into_iter().flatten()
    });
    for operation in operations {
        let kind = operation["type"].as_str().unwrap();
        assert!(
            kind == "multi_party" || history::KINDS.contains(&kind),
            "{kind} has no bit"
        );
    }
}

#[test]
fn a3_posted_data_are_named_by_their_record_as_long_as_it_is_there() {
    let snapshot = Indexing::new().ledger.snapshot();
    let (posted, hash) = (testing::posted(), testing::availability().hash);
    let (id, object) = (ObjectId::Posted(hash), Object::Posted(posted.into()));
    let row = key(NAMED, &[&hash.0, &id.to_bytes()]);
    let rows = rows_of_state(&[(id, object.encode())], &snapshot).unwrap();
    assert_eq!(rows, [(row.clone(), Some(Bytes::new()))]);
    let gone = Change {
        id,
        before: Some(object),
        after: None,
        retired: None,
    };
    let mut rows = Vec::new();
    named::rows(&gone, &mut rows);
    assert_eq!(rows, [(row, None)]);
}
