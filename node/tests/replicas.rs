//! Four replicas over a perfect network in one thread: a transfer goes the whole way to a
//! certificate, without sockets, disks or clocks.

use std::collections::VecDeque;
use std::sync::Arc;
use weft_consensus::{FetchId, FetchRequest, LastCommit, Recovered, Wanted};
use weft_ledger::Ledger;
use weft_node::NodeKeys;
use weft_node::api::Refusal;
use weft_node::replica::sync::SyncConfig;
use weft_node::replica::{
    Confirmed, Effect, Executed, Input, Latest, Lost, MempoolConfig, Replica, ReplicaConfig, Reply,
    Restored, STEP_ROUNDS,
};
use weft_types::testing::{self, finality_key, user, vertex_key};
use weft_types::{
    Amount, AssetId, BaseAddress, BaseAsset, Certificate, Chained, Commit, Deposit, Epoch, Genesis,
    Height, MemberIndex, MemberSet, Millis, Object, ObjectId, Observation, OffendersId, Operation,
    Payment, Round, Transaction, TransactionBody, Verified, Vertex, VertexBody,
};

const MEMBERS: usize = 4;

/// Replicas with a queue of vertices on their way and the virtual time.
struct World {
    genesis: Arc<Genesis>,
    now: Millis,
    replicas: Vec<Replica>,
    inboxes: Vec<VecDeque<(MemberIndex, Verified<Vertex>)>>,
    commits: Vec<Vec<Commit>>,
    /// By replica: when something has changed first that is under no height yet.
    changed: Vec<Option<Millis>>,
    certificates: Vec<Vec<Arc<Verified<Certificate>>>>,
    /// The newest height that is due for posting and certified.
    due: Vec<Height>,
    down: Vec<usize>,
    /// By replica: the latest vertex that it has signed.
    latest: Vec<Option<Verified<Vertex>>>,
    /// Answers to replicas that ask what others have signed last.
    answers: Vec<(usize, MemberIndex, Latest)>,
    signed: Vec<Verified<Vertex>>,
    ended: Vec<(usize, FetchId)>,
    /// What guards were told to forbid, by round and height.
    floors: Vec<(Round, Height)>,
}

impl World {
    /// Replicas that have heard from each other.
    fn new() -> Self {
        let mut world = Self::unheard();
        world.step();
        world
    }

    fn unheard() -> Self {
        let mut world = Self {
            genesis: Arc::new(testing::genesis(MEMBERS)),
            now: Millis(10_000),
            replicas: Vec::new(),
            inboxes: vec![VecDeque::new(); MEMBERS],
            commits: vec![Vec::new(); MEMBERS],
            changed: vec![None; MEMBERS],
            certificates: vec![Vec::new(); MEMBERS],
            due: vec![Height::ZERO; MEMBERS],
            down: Vec::new(),
            latest: vec![None; MEMBERS],
            answers: Vec::new(),
            signed: Vec::new(),
            ended: Vec::new(),
            floors: Vec::new(),
        };
        for i in 0..MEMBERS {
            let mut effects = Vec::new();
            let replica = world.start(i, None, &mut effects);
            world.replicas.push(replica);
            world.carry_out(i, effects);
        }
        world
    }

    fn start(&self, i: usize, lost: Option<Lost>, effects: &mut Vec<Effect>) -> Replica {
        let core = Recovered {
            signed: lost.is_none().then_some(Round::ZERO),
            ..Recovered::fresh(LastCommit::genesis(self.genesis.template.timestamp_ms))
        };
        self.start_from(i, core, lost, effects)
    }

