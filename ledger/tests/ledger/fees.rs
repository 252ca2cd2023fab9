//! L22, L23: who has carried how much of the order, and what it gets of the fees when the next epoch opens.

use crate::epochs::{DURATION, entry, queue, ready, roster, to_next};
use crate::world::*;
use weft_ledger::{Applied, Denied};
use weft_types::testing::{members, offence, user, user_key, vertex_key};
use weft_types::{
    Address, Amount, AssetId, BaseAsset, Committee, Epoch, FeeSchedule, FeeShare, KeyChange,
    MemberIndex, Millis, Object, ObjectId, Operation, Payment, QueueEntry, Round, Stake, UserKey,
    VertexDigest, VertexRef, WorkId,
};

/// Four members with these weights, where nothing costs a fee: what the pool holds is what tests pay there.
pub fn world(weights: &[u64]) -> World {
    let free = FeeSchedule {
        per_transaction: Amount::ZERO,
        per_operation: Amount::ZERO,
        per_byte: Amount::ZERO,
        per_item: Amount::ZERO,
    };
    let mut world = World::with(|params| {
        params.epoch_duration_ms = Millis(DURATION);
        params.fees = free;
    });
    let mut members = members(weights.len());
    for (member, weight) in members.iter_mut().zip(weights) {
        member.stake = Stake(*weight);
    }
    world.committee = Committee::new(Epoch::ZERO, members).expect("a committee");
    world
}

/// The account of a member's vertex key.
pub fn account(member: u64) -> Address {
    Address::of_key(&vertex_key(member as usize - 1).public())
}

pub fn vertex(place: u32, round: u64) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(place),
        digest: VertexDigest([place as u8; 32]),
    }
}

/// A commit that orders so many vertices of each member, by places.
fn work(world: &mut World, counts: &[u64]) -> Applied {
    let of = |(place, count): (u32, &u64)| (1..=*count).map(move |round| vertex(place, round));
    world.ordered = (0..).zip(counts).flat_map(of).collect();
    world.commit(&[])
}

fn pay_pool(world: &mut World, asset: AssetId, amount: u64) {
    let payments = vec![Payment {
        to: Address::FEE_POOL,
        asset,
        amount: Amount(amount),
    }];
    let items = vec![];
    world.done(0, Operation::Transfer { payments, items });
}

/// Ends the epoch and opens the next one. What it pays, as (member, amount).
fn share(world: &mut World) -> Vec<(u64, u64)> {
    world.committee = to_next(world);
    open(world)
}

/// The first commit of an epoch.
fn open(world: &mut World) -> Vec<(u64, u64)> {
    let now = world.now + 5;
    let shares = ready(world, now, &[]).shares;
    assert_eq!(roster(world).shares, shares, "the roster says who was paid");
    let of = |share: &FeeShare| {
        assert_eq!(share.account, account(share.member));
        (share.member, share.amount.0)
    };
    shares.iter().map(of).collect()
}

fn pool(world: &World) -> u64 {
    world.balance(Address::FEE_POOL)
}

#[test]
fn l23_fees_go_by_stake_and_work_and_what_is_left_over_waits() {
    let mut world = world(&[5, 1, 2, 1]);
    pay_pool(&mut world, AssetId::NATIVE, 100);
    work(&mut world, &[2, 4, 0, 4]);
    // By 10, 4, 0 and 4 of 18.
    assert_eq!(share(&mut world), [(1, 55), (2, 22), (4, 22)]);
    assert_eq!((world.balance(account(1)), pool(&world)), (55, 1));
    // The same committee; what was left over comes to what has been paid since.
    pay_pool(&mut world, AssetId::NATIVE, 8);
    work(&mut world, &[0, 0, 3, 0]);
    assert_eq!(share(&mut world), [(3, 9)]);
    assert_eq!(pool(&world), 0);
}

#[test]
fn l23_nothing_is_paid_of_an_empty_pool_nor_below_a_unit() {
    let mut world = world(&[1, 1, 1, 1]);
    work(&mut world, &[1, 1, 1, 1]);
    assert_eq!(share(&mut world), []);
    pay_pool(&mut world, AssetId::NATIVE, 3);
    work(&mut world, &[1, 1, 1, 1]);
    assert_eq!(share(&mut world), []);
    assert_eq!(pool(&world), 3);
}

