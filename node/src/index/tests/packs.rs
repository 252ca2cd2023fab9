use super::*;
use crate::index::sealed::UNPROVEN;
use weft_types::api::Kept;
use weft_types::{Certificate, DealRule, DrawSecret, Entropy, Series, Statement};

const SECRET: DrawSecret = DrawSecret([5; 32]);

/// A series of user 2 that is sold out to users 3 and 4, a card in each pack.
fn sold_out(indexing: &mut Indexing) -> (DealId, [ItemId; 2]) {
    let (_, edition) = indexing.with_items(2);
    let cards = [1, 2].map(|serial| ItemId::derive(&edition, serial));
    let mut terms = testing::series(2, 1);
    terms.gives.items = cards.to_vec();
    terms.rule = DealRule::Draw(Series {
        packs: 2,
        commitment: weft_types::draw_commitment(&testing::user(2), &SECRET),
        reveal: Millis(1_000),
    });
    let open = vec![(2, Operation::DealOpen(terms))];
    let deal = deal_of(&led(indexing, 2_000, open));
    let buy = |n| Operation::DealTake(Taking::pack(deal, Entropy([n; 32])));
    led(indexing, 2_000, vec![(3, buy(1)), (4, buy(2))]);
    (deal, cards)
}

/// The lot comes, and nothing else.
fn give_lot(indexing: &mut Indexing) {
    led(indexing, 2_000, vec![]);
    led(indexing, 2_000, vec![]);
}

/// So much later that a height has it.
fn settle(indexing: &mut Indexing) {
    led(indexing, 2_250, vec![]);
}

fn reveal(indexing: &mut Indexing, deal: DealId) {
    let secret = SECRET;
    let applied = led(
        indexing,
        2_250,
        vec![(6, Operation::Reveal { deal, secret })],
    );
    assert!(applied.receipts[0].is_applied());
}

/// A certificate of a height that ends now, with its state.
fn certified(indexing: &mut Indexing) -> (Certificate, Snapshot) {
    let roots = indexing.ledger.close_height(false, &mut vec![]);
    let statement = Statement {
        commit: indexing.ledger.meta().index,
        state_root: roots.state_root,
        ..testing::statement(9)
    };
    let certificate = testing::certify(&statement, &[0, 1, 2]);
    (certificate, indexing.ledger.snapshot())
}

/// What the driver does with a certificate.
fn keep(indexing: &mut Indexing, (certificate, snapshot): &(Certificate, Snapshot)) {
    let unproven = indexing.rows.iter().filter(|(k, _)| k[0] == UNPROVEN);
    let unproven: Vec<_> = unproven
        .map(|(key, value)| read_unproven(key, value).unwrap())
        .collect();
    for (key, value) in proofs(unproven.into_iter(), certificate, snapshot) {
        match value {
            Some(value) => drop(indexing.rows.insert(key, value)),
            None => assert!(indexing.rows.remove(&key).is_some()),
        }
    }
}

#[test]
fn a_pack_stands_in_the_history_of_who_bought_it_and_its_cards_when_they_are_drawn() {
    let mut indexing = Indexing::new();
    let (deal, cards) = sold_out(&mut indexing);
    let (giver, to) = (testing::user(2), testing::user(5));
    let told = |indexing: &Indexing, subject| {
        let history = indexing.history(subject);
        let kinds = history
            .last()
            .map(|(_, row)| row.kind_names().collect::<Vec<_>>());
        (history.len(), kinds.unwrap_or_default())
    };
    let card = ObjectId::Item(cards[0]);
    assert_eq!(told(&indexing, card), (2, vec!["deal_open"]));
    let account = ObjectId::Account(giver);
    assert_eq!(told(&indexing, account).1, ["deal_take"]);
    give_lot(&mut indexing);
    settle(&mut indexing);
    let deals = indexing.deals(DealScope::Giver(giver));
    assert_eq!(deals, [1, 0, 0, 0], "it stays in the list of the open ones");
    reveal(&mut indexing, deal);
    assert_eq!(told(&indexing, card), (3, vec!["reveal"]));
    for holder in [giver, testing::user(3), testing::user(4)] {
        let account = ObjectId::Account(holder);
        assert_eq!(told(&indexing, account).1, ["reveal"]);
    }
    assert_eq!(indexing.deals(DealScope::Giver(giver)), [0, 1, 0, 0]);

    let pass = Operation::PassPack { deal, pack: 0, to };
    led(&mut indexing, 2_250, vec![(3, pass)]);
    let none = ObjectId::Account(to);
    assert_eq!(
        indexing.history(none).len(),
        0,
        "what fails touches nobody else"
    );
}

#[test]
fn l47_a_series_that_is_drawn_before_its_height_is_certified_has_its_proof_all_the_same() {
    let mut indexing = Indexing::new();
    let (deal, _) = sold_out(&mut indexing);
    let before = certified(&mut indexing);
    give_lot(&mut indexing);
    let sealed = certified(&mut indexing);
    keep(&mut indexing, &before);
    assert_eq!(indexing.count(&unproven_prefix()), 1, "no lot is in that");
    settle(&mut indexing);
    reveal(&mut indexing, deal);
    keep(&mut indexing, &sealed);
    assert_eq!(indexing.count(&unproven_prefix()), 0);

    let row = indexing.rows[&proven_key(&deal)].clone();
    let bundle = read_proven(&row).unwrap();
    assert_eq!(bundle.kept, Some(Kept::Past));
    assert_eq!(bundle.certificate, sealed.0.to_json());
    let value = hex::decode(bundle.value.unwrap()).unwrap();
    let (root, key) = (sealed.0.statement.state_root, bundle.object.state_key());
    bundle.proof.verify(&root, &key, Some(&value)).unwrap();
    let object = Object::decode(&bundle.object, value.into()).unwrap();
    let drawing = object.as_deal().unwrap().drawing.clone().unwrap();
    assert!(drawing.lot.is_some() && drawing.secret.is_none());

    // As long as its time to reveal and no longer.
    let before = |time| is_before(&proven_key(&deal), &row, CommitIndex(0), Millis(time));
    assert_eq!((before(3_000), before(3_001)), (false, true));
}

#[test]
fn l47_of_a_series_that_is_drawn_before_the_height_ends_there_is_no_proof_and_none_waits() {
    let mut indexing = Indexing::new();
    let (deal, _) = sold_out(&mut indexing);
    give_lot(&mut indexing);
    settle(&mut indexing);
    reveal(&mut indexing, deal);
    let after = certified(&mut indexing);
    keep(&mut indexing, &after);
    assert_eq!(indexing.count(&unproven_prefix()), 0);
    assert_eq!(indexing.count(&proven_key(&deal)), 0);
}

#[test]
fn l47_a_state_that_was_taken_over_has_its_sealed_series_wait() {
    let mut indexing = Indexing::new();
    let (deal, _) = sold_out(&mut indexing);
    give_lot(&mut indexing);
    let objects: Vec<_> = indexing.objects.clone().into_iter().collect();
    let rows = rows_of_state(&objects, &indexing.ledger.snapshot()).unwrap();
    let waiting = rows.iter().filter(|(key, _)| key[0] == UNPROVEN);
    let waiting: Vec<_> = waiting
        .map(|(key, value)| read_unproven(key, value.as_ref().unwrap()))
        .collect();
    assert_eq!(waiting, [Some((deal, indexing.ledger.meta().index))]);
}
