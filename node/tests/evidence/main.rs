//! W3, W4: what evidence shows, and that nothing shows it that was changed.

mod history;
mod tampered;

use history::History;
use weft_node::evidence::{Case, Verdict, replay, write};
use weft_types::testing::certify;
use weft_types::{CommitDigest, CommitIndex, CommitteeDigest, Height, Millis, Root, Statement};

fn fields(verdict: &Verdict) -> Vec<&'static str> {
    match verdict {
        Verdict::False { fields } => fields.iter().map(|d| d.field).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn w4_a_false_state_root_is_shown_by_executing_again() {
    let history = History::of_four_heights();
    let accused = history.accused(|s| s.state_root = Root([7; 32]));
    let report = history.replay(&history.evidence(&accused, 3)).unwrap();
    assert_eq!(fields(&report.verdict), ["state_root"]);
    assert_eq!((report.agreed, report.height), (Height(3), Height(4)));
    assert_eq!((report.commits, report.transactions), (2, 2));
    assert_eq!(report.signers, [2, 3, 4]);
    assert!(!report.changed.is_empty());
}

#[test]
fn w4_a_true_certificate_is_not_shown_to_be_false() {
    let history = History::of_four_heights();
    let accused = history.accused(|_| {});
    for agreed in [0, 1, 2, 3] {
        let report = history.replay(&history.evidence(&accused, agreed)).unwrap();
        assert_eq!(report.verdict, Verdict::True, "from height {agreed}");
    }
}

#[test]
fn w4_each_field_of_a_statement_is_judged() {
    type Change = fn(&mut Statement);
    let changes: [(&str, Change); 11] = [
        ("timestamp", |s| s.timestamp = Millis(s.timestamp.0 + 1)),
        ("state_root", |s| s.state_root = Root([1; 32])),
        ("receipts_root", |s| s.receipts_root = Root([1; 32])),
        ("offenders_root", |s| s.offenders_root = Root([1; 32])),
        ("withdrawals_root", |s| s.withdrawals_root = Root([1; 32])),
        ("exit_root", |s| s.exit_root = Root([1; 32])),
        ("deposits_processed", |s| s.deposits_processed += 1),
        ("deposits_digest", |s| s.deposits_digest = Root([1; 32])),
        ("registry_cursor", |s| s.registry_cursor += 1),
        ("next_committee", |s| {
            s.next_committee = CommitteeDigest([1; 32]);
        }),
        ("commit", |s| s.commit = CommitIndex(6)),
    ];
    let history = History::of_four_heights();
    for (field, change) in changes {
        let accused = history.accused(change);
        // From the height before, from further back, and from the genesis.
        for agreed in [3, 1, 0] {
            if (field, agreed) == ("commit", 1) || (field, agreed) == ("commit", 0) {
                continue;
            }
            let report = history.replay(&history.evidence(&accused, agreed)).unwrap();
            assert_eq!(fields(&report.verdict), [field], "from height {agreed}");
        }
    }
}

#[test]
fn w4_what_was_ordered_is_not_decided_by_execution() {
    let history = History::of_four_heights();
    let accused = history.accused(|s| s.commit_digest = CommitDigest([1; 32]));
    let report = history.replay(&history.evidence(&accused, 3)).unwrap();
    let undecided = matches!(report.verdict, Verdict::Undecided { .. });
    assert!(undecided, "{:?}", report.verdict);
}

#[test]
fn w4_a_height_has_a_commit_of_its_own() {
    let history = History::of_four_heights();
    let accused = history.accused(|s| s.height = Height(1_000));
    let report = history.replay(&history.evidence(&accused, 3)).unwrap();
    assert_eq!(fields(&report.verdict), ["commit"]);
}

#[test]
fn w4_two_certificates_of_one_height_are_enough() {
    let mut history = History::of_four_heights();
    history.certify();
    let accused = history.accused(|s| s.state_root = Root([7; 32]));
    let rival = &history.views[3].certificate;
    let case = Case {
        accused: &accused,
        rival: Some(rival),
        own: Some(&rival.statement),
        agreed: None,
    };
    let evidence = write(Vec::new(), &history.genesis, &history.store, &case).unwrap();
    let report = replay(&evidence[..], &history.genesis).unwrap();
    let conflict = Verdict::Conflict {
        rival: rival.statement.digest(),
        signed_both: vec![2, 3],
    };
    assert_eq!(report.verdict, conflict);

    let same = Case {
        accused: rival,
        ..case
    };
    let evidence = write(Vec::new(), &history.genesis, &history.store, &same).unwrap();
    assert!(replay(&evidence[..], &history.genesis).is_err());
}

/// A quorum that takes a transaction twice is shown to, and one that does not is not accused of it.
#[test]
fn w3_the_receipts_show_which_transactions_had_been_taken() {
    let mut history = History::of_four_heights();
    history.certify();
    let again = history.transfer(7);
    history.commit(vec![again], true);
    let accused = history.accused(|_| {});
    let report = history.replay(&history.evidence(&accused, 4)).unwrap();
    assert_eq!(report.verdict, Verdict::True);
    assert_eq!(report.transactions, 0, "it had its outcome before");
}

#[test]
fn w3_a_store_that_lacks_a_height_s_certificate_makes_no_evidence_from_there() {
    let mut history = History::new();
    for n in 0..3 {
        history.commit(vec![history.transfer(n)], true);
        if n != 1 {
            history.certify();
        }
    }
    let accused = history.accused(|s| s.state_root = Root([7; 32]));
    let case = Case {
        accused: &accused,
        rival: None,
        own: history.statement.as_ref(),
        agreed: history.views.last(),
    };
    let failed = write(Vec::new(), &history.genesis, &history.store, &case);
    let failed = failed.unwrap_err().to_string();
    assert_eq!(failed, "the store lacks a certificate of height 2 itself");
}

#[test]
fn w4_a_certificate_that_is_no_quorum_s_accuses_nobody() {
    let history = History::of_four_heights();
    let mut statement = history.statement.clone().unwrap();
    statement.state_root = Root([7; 32]);
    let accused = certify(&statement, &[1, 2]);
    let refused = history.replay(&history.evidence(&accused, 3)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("accused certificate of height 4"), "{text}");
    assert!(text.contains("below the quorum"), "{text}");
}

/// Its disk or its memory is at fault, and nobody else.
#[test]
fn w4_a_watcher_that_was_wrong_is_told_so() {
    let history = History::of_four_heights();
    let accused = history.accused(|_| {});
    let mut own = history.statement.clone().unwrap();
    own.state_root = Root([9; 32]);
    let case = Case {
        accused: &accused,
        rival: None,
        own: Some(&own),
        agreed: history.views.last(),
    };
    let evidence = write(Vec::new(), &history.genesis, &history.store, &case).unwrap();
    let report = replay(&evidence[..], &history.genesis).unwrap();
    assert_eq!(report.verdict, Verdict::True);
}
