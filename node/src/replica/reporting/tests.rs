use super::*;

const FROM: Millis = Millis(90_000);

fn case(id: u64) -> Case {
    Case::Equivocation { id }
}

/// The member of four that has a turn for a case, counted from 0.
fn place(id: u64, turn: u64) -> MemberIndex {
    super::super::posting::schedule(4).submitter(Height(id), turn)
}

fn member(id: u64, turn: u64) -> Reporting {
    Reporting::new(Some(place(id, turn)), 4, true)
}

fn handle(reporting: &mut Reporting, now: u64, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    reporting.handle(Millis(now), input, &mut out);
    out
}

fn known(ids: &[u64]) -> Input {
    Input::Known(ids.iter().map(|id| case(*id)).collect())
}

fn seen(id: u64, standing: Standing) -> Input {
    Input::Seen(vec![(case(id), standing)])
}

fn open(id: u64) -> Input {
    seen(id, Standing::Open { from: Some(FROM) })
}

/// Looks as often as it wants to, at a case that stays as it is; when it is reported, if it is before a time.
fn reported(
    reporting: &mut Reporting,
    mut now: u64,
    standing: Standing,
    until: u64,
) -> Option<u64> {
    assert_eq!(
        handle(reporting, now, known(&[3])),
        [Effect::Look(vec![case(3)])]
    );
    while now < until {
        if handle(reporting, now, seen(3, standing)) == [Effect::Report(case(3))] {
            return Some(now);
        }
        now = reporting.next_deadline()?.0;
        assert_eq!(
            handle(reporting, now, Input::Tick),
            [Effect::Look(vec![case(3)])]
        );
    }
    None
}

#[test]
fn bc20_members_show_a_case_by_turns_from_when_it_can_be_shown() {
    for turn in 0..4 {
        let standing = Standing::Open { from: Some(FROM) };
        let mut reporting = member(3, turn);
        let at = reported(&mut reporting, FROM.0, standing, FROM.0 + 60_000);
        assert_eq!(at, Some(FROM.0 + turn * TURN.0), "turn {turn}");
    }
}

/// Of members that look at one registry: who has shown the case, by its turn, and when. Some die while they show it, so that
/// nobody sees their report.
fn shown_by(dying: &[u64]) -> Vec<(u64, u64)> {
    let mut members: Vec<_> = (0..4).map(|turn| (turn, member(3, turn))).collect();
    let mut shown = Vec::new();
    for now in (FROM.0..FROM.0 + 60_000).step_by(100) {
        members.retain_mut(|(turn, member)| {
            let due = member.next_deadline().is_some_and(|at| at.0 <= now);
            let mut out = match now == FROM.0 {
                true => handle(member, now, known(&[3])),
                false if due => handle(member, now, Input::Tick),
                false => Vec::new(),
            };
            while let Some(effect) = out.pop() {
                let answer = match effect {
                    Effect::Look(_) if shown.is_empty() => open(3),
                    Effect::Look(_) => seen(3, Standing::Judged { is_final: true }),
                    Effect::Report(_) if dying.contains(turn) => return false,
                    Effect::Report(case) => {
                        shown.push((*turn, now));
                        Input::Reported(case)
                    }
                };
                out = handle(member, now, answer);
            }
            true
        });
    }
    shown
}

#[test]
fn bc20_the_bond_is_taken_once_though_those_whose_turn_it_is_die() {
    for dead in 0..4 {
        let dying: Vec<u64> = (0..dead).collect();
        let next = (dead, FROM.0 + dead * TURN.0);
        assert_eq!(shown_by(&dying), [next], "{dead} have died");
    }
    assert!(shown_by(&[0, 1, 2, 3]).is_empty());
}

