//! E1 to E3: committees change under replicas over a perfect network in one thread. Who is in the committee is
//! named by its key here, because places in it change.

use std::collections::VecDeque;
use std::sync::Arc;
use weft_consensus::{FetchId, FetchRequest, LastCommit, Recovered, Wanted};
use weft_ledger::Ledger;
use weft_node::NodeKeys;
use weft_node::replica::sync::SyncConfig;
use weft_node::replica::{
    Confirmed, Effect, Input, Latest, MempoolConfig, Replica, ReplicaConfig, Reply, Restored,
};
use weft_types::testing::{self, finality_key, members, user, vertex_key};
use weft_types::{
    Address, Amount, AssetId, Certificate, Chained, Commit, CommitDigest, Committee, Epoch,
    Genesis, Height, MemberIndex, MemberKeys, MemberSet, Millis, Object, ObjectId, Observation,
    OffendersId, Operation, Payment, QueueEntry, Ready, Root, Round, Stake, TransactionBody,
    Verified, Vertex, VertexBody, verify_vertex,
};

/// All who ever take part; the first four are the genesis committee.
const NODES: usize = 8;
const DURATION: u64 = 2_000;

enum Packet {
    Vertex(Vertex),
    Closing(Box<Certificate>),
    Ready(Ready),
    Ended(FetchId),
    /// The latest that a member has signed.
    Latest(Option<Vertex>),
}

struct World {
    genesis: Arc<Genesis>,
    now: Millis,
    nodes: Vec<Replica>,
    /// By node: the committee that its driver knows to be in office.
    committees: Vec<Arc<Committee>>,
    inboxes: Vec<VecDeque<(usize, Packet)>>,
    latest: Vec<Option<Verified<Vertex>>>,
    signed: Vec<Verified<Vertex>>,
    /// Who has asked what it has signed itself, and in which epoch.
    asked: Vec<(usize, Epoch)>,
    commits: Vec<Vec<CommitDigest>>,
    /// Those that node 0 has executed, with the epoch that it was in.
    executed: Vec<(Epoch, Commit)>,
    certificates: Vec<Vec<Arc<Verified<Certificate>>>>,
    /// When each epoch was opened by the first one, and the last certificate before it was made.
    opened: Vec<Millis>,
    entries: Vec<Confirmed<QueueEntry>>,
    down: Vec<usize>,
    nonce: u64,
    halted: Vec<String>,
    /// What nodes that halted had to keep.
    contradictions: Vec<Certificate>,
    may_halt: bool,
}

impl World {
    fn new() -> Self {
        Self::of_weight(1)
    }

    /// The genesis committee's members have so much each.
    fn of_weight(weight: u64) -> Self {
        let mut genesis = testing::genesis(4);
        for member in &mut genesis.committee {
            member.stake = Stake(weight);
        }
        genesis.template.params.epoch_duration_ms = Millis(DURATION);
        genesis.template.timestamp_ms = Millis(10_000);
        genesis.network.genesis = genesis.template.digest();
        let genesis = Arc::new(genesis);
        let committee = Arc::new(genesis.committee().unwrap());
        let mut world = Self {
            genesis,
            now: Millis(10_000),
            nodes: Vec::new(),
            committees: vec![committee; NODES],
            inboxes: (0..NODES).map(|_| VecDeque::new()).collect(),
            latest: vec![None; NODES],
            signed: Vec::new(),
            asked: Vec::new(),
            commits: vec![Vec::new(); NODES],
            executed: Vec::new(),
            certificates: vec![Vec::new(); NODES],
            opened: Vec::new(),
            entries: Vec::new(),
            down: Vec::new(),
            nonce: 0,
            halted: Vec::new(),
            contradictions: Vec::new(),
            may_halt: false,
        };
        for i in 0..NODES {
            let mut effects = Vec::new();
            let replica = world.start(i, &mut effects);
            world.nodes.push(replica);
            world.carry_out(i, effects);
        }
        world
    }

    fn start(&self, i: usize, effects: &mut Vec<Effect>) -> Replica {
        self.start_signed(i, Round::ZERO, effects)
    }

