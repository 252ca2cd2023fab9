use super::*;
use crate::bridge::TREE_PLACES;
use crate::ids::{AssetId, CollectionId, ItemId, Millis};
use crate::operation::{Bundle, Trait, WantedFrom, WantedItems};
use crate::testing::sale;
use crate::wire;
use prost::Message as _;

fn account(balances: &[(u8, u64)]) -> Account {
    let mut account = Account::default();
    for (asset, amount) in balances {
        account.set(AssetId([*asset; 32]), Amount(*amount));
    }
    account
}

fn item(state: ItemState) -> Item {
    Item {
        edition: EditionId([3; 32]),
        serial: 17,
        owner: Address([1; 32]),
        state,
        status: "mint condition".to_owned(),
        data_hash: Some(ContentHash([8; 32])),
        exit: None,
        frozen: false,
        used: 0,
        void: None,
        last_pass: 0,
    }
}

/// With exits of both kinds, and of none.
fn with_exits() -> Vec<Object> {
    let mut named = account(&[(0, 5)]);
    named.set_exit_address(BaseAddress([7; 20]));
    let mut empty = Account::default();
    empty.set_exit_address(BaseAddress([7; 20]));
    for (asset, place) in [(9, 0), (0, TREE_PLACES - 1), (4, 3)] {
        empty.give_exit_place(AssetId([asset; 32]), place);
    }
    named.set_keys(crate::testing::keys());
    let accounts = [named, empty].map(|a| Object::Account(Arc::new(a)));
    let addresses = [None, Some(BaseAddress([7; 20]))];
    let items = addresses.map(|address| {
        let exit = Some(ItemExit { place: 0, address });
        let item = item(ItemState::Held);
        Object::Item(Arc::new(Item { exit, ..item }))
    });
    accounts.into_iter().chain(items).collect()
}

fn deal(state: DealState) -> Deal {
    Deal {
        giver: Address([1; 32]),
        terms: NewDeal {
            gives: Bundle {
                assets: vec![],
                items: vec![ItemId([4; 32])],
            },
            wants: Bundle {
                assets: vec![AssetAmount {
                    asset: AssetId::NATIVE,
                    amount: Amount(5),
                }],
                items: vec![],
            },
            wants_any: vec![WantedItems {
                from: WantedFrom::Edition(EditionId([3; 32])),
                count: 2,
            }],
            expires: Millis(99),
            ..NewDeal::default()
        },
        state,
        bid: None,
        drawing: None,
        standing: None,
        order: None,
    }
}

