//! A node's own settings, free to differ between nodes: `weft.toml`, over it `WEFT_*`, over it flags.
//! What all nodes must share stands in `genesis.json` instead.
//!
//! Each source is understood alone before they are put together, so that a fault is blamed on the one
//! that has it. A key of the file that is no setting is refused, for the file is ours alone. A
//! variable that is none is only named in a warning ([`unknown_variables`]): the environment is
//! shared, and others put names there (`WEFT_SERVICE_HOST` for a service that is called weft).

use crate::replica::sync::SyncConfig;
use config::builder::DefaultState;
use config::{ConfigBuilder, File, FileFormat};
use garde::Validate;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use weft_basechain::Endpoint;
use weft_types::Millis;

/// The name of the configuration file in a node's folder.
pub const CONFIG_FILE: &str = "weft.toml";
const PREFIX: &str = "WEFT_";
/// From this Jaro-Winkler similarity on, one name may be a misspelling of the other.
const ALIKE_MIN: f64 = 0.8;

/// Relative paths are relative to the folder that holds `weft.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct NodeConfig {
    /// Shown in logs and status.
    #[garde(length(bytes, min = 1, max = 64))]
    pub name: String,
    /// Database and signing guard.
    #[garde(skip)]
    pub data: PathBuf,
    #[garde(skip)]
    pub genesis: PathBuf,
    /// Folder of the keystores `vertex.json` and `finality.json`, or of `vertex.key` and `finality.key`, which are
    /// plain. An observer has none.
    #[garde(skip)]
    pub keys: PathBuf,
    /// File with the password of the keystores.
    #[garde(skip)]
    pub password_file: Option<PathBuf>,
    #[garde(skip)]
    pub api_listen: SocketAddr,
    /// libp2p multiaddress. An observer listens nowhere: it dials the members.
    #[garde(length(bytes, max = 256), custom(is_listen_address))]
    pub p2p_listen: String,
    /// JSON-RPC of the base chain.
    #[garde(length(bytes, max = 1024), custom(is_rpc_url))]
    pub base_rpc: String,
    /// Key file of the account that pays for checkpoints and reports, and for nothing else: what waits of it is outbid (B2).
    /// Without it this node sends none.
    #[garde(skip)]
    pub base_key: Option<PathBuf>,
    /// Most that this account pays for a unit of gas, in gwei. While it costs more, nothing is sent.
    #[garde(range(min = 1, max = 1_000_000))]
    pub base_fee_max_gwei: u64,
    /// BC20: who is rewarded for this node's reports, on the base chain; the account that pays, if it is not set.
    #[garde(inner(custom(is_base_address)))]
    pub reporter: Option<String>,
    /// Transactions waiting to be ordered, in bytes.
    #[garde(custom(is_mempool_size))]
    pub mempool_bytes_max: u64,
    /// S2: seconds of the ledger's time between two snapshots that are held for nodes that lack the past.
    #[garde(range(min = 1, max = 3600))]
    pub snapshot_interval_s: u64,
    /// S2: a node that is behind takes over a snapshot if it saves so many seconds of history. It has no
    /// history then of what is before.
    #[garde(range(min = 1, max = 315_360_000))]
    pub sync_after_s: u64,
    /// S2.8: seconds of the ledger's time of which this node keeps history. What is needed to serve
    /// snapshots it keeps in any case.
    #[garde(range(min = 1, max = 315_360_000))]
    pub history_keep_s: u64,
    /// A3: images and metadata that this node stores, in bytes; 0: none.
    #[garde(range(max = 1 << 40))]
    pub content_bytes_max: u64,
    /// Requests a second that one address may make of the API.
    #[garde(skip)]
    pub api_rate_max: NonZeroU32,
    #[garde(skip)]
    pub log_format: LogFormat,
    /// A filter of `tracing-subscriber`, for example `info,weft_network=debug`.
    #[garde(length(bytes, min = 1, max = 1024), custom(is_log_filter))]
    pub log: String,
}

/// Bounds of [`NodeConfig::mempool_bytes_max`].
const MEMPOOL_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=4 << 30;

fn is_listen_address(address: &str, (): &()) -> garde::Result {
    let parsed = address.parse().map_err(garde::Error::new)?;
    match weft_network::socket(&parsed) {
        Some(_) => Ok(()),
        None => Err(garde::Error::new("not /ip4|ip6/ADDRESS/tcp/PORT")),
    }
}

fn is_rpc_url(url: &str, (): &()) -> garde::Result {
    Endpoint::check_url(url).map_err(garde::Error::new)
}

