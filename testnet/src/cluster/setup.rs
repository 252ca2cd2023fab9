//! A new testnet: keys, accounts, base chain with bonded operators, genesis, and a configuration for
//! each node. `genesis.json` is written last, so a set-up that was interrupted is known as such.

use super::base::{self, Founded};
use super::error::ClusterError;
use super::folder::Folder;
use super::manifest::{DevAccount, Manifest};
use super::options::UpOptions;
use super::settings::Settings;
use super::template;
use std::fs;
use std::time::SystemTime;
use weft_node::{CONFIG_FILE, NodeConfig, NodeKeys, read_secret, write_secret};
use weft_types::ed25519::SecretKey;
use weft_types::{Address, Amount, Genesis, GenesisAccount, Millis, Network, Template};

/// What a testnet is called.
pub(super) const NAME: &str = "testnet";
/// Accounts that the banner shows.
const DEV_ACCOUNTS: usize = 10;
/// What each of them begins with: a thousand coins, in gwei.
const DEV_BALANCE: Amount = Amount(1_000_000_000_000);
/// What faucet and load generator begin with: ten million coins each.
const SOURCE_BALANCE: Amount = Amount(10_000_000_000_000_000);
/// The faucet's account, and the load generator's.
pub const FAUCET_ACCOUNT: &str = "faucet";
pub const LOAD_ACCOUNT: &str = "load";

pub fn now() -> Millis {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Millis(u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(u64::MAX))
}

/// The key of an account of this testnet.
pub fn account_key(folder: &Folder, name: &str) -> Result<SecretKey, ClusterError> {
    let seed = read_secret(&folder.account_key(name))?;
    Ok(SecretKey::from_seed(*seed))
}

/// Everything that needs no base chain: settings, keys and accounts. Returns what the contracts will
/// name.
pub fn prepare(
    folder: &Folder,
    settings: &Settings,
    options: &UpOptions,
) -> Result<Template, ClusterError> {
    folder.write_settings(settings)?;
    for node in 0..usize::from(settings.nodes) {
        super::folder::make_private(&folder.node(node))?;
        let keys = NodeKeys::generate();
        keys.save(&folder.node(node).join("keys"))?;
        keys.mark_new(&folder.node(node).join(NodeConfig::default().data))?;
    }
    base::prepare(folder, settings, options.base_key.as_deref())?;
    let dev = dev_names();
    let dev = dev.iter().map(|name| (name.as_str(), DEV_BALANCE));
    let sources = [FAUCET_ACCOUNT, LOAD_ACCOUNT].map(|name| (name, SOURCE_BALANCE));
    let mut accounts = Vec::new();
    for (name, balance) in sources.into_iter().chain(dev) {
        write_secret(&folder.account_key(name), &rand::random())?;
        let key = account_key(folder, name)?;
        accounts.push(GenesisAccount {
            address: Address::of_key(&key.public()),
            balance,
        });
    }
    let mut template = Template {
        name: NAME.to_owned(),
        timestamp_ms: now(),
        params: template::params(),
        accounts,
    };
    if let Some(own) = &settings.template {
        let wrong = |reason| ClusterError::Settings {
            folder: folder.path().to_owned(),
            reason,
        };
        own.apply(&mut template).map_err(wrong)?;
    }
    let params = &mut template.params;
    params.byzantine_percent = settings.two_delay.or(params.byzantine_percent);
    params.epoch_duration_ms = settings.epoch.unwrap_or(params.epoch_duration_ms);
    if let Some(unusual) = options.unusual {
        (unusual.genesis)(&mut template);
    }
    template.validate()?;
    Ok(template)
}

fn dev_names() -> Vec<String> {
    (0..DEV_ACCOUNTS).map(|i| format!("dev-{i}")).collect()
}

/// With the contracts in place and every operator bonded: configurations, manifest and genesis.
pub fn finish(
    folder: &Folder,
    settings: &Settings,
    options: &UpOptions,
    template: Template,
    founded: &Founded,
) -> Result<(), ClusterError> {
    let Founded {
        chain,
        committee,
        hash_lock,
    } = founded;
    let contracts = chain.contracts();
    let genesis = Genesis {
        network: Network {
            genesis: template.digest(),
            chain_id: chain.endpoint().chain_id(),
            manager: contracts.manager,
        },
        template,
        registry: contracts.registry,
        vault: contracts.vault,
        committee: committee.members().to_vec(),
    };
    genesis.validate()?;
    for (node, name) in settings.node_names().into_iter().enumerate() {
        write_config(folder, settings, options, node, name)?;
    }
    let accounts = dev_names()
        .into_iter()
        .map(|name| dev_account(folder, name));
    let accounts = accounts.collect::<Result<_, _>>()?;
    Manifest::new(folder, settings, (contracts, *hash_lock), accounts).write(folder)?;
    folder.write(&folder.genesis(), &genesis)
}

fn write_config(
    folder: &Folder,
    settings: &Settings,
    options: &UpOptions,
    node: usize,
    name: String,
) -> Result<(), ClusterError> {
    let port = settings.ports.api.get(node).copied().unwrap_or_default();
    let mut config = NodeConfig {
        name,
        genesis: folder.genesis(),
        api_listen: ([127, 0, 0, 1], port).into(),
        p2p_listen: settings.p2p(node),
        base_rpc: settings.base_rpc(),
        base_key: Some(base::submitter(folder, node)),
        ..NodeConfig::default()
    };
    if let Some(unusual) = options.unusual {
        (unusual.node)(&mut config);
    }
    let path = folder.node(node).join(CONFIG_FILE);
    fs::write(&path, config.to_toml()).map_err(|e| ClusterError::io(&path, e))
}

fn dev_account(folder: &Folder, name: String) -> Result<DevAccount, ClusterError> {
    let key = account_key(folder, &name)?;
    Ok(DevAccount {
        address: Address::of_key(&key.public()),
        key: hex::encode(key.seed()),
        key_file: folder.account_key(&name),
        name,
        dev_only: true,
    })
}