    /// On a disk that is as at the beginning, but for a guard that has let a round pass.
    fn start_signed(&self, i: usize, signed: Round, effects: &mut Vec<Effect>) -> Replica {
        let config = ReplicaConfig {
            genesis: self.genesis.clone(),
            committee: self.committees[i].clone(),
            keys: Some(NodeKeys {
                vertex: vertex_key(i),
                finality: finality_key(i),
            }),
            earlier: Vec::new(),
            mempool: MempoolConfig::new(1 << 20),
            adjust: None,
            sync: SyncConfig::default(),
        };
        let template = &self.genesis.template;
        let restored = Restored {
            core: Recovered {
                signed: Some(signed),
                ..Recovered::fresh(LastCommit::genesis(template.timestamp_ms))
            },
            lost: None,
            has_signed: signed > Round::ZERO,
            signed_at: Millis::ZERO,
            height_floor: Height(0),
            ledger: Ledger::genesis(template).unwrap().0,
            statements: Vec::new(),
            certificate: None,
            whole_from: Millis(0),
            anchored: Height(0),
            shares: Vec::new(),
        };
        Replica::new(config, restored, self.now, effects)
    }

    fn committees_of_genesis(&self) -> Arc<Committee> {
        Arc::new(self.genesis.committee().expect("a committee"))
    }

    /// The node that has this place in a node's committee, and the other way round.
    fn node_at(&self, i: usize, place: MemberIndex) -> usize {
        let member = self.committees[i].member(place).expect("a member");
        (0..NODES)
            .find(|n| vertex_key(*n).public() == member.vertex_key)
            .expect("a node")
    }

    fn place_of(&self, i: usize, node: usize) -> Option<MemberIndex> {
        self.committees[i].index_of(&vertex_key(node).public())
    }

    fn send(&mut self, from: usize, to: usize, packet: Packet) {
        if from != to {
            self.inboxes[to].push_back((from, packet));
        }
    }

