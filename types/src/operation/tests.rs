use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

/// What a receiver makes of the operation.
fn read(operation: &Operation) -> Result<Operation, OperationError> {
    let bytes = wire::Operation::from(operation).encode_to_vec();
    wire::Operation::decode(bytes.as_slice())
        .unwrap()
        .try_into()
}

fn accepted(operation: Operation) {
    assert_eq!(read(&operation), Ok(operation));
}

fn refused(operation: Operation) -> String {
    read(&operation).unwrap_err().to_string()
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 32]>().prop_map(Address)
}

fn item() -> impl Strategy<Value = ItemId> {
    any::<[u8; 32]>().prop_map(ItemId)
}

fn content() -> impl Strategy<Value = Option<ContentHash>> {
    option::of(any::<[u8; 32]>().prop_map(ContentHash))
}

fn asset_amount() -> impl Strategy<Value = AssetAmount> {
    let asset = prop_oneof![Just(AssetId::NATIVE), any::<[u8; 32]>().prop_map(AssetId)];
    (asset, 1..=u64::MAX).prop_map(|(asset, amount)| AssetAmount {
        asset,
        amount: Amount(amount),
    })
}

fn bundle(least: usize) -> impl Strategy<Value = Bundle> {
    (vec(asset_amount(), least..4), vec(item(), 0..4))
        .prop_map(|(assets, items)| Bundle { assets, items })
}

fn wanted() -> impl Strategy<Value = WantedItems> {
    let from = (0..3u8, any::<[u8; 32]>(), "\\PC{1,20}").prop_map(|(kind, id, text)| match kind {
        0 => WantedFrom::Edition(EditionId(id)),
        1 => WantedFrom::Collection(CollectionId(id)),
        _ => WantedFrom::Trait {
            collection: CollectionId(id),
            value: text.clone(),
            name: text,
        },
    });
    (from, 1..=u64::MAX).prop_map(|(from, count)| WantedItems { from, count })
}

fn transfer() -> impl Strategy<Value = Operation> {
    let payment = (address(), asset_amount()).prop_map(|(to, of)| Payment {
        to,
        asset: of.asset,
        amount: of.amount,
    });
    let moved = (address(), item()).prop_map(|(to, item)| ItemTransfer { to, item });
    (vec(payment, 1..4), vec(moved, 0..4))
        .prop_map(|(payments, items)| Operation::Transfer { payments, items })
}

fn edition() -> impl Strategy<Value = NewEdition> {
    let traits = vec(("\\PC{0,20}", "\\PC{0,20}"), 0..4);
    let texts = ("\\PC{1,30}", "\\PC{0,60}", "\\PC{0,30}");
    let ids = (any::<[u8; 32]>(), content(), content());
    let counts = (1..=u64::MAX, any::<u32>());
    (ids, counts, traits, texts).prop_map(|(ids, (cap, uses), traits, texts)| NewEdition {
        collection: CollectionId(ids.0),
        name: texts.0,
        cap,
        traits: traits
            .into_iter()
            .map(|(name, value)| Trait { name, value })
            .collect(),
        image: texts.1,
        image_hash: ids.1,
        metadata_hash: ids.2,
        reference: texts.2,
        uses,
    })
}

fn deal() -> impl Strategy<Value = NewDeal> {
    let taker = option::of(address());
    (
        bundle(1),
        bundle(0),
        vec(wanted(), 0..4),
        taker,
        any::<u64>(),
    )
        .prop_map(|(gives, wants, wants_any, taker, expires)| NewDeal {
            gives,
            wants,
            wants_any,
            taker,
            expires: Millis(expires),
            ..NewDeal::default()
        })
}

fn series() -> impl Strategy<Value = Operation> {
    let (deal, bytes) = (any::<[u8; 32]>(), any::<[u8; 32]>());
    (deal, bytes, 0..4u8, 1..6u32, 1..9u32).prop_map(|(deal, bytes, kind, packs, cards)| {
        let deal = DealId(deal);
        match kind {
            0 => Operation::DealOpen(crate::testing::series(packs, cards)),
            1 => Operation::DealTake(Taking::pack(deal, Entropy(bytes))),
            2 => Operation::Reveal {
                deal,
                secret: DrawSecret(bytes),
            },
            _ => Operation::PassPack {
                deal,
                pack: packs,
                to: Address(bytes),
            },
        }
    })
}

