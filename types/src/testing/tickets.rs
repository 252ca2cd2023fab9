//! Tickets: passes, lists, sales.

use super::*;
use crate::authorisation::{Pass, PassBody, UserKey};
use crate::ids::{Address, Amount, EditionId, ItemId, Millis};
use crate::list::{list_proof, list_root};
use crate::operation::{AllowList, ListPlace, Operation, Purchase, Sale};

/// Signed by a user for an item, in a slot.
pub fn pass(i: u64, item: ItemId, slot: u64, gate: Option<Address>) -> Pass {
    let network = network().id();
    let body = PassBody {
        network,
        item,
        slot,
        gate,
    };
    body.sign(&UserKey::from(&user_key(i)))
}

/// A list of users, each good for as many items as its place and one more, and its entries.
pub fn allow_list(edition: &EditionId, users: &[u64]) -> (AllowList, Vec<[u8; 32]>) {
    let places = users.iter().zip(1..);
    let entries = places.map(|(i, most)| AllowList::entry(edition, &user(*i), most));
    let entries: Vec<[u8; 32]> = entries.collect();
    let list = AllowList {
        root: list_root(entries.iter().map(|entry| &entry[..])),
        count: users.len() as u32,
    };
    (list, entries)
}

/// The place of a list's user.
///
/// # Panics
/// Beyond the list.
pub fn list_place(entries: &[[u8; 32]], place: u32) -> ListPlace {
    let siblings = list_proof(entries.iter().map(|entry| &entry[..]), place as usize);
    ListPlace {
        place,
        most: u64::from(place) + 1,
        siblings: siblings.expect("a place of the list"),
    }
}

/// A sale with something everywhere.
pub fn sale() -> Sale {
    Sale {
        price: Amount(250),
        from: Millis(60_000),
        until: Millis(90_000),
        by_permit: true,
        list: Some(allow_list(&EditionId([5; 32]), &[1, 2, 3, 4, 5]).0),
    }
}

/// One of each, with something everywhere: Redeem, Void, SetSale, Buy.
pub fn ticket_operations() -> Vec<Operation> {
    let (item, edition) = (ItemId([7; 32]), EditionId([5; 32]));
    let (_, entries) = allow_list(&edition, &[1, 2, 3, 4, 5]);
    vec![
        Operation::Redeem {
            item,
            pass: pass(2, item, 120_000_000, Some(user(3))),
        },
        Operation::Void {
            items: vec![item, ItemId([4; 32])],
            reason: "charged back".to_owned(),
        },
        Operation::SetSale {
            edition,
            sale: Some(sale()),
        },
        Operation::Buy(Purchase {
            edition,
            count: 2,
            price: Amount(250),
            listed: Some(list_place(&entries, 1)),
        }),
    ]
}