    fn carry_out(&mut self, i: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Broadcast(vertex) => {
                    // Members by their streams, everybody else by gossip.
                    for to in 0..NODES {
                        self.send(i, to, Packet::Vertex(Vertex::clone(&vertex)));
                    }
                }
                Effect::Relay { to, vertex } => {
                    let to = self.node_at(i, to);
                    self.send(i, to, Packet::Vertex(Vertex::clone(&vertex)));
                }
                Effect::PersistOwn(vertex) => {
                    let place = |v: &Verified<Vertex>| (v.epoch(), v.round(), v.author());
                    let again = self.signed.iter().any(|v| place(v) == place(&vertex));
                    assert!(!again, "node {i} signs {vertex:?} beside another");
                    self.signed.push(vertex.clone());
                    self.latest[i] = Some(vertex);
                }
                Effect::AskLatest { of, .. } => {
                    let of = self.node_at(i, of);
                    // What the other one has of the asking member, then its own.
                    let epoch = self.committees[i].epoch();
                    self.asked.push((i, epoch));
                    let own = self.place_of(i, i);
                    let mine =
                        |v: &&Verified<Vertex>| v.epoch() == epoch && Some(v.author()) == own;
                    let mine = self.signed.iter().filter(mine).max_by_key(|v| v.round());
                    if let Some(vertex) = mine.map(|v| Vertex::clone(v)) {
                        self.send(of, i, Packet::Vertex(vertex));
                    }
                    let latest = self.latest[of].clone();
                    self.send(of, i, Packet::Latest(latest.map(|v| Vertex::clone(&v))));
                }
                Effect::SendReady(ready) => {
                    for to in 0..NODES {
                        self.send(i, to, Packet::Ready(ready.clone()));
                    }
                }
                Effect::AskClosing { of, after } => self.ask_closing(i, of, after),
                Effect::EpochOpened { committee, .. } => {
                    let epoch = committee.epoch().0 as usize;
                    if self.opened.len() < epoch {
                        self.opened.push(self.now);
                    }
                    self.committees[i] = committee;
                }
                Effect::Fetch(request) => self.fetch(i, &request),
                Effect::Executed(executed) => {
                    self.commits[i].push(executed.digest);
                    if i == 0 {
                        let epoch = self.committees[0].epoch();
                        self.executed.push((epoch, executed.commit.clone()));
                    }
                }
                Effect::Certified { certificate, .. } => self.certificates[i].push(certificate),
                Effect::Contradiction(certificate) => {
                    self.contradictions.push(certificate.into_inner());
                }
                Effect::Halt(reason) => self.halted.push(format!("{i}: {reason}")),
                _ => {}
            }
        }
    }

    fn ask_closing(&mut self, i: usize, of: MemberIndex, after: Round) {
        if self.committees[i].member(of).is_none() {
            return;
        }
        let (of, epoch) = (self.node_at(i, of), self.committees[i].epoch());
        if self.down.contains(&of) {
            return;
        }
        let above = |v: &&Verified<Vertex>| v.epoch() == epoch && v.round() > after;
        let vertices: Vec<Vertex> = self
            .signed
            .iter()
            .filter(above)
            .map(|v| Vertex::clone(v))
            .collect();
        for vertex in vertices {
            self.send(of, i, Packet::Vertex(vertex));
        }
        if let Some(closing) = self.closing(of, epoch) {
            self.send(of, i, Packet::Closing(Box::new(closing)));
        }
    }

    /// What closed an epoch, if a node has it.
    fn closing(&self, i: usize, epoch: Epoch) -> Option<Certificate> {
        let closes = |c: &&Arc<Verified<Certificate>>| {
            c.statement.epoch == epoch && !c.statement.next_committee.is_zero()
        };
        let closing = self.certificates[i].iter().find(closes);
        closing.map(|c| Certificate::clone(c))
    }

    fn fetch(&mut self, i: usize, request: &FetchRequest) {
        let epoch = self.committees[i].epoch();
        let of_epoch = self.signed.iter().filter(|v| v.epoch() == epoch);
        let found = of_epoch.filter(|v| match &request.wanted {
            Wanted::Vertices(vertices) => vertices.contains(&v.reference()),
            Wanted::Rounds { after, until, .. } => *after < v.round() && v.round() <= *until,
        });
        let found: Vec<Vertex> = found.map(|v| Vertex::clone(v)).collect();
        let from = self.node_at(i, request.from);
        for vertex in found {
            self.send(from, i, Packet::Vertex(vertex));
        }
        self.inboxes[i].push_back((from, Packet::Ended(request.id)));
    }

    fn reply(&self, latest: Latest) -> Reply {
        Reply {
            asked: self.now,
            latest,
            another: false,
        }
    }

    /// What a driver makes of what comes in.
    fn input(&self, i: usize, from: usize, packet: Packet) -> Option<Input> {
        let place = self.place_of(i, from);
        Some(match packet {
            Packet::Ended(id) => Input::FetchEnded(id),
            Packet::Ready(ready) => Input::Ready(ready),
            Packet::Latest(None) => Input::Latest {
                epoch: self.committees[i].epoch(),
                of: place?,
                reply: self.reply(Latest::Nothing),
            },
            Packet::Latest(Some(vertex)) => {
                let network = self.genesis.network.id();
                let vertex = verify_vertex(vertex, network, &self.committees[i], &|_| None).ok()?;
                let (of, reply) = (place?, self.reply(Latest::Vertex(vertex)));
                let epoch = self.committees[i].epoch();
                Input::Latest { epoch, of, reply }
            }
            Packet::Closing(certificate) => Input::Closing {
                from: place?,
                certificate,
            },
            Packet::Vertex(vertex) if vertex.epoch() > self.committees[i].epoch() => {
                Input::Later { from: place? }
            }
            Packet::Vertex(vertex) => {
                let network = self.genesis.network.id();
                let vertex = verify_vertex(vertex, network, &self.committees[i], &|_| None).ok()?;
                let from = place;
                Input::Vertex { vertex, from }
            }
        })
    }

    fn handle(&mut self, i: usize, input: Input) {
        let mut effects = Vec::new();
        self.nodes[i].handle(self.now, input, &mut effects);
        self.carry_out(i, effects);
    }

    fn step(&mut self) {
        self.now = self.now.saturating_add(1);
        for i in (0..NODES)
            .filter(|i| !self.down.contains(i))
            .collect::<Vec<_>>()
        {
            for (from, packet) in std::mem::take(&mut self.inboxes[i]) {
                if let Some(input) = self.input(i, from, packet) {
                    self.handle(i, input);
                }
            }
            self.handle(i, Input::Tick);
        }
        assert!(self.may_halt || self.halted.is_empty(), "{:?}", self.halted);
    }

    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.step();
        }
    }

    /// A member signs another version of its latest vertex, and node 0 is shown it.
    fn sign_twice(&mut self, node: usize) {
        let of = self.latest[node].clone().expect("it has signed");
        let body = VertexBody {
            network: self.genesis.network.id(),
            epoch: of.epoch(),
            round: of.round(),
            author: of.author(),
            timestamp: of.timestamp().saturating_add(1),
            parents: of.parents().to_vec(),
            weak_links: Vec::new(),
            transactions: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
            shares: Vec::new(),
        };
        let vertex = Vertex::sign(body, Vec::new(), &vertex_key(node));
        let from = self.place_of(0, node);
        self.handle(0, Input::Vertex { vertex, from });
    }

    /// The registry gets entries, and everybody sees them.
    fn queue(&mut self, entries: &[(u64, u64)]) {
        for (id, weight) in entries {
            let before = self.entries.last();
            let (index, previous) =
                before.map_or((1, QueueEntry::digest_start()), |c| (c.index + 1, c.digest));
            let joins = *id > 4 && *weight > 0;
            let event = QueueEntry {
                id: *id,
                weight: Stake(*weight),
                slashed: false,
                keys: joins.then(|| MemberKeys::of(&members(*id as usize)[*id as usize - 1])),
            };
            let digest: Root = event.extend(&previous, index);
            self.entries.push(Confirmed {
                index,
                event,
                digest,
                block: index,
            });
        }
        for i in 0..NODES {
            self.handle(i, Input::Queue(self.entries.clone()));
        }
    }

    /// Entries are shown again as a driver does that reads on from what is taken up.
    fn show_queue(&mut self) {
        self.queue(&[]);
    }

    fn submit(&mut self, i: usize) {
        self.nonce += 1;
        let payment = Payment {
            to: user(2),
            asset: AssetId::NATIVE,
            amount: Amount(1),
        };
        let operation = Operation::Transfer {
            payments: vec![payment],
            items: Vec::new(),
        };
        let body = TransactionBody {
            network: self.genesis.network.id(),
            valid_until: Millis(200_000),
            ..testing::body(1, self.nonce, vec![operation])
        };
        let transaction = body.sign(&[&testing::user_key(1)]);
        let verified = Arc::new(transaction.verify(self.genesis.network.id()).unwrap());
        let mut effects = Vec::new();
        let results = self.nodes[i].submit(self.now, vec![verified], 1, &mut effects);
        assert_eq!(results, [Ok(())], "node {i} at {}", self.now);
        self.carry_out(i, effects);
    }

    fn balance(&self, i: usize, account: Address) -> u64 {
        let account = ObjectId::Account(account);
        let found = self.nodes[i].view().snapshot.get(&account);
        let account = found.as_ref().and_then(Object::as_account);
        account.map_or(0, |a| a.balance(&AssetId::NATIVE).0)
    }

    fn received(&self, i: usize) -> u64 {
        self.balance(i, user(2)) - 1_000_000
    }

    fn epoch(&self, i: usize) -> Epoch {
        self.nodes[i].view().epoch
    }

    fn ids(&self, i: usize) -> Vec<u64> {
        self.committees[i].members().iter().map(|m| m.id).collect()
    }

    /// All of these have executed the same commits, as far as they have come.
    fn agree(&self, nodes: &[usize]) {
        let longest = nodes.iter().max_by_key(|i| self.commits[**i].len());
        let longest = &self.commits[*longest.unwrap()];
        for i in nodes {
            let own = &self.commits[*i];
            assert_eq!(own[..], longest[..own.len()], "node {i}");
        }
    }
}

