use super::*;
use crate::testing::series;
use prost::Message as _;

fn read(deal: &NewDeal) -> Result<NewDeal, OperationError> {
    let bytes = wire::DealOpen::from(deal).encode_to_vec();
    wire::DealOpen::decode(bytes.as_slice()).unwrap().try_into()
}

fn refused(change: impl FnOnce(&mut NewDeal, &mut Series)) -> bool {
    let mut deal = series(3, 2);
    let mut rule = *deal.series().unwrap();
    change(&mut deal, &mut rule);
    deal.rule = DealRule::Draw(rule);
    read(&deal).is_err()
}

#[test]
fn a_series_is_read_as_it_was_written() {
    // The bond is an entry of what is given.
    for (packs, cards) in [(1, 1), (3, 2), (255, 1), (1, 255), (5, 51)] {
        let deal = series(packs, cards);
        assert_eq!(read(&deal), Ok(deal));
    }
    assert!(read(&series(256, 1)).is_err());
}

#[test]
fn l45_what_no_series_is_is_malformed() {
    assert!(refused(|_, s| s.packs = 0));
    assert!(refused(|_, s| s.packs = 4));
    assert!(refused(|_, s| s.packs = 256));
    assert!(refused(|_, s| s.packs = u32::MAX));
    assert!(refused(|_, s| s.reveal = Millis::ZERO));
    assert!(refused(|_, s| s.reveal = REVEAL_MAX.next()));
    assert!(refused(|d, _| d.gives.items.clear()));
    assert!(refused(|d, _| d.gives.items.truncate(5)));
    assert!(refused(|d, _| d.gives.assets.clear()));
    assert!(refused(|d, _| d.wants.assets.clear()));
    assert!(refused(|d, _| d.wants.assets[0].asset = AssetId([1; 32])));
    assert!(refused(|d, _| d.gives.assets[0].asset = AssetId([1; 32])));
    assert!(refused(|d, _| d.wants.items.push(ItemId([9; 32]))));
    let any = WantedItems {
        from: WantedFrom::Edition(EditionId([1; 32])),
        count: 1,
    };
    assert!(refused(|d, _| d.wants_any.push(any)));
    let more = |d: &mut NewDeal| d.wants.assets.push(d.wants.assets[0].clone());
    assert!(refused(|d, _| more(d)));
}

#[test]
fn l45_the_bond_is_no_less_than_the_price_and_the_same_for_each_pack() {
    for (bond, fits) in [(179, false), (180, true), (181, false), (183, true)] {
        let malformed = refused(|d, _| d.gives.assets[0].amount = Amount(bond));
        assert_eq!(malformed, !fits, "{bond}");
    }
    // What no bond could cover.
    assert!(refused(|d, _| d.wants.assets[0].amount = Amount::MAX));
}
