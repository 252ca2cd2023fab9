//! Many seeds over all sorts of trouble, by size of the committee and by the distance between members.
//!
//! Each run keeps all rules, comes to agree after its faults, and commits something new within twelve rounds
//! of their end; one of fifty is run twice and must be the same run. `--full` runs five times as many, and
//! larger committees.

use crate::common::{on_all_cores, plan, run, wrong_with};
use std::ops::Range;
use std::sync::Mutex;
use weft_testnet::sim::{Latency, Outcome, Plan};

/// What goes wrong: `F` stands for F members, `L` for as many as may lie, `Q` for half of all. F members at most are
/// faulty in each.
const TROUBLE: [&str; 18] = [
    "",
    "crash:F",
    "equivocate:L",
    "withhold:L",
    "partition:Q@2s+2s",
    "loss:30@1s+3s,replay:10",
    "skew:300,jitter:50",
    "restart:F@2s,slowdisk:20",
    "liar:L,loss:5",
    "late:L",
    "sleep:L,reorder:20",
    "twins:L",
    "flood:L",
    "clock:L",
    "wipe:F@1s",
    "wipe:F@1s+2s,loss:10,slowdisk:10",
    "oldcopy:F@1s",
    "oldcopy:F@1s+1s,slowdisk:20,replay:10",
];
/// Rounds from the end of the faults to a commit, at most.
const ROUNDS_TO_COMMIT_MAX: u64 = 12;

/// How far members are from each other.
#[derive(Debug, Clone, Copy)]
enum Distance {
    Near,
    Wide,
    Regions,
}

use Distance::{Near, Regions, Wide};

impl Distance {
    fn latency(self) -> Latency {
        match self {
            Near => Latency::Uniform { low: 1, high: 10 },
            Wide => Latency::Uniform { low: 20, high: 60 },
            Regions => Latency::regions(),
        }
    }
}

/// Runs of one size at one distance.
#[derive(Debug, Clone, Copy)]
struct Part {
    nodes: usize,
    distance: Distance,
    rounds: u64,
    /// D6, and how much of the stake may lie.
    two_delay: Option<u32>,
}

impl Part {
    /// The run with a number: its trouble follows from it.
    fn numbered(self, number: u64) -> Plan {
        let faulty = (self.nodes - 1) / 3;
        let lying = self.two_delay.map_or(faulty, |percent| {
            faulty.min(self.nodes * percent as usize / 100)
        });
        let trouble = TROUBLE[(number % TROUBLE.len() as u64) as usize];
        let faults = trouble
            .replace(":F", &format!(":{faulty}"))
            .replace(":L", &format!(":{lying}"))
            .replace(":Q", &format!(":{}", self.nodes / 2));
        let faults: Vec<&str> = faults.split(',').filter(|f| !f.ends_with(":0")).collect();
        Plan {
            nodes: self.nodes,
            latency: self.distance.latency(),
            byzantine_percent: self.two_delay,
            ..plan(number, self.rounds, &faults.join(","))
        }
    }

    /// Why a run is not as it must be.
    fn try_one(self, number: u64) -> Option<String> {
        let outcome = run(self.numbered(number));
        let wrong = wrong_with(&outcome).or_else(|| late(&outcome));
        if wrong.is_some() || number % 50 != 7 {
            return wrong;
        }
        let again = run(self.numbered(number));
        let command = outcome.plan.command();
        (again.trace_hash != outcome.trace_hash).then(|| format!("another history: {command}"))
    }

    /// Tries them all, on all cores.
    ///
    /// # Panics
    /// When some are wrong: with the commands that show them again.
    fn hold(self, numbers: Range<u64>) {
        let wrong = Mutex::new(Vec::new());
        on_all_cores(numbers, |number| {
            if let Some(why) = self.try_one(number) {
                eprintln!("{why}");
                wrong.lock().expect("no worker has panicked").push(why);
            }
        });
        let wrong = wrong.into_inner().expect("no worker has panicked");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

fn late(outcome: &Outcome) -> Option<String> {
    let command = outcome.plan.command();
    match outcome.meter.rounds_to_commit {
        None => Some(format!("no commit after the faults: {command}")),
        Some(rounds) if rounds > ROUNDS_TO_COMMIT_MAX => {
            Some(format!("{rounds} rounds without a commit: {command}"))
        }
        Some(_) => None,
    }
}

/// Runs of each part in CI.
const IN_CI: u64 = 667;

macro_rules! matrix {
    ($($name:ident: $nodes:literal, $distance:ident;)*) => {$(
        #[test]
        fn $name() {
            let part = Part { nodes: $nodes, distance: $distance, rounds: 200, two_delay: None };
            part.hold(0..IN_CI);
        }
    )*};
}

matrix! {
    four_members_withstand_all_trouble: 4, Wide;
    four_members_withstand_all_trouble_near_each_other: 4, Near;
    four_members_withstand_all_trouble_in_ten_regions: 4, Regions;
    seven_members_withstand_all_trouble: 7, Wide;
    seven_members_withstand_all_trouble_near_each_other: 7, Near;
    seven_members_withstand_all_trouble_in_ten_regions: 7, Regions;
    ten_members_withstand_all_trouble: 10, Wide;
    ten_members_withstand_all_trouble_near_each_other: 10, Near;
    ten_members_withstand_all_trouble_in_ten_regions: 10, Regions;
}

fn large(nodes: usize, rounds: u64, each: u64) {
    for distance in [Near, Wide, Regions] {
        let part = Part {
            nodes,
            distance,
            rounds,
            two_delay: None,
        };
        part.hold(0..each * TROUBLE.len() as u64);
    }
}

#[test]
#[ignore = "minutes: the rest of 30,000 runs"]
fn all_trouble_is_withstood() {
    for nodes in [4, 7, 10] {
        for distance in [Near, Wide, Regions] {
            let part = Part {
                nodes,
                distance,
                rounds: 200,
                two_delay: None,
            };
            part.hold(IN_CI..3_334);
        }
    }
}

#[test]
#[ignore = "minutes: large committees"]
fn twenty_members_withstand_all_trouble() {
    large(20, 200, 10);
}

#[test]
#[ignore = "minutes: large committees"]
fn fifty_members_withstand_all_trouble() {
    large(50, 100, 1);
}

/// D6 with as many liars as there may be, and with a slack instead.
fn two_delay(rounds: u64, numbers: &Range<u64>) {
    for nodes in [4, 7, 10] {
        for (distance, percent) in [(Near, 33), (Wide, 20), (Regions, 33)] {
            let part = Part {
                nodes,
                distance,
                rounds,
                two_delay: Some(percent),
            };
            part.hold(numbers.clone());
        }
    }
}

#[test]
fn d6_a_sample_of_all_trouble_is_withstood() {
    two_delay(100, &(0..28));
}

#[test]
#[ignore = "minutes: part of the full run"]
fn d6_all_trouble_is_withstood() {
    two_delay(200, &(1_000..1_334));
}