/// At least one of each kind and state.
fn objects() -> Vec<(ObjectId, Object)> {
    let locked = ItemState::Locked {
        deal: DealId([5; 32]),
    };
    let collection = Collection {
        creator: Address([1; 32]),
        name: "Cards".to_owned(),
        description: "é".to_owned(),
        item_cap: 0,
        issued: 4,
        editions: 2,
        policy: Policy::default(),
        roles: vec![],
        frozen: false,
    };
    let ruled = Collection {
        policy: crate::testing::policy(),
        roles: crate::testing::role_holders(),
        frozen: true,
        ..collection.clone()
    };
    let terms = NewEdition {
        collection: CollectionId([2; 32]),
        name: "Dragon".to_owned(),
        cap: 10,
        traits: vec![Trait {
            name: "rarity".to_owned(),
            value: "high".to_owned(),
        }],
        image: "dragon.png".to_owned(),
        image_hash: Some(ContentHash([7; 32])),
        metadata_hash: None,
        reference: "A1-001".to_owned(),
        uses: 3,
    };
    let edition = Edition {
        issued: 3,
        ..Edition::new(terms)
    };
    let mut sold = Edition {
        sale: Some(sale()),
        ..edition.clone()
    };
    sold.bought.insert(4);
    let stub = Item {
        used: 3,
        void: Some(String::new()),
        last_pass: u64::MAX,
        ..item(ItemState::Redeemed)
    };
    let stopped = Edition {
        frozen: true,
        ..edition.clone()
    };
    let caught = Item {
        frozen: true,
        ..item(ItemState::Held)
    };
    let mut objects = vec![
        Object::Account(Arc::new(account(&[(0, 5), (9, 1), (4, u64::MAX)]))),
        Object::Account(Arc::default()),
        Object::Collection(Arc::new(collection)),
        Object::Edition(Arc::new(edition)),
        Object::Collection(Arc::new(ruled)),
        Object::Edition(Arc::new(stopped)),
        Object::Item(Arc::new(caught)),
        Object::Item(Arc::new(stub)),
        Object::Edition(Arc::new(sold)),
    ];
    for state in [ItemState::Held, locked, ItemState::Burned] {
        objects.push(Object::Item(Arc::new(item(state))));
    }
    objects.extend(with_exits());
    use DealState::{Cancelled, Expired, Open, Taken};
    let by = Address([2; 32]);
    for state in [Open, Taken { by }, Cancelled, Expired] {
        objects.push(Object::Deal(Arc::new(deal(state))));
    }
    objects.push(Object::Deal(Arc::new(crate::testing::drawn(3, 2).1)));
    objects.push(Object::Deal(Arc::new(crate::testing::order())));
    let standings = [
        crate::testing::standing(),
        Standing {
            secrets: vec![crate::ids::Secret([1; 32])],
            ..Standing::default()
        },
        Standing {
            until: Millis(1),
            ..Standing::default()
        },
    ];
    for standing in standings {
        objects.push(Object::Deal(Arc::new(Deal {
            terms: crate::testing::channel(),
            standing: Some(standing),
            ..deal(Open)
        })));
    }
    let (mut bridge, withdrawal) = crate::testing::bridge();
    bridge.exit_places = 4;
    objects.push(Object::Bridge(Arc::new(bridge)));
    objects.push(Object::Roster(Arc::new(crate::testing::roster())));
    objects.push(Object::Withdrawal(Arc::new(withdrawal)));
    objects.push(Object::Offenders(Arc::new(crate::testing::offenders())));
    objects.push(Object::Work(Arc::new(crate::testing::work())));
    let pool = crate::testing::voucher_pool();
    let over = VoucherPool {
        last: None,
        ended: true,
        ..pool.clone()
    };
    objects.extend([pool, over].map(|p| Object::VoucherPool(Arc::new(p))));
    let mark = crate::testing::spent_voucher();
    let first = SpentVoucher {
        before: None,
        ..mark.clone()
    };
    objects.extend([mark, first].map(|m| Object::SpentVoucher(Arc::new(m))));
    objects.push(Object::Posted(Arc::new(crate::testing::posted())));
    let named = objects.into_iter().map(|object| {
        let kind = match &object {
            Object::Account(_) => 1,
            Object::Collection(_) => 2,
            Object::Edition(_) => 3,
            Object::Item(_) => 4,
            Object::Deal(_) => 5,
            Object::Bridge(_) => 6,
            Object::Roster(_) => 8,
            Object::Offenders(_) => 9,
            Object::Work(_) => 10,
            Object::SpentVoucher(_) => 12,
            Object::Posted(_) => 13,
            Object::VoucherPool(p) => return (ObjectId::VoucherPool(p.key.pool()), object),
            Object::Withdrawal(w) => {
                return (
                    ObjectId::Withdrawal(crate::ids::WithdrawalId::new(w.index)),
                    object,
                );
            }
        };
        (ObjectId::from_parts(kind, &[6; 32]).unwrap(), object)
    });
    named.collect()
}

#[test]
fn objects_survive_their_encoding() {
    for (id, object) in objects() {
        assert_eq!(Object::decode(&id, object.encode()), Ok(object.clone()));
    }
}

#[test]
fn balances_are_kept_by_asset_and_a_zero_is_none() {
    let mut account = account(&[(9, 1), (0, 5), (4, 2)]);
    let assets: Vec<u8> = account.balances().map(|b| b.asset.0[0]).collect();
    assert_eq!(assets, [0, 4, 9]);
    assert_eq!(account.balance(&AssetId([4; 32])), Amount(2));
    assert_eq!(account.balance(&AssetId([5; 32])), Amount::ZERO);
    for asset in [0, 4, 9, 5] {
        account.set(AssetId([asset; 32]), Amount::ZERO);
    }
    assert!(account.is_empty());
    assert_eq!(account, Account::default());
}

