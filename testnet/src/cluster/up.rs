//! Starting a testnet: a new one, or the one that is in the folder, with its keys and its data.
//! Nothing is started while a port is taken. What was started is ended again when a part that is
//! needed does not come up.

use super::error::ClusterError;
use super::folder::{Content, Folder};
use super::manifest::Manifest;
use super::options::UpOptions;
use super::records::{Records, tail};
use super::settings::Settings;
use super::setup::{self, FAUCET_ACCOUNT};
use super::{BASE, Cluster, FAUCET, Program, Say, base};
use crate::ports::{Busy, NODES_MAX};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};
use weft_basechain::Endpoint;
use weft_client::{Client, Draft, Options, Wait};
use weft_types::api::{NodeStatus, TransactionState};
use weft_types::{Address, Amount, AssetId, Operation, Payment};

/// How long the base chain may take to answer.
const BASE_MAX: Duration = Duration::from_secs(30);
/// How long the nodes may take to answer, to find each other and to take transactions.
const NODES_UP_MAX: Duration = Duration::from_secs(90);
/// How long the first certificate may take.
const CERTIFIED_MAX: Duration = Duration::from_secs(60);
/// How long a port without a holder is waited for.
const LETTING_GO_MAX: Duration = Duration::from_secs(3);
/// How often they are asked.
const POLL: Duration = Duration::from_millis(100);
/// How long the faucet may take. It is not needed.
const FAUCET_MAX: Duration = Duration::from_secs(5);

/// A testnet that runs.
#[derive(Debug)]
pub struct Up {
    pub cluster: Cluster,
    pub manifest: Manifest,
    /// Whether it ran before.
    pub ran_already: bool,
    /// What was started, for who wants to collect them.
    pub children: Vec<Child>,
    /// Why the faucet does not run, if it should.
    pub without_faucet: Option<ClusterError>,
}

/// Starts what does not run yet, and waits until the network certifies.
pub async fn up(
    folder: Folder,
    options: &UpOptions,
    program: &Program,
    say: Say<'_>,
) -> Result<Up, ClusterError> {
    if matches!(folder.content()?, Content::Unfinished) {
        let _lock = folder.lock()?;
        // Unless it was another command's, which had only not come to its end yet.
        if matches!(folder.content()?, Content::Unfinished) {
            say("clearing what an interrupted set-up left");
            let mut records = Records::load(&folder)?;
            let left: Vec<String> = records.all_alive().into_iter().collect();
            super::end(&folder, &mut records, &left).await?;
            folder.clear(NODES_MAX)?;
        }
    }
    // Looked at before anything is written: a folder of somebody else's stays untouched, and with a
    // port that is taken nothing is begun.
    let (settings, is_new) = match folder.content()? {
        Content::Testnet(settings) => {
            options.check(&folder, &settings)?;
            (*settings, false)
        }
        Content::Empty | Content::Unfinished => {
            let settings = options.settings()?;
            free(&settings, &BTreeSet::new()).await?;
            (settings, true)
        }
    };
    let _lock = folder.lock()?;
    // Another command may have been quicker.
    if is_new == matches!(folder.content()?, Content::Testnet(_)) {
        return Err(ClusterError::Locked(folder.path().to_owned()));
    }
    let records = Records::load(&folder)?;
    let running = records.all_alive();
    let mut wanted = settings.node_names();
    wanted.extend(settings.base.is_ours().then(|| BASE.to_owned()));
    if !is_new && wanted.iter().all(|name| running.contains(name)) {
        let manifest = Manifest::read(&folder)?.with(&records, &settings);
        return Ok(Up {
            cluster: Cluster::new(folder, settings, program),
            manifest,
            ran_already: true,
            children: Vec::new(),
            without_faucet: None,
        });
    }
    free(&settings, &running).await?;
    let mut start = Start {
        cluster: Cluster::new(folder, settings, program),
        records,
        children: Vec::new(),
        without_faucet: None,
        say,
    };
    match start.all(is_new, options).await {
        Ok(manifest) => Ok(Up {
            cluster: start.cluster,
            manifest,
            ran_already: false,
            children: start.children,
            without_faucet: start.without_faucet,
        }),
        Err(error) => {
            // What ran before goes on.
            let alive = start.records.all_alive();
            let started: Vec<String> = alive.difference(&running).cloned().collect();
            super::end(&start.cluster.folder, &mut start.records, &started).await?;
            Err(error)
        }
    }
}

