use super::*;
use weft_types::testing::user;
use weft_types::{DealState, Millis, NewDeal, Order};

const EDITION: EditionId = EditionId([7; 32]);

fn order(price: u64, count: u64, ask: bool) -> Deal {
    let (price, later) = (Amount(price), Millis(9));
    let items = (0..count).map(|n| weft_types::ItemId([n as u8; 32]));
    let terms = match ask {
        true => NewDeal::ask(items.collect(), price, later),
        false => NewDeal::bid(EDITION, price, count, later),
    };
    Deal {
        order: Some(Order {
            edition: EDITION,
            ..Order::default()
        }),
        ..Deal::open(user(1), terms.unwrap())
    }
}

fn id(n: usize) -> DealId {
    let mut id = DealId::default();
    id.0[..8].copy_from_slice(&n.to_be_bytes());
    id
}

fn with(orders: &[Deal]) -> Books {
    let mut books = Books::default();
    for (n, order) in orders.iter().enumerate() {
        books.follow(id(n), None, Some(order));
    }
    books
}

fn numbers(ranks: &[Rank]) -> Vec<usize> {
    let number = |rank: &Rank| usize::from(rank.deal.0[6]) << 8 | usize::from(rank.deal.0[7]);
    ranks.iter().map(number).collect()
}

#[test]
fn a_book_is_due_while_it_is_crossed_and_gone_without_orders() {
    let orders = [order(5, 1, false), order(6, 1, true), order(6, 2, false)];
    let mut books = with(&orders[..2]);
    assert_eq!(books.due().count(), 0);
    books.follow(id(2), None, Some(&orders[2]));
    let (_, book) = books.due().next().unwrap();
    let (bids, asks) = book.crossing();
    assert_eq!((numbers(&bids), numbers(&asks)), (vec![2], vec![1]));
    books.follow(id(2), Some(&orders[2]), None);
    assert_eq!(books.due().count(), 0);
    for (n, order) in orders[..2].iter().enumerate() {
        books.follow(id(n), Some(order), None);
    }
    assert!(books.books.is_empty());
    // One side alone crosses nothing.
    assert_eq!(with(&orders[..1]).due().count(), 0);
    assert_eq!(with(&[order(0x7f, 1, true)]).due().count(), 0);
}

#[test]
fn what_is_left_of_an_order_takes_its_place() {
    let (whole, left) = (order(6, 5, false), order(6, 2, false));
    let mut books = with(&[whole.clone(), order(7, 1, false)]);
    books.follow(id(0), Some(&whole), Some(&left));
    let book = &books.books[&EDITION];
    assert_eq!((book.bids.orders.len(), book.bids.items), (2, 3));
    assert_eq!(DealState::Open, left.state);
}

#[test]
fn the_worst_are_beyond_by_orders_and_by_items() {
    let mut many: Vec<Deal> = (0..=BOOK_ORDERS_MAX).map(|_| order(9, 1, false)).collect();
    many[3] = order(8, 1, false);
    let books = with(&many);
    let (_, book) = books.due().next().expect("too many are due");
    assert_eq!(numbers(&book.beyond()), [3]);
    let large: Vec<Deal> = (0..18).map(|n| order(50 - n, 255, false)).collect();
    assert_eq!(with(&large[..16]).due().count(), 0, "4,080 items");
    let books = with(&large);
    let (_, book) = books.due().next().unwrap();
    assert_eq!(numbers(&book.beyond()), [16, 17]);
    let (bids, asks) = book.crossing();
    assert!(bids.is_empty() && asks.is_empty());
}
