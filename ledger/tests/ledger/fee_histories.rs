//! L22, L23 in random histories of several epochs, against a book kept as plainly as can be: sets of rounds, and shares
//! by counting units. Each history is told twice: to a ledger that runs on, and to one that starts anew, or takes over
//! a state, in between.

use crate::epochs::{entry, ready, report, to_next};
use crate::fees::{account, vertex, world};
use crate::world::World;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use weft_ledger::{Applied, Observed};
use weft_types::testing::offence;
use weft_types::{
    Address, Amount, AssetId, HeightRoots, Member, Observation, Offence, Operation, Payment,
    QueueEntry, VertexDigest, VertexRef,
};

const MEMBERS: usize = 5;

#[derive(Debug, Clone)]
enum Step {
    /// Vertices by place and round, perhaps of another version, and what somebody pays to the pool.
    Commit {
        vertices: Vec<(u32, u64, bool)>,
        pays: u64,
    },
    Offence(u32),
    Queue(u64, u64, bool),
    Height,
    /// Only one of the two ledgers does.
    Restart,
    TakeOver,
    Edge,
}

fn step() -> impl Strategy<Value = Step> {
    let vertex = (0..MEMBERS as u32 + 1, 1..12u64, prop::bool::weighted(0.2));
    let pays = prop_oneof![3 => Just(0), 3 => 1..50u64, 2 => 1..15_000u64];
    prop_oneof![
        8 => (prop::collection::vec(vertex, 0..6), pays)
            .prop_map(|(vertices, pays)| Step::Commit { vertices, pays }),
        1 => (0..MEMBERS as u32).prop_map(Step::Offence),
        1 => (1..MEMBERS as u64 + 3, 0..9u64, prop::bool::weighted(0.3))
            .prop_map(|(id, weight, slashed)| Step::Queue(id, weight, slashed)),
        2 => Just(Step::Height),
        2 => Just(Step::Restart),
        1 => Just(Step::TakeOver),
        3 => Just(Step::Edge),
    ]
}

/// What should be.
struct Book {
    pool: u64,
    earned: BTreeMap<Address, u64>,
    /// Rounds that have counted, by place.
    worked: Vec<BTreeSet<u64>>,
    /// By id, for good: the convicted, and those whose bond is taken.
    offenders: BTreeSet<u64>,
}

impl Book {
    fn count(&mut self, ordered: &[VertexRef]) {
        for vertex in ordered {
            let rounds = &mut self.worked[vertex.author.as_usize()];
            if rounds.iter().all(|counted| *counted < vertex.round.0) {
                rounds.insert(vertex.round.0);
            }
        }
    }

    /// The next epoch opens: who gets how much.
    fn share(&mut self, members: &[Member]) -> Vec<(u64, u64)> {
        let worked = std::mem::replace(&mut self.worked, vec![BTreeSet::new(); 8]);
        let weight = |place: usize, member: &Member| match self.offenders.contains(&member.id) {
            true => 0,
            false => u128::from(member.stake.0) * worked[place].len() as u128,
        };
        let places = members.iter().enumerate();
        let weights: Vec<u128> = places.map(|(place, m)| weight(place, m)).collect();
        let whole: u128 = weights.iter().sum();
        let pool = u128::from(self.pool);
        let mut shares = vec![];
        for (member, weight) in members.iter().zip(weights) {
            let amount = (pool * weight).checked_div(whole).unwrap_or(0) as u64;
            if amount > 0 {
                shares.push((member.id, amount));
                *self.earned.entry(account(member.id)).or_default() += amount;
                self.pool -= amount;
            }
        }
        shares
    }
}

struct History {
    world: World,
    book: Book,
    /// Whether it starts anew where a plan says so.
    restarts: bool,
    /// By id.
    slashed: BTreeSet<u64>,
    roots: Vec<HeightRoots>,
    /// What came of the edges.
    paid: Vec<Vec<(u64, u64)>>,
    supply: u64,
}

impl History {
    fn new(weights: &[u64], restarts: bool) -> Self {
        let world = world(weights);
        let supply = (0..10).map(|i| world.balance(weft_types::testing::user(i)));
        Self {
            supply: supply.sum(),
            world,
            book: Book {
                pool: 0,
                earned: BTreeMap::new(),
                worked: vec![BTreeSet::new(); 8],
                offenders: BTreeSet::new(),
            },
            restarts,
            slashed: BTreeSet::new(),
            roots: vec![],
            paid: vec![],
        }
    }

