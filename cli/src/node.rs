//! `weft node`: one masternode, or an observer.

use crate::failure::{Failure, Kind};
use crate::output::{Output, table};
use crate::{logging, signals};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use weft_client::{Client, Options};
use weft_node::{CONFIG_FILE, DriverError, KeyFiles, LogFormat, Node, NodeConfig, NodeKeys};
use weft_testnet::Busy;
use weft_types::Genesis;
use weft_types::api::NodeStatus;

/// Variables that begin as the settings of a node do and are for other verbs.
const OTHER_VARIABLES: [&str; 2] = ["WEFT_ANVIL", "WEFT_TESTNET_DIR"];

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make keys and a configuration in a new folder; for an observer no keys
    Init(Init),
    /// Run the node of a folder until Ctrl-C or SIGTERM
    Run(Run),
    /// Show how a node is doing, and why it does not vote
    Status(Status),
}

#[derive(clap::Args)]
pub struct Init {
    /// Folder of the node
    #[arg(long, default_value = ".weft/node")]
    dir: PathBuf,
    /// Shown in logs and status
    #[arg(long, default_value = "weft")]
    name: String,
    /// Of the network; copied into the folder
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Make no keys: the node is to follow the network and sign nothing
    #[arg(long)]
    observer: bool,
    /// Make no keys yet: `weft masternode keys` makes them, locked with a password
    #[arg(long, conflicts_with = "observer")]
    no_keys: bool,
    /// Address and port of the API
    #[arg(long)]
    api_listen: Option<SocketAddr>,
    /// JSON-RPC of the base chain; the node asks it, and `weft masternode status --node`
    #[arg(long, value_name = "URL")]
    base_rpc: Option<String>,
}

#[derive(clap::Args)]
pub struct Run {
    /// Folder of the node
    #[arg(long, default_value = ".weft/node")]
    dir: PathBuf,
    /// Follow the network and sign nothing, whatever keys there are
    #[arg(long)]
    observer: bool,
    /// File with the password of the keystores, which only its owner can read
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Address and port of the API
    #[arg(long)]
    api_listen: Option<SocketAddr>,
    /// libp2p multiaddress; an observer listens nowhere
    #[arg(long)]
    p2p_listen: Option<String>,
    /// JSON-RPC of the base chain
    #[arg(long)]
    base_rpc: Option<String>,
    /// Filter of logs, for example info,weft_network=debug
    #[arg(long)]
    log: Option<String>,
    /// How logs are written
    #[arg(long, value_parser = ["pretty", "json"])]
    log_format: Option<String>,
}

#[derive(clap::Args)]
pub struct Status {
    /// Folder of the node, whose configuration has the address of its API
    #[arg(long, default_value = ".weft/node")]
    dir: PathBuf,
    /// URL of the API, instead of a folder
    #[arg(long, conflicts_with = "dir")]
    url: Option<String>,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => init(&arguments, output),
        Command::Run(arguments) => run_node(arguments, output).await,
        Command::Status(arguments) => status(&arguments, output).await,
    }
}

/// What other members and the registry have to know.
#[derive(Serialize)]
struct Made {
    dir: PathBuf,
    /// Absent for an observer, as is the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    vertex_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finality_key: Option<String>,
}

fn init(arguments: &Init, output: &Output) -> Result<(), Failure> {
    let dir = &arguments.dir;
    let path = dir.join(CONFIG_FILE);
    if path.exists() {
        let message = format!("{} exists already: nothing is overwritten", path.display());
        return Err(Failure::usage(message).hint("choose another folder with --dir"));
    }
    let usual = NodeConfig::default();
    let config = NodeConfig {
        name: arguments.name.clone(),
        api_listen: arguments.api_listen.unwrap_or(usual.api_listen),
        base_rpc: arguments.base_rpc.clone().unwrap_or(usual.base_rpc),
        ..usual
    };
    let checked = config.check().map_err(Failure::usage);
    checked.map_err(|failure| failure.hint("nothing was made"))?;
    let genesis = arguments.genesis.as_deref().map(read_genesis).transpose()?;
    std::fs::create_dir_all(dir).map_err(unwritable(dir))?;
    let makes_keys = !arguments.observer && !arguments.no_keys;
    let keys = makes_keys.then(NodeKeys::generate);
    if let Some(keys) = &keys {
        keys.save(&dir.join(&config.keys)).map_err(Failure::usage)?;
        // S1: only here is it known that there is nothing to find out about what they have signed.
        let data = dir.join(&config.data);
        keys.mark_new(&data).map_err(Failure::usage)?;
    }
    if let Some(text) = &genesis {
        let path = dir.join(&config.genesis);
        std::fs::write(&path, text).map_err(unwritable(&path))?;
    }
    std::fs::write(&path, config.to_toml()).map_err(unwritable(&path))?;
    let finality_key = |k: &NodeKeys| hex::encode(k.finality.public().to_bytes());
    let made = Made {
        dir: dir.clone(),
        vertex_key: keys.as_ref().map(|k| k.vertex.public().to_string()),
        finality_key: keys.as_ref().map(finality_key),
    };
    output.data(&made, |made| {
        let folder = Some(made.dir.display().to_string());
        let lines = [
            ("folder        ", &folder),
            ("vertex key    ", &made.vertex_key),
            ("finality key  ", &made.finality_key),
        ];
        let lines = lines.into_iter();
        let lines = lines.filter_map(|(what, text)| Some(format!("{what}{}", text.as_ref()?)));
        lines.collect::<Vec<_>>().join("\n")
    })?;
    let dir = dir.display();
    let first = match genesis {
        Some(_) => String::new(),
        None => format!("put the network's genesis.json into {dir}, then: "),
    };
    output.say(match (arguments.observer, arguments.no_keys) {
        (true, _) => format!("{first}weft node run --dir {dir} --observer"),
        (false, true) => format!("{first}weft masternode keys --node {dir}"),
        (false, false) => format!("{first}weft node run --dir {dir}"),
    });
    Ok(())
}

fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| {
        let failure = Failure::usage(format_args!("{path} cannot be made: {error}"));
        failure.hint("choose another folder with --dir")
    }
}

/// The text of a genesis file, which has been understood.
fn read_genesis(path: &Path) -> Result<String, Failure> {
    let unreadable = |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
    Genesis::from_json(&text).map_err(|e| unreadable(&e))?;
    Ok(text)
}

impl Run {
    fn overrides(&self) -> Vec<weft_node::Override> {
        let api = self.api_listen.map(|a| ("api_listen", a.to_string()));
        let text = |key, value: &Option<String>| value.clone().map(|v| (key, v));
        // Given on the command line it is meant from there, not from the node's folder.
        let password = self.password_file.as_ref().map(|path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            ("password_file", path.display().to_string())
        });
        let others = [
            password,
            text("p2p_listen", &self.p2p_listen),
            text("base_rpc", &self.base_rpc),
            text("log", &self.log),
            text("log_format", &self.log_format),
        ];
        api.into_iter()
            .chain(others.into_iter().flatten())
            .collect()
    }
}

async fn run_node(arguments: Run, output: &Output) -> Result<(), Failure> {
    let config = NodeConfig::load(&arguments.dir, &arguments.overrides());
    let config = config.map_err(Failure::usage)?;
    logging::start(&config.log, config.log_format, output)?;
    for unknown in weft_node::unknown_variables(&OTHER_VARIABLES) {
        tracing::warn!("{unknown}");
    }
    let shutdown = signals::shutdown()?;
    let node = if arguments.observer {
        Node::observe(config).await
    } else {
        let keys = KeyFiles::find(&config.keys).map_err(Failure::usage)?;
        if keys.is_none() {
            let message = format!("there are no keys in {}", config.keys.display());
            return Err(Failure::usage(message).hint(
                "put them back, make some (`weft masternode keys`), or follow the network without: --observer",
            ));
        }
        Node::start(config).await
    };
    let node = node.map_err(|e| failure(&e))?;
    node.run(shutdown).await.map_err(|e| failure(&e))
}

pub fn failure(error: &DriverError) -> Failure {
    let kind = match error.is_wrong_use() {
        true => Kind::Usage,
        false => Kind::Failed,
    };
    let failure = Failure::new(kind, error);
    let Some((address, setting, source)) = error.not_listening() else {
        return failure;
    };
    let flag = format!("--{}", setting.replace('_', "-"));
    if source.kind() != std::io::ErrorKind::AddrInUse {
        return failure.hint(format_args!(
            "choose an address of this machine with {flag}"
        ));
    }
    let busy = Busy::new(address.port(), setting.to_owned(), source.kind().into());
    Failure::new(kind, busy).hint(format_args!(
        "end that process, or choose another port with {flag}"
    ))
}

/// The URL of the API of the node in a folder.
fn url_of(dir: &Path) -> Result<String, Failure> {
    let config = NodeConfig::load(dir, &[]).map_err(Failure::usage)?;
    Ok(format!("http://{}", config.api_listen))
}

async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => url_of(&arguments.dir)?,
    };
    let options = Options {
        rounds: 1,
        ..Options::default()
    };
    let client = Client::with_options([&url], options).map_err(Failure::usage)?;
    let status = client.status().await;
    let status = status.map_err(|e| Failure::new(Kind::Unreachable, e))?;
    output.data(&status, shown)
}

fn shown(status: &NodeStatus) -> String {
    let mut table = table(&[]);
    let yes = |yes: bool, why: &Option<String>| match (yes, why) {
        (true, _) => "yes".to_owned(),
        (false, Some(why)) => format!("no: {why}"),
        (false, None) => "no".to_owned(),
    };
    let member = status.member.map(|m| m.to_string());
    table.add_rows([
        ["name", &status.name],
        ["version", &status.version],
        ["network", &status.network.to_string()],
        ["member", member.as_deref().unwrap_or("none, an observer")],
        ["voting", &yes(status.voting, &status.why_not_voting)],
        [
            "accepting",
            &yes(status.accepting, &status.why_not_accepting),
        ],
        ["history from commit", &status.history_from.to_string()],
        ["peers", &status.peers.to_string()],
        ["epoch", &status.epoch.to_string()],
        ["round", &status.round.to_string()],
        ["commit", &status.commit.to_string()],
        ["height", &status.height.to_string()],
        ["state root", &status.state_root.to_string()],
        ["certified height", &status.certified_height.to_string()],
        ["anchored height", &status.anchored_height.to_string()],
        ["memory", &format!("{} MiB", status.rss_mb)],
        ["uptime", &format!("{} s", status.uptime_s)],
    ]);
    table.trim_fmt()
}

/// For processes of ours that have no configuration of their own.
pub const PLAIN_LOG: (&str, LogFormat) = ("info", LogFormat::Pretty);
