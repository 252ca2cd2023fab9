//! `weft sim`: a run of the deterministic simulator.

mod compare;
mod drawing;

use crate::failure::Failure;
use crate::output::Output;
use crate::values::lines;
use drawing::Drawing;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use weft_node::replica::sync::SyncConfig;
use weft_testnet::ProcessId;
use weft_testnet::sim::{
    Delays, End, Latency, Outcome, Pace, Percentiles, Plan, Record, Report, Signer, Summary,
    churn_help, faults_help, millis, parse_churn, parse_faults, simulate, svg,
};
use weft_types::Millis;

/// Some rule that must always hold was broken.
const DIVERGED: u8 = 3;
/// Safe, but not everybody came to agree in time.
const NOT_CONVERGED: u8 = 4;
/// Most runs of one command.
const RUNS_MAX: u64 = 1_000_000;
/// Longest table of round trips, in bytes.
const TABLE_BYTES_MAX: u64 = 1 << 20;

#[derive(clap::Args)]
#[command(after_help = after_help())]
pub struct Sim {
    /// Members of the committee [default: 10]
    #[arg(long)]
    nodes: Option<usize>,
    /// Simulated time under load and faults, such as 20s or 500ms
    #[arg(long, default_value = "20s", value_parser = duration, conflicts_with = "rounds")]
    duration: u64,
    /// End after this many rounds instead, or after 2 s for each of them if they take longer
    #[arg(long)]
    rounds: Option<u64>,
    /// Transactions a second, over all members
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// To how many members a client gives each transaction, the first of its order
    #[arg(long, default_value_t = 1)]
    copies: usize,
    /// Decides everything that is left to chance
    #[arg(long, default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// loopback, uniform:A-B (milliseconds, one way, drawn for each message), regions (round trips
    /// between ten cloud regions), or a file of that form
    #[arg(long, default_value = "uniform:50-100")]
    latency: String,
    /// What goes wrong, such as crash:1,equivocate:1,partition@5s+10s; see below
    #[arg(long, default_value = "")]
    faults: String,
    /// Real signatures and encodings, or hashes in their place, which is some ten times as fast [default: real]
    #[arg(long, value_enum)]
    signer: Option<By>,
    /// Post certificates to a base chain with a block each so often, final so many blocks deep
    #[arg(long, value_name = "BLOCK:DEPTH", num_args = 0..=1, default_missing_value = "1s:4")]
    base: Option<Pace>,
    /// Epochs that last so long, at least 1s; by default longer than any run
    #[arg(long, value_parser = duration)]
    epoch: Option<u64>,
    /// Who joins, leaves and bonds more, such as join:2@5s,leave:2@9s; see below
    #[arg(long, default_value = "", requires = "epoch")]
    churn: String,
    /// Leader slots a round; by default the protocol's
    #[arg(long)]
    leaders: Option<u32>,
    /// D6: commit after two message delays, where at most so many per cent of the stake lie and others
    /// that are faulty only crash
    #[arg(long, value_name = "PERCENT")]
    two_delay: Option<u32>,
    /// Longest time after the faults until everybody agrees
    #[arg(long, default_value = "30s", value_parser = duration)]
    settle: u64,
    /// So many runs, with seeds from the given one on, in one thread [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=RUNS_MAX))]
    runs: Option<u64>,
    /// A table of what something changes; of crimes with as many runs in each row
    #[arg(long, value_enum, conflicts_with = "faults")]
    compare: Option<compare::What>,
    /// Simulated time between two snapshots that members hold for those who lack the past (S2)
    #[arg(long, default_value = "60s", value_parser = duration)]
    snapshots: u64,
    /// A member that is behind takes over a snapshot that saves it so much history (S2)
    #[arg(long, default_value = "300s", value_parser = duration)]
    sync_after: u64,
    /// Draw the DAG and the latencies; with --compare sizes the table
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// The first of the 60 rounds that are drawn; by default those around the first broken rule, or the last
    #[arg(
        long,
        value_name = "ROUND",
        requires = "plot",
        conflicts_with = "compare"
    )]
    plot_from: Option<u64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum By {
    Real,
    Mock,
}

