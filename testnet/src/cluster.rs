//! A testnet on this machine: masternodes, a base chain and a faucet, each a process of its own, all
//! in one folder, all on 127.0.0.1.
//!
//! Three rules: nothing is changed in a folder that is not a testnet's; no process is signalled that
//! was not started for it; a part that is not needed (the faucet) never takes one down that is.

pub mod base;
mod error;
mod folder;
mod manifest;
mod options;
mod records;
mod settings;
mod setup;
mod status;
mod template;
mod up;

pub use error::ClusterError;
use folder::Content;
pub use folder::Folder;
pub use manifest::{BaseEntry, DevAccount, Manifest, NodeEntry};
pub use options::{Unusual, UpOptions};
pub use settings::{Base, BaseError, Settings};
pub use setup::{FAUCET_ACCOUNT, LOAD_ACCOUNT, account_key};
pub use status::{BaseState, NodeState, Status};
pub use template::OwnTemplate;
pub use up::{Up, up};

use crate::ports::NODES_MAX;
use crate::process::ProcessId;
use records::Records;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;
use weft_client::{Client, Options};

/// Names of the processes that are no nodes.
const BASE: &str = "base";
const FAUCET: &str = "faucet";
/// How long a process may take to end by itself.
const GRACE: Duration = Duration::from_secs(15);
/// For one answer of a node that is asked for its status.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Words about how far long work is.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// A testnet that has been set up.
#[derive(Debug, Clone)]
pub struct Cluster {
    folder: Folder,
    settings: Settings,
    program: Program,
}

/// `weft` itself, which all processes but anvil's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    /// Whether each process is in a group of its own, so that it outlives whoever starts it. Without,
    /// what ends this process' group ends them too.
    pub own_group: bool,
}

impl Program {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            own_group: true,
        }
    }
}

/// What can be done to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Ended at once, as by a power cut.
    Kill,
    /// Started again, after ending it in an orderly way if it runs.
    Restart,
    /// Without any processor time.
    Pause,
    /// Ends a pause.
    Resume,
}

impl Cluster {
    fn new(folder: Folder, settings: Settings, program: &Program) -> Self {
        Self {
            folder,
            settings,
            program: program.clone(),
        }
    }

