//! Amounts, keys, what comes over the bridge, vouchers and posted data.

use super::things::entries;
use super::{Act, Cast, LATER, Size};
use crate::world::{self, World, assets};
use weft_types::testing::{self, stranger, user};
use weft_types::{
    Amount, AssetAmount, AssetId, Availability, BaseAddress, BaseAsset, Bundle, CONTENT_BYTES_MAX,
    CollectionId, ContentHash, Deposit, EditionId, ItemId, KeyChange, MEMBERS_MAX, Millis,
    Operation, Party, Payment, RETENTION_MAX, SESSION_LIST_MAX, SESSIONS_MAX, Session, SessionKind,
    TokenId,
};

pub fn payments(to: impl Iterator<Item = weft_types::Address>, amount: u64) -> Operation {
    let one = |to| Payment {
        to,
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    Operation::Transfer {
        payments: to.map(one).collect(),
        items: vec![],
    }
}

pub fn amounts(_: &mut World, cast: Cast, size: Size) -> Act {
    let to = (0..entries(size)).map(|n| stranger(7_919 * (cast.0 + 256 * n) % 99_991));
    Act::by(cast.user(0), payments(to, 1))
}

/// As many as an account may have, each as long as it may be.
fn sessions() -> Vec<KeyChange> {
    let session = |n: u8| Session {
        key: user(u64::from(n)),
        expires: LATER,
        kinds: [SessionKind::Transfer].into_iter().collect(),
        collections: (0..SESSION_LIST_MAX as u8)
            .map(|n| CollectionId([n; 32]))
            .collect(),
        limits: (1..=SESSION_LIST_MAX as u8)
            .map(|n| AssetAmount {
                asset: AssetId([n; 32]),
                amount: Amount(1 << 60),
            })
            .collect(),
    };
    let all = 0..SESSIONS_MAX as u8;
    all.map(|n| KeyChange::Session(session(n))).collect()
}

pub fn to_accounts_with_sessions(world: &mut World, cast: Cast, size: Size) -> Act {
    let crowd = || (0..entries(size)).map(|n| cast.crowd(n));
    let gift = payments(crowd().map(user), 50_000);
    world.done(cast.user(0), gift);
    for account in crowd() {
        world.done(account, world::set_keys(&sessions()));
    }
    Act::by(cast.user(0), payments(crowd().map(user), 1))
}

pub fn set_keys(_: &mut World, cast: Cast, size: Size) -> Act {
    let guardian = world::guardian(cast.user(1), 3_600_000);
    let changes = size.of(vec![guardian], sessions());
    Act::by(cast.user(0), world::set_keys(&changes))
}

pub fn recover(world: &mut World, cast: Cast, size: Size) -> Act {
    let (account, guardian) = (cast.user(0), cast.user(1));
    if size == Size::Greatest {
        world.done(account, world::set_keys(&sessions()));
    }
    let guarded = world::set_keys(&[world::guardian(guardian, 3_600_000)]);
    world.done(account, guarded);
    Act::by(guardian, world::recover(account, cast.user(2)))
}

pub fn multi_party(_: &mut World, cast: Cast, size: Size) -> Act {
    let (parties, each) = size.of((2, 1), (Cast::SIZE, 4));
    let party = |place| Party {
        account: user(cast.user(place)),
        operations: (0..each)
            .map(|n| world::pay(cast.user((place + n + 1) % parties), 1 << place))
            .collect(),
    };
    let operation = Operation::MultiParty((0..parties).map(party).collect());
    Act {
        others: (1..parties).map(|place| cast.user(place)).collect(),
        ..Act::by(cast.user(0), operation)
    }
}

pub fn withdraw_amounts(world: &mut World, cast: Cast, size: Size) -> Act {
    let gives = match size {
        Size::Smallest => assets(1),
        Size::Greatest => tokens(world, cast, 256),
    };
    Act::by(cast.user(0), world::withdraw(gives))
}

/// So many assets that have come in for the cast's first user, one of each.
pub fn tokens(world: &mut World, cast: Cast, count: u64) -> Bundle {
    let token = |n: u64| {
        let mut token = BaseAddress([0xc7; 20]);
        token.0[..8].copy_from_slice(&n.to_be_bytes());
        token
    };
    let amount = Amount(1);
    for some in (0..count).collect::<Vec<_>>().chunks(256) {
        let deposits = some.iter().map(|n| {
            let token = token(*n);
            world::deposit(cast.user(0), BaseAsset::Erc20 { token, amount })
        });
        world.commit_with(&deposits.collect::<Vec<_>>(), &[]);
    }
    let assets = (0..count).map(|n| AssetAmount {
        asset: AssetId::erc20(token(n)),
        amount,
    });
    Bundle {
        assets: assets.collect(),
        items: vec![],
    }
}

/// Cards that have come in for the cast's first user, each of a contract of its own.
fn bridged(world: &mut World, cast: Cast, size: Size) -> Vec<ItemId> {
    let card = |n: u64| {
        let mut token = BaseAddress([0xca; 20]);
        token.0[..8].copy_from_slice(&(cast.0 * 256 + n).to_be_bytes());
        (token, TokenId([1; 32]))
    };
    let cards: Vec<_> = (0..entries(size)).map(card).collect();
    let deposits = cards.iter().map(|(token, id)| {
        let (token, id) = (*token, *id);
        world::deposit(cast.user(0), BaseAsset::Erc721 { token, id })
    });
    let deposits: Vec<Deposit> = deposits.collect();
    let applied = world.commit_with(&deposits, &[]);
    assert_eq!(applied.deposits, deposits);
    let items = cards
        .iter()
        .map(|(token, id)| ItemId::derive(&EditionId::erc721(*token, id), 1));
    items.collect()
}

pub fn withdraw_cards(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = bridged(world, cast, size);
    Act::by(cast.user(0), world::withdraw(world::cards(&items)))
}

pub fn exit_address(world: &mut World, cast: Cast, size: Size) -> Act {
    let cards = match size {
        Size::Smallest => vec![],
        Size::Greatest => bridged(world, cast, size),
    };
    Act::by(cast.user(0), world::exit_address(7, &cards))
}

/// What each voucher of a pool here pays.
const WORTH: (AssetId, u64) = (AssetId::NATIVE, 5_000);

pub fn open_vouchers(_: &mut World, cast: Cast, _: Size) -> Act {
    let issuer = user(cast.user(0));
    let open = world::open_pool(issuer, cast.0, WORTH, LATER.0);
    Act::by(cast.user(0), open)
}

/// A pool of the cast's first user that ends then, which has covered so many vouchers; and the fee of its opening.
pub fn pool(world: &mut World, cast: Cast, (count, ends): (u64, Millis)) -> u64 {
    let issuer = cast.user(0);
    let open = world::open_pool(user(issuer), cast.0, WORTH, ends.0);
    let fee = world.done(issuer, open).fee.0;
    world.done(issuer, world::cover(cast.0, count));
    fee
}

pub fn issue_vouchers(world: &mut World, cast: Cast, _: Size) -> Act {
    pool(world, cast, (1, LATER));
    Act::by(cast.user(0), world::cover(cast.0, 1_000))
}

pub fn spend_voucher(world: &mut World, cast: Cast, _: Size) -> Act {
    pool(world, cast, (9, LATER));
    let holder = cast.user(1);
    Act::by(holder, world::spend(user(holder), cast.0))
}

/// Signed by all of a committee.
pub fn post_data(world: &mut World, cast: Cast, size: Size) -> Act {
    let members = size.of(4, MEMBERS_MAX);
    if world.committee.size() != members {
        world.committee = testing::committee(members);
    }
    let signers: Vec<usize> = (0..members).collect();
    let claim = Availability {
        size: size.of(1, CONTENT_BYTES_MAX as u64),
        until: Millis(world.now + size.of(60_000, RETENTION_MAX.0)),
        ..claim(cast.0)
    };
    Act::by(cast.user(0), world::posting(claim, &signers))
}

/// Of no others.
pub fn claim(n: u64) -> Availability {
    Availability {
        hash: ContentHash::of(&n.to_be_bytes()),
        ..testing::availability()
    }
}
