//! W4: evidence of which any part was changed shows nothing.

use super::history::{History, bytes, records};
use bytes::Bytes;
use weft_node::evidence::{Record, Report, Unusable, Verdict};
use weft_types::testing::certify;
use weft_types::{Certificate, Epoch, Root, Statement, Transaction};

/// False evidence against nobody, and against a quorum: the second is what is tampered with.
fn evidence() -> (History, Vec<Record>) {
    let history = History::of_four_heights();
    let accused = history.accused(|s| s.state_root = Root([7; 32]));
    let evidence = history.evidence(&accused, 2);
    let report = history.replay(&evidence).unwrap();
    assert!(matches!(report.verdict, Verdict::False { .. }));
    let records = records(&evidence);
    (history, records)
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes.into()
}

fn with(certificate: &Certificate, change: impl FnOnce(&mut Statement)) -> Certificate {
    let mut changed = certificate.clone();
    change(&mut changed.statement);
    changed
}

/// The record with something changed in it.
fn changed(record: &Record) -> Option<Record> {
    let other = |s: &mut Statement| s.timestamp = s.timestamp.saturating_add(1);
    Some(match record {
        Record::Network(network) => {
            let mut network = *network;
            network.chain_id += 1;
            Record::Network(network)
        }
        Record::Accused(c) => Record::Accused(with(c, other)),
        Record::Agreed(c) => Record::Agreed(with(c, other)),
        Record::Height(c) => Record::Height(with(c, other)),
        Record::Before(c) => Record::Before(with(c, other)),
        Record::Rival(c) => Record::Rival(with(c, other)),
        Record::Own(statement) => {
            let mut statement = statement.clone();
            statement.state_root = Root([8; 32]);
            Record::Own(statement)
        }
        Record::Object(id, value) => Record::Object(*id, flipped(value)),
        Record::Receipt(bytes) => Record::Receipt(flipped(bytes)),
        Record::Commit(commit) => {
            let mut commit = commit.clone();
            commit.timestamp = commit.timestamp.saturating_add(1);
            Record::Commit(commit)
        }
        Record::Vertex(bytes) => Record::Vertex(flipped(bytes)),
        Record::Epoch(_) | Record::End => return None,
    })
}

#[test]
fn w4_a_changed_part_shows_nothing() {
    let (history, records) = evidence();
    for (i, record) in records.iter().enumerate() {
        let Some(changed) = changed(record) else {
            continue;
        };
        let mut tampered = records.clone();
        tampered[i] = changed;
        let judged = history.replay(&bytes(&tampered));
        assert!(
            accuses_nobody(&judged),
            "record {i}: {record:?}: {judged:?}"
        );
    }
}

/// It is refused; or, where the last commit was changed, not decided.
fn accuses_nobody(judged: &Result<Report, Unusable>) -> bool {
    match judged {
        Ok(report) => matches!(report.verdict, Verdict::Undecided { .. }),
        Err(_) => true,
    }
}

#[test]
fn w4_a_part_that_is_missing_or_twice_there_shows_nothing() {
    let (history, records) = evidence();
    for (i, record) in records.iter().enumerate() {
        if *record == Record::End {
            continue;
        }
        let mut less = records.clone();
        less.remove(i);
        let refused = history.replay(&bytes(&less));
        // Without the height before, the receipts of the one in question are not judged; what the watcher says itself
        // only has to be what execution gives.
        let harmless = matches!(record, Record::Before(_) | Record::Own(_));
        assert_eq!(refused.is_ok(), harmless, "without record {i}: {record:?}");
        let mut more = records.clone();
        more.insert(i, record.clone());
        let refused = history.replay(&bytes(&more));
        assert!(refused.is_err(), "twice record {i}: {record:?}");
    }
}

#[test]
fn w4_parts_in_another_order_show_nothing() {
    let (history, records) = evidence();
    for i in 1..records.len() - 1 {
        let mut tampered = records.clone();
        tampered.swap(i - 1, i);
        let refused = history.replay(&bytes(&tampered));
        assert!(refused.is_err(), "{i}: {:?}", records[i]);
    }
}

#[test]
fn w4_a_file_that_is_cut_or_goes_on_shows_nothing() {
    let (history, records) = evidence();
    let whole = bytes(&records);
    for end in (0..whole.len()).step_by(97) {
        assert!(history.replay(&whole[..end]).is_err(), "{end}");
    }
    let mut more = whole.clone();
    more.push(0);
    assert!(history.replay(&more).is_err());
    let mut long = whole[..16].to_vec();
    long.extend([7, 0xff, 0xff, 0xff, 0xff]);
    let refused = history.replay(&long).unwrap_err().to_string();
    assert!(refused.contains("more than"), "{refused}");
}

/// What a liar would leave out to have an honest quorum accused: the receipts that show that a transaction had been
/// taken.
#[test]
fn w4_receipts_that_are_left_out_are_missed() {
    let mut history = History::of_four_heights();
    history.certify();
    let again: Transaction = history.transfer(7);
    history.commit(vec![again], true);
    let accused = history.accused(|_| {});
    let whole = records(&history.evidence(&accused, 4));
    let no_receipts = whole.iter().filter(|r| !matches!(r, Record::Receipt(_)));
    let no_receipts: Vec<Record> = no_receipts.cloned().collect();
    let refused = history.replay(&bytes(&no_receipts)).unwrap_err();
    assert!(
        refused.to_string().contains("receipts of height"),
        "{refused}"
    );
    let no_window = no_receipts
        .iter()
        .filter(|r| !matches!(r, Record::Height(_)));
    let no_window: Vec<Record> = no_window.cloned().collect();
    let refused = history.replay(&bytes(&no_window)).unwrap_err();
    assert!(
        refused.to_string().contains("were taken up to height"),
        "{refused}"
    );
}

/// A committee that no certificate of the one before names is nobody's.
#[test]
fn w4_a_committee_is_named_by_the_one_before_it() {
    let (history, mut records) = evidence();
    let opened = weft_node::evidence::Opened {
        members: history.genesis.committee.clone(),
        by: history.accused(|s| s.epoch = Epoch::ZERO).to_json(),
    };
    let own = records.iter().position(|r| matches!(r, Record::Own(_)));
    records.insert(own.unwrap() + 1, Record::Epoch(opened));
    let refused = history.replay(&bytes(&records)).unwrap_err();
    assert!(
        refused.to_string().contains("committee of epoch 1"),
        "{refused}"
    );
}

/// The agreed state has to be certified by the same committees.
#[test]
fn w4_a_state_that_nobody_has_certified_is_no_ground() {
    let (history, mut records) = evidence();
    let agreed = records.iter().position(|r| matches!(r, Record::Agreed(_)));
    let agreed = agreed.unwrap();
    if let Record::Agreed(certificate) = &records[agreed] {
        records[agreed] = Record::Agreed(certify(&certificate.statement, &[0]));
    }
    let refused = history.replay(&bytes(&records)).unwrap_err();
    assert!(
        refused.to_string().contains("below the quorum"),
        "{refused}"
    );
}
