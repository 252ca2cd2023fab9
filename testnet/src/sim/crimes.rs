//! Members that act against the protocol, each named by its crime. A criminal runs the real replica and
//! follows what it says, but for what it sends: that is where every crime shows.
//!
//! A criminal that alters its vertices keeps a list of what it made of which, so that its altered
//! vertices form a chain of their own and only the crime itself is against the rules.

mod branch;
mod slander;

use super::cast::Cast;
use super::disk::Disk;
use super::faults::Kind;
use super::plan::Planted;
use super::rng::Rng;
use super::seating::Seating;
use super::time::Time;
use branch::branch;
use bytes::Bytes;
use slander::slander;
use std::collections::BTreeMap;
use weft_ledger::{Part, Piece};
use weft_node::replica::sync::Answer;
use weft_types::{
    FinalityShare, MemberIndex, MemberSet, Round, StatementDigest, Verified, Vertex, VertexBody,
    VertexDigest, VertexRef, bls,
};

/// A liar's own timestamps are ahead by up to this, in milliseconds.
const AHEAD_MS_MAX: u64 = 3_600_000;
/// Rounds that a jumper is ahead at most.
const JUMP_MAX: u64 = 400;
/// Old vertices that a flooder adds to each of its own, and how old they are at most.
const FLOOD: u64 = 4;
const FLOOD_ROUNDS: u64 = 50;
/// A sleeper's period, and how much of it it sleeps, in microseconds.
const PERIOD_US: u64 = 5_000_000;
const ASLEEP_US: u64 = 3_000_000;
/// A censor keeps out transactions whose id begins with a lower byte: a fourth of all.
const CENSORED_BELOW: u8 = 64;
/// Altered vertices that are remembered: more than rounds that anything can still link to.
const ALTERED_MAX: usize = 256;

pub struct Criminal {
    pub kind: Kind,
    rng: Rng,
    begins: Time,
    ends: Time,
    /// What stands for an own vertex outside.
    altered: BTreeMap<VertexRef, VertexRef>,
    /// What a sleeper has not sent.
    held: Vec<Verified<Vertex>>,
}

/// A vertex to send: to one member or to all, and when.
pub struct Sending {
    pub to: Option<usize>,
    pub at: Time,
    pub vertex: Verified<Vertex>,
}

/// What a criminal knows of its surroundings.
pub struct Scene<'a> {
    pub cast: &'a Cast,
    /// The committee in office.
    pub seating: &'a Seating,
    /// The node's number.
    pub member: usize,
    pub disk: &'a Disk,
    /// A planted bug.
    pub planted: Option<Planted>,
    /// Mean delay of a message, in microseconds.
    pub delay: u64,
}