#[test]
fn an_observer_that_pays_shows_what_no_member_has() {
    let standing = Standing::Open { from: Some(FROM) };
    let mut observer = Reporting::new(None, 4, true);
    let at = reported(&mut observer, FROM.0, standing, FROM.0 + 60_000);
    assert_eq!(at, Some(FROM.0 + 4 * TURN.0));
    let mut poor = Reporting::new(Some(place(3, 0)), 4, false);
    assert_eq!(reported(&mut poor, FROM.0, standing, FROM.0 + 60_000), None);
}

#[test]
fn nothing_is_sent_before_a_checkpoint_has_it_or_for_a_bond_that_is_gone() {
    let judged = Standing::Judged { is_final: false };
    for standing in [Standing::Hidden, judged] {
        let mut reporting = member(3, 0);
        assert_eq!(
            reported(&mut reporting, FROM.0, standing, FROM.0 + 60_000),
            None
        );
        handle(&mut reporting, FROM.0 + 60_000, seen(3, standing));
        assert!(reporting.next_deadline().is_some(), "it goes on looking");
    }
}

#[test]
fn what_is_judged_for_good_is_asked_for_no_more() {
    let mut reporting = member(3, 0);
    handle(&mut reporting, FROM.0, known(&[3]));
    let judged = Standing::Judged { is_final: true };
    assert!(handle(&mut reporting, FROM.0, seen(3, judged)).is_empty());
    assert_eq!(reporting.next_deadline(), None);
    assert!(handle(&mut reporting, FROM.0 + 1, known(&[3])).is_empty());
}

#[test]
fn after_a_report_it_looks_and_a_reorganisation_makes_the_case_due_again() {
    let mut reporting = member(3, 0);
    handle(&mut reporting, FROM.0, known(&[3]));
    assert_eq!(
        handle(&mut reporting, FROM.0, open(3)),
        [Effect::Report(case(3))]
    );
    let mut now = FROM.0 + 500;
    assert!(handle(&mut reporting, now, Input::Reported(case(3))).is_empty());
    now = reporting.next_deadline().unwrap().0;
    assert_eq!(
        handle(&mut reporting, now, Input::Tick),
        [Effect::Look(vec![case(3)])]
    );
    let judged = Standing::Judged { is_final: false };
    assert!(handle(&mut reporting, now, seen(3, judged)).is_empty());
    // Taken back: shown again when the own turn comes.
    now = reporting.next_deadline().unwrap().0;
    while handle(&mut reporting, now, Input::Tick) == [Effect::Look(vec![case(3)])] {
        if handle(&mut reporting, now, open(3)) == [Effect::Report(case(3))] {
            return;
        }
        now = reporting.next_deadline().unwrap().0;
        assert!(now < FROM.0 + 60_000);
    }
    panic!("it is not shown again");
}

#[test]
fn a_refused_case_waits_longer_each_time_and_holds_no_other_up() {
    let mut reporting = Reporting::new(None, 4, true);
    handle(&mut reporting, 0, known(&[3, 5]));
    let both = || {
        Input::Seen(vec![
            (
                case(3),
                Standing::Open {
                    from: Some(Millis(0)),
                },
            ),
            (
                case(5),
                Standing::Open {
                    from: Some(Millis(0)),
                },
            ),
        ])
    };
    let mut now = 4 * TURN.0;
    let (mut refused, mut others) = (Vec::new(), 0);
    while refused.len() < 9 {
        match handle(&mut reporting, now, both()).as_slice() {
            [Effect::Report(Case::Equivocation { id: 3 })] => {
                refused.push(now);
                handle(&mut reporting, now, Input::Refused(case(3)));
            }
            [Effect::Report(_)] => {
                others += 1;
                handle(&mut reporting, now, Input::Reported(case(5)));
            }
            _ => {}
        }
        now = reporting.next_deadline().unwrap().0;
        handle(&mut reporting, now, Input::Tick);
    }
    let pauses: Vec<u64> = refused.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert!(
        pauses[0] >= LOOK_INTERVAL.0 && pauses[7] >= PAUSE_MAX.0,
        "{pauses:?}"
    );
    assert!(others > 8, "{others}");
}