/// The account of a node's vertex key.
fn earnings(node: usize) -> Address {
    Address::of_key(&vertex_key(node).public())
}

#[test]
fn e1_e2_a_fifth_member_bonds_follows_and_votes_from_the_next_epoch_on() {
    let mut world = World::new();
    world.run(100);
    world.queue(&[(5, 1)]);
    assert!(world.nodes[4].view().own.is_none());
    world.run(DURATION + 1_000);
    for i in 0..5 {
        assert_eq!(world.epoch(i), Epoch(1), "node {i}");
        assert_eq!(world.ids(i), [1, 2, 3, 4, 5]);
    }
    let of_fifth = world.signed.iter().filter(|v| v.author() == MemberIndex(4));
    let epochs: Vec<Epoch> = of_fifth.map(|v| v.epoch()).collect();
    assert!(!epochs.is_empty() && epochs.iter().all(|e| *e == Epoch(1)));
    // With one of the old ones down all four others are needed.
    world.down = vec![0];
    world.submit(4);
    world.run(1_500);
    for i in 1..5 {
        assert_eq!(world.received(i), 1, "node {i}");
    }
    world.agree(&[1, 2, 3, 4, 5]);
}

#[test]
fn e1_a_bond_of_any_size_holds_no_exit_up() {
    let mut world = World::of_weight(10);
    world.run(100);
    world.queue(&[(5, 1_000), (1, 0)]);
    world.run(2 * DURATION + 1_000);
    // Of 13 six go and seven come, then the last four go.
    for i in 0..5 {
        assert_eq!(world.epoch(i), Epoch(2), "node {i}");
        assert_eq!(world.ids(i), [2, 3, 4, 5], "node {i}");
    }
    let weights = world.committees[1].members().iter().map(|m| m.stake.0);
    assert_eq!(weights.collect::<Vec<_>>(), [10, 10, 10, 16]);
    world.agree(&[0, 1, 2, 3, 4, 5]);
}

