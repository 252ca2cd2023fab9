//! D5: who leaves the leader schedule, when, and who comes back. Drawings show the rule, clusters over
//! wide-area links the time that it takes.

use crate::common::Cluster;
use crate::common::cluster::{Link, regions, uniform};
use crate::common::{Drawing, View};
use weft_consensus::{CoreConfig, Sabotage};
use weft_types::{MemberIndex, MemberSet};

/// D's slot of round 1 fails: nobody else votes for it.
const FAILED: &str = "
    leaders D A B
    reputation
         A     B     C     D
    1    *     *     *     *
    2    ABC   ABC   ABC   *
    3    *     *     *     *
    4    *     *     *     *
    5    *     *     *     *
    6    *     *     *     *
    7    *     *     *     *
    8    *     *     *     *
    9    *     *     *     *
";

fn set(letters: &str) -> MemberSet {
    letters
        .chars()
        .map(crate::common::drawing::member)
        .collect()
}

fn demoted(view: &View) -> Vec<MemberSet> {
    view.commits.iter().map(|c| c.demoted).collect()
}

#[test]
fn d5_a_leader_whose_slot_fails_leads_no_round_above_the_next_commit() {
    let mut view = Drawing::new(FAILED).observer();
    view.receive("...");
    // With D4 the vertices of round 3 are output, which hold no certificate of D1.
    assert_eq!(
        view.leaders(),
        "A2 B3 D4 A5 B6 A7",
        "A stands in for D in round 7"
    );
    let (none, d) = (set(""), set("D"));
    assert_eq!(demoted(&view), [none, none, d, d, d, d]);
    assert_eq!(view.status().demoted, d);
}

#[test]
fn d5_a_failed_slot_is_forgotten_when_it_is_out_of_the_window() {
    let mut view = Drawing::new(FAILED).observer();
    let row = |round: u64| format!("{round}  *  *  *  *\n");
    view.draw(&(10..=70).map(row).collect::<String>());
    view.receive("...");
    let back = view.commits.iter().rfind(|c| !c.demoted.is_empty());
    assert_eq!(back.unwrap().leader.round.0, 60);
    assert!(
        view.leaders()
            .ends_with("B60 A61 A62 B63 D64 A65 B66 D67 A68"),
        "{}",
        view.leaders()
    );
}

#[test]
fn d5_decisions_made_ahead_under_the_old_schedule_are_void() {
    // From below, D7 is decided to commit under the first schedule before D4 is output, which
    // demotes D.
    let mut view = Drawing::new(FAILED).observer();
    let all = view.drawing.all();
    let (held, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|v| v.starts_with("B2"));
    view.receive(&rest.join(" ")).receive(&held.join(" "));
    let mut in_order = Drawing::new(FAILED).observer();
    in_order.receive("...");
    assert_eq!(view.ordered(), in_order.ordered());
    let broken = |c: &mut CoreConfig| c.sabotage = Some(Sabotage::DecisionsOutliveSchedule);
    let mut broken = Drawing::new(FAILED).observer().with(broken);
    broken.receive(&rest.join(" ")).receive(&held.join(" "));
    assert_ne!(broken.ordered(), in_order.ordered(), "the drawing shows it");
}

#[test]
fn d5_a_restart_knows_who_was_demoted_and_why() {
    let mut whole = Drawing::new(FAILED).observer();
    whole.receive("...");
    let mut view = Drawing::new(FAILED).observer();
    for name in view.drawing.all() {
        view.receive(&name).restart();
    }
    assert_eq!(view.ordered(), whole.ordered());
    assert_eq!(demoted(&view), demoted(&whole));
}

#[test]
fn d5_a_store_that_lost_vertices_waits_for_them_before_it_says_who_leads() {
    let mut whole = Drawing::new(FAILED).observer();
    whole.receive("...");
    let mut view = Drawing::new(FAILED).observer();
    view.receive("...");
    let commits = view.commits.clone();
    view.commits.truncate(2);
    // D2 is in no other's history below round 3, and nothing asks for it but the votes that it has.
    view.stored
        .retain(|v| v.round().0 < 3 && !(v.round().0 == 2 && v.author().0 == 3));
    view.restart().wait(0);
    assert!(view.fetches().iter().any(|f| f.contains("D2")));
    view.receive("...");
    assert_eq!(view.commits, commits);
    assert_eq!(demoted(&view), demoted(&whole));
}

