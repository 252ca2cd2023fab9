//! `weft testnet`: a network of masternodes on this machine.

mod load;
mod shown;

use crate::failure::{Failure, Kind};
use crate::node::PLAIN_LOG;
use crate::output::Output;
use crate::{logging, signals};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use weft_testnet::cluster::{
    Base, Cluster, ClusterError, FAUCET_ACCOUNT, Fault, Folder, OwnTemplate, Program, Status, Up,
    UpOptions, account_key, base, end_all, up,
};
use weft_testnet::{FaucetLimits, serve_faucet};
use weft_types::Millis;

/// How often a testnet in the foreground is looked at.
const WATCH: Duration = Duration::from_millis(500);

#[derive(clap::Subcommand)]
pub enum Command {
    /// Start a testnet: a new one, or again the one that is in the folder
    Up(UpArguments),
    /// Print what a network starts with, to be changed and given to `up --template`
    Template,
    /// Show how it is doing
    Status(Place),
    /// End exactly what `up` has started; keys and data stay
    Down(Place),
    /// End it, and remove its keys and its data
    Reset(Place),
    /// Do something bad to nodes, or end it
    Fault(FaultArguments),
    /// Send transactions, and report what becomes of them
    Load(load::Arguments),
    /// Serve the embedded base chain of a testnet
    #[command(hide = true)]
    Base(Place),
    /// Serve the faucet of a testnet
    #[command(hide = true)]
    Faucet(Place),
}

/// Which testnet.
#[derive(clap::Args, Debug, Clone)]
pub struct Place {
    /// The testnet's folder [default: .weft/testnet, and .weft/testnet-N for instance N]
    #[arg(long, env = "WEFT_TESTNET_DIR")]
    dir: Option<PathBuf>,
    /// Testnets with different numbers run side by side: each has ports of its own
    #[arg(long, value_name = "N")]
    instance: Option<u16>,
}

impl Place {
    pub fn is_unnamed(&self) -> bool {
        self.dir.is_none() && self.instance.is_none()
    }

    pub fn folder(&self) -> Result<Folder, Failure> {
        let usual = || match self.instance {
            None | Some(0) => PathBuf::from(".weft/testnet"),
            Some(instance) => PathBuf::from(format!(".weft/testnet-{instance}")),
        };
        let dir = self.dir.clone().unwrap_or_else(usual);
        Ok(Folder::new(&dir)?)
    }

    fn open(&self) -> Result<Cluster, Failure> {
        let cluster = Cluster::open(self.folder()?, &program()?)?;
        let is = cluster.settings().instance;
        match self.instance {
            Some(asked) if asked != is => Err(Failure::usage(format_args!(
                "the testnet in {} is instance {is}, not {asked}",
                cluster.folder().path().display()
            ))),
            _ => Ok(cluster),
        }
    }
}

#[derive(clap::Args)]
pub struct UpArguments {
    #[command(flatten)]
    place: Place,
    /// How many masternodes [default: 4]
    #[arg(long, value_name = "N")]
    nodes: Option<u16>,
    /// Where checkpoints go: embedded, anvil, or the URL of a JSON-RPC [default: embedded]
    #[arg(long, value_name = "BASE")]
    base: Option<Base>,
    /// Key file of a funded account that deploys and pays, for a base chain by its URL
    #[arg(long, value_name = "FILE")]
    base_key: Option<PathBuf>,
    /// D6: commit after two message delays, where at most so many per cent of the stake lie and
    /// others that are faulty only crash
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=33))]
    two_delay: Option<u32>,
    /// How long an epoch lasts: 30s, 10m, 1h [default: 1d]
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse)]
    epoch: Option<Duration>,
    /// How long without a checkpoint until the way out opens: 30s, 10m, 1h [default: 1d]
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse)]
    escape_after: Option<Duration>,
    /// How long a claim on the way out may be refuted [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse)]
    escape_window: Option<Duration>,
    /// A network of your own: its name, parameters and accounts; `weft testnet template` prints one
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Remove the folder when the testnet ends
    #[arg(long)]
    ephemeral: bool,
    /// Leave it running, and come back
    #[arg(long)]
    detach: bool,
    /// Take ports that happen to be free
    #[arg(long, conflicts_with = "instance")]
    any_ports: bool,
}

