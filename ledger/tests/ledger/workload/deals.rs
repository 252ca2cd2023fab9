//! Deals by each rule, from their opening to their end.

use super::things::{edition, entries, minted, of_many_collections, owned};
use super::{Act, Cast, LATER, Size};
use crate::world::{self, World, assets, cards, terms};
use weft_types::testing::{network, user, user_key};
use weft_types::{
    Amount, AssetId, Auction, Bundle, CHANNEL_PARTS_MAX, ChannelPart, ChannelState, ChannelTerms,
    DealId, DealRule, EditionId, ItemId, LIST_MAX, Millis, NewDeal, Operation, Secret, Showing,
    SignedState, Taking, UserKey, WantedFrom, WantedItems,
};

const SECRET: Secret = Secret([5; 32]);
/// Packs of the largest series.
pub const PACKS: u32 = LIST_MAX as u32 - 1;

fn open(cast: Cast, terms: NewDeal) -> Act {
    Act::by(cast.user(1), Operation::DealOpen(terms))
}

/// Items against coin, or against as many items.
fn fixed(world: &mut World, cast: Cast, size: Size) -> NewDeal {
    let given = owned(world, cast, 1, size);
    let wants = match size {
        Size::Smallest => assets(100),
        Size::Greatest => cards(&owned(world, cast, 2, size)),
    };
    terms(cards(&given), wants)
}

pub fn auction(items: &[ItemId], expires: Millis) -> NewDeal {
    NewDeal {
        expires,
        rule: DealRule::Auction(Auction {
            raise: 500,
            extend: Millis(1),
            last: expires,
        }),
        ..terms(cards(items), assets(100))
    }
}

fn secret(world: &mut World, cast: Cast, size: Size) -> NewDeal {
    let items = owned(world, cast, 1, size);
    NewDeal {
        taker: Some(user(cast.user(2))),
        rule: DealRule::Secret {
            hash: SECRET.hash(),
        },
        ..terms(cards(&items), Bundle::default())
    }
}

/// With one card in a pack.
pub fn series(world: &mut World, cast: Cast, (packs, size): (u32, Size)) -> NewDeal {
    let (_, items) = stock(world, cast, (packs.into(), size));
    let giver = user(cast.user(1));
    world::series(giver, (&items, packs), (60, 100), 600_000)
}

pub fn sell(world: &mut World, cast: Cast, deal: DealId, packs: u32) {
    for n in 0..packs {
        let buyer = cast.user(2 + u64::from(n) % 14);
        world.lead();
        world.done(buyer, world::buy(deal, n as u8));
    }
}

/// Items and coin, all of it the taker's in the end.
fn channel(world: &mut World, cast: Cast, size: Size) -> NewDeal {
    let mut items = owned(world, cast, 1, size);
    items.truncate(size.of(0, LIST_MAX - 1));
    items.sort_unstable();
    let gives = Bundle {
        items,
        ..assets(1_000)
    };
    NewDeal {
        taker: Some(user(cast.user(2))),
        expires: LATER,
        rule: DealRule::CoSigned(ChannelTerms {
            challenge: Millis(5_000),
            to_taker: Bundle::default(),
            giver_key: user(cast.user(1)),
            taker_key: user(cast.user(2)),
        }),
        ..terms(gives, Bundle::default())
    }
}

/// With so many hash-locked parts and their secrets.
fn shown(
    cast: Cast,
    deal: DealId,
    items: Vec<ItemId>,
    (version, parts, last): (u64, usize, bool),
) -> Showing {
    let secrets: Vec<Secret> = (0..parts).map(|n| Secret([n as u8; 32])).collect();
    let part = |secret: &Secret| ChannelPart {
        to_taker: true,
        asset: AssetId::NATIVE,
        amount: Amount(1),
        hash: secret.hash(),
        expires: LATER,
    };
    let mut parts: Vec<_> = secrets.iter().map(part).collect();
    parts.sort_unstable_by_key(|p| p.hash);
    let state = ChannelState {
        network: network().id(),
        deal,
        version,
        to_taker: Bundle {
            items,
            ..assets(900)
        },
        parts,
        last,
    };
    let sign = |place| state.sign(&UserKey::from(&user_key(cast.user(place))));
    let signatures = [1, 2].map(sign);
    Showing {
        deal,
        state: Some(SignedState { state, signatures }),
        secrets,
    }
}

/// Items of one edition, and the edition.
fn stock(world: &mut World, cast: Cast, (count, size): (u64, Size)) -> (EditionId, Vec<ItemId>) {
    let (creator, owner) = (cast.user(0), cast.user(1));
    let (_, edition) = edition(world, creator, size);
    let items = minted(world, (creator, owner), edition, (count, size));
    (edition, items)
}

