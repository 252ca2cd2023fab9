use super::*;
use crate::authorisation::{p256, secp256k1};
use crate::testing::{network, user, user_key};
use proptest::prelude::*;

pub fn coin(amount: u64) -> Bundle {
    let amount = Amount(amount);
    let asset = AssetId::NATIVE;
    Bundle {
        assets: vec![AssetAmount { asset, amount }],
        items: vec![],
    }
}

pub fn key(i: u64) -> UserKey {
    UserKey::from(&user_key(i))
}

pub const NOW: Millis = Millis(1_000);
/// Without the word for less.
pub const SIGNS: (Millis, bool) = (NOW, false);

/// A channel of 1,000 of user 1's, of which user 2 has 400.
pub fn terms() -> NewDeal {
    NewDeal {
        gives: coin(1_000),
        taker: Some(user(2)),
        expires: Millis(90_000),
        rule: DealRule::CoSigned(ChannelTerms {
            challenge: Millis(5_000),
            to_taker: coin(400),
            giver_key: user(1),
            taker_key: user(2),
        }),
        ..NewDeal::default()
    }
}

pub fn book(of_taker: bool) -> Book {
    let deal = (DealId([7; 32]), user(1), terms());
    Book::new(network().id(), deal, of_taker).unwrap()
}

pub fn part(to_taker: bool, amount: u64, secret: u8) -> ChannelPart {
    ChannelPart {
        to_taker,
        asset: AssetId::NATIVE,
        amount: Amount(amount),
        hash: Secret([secret; 32]).hash(),
        expires: Millis(80_000),
    }
}

fn with_parts(parts: Vec<ChannelPart>) -> ChannelState {
    ChannelState {
        parts,
        ..book(false).next()
    }
}

pub fn amounts(bundle: &Bundle) -> u64 {
    bundle.assets.iter().map(|a| a.amount.0).sum()
}

