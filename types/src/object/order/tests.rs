use super::super::Object;
use super::*;
use crate::ids::{Address, DealId};
use crate::operation::DealRule;
use crate::state::ObjectId;
use crate::testing::order;

fn read(change: impl FnOnce(&mut Deal)) -> Result<(), ObjectError> {
    let mut deal = order();
    change(&mut deal);
    let id = ObjectId::Deal(DealId([1; 32]));
    let bytes = Object::Deal(deal.into()).encode();
    Object::decode(&id, bytes).map(|_| ())
}

#[test]
fn an_order_is_of_its_deals_rule_and_terms_alone() {
    let by = Address([3; 32]);
    assert_eq!(read(|_| {}), Ok(()));
    assert_eq!(read(|d| d.state = DealState::Cancelled), Ok(()));
    let traded = |d: &mut Deal, n| d.order.as_mut().expect("an order").traded = n;
    let wrong = Err(ObjectError::Order);
    assert_eq!(read(|d| d.order = None), wrong);
    assert_eq!(read(|d| d.terms.rule = DealRule::Fixed), wrong);
    assert_eq!(read(|d| d.order.as_mut().unwrap().edition.0[0] += 1), wrong);
    assert_eq!(read(|d| traded(d, 253)), Ok(()));
    assert_eq!(read(|d| traded(d, 254)), wrong);
    let taken = |n| {
        read(|d| {
            traded(d, n);
            d.state = DealState::Taken { by };
        })
    };
    assert_eq!(taken(2), wrong, "three were left of it");
    assert_eq!(taken(3), Ok(()));
    assert_eq!(taken(256), Ok(()));
    assert_eq!(taken(257), wrong);
}
