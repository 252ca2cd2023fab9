//! The base chain of a testnet: the process that serves it, and the contracts on it.

use super::error::ClusterError;
use super::folder::Folder;
use super::settings::{Base, Settings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use weft_basechain::embedded::ChainConfig;
use weft_basechain::{
    AccountKey, BaseChain, DeployParams, EmbeddedConfig, Endpoint, HashLocks, Pace, Registration,
    run_embedded,
};
use weft_node::{NodeKeys, read_secret, write_secret};
use weft_types::{BaseAddress, Committee, Template};

/// As on other development chains.
const CHAIN_ID: u64 = 31_337;
/// Blocks by which `finalized` is behind the head.
const FINALITY_DEPTH: u64 = 2;
/// What the embedded chain's deployer begins with, in wei: a thousand million coins.
const SUPPLY: u128 = 1_000_000_000 * COIN;
const GWEI: u128 = 1_000_000_000;
const COIN: u128 = 1_000_000_000_000_000_000;
/// Wei per unit of voting weight.
const BOND_UNIT: u128 = COIN / 100;
/// Units that each masternode of a testnet bonds.
const BOND_UNITS: u64 = 32;
/// Bounds of one masternode's weight.
const WEIGHT: (u64, u64) = (1, 1_000_000);
/// For an operator's registration, over the bond; and for the gas of a member's checkpoints. On a
/// chain that is not ours coins may be dear.
const ALLOWANCE_OURS: u128 = 1_000 * COIN;
const ALLOWANCE_FOREIGN: u128 = COIN / 20;
/// Anvil's first development account, with the same key everywhere.
const ANVIL_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

const CHAIN_FILE: &str = "chain.json";
const JOURNAL: &str = "journal";
const DEPLOYER: &str = "deployer.key";

/// Contents of `base/chain.json`: what the embedded chain is served with.
#[derive(Debug, Serialize, Deserialize)]
struct ChainFile {
    chain_id: u64,
    seed: u64,
    genesis_timestamp: u64,
    finality_depth: u64,
    /// Who has all coins at first.
    #[serde(with = "hex::serde")]
    deployer: [u8; 20],
    port: u16,
}

impl ChainFile {
    fn config(&self) -> ChainConfig {
        ChainConfig {
            chain_id: self.chain_id,
            seed: self.seed,
            genesis_timestamp: self.genesis_timestamp,
            balances: BTreeMap::from([(self.deployer, SUPPLY)]),
            finality_depth: self.finality_depth,
        }
    }
}

/// Serves the embedded chain of a testnet until `shutdown` resolves: what the process `base` does.
pub async fn serve(
    folder: &Folder,
    ready: impl FnOnce(&str),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ClusterError> {
    let base = folder.base();
    let file: ChainFile = folder.read(&base.join(CHAIN_FILE))?;
    let config = EmbeddedConfig {
        chain: file.config(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, file.port)),
        journal: Some(base.join(JOURNAL)),
        pace: Pace::default(),
    };
    let served = run_embedded(config, ready, shutdown).await;
    served.map_err(|e| ClusterError::Base(e.to_string()))
}

/// Where the key of a node's operator is: the owner of the bond, which the node itself never has.
fn operator(folder: &Folder, node: usize) -> PathBuf {
    folder.base().join(format!("operator-{node}.key"))
}

/// The key that pays for a node's checkpoints.
pub fn submitter(folder: &Folder, node: usize) -> PathBuf {
    folder.node(node).join("keys").join("base.key")
}

/// Makes the keys of all base-chain accounts, and what the embedded chain starts with.
pub fn prepare(
    folder: &Folder,
    settings: &Settings,
    base_key: Option<&Path>,
) -> Result<(), ClusterError> {
    let deployer = folder.base().join(DEPLOYER);
    let secret = match (&settings.base, base_key) {
        (Base::Embedded, _) => rand::random(),
        (Base::Anvil, _) => anvil_key(),
        (Base::Url(_), Some(file)) => *read_secret(file)?,
        (Base::Url(url), None) => {
            let words = format!(
                "{url} needs a funded account that deploys the contracts and pays: name its key file \
                 with --base-key"
            );
            return Err(ClusterError::Base(words));
        }
    };
    write_secret(&deployer, &secret)?;
    for node in 0..usize::from(settings.nodes) {
        write_secret(&operator(folder, node), &rand::random())?;
        write_secret(&submitter(folder, node), &rand::random())?;
    }
    if settings.base == Base::Embedded {
        let file = ChainFile {
            chain_id: CHAIN_ID,
            seed: rand::random(),
            genesis_timestamp: super::setup::now().0 / 1_000,
            finality_depth: FINALITY_DEPTH,
            deployer: account(&deployer)?.address(),
            port: settings.ports.base.unwrap_or_default(),
        };
        folder.write(&folder.base().join(CHAIN_FILE), &file)?;
    }
    Ok(())
}

fn anvil_key() -> [u8; 32] {
    let mut key = [0; 32];
    hex::decode_to_slice(ANVIL_KEY, &mut key).expect("the constant is hexadecimal");
    key
}

fn account(file: &Path) -> Result<AccountKey, ClusterError> {
    let key = AccountKey::from_bytes(&*read_secret(file)?);
    key.map_err(|e| ClusterError::Base(format!("{}: {e}", file.display())))
}

/// The command that serves the base chain, `None` for one that is not ours to start.
pub fn command(
    folder: &Folder,
    settings: &Settings,
    program: &Path,
) -> Result<Option<(PathBuf, Vec<String>)>, ClusterError> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    Ok(match settings.base {
        Base::Url(_) => None,
        Base::Embedded => {
            let folder = text(folder.path());
            let arguments = own(&["testnet", "base", "--dir", &folder]);
            Some((program.to_owned(), arguments))
        }
        Base::Anvil => {
            let port = settings.ports.base.unwrap_or_default().to_string();
            let id = CHAIN_ID.to_string();
            let state = text(&folder.base().join("anvil.json"));
            let arguments = own(&[
                "--host",
                "127.0.0.1",
                "--port",
                &port,
                "--chain-id",
                &id,
                // The state survives a restart; `finalized` follows the head.
                "--state",
                &state,
                "--state-interval",
                "5",
                "--slots-in-an-epoch",
                "2",
                "--block-time",
                "2",
                "--mixed-mining",
                // Coins of the first accounts: what the genesis hands out lies in the vault.
                "--balance",
                "1000000000",
            ]);
            Some((anvil()?, arguments))
        }
    })
}