    fn start_from(
        &self,
        i: usize,
        core: Recovered,
        lost: Option<Lost>,
        effects: &mut Vec<Effect>,
    ) -> Replica {
        let keys = NodeKeys {
            vertex: vertex_key(i),
            finality: finality_key(i),
        };
        let template = &self.genesis.template;
        let config = ReplicaConfig {
            genesis: self.genesis.clone(),
            committee: Arc::new(self.genesis.committee().unwrap()),
            keys: Some(keys),
            earlier: Vec::new(),
            mempool: MempoolConfig::new(1 << 20),
            adjust: None,
            sync: SyncConfig::default(),
        };
        let restored = Restored {
            signed_at: core.own.as_ref().map_or(Millis::ZERO, |v| v.timestamp()),
            core,
            lost,
            has_signed: false,
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

    /// F1 a, as the ledger relies on it (L47): what has changed is soon under a height.
    fn executed(&mut self, i: usize, executed: Executed) {
        let at = executed.commit.timestamp;
        let has_changed = !executed.applied.changes.is_empty();
        let first = self.changed[i].or(has_changed.then_some(at));
        self.changed[i] = first.filter(|_| executed.statement.is_none());
        if let Some(first) = self.changed[i] {
            let interval = self.genesis.template.params.finality_interval_ms;
            assert!(at.saturating_sub(first.0) < interval, "no height at {at}");
        }
        self.commits[i].push(executed.commit);
    }

    fn carry_out(&mut self, i: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Broadcast(vertex) => {
                    for to in (0..MEMBERS).filter(|to| *to != i) {
                        self.inboxes[to].push_back((MemberIndex(i as u32), vertex.clone()));
                    }
                }
                Effect::Relay { to, vertex } => {
                    self.inboxes[to.as_usize()].push_back((MemberIndex(i as u32), vertex));
                }
                Effect::PersistOwn(vertex) => {
                    self.signed.push(vertex.clone());
                    self.latest[i] = Some(vertex);
                }
                Effect::AskLatest { of, .. } if !self.down.contains(&of.as_usize()) => {
                    let latest = self.latest[of.as_usize()].clone();
                    let latest = latest.map_or(Latest::Nothing, Latest::Vertex);
                    self.answers.push((i, of, latest));
                    let mut of_asker = self.signed.iter().rev();
                    let of_asker = of_asker.find(|v| v.author() == MemberIndex(i as u32));
                    self.inboxes[i].extend(of_asker.map(|v| (of, v.clone())));
                }
                Effect::GuardFloor { round, height, .. } => self.floors.push((round, height)),
                Effect::Fetch(request) => self.fetch(i, &request),
                Effect::Executed(executed) => self.executed(i, *executed),
                Effect::Certified {
                    certificate,
                    due,
                    snapshot,
                } => {
                    if let Some(snapshot) = snapshot {
                        assert_eq!(snapshot.root(), certificate.statement.state_root);
                    }
                    if !due.is_empty() {
                        self.due[i] = certificate.statement.height;
                    }
                    self.certificates[i].push(certificate);
                }
                Effect::Halt(reason) => panic!("replica {i} halted: {reason}"),
                _ => {}
            }
        }
    }

    fn input(&mut self, i: usize, input: Input) {
        let mut effects = Vec::new();
        self.replicas[i].handle(self.now, input, &mut effects);
        self.carry_out(i, effects);
    }

    fn submit(&mut self, i: usize, transaction: Transaction) {
        assert_eq!(self.try_submit(i, transaction, 1), Ok(()));
    }

    /// Its client says that it gives it to so many members.
    fn try_submit(
        &mut self,
        i: usize,
        transaction: Transaction,
        copies: usize,
    ) -> Result<(), Refusal> {
        let verified = transaction.verify(self.genesis.network.id()).unwrap();
        let mut effects = Vec::new();
        let mut results =
            self.replicas[i].submit(self.now, vec![Arc::new(verified)], copies, &mut effects);
        self.carry_out(i, effects);
        results.remove(0)
    }

    /// Everything that was ever signed is kept in `signed`, and anybody has it.
    fn fetch(&mut self, i: usize, request: &FetchRequest) {
        let found: Vec<Verified<Vertex>> = self
            .signed
            .iter()
            .filter(|v| match &request.wanted {
                Wanted::Vertices(vertices) => vertices.contains(&v.reference()),
                Wanted::Rounds { after, until, .. } => *after < v.round() && v.round() <= *until,
            })
            .cloned()
            .collect();
        let from = request.from;
        self.inboxes[i].extend(found.into_iter().map(|v| (from, v)));
        self.ended.push((i, request.id));
    }

