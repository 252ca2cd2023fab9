use super::*;
use weft_types::testing::{certify, committee, network, statement};

/// Turns of 3 s, the alarm after 30 s, four members.
fn schedule() -> SubmitterSchedule {
    SubmitterSchedule::new(4, Millis(3_000), Millis(30_000)).unwrap()
}

fn first_turn(height: u64) -> MemberIndex {
    schedule().submitter(Height(height), 0)
}

/// A member that pays.
fn member(index: MemberIndex) -> Posting {
    Posting::new(Some(index), true, schedule(), Height::ZERO)
}

/// Certificates of these heights, each due since its height in seconds.
fn due(heights: &[u64]) -> Input {
    let mut unposted = Unposted::default();
    for height in heights {
        add(&mut unposted, *height);
    }
    Input::Due(unposted)
}

fn add(unposted: &mut Unposted, height: u64) {
    let certificate = certify(&statement(height), &[0, 1, 2]);
    let verified = certificate.verify(&network(), &committee(4)).unwrap();
    let due = Due {
        height: Height(height),
        since: Millis(height * 1_000),
    };
    unposted.add(Arc::new(verified), &[due]);
}

/// What follows from an input, in words.
fn handle(posting: &mut Posting, now: u64, input: Input) -> Vec<String> {
    let mut out = Vec::new();
    posting.handle(Millis(now), input, &mut out);
    let word = |effect: &Effect| match effect {
        Effect::Look => "look".to_owned(),
        Effect::Submit(certificate) => format!("submit {}", certificate.statement.height),
        Effect::Posted(seen) => format!("posted {} in {}", seen.height, seen.block),
        Effect::Anchored(seen) => format!("anchored {}", seen.height),
        Effect::Alarm(Missed {
            due, seen: true, ..
        }) => format!("alarm {}", due.height),
        Effect::Alarm(Missed { due, .. }) => format!("alarm {} unseen", due.height),
    };
    out.iter().map(word).collect()
}

/// The base chain has these as the newest and the newest final one, each in the block of its number.
fn seen(posted: u64, finalised: u64) -> Input {
    let at = |height| Seen {
        height: Height(height),
        block: height,
    };
    Input::Seen {
        posted: at(posted),
        finalised: at(finalised),
    }
}

fn deadline(posting: &Posting) -> Option<u64> {
    posting.next_deadline().map(|at| at.0)
}

#[test]
fn b2_the_first_turns_member_posts_as_soon_as_a_height_is_due() {
    let mut posting = member(first_turn(40));
    assert_eq!(handle(&mut posting, 40_300, due(&[40])), ["look"]);
    assert_eq!(handle(&mut posting, 40_350, seen(0, 0)), ["submit 40"]);
    let block = Seen {
        height: Height(40),
        block: 7,
    };
    assert!(handle(&mut posting, 41_000, Input::Posted(block)).is_empty());
    assert_eq!(deadline(&posting), Some(42_000));
}

#[test]
fn b2_the_others_watch_and_take_over_turn_by_turn() {
    for turn in 1..8 {
        let mut posting = member(schedule().submitter(Height(40), turn));
        handle(&mut posting, 40_300, due(&[40]));
        let mut now = 40_300;
        let mut submitted = None;
        while submitted.is_none() {
            assert!(now < 70_000);
            if handle(&mut posting, now, seen(0, 0)) == ["submit 40"] {
                submitted = Some(now);
                break;
            }
            now = deadline(&posting).unwrap();
            assert_eq!(handle(&mut posting, now, Input::Tick), ["look"]);
        }
        let expected = 40_000 + (turn % 4) * 3_000;
        assert_eq!(submitted, Some(expected.max(40_300)), "turn {turn}");
    }
}

