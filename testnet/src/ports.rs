//! Ports of a testnet: which ones it takes, whether they are free, and if not, who has them. All of
//! it listens on 127.0.0.1 alone.

use crate::process;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Ports of instance 0; other instances are `INSTANCE_STEP` apart.
const API_FIRST: u16 = 7_700;
const FAUCET: u16 = 7_790;
const P2P_FIRST: u16 = 7_800;
const BASE: u16 = 8_545;
const INSTANCE_STEP: u16 = 1_000;
/// Instances are 0 to this.
pub const INSTANCE_MAX: u16 = 20;
/// Nodes whose ports fit between those of other parts.
pub const NODES_MAX: u16 = 64;
/// Where free ports are looked for: below those that the kernel gives to outgoing connections, which
/// could take one while a node is down.
const FREE_FIRST: u16 = 12_000;
const FREE_END: u16 = 32_000;

/// Every port that a testnet listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// One for each node.
    pub api: Vec<u16>,
    /// One for each node.
    pub p2p: Vec<u16>,
    pub faucet: u16,
    /// Of the base chain, where the testnet starts it itself.
    pub base: Option<u16>,
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub command: String,
}

/// A port that is not free.
#[derive(Debug)]
pub struct Busy {
    pub port: u16,
    /// What it was wanted for.
    pub part: String,
    /// `None` when the system does not say.
    pub holder: Option<Holder>,
    pub error: io::Error,
}

impl Ports {
    /// The usual ports of an instance.
    pub fn of_instance(instance: u16, nodes: u16, with_base: bool) -> Self {
        let shift = instance.min(INSTANCE_MAX) * INSTANCE_STEP;
        let nodes = nodes.min(NODES_MAX);
        Self {
            api: (0..nodes).map(|i| API_FIRST + shift + i).collect(),
            p2p: (0..nodes).map(|i| P2P_FIRST + shift + i).collect(),
            faucet: FAUCET + shift,
            base: with_base.then_some(BASE + shift),
        }
    }

    /// Ports that are free now, beginning to look at a random place.
    pub fn free(nodes: u16, with_base: bool) -> io::Result<Self> {
        let count = usize::from(2 * nodes.min(NODES_MAX) + 2);
        let width = FREE_END - FREE_FIRST;
        let start = rand::random::<u16>() % width;
        let candidates = (0..width).map(|i| FREE_FIRST + (start + i) % width);
        let mut found: Vec<u16> = candidates
            .filter(|p| bind(*p).is_ok())
            .take(count)
            .collect();
        if found.len() < count {
            return Err(io::Error::other(format!(
                "only {} of {count} ports are free from {FREE_FIRST} to {FREE_END}",
                found.len()
            )));
        }
        let base = found.pop().filter(|_| with_base);
        let faucet = found.pop().unwrap_or_default();
        let p2p = found.split_off(usize::from(nodes));
        Ok(Self {
            api: found,
            p2p,
            faucet,
            base,
        })
    }

