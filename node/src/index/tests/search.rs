//! What things are found by, and the index made anew of the state.

use super::*;
use weft_types::{NewEdition, Trait};

fn edition(collection: CollectionId, name: &str, traits: &[(&str, &str)]) -> Operation {
    let one = |(name, value): &(&str, &str)| Trait {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Operation::CreateEdition(NewEdition {
        collection,
        name: name.to_owned(),
        cap: 10,
        traits: traits.iter().map(one).collect(),
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 0,
    })
}

impl Indexing {
    fn found(&self, scope: WordScope, beginning: &str) -> Vec<ObjectId> {
        let prefix = words_prefix(&scope, beginning);
        let rows = self.rows.keys().filter_map(|k| k.strip_prefix(&prefix[..]));
        rows.map(|rest| read_word(&scope, rest).unwrap().1)
            .collect()
    }

    fn numbers(&self, collection: &CollectionId, name: &str, value: &str) -> Vec<u64> {
        let prefix = trait_prefix(collection, name, value);
        let rows = self.rows.keys().filter_map(|k| k.strip_prefix(&prefix[..]));
        rows.map(|rest| read_number(rest).unwrap()).collect()
    }
}

#[test]
fn editions_are_found_by_words_and_traits_and_collections_by_words() {
    let mut indexing = Indexing::new();
    let (collection, one) = indexing.with_items(1);
    let rare = ("rarity", "Very Rare");
    let dragon = edition(collection, "Feuer-Drache", &[rare, ("type", "fire")]);
    let applied = indexing.commit(vec![(1, vec![dragon])]);
    let [dragon] = applied.receipts[0].created[..] else {
        panic!("an edition is created");
    };
    let more = edition(collection, "Dracula", &[rare]);
    indexing.commit(vec![(1, vec![more])]);
    let all = WordScope::Editions;
    let of = WordScope::EditionsOf(collection);
    for scope in [all, of] {
        assert_eq!(indexing.found(scope, "drache"), [dragon], "{scope:?}");
        assert_eq!(indexing.found(scope, "dra").len(), 2);
        assert_eq!(indexing.found(scope, "very").len(), 2);
        assert_eq!(indexing.found(scope, "one"), [ObjectId::Edition(one)]);
    }
    let cards = indexing.found(WordScope::Collections, "card");
    assert_eq!(cards, [ObjectId::Collection(collection)]);
    assert_eq!(indexing.numbers(&collection, rare.0, rare.1), [2, 3]);
    assert_eq!(indexing.numbers(&collection, "type", "fire"), [2]);
    assert!(indexing.numbers(&collection, "typ", "efire").is_empty());
}

#[test]
fn rows_of_an_edition_are_bounded_whatever_is_in_it() {
    let mut indexing = Indexing::new();
    let (collection, _) = indexing.with_items(1);
    let texts: Vec<_> = (0..weft_types::TRAITS_MAX)
        .map(|n| (format!("name {n}"), format!("a{n} b{n} c{n} d{n} e{n}")))
        .collect();
    let traits: Vec<_> = texts.iter().map(|(n, v)| (&n[..], &v[..])).collect();
    let rows = indexing.rows.len();
    let applied = indexing.commit(vec![(1, vec![edition(collection, "x", &traits)])]);
    assert!(applied.receipts[0].is_applied());
    let steps = 1;
    let bound = 2 * words::WORDS_MAX + weft_types::TRAITS_MAX;
    assert_eq!(indexing.rows.len() - rows, bound + steps);
}

/// S2.7: whoever takes the state over lists and finds what the others do. Only the order of collections is another.
#[test]
fn rows_made_of_the_state_are_those_that_grew_with_it() {
    let mut indexing = Indexing::new();
    let (collection, first) = indexing.with_items(6);
    indexing.commit(vec![(1, vec![edition(collection, "gold", &[("a", "b")])])]);
    let item = |serial| ItemId::derive(&first, serial);
    let reserved = NewDeal {
        taker: Some(testing::user(5)),
        ..listing(vec![item(3)], 8)
    };
    let offer = NewDeal {
        gives: coin(9),
        wants: Bundle {
            assets: vec![],
            items: vec![item(6)],
        },
        ..listing(vec![], 0)
    };
    let sold = deal_of(&indexing.commit(vec![(2, vec![open(item(1))])]));
    let back = deal_of(&indexing.commit(vec![(2, vec![open(item(2))])]));
    let open = [open(item(4)), Operation::DealOpen(reserved)];
    indexing.commit(vec![(2, open.to_vec())]);
    indexing.commit(vec![(3, vec![Operation::DealOpen(offer)])]);
    let items = vec![];
    let take = Operation::DealTake(Taking::new(sold, items));
    let burn = Operation::Burn {
        items: vec![item(5)],
    };
    let cancel = Operation::DealCancel { deal: back };
    indexing.commit(vec![(3, vec![take]), (2, vec![cancel, burn])]);

    let objects: Vec<_> = indexing.objects.clone().into_iter().collect();
    let made = rows_of_state(&objects, &indexing.ledger.snapshot()).unwrap();
    let made: Map<Bytes, Bytes> = made.into_iter().map(|(k, v)| (k, v.unwrap())).collect();
    // Lists of what is live; of deals, the open ones.
    let live = |key: &Bytes| match key[0] {
        OWNED | PRICES | WORDS | TRAITS => true,
        DEALS => {
            let scope = if key[1] == 0 { 0 } else { 32 };
            key[2 + scope] == 0
        }
        _ => false,
    };
    let of = |rows: &Map<Bytes, Bytes>| -> Map<Bytes, Bytes> {
        let live = rows.iter().filter(|(key, _)| live(key));
        live.map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    assert_eq!(of(&made), of(&indexing.rows));
    let tags: BTreeSet<u8> = of(&made).keys().map(|k| k[0]).collect();
    assert_eq!(tags, [OWNED, DEALS, PRICES, WORDS, TRAITS].into());
    let [grown, made] = [&indexing.rows, &made].map(|rows| {
        let count = |tag| rows.keys().filter(|k| k[0] == tag).count();
        [COLLECTIONS, CREATED].map(count)
    });
    assert_eq!(grown, made);
}
