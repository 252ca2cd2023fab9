//! Random DAGs: every vertex is one that some member could have sent. Honest members have one vertex a
//! round, after their own last one; equivocators have up to three. Leaders are left out by a random
//! share of the others and linked late, equivocators vote both ways, members fall asleep and come
//! back, so that slots are decided by every route.

use super::drawing::{committee, share};
use super::rng::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_consensus::{CoreConfig, Schedule};
use weft_types::testing::{network, vertex_key};
use weft_types::{
    Epoch, MemberIndex, MemberSet, Millis, Observation, Offence, ProtocolParams, Round, Stake,
    Verified, Vertex, VertexBody, VertexRef,
};

/// When the first round of a random DAG is.
pub const START: u64 = 1_000_000;

pub struct RandomDag {
    pub config: CoreConfig,
    /// In an order in which they may have been made.
    pub vertices: Vec<Verified<Vertex>>,
}

/// What of a DAG is not left to chance.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    pub stakes: Vec<u64>,
    pub leaders_per_round: u32,
    /// D6
    pub byzantine: Option<Stake>,
    pub equivocator: Option<MemberIndex>,
    /// Somebody carries the proof against it.
    pub convicting: bool,
    /// Who has no vertex from a round on.
    pub crashed: Option<(MemberIndex, Round)>,
}

struct Maker {
    rng: Rng,
    /// Draws who carries proofs, if anybody does.
    proofs: Option<Rng>,
    config: CoreConfig,
    equivocators: MemberSet,
    asleep: MemberSet,
    crashed: Option<(MemberIndex, Round)>,
    /// By round and author: the versions.
    rounds: Vec<BTreeMap<MemberIndex, Vec<Verified<Vertex>>>>,
    /// Percent of the members that leave out a leader of the round before, by leader.
    left_out: BTreeMap<MemberIndex, u64>,
    made: Vec<Verified<Vertex>>,
}

impl RandomDag {
    /// Four or seven members, stakes equal or not, equivocators with up to F of stake; with a quarter of the seeds one is
    /// convicted from an earlier epoch.
    pub fn new(seed: u64, rounds: u64) -> Self {
        let mut rng = Rng::new(seed);
        let members = *rng.pick(&[4, 7]);
        let weighted = rng.chance(40);
        let stake = |rng: &mut Rng| if weighted { 1 + rng.below(9) } else { 1 };
        let stakes: Vec<u64> = (0..members).map(|_| stake(&mut rng)).collect();
        // Half of them without proofs: whoever is convicted leads no more, and hides what a leader can do.
        let proofs = (seed % 2 == 1).then(|| Rng::new(seed ^ 0x0ff));
        let mut dag = Self::make(&stakes, None, proofs, rng, rounds);
        if seed % 4 == 3 {
            let carried = MemberIndex((seed / 4 % members) as u32);
            dag.config.convicted.insert(carried);
        }
        dag
    }

    /// D6: four to seven members, of the F that may be faulty a random part lies.
    pub fn two_delay(seed: u64, rounds: u64) -> Self {
        let mut rng = Rng::new(seed);
        let members = 4 + rng.below(4);
        let weighted = rng.chance(30);
        let stake = |rng: &mut Rng| if weighted { 1 + rng.below(4) } else { 1 };
        let stakes: Vec<u64> = (0..members).map(|_| stake(&mut rng)).collect();
        let faulty = (stakes.iter().sum::<u64>() - 1) / 3;
        let byzantine = rng.below(faulty + 1);
        Self::make(&stakes, Some(Stake(byzantine)), None, rng, rounds)
    }

    fn make(
        stakes: &[u64],
        byzantine: Option<Stake>,
        proofs: Option<Rng>,
        mut rng: Rng,
        rounds: u64,
    ) -> Self {
        let committee = Arc::new(committee(stakes));
        let params = ProtocolParams {
            gc_depth: 6 + rng.below(15),
            ..ProtocolParams::default()
        };
        let mut config = CoreConfig::new(network().id(), committee.clone(), None, &params);
        config.schedule = Schedule::by_stake([rng.next() as u8; 32], 1 + rng.below(3) as u32);
        config.byzantine = byzantine;
        let lying = byzantine.unwrap_or(committee.faulty());
        let mut equivocators = MemberSet::default();
        let mut order: Vec<MemberIndex> = committee.indices().collect();
        rng.shuffle(&mut order);
        for member in order {
            let before = equivocators;
            equivocators.insert(member);
            if committee.stake_of(&equivocators) > lying {
                equivocators = before;
            }
        }
        let mut maker = Maker::new(config, equivocators, rng);
        maker.proofs = proofs;
        maker.make(rounds)
    }

