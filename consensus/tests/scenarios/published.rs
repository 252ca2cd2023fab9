//! For who implements the consensus again: docs/spec/vectors/dags.json, from DAGs of fixed seeds to commits and skipped
//! slots. All commits that the vertices give are there, in any order of arrival.

use crate::common::Rng;
use crate::common::drawing::letter;
use crate::common::random::{RandomDag, START, Shape};
use crate::common::replay::{Style, replay};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use weft_consensus::CoreConfig;
use weft_types::testing::check_vectors;
use weft_types::{Commit, MemberIndex, MemberSet, Round, Stake, Verified, Vertex, VertexRef};

const SCHEDULE: [u8; 32] = [9; 32];

/// `C5`, and `C5'` for the version with the next greater digest.
struct Names(BTreeMap<VertexRef, String>);

impl Names {
    fn of(vertices: &[Verified<Vertex>]) -> Self {
        let all: BTreeSet<VertexRef> = vertices.iter().map(|v| v.reference()).collect();
        let mut versions: BTreeMap<(Round, MemberIndex), usize> = BTreeMap::new();
        let name = |vertex: VertexRef| {
            let before = versions.entry((vertex.round, vertex.author)).or_default();
            let name = format!(
                "{}{}",
                place(vertex.author, vertex.round),
                "'".repeat(*before)
            );
            *before += 1;
            (vertex, name)
        };
        Self(all.into_iter().map(name).collect())
    }

    /// Vertices of round 0 are known to all.
    fn name(&self, vertex: &VertexRef) -> String {
        match vertex.round {
            Round::ZERO => place(vertex.author, vertex.round),
            _ => self.0[vertex].clone(),
        }
    }

    fn list(&self, vertices: &[VertexRef]) -> String {
        let names: Vec<String> = vertices.iter().map(|v| self.name(v)).collect();
        names.join(" ")
    }

    fn vertex(&self, vertex: &Vertex) -> Value {
        let offences = vertex.offences().iter();
        let offences: Vec<String> = offences.map(|o| place(o.author, o.round)).collect();
        let fields = [
            ("weak_links", self.list(vertex.weak_links())),
            ("proves_two_versions_of", offences.join(" ")),
        ];
        let mut shown = json!({
            "vertex": self.name(&vertex.reference()),
            "timestamp": vertex.timestamp(),
            "parents": self.list(vertex.parents()),
        });
        add(&mut shown, fields);
        shown
    }
}

/// Fields that are left out where they are empty.
fn add<const N: usize>(shown: &mut Value, fields: [(&str, String); N]) {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let fields = fields.map(|(name, value)| (name.to_owned(), Value::String(value)));
    shown.as_object_mut().unwrap().extend(fields);
}

fn place(author: MemberIndex, round: Round) -> String {
    format!("{}{round}", letter(author))
}

fn members(set: &MemberSet) -> String {
    set.iter().map(letter).collect()
}

/// Without versions that nobody refers to: which of them is taken depends on the order of arrival (V5).
fn referred_to(vertices: Vec<Verified<Vertex>>) -> Vec<Verified<Vertex>> {
    let mut versions: BTreeMap<(Round, MemberIndex), usize> = BTreeMap::new();
    for vertex in &vertices {
        *versions
            .entry((vertex.round(), vertex.author()))
            .or_default() += 1;
    }
    let mut links: BTreeSet<VertexRef> = BTreeSet::new();
    let mut kept = vertices;
    // From above: whoever links to a vertex comes before it.
    kept.reverse();
    kept.retain(|vertex| {
        let is_alone = versions[&(vertex.round(), vertex.author())] == 1;
        let is_kept = is_alone || links.contains(&vertex.reference());
        if is_kept {
            links.extend(vertex.parents().iter().chain(vertex.weak_links()));
        }
        is_kept
    });
    kept.reverse();
    kept
}

/// D5: who leads a round, by the commits whose leaders are below it.
fn leaders(config: &CoreConfig, commits: &[Commit], round: Round) -> Vec<MemberIndex> {
    let before = commits.iter().rfind(|c| c.leader.round < round);
    let demoted = before.map_or_else(MemberSet::default, |c| c.demoted);
    config.schedule.leaders(&config.committee, round, &demoted)
}

