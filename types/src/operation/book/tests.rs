use super::*;

const EDITION: EditionId = EditionId([7; 32]);
const LATER: Millis = Millis(90_000);

fn read(deal: &NewDeal) -> Result<NewDeal, OperationError> {
    wire::DealOpen::from(deal).try_into()
}

fn bid() -> NewDeal {
    NewDeal::bid(EDITION, Amount(40), 3, LATER).unwrap()
}

fn ask() -> NewDeal {
    let items = [1, 2, 3].map(|n| ItemId([n; 32]));
    NewDeal::ask(items.to_vec(), Amount(40), LATER).unwrap()
}

/// Why an order with a change is none.
fn refused(mut deal: NewDeal, change: impl FnOnce(&mut NewDeal)) -> String {
    change(&mut deal);
    read(&deal).unwrap_err().to_string()
}

#[test]
fn orders_survive_wire_and_json_and_say_their_limits() {
    let most = NewDeal::bid(EDITION, Amount::MAX, 1, LATER).unwrap();
    for (deal, side, price, count) in [
        (bid(), BookSide::Bid, 40, 3),
        (ask(), BookSide::Ask, 40, 3),
        (most, BookSide::Bid, u64::MAX, 1),
    ] {
        assert_eq!(read(&deal), Ok(deal.clone()));
        let json = serde_json::to_string(&deal).unwrap();
        assert_eq!(serde_json::from_str::<NewDeal>(&json).unwrap(), deal);
        let price = Amount(price);
        assert_eq!(deal.limit(), Some(Limit { side, price, count }));
    }
    assert_eq!(crate::testing::auction().limit(), None);
    assert_eq!(NewDeal::bid(EDITION, Amount::MAX, 2, LATER), None);
}

#[test]
fn what_is_no_order_in_form_is_refused() {
    let item = ItemId([9; 32]);
    let coin = ask().wants.assets[0].clone();
    for (whose, change, words) in [
        (
            ask(),
            &(|d: &mut NewDeal| d.gives.assets.push(coin.clone())) as &dyn Fn(&mut NewDeal),
            "gives items for coin",
        ),
        (ask(), &|d| d.wants.items.push(item), "gives items for coin"),
        (ask(), &|d| d.wants.assets.clear(), "one amount"),
        (ask(), &|d| d.wants.assets.push(coin.clone()), "one amount"),
        (
            ask(),
            &|d| d.wants.assets[0].asset = AssetId([1; 32]),
            "native asset",
        ),
        (
            ask(),
            &|d| d.wants.assets[0].amount = Amount(119),
            "whole price",
        ),
        (
            ask(),
            &|d| d.wants.assets[0].amount = Amount(2),
            "whole price",
        ),
        (ask(), &|d| d.taker = Some(Address([1; 32])), "nobody alone"),
        (bid(), &|d| d.gives.items.push(item), "gives coin for items"),
        (bid(), &|d| d.wants.items.push(item), "gives coin for items"),
        (
            bid(),
            &|d| d.wants_any[0].from = WantedFrom::Collection(CollectionId([1; 32])),
            "items of an edition",
        ),
        (
            bid(),
            &|d| d.wants_any.push(d.wants_any[0].clone()),
            "one edition",
        ),
        (bid(), &|d| d.wants_any[0].count = 257, "1 to 256 items"),
        (bid(), &|d| d.wants_any[0].count = 7, "whole price"),
        (
            bid(),
            &|d| {
                let to = Address([1; 32]);
                d.commission = Some(Commission { to, parts: 1 });
            },
            "no commission",
        ),
    ] {
        let found = refused(whose, change);
        assert!(found.contains(words), "{words}: {found}");
    }
}

#[test]
fn what_is_left_of_an_order_has_the_same_price() {
    let (bid, ask) = (bid(), ask());
    let limit = bid.limit().unwrap();
    let rest = limit.rest(&bid, 2, &[]).unwrap();
    assert_eq!(rest, NewDeal::bid(EDITION, Amount(40), 1, LATER).unwrap());
    assert_eq!(limit.rest(&bid, 3, &[]), None);
    let sold = &ask.gives.items[1..2];
    let rest = ask.limit().unwrap().rest(&ask, 1, sold).unwrap();
    let left = vec![ask.gives.items[0], ask.gives.items[2]];
    assert_eq!(rest, NewDeal::ask(left, Amount(40), LATER).unwrap());
}
