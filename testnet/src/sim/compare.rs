//! Plans beside each other: what each crime, or the committee's size, changes.

use super::faults::{Fault, Kind};
use super::plan::{Plan, Signer};
use super::report::{Report, rounded};
use super::summary::Summary;
use serde::Serialize;
use weft_types::{MEMBERS_MAX, VertexParts};

/// Committees that are compared.
const SIZES: [usize; 9] = [4, 7, 10, 20, 32, 50, 64, 100, MEMBERS_MAX];

/// Kinds that show only where somebody lacks the past: nobody does in a comparison.
const UNSEEN: [Kind; 2] = [Kind::LieState, Kind::StallState];

/// The plan without faults, the same with as many members down as may be, and with as many criminals of
/// each kind that the plan has room for; each with its name.
pub fn crimes(plan: &Plan) -> Vec<(&'static str, Plan)> {
    let most = (plan.nodes.saturating_sub(1) / 3) as u32;
    let with = |faults| Plan {
        faults,
        ..plan.clone()
    };
    let mut plans = vec![("clean", with(Vec::new()))];
    if most > 0 {
        let possible =
            |kind: &Kind| (plan.base.is_some() || !kind.needs_base()) && !UNSEEN.contains(kind);
        let kinds = std::iter::once(Kind::Crash).chain(Kind::crimes().filter(possible));
        plans.extend(kinds.map(|k| (k.name(), with(vec![Fault::new(k).amount(most)]))));
    }
    plans
}

/// One row of the comparison of crimes.
#[derive(Debug, Clone, Serialize)]
pub struct CrimeRow {
    pub crime: &'static str,
    /// As multiples of the clean row's: median latency of transactions, processor time, bytes sent.
    pub latency_ratio: f64,
    pub cpu_ratio: f64,
    pub bytes_ratio: f64,
    #[serde(flatten)]
    pub summary: Summary,
}

impl CrimeRow {
    pub fn new(crime: &'static str, summary: Summary, clean: &Summary) -> Self {
        let p50 = |summary: &Summary| summary.transaction_latency_ms.p50;
        let ratio = |of: f64, to: f64| rounded(of / to, 100.0);
        Self {
            crime,
            latency_ratio: ratio(p50(&summary), p50(clean)),
            cpu_ratio: ratio(summary.cpu_s, clean.cpu_s),
            bytes_ratio: ratio(
                summary.bytes_sent_per_node as f64,
                clean.bytes_sent_per_node as f64,
            ),
            summary,
        }
    }
}

/// The plan with committees from 4 to 128 members, without faults, with a signer. Everybody checks for
/// itself what it receives, as members do.
pub fn sizes(plan: &Plan, signer: Signer) -> Vec<Plan> {
    let with = |nodes| Plan {
        nodes,
        copies: plan.copies.min(nodes),
        signer,
        faults: Vec::new(),
        alone: true,
        ..plan.clone()
    };
    SIZES.into_iter().map(with).collect()
}

/// One row of the comparison of sizes: what a commit costs each member.
#[derive(Debug, Clone, Serialize)]
pub struct SizeRow {
    pub nodes: usize,
    pub commits: usize,
    pub commits_per_s: f64,
    pub vertices_per_commit: f64,
    /// Sent, with frames.
    pub bytes: f64,
    /// The mean vertex.
    pub vertex: Parts,
    /// Processor time in milliseconds, with hashes in place of signatures, and with signatures.
    pub cpu_mock_ms: f64,
    pub cpu_real_ms: f64,
}

/// Bytes of a vertex by what they carry.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Parts {
    pub links: usize,
    pub transactions: usize,
    pub shares: usize,
    pub rest: usize,
}

impl From<VertexParts> for Parts {
    fn from(parts: VertexParts) -> Self {
        Self {
            links: parts.links,
            transactions: parts.transactions,
            shares: parts.shares,
            rest: parts.rest,
        }
    }
}

impl SizeRow {
    /// Of two runs of one size: with the mock signer, and with the real one.
    pub fn new(mock: &Report, real: &Report, vertex: VertexParts) -> Self {
        let nodes = real.nodes;
        let each = |whole: f64, commits: usize| rounded(whole / commits.max(1) as f64, 1000.0);
        let cpu = |report: &Report| {
            let of_member = report.cpu_s * 1000.0 / nodes as f64;
            each(of_member, report.commits)
        };
        Self {
            nodes,
            commits: real.commits,
            commits_per_s: rounded(real.commits as f64 / real.simulated_s, 10.0),
            vertices_per_commit: each((real.rounds * nodes as u64) as f64, real.commits),
            bytes: each(real.bytes_sent_per_node as f64, real.commits).round(),
            vertex: vertex.into(),
            cpu_mock_ms: cpu(mock),
            cpu_real_ms: cpu(real),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crime_is_committed_by_as_many_as_may_be_faulty() {
        let plans = crimes(&Plan::default());
        assert_eq!((plans[0].0, plans[1].0), ("clean", "crash"));
        assert!(plans[0].1.faults.is_empty());
        for (name, plan) in &plans[1..] {
            assert_eq!(plan.validate(), Ok(()));
            assert_eq!(plan.faults.len(), 1);
            assert_eq!(
                (plan.faults[0].amount, plan.faults[0].kind.name()),
                (3, *name)
            );
        }
        assert!(plans.len() > 10);
        // Nobody asks for a snapshot: these rows would be the clean one again.
        assert!(!plans.iter().any(|(name, _)| name.contains("state")));
    }

    #[test]
    fn a_lone_member_has_no_criminals() {
        let plan = Plan {
            nodes: 3,
            ..Plan::default()
        };
        assert_eq!(crimes(&plan).len(), 1);
    }
}
