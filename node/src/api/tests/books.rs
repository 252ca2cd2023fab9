use super::harness::{Node, clock, signed};
use super::world::World;
use axum::http::StatusCode;
use weft_types::api::{Book, Deal, DealState, Level, Page, ProblemCode, Trade};
use weft_types::*;

async fn order(node: &Node, user: u64, nonce: u64, terms: Option<NewDeal>) -> DealId {
    let open = Operation::DealOpen(terms.unwrap());
    let status = node.done(&signed(user, nonce, vec![open])).await;
    match status.receipt.unwrap().created[0] {
        ObjectId::Deal(id) => id,
        other => panic!("a deal, not {other}"),
    }
}

fn level(price: u64, items: u64, orders: u64) -> Level {
    Level {
        price: Amount(price),
        items,
        orders,
    }
}

#[tokio::test]
async fn a_book_has_its_levels_and_the_price_that_was_traded_at_last() {
    let node = Node::start();
    let world = World::make(&node).await;
    let (edition, later) = (world.plain, clock().saturating_add(60_000));
    let bid = |price, count| NewDeal::bid(edition, Amount(price), count, later);
    let path = format!("/v1/editions/{edition}/book");
    let empty: Book = node.get(&path).await.json();
    assert_eq!((empty.bids, empty.asks, empty.last), (vec![], vec![], None));

    order(&node, 3, 1, bid(20, 1)).await;
    order(&node, 3, 2, bid(25, 2)).await;
    order(&node, 4, 1, bid(25, 1)).await;
    let items = [1, 2, 3].map(|n| world.plain(n)).to_vec();
    let asked = NewDeal::ask(items, Amount(40), later);
    let ask = order(&node, 2, 1, asked).await;
    let book: Book = node.get(&path).await.json();
    assert_eq!(book.bids, [level(25, 3, 2), level(20, 1, 1)]);
    assert_eq!(book.asks, [level(40, 3, 1)]);
    let best: Book = node.get(&format!("{path}?limit=1")).await.json();
    assert_eq!(best.bids, [level(25, 3, 2)]);

    order(&node, 3, 3, bid(44, 1)).await;
    node.commit_at(clock());
    let book: Book = node.get(&path).await.json();
    assert_eq!(book.asks, [level(40, 2, 1)]);
    let last = book.last.unwrap();
    assert_eq!((last.price, last.items), (Amount(40), 1));
    let deal: Deal = node.get(&format!("/v1/deals/{ask}")).await.json();
    assert_eq!((deal.state, deal.gives.items.len()), (DealState::Open, 2));
    assert_eq!(deal.order.unwrap().traded, 1);
    let listed = format!("/v1/deals?rule=book&edition={edition}");
    let listed: Page<Deal> = node.get(&listed).await.json();
    assert_eq!(listed.items.len(), 4);
    let trades = format!("/v1/editions/{edition}/trades");
    let trades: Page<Trade> = node.get(&trades).await.json();
    let prices: Vec<_> = trades.items.iter().map(|t| (t.deal, t.price)).collect();
    assert_eq!(prices, [(ask, Amount(40))]);
}

#[tokio::test]
async fn a_book_is_of_an_edition_that_there_is() {
    let node = Node::start();
    let nothing = EditionId([1; 32]);
    let answer = node.get(&format!("/v1/editions/{nothing}/book")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    answer.problem(ProblemCode::NotFound);
    let answer = node.get("/v1/editions/what/book").await;
    answer.problem(ProblemCode::MalformedParameter);
}
