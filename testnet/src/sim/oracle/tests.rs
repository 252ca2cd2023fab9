//! Each check fires on the history that it is there for.

use super::super::cast::Cast;
use super::super::plan::{Plan, Signer};
use super::*;
use std::sync::Arc;
use weft_ledger::{Applied, Ledger};
use weft_node::View;
use weft_types::{
    Commit, Epoch, FinalityShare, MemberIndex, MemberSet, Observation, Statement, VertexBody,
    testing,
};

const AT: Time = Time(7);

fn oracle() -> Oracle {
    Oracle::new(4, 60)
}

fn reference(round: u64, digest: u8) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(0),
        digest: VertexDigest([digest; 32]),
    }
}

fn commit(index: u64, digest: u8, previous: CommitDigest) -> Commit {
    Commit {
        index: CommitIndex(index),
        leader: reference(index, digest),
        vertices: vec![reference(index, digest)],
        timestamp: Millis(index),
        previous,
        demoted: MemberSet::default(),
        convicted: MemberSet::default(),
    }
}

fn executed(commit: Commit, statement: Option<Statement>) -> Executed {
    let genesis = testing::genesis(4);
    let (ledger, _) = Ledger::genesis(&genesis.template).unwrap();
    let snapshot = ledger.snapshot();
    Executed {
        digest: commit.digest(),
        transactions: Vec::new(),
        applied: Applied::default(),
        meta: ledger.meta(),
        statement: statement.map(Arc::new),
        view: View {
            bridge_halted: None,
            epoch: Epoch::ZERO,
            round: Round(1),
            commit: commit.index,
            timestamp: commit.timestamp,
            height: Height::ZERO,
            state_root: snapshot.root(),
            snapshot,
            certified: None,
            held: Arc::new([]),
            provable: Arc::new([]),
            anchored: Height::ZERO,
            own: None,
            not_voting: None,
            not_accepting: None,
            not_ready: None,
        },
        commit,
    }
}

/// Hands a commit over as a machine does.
fn made(oracle: &mut Oracle, machine: usize, executed: &Executed) {
    oracle.executed(AT, machine, machine, executed);
}

fn rules(oracle: &Oracle) -> Vec<Rule> {
    oracle.violations().iter().map(|v| v.rule).collect()
}

#[test]
fn one_order_at_all_members_is_right() {
    let mut oracle = oracle();
    let first = commit(1, 1, CommitDigest::ZERO);
    let second = commit(2, 2, first.digest());
    for machine in 0..3 {
        made(&mut oracle, machine, &executed(first.clone(), None));
        made(&mut oracle, machine, &executed(second.clone(), None));
    }
    assert!(rules(&oracle).is_empty());
    assert_eq!(oracle.commits(), 2);
}

#[test]
fn another_commit_or_another_state_at_one_place_is_no_agreement() {
    let mut oracle = oracle();
    made(
        &mut oracle,
        0,
        &executed(commit(1, 1, CommitDigest::ZERO), None),
    );
    made(
        &mut oracle,
        1,
        &executed(commit(1, 2, CommitDigest::ZERO), None),
    );
    let stated = executed(
        commit(1, 1, CommitDigest::ZERO),
        Some(testing::statement(1)),
    );
    made(&mut oracle, 2, &stated);
    assert_eq!(rules(&oracle), [Rule::Agreement, Rule::Agreement]);
}

#[test]
fn output_twice_a_gap_or_a_torn_chain_is_no_integrity() {
    let mut oracle = oracle();
    let first = commit(1, 1, CommitDigest::ZERO);
    made(&mut oracle, 0, &executed(first.clone(), None));
    let again = Commit {
        vertices: first.vertices.clone(),
        ..commit(2, 2, first.digest())
    };
    made(&mut oracle, 0, &executed(again, None));
    assert_eq!(rules(&oracle), [Rule::Integrity]);
    made(
        &mut oracle,
        0,
        &executed(commit(3, 3, CommitDigest::ZERO), None),
    );
    assert_eq!(rules(&oracle).len(), 2);
    made(
        &mut oracle,
        0,
        &executed(commit(5, 5, CommitDigest::ZERO), None),
    );
    assert!(rules(&oracle)[2..].iter().all(|r| *r == Rule::Integrity));
    assert!(rules(&oracle).len() > 2);
}

