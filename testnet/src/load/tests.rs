use super::*;
use weft_types::testing::network;
use weft_types::{Epoch, Height, Millis, Root, Round};

fn status(name: &str, height: u64, root: u8) -> NodeStatus {
    NodeStatus {
        name: name.to_owned(),
        version: String::new(),
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(9),
        commit: CommitIndex(7),
        timestamp: Millis(1),
        height: Height(height),
        state_root: Root([root; 32]),
        certified_height: Height(height),
        anchored_height: Height::ZERO,
        checkpoint_missed: None,
        peers: 3,
        member: None,
        voting: true,
        why_not_voting: None,
        history_from: CommitIndex::ZERO,
        accepting: true,
        why_not_accepting: None,
        rss_mb: 1,
        uptime_s: 1,
    }
}

fn options(rate: Rate, seconds: u64) -> LoadOptions {
    LoadOptions {
        rate,
        duration: Duration::from_secs(seconds),
        mix: Mix::Transfer,
        collection: None,
    }
}

#[test]
fn nodes_agree_differ_or_are_not_there_yet() {
    let equal = compare(&[status("a", 5, 1), status("b", 5, 1)]);
    assert!(
        matches!(equal, Agreement::Equal { height: 5, .. }),
        "{equal:?}"
    );
    let behind = compare(&[status("a", 5, 1), status("b", 4, 2)]);
    assert!(matches!(behind, Agreement::Unknown(_)), "{behind:?}");
    assert!(matches!(compare(&[]), Agreement::Unknown(_)));
    let Agreement::Different(words) =
        compare(&[status("a", 6, 1), status("b", 5, 2), status("c", 5, 3)])
    else {
        panic!("b and c differ");
    };
    assert!(
        words.contains("b has 0202") && words.contains("c has 0303"),
        "{words}"
    );
}

#[test]
fn loads_out_of_bounds_are_refused_with_the_bound() {
    let refused = |options: LoadOptions| options.check().unwrap_err().to_string();
    assert!(refused(options(Rate::PerSecond(1), 0)).contains("1 s to 900 s"));
    assert!(refused(options(Rate::Max, 421)).contains("420"));
    assert!(refused(options(Rate::PerSecond(0), 5)).contains("1 a second"));
    let many = refused(options(Rate::PerSecond(1_000_000), 30));
    assert!(
        many.contains("30000000") && many.contains("2000000"),
        "{many}"
    );
    let of = |mix| LoadOptions {
        mix,
        collection: Some(CollectionId::ZERO),
        ..options(Rate::PerSecond(1_000), 30)
    };
    assert!(refused(of(Mix::Redeem)).contains("redeem trades no collection"));
    assert!(of(Mix::Steve).check().is_ok());
}

#[test]
fn times_of_the_plan_count_from_the_start() {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let signed = |after| Signed {
        id: Default::default(),
        bytes: bytes::Bytes::new(),
        valid_until: Millis(now.as_millis() as u64 + 60_000),
        after,
    };
    let plan = planned(&[signed(vec![]), signed(vec![0])], Duration::from_millis(3));
    assert_eq!((plan[0].intended, plan[1].intended), (0, 3_000));
    assert_eq!(plan[1].after, [0]);
    assert!(
        (59_000_000..=60_000_000).contains(&plan[0].expires),
        "{}",
        plan[0].expires
    );
}

#[test]
fn mixes_have_names() {
    for mix in Mix::ALL {
        assert_eq!(mix.to_string().parse(), Ok(mix));
    }
    assert!(
        "theatre"
            .parse::<Mix>()
            .unwrap_err()
            .to_string()
            .contains("market")
    );
}
