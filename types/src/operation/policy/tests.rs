use super::*;
use crate::testing::{policy, role_holders, user};
use prost::Message as _;

fn read(operation: &Operation) -> Result<Operation, OperationError> {
    wire::Operation::from(operation).try_into()
}

fn set(policy: Option<Policy>, roles: Vec<RoleHolder>) -> Operation {
    let collection = CollectionId([1; 32]);
    Operation::SetPolicy {
        collection,
        policy,
        roles,
    }
}

fn freeze(collections: usize, editions: usize, items: usize) -> Operation {
    Operation::Freeze {
        frozen: true,
        collections: vec![CollectionId([1; 32]); collections],
        editions: vec![EditionId([1; 32]); editions],
        items: vec![ItemId([1; 32]); items],
    }
}

#[test]
fn policies_and_freezes_survive_wire_and_json() {
    let most = Policy {
        floor_price: Amount::MAX,
        cap_price: Amount::MAX,
        locked_until: Millis::MAX,
        cut_off: Millis::MAX,
        personal: true,
        royalty: Some(Royalty {
            to: Address([0xff; 32]),
            parts: ROYALTY_WHOLE,
        }),
    };
    let nobody = RoleHolder {
        account: Address::ZERO,
        roles: Roles::default(),
    };
    let all = RoleHolder {
        account: user(1),
        roles: Role::ALL.iter().copied().collect(),
    };
    for operation in [
        set(Some(policy()), role_holders()),
        set(Some(most), vec![all; ROLE_HOLDERS_MAX]),
        set(Some(Policy::default()), vec![]),
        set(None, vec![nobody]),
        freeze(1, 0, 0),
        freeze(100, 100, LIST_MAX - 200),
    ] {
        assert_eq!(read(&operation), Ok(operation.clone()));
        let json = serde_json::to_string(&operation).unwrap();
        let again: Operation = serde_json::from_str(&json).unwrap();
        assert_eq!(again, operation);
    }
}

#[test]
fn what_says_nothing_or_too_much_is_refused() {
    let holder = role_holders()[0];
    let refused = |operation| read(&operation).unwrap_err().to_string();
    for (operation, words) in [
        (set(None, vec![]), "policy or role is missing"),
        (
            set(None, vec![holder; ROLE_HOLDERS_MAX + 1]),
            "roles has 17 entries, not 0 to 16",
        ),
        (freeze(0, 0, 0), "freeze has 0 entries, not 1 to 256"),
        (freeze(1, 1, 255), "freeze has 257 entries"),
    ] {
        let refusal = refused(operation);
        assert!(refusal.contains(words), "{refusal}");
    }
}

#[test]
fn royalties_and_roles_of_another_form_are_refused() {
    let royalty = |to: &'static [u8], parts| {
        let to = Bytes::from_static(to);
        Royalty::try_from(&wire::Royalty { to, parts }).map_err(|e| e.to_string())
    };
    assert!(royalty(&[1; 32], 1).is_ok());
    let parts = |n| Err(format!("royalty has {n} parts, not 1 to 10000"));
    assert_eq!(royalty(&[1; 32], 0), parts(0));
    assert_eq!(royalty(&[1; 32], 10_001), parts(10_001));
    assert_eq!(royalty(&[1; 32], u32::MAX), parts(u32::MAX));
    let zero = "royalty's account must not be zero".to_owned();
    assert_eq!(royalty(&[0; 32], 1), Err(zero));
    assert!(royalty(&[1; 20], 1).is_err());

    let account = Bytes::from_static(&[1; 32]);
    let roles = 1 << 3 | 1;
    let refused = RoleHolder::try_from(&wire::RoleHolder { account, roles });
    assert_eq!(refused, Err(OperationError::Bits("roles", 8)));
}

#[test]
fn a_policy_reads_as_people_write_it_and_what_it_leaves_out_is_none() {
    let json = serde_json::json!({ "floor_price": 5, "personal": true });
    let read: Policy = serde_json::from_value(json.clone()).unwrap();
    let expected = Policy {
        floor_price: Amount(5),
        personal: true,
        ..Policy::default()
    };
    assert_eq!(read, expected);
    assert_eq!(serde_json::to_value(read).unwrap(), json);
    let holder = serde_json::to_value(role_holders()[0]).unwrap();
    assert!(holder["roles"].is_array(), "{holder}");
    assert_eq!(wire::Policy::from(&Policy::default()).encoded_len(), 0);
}

/// L26
#[test]
fn each_part_of_a_policy_is_tightened_one_way_only() {
    let royalty = |parts: u32| {
        let to = user(parts.into());
        Some(Royalty { to, parts })
    };
    type Set = fn(&mut Policy, u64);
    // From looser to tighter.
    let parts: [(Set, &[u64]); 5] = [
        (|p, n| p.floor_price = Amount(n), &[0, 1, 7, u64::MAX]),
        (|p, n| p.cap_price = Amount(n), &[0, 9, 1]),
        (|p, n| p.locked_until = Millis(n), &[0, 1, u64::MAX]),
        (|p, n| p.cut_off = Millis(n), &[0, 9, 1]),
        (|p, n| p.personal = n > 0, &[0, 1]),
    ];
    for (set, steps) in parts {
        let all = steps.iter().map(|n| {
            let mut policy = policy();
            set(&mut policy, *n);
            (*n, policy)
        });
        let all: Vec<_> = all.collect();
        for (place, (stands, before)) in all.iter().enumerate() {
            for (asked, after) in &all[..place] {
                assert_eq!(after.loosens(before), Some((*asked, *stands)));
            }
            for (_, after) in &all[place..] {
                assert_eq!(after.loosens(before), None);
            }
        }
    }
    let of = |royalty| Policy {
        royalty,
        ..policy()
    };
    for (after, before, loosens) in [
        (royalty(5), royalty(6), None),
        (royalty(6), royalty(6), None),
        (None, royalty(6), None),
        (royalty(7), royalty(6), Some((7, 6))),
        (royalty(1), None, Some((1, 0))),
    ] {
        assert_eq!(of(after).loosens(&of(before)), loosens);
    }
}
