//! Figures of clusters in virtual time, for whoever changes the pace of rounds: no test, a table.
//!
//! `cargo test --release -p weft-consensus figures -- --ignored --nocapture`

use crate::common::Cluster;
use crate::common::cluster::{Link, losing, regions, uniform};
use weft_consensus::{CoreConfig, Schedule};
use weft_types::Stake;

struct Row {
    name: &'static str,
    members: usize,
    link: fn(usize) -> Link,
    down: usize,
}

fn slow(link: Link, node: usize, more: u64) -> Link {
    Box::new(move |rng, now, a, b| {
        let extra = if a == node { more } else { 0 };
        Some(link(rng, now, a, b)? + extra)
    })
}

const ROWS: &[Row] = &[
    Row {
        name: "lan 1-3",
        members: 4,
        link: |_| uniform(1, 3),
        down: 0,
    },
    Row {
        name: "uniform 50-100",
        members: 10,
        link: |_| uniform(50, 100),
        down: 0,
    },
    Row {
        name: "uniform 50-100",
        members: 10,
        link: |_| uniform(50, 100),
        down: 1,
    },
    Row {
        name: "uniform 50-100",
        members: 10,
        link: |_| uniform(50, 100),
        down: 3,
    },
    Row {
        name: "uniform, one 300 late",
        members: 10,
        link: |_| slow(uniform(50, 100), 4, 300),
        down: 0,
    },
    Row {
        name: "regions",
        members: 10,
        link: |_| regions(),
        down: 0,
    },
    Row {
        name: "regions",
        members: 10,
        link: |_| regions(),
        down: 1,
    },
    Row {
        name: "regions",
        members: 10,
        link: |_| regions(),
        down: 3,
    },
    Row {
        name: "regions",
        members: 20,
        link: |_| regions(),
        down: 0,
    },
    Row {
        name: "regions, 1 % at 5 %",
        members: 20,
        link: |n| losing(regions(), n / 20),
        down: 0,
    },
    Row {
        name: "regions, 1 % at all",
        members: 20,
        link: |n| losing(regions(), n),
        down: 0,
    },
];

fn figure(row: &Row, leaders: u32, byzantine: Option<Stake>, seed: u64) {
    let change = |config: &mut CoreConfig| {
        config.schedule = Schedule::by_stake([3; 32], leaders);
        config.byzantine = byzantine;
    };
    let mut cluster = Cluster::with(&vec![1; row.members], seed, (row.link)(row.members), change);
    for node in row.members - row.down..row.members {
        cluster.kill(node);
    }
    let up = row.members - row.down;
    for i in 0..2_000 {
        cluster.submit(i % up, 10 * i as u64);
    }
    cluster.run(5_000);
    let rounds = cluster.rounds()[0];
    let warm = cluster.latencies().len();
    cluster.run(15_000).check();
    let mut latencies: Vec<u64> = cluster
        .nodes
        .iter()
        .flat_map(|n| n.latencies.iter().copied())
        .collect();
    let count = latencies.len();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(count * percent / 100).min(count - 1)];
    let rounds = cluster.rounds()[0] - rounds;
    let status = cluster.nodes[0].core.as_ref().unwrap().status();
    let demoted: Vec<u32> = status.demoted.iter().map(|m| m.0).collect();
    eprintln!(
        "{:24} n={:2} down={} leaders={leaders:2}: p50 {:4} p90 {:4} p99 {:4} round {:3} ms timeout {} demoted {demoted:?} ({warm}/{count})",
        row.name,
        row.members,
        row.down,
        at(50),
        at(90),
        at(99),
        15_000 / rounds.max(1),
        status.leader_timeout
    );
    if std::env::var_os("WEFT_FIGURES").is_some() {
        for (i, node) in cluster.nodes.iter().take(up).enumerate() {
            let mut own = node.latencies.clone();
            own.sort_unstable();
            let at = |percent: usize| own[own.len() * percent / 100];
            eprint!("  {i}: {} {}", at(50), at(90));
        }
        eprintln!();
    }
}

#[test]
#[ignore = "a table, no test"]
fn figures() {
    let only = std::env::var("WEFT_FIGURES").unwrap_or_default();
    for row in ROWS.iter().filter(|r| r.name.contains(&only)) {
        for leaders in [2, 4, row.members as u32] {
            figure(row, leaders, None, 1);
        }
    }
}

/// D6 with f = 2 of ten, hence one member of slack, against commits after three delays.
#[test]
#[ignore = "a table, no test"]
fn two_delay_table() {
    let rows = ROWS.iter().filter(|r| r.members == 10);
    for row in rows.filter(|r| r.name.starts_with("uniform 50") || r.name == "regions") {
        for leaders in [2, 10] {
            for byzantine in [None, Some(Stake(2))] {
                eprint!(
                    "f {:4}  ",
                    byzantine.map_or("-".to_owned(), |f| f.0.to_string())
                );
                figure(row, leaders, byzantine, 1);
            }
        }
    }
}