/// Nobody else has a port that is needed. One that nobody is found to hold is waited for: a process that
/// was killed lets go of its ports a moment after it has left the process table.
async fn free(settings: &Settings, running: &BTreeSet<String>) -> Result<(), ClusterError> {
    let until = Instant::now() + LETTING_GO_MAX;
    loop {
        let busy = settings.ports.busy(running);
        if busy.is_empty() {
            return Ok(());
        }
        let going = |b: &Busy| b.holder.is_none() && b.error.kind() == ErrorKind::AddrInUse;
        if !busy.iter().all(going) || Instant::now() >= until {
            return Err(ClusterError::Busy(busy));
        }
        tokio::time::sleep(POLL).await;
    }
}

struct Start<'a> {
    cluster: Cluster,
    records: Records,
    children: Vec<Child>,
    without_faucet: Option<ClusterError>,
    say: Say<'a>,
}

impl Start<'_> {
    async fn all(&mut self, is_new: bool, options: &UpOptions) -> Result<Manifest, ClusterError> {
        let folder = self.cluster.folder.clone();
        let settings = self.cluster.settings.clone();
        let template = match is_new {
            true => {
                (self.say)("making keys and accounts");
                Some(setup::prepare(&folder, &settings, options)?)
            }
            false => None,
        };
        self.base_chain().await?;
        if let Some(template) = template {
            let founded = base::found(&folder, &settings, &template, self.say).await?;
            setup::finish(&folder, &settings, options, template, &founded)?;
        }
        for name in settings.node_names() {
            self.start_node(&name)?;
        }
        self.nodes_up().await?;
        self.certified().await?;
        self.faucet().await;
        let manifest = Manifest::read(&folder)?.with(&self.records, &settings);
        manifest.write(&folder)?;
        Ok(manifest)
    }

    fn start(
        &mut self,
        name: &str,
        program: &Path,
        arguments: &[&str],
    ) -> Result<(), ClusterError> {
        let folder = &self.cluster.folder;
        let program = (program, self.cluster.program.own_group);
        let child = self.records.start(folder, name, program, arguments)?;
        self.children.push(child);
        Ok(())
    }

    fn start_node(&mut self, name: &str) -> Result<(), ClusterError> {
        if self.records.alive(name).is_some() {
            return Ok(());
        }
        let child = self.cluster.start_node(&mut self.records, name)?;
        self.children.push(child);
        Ok(())
    }

    /// The error of a process that has ended, with what it said last.
    fn alive(&self, name: &str) -> Result<(), ClusterError> {
        if self.records.alive(name).is_some() {
            return Ok(());
        }
        let log = self.cluster.folder.log(name);
        Err(ClusterError::Died {
            name: name.to_owned(),
            tail: tail(&log),
            log,
        })
    }

    fn timed_out(
        &self,
        what: &'static str,
        time: Duration,
        state: String,
        process: &str,
    ) -> ClusterError {
        let log = self.cluster.folder.log(process);
        ClusterError::TimedOut {
            what,
            seconds: time.as_secs(),
            state,
            tail: tail(&log),
            log,
        }
    }

    async fn base_chain(&mut self) -> Result<(), ClusterError> {
        let cluster = &self.cluster;
        let settings = cluster.settings.clone();
        let command = base::command(&cluster.folder, &settings, &cluster.program.path)?;
        let ours = command.is_some();
        if let Some((program, arguments)) = command
            && self.records.alive(BASE).is_none()
        {
            (self.say)(&format!("base chain: starting ({})", settings.base));
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            self.start(BASE, &program, &arguments)?;
        }
        let until = Instant::now() + BASE_MAX;
        loop {
            let error = match Endpoint::connect(&settings.base_rpc()).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if !ours {
                return Err(ClusterError::Base(error.to_string()));
            }
            self.alive(BASE)?;
            if Instant::now() >= until {
                let state = error.to_string();
                return Err(self.timed_out("the base chain", BASE_MAX, state, BASE));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Until every node answers, takes transactions and is connected with all others.
    async fn nodes_up(&self) -> Result<(), ClusterError> {
        let settings = &self.cluster.settings;
        let names = settings.node_names();
        let others = u64::from(settings.nodes) - 1;
        let clients = self.cluster.clients()?;
        let until = Instant::now() + NODES_UP_MAX;
        loop {
            let mut missing = None;
            let (mut answer, mut links) = (0, 0);
            for (name, client) in names.iter().zip(&clients) {
                self.alive(name)?;
                match client.status().await {
                    Ok(status) => {
                        answer += 1;
                        links += status.peers.min(others);
                        if !is_ready(&status, others) && missing.is_none() {
                            missing = Some((name, shown(&status, others)));
                        }
                    }
                    Err(error) => missing = missing.or(Some((name, error.to_string()))),
                }
            }
            let nodes = names.len();
            (self.say)(&format!(
                "nodes: {answer} of {nodes} answer, {links} of {} links",
                others * u64::from(settings.nodes)
            ));
            let Some((name, state)) = missing else {
                return Ok(());
            };
            if Instant::now() >= until {
                let state = format!("{name}: {state}");
                return Err(self.timed_out("starting the nodes", NODES_UP_MAX, state, name));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// A transaction of the faucet's to itself shows that the network orders, executes and certifies.
    async fn certified(&self) -> Result<(), ClusterError> {
        (self.say)("waiting for the first certificate");
        let failed = |e: weft_client::ClientError| ClusterError::Client(e.to_string());
        let options = Options {
            outcome_timeout: CERTIFIED_MAX,
            ..Options::default()
        };
        let client = Client::with_options(self.cluster.apis(), options).map_err(failed)?;
        let draft = Draft::new(&client.genesis().await.map_err(failed)?);
        let key = setup::account_key(&self.cluster.folder, FAUCET_ACCOUNT)?;
        let payment = Payment {
            to: Address::of_key(&key.public()),
            asset: AssetId::NATIVE,
            amount: Amount(1),
        };
        let transfer = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        let transaction = draft.sign(&key, vec![transfer]);
        let status = client.submit(&transaction, Wait::Certified).await;
        let status = status.map_err(failed)?;
        if matches!(
            status.state,
            TransactionState::Certified | TransactionState::Anchored
        ) {
            return Ok(());
        }
        for name in self.cluster.settings.node_names() {
            self.alive(&name)?;
        }
        let state = format!("transaction {} is {}", status.id, status.state.as_str());
        Err(self.timed_out("the first certificate", CERTIFIED_MAX, state, "node-0"))
    }

    /// An optional part: without it the rest runs all the same.
    async fn faucet(&mut self) {
        if self.records.alive(FAUCET).is_some() {
            return;
        }
        let program = self.cluster.program.path.clone();
        let folder = self.cluster.folder.path().to_string_lossy().into_owned();
        let arguments = ["testnet", "faucet", "--dir", &folder];
        let mut started = self.start(FAUCET, &program, &arguments);
        let address = format!("127.0.0.1:{}", self.cluster.settings.ports.faucet);
        let until = Instant::now() + FAUCET_MAX;
        while started.is_ok() && tokio::net::TcpStream::connect(&address).await.is_err() {
            started = self.alive(FAUCET);
            if started.is_ok() && Instant::now() >= until {
                let state = format!("{address} does not answer");
                started = Err(self.timed_out("the faucet", FAUCET_MAX, state, FAUCET));
            }
            tokio::time::sleep(POLL).await;
        }
        self.without_faucet = started.err();
    }
}

/// Whether a member signs, takes transactions, and knows all others.
pub(super) fn is_ready(status: &NodeStatus, others: u64) -> bool {
    status.voting && status.accepting && status.peers >= others
}

fn shown(status: &NodeStatus, others: u64) -> String {
    let reasons = [&status.why_not_voting, &status.why_not_accepting];
    let reasons: Vec<&str> = reasons.into_iter().flatten().map(String::as_str).collect();
    let links = format!("connected with {} of {others} others", status.peers);
    [&[links.as_str()], &reasons[..]].concat().join("; ")
}
