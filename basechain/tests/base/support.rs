//! Base chains to run against, and the accounts on them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use weft_basechain::embedded::ChainConfig;
pub use weft_basechain::testing::{Process, anvil, anvil_with};
use weft_basechain::{
    AccountKey, BaseChain, DeployParams, EmbeddedConfig, Endpoint, Pace, Registration, Times,
    serve_embedded,
};
use weft_types::testing::{finality_key, statement, vertex_key};
use weft_types::{Committee, Epoch, GenesisDigest, Member, Network, Stake, Statement};

pub const ETHER: u128 = 1_000_000_000_000_000_000;
pub use weft_basechain::testing::CHAIN_ID;
/// Longer than the story up to the member that leaves takes in blocks, short enough to wait for.
pub const UNBONDING_S: u64 = 5;
/// Two thirds of them are exactly what the last two have.
pub const WEIGHTS: [u64; 4] = [10, 20, 30, 30];

/// The account that anvil funds first, and the embedded chains of these tests too.
pub fn rich() -> AccountKey {
    let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes).unwrap();
    AccountKey::from_bytes(&bytes).unwrap()
}

/// The account of member `i`; 4 is an outsider's.
pub fn operator(i: usize) -> AccountKey {
    AccountKey::from_bytes(&[i as u8 + 0x41; 32]).unwrap()
}

pub fn addresses(i: usize) -> String {
    format!(
        "/ip4/127.0.0.1/tcp/{},http://127.0.0.1:{}",
        9000 + i,
        8000 + i
    )
}

pub fn registration(i: usize) -> Registration {
    Registration {
        vertex_key: vertex_key(i).public(),
        finality_secret: finality_key(i),
        bond: u128::from(WEIGHTS.get(i).copied().unwrap_or(10)) * ETHER,
        addresses: addresses(i),
    }
}

pub fn params() -> DeployParams {
    DeployParams {
        network: GenesisDigest([9; 32]),
        bond_unit: ETHER,
        weight_min: 10,
        weight_max: 100,
        times: Times {
            challenge_window_s: 0,
            unbonding_s: UNBONDING_S,
            escape_after_s: 86_400,
            escape_window_s: 3_600,
        },
        backing: ETHER,
        curator: rich().address(),
        operators: (0..4).map(|i| operator(i).address()).collect(),
    }
}

/// The committee that the registrations make.
pub fn committee() -> Committee {
    let member = |i: usize| Member {
        id: i as u64 + 1,
        stake: Stake(WEIGHTS[i]),
        vertex_key: vertex_key(i).public(),
        finality_key: finality_key(i).public(),
        addresses: addresses(i),
    };
    Committee::new(Epoch::ZERO, (0..4).map(member).collect()).unwrap()
}

/// Gives all operators, and the outsider, what they need.
pub async fn fund(endpoint: &Endpoint) {
    for i in 0..5 {
        let to = operator(i).address();
        endpoint.transfer(&rich(), to, 1_000 * ETHER).await.unwrap();
    }
}

pub fn embedded(port: u16, journal: Option<PathBuf>) -> EmbeddedConfig {
    EmbeddedConfig {
        chain: ChainConfig {
            chain_id: CHAIN_ID,
            seed: 1,
            genesis_timestamp: 1_700_000_000,
            balances: [(rich().address(), 10_000 * ETHER)].into(),
            finality_depth: 2,
        },
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        journal,
        pace: Pace {
            busy: Duration::from_millis(5),
            settling: Duration::from_millis(50),
            idle: Duration::from_secs(1),
        },
    }
}

/// What a story comes to that is told to the embedded chain and to anvil: the same.
pub async fn told_alike<T: PartialEq + std::fmt::Debug>(tell: impl AsyncFn(String) -> T) {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let on_embedded = tell(server.rpc_url().to_owned()).await;
    server.shutdown().await.unwrap();
    let anvil = anvil();
    let on_anvil = tell(anvil.url.clone()).await;
    assert_eq!(on_embedded, on_anvil);
}

/// The contracts on a chain, with all members registered.
pub async fn enrolled(endpoint: Endpoint) -> BaseChain {
    enrolled_with(endpoint, &params()).await
}

/// The same with other parameters.
pub async fn enrolled_with(endpoint: Endpoint, params: &DeployParams) -> BaseChain {
    fund(&endpoint).await;
    let chain = BaseChain::deploy(endpoint, &rich(), params).await.unwrap();
    for i in 0..4 {
        chain
            .register(&operator(i), &registration(i))
            .await
            .unwrap();
    }
    chain
}

/// A statement of a chain's network.
pub fn stated(chain: &BaseChain, height: u64) -> Statement {
    let network = Network {
        genesis: params().network,
        chain_id: chain.endpoint().chain_id(),
        manager: chain.contracts().manager,
    };
    Statement {
        network,
        ..statement(height)
    }
}
