use super::*;
use weft_types::Millis;

fn deal(state: DealState, taker: Option<Address>) -> Deal {
    Deal {
        id: DealId([1; 32]),
        giver: Address([1; 32]),
        gives: bundle(Some(5), vec![]),
        wants: Bundle::default(),
        wants_any: vec![],
        taker,
        expires: Millis(0),
        reference: String::new(),
        commission: None,
        rule: DealRule::Fixed,
        highest_bid: None,
        least_bid: None,
        state,
        drawing: None,
        standing: None,
        order: None,
        entries: 1,
    }
}

fn kind(result: Result<(), Failure>) -> Option<Kind> {
    result.err().map(|failure| failure.kind)
}

#[test]
fn what_cannot_be_taken_or_cancelled_is_not_sent() {
    let [giver, taker, other] = [1, 2, 3].map(|n| Address([n; 32]));
    let open = deal(DealState::Open, Some(taker));
    assert_eq!(kind(takeable(&open, &taker)), None);
    assert_eq!(kind(takeable(&open, &other)), Some(Kind::Usage));
    assert_eq!(kind(takeable(&open, &giver)), Some(Kind::Usage));
    assert_eq!(kind(takeable(&deal(DealState::Open, None), &other)), None);
    assert_eq!(kind(cancellable(&open, &giver)), None);
    assert_eq!(kind(cancellable(&open, &taker)), Some(Kind::Usage));
    let taken = deal(DealState::Taken, Some(taker));
    assert_eq!(kind(takeable(&taken, &taker)), Some(Kind::Refused));
    assert_eq!(kind(cancellable(&taken, &giver)), Some(Kind::Refused));
}

#[test]
fn an_auction_is_bid_for_and_not_taken_and_with_a_bid_not_cancelled() {
    let [giver, bidder] = [1, 2].map(|n| Address([n; 32]));
    let mut auction = deal(DealState::Open, None);
    auction.rule = weft_types::testing::auction().rule;
    auction.least_bid = Some(Amount(5));
    assert_eq!(kind(takeable(&auction, &bidder)), Some(Kind::Usage));
    let may = |deal: &Deal, by, amount| kind(auction::biddable(deal, by, Amount(amount)));
    assert_eq!(may(&auction, &bidder, 5), None);
    assert_eq!(may(&auction, &bidder, 4), Some(Kind::Usage));
    assert_eq!(may(&auction, &giver, 5), Some(Kind::Usage));
    assert_eq!(kind(cancellable(&auction, &giver)), None);
    auction.highest_bid = Some(weft_types::api::HighestBid {
        by: bidder,
        amount: Amount(5),
    });
    assert_eq!(kind(cancellable(&auction, &giver)), Some(Kind::Refused));
    let listing = deal(DealState::Open, None);
    assert_eq!(may(&listing, &bidder, 5), Some(Kind::Usage));
    let ended = deal(DealState::Expired, None);
    assert_eq!(may(&ended, &bidder, 5), Some(Kind::Refused));
}

#[test]
fn a_commission_is_an_address_and_parts() {
    let address = Address([7; 32]);
    let read = commission(&format!("{address}:250")).unwrap();
    assert_eq!((read.to, read.parts), (address, 250));
    for wrong in [
        format!("{address}"),
        format!("{address}:0"),
        format!("{address}:10001"),
        "x:5".to_owned(),
    ] {
        assert!(commission(&wrong).is_err());
    }
}

#[test]
fn a_deal_is_open_for_some_time() {
    assert_eq!(some_time("1ms"), Ok(Duration::from_millis(1)));
    for none in ["0s", "0d"] {
        assert!(some_time(none).unwrap_err().contains("some time"));
    }
}

#[test]
fn a_series_of_packs_is_not_taken_as_a_deal_and_with_a_pack_sold_not_cancelled() {
    let [giver, buyer] = [1, 2].map(|n| Address([n; 32]));
    let mut series = deal(DealState::Open, None);
    series.rule = weft_types::testing::series(2, 1).rule;
    series.drawing = Some(Box::default());
    assert_eq!(kind(takeable(&series, &buyer)), Some(Kind::Usage));
    assert_eq!(kind(cancellable(&series, &giver)), None);
    let pack = weft_types::Pack {
        holder: buyer,
        entropy: weft_types::Entropy([0; 32]),
    };
    let drawing = series.drawing.get_or_insert_default();
    drawing.packs.push(pack);
    assert_eq!(kind(cancellable(&series, &giver)), Some(Kind::Refused));
}
