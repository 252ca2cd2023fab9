mod published;

use super::*;
use crate::schedule::Schedule;
use weft_types::testing::{members, network, vertex_key};
use weft_types::{
    CommitDigest, CommitIndex, Committee, Epoch, Millis, Observation, ProtocolParams, Stake,
    Verified, Vertex, VertexBody, VertexRef,
};

/// A DAG whose rows are complete and output one by one, and what is computed of it.
struct World {
    config: Arc<CoreConfig>,
    dag: Dag,
    reputation: Reputation,
    below: Vec<VertexRef>,
    round: u64,
}

fn world(stakes: &[u64], leaders: &[&[u32]]) -> World {
    let row = |row: &&[u32]| row.iter().map(|i| MemberIndex(*i)).collect();
    let rows = leaders.iter().map(row).collect();
    scheduled(stakes, Schedule::table_with_reputation(rows))
}

fn scheduled(stakes: &[u64], schedule: Schedule) -> World {
    let mut list = members(stakes.len());
    for (member, stake) in list.iter_mut().zip(stakes) {
        member.stake = Stake(*stake);
    }
    let committee = Arc::new(Committee::new(Epoch::ZERO, list).unwrap());
    let config = Arc::new(CoreConfig {
        schedule,
        ..CoreConfig::new(network().id(), committee, None, &ProtocolParams::default())
    });
    let genesis = |m| Vertex::genesis(network().id(), Epoch::ZERO, m).reference();
    World {
        dag: Dag::new(&config, Round::ZERO),
        reputation: Reputation::new(&config, &Leaders::new(&config)),
        below: config.committee.indices().map(genesis).collect(),
        round: 0,
        config,
    }
}

fn vertex(round: u64, author: MemberIndex, mut parents: Vec<VertexRef>) -> Verified<Vertex> {
    parents.sort_by_key(|p| (p.author != author, p.author));
    let body = VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(round),
        author,
        timestamp: Millis(round),
        parents,
        weak_links: Vec::new(),
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: Vec::new(),
    };
    Vertex::sign(body, Vec::new(), &vertex_key(author.as_usize()))
}

impl World {
    fn output(&mut self, vertex: Verified<Vertex>) {
        let (reference, round) = (vertex.reference(), Round(self.round));
        self.dag.insert(vertex, Millis(self.round));
        let node = self.dag.get(&reference).unwrap();
        self.reputation.output(&self.dag, node, round);
    }

    /// One row, in which `voted(voter, member)` says who votes for whose vertex of the row below.
    fn row(&mut self, voted: &impl Fn(u32, u32) -> bool) -> Vec<VertexRef> {
        self.round += 1;
        let mut row = Vec::new();
        for voter in self.config.clone().committee.indices() {
            let own = |p: &VertexRef| p.author == voter;
            let voted = |p: &&VertexRef| own(p) || voted(voter.0, p.author.0);
            let parents = self.below.iter().filter(voted).copied().collect();
            let vertex = vertex(self.round, voter, parents);
            row.push(vertex.reference());
            self.output(vertex);
        }
        self.below = row.clone();
        row
    }

    /// So many rows, each with a commit, and who is demoted after them.
    fn rows(&mut self, count: u64, voted: impl Fn(u32, u32) -> bool) -> String {
        let mut demoted = MemberSet::default();
        for _ in 0..count {
            self.row(&voted);
            demoted = self
                .reputation
                .commit(Round(self.round), MemberSet::default());
        }
        let demoted: Vec<String> = demoted.iter().map(|m| m.to_string()).collect();
        demoted.join(" ")
    }
}

fn all(_: u32, _: u32) -> bool {
    true
}

#[test]
fn who_gets_no_votes_is_demoted_within_half_the_window_and_is_back_as_quickly() {
    let mut world = world(&[1; 4], &[&[]]);
    let but_three = |_, member| member != 3;
    assert_eq!(world.rows(12, all), "");
    assert_eq!(world.rows(8, but_three), "");
    assert_eq!(world.rows(1, but_three), "3", "a quarter is its own");
    assert_eq!(world.rows(20, but_three), "3");
    assert_eq!(world.rows(5, all), "3", "less than three fifths");
    assert_eq!(world.rows(1, all), "");
}

#[test]
fn f_of_stake_that_refuse_their_votes_demote_nobody_and_keep_nobody_out() {
    let mut world = world(&[1; 10], &[&[9, 8], &[1, 2], &[]]);
    // Members 0 to 2 never vote for member 9.
    let refused = |voter, member| member != 9 || voter > 2;
    assert_eq!(world.rows(80, refused), "");
    let crashed = |_, member| member != 9;
    assert_eq!(world.rows(12, crashed), "9");
    assert_eq!(world.rows(70, refused), "", "it has recovered");
}