#[test]
fn v8_7_who_is_convicted_leads_in_no_later_epoch_either() {
    let mut world = World::new();
    world.queue(&[(5, 1), (6, 1), (7, 1), (1, 0)]);
    world.run(500);
    world.sign_twice(3);
    world.run(5 * DURATION);
    let mut led = 0;
    for (epoch, commit) in &world.executed {
        // Member 1 leaves when there are seven, and the places move.
        let place = MemberIndex(if *epoch < Epoch(4) { 3 } else { 2 });
        let guilty: MemberSet = [place].into_iter().collect();
        if *epoch == Epoch(0) {
            led += u64::from(commit.leader.author == place);
            continue;
        }
        assert_eq!(commit.convicted, guilty, "{epoch}");
        assert!(commit.demoted.contains(place), "{epoch}");
        assert!(commit.leader.author != place, "it leads in {epoch}");
    }
    assert!(led > 0, "it led before");
    let epochs = world.executed.iter().map(|(epoch, _)| *epoch).max();
    assert!(epochs >= Some(Epoch(4)), "{epochs:?}");
    // Who follows alone knows it too, and nobody is convicted anew.
    world.agree(&[0, 1, 2, 3, 4, 5, 6, 7]);
    for i in 0..NODES {
        let offenders = world.nodes[i]
            .view()
            .snapshot
            .get(&ObjectId::Offenders(OffendersId::THE_ONE));
        let offenders = offenders.expect("offenders");
        let listed = offenders.as_offenders().unwrap().list().iter();
        assert_eq!(
            listed.map(|o| (o.id, o.epoch)).collect::<Vec<_>>(),
            [(4, Epoch(0))]
        );
    }
}

