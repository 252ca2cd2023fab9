//! A channel for tests: of user 1's with user 2, whose book it is, and the newest state of which has parts.

use weft_types::api::Deal;
use weft_types::{Book, DealId, testing};

pub fn book() -> Book {
    let deal = (DealId([9; 32]), testing::user(1), testing::channel());
    let book = Book::new(testing::network().id(), deal, true);
    Book {
        newest: Some(testing::signed_state()),
        ..book.expect("a channel")
    }
}

pub fn deal() -> Deal {
    let open = weft_types::Deal::open(testing::user(1), testing::channel());
    Deal::new(DealId([9; 32]), &open)
}