fn after_help() -> String {
    format!(
        "Faults are NAME[:AMOUNT[/MEMBERS]][@START[+LENGTH]], separated by commas; without a start from the \
         beginning:\n{}\n\nChurn is NAME[:AMOUNT]@START, separated by commas. Nodes are numbered: first --nodes, then those \
         that join, which follow as observers until then. With --base they go to the registry:\n{}\n\nExit codes, of their own and unlike \
         those of other commands: 0 safe, and all agreed in the end; 2 wrong use; 3 diverged; 4 did not \
         converge.",
        faults_help(),
        churn_help()
    )
}

fn duration(text: &str) -> Result<u64, String> {
    millis(text).ok_or_else(|| format!("{text:?} is no time such as 20s or 500ms"))
}

fn seed(text: &str) -> Result<u64, String> {
    let whole = text.parse();
    whole.map_err(|_| format!("{text:?} is no whole number from 0 to {}", u64::MAX))
}

/// Runs the simulation; the exit code says how it ended.
pub fn run(arguments: &Sim, output: &Output) -> Result<ExitCode, Failure> {
    let plan = plan(arguments)?;
    let runs = arguments.runs.unwrap_or(1);
    check_together(arguments, runs)?;
    if !matches!(arguments.compare, Some(compare::What::Sizes)) {
        plan.validate().map_err(Failure::usage)?;
    }
    let drawing = arguments.plot.as_deref().map(Drawing::open).transpose()?;
    match arguments.compare {
        Some(compare::What::Sizes) => return compare::of_sizes(&plan, drawing, output),
        Some(compare::What::Crimes) => return compare::of_crimes(&plan, runs, output),
        None if runs > 1 => return many(&plan, runs, output),
        None => {}
    }
    let (report, outcome) = measured(plan)?;
    output.data(&report, shown)?;
    if let (Some(drawing), Some(record)) = (drawing, &outcome.record) {
        draw(drawing, record, &report, output)?;
    }
    if !report.diverged && report.converged {
        return Ok(ExitCode::SUCCESS);
    }
    for violation in &report.violations {
        output.say(violation);
    }
    if !report.converged {
        output.say(format_args!(
            "not everybody came to agree within {} s after the faults",
            arguments.settle as f64 / 1000.0
        ));
    }
    output.say(format_args!("to see it again: {}", report.command));
    let code = if report.diverged {
        DIVERGED
    } else {
        NOT_CONVERGED
    };
    Ok(ExitCode::from(code))
}

/// What clap cannot say: which arguments do not go together.
fn check_together(arguments: &Sim, runs: u64) -> Result<(), Failure> {
    let drawn = arguments.plot.is_some();
    if let Some(compare::What::Sizes) = arguments.compare {
        let given = [
            ("--nodes", arguments.nodes.is_some()),
            ("--signer", arguments.signer.is_some()),
            ("--runs", arguments.runs.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((name, _)) => Err(Failure::usage(format_args!(
                "--compare sizes has sizes and signers of its own, one run of each: leave out {name}"
            ))),
        };
    }
    if drawn && runs > 1 {
        return Err(Failure::usage("one run is drawn, not many"));
    }
    if drawn && arguments.compare.is_some() {
        return Err(Failure::usage("--compare crimes is not drawn")
            .hint("leave out --plot, or compare sizes"));
    }
    Ok(())
}

fn draw(
    drawing: Drawing,
    record: &Record,
    report: &Report,
    output: &Output,
) -> Result<(), Failure> {
    let (first, last) = record.rounds();
    if first > last {
        return Err(Failure::usage(format_args!(
            "nothing to draw from round {first} on: the last one was {last}"
        )));
    }
    let path = drawing.write(&svg(record, &report.command))?;
    output.say(format_args!(
        "drawn, rounds {first} to {last}: {}",
        path.display()
    ));
    Ok(())
}

fn measured(plan: Plan) -> Result<(Report, Outcome), Failure> {
    let (begun, cpu) = (Instant::now(), cpu_s());
    let outcome = simulate(plan).map_err(Failure::usage)?;
    let report = outcome.report(begun.elapsed().as_secs_f64(), cpu_s() - cpu);
    Ok((report, outcome))
}

/// The plan under a seed so many further on.
fn later(plan: &Plan, run: u64) -> Plan {
    Plan {
        seed: plan.seed.wrapping_add(run),
        ..plan.clone()
    }
}

/// The same under seeds in a row.
fn many(plan: &Plan, runs: u64, output: &Output) -> Result<ExitCode, Failure> {
    let mut summary = Summary::default();
    for run in 0..runs {
        let (report, _) = measured(later(plan, run))?;
        summary.add(&report);
    }
    output.data(&summary, shown_together)?;
    Ok(verdict(&summary, output))
}

/// Names the runs that were not clean, and the exit code for them.
fn verdict(summary: &Summary, output: &Output) -> ExitCode {
    for command in &summary.failed {
        output.say(format_args!("to see it again: {command}"));
    }
    match (summary.diverged, summary.not_converged) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(NOT_CONVERGED),
        _ => ExitCode::from(DIVERGED),
    }
}