#[test]
fn balances_out_of_order_twice_or_zero_are_refused() {
    let balance = |asset: &'static [u8], amount| wire::Balance {
        asset: Bytes::from_static(asset),
        amount,
    };
    let lists = [
        vec![balance(&[9; 32], 1), balance(&[4; 32], 1)],
        vec![balance(&[4; 32], 1), balance(&[4; 32], 1)],
        vec![balance(&[4; 32], 1), balance(&[], 1)],
        vec![balance(&[], 0)],
    ];
    for balances in lists {
        let account = wire::Account {
            balances,
            ..wire::Account::default()
        };
        let bytes = account.encode_to_vec();
        let id = ObjectId::Account(Address([1; 32]));
        let refused = Object::decode(&id, bytes.into());
        assert_eq!(refused, Err(ObjectError::Balances));
    }
}

#[test]
fn an_accounts_places_are_ascending_in_the_tree_and_of_an_exit_address() {
    let place = |asset: &'static [u8], place| wire::ExitPlace {
        asset: Bytes::from_static(asset),
        place,
    };
    let read = |address: &'static [u8], exit_places: Vec<wire::ExitPlace>| {
        let account = wire::Account {
            balances: vec![],
            exit_address: Bytes::from_static(address),
            exit_places,
            keys: None,
        };
        let id = ObjectId::Account(Address([1; 32]));
        Object::decode(&id, account.encode_to_vec().into())
    };
    let some = || vec![place(&[], 5), place(&[4; 32], 0)];
    assert!(read(&[7; 20], some()).is_ok());
    let descending = vec![place(&[4; 32], 0), place(&[], 5)];
    let twice = vec![place(&[], 5), place(&[], 6)];
    for (address, places) in [(&[7; 20][..], descending), (&[7; 20], twice), (&[], some())] {
        assert_eq!(read(address, places), Err(ObjectError::ExitPlaces));
    }
    let beyond = vec![place(&[], TREE_PLACES)];
    let refused = Err(ObjectError::ExitPlace(TREE_PLACES));
    assert_eq!(read(&[7; 20], beyond), refused);
    assert!(matches!(read(&[7; 19], vec![]), Err(ObjectError::Id(_))));
}

#[test]
fn an_unknown_state_and_a_stray_deal_are_refused() {
    let id = ObjectId::Item(ItemId([4; 32]));
    let decode = |change: &dyn Fn(&mut wire::Item)| {
        let mut wire = wire::Item::from(&item(ItemState::Held));
        change(&mut wire);
        Object::decode(&id, wire.encode_to_vec().into())
    };
    let unknown = decode(&|i| i.state = 9);
    let what = "item";
    assert_eq!(unknown, Err(ObjectError::State { what, found: 9 }));
    let stray = decode(&|i| i.deal = Bytes::from_static(&[5; 32]));
    assert_eq!(stray, Err(ObjectError::Stray("item")));
    let nowhere = decode(&|i| i.exit_address = Bytes::from_static(&[7; 20]));
    assert_eq!(nowhere, Err(ObjectError::Stray("item")));
    let beyond = decode(&|i| i.exit_place = Some(TREE_PLACES));
    assert_eq!(beyond, Err(ObjectError::ExitPlace(TREE_PLACES)));
    let noise = Object::decode(&id, Bytes::from_static(&[0xff; 5]));
    assert!(matches!(noise, Err(ObjectError::Malformed(_))));
}

