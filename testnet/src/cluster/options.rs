//! What a testnet is started with, and whether one that is there was set up with the same.

use super::error::ClusterError;
use super::folder::Folder;
use super::settings::{Base, FORMAT, Settings, check_instance, check_nodes};
use super::template::OwnTemplate;
use crate::ports::Ports;
use std::path::{Path, PathBuf};
use weft_node::NodeConfig;
use weft_types::{Millis, Template};

/// Nodes of a testnet, unless asked otherwise.
const NODES: u16 = 4;

/// What is asked for; `None` is the default for a new testnet, and what it was set up with for one
/// that is there.
#[derive(Debug, Clone, Default)]
pub struct UpOptions {
    pub nodes: Option<u16>,
    pub base: Option<Base>,
    pub instance: Option<u16>,
    /// D6: commits after two message delays, where at most so many per cent of the stake lie, 0 to 33.
    pub two_delay: Option<u32>,
    /// E1: how long an epoch lasts; a day by default.
    pub epoch: Option<Millis>,
    /// X1: how long without a checkpoint until the way out opens; a day by default.
    pub escape_after: Option<Millis>,
    /// X4: how long a claim may be refuted; an hour by default.
    pub escape_window: Option<Millis>,
    /// An app's own network: its name, parameters and accounts.
    pub template: Option<OwnTemplate>,
    /// Ports that happen to be free instead of those of the instance.
    pub any_ports: bool,
    /// Remove the folder when the testnet ends.
    pub ephemeral: bool,
    /// Key file of an account that deploys and pays, for a base chain that is not ours.
    pub base_key: Option<PathBuf>,
    /// For tests: what a new testnet has that is not as usual.
    pub unusual: Option<Unusual>,
}

/// Changes what a new testnet is made of.
#[derive(Debug, Clone, Copy)]
pub struct Unusual {
    pub genesis: fn(&mut Template),
    pub node: fn(&mut NodeConfig),
}

/// What a time is, and what is asked for instead.
fn time(
    what: &'static str,
    (is, usual): (Option<Millis>, &str),
    asked: Option<Millis>,
) -> (&'static str, String, Option<String>) {
    let shown = |time: Millis| format!("{}ms", time.0);
    let other = asked.filter(|asked| Some(*asked) != is).map(shown);
    (what, is.map_or(usual.to_owned(), shown), other)
}

/// Which one, for people. A changed one may have the name of the old one.
fn named(template: Option<&OwnTemplate>) -> String {
    template.map_or("none".to_owned(), |own| {
        format!(
            "one of {:?}, {} parameters and {} accounts",
            own.name,
            own.params.len(),
            own.accounts.len()
        )
    })
}

impl UpOptions {
    pub(super) fn settings(&self) -> Result<Settings, ClusterError> {
        let nodes = self.nodes.unwrap_or(NODES);
        let instance = self.instance.unwrap_or_default();
        check_nodes(nodes)?;
        check_instance(instance)?;
        let base = self.base.clone().unwrap_or(Base::Embedded);
        let ports = if self.any_ports {
            Ports::free(nodes, base.is_ours()).map_err(|e| ClusterError::io(Path::new("/"), e))?
        } else {
            Ports::of_instance(instance, nodes, base.is_ours())
        };
        Ok(Settings {
            format: FORMAT,
            instance,
            nodes,
            base,
            two_delay: self.two_delay,
            epoch: self.epoch,
            escape_after: self.escape_after,
            escape_window: self.escape_window,
            template: self.template.clone(),
            ephemeral: self.ephemeral,
            ports,
        })
    }

    /// A testnet that is there keeps its settings.
    pub(super) fn check(&self, folder: &Folder, settings: &Settings) -> Result<(), ClusterError> {
        let shown = |n: Option<u16>, is: u16| n.filter(|n| *n != is).map(|n| n.to_string());
        let base = self.base.as_ref().filter(|b| **b != settings.base);
        let asked = [
            (
                "--nodes",
                settings.nodes.to_string(),
                shown(self.nodes, settings.nodes),
            ),
            (
                "--instance",
                settings.instance.to_string(),
                shown(self.instance, settings.instance),
            ),
            (
                "--base",
                settings.base.to_string(),
                base.map(ToString::to_string),
            ),
            (
                "--two-delay",
                settings
                    .two_delay
                    .map_or("off".to_owned(), |p| p.to_string()),
                self.two_delay
                    .filter(|p| Some(*p) != settings.two_delay)
                    .map(|p| p.to_string()),
            ),
            time("--epoch", (settings.epoch, "1d"), self.epoch),
            time(
                "--escape-after",
                (settings.escape_after, "1d"),
                self.escape_after,
            ),
            time(
                "--escape-window",
                (settings.escape_window, "1h"),
                self.escape_window,
            ),
            (
                "--template",
                named(settings.template.as_ref()),
                self.template
                    .as_ref()
                    .filter(|t| Some(*t) != settings.template.as_ref())
                    .map(|t| named(Some(t))),
            ),
            (
                "--ephemeral",
                "off".to_owned(),
                (self.ephemeral && !settings.ephemeral).then(|| "on".to_owned()),
            ),
        ];
        for (what, is, asked) in asked {
            if let Some(asked) = asked {
                return Err(ClusterError::Fixed {
                    folder: folder.path().to_owned(),
                    what,
                    is,
                    asked,
                });
            }
        }
        Ok(())
    }
}