    fn tell(&mut self, step: &Step) {
        let world = &mut self.world;
        world.now += 1;
        match step {
            Step::Commit { vertices, pays } => {
                let applied = self.commit(vertices, *pays);
                assert_eq!(applied.shares, [], "only an epoch's first commit pays");
            }
            Step::Offence(place) => {
                let Some(member) = world.committee.members().get(*place as usize) else {
                    return;
                };
                self.book.offenders.insert(member.id);
                let proof = Offence {
                    epoch: world.committee.epoch(),
                    ..offence(*place as usize, 3)
                };
                let said = Observation::default();
                let observed = Observed {
                    member: 1,
                    said: &said,
                    offences: &[proof],
                };
                world.apply_observed(&[observed], &[]);
            }
            Step::Queue(id, weight, slashed) => self.queue(*id, *weight, *slashed),
            Step::Height => self.close(),
            Step::Restart if self.restarts => world.restart(),
            Step::Restart => {}
            Step::TakeOver if self.restarts => world.take_over(),
            Step::TakeOver => {
                world.close_height(true);
            }
            Step::Edge => self.edge(),
        }
        self.compare();
    }

    /// All members have seen the entry, and the last one brings it.
    fn queue(&mut self, id: u64, weight: u64, slashed: bool) {
        // Whose bond is taken never comes back under its id.
        if self.slashed.contains(&id) {
            return;
        }
        let entry = match slashed {
            true => QueueEntry {
                slashed,
                ..entry(id, 0)
            },
            false => entry(id, weight),
        };
        if slashed {
            self.slashed.insert(id);
            self.book.offenders.insert(id);
        }
        let queue_report = Some(report(&self.world, std::slice::from_ref(&entry)));
        let ids = self.world.committee.members().iter().map(|m| m.id);
        let mut said: Vec<_> = ids
            .map(|id| {
                let said = Observation {
                    queue_report,
                    ..Observation::default()
                };
                (id, said)
            })
            .collect();
        let (_, last) = said.last_mut().expect("a committee has members");
        last.entries = vec![entry];
        self.world.observe(&said, &[]);
    }

    fn commit(&mut self, vertices: &[(u32, u64, bool)], pays: u64) -> Applied {
        let size = self.world.committee.size() as u32;
        let ordered = vertices.iter().filter(|(place, ..)| *place < size);
        let ordered = ordered.map(|(place, round, other)| match other {
            false => vertex(*place, *round),
            true => VertexRef {
                digest: VertexDigest([77; 32]),
                ..vertex(*place, *round)
            },
        });
        self.world.ordered = ordered.collect();
        self.book.count(&self.world.ordered);
        let payment = Payment {
            to: Address::FEE_POOL,
            asset: AssetId::NATIVE,
            amount: Amount(pays),
        };
        let pay = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        let transaction = (pays > 0).then(|| self.world.signed(0, vec![pay]));
        self.book.pool += pays;
        let transactions: Vec<_> = transaction.into_iter().collect();
        self.world.commit(&transactions)
    }

    /// The epoch ends, and the next one opens with a commit that orders something too.
    fn edge(&mut self) {
        let members = self.world.committee.members().to_vec();
        self.world.committee = to_next(&mut self.world);
        if self.restarts {
            self.world.restart();
        }
        let expected = self.book.share(&members);
        let applied = self.commit(&[(0, 2, false), (1, 1, false)], 3);
        let shares = applied.shares.iter().map(|s| (s.member, s.amount.0));
        let shares: Vec<_> = shares.collect();
        assert_eq!(shares, expected);
        self.paid.push(shares);
        let now = self.world.now;
        assert_eq!(ready(&mut self.world, now, &[]).shares, [], "paid once");
    }

    fn close(&mut self) {
        let roots = self.world.close_height(true);
        self.roots.push(roots);
    }

    fn compare(&self) {
        let pool = self.world.balance(Address::FEE_POOL);
        assert_eq!(pool, self.book.pool, "the pool");
        let mut sum = pool;
        for id in 1..=MEMBERS as u64 + 3 {
            let earned = self.world.balance(account(id));
            let expected = self.book.earned.get(&account(id)).copied();
            assert_eq!(earned, expected.unwrap_or(0), "member {id}");
            sum += earned;
        }
        for i in 0..10 {
            sum += self.world.balance(weft_types::testing::user(i));
        }
        assert_eq!(sum, self.supply, "nothing is made or lost");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn l22_l23_random_epochs_pay_as_the_book_says_whoever_starts_anew(
        weights in prop::collection::vec(1..9u64, 4..=MEMBERS),
        steps in prop::collection::vec(step(), 10..60),
    ) {
        let mut runs = [false, true].map(|restarts| History::new(&weights, restarts));
        for run in &mut runs {
            for step in &steps {
                run.tell(step);
            }
            run.close();
        }
        let [ran_on, anew] = runs;
        prop_assert_eq!(ran_on.roots, anew.roots);
        prop_assert_eq!(ran_on.paid, anew.paid);
    }
}
