//! Prices, sales, and who had an item.

use super::*;
use weft_types::{WantedFrom, WantedItems};

fn transfer(item: ItemId, to: u64) -> Operation {
    let to = testing::user(to);
    Operation::Transfer {
        payments: vec![],
        items: vec![weft_types::ItemTransfer { to, item }],
    }
}

fn take(deal: DealId, items: Vec<ItemId>) -> Operation {
    Operation::DealTake(Taking::new(deal, items))
}

/// A gives and B wants.
fn deal(gives: Bundle, wants: Bundle) -> NewDeal {
    NewDeal {
        gives,
        wants,
        ..listing(vec![], 0)
    }
}

fn items(items: &[ItemId]) -> Bundle {
    Bundle {
        assets: vec![],
        items: items.to_vec(),
    }
}

impl Indexing {
    /// Opens a deal of a user's.
    fn open(&mut self, user: u64, deal: NewDeal) -> DealId {
        deal_of(&self.commit(vec![(user, vec![Operation::DealOpen(deal)])]))
    }

    fn prices(&self, scope: PriceScope) -> Vec<(u64, DealId)> {
        let prefix = prices_prefix(&scope);
        let rows = self.rows.keys().filter_map(|k| k.strip_prefix(&prefix[..]));
        rows.map(|rest| read_price(&scope, rest).unwrap())
            .map(|(price, id)| (price.0, id))
            .collect()
    }

    fn sales(&self, scope: SaleScope) -> Vec<SaleRow> {
        let prefix = sales_prefix(&scope);
        let rows = self.rows.iter().filter(|(k, _)| k.starts_with(&prefix));
        rows.map(|(_, v)| SaleRow::read(v.clone()).unwrap())
            .collect()
    }

    fn passings(&self, item: ItemId) -> Vec<Passing> {
        let history = self.history(ObjectId::Item(item)).into_iter();
        history.map(|(_, row)| row.passing).collect()
    }
}

#[test]
fn open_deals_stand_by_price_while_anybody_may_take_them() {
    let mut indexing = Indexing::new();
    let (collection, edition) = indexing.with_items(6);
    let item = |serial| ItemId::derive(&edition, serial);
    let dear = indexing.open(2, listing(vec![item(1)], 30));
    let two = indexing.open(2, listing(vec![item(2), item(3)], 40));
    let reserved = NewDeal {
        taker: Some(testing::user(3)),
        ..listing(vec![item(4)], 1)
    };
    indexing.open(2, reserved);
    let swapped = deal(items(&[item(5)]), coin(1));
    let any = WantedItems {
        from: WantedFrom::Edition(edition),
        count: 1,
    };
    let with_cards = NewDeal {
        wants_any: vec![any],
        ..swapped
    };
    indexing.open(2, with_cards);
    for scope in [
        PriceScope::ListingsOfEdition(edition),
        PriceScope::ListingsOfCollection(collection),
    ] {
        assert_eq!(indexing.prices(scope), [(20, two), (30, dear)]);
    }
    indexing.commit(vec![(3, vec![take(two, vec![])])]);
    let cancel = Operation::DealCancel { deal: dear };
    indexing.commit(vec![(2, vec![cancel])]);
    assert_eq!(indexing.count(&[PRICES]), 0);
}

#[test]
fn the_highest_offer_comes_first_and_one_for_an_item_is_the_items() {
    let mut indexing = Indexing::new();
    let (collection, edition) = indexing.with_items(2);
    let offer = |price, from, count| NewDeal {
        wants_any: vec![WantedItems { from, count }],
        ..deal(coin(price), Bundle::default())
    };
    let low = indexing.open(3, offer(5, WantedFrom::Edition(edition), 1));
    let high = indexing.open(3, offer(14, WantedFrom::Edition(edition), 2));
    let all = indexing.open(3, offer(6, WantedFrom::Collection(collection), 1));
    let one = ItemId::derive(&edition, 1);
    let this = indexing.open(3, deal(coin(50), items(&[one])));
    let of = |scope| indexing.prices(scope);
    assert_eq!(
        of(PriceScope::OffersForEdition(edition)),
        [(7, high), (5, low)]
    );
    assert_eq!(of(PriceScope::OffersForCollection(collection)), [(6, all)]);
    assert_eq!(of(PriceScope::OffersForItem(one)), [(50, this)]);
    // Whoever owns what was wanted may burn it: the deal leaves its lists all the same.
    let burn = Operation::Burn { items: vec![one] };
    indexing.commit(vec![(2, vec![burn])]);
    indexing.apply(Millis(60_000), vec![]);
    assert_eq!(indexing.count(&[PRICES]), 0);
}

#[test]
fn parts_of_a_price_add_up_to_it_and_totals_go_on_over_commits() {
    let mut indexing = Indexing::new();
    let (collection, edition) = indexing.with_items(5);
    let item = |serial| ItemId::derive(&edition, serial);
    let three = indexing.open(2, listing(vec![item(1), item(2), item(3)], 11));
    let offer = NewDeal {
        wants_any: vec![WantedItems {
            from: WantedFrom::Collection(collection),
            count: 2,
        }],
        ..deal(coin(9), Bundle::default())
    };
    let offer = indexing.open(4, offer);
    indexing.commit(vec![(3, vec![take(three, vec![])])]);
    let picks = vec![item(4), item(5)];
    indexing.commit(vec![(2, vec![take(offer, picks.clone())])]);
    for scope in [
        SaleScope::Edition(edition),
        SaleScope::Collection(collection),
    ] {
        let sales = indexing.sales(scope);
        let parts: Vec<_> = sales.iter().map(|s| s.price.0).collect();
        assert_eq!(parts, [3, 4, 4, 4, 5]);
        let sold: Vec<_> = sales[3..].iter().map(|s| (s.item, s.seller)).collect();
        let seller = testing::user(2);
        assert_eq!(sold, [(picks[0], seller), (picks[1], seller)]);
        let last = indexing.rows[&last_sale_key(&scope)].clone();
        assert_eq!(SaleRow::read(last).as_ref(), sales.last());
        let (items, volume) = (5, 20);
        assert_eq!(sales[4].totals, Totals { items, volume });
        let before = Totals {
            items: 4,
            volume: 15,
        };
        assert_eq!(sales[4].totals_before(), before);
    }
}