/// Ten members over the world, each with ten payloads a second.
fn busy(members: usize, seed: u64, link: Link, millis: u64) -> Cluster {
    let mut cluster = Cluster::new(&vec![1; members], seed, link);
    for i in 0..millis / 10 {
        cluster.submit(i as usize % members, 10 * i);
    }
    cluster
}

fn is_out(cluster: &Cluster, at: usize, member: u32) -> bool {
    let status = cluster.nodes[at].core.as_ref().unwrap().status();
    status.demoted.contains(MemberIndex(member))
}

/// Milliseconds until five members have a commit that says so.
fn until(cluster: &mut Cluster, member: u32, out: bool) -> u64 {
    let start = cluster.now;
    while [0, 1, 4, 5, 6]
        .into_iter()
        .any(|at| is_out(cluster, at, member) != out)
    {
        cluster.run(50);
        assert!(cluster.now < start + 60_000, "never");
    }
    cluster.check();
    cluster.now - start
}

#[test]
fn d5_a_crashed_member_is_out_within_three_seconds_and_back_after_its_restart() {
    for (name, link) in [
        ("uniform", uniform as fn(u64, u64) -> Link),
        ("regions", |_, _| regions()),
    ] {
        let mut cluster = busy(10, 21, link(50, 100), 30_000);
        cluster.run(5_000);
        // Frankfurt: near to most.
        assert!(!is_out(&cluster, 0, 3), "{name}");
        let out = until(cluster.kill(3), 3, true);
        cluster.run(5_000);
        let back = until(cluster.restart(3), 3, false);
        eprintln!("{name}: out after {out} ms, back after {back} ms");
        assert!(out <= 3_000, "{name}: {out} ms");
        assert!(back <= 6_000, "{name}: {back} ms");
    }
}

/// Within `from..to`, what `node` sends takes so many milliseconds more.
fn late(link: Link, node: usize, more: u64, from: u64, to: u64) -> Link {
    Box::new(move |rng, now, a, b| {
        let late = a == node && (from..to).contains(&now);
        Some(link(rng, now, a, b)? + if late { more } else { 0 })
    })
}

#[test]
fn d5_a_slow_member_is_out_within_three_seconds_and_back_when_it_is_quick_again() {
    let link = late(uniform(50, 100), 7, 200, 5_000, 15_000);
    let mut cluster = busy(10, 22, link, 30_000);
    cluster.run(5_000);
    let out = until(&mut cluster, 7, true);
    cluster.run(15_000 - 5_000 - out);
    assert!(is_out(&cluster, 0, 7));
    let back = until(&mut cluster, 7, false);
    eprintln!("out after {out} ms, back after {back} ms");
    assert!(out <= 3_000, "{out} ms");
    assert!(back <= 6_000, "{back} ms");
}

#[test]
fn d5_members_that_withhold_their_vertices_or_sign_two_are_out_within_three_seconds() {
    let base = uniform(50, 100);
    let link: Link = Box::new(move |rng, now, a, b| {
        let withheld = a == 8 && b > 2 && now > 5_000;
        if withheld { None } else { base(rng, now, a, b) }
    });
    let mut cluster = busy(10, 23, link, 30_000);
    cluster.run(5_000);
    cluster.nodes[2].equivocates = true;
    let out = until(&mut cluster, 8, true).max(until(&mut cluster, 2, true));
    eprintln!("out after {out} ms");
    assert!(out <= 3_000, "{out} ms");
}

#[test]
fn d5_a_quiet_network_demotes_nobody() {
    let mut cluster = Cluster::new(&[1; 4], 24, uniform(1, 3));
    cluster.run(30_000).check();
    assert!(
        cluster
            .nodes
            .iter()
            .all(|n| n.commits.iter().all(|c| c.demoted.is_empty()))
    );
    assert!(cluster.commit_counts()[0] > 20);
}