    /// One millisecond: everything that was under way arrives, then time passes.
    fn step(&mut self) {
        self.now = self.now.saturating_add(1);
        for i in (0..MEMBERS)
            .filter(|i| !self.down.contains(i))
            .collect::<Vec<_>>()
        {
            let mut effects = Vec::new();
            for (from, vertex) in std::mem::take(&mut self.inboxes[i]) {
                let from = Some(from);
                self.replicas[i].handle(self.now, Input::Vertex { vertex, from }, &mut effects);
            }
            for (_, id) in self.ended.extract_if(.., |(of, _)| *of == i) {
                self.replicas[i].handle(self.now, Input::FetchEnded(id), &mut effects);
            }
            for (_, of, latest) in self.answers.extract_if(.., |(asker, ..)| *asker == i) {
                let epoch = Epoch::ZERO;
                let reply = Reply {
                    asked: self.now,
                    latest,
                    another: false,
                };
                let input = Input::Latest { epoch, of, reply };
                self.replicas[i].handle(self.now, input, &mut effects);
            }
            self.replicas[i].handle(self.now, Input::Tick, &mut effects);
            self.carry_out(i, effects);
        }
    }

    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.step();
        }
    }

    /// P1: the members that a transaction is given to.
    fn proposers(&self, transaction: &Transaction, copies: usize) -> Vec<usize> {
        let committee = self.genesis.committee().unwrap();
        let order = committee.proposers(&transaction.id(), copies);
        order.into_iter().map(MemberIndex::as_usize).collect()
    }

    /// Who has put a transaction into a vertex, in which round.
    fn carriers(&self, transaction: &Transaction) -> Vec<(usize, Round)> {
        let carries = |v: &&Verified<Vertex>| v.payload().contains(transaction.encoded());
        let carriers = self.signed.iter().filter(carries);
        carriers
            .map(|v| (v.author().as_usize(), v.round()))
            .collect()
    }

    fn certified(&self, i: usize) -> Height {
        self.certificates[i]
            .last()
            .map_or(Height(0), |c| c.statement.height)
    }

    fn balance(&self, i: usize, of: u64) -> Amount {
        let account = self.replicas[i]
            .view()
            .snapshot
            .get(&ObjectId::Account(user(of)));
        match account {
            Some(Object::Account(account)) => account.balance(&AssetId::NATIVE),
            _ => Amount(0),
        }
    }

    fn transfer(&self, nonce: u64) -> Transaction {
        let operation = Operation::Transfer {
            payments: vec![Payment {
                to: user(2),
                asset: AssetId::NATIVE,
                amount: Amount(1_000),
            }],
            items: Vec::new(),
        };
        let body = TransactionBody {
            network: self.genesis.network.id(),
            ..testing::body(1, nonce, vec![operation])
        };
        body.sign(&[&testing::user_key(1)])
    }
}

#[test]
fn a_transfer_is_executed_and_certified_on_every_replica() {
    let mut world = World::new();
    let transfer = world.transfer(1);
    world.submit(0, transfer);
    world.run(1_000);
    for i in 0..MEMBERS {
        assert_eq!(world.balance(i, 2), Amount(1_001_000));
        assert_eq!(world.certified(i), Height(1), "replica {i}");
        assert_eq!(world.commits[i].len(), world.commits[0].len());
        let roots = |i: usize| world.certificates[i][0].statement.clone();
        assert_eq!(roots(i), roots(0));
    }
}

#[test]
fn a_lone_transaction_is_committed_within_a_few_message_delays() {
    let mut world = World::new();
    world.run(3_000);
    let before = world.now;
    let transfer = world.transfer(1);
    world.submit(3, transfer);
    while world.balance(0, 2) == Amount(1_000_000) {
        world.step();
        assert!(
            world.now < before.saturating_add(100),
            "not committed in 100 ms"
        );
    }
    let delays = world.now.0 - before.0;
    assert!(delays <= 12, "{delays} delays of one millisecond");
}

#[test]
fn p2_p3_a_transaction_given_to_all_members_is_proposed_by_the_first_alone() {
    let mut world = World::new();
    for nonce in 1..=20 {
        let transfer = world.transfer(nonce);
        let order = world.proposers(&transfer, MEMBERS);
        for member in &order {
            assert_eq!(world.try_submit(*member, transfer.clone(), MEMBERS), Ok(()));
            world.run(nonce % 2);
        }
        world.run(300);
        let carriers = world.carriers(&transfer);
        assert_eq!(carriers.len(), 1, "{carriers:?}");
        assert_eq!(carriers[0].0, order[0]);
    }
    assert_eq!(world.balance(0, 2), Amount(1_020_000));
    assert!(world.replicas.iter().all(|r| r.mempool_bytes() == 0));
}

