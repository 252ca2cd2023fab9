//! Histories of books: few editions and few prices, so that orders meet.

use super::{Act, Plan, USERS, good, one_to, up_to};
use proptest::prelude::*;

/// An order to enter.
#[derive(Debug, Clone)]
pub struct Entered {
    pub ask: bool,
    pub of: u16,
    pub price: u64,
    pub count: u64,
    pub lasts: i64,
    /// Of an ask: to whom, and how many parts.
    pub commission: Option<(u64, u32)>,
    /// One in eight asks for items of several editions.
    pub mixed: u8,
}

fn entered() -> impl Strategy<Value = Act> {
    let price = prop_oneof![30 => 10..16u64, 4 => 1..40u64, 1 => Just(u64::MAX / 256)];
    let count = prop_oneof![20 => 1..7u64, 1 => Just(256u64)];
    let lasts = prop_oneof![1 => -5..=0i64, 3 => 1..2_000i64, 12 => 2_000..200_000i64];
    let commission = prop::option::weighted(0.2, (0..USERS, 1..2_000u32));
    (
        prop::bool::weighted(0.45),
        any::<u16>(),
        price,
        count,
        lasts,
        commission,
        any::<u8>(),
    )
        .prop_map(|(ask, of, price, count, lasts, commission, mixed)| {
            Act::Enter(Entered {
                ask,
                of,
                price,
                count,
                lasts,
                commission,
                mixed,
            })
        })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        30 => entered(),
        3 => any::<u16>().prop_map(|deal| Act::CancelOrder { deal }),
        1 => (any::<u16>(), up_to(2, any::<u16>()))
            .prop_map(|(deal, picks)| Act::Take { deal, picks, fitting: true, secret: 0 }),
        2 => (0..USERS, one_to(3, any::<u16>())).prop_map(|(to, items)| Act::Send { to, items }),
        2 => (prop::bool::weighted(0.4), any::<u8>(), one_to(2, any::<u16>()))
            .prop_map(|(frozen, kind, of)| Act::Freeze { frozen, kind, of }),
        1 => (any::<u16>(), prop_oneof![3 => 0..5u8, 1 => 5..11u8], 40..110u64)
            .prop_map(|(of, kind, figure)| Act::Policy { of, kind, figure, roles: vec![] }),
        1 => (one_to(1, any::<u16>()), any::<u8>()).prop_map(|(items, text)| Act::Void { items, text }),
        1 => (1..4u8, up_to(1, any::<u16>()))
            .prop_map(|(address, cards)| Act::Exit { address, cards }),
        1 => (0..USERS, 1..90_000u64, any::<bool>())
            .prop_map(|(to, amount, twice)| Act::Pay { to, amount, twice }),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let party = (0..USERS, one_to(2, act()));
    prop_oneof![
        5 => act().prop_map(|act| vec![act]),
        3 => one_to(3, act()),
        1 => one_to(2, party).prop_map(|parties| vec![Act::Together { parties }]),
    ]
}

/// Everybody has items of one edition of the first user's, and some of another one.
pub fn prelude() -> [Plan; 4] {
    let entries = |edition, each| {
        let to = (0..USERS).map(|to| (edition, to, each));
        Act::Mint {
            entries: to.collect(),
        }
    };
    let editions = [
        Act::Edition { of: 0, cap: 240 },
        Act::Edition { of: 0, cap: 24 },
    ];
    [
        vec![Act::Collection { cap: 0 }],
        vec![
            Act::Policy {
                of: 0,
                kind: 0,
                figure: 60,
                roles: vec![],
            },
            editions[0].clone(),
            editions[1].clone(),
        ],
        vec![entries(0, 24)],
        vec![entries(16, 4)],
    ]
    .map(|acts| good(0, acts))
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let sender = prop_oneof![5 => 0..USERS - 1, 1 => Just(USERS - 1)];
    let later = prop_oneof![20 => 0..500u64, 2 => 500..5_000u64];
    (
        (sender, acts()),
        prop::option::weighted(0.05, any::<u16>()),
        prop::option::weighted(0.1, (0..USERS, any::<u8>(), 1..90_000u64)),
        prop::option::weighted(0.4, later),
        prop::bool::weighted(0.05),
    )
        .prop_map(
            |((sender, operations), again, deposit, commit, restart)| Plan {
                again,
                deposit,
                commit,
                restart,
                ..good(sender, operations)
            },
        )
}
