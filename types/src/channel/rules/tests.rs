use crate::authorisation::UserKey;
use crate::channel::tests::{NOW, SIGNS, amounts, book, coin, key, part};
use crate::channel::{Book, BookError, ChannelPart, ChannelState, Offer, SignedState};
use crate::ids::{Amount, Millis, Secret};
use crate::operation::Bundle;
use proptest::prelude::*;

/// Above what any of these tests ends at.
const LATE: Millis = Millis(85_000);

/// A party's book in which a state counts.
fn agreed(of_taker: bool, to_taker: u64, parts: &[ChannelPart]) -> Book {
    let mut book = book(of_taker);
    let state = state(&book, to_taker, parts);
    let signatures = [1, 2].map(|i| state.sign(&key(i)));
    book.newest = Some(SignedState { state, signatures });
    book
}

fn state(book: &Book, to_taker: u64, parts: &[ChannelPart]) -> ChannelState {
    let mut parts = parts.to_vec();
    parts.sort_unstable_by_key(|p| p.hash);
    let to_taker = match to_taker {
        0 => Bundle::default(),
        amount => coin(amount),
    };
    ChannelState {
        to_taker,
        parts,
        ..book.next()
    }
}

fn is_part(found: &Result<(), BookError>) -> bool {
    matches!(found, Err(BookError::Part { .. }))
}

fn is_unknown(found: &Result<(), BookError>) -> bool {
    matches!(found, Err(BookError::Unknown(_)))
}

fn is_less(found: &Result<(), BookError>) -> bool {
    matches!(found, Err(BookError::Less { .. }))
}

#[test]
fn what_is_to_come_by_a_hash_is_there_still_or_is_paid() {
    let coming = part(true, 100, 1);
    let changed = |change: &dyn Fn(&mut ChannelPart)| {
        let mut other = coming;
        change(&mut other);
        other
    };
    let of_taker = agreed(true, 400, &[coming]);
    let judged = |to_taker, parts: &[ChannelPart], now, less| {
        of_taker.judge(&state(&of_taker, to_taker, parts), now, less)
    };
    // The forwarder has paid on by the same hash, and would be paid no more.
    assert!(is_part(&judged(400, &[], NOW, false)));
    assert!(is_part(&judged(499, &[], NOW, false)));
    for worse in [
        changed(&|p| p.expires = Millis(p.expires.0 - 1)),
        changed(&|p| p.amount = Amount(99)),
        changed(&|p| p.hash = Secret([2; 32]).hash()),
    ] {
        assert!(is_part(&judged(400, &[worse], NOW, false)), "{worse:?}");
    }
    let turned = changed(&|p| p.to_taker = false);
    assert!(judged(400, &[turned], NOW, false).is_err());
    for (to_taker, parts) in [
        (400, vec![coming]),
        (400, vec![changed(&|p| p.expires = Millis(p.expires.0 + 1))]),
        (400, vec![coming, part(true, 5, 2)]),
        (500, vec![]),
    ] {
        assert_eq!(judged(to_taker, &parts, NOW, false), Ok(()), "{parts:?}");
    }
    // Whoever means it says so, and what came too late is not to come any more.
    assert_eq!(judged(400, &[], NOW, true), Ok(()));
    assert_eq!(judged(400, &[], LATE, false), Ok(()));
    assert!(is_less(&judged(399, &[], LATE, false)));
    // A secret that is known makes no difference before the part's time.
    let mut knows = of_taker.clone();
    knows.learn(&[Secret([1; 32])]);
    assert!(is_part(&knows.judge(&state(&knows, 400, &[]), NOW, false)));
}

#[test]
fn a_part_is_paid_by_its_secret_alone() {
    let own = part(true, 100, 1);
    let of_giver = agreed(false, 400, &[own]);
    let judged = |book: &Book, to_taker, parts: &[ChannelPart], now, less| {
        book.judge(&state(book, to_taker, parts), now, less)
    };
    // Paid on, and nothing to claim with what was paid before.
    for less in [false, true] {
        assert!(is_unknown(&judged(&of_giver, 500, &[], NOW, less)));
        assert!(is_unknown(&judged(&of_giver, 401, &[], NOW, less)));
        assert!(is_unknown(&judged(&of_giver, 500, &[], LATE, less)));
        let mut longer = own;
        longer.expires = Millis(own.expires.0 + 1);
        assert!(is_unknown(&judged(&of_giver, 400, &[longer], NOW, less)));
        assert_eq!(judged(&of_giver, 400, &[], NOW, less), Ok(()));
    }
    let mut knows = of_giver.clone();
    knows.learn(&[Secret([1; 32])]);
    assert_eq!(judged(&knows, 500, &[], NOW, false), Ok(()));
    assert!(is_less(&judged(&knows, 501, &[], NOW, false)));
    assert!(is_less(&judged(&knows, 500, &[], LATE, false)));
    assert_eq!(judged(&knows, 500, &[], LATE, true), Ok(()));
    assert!(is_less(&judged(
        &of_giver,
        400,
        &[own, part(true, 1, 2)],
        NOW,
        false
    )));
}