#[test]
fn what_changes_hands_for_other_things_than_coin_has_no_price() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(2);
    let [one, two] = [1, 2].map(|serial| ItemId::derive(&edition, serial));
    indexing.commit(vec![(2, vec![transfer(two, 3)])]);
    let mut and_coin = items(&[two]);
    and_coin.assets = coin(100).assets;
    let swap = indexing.open(2, deal(items(&[one]), and_coin));
    indexing.commit(vec![(3, vec![take(swap, vec![])])]);
    let gift = indexing.open(3, deal(items(&[one]), Bundle::default()));
    indexing.commit(vec![(4, vec![take(gift, vec![])])]);
    assert!(indexing.sales(SaleScope::Edition(edition)).is_empty());
    let passed = indexing.passings(one);
    let deals: Vec<_> = passed.iter().map(|p| (p.deal, p.price)).collect();
    let [none, swapped, given] = [None, Some(swap), Some(gift)].map(|deal| (deal, None));
    assert_eq!(deals, [none, none, swapped, none, given]);
}

#[test]
fn an_items_history_names_its_owners_also_those_within_a_commit() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(1);
    let item = ItemId::derive(&edition, 1);
    let own = Operation::DealOpen(listing(vec![item], 30));
    let opening = testing::transaction(4, 90, vec![own]);
    let bought = DealId::derive(&opening.id(), 0);
    let bought_and_given = vec![take(bought, vec![]), transfer(item, 6)];
    let network = testing::network().id();
    let all = [
        testing::transaction(2, 91, vec![transfer(item, 3)]),
        testing::transaction(3, 92, vec![transfer(item, 4)]),
        opening,
        testing::transaction(5, 93, bought_and_given),
    ];
    let all = all.map(|t| Arc::new(t.verify(network).unwrap()));
    let applied = indexing.apply(Millis(2_000), all.to_vec());
    assert!(applied.receipts.iter().all(Receipt::is_applied));
    let burn = Operation::Burn { items: vec![item] };
    indexing.commit(vec![(6, vec![burn])]);
    let user = |n: u64| Some(testing::user(n));
    let pass = |from, to| Passing {
        from,
        to,
        ..Passing::default()
    };
    let expected = [
        pass(None, user(2)),
        pass(user(2), user(3)),
        pass(user(3), user(4)),
        Passing::default(),
        Passing {
            deal: Some(bought),
            price: Some(Amount(30)),
            ..pass(user(4), user(6))
        },
        pass(user(6), None),
    ];
    assert_eq!(indexing.passings(item), expected);
    // Bought and given on by one transaction: the trade names the buyer.
    let sold = &indexing.sales(SaleScope::Edition(edition))[0];
    assert_eq!(Some(sold.buyer), user(5));
}

#[test]
fn a_card_that_comes_in_and_goes_out_has_an_owner_in_between() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(1);
    let id = ItemId::derive(&edition, 9);
    let item = Item {
        owner: testing::user(7),
        ..Item::clone(
            &indexing.history(ObjectId::Item(ItemId::derive(&edition, 1)))[0]
                .1
                .item
                .clone()
                .unwrap(),
        )
    };
    let item = Some(Object::Item(Arc::new(item)));
    let mut change = |commit, before: Option<Object>, after: Option<Object>| {
        let retired = before.clone().filter(|_| after.is_none());
        let id = ObjectId::Item(id);
        let change = Change {
            id,
            before,
            after,
            retired,
        };
        let applied = Applied {
            changes: vec![change],
            ..Applied::default()
        };
        indexing.write((CommitIndex(commit), Millis(3_000)), &[], &applied);
    };
    change(8, None, item.clone());
    change(9, item, None);
    let owner = Some(testing::user(7));
    let [came, went] = [(None, owner), (owner, None)].map(|between| Passing::new(between, None));
    assert_eq!(indexing.passings(id), [came, went]);
}

/// S2.8: sales go with histories, and the newest of each stays.
#[test]
fn sales_are_forgotten_by_commit_and_the_newest_is_kept() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(1);
    let deal = indexing.open(2, listing(vec![ItemId::derive(&edition, 1)], 10));
    indexing.commit(vec![(3, vec![take(deal, vec![])])]);
    let scope = SaleScope::Edition(edition);
    let sold = indexing.sales(scope)[0].commit;
    let mut left = |commit: CommitIndex| {
        let rows = indexing.rows.clone();
        let keep = |k: &Bytes, v: &Bytes| !is_before(k, v, commit, Millis(0));
        indexing.rows.retain(|k, v| keep(k, v));
        let left = (
            indexing.sales(scope).len(),
            indexing.count(&last_sale_key(&scope)),
        );
        indexing.rows = rows;
        left
    };
    assert_eq!(left(sold), (1, 1));
    assert_eq!(left(sold.next()), (0, 1));
}
