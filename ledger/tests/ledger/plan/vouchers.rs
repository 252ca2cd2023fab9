//! Histories of vouchers: a check of each takes a millisecond, so that they have histories of their own.

use super::{Act, Plan, USERS, good, one_to, up_to};
use proptest::prelude::*;

/// Keys of pools of vouchers.
pub const POOLS: u64 = 6;

fn pool() -> impl Strategy<Value = Act> {
    let worth = prop_oneof![4 => 1..300u64, 15 => 5_500..10_000u64, 1 => Just(u64::MAX)];
    let lasts = prop_oneof![1 => -5..=0i64, 5 => 1..5_000i64, 8 => 5_000..200_000i64];
    (0..POOLS, worth, prop::bool::weighted(0.2), lasts).prop_map(|(n, worth, coins, lasts)| {
        Act::Pool {
            n,
            worth,
            coins,
            lasts,
        }
    })
}

fn covered() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1..4u64, 1 => prop::sample::select(vec![1 << 20, 1 + (1 << 20), u64::MAX])]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => pool(),
        6 => (any::<u16>(), covered()).prop_map(|(pool, count)| Act::Cover { pool, count }),
        18 => any::<u16>().prop_map(|pool| Act::Spend { pool }),
        2 => (0..USERS, 1..300u64, any::<bool>())
            .prop_map(|(to, amount, twice)| Act::Pay { to, amount, twice }),
        2 => (0..USERS, 500_000..2_000_000u64)
            .prop_map(|(to, amount)| Act::Pay { to, amount, twice: false }),
        1 => (1..4u8, up_to(1, any::<u16>()))
            .prop_map(|(address, cards)| Act::Exit { address, cards }),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let party = (0..USERS, one_to(2, act()));
    prop_oneof![
        4 => act().prop_map(|act| vec![act]),
        4 => one_to(3, act()),
        1 => one_to(2, party).prop_map(|parties| vec![Act::Together { parties }]),
    ]
}

/// A pool that covers some vouchers.
pub fn prelude() -> [Plan; 2] {
    let pool = Act::Pool {
        n: 0,
        worth: 8_000,
        coins: false,
        lasts: 9_000,
    };
    // One after the other: what is covered is chosen among the pools that there are.
    [pool, Act::Cover { pool: 0, count: 9 }].map(|act| good(2, vec![act]))
}

/// One in four is by who has nothing but vouchers.
pub fn plan() -> impl Strategy<Value = Plan> {
    let sender = prop_oneof![3 => 0..USERS - 1, 1 => Just(USERS - 1)];
    let later = prop_oneof![8 => 0..500u64, 4 => 500..5_000u64];
    (
        (sender, prop::option::weighted(0.1, 0..USERS - 1), acts()),
        prop::option::weighted(0.05, any::<u16>()),
        prop::option::weighted(0.2, (0..USERS - 1, any::<u8>(), 1..90_000u64)),
        prop::option::weighted(0.5, later),
        prop::bool::weighted(0.05),
    )
        .prop_map(
            |((sender, sponsor, operations), again, deposit, commit, restart)| Plan {
                sponsor,
                again,
                deposit,
                commit,
                restart,
                ..good(sender, operations)
            },
        )
}
