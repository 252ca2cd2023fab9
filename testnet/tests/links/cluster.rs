//! Four members, and observers where a test wants them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use weft_basechain::embedded::ChainConfig;
use weft_basechain::{
    AccountKey, BaseChain, DeployParams, EmbeddedConfig, Endpoint, Pace, Registration,
    ServerHandle, Times, serve_embedded,
};
use weft_client::{Client, Draft, Options, Wait};
use weft_network::Handle;
use weft_node::{DriverError, Node, NodeConfig, NodeKeys};
use weft_types::api::TransactionState;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetId, Genesis, GenesisAccount, Millis, Network, Operation, Payment,
    ProtocolParams, Template, Transaction,
};

pub const MEMBERS: usize = 4;
const COIN: u128 = 1_000_000_000_000_000_000;

pub fn user() -> SecretKey {
    SecretKey::from_seed([0x55; 32])
}

/// The one after the members' deployed the contracts, and lists tokens.
pub fn operator(i: usize) -> AccountKey {
    AccountKey::from_bytes(&[i as u8 + 1; 32]).unwrap()
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A node at work.
pub struct Running {
    pub network: Handle,
    api: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), DriverError>>,
}

impl Running {
    pub async fn start(config: NodeConfig) -> Self {
        Self::of(Node::start(config).await.unwrap())
    }

    pub fn of(node: Node) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self {
            network: node.network(),
            api: format!("http://{}", node.api()),
            stop,
            ended: tokio::spawn(node.run(async {
                let _ = stopped.await;
            })),
        }
    }

    /// Asks this node alone, once.
    pub fn client(&self) -> Client {
        let options = Options {
            rounds: 1,
            ..Options::default()
        };
        Client::with_options([&self.api], options).unwrap()
    }

    /// What a supervisor is told, status line included.
    pub async fn readiness(&self) -> String {
        self.get("/readyz").await
    }

    /// The whole answer.
    pub async fn get(&self, path: &str) -> String {
        let address = self.api.trim_start_matches("http://");
        weft_http::testing::get(address.parse().unwrap(), path).await
    }

    pub async fn stop(self) {
        let _ = self.stop.send(());
        self.ended.await.unwrap().unwrap();
    }
}

pub struct Cluster {
    folder: TempDir,
    base: ServerHandle,
    pub chain: BaseChain,
    pub genesis: Genesis,
    pub keys: Vec<NodeKeys>,
    pub nodes: Vec<Running>,
    /// Of the members.
    pub configs: Vec<NodeConfig>,
}

/// What a cluster has that is not as usual.
#[derive(Clone, Copy)]
pub struct Unusual {
    /// Beside the user's.
    pub accounts: u64,
    pub params: fn(&mut ProtocolParams),
    pub settings: fn(&mut NodeConfig),
}

impl Default for Unusual {
    fn default() -> Self {
        Self {
            accounts: 0,
            params: |_| {},
            settings: |_| {},
        }
    }
}

fn account(n: u64) -> GenesisAccount {
    let mut address = [0xac; 32];
    address[..8].copy_from_slice(&n.to_be_bytes());
    GenesisAccount {
        address: Address(address),
        balance: Amount(1),
    }
}

/// The files and settings of an operator's node.
fn member_config(
    folder: &Path,
    base_rpc: &str,
    i: usize,
    keys: &NodeKeys,
    port: u16,
) -> NodeConfig {
    let home = folder.join(format!("node-{i}"));
    keys.save(&home.join("keys")).unwrap();
    keys.mark_new(&home.join("data")).unwrap();
    weft_node::write_secret(&home.join("base.key"), &[i as u8 + 1; 32]).unwrap();
    NodeConfig {
        name: format!("node-{i}"),
        data: home.join("data"),
        genesis: folder.join("genesis.json"),
        keys: home.join("keys"),
        api_listen: ([127, 0, 0, 1], 0).into(),
        p2p_listen: format!("/ip4/127.0.0.1/tcp/{port}"),
        base_rpc: base_rpc.to_owned(),
        base_key: Some(home.join("base.key")),
        ..NodeConfig::default()
    }
}

impl Cluster {
    pub async fn start() -> Self {
        Self::start_with(Unusual::default()).await
    }

