use super::*;
use weft_types::BookSide;

const EXPIRES: Millis = Millis(50_000);

impl Indexing {
    fn orders(&self, edition: EditionId, side: BookSide) -> Vec<(u64, u64)> {
        let prefix = orders_prefix(&edition, side);
        let of = |(key, value): (&Bytes, &Bytes)| {
            let (price, items) = read_order(side, key.strip_prefix(&prefix[..])?, value)?;
            Some((price.0, items))
        };
        self.rows.iter().filter_map(of).collect()
    }

    fn steps(&self, subject: ObjectId) -> Vec<(String, Passing)> {
        let rows = self.history(subject).into_iter();
        let names = |row: &HistoryRow| row.kind_names().collect::<Vec<_>>().join("+");
        rows.map(|(_, row)| (names(&row), row.passing)).collect()
    }

    fn book_trades(&self, edition: EditionId) -> Vec<SaleRow> {
        let prefix = sales_prefix(&SaleScope::Edition(edition));
        let rows = self.rows.iter().filter(|(key, _)| key.starts_with(&prefix));
        let read = |(_, value): (&Bytes, &Bytes)| SaleRow::read(value.clone());
        rows.filter_map(read).collect()
    }
}

fn bid(edition: EditionId, price: u64, count: u64) -> Operation {
    let terms = NewDeal::bid(edition, Amount(price), count, EXPIRES);
    Operation::DealOpen(terms.unwrap())
}

fn ask(edition: EditionId, serials: std::ops::Range<u64>, price: u64) -> Operation {
    let items = serials.map(|serial| ItemId::derive(&edition, serial));
    let terms = NewDeal::ask(items.collect(), Amount(price), EXPIRES);
    Operation::DealOpen(terms.unwrap())
}

#[test]
fn l56_open_orders_stand_in_lists_by_price_the_best_first() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(3);
    let orders = vec![
        (3, vec![bid(edition, 20, 1), bid(edition, 25, 2)]),
        (2, vec![ask(edition, 1..2, 40), ask(edition, 2..4, 30)]),
    ];
    indexing.commit(orders);
    let bids = indexing.orders(edition, BookSide::Bid);
    assert_eq!(bids, [(25, 2), (20, 1)]);
    let asks = indexing.orders(edition, BookSide::Ask);
    assert_eq!(asks, [(30, 2), (40, 1)]);
    assert_eq!(indexing.deals(DealScope::Edition(edition)), [4, 0, 0, 0]);
    indexing.apply(EXPIRES, vec![]);
    assert_eq!(indexing.orders(edition, BookSide::Bid), []);
    assert_eq!(indexing.deals(DealScope::Edition(edition)), [0, 0, 0, 4]);
}

#[test]
fn l57_what_a_clearing_has_traded_stands_in_sales_and_histories() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(3);
    let orders = vec![
        (3, vec![bid(edition, 40, 2)]),
        (2, vec![ask(edition, 1..4, 30)]),
    ];
    let opened = indexing.commit(orders);
    let [_, ObjectId::Deal(deal)] = [0, 1].map(|n| opened.receipts[n].created[0]) else {
        panic!("two deals");
    };
    let item = ItemId::derive(&edition, 1);
    // The buyer sends it on in the commit that has brought it.
    let to = testing::user(5);
    let items = vec![weft_types::ItemTransfer { to, item }];
    let payments = vec![];
    indexing.commit(vec![(3, vec![Operation::Transfer { payments, items }])]);

    assert_eq!(indexing.orders(edition, BookSide::Bid), []);
    assert_eq!(indexing.orders(edition, BookSide::Ask), [(30, 1)]);
    assert_eq!(indexing.deals(DealScope::Edition(edition)), [1, 1, 0, 0]);
    let trades = indexing.book_trades(edition);
    let (seller, buyer) = (testing::user(2), testing::user(3));
    for trade in &trades {
        assert_eq!((trade.seller, trade.buyer), (seller, buyer));
        assert_eq!((trade.price, trade.deal), (Amount(30), deal));
        assert_eq!(trade.transaction, None);
    }
    assert_eq!(trades.len(), 2);
    let last = indexing.rows[&last_clearing_key(&edition)].clone();
    let last = ClearingRow::read(last).unwrap();
    assert_eq!((last.price, last.items), (Amount(30), 2));

    let steps = indexing.steps(ObjectId::Item(item));
    let by_book = Passing {
        from: Some(seller),
        to: Some(buyer),
        deal: Some(deal),
        price: Some(Amount(30)),
    };
    let sent = Passing {
        from: Some(buyer),
        to: Some(to),
        ..Passing::default()
    };
    assert!(steps.contains(&("book_traded".to_owned(), by_book)));
    assert!(steps.contains(&("transfer".to_owned(), sent)));
    for account in [seller, buyer] {
        let steps = indexing.steps(ObjectId::Account(account));
        let kinds = steps.iter().map(|(kind, _)| kind);
        assert_eq!(kinds.filter(|kind| *kind == "book_traded").count(), 1);
    }
}

#[test]
fn rows_of_orders_follow_from_the_state() {
    let mut indexing = Indexing::new();
    let (_, edition) = indexing.with_items(1);
    indexing.commit(vec![
        (3, vec![bid(edition, 20, 1)]),
        (2, vec![ask(edition, 1..2, 40)]),
    ]);
    let objects: Vec<_> = indexing.objects.clone().into_iter().collect();
    let rows = rows_of_state(&objects, &indexing.ledger.snapshot()).unwrap();
    let kept: Map<Bytes, Bytes> = rows
        .into_iter()
        .filter_map(|(k, v)| Some((k, v?)))
        .collect();
    for side in [BookSide::Bid, BookSide::Ask] {
        let prefix = orders_prefix(&edition, side);
        let of = |rows: &Map<Bytes, Bytes>| {
            let rows = rows.clone().into_iter();
            let rows = rows.filter(|(key, _)| key.starts_with(&prefix));
            rows.collect::<Vec<_>>()
        };
        assert_eq!(of(&kept), of(&indexing.rows));
        assert_eq!(of(&kept).len(), 1);
    }
}