#[test]
fn p2_the_next_member_proposes_it_a_step_later_if_the_first_does_nothing() {
    let mut world = World::new();
    for nonce in 1..=20 {
        let transfer = world.transfer(nonce);
        let order = world.proposers(&transfer, 2);
        let round = world.replicas[order[1]].view().round;
        assert_eq!(world.try_submit(order[1], transfer.clone(), 2), Ok(()));
        world.run(300);
        let carriers = world.carriers(&transfer);
        assert_eq!(carriers.len(), 1, "{carriers:?}");
        assert_eq!(carriers[0].0, order[1]);
        let waited = carriers[0].1.0 - round.0;
        assert!(
            (STEP_ROUNDS..=STEP_ROUNDS + 2).contains(&waited),
            "{waited} rounds"
        );
    }
    assert_eq!(world.balance(0, 2), Amount(1_020_000));
}

#[test]
fn p3_the_same_transaction_given_to_another_member_later_is_not_proposed_again() {
    let mut world = World::new();
    for nonce in 1..=20 {
        let transfer = world.transfer(nonce);
        world.submit(0, transfer.clone());
        world.run(1 + nonce % 9);
        world.submit(1, transfer.clone());
        world.run(300);
        let carriers = world.carriers(&transfer);
        assert!(
            carriers.len() == 1 || nonce % 9 == 0,
            "{nonce}: {carriers:?}"
        );
    }
    assert_eq!(world.balance(0, 2), Amount(1_020_000));
}

/// P2: nobody waits for a member that is known to be away.
#[test]
fn p2_a_member_that_is_down_is_left_out_of_the_order() {
    let mut world = World::new();
    world.down.push(3);
    for nonce in 100..105 {
        world.submit(0, world.transfer(nonce));
        world.run(200);
    }
    let first_is_down = |nonce: &u64| world.proposers(&world.transfer(*nonce), 1) == [3];
    let nonce = (1..100).find(first_is_down).unwrap();
    let transfer = world.transfer(nonce);
    let second = world.proposers(&transfer, 2)[1];
    let round = world.replicas[second].view().round;
    assert_eq!(world.try_submit(second, transfer.clone(), 2), Ok(()));
    world.run(300);
    let waited = world.carriers(&transfer)[0].1.0 - round.0;
    assert!(waited <= 2, "{waited} rounds");
}

#[test]
fn an_idle_network_rests() {
    let mut world = World::new();
    let transfer = world.transfer(1);
    world.submit(0, transfer);
    world.run(2_000);
    let round = world.replicas[0].view().round;
    world.run(10_000);
    let rounds = world.replicas[0].view().round.0 - round.0;
    assert!(
        (5..=15).contains(&rounds),
        "{rounds} rounds in ten idle seconds"
    );
}

/// F1 (b): the height that a burst ends with is seldom the first of its interval.
#[test]
fn the_end_of_a_burst_is_due_for_posting_without_a_trade_after_it() {
    let mut world = World::new();
    for nonce in 1..=3 {
        world.submit(0, world.transfer(nonce));
        world.run(600);
    }
    assert_eq!(world.due, vec![Height(1); MEMBERS], "one interval");
    let burst = world.certified(0);
    let interval = world.genesis.template.params.checkpoint_interval_ms;
    world.run(interval.0 + 4_000);
    let posted = |world: &World, i: usize| world.certificates[i].last().cloned().unwrap();
    for i in 0..MEMBERS {
        let last = posted(&world, i);
        assert_eq!(world.due[i], last.statement.height);
        assert!(last.statement.height > burst, "it has all of the burst");
    }
    let height = world.due[0];
    world.run(3 * interval.0);
    assert_eq!(world.certified(0), height, "nothing is left to post");
}

/// What it took meanwhile would wait until it has caught up.
#[test]
fn a_replica_that_starts_takes_transactions_once_it_has_heard_from_a_quorum() {
    let mut world = World::unheard();
    let refused = world.try_submit(3, world.transfer(1), 1);
    assert!(
        matches!(refused, Err(Refusal::NotAccepting(_))),
        "{refused:?}"
    );
    world.step();
    world.submit(3, world.transfer(1));
}

#[test]
fn three_of_four_go_on_and_two_stop() {
    let mut world = World::new();
    world.down = vec![3];
    let transfer = world.transfer(1);
    world.submit(0, transfer);
    world.run(3_000);
    assert_eq!(world.certified(0), Height(1));
    world.down = vec![2, 3];
    let commits = world.commits[0].len();
    let transfer = world.transfer(2);
    world.submit(0, transfer);
    world.run(5_500);
    assert!(
        world.commits[0].len() <= commits + 2,
        "nothing new is decided"
    );
    assert_eq!(world.balance(0, 2), Amount(1_001_000));
    let why = world.replicas[0].view().not_voting.unwrap();
    assert!(
        why.contains("members 2, 3") && why.contains("has 2 of 4"),
        "{why}"
    );
    let refused = world.try_submit(0, world.transfer(3), 1);
    assert_eq!(refused, Err(Refusal::NotAccepting(why)));
    world.down = vec![3];
    world.run(5_000);
    assert_eq!(world.balance(0, 2), Amount(1_002_000));
    assert_eq!(world.replicas[0].view().not_voting, None);
    assert!(world.certified(0) > Height(1));
}