    /// With leaders drawn from `schedule`.
    pub fn shaped(shape: &Shape, schedule: [u8; 32], seed: u64, rounds: u64) -> Self {
        let mut rng = Rng::new(seed);
        let committee = Arc::new(committee(&shape.stakes));
        let params = ProtocolParams {
            gc_depth: 6 + rng.below(6),
            ..ProtocolParams::default()
        };
        let mut config = CoreConfig::new(network().id(), committee, None, &params);
        config.schedule = Schedule::by_stake(schedule, shape.leaders_per_round);
        config.byzantine = shape.byzantine;
        let equivocators = shape.equivocator.into_iter().collect();
        let mut maker = Maker::new(config, equivocators, rng);
        maker.proofs = shape.convicting.then(|| Rng::new(seed));
        maker.crashed = shape.crashed;
        maker.make(rounds)
    }
}

impl Maker {
    fn new(config: CoreConfig, equivocators: MemberSet, rng: Rng) -> Self {
        let genesis = |author| vec![Vertex::genesis(network().id(), Epoch::ZERO, author)];
        let members = config.committee.indices();
        Self {
            rounds: vec![members.map(|m| (m, genesis(m))).collect()],
            rng,
            proofs: None,
            config,
            equivocators,
            asleep: MemberSet::default(),
            crashed: None,
            left_out: BTreeMap::new(),
            made: Vec::new(),
        }
    }

    fn make(mut self, rounds: u64) -> RandomDag {
        for round in 1..=rounds {
            self.round(Round(round));
        }
        RandomDag {
            config: self.config,
            vertices: self.made,
        }
    }

    fn is_down(&self, member: MemberIndex, round: Round) -> bool {
        self.crashed
            .is_some_and(|(crashed, from)| crashed == member && round >= from)
    }

    fn round(&mut self, round: Round) {
        let committee = self.config.committee.clone();
        for member in committee.indices() {
            if self
                .rng
                .chance(if self.asleep.contains(member) { 15 } else { 4 })
            {
                let woken = !self.asleep.insert(member);
                if woken {
                    self.asleep.remove(member);
                }
            }
        }
        let previous = round.saturating_sub(1);
        let nobody = MemberSet::default();
        let leaders = self.config.schedule.leaders(&committee, previous, &nobody);
        self.left_out = leaders
            .into_iter()
            .map(|l| (l, *self.rng.pick(&[0, 30, 60, 100])))
            .collect();
        let mut order: Vec<MemberIndex> = committee.indices().collect();
        self.rng.shuffle(&mut order);
        order.sort_by_key(|m| self.asleep.contains(*m));
        self.rounds.push(BTreeMap::new());
        let mut authors = MemberSet::default();
        for author in order {
            let sleeps = self.asleep.contains(author) && committee.is_quorum(&authors);
            if sleeps || self.is_down(author, round) {
                continue;
            }
            authors.insert(author);
            let equivocates = self.equivocators.contains(author) && self.rng.chance(60);
            let versions = if equivocates {
                2 + self.rng.below(2)
            } else {
                1
            };
            for version in 0..versions {
                let vertex = self.vertex(round, author, version);
                let row = self.rounds.last_mut().unwrap();
                row.entry(author).or_default().push(vertex.clone());
                self.made.push(vertex);
            }
        }
    }

    fn pick_version(&mut self, round: Round, author: MemberIndex) -> Option<Verified<Vertex>> {
        let versions = self.rounds[round.0 as usize].get(&author)?;
        Some(self.rng.pick(versions).clone())
    }

