use super::*;

#[test]
fn a_pace_survives_its_text_and_what_is_none_is_refused() {
    let pace: Pace = "1.5s:12".parse().unwrap();
    assert_eq!((pace.block_ms, pace.depth), (1_500, 12));
    assert_eq!(pace.to_string().parse(), Ok(pace));
    for text in ["", "1s", "1s:", "1s:x", "4:1s", "x:4"] {
        let error = text.parse::<Pace>().unwrap_err().to_string();
        assert!(error.contains("such as 1s:4"), "{error}");
    }
}

/// What the chain shows: a checkpoint of a height that nobody has stated.
fn shown(height: u64) -> Option<Checkpoint> {
    (height > 0).then_some(Checkpoint {
        height: Height(height),
        statement: weft_types::StatementDigest([7; 32]),
        state_root: weft_types::Root([8; 32]),
        base_block: height,
    })
}

/// The rules that are broken by a chain that shows these, newest and newest final one, one after the other.
fn broken(rewound: bool, shows: &[(u64, u64)]) -> Vec<String> {
    let mut oracle = super::super::oracle::Oracle::new(4, 60);
    let mut watch = Watch::new(Pace::default());
    for (latest, finalised) in shows {
        let latest = (shown(*latest), shown(*finalised));
        watch.block(Time::default(), rewound, latest, &mut oracle);
    }
    let words = oracle.violations().iter().map(|v| v.what.clone());
    words.filter(|what| !what.contains("history")).collect()
}

#[test]
fn a_checkpoint_that_is_not_of_the_honest_history_is_noticed() {
    let mut oracle = super::super::oracle::Oracle::new(4, 60);
    let mut watch = Watch::new(Pace::default());
    watch.block(Time::default(), false, (shown(5), None), &mut oracle);
    let violations = oracle.violations();
    assert!(violations[0].what.contains("not of the honest history"));
}

#[test]
fn heights_that_go_back_are_noticed_unless_the_chain_was_reorganised() {
    assert!(broken(false, &[(4, 0), (5, 4), (5, 5)]).is_empty());
    assert_eq!(broken(false, &[(5, 0), (4, 0)]).len(), 1);
    assert!(broken(true, &[(5, 0), (4, 0)]).is_empty());
    assert_eq!(broken(true, &[(5, 5), (5, 4)]).len(), 1, "a final one");
}

/// Member 0 of four cannot post; a height is due from the start.
#[test]
fn a_due_height_is_late_when_all_turns_have_passed_and_only_while_nothing_changes() {
    let late_after = |change_at: Option<u64>| {
        let mut oracle = super::super::oracle::Oracle::new(4, 60);
        let mut watch = Watch::new(Pace::default());
        watch.due(Height(1), Time::default());
        (0..60_u64).find(|second| {
            let world = Watched {
                is_sound: true,
                members: 4,
                reorganisations: u32::from(change_at.is_some_and(|at| at <= *second)),
                able: vec![false, true, true, true],
            };
            watch.look(Time::millis(second * 1_000), world, &mut oracle);
            !oracle.violations().is_empty()
        })
    };
    // Three turns, the pauses, two blocks.
    assert_eq!(late_after(None), Some(20));
    assert_eq!(late_after(Some(10)), Some(30));
}