fn set_policy() -> impl Strategy<Value = Operation> {
    let numbers = (
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<bool>(),
    );
    let royalty = (1..=u8::MAX, 1..=ROYALTY_WHOLE);
    let royalty = royalty.prop_map(|(to, parts)| Royalty {
        to: Address([to; 32]),
        parts,
    });
    let policy = (numbers, option::of(royalty)).prop_map(|(numbers, royalty)| Policy {
        floor_price: Amount(numbers.0),
        cap_price: Amount(numbers.1),
        locked_until: Millis(numbers.2),
        cut_off: Millis(numbers.3),
        personal: numbers.4,
        royalty,
    });
    let holder = (address(), 0..8u32).prop_map(|(account, bits)| RoleHolder {
        account,
        roles: Roles::from_bits(bits).unwrap(),
    });
    (any::<[u8; 32]>(), option::of(policy), vec(holder, 1..4)).prop_map(
        |(collection, policy, roles)| Operation::SetPolicy {
            collection: CollectionId(collection),
            policy,
            roles,
        },
    )
}

fn freeze() -> impl Strategy<Value = Operation> {
    let ids = || vec(any::<[u8; 32]>(), 0..3);
    (any::<bool>(), ids(), ids(), vec(item(), 1..3)).prop_map(
        |(frozen, collections, editions, items)| Operation::Freeze {
            frozen,
            collections: collections.into_iter().map(CollectionId).collect(),
            editions: editions.into_iter().map(EditionId).collect(),
            items,
        },
    )
}

/// Any operation but `MultiParty`.
fn single() -> impl Strategy<Value = Operation> {
    let collection = ("\\PC{1,30}", "\\PC{0,60}", any::<u64>());
    let entry =
        (any::<[u8; 32]>(), address(), 1..=u64::MAX).prop_map(|(edition, to, count)| MintEntry {
            edition: EditionId(edition),
            to,
            count,
        });
    let take = (any::<[u8; 32]>(), vec(item(), 0..4));
    let locked = (deal(), address(), any::<[u8; 32]>()).prop_map(|(deal, taker, hash)| {
        let hash = SecretHash(hash);
        Operation::DealOpen(NewDeal {
            taker: Some(taker),
            rule: DealRule::Secret { hash },
            ..deal
        })
    });
    let shown = option::of(Just(crate::testing::signed_state()));
    let shown = (any::<[u8; 32]>(), shown, vec(any::<[u8; 32]>(), 1..4));
    let shown = shown.prop_map(|(deal, state, secrets)| Showing {
        deal: DealId(deal),
        state,
        secrets: secrets.into_iter().map(Secret).collect(),
    });
    prop_oneof![
        transfer(),
        collection.prop_map(
            |(name, description, item_cap)| Operation::CreateCollection {
                name,
                description,
                item_cap,
            }
        ),
        edition().prop_map(Operation::CreateEdition),
        set_policy(),
        freeze(),
        vec(entry, 1..4).prop_map(|entries| Operation::Mint { entries }),
        proptest::sample::select(crate::testing::ticket_operations()),
        (item(), "\\PC{0,60}", content()).prop_map(|(item, status, data_hash)| {
            Operation::UpdateItem {
                item,
                status,
                data_hash,
            }
        }),
        vec(item(), 1..4).prop_map(|items| Operation::Burn { items }),
        deal().prop_map(Operation::DealOpen),
        take.prop_map(|(deal, items)| Operation::DealTake(Taking::new(DealId(deal), items))),
        any::<[u8; 32]>().prop_map(|deal| Operation::DealCancel { deal: DealId(deal) }),
        series(),
        locked,
        Just(Operation::DealOpen(crate::testing::channel())),
        shown.clone().prop_map(Operation::ChannelClose),
        shown.prop_map(Operation::ChannelChallenge),
        (any::<[u8; 20]>(), vec(item(), 0..4)).prop_map(|(address, items)| {
            let address = BaseAddress(address);
            Operation::ExitAddress { address, items }
        }),
        vec(
            proptest::sample::select(crate::testing::key_changes()),
            1..=16
        )
        .prop_map(|changes| Operation::SetKeys { changes }),
        (address(), address()).prop_map(|(account, owner)| Operation::Recover { account, owner }),
        (any::<[u8; 20]>(), bundle(1)).prop_map(|(recipient, gives)| Operation::Withdraw {
            recipient: BaseAddress(recipient),
            gives,
        }),
        (any::<[u8; 32]>(), 1..=u64::MAX).prop_map(|(pool, count)| Operation::VoucherIssue {
            pool: VoucherPoolId(pool),
            count,
        }),
        (vec(any::<u8>(), 96), vec(any::<u8>(), 48)).prop_map(|(key, voucher)| {
            Operation::VoucherSpend {
                key: VoucherKey::try_from(key.as_slice()).unwrap(),
                voucher: VoucherPoint::try_from(voucher.as_slice()).unwrap(),
            }
        }),
        (any::<[u8; 32]>(), 1..=u64::MAX, any::<u64>()).prop_map(|(asset, denomination, ends)| {
            Operation::VoucherOpen(NewVoucherPool {
                asset: AssetId(asset),
                denomination: Amount(denomination),
                ends: Millis(ends),
                ..crate::testing::new_voucher_pool()
            })
        }),
        posted(),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let party = (address(), vec(single(), 1..4)).prop_map(|(account, operations)| Party {
        account,
        operations,
    });
    prop_oneof![
        9 => single(),
        1 => vec(party, 1..4).prop_map(Operation::MultiParty),
    ]
}

proptest! {
    #[test]
    fn every_operation_survives_wire_and_json(operation in operation()) {
        prop_assert_eq!(read(&operation), Ok(operation.clone()));
        let json = serde_json::to_string(&operation).unwrap();
        let again: Operation = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(again, operation);
    }

    #[test]
    fn any_bytes_are_an_operation_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(wire) = wire::Operation::decode(bytes.as_slice())
            && let Ok(operation) = Operation::try_from(wire)
        {
            prop_assert_eq!(read(&operation), Ok(operation.clone()));
        }
    }
}

