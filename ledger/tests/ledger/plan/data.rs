//! Histories of posted data: each takes signatures of three members and a pairing, so that they have histories of their own.

use super::{Act, Plan, USERS, good, one_to};
use proptest::prelude::*;

/// Data to post, by its number.
#[derive(Debug, Clone)]
pub struct Post {
    pub data: u8,
    pub size: u64,
    /// One bit a member.
    pub signers: u8,
    pub lasts: i64,
    /// How long the signatures are good.
    pub by: i64,
    /// Which mistake, if any.
    pub wrong: u8,
}

const MONTH: i64 = 30 * 86_400_000;

fn post() -> impl Strategy<Value = Post> {
    let size = prop_oneof![
        12 => Just(0),
        2 => prop::sample::select(vec![1u64, 1_000, 262_144]),
        1 => prop::sample::select(vec![262_145u64, u64::MAX]),
    ];
    let signers = prop_oneof![
        12 => prop::sample::select(vec![0b0111u8, 0b1011, 0b1101, 0b1110, 0b1111]),
        1 => 1..16u8,
        1 => Just(0b1_0111),
    ];
    let lasts = prop_oneof![
        1 => -5..=0i64,
        10 => 1..20_000i64,
        3 => 20_000..MONTH,
        2 => MONTH..=MONTH + 1,
    ];
    let by = prop_oneof![1 => -5..=1i64, 2 => 1..1_000i64, 10 => 1_000..100_000i64];
    let wrong = prop_oneof![12 => Just(0u8), 1 => 1..3u8];
    (0..4u8, size, signers, lasts, by, wrong).prop_map(|(data, size, signers, lasts, by, wrong)| {
        Post {
            data,
            size,
            signers,
            lasts,
            by,
            wrong,
        }
    })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pay = || {
        (0..USERS, 1..300u64).prop_map(|(to, amount)| Act::Pay {
            to,
            amount,
            twice: false,
        })
    };
    let party = (0..USERS - 1, post().prop_map(Act::Post));
    prop_oneof![
        8 => post().prop_map(|post| vec![Act::Post(post)]),
        2 => (post(), one_to(2, pay())).prop_map(|(post, pays)| {
            std::iter::once(Act::Post(post)).chain(pays).collect()
        }),
        1 => party.prop_map(|(account, post)| {
            vec![Act::Together { parties: vec![(account, vec![post])] }]
        }),
        1 => pay().prop_map(|act| vec![act]),
    ]
}

pub fn prelude() -> [Plan; 1] {
    let post = Post {
        data: 0,
        size: 0,
        signers: 0b0111,
        lasts: 9_000,
        by: 5_000,
        wrong: 0,
    };
    [good(2, vec![Act::Post(post)])]
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let later = prop_oneof![4 => Just(0u64), 8 => 0..500u64, 4 => 500..5_000u64];
    (
        (0..USERS - 1, acts()),
        prop::option::weighted(0.05, any::<u16>()),
        prop::option::weighted(0.7, later),
        prop::bool::weighted(0.05),
    )
        .prop_map(|((sender, operations), again, commit, restart)| Plan {
            again,
            commit,
            restart,
            max_fee: 1_000_000,
            ..good(sender, operations)
        })
}