fn ask(world: &mut World, cast: Cast, size: Size) -> NewDeal {
    let (_, items) = stock(world, cast, (entries(size), size));
    NewDeal::ask(items, Amount(40), LATER).expect("it fits")
}

pub fn open_fixed(world: &mut World, cast: Cast, size: Size) -> Act {
    open(cast, fixed(world, cast, size))
}

pub fn open_auction(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = owned(world, cast, 1, size);
    open(cast, auction(&items, LATER))
}

pub fn open_draw(world: &mut World, cast: Cast, size: Size) -> Act {
    let packs = size.of(1, PACKS);
    open(cast, series(world, cast, (packs, size)))
}

pub fn open_secret(world: &mut World, cast: Cast, size: Size) -> Act {
    open(cast, secret(world, cast, size))
}

pub fn open_channel(world: &mut World, cast: Cast, size: Size) -> Act {
    open(cast, channel(world, cast, size))
}

pub fn open_ask(world: &mut World, cast: Cast, size: Size) -> Act {
    open(cast, ask(world, cast, size))
}

pub fn open_bid(world: &mut World, cast: Cast, size: Size) -> Act {
    let (_, edition) = edition(world, cast.user(0), size);
    let terms = NewDeal::bid(edition, Amount(40), entries(size), LATER);
    open(cast, terms.expect("it fits"))
}

/// All of it of collections of their own, which are paid royalties.
pub fn take_of_many_collections(world: &mut World, cast: Cast, size: Size) -> Act {
    let given = of_many_collections(world, cast, 1, size);
    let mut wants = assets(1 << 30);
    wants.items = of_many_collections(world, cast, 2, size);
    wants.items.truncate(LIST_MAX - 1);
    let deal = world.open(cast.user(1), terms(cards(&given), wants));
    Act::by(cast.user(2), world::take(deal, &[]))
}

/// The same, and the last item that is wanted is somebody else's by then: it fails once all others are looked at.
pub fn take_in_vain(world: &mut World, cast: Cast, size: Size) -> Act {
    let act = take_of_many_collections(world, cast, size);
    let Operation::DealTake(taking) = &act.operation else {
        unreachable!("it takes a deal")
    };
    let deal = world.deal(taking.deal).expect("it is open");
    let last = deal.terms.wants.items.last().expect("it wants some");
    world.done(act.sender, world::send(cast.user(4), &[*last]));
    act
}

pub fn take_fixed(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = fixed(world, cast, size);
    let deal = world.open(cast.user(1), terms);
    Act::by(cast.user(2), world::take(deal, &[]))
}

/// An offer for any items of a collection.
pub fn take_any(world: &mut World, cast: Cast, size: Size) -> Act {
    let (creator, taker) = (cast.user(0), cast.user(2));
    let (collection, edition) = edition(world, creator, size);
    let count = entries(size);
    let items = minted(world, (creator, taker), edition, (count, size));
    let from = WantedFrom::Collection(collection);
    let terms = NewDeal {
        wants_any: vec![WantedItems { from, count }],
        ..terms(assets(100), Bundle::default())
    };
    let deal = world.open(cast.user(1), terms);
    Act::by(taker, world::take(deal, &items))
}

/// The last one of a series.
pub fn take_pack(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = series(world, cast, (size.of(1, PACKS), size));
    last_pack(world, cast, terms)
}

/// The same, each card of a collection of its own.
pub fn take_pack_of_many_collections(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = of_many_collections(world, cast, 1, size);
    let packs = size.of(1, PACKS);
    let giver = user(cast.user(1));
    let terms = world::series(giver, (&items[..packs as usize], packs), (60, 100), 600_000);
    last_pack(world, cast, terms)
}

fn last_pack(world: &mut World, cast: Cast, terms: NewDeal) -> Act {
    let packs = terms.series().expect("a series").packs;
    let deal = world.open(cast.user(1), terms);
    sell(world, cast, deal, packs - 1);
    Act::by(cast.user(2), world::buy(deal, 7))
}

pub fn take_secret(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = secret(world, cast, size);
    let deal = world.open(cast.user(1), terms);
    let taking = Taking {
        secret: Some(SECRET),
        ..Taking::new(deal, vec![])
    };
    Act::by(cast.user(2), Operation::DealTake(taking))
}

pub fn cancel_fixed(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = fixed(world, cast, size);
    let deal = world.open(cast.user(1), terms);
    Act::by(cast.user(1), world::cancel(deal))
}