fn base_address(text: &str) -> Option<[u8; 20]> {
    let mut address = [0; 20];
    let digits = text.strip_prefix("0x")?;
    hex::decode_to_slice(digits, &mut address).ok()?;
    (address != [0; 20]).then_some(address)
}

fn is_base_address(text: &str, (): &()) -> garde::Result {
    let reason = "no address of the base chain, 0x and 40 hexadecimal digits, not all zero";
    base_address(text)
        .map(drop)
        .ok_or_else(|| garde::Error::new(reason))
}

fn is_mempool_size(bytes: &u64, (): &()) -> garde::Result {
    if MEMPOOL_BYTES.contains(bytes) {
        return Ok(());
    }
    let (min, max) = MEMPOOL_BYTES.into_inner();
    let reason = format!("{bytes} is out of the range from {min} to {max}");
    Err(garde::Error::new(reason))
}

fn is_log_filter(filter: &str, (): &()) -> garde::Result {
    let parsed = tracing_subscriber::EnvFilter::try_new(filter);
    parsed.map(drop).map_err(garde::Error::new)
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum LogFormat {
    #[default]
    Pretty,
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err(format!("{name:?} is neither \"pretty\" nor \"json\"")),
        }
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: "weft".to_owned(),
            data: "data".into(),
            genesis: "genesis.json".into(),
            keys: "keys".into(),
            password_file: None,
            api_listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            p2p_listen: "/ip4/127.0.0.1/tcp/7800".to_owned(),
            base_rpc: "http://127.0.0.1:8545".to_owned(),
            base_key: None,
            base_fee_max_gwei: 500,
            reporter: None,
            mempool_bytes_max: 64 << 20,
            snapshot_interval_s: 60,
            sync_after_s: 300,
            history_keep_s: 604_800,
            content_bytes_max: 1 << 30,
            api_rate_max: NonZeroU32::MIN.saturating_add(19_999),
            log_format: LogFormat::Pretty,
            log: "info".to_owned(),
        }
    }
}

/// Settings that cannot be used, with the source, the field and the cure.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("no {CONFIG_FILE} in {0}: make one with `weft node init --dir {0}`")]
    Missing(PathBuf),
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("{origin}={value:?}: {reason}; the default is {usual}")]
    Value {
        /// A flag or a variable.
        origin: String,
        value: String,
        reason: String,
        usual: String,
    },
    #[error("settings do not go together: {0}")]
    Together(String),
}

/// A setting given on the command line.
pub type Override = (&'static str, String);

impl NodeConfig {
    /// Reads `folder/weft.toml`, then the environment, then `flags`.
    pub fn load(folder: &Path, flags: &[Override]) -> Result<Self, ConfigError> {
        Self::load_with(folder, std::env::vars_os(), flags)
    }

    fn load_with(
        folder: &Path,
        environment: impl Iterator<Item = (OsString, OsString)>,
        flags: &[Override],
    ) -> Result<Self, ConfigError> {
        let path = folder.join(CONFIG_FILE);
        if !path.is_file() {
            return Err(ConfigError::Missing(folder.to_owned()));
        }
        check_file(&path)?;
        let file = File::from(path).format(FileFormat::Toml);
        let mut builder = config::Config::builder().add_source(file);
        for (name, value) in environment {
            if let Some(key) = name.to_str().and_then(key_of) {
                let name = name.to_string_lossy();
                builder = match value.to_str() {
                    Some(value) => set(builder, &key, value, &name)?,
                    None => {
                        return Err(wrong(&key, &value.to_string_lossy(), &name, "is no UTF-8"));
                    }
                };
            }
        }
        for (key, value) in flags {
            let flag = format!("--{}", key.replace('_', "-"));
            builder = set(builder, key, value, &flag)?;
        }
        let mut config = understand(builder).map_err(ConfigError::Together)?;
        let mut paths = vec![&mut config.data, &mut config.genesis, &mut config.keys];
        paths.extend(config.base_key.as_mut());
        paths.extend(config.password_file.as_mut());
        for path in paths {
            *path = folder.join(&path);
        }
        Ok(config)
    }

    /// S2: how it serves and takes over snapshots.
    pub fn sync(&self) -> SyncConfig {
        let milliseconds = |seconds: u64| Millis(seconds.saturating_mul(1_000));
        SyncConfig {
            snapshot_interval: milliseconds(self.snapshot_interval_s),
            after: milliseconds(self.sync_after_s),
            ..SyncConfig::default()
        }
    }

    /// S2.8: how much of the ledger's time is kept.
    pub fn history_keep(&self) -> Millis {
        Millis(self.history_keep_s.saturating_mul(1_000))
    }

    /// Most that a unit of gas may cost, in wei.
    pub fn base_fee_max(&self) -> u128 {
        u128::from(self.base_fee_max_gwei) * 1_000_000_000
    }

    /// BC20: who is rewarded for reports, if it is not the account that pays.
    pub fn reporter(&self) -> Option<[u8; 20]> {
        self.reporter.as_deref().and_then(base_address)
    }

    /// What is wrong with these settings.
    pub fn check(&self) -> Result<(), String> {
        self.validate().map_err(|report| {
            let faults = report
                .iter()
                .map(|(field, error)| format!("{field}: {error}"));
            faults.collect::<Vec<_>>().join("; ")
        })
    }

    /// The text of a `weft.toml` with these settings.
    ///
    /// # Panics
    /// Never: every setting has a TOML form.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings have a TOML form")
    }
}

