//! Which rounds are kept, and that no others are.

use super::super::faults::parse;
use super::super::oracle::Rule;
use super::*;
use weft_types::{CommitDigest, CommitIndex, Millis, VertexDigest};

fn leader(round: u64) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(0),
        digest: VertexDigest([1; 32]),
    }
}

/// A member's own vertex of each round, committed at once.
fn fill(record: &mut Record, rounds: std::ops::RangeInclusive<u64>) {
    for round in rounds {
        record.top = Round(round);
        record.forget();
        if record.keeps(Round(round)) {
            let seen = Seen {
                at: Time::millis(round),
                parents: Vec::new(),
                weak: Vec::new(),
            };
            record.vertices.insert(leader(round), seen);
        }
        let commit = Commit {
            index: CommitIndex(round),
            leader: leader(round),
            vertices: vec![leader(round)],
            timestamp: Millis(round),
            previous: CommitDigest([0; 32]),
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        };
        record.commit(Time::millis(round), &commit);
    }
}

fn broken(round: u64) -> Violation {
    Violation {
        rule: Rule::Agreement,
        at_s: 1.0,
        node: 2,
        what: String::new(),
        round: Some(Round(round)),
    }
}

fn kept(record: &Record) -> (u64, u64) {
    let rounds = |v: Option<(&VertexRef, &Seen)>| v.map_or(0, |(v, _)| v.round.0);
    (
        rounds(record.vertices.first_key_value()),
        rounds(record.vertices.last_key_value()),
    )
}

#[test]
fn of_a_long_run_the_last_rounds_stay_and_no_more_memory_than_for_them() {
    let mut record = Record::new(4, None);
    fill(&mut record, 1..=1254);
    assert_eq!(record.rounds(), (Round(1195), Round(1254)));
    assert_eq!(kept(&record), (1135, 1254));
    assert_eq!((record.output.len(), record.committed.len()), (120, 120));
    assert_eq!(record.decided, Round(1254));
}

#[test]
fn a_first_round_chooses_what_stays() {
    let mut record = Record::new(4, Some(300));
    fill(&mut record, 1..=1000);
    assert_eq!(record.rounds(), (Round(300), Round(359)));
    assert_eq!(kept(&record), (300, 359));
}

#[test]
fn the_first_broken_rule_is_in_the_middle() {
    let mut record = Record::new(4, None);
    fill(&mut record, 1..=200);
    record.broken(&[broken(180)]);
    record.broken(&[broken(180), broken(190)]);
    fill(&mut record, 201..=600);
    assert_eq!(record.marks.len(), 2);
    assert_eq!(record.rounds(), (Round(150), Round(209)));
    assert!(kept(&record).0 <= 150 && kept(&record).1 == 209);
}

#[test]
fn faults_that_come_and_go_have_windows() {
    let mut record = Record::new(4, None);
    let faults = parse("loss:5,partition@2s+3s,crash@8s,restart@9s").unwrap();
    record.happened(&faults, Time::millis(10_000));
    let windows: Vec<(&str, u64, u64)> = record
        .windows
        .iter()
        .map(|w| (w.name.as_str(), w.begins.0 / 1000, w.ends.0 / 1000))
        .collect();
    let expected = [
        ("partition", 2_000, 5_000),
        ("crash", 8_000, 10_000),
        ("restart", 9_000, 9_500),
    ];
    assert_eq!(windows, expected);
}