    pub async fn start_with(unusual: Unusual) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        let rich = (0..=2 * MEMBERS).map(|i| (operator(i).address(), 1_000 * COIN));
        let base = serve_embedded(EmbeddedConfig {
            chain: ChainConfig {
                chain_id: 31_337,
                seed: 7,
                genesis_timestamp: now.as_secs(),
                balances: BTreeMap::from_iter(rich),
                finality_depth: 2,
            },
            listen: ([127, 0, 0, 1], 0).into(),
            journal: None,
            pace: Pace::default(),
        })
        .await
        .unwrap();
        let mut template = Template {
            name: "links".to_owned(),
            timestamp_ms: Millis(now.as_millis() as u64),
            params: ProtocolParams {
                checkpoint_interval_ms: Millis(1_000),
                challenge_window_s: 1,
                ..ProtocolParams::default()
            },
            accounts: std::iter::once(GenesisAccount {
                address: Address::of_key(&user().public()),
                balance: Amount(1_000_000_000),
            })
            .chain((0..unusual.accounts).map(account))
            .collect(),
        };
        (unusual.params)(&mut template.params);
        let endpoint = Endpoint::connect(base.rpc_url()).await.unwrap();
        let params = DeployParams {
            network: template.digest(),
            bond_unit: COIN,
            weight_min: 1,
            weight_max: 100,
            times: Times::testnet(template.params.challenge_window_s),
            backing: 0,
            curator: operator(MEMBERS).address(),
            operators: (0..MEMBERS).map(|i| operator(i).address()).collect(),
        };
        let chain = BaseChain::deploy(endpoint, &operator(MEMBERS), &params)
            .await
            .unwrap();
        let ports: Vec<u16> = (0..MEMBERS).map(|_| free_port()).collect();
        let mut keys = Vec::new();
        for (i, port) in ports.iter().enumerate() {
            let node = NodeKeys::generate();
            let registration = Registration {
                vertex_key: node.vertex.public(),
                finality_secret: node.finality.clone(),
                bond: COIN,
                addresses: format!("/ip4/127.0.0.1/tcp/{port}"),
            };
            chain.register(&operator(i), &registration).await.unwrap();
            keys.push(node);
        }
        let committee = chain.committee().await.unwrap();
        let genesis = Genesis {
            network: Network {
                genesis: template.digest(),
                chain_id: 31_337,
                manager: chain.contracts().manager,
            },
            template,
            registry: chain.contracts().registry,
            vault: chain.contracts().vault,
            committee: committee.members().to_vec(),
        };
        std::fs::write(folder.path().join("genesis.json"), genesis.to_json()).unwrap();
        let mut nodes = Vec::new();
        let mut configs = Vec::new();
        for (i, keys) in keys.iter().enumerate() {
            let mut config = member_config(folder.path(), base.rpc_url(), i, keys, ports[i]);
            (unusual.settings)(&mut config);
            nodes.push(Running::start(config.clone()).await);
            configs.push(config);
        }
        Self {
            folder,
            base,
            chain,
            genesis,
            keys,
            nodes,
            configs,
        }
    }

    /// Another operator bonds a coin, and starts its node: the fifth is number 5, after the one that deployed.
    pub async fn join(&self, number: usize) -> Running {
        Running::start(self.bond(number).await).await
    }

    /// The settings of its node.
    pub async fn bond(&self, number: usize) -> NodeConfig {
        let (keys, port) = (NodeKeys::generate(), free_port());
        let registration = Registration {
            vertex_key: keys.vertex.public(),
            finality_secret: keys.finality.clone(),
            bond: COIN,
            addresses: format!("/ip4/127.0.0.1/tcp/{port}"),
        };
        let operator = operator(number);
        let joined = self.chain.register(&operator, &registration).await;
        joined.unwrap();
        let (folder, rpc) = (self.folder.path(), self.base.rpc_url());
        member_config(folder, rpc, number, &keys, port)
    }

    /// The settings of an observer in a folder of that name.
    pub fn observer(&self, name: &str) -> NodeConfig {
        let home = self.folder.path().join(name);
        NodeConfig {
            name: name.to_owned(),
            data: home.join("data"),
            genesis: self.folder.path().join("genesis.json"),
            keys: home.join("keys"),
            api_listen: ([127, 0, 0, 1], 0).into(),
            base_rpc: self.base.rpc_url().to_owned(),
            ..NodeConfig::default()
        }
    }

    pub async fn observe(&self, name: &str) -> Running {
        Running::start(self.observer(name)).await
    }

    pub async fn connected(&self) {
        let whole = |n: &Running| n.network.peers().iter().all(|p| p.connected);
        while !self.nodes.iter().all(whole) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn client(&self, i: usize) -> Client {
        Client::new([&self.nodes[i].api]).unwrap()
    }

    /// A transfer of 5 to an address of so many `to`.
    pub fn transfer(&self, to: u8) -> Transaction {
        let operation = Operation::Transfer {
            payments: vec![Payment {
                to: Address([to; 32]),
                asset: AssetId::NATIVE,
                amount: Amount(5),
            }],
            items: Vec::new(),
        };
        Draft::new(&self.genesis).sign(&user(), vec![operation])
    }

    /// A transfer handed to one node, and awaited there until it is certified.
    pub async fn transfer_at(&self, i: usize) -> TransactionState {
        let transaction = self.transfer(i as u8);
        let client = self.client(i);
        let submitted = client.submit(&transaction, Wait::Certified).await;
        submitted.unwrap().state
    }

    pub async fn stop(self) {
        drop(self.stop_nodes().await);
    }

    /// The same, with all that is on disk kept as long as the folder is.
    pub async fn stop_nodes(self) -> TempDir {
        for node in self.nodes {
            node.stop().await;
        }
        self.base.shutdown().await.unwrap();
        self.folder
    }
}

pub async fn within<T>(seconds: u64, what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(seconds);
    tokio::time::timeout(limit, future)
        .await
        .unwrap_or_else(|_| panic!("{what} took more than {seconds} s"))
}