/// Where `scripts/anvil.sh` puts it, unless the environment names another.
fn anvil() -> Result<PathBuf, ClusterError> {
    if let Some(named) = std::env::var_os("WEFT_ANVIL") {
        return Ok(named.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(home?.join(".cache")));
    let installed = cache.map(|c| c.join("weft/anvil/anvil"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
    let found = installed.into_iter().chain(in_path).find(|p| p.is_file());
    found.ok_or_else(|| {
        let words = "anvil is not installed: run scripts/anvil.sh, or name it with WEFT_ANVIL";
        ClusterError::Base(words.to_owned())
    })
}

fn failed(error: weft_basechain::ClientError) -> ClusterError {
    ClusterError::Base(error.to_string())
}

/// What a network has on its base chain, and beside it.
pub struct Founded {
    pub chain: BaseChain,
    pub committee: Committee,
    /// For swaps with the base chain; nothing of the network knows it.
    pub hash_lock: BaseAddress,
}

/// Puts the contracts there, gives all accounts what they need, bonds every operator, and reads the
/// committee back.
pub async fn found(
    folder: &Folder,
    settings: &Settings,
    template: &Template,
    say: super::Say<'_>,
) -> Result<Founded, ClusterError> {
    let deployer = account(&folder.base().join(DEPLOYER))?;
    let nodes = usize::from(settings.nodes);
    let operators: Vec<AccountKey> = (0..nodes)
        .map(|node| account(&operator(folder, node)))
        .collect::<Result<_, _>>()?;
    let endpoint = Endpoint::connect(&settings.base_rpc()).await;
    let endpoint = endpoint.map_err(failed)?;
    let bond = BOND_UNIT * u128::from(BOND_UNITS);
    let allowance = if settings.base.is_ours() {
        ALLOWANCE_OURS
    } else {
        ALLOWANCE_FOREIGN
    };
    say("base chain: deploying the contracts");
    let params = DeployParams {
        network: template.digest(),
        times: settings.times(template.params.challenge_window_s),
        backing: backing(settings, template),
        curator: deployer.address(),
        bond_unit: BOND_UNIT,
        weight_min: WEIGHT.0,
        weight_max: WEIGHT.1,
        operators: operators.iter().map(AccountKey::address).collect(),
    };
    let chain = BaseChain::deploy(endpoint.clone(), &deployer, &params);
    let chain = chain.await.map_err(failed)?;
    for (node, operator) in operators.iter().enumerate() {
        say(&format!(
            "base chain: bonding masternode {} of {nodes}",
            node + 1
        ));
        let submitter = account(&submitter(folder, node))?;
        for (to, wei) in [
            (operator.address(), bond + allowance),
            (submitter.address(), allowance),
        ] {
            let sent = endpoint.transfer(&deployer, to, wei).await;
            sent.map_err(failed)?;
        }
        let keys = node_keys(folder, node)?;
        let registration = Registration {
            vertex_key: keys.vertex.public(),
            finality_secret: keys.finality,
            bond,
            addresses: format!("{},{}", settings.p2p(node), settings.api(node)),
        };
        let registered = chain.register(operator, &registration).await;
        registered.map_err(failed)?;
    }
    say("base chain: deploying the hash locks");
    let locks = HashLocks::deploy(endpoint, &deployer).await;
    Ok(Founded {
        hash_lock: locks.map_err(failed)?.address(),
        committee: chain.committee().await.map_err(failed)?,
        chain,
    })
}

/// On a chain that is ours all of the genesis' coins can be withdrawn. Elsewhere they stand for nothing.
fn backing(settings: &Settings, template: &Template) -> u128 {
    let balances = template.accounts.iter().map(|a| u128::from(a.balance.0));
    match settings.base.is_ours() {
        true => balances.sum::<u128>() * GWEI,
        false => 0,
    }
}

fn node_keys(folder: &Folder, node: usize) -> Result<NodeKeys, ClusterError> {
    let keys = folder.node(node).join("keys");
    let missing = || ClusterError::Base(format!("{} holds no keys", keys.display()));
    NodeKeys::load(&keys)?.ok_or_else(missing)
}
