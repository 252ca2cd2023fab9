use super::*;
use weft_types::api::Clearing;
use weft_types::{CommitIndex, Millis};

fn level(price: u64, items: u64, orders: u64) -> Level {
    Level {
        price: Amount(price),
        items,
        orders,
    }
}

#[test]
fn a_book_is_shown_from_the_dearest_ask_to_the_lowest_bid() {
    let mut book = Book {
        edition: EditionId([7; 32]),
        bids: vec![level(40, 5, 2), level(38, 1, 1)],
        asks: vec![level(45, 3, 1), level(50, 9, 4)],
        last: Some(Clearing {
            commit: CommitIndex(9),
            timestamp: Millis(0),
            price: Amount(42),
            items: 6,
        }),
    };
    let text = shown(&book);
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "ask  50  x9  4 orders",
        "ask  45  x3  1 order",
        "bid  40  x5  2 orders",
        "bid  38  x1  1 order",
    ];
    assert_eq!(lines[..4], expected);
    assert!(
        lines[4].starts_with("last  42 for each of 6, at "),
        "{text}"
    );
    (book.bids, book.asks, book.last) = (vec![], vec![], None);
    assert_eq!(shown(&book), "no orders");
}
