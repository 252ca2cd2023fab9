use super::*;
use crate::testing::auction;

fn read(deal: &NewDeal) -> Result<NewDeal, OperationError> {
    wire::DealOpen::from(deal).try_into()
}

/// Why an auction with a change is none.
fn refused(change: impl FnOnce(&mut NewDeal)) -> String {
    let mut deal = auction();
    change(&mut deal);
    read(&deal).unwrap_err().to_string()
}

fn rule(deal: &mut NewDeal) -> &mut Auction {
    match &mut deal.rule {
        DealRule::Auction(auction) => auction,
        other => panic!("no auction: {other:?}"),
    }
}

#[test]
fn auctions_survive_wire_and_json() {
    let mut most = auction();
    *rule(&mut most) = Auction {
        raise: RAISE_WHOLE,
        extend: Millis::MAX,
        last: Millis::MAX,
    };
    let mut least = auction();
    *rule(&mut least) = Auction {
        raise: 0,
        extend: Millis::ZERO,
        last: least.expires,
    };
    for deal in [auction(), most, least] {
        assert_eq!(read(&deal), Ok(deal.clone()));
        let json = serde_json::to_string(&deal).unwrap();
        assert_eq!(serde_json::from_str::<NewDeal>(&json).unwrap(), deal);
    }
    let bid = Operation::Bid {
        deal: DealId([1; 32]),
        amount: Amount::MAX,
    };
    assert_eq!(wire::Operation::from(&bid).try_into(), Ok(bid));
}

#[test]
fn what_is_no_auction_in_form_is_refused() {
    let item = ItemId([9; 32]);
    let nothing = refused(|d| d.gives = d.wants.clone());
    assert!(nothing.contains("gives items"), "{nothing}");
    let along = refused(|d| d.gives.assets = d.wants.assets.clone());
    assert!(along.contains("gives items"), "{along}");
    for wants in [
        refused(|d| d.wants.assets.clear()),
        refused(|d| d.wants.assets.push(d.wants.assets[0].clone())),
        refused(|d| d.wants.items.push(item)),
        refused(|d| {
            d.wants_any.push(WantedItems {
                from: WantedFrom::Edition(EditionId([1; 32])),
                count: 1,
            });
        }),
    ] {
        assert!(wants.contains("wants one amount"), "{wants}");
    }
    let private = refused(|d| d.taker = Some(Address([1; 32])));
    assert!(private.contains("nobody alone"), "{private}");
    let steep = refused(|d| rule(d).raise = RAISE_WHOLE + 1);
    assert!(steep.contains("10,000"), "{steep}");
    let over = refused(|d| d.expires = Millis(100_001));
    assert!(over.contains("last moment"), "{over}");
    let zero = Operation::Bid {
        deal: DealId([1; 32]),
        amount: Amount::ZERO,
    };
    let zero = Operation::try_from(wire::Operation::from(&zero));
    assert_eq!(zero, Err(OperationError::Zero("bid")));
}

#[test]
fn a_commission_is_a_part_for_somebody_and_a_reference_is_short() {
    for parts in [0, 10_001] {
        let wrong = refused(|d| {
            d.commission = Some(Commission {
                to: Address([1; 32]),
                parts,
            });
        });
        let expected = format!("commission has {parts} parts, not 1 to 10000");
        assert_eq!(wrong, expected);
    }
    let nobody = refused(|d| {
        d.commission = Some(Commission {
            to: Address::ZERO,
            parts: 1,
        });
    });
    assert_eq!(nobody, "commission's account must not be zero");
    let long = refused(|d| d.reference = "x".repeat(NAME_BYTES_MAX + 1));
    assert_eq!(long, "reference has 129 bytes, more than 128");
}

#[test]
fn a_raise_is_rounded_up_and_a_unit_at_least() {
    let above = |raise, bid| {
        let rule = Auction {
            raise,
            extend: Millis::ZERO,
            last: Millis::ZERO,
        };
        rule.least_above(Amount(bid))
    };
    let found = [(0, 1), (1, 1), (500, 100), (500, 101), (10_000, 7)];
    let found = found.map(|(raise, bid)| above(raise, bid));
    assert_eq!(found, [2, 2, 105, 107, 14]);
}
