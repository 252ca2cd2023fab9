//! R2: an idle member rests, and wakes at once. The core is member A.

use crate::common::{Drawing, View};

/// Round 1 is complete, A2 is not asked for: nothing is unordered.
fn resting() -> View {
    let mut view = Drawing::new("leaders -").member('A');
    view.propose();
    view.draw("1  -  *  *  *");
    assert_eq!(view.propose(), None);
    assert!(view.status().resting);
    view
}

#[test]
fn r2_with_nothing_unordered_only_the_heartbeat_proposes() {
    let mut view = resting();
    assert_eq!(view.deadline(), Some(1_000));
    assert_eq!(view.wait(999).propose(), None);
    assert!(view.wait(1).propose().is_some());
}

#[test]
fn r2_work_of_the_replica_wakes_at_once() {
    let mut view = resting();
    view.wait(500).work(true);
    assert!(view.propose().is_some());
    view.work(false).draw("2  -  *  *  *");
    assert_eq!(view.propose(), None, "and it rests again");
}

#[test]
fn r2_a_vertex_with_payload_wakes_until_it_is_output() {
    let mut view = Drawing::new("leaders B").member('A');
    view.propose();
    view.draw("1  -  *  *  *");
    view.wait(500).draw("2  -  *  *!  -");
    assert!(view.propose().is_some());
    for round in 2..20 {
        let row = if round == 2 {
            "2  -  -  -  *"
        } else {
            &format!("{round}  -  *  *  *")
        };
        view.draw(row);
        if view.propose().is_none() {
            break;
        }
    }
    assert!(view.ordered().join(" ").contains("C2"));
    assert!(view.status().resting);
    assert_eq!(
        view.status().quorum_round.0,
        5,
        "B3 brings C2, and is decided in round 5"
    );
}

#[test]
fn r2_others_that_go_on_are_followed_by_one_round() {
    let mut view = resting();
    view.wait(300).draw("2  -  *  -  -");
    assert!(view.propose().is_some());
    view.draw("2  -  -  *  *");
    assert_eq!(view.propose(), None);
    assert_eq!(view.deadline(), Some(1_000));
}

#[test]
fn r2_a_member_that_sends_its_vertex_again_is_helped_on() {
    let mut view = resting();
    view.wait(300).receive("D1");
    assert!(
        view.propose().is_some(),
        "D lacks a quorum of round 1, and this vertex shows it one"
    );
    view.draw("2  -  *  *  *").receive_from('B', "D2");
    assert_eq!(view.propose(), None, "from another it is no question");
}

#[test]
fn the_own_latest_vertex_is_sent_again_while_its_round_has_no_quorum() {
    let mut view = Drawing::new("leaders -").member('A');
    view.propose();
    let everybody = ["A1 to B", "A1 to C", "A1 to D"];
    for wait in [100, 200, 400, 500, 500] {
        assert_eq!(view.deadline(), Some(wait));
        assert!(view.wait(wait - 1).relays().is_empty());
        assert_eq!(view.wait(1).relays(), everybody);
    }
    view.draw("1  -  *  *  -").wait(5_000);
    assert!(view.relays().is_empty());
}
