//! What members sign, do and are: statements, certificates, offences, a roster.

use super::*;
use crate::bls;
use crate::committee::MemberSet;
use crate::feed::FeedReport;
use crate::ids::{
    Amount, CommitDigest, CommitIndex, CommitteeDigest, Epoch, Height, MemberIndex, Millis, Root,
    Round, Stake, VertexDigest,
};
use crate::offence::{Offence, Offender, Offenders};
use crate::roster::{MemberKeys, QueueEntry, Roster};
use crate::statement::{Certificate, FinalityShare, Statement};
use crate::vertex::{Observation, Vertex, VertexBody, VertexRef};
use crate::work::{FeeShare, Work};

/// A statement of the given height.
pub fn statement(height: u64) -> Statement {
    Statement {
        network: network(),
        epoch: Epoch::ZERO,
        height: Height(height),
        timestamp: Millis(1_000 + height),
        commit: CommitIndex(height),
        commit_digest: CommitDigest([1; 32]),
        state_root: Root([2; 32]),
        receipts_root: Root([3; 32]),
        offenders_root: Root([4; 32]),
        withdrawals_root: Root([5; 32]),
        exit_root: Root([6; 32]),
        deposits_processed: 0,
        deposits_digest: Root([7; 32]),
        registry_cursor: 0,
        next_committee: CommitteeDigest::ZERO,
    }
}

/// A certificate of four-member committees by the given members, quorum or not.
pub fn certify(statement: &Statement, signers: &[usize]) -> Certificate {
    let shares: Vec<bls::Signature> = signers
        .iter()
        .map(|i| FinalityShare::sign(statement, &finality_key(*i)).signature)
        .collect();
    let set: MemberSet = signers.iter().map(|i| MemberIndex(*i as u32)).collect();
    Certificate {
        statement: statement.clone(),
        bitmap: set.to_bitmap(4).into(),
        signature: bls::Signature::sum(&shares).expect("at least one signer"),
    }
}

/// A roster with something everywhere: a member that comes, one that goes, entries that wait.
pub fn roster() -> Roster {
    let mut roster = Roster::genesis(&committee(4), Millis(1_000));
    let join = QueueEntry {
        id: 5,
        weight: Stake(2),
        slashed: false,
        keys: Some(MemberKeys::of(&members(5)[4])),
    };
    let leave = QueueEntry {
        id: 1,
        weight: Stake::ZERO,
        slashed: true,
        keys: None,
    };
    roster.moving = vec![2, 3];
    roster.seats[1].target = Stake(3);
    (roster.seats[2].target, roster.seats[2].slashed) = (Stake::ZERO, true);
    roster.waiting = vec![join, leave];
    let report = |count| FeedReport {
        count,
        digest: Root([12; 32]),
    };
    roster.queue.processed = 4;
    roster.queue.agreed = Some(report(5));
    roster.queue.reports = vec![(1, report(5)), (3, report(6))];
    (roster.announced, roster.announced_at) = (Some(3), Millis(1_800_000_090_000));
    roster.ready = vec![2, 5];
    roster.closed = true;
    roster.shares = vec![FeeShare {
        member: 2,
        account: user(2),
        amount: Amount(17),
    }];
    roster
}

/// The proof that a member has signed two vertices of a round.
///
/// # Panics
/// Never: the two differ in their timestamps.
pub fn offence(author: usize, round: u64) -> Offence {
    let version = |timestamp| {
        let body = VertexBody {
            network: network().id(),
            epoch: Epoch::ZERO,
            round: Round(round),
            author: MemberIndex(author as u32),
            timestamp: Millis(timestamp),
            parents: Vec::new(),
            weak_links: Vec::new(),
            transactions: Vec::new(),
            shares: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
        };
        Vertex::sign(body, Vec::new(), &vertex_key(author))
    };
    Offence::of(&version(1), &version(2)).expect("two versions")
}

/// Three convictions, two of one member.
pub fn offenders() -> Offenders {
    let mut offenders = Offenders::default();
    for (id, epoch, round) in [(4, 0, 17), (2, 0, 9), (4, 1, 3)] {
        let (epoch, round, commit) = (Epoch(epoch), Round(round), CommitIndex(30 + epoch));
        offenders.convict(Offender {
            id,
            epoch,
            round,
            commit,
        });
    }
    offenders
}

/// Two members have worked, and one between them has not.
pub fn work() -> Work {
    let mut work = Work::default();
    let vertex = |author, round| VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([4; 32]),
    };
    work.count(&[vertex(0, 1), vertex(2, 1), vertex(2, 300)]);
    work
}