#[test]
fn l23_all_stays_when_nobody_has_worked() {
    let mut world = world(&[1, 1, 1, 1]);
    pay_pool(&mut world, AssetId::NATIVE, 40);
    assert_eq!(share(&mut world), []);
    assert_eq!(pool(&world), 40);
}

#[test]
fn l23_the_fees_of_the_opening_commit_are_the_next_epochs() {
    let mut world = world(&[1, 1, 1, 1]);
    pay_pool(&mut world, AssetId::NATIVE, 40);
    work(&mut world, &[1, 0, 0, 0]);
    world.committee = to_next(&mut world);
    world.ordered = vec![vertex(1, 1)];
    let payments = vec![Payment {
        to: Address::FEE_POOL,
        asset: AssetId::NATIVE,
        amount: Amount(7),
    }];
    let items = vec![];
    let paid = world.signed(0, vec![Operation::Transfer { payments, items }]);
    let applied = world.commit(&[paid]);
    let shares: Vec<_> = applied
        .shares
        .iter()
        .map(|s| (s.member, s.amount.0))
        .collect();
    assert_eq!((shares, pool(&world)), (vec![(1, 40)], 7));
    // So is its work.
    assert_eq!(share(&mut world), [(2, 7)]);
}

#[test]
fn l23_the_convicted_get_nothing_in_that_epoch_and_in_later_ones() {
    let mut world = world(&[1, 1, 1, 1]);
    for _ in 0..2 {
        pay_pool(&mut world, AssetId::NATIVE, 90);
        work(&mut world, &[1, 1, 1, 1]);
        if world.committee.epoch() == Epoch::ZERO {
            world.prove(&[&[offence(2, 9)]]);
        }
        assert_eq!(share(&mut world), [(1, 30), (2, 30), (4, 30)]);
    }
}

#[test]
fn l23_whose_bond_is_taken_gets_nothing() {
    let mut world = world(&[1, 1, 1, 1]);
    pay_pool(&mut world, AssetId::NATIVE, 90);
    work(&mut world, &[1, 1, 1, 1]);
    let slash = QueueEntry {
        slashed: true,
        ..entry(3, 0)
    };
    queue(&mut world, &[slash]);
    assert_eq!(share(&mut world), [(1, 30), (2, 30), (4, 30)]);
}

#[test]
fn l23_who_leaves_is_paid_for_its_last_epoch_and_who_comes_is_not_yet() {
    let mut world = world(&[1, 1, 1, 1]);
    pay_pool(&mut world, AssetId::NATIVE, 40);
    work(&mut world, &[1, 1, 1, 1]);
    queue(&mut world, &[entry(5, 1), entry(1, 0)]);
    let mut paid = share(&mut world);
    assert_eq!(paid, [(1, 10), (2, 10), (3, 10), (4, 10)]);
    while world.committee.index_of(&vertex_key(0).public()).is_some() {
        share(&mut world);
    }
    pay_pool(&mut world, AssetId::NATIVE, 40);
    work(&mut world, &[1, 1, 1, 1]);
    paid = share(&mut world);
    assert_eq!(paid, [(2, 10), (3, 10), (4, 10), (5, 10)]);
}

#[test]
fn l22_two_versions_of_a_round_count_once() {
    let mut world = world(&[1, 1, 1, 1]);
    pay_pool(&mut world, AssetId::NATIVE, 40);
    let other = VertexRef {
        digest: VertexDigest([9; 32]),
        ..vertex(0, 1)
    };
    world.ordered = vec![vertex(0, 1), other, vertex(1, 1)];
    world.commit(&[]);
    world.ordered = vec![other];
    world.commit(&[]);
    assert_eq!(share(&mut world), [(1, 20), (2, 20)]);
}

