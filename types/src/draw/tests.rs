use super::*;
use crate::ids::{CommitIndex, Entropy, VertexDigest};
use crate::splitmix::SplitMix64;
use crate::testing::{self, DRAW_SECRET};

/// Four packs of two: where the one card that everybody wants is.
struct Game {
    id: DealId,
    deal: Deal,
}

impl Game {
    fn new(rng: &mut SplitMix64) -> Self {
        let (id, deal) = testing::drawn(4, 2);
        let mut game = Self { id, deal };
        let mut bytes = || random(rng);
        game.drawing().lot.as_mut().unwrap().digest = VertexDigest(bytes());
        for pack in &mut game.drawing().packs {
            pack.entropy = Entropy(bytes());
        }
        game
    }

    fn drawing(&mut self) -> &mut Drawing {
        self.deal.drawing.as_mut().unwrap()
    }

    fn lot(&mut self, digest: [u8; 32]) {
        self.drawing().lot.as_mut().unwrap().digest = VertexDigest(digest);
    }

    fn entropy(&mut self, pack: usize, entropy: [u8; 32]) {
        self.drawing().packs[pack].entropy = Entropy(entropy);
    }

    /// The pack with the first of the contents.
    fn winner(&self, secret: &DrawSecret) -> usize {
        let prize = self.deal.terms.gives.items[0];
        let drawn = self.deal.draw(&self.id, secret).unwrap();
        let mut packs = drawn.packs.iter();
        packs.position(|p| p.contains(&prize)).unwrap()
    }
}

fn random(rng: &mut SplitMix64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&rng.draw().to_be_bytes());
    }
    bytes
}

/// How often in a thousand the last pack has the prize, when somebody chooses before the draw.
fn wins(mut choose: impl FnMut(&mut Game, &DrawSecret, &mut SplitMix64)) -> usize {
    let mut rng = SplitMix64::new(7);
    let mut round = || {
        let mut game = Game::new(&mut rng);
        let secret = DrawSecret(random(&mut rng));
        choose(&mut game, &secret, &mut rng);
        usize::from(game.winner(&secret) == 3)
    };
    (0..1_000).map(|_| round()).sum()
}

/// A quarter, give or take five standard deviations.
fn fair(wins: usize) -> bool {
    (182..=318).contains(&wins)
}

const TRIES: usize = 24;

#[test]
fn a_draw_deals_out_each_item_once() {
    for (packs, cards, sold) in [(1, 1, 1), (4, 3, 4), (4, 3, 2), (255, 1, 255), (5, 51, 1)] {
        let (id, mut deal) = testing::drawn(packs, cards);
        deal.drawing.as_mut().unwrap().packs.truncate(sold);
        let Drawn { packs, unsold } = deal.draw(&id, &DRAW_SECRET).unwrap();
        assert_eq!(packs.len(), sold);
        assert!(packs.iter().all(|pack| pack.len() == cards as usize));
        let mut dealt: Vec<ItemId> = packs.into_iter().flatten().chain(unsold).collect();
        let mut contents = deal.terms.gives.items;
        dealt.sort();
        contents.sort();
        assert_eq!(dealt, contents);
    }
}

#[test]
fn nothing_is_drawn_without_a_lot_or_of_another_rule() {
    let (id, mut deal) = testing::drawn(2, 2);
    deal.drawing.as_mut().unwrap().lot = None;
    assert_eq!(deal.draw(&id, &DRAW_SECRET), None);
    deal.drawing = None;
    assert_eq!(deal.draw(&id, &DRAW_SECRET), None);
}

#[test]
fn everything_that_somebody_adds_changes_the_draw() {
    let (id, deal) = testing::drawn(5, 51);
    let first = deal.draw(&id, &DRAW_SECRET);
    let changed = |change: &dyn Fn(&mut Drawing)| {
        let mut deal = deal.clone();
        change(deal.drawing.as_mut().unwrap());
        assert_ne!(deal.draw(&id, &DRAW_SECRET), first);
    };
    assert_ne!(deal.draw(&DealId([8; 32]), &DRAW_SECRET), first);
    assert_ne!(deal.draw(&id, &DrawSecret([1; 32])), first);
    changed(&|d| d.lot.as_mut().unwrap().digest.0[31] ^= 1);
    changed(&|d| d.lot.as_mut().unwrap().commit = CommitIndex(38));
    for pack in 0..5 {
        changed(&|d| d.packs[pack].entropy.0[31] ^= 1);
    }
    // Handing on is none of it.
    let mut passed = deal.clone();
    passed.drawing.as_mut().unwrap().packs[2].holder = testing::user(9);
    assert_eq!(passed.draw(&id, &DRAW_SECRET), first);
}