#[test]
fn s1_a_replica_that_has_lost_everything_signs_again_above_what_it_may_have_signed() {
    let mut world = World::new();
    let transfer = world.transfer(1);
    world.submit(0, transfer);
    world.run(3_000);
    let before = world.latest[3].take().unwrap().round();
    // While one of the others is away, too few can say.
    world.down = vec![2];
    let mut effects = Vec::new();
    world.replicas[3] = world.start(3, Some(Lost::GuardMissing), &mut effects);
    world.commits[3].clear();
    world.inboxes[3].clear();
    world.carry_out(3, effects);
    world.run(5_000);
    let view = world.replicas[3].view();
    for why in [view.not_voting, view.not_accepting, view.not_ready] {
        let why = why.unwrap();
        assert!(why.contains("waits for member 2"), "{why}");
    }
    assert!(world.latest[3].is_none() && world.floors.is_empty());

    world.down.clear();
    world.inboxes[2].clear();
    world.run(20_000);
    let (round, height) = world.floors[0];
    assert!(round >= before, "{round} and {before}");
    assert!(
        height >= Height(1),
        "its share of that height is with others"
    );
    let again: Vec<&Verified<Vertex>> = world.signed.iter().rev().collect();
    let again = again.iter().find(|v| v.author() == MemberIndex(3)).unwrap();
    assert!(again.round() > round);
    assert_eq!(world.replicas[3].view().not_voting, None);
    let transfer = world.transfer(2);
    world.submit(3, transfer);
    world.run(2_000);
    assert_eq!(world.balance(3, 2), Amount(1_002_000));
    assert_eq!(world.commits[3].len(), world.commits[0].len());
    assert_eq!(world.certified(3), Height(2));
}

/// Nobody can tell from the guard that it is an old copy, if the database is one too.
#[test]
fn s1_after_an_ordinary_restart_a_replica_looks_first_what_others_have_seen_of_it() {
    let mut world = World::new();
    world.run(10_000);
    let latest = world.latest[3].as_ref().unwrap().round();
    let old = Round(latest.0 - 2);
    let is_old = |v: &&Verified<Vertex>| v.round() <= old;
    let vertices: Vec<Verified<Vertex>> = world.signed.iter().filter(is_old).cloned().collect();
    let own = vertices.iter().rfind(|v| v.author() == MemberIndex(3));
    let core = Recovered {
        own: own.cloned(),
        signed: Some(old),
        vertices: vertices.clone(),
        ..Recovered::fresh(LastCommit::genesis(world.genesis.template.timestamp_ms))
    };
    let mut effects = Vec::new();
    world.replicas[3] = world.start_from(3, core, None, &mut effects);
    world.commits[3].clear();
    world.inboxes[3].clear();
    world.carry_out(3, effects);
    world.run(20_000);
    let rounds = world.signed.iter().filter(|v| v.author() == MemberIndex(3));
    let mut rounds: Vec<Round> = rounds.map(|v| v.round()).collect();
    assert!(rounds.last() > Some(&latest), "it goes on");
    let signed = rounds.len();
    rounds.dedup();
    assert_eq!(rounds.len(), signed, "a round was signed again");
}

/// The vault's first deposits, one in each block, for the third user.
fn deposits(count: u64) -> Vec<Confirmed<Deposit>> {
    let mut digest = Deposit::digest_start();
    let confirmed = (1..=count).map(|index| {
        let deposit = Deposit {
            asset: BaseAsset::Native {
                amount: Amount(100),
            },
            sender: BaseAddress([1; 20]),
            account: user(2),
        };
        digest = deposit.extend(&digest, index);
        Confirmed {
            index,
            event: deposit,
            digest,
            block: index,
        }
    });
    confirmed.collect()
}