fn shown_together(summary: &Summary) -> String {
    lines(&[
        (
            "result",
            format!(
                "{} runs: {} diverged, {} did not converge",
                summary.runs, summary.diverged, summary.not_converged
            ),
        ),
        (
            "speed",
            format!(
                "{:.1} runs a second; {:.2} s, {:.2} s of a core",
                summary.runs_per_s, summary.wall_s, summary.cpu_s
            ),
        ),
        ("rounds", summary.rounds.to_string()),
        ("commits", commits(summary.commits, summary.skipped)),
        (
            "transactions",
            format!(
                "{} submitted: {} committed, {} refused, {} never settled",
                summary.submitted, summary.committed, summary.refused, summary.unsettled
            ),
        ),
        (
            "latency",
            format!(
                "means of {}",
                latency(
                    &summary.transaction_latency_ms,
                    summary.transaction_latency_delays
                )
            ),
        ),
        (
            "leader commits",
            format!(
                "means of {}",
                latency(&summary.commit_latency_ms, summary.commit_latency_delays)
            ),
        ),
        ("trace hash", summary.trace_hash.clone()),
    ])
}

fn plan(arguments: &Sim) -> Result<Plan, Failure> {
    let latency = match Latency::named(&arguments.latency).map_err(Failure::usage)? {
        Some(latency) => latency,
        None => table(&arguments.latency)?,
    };
    Ok(Plan {
        nodes: arguments.nodes.unwrap_or(Plan::default().nodes),
        seed: arguments.seed,
        end: arguments
            .rounds
            .map_or(End::Duration(arguments.duration), End::Rounds),
        rate: arguments.rate,
        copies: arguments.copies,
        latency,
        faults: parse_faults(&arguments.faults).map_err(Failure::usage)?,
        signer: match arguments.signer {
            Some(By::Mock) => Signer::Mock,
            Some(By::Real) | None => Signer::Real,
        },
        base: arguments.base,
        epoch: arguments.epoch,
        churn: parse_churn(&arguments.churn).map_err(Failure::usage)?,
        leaders: arguments.leaders,
        byzantine_percent: arguments.two_delay,
        settle: arguments.settle,
        record: arguments.plot.is_some(),
        record_from: arguments.plot_from,
        sync: SyncConfig {
            snapshot_interval: Millis(arguments.snapshots),
            after: Millis(arguments.sync_after),
            ..SyncConfig::default()
        },
        ..Plan::default()
    })
}

fn table(name: &str) -> Result<Latency, Failure> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Failure::usage(format_args!("latency {name}: {e}"))
            .hint("known are loopback, uniform:A-B, regions, and files of the form of regions")
    };
    let size = std::fs::metadata(name).map_err(|e| unreadable(&e))?.len();
    if size > TABLE_BYTES_MAX {
        return Err(unreadable(&format_args!("{size} bytes are no table")));
    }
    let text = std::fs::read_to_string(name).map_err(|e| unreadable(&e))?;
    Latency::table(name, &text).map_err(Failure::usage)
}