#[test]
fn e2_the_closing_statement_names_the_next_committee_and_heights_go_on() {
    let mut world = World::new();
    world.queue(&[(5, 2), (1, 0)]);
    world.run(4 * DURATION);
    world.show_queue();
    let certificates = &world.certificates[1];
    let closing = certificates
        .iter()
        .filter(|c| !c.statement.next_committee.is_zero());
    let closing: Vec<_> = closing.collect();
    assert!(closing.len() >= 2, "{} epochs", closing.len());
    for certificate in &closing {
        let epoch = certificate.statement.epoch;
        let next = certificates.iter().find(|c| c.statement.epoch > epoch);
        if let Some(next) = next {
            assert_eq!(next.statement.epoch, epoch.next());
            assert!(next.statement.height > certificate.statement.height);
        }
        assert_eq!(certificate.statement.registry_cursor, 2);
    }
    let now = world.committees[1].clone();
    let digest = closing.last().unwrap().statement.next_committee;
    assert!(closing.len() as u64 >= now.epoch().0);
    if closing.last().unwrap().statement.epoch.next() == now.epoch() {
        assert_eq!(digest, now.digest());
    }
    // F of four is one: one step at an edge.
    assert_eq!(world.ids(1), [2, 3, 4, 5]);
}

#[test]
fn load_goes_on_across_edges_and_nothing_is_lost() {
    let mut world = World::new();
    world.queue(&[
        (5, 1),
        (6, 1),
        (7, 1),
        (8, 1),
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 0),
    ]);
    let mut sent = 0;
    let (mut last, mut longest, mut before) = (world.now, 0, 0);
    for tick in 0..40 * DURATION {
        if tick % 50 == 0 {
            // To whoever is a member now.
            let member = world
                .committees
                .iter()
                .max_by_key(|c| c.epoch())
                .unwrap()
                .clone();
            let node = (0..NODES).find(|n| member.index_of(&vertex_key(*n).public()).is_some());
            let node = node.unwrap();
            if world.nodes[node].not_accepting().is_none() {
                world.submit(node);
                sent += 1;
            }
        }
        world.step();
        let height = world.certificates.iter().map(Vec::len).max().unwrap();
        if height > before {
            longest = longest.max(world.now.0 - last.0);
            (last, before) = (world.now, height);
        }
        if world.ids(7) == [5, 6, 7, 8] {
            break;
        }
    }
    assert_eq!(world.ids(7), [5, 6, 7, 8], "in epoch {}", world.epoch(7));
    world.run(1_000);
    let all: Vec<usize> = (0..NODES).collect();
    world.agree(&all);
    assert!(longest < 1_000, "{longest} ms without a certificate");
    assert_eq!(world.received(7), sent);
    // L23: what was paid in fees is with those who were in office and in the pool, to the unit.
    let earned: Vec<u64> = (0..NODES).map(|i| world.balance(7, earnings(i))).collect();
    assert!(earned[..4].iter().all(|e| *e > 0), "{earned:?}");
    let fees = 1_000_000 - world.balance(7, user(1)) - sent;
    let pool = world.balance(7, Address::FEE_POOL);
    assert_eq!(earned.iter().sum::<u64>() + pool, fees);
}

#[test]
fn without_a_quorum_of_the_next_committee_the_old_one_stays_in_office() {
    let mut world = World::new();
    world.down = vec![4, 5, 6, 7, 3];
    world.queue(&[(5, 1)]);
    // Three of the old ones are a quorum of four, and none of five.
    world.run(3 * DURATION);
    for i in 0..3 {
        assert_eq!(world.epoch(i), Epoch(0));
    }
    world.submit(0);
    world.run(1_000);
    assert_eq!(world.received(1), 1);
    world.down = vec![3];
    world.run(3_000);
    assert!(world.epoch(4) > Epoch(0), "the fifth one is ready");
}

