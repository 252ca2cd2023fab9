//! Collections, editions and items.

use super::{Act, Cast, Size, text};
use crate::world::{self, World, items_of};
use weft_types::testing::{list_place, pass, user};
use weft_types::{
    ALLOW_LIST_MAX, AllowList, Amount, CollectionId, ContentHash, EditionId, ItemId, LIST_MAX,
    Millis, MintEntry, NAME_BYTES_MAX, NewEdition, ObjectId, Operation, PASS_SLOT_MS, Policy,
    Purchase, ROLE_HOLDERS_MAX, Role, RoleHolder, Sale, TEXT_BYTES_MAX, TRAITS_MAX, Trait,
    list_root,
};

const MANY: u64 = LIST_MAX as u64;

/// How many entries.
pub fn entries(size: Size) -> u64 {
    size.of(1, MANY)
}

fn collection_terms(size: Size) -> Operation {
    Operation::CreateCollection {
        name: text(size.of(1, NAME_BYTES_MAX)),
        description: text(size.of(0, TEXT_BYTES_MAX)),
        item_cap: 0,
    }
}

fn edition_terms(collection: CollectionId, size: Size) -> NewEdition {
    let simple = NewEdition {
        uses: 2,
        ..world::new_edition(collection, 1 << 20)
    };
    let one = |n| Trait {
        name: format!("{n:02}{}", text(NAME_BYTES_MAX - 2)),
        value: text(NAME_BYTES_MAX),
    };
    match size {
        Size::Smallest => simple,
        Size::Greatest => NewEdition {
            name: text(NAME_BYTES_MAX),
            traits: (0..TRAITS_MAX).map(one).collect(),
            image: text(TEXT_BYTES_MAX),
            image_hash: Some(ContentHash([1; 32])),
            metadata_hash: Some(ContentHash([2; 32])),
            reference: text(NAME_BYTES_MAX),
            ..simple
        },
    }
}

fn collection(world: &mut World, creator: u64, size: Size) -> CollectionId {
    let receipt = world.done(creator, collection_terms(size));
    match receipt.created[..] {
        [ObjectId::Collection(id)] => id,
        _ => panic!("one collection: {:?}", receipt.created),
    }
}

fn edition_of(world: &mut World, creator: u64, collection: CollectionId, size: Size) -> EditionId {
    let terms = edition_terms(collection, size);
    let receipt = world.done(creator, Operation::CreateEdition(terms));
    match receipt.created[..] {
        [ObjectId::Edition(id)] => id,
        _ => panic!("one edition: {:?}", receipt.created),
    }
}

/// In a collection of its own.
pub fn edition(world: &mut World, creator: u64, size: Size) -> (CollectionId, EditionId) {
    let collection = collection(world, creator, size);
    (collection, edition_of(world, creator, collection, size))
}

/// Items of an edition, with the longest status where they are to be the greatest.
pub fn minted(
    world: &mut World,
    (creator, owner): (u64, u64),
    edition: EditionId,
    (count, size): (u64, Size),
) -> Vec<ItemId> {
    let items = items_of(&world.done(creator, world::mint(edition, owner, count)));
    if size == Size::Greatest {
        let update = |item: &ItemId| update(*item, TEXT_BYTES_MAX, "x");
        // As many as are in one transaction.
        for some in items.chunks(50) {
            let receipt = world.run(creator, some.iter().map(update).collect());
            assert_eq!(receipt.failure, None);
        }
    }
    items
}

/// As many items as a list has, of a user; the creator is the cast's first.
pub fn owned(world: &mut World, cast: Cast, owner: u64, size: Size) -> Vec<ItemId> {
    let (creator, owner) = (cast.user(0), cast.user(owner));
    let (_, edition) = edition(world, creator, size);
    minted(world, (creator, owner), edition, (entries(size), size))
}

/// Each of a collection of its own, with a royalty to an account of its own.
pub fn of_many_collections(world: &mut World, cast: Cast, owner: u64, size: Size) -> Vec<ItemId> {
    let (creator, owner) = (cast.user(0), cast.user(owner));
    let one = |n| {
        let (collection, edition) = edition(world, creator, size);
        let policy = Policy {
            royalty: world::royalty(cast.crowd(n), 250),
            ..Policy::default()
        };
        world.done(creator, world::set_policy(collection, policy));
        minted(world, (creator, owner), edition, (1, size))[0]
    };
    (0..entries(size)).map(one).collect()
}

fn update(item: ItemId, bytes: usize, letter: &str) -> Operation {
    Operation::UpdateItem {
        item,
        status: letter.repeat(bytes),
        data_hash: Some(ContentHash([3; 32])),
    }
}

pub fn items(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = owned(world, cast, 1, size);
    Act::by(cast.user(1), world::send(cast.user(2), &items))
}

pub fn create_collection(_: &mut World, cast: Cast, size: Size) -> Act {
    Act::by(cast.user(0), collection_terms(size))
}

pub fn create_edition(world: &mut World, cast: Cast, size: Size) -> Act {
    let collection = collection(world, cast.user(0), size);
    let terms = edition_terms(collection, size);
    Act::by(cast.user(0), Operation::CreateEdition(terms))
}

