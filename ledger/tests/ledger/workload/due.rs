//! What the ledger does by itself in a commit, for which nobody pays then: little, and as much as a commit does.

use super::deals::{PACKS, auction, book, sell, series};
use super::things::owned;
use super::{Act, Cast, Size, accounts};
use crate::world::{self, World, assets, cards, terms};
use weft_ledger::{BOOK_ORDERS_MAX, POOL_WORK_MAX, POSTED_WORK_MAX};
use weft_types::testing::user;
use weft_types::{Availability, Millis, NewDeal};

/// When all of it is due, with the first commits from then on.
pub struct Due {
    pub at: Millis,
    /// Amounts, items, orders, marks or records.
    pub work: u64,
}

pub struct Row {
    pub name: &'static str,
    pub make: fn(&mut World, Cast, Size) -> Due,
}

pub const ROWS: &[Row] = &[
    row("nothing", nothing),
    row("deals expire", expire),
    row("auctions end", end_auctions),
    row("series are paid back", pay_back),
    row("a book clears", clear),
    row("a book is crossed, its items frozen", look),
    row("a pool ends", end_pool),
    row("posted data go", end_posted),
];

const fn row(name: &'static str, make: fn(&mut World, Cast, Size) -> Due) -> Row {
    Row { name, make }
}

const WINDOW: u64 = 50_000;

fn soon(world: &World) -> Millis {
    Millis(world.now + WINDOW)
}

fn now(world: &World, work: u64) -> Due {
    let at = Millis(world.now);
    Due { at, work }
}

fn nothing(world: &mut World, _: Cast, _: Size) -> Due {
    now(world, 0)
}

/// Deals of as many items as they may have, until a commit has enough.
fn expire(world: &mut World, cast: Cast, size: Size) -> Due {
    let at = soon(world);
    let mut work = 0;
    for _ in 0..size.of(1, 16) {
        let items = owned(world, cast, 1, size);
        let terms = NewDeal {
            expires: at,
            ..terms(cards(&items), assets(100))
        };
        world.open(cast.user(1), terms);
        work += items.len() as u64;
    }
    Due { at, work }
}

fn end_auctions(world: &mut World, cast: Cast, size: Size) -> Due {
    let at = soon(world);
    let mut work = 0;
    for _ in 0..size.of(1, 16) {
        let items = owned(world, cast, 1, size);
        let deal = world.open(cast.user(1), auction(&items, at));
        world.done(cast.user(2), world::bid(deal, 100));
        work += items.len() as u64 + 1;
    }
    Due { at, work }
}

/// Sold out and with a lot under a height, whose secret nobody shows.
fn pay_back(world: &mut World, cast: Cast, size: Size) -> Due {
    let mut work = 0;
    for _ in 0..size.of(1, 4) {
        let packs = size.of(1, PACKS);
        let terms = series(world, cast, (packs, size));
        let deal = world.open(cast.user(1), terms);
        sell(world, cast, deal, packs);
        work += 3 * u64::from(packs);
    }
    for _ in 0..3 {
        world.lead();
        world.commit(&[]);
        world.now += world.ledger.params().finality_interval_ms.0;
    }
    let at = Millis(world.now + 600_000);
    Due { at, work }
}

fn clear(world: &mut World, cast: Cast, size: Size) -> Due {
    let orders = size.of(1, BOOK_ORDERS_MAX as u64);
    book(world, cast, (orders, false));
    now(world, 3 * orders)
}

fn look(world: &mut World, cast: Cast, size: Size) -> Due {
    let orders = size.of(1, BOOK_ORDERS_MAX as u64);
    book(world, cast, (orders, true));
    now(world, 2 * orders)
}

fn end_pool(world: &mut World, cast: Cast, size: Size) -> Due {
    let (at, marks) = (soon(world), size.of(1, POOL_WORK_MAX as u64 - 1));
    accounts::pool(world, cast, (marks, at));
    let gift = accounts::payments((0..marks).map(|n| user(cast.crowd(n))), 20_000);
    world.done(cast.user(0), gift);
    for n in 0..marks {
        let holder = cast.crowd(n);
        world.done(holder, world::spend(user(holder), cast.0));
    }
    let work = marks + 1;
    Due { at, work }
}

fn end_posted(world: &mut World, cast: Cast, size: Size) -> Due {
    let (at, work) = (soon(world), size.of(1, POSTED_WORK_MAX as u64));
    for n in 0..work {
        let claim = Availability {
            until: at,
            ..accounts::claim(cast.0 * work + n)
        };
        let post = world::posting(claim, &[0, 1, 2]);
        let signed = Act::by(cast.user(0), post).signed(world);
        assert_eq!(world.run_signed(signed).failure, None);
    }
    Due { at, work }
}
