//! `weft watch`: follows a network by its data alone, and raises an alarm when a quorum certifies what execution does
//! not give; or judges the evidence of such an alarm.

mod shown;

use crate::failure::{Failure, Kind};
use crate::network::read_genesis;
use crate::output::Output;
use crate::{logging, node, signals};
use serde::Serialize;
use shown::{alarm_shown, report_shown};
use std::fs::File;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use weft_node::evidence::{Report, Verdict, replay};
use weft_node::{Alarm, Node, NodeConfig, Watch};
use weft_types::Genesis;

/// How long the command of an alarm may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(60);
/// Alarms that wait to be told.
const ALARMS_MAX: usize = 16;

#[derive(clap::Args)]
#[command(after_help = "\
Ends with exit code 0 when it is told to, and with 6 after an alarm. With --replay: 6 when the evidence shows that a
certificate is false, 0 when it shows that it is right, 5 when it shows nothing.")]
pub struct Arguments {
    /// Folder of the observer, as `weft node init --observer` makes it
    #[arg(long, default_value = ".weft/node")]
    dir: PathBuf,
    /// Address and port of the API
    #[arg(long)]
    api_listen: Option<SocketAddr>,
    /// JSON-RPC of the base chain
    #[arg(long)]
    base_rpc: Option<String>,
    /// Where evidence is put; by default into the folder of the observer
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Run by `sh` at an alarm, with the path of the evidence as $1 if there is any, and the alarm as JSON on stdin; what
    /// it prints to stdout is lost
    #[arg(long, value_name = "COMMAND")]
    on_alarm: Option<String>,
    /// Judge evidence offline, and do nothing else
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// `genesis.json` of the network, from a source that you trust; by default that of the folder
    #[arg(long, value_name = "FILE", requires = "replay")]
    genesis: Option<PathBuf>,
    /// Filter of logs, for example info,weft_network=debug
    #[arg(long)]
    log: Option<String>,
    /// How logs are written
    #[arg(long, value_parser = ["pretty", "json"])]
    log_format: Option<String>,
}

pub async fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let config = || {
        let loaded = NodeConfig::load(&arguments.dir, &arguments.overrides());
        loaded.map_err(Failure::usage)
    };
    if let Some(file) = &arguments.replay {
        let genesis = match &arguments.genesis {
            Some(path) => path.clone(),
            None => config()?.genesis,
        };
        let genesis = read_genesis(&genesis)?;
        let report = judged(file, genesis).await?;
        output.data(&report, report_shown)?;
        return conclusion(&report);
    }
    let config = config()?;
    logging::start(&config.log, config.log_format, output)?;
    watch(&arguments, config, output).await
}

impl Arguments {
    fn overrides(&self) -> Vec<weft_node::Override> {
        let api = self.api_listen.map(|a| ("api_listen", a.to_string()));
        let text = |key, value: &Option<String>| value.clone().map(|v| (key, v));
        let others = [
            text("base_rpc", &self.base_rpc),
            text("log", &self.log),
            text("log_format", &self.log_format),
        ];
        api.into_iter()
            .chain(others.into_iter().flatten())
            .collect()
    }
}

/// What a script is told of an alarm.
#[derive(Serialize)]
struct Raised<'a> {
    alarm: &'a Alarm,
    /// What its evidence came to.
    report: Option<&'a Report>,
}

