use super::*;
use crate::testing::{allow_list, list_place, sale, ticket_operations, user};

const EDITION: EditionId = EditionId([5; 32]);

fn read(operation: &Operation) -> Result<Operation, OperationError> {
    wire::Operation::from(operation).try_into()
}

fn buy(listed: Option<ListPlace>, count: u64) -> Operation {
    Operation::Buy(Purchase {
        edition: EDITION,
        count,
        price: Amount::ZERO,
        listed,
    })
}

fn set(change: impl FnOnce(&mut AllowList)) -> Operation {
    let mut sale = sale();
    change(sale.list.as_mut().expect("it has one"));
    Operation::SetSale {
        edition: EDITION,
        sale: Some(sale),
    }
}

#[test]
fn tickets_operations_survive_wire_and_json() {
    let least = Sale {
        price: Amount::ZERO,
        from: Millis::ZERO,
        until: Millis::ZERO,
        by_permit: false,
        list: None,
    };
    let mut all = ticket_operations();
    for sale in [None, Some(least)] {
        let edition = EDITION;
        all.push(Operation::SetSale { edition, sale });
    }
    all.push(buy(None, u64::MAX));
    for operation in all {
        assert_eq!(read(&operation), Ok(operation.clone()));
        let json = serde_json::to_string(&operation).unwrap();
        let again: Operation = serde_json::from_str(&json).unwrap();
        assert_eq!(again, operation);
    }
}

#[test]
fn what_is_too_long_or_zero_is_refused() {
    let void = |items, reason: usize| Operation::Void {
        items: vec![ItemId([1; 32]); items],
        reason: "x".repeat(reason),
    };
    let listed = |most, siblings| ListPlace {
        place: 0,
        most,
        siblings: vec![Root([1; 32]); siblings],
    };
    assert!(read(&void(LIST_MAX, NAME_BYTES_MAX)).is_ok());
    assert!(read(&buy(Some(listed(1, 16)), 1)).is_ok());
    assert!(read(&set(|list| list.count = ALLOW_LIST_MAX)).is_ok());
    for (operation, words) in [
        (void(0, 0), "void has 0 entries"),
        (void(LIST_MAX + 1, 0), "void has 257 entries"),
        (void(1, NAME_BYTES_MAX + 1), "reason has 129 bytes"),
        (buy(None, 0), "count must not be zero"),
        (buy(Some(listed(0, 0)), 1), "good for must not be zero"),
        (buy(Some(listed(1, 17)), 1), "siblings has 17 entries"),
        (set(|list| list.count = 0), "allow-list has 0 entries"),
        (
            set(|list| list.count = ALLOW_LIST_MAX + 1),
            "allow-list has 65537 entries",
        ),
    ] {
        let refused = read(&operation).unwrap_err().to_string();
        assert!(refused.contains(words), "{words} in {refused}");
    }
}

#[test]
fn l39_a_list_has_its_accounts_at_their_places_for_one_edition() {
    let users = [1, 2, 3, 4, 5];
    let (list, entries) = allow_list(&EDITION, &users);
    for (place, i) in (0..).zip(users) {
        let listed = list_place(&entries, place);
        assert!(list.has(&EDITION, &user(i), &listed));
        assert!(!list.has(&EDITION, &user(i + 1), &listed));
        assert!(!list.has(&EditionId([6; 32]), &user(i), &listed));
        let more = ListPlace {
            most: listed.most + 1,
            ..listed.clone()
        };
        assert!(!list.has(&EDITION, &user(i), &more));
        let elsewhere = ListPlace {
            place: place + 1,
            ..listed
        };
        assert!(!list.has(&EDITION, &user(i), &elsewhere));
    }
}