    /// The testnet in a folder, running or not.
    pub fn open(folder: Folder, program: &Program) -> Result<Self, ClusterError> {
        let settings = folder.settings()?;
        Ok(Self::new(folder, settings, program))
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn manifest(&self) -> Result<Manifest, ClusterError> {
        let records = Records::load(&self.folder)?;
        Ok(Manifest::read(&self.folder)?.with(&records, &self.settings))
    }

    /// URLs of all nodes.
    pub fn apis(&self) -> Vec<String> {
        let nodes = 0..usize::from(self.settings.nodes);
        nodes.map(|node| self.settings.api(node)).collect()
    }

    /// A client for each node alone, which asks once.
    pub fn clients(&self) -> Result<Vec<Client>, ClusterError> {
        let options = Options {
            rounds: 1,
            request_timeout: ANSWER_MAX,
            ..Options::default()
        };
        let apis = self.apis();
        let clients = apis
            .iter()
            .map(|api| Client::with_options([api], options.clone()));
        let clients = clients.collect::<Result<_, _>>();
        clients.map_err(|e| ClusterError::Client(e.to_string()))
    }

    /// The processes of all nodes that are alive.
    pub fn node_processes(&self) -> Vec<ProcessId> {
        let records = Records::load(&self.folder).unwrap_or_default();
        let names = self.settings.node_names();
        names
            .iter()
            .filter_map(|name| records.alive(name))
            .collect()
    }

    /// Names of all processes that are alive.
    pub fn alive(&self) -> Result<Vec<String>, ClusterError> {
        let records = Records::load(&self.folder)?;
        Ok(records.all_alive().into_iter().collect())
    }

    fn start_node(&self, records: &mut Records, name: &str) -> Result<Child, ClusterError> {
        let dir = self.folder.path().join(name);
        let dir = dir.to_string_lossy();
        let arguments = ["node", "run", "--dir", &dir];
        let program = (self.program.path.as_path(), self.program.own_group);
        records.start(&self.folder, name, program, &arguments)
    }

    /// Ends everything that belongs to the testnet. Returns the names of what was ended.
    pub async fn down(&self) -> Result<Vec<String>, ClusterError> {
        let lock = self.folder.lock()?;
        let mut records = Records::load(&self.folder)?;
        let alive: Vec<String> = records.all_alive().into_iter().collect();
        // Nodes may still post to the base chain, and faucets to nodes.
        let last = |name: &String| (name == BASE, name != FAUCET);
        for part in [(false, false), (false, true), (true, true)] {
            let names: Vec<String> = alive.iter().filter(|n| last(n) == part).cloned().collect();
            end(&self.folder, &mut records, &names).await?;
        }
        if self.settings.ephemeral {
            drop(lock);
            self.folder.clear(self.settings.nodes)?;
        } else if self.folder.manifest().is_file() {
            self.manifest()?.write(&self.folder)?;
        }
        Ok(alive)
    }

    /// Does something to one node. The others are not told.
    pub async fn fault(&self, fault: Fault, node: &str) -> Result<(), ClusterError> {
        let name = self.node_name(node)?;
        let _lock = self.folder.lock()?;
        let mut records = Records::load(&self.folder)?;
        let failed = |problem: String| ClusterError::Fault {
            name: name.clone(),
            problem,
        };
        let process = records.alive(&name);
        let running = || process.ok_or_else(|| failed("does not run".to_owned()));
        let done = match fault {
            Fault::Kill => running()?.kill(),
            Fault::Pause => running()?.pause(),
            Fault::Resume => running()?.resume(),
            Fault::Restart => {
                if let Some(process) = process {
                    process.stop(GRACE).await?;
                }
                let _not_awaited = self.start_node(&mut records, &name)?;
                Ok(())
            }
        };
        done.map_err(|e| failed(e.to_string()))?;
        if fault == Fault::Kill
            && let Some(process) = process
        {
            process.stop(GRACE).await?;
        }
        self.manifest()?.write(&self.folder)
    }

    /// A node by its name, or by its number.
    pub fn node_name(&self, node: &str) -> Result<String, ClusterError> {
        let names = self.settings.node_names();
        let number = node.parse::<usize>().ok().and_then(|n| names.get(n));
        let found = number.or_else(|| names.iter().find(|n| *n == node));
        found.cloned().ok_or_else(|| ClusterError::NoNode {
            name: node.to_owned(),
            known: names.join(", "),
        })
    }
}

/// Ends all processes that are on a folder's record, also when its set-up was interrupted.
pub async fn end_all(folder: &Folder) -> Result<(), ClusterError> {
    if let Content::Testnet(settings) = folder.content()? {
        let cluster = Cluster::new(folder.clone(), *settings, &Program::new(PathBuf::new()));
        return cluster.down().await.map(|_| ());
    }
    let mut records = Records::load(folder)?;
    let alive: Vec<String> = records.all_alive().into_iter().collect();
    end(folder, &mut records, &alive).await
}

/// Ends a testnet, and removes its keys and data. Returns whether somebody else's files are left in
/// the folder.
pub async fn reset(folder: &Folder) -> Result<bool, ClusterError> {
    if matches!(folder.content()?, Content::Empty) {
        return Err(ClusterError::NoTestnet(folder.path().to_owned()));
    }
    end_all(folder).await?;
    folder.clear(NODES_MAX)
}

/// Ends processes, all at the same time, and takes them off the record.
async fn end(folder: &Folder, records: &mut Records, names: &[String]) -> Result<(), ClusterError> {
    let processes = names.iter().filter_map(|name| records.alive(name));
    let ended = processes.map(|process| process.stop(GRACE));
    let ended = futures::future::join_all(ended).await;
    for name in names {
        records.remove(name);
    }
    records.save(folder)?;
    for result in ended {
        result?;
    }
    Ok(())
}