#[test]
fn l22_f1_work_makes_no_height_due_and_is_written_with_the_next_one() {
    let mut world = world(&[1, 1, 1, 1]);
    let id = ObjectId::Work(WorkId::THE_ONE);
    let applied = work(&mut world, &[3, 1]);
    let meta = world.ledger.meta();
    assert_eq!(
        (applied.changes, meta.changed, meta.unposted),
        (vec![], false, false)
    );
    let before = world.ledger.snapshot().root();
    assert_eq!(world.get(id), None);
    let roots = world.close_height(true);
    assert_ne!(roots.state_root, before);
    let object = world.get(id).expect("written");
    let counted: Vec<_> = object.as_work().unwrap().counted().collect();
    assert_eq!(counted, [(3, Round(3)), (1, Round(1))]);
    let meta = world.ledger.meta();
    assert!(!meta.changed && !meta.unposted);
    assert_eq!(world.close_height(true).state_root, roots.state_root);
}

#[test]
fn l22_l23_a_restart_anywhere_pays_the_same_and_pays_once() {
    let run = |restart: fn(&mut World)| {
        let mut world = world(&[2, 1, 1, 1]);
        pay_pool(&mut world, AssetId::NATIVE, 100);
        let mut paid = vec![];
        for _ in 0..2 {
            work(&mut world, &[2, 1, 1, 1]);
            restart(&mut world);
            world.close_height(false);
            work(&mut world, &[4, 1, 5, 1]);
            restart(&mut world);
            world.committee = to_next(&mut world);
            restart(&mut world);
            world.ordered = vec![vertex(3, 2)];
            paid.push(open(&mut world));
            restart(&mut world);
        }
        work(&mut world, &[1, 1, 1, 1]);
        (paid, roster(&world), world.close_height(false))
    };
    let ran_on = run(|_| {});
    // By 8, 1, 5 and 1 of 15; then the last one has another one and all fees are shared.
    assert_eq!(ran_on.0[0], [(1, 53), (2, 6), (3, 33), (4, 6)]);
    assert_eq!(run(World::restart), ran_on);
    assert_eq!(run(World::take_over), ran_on);
}

#[test]
fn l23_other_assets_stay_in_the_pool() {
    let mut world = world(&[1, 1, 1, 1]);
    let coins = BaseAsset::Erc20 {
        token: COINS,
        amount: Amount(50),
    };
    world.commit_with(&[deposit(0, coins)], &[]);
    pay_pool(&mut world, AssetId::erc20(COINS), 50);
    pay_pool(&mut world, AssetId::NATIVE, 4);
    work(&mut world, &[1, 1, 1, 1]);
    assert_eq!(share(&mut world), [(1, 1), (2, 1), (3, 1), (4, 1)]);
    let object = world.get(ObjectId::Account(Address::FEE_POOL));
    let account = object.as_ref().and_then(Object::as_account).unwrap();
    assert_eq!(account.balance(&AssetId::erc20(COINS)), Amount(50));
}

#[test]
fn l24_the_vertex_key_spends_what_it_earned_and_can_give_the_account_to_another_key() {
    let mut world = world(&[1, 1, 1, 1]);
    let earn = |world: &mut World| {
        pay_pool(world, AssetId::NATIVE, 40);
        work(world, &[1, 1, 1, 1]);
        assert_eq!(share(world).len(), 4);
    };
    earn(&mut world);
    let by_node = |world: &mut World, operation| {
        let mut body = world.body(0, vec![operation]);
        body.sender = account(1);
        verified(body.sign(&[&vertex_key(0)]))
    };
    let pays = by_node(&mut world, pay(8, 6));
    assert_eq!(world.run_signed(pays).failure, None);
    assert_eq!(world.balance(account(1)), 4);
    let owner = KeyChange::Owner { key: user(7) };
    let changes = vec![owner];
    let gives = by_node(&mut world, Operation::SetKeys { changes });
    assert_eq!(world.run_signed(gives).failure, None);
    // The account goes on earning, and the node's key has no say there any more.
    earn(&mut world);
    assert_eq!(world.balance(account(1)), 14);
    let pays = by_node(&mut world, pay(8, 1));
    assert_eq!(world.denied_signed(pays), Denied::NoSay);
    let mut body = world.body(0, vec![pay(8, 14)]);
    body.sender = account(1);
    let key = UserKey::from(&user_key(7));
    let by_owner = verified(body.sign_for(&[(&key, account(1))]));
    assert_eq!(world.run_signed(by_owner).failure, None);
}