fn pay(amount: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: Address([1; 32]),
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

fn new_collection(name: &str, description: &str) -> Operation {
    Operation::CreateCollection {
        name: name.to_owned(),
        description: description.to_owned(),
        item_cap: u64::MAX,
    }
}

fn new_edition() -> NewEdition {
    NewEdition {
        collection: CollectionId([1; 32]),
        name: "x".repeat(NAME_BYTES_MAX),
        cap: u64::MAX,
        traits: vec![
            Trait {
                name: "n".repeat(NAME_BYTES_MAX),
                value: "v".repeat(NAME_BYTES_MAX),
            };
            TRAITS_MAX
        ],
        image: "i".repeat(TEXT_BYTES_MAX),
        image_hash: Some(ContentHash([0xff; 32])),
        metadata_hash: Some(ContentHash([0; 32])),
        reference: "r".repeat(NAME_BYTES_MAX),
        uses: u32::MAX,
    }
}

fn new_deal() -> NewDeal {
    let all = Bundle {
        assets: vec![
            AssetAmount {
                asset: AssetId([1; 32]),
                amount: Amount(u64::MAX),
            };
            LIST_MAX / 2
        ],
        items: vec![ItemId([1; 32]); LIST_MAX / 2],
    };
    let any = WantedItems {
        from: WantedFrom::Edition(EditionId([1; 32])),
        count: u64::MAX,
    };
    NewDeal {
        gives: all.clone(),
        wants: all,
        wants_any: vec![any; LIST_MAX],
        taker: Some(Address([0; 32])),
        expires: Millis(u64::MAX),
        ..NewDeal::default()
    }
}

fn edition_with(change: fn(&mut NewEdition)) -> Operation {
    let mut edition = new_edition();
    change(&mut edition);
    Operation::CreateEdition(edition)
}

fn deal_with(change: fn(&mut NewDeal)) -> Operation {
    let mut deal = new_deal();
    change(&mut deal);
    Operation::DealOpen(deal)
}

fn mint(entries: usize, count: u64) -> Operation {
    let entry = MintEntry {
        edition: EditionId([1; 32]),
        to: Address([1; 32]),
        count,
    };
    Operation::Mint {
        entries: vec![entry; entries],
    }
}

fn parties(parties: usize, operations: Vec<Operation>) -> Operation {
    let party = Party {
        account: Address([1; 32]),
        operations,
    };
    Operation::MultiParty(vec![party; parties])
}

#[test]
fn the_largest_values_are_read() {
    let Operation::Transfer { payments, .. } = pay(u64::MAX) else {
        unreachable!()
    };
    let moved = ItemTransfer {
        to: Address([0xff; 32]),
        item: ItemId([0; 32]),
    };
    accepted(Operation::Transfer {
        payments: vec![payments[0].clone(); LIST_MAX / 2],
        items: vec![moved; LIST_MAX / 2],
    });
    accepted(new_collection(
        &"é".repeat(NAME_BYTES_MAX / 2),
        &"d".repeat(TEXT_BYTES_MAX),
    ));
    accepted(Operation::CreateEdition(new_edition()));
    accepted(mint(LIST_MAX, u64::MAX));
    accepted(Operation::UpdateItem {
        item: ItemId([0xff; 32]),
        status: "s".repeat(TEXT_BYTES_MAX),
        data_hash: Some(ContentHash([0; 32])),
    });
    accepted(Operation::Burn {
        items: vec![ItemId([1; 32]); LIST_MAX],
    });
    accepted(Operation::DealOpen(new_deal()));
    accepted(Operation::DealTake(Taking::new(
        DealId([0; 32]),
        vec![ItemId([1; 32]); LIST_MAX],
    )));
    accepted(parties(16, vec![pay(1); 64]));
}

#[test]
fn the_least_values_are_read() {
    accepted(pay(1));
    accepted(new_collection("x", ""));
    accepted(Operation::DealTake(Taking::new(DealId([0; 32]), vec![])));
    accepted(edition_with(|e| {
        *e = NewEdition {
            name: "x".to_owned(),
            cap: 1,
            traits: vec![],
            image: String::new(),
            image_hash: None,
            metadata_hash: None,
            reference: String::new(),
            uses: 0,
            ..e.clone()
        };
    }));
    accepted(deal_with(|d| {
        d.gives.assets.clear();
        d.wants = Bundle::default();
        d.wants_any.clear();
        d.taker = None;
        d.expires = Millis(0);
    }));
}

#[test]
fn empty_lists_and_names_are_refused() {
    let nothing = Operation::Transfer {
        payments: vec![],
        items: vec![],
    };
    assert_eq!(refused(nothing), "transfer has 0 entries, not 1 to 256");
    assert_eq!(refused(mint(0, 1)), "mint has 0 entries, not 1 to 256");
    assert_eq!(
        refused(Operation::Burn { items: vec![] }),
        "burn has 0 entries, not 1 to 256"
    );
    assert_eq!(
        refused(parties(0, vec![])),
        "parties has 0 entries, not 1 to 16"
    );
    assert_eq!(
        refused(parties(1, vec![])),
        "operations of a party has 0 entries, not 1 to 64"
    );
    assert_eq!(
        refused(new_collection("", "d")),
        "length of the collection's name must not be zero"
    );
    assert_eq!(
        refused(edition_with(|e| e.name.clear())),
        "length of the edition's name must not be zero"
    );
    assert_eq!(
        refused(deal_with(|d| d.gives = Bundle::default())),
        "what the deal gives is missing"
    );
    let unknown = wire::Operation { kind: None };
    assert_eq!(Operation::try_from(unknown), Err(OperationError::Unknown));
}

#[test]
fn zero_amounts_counts_and_caps_are_refused() {
    assert_eq!(refused(pay(0)), "payment must not be zero");
    assert_eq!(refused(mint(1, 0)), "count must not be zero");
    assert_eq!(refused(edition_with(|e| e.cap = 0)), "cap must not be zero");
    assert_eq!(
        refused(deal_with(|d| d.gives.assets[0].amount = Amount(0))),
        "amount must not be zero"
    );
    assert_eq!(
        refused(deal_with(|d| d.wants.assets[0].amount = Amount(0))),
        "amount must not be zero"
    );
    assert_eq!(
        refused(deal_with(|d| d.wants_any[0].count = 0)),
        "count must not be zero"
    );
}

#[test]
fn an_exit_address_is_not_zero_and_lists_no_more_cards_than_other_operations() {
    let name = |address, cards| Operation::ExitAddress {
        address: BaseAddress([address; 20]),
        items: vec![ItemId([1; 32]); cards],
    };
    accepted(name(1, 0));
    accepted(name(1, LIST_MAX));
    assert_eq!(refused(name(0, 0)), "exit address must not be zero");
    let long = refused(name(1, LIST_MAX + 1));
    assert!(long.contains("257") && long.contains("256"), "{long}");
}

#[test]
fn l17_a_withdrawal_is_for_somebody() {
    let withdraw = |recipient| Operation::Withdraw {
        recipient: BaseAddress([recipient; 20]),
        gives: Bundle {
            assets: vec![],
            items: vec![ItemId([1; 32])],
        },
    };
    accepted(withdraw(1));
    assert_eq!(refused(withdraw(0)), "recipient must not be zero");
}

#[test]
fn lists_one_longer_than_allowed_are_refused() {
    let too_many = |operation, message: &str| {
        let error = refused(operation);
        assert!(error.contains(message), "{error}");
    };
    let moved = ItemTransfer {
        to: Address([1; 32]),
        item: ItemId([1; 32]),
    };
    let Operation::Transfer { payments, .. } = pay(1) else {
        unreachable!()
    };
    let long = Operation::Transfer {
        payments,
        items: vec![moved; LIST_MAX],
    };
    too_many(long, "transfer has 257");
    too_many(mint(LIST_MAX + 1, 1), "mint has 257");
    let items = vec![ItemId([1; 32]); LIST_MAX + 1];
    too_many(
        Operation::Burn {
            items: items.clone(),
        },
        "burn has 257",
    );
    too_many(
        Operation::DealTake(Taking::new(DealId([1; 32]), items)),
        "deal's items has 257",
    );
    too_many(
        deal_with(|d| d.gives.items.push(ItemId([1; 32]))),
        "bundle has 257 entries, not 0 to 256",
    );
    too_many(
        deal_with(|d| d.wants.items.push(ItemId([1; 32]))),
        "bundle has 257",
    );
    too_many(
        deal_with(|d| d.wants_any.push(d.wants_any[0].clone())),
        "wanted items has 257",
    );
    too_many(
        edition_with(|e| e.traits.push(e.traits[0].clone())),
        "traits has 33",
    );
    too_many(parties(17, vec![pay(1)]), "parties has 17");
    too_many(parties(1, vec![pay(1); 65]), "operations of a party has 65");
}

#[test]
fn texts_one_byte_longer_than_allowed_are_refused() {
    let name = "x".repeat(NAME_BYTES_MAX + 1);
    let text = "x".repeat(TEXT_BYTES_MAX + 1);
    assert_eq!(
        refused(new_collection(&name, "")),
        "name has 129 bytes, more than 128"
    );
    assert_eq!(
        refused(new_collection("x", &text)),
        "description has 1025 bytes, more than 1024"
    );
    let status = Operation::UpdateItem {
        item: ItemId([1; 32]),
        status: text,
        data_hash: None,
    };
    assert_eq!(refused(status), "status has 1025 bytes, more than 1024");
    let edition = |change, message| assert_eq!(refused(edition_with(change)), message);
    edition(|e| e.name.push('x'), "name has 129 bytes, more than 128");
    edition(
        |e| e.image.push('x'),
        "image has 1025 bytes, more than 1024",
    );
    edition(
        |e| e.reference.push('x'),
        "reference has 129 bytes, more than 128",
    );
    edition(
        |e| e.traits[0].name.push('x'),
        "trait has 129 bytes, more than 128",
    );
    edition(
        |e| e.traits[31].value.push('x'),
        "trait has 129 bytes, more than 128",
    );
}

#[test]
fn a_multi_party_does_not_nest() {
    let nested = parties(1, vec![parties(1, vec![pay(1)])]);
    assert_eq!(read(&nested), Err(OperationError::Nested));
    // However deep: looked at from outside, and protobuf's own recursion limit before that.
    let mut deep = wire::Operation::from(&pay(1));
    for _ in 0..20 {
        deep = wire::Operation {
            kind: Some(wire::operation::Kind::MultiParty(wire::MultiParty {
                parties: vec![wire::Party {
                    account: Bytes::from_static(&[1; 32]),
                    operations: vec![deep],
                }],
            })),
        };
    }
    assert_eq!(Operation::try_from(deep), Err(OperationError::Nested));
}

#[test]
fn wanted_items_name_an_edition_or_a_collection_or_a_trait() {
    let (id, none) = (Bytes::from_static(&[1; 32]), Bytes::new());
    let of = |name: &str| wire::WantedTrait {
        collection: id.clone(),
        name: name.to_owned(),
        value: String::new(),
    };
    let read = |edition: &Bytes, collection: &Bytes, of_trait| {
        WantedItems::try_from(wire::WantedItems {
            edition: edition.clone(),
            collection: collection.clone(),
            count: 1,
            r#trait: of_trait,
        })
    };
    for wrong in [
        read(&id, &id, None),
        read(&none, &none, None),
        read(&id, &none, Some(of("rarity"))),
        read(&none, &id, Some(of("rarity"))),
    ] {
        assert_eq!(wrong, Err(OperationError::WantedFrom));
    }
    assert!(read(&none, &none, Some(of("rarity"))).is_ok());
    let unnamed = read(&none, &none, Some(of(""))).unwrap_err();
    assert_eq!(
        unnamed.to_string(),
        "length of the trait's name must not be zero"
    );
    let long = read(&none, &none, Some(of(&"x".repeat(129)))).unwrap_err();
    assert_eq!(long.to_string(), "trait has 129 bytes, more than 128");
}

#[test]
fn identifiers_of_wrong_length_are_named() {
    let wire = |change: fn(&mut wire::Payment)| {
        let mut payment = wire::Payment {
            to: Bytes::from_static(&[1; 32]),
            asset: Bytes::new(),
            amount: 1,
        };
        change(&mut payment);
        decode::transfer(wire::Transfer {
            payments: vec![payment],
            items: vec![],
        })
    };
    let error = wire(|p| p.to = Bytes::from_static(&[1; 20])).unwrap_err();
    assert_eq!(error.to_string(), "Address has 20 bytes, not 32");
    let error = wire(|p| p.asset = Bytes::from_static(&[1])).unwrap_err();
    assert_eq!(error.to_string(), "AssetId has 1 bytes, not 32");
    let named = wire(|p| p.asset = Bytes::from_static(&[0; 32])).unwrap();
    assert_eq!(
        named,
        wire(|_| {}).unwrap(),
        "the native asset by its zeros"
    );
}

#[test]
fn json_reads_as_people_write_it() {
    let json = serde_json::to_value(parties(1, vec![pay(5)])).unwrap();
    let address = Address([1; 32]).to_string();
    let expected = serde_json::json!({
        "type": "multi_party",
        "parties": [{
            "account": address,
            "operations": [{
                "type": "transfer",
                "payments": [{ "to": address, "asset": AssetId::NATIVE.to_string(), "amount": 5 }],
                "items": [],
            }],
        }],
    });
    assert_eq!(json, expected);
}

#[test]
fn json_nested_a_thousand_deep_is_refused_not_followed() {
    let open = r#"{"type":"multi_party","parties":[{"account":"x","operations":["#;
    assert!(serde_json::from_str::<Operation>(&open.repeat(1_000)).is_err());
}

#[test]
fn rules_ask_for_a_taker_and_channels_for_more() {
    let refused = |change: &dyn Fn(&mut NewDeal), error: &str| {
        let mut terms = crate::testing::channel();
        change(&mut terms);
        let found = read(&Operation::DealOpen(terms)).unwrap_err().to_string();
        assert!(found.contains(error), "{found}");
    };
    fn channel(terms: &mut NewDeal) -> &mut ChannelTerms {
        match &mut terms.rule {
            DealRule::CoSigned(channel) => channel,
            _ => unreachable!("a channel"),
        }
    }
    refused(&|t| t.taker = None, "taker");
    refused(&|t| t.wants = t.gives.clone(), "wants");
    refused(&|t| channel(t).challenge = Millis(999), "999 ms");
    refused(&|t| channel(t).challenge = Millis(2_592_000_001), "window");
    let more = "does not hold";
    refused(
        &|t| channel(t).to_taker.assets[0].amount = Amount(1_001),
        more,
    );
    refused(&|t| channel(t).to_taker.items = vec![ItemId([9; 32])], more);
    refused(
        &|t| channel(t).to_taker.items = t.gives.items.repeat(2),
        "ascending",
    );
    let secret = DealRule::Secret {
        hash: Secret([1; 32]).hash(),
    };
    refused(
        &|t| {
            t.rule = secret.clone();
            t.taker = None;
        },
        "taker",
    );
}

#[test]
fn a_challenge_shows_something_and_nothing_shows_too_much() {
    let nothing = Showing {
        state: None,
        secrets: vec![],
        ..crate::testing::showing()
    };
    accepted(Operation::ChannelClose(nothing.clone()));
    let found = read(&Operation::ChannelChallenge(nothing)).unwrap_err();
    assert!(found.to_string().contains("missing"), "{found}");
    let many = Showing {
        secrets: vec![Secret([1; 32]); 9],
        ..crate::testing::showing()
    };
    let found = read(&Operation::ChannelClose(many)).unwrap_err();
    assert!(found.to_string().contains("more than 8"), "{found}");
}

#[test]
fn vouchers_of_another_form_are_refused() {
    let open = |change: fn(&mut wire::VoucherOpen)| {
        let mut open = wire::VoucherOpen::from(&crate::testing::new_voucher_pool());
        change(&mut open);
        NewVoucherPool::try_from(&open).map_err(|e| e.to_string())
    };
    assert_eq!(open(|_| {}), Ok(crate::testing::new_voucher_pool()));
    for (change, words) in [
        (
            (|o| o.denomination = 0) as fn(&mut wire::VoucherOpen),
            "denomination must not be zero",
        ),
        (|o| o.key.truncate(95), "VoucherKey has 95 bytes, not 96"),
        (|o| o.proof.clear(), "VoucherPoint has 0 bytes, not 48"),
        (
            |o| o.asset = Bytes::from_static(&[1]),
            "AssetId has 1 bytes, not 32",
        ),
    ] {
        assert_eq!(open(change), Err(words.to_owned()));
    }
    let issue = Operation::VoucherIssue {
        pool: VoucherPoolId([1; 32]),
        count: 0,
    };
    let refused = read(&issue);
    assert_eq!(refused, Err(OperationError::Zero("count of vouchers")));
}

fn posted() -> impl Strategy<Value = Operation> {
    let signers = vec(0..128u32, 1..20);
    let times = (any::<u64>(), any::<u64>(), any::<u64>());
    let data = (any::<[u8; 32]>(), 1..=u64::MAX);
    (data, times, signers, vec(any::<u8>(), 96)).prop_map(|(data, times, signers, signature)| {
        use crate::availability::{Availability, AvailabilityCertificate, AvailabilitySignature};
        Operation::PostData(AvailabilityCertificate {
            claim: Availability {
                epoch: crate::ids::Epoch(times.0),
                hash: ContentHash(data.0),
                size: data.1,
                until: Millis(times.1),
                by: Millis(times.2),
            },
            signers: signers.into_iter().map(crate::ids::MemberIndex).collect(),
            signature: AvailabilitySignature::try_from(signature.as_slice()).unwrap(),
        })
    })
}

#[test]
fn posted_data_of_another_form_are_refused() {
    use crate::testing::{availability, availability_certificate};
    let good = availability_certificate(availability(), &[0, 1, 2]);
    let read = |change: fn(&mut wire::PostData)| {
        let mut post = wire::PostData::from(&good);
        change(&mut post);
        let read = crate::availability::AvailabilityCertificate::try_from(&post);
        read.map_err(|e| e.to_string())
    };
    assert_eq!(read(|_| {}), Ok(good.clone()));
    for (change, words) in [
        (
            (|p| p.size = 0) as fn(&mut wire::PostData),
            "size of data must not be zero",
        ),
        (|p| p.hash.truncate(31), "ContentHash has 31 bytes, not 32"),
        (
            |p| p.signature.clear(),
            "AvailabilitySignature has 0 bytes, not 96",
        ),
        (
            |p| p.signers.clear(),
            "signers of data are none, or no bitmap of 0 bytes",
        ),
        (
            |p| p.signers = Bytes::from_static(&[7, 0]),
            "signers of data are none, or no bitmap of 2 bytes",
        ),
        (
            |p| p.signers = Bytes::from_static(&[1; 17]),
            "signers of data are none, or no bitmap of 17 bytes",
        ),
    ] {
        assert_eq!(read(change), Err(words.to_owned()));
    }
}
