use super::*;
use weft_types::{NewEdition, Purchase, Sale};

#[test]
fn a_ticket_and_whose_it_is_have_its_sale_its_uses_and_its_end_in_their_histories() {
    let mut indexing = Indexing::new();
    let (collection, _) = indexing.with_items_under(1, |_| vec![]);
    let terms = NewEdition {
        collection,
        name: "north".to_owned(),
        cap: 9,
        traits: vec![],
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 2,
    };
    let edition = EditionId::derive(&collection, 2);
    let sale = Sale {
        price: Amount(5),
        from: Millis::ZERO,
        until: Millis::ZERO,
        by_permit: false,
        list: None,
    };
    let sale = Some(sale);
    let founding = vec![
        Operation::CreateEdition(terms),
        Operation::SetSale { edition, sale },
    ];
    indexing.commit(vec![(1, founding)]);
    let buy = Operation::Buy(Purchase {
        edition,
        count: 1,
        price: Amount(5),
        listed: None,
    });
    indexing.commit(vec![(3, vec![buy])]);
    let item = ItemId::derive(&edition, 1);
    let pass = testing::pass(3, item, 1, None);
    indexing.commit(vec![(1, vec![Operation::Redeem { item, pass }])]);
    let reason = "charged back".to_owned();
    let items = vec![item];
    let applied = indexing.commit(vec![(1, vec![Operation::Void { items, reason }])]);
    assert!(applied.receipts[0].is_applied());
    let told = |subject| -> Vec<Vec<&str>> {
        let history = indexing.history(subject);
        let kinds = history.iter().map(|(_, row)| row.kind_names().collect());
        kinds.collect()
    };
    let steps = vec![vec!["buy"], vec!["redeem"], vec!["void"]];
    assert_eq!(told(ObjectId::Item(item)), steps);
    assert_eq!(told(ObjectId::Account(testing::user(3))), steps);
    // Who is paid, and does the rest.
    let creator = told(ObjectId::Account(testing::user(1)));
    assert_eq!(creator[creator.len() - 3..], steps);
    assert_eq!(creator[creator.len() - 4], ["create_edition", "set_sale"]);
    let history = indexing.history(ObjectId::Item(item));
    let mut items = history.iter().filter_map(|(_, row)| row.item.as_ref());
    let used: Vec<u32> = items.clone().map(|item| item.used).collect();
    assert_eq!(used, [0, 1, 1]);
    let why = items.next_back().and_then(|item| item.void.as_deref());
    assert_eq!(why, Some("charged back"));
    assert_eq!(indexing.owned(3), 1);
}