#[derive(clap::Args)]
pub struct FaultArguments {
    #[arg(value_enum)]
    what: What,
    /// Names or numbers of nodes
    #[arg(required = true, value_name = "NODE")]
    nodes: Vec<String>,
    /// Undo it after this time: 500ms, 10s, 2m
    #[arg(long = "for", value_name = "TIME", value_parser = crate::time::parse)]
    time: Option<Duration>,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum What {
    /// End at once, as by a power cut
    Kill,
    /// Start again, after an orderly end if it runs
    Restart,
    /// Take the processor away
    Pause,
    /// End a pause
    Resume,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Up(arguments) => run_up(arguments, output).await,
        Command::Template => {
            output.data(&OwnTemplate::usual(), |own| {
                serde_json::to_string_pretty(own).unwrap_or_default()
            })?;
            Ok(())
        }
        Command::Status(place) => {
            let status = place.open()?.status().await?;
            output.data(&status, shown::status)?;
            any_alive(&status)
        }
        Command::Down(place) => down(&place.open()?, output).await,
        Command::Reset(place) => reset(&place, output).await,
        Command::Fault(arguments) => fault(arguments, output).await,
        Command::Load(arguments) => load::run(arguments, output).await,
        Command::Base(place) => serve_base(&place, output).await,
        Command::Faucet(place) => faucet(&place, output).await,
    }
}

/// A testnet of which nothing runs has a status, and does not answer.
fn any_alive(status: &Status) -> Result<(), Failure> {
    if status.nodes.iter().any(|node| node.alive) {
        return Ok(());
    }
    let nodes = status.nodes.len();
    Err(Failure::new(
        Kind::Unreachable,
        format_args!("none of the {nodes} nodes runs"),
    )
    .hint("`weft testnet up` starts the testnet again as it was"))
}

/// This program, for the processes of a testnet.
fn program() -> Result<Program, Failure> {
    Ok(Program::new(std::env::current_exe()?))
}

fn millis(time: Duration) -> Millis {
    Millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

async fn run_up(arguments: UpArguments, output: &Output) -> Result<(), Failure> {
    let folder = arguments.place.folder()?;
    let template = arguments.template.as_deref().map(OwnTemplate::read);
    let options = UpOptions {
        nodes: arguments.nodes,
        base: arguments.base,
        instance: arguments.place.instance,
        two_delay: arguments.two_delay,
        epoch: arguments.epoch.map(millis),
        escape_after: arguments.escape_after.map(millis),
        escape_window: arguments.escape_window.map(millis),
        template: template.transpose()?,
        any_ports: arguments.any_ports,
        ephemeral: arguments.ephemeral,
        base_key: arguments.base_key,
        unusual: None,
    };
    let shutdown = signals::shutdown()?;
    tokio::pin!(shutdown);
    let program = program()?;
    let started = {
        let progress = output.progress();
        let say = |words: &str| progress.step(words);
        tokio::select! {
            started = up(folder.clone(), &options, &program, &say) => Some(started),
            () = &mut shutdown => None,
        }
    };
    let Some(started) = started else {
        output.say("interrupted: ending what was started");
        end_all(&folder).await?;
        return Err(Failure::new(Kind::Failed, "interrupted"));
    };
    let started = started?;
    output.data(&started.manifest, |manifest| {
        shown::banner(manifest, &arguments.place, started.cluster.folder())
    })?;
    if let Some(error) = &started.without_faucet {
        output.say(format_args!("the testnet runs without its faucet: {error}"));
    }
    if started.ran_already {
        output.say("it runs already");
        return Ok(());
    }
    if arguments.detach {
        return Ok(());
    }
    output.say("Ctrl-C ends the testnet");
    watch(started, shutdown, output).await
}

/// Stays with a testnet until Ctrl-C, or until it was ended from elsewhere. A node that ends does not
/// end the others.
async fn watch(
    mut started: Up,
    mut shutdown: impl Future<Output = ()> + Unpin,
    output: &Output,
) -> Result<(), Failure> {
    let cluster = &started.cluster;
    let mut before: BTreeSet<String> = cluster.alive()?.into_iter().collect();
    loop {
        tokio::select! {
            () = &mut shutdown => {
                output.say("ending the testnet");
                return down(cluster, output).await;
            }
            () = tokio::time::sleep(WATCH) => {}
        }
        for child in &mut started.children {
            // Collects those that have ended.
            let _ended = child.try_wait();
        }
        let now: BTreeSet<String> = cluster.alive()?.into_iter().collect();
        for name in before.difference(&now) {
            let log = cluster.folder().log(name);
            // With the folder of an ephemeral testnet its logs are gone.
            match log.exists() {
                true => output.say(format_args!("{name} has ended; its log: {}", log.display())),
                false => output.say(format_args!("{name} has ended")),
            }
        }
        for name in now.difference(&before) {
            output.say(format_args!("{name} runs again"));
        }
        if now.is_empty() {
            output.say("the testnet has ended");
            return Ok(());
        }
        before = now;
    }
}

async fn down(cluster: &Cluster, output: &Output) -> Result<(), Failure> {
    let ended = cluster.down().await?;
    output.data(&ended, |ended| match ended[..] {
        [] => "nothing was running".to_owned(),
        _ => format!("ended: {}", ended.join(", ")),
    })
}

async fn reset(place: &Place, output: &Output) -> Result<(), Failure> {
    let folder = place.folder()?;
    let path = folder.path().display().to_string();
    let others = weft_testnet::cluster::reset(&folder).await?;
    output.data(&serde_json::json!({ "removed": path }), |_| {
        format!("removed the testnet in {path}")
    })?;
    if others {
        output.say(format_args!("{path} holds other files, which stay"));
    }
    Ok(())
}

async fn fault(arguments: FaultArguments, output: &Output) -> Result<(), Failure> {
    let cluster = arguments.place.open()?;
    // All names are right before anything is done.
    let nodes = arguments.nodes.iter().map(|node| cluster.node_name(node));
    let nodes: Vec<String> = nodes.collect::<Result<_, _>>()?;
    let (fault, undo) = match arguments.what {
        What::Kill => (Fault::Kill, Some(Fault::Restart)),
        What::Pause => (Fault::Pause, Some(Fault::Resume)),
        What::Restart => (Fault::Restart, None),
        What::Resume => (Fault::Resume, None),
    };
    if arguments.time.is_some() && undo.is_none() {
        return Err(Failure::usage("--for is for kill and pause"));
    }
    for node in &nodes {
        cluster.fault(fault, node).await?;
    }
    if let (Some(time), Some(undo)) = (arguments.time, undo) {
        let shutdown = signals::shutdown()?;
        output.say(format_args!("for {} s", time.as_secs_f64()));
        // Undone also when somebody does not want to wait.
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = shutdown => {}
        }
        for node in &nodes {
            cluster.fault(undo, node).await?;
        }
    }
    let manifest = cluster.manifest()?;
    output.data(&manifest.nodes, |entries| shown::processes(entries))
}

