use super::*;

const DUE: Millis = Millis(10_000);

fn schedule(members: usize) -> SubmitterSchedule {
    SubmitterSchedule::new(members, Millis(2_000), Millis(7_000)).unwrap()
}

/// The members whose duty it is to submit.
fn on_duty(members: u32, height: u64, now: u64) -> Vec<u32> {
    let schedule = schedule(members as usize);
    let duty = |m| schedule.duty(MemberIndex(m), Height(height), DUE, Millis(now));
    (0..members).filter(|m| duty(*m).submit).collect()
}

#[test]
fn exactly_one_member_is_on_duty_at_any_time_and_all_have_their_turn() {
    for height in 1..50 {
        let turns: Vec<u32> = (0..4)
            .map(|turn| {
                let start = on_duty(4, height, 10_000 + turn * 2_000);
                assert_eq!(start, on_duty(4, height, 10_000 + turn * 2_000 + 1_999));
                assert_eq!(start.len(), 1);
                start[0]
            })
            .collect();
        let mut all = turns.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        assert_eq!(on_duty(4, height, 18_000), [turns[0]], "round again");
    }
}

#[test]
fn nobody_is_on_duty_before_the_height_is_due() {
    assert_eq!(on_duty(4, 1, 9_999), [0; 0]);
    let duty = schedule(4).duty(MemberIndex(0), Height(1), DUE, Millis(3));
    assert_eq!(duty.until, DUE);
}

#[test]
fn the_first_turns_are_spread_even_over_heights_with_a_common_factor() {
    for stride in [1, 4, 20, 240] {
        let mut turns = [0; 4];
        for i in 1..=400 {
            let first = schedule(4).submitter(Height(i * stride), 0);
            turns[first.as_usize()] += 1;
        }
        assert!(
            turns.iter().all(|n| (70..=130).contains(n)),
            "{stride}: {turns:?}"
        );
    }
}

#[test]
fn the_alarm_is_raised_at_the_deadline_and_stays() {
    let duty = |now| schedule(4).duty(MemberIndex(0), Height(1), DUE, Millis(now));
    assert!(!duty(16_999).alarm);
    assert!(duty(17_000).alarm && duty(1_000_000).alarm);
}

#[test]
fn a_duty_changes_no_earlier_than_it_says() {
    let schedule = schedule(3);
    for start in 9_000..26_000 {
        let duty = |now| schedule.duty(MemberIndex(1), Height(9), DUE, Millis(now));
        let now = duty(start);
        assert!(now.until.0 > start);
        let last = duty(now.until.0 - 1);
        assert_eq!(
            (now.submit, now.alarm),
            (last.submit, last.alarm),
            "at {start}"
        );
    }
}

#[test]
fn extreme_times_do_not_overflow() {
    let schedule = schedule(128);
    for (due, now) in [(0, u64::MAX), (u64::MAX, u64::MAX), (u64::MAX, 0)] {
        let duty = schedule.duty(MemberIndex(0), Height(u64::MAX), Millis(due), Millis(now));
        assert!(duty.until >= Millis(due.min(now)));
    }
}

#[test]
fn a_schedule_without_members_or_time_is_refused() {
    let new = |members, turn| SubmitterSchedule::new(members, Millis(turn), Millis(1));
    assert_eq!(new(0, 1), Err(ScheduleError::NoMembers));
    assert_eq!(new(1, 0), Err(ScheduleError::NoTime));
}
