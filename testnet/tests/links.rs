//! Four nodes in one process, over real sockets, databases and an embedded base chain, whose links a
//! test can cut.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use weft_basechain::embedded::ChainConfig;
use weft_basechain::{
    AccountKey, At, BaseChain, DeployParams, EmbeddedConfig, Endpoint, Pace, Registration,
    ServerHandle, serve_embedded,
};
use weft_client::{Client, Draft, Wait};
use weft_network::Handle;
use weft_node::{DriverError, Node, NodeConfig, NodeKeys};
use weft_types::api::TransactionState;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetId, Genesis, GenesisAccount, MemberIndex, Millis, Network, Operation,
    Payment, ProtocolParams, Template,
};

const MEMBERS: usize = 4;
const COIN: u128 = 1_000_000_000_000_000_000;

fn user() -> SecretKey {
    SecretKey::from_seed([0x55; 32])
}

fn operator(i: usize) -> AccountKey {
    AccountKey::from_bytes(&[i as u8 + 1; 32]).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

struct Running {
    network: Handle,
    api: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), DriverError>>,
}

struct Cluster {
    folder: TempDir,
    base: ServerHandle,
    chain: BaseChain,
    nodes: Vec<Running>,
}

impl Cluster {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        let rich = (0..=MEMBERS).map(|i| (operator(i).address(), 1_000 * COIN));
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
        let template = Template {
            name: "links".to_owned(),
            timestamp_ms: Millis(now.as_millis() as u64),
            params: ProtocolParams {
                checkpoint_interval_ms: Millis(1_000),
                ..ProtocolParams::default()
            },
            accounts: vec![GenesisAccount {
                address: Address::of_key(&user().public()),
                balance: Amount(1_000_000_000),
            }],
        };
        let endpoint = Endpoint::connect(base.rpc_url()).await.unwrap();
        let params = DeployParams {
            network: template.digest(),
            bond_unit: COIN,
            weight_min: 1,
            weight_max: 100,
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
        let committee = chain.genesis_committee().await.unwrap();
        let genesis = Genesis {
            network: Network {
                genesis: template.digest(),
                chain_id: 31_337,
                manager: chain.contracts().manager,
            },
            template,
            registry: chain.contracts().registry,
            committee: committee.members().to_vec(),
        };
        std::fs::write(folder.path().join("genesis.json"), genesis.to_json()).unwrap();
        let mut nodes = Vec::new();
        for (i, keys) in keys.iter().enumerate() {
            let home = folder.path().join(format!("node-{i}"));
            keys.save(&home.join("keys")).unwrap();
            weft_node::write_secret(&home.join("base.key"), &[i as u8 + 1; 32]).unwrap();
            let config = NodeConfig {
                name: format!("node-{i}"),
                data: home.join("data"),
                genesis: folder.path().join("genesis.json"),
                keys: home.join("keys"),
                api_listen: ([127, 0, 0, 1], 0).into(),
                p2p_listen: format!("/ip4/127.0.0.1/tcp/{}", ports[i]),
                base_rpc: base.rpc_url().to_owned(),
                base_key: Some(home.join("base.key")),
                ..NodeConfig::default()
            };
            let node = Node::start(config).await.unwrap();
            let (stop, stopped) = oneshot::channel();
            nodes.push(Running {
                network: node.network().clone(),
                api: format!("http://{}", node.api()),
                stop,
                ended: tokio::spawn(node.run(async {
                    let _ = stopped.await;
                })),
            });
        }
        Self {
            folder,
            base,
            chain,
            nodes,
        }
    }

    async fn connected(&self) {
        let whole = |n: &Running| n.network.peers().iter().all(|p| p.connected);
        while !self.nodes.iter().all(whole) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn client(&self, i: usize) -> Client {
        Client::new([&self.nodes[i].api]).unwrap()
    }

    /// A transfer handed to one node, and awaited there until it is certified.
    async fn transfer_at(&self, i: usize) -> TransactionState {
        let client = self.client(i);
        let draft = Draft::new(&client.genesis().await.unwrap());
        let operation = Operation::Transfer {
            payments: vec![Payment {
                to: Address([i as u8; 32]),
                asset: AssetId::NATIVE,
                amount: Amount(5),
            }],
            items: Vec::new(),
        };
        let transaction = draft.sign(&user(), vec![operation]);
        let status = client.submit(&transaction, Wait::Certified).await.unwrap();
        status.state
    }

    async fn stop(self) {
        for node in self.nodes {
            let _ = node.stop.send(());
            node.ended.await.unwrap().unwrap();
        }
        self.base.shutdown().await.unwrap();
        drop(self.folder);
    }
}

async fn within<T>(seconds: u64, what: &str, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(seconds);
    tokio::time::timeout(limit, future)
        .await
        .unwrap_or_else(|_| panic!("{what} took more than {seconds} s"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_is_certified_and_its_state_root_stands_on_the_base_chain() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let state = within(20, "a transfer", cluster.transfer_at(0)).await;
    assert_eq!(state, TransactionState::Certified);
    let posted = async {
        loop {
            let latest = cluster.chain.latest_checkpoint(At::Latest).await.unwrap();
            if let Some(checkpoint) = latest {
                return checkpoint;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let checkpoint = within(30, "a checkpoint", posted).await;
    for i in 0..MEMBERS {
        let certificate = within(20, "a certificate", async {
            loop {
                match cluster.client(i).certificate(&checkpoint.height).await {
                    Ok(certificate) => return certificate,
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        let statement = certificate.await.statement;
        assert_eq!(statement.state_root, checkpoint.state_root);
        assert_eq!(statement.digest(), checkpoint.statement);
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_without_a_direct_link_still_make_progress() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    cluster.nodes[0].network.block(MemberIndex(1)).unwrap();
    cluster.nodes[1].network.block(MemberIndex(0)).unwrap();
    for i in [0, 1, 0, 1, 2, 3] {
        let state = within(20, "a transfer", cluster.transfer_at(i)).await;
        assert_eq!(state, TransactionState::Certified);
    }
    cluster.stop().await;
}