#[test]
fn b2_turns_count_from_the_oldest_height_and_the_newest_certificate_is_posted() {
    // Turn 2 of height 40; newer heights have become due since, whose first turns are others'.
    let mut posting = member(schedule().submitter(Height(40), 2));
    handle(&mut posting, 46_000, due(&[40, 45, 46]));
    assert_eq!(handle(&mut posting, 46_100, seen(0, 0)), ["submit 46"]);
}

#[test]
fn b2_what_a_later_checkpoint_covers_is_not_posted() {
    let mut posting = member(first_turn(40));
    handle(&mut posting, 40_300, due(&[40]));
    let told = handle(&mut posting, 40_350, seen(41, 0));
    assert_eq!(told, ["posted 41 in 41"]);
    handle(&mut posting, 41_350, Input::Tick);
    let told = handle(&mut posting, 41_400, seen(41, 41));
    assert_eq!(told, ["anchored 41"]);
    // F4: what others post it looks at while it rests.
    assert_eq!(deadline(&posting), Some(41_400 + REST_INTERVAL.0));
    assert_eq!(handle(&mut posting, 46_400, Input::Tick), ["look"]);
}

#[test]
fn b2_a_member_that_cannot_pay_and_an_observer_only_watch() {
    let own = Some(first_turn(40));
    for (own, alarms) in [(own, true), (None, false)] {
        let mut posting = Posting::new(own, false, schedule(), Height::ZERO);
        handle(&mut posting, 40_300, due(&[40]));
        assert!(handle(&mut posting, 40_350, seen(0, 0)).is_empty());
        handle(&mut posting, 70_500, Input::Tick);
        let told = handle(&mut posting, 70_500, seen(0, 0));
        assert!(told.is_empty() && alarms == posting.alarmed.is_some());
    }
}

#[test]
fn b2_the_alarm_is_for_the_oldest_height_and_at_growing_pauses_even_if_newer_ones_are_due_and_nothing_answers()
 {
    let mut posting = member(MemberIndex(0));
    handle(&mut posting, 40_300, due(&[40]));
    handle(&mut posting, 40_350, seen(39, 39));
    let mut heights = vec![40];
    let mut alarms = Vec::new();
    for now in (41_000..400_000).step_by(500) {
        let input = match now % 5_000 {
            0 => {
                heights.push(now / 1_000);
                due(&heights)
            }
            _ if posting.step == Step::Asking => Input::Unreachable,
            _ => Input::Tick,
        };
        let told = handle(&mut posting, now, input);
        let alarm = told.into_iter().filter(|t| t.starts_with("alarm"));
        alarms.extend(alarm.map(|alarm| (now, alarm)));
    }
    let at = [70_000, 100_000, 160_000, 280_000];
    assert_eq!(alarms, at.map(|at| (at, "alarm 40".to_owned())));
}

#[test]
fn b2_pauses_between_alarms_have_an_end_and_the_next_height_begins_anew() {
    let mut posting = member(MemberIndex(0));
    handle(&mut posting, 40_300, due(&[40]));
    handle(&mut posting, 40_350, seen(39, 39));
    let mut alarms = Vec::new();
    for now in (70_000..20_000_000).step_by(10_000) {
        posting.step = Step::Asking;
        if handle(&mut posting, now, Input::Tick) == ["alarm 40"] {
            alarms.push(now);
        }
    }
    let pauses: Vec<u64> = alarms.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(pauses[..3], [30_000, 60_000, 120_000]);
    assert_eq!(pauses.last(), Some(&ALARM_PAUSE_MAX.0));
    assert!(pauses.iter().all(|pause| *pause <= ALARM_PAUSE_MAX.0));

    handle(&mut posting, 20_000_000, seen(40, 40));
    assert_eq!(posting.missed(Millis(20_000_000)), None);
    handle(&mut posting, 20_000_000, due(&[20_000]));
    posting.step = Step::Asking;
    assert!(handle(&mut posting, 20_029_999, Input::Tick).is_empty());
    assert_eq!(posting.missed(Millis(20_029_999)), None);
    let told = handle(&mut posting, 20_030_000, Input::Tick);
    assert_eq!(told, ["alarm 20000"]);
    let missed = posting.missed(Millis(20_030_000)).unwrap();
    assert_eq!((missed.due.height, missed.before), (Height(20_000), 1));
}