#[test]
fn b1_deposits_are_credited_once_on_all_replicas_and_an_idle_network_wakes_for_them() {
    let mut world = World::new();
    world.run(3_000);
    for i in 0..MEMBERS {
        // The last one sees the second deposit only later.
        let seen = if i == 3 { 1 } else { 2 };
        world.input(i, Input::Deposits(deposits(seen)));
    }
    world.run(500);
    world.input(3, Input::Deposits(deposits(2)));
    world.run(1_000);
    for i in 0..MEMBERS {
        assert_eq!(world.balance(i, 2), Amount(1_000_200), "replica {i}");
        let last = world.certificates[i].last().expect("certified");
        assert_eq!(last.statement.deposits_processed, 2, "replica {i}");
        assert_eq!(last.statement.deposits_digest, deposits(2)[1].digest);
    }
    let rounds = world.replicas[0].view().round;
    world.run(3_000);
    let after = world.replicas[0].view().round;
    assert!(
        after.0 - rounds.0 < 20,
        "it rests again: {rounds} to {after}"
    );
}

#[test]
fn b1_two_of_four_that_see_deposits_credit_nothing() {
    let mut world = World::new();
    for i in 0..2 {
        world.input(i, Input::Deposits(deposits(1)));
    }
    world.run(3_000);
    assert_eq!(world.balance(0, 2), Amount(1_000_000));
    world.input(2, Input::Deposits(deposits(1)));
    world.run(1_000);
    assert_eq!(world.balance(3, 2), Amount(1_000_100));
}

#[test]
fn b1_a_member_whose_chain_took_deposits_back_reports_no_more_and_goes_on_otherwise() {
    let mut world = World::new();
    for i in 0..2 {
        world.input(
            i,
            Input::BaseReorganised("it has lost its blocks".to_owned()),
        );
        world.input(i, Input::Deposits(deposits(1)));
    }
    for i in 2..MEMBERS {
        world.input(i, Input::Deposits(deposits(1)));
    }
    world.run(2_000);
    assert_eq!(
        world.balance(0, 2),
        Amount(1_000_000),
        "no quorum has reported it"
    );
    assert!(world.replicas[0].view().bridge_halted.is_some());
    let transfer = world.transfer(1);
    world.submit(0, transfer);
    world.run(1_000);
    assert_eq!(world.balance(1, 2), Amount(1_001_000));
}

/// Another vertex of the same author and round, validly signed.
fn second_version(of: &Vertex) -> Verified<Vertex> {
    let body = VertexBody {
        network: testing::network().id(),
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
    Vertex::sign(body, Vec::new(), &vertex_key(of.author().as_usize()))
}

#[test]
fn v8_two_versions_that_one_replica_sees_convict_on_all_and_stand_in_the_next_certificate() {
    let mut world = World::new();
    world.run(3_000);
    let first = world.latest[3].clone().expect("it has signed");
    let vertex = second_version(&first);
    let nobody = world.certified(0);
    let from = Some(MemberIndex(3));
    world.input(0, Input::Vertex { vertex, from });
    world.run(1_000);
    let guilty: MemberSet = [MemberIndex(3)].into_iter().collect();
    for i in 0..MEMBERS {
        let commits = &world.commits[i];
        assert_eq!(commits, &world.commits[0]);
        let convicting = commits.iter().position(|c| c.convicted == guilty);
        let (before, after) = commits.split_at(convicting.expect("a conviction"));
        assert!(before.iter().all(|c| c.convicted.is_empty()));
        let round = after[0].leader.round;
        for commit in after {
            assert_eq!((commit.convicted, commit.demoted), (guilty, guilty));
            let led = commit.leader.round > round && commit.leader.author == MemberIndex(3);
            assert!(!led, "it leads no more");
        }
        assert!(world.certified(i) > nobody, "the idle network woke for it");
        let snapshot = world.replicas[i].view().snapshot;
        let object = snapshot.get(&ObjectId::Offenders(OffendersId::THE_ONE));
        let object = object.expect("offenders");
        let offenders = object.as_offenders().unwrap();
        let listed: Vec<_> = offenders.list().iter().map(|o| (o.id, o.round)).collect();
        assert_eq!(listed, [(4, first.round())]);
        let last = world.certificates[i].last().unwrap();
        assert_eq!(last.statement.offenders_root, offenders.root());
    }
    let (rounds, commits) = (world.replicas[0].view().round, world.commits[0].len());
    world.run(3_000);
    let after = world.replicas[0].view().round;
    assert!(
        after.0 - rounds.0 < 20,
        "it rests again: {rounds} to {after}"
    );
    assert!(world.commits[0].len() > commits);
}