/// L25: so that a collection without any of it is as it was before there was any.
#[test]
fn a_collections_policy_and_roles_say_something_and_stand_in_order() {
    let id = ObjectId::Collection(CollectionId([2; 32]));
    let read = |policy, roles: Vec<RoleHolder>| {
        let collection = wire::Collection {
            creator: Bytes::from_static(&[1; 32]),
            policy,
            roles: roles.iter().map(Into::into).collect(),
            ..wire::Collection::default()
        };
        Object::decode(&id, collection.encode_to_vec().into())
    };
    let policy = crate::testing::policy();
    assert!(read(Some((&policy).into()), crate::testing::role_holders()).is_ok());
    let nothing = read(Some(wire::Policy::default()), vec![]);
    assert_eq!(nothing, Err(ObjectError::Stray("collection")));

    let holder = |n, role: &[Role]| RoleHolder {
        account: Address([n; 32]),
        roles: role.iter().copied().collect(),
    };
    let many = |n| (1..=n).map(|n| holder(n, &[Role::Gate])).collect();
    assert!(read(None, many(16)).is_ok());
    let gate = &[Role::Gate][..];
    for roles in [
        vec![holder(2, gate), holder(1, gate)],
        vec![holder(1, gate), holder(1, gate)],
        vec![holder(1, &[])],
        many(17),
    ] {
        assert_eq!(read(None, roles), Err(ObjectError::Roles));
    }
}

#[test]
fn roles_are_given_taken_and_kept_in_order() {
    let Some((_, Object::Collection(collection))) = objects().into_iter().nth(2) else {
        panic!("a collection");
    };
    let mut collection = Collection::clone(&collection);
    let mut give = |n, roles: &[Role]| {
        collection.set_roles(RoleHolder {
            account: Address([n; 32]),
            roles: roles.iter().copied().collect(),
        });
        let holders = collection.roles.iter();
        let holders: Vec<_> = holders.map(|h| (h.account.0[0], h.roles.bits())).collect();
        let [minter, freezer] = [Role::Minter, Role::Freezer];
        let may = |n, role| collection.has_role(&Address([n; 32]), role);
        assert!(may(1, minter) && may(1, freezer), "the creator may all");
        (holders, may(9, minter), may(9, freezer))
    };
    let minter = &[Role::Minter][..];
    assert_eq!(give(9, minter), (vec![(9, 1)], true, false));
    let both = [Role::Gate, Role::Freezer];
    assert_eq!(give(4, &both), (vec![(4, 6), (9, 1)], true, false));
    assert_eq!(give(9, &both), (vec![(4, 6), (9, 6)], false, true));
    assert_eq!(give(5, &[]), (vec![(4, 6), (9, 6)], false, true));
    assert_eq!(give(9, &[]), (vec![(4, 6)], false, false));
}

#[test]
fn a_deals_bid_is_one_that_its_auction_allows() {
    let id = ObjectId::Deal(DealId([4; 32]));
    let read = |terms: NewDeal, amount, expires| {
        let deal = Deal {
            bid: Some(HighestBid {
                by: Address([7; 32]),
                amount: Amount(amount),
                expires: Millis(expires),
            }),
            terms,
            ..deal(DealState::Open)
        };
        let bytes = Object::Deal(deal.into()).encode();
        Object::decode(&id, bytes)
    };
    let auction = crate::testing::auction;
    for fits in [(250, 90_000), (u64::MAX, 100_000)] {
        assert!(read(auction(), fits.0, fits.1).is_ok());
    }
    for wrong in [(249, 90_000), (250, 89_999), (250, 100_001)] {
        let refused = read(auction(), wrong.0, wrong.1);
        assert_eq!(refused, Err(ObjectError::Bid));
    }
    let fixed = deal(DealState::Open).terms;
    let stray = read(fixed, 250, 99);
    assert_eq!(stray, Err(ObjectError::Stray("deal")));
}