/// Peers of the last committee are heard for a moment by the places that they had in it.
#[test]
fn what_comes_from_a_place_that_the_committee_has_not_ends_nobody() {
    let mut world = World::new();
    world.run(100);
    world.submit(0);
    world.run(300);
    let newest = |v: &&Verified<Vertex>| v.author() == MemberIndex(1);
    let vertex = world.signed.iter().rev().find(newest).unwrap().clone();
    let nobody = MemberIndex(77);
    // One whose history node 7 lacks has to be fetched from somebody.
    let mut effects = Vec::new();
    world.nodes[7] = world.start(7, &mut effects);
    let from = Some(nobody);
    let mut by_nobody = vertex.reference();
    by_nobody.author = nobody;
    let vertices = vec![vertex.reference(), by_nobody];
    for i in [0, 7] {
        world.handle(
            i,
            Input::Vertex {
                vertex: vertex.clone(),
                from,
            },
        );
        for by in [nobody, MemberIndex(2)] {
            let vertices = vertices.clone();
            world.handle(i, Input::Asked { by, vertices });
        }
        world.handle(i, Input::Later { from: nobody });
        world.handle(i, Input::HistoryGone { of: nobody });
    }
    world.run(1_000);
    world.submit(1);
    world.run(500);
    assert_eq!(world.received(0), 2);
}

#[test]
fn e2_a_committee_that_never_gets_ready_gives_way_to_one_without_those_who_left() {
    let mut world = World::new();
    world.down = vec![4, 5, 6, 7, 3];
    world.queue(&[(5, 1)]);
    world.run(DURATION + 1_000);
    assert_eq!(world.epoch(0), Epoch(0));
    world.queue(&[(5, 0)]);
    world.run(DURATION / 2);
    assert_eq!(world.epoch(0), Epoch(0), "the announced one has its time");
    world.run(DURATION);
    for i in 0..3 {
        assert_eq!(world.epoch(i), Epoch(1), "node {i}");
        assert_eq!(world.ids(i), [1, 2, 3, 4]);
    }
}

/// Node 3 stands before the end of epoch 0, the others are in epoch 1.
fn left_behind() -> World {
    let mut world = World::new();
    world.run(DURATION - 100);
    world.down = vec![3];
    world.run(400);
    assert_eq!((world.epoch(0), world.epoch(3)), (Epoch(1), Epoch(0)));
    world.inboxes[3].clear();
    world
}

#[test]
fn e3_one_that_speaks_of_a_later_epoch_and_does_not_tell_holds_nobody_up() {
    let mut world = left_behind();
    world.down = vec![2];
    for _ in 0..1_500 {
        let liar = world.place_of(3, 2).expect("a member");
        if world.epoch(3) == Epoch(0) {
            // Before anybody else is heard.
            world.handle(3, Input::Later { from: liar });
        }
        world.step();
    }
    assert_eq!(world.epoch(3), Epoch(1));
}

#[test]
fn f4_a_closing_certificate_with_another_statement_halts_once_its_height_is_executed() {
    let mut world = left_behind();
    let mut closing = world.closing(0, Epoch(0)).expect("epoch 0 is closed");
    closing.statement.state_root = Root([9; 32]);
    let other = testing::certify(&closing.statement, &[0, 1, 2]);
    let certificate = Box::new(other.clone());
    let from = MemberIndex(0);
    world.handle(3, Input::Closing { from, certificate });
    assert!(world.halted.is_empty(), "it has not come so far");
    (world.down, world.may_halt) = (vec![], true);
    world.run(3_000);
    assert_eq!(world.halted.len(), 1, "{:?}", world.halted);
    assert!(
        world.halted[0].starts_with("3: height"),
        "{:?}",
        world.halted
    );
    assert_eq!(world.contradictions, [other], "what it is to show");
    assert_eq!(world.epoch(3), Epoch(0));
}

#[test]
fn f4_a_certificate_that_contradicts_a_certified_height_halts() {
    let mut world = World::new();
    world.run(100);
    world.submit(0);
    world.run(1_000);
    let statement = &world.certificates[1].last().expect("a height").statement;
    let mut statement = statement.clone();
    statement.receipts_root = Root([9; 32]);
    let other = testing::certify(&statement, &[0, 1, 2]);
    let committee = world.committees_of_genesis();
    let verified = other.clone().verify(&world.genesis.network, &committee);
    world.handle(1, Input::Contradiction(Box::new(verified.unwrap())));
    assert_eq!(world.halted.len(), 1);
    assert_eq!(world.contradictions, [other]);
    let signed = world.signed.len();
    world.handle(1, Input::Tick);
    assert_eq!(world.signed.len(), signed);
}