#[test]
fn a_secret_has_the_hash_that_lightning_and_the_base_chain_compute() {
    let hash = Secret([0; 32]).hash().to_string();
    assert_eq!(
        hash,
        "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    );
}

#[test]
fn parts_go_to_their_side_when_they_are_opened_and_else_back() {
    let terms = terms();
    let channel = terms.channel().unwrap();
    let state = with_parts(vec![part(true, 100, 1), part(false, 30, 2)]);
    let state = ChannelState {
        to_taker: coin(370),
        ..state
    };
    let split = |secrets: &[u8]| {
        let secrets: Vec<_> = secrets.iter().map(|n| Secret([*n; 32])).collect();
        let shares = channel.shares(&terms.gives, Some(&state), &secrets);
        shares.unwrap().map(|b| amounts(&b))
    };
    assert_eq!(split(&[]), [600, 400]);
    assert_eq!(split(&[1]), [500, 500]);
    assert_eq!(split(&[2]), [630, 370]);
    assert_eq!(split(&[1, 2, 9]), [530, 470]);
    assert_eq!(
        channel
            .shares(&terms.gives, None, &[])
            .unwrap()
            .map(|b| amounts(&b)),
        [600, 400]
    );
}

#[test]
fn a_state_that_divides_more_than_there_is_or_outlives_its_channel_is_none() {
    let terms = terms();
    let mut state = with_parts(vec![part(true, 601, 1)]);
    assert_eq!(terms.accepts(&state), Err(ChannelError::Division));
    state.parts[0].amount = Amount(600);
    assert_eq!(terms.accepts(&state), Ok(()));
    state.parts[0].expires = Millis(90_001);
    let late = Err(ChannelError::PartExpiry(Millis(90_001)));
    assert_eq!(terms.accepts(&state), late);
    let mut foreign = with_parts(vec![]);
    foreign.to_taker.items = vec![ItemId([1; 32])];
    assert_eq!(terms.accepts(&foreign), Err(ChannelError::Division));
}

#[test]
fn states_have_one_form() {
    let state = with_parts(vec![part(true, 5, 1)]);
    assert_eq!(ChannelState::decode(&state.encode()), Ok(state.clone()));
    let refused = |change: &dyn Fn(&mut ChannelState), error: ChannelError| {
        let mut other = state.clone();
        change(&mut other);
        assert_eq!(ChannelState::decode(&other.encode()), Err(error));
    };
    refused(
        &|s| s.version = 0,
        ChannelError::Missing("a state's version"),
    );
    refused(&|s| s.last = true, ChannelError::LastParts);
    refused(
        &|s| s.to_taker.assets.extend(coin(1).assets),
        ChannelError::Order("what the taker gets"),
    );
    refused(
        &|s| s.to_taker.items = vec![ItemId([2; 32]), ItemId([1; 32])],
        ChannelError::Order("what the taker gets"),
    );
    refused(
        &|s| s.parts[0].amount = Amount::ZERO,
        ChannelError::Missing("a part's amount"),
    );
    refused(&|s| s.parts = vec![s.parts[0]; 9], ChannelError::Parts(9));
    refused(&|s| s.parts = vec![s.parts[0]; 2], ChannelError::PartOrder);
    let padded = [state.encode().as_ref(), &[0x98, 0x06, 0x01]].concat();
    assert_eq!(
        ChannelState::decode(&padded.into()),
        Err(ChannelError::Form)
    );
}

#[test]
fn every_scheme_signs_states_and_no_signature_is_of_another_state_or_of_a_transaction() {
    let secp = secp256k1::SecretKey::from_bytes(&[7; 32]).unwrap();
    let keys = [
        key(1),
        UserKey::Eip191(secp.clone()),
        UserKey::Eip712(secp),
        UserKey::P256(p256::SecretKey::from_bytes(&[9; 32]).unwrap()),
    ];
    let state = with_parts(vec![part(true, 5, 1)]);
    let mut newer = state.clone();
    newer.version += 1;
    for key in keys {
        let signature = state.sign(&key);
        assert!(state.is_signed_by(&signature), "{:?}", key.scheme());
        assert!(!newer.is_signed_by(&signature), "{:?}", key.scheme());
        // The same bytes as if they were a transaction's.
        let encoded = state.encode();
        let body = crate::testing::body(1, 1, vec![]);
        let confused = Signed {
            shown: Shown::Transaction(&body),
            ..state.signed(&encoded)
        };
        let other = key.authorise(&confused, key.address());
        assert!(!state.is_signed_by(&other), "{:?}", key.scheme());
    }
}

#[test]
fn a_payment_is_offered_answered_and_concluded() {
    let (mut payer, mut payee) = (book(false), book(true));
    let state = payer.paying(AssetId::NATIVE, Amount(50)).unwrap();
    let offer = payer.offer(state, &key(1)).unwrap();
    let json = serde_json::to_string(&offer).unwrap();
    let signed = payee
        .answer(&serde_json::from_str(&json).unwrap(), &key(2), SIGNS)
        .unwrap();
    // The answer was lost.
    let again = payee.answer(&offer, &key(2), SIGNS).unwrap();
    assert_eq!(again, signed);
    payer.conclude(&again).unwrap();
    assert_eq!(payer.newest, payee.newest);
    assert_eq!(amounts(&payee.certain(&payee.state(), NOW).unwrap()), 450);
    let too_much = payee.paying(AssetId::NATIVE, Amount(451));
    assert_eq!(too_much, Err(BookError::Poor));
    let written = serde_json::to_string(&payer).unwrap();
    assert_eq!(serde_json::from_str::<Book>(&written).unwrap(), payer);
}

#[test]
fn nothing_is_signed_that_takes_from_the_signer_without_its_word() {
    let (mut thief, mut victim) = (book(true), book(false));
    let mut state = thief.next();
    state.to_taker = coin(401);
    let offer = thief.offer(state, &key(2)).unwrap();
    let refused = victim.answer(&offer, &key(1), SIGNS);
    assert!(
        matches!(refused, Err(BookError::Less { .. })),
        "{refused:?}"
    );
    // Nor what would be lost once somebody shows a secret.
    let mut state = thief.next();
    state.parts = vec![part(true, 1, 1)];
    let offer = thief.offer(state, &key(2)).unwrap();
    let refused = victim.answer(&offer, &key(1), SIGNS);
    assert!(
        matches!(refused, Err(BookError::Less { .. })),
        "{refused:?}"
    );
    assert!(victim.answer(&offer, &key(1), (NOW, true)).is_ok());
}

#[test]
fn no_two_states_of_one_version_are_signed_and_no_older_one_is_taken_down() {
    let (mut one, mut other) = (book(false), book(true));
    let pay = |book: &Book, amount| book.paying(AssetId::NATIVE, Amount(amount)).unwrap();
    let (first, second) = (pay(&one, 1), pay(&one, 2));
    let offer = one.offer(first, &key(1)).unwrap();
    let twice = one.offer(second, &key(1));
    assert_eq!(twice, Err(BookError::Version { found: 1, limit: 1 }));
    // The other has offered version 1 too: neither signs the other's.
    let own = pay(&other, 5);
    let crossed = other.offer(own, &key(2)).unwrap();
    for (book, offer, i) in [(&mut other, &offer, 2), (&mut one, &crossed, 1)] {
        let refused = book.answer(offer, &key(i), (NOW, true));
        assert_eq!(refused, Err(BookError::Version { found: 1, limit: 1 }));
    }
    let newer = one.offer(pay(&one, 3), &key(1)).unwrap();
    let signed = other.answer(&newer, &key(2), SIGNS).unwrap();
    assert_eq!(signed.state.version, 2);
    one.conclude(&signed).unwrap();
    let again = one.conclude(&signed);
    assert_eq!(again, Err(BookError::Version { found: 2, limit: 2 }));
    let wrong = one.offer(pay(&one, 1), &key(3));
    assert!(matches!(wrong, Err(BookError::Key { .. })), "{wrong:?}");
}

#[test]
fn after_the_last_state_nothing_is_signed() {
    let (mut one, mut other) = (book(false), book(true));
    let last = ChannelState {
        last: true,
        ..one.next()
    };
    let offer = one.offer(last, &key(1)).unwrap();
    assert_eq!(one.offer(one.next(), &key(1)), Err(BookError::Over));
    other.answer(&offer, &key(2), SIGNS).unwrap();
    assert_eq!(other.offer(other.next(), &key(2)), Err(BookError::Over));
}

proptest! {
    #[test]
    fn shares_add_up_to_what_the_channel_holds(
        to_taker in 0..1_200u64,
        parts in prop::collection::vec((any::<bool>(), 1..500u64, 0..4u8), 0..5),
        known in prop::collection::vec(0..4u8, 0..4),
    ) {
        let terms = terms();
        let sum: u64 = parts.iter().map(|(_, amount, _)| amount).sum();
        let parts = parts.into_iter().map(|(to, amount, n)| part(to, amount, n)).collect();
        let mut state = with_parts(parts);
        state.to_taker = if to_taker > 0 { coin(to_taker) } else { Bundle::default() };
        let secrets: Vec<_> = known.into_iter().map(|n| Secret([n; 32])).collect();
        let shares = terms.channel().unwrap().shares(&terms.gives, Some(&state), &secrets);
        prop_assert_eq!(shares.is_some(), to_taker + sum <= 1_000);
        if let Some([giver, taker]) = shares {
            prop_assert_eq!(amounts(&giver) + amounts(&taker), 1_000);
        }
    }
}

#[test]
fn a_hash_locked_payment_is_promised_and_settled_by_its_secret_or_back() {
    for to_taker in [true, false] {
        for known in [true, false] {
            let mut books = [book(false), book(true)];
            let (payer, payee) = if to_taker { (0, 1) } else { (1, 0) };
            let keys = [key(1), key(2)];
            let agree = |books: &mut [Book; 2], from: usize, state| {
                let offer = books[from].offer(state, &keys[from]).unwrap();
                let to = 1 - from;
                let signed = books[to].answer(&offer, &keys[to], SIGNS).unwrap();
                books[from].conclude(&signed).unwrap();
            };
            let state = books[payer].locking(part(to_taker, 100, 1)).unwrap();
            agree(&mut books, payer, state);
            let sure = |books: &[Book; 2]| {
                [0, 1].map(|i| amounts(&books[i].certain(&books[i].state(), NOW).unwrap()))
            };
            let mut promised = [600, 400];
            promised[payer] -= 100;
            assert_eq!(sure(&books), promised);
            // The payer learns the secret by the offer, as it has to.
            if known {
                books[payee].learn(&[Secret([1; 32])]);
            } else {
                let back = books[payee].settling(0, SIGNS);
                assert!(matches!(back, Err(BookError::Part { .. })), "{back:?}");
            }
            let settled = books[payee].settling(0, (NOW, true)).unwrap();
            agree(&mut books, payee, settled);
            assert_eq!(books[payer].secrets.len(), usize::from(known));
            let mut paid = promised;
            paid[if known { payee } else { payer }] += 100;
            assert_eq!(sure(&books), paid);
        }
    }
}

#[test]
fn items_go_to_the_other_and_back_and_nobody_gives_what_is_not_its_own() {
    let deal = (DealId([9; 32]), user(1), crate::testing::channel());
    let of = |taker| Book::new(network().id(), deal.clone(), taker).unwrap();
    let (mut giver, mut taker) = (of(false), of(true));
    let [givers, takers] = [ItemId([3; 32]), ItemId([4; 32])];
    for (book, item) in [
        (&giver, takers),
        (&taker, givers),
        (&giver, ItemId([5; 32])),
    ] {
        let refused = book.giving(&[item], book.next());
        assert_eq!(refused, Err(BookError::NotYours(item)));
    }
    let paid = giver.paying(AssetId::NATIVE, Amount(5)).unwrap();
    let state = giver.giving(&[givers], paid).unwrap();
    let offer = giver.offer(state, &key(1)).unwrap();
    let signed = taker.answer(&offer, &key(2), SIGNS).unwrap();
    giver.conclude(&signed).unwrap();
    let has = taker.certain(&taker.state(), NOW).unwrap();
    assert_eq!((amounts(&has), has.items), (405, vec![givers, takers]));
    // Taken back without a word.
    let mut state = giver.next();
    state.to_taker.items.clear();
    let offer = giver.offer(state, &key(1)).unwrap();
    let refused = taker.answer(&offer, &key(2), SIGNS);
    assert_eq!(refused, Err(BookError::Item(givers)));
    let back = taker.giving(&[givers, takers], taker.next()).unwrap();
    assert_eq!(back.to_taker.items, []);
}

#[test]
fn of_secrets_those_of_open_parts_and_the_latest_are_kept() {
    let mut book = book(true);
    let open = Secret([1; 32]);
    let state = with_parts(vec![part(true, 5, 1)]);
    let signatures = [1, 2].map(|i| state.sign(&key(i)));
    book.newest = Some(SignedState { state, signatures });
    let secret = |n: u32| {
        let mut secret = [7; 32];
        secret[..4].copy_from_slice(&n.to_be_bytes());
        Secret(secret)
    };
    assert_eq!(book.learn(&[open, open]), [open]);
    for n in 0..1_000 {
        assert_eq!(book.learn(&[secret(n)]), [secret(n)]);
    }
    assert!(book.secrets.len() <= 300, "{}", book.secrets.len());
    assert!(book.secrets.contains(&open) && book.secrets.contains(&secret(999)));
}