fn vertex(round: u64, timestamp: u64) -> weft_types::Verified<Vertex> {
    stating(round, timestamp, &[])
}

/// A vertex of member 0 with its shares of these statements.
fn stating(round: u64, timestamp: u64, statements: &[Statement]) -> weft_types::Verified<Vertex> {
    let plan = Plan {
        nodes: 4,
        signer: Signer::Mock,
        ..Plan::default()
    };
    let cast = Cast::new(&plan).unwrap();
    let shares = statements.iter();
    let shares = shares.map(|s| FinalityShare::sign(s, &cast.keys[0].finality));
    let body = VertexBody {
        network: cast.network,
        epoch: Epoch::ZERO,
        round: Round(round),
        author: MemberIndex(0),
        timestamp: Millis(timestamp),
        parents: Vec::new(),
        weak_links: Vec::new(),
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
        shares: shares.collect(),
    };
    Vertex::sign(body, Vec::new(), &cast.keys[0].vertex)
}

#[test]
fn two_vertices_of_one_round_are_equivocation_and_one_sent_twice_is_not() {
    let mut oracle = oracle();
    oracle.sent(AT, 0, &vertex(1, 1), false);
    oracle.sent(AT, 0, &vertex(1, 1), false);
    assert!(rules(&oracle).is_empty());
    oracle.sent(AT, 0, &vertex(1, 2), false);
    assert_eq!(rules(&oracle), [Rule::Equivocation]);
}

#[test]
fn two_statements_of_one_height_by_one_key_are_noticed_and_one_stated_again_is_not() {
    let mut oracle = oracle();
    let statement = testing::statement(1);
    oracle.sent(
        AT,
        0,
        &stating(1, 1, std::slice::from_ref(&statement)),
        false,
    );
    oracle.sent(
        AT,
        0,
        &stating(2, 2, std::slice::from_ref(&statement)),
        false,
    );
    assert!(rules(&oracle).is_empty());
    let other = Statement {
        timestamp: Millis(7),
        ..statement
    };
    oracle.sent(AT, 0, &stating(3, 3, &[other]), false);
    assert_eq!(rules(&oracle), [Rule::Certificates]);
}

#[test]
fn an_owed_vertex_below_the_floor_is_left_behind() {
    let mut oracle = oracle();
    oracle.sent(AT, 0, &vertex(1, 1), true);
    let mut leader = commit(1, 1, CommitDigest::ZERO);
    leader.leader.round = Round(60);
    made(&mut oracle, 0, &executed(leader.clone(), None));
    assert!(rules(&oracle).is_empty(), "round 1 is still within reach");
    let mut later = commit(2, 2, leader.digest());
    later.leader.round = Round(61);
    made(&mut oracle, 0, &executed(later, None));
    assert_eq!(rules(&oracle), [Rule::Validity]);
}

#[test]
fn two_certificates_of_one_height_must_state_the_same() {
    let mut oracle = oracle();
    let certificate = testing::certify(&testing::statement(1), &[0, 1, 2]);
    oracle.certified(AT, 0, 0, &certificate);
    oracle.certified(AT, 1, 1, &certificate);
    assert!(rules(&oracle).is_empty());
    let mut other = testing::statement(1);
    other.timestamp = Millis(1);
    oracle.certified(AT, 2, 2, &testing::certify(&other, &[0, 1, 2]));
    assert_eq!(rules(&oracle), [Rule::Certificates]);
}

#[test]
fn what_was_told_before_a_crash_must_be_there_after_it() {
    let mut oracle = oracle();
    let certificate = testing::certify(&testing::statement(3), &[0, 1, 2]);
    oracle.certified(Time(10), 0, 0, &certificate);
    oracle.crashed(Time(9), 0);
    oracle.back(Time(11), 0, 0, (Height(2), CommitIndex(2)));
    assert!(rules(&oracle).is_empty(), "it was still under way");
    oracle.certified(Time(20), 0, 0, &certificate);
    oracle.crashed(Time(20), 0);
    oracle.back(Time(21), 0, 0, (Height(2), CommitIndex(5)));
    assert_eq!(rules(&oracle), [Rule::Durability]);
}