async fn serve_base(place: &Place, output: &Output) -> Result<(), Failure> {
    logging::start(PLAIN_LOG.0, PLAIN_LOG.1, output)?;
    let shutdown = signals::shutdown()?;
    let ready = |url: &str| tracing::info!(url, "the base chain answers");
    Ok(base::serve(&place.folder()?, ready, shutdown).await?)
}

async fn faucet(place: &Place, output: &Output) -> Result<(), Failure> {
    logging::start(PLAIN_LOG.0, PLAIN_LOG.1, output)?;
    let shutdown = signals::shutdown()?;
    let cluster = place.open()?;
    let key = account_key(cluster.folder(), FAUCET_ACCOUNT)?;
    let listen = ([127, 0, 0, 1], cluster.settings().ports.faucet).into();
    let limits = FaucetLimits::default();
    let ready = |address| tracing::info!(%address, "the faucet gives");
    let served = serve_faucet(listen, &cluster.apis(), key, limits, ready, shutdown).await;
    served.map_err(|e| Failure::new(Kind::Failed, e))
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        use ClusterError as E;
        let kind = match &error {
            E::Foreign(_)
            | E::NoTestnet(_)
            | E::Settings { .. }
            | E::Fixed { .. }
            | E::Nodes(_)
            | E::Instance(_)
            | E::Busy(_)
            | E::NoNode { .. }
            | E::Key(_) => Kind::Usage,
            E::Client(_) | E::Base(_) | E::NotRunning(_) => Kind::Unreachable,
            _ => Kind::Failed,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_testnet::cluster::{BaseState, NodeState};

    #[test]
    fn a_testnet_of_which_nothing_runs_does_not_answer() {
        let of = |alive: [bool; 2]| Status {
            ready: false,
            nodes: alive
                .map(|alive| NodeState {
                    alive,
                    ..NodeState::default()
                })
                .into(),
            base: BaseState::default(),
        };
        assert!(any_alive(&of([false, true])).is_ok());
        let failure = any_alive(&of([false; 2])).unwrap_err();
        assert_eq!(failure.kind, Kind::Unreachable);
    }
}