#[test]
fn f_of_stake_that_hear_each_other_alone_do_not_keep_each_other_in() {
    let mut world = world(&[1; 10], &[&[]]);
    let alone = |voter, member| member > 2 || voter <= 2;
    assert_eq!(world.rows(12, alone), "0 1 2");
}

#[test]
fn never_more_than_f_of_stake_is_out_the_worst_first() {
    let mut world = world(&[2, 3, 3, 3, 2, 3, 2], &[&[]]);
    // F is 5 of 18. Members 0 to 2 are heard by fewer and fewer.
    let some = |voter, member| member > 2 || voter > 4 + member;
    assert_eq!(world.rows(12, some), "0 2", "1 and 2 have 6");
}

#[test]
fn rounds_that_a_member_leads_say_nothing_of_its_votes() {
    // Member 3 leads every other round, and is waited for.
    let mut world = world(&[1; 4], &[&[3], &[]]);
    for _ in 0..6 {
        world.row(&|_, member| member != 3);
        world.row(&all);
    }
    let demoted = world.reputation.commit(Round(12), MemberSet::default());
    assert!(demoted.contains(MemberIndex(3)));
}

#[test]
fn a_failed_slot_of_eight_demotes_until_it_is_out_of_the_window() {
    // Members 0 and 1 lead in turn. Half of the others miss member 1's vertex of round 14.
    let mut world = world(&[1; 4], &[&[0], &[1]]);
    let split = |voter: u32, member: u32| member != 1 || voter < 2;
    assert_eq!(world.rows(14, all), "");
    assert_eq!(world.rows(1, split), "");
    assert_eq!(world.rows(1, all), "", "more may come of round 16");
    assert_eq!(world.rows(1, all), "1", "one of seven");
    assert_eq!(world.rows(56, all), "1");
    assert_eq!(world.rows(1, all), "");
}

#[test]
fn one_failed_slot_of_many_demotes_nobody() {
    let mut world = world(&[1; 4], &[&[0], &[1]]);
    let split = |voter: u32, member: u32| member != 1 || voter < 2;
    assert_eq!(world.rows(40, all), "");
    assert_eq!(world.rows(1, split), "");
    assert_eq!(world.rows(60, all), "");
}

#[test]
fn those_with_more_failed_slots_come_first() {
    let mut world = world(&[1; 4], &[&[1], &[2]]);
    world.rows(4, all);
    world.rows(1, |voter, member| member != 2 || voter == 1);
    world.rows(3, |voter, member| {
        member > 2 || member == 0 || voter == 0 || voter == member
    });
    assert_eq!(world.rows(4, all), "2");
}

#[test]
fn an_equivocators_second_vertex_has_no_second_vote() {
    let mut world = world(&[1; 4], &[&[]]);
    world.row(&all);
    let parents = |last: usize| vec![world.below[0], world.below[1], world.below[last]];
    let versions = [2, 3].map(|last| vertex(2, MemberIndex(0), parents(last)));
    for version in versions {
        world.round = 2;
        world.output(version);
    }
    let row = world.reputation.row(Round(2)).unwrap();
    assert_eq!(row.votes, [1, 1, 1, 0]);
    assert_eq!(row.stake, 1);
}

#[test]
fn what_is_restored_from_commits_goes_on_as_before() {
    let mut world = world(&[1; 4], &[&[0, 3], &[1], &[3]]);
    let mut commits: Vec<Commit> = Vec::new();
    let mut open = Vec::new();
    for round in 1..=150u64 {
        let quiet = (20..45).contains(&round);
        // What is output in one go is counted in the order of output.
        let skipped = round % 3 == 0 && quiet;
        open.extend(world.row(&|voter, member| !quiet || (voter != 3 && member != 3)));
        if skipped {
            continue;
        }
        let convicts = (round > 100).then_some(MemberIndex(2));
        let convicted: MemberSet = convicts.into_iter().collect();
        commits.push(Commit {
            index: CommitIndex(round),
            leader: *open.last().unwrap(),
            vertices: std::mem::take(&mut open),
            timestamp: Millis(round),
            previous: CommitDigest::ZERO,
            demoted: world.reputation.commit(Round(round), convicted),
            convicted,
        });
        let floor = (round + 1).saturating_sub(world.config.gc_depth);
        let below = commits.iter().rposition(|c| c.leader.round.0 < floor);
        let mut restored = Reputation::new(&world.config, &Leaders::new(&world.config));
        restored.restore(&world.dag, &commits[below.unwrap_or(0)..]);
        let (one, other) = (
            restored.assess(Round(round)),
            world.reputation.assess(Round(round)),
        );
        assert_eq!(one, other, "round {round}");
        let next = Round(round + 1);
        assert_eq!(restored.demoted(next), world.reputation.demoted(next));
    }
    assert!(commits.iter().any(|c| c.demoted.contains(MemberIndex(3))));
    let last = commits.last().unwrap();
    assert_eq!(last.demoted, last.convicted);
    assert!(last.demoted.contains(MemberIndex(2)));
}
