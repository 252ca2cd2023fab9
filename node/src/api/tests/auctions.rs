use super::harness::{Node, clock, signed};
use super::world::{World, native};
use axum::http::StatusCode;
use weft_types::api::{Deal, DealState, HighestBid, History, Page, ProblemCode, Trade};
use weft_types::*;

/// An auction by user 2 that brings user 4 a commission.
async fn auctioned(node: &Node, item: ItemId) -> DealId {
    let expires = clock().saturating_add(60_000);
    let mut terms = testing::auction();
    terms.gives.items = vec![item];
    terms.expires = expires;
    terms.rule = DealRule::Auction(Auction {
        raise: 1_000,
        extend: Millis(90_000),
        last: expires.saturating_add(60_000),
    });
    opened(node, 2, 1, terms).await
}

async fn opened(node: &Node, user: u64, nonce: u64, terms: NewDeal) -> DealId {
    let open = signed(user, nonce, vec![Operation::DealOpen(terms)]);
    let status = node.done(&open).await;
    match status.receipt.unwrap().created[0] {
        ObjectId::Deal(id) => id,
        other => panic!("a deal, not {other}"),
    }
}

async fn bid(node: &Node, user: u64, nonce: u64, deal: DealId, amount: u64) -> Option<u32> {
    let amount = Amount(amount);
    let bid = signed(user, nonce, vec![Operation::Bid { deal, amount }]);
    node.done(&bid).await.code
}

#[tokio::test]
async fn an_auction_shows_the_highest_bid_the_next_one_and_when_it_ends() {
    let node = Node::start();
    let world = World::make(&node).await;
    let deal = auctioned(&node, world.gold(1)).await;
    let path = format!("/v1/deals/{deal}");
    let before: Deal = node.get(&path).await.json();
    assert_eq!(
        (before.highest_bid, before.least_bid),
        (None, Some(Amount(250)))
    );
    assert_eq!(before.reference, "A1-001");
    assert_eq!(bid(&node, 3, 1, deal, 255).await, Some(0));
    let low = FailureCode::BidTooLow.number();
    assert_eq!(bid(&node, 4, 1, deal, 280).await, Some(low));
    let after: Deal = node.get(&path).await.json();
    let highest = HighestBid {
        by: testing::user(3),
        amount: Amount(255),
    };
    assert_eq!(after.highest_bid, Some(highest));
    assert_eq!(after.least_bid, Some(Amount(281)));
    assert!(after.expires > before.expires);
    node.commit_at(clock().saturating_add(200_000));
    let sold: Deal = node.get(&path).await.json();
    assert_eq!(sold.state, DealState::Taken);
    assert_eq!((sold.taker, sold.least_bid), (Some(testing::user(3)), None));
    let trades = format!("/v1/collections/{}/trades", world.collection);
    let trades: Page<Trade> = node.get(&trades).await.json();
    let prices: Vec<_> = trades.items.iter().map(|t| (t.deal, t.price)).collect();
    assert_eq!(
        prices,
        [(deal, Amount(255))],
        "what was bid, and not the reserve"
    );
    // User 4 has bid in vain, and has the commission.
    for (user, kinds) in [(3, ["auction_sold", "bid"]), (4, ["auction_sold", "bid"])] {
        let path = format!("/v1/accounts/{}/history", testing::user(user));
        let history: Page<History> = node.get(&path).await.json();
        let steps: Vec<_> = history
            .items
            .iter()
            .map(|s| s.operations.join("+"))
            .collect();
        assert_eq!(steps, kinds, "of user {user}");
    }
}

#[tokio::test]
async fn deals_are_found_by_rule_and_offers_by_the_trait_that_they_want() {
    let node = Node::start();
    let world = World::make(&node).await;
    let auction = auctioned(&node, world.plain(1)).await;
    let wanted = WantedItems {
        from: WantedFrom::Trait {
            collection: world.collection,
            name: "rarity".to_owned(),
            value: "rare".to_owned(),
        },
        count: 1,
    };
    let offer = NewDeal {
        gives: Bundle {
            assets: native(5),
            items: vec![],
        },
        wants_any: vec![wanted],
        expires: clock().saturating_add(60_000),
        ..NewDeal::default()
    };
    let offer = opened(&node, 3, 1, offer).await;
    let collection = world.collection;
    for (query, expected) in [
        ("rule=auction".to_owned(), vec![auction]),
        ("rule=fixed".to_owned(), vec![offer]),
        ("trait=rarity:rare".to_owned(), vec![offer]),
        (
            format!("collection={collection}&trait=rarity:rare"),
            vec![offer],
        ),
        (
            format!("collection={collection}&rule=auction"),
            vec![auction],
        ),
    ] {
        let page: Page<Deal> = node.get(&format!("/v1/deals?{query}")).await.json();
        let found: Vec<_> = page.items.iter().map(|d| d.id).collect();
        assert_eq!(found, expected, "{query}");
    }
    // Neither can be taken for its price by whoever holds, or wants, any card of the collection.
    for side in ["listing", "offer"] {
        let by_price = format!("/v1/deals?side={side}&collection={collection}");
        let page: Page<Deal> = node.get(&by_price).await.json();
        assert_eq!(page.items, [], "{side}");
    }
    let wrong = node.get("/v1/deals?rule=lottery").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    wrong.problem(ProblemCode::MalformedParameter);
}
