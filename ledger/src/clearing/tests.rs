use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn order(price: u64, entered: u64, count: u32) -> Standing {
    Standing {
        price,
        entered: CommitIndex(entered),
        lot: [count as u8; 32],
        count,
    }
}

/// By price, of the same commit.
fn orders(of: &[(u64, u32)]) -> Vec<Standing> {
    of.iter()
        .map(|(price, count)| order(*price, 0, *count))
        .collect()
}

fn price(bids: &[(u64, u32)], asks: &[(u64, u32)]) -> Option<u64> {
    clear(&orders(bids), &orders(asks)).map(|c| c.price)
}

#[test]
fn nothing_trades_where_less_is_bid_than_asked_for() {
    assert_eq!(price(&[], &[]), None);
    assert_eq!(price(&[(9, 1)], &[]), None);
    assert_eq!(price(&[], &[(9, 1)]), None);
    assert_eq!(price(&[(9, 1)], &[(10, 1)]), None);
    assert_eq!(price(&[(9, 1)], &[(9, 1)]), Some(9));
}

#[test]
fn the_price_is_the_one_that_trades_most() {
    // At 20 one item trades, from 8 to 10 five do.
    assert_eq!(price(&[(20, 1), (10, 4)], &[(5, 1), (8, 4)]), Some(9));
    // At 30 three of four would: the one that bids 10 does not see it through.
    assert_eq!(price(&[(30, 3), (10, 1)], &[(10, 4)]), Some(10));
}

#[test]
fn of_several_it_is_the_one_with_the_least_left_over() {
    // Four trade from 5 to 9: up to 7 with two wanted more, from 8 on with none.
    assert_eq!(price(&[(9, 4), (7, 2)], &[(5, 4)]), Some(8));
    // And so for what is offered: from 6 on one more is.
    assert_eq!(price(&[(9, 4)], &[(5, 4), (6, 1)]), Some(5));
}

#[test]
fn the_side_that_is_short_has_the_better_price_and_equal_ones_the_middle() {
    assert_eq!(price(&[(9, 5)], &[(5, 4)]), Some(9));
    assert_eq!(price(&[(9, 4)], &[(5, 5)]), Some(5));
    assert_eq!(price(&[(9, 4)], &[(5, 4)]), Some(7));
    assert_eq!(price(&[(8, 4)], &[(5, 4)]), Some(6), "rounded down");
    // Two more are wanted up to 6, two more offered from 7 on.
    assert_eq!(price(&[(9, 4), (6, 2)], &[(5, 4), (7, 2)]), Some(6));
}

#[test]
fn prices_reach_from_one_end_to_the_other() {
    let most = u64::MAX;
    assert_eq!(price(&[(most, 1)], &[(0, 1)]), Some(most / 2));
    assert_eq!(price(&[(most, 1)], &[(most, 1)]), Some(most));
    assert_eq!(price(&[(most, 2)], &[(1, 1)]), Some(most));
    assert_eq!(price(&[(most, 1)], &[(1, 2)]), Some(1));
    assert_eq!(price(&[(0, 1)], &[(0, 1)]), Some(0));
    assert_eq!(price(&[(most, 1)], &[(most - 1, 1)]), Some(most - 1));
    let many = u32::MAX;
    let clearing = clear(&orders(&[(9, many), (9, many)]), &orders(&[(9, many)])).unwrap();
    assert_eq!(clearing.bids, [many / 2 + 1, many / 2]);
}

#[test]
fn the_earlier_of_one_price_trade_first() {
    let bids = [order(9, 1, 3), order(9, 2, 3), order(9, 3, 3)];
    let clearing = clear(&bids, &orders(&[(9, 5)])).unwrap();
    assert_eq!(clearing.bids, [3, 2, 0]);
    assert_eq!(clearing.asks, [5]);
}

#[test]
fn those_that_came_together_share_by_the_largest_remainder() {
    // 10 of 7 + 2 + 1 + 3: 5.38, 1.54, 0.77, 2.31.
    let asks = orders(&[(4, 7), (4, 2), (4, 1), (4, 3)]);
    let clearing = clear(&orders(&[(4, 10)]), &asks).unwrap();
    assert_eq!(clearing.asks, [5, 2, 1, 2]);
    // Equal remainders: the lesser lots first.
    let lots = [7, 3, 5].map(|lot| Standing {
        lot: [lot; 32],
        ..order(4, 0, 2)
    });
    let clearing = clear(&orders(&[(4, 2)]), &lots).unwrap();
    assert_eq!(clearing.asks, [0, 1, 1]);
}

fn side() -> impl Strategy<Value = Vec<Standing>> {
    let one = (1..12u64, 0..3u64, 1..6u32, any::<u8>());
    let one = one.prop_map(|(price, entered, count, lot)| Standing {
        lot: [lot; 32],
        ..order(price, entered, count)
    });
    vec(one, 0..8)
}

proptest! {
    #[test]
    fn nobody_trades_beyond_his_limit_and_whoever_bids_better_trades_whole(
        mut bids in side(), mut asks in side(),
    ) {
        bids.sort_by_key(|b| (!b.price, b.entered, b.lot));
        asks.sort_by_key(|a| (a.price, a.entered, a.lot));
        let total = |counts: &[u32]| counts.iter().sum::<u32>();
        let at = |price| {
            let wanted = bids.iter().filter(|b| b.price >= price).map(|b| b.count).sum::<u32>();
            let offered = asks.iter().filter(|a| a.price <= price).map(|a| a.count).sum::<u32>();
            wanted.min(offered)
        };
        let most = (0..14).map(at).max().unwrap();
        let Some(clearing) = clear(&bids, &asks) else {
            prop_assert_eq!(most, 0);
            return Ok(());
        };
        prop_assert_eq!(total(&clearing.bids), most);
        prop_assert_eq!(total(&clearing.asks), most);
        for (bid, count) in bids.iter().zip(&clearing.bids) {
            prop_assert!(*count <= bid.count);
            prop_assert!(*count == 0 || bid.price >= clearing.price);
            prop_assert!(*count == bid.count || bid.price <= clearing.price);
        }
        for (ask, count) in asks.iter().zip(&clearing.asks) {
            prop_assert!(*count <= ask.count);
            prop_assert!(*count == 0 || ask.price <= clearing.price);
            prop_assert!(*count == ask.count || ask.price >= clearing.price);
        }
    }
}