#[test]
fn b2_a_base_chain_that_is_away_from_the_start_is_an_alarm_after_a_deadline_of_its_own() {
    // The height's own deadline is over at the start.
    let mut posting = member(MemberIndex(0));
    handle(&mut posting, 90_000, due(&[40]));
    assert!(handle(&mut posting, 90_500, Input::Unreachable).is_empty());
    assert_eq!(deadline(&posting), Some(91_500), "only the next look");
    posting.step = Step::Asking;
    assert!(handle(&mut posting, 119_999, Input::Tick).is_empty());
    let told = handle(&mut posting, 120_000, Input::Tick);
    assert_eq!(told, ["alarm 40 unseen"]);
    assert!(!posting.missed(Millis(120_000)).unwrap().seen);
    // What is found there at last ends it.
    assert_eq!(
        handle(&mut posting, 121_000, seen(40, 0)),
        ["posted 40 in 40"]
    );
    assert_eq!(posting.missed(Millis(200_000)), None);
}

#[test]
fn b2_what_is_known_to_be_final_is_not_missed_by_who_cannot_look() {
    let mut posting = Posting::new(Some(MemberIndex(0)), true, schedule(), Height(40));
    handle(&mut posting, 90_000, due(&[40]));
    posting.step = Step::Asking;
    assert!(handle(&mut posting, 200_000, Input::Tick).is_empty());
    assert_eq!(posting.missed(Millis(200_000)), None);
}

#[test]
fn b2_a_reorganisation_that_takes_a_checkpoint_away_is_noticed_and_it_is_posted_again() {
    let mut posting = member(first_turn(40));
    handle(&mut posting, 40_300, due(&[40]));
    handle(&mut posting, 40_350, seen(0, 0));
    let block = Seen {
        height: Height(40),
        block: 40,
    };
    handle(&mut posting, 41_000, Input::Posted(block));
    handle(&mut posting, 42_000, Input::Tick);
    assert!(handle(&mut posting, 42_100, seen(40, 35)) == ["anchored 35"]);
    // The block is gone. The order has moved on by then, and comes round again.
    let mut now = deadline(&posting).unwrap();
    let mut told = handle(&mut posting, now, Input::Tick);
    while told != ["submit 40"] {
        assert!(now < 53_000);
        told = handle(&mut posting, now, seen(35, 35));
        if told.iter().all(|t| !t.starts_with("submit")) {
            now = deadline(&posting).unwrap();
            handle(&mut posting, now, Input::Tick);
        }
    }
    assert_eq!(
        schedule().submitter(Height(40), (now - 40_000) / 3_000),
        first_turn(40)
    );
}

#[test]
fn b2_what_is_anchored_is_never_taken_back_and_never_told_twice() {
    let mut posting = member(MemberIndex(0));
    handle(&mut posting, 40_300, due(&[40]));
    let told = handle(&mut posting, 40_350, seen(40, 40));
    assert_eq!(told, ["posted 40 in 40", "anchored 40"]);
    for (posted, finalised) in [(40, 40), (40, 0), (0, 0), (40, 39)] {
        handle(&mut posting, 50_000, due(&[40]));
        let told = handle(&mut posting, 50_000, seen(posted, finalised));
        assert!(told.iter().all(|t| !t.starts_with("anchored")), "{told:?}");
        assert_eq!(posting.anchored, Height(40));
    }
}