#[test]
fn l46_a_drawing_is_of_its_rule_and_state() {
    let (id, drawn) = crate::testing::drawn(3, 2);
    let id = ObjectId::Deal(id);
    let read = |change: &dyn Fn(&mut Deal, &mut Drawing)| {
        let mut deal = drawn.clone();
        let mut drawing = deal.drawing.take().unwrap();
        change(&mut deal, &mut drawing);
        deal.drawing = deal.drawing.or(Some(drawing));
        let encoded = Object::Deal(Arc::new(deal)).encode();
        Object::decode(&id, encoded).map(|_| ())
    };
    let open = |deal: &mut Deal, drawing: &mut Drawing| {
        (deal.state, drawing.secret) = (DealState::Open, None);
    };
    assert_eq!(read(&|_, _| {}), Ok(()));
    assert_eq!(read(&open), Ok(()));
    type Change<'a> = &'a dyn Fn(&mut Deal, &mut Drawing);
    let refused: [Change; 10] = [
        &|deal, _| deal.state = DealState::Open,
        &|_, drawing| drawing.secret = None,
        &|_, drawing| drawing.lot = None,
        &|_, drawing| drawing.reveal_from = None,
        &|deal, drawing| {
            open(deal, drawing);
            drawing.lot = None;
        },
        &|_, drawing| drawing.packs.push(drawing.packs[0]),
        &|deal, drawing| {
            open(deal, drawing);
            drawing.packs.clear();
        },
        &|deal, drawing| {
            open(deal, drawing);
            *drawing = Drawing {
                packs: drawing.packs.clone(),
                ..Drawing::default()
            };
        },
        &|deal, drawing| {
            open(deal, drawing);
            drawing.packs.pop();
            drawing.closing = None;
        },
        &|deal, _| deal.terms.rule = crate::operation::DealRule::Fixed,
    ];
    for change in refused {
        assert_eq!(read(change), Err(ObjectError::Drawing));
    }
    let bare = Deal {
        drawing: None,
        ..drawn.clone()
    };
    let encoded = Object::Deal(Arc::new(bare)).encode();
    assert_eq!(Object::decode(&id, encoded), Err(ObjectError::Drawing));
}

#[test]
fn l47_a_series_is_due_when_its_sale_ends_and_then_when_its_secret_is_late() {
    let (_, mut deal) = crate::testing::drawn(3, 2);
    let drawing = deal.drawing.clone().unwrap();
    let mut due = |closing, lot, reveal_from| {
        deal.drawing = Some(Drawing {
            closing,
            lot,
            reveal_from,
            ..drawing.clone()
        });
        (deal.due(), deal.awaits_reveal())
    };
    let (closing, lot, from) = (drawing.closing, drawing.lot, drawing.reveal_from);
    assert_eq!(due(None, None, None), (Millis(90_000), false));
    assert_eq!(due(closing, None, None), (Millis::MAX, true));
    assert_eq!(due(closing, lot, None), (Millis::MAX, true));
    assert_eq!(due(closing, lot, from), (Millis(680_600), false));
}

#[test]
fn a_pool_that_owes_more_than_it_can_is_refused() {
    let pool = crate::testing::voucher_pool();
    let id = ObjectId::VoucherPool(pool.key.pool());
    let read = |change: fn(&mut VoucherPool)| {
        let mut pool = pool.clone();
        change(&mut pool);
        let encoded = wire::VoucherPool::from(&pool).encode_to_vec();
        Object::decode(&id, encoded.into()).err()
    };
    assert_eq!(read(|_| {}), None);
    for change in [
        (|p| p.denomination = Amount::ZERO) as fn(&mut VoucherPool),
        |p| p.spent = p.issued + 1,
        |p| p.issued = VOUCHERS_MAX + 1,
        |p| p.denomination = Amount(u64::MAX / 2),
        |p| p.spent = 0,
        |p| p.key = crate::testing::issuer_key(9).public(),
    ] {
        assert_eq!(read(change), Some(ObjectError::VoucherPool));
    }
}

#[test]
fn a_record_of_no_data_or_of_more_than_there_can_be_is_refused() {
    let read = |size| {
        let posted = crate::testing::posted();
        let encoded = wire::Posted::from(&Posted { size, ..posted }).encode_to_vec();
        Object::decode(&ObjectId::Posted(ContentHash([1; 32])), encoded.into()).err()
    };
    let most = crate::content::CONTENT_BYTES_MAX as u64;
    assert_eq!((read(1), read(most)), (None, None));
    for size in [0, most + 1, u64::MAX] {
        assert_eq!(read(size), Some(ObjectError::Posted(size)));
    }
}