pub fn cancel_ask(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = ask(world, cast, size);
    let deal = world.open(cast.user(1), terms);
    Act::by(cast.user(1), world::cancel(deal))
}

/// The first one, or in another's place.
pub fn bid(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = owned(world, cast, 1, size);
    bid_for(world, cast, size, &items)
}

pub fn bid_for_many_collections(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = of_many_collections(world, cast, 1, size);
    bid_for(world, cast, size, &items)
}

fn bid_for(world: &mut World, cast: Cast, size: Size, items: &[ItemId]) -> Act {
    let deal = world.open(cast.user(1), auction(items, LATER));
    if size == Size::Greatest {
        world.done(cast.user(3), world::bid(deal, 100));
    }
    Act::by(cast.user(2), world::bid(deal, 200))
}

pub fn reveal(world: &mut World, cast: Cast, size: Size) -> Act {
    let packs = size.of(1, PACKS);
    let terms = series(world, cast, (packs, size));
    let giver = cast.user(1);
    let deal = world.open(giver, terms);
    sell(world, cast, deal, packs);
    let secret = world::secret(user(giver));
    Act::by(giver, world::reveal(deal, secret))
}

pub fn pass_pack(world: &mut World, cast: Cast, size: Size) -> Act {
    // When the last one is sold the sale is over.
    let packs = size.of(2, PACKS);
    let terms = series(world, cast, (packs, size));
    let deal = world.open(cast.user(1), terms);
    sell(world, cast, deal, packs - 1);
    Act::by(cast.user(2), world::pass(deal, 0, cast.user(3)))
}

pub fn close_as_opened(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = channel(world, cast, size);
    let deal = world.open(cast.user(1), terms);
    let showing = Showing {
        deal,
        state: None,
        secrets: vec![],
    };
    Act::by(cast.user(1), Operation::ChannelClose(showing))
}

pub fn close_by_last(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = channel(world, cast, size);
    let items = terms.gives.items.clone();
    last_state(world, cast, terms, items)
}

/// All items go back to the giver, without being listed.
pub fn close_with_all_back(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = channel(world, cast, size);
    last_state(world, cast, terms, vec![])
}

fn last_state(world: &mut World, cast: Cast, terms: NewDeal, to_taker: Vec<ItemId>) -> Act {
    let deal = world.open(cast.user(1), terms);
    let showing = shown(cast, deal, to_taker, (1, 0, true));
    Act::by(cast.user(1), Operation::ChannelClose(showing))
}

pub fn challenge(world: &mut World, cast: Cast, size: Size) -> Act {
    let terms = channel(world, cast, size);
    let items = terms.gives.items.clone();
    let deal = world.open(cast.user(1), terms);
    let parts = size.of(0, CHANNEL_PARTS_MAX);
    let stale = shown(cast, deal, items.clone(), (1, parts, false));
    world.done(cast.user(1), Operation::ChannelClose(stale));
    let newer = shown(cast, deal, items, (2, parts, false));
    Act::by(cast.user(2), Operation::ChannelChallenge(newer))
}

/// So many orders a side of one edition that meet, each for one item. None can trade where each item is frozen.
pub fn book(world: &mut World, cast: Cast, (orders, frozen): (u64, bool)) {
    let (creator, giver, bidder) = (cast.user(0), cast.user(1), cast.user(2));
    let (_, edition) = edition(world, creator, Size::Smallest);
    let mut items = Vec::new();
    while (items.len() as u64) < orders {
        let count = (orders - items.len() as u64).min(256);
        items.extend(minted(
            world,
            (creator, giver),
            edition,
            (count, Size::Smallest),
        ));
    }
    let asks = items.iter().map(|item| {
        let ask = NewDeal::ask(vec![*item], Amount(40), LATER);
        Act::by(giver, Operation::DealOpen(ask.expect("it fits")))
    });
    let bids = (0..orders).map(|_| {
        let bid = NewDeal::bid(edition, Amount(60), 1, LATER);
        Act::by(bidder, Operation::DealOpen(bid.expect("it fits")))
    });
    let mut all: Vec<_> = asks.chain(bids).map(|act| act.signed(world)).collect();
    if frozen {
        let freeze = |items| Act::by(creator, world::freeze(true, items));
        let some = items.chunks(LIST_MAX).map(freeze);
        all.extend(some.map(|act| act.signed(world)));
    }
    let applied = world.commit(&all);
    assert!(applied.receipts.iter().all(|r| r.is_applied()));
}
