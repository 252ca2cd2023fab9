//! A node's own settings, free to differ between nodes: `weft.toml`, over it `WEFT_*`, over it flags.
//! What all nodes must share stands in `genesis.json` instead.

use config::{Environment, File, FileFormat};
use garde::Validate;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// The name of the configuration file in a node's folder.
pub const CONFIG_FILE: &str = "weft.toml";

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
    /// Folder of `vertex.key` and `finality.key`. Without them the node follows as an observer.
    #[garde(skip)]
    pub keys: PathBuf,
    #[garde(skip)]
    pub api_listen: SocketAddr,
    /// libp2p multiaddress. An observer listens nowhere: it dials the members.
    #[garde(length(bytes, min = 1, max = 256))]
    pub p2p_listen: String,
    /// JSON-RPC of the base chain.
    #[garde(length(bytes, min = 1, max = 1024))]
    pub base_rpc: String,
    /// Key file of the account that pays for checkpoints. Without it this node posts none.
    #[garde(skip)]
    pub base_key: Option<PathBuf>,
    /// Transactions waiting to be ordered, in bytes.
    #[garde(range(min = 1 << 20, max = 4 << 30))]
    pub mempool_bytes_max: u64,
    /// Requests a second that one address may make of the API.
    #[garde(skip)]
    pub api_rate_max: NonZeroU32,
    #[garde(skip)]
    pub log_format: LogFormat,
    /// A filter of `tracing-subscriber`, for example `info,weft_network=debug`.
    #[garde(length(bytes, min = 1, max = 1024))]
    pub log: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Pretty,
    Json,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: "weft".to_owned(),
            data: "data".into(),
            genesis: "genesis.json".into(),
            keys: "keys".into(),
            api_listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            p2p_listen: "/ip4/127.0.0.1/tcp/7800".to_owned(),
            base_rpc: "http://127.0.0.1:8545".to_owned(),
            base_key: None,
            mempool_bytes_max: 64 << 20,
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
    #[error("configuration of {folder}: {source}")]
    Unreadable {
        folder: PathBuf,
        source: Box<config::ConfigError>,
    },
    #[error("configuration of {folder}: {report}")]
    Invalid { folder: PathBuf, report: String },
}

/// A setting given on the command line.
pub type Override = (&'static str, String);

impl NodeConfig {
    /// Reads `folder/weft.toml`, then the environment, then `flags`.
    pub fn load(folder: &Path, flags: &[Override]) -> Result<Self, ConfigError> {
        Self::load_with(folder, std::env::vars().collect(), flags)
    }

    fn load_with(
        folder: &Path,
        environment: std::collections::HashMap<String, String>,
        flags: &[Override],
    ) -> Result<Self, ConfigError> {
        let file = folder.join(CONFIG_FILE);
        if !file.is_file() {
            return Err(ConfigError::Missing(folder.to_owned()));
        }
        let unreadable = |source: config::ConfigError| ConfigError::Unreadable {
            folder: folder.to_owned(),
            source: Box::new(source),
        };
        // Only our own settings: other programs' variables may share the prefix.
        let known = serde_json::to_value(Self::default()).unwrap_or_default();
        let environment = environment.into_iter().filter(|(name, _)| {
            let key = name.strip_prefix("WEFT_").unwrap_or_default();
            known.get(key.to_lowercase()).is_some()
        });
        let environment = Environment::with_prefix("WEFT")
            .try_parsing(false)
            .source(Some(environment.collect()));
        let mut builder = config::Config::builder()
            .add_source(File::from(file).format(FileFormat::Toml))
            .add_source(environment);
        for (key, value) in flags {
            builder = builder
                .set_override(*key, value.as_str())
                .map_err(unreadable)?;
        }
        let mut config: Self = builder
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(unreadable)?;
        config.validate().map_err(|report| ConfigError::Invalid {
            folder: folder.to_owned(),
            report: report.to_string().trim().to_owned(),
        })?;
        let mut paths = vec![&mut config.data, &mut config.genesis, &mut config.keys];
        paths.extend(config.base_key.as_mut());
        for path in paths {
            *path = folder.join(&path);
        }
        Ok(config)
    }

    /// The text of a `weft.toml` with these settings.
    ///
    /// # Panics
    /// Never: every setting has a TOML form.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings have a TOML form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(
        toml: &str,
        environment: &[(&str, &str)],
        flags: &[Override],
    ) -> Result<NodeConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), toml).unwrap();
        let environment = environment
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()));
        NodeConfig::load_with(folder.path(), environment.collect(), flags)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn flags_are_stronger_than_the_environment_and_that_than_the_file() {
        let file = "name = 'file'\nbase_rpc = 'http://file'\nlog = 'file'";
        let environment = [("WEFT_BASE_RPC", "http://env"), ("WEFT_LOG", "env")];
        let config = load(file, &environment, &[("log", "flag".to_owned())]).unwrap();
        assert_eq!(config.name, "file");
        assert_eq!(config.base_rpc, "http://env");
        assert_eq!(config.log, "flag");
    }

    #[test]
    fn paths_are_relative_to_the_folder_of_the_file() {
        let config = load("genesis = 'g.json'\nkeys = '/etc/weft/keys'", &[], &[]).unwrap();
        assert!(config.genesis.is_absolute() && config.genesis.ends_with("g.json"));
        assert_eq!(config.keys, Path::new("/etc/weft/keys"));
    }

    #[test]
    fn numbers_come_from_the_environment_too() {
        let config = load("", &[("WEFT_API_RATE_MAX", "7")], &[]).unwrap();
        assert_eq!(config.api_rate_max.get(), 7);
    }

    #[test]
    fn foreign_variables_with_the_prefix_are_ignored() {
        assert!(load("", &[("WEFT_ANVIL", "/bin/anvil")], &[]).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let unknown = load("nmae = 'x'", &[], &[]).unwrap_err();
        assert!(unknown.contains("nmae"), "{unknown}");
        let range = load("mempool_bytes_max = 5", &[], &[]).unwrap_err();
        assert!(range.contains("mempool_bytes_max"), "{range}");
        let address = load("api_listen = 'here'", &[], &[]).unwrap_err();
        assert!(address.contains("api_listen"), "{address}");
        let missing = NodeConfig::load(Path::new("/nonexistent"), &[]).unwrap_err();
        assert!(missing.to_string().contains("weft node init"), "{missing}");
    }

    #[test]
    fn the_default_survives_its_own_text() {
        let text = NodeConfig::default().to_toml();
        assert_eq!(load(&text, &[], &[]).unwrap().name, "weft");
    }
}