#[test]
fn e3_a_member_that_missed_the_end_of_an_epoch_follows() {
    for cut in [
        DURATION - 100,
        DURATION,
        DURATION + 5,
        DURATION + 20,
        DURATION + 40,
    ] {
        let mut world = World::new();
        world.run(cut);
        world.down = vec![3];
        world.run(400);
        assert_eq!(world.epoch(0), Epoch(1), "cut at {cut}");
        world.inboxes[3].clear();
        world.down = vec![];
        world.run(1_200);
        assert_eq!(world.epoch(3), Epoch(1), "cut at {cut}");
        world.submit(3);
        world.run(1_000);
        assert_eq!(world.received(3), 1);
        world.agree(&[0, 1, 2, 3]);
    }
}

#[test]
fn e3_a_member_that_missed_several_epochs_follows_from_one_to_the_next() {
    let mut world = World::new();
    world.queue(&[(5, 1)]);
    world.run(DURATION / 2);
    world.down = vec![3];
    world.run(4 * DURATION);
    let epoch = world.epoch(0);
    assert!(epoch >= Epoch(3), "epoch {epoch}");
    world.inboxes[3].clear();
    world.down = vec![];
    world.run(3_000);
    assert_eq!(world.epoch(3), world.epoch(0));
    world.submit(3);
    world.run(500);
    assert_eq!(world.received(3), 1);
    world.agree(&[0, 1, 2, 3, 4]);
}

/// Everything that is signed is compared with all that was signed before (`carry_out`).
#[test]
fn s1_an_old_copy_from_an_earlier_epoch_signs_nothing_twice() {
    let mut world = World::new();
    world.run(DURATION + 500);
    assert_eq!(world.epoch(3), Epoch(1));
    let signed = world.signed.len();
    let mut effects = Vec::new();
    world.committees[3] = world.committees_of_genesis();
    world.nodes[3] = world.start_signed(3, Round(1), &mut effects);
    world.commits[3].clear();
    world.certificates[3].clear();
    world.inboxes[3].clear();
    world.carry_out(3, effects);
    // Rounds have to go on for it to come back: it is in doubt, and watches.
    for _ in 0..120 {
        (0..3).for_each(|i| world.submit(i));
        world.run(50);
    }
    assert!(world.epoch(3) >= Epoch(1));
    let own = world.signed[signed..]
        .iter()
        .filter(|v| v.epoch() >= Epoch(1) && v.author() == MemberIndex(3));
    assert!(own.count() > 0, "it takes part again");
}

/// What it knows of its own signatures ends with the epoch that it comes from: the later one may be one in which it has
/// signed as well.
#[test]
fn s1_a_restart_that_comes_into_a_later_epoch_asks_there_before_it_signs() {
    let mut world = left_behind();
    let own = world.signed.iter().filter(|v| v.author() == MemberIndex(3));
    let round = own.map(|v| v.round()).max().expect("a round");
    let signed = world.signed.len();
    let mut effects = Vec::new();
    world.nodes[3] = world.start_signed(3, round, &mut effects);
    world.commits[3].clear();
    world.certificates[3].clear();
    world.down.clear();
    world.carry_out(3, effects);
    for i in 0..6_000 {
        if i % 50 == 0 {
            (0..3).for_each(|node| world.submit(node));
        }
        world.step();
        let later = |v: &&Verified<Vertex>| v.epoch() > Epoch(0) && v.author() == MemberIndex(3);
        if let Some(first) = world.signed[signed..].iter().find(later) {
            assert!(world.asked.contains(&(3, first.epoch())), "{first:?}");
            return;
        }
    }
    panic!("it never takes part again");
}

#[test]
fn what_was_not_ordered_when_an_epoch_closed_is_ordered_in_the_next() {
    let mut world = World::new();
    world.run(100);
    let mut sent = 0;
    while world.epoch(0) == Epoch(0) {
        for i in 0..4 {
            world.submit(i);
            sent += 1;
        }
        world.run(10);
    }
    world.run(1_000);
    for i in 0..4 {
        assert_eq!(world.received(i), sent, "node {i}");
    }
}