#[test]
fn an_observer_comes_after_all_members_also_where_turns_go_by_the_clock() {
    let conflict = Case::Conflict {
        epoch: Epoch(2),
        height: Height(9),
    };
    let open = || Input::Seen(vec![(conflict, Standing::Open { from: None })]);
    let shown = |own| {
        let mut reporting = Reporting::new(own, 4, true);
        let mut now = FROM.0;
        handle(&mut reporting, now, Input::Known(vec![conflict]));
        while handle(&mut reporting, now, open()).is_empty() {
            now = reporting.next_deadline().unwrap().0;
            handle(&mut reporting, now, Input::Tick);
        }
        now - FROM.0
    };
    assert_eq!(shown(None), 4 * TURN.0);
    for member in 0..4 {
        assert!(shown(Some(MemberIndex(member))) < 4 * TURN.0, "{member}");
    }
}

#[test]
fn a_report_that_gets_no_answer_holds_no_other_up() {
    let mut reporting = Reporting::new(None, 4, true);
    let mut now = 4 * TURN.0;
    handle(&mut reporting, now, known(&[3, 5]));
    let both = || {
        let open = Standing::Open {
            from: Some(Millis(0)),
        };
        Input::Seen(vec![(case(3), open), (case(5), open)])
    };
    let mut shown = Vec::new();
    while shown.len() < 6 {
        if let [Effect::Report(shows)] = handle(&mut reporting, now, both()).as_slice() {
            shown.push(*shows);
            handle(&mut reporting, now, Input::Unreachable);
        }
        now = reporting.next_deadline().unwrap().0;
        handle(&mut reporting, now, Input::Tick);
    }
    assert_eq!(shown[..2], [case(3), case(5)]);
    let count = |id| shown.iter().filter(|s| **s == case(id)).count();
    assert_eq!((count(3), count(5)), (3, 3), "{shown:?}");
}

#[test]
fn a_base_chain_that_is_away_is_asked_less_and_less_often() {
    let mut reporting = member(3, 0);
    handle(&mut reporting, 0, known(&[3]));
    let (mut now, mut pauses) = (0, Vec::new());
    for _ in 0..9 {
        handle(&mut reporting, now, Input::Unreachable);
        let next = reporting.next_deadline().unwrap().0;
        pauses.push(next - now);
        now = next;
        assert_eq!(
            handle(&mut reporting, now, Input::Tick),
            [Effect::Look(vec![case(3)])]
        );
    }
    assert_eq!(pauses[..4], [1_000, 2_000, 4_000, 8_000]);
    assert_eq!(pauses[8], PAUSE_MAX.0);
}

#[test]
fn many_cases_are_looked_at_in_turn() {
    let mut reporting = Reporting::new(None, 4, true);
    let ids: Vec<u64> = (0..40).collect();
    let mut looked = BTreeSet::new();
    let mut out = handle(&mut reporting, 0, known(&ids));
    for _ in 0..3 {
        let [Effect::Look(cases)] = out.as_slice() else {
            panic!("{out:?}");
        };
        assert!(cases.len() <= LOOKS_MAX);
        looked.extend(cases.iter().copied());
        let hidden = cases.iter().map(|c| (*c, Standing::Hidden)).collect();
        assert!(handle(&mut reporting, 0, Input::Seen(hidden)).is_empty());
        let now = reporting.next_deadline().unwrap().0;
        out = handle(&mut reporting, now, Input::Tick);
    }
    assert_eq!(looked.len(), 40);
}

#[test]
fn another_committee_has_other_turns() {
    let mut reporting = Reporting::new(None, 4, true);
    reporting.enter(Some(place(3, 0)), 4);
    let standing = Standing::Open { from: Some(FROM) };
    assert_eq!(
        reported(&mut reporting, FROM.0, standing, FROM.0 + 60_000),
        Some(FROM.0)
    );
}
