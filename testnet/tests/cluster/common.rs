//! A network for a test, and short words for what tests do with it.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;
use weft_client::{Client, Draft, Options, Wait};
use weft_storage::{PageRequest, Store};
use weft_testnet::cluster::{
    Cluster, ClusterError, Fault, Folder, LOAD_ACCOUNT, Manifest, Program, Up, UpOptions,
    account_key, end_all, up,
};
use weft_testnet::load::{LoadError, LoadOptions, Mix, Rate, Report, Target, run};
use weft_types::api::{NodeStatus, TransactionState};
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetId, CommitDigest, CommitIndex, Genesis, Object, ObjectId, Operation,
    Payment, Root, Transaction,
};

/// How long anything that has to come may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// `weft`, as built beside the tests. Started in the tests' process group, so that a test that is
/// ended from outside leaves nothing behind.
///
/// # Panics
/// When it is missing or older than a source it was built from: a test of yesterday's program would
/// show nothing.
pub fn program() -> Program {
    let test = std::env::current_exe().unwrap();
    let release = test.parent().and_then(Path::parent).unwrap();
    let path = release.join("weft");
    let cure = "build it: cargo build --release --workspace";
    assert!(path.is_file(), "{} is missing; {cure}", path.display());
    let built = modified(&path).unwrap();
    let sources = std::fs::read_to_string(release.join("weft.d")).unwrap_or_default();
    let mut sources = sources.split_whitespace().skip(1);
    let newer = sources.find(|source| modified(Path::new(source)).is_some_and(|t| t > built));
    assert_eq!(newer, None, "{} is older than this; {cure}", path.display());
    Program {
        path,
        own_group: false,
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

pub fn options() -> UpOptions {
    UpOptions {
        any_ports: true,
        ..UpOptions::default()
    }
}

pub fn folder(parent: &TempDir) -> Folder {
    Folder::new(&parent.path().join("net")).unwrap()
}

pub async fn start(folder: &Folder, options: &UpOptions) -> Result<Up, ClusterError> {
    up(folder.clone(), options, &program(), &|_| {}).await
}

/// A network that runs. Dropping it ends its processes.
pub struct Net {
    pub cluster: Cluster,
    pub manifest: Manifest,
    _parent: TempDir,
}

impl Drop for Net {
    fn drop(&mut self) {
        let folder = self.cluster.folder().clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(end_all(&folder))
        });
        let _best_effort = ended.join();
    }
}

impl Net {
    pub async fn up() -> Self {
        Self::up_with(options()).await
    }