    /// All ports with the parts that take them. Parts are named as their processes are.
    fn parts(&self) -> impl Iterator<Item = (u16, String, &'static str)> + '_ {
        let node = |kind| move |(i, port): (usize, &u16)| (*port, format!("node-{i}"), kind);
        let api = self.api.iter().enumerate().map(node("API"));
        let p2p = self.p2p.iter().enumerate().map(node("network"));
        let base = self
            .base
            .iter()
            .map(|p| (*p, "base".to_owned(), "JSON-RPC"));
        let faucet = [(self.faucet, "faucet".to_owned(), "API")];
        api.chain(p2p).chain(base).chain(faucet)
    }

    /// Ports that somebody else has, of all parts but those that `running` names.
    pub fn busy(&self, running: &BTreeSet<String>) -> Vec<Busy> {
        let wanted = self.parts().filter(|(_, part, _)| !running.contains(part));
        let busy = wanted.filter_map(|(port, part, kind)| {
            let error = bind(port).err()?;
            Some(Busy::new(port, format!("{part}'s {kind}"), error))
        });
        busy.collect()
    }
}

impl Busy {
    /// A port that could not be had for a part, with whoever has it.
    pub fn new(port: u16, part: String, error: io::Error) -> Self {
        Self {
            port,
            part,
            holder: holder(port),
            error,
        }
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, part, .. } = self;
        match &self.holder {
            Some(Holder { pid, command }) => {
                write!(
                    f,
                    "port {port} ({part}) is held by process {pid}: {command}"
                )
            }
            None => write!(f, "port {port} ({part}) cannot be had: {}", self.error),
        }
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// The process that listens on a TCP port.
fn holder(port: u16) -> Option<Holder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inodes: Vec<String> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            let inodes = listeners(&table, port);
            inodes
                .into_iter()
                .map(|inode| format!("socket:[{inode}]"))
                .collect::<Vec<_>>()
        })
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let has = |pid: &u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd"));
        let mut links = files.into_iter().flatten().flatten();
        links.any(|file| {
            let link = fs::read_link(file.path()).unwrap_or_default();
            inodes
                .iter()
                .any(|inode| link.as_os_str() == inode.as_str())
        })
    };
    let pid = pids.into_iter().find(has)?;
    Some(Holder {
        pid,
        command: process::command(pid),
    })
}

/// Inodes of the sockets that listen on a port, from a table of proc_pid_net(5).
fn listeners(table: &str, port: u16) -> Vec<&str> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    let rows = table.lines().skip(1);
    let rows = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
    let rows = rows.filter_map(|row| match row[..] {
        [_, local, _, state, _, _, _, _, _, inode, ..] => Some((local, state, inode)),
        _ => None,
    });
    rows.filter(|(local, state, _)| *state == LISTEN && local.ends_with(&suffix))
        .map(|(_, _, inode)| inode)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_share_no_port() {
        let mut seen = BTreeSet::new();
        for instance in 0..=INSTANCE_MAX {
            let ports = Ports::of_instance(instance, NODES_MAX, true);
            assert_eq!(ports.parts().count(), 2 * usize::from(NODES_MAX) + 2);
            for (port, part, _) in ports.parts() {
                assert!(seen.insert(port), "instance {instance}: {port} of {part}");
            }
        }
    }

    #[test]
    fn free_ports_are_free_and_distinct() {
        let ports = Ports::free(7, true).unwrap();
        assert_eq!((ports.api.len(), ports.p2p.len()), (7, 7));
        let distinct: BTreeSet<u16> = ports.parts().map(|(port, ..)| port).collect();
        assert_eq!(distinct.len(), 16);
        assert!(ports.busy(&BTreeSet::new()).is_empty());
        assert_eq!(Ports::free(4, false).unwrap().base, None);
    }

    #[test]
    fn a_busy_port_is_named_with_its_part_and_its_holder() {
        let mut ports = Ports::free(4, true).unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        ports.p2p[2] = other.local_addr().unwrap().port();
        let busy = ports.busy(&BTreeSet::new());
        assert_eq!(busy.len(), 1);
        assert_eq!(busy[0].holder.as_ref().unwrap().pid, std::process::id());
        let text = busy[0].to_string();
        assert!(text.contains("node-2's network"), "{text}");
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        let ours = BTreeSet::from(["node-2".to_owned()]);
        assert!(
            ports.busy(&ours).is_empty(),
            "a part that runs has its port"
        );
    }

    #[test]
    fn tables_that_make_no_sense_have_no_listeners() {
        for table in [
            "",
            "head\n\n0: x",
            "head\n 0: 0100007F:1E14 00000000:0000 01 a b c d e 42 1",
        ] {
            assert!(listeners(table, 7700).is_empty(), "{table}");
        }
        let row = "head\n 0: 0100007F:1E14 00000000:0000 0A a b c d e 42 1";
        assert_eq!(listeners(row, 7700), ["42"]);
    }
}
