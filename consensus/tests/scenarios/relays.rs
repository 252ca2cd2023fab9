//! Vertices are passed on to a member whose own vertices show that it lacks them. The core is
//! member A; B's vertices never link to D's, though they are here.

use crate::common::{Drawing, View};

fn cut() -> View {
    let mut view = Drawing::new("leaders -").member('A');
    view.work(true);
    view
}

/// Plays one round, in which B links to D or does not, 50 ms after the one before.
fn round(view: &mut View, round: u64, b: &str) -> Vec<String> {
    view.wait(50).propose();
    view.draw(&format!("{round}  -  -  -  *"));
    view.draw(&format!("{round}  -  -  *  -"));
    view.draw(&format!("{round}  -  {b}  -  -"));
    view.relays()
}

#[test]
fn a_member_that_shows_no_trace_of_another_gets_its_vertices_passed_on() {
    let mut view = cut();
    round(&mut view, 1, "*");
    let mut relays = Vec::new();
    for r in 2..12 {
        relays.push(round(&mut view, r, "ABC").join(" "));
    }
    // D0 is no recent vertex; 250 ms pass from B2 on.
    assert_eq!(relays[..5].concat(), "", "{relays:?}");
    let first = relays
        .iter()
        .position(|r| !r.is_empty())
        .expect("passed on");
    assert!(first <= 6, "{relays:?}");
    let all_after = relays[first + 1..].iter().all(|r| r.contains("to B"));
    assert!(
        all_after && relays.iter().all(|r| !r.contains("to C")),
        "{relays:?}"
    );
}

#[test]
fn a_member_that_links_now_and_then_gets_nothing() {
    let mut view = cut();
    for r in 1..30 {
        let b = if r % 3 == 0 { "*" } else { "ABC" };
        assert_eq!(round(&mut view, r, b), Vec::<String>::new(), "round {r}");
    }
}

#[test]
fn what_follows_a_recent_vertex_that_was_asked_for_is_passed_on_for_a_while() {
    let mut view = cut();
    round(&mut view, 1, "*");
    view.asked('B', "D1");
    for r in 2..6 {
        assert_eq!(round(&mut view, r, "*"), [format!("D{r} to B")]);
    }
    view.wait(2_000);
    assert_eq!(round(&mut view, 6, "*"), Vec::<String>::new());
}

#[test]
fn nothing_is_passed_on_because_of_an_old_vertex_or_to_its_author() {
    let mut view = cut();
    for r in 1..6 {
        round(&mut view, r, "*");
    }
    view.asked('B', "D1").asked('D', "D5").asked('B', "A5");
    assert_eq!(round(&mut view, 6, "*"), Vec::<String>::new());
}

/// A committee of another epoch may have more members, and who asks may ask for anything.
#[test]
fn places_that_nobody_has_ask_for_nothing_and_hold_nothing() {
    let mut view = cut();
    round(&mut view, 1, "*");
    view.asked('Z', "D1").asked_author('B', 'Z', "D1");
    for r in 2..6 {
        assert_eq!(round(&mut view, r, "*"), Vec::<String>::new());
    }
    let rows = "leaders -\n1 * * * *\n2 * * * *\n3 * * * *";
    let mut view = Drawing::new(rows).member('A');
    view.receive_from('Z', "C3").wait(5_000);
    let fetches = view.fetches();
    assert!(fetches.iter().any(|f| f.contains(" C: ")), "{fetches:?}");
    assert!(!fetches.iter().any(|f| f.contains(" Z: ")), "{fetches:?}");
}

/// Plays a round in which D's vertex comes from D itself, or through another.
fn of_d(view: &mut View, round: u64, from: char) -> Vec<String> {
    view.wait(50).propose();
    view.draw(&format!("{round}  -  *  *  -"));
    view.drawing.draw_rows(&format!("{round}  -  -  -  *"));
    view.relays();
    view.receive_from(from, &format!("D{round}")).relays()
}

#[test]
fn what_more_than_f_ask_for_is_passed_on_to_all_by_whoever_has_it_from_its_author() {
    let mut view = cut();
    round(&mut view, 1, "*");
    view.asked('B', "D1").asked('C', "D1").wait(2_100);
    assert_eq!(of_d(&mut view, 2, 'D'), Vec::<String>::new());
    // Again so soon: for twice as long, which is longer than who asked is served as such.
    view.asked('B', "D2").asked('C', "D2").wait(3_000);
    assert_eq!(of_d(&mut view, 3, 'D'), ["D3 to B", "D3 to C"]);
    assert_eq!(of_d(&mut view, 4, 'C'), Vec::<String>::new());
    view.wait(1_000);
    assert_eq!(of_d(&mut view, 5, 'D'), Vec::<String>::new());
}

#[test]
fn what_f_alone_ask_for_is_passed_on_to_nobody_else() {
    let mut view = cut();
    round(&mut view, 1, "*");
    view.asked('B', "D1").wait(2_100);
    view.asked('B', "D1").wait(3_000);
    assert_eq!(of_d(&mut view, 2, 'D'), Vec::<String>::new());
}