#[test]
fn a_number_above_the_last_multiple_is_drawn_again() {
    for (bound, over) in [(1, 0), (2, 0), (3, 1), (6, 4), (7, 2), (255, 1), (256, 0)] {
        let last = u64::MAX - over;
        let mut numbers = [u64::MAX, last, 5].into_iter();
        let found = below(bound, &mut || numbers.next().unwrap());
        let expected = if over == 0 { u64::MAX } else { last };
        assert_eq!(expected % bound, bound - 1);
        assert_eq!(found, bound - 1);
        assert_eq!(numbers.len(), if over == 0 { 2 } else { 1 });
    }
}

/// Chi-square of counts that should all be the same.
fn chi_square(counts: &[u64]) -> f64 {
    let expected = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    let part = |count: &u64| (*count as f64 - expected).powi(2) / expected;
    counts.iter().map(part).sum()
}

#[test]
fn all_orders_and_all_places_are_as_likely() {
    let (mut orders, mut places) = ([0; 24], [[0; 10]; 10]);
    for n in 0..24_000u64 {
        let seed = blake3(Domain::DrawSeed, &[&n.to_be_bytes()]);
        let mut four = [0, 1, 2, 3];
        shuffle(&mut four, &mut numbers(&seed));
        let less = |place: usize| four[place..].iter().filter(|x| **x < four[place]).count();
        orders[less(0) * 6 + less(1) * 2 + less(2)] += 1;
        let mut ten: Vec<usize> = (0..10).collect();
        shuffle(&mut ten, &mut numbers(&seed));
        for (place, item) in ten.into_iter().enumerate() {
            places[item][place] += 1;
        }
    }
    // One in a thousand lies above these, for 23 and 9 degrees of freedom.
    assert!(chi_square(&orders) < 49.7, "{orders:?}");
    for counts in places {
        assert!(chi_square(&counts) < 27.9, "{counts:?}");
    }
    // The same of a mistaken shuffle, in which each place changes with any.
    let mut naive = [0; 24];
    for n in 0..24_000u64 {
        let seed = blake3(Domain::DrawSeed, &[&n.to_be_bytes()]);
        let (mut four, mut numbers) = ([0, 1, 2, 3], numbers(&seed));
        for place in 0..4 {
            four.swap(place, below(4, &mut numbers) as usize);
        }
        let less = |place: usize| four[place..].iter().filter(|x| **x < four[place]).count();
        naive[less(0) * 6 + less(1) * 2 + less(2)] += 1;
    }
    assert!(chi_square(&naive) > 49.7, "the test would notice");
}

#[test]
fn nobody_alone_gains_by_choosing() {
    assert!(fair(wins(|_, _, _| {})));
    // A buyer tries entropies, against a guessed secret and the lot that comes.
    assert!(fair(wins(|game, _, rng| {
        let guess = DrawSecret(random(rng));
        for _ in 0..TRIES {
            game.entropy(3, random(rng));
            if game.winner(&guess) == 3 {
                break;
            }
        }
    })));
    // The giver buys the last pack himself: he knows the secret and all entropies, and guesses at the lot.
    assert!(fair(wins(|game, secret, rng| {
        game.lot(random(rng));
        for _ in 0..TRIES {
            game.entropy(3, random(rng));
            if game.winner(secret) == 3 {
                break;
            }
        }
        game.lot(random(rng));
    })));
    // The leader of the lot's commit tries vertices: it lacks the secret.
    assert!(fair(wins(|game, _, rng| {
        let guess = DrawSecret(random(rng));
        for _ in 0..TRIES {
            game.lot(random(rng));
            if game.winner(&guess) == 3 {
                break;
            }
        }
    })));
}

/// What does not hold: docs/adr/packs.md says so.
#[test]
fn giver_and_leader_together_choose() {
    let wins = wins(|game, secret, rng| {
        for _ in 0..TRIES {
            game.lot(random(rng));
            if game.winner(secret) == 3 {
                break;
            }
        }
    });
    assert!(wins > 990, "{wins}");
}

/// Two of four packs are sold to others. The giver shows the secret only when that is the better for him.
#[test]
fn who_withholds_the_secret_loses_by_it_once_bond_and_price_are_worth_the_best_pack() {
    let (price, worth) = (60i64, 1_000i64);
    let mut rng = SplitMix64::new(11);
    let mut gain = |bond: i64| {
        let mut sum = 0;
        for _ in 0..1_000 {
            let game = Game::new(&mut rng);
            let lost = game.winner(&DrawSecret(random(&mut rng))) < 2;
            let shown = 2 * price - if lost { worth } else { 0 };
            let withheld = -2 * bond;
            sum += withheld.max(shown) - shown;
        }
        sum
    };
    assert!(gain(100) > 0);
    assert_eq!(gain(worth - price), 0);
}
