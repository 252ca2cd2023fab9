//! L57, L58: at which price an edition's book clears, and who trades how much. Numbers alone; what they are of is in
//! `execute/book.rs`.

use std::cmp::Reverse;
use weft_types::CommitIndex;

/// An order as it stands, and its lot, by which equals differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Of an item: at most of a bid, at least of an ask.
    pub price: u64,
    pub entered: CommitIndex,
    pub lot: [u8; 32],
    /// Items.
    pub count: u32,
}

/// What is traded of each order, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clearing {
    pub price: u64,
    pub bids: Vec<u32>,
    pub asks: Vec<u32>,
}

/// Clears orders of which each side is in the order of its priority (L58); `None` when nothing is traded.
pub(crate) fn clear(bids: &[Standing], asks: &[Standing]) -> Option<Clearing> {
    let price = clearing_price(bids, asks)?;
    let pays = bids.partition_point(|bid| bid.price >= price);
    let asks_for = asks.partition_point(|ask| ask.price <= price);
    let traded = items(&bids[..pays]).min(items(&asks[..asks_for]));
    let shares = |orders: &[Standing], in_it: usize| {
        let mut shares = shared(&orders[..in_it], traded);
        shares.resize(orders.len(), 0);
        shares
    };
    Some(Clearing {
        price,
        bids: shares(bids, pays),
        asks: shares(asks, asks_for),
    })
}

/// Prices, all alike in what is wanted and offered at them.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: u64,
    to: u64,
    wanted: u64,
    offered: u64,
}

impl Range {
    /// The more the better.
    fn fit(&self) -> (u64, Reverse<u64>) {
        let (wanted, offered) = (self.wanted, self.offered);
        (wanted.min(offered), Reverse(wanted.abs_diff(offered)))
    }
}

/// L57. What is wanted falls with the price and what is offered rises, so that the prices that fit best stand together.
fn clearing_price(bids: &[Standing], asks: &[Standing]) -> Option<u64> {
    let best = best_ranges(bids, asks);
    let (first, last) = (best.first()?.from, best.last()?.to);
    let more_wanted = best.iter().rev().find(|r| r.wanted > r.offered);
    let more_offered = best.iter().find(|r| r.wanted < r.offered);
    let low = more_wanted.map_or(first, |r| r.to);
    let high = more_offered.map_or(last, |r| r.from);
    Some(low + (high - low) / 2)
}

/// Ascending, from the lowest price that is asked for to the highest that is bid.
fn best_ranges(bids: &[Standing], asks: &[Standing]) -> Vec<Range> {
    let (Some(lowest), Some(highest)) = (asks.first(), bids.first()) else {
        return Vec::new();
    };
    let between = lowest.price..=highest.price;
    let above = bids.iter().filter_map(|bid| bid.price.checked_add(1));
    let mut starts: Vec<u64> = asks.iter().map(|ask| ask.price).chain(above).collect();
    starts.retain(|price| between.contains(price));
    starts.sort_unstable();
    starts.dedup();
    let (mut asks, mut bids) = (asks.iter().peekable(), bids.iter().rev().peekable());
    let mut wanted: u64 = bids.clone().map(|bid| u64::from(bid.count)).sum();
    let mut offered = 0;
    let mut best: Vec<Range> = Vec::new();
    for (n, from) in starts.iter().copied().enumerate() {
        while let Some(bid) = bids.next_if(|bid| bid.price < from) {
            wanted -= u64::from(bid.count);
        }
        while let Some(ask) = asks.next_if(|ask| ask.price <= from) {
            offered += u64::from(ask.count);
        }
        let to = starts.get(n + 1).map_or(highest.price, |next| next - 1);
        let range = Range {
            from,
            to,
            wanted,
            offered,
        };
        let fit = best.last().map(Range::fit);
        if fit < Some(range.fit()) {
            best.clear();
        }
        if fit <= Some(range.fit()) {
            best.push(range);
        }
    }
    best
}

fn items(orders: &[Standing]) -> u64 {
    orders.iter().map(|order| u64::from(order.count)).sum()
}

/// L58: what each order has of so many items: the first ones all that they want, and those that came in together at the
/// price at which not all can have it by their parts.
fn shared(orders: &[Standing], mut left: u64) -> Vec<u32> {
    let mut shares = Vec::with_capacity(orders.len());
    let together = |a: &Standing, b: &Standing| (a.price, a.entered) == (b.price, b.entered);
    for equals in orders.chunk_by(together) {
        let all = items(equals);
        if all <= left {
            shares.extend(equals.iter().map(|order| order.count));
        } else {
            shares.extend(pro_rata(equals, left, all));
        }
        left = left.saturating_sub(all);
    }
    shares
}

/// L58: by largest remainder, the lesser lot first among equal ones. Fewer items than all want.
fn pro_rata(equals: &[Standing], items: u64, all: u64) -> Vec<u32> {
    let part = |order: &Standing| {
        let product = u128::from(order.count) * u128::from(items);
        (product / u128::from(all), product % u128::from(all))
    };
    let whole = |order| u32::try_from(part(order).0).expect("a part of what the order wants");
    let mut shares: Vec<u32> = equals.iter().map(whole).collect();
    let given: u64 = shares.iter().map(|share| u64::from(*share)).sum();
    let mut by_remainder: Vec<usize> = (0..equals.len()).collect();
    by_remainder.sort_by_key(|n| (Reverse(part(&equals[*n]).1), equals[*n].lot));
    let rest = items.saturating_sub(given) as usize;
    by_remainder
        .into_iter()
        .take(rest)
        .for_each(|n| shares[n] += 1);
    shares
}

#[cfg(test)]
mod tests;