    fn vertex(&mut self, round: Round, author: MemberIndex, version: u64) -> Verified<Vertex> {
        let previous = round.saturating_sub(1);
        let own = (0..round.0)
            .rev()
            .find_map(|r| self.pick_version(Round(r), author))
            .expect("round 0 has all");
        let time = START + 10 * round.0 + self.rng.below(8);
        let mut time = time.max(own.timestamp().0) + version;
        if self.equivocators.contains(author) && self.rng.chance(3) {
            // Ahead of every clock, or behind its own last one (V6).
            time = *self.rng.pick(&[time + 5_000, time - 500]);
        }
        let body = VertexBody {
            network: network().id(),
            epoch: Epoch::ZERO,
            round,
            author,
            timestamp: Millis(time),
            parents: self.parents(previous, &own, version),
            weak_links: self.weak_links(round),
            transactions: Vec::new(),
            observation: Observation::default(),
            offences: self.proof(round),
            shares: if self.rng.chance(10) {
                vec![share()]
            } else {
                Vec::new()
            },
        };
        Vertex::sign(body, Vec::new(), &vertex_key(author.as_usize()))
    }

    /// At times, the proof of what an equivocator did some rounds ago.
    fn proof(&mut self, round: Round) -> Vec<Offence> {
        let Some(rng) = &mut self.proofs else {
            return Vec::new();
        };
        let older = round.checked_sub(1 + rng.below(8));
        let Some(older) = older.filter(|_| rng.chance(5)) else {
            return Vec::new();
        };
        let row = &self.rounds[older.0 as usize];
        let prove = |author: MemberIndex| match row.get(&author)?.as_slice() {
            [first, second, ..] => Offence::of(first, second),
            _ => None,
        };
        self.equivocators
            .iter()
            .find_map(prove)
            .into_iter()
            .collect()
    }

    /// The own one, and a random set of others that makes a quorum.
    fn parents(&mut self, previous: Round, own: &Vertex, version: u64) -> Vec<VertexRef> {
        let committee = self.config.committee.clone();
        let mut others: Vec<MemberIndex> = committee.indices().collect();
        others.retain(|m| *m != own.author());
        self.rng.shuffle(&mut others);
        // Those to be left out come last: they are taken only to make a quorum.
        let mut keys = BTreeMap::new();
        for member in &others {
            let percent = match self.left_out.get(member) {
                None => 10,
                // An equivocator's versions vote both ways.
                Some(_) if self.equivocators.contains(own.author()) => 50 * version.min(2),
                Some(percent) => *percent,
            };
            keys.insert(*member, self.rng.chance(percent));
        }
        others.sort_by_key(|m| keys[m]);
        let mut voters = MemberSet::default();
        if own.round() == previous {
            voters.insert(own.author());
        }
        let mut parents = Vec::new();
        for member in others {
            if committee.is_quorum(&voters) && keys[&member] {
                break;
            }
            if let Some(parent) = self.pick_version(previous, member) {
                voters.insert(member);
                parents.push(parent.reference());
            }
        }
        parents.sort_unstable_by_key(|p| p.author);
        parents.insert(0, own.reference());
        parents
    }

    fn weak_links(&mut self, round: Round) -> Vec<VertexRef> {
        let mut links = BTreeMap::new();
        if let Some(older) = round.checked_sub(2).filter(|r| *r > Round::ZERO) {
            let (schedule, nobody) = (&self.config.schedule, MemberSet::default());
            let leaders = schedule.leaders(&self.config.committee, older, &nobody);
            for leader in leaders {
                if self.rng.chance(40)
                    && let Some(link) = self.pick_version(older, leader)
                {
                    links.insert((older, leader), link.reference());
                }
            }
        }
        for _ in 0..self.rng.below(3) {
            let distance = 2 + self.rng.below(self.config.gc_depth + 3);
            let author = MemberIndex(self.rng.below(self.config.committee.size() as u64) as u32);
            let Some(older) = round.checked_sub(distance).filter(|r| *r > Round::ZERO) else {
                continue;
            };
            if let Some(link) = self.pick_version(older, author) {
                links.insert((older, author), link.reference());
            }
        }
        links.into_values().collect()
    }
}