impl Criminal {
    /// One that acts from a time on, until another.
    pub fn new(kind: Kind, rng: Rng, begins: Time, ends: Time) -> Self {
        Self {
            kind,
            rng,
            begins,
            ends,
            altered: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    pub fn is_active(&self, now: Time) -> bool {
        // Once a vertex was altered, its chain has to go on apart.
        (self.begins <= now && now < self.ends) || !self.altered.is_empty()
    }

    /// Whether it answers when it is asked for vertices.
    pub fn answers(&mut self) -> bool {
        self.kind != Kind::Withhold || self.rng.chance(250)
    }

    /// Whether it keeps what clients give it from its replica.
    pub fn drops_transactions(&self, now: Time) -> bool {
        self.kind == Kind::Censor && self.is_active(now)
    }

    /// S1: what it shows as its latest vertex; `None` says that there is none. Both ways of lying: far
    /// above what it has signed, and below.
    pub fn latest(
        &mut self,
        scene: &Scene<'_>,
        own: &Verified<Vertex>,
    ) -> Option<Verified<Vertex>> {
        match self.kind {
            Kind::JumpRounds => Some(self.jump(scene, own)),
            Kind::FloodStale => None,
            _ => Some(own.clone()),
        }
    }

    /// S2: what it hands out of a snapshot; `None` is nothing at all.
    pub fn hand_out(&mut self, answer: Answer) -> Option<Answer> {
        match (self.kind, answer) {
            (Kind::LieState, answer) => Some(self.lie(answer)),
            (Kind::StallState, offers @ Answer::Offers(_)) => Some(offers),
            (Kind::StallState, _) => None,
            (_, answer) => self.answers().then_some(answer),
        }
    }

    /// Lies in one place, if there is any; offers are true, or nobody would ask for more.
    fn lie(&mut self, mut answer: Answer) -> Answer {
        match &mut answer {
            Answer::Lacks | Answer::Offers(_) => {}
            Answer::Closings(closings) => {
                let place = self.rng.place(closings.len());
                closings[place].next.pop();
            }
            Answer::Heights(heights) => {
                let place = self.rng.place(heights.len());
                let lie = &mut heights[place];
                match lie.last.pop() {
                    Some(_) => {}
                    None => lie.certificate.statement.timestamp.0 += 1,
                }
            }
            Answer::Commits(commits) => {
                let place = self.rng.place(commits.len());
                commits[place].timestamp.0 += 1;
            }
            Answer::Receipts(receipts) => {
                let place = self.rng.place(receipts.len());
                receipts.remove(place);
            }
            Answer::State(Piece::Leaves(leaves)) => {
                if self.rng.chance(300) {
                    leaves.pop();
                } else if let Some((_, value)) = leaves.last_mut() {
                    *value = another(value);
                }
            }
            Answer::State(Piece::Split(parts)) => parts.swap(0, 15),
        }
        if let Answer::State(Piece::Split(parts)) = &mut answer
            && parts[0] == parts[15]
        {
            parts[0] = Part::Empty;
        }
        answer
    }

    /// What it sends instead of its replica's vertex, and what it keeps to show when asked.
    pub fn send(
        &mut self,
        scene: &Scene<'_>,
        vertex: &Verified<Vertex>,
        at: Time,
    ) -> (Vec<Sending>, Vec<Verified<Vertex>>) {
        let to_all = |vertex: &Verified<Vertex>, at| Sending {
            to: None,
            at,
            vertex: vertex.clone(),
        };
        match self.kind {
            Kind::Equivocate => {
                let second = version(scene, vertex, 1, None);
                self.deal_out(scene, &[vertex.clone(), second], at)
            }
            Kind::SplitVotes => {
                let target = self.rng.place(scene.seating.committee.size());
                let blank = |later| version(scene, vertex, later, Some(target));
                self.deal_out(scene, &[vertex.clone(), blank(1), blank(2)], at)
            }
            Kind::Withhold => {
                let mut others: Vec<usize> = scene.others().collect();
                self.rng.shuffle(&mut others);
                others.truncate(scene.seating.committee.faulty().0 as usize);
                let to = |to| Sending {
                    to: Some(to),
                    at,
                    vertex: vertex.clone(),
                };
                (others.into_iter().map(to).collect(), Vec::new())
            }
            Kind::Late => {
                let late = scene.delay * self.rng.between(2, 5);
                (vec![to_all(vertex, at.after(late))], Vec::new())
            }
            Kind::LieParents
            | Kind::ForgeShares
            | Kind::LieClock
            | Kind::Censor
            | Kind::Slander => {
                let altered = self.alter(scene, vertex);
                (vec![to_all(&altered, at)], vec![altered])
            }
            Kind::JumpRounds => {
                let jumped = self.jump(scene, vertex);
                (vec![to_all(vertex, at), to_all(&jumped, at)], Vec::new())
            }
            Kind::FloodStale => {
                let stale: Vec<Verified<Vertex>> = (0..FLOOD)
                    .filter_map(|_| self.stale(scene, vertex))
                    .collect();
                let mut sendings = vec![to_all(vertex, at)];
                sendings.extend(stale.iter().map(|stale| to_all(stale, at)));
                (sendings, stale)
            }
            Kind::Branch => {
                let (root, below) = branch(scene, &mut self.rng, vertex);
                let kept = below.into_iter().chain([root.clone()]).collect();
                (vec![to_all(&root, at)], kept)
            }
            Kind::Sleep => {
                self.held.push(vertex.clone());
                let asleep = at.0 % PERIOD_US < ASLEEP_US;
                let sent = if asleep {
                    Vec::new()
                } else {
                    std::mem::take(&mut self.held)
                };
                (sent.iter().map(|v| to_all(v, at)).collect(), Vec::new())
            }
            // Twins follow the protocol; that there are two of them is the crime.
            _ => (vec![to_all(vertex, at)], Vec::new()),
        }
    }

    /// An equal part of the others gets each version.
    fn deal_out(
        &mut self,
        scene: &Scene<'_>,
        versions: &[Verified<Vertex>],
        at: Time,
    ) -> (Vec<Sending>, Vec<Verified<Vertex>>) {
        let mut others: Vec<usize> = scene.others().collect();
        self.rng.shuffle(&mut others);
        // From the last one on: the last version goes to more, if there are some over.
        let version = |place: usize| (others.len() - 1 - place) * versions.len() / others.len();
        let sending = |(place, to): (usize, &usize)| Sending {
            to: Some(*to),
            at,
            vertex: versions[versions.len() - 1 - version(place)].clone(),
        };
        let sendings = others.iter().enumerate().map(sending).collect();
        (sendings, versions[1..].to_vec())
    }

    fn alter(&mut self, scene: &Scene<'_>, vertex: &Verified<Vertex>) -> Verified<Vertex> {
        let mut body = body_of(scene.cast, vertex);
        for link in body.parents.iter_mut().chain(&mut body.weak_links) {
            if let Some(outside) = self.altered.get(link) {
                *link = *outside;
            }
        }
        match self.kind {
            Kind::LieParents => self.lie_about_parents(scene, &mut body),
            Kind::Censor => leave_out(scene, &mut body),
            Kind::ForgeShares => self.forge(scene, &mut body),
            Kind::Slander => body.offences = slander(scene, vertex).into_iter().collect(),
            _ => {
                // V6 holds an author to its own previous timestamp, so it must go on lying.
                let lie = self.rng.below(AHEAD_MS_MAX / 100) * 100;
                body.timestamp = body.timestamp.saturating_add(lie);
                let previous = body
                    .parents
                    .first()
                    .and_then(|p| scene.disk.vertex(vertex.epoch(), p));
                let floor = previous.map_or(body.timestamp, |v| v.timestamp());
                body.timestamp = body.timestamp.max(floor);
            }
        }
        let transactions = vertex.transactions().iter().flatten().cloned().collect();
        let altered = Vertex::sign(body, transactions, &scene.cast.keys[scene.member].vertex);
        self.altered.insert(vertex.reference(), altered.reference());
        while self.altered.len() > ALTERED_MAX {
            self.altered.pop_first();
        }
        altered
    }

    /// As few parents as are allowed, chosen anew, so that leaders miss votes; at times a link to what
    /// nobody has.
    fn lie_about_parents(&mut self, scene: &Scene<'_>, body: &mut VertexBody) {
        let committee = &scene.seating.committee;
        let (own, mut others) = match body.parents.split_first() {
            Some((own, others)) => (*own, others.to_vec()),
            None => return,
        };
        let previous = body.round.saturating_sub(1);
        let voters = |others: &[VertexRef]| voters(own, others, previous);
        self.rng.shuffle(&mut others);
        while let Some(last) = others.pop() {
            if !committee.is_quorum(&voters(&others)) {
                others.push(last);
                break;
            }
        }
        others.sort_unstable_by_key(|p| p.author);
        body.parents = std::iter::once(own).chain(others).collect();
        if body.round > Round(4) && self.rng.chance(250) {
            let round = Round(body.round.0 - 1 - self.rng.between(1, 3));
            let author = MemberIndex(self.rng.place(committee.size()) as u32);
            body.weak_links = vec![VertexRef {
                round,
                author,
                digest: self.digest(),
            }];
        }
    }

    /// A signature of something else, or a well-signed share of a statement that nobody computed.
    fn forge(&mut self, scene: &Scene<'_>, body: &mut VertexBody) {
        let key = &scene.cast.keys[scene.member].finality;
        for share in &mut body.shares {
            if self.rng.chance(500) {
                share.signature = key.sign(bls::Purpose::Finality, b"something else");
            } else {
                let statement = StatementDigest(self.digest().0);
                *share = FinalityShare {
                    statement,
                    signature: key.sign(bls::Purpose::Finality, &statement.0),
                    ..share.clone()
                };
            }
        }
    }

    /// A vertex of a round far ahead, with parents that nobody has.
    fn jump(&mut self, scene: &Scene<'_>, vertex: &Verified<Vertex>) -> Verified<Vertex> {
        let mut body = body_of(scene.cast, vertex);
        body.round = body.round.saturating_add(self.rng.between(10, JUMP_MAX));
        let round = body.round.saturating_sub(1);
        let own = vertex.author();
        let others = scene.seating.committee.indices().filter(|m| *m != own);
        let others = others.map(|author| VertexRef {
            round,
            author,
            digest: self.digest(),
        });
        body.parents = std::iter::once(vertex.reference()).chain(others).collect();
        body.weak_links.clear();
        body.transactions.clear();
        Vertex::sign(body, Vec::new(), &scene.cast.keys[scene.member].vertex)
    }

    /// Another version of an old own vertex, well-formed.
    fn stale(&mut self, scene: &Scene<'_>, vertex: &Verified<Vertex>) -> Option<Verified<Vertex>> {
        let back = self.rng.between(1, FLOOD_ROUNDS);
        let round = Round(vertex.round().0.checked_sub(back).filter(|r| *r > 1)?);
        let own = vertex.author();
        let of_round = scene
            .disk
            .vertices_from(vertex.epoch(), round)
            .take_while(|v| v.round() == round);
        let old = of_round.into_iter().find(|v| v.author() == own)?;
        let mut body = body_of(scene.cast, old);
        body.timestamp = body
            .timestamp
            .saturating_add(self.rng.between(1, 1_000_000));
        body.transactions.clear();
        let key = &scene.cast.keys[scene.member].vertex;
        Some(Vertex::sign(body, Vec::new(), key))
    }

    fn digest(&mut self) -> VertexDigest {
        let mut digest = [0; 32];
        for part in digest.chunks_exact_mut(8) {
            part.copy_from_slice(&self.rng.next().to_be_bytes());
        }
        VertexDigest(digest)
    }
}

/// Another version of an own vertex, later by so many milliseconds; without the parent by a member if the others
/// are enough.
fn version(
    scene: &Scene<'_>,
    vertex: &Vertex,
    later: u64,
    without: Option<usize>,
) -> Verified<Vertex> {
    let mut body = body_of(scene.cast, vertex);
    body.timestamp = body.timestamp.saturating_add(later);
    body.transactions.clear();
    if let Some((own, others)) = body.parents.split_first() {
        let left_out = |p: &VertexRef| Some(p.author.as_usize()) == without;
        let others: Vec<VertexRef> = others.iter().copied().filter(|p| !left_out(p)).collect();
        let voters = voters(*own, &others, body.round.saturating_sub(1));
        if scene.seating.committee.is_quorum(&voters) {
            body.parents = std::iter::once(*own).chain(others).collect();
        }
    }
    Vertex::sign(body, Vec::new(), &scene.cast.keys[scene.member].vertex)
}

/// The members that a vertex of the round after `previous` with these parents votes by.
fn voters(own: VertexRef, others: &[VertexRef], previous: Round) -> MemberSet {
    let own = (own.round == previous).then_some(own.author);
    others.iter().map(|p| p.author).chain(own).collect()
}

/// As few links to vertices with a transaction that is to be kept out as are allowed.
fn leave_out(scene: &Scene<'_>, body: &mut VertexBody) {
    let epoch = body.epoch;
    let kept_out = |link: &VertexRef| {
        let transactions = scene.disk.vertex(epoch, link).map(|v| v.transactions());
        let mut transactions = transactions.into_iter().flatten().flatten();
        transactions.any(|t| t.id().0[0] < CENSORED_BELOW)
    };
    body.weak_links.retain(|link| !kept_out(link));
    let Some((own, others)) = body.parents.split_first() else {
        return;
    };
    let (own, previous) = (*own, body.round.saturating_sub(1));
    let mut left = others.to_vec();
    for parent in others.iter().filter(|p| kept_out(p)) {
        let without: Vec<VertexRef> = left.iter().filter(|p| *p != parent).copied().collect();
        if scene
            .seating
            .committee
            .is_quorum(&voters(own, &without, previous))
        {
            left = without;
        }
    }
    body.parents = std::iter::once(own).chain(left).collect();
}

impl Scene<'_> {
    /// The nodes of the other members.
    fn others(&self) -> impl Iterator<Item = usize> {
        let nodes = self.seating.nodes().iter().copied();
        nodes.filter(|node| *node != self.member)
    }
}

/// The same number of bytes, one of them different.
fn another(value: &Bytes) -> Bytes {
    let mut value = value.to_vec();
    if let Some(last) = value.last_mut() {
        *last ^= 1;
    }
    value.into()
}

fn body_of(cast: &Cast, vertex: &Vertex) -> VertexBody {
    VertexBody {
        network: cast.network,
        epoch: vertex.epoch(),
        round: vertex.round(),
        author: vertex.author(),
        timestamp: vertex.timestamp(),
        parents: vertex.parents().to_vec(),
        weak_links: vertex.weak_links().to_vec(),
        transactions: vertex.payload().to_vec(),
        observation: vertex.observation().clone(),
        offences: vertex.offences().to_vec(),
        shares: vertex.shares().to_vec(),
    }
}