async fn watch(arguments: &Arguments, config: NodeConfig, output: &Output) -> Result<(), Failure> {
    let shutdown = signals::shutdown()?;
    let genesis = config.genesis.clone();
    let (alarms, mut raised) = mpsc::channel(ALARMS_MAX);
    let beside = || arguments.dir.join("evidence");
    let evidence = arguments.evidence.clone().unwrap_or_else(beside);
    let watching = Node::watch(config, Watch { evidence, alarms }).await;
    let watching = watching.map_err(|e| node::failure(&e))?;
    let mut alarm = None;
    let until = async {
        tokio::select! {
            () = shutdown => {}
            first = raised.recv() => {
                if let (Some(first), Some(command)) = (&first, &arguments.on_alarm) {
                    call(command, first, output).await;
                }
                alarm = first;
            }
        }
    };
    let ended = watching.run(until).await;
    let Some(alarm) = alarm else {
        return ended.map_err(|e| node::failure(&e));
    };
    // The node is gone, and with it the memory of its state: now there is room to execute again.
    let report = match &alarm.evidence {
        Some(file) => match read_genesis(&genesis) {
            Ok(genesis) => judged(file, genesis).await.map(Some),
            Err(failure) => Err(failure),
        },
        None => Ok(None),
    };
    // Whatever its evidence is worth, the alarm is told.
    let report = report.unwrap_or_else(|failure| {
        output.failure(&failure);
        None
    });
    let told = Raised {
        alarm: &alarm,
        report: report.as_ref(),
    };
    output.data(&told, |told| {
        let report = told.report.map(report_shown).unwrap_or_default();
        format!("{}\n{report}", alarm_shown(told.alarm))
    })?;
    match &report {
        Some(report) if matches!(report.verdict, Verdict::True) => Err(own_fault()),
        Some(report) if !matches!(report.verdict, Verdict::Undecided { .. }) => conclusion(report),
        _ => Err(Failure::new(
            Kind::Alarm,
            format_args!(
                "height {}: a quorum has certified what execution does not give",
                alarm.height
            ),
        )),
    }
}

/// The certificate is what its evidence gives.
fn own_fault() -> Failure {
    let failure = Failure::new(
        Kind::Failed,
        "executing again gives what was certified: this watcher's own state was wrong",
    );
    failure.hint(
        "its disk or memory may be at fault: watch from another machine, with an empty folder",
    )
}

/// Runs the operator's command; whatever becomes of it, the alarm goes on.
async fn call(command: &str, alarm: &Alarm, output: &Output) {
    let called = tokio::time::timeout(COMMAND_TIME_MAX, run_command(command, alarm)).await;
    match called {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => output.say(format_args!("the command of the alarm failed: {status}")),
        Ok(Err(error)) => output.say(format_args!("the command of the alarm failed: {error}")),
        Err(_) => output.say(format_args!(
            "the command of the alarm took more than {} s and was ended",
            COMMAND_TIME_MAX.as_secs()
        )),
    }
}

async fn run_command(command: &str, alarm: &Alarm) -> std::io::Result<std::process::ExitStatus> {
    let mut shell = tokio::process::Command::new("sh");
    shell.arg("-c").arg(command).arg("weft-alarm");
    shell.args(&alarm.evidence);
    let mut child = shell
        .stdin(Stdio::piped())
        // Data go to stdout, and they are ours.
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let json = serde_json::to_vec(alarm).map_err(std::io::Error::from)?;
        // A command that does not read it has its reasons.
        let _ = stdin.write_all(&json).await;
    }
    child.wait().await
}

async fn judged(file: &Path, genesis: Genesis) -> Result<Report, Failure> {
    let path = file.to_owned();
    let judging = tokio::task::spawn_blocking(move || {
        let opened = File::open(&path);
        let opened = opened.map_err(|e| Failure::usage(format_args!("{}: {e}", path.display())))?;
        replay(BufReader::new(opened), &genesis).map_err(|unusable| {
            let words = format_args!("{}: {unusable}", path.display());
            Failure::new(Kind::Invalid, words)
        })
    });
    match judging.await {
        Ok(judged) => judged,
        Err(error) => Err(Failure::new(
            Kind::Invalid,
            format_args!("{}: it cannot be executed: {error}", file.display()),
        )),
    }
}

/// How a report ends the program.
fn conclusion(report: &Report) -> Result<(), Failure> {
    let height = report.height;
    match &report.verdict {
        Verdict::True => Ok(()),
        Verdict::False { .. } => Err(Failure::new(
            Kind::Alarm,
            format_args!("the certificate of height {height} is false"),
        )),
        Verdict::Conflict { .. } => Err(Failure::new(
            Kind::Alarm,
            format_args!("a quorum has certified two statements of height {height}"),
        )),
        Verdict::Undecided { why } => Err(Failure::new(
            Kind::Invalid,
            format_args!("height {height} is not decided: {why}"),
        )),
    }
}