/// The slots that each commit leaves behind as skipped.
fn skipped(config: &CoreConfig, commits: &[Commit]) -> Vec<Vec<String>> {
    let last = commits.last().map_or(0, |c| c.leader.round.0);
    let rounds = (1..=last).map(Round);
    let slots = rounds.flat_map(|r| leaders(config, commits, r).into_iter().map(move |l| (r, l)));
    let mut slots = slots.peekable();
    let before = |commit: &Commit| {
        let leader = (commit.leader.round, commit.leader.author);
        let mut skipped = Vec::new();
        while let Some((round, author)) = slots.next_if(|slot| *slot != leader) {
            skipped.push(place(author, round));
        }
        assert_eq!(slots.next(), Some(leader), "a leader has no slot");
        skipped
    };
    commits.iter().map(before).collect()
}

fn commits(
    config: &CoreConfig,
    vertices: &[Verified<Vertex>],
    spread: u64,
    seed: u64,
) -> Vec<Commit> {
    let style = Style {
        spread,
        crashes: 0,
        failing: 0,
        withheld: 0,
    };
    replay(config, vertices, style, Rng::new(seed)).unwrap()
}

fn dag(name: &str, shape: &Shape, seed: u64, rounds: u64) -> Value {
    let RandomDag { config, vertices } = RandomDag::shaped(shape, SCHEDULE, seed, rounds);
    let vertices = referred_to(vertices);
    let names = Names::of(&vertices);
    let made = commits(&config, &vertices, 0, 0);
    for order in 1..20 {
        let other = commits(&config, &vertices, 400, order);
        assert_eq!(other, made, "{name}: order {order}");
    }
    let skipped = skipped(&config, &made);
    let shown = made.iter().zip(skipped).map(|(commit, skipped)| {
        let mut shown = json!({
            "index": commit.index,
            "leader": names.name(&commit.leader),
            "timestamp": commit.timestamp,
            "vertices": names.list(&commit.vertices),
        });
        let fields = [
            ("skipped", skipped.join(" ")),
            ("demoted", members(&commit.demoted)),
            ("convicted", members(&commit.convicted)),
        ];
        add(&mut shown, fields);
        shown
    });
    let shown: Vec<Value> = shown.collect();
    let vertices: Vec<Value> = vertices.iter().map(|v| names.vertex(v)).collect();
    json!({
        "name": name,
        "epoch": 0,
        "stakes": shape.stakes,
        "leaders_per_round": shape.leaders_per_round,
        "schedule_seed": hex(&SCHEDULE),
        "byzantine_stake": shape.byzantine,
        "gc_depth": config.gc_depth,
        "ledger_start": START,
        "vertices": vertices,
        "commits": shown,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether some commit has this.
fn has(dag: &Value, field: &str, part: &str) -> bool {
    let mut commits = dag["commits"].as_array().unwrap().iter();
    commits.any(|c| c[field].as_str().is_some_and(|text| text.contains(part)))
}

#[test]
fn o4_commits_of_dags_are_as_published_in_any_order_of_arrival() {
    let four = Shape {
        stakes: vec![1; 4],
        leaders_per_round: 1,
        ..Shape::default()
    };
    let weighted = Shape {
        stakes: vec![4, 3, 2, 1],
        leaders_per_round: 128,
        ..Shape::default()
    };
    let crashed = Shape {
        stakes: vec![1; 7],
        leaders_per_round: 2,
        crashed: Some((MemberIndex(3), Round(4))),
        ..Shape::default()
    };
    let fast = Shape {
        byzantine: Some(Stake(1)),
        ..crashed.clone()
    };
    let twice = Shape {
        leaders_per_round: 2,
        equivocator: Some(MemberIndex(2)),
        ..four.clone()
    };
    let convicted = Shape {
        convicting: true,
        ..twice.clone()
    };
    let dags = [
        dag("four members", &four, 1, 20),
        dag("stakes, and all lead", &weighted, 2, 16),
        dag("seven members, two leaders, one crashed", &crashed, 3, 20),
        dag("the same with the two-delay commit", &fast, 3, 20),
        dag("one signs twice", &twice, 5, 20),
        dag("one signs twice and is convicted", &convicted, 6, 20),
    ];
    let [_, _, slow, quick, twice, convicted] = &dags;
    assert_eq!(slow["vertices"], quick["vertices"]);
    assert_ne!(slow["commits"], quick["commits"], "D6 shows");
    assert!(has(twice, "vertices", "'"), "both versions are output");
    assert!(has(convicted, "convicted", "C"));
    assert!(dags.iter().any(|dag| has(dag, "demoted", "")));
    for dag in &dags {
        assert!(
            has(dag, "skipped", ""),
            "{}: nothing is skipped",
            dag["name"]
        );
        let commits = dag["commits"].as_array().unwrap().len();
        assert!(commits >= 5, "{}: {commits} commits", dag["name"]);
    }
    check_vectors("dags", &json!(dags));
}
