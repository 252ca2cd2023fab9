//! Clusters of cores in virtual time: they commit, through crashes, partitions and losses.

use crate::common::Cluster;
use crate::common::cluster::{Link, losing, regions, uniform};
use weft_consensus::CoreConfig;
use weft_types::Stake;

/// Payload for nodes in turn, one every `every` milliseconds.
fn load(cluster: &mut Cluster, nodes: &[usize], count: u64, every: u64) {
    for i in 0..count {
        cluster.submit(nodes[i as usize % nodes.len()], i * every);
    }
}

fn median(cluster: &Cluster) -> u64 {
    let latencies = cluster.latencies();
    latencies[latencies.len() / 2]
}

#[test]
fn four_members_order_every_payload() {
    let mut cluster = Cluster::new(&[1; 4], 1, uniform(1, 3));
    load(&mut cluster, &[0, 1, 2, 3], 400, 5);
    cluster.run(3_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    assert_eq!(cluster.latencies().len(), 400);
    assert!(median(&cluster) <= 35, "{} ms", median(&cluster));
}

#[test]
fn ten_members_of_different_stake_order_every_payload_over_slow_links() {
    let stakes = [1, 9, 4, 4, 2, 7, 7, 3, 5, 1];
    let mut cluster = Cluster::new(&stakes, 2, uniform(50, 100));
    load(&mut cluster, &[0, 3, 5, 7, 9], 100, 40);
    cluster.run(6_000).check();
    assert_eq!(cluster.unordered(), [0; 10]);
    let delays = median(&cluster) / 75;
    assert!(delays <= 6, "{delays} message delays");
}

/// D6 with two liars of ten, hence one member of slack, over slow links, with some down from the start.
fn two_delay(seed: u64, down: usize) -> Cluster {
    let two = |config: &mut CoreConfig| config.byzantine = Some(Stake(2));
    let mut cluster = Cluster::with(&[1; 10], seed, uniform(50, 100), two);
    let up: Vec<usize> = (0..10 - down).collect();
    load(&mut cluster, &up, 400, 25);
    for node in up.len()..10 {
        cluster.kill(node);
    }
    cluster
}

#[test]
fn d6_payloads_are_ordered_after_two_delays_while_no_more_than_the_slack_is_down() {
    let clean = median(two_delay(31, 0).run(14_000).check());
    let one_down = median(two_delay(32, 1).run(14_000).check());
    // A wait for the next vertex of half a round, and two message delays of 75 ms.
    assert!(clean <= 265 && one_down <= 275, "{clean} and {one_down} ms");
}

#[test]
fn d6_with_f_down_everything_is_ordered_all_the_same() {
    let mut cluster = two_delay(33, 3);
    cluster.run(18_000).check();
    assert_eq!(cluster.unordered()[..7], [0; 7]);
    assert_eq!(cluster.latencies().len(), 400);
    assert!(median(&cluster) <= 400, "{} ms", median(&cluster));
}

#[test]
fn d6_without_a_quorum_nothing_is_ordered_and_one_back_is_enough() {
    let mut cluster = two_delay(34, 0);
    cluster.run(3_000);
    for node in 6..10 {
        cluster.kill(node);
    }
    cluster.run(500);
    let before = cluster.commit_counts();
    cluster.run(5_000).check();
    assert_eq!(cluster.commit_counts(), before);
    cluster.restart(6).run(20_000).check();
    assert_eq!(cluster.unordered()[..6], [0; 6]);
}

#[test]
fn d6_lossy_links_and_equivocators_up_to_f_stop_nobody() {
    let two = |config: &mut CoreConfig| config.byzantine = Some(Stake(2));
    let mut cluster = Cluster::with(&[1; 10], 35, losing(uniform(20, 60), 2), two);
    cluster.nodes[8].equivocates = true;
    cluster.nodes[9].equivocates = true;
    load(&mut cluster, &[0, 2, 3, 5, 7], 400, 20);
    cluster.run(20_000).check();
    assert_eq!(cluster.unordered()[..8], [0; 8]);
}

#[test]
fn r2_an_idle_cluster_rests() {
    let mut cluster = Cluster::new(&[1; 4], 3, uniform(1, 3));
    cluster.run(10_000).check();
    for node in &cluster.nodes {
        assert!(
            node.inputs <= 12 * 10,
            "{} inputs in ten seconds",
            node.inputs
        );
    }
    let rounds = cluster.rounds();
    assert!(rounds.iter().all(|r| (8..=12).contains(r)), "{rounds:?}");
}

#[test]
fn r2_a_lone_payload_is_ordered_within_a_few_message_delays() {
    let mut cluster = Cluster::new(&[1; 4], 4, uniform(1, 1));
    for i in 0..40 {
        cluster.submit(i % 4, 500 + 1_730 * i as u64);
    }
    cluster.run(80_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    let latencies = cluster.latencies();
    assert!(latencies[20] <= 6, "median {} ms", latencies[20]);
    assert!(latencies[39] <= 20, "slowest {} ms", latencies[39]);
    let rounds = cluster.rounds()[0];
    assert!(rounds < 80 + 40 * 12, "{rounds} rounds");
}

#[test]
fn r1_a_crashed_member_costs_one_timeout_and_stops_nobody() {
    let mut cluster = Cluster::new(&[1; 4], 5, uniform(1, 3));
    load(&mut cluster, &[0, 1, 2], 600, 5);
    cluster.run(1_000).kill(3).run(3_000).check();
    assert_eq!(cluster.unordered()[..3], [0; 3]);
    assert_eq!(cluster.latencies().len(), 600);
    let slowest = cluster.latencies()[599];
    assert!(slowest <= 250, "{slowest} ms");
    assert!(median(&cluster) <= 50, "{} ms", median(&cluster));
}

#[test]
fn a_member_that_was_down_for_a_minute_catches_up_by_itself() {
    let mut cluster = Cluster::new(&[1; 4], 6, uniform(1, 3));
    load(&mut cluster, &[0, 1, 2], 13_200, 5);
    cluster.run(2_000).kill(3).run(60_000);
    let before = cluster.commit_counts();
    assert!(before[0] > before[3] + 3_000, "{before:?}");
    cluster.restart(3).run(2_500).check();
    let status = cluster.nodes[3].core.as_ref().unwrap().status();
    assert_eq!(status.behind, None);
    let counts = cluster.commit_counts();
    assert!(counts[3] + 10 > counts[0], "{counts:?}");
    cluster.submit(3, 0).run(3_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
}

#[test]
fn two_of_four_down_stop_the_rest_and_one_back_is_enough() {
    let mut cluster = Cluster::new(&[1; 4], 7, uniform(1, 3));
    load(&mut cluster, &[0, 1], 1_000, 10);
    cluster.run(1_000).kill(2).kill(3).run(200);
    let before = cluster.commit_counts();
    cluster.run(5_000).check();
    assert_eq!(cluster.commit_counts(), before);
    cluster.restart(2).run(6_000).check();
    assert_eq!(cluster.unordered()[..2], [0; 2]);
    assert_eq!(cluster.latencies().len(), 1_000);
}

#[test]
fn all_killed_at_once_go_on_from_their_stores() {
    let mut cluster = Cluster::new(&[1; 4], 8, uniform(1, 3));
    load(&mut cluster, &[0, 1, 2, 3], 400, 5);
    cluster.run(1_003);
    for node in 0..4 {
        cluster.kill(node);
    }
    cluster.run(500);
    for node in 0..4 {
        cluster.restart(node);
    }
    let before = cluster.commit_counts();
    cluster.run(3_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    let after = cluster.commit_counts();
    assert!(
        after.iter().zip(&before).all(|(a, b)| a > &(b + 50)),
        "{after:?}"
    );
}

/// Nothing passes between the two halves while the partition lasts.
fn partition(from: u64, to: u64, side: fn(usize) -> bool) -> Link {
    Box::new(move |rng, now, a, b| {
        let cut = (from..to).contains(&now) && side(a) != side(b);
        (!cut).then(|| 1 + rng.below(3))
    })
}

#[test]
fn a_partition_without_a_quorum_on_either_side_heals() {
    let link = partition(1_000, 6_000, |i| i < 2);
    let mut cluster = Cluster::new(&[1; 4], 9, link);
    load(&mut cluster, &[0, 1, 2, 3], 1_600, 5);
    cluster.run(1_200);
    let before = cluster.commit_counts();
    cluster.run(4_700);
    assert_eq!(cluster.commit_counts(), before);
    let healed = cluster.rounds()[0];
    cluster.run(1_300);
    assert!(cluster.commit_counts()[0] > before[0], "no commit since");
    assert!(cluster.rounds()[0] > healed);
    cluster.run(3_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    assert_eq!(cluster.latencies().len(), 1_600);
}

#[test]
fn a_member_cut_off_alone_catches_up_and_its_payload_is_ordered() {
    let link = partition(1_000, 9_000, |i| i == 3);
    let mut cluster = Cluster::new(&[1; 4], 10, link);
    load(&mut cluster, &[0, 1, 2, 3], 2_000, 5);
    cluster.run(15_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    assert_eq!(cluster.latencies().len(), 2_000);
}

#[test]
fn two_members_whose_direct_link_is_cut_still_make_progress() {
    let link: Link = Box::new(|rng, _, a, b| {
        let cut = a.min(b) == 0 && a.max(b) == 1;
        (!cut).then(|| 1 + rng.below(3))
    });
    let mut cluster = Cluster::new(&[1; 4], 11, link);
    load(&mut cluster, &[0, 1, 2, 3], 800, 5);
    cluster.run(6_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    assert!(median(&cluster) <= 60, "{} ms", median(&cluster));
}

#[test]
fn with_a_third_of_all_messages_lost_everything_is_ordered() {
    for members in [4, 7] {
        let link: Link = Box::new(|rng, _, _, _| (!rng.chance(30)).then(|| 1 + rng.below(20)));
        let mut cluster = Cluster::new(&vec![1; members], 12, link);
        load(&mut cluster, &[0, 1, 2, 3], 200, 20);
        cluster.run(20_000).check();
        assert_eq!(cluster.unordered(), vec![0; members]);
        assert_eq!(cluster.latencies().len(), 200);
    }
}

#[test]
fn v5_an_equivocator_is_found_out_by_all_and_stops_nobody() {
    for members in [4, 7] {
        let mut cluster = Cluster::new(&vec![1; members], 13, uniform(1, 10));
        cluster.nodes[1].equivocates = true;
        load(&mut cluster, &[0, 2, 3], 600, 5);
        cluster.run(6_000).check();
        assert_eq!(cluster.unordered(), vec![0; members]);
        assert!(median(&cluster) <= 50, "{} ms", median(&cluster));
        for node in cluster.nodes.iter().filter(|n| !n.equivocates) {
            assert_eq!(
                node.found_out,
                [weft_types::MemberIndex(1)].into_iter().collect()
            );
        }
    }
}

#[test]
fn d3_a_leader_that_sends_its_vertices_to_one_member_only_stops_nobody() {
    let link: Link = Box::new(|rng, _, from, to| {
        let withheld = from == 3 && to != 0;
        (!withheld).then(|| 1 + rng.below(3))
    });
    let mut cluster = Cluster::new(&[1; 4], 14, link);
    load(&mut cluster, &[0, 1, 2, 3], 800, 5);
    cluster.run(6_000).check();
    assert_eq!(cluster.unordered(), [0; 4]);
    assert!(median(&cluster) <= 80, "{} ms", median(&cluster));
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let run = |seed| {
        let link: Link = Box::new(|rng, _, _, _| (!rng.chance(5)).then(|| 1 + rng.below(20)));
        let mut cluster = Cluster::new(&[1; 4], seed, link);
        load(&mut cluster, &[0, 1, 2, 3], 100, 7);
        cluster.run(2_000);
        let last = cluster.nodes[0].commits.last().unwrap().digest();
        (last, cluster.latencies(), cluster.rounds())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

#[test]
fn v4_a_member_that_loses_one_message_in_a_hundred_does_not_drag_the_others() {
    let run = |lossy| {
        let link = losing(regions(), lossy);
        let mut cluster = Cluster::new(&[1; 20], 15, link);
        load(&mut cluster, &(0..20).collect::<Vec<_>>(), 1_500, 10);
        cluster.run(18_000).check();
        assert_eq!(cluster.unordered(), [0; 20]);
        median(&cluster)
    };
    let (clean, one_of_twenty) = (run(0), run(1));
    eprintln!("{clean} ms clean, {one_of_twenty} ms with one lossy member");
    assert!(
        one_of_twenty * 2 <= clean * 3,
        "{one_of_twenty} ms, {clean} ms clean"
    );
}
