//! For who implements D5 again: docs/spec/vectors/reputation.json. Every member has a vertex in each round,
//! whose parents are the vertices of the round below but for those that it *lacks*; each round is one commit,
//! with a leader of that round.

use super::*;
use serde_json::{Value, json};
use weft_types::testing::check_vectors;

const SEED: [u8; 32] = [9; 32];

/// From a round on, who lacks whose vertices of the round below.
type Lacks = (u64, &'static [(u32, u32)]);

/// Rounds that say something: whose parents change, or whose commit changes who is demoted, and the last one.
fn history(stakes: &[u64], leaders_per_round: u32, lacks: &[Lacks], rounds: u64) -> Value {
    let mut world = scheduled(stakes, Schedule::by_stake(SEED, leaders_per_round));
    let mut shown = Vec::new();
    let mut before = MemberSet::default();
    for round in 1..=rounds {
        let of_round = lacks.iter().rev().find(|(from, _)| *from <= round);
        let (from, pairs) = of_round.copied().unwrap_or((0, &[]));
        world.row(&|voter, member| !pairs.contains(&(voter, member)));
        let demoted = world.reputation.commit(Round(round), MemberSet::default());
        if round == from || demoted != before || round == rounds {
            shown.push(entry(&mut world, round, pairs, demoted));
        }
        before = demoted;
    }
    json!({
        "stakes": stakes, "leaders_per_round": leaders_per_round,
        "gc_depth": world.config.gc_depth, "rounds": shown,
    })
}

fn entry(world: &mut World, round: u64, pairs: &[(u32, u32)], demoted: MemberSet) -> Value {
    let (all, failed) = world.reputation.slots(Round(round));
    let reputation = &world.reputation;
    let lacks: Vec<String> = pairs
        .iter()
        .map(|(v, m)| format!("{v} lacks {m}"))
        .collect();
    let members = world.config.committee.indices();
    let slots = world.config.committee.indices();
    let slots = slots.map(|m| format!("{} of {} failed", failed.of(m), all.of(m)));
    json!({
        "round": round,
        "leaders": reputation.leaders(Round(round)),
        "lacks_from_here_on": lacks,
        "shares": members.map(|m| reputation.share(m)).collect::<Vec<_>>(),
        "slots": slots.collect::<Vec<_>>(),
        "demoted": demoted.iter().collect::<Vec<_>>(),
    })
}

#[test]
fn d5_reputations_are_as_published() {
    // Two leaders a round: member 3 is heard by nobody else for some time, then by all.
    let alone: &[_] = &[(0, 3), (1, 3), (2, 3), (4, 3), (5, 3), (6, 3)];
    let votes = history(&[1; 7], 2, &[(1, &[]), (10, alone), (24, &[])], 90);
    // All lead: half of the others miss member 2's vertex of one round in which its slot counts; 4 and 5
    // have more stake together than may be out.
    let split: &[_] = &[(0, 2), (1, 2), (3, 2)];
    let worse: &[_] = &[
        (0, 4),
        (1, 4),
        (2, 4),
        (3, 4),
        (5, 4),
        (0, 5),
        (1, 5),
        (2, 5),
    ];
    let lacks: &[Lacks] = &[(1, &[]), (6, split), (7, &[]), (12, worse), (15, &[])];
    let slots = history(&[2, 3, 3, 3, 2, 4, 2], 128, lacks, 80);
    for history in [&votes, &slots] {
        let rounds = history["rounds"].as_array().unwrap();
        let of = |round: &Value| round["demoted"].as_array().unwrap().len();
        assert!(rounds.iter().any(|r| of(r) > 0), "somebody is demoted");
        assert_eq!(rounds.last().map(of), Some(0), "and back in the end");
    }
    let seed = "09".repeat(32);
    check_vectors(
        "reputation",
        &json!({ "seed": seed, "epoch": 0, "votes": votes, "slots": slots }),
    );
}