#[test]
fn b2_pauses_after_failures_grow_to_a_bound_and_an_answer_ends_them() {
    let mut posting = member(MemberIndex(0));
    let mut pauses = Vec::new();
    handle(&mut posting, 0, Input::Tick);
    for _ in 0..200 {
        handle(&mut posting, 1_000, Input::Unreachable);
        pauses.push(deadline(&posting).unwrap() - 1_000);
        handle(&mut posting, 10_000, Input::Tick);
    }
    assert_eq!(pauses[..5], [1_000, 2_000, 4_000, 5_000, 5_000]);
    assert_eq!(pauses.last(), Some(&5_000));
    handle(&mut posting, 10_000, seen(3, 0));
    handle(&mut posting, 11_000, Input::Tick);
    handle(&mut posting, 11_000, Input::Refused);
    assert_eq!(deadline(&posting), Some(12_000));
}

#[test]
fn b2_one_question_is_under_way_at_a_time_and_more_signers_ask_none() {
    let mut posting = member(MemberIndex(0));
    assert_eq!(handle(&mut posting, 0, Input::Tick), ["look"]);
    assert!(
        handle(&mut posting, 10, due(&[1])).is_empty(),
        "it is asking"
    );
    assert!(handle(&mut posting, 20, Input::Tick).is_empty());
    handle(&mut posting, 30, seen(1, 0));
    assert!(
        handle(&mut posting, 40, due(&[1])).is_empty(),
        "nothing new"
    );
    assert_eq!(handle(&mut posting, 50, due(&[1, 2])), ["look"]);
}

#[test]
fn b2_a_restart_asks_and_rests_when_its_newest_certificate_is_final() {
    let mut posting = Posting::new(Some(MemberIndex(0)), true, schedule(), Height(40));
    assert_eq!(handle(&mut posting, 99_000, due(&[40])), ["look"]);
    let told = handle(&mut posting, 99_100, seen(40, 40));
    let rests = Some(99_100 + REST_INTERVAL.0);
    assert_eq!((told.len(), deadline(&posting)), (1, rests), "{told:?}");
}

#[test]
fn b2_a_restart_finds_the_due_height_below_its_newest_certificate() {
    // Heights 1 to 9, one a second; intervals of 5 s begin with height 5.
    let at = |height: u64| weft_types::Statement {
        timestamp: Millis(height * 1_000),
        ..statement(height)
    };
    let certificate = |height| {
        let certificate = certify(&at(height), &[0, 1, 2]);
        Some(Arc::new(
            certificate.verify(&network(), &committee(4)).unwrap(),
        ))
    };
    let found = |newest, from: u64| {
        let read = |height: Height| {
            let known = (from..=newest).contains(&height.0);
            Ok::<_, ()>(known.then(|| at(height.0)))
        };
        let unposted = Unposted::at_restart(certificate(newest), Millis(5_000), read).unwrap();
        unposted.first_above(Height::ZERO).map(|due| due.height.0)
    };
    assert_eq!(found(8, 1), Some(5));
    assert_eq!(found(5, 1), Some(5));
    assert_eq!(found(3, 1), Some(1), "height 1 is due");
    assert_eq!(found(8, 7), Some(7), "no older statement is on the disk");
    let none = Unposted::at_restart(None, Millis(5_000), |_| Ok::<_, ()>(None));
    assert!(none.unwrap().certificate.is_none());
}

#[test]
fn b2_due_heights_are_bounded_and_extreme_heights_end_nothing() {
    let mut unposted = Unposted::default();
    add(&mut unposted, 9_000);
    let newest = unposted.certificate.clone().unwrap();
    for height in 1..=2 * DUE_HEIGHTS_MAX as u64 {
        let due = Due {
            height: Height(height),
            since: Millis(height),
        };
        unposted.add(newest.clone(), &[due]);
    }
    assert_eq!(unposted.heights.len(), DUE_HEIGHTS_MAX);
    let mut posting = member(MemberIndex(0));
    handle(&mut posting, u64::MAX, Input::Due(unposted));
    let told = handle(&mut posting, u64::MAX, seen(u64::MAX, u64::MAX));
    assert_eq!(told.len(), 2);
}