#[test]
fn an_offer_that_settles_a_part_brings_its_secret() {
    let own = part(true, 100, 1);
    let (mut payer, mut payee) = (agreed(false, 400, &[own]), agreed(true, 400, &[own]));
    let secret = Secret([1; 32]);
    payee.learn(&[Secret([5; 32]), secret]);
    let settled = payee.settling(0, SIGNS).unwrap();
    let offer = payee.offer(settled, &key(2)).unwrap();
    assert_eq!(offer.secrets, [secret]);
    let bare = Offer {
        secrets: vec![Secret([5; 32])],
        ..offer.clone()
    };
    let refused = payer.answer(&bare, &key(1), (NOW, true));
    assert_eq!(refused, Err(BookError::Unknown(own.hash)));
    let json = serde_json::to_string(&offer).unwrap();
    let read: Offer = serde_json::from_str(&json).unwrap();
    assert!(payer.answer(&read, &key(1), SIGNS).is_ok());
    // Of what was brought it keeps what opens something.
    assert_eq!(payer.secrets, [secret]);
    // A payment beside a part that stays brings none.
    let mut payee = agreed(true, 400, &[own]);
    payee.learn(&[secret]);
    let paid = payee.paying(own.asset, Amount(1)).unwrap();
    assert_eq!(payee.offer(paid, &key(2)).unwrap().secrets, []);
}

#[test]
fn another_key_is_named_before_anything_else() {
    let mut of_giver = agreed(false, 400, &[]);
    let mut of_taker = agreed(true, 400, &[]);
    let paid = of_giver.paying(part(true, 1, 1).asset, Amount(1)).unwrap();
    let offer = of_giver.offer(paid, &key(1)).unwrap();
    let wrong: UserKey = key(1);
    let refused = of_taker.answer(&offer, &wrong, SIGNS);
    assert!(matches!(refused, Err(BookError::Key { .. })), "{refused:?}");
    // Its own offer, taken for the other's.
    let own = of_giver.answer(&offer, &key(1), SIGNS);
    assert!(matches!(own, Err(BookError::Version { .. })), "{own:?}");
}

#[test]
fn what_is_certain_is_so_until_the_part_expires() {
    let parts = [part(true, 100, 1), part(false, 30, 2)];
    let mut of_taker = agreed(true, 400, &parts);
    let sure = |book: &Book, now| amounts(&book.certain(&book.state(), now).unwrap());
    assert_eq!([NOW, LATE].map(|now| sure(&of_taker, now)), [400, 430]);
    of_taker.learn(&[Secret([1; 32]), Secret([2; 32])]);
    assert_eq!([NOW, LATE].map(|now| sure(&of_taker, now)), [500, 430]);
}

/// When each of three secrets is shown, if ever.
type World = [Option<u64>; 3];

/// What a party has of a state where everybody claims what he can from now on.
fn payoff(book: &Book, state: &ChannelState, now: u64, world: &World) -> u64 {
    let opens = |part: &ChannelPart| {
        (1..).zip(world).any(|(n, at)| {
            let is_shown = at.is_some_and(|at| at.max(now) < part.expires.0);
            part.hash == Secret([n; 32]).hash() && is_shown
        })
    };
    let has = |part: &ChannelPart| book.comes(part) == opens(part);
    amounts(&book.having(state, has).unwrap())
}

fn parts() -> impl Strategy<Value = Vec<ChannelPart>> {
    let one = (any::<bool>(), 1..4u64, 1..4u8, 0..3u64);
    prop::collection::vec(one, 0..4).prop_map(|drawn| {
        let mut parts = Vec::<ChannelPart>::new();
        for (to_taker, amount, secret, time) in drawn {
            let mut one = part(to_taker, amount, secret);
            one.expires = Millis(15 + 10 * time);
            if parts.iter().all(|p| p.hash != one.hash) {
                parts.push(one);
            }
        }
        parts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// The whole table of docs/spec/channels.md: whatever is signed without a word leaves its signer no worse in any
    /// world, whichever secrets come, and when.
    #[test]
    fn nobody_is_worse_off_in_any_world_by_what_he_signs_without_a_word(
        of_taker in any::<bool>(),
        (before, after) in (parts(), parts()),
        (had, has) in (5..12u64, 5..12u64),
        known in prop::collection::vec(any::<bool>(), 3),
        now in prop::sample::select(vec![5u64, 20, 40]),
        stays in any::<bool>(),
    ) {
        let after = if stays { [&before[..], &after].concat() } else { after };
        let mut unique = Vec::<ChannelPart>::new();
        for part in after {
            if unique.iter().all(|p| p.hash != part.hash) {
                unique.push(part);
            }
        }
        let mut book = agreed(of_taker, had, &before);
        let secrets: Vec<_> = (1..4).filter(|n| known[usize::from(*n) - 1]).map(|n| Secret([n; 32])).collect();
        book.learn(&secrets);
        let (old, new) = (book.state(), state(&book, has, &unique));
        if book.judge(&new, Millis(now), false).is_ok() {
            let times = |n: usize| match known[n] {
                true => vec![Some(0)],
                false => [None, Some(10), Some(22), Some(32)].into_iter().filter(|t| t.is_none_or(|t| t >= now)).collect(),
            };
            for (a, b, c) in worlds(times(0), times(1), times(2)) {
                let world = [a, b, c];
                let (before, after) = (payoff(&book, &old, now, &world), payoff(&book, &new, now, &world));
                prop_assert!(after >= before, "{world:?}: {after} of {before}");
            }
        }
    }
}

fn worlds(
    first: Vec<Option<u64>>,
    second: Vec<Option<u64>>,
    third: Vec<Option<u64>>,
) -> Vec<(Option<u64>, Option<u64>, Option<u64>)> {
    let mut all = Vec::new();
    for a in &first {
        for b in &second {
            all.extend(third.iter().map(|c| (*a, *b, *c)));
        }
    }
    all
}