pub fn mint(world: &mut World, cast: Cast, size: Size) -> Act {
    let (_, edition) = edition(world, cast.user(0), size);
    let mint = world::mint(edition, cast.user(1), entries(size));
    Act::by(cast.user(0), mint)
}

fn editions(world: &mut World, cast: Cast, size: Size) -> Vec<EditionId> {
    let collection = collection(world, cast.user(0), size);
    let all = (0..entries(size)).map(|_| edition_of(world, cast.user(0), collection, size));
    all.collect()
}

pub fn mint_of_many(world: &mut World, cast: Cast, size: Size) -> Act {
    let editions = editions(world, cast, size);
    let entries = editions.into_iter().map(|edition| MintEntry {
        edition,
        to: user(cast.user(1)),
        count: 1,
    });
    let entries = entries.collect();
    Act::by(cast.user(0), Operation::Mint { entries })
}

pub fn update_item(world: &mut World, cast: Cast, size: Size) -> Act {
    let creator = cast.user(0);
    let (_, edition) = edition(world, creator, size);
    let items = minted(world, (creator, cast.user(1)), edition, (1, size));
    let bytes = size.of(1, TEXT_BYTES_MAX);
    Act::by(creator, update(items[0], bytes, "y"))
}

pub fn burn(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = owned(world, cast, 1, size);
    Act::by(cast.user(1), world::burn(&items))
}

pub fn set_policy(world: &mut World, cast: Cast, size: Size) -> Act {
    let collection = collection(world, cast.user(0), size);
    let policy = Policy {
        floor_price: Amount(1),
        cap_price: Amount(1 << 30),
        cut_off: Millis(1 << 40),
        royalty: world::royalty(cast.user(1), 250),
        ..Policy::default()
    };
    let holder = |place| RoleHolder {
        account: user(cast.user(place)),
        roles: [Role::Minter, Role::Gate].into_iter().collect(),
    };
    let mut roles: Vec<_> = (0..ROLE_HOLDERS_MAX as u64).map(holder).collect();
    roles.sort_unstable_by_key(|h| h.account);
    let set = Operation::SetPolicy {
        collection,
        policy: Some(policy),
        roles: size.of(vec![], roles),
    };
    Act::by(cast.user(0), set)
}

pub fn freeze_items(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = owned(world, cast, 1, size);
    Act::by(cast.user(0), world::freeze(true, &items))
}

pub fn freeze_editions(world: &mut World, cast: Cast, size: Size) -> Act {
    let editions = editions(world, cast, size);
    let freeze = Operation::Freeze {
        frozen: true,
        collections: vec![],
        editions,
        items: vec![],
    };
    Act::by(cast.user(0), freeze)
}

pub fn redeem(world: &mut World, cast: Cast, size: Size) -> Act {
    let (creator, owner) = (cast.user(0), cast.user(1));
    let (_, edition) = edition(world, creator, size);
    let item = minted(world, (creator, owner), edition, (1, size))[0];
    let slot = world.now / PASS_SLOT_MS + 1;
    let gate = size.of(None, Some(user(creator)));
    Act::by(creator, world::redeem(item, pass(owner, item, slot, gate)))
}

pub fn void(world: &mut World, cast: Cast, size: Size) -> Act {
    let items = owned(world, cast, 1, size);
    let reason = text(size.of(0, NAME_BYTES_MAX));
    Act::by(cast.user(0), world::void(&items, &reason))
}

fn sale(list: Option<AllowList>) -> Option<Sale> {
    Some(Sale {
        price: Amount(50),
        from: Millis::ZERO,
        until: Millis::ZERO,
        by_permit: false,
        list,
    })
}

pub fn set_sale(world: &mut World, cast: Cast, size: Size) -> Act {
    let (_, edition) = edition(world, cast.user(0), size);
    let list = AllowList {
        root: list_root([[7; 32]].iter().map(|entry| &entry[..])),
        count: ALLOW_LIST_MAX,
    };
    let sale = sale(size.of(None, Some(list)));
    Act::by(cast.user(0), Operation::SetSale { edition, sale })
}

/// By the last of the longest list.
pub fn buy(world: &mut World, cast: Cast, size: Size) -> Act {
    let (creator, buyer) = (cast.user(0), cast.user(1));
    let (_, edition) = edition(world, creator, size);
    let count = size.of(1, ALLOW_LIST_MAX);
    let mut list = vec![[9; 32]; count as usize - 1];
    list.push(AllowList::entry(&edition, &user(buyer), count.into()));
    let root = list_root(list.iter().map(|entry| &entry[..]));
    let (list, listed) = match size {
        Size::Smallest => (None, None),
        Size::Greatest => (
            Some(AllowList { root, count }),
            Some(list_place(&list, count - 1)),
        ),
    };
    let sale = sale(list);
    world.done(creator, Operation::SetSale { edition, sale });
    let purchase = Purchase {
        edition,
        count: entries(size),
        price: Amount(50),
        listed,
    };
    Act::by(buyer, Operation::Buy(purchase))
}
