//! Each check fires on the history that it is there for.

use super::super::cast::Cast;
use super::super::plan::{Plan, Signer};
use super::*;
use std::sync::Arc;
use weft_ledger::{Applied, Ledger};
use weft_node::View;
use weft_types::{
    Commit, Committee, Epoch, FinalityShare, MemberIndex, MemberSet, Observation, Statement,
    VertexBody, testing,
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

/// The same in an epoch.
fn executed_in(epoch: u64, commit: Commit, statement: Option<Statement>) -> Executed {
    let mut executed = executed(commit, statement);
    executed.view.epoch = Epoch(epoch);
    executed
}

/// A statement that closes its epoch, for the next one's committee.
fn closing(height: u64, next: &Committee) -> Statement {
    Statement {
        next_committee: next.digest(),
        ..testing::statement(height)
    }
}

fn next_committee() -> Committee {
    Committee::new(Epoch(1), testing::members(3)).unwrap()
}

#[test]
fn an_epoch_begins_after_its_closing_commit_and_not_before() {
    let first = commit(1, 1, CommitDigest::ZERO);
    let second = commit(2, 2, first.digest());
    let closed = || Some(closing(1, &next_committee()));
    for (closes, epoch, broken) in [
        (closed(), 1, false),
        (None, 0, false),
        (closed(), 0, true),
        (closed(), 2, true),
        (None, 1, true),
    ] {
        let mut oracle = oracle();
        made(&mut oracle, 0, &executed_in(0, first.clone(), closes));
        made(&mut oracle, 0, &executed_in(epoch, second.clone(), None));
        let expected: &[Rule] = if broken { &[Rule::Epochs] } else { &[] };
        assert_eq!(rules(&oracle), expected, "epoch {epoch}");
    }
}

#[test]
fn an_epoch_is_opened_by_what_names_its_committee_and_was_closed_so() {
    let (next, first) = (next_committee(), commit(1, 1, CommitDigest::ZERO));
    let by = testing::certify(&closing(1, &next), &[0, 1, 2]);
    let mut oracle = oracle();
    oracle.opened(AT, 0, &next, &by);
    assert_eq!(rules(&oracle), [Rule::Epochs], "nobody has closed it");
    let mut oracle = self::oracle();
    let statement = Some(by.statement.clone());
    made(&mut oracle, 0, &executed_in(0, first, statement));
    oracle.opened(AT, 0, &next, &by);
    assert!(rules(&oracle).is_empty());
    let other = Committee::new(Epoch(1), testing::members(4)).unwrap();
    oracle.opened(AT, 1, &other, &by);
    assert_eq!(rules(&oracle), [Rule::Epochs], "another committee");
    let later = Committee::new(Epoch(2), testing::members(3)).unwrap();
    oracle.opened(AT, 2, &later, &by);
    assert_eq!(rules(&oracle).len(), 2, "another epoch");
}

#[test]
fn rounds_of_different_epochs_are_different_places() {
    let mut oracle = oracle();
    oracle.sent(AT, 0, &vertex(1, 1), true);
    oracle.sent(AT, 0, &vertex_in(1, 1, 2), false);
    assert!(rules(&oracle).is_empty());
    oracle.sent(AT, 0, &vertex_in(1, 1, 3), false);
    assert_eq!(rules(&oracle), [Rule::Equivocation]);
    // What the first epoch's end has left behind is nobody's to order.
    let first = commit(1, 1, CommitDigest::ZERO);
    let statement = Some(closing(1, &next_committee()));
    made(&mut oracle, 0, &executed_in(0, first.clone(), statement));
    let mut leader = commit(2, 2, first.digest());
    leader.leader.round = Round(200);
    made(&mut oracle, 0, &executed_in(1, leader, None));
    assert_eq!(rules(&oracle), [Rule::Equivocation]);
}

#[test]
fn whoever_recovers_below_what_it_has_signed_in_a_later_epoch_is_noticed() {
    let mut oracle = oracle();
    oracle.sent(AT, 0, &vertex(9, 1), false);
    oracle.sent(AT, 0, &vertex_in(1, 2, 2), false);
    let height = Height(0);
    oracle.recovered(AT, 0, (Epoch(1), Round(2)), height);
    assert!(rules(&oracle).is_empty());
    oracle.recovered(AT, 0, (Epoch(0), Round(9)), height);
    oracle.recovered(AT, 0, (Epoch(1), Round(1)), height);
    assert_eq!(rules(&oracle), [Rule::Recovery, Rule::Recovery]);
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
    stating(Epoch::ZERO, round, timestamp, &[])
}

fn vertex_in(epoch: u64, round: u64, timestamp: u64) -> weft_types::Verified<Vertex> {
    stating(Epoch(epoch), round, timestamp, &[])
}

/// A vertex of member 0 with its shares of these statements.
fn stating(
    epoch: Epoch,
    round: u64,
    timestamp: u64,
    statements: &[Statement],
) -> weft_types::Verified<Vertex> {
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
        epoch,
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
        &stating(Epoch::ZERO, 1, 1, std::slice::from_ref(&statement)),
        false,
    );
    oracle.sent(
        AT,
        0,
        &stating(Epoch::ZERO, 2, 2, std::slice::from_ref(&statement)),
        false,
    );
    assert!(rules(&oracle).is_empty());
    let other = Statement {
        timestamp: Millis(7),
        ..statement
    };
    oracle.sent(AT, 0, &stating(Epoch::ZERO, 3, 3, &[other]), false);
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
