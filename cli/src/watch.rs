//! `weft watch`: follows a network by its data alone, and raises an alarm when a quorum certifies what execution does
//! not give; or judges the evidence of such an alarm.

mod listening;
mod shown;

use crate::failure::{Failure, Kind};
use crate::network::read_genesis;
use crate::output::Output;
use crate::{logging, node, signals};
use listening::Listening;
use serde::Serialize;
use shown::{alarm_shown, begins, report_shown};
use std::fs::File;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use weft_node::evidence::{Report, Verdict, replay};
use weft_node::{Alarm, ConfigError, Node, NodeConfig, Watch};
use weft_types::Genesis;

/// Notices that wait to be told.
const NOTICES_MAX: usize = 16;

#[derive(clap::Args)]
#[command(after_help = "\
Holds what a quorum certifies, and what is posted on the base chain, against what executing the same transactions
gives. An alarm is a block of lines on stderr:
  what a quorum has certified is false: the watcher ends, with exit code 6;
  a checkpoint is posted and its data are not available, or the base chain does not answer: it goes on, and says when
  that is over.
Ends with exit code 0 when it is told to. With --replay: 6 when the evidence shows that a
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
    /// Where evidence is put, by default into the folder of the observer; where that fails, into a new folder for
    /// temporary files
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Run by `sh` at each alarm, with the path of the evidence as $1 if there is any, and the alarm as JSON on stdin,
    /// whose `kind` is false, withheld or blind; what it prints to stdout is lost
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
        loaded.map_err(|error| no_folder(error, &arguments.dir))
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

/// What a watcher's folder is made with.
fn no_folder(error: ConfigError, dir: &Path) -> Failure {
    let dir = dir.display();
    match error {
        ConfigError::Missing(_) => Failure::usage(format_args!(
            "no observer in {dir}: a watcher has a folder of its own"
        ))
        .hint(format_args!(
            "make it with `weft node init --observer --dir {dir} --genesis FILE`: the network's genesis.json, from a source \
             that you trust (a local testnet's is .weft/testnet/genesis.json)"
        )),
        error => Failure::usage(error),
    }
}

impl Arguments {
    /// Folders for evidence, in the order in which they are tried.
    fn folders(&self) -> Vec<PathBuf> {
        let beside = || self.dir.join("evidence");
        let wanted = self.evidence.clone().unwrap_or_else(beside);
        // A name that nobody else can have put there.
        let spare = format!("weft-evidence-{:016x}", rand::random::<u64>());
        vec![wanted, std::env::temp_dir().join(spare)]
    }

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
    let (notices, told) = mpsc::channel(NOTICES_MAX);
    let evidence = arguments.folders();
    output.say(begins(&config, &evidence));
    let watching = Node::watch(config, Watch { evidence, notices }).await;
    let watching = watching.map_err(|e| node::failure(&e))?;
    let mut listening = Listening::new(arguments.on_alarm.clone(), *output);
    let ended = watching.run(listening.until_false(shutdown, told)).await;
    listening.end().await;
    let Some(alarm) = listening.alarm else {
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
