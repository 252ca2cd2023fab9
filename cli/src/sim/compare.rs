//! `weft sim --compare`: a table of what crimes, or the committee's size, change.

use super::drawing::Drawing;
use super::{later, measured, verdict};
use crate::failure::Failure;
use crate::output::Output;
use std::process::ExitCode;
use weft_testnet::sim::{CrimeRow, Plan, Signer, SizeRow, Summary, crimes, sizes, sizes_svg};

/// What is compared.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum What {
    /// No faults, F members down, and F criminals of each kind
    Crimes,
    /// Committees of 4 to 128 members, each with the mock and the real signer
    Sizes,
}

/// Each crime under so many seeds.
pub fn of_crimes(plan: &Plan, runs: u64, output: &Output) -> Result<ExitCode, Failure> {
    let progress = output.progress();
    let mut rows: Vec<CrimeRow> = Vec::new();
    let mut worst = Summary::default();
    // A network's transactions are made in the first run that needs them: that is not to be the clean one, which
    // the others are compared with.
    progress.step("transactions");
    for run in 0..runs {
        measured(later(plan, run))?;
    }
    for (name, plan) in crimes(plan) {
        let mut summary = Summary::default();
        for run in 0..runs {
            progress.step(&format!("{name}, run {} of {runs}", run + 1));
            let (report, _) = measured(later(&plan, run))?;
            summary.add(&report);
            worst.add(&report);
        }
        let clean = rows.first().map_or(&summary, |row| &row.summary);
        let row = CrimeRow::new(name, summary.clone(), clean);
        rows.push(row);
    }
    drop(progress);
    output.data(&rows, |rows| crimes_table(rows))?;
    if rows.len() == 1 {
        output.say(format_args!(
            "of {} members none may be faulty, so that there is nothing to compare",
            plan.nodes
        ));
    }
    Ok(verdict(&worst, output))
}

/// Markdown, for the documents.
fn crimes_table(rows: &[CrimeRow]) -> String {
    let mut lines = vec![
        "| | p50, ms | x clean | p90, ms | CPU, s | x clean | sent, x clean | diverged |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for row in rows {
        let summary = &row.summary;
        let latency = &summary.transaction_latency_ms;
        lines.push(format!(
            "| {} | {:.0} | {:.2} | {:.0} | {:.2} | {:.2} | {:.2} | {} of {} |",
            row.crime,
            latency.p50,
            row.latency_ratio,
            latency.p90,
            summary.cpu_s,
            row.cpu_ratio,
            row.bytes_ratio,
            summary.diverged,
            summary.runs,
        ));
    }
    lines.join("\n")
}

/// Each size with both signers; drawn too, if there is a path.
pub fn of_sizes(
    plan: &Plan,
    drawing: Option<Drawing>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let progress = output.progress();
    let mut rows = Vec::new();
    let mut all = Summary::default();
    let both = sizes(plan, Signer::Mock).into_iter();
    for (mock, real) in both.zip(sizes(plan, Signer::Real)) {
        progress.step(&format!("{} members", mock.nodes));
        let (mock, _) = measured(mock)?;
        let (real, outcome) = measured(real)?;
        all.add(&mock);
        all.add(&real);
        rows.push(SizeRow::new(&mock, &real, outcome.vertex));
    }
    drop(progress);
    output.data(&rows, |rows| sizes_table(rows))?;
    if let Some(drawing) = drawing {
        let path = drawing.write(&sizes_svg(&rows, "What a commit costs a member"))?;
        output.say(format_args!("drawn: {}", path.display()));
    }
    Ok(verdict(&all, output))
}

/// Markdown, for the documents.
fn sizes_table(rows: &[SizeRow]) -> String {
    let mut lines = vec![
        "| members | commits a second | vertices a commit | bytes sent a commit | bytes of a vertex: \
         links, transactions, shares, rest | CPU ms a commit, mock | with signatures |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for row in rows {
        let vertex = &row.vertex;
        lines.push(format!(
            "| {} | {:.1} | {:.1} | {:.0} | {}, {}, {}, {} | {:.3} | {:.3} |",
            row.nodes,
            row.commits_per_s,
            row.vertices_per_commit,
            row.bytes,
            vertex.links,
            vertex.transactions,
            vertex.shares,
            vertex.rest,
            row.cpu_mock_ms,
            row.cpu_real_ms,
        ));
    }
    lines.join("\n")
}
