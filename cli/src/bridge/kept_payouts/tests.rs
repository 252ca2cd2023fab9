use super::*;
use crate::bridge::kept::Retention;
use crate::bridge::kept::tests::{generation, kept};
use weft_types::Millis;

fn latch() -> Latch {
    Latch {
        tripped_at: Some(1_000),
        height: Height(7),
        opens_at: 0,
        window_s: 10,
        frozen_at: None,
        finality_delay_s: 1,
        now: 2_000,
    }
}

#[test]
fn k5_a_withdrawal_is_paid_by_the_newest_checkpoint_that_counts_and_has_it() {
    let all = [9, 8, 7, 6].map(|height| generation(height, false));
    let judged = |counting: [Counting; 4]| Judged {
        generations: all.iter().zip(counting).collect(),
        latch: latch(),
    };
    use Counting::{AfterLatch, Counts, Frozen, Pending};
    let by = judged([AfterLatch, Pending { until: 5 }, Counts, Counts]);
    let Proof::By(claim) = by.proof(1) else {
        panic!("it counts")
    };
    assert_eq!(claim.statement.height, Height(7));

    let later = judged([
        Pending { until: 9 },
        Pending { until: 5 },
        AfterLatch,
        Frozen,
    ]);
    let Proof::Later { height, until } = later.proof(1) else {
        panic!("it waits")
    };
    assert_eq!((height, until), (Height(8), 5), "what counts first");

    let lost = judged([AfterLatch, AfterLatch, AfterLatch, Frozen]);
    let Proof::Nothing(why) = lost.proof(1) else {
        panic!("nothing counts")
    };
    assert!(
        why.contains("9 came after the latch") && why.contains("6 was not over"),
        "{why}"
    );
    let Proof::Nothing(why) = by.proof(0) else {
        panic!("another account's")
    };
    assert_eq!(why, "the file has no withdrawal 0");
}

#[test]
fn k5_a_withdrawal_whose_proof_is_damaged_is_not_paid_by_it() {
    let good = generation(9, false);
    let mut json = serde_json::to_value(&good).unwrap();
    let amount = json.pointer_mut("/withdrawals/proven/0/asset/amount");
    *amount.unwrap() = 5.into();
    let damaged: Generation = serde_json::from_value(json).unwrap();
    assert_eq!(damaged.claim(1), None);
    assert!(damaged.proven(0).is_some(), "the other tree is another");
    let older = generation(8, false);
    let judged = Judged {
        generations: vec![(&damaged, Counting::Counts), (&older, Counting::Counts)],
        latch: latch(),
    };
    let Proof::By(claim) = judged.proof(1) else {
        panic!("the older one holds")
    };
    assert_eq!(claim.statement.height, Height(8));
}

#[tokio::test]
async fn k5_an_older_checkpoint_pays_where_the_newest_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.json");
    let all = Retention {
        most: 8,
        hold: Millis(1),
    };
    let mut file = kept(8, false);
    file.write(&path, all).unwrap();
    file = kept(9, false);
    file.write(&path, all).unwrap();
    let counting = async |statement: &Statement| match statement.height {
        Height(9) => Ok(Counting::AfterLatch),
        _ => Ok(Counting::Counts),
    };
    let judged = Judged::asking(&file, latch(), counting).await.unwrap();
    let Proof::By(claim) = judged.proof(1) else {
        panic!("the older one counts")
    };
    assert_eq!(claim.statement.height, Height(8));
}

#[test]
fn k5_of_a_whole_tree_only_what_is_for_the_recipient_is_wanted() {
    let whole = kept(9, true);
    let judged = Judged {
        generations: vec![(whole.newest(), Counting::Counts)],
        latch: latch(),
    };
    let wanted = |recipient| {
        let wanted = judged.wanted(&whole, BaseAddress([recipient; 20]));
        wanted.iter().map(|w| w.index).collect::<Vec<_>>()
    };
    assert_eq!(
        (wanted(1), wanted(2), wanted(9)),
        (vec![0], vec![1], vec![])
    );
}

#[test]
fn a_checkpoint_whose_deposits_are_not_the_vaults_is_told_of() {
    let refusal = |name: &str, arguments: &[(&str, &str)]| Refusal {
        name: name.to_owned(),
        arguments: arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let fewer = refusal("UnknownDeposit", &[("index", "2"), ("count", "1")]);
    let others = refusal("ForeignDeposits", &[("processed", "2")]);
    for (refusal, said) in [
        (fewer, "checkpoint 9 counts 2 deposits, and the vault has 1"),
        (
            others,
            "checkpoint 9 counts 2 deposits, and those of the vault are others",
        ),
    ] {
        assert!(refused_now(Height(9), &refusal).starts_with(said));
    }
    let early = refusal("TooEarly", &[("until", "7")]);
    assert!(refused_now(Height(9), &early).contains("with the next block"));
    let refuted = refusal("AlreadyRefuted", &[("index", "0"), ("height", "12")]);
    assert!(
        refused_now(Height(9), &refuted).starts_with("it was refuted already, by checkpoint 12")
    );
}