    pub async fn up_with(options: UpOptions) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let started = start(&folder(&parent), &options).await;
        let started = started.unwrap_or_else(|e| panic!("{e}"));
        Self {
            cluster: started.cluster,
            manifest: started.manifest,
            _parent: parent,
        }
    }

    /// Starts what does not run.
    pub async fn up_again(&mut self) {
        let started = start(self.cluster.folder(), &UpOptions::default()).await;
        let started = started.unwrap_or_else(|e| panic!("{e}"));
        assert!(!started.ran_already);
        self.manifest = started.manifest;
    }

    /// A client of some of the nodes.
    pub fn client(&self, nodes: &[usize]) -> Client {
        let apis = nodes.iter().map(|n| self.manifest.nodes[*n].api.clone());
        let options = Options {
            outcome_timeout: PATIENCE,
            ..Options::default()
        };
        Client::with_options(apis, options).unwrap()
    }

    pub fn dev_key(&self, account: usize) -> SecretKey {
        let seed = hex::decode(&self.manifest.accounts[account].key).unwrap();
        SecretKey::from_seed(seed.try_into().unwrap())
    }

    pub fn dev_address(&self, account: usize) -> Address {
        self.manifest.accounts[account].address
    }

    pub fn genesis(&self) -> Genesis {
        let text = std::fs::read_to_string(self.cluster.folder().genesis()).unwrap();
        Genesis::from_json(&text).unwrap()
    }

    /// All objects on the disk of a node that does not run.
    pub fn stored(&self, node: usize) -> Vec<(ObjectId, Object)> {
        let network = self.genesis().network.id();
        let db = self.cluster.folder().node(node).join("data/db");
        let store = Store::open(&db, network).unwrap();
        let page = store.objects(&PageRequest::ascending(10_000)).unwrap();
        assert_eq!(page.next, None);
        let objects = page.entries.into_iter();
        let objects = objects.map(|(id, value)| (id, Object::decode(&id, value).unwrap()));
        objects.collect()
    }

    /// A payment from the first DEV account to the second.
    pub async fn payment(&self, nodes: &[usize], amount: u64) -> Transaction {
        let genesis = self.client(nodes).genesis().await.unwrap();
        let payment = Payment {
            to: self.dev_address(1),
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        };
        let transfer = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        Draft::new(&genesis).sign(&self.dev_key(0), vec![transfer])
    }

    /// Pays through some of the nodes, and waits for the certificate.
    pub async fn pay(&self, nodes: &[usize], amount: u64) -> Transaction {
        let transaction = self.payment(nodes, amount).await;
        let client = self.client(nodes);
        let status = client.submit(&transaction, Wait::Certified).await.unwrap();
        assert!(is_certified(status.state), "{status:?}");
        transaction
    }

    pub async fn fault(&self, fault: Fault, nodes: &[usize]) {
        for node in nodes {
            self.cluster.fault(fault, &node.to_string()).await.unwrap();
        }
    }

    /// Proofs that somebody has signed twice, as the node counts them.
    pub async fn evidence(&self, node: usize) -> u64 {
        let api = self.manifest.nodes[node].api.trim_start_matches("http://");
        let metrics = weft_http::testing::get(api.parse().unwrap(), "/metrics").await;
        let mut lines = metrics.lines();
        let count = lines.find_map(|l| l.strip_prefix("weft_equivocations_total "));
        count.and_then(|n| n.parse().ok()).expect("a counter")
    }

    pub async fn status(&self, node: usize) -> Option<NodeStatus> {
        self.cluster.clients().unwrap()[node].status().await.ok()
    }

    /// Waits until these nodes stand at one height, and returns it with the root that all have there.
    pub async fn equal(&self, nodes: &[usize]) -> (u64, Root) {
        let mut last = Vec::new();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            last.clear();
            for node in nodes {
                let status = self.status(*node).await;
                last.push(status.map(|s| (s.height.0, s.state_root)));
            }
            if let Some(first) = last[0]
                && last.iter().all(|other| *other == Some(first))
            {
                return first;
            }
            tokio::time::sleep(POLL).await;
        }
        panic!("nodes {nodes:?} do not come to one state: {last:?}");
    }

    /// The newest commits of a node, by index.
    pub async fn commits(&self, node: usize) -> Vec<(CommitIndex, CommitDigest)> {
        let page = weft_client::PageQuery::limit(weft_types::api::PAGE_MAX);
        let commits = self.client(&[node]).commits(&page).await.unwrap().items;
        commits.into_iter().map(|c| (c.index, c.digest)).collect()
    }

    /// Two nodes' commits are the same wherever both have one.
    pub async fn assert_no_fork(&self, nodes: &[usize]) {
        let reference = self.commits(nodes[0]).await;
        for node in &nodes[1..] {
            let mut common = 0;
            for (index, digest) in self.commits(*node).await {
                let other = reference.iter().find(|(i, _)| *i == index);
                if let Some((_, other)) = other {
                    assert_eq!(digest, *other, "commit {index} of node {node}");
                    common += 1;
                }
            }
            assert!(
                common > 0,
                "nodes {} and {node} have none in common",
                nodes[0]
            );
        }
    }

    pub async fn load(&self, rate: u32, seconds: u64, mix: Mix) -> Result<Report, LoadError> {
        let options = LoadOptions {
            rate: Rate::PerSecond(rate),
            duration: Duration::from_secs(seconds),
            mix,
            collection: None,
        };
        let processes = || self.cluster.node_processes();
        let target = Target {
            nodes: self.cluster.apis(),
            key: account_key(self.cluster.folder(), LOAD_ACCOUNT).unwrap(),
            base: self.cluster.base().await.ok(),
            processes: &processes,
        };
        run(options, &target, &|_| {}).await
    }
}

/// What all accounts hold of the native asset together.
pub fn coins(objects: &[(ObjectId, Object)]) -> u128 {
    let balance = |object: &Object| match object {
        Object::Account(account) => u128::from(account.balance(&AssetId::NATIVE).0),
        _ => 0,
    };
    objects.iter().map(|(_, object)| balance(object)).sum()
}

pub fn is_certified(state: TransactionState) -> bool {
    matches!(
        state,
        TransactionState::Certified | TransactionState::Anchored
    )
}

/// Waits for something to become true.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
    }
}