/// Seconds of a core that this process has used.
fn cpu_s() -> f64 {
    let own = ProcessId::of(std::process::id());
    own.and_then(ProcessId::usage)
        .map_or(0.0, |usage| usage.cpu_s)
}

/// How a run ended. Whatever was not committed is not called clean.
fn outcome_in_words(report: &Report) -> &'static str {
    match (report.diverged, report.converged) {
        (true, _) => "DIVERGED: a rule was broken",
        (false, false) => "safe, but did NOT converge",
        (false, true) if report.commits == 0 && report.submitted == 0 => {
            "safe: there was nothing to commit, and all agreed"
        }
        (false, true) if report.commits == 0 && !report.had_faults => {
            "safe: nothing was committed while the run lasted; then all agreed"
        }
        (false, true) if report.commits == 0 => {
            "safe, but NOTHING was committed until the faults were over; then all agreed"
        }
        (false, true) if report.unsettled > 0 => {
            "safe: all agreed, but not every transaction was committed"
        }
        (false, true) => "clean: all agreed",
    }
}

fn commits(commits: usize, skipped: usize) -> String {
    format!("{commits}, {skipped} leader slots skipped")
}

fn latency(ms: &Percentiles, delays: Delays) -> String {
    if ms.is_empty() {
        return "none".to_owned();
    }
    format!(
        "p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms; {:.2} message delays",
        ms.p50, ms.p90, ms.p99, delays.p50
    )
}

fn shown(report: &Report) -> String {
    let mut rows = vec![
        ("result", outcome_in_words(report).to_owned()),
        (
            "simulated",
            format!("{:.1} s with {} nodes", report.simulated_s, report.nodes),
        ),
        ("rounds", report.rounds.to_string()),
        ("commits", commits(report.commits, report.skipped)),
        (
            "transactions",
            format!(
                "{} submitted: {} committed, {} refused, {} never settled",
                report.submitted, report.committed, report.refused, report.unsettled
            ),
        ),
        (
            "latency",
            format!(
                "{} (of {} transactions)",
                latency(
                    &report.transaction_latency_ms,
                    report.transaction_latency_delays
                ),
                report.transactions
            ),
        ),
        (
            "ordered again",
            format!("{:.4} for each", report.duplicates),
        ),
        (
            "leader commits",
            latency(&report.commit_latency_ms, report.commit_latency_delays),
        ),
        ("agreed after", format!("{:.2} s", report.settled_s)),
        (
            "sent",
            format!("{} bytes a node", report.bytes_sent_per_node),
        ),
        (
            "took",
            format!("{:.2} s, {:.2} s of a core", report.wall_s, report.cpu_s),
        ),
        ("trace hash", report.trace_hash.clone()),
    ];
    for partition in &report.partitions {
        let after = match partition.heal_to_commit_ms {
            Some(ms) => format!("one {ms:.0} ms after its heal"),
            None => "none after its heal".to_owned(),
        };
        rows.push((
            "partition",
            format!("{} commits during it, {after}", partition.commits),
        ));
    }
    if let Some(epochs) = &report.epochs {
        let committee: Vec<String> = epochs.committee.iter().map(usize::to_string).collect();
        rows.push((
            "epochs",
            format!(
                "{}; nodes {} in the newest committee; between two epochs p50 {:.0} ms, at most {:.0} ms",
                epochs.begun,
                committee.join(", "),
                epochs.pause_ms.p50,
                epochs.pause_ms.max
            ),
        ));
    }
    if let Some(c) = &report.checkpoints {
        rows.push((
            "checkpoints",
            format!(
                "{} posted, {} anchored, {} postings wasted, {} alarms; {} gas; the slowest after {:.1} s",
                c.posted,
                c.anchored,
                c.wasted,
                c.alarms,
                c.gas,
                c.worst_delay_ms as f64 / 1000.0
            ),
        ));
    }
    for stopped in &report.stopped {
        rows.push((
            "stopped",
            format!("node {}: {}", stopped.node, stopped.reason),
        ));
    }
    for note in &report.notes {
        rows.push(("note", note.clone()));
    }
    lines(&rows)
}
