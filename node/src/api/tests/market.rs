use super::harness::{Node, clock, signed};
use super::lists::all;
use super::world::{World, native, sell};
use weft_types::api::{Deal, Prices, ProblemCode, Trade, Turnover};
use weft_types::*;

async fn open(node: &Node, user: u64, nonce: u64, operation: Operation) -> DealId {
    let status = node.done(&signed(user, nonce, vec![operation])).await;
    match status.receipt.unwrap().created[0] {
        ObjectId::Deal(id) => id,
        other => panic!("a deal, not {other}"),
    }
}

async fn take(node: &Node, user: u64, nonce: u64, deal: DealId, items: Vec<ItemId>) {
    let take = Operation::DealTake(Taking::new(deal, items));
    let status = node.done(&signed(user, nonce, vec![take])).await;
    assert_eq!(status.code, Some(0), "{status:?}");
}

fn offer(price: u64, items: Vec<ItemId>, from: Option<WantedFrom>) -> Operation {
    let any = from.map(|from| WantedItems { from, count: 1 });
    Operation::DealOpen(NewDeal {
        gives: Bundle {
            assets: native(price),
            items: vec![],
        },
        wants: Bundle {
            assets: vec![],
            items,
        },
        wants_any: any.into_iter().collect(),
        expires: clock().saturating_add(60_000),
        ..NewDeal::default()
    })
}

#[tokio::test]
async fn a_market_page_has_the_cheapest_listing_and_the_highest_offer_first() {
    let node = Node::start();
    let world = World::make(&node).await;
    let soon = clock().saturating_add(60_000);
    let mut listed = Vec::new();
    for (nonce, item, price) in [
        (1, world.plain(1), 30),
        (2, world.gold(1), 20),
        (3, world.plain(2), 10),
    ] {
        listed.push(open(&node, 2, nonce, sell(vec![item], price, soon)).await);
    }
    let any = |id| Some(WantedFrom::Edition(id));
    let low = open(&node, 3, 1, offer(5, vec![], any(world.gold))).await;
    let high = open(&node, 4, 1, offer(9, vec![], any(world.gold))).await;
    let mine = open(&node, 4, 2, offer(70, vec![world.gold(2)], None)).await;
    let collection = format!("collection={}", world.collection);
    let [gold, plain] = [world.gold, world.plain].map(|id| format!("edition={id}"));
    for (query, expected) in [
        (
            format!("side=listing&{collection}"),
            &[listed[2], listed[1], listed[0]][..],
        ),
        (format!("side=listing&{plain}"), &[listed[2], listed[0]]),
        (
            format!("side=listing&{collection}&trait=rarity:rare"),
            &[listed[1]],
        ),
        (
            format!("side=listing&{plain}&giver={}", testing::user(3)),
            &[],
        ),
        (format!("side=offer&{gold}"), &[high, low]),
        (format!("side=offer&{collection}"), &[]),
        (format!("side=offer&item={}", world.gold(2)), &[mine]),
    ] {
        for limit in [1, 50] {
            let found = all::<Deal>(&node, &format!("/v1/deals?{query}"), limit).await;
            let found: Vec<_> = found.iter().map(|d| d.id).collect();
            assert_eq!(found, expected, "{query}, {limit} at a time");
        }
    }
}

#[tokio::test]
async fn prices_are_those_of_open_deals_and_of_what_was_sold_in_a_day() {
    let node = Node::start();
    let world = World::make(&node).await;
    let path = format!("/v1/editions/{}", world.plain);
    let none: Prices = node.get(&format!("{path}/prices")).await.json();
    assert_eq!((none.floor, none.offer, &none.last), (None, None, &None));
    assert_eq!(none.day, Turnover::default());
    let begun = clock();
    let late = begun.saturating_add(90_000_000);
    let bundle = vec![world.plain(1), world.plain(2)];
    let sold = open(&node, 2, 1, sell(bundle, 25, late)).await;
    let listed = open(&node, 2, 2, sell(vec![world.plain(3)], 40, late)).await;
    let gold = Some(WantedFrom::Edition(world.gold));
    let wanted = open(&node, 4, 1, offer(60, vec![], gold)).await;
    take(&node, 3, 1, sold, vec![]).await;
    take(&node, 2, 3, wanted, vec![world.gold(2)]).await;

    let prices: Prices = node.get(&format!("{path}/prices")).await.json();
    assert_eq!((prices.floor, prices.offer), (Some(Amount(40)), None));
    let last = prices.last.unwrap();
    assert_eq!((last.price, last.deal), (Amount(13), sold));
    assert_eq!(
        (last.seller, last.buyer),
        (testing::user(2), testing::user(3))
    );
    let day = |trades, volume| Turnover {
        trades,
        volume: Amount(volume),
    };
    assert_eq!(prices.day, day(2, 25));
    let collection = format!("/v1/collections/{}", world.collection);
    let prices: Prices = node.get(&format!("{collection}/prices")).await.json();
    assert_eq!(prices.day, day(3, 85));
    assert_eq!(prices.last.unwrap().item, world.gold(2));
    for (path, expected) in [(&path, &[13, 12][..]), (&collection, &[60, 13, 12])] {
        for limit in [1, 50] {
            let trades = all::<Trade>(&node, &format!("{path}/trades"), limit).await;
            let found: Vec<_> = trades.iter().map(|t| t.price.0).collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    // A day later only what is sold then counts.
    node.commit_at(begun.saturating_add(86_500_000));
    let later: Prices = node.get(&format!("{path}/prices")).await.json();
    assert_eq!(later.day, day(0, 0));
    assert_eq!(
        (later.floor, later.last.unwrap().price.0),
        (Some(Amount(40)), 13)
    );
    let unknown = format!("/v1/editions/{}/prices", listed);
    node.get(&unknown).await.problem(ProblemCode::NotFound);
}
