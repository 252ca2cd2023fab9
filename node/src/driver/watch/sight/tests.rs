use super::*;

const WINDOW: Duration = Duration::from_secs(40);

fn answered(at: Instant) -> Seen {
    let answer = Answer {
        at,
        time: 1,
        read: 9,
    };
    Seen {
        answer: Some(answer),
        error: None,
    }
}

fn failed(before: &Seen) -> Seen {
    Seen {
        error: Some("refused".to_owned()),
        ..before.clone()
    }
}

#[test]
fn w7_a_base_chain_that_never_answers_is_told_once_by_half_of_the_window() {
    let start = Instant::now();
    let mut sight = Sight::new(WINDOW, start);
    assert_eq!(sight.looked(failed(&Seen::default())), None);
    assert_eq!(sight.deadline(), Some(start + WINDOW / 2));
    assert_eq!(
        sight.due(start + WINDOW / 2 - Duration::from_millis(1)),
        None
    );
    assert_eq!(sight.due(start + WINDOW / 2), Some(Change::Lost));
    assert!(sight.is_unseen() && sight.is_lost());
    assert_eq!((sight.deadline(), sight.due(start + WINDOW)), (None, None));
    let shown = sight.to_string();
    assert!(shown.contains("never answered: BLIND"), "{shown}");

    let found = sight.looked(answered(start + WINDOW));
    assert_eq!(found, Some(Change::Found { was_told: true }));
    assert!(!sight.is_lost());
}

#[test]
fn w7_one_that_goes_away_is_told_each_time() {
    let mut now = Instant::now();
    let mut sight = Sight::new(WINDOW, now);
    let found = sight.looked(answered(now));
    assert_eq!(found, Some(Change::Found { was_told: false }));
    for _ in 0..2 {
        now += Duration::from_secs(1);
        let seen = answered(now);
        assert_eq!(sight.looked(seen.clone()), None);
        // A failed look is none.
        assert_eq!(sight.looked(failed(&seen)), None);
        assert_eq!(sight.deadline(), Some(now + WINDOW / 2));
        now += WINDOW;
        assert_eq!(sight.due(now), Some(Change::Lost));
        assert!(!sight.is_unseen());
        let found = sight.looked(answered(now));
        assert_eq!(found, Some(Change::Found { was_told: true }));
    }
}

#[test]
fn w7_the_patience_has_bounds_whatever_the_window() {
    let now = Instant::now();
    for (window, patience) in [(0, SILENT_MIN), (2_592_000, SILENT_MAX)] {
        let sight = Sight::new(Duration::from_secs(window), now);
        assert_eq!(sight.deadline(), Some(now + patience));
    }
}