/// The file alone, by the parser that shows the line.
fn check_file(path: &Path) -> Result<(), ConfigError> {
    let refused = |reason: String| ConfigError::File {
        path: path.to_owned(),
        reason: reason.trim_end().to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    let config: NodeConfig = toml::from_str(&text).map_err(|e| refused(e.to_string()))?;
    config.check().map_err(refused)
}

/// Adds one setting, which has been understood.
fn set(
    builder: ConfigBuilder<DefaultState>,
    key: &str,
    value: &str,
    origin: &str,
) -> Result<ConfigBuilder<DefaultState>, ConfigError> {
    let with = |builder: ConfigBuilder<DefaultState>| {
        let set = builder.set_override(key, value);
        set.map_err(|e| e.to_string())
    };
    let alone = with(config::Config::builder()).and_then(understand);
    let set = alone.and_then(|_| with(builder));
    set.map_err(|reason| wrong(key, value, origin, &reason))
}

fn wrong(key: &str, value: &str, origin: &str, reason: &str) -> ConfigError {
    ConfigError::Value {
        origin: origin.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
        usual: usual(key),
    }
}

fn understand(builder: ConfigBuilder<DefaultState>) -> Result<NodeConfig, String> {
    let config = builder
        .build()
        .and_then(config::Config::try_deserialize::<NodeConfig>);
    let config = config.map_err(|e| e.to_string())?;
    config.check()?;
    Ok(config)
}

/// All settings, with their defaults.
fn settings() -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(NodeConfig::default()) {
        Ok(serde_json::Value::Object(settings)) => settings,
        _ => serde_json::Map::new(),
    }
}

fn usual(key: &str) -> String {
    match settings().get(key) {
        None | Some(serde_json::Value::Null) => "none".to_owned(),
        Some(value) => value.to_string(),
    }
}

/// The setting that a variable is for.
fn key_of(variable: &str) -> Option<String> {
    let key = variable.strip_prefix(PREFIX)?.to_lowercase();
    settings().contains_key(&key).then_some(key)
}

/// A variable that looks like a setting and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    pub name: String,
    /// The setting's that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no setting of a node and is ignored", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; was {nearest} meant?"),
            None => Ok(()),
        }
    }
}

/// The variables of the environment that begin as settings do and are none, but for `others`, which
/// mean something elsewhere.
pub fn unknown_variables(others: &[&str]) -> Vec<UnknownVariable> {
    unknown_among(std::env::vars_os().map(|(name, _)| name), others)
}

fn unknown_among(names: impl Iterator<Item = OsString>, others: &[&str]) -> Vec<UnknownVariable> {
    let known = settings();
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let unknown = names.filter(|name| {
        name.starts_with(PREFIX) && key_of(name).is_none() && !others.contains(&name.as_str())
    });
    let mut unknown: Vec<UnknownVariable> = unknown
        .map(|name| {
            let key = name[PREFIX.len()..].to_lowercase();
            let alike = known.keys().map(|k| (strsim::jaro_winkler(k, &key), k));
            let nearest = alike.max_by(|a, b| a.0.total_cmp(&b.0));
            let nearest = nearest.filter(|(alike, _)| *alike >= ALIKE_MIN);
            UnknownVariable {
                nearest: nearest.map(|(_, k)| format!("{PREFIX}{}", k.to_uppercase())),
                name,
            }
        })
        .collect();
    unknown.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    unknown
}

#[cfg(test)]
mod tests;
