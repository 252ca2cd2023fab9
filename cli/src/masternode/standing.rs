//! Where masternodes stand, and what comes next: read by anybody, without a key.

use super::fees::last_share;
use super::history::{self, Happened};
use super::next::{Edges, Next};
use crate::base::BaseUrl;
use crate::bridge::standing_still::Still;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{Output, fit, one_line, table};
use crate::time;
use crate::values::{coins, lines};
use serde::Serialize;
use std::path::{Path, PathBuf};
use weft_basechain::{At, BaseChain, ClientError, MemberState};
use weft_client::Client;
use weft_node::{NodeConfig, public_vertex_key};
use weft_types::api::Roster;
use weft_types::{Address, Amount, BaseAddress, ed25519};

/// More than any registry has: ids are never used again.
const LISTED_MAX: u64 = 10_000;

#[derive(clap::Args)]
pub struct Status {
    /// Its id, its operator's address (0x...), or its vertex key
    #[arg(
        value_name = "ID|OPERATOR|VERTEX_KEY",
        required_unless_present = "node",
        conflicts_with = "node"
    )]
    who: Option<Who>,
    /// The masternode whose keys are in this node's folder. Node and base chain are those of its settings, unless
    /// others are named
    #[arg(long, value_name = "FOLDER")]
    node: Option<PathBuf>,
    /// What its bond has been through as well: bonded, topped up, slashed, paid out; and its operator's rewards for reports
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    base: BaseUrl,
    #[command(flatten)]
    network: Network,
}

/// How a masternode is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Id(u64),
    Operator(BaseAddress),
    VertexKey(ed25519::PublicKey),
}

impl std::str::FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("0x") {
            let address = text.parse().map_err(|e| format!("{e}"))?;
            return Ok(Self::Operator(address));
        }
        if text.len() == 64 {
            let mut key = [0; 32];
            hex::decode_to_slice(text, &mut key).map_err(|e| e.to_string())?;
            return Ok(Self::VertexKey(ed25519::PublicKey(key)));
        }
        let id = text.parse().map_err(|_| {
            "an id, an address of 40 hexadecimal digits after 0x, or a vertex key of 64".to_owned()
        });
        id.map(Self::Id)
    }
}

impl Who {
    async fn id(self, chain: &BaseChain) -> Result<u64, Failure> {
        let (found, named) = match self {
            Self::Id(id) => return Ok(id),
            Self::Operator(operator) => (
                chain.id_of(operator.0).await?,
                format!("operator {operator}"),
            ),
            Self::VertexKey(key) => (
                chain.id_of_vertex_key(key).await?,
                format!("vertex key {key}"),
            ),
        };
        found.ok_or_else(|| {
            Failure::new(Kind::Refused, format!("{named} has bonded nothing"))
                .hint("`weft masternode bond` does; `weft masternode list` shows who has")
        })
    }
}

/// Where a masternode stands.
#[derive(Serialize)]
struct Standing {
    id: u64,
    operator: BaseAddress,
    vertex_key: String,
    addresses: String,
    status: String,
    /// In wei, as a text.
    bond_wei: String,
    /// In bond units: what it has or will have in the committee, and what it has now.
    weight: u64,
    weight_in_office: u64,
    /// When the bond is free, in Unix seconds, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_at: Option<u64>,
    next: Next,
}

impl Standing {
    fn of(state: MemberState, edges: &Edges) -> Self {
        let next = Next::of(&state, Some(edges));
        Self {
            id: state.id,
            operator: BaseAddress(state.operator),
            vertex_key: state.vertex_key.to_string(),
            addresses: state.addresses,
            status: state.status.to_string(),
            bond_wei: state.bond.to_string(),
            weight: state.weight.0,
            weight_in_office: state.effective.0,
            free_at: state.free_at,
            next,
        }
    }

    fn bond(&self) -> String {
        coins(self.bond_wei.parse().unwrap_or_default())
    }
}

/// One masternode, in the epoch that the ledger is in.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    standing: Standing,
    epoch: Roster,
    /// The bridge, with which changes of the committee wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_still: Option<Still>,
    /// Of the fees of the epoch before, in the ledger.
    last_share: Amount,
    /// Of the bond, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Happened>>,
}

#[derive(Serialize)]
struct Listed {
    epoch: Roster,
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_still: Option<Still>,
    masternodes: Vec<Standing>,
}

/// What a node and the base chain say of all of them.
struct Reached {
    chain: BaseChain,
    epoch: Roster,
    edges: Edges,
    still: Option<Still>,
}

impl Reached {
    async fn of(
        chain: BaseChain,
        (epoch, edges): (Roster, Edges),
        client: &Client,
    ) -> Result<Self, Failure> {
        let still = Still::of(client, &chain).await?;
        Ok(Self {
            still: still.filter(|s| s.for_committee().is_some()),
            chain,
            epoch,
            edges,
        })
    }
}

async fn reach(base: &BaseUrl, network: &Network) -> Result<Reached, Failure> {
    let client = network.client()?;
    let asked = Edges::asked(&client).await?;
    let chain = base.chain(network, &client).await?;
    Reached::of(chain, asked, &client).await
}

/// The same by the settings of a node's folder, where nothing else is named.
async fn reach_by(
    folder: &Path,
    config: &NodeConfig,
    (base, network): (&BaseUrl, &Network),
) -> Result<Reached, Failure> {
    let is_its = !base.is_named() && !network.is_testnet();
    let base = match is_its {
        true => base.or_url(config.base_rpc.clone()),
        false => base.clone(),
    };
    let network = network.or_node(format!("http://{}", config.api_listen));
    let client = network.client()?;
    let asked = Edges::asked(&client).await;
    let asked = asked.map_err(|failure| not_running(failure, folder))?;
    let chain = base.chain(&network, &client).await;
    let chain = chain.map_err(|failure| match failure.kind {
        Kind::Unreachable if is_its => failure.hint(format_args!(
            "that is `base_rpc` of {}: --base-rpc URL names what the node was given, or another JSON-RPC of the base chain",
            folder.join("weft.toml").display()
        )),
        _ => failure,
    })?;
    Reached::of(chain, asked, &client).await
}

/// The node of a folder does not answer.
fn not_running(failure: Failure, folder: &Path) -> Failure {
    match failure.kind {
        Kind::Unreachable => failure.hint(format_args!(
            "is the node running? `weft node run --dir {}` starts it; or ask another node of the network with --url",
            folder.display()
        )),
        _ => failure,
    }
}

fn unknown(id: u64, error: ClientError) -> Failure {
    match error.refusal() {
        Some(refusal) if refusal.name == "UnknownMember" => {
            let words = format!("there is no masternode with id {id}");
            Failure::new(Kind::Refused, words).hint("`weft masternode list` shows all")
        }
        _ => error.into(),
    }
}

pub async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let (base, network) = (&arguments.base, &arguments.network);
    let (who, reached) = match (&arguments.node, arguments.who) {
        (Some(folder), _) => {
            let config = NodeConfig::load(folder, &[]).map_err(Failure::usage)?;
            let key = public_vertex_key(&config).map_err(Failure::usage)?;
            let key = key.ok_or_else(|| {
                Failure::usage(format!("there are no keys in {}", config.keys.display()))
                    .hint("`weft masternode keys` makes some")
            })?;
            let reached = reach_by(folder, &config, (base, network)).await?;
            (Who::VertexKey(key), reached)
        }
        (None, Some(who)) => (who, reach(base, network).await?),
        (None, None) => return Err(Failure::usage("no masternode is named")),
    };
    let Reached {
        chain,
        epoch,
        edges,
        still,
    } = reached;
    let id = who.id(&chain).await?;
    let member = chain
        .member(id, At::Latest)
        .await
        .map_err(|e| unknown(id, e))?;
    let history = match arguments.history {
        true => Some(history::of(&chain, &member).await?),
        false => None,
    };
    let account = Address::of_key(&member.vertex_key);
    let shown = Shown {
        last_share: last_share(&epoch, account),
        standing: Standing::of(member, &edges),
        epoch,
        stands_still: still,
        history,
    };
    output.data(&shown, |shown| {
        let s = &shown.standing;
        let standing = lines(&[
            ("masternode", s.id.to_string()),
            ("operator", s.operator.to_string()),
            ("vertex key", s.vertex_key.clone()),
            ("addresses", one_line(&s.addresses)),
            ("status", s.status.clone()),
            ("bond", s.bond()),
            ("weight", s.weight.to_string()),
            ("weight in office", s.weight_in_office.to_string()),
            ("epoch", shown.epoch.epoch.to_string()),
            ("fee share", shown.last_share.to_string()),
            ("next", s.next.words.clone()),
            ("but", held_up(shown.stands_still.as_ref())),
        ]);
        match &shown.history {
            Some(history) => format!("{standing}\n\n{}", history::shown(history)),
            None => standing,
        }
    })
}

pub async fn list(arguments: &List, output: &Output) -> Result<(), Failure> {
    let reached = reach(&arguments.base, &arguments.network).await?;
    let Reached { chain, edges, .. } = &reached;
    let members = chain.members(LISTED_MAX).await?;
    let listed = Listed {
        masternodes: members
            .into_iter()
            .map(|m| Standing::of(m, edges))
            .collect(),
        epoch: reached.epoch,
        stands_still: reached.still,
    };
    output.data(&listed, |listed| {
        let mut rows = table(&[
            "id",
            "operator",
            "status",
            "bond",
            "weight",
            "in office",
            "next",
        ]);
        for s in &listed.masternodes {
            rows.add_row([
                s.id.to_string(),
                s.operator.to_string(),
                s.status.clone(),
                s.bond(),
                s.weight.to_string(),
                s.weight_in_office.to_string(),
                s.next.words.clone(),
            ]);
        }
        let held_up = match held_up(listed.stands_still.as_ref()) {
            words if words.is_empty() => words,
            words => format!("{words}\n"),
        };
        format!(
            "epoch {}, since {}\n{held_up}{}",
            listed.epoch.epoch,
            time::utc(listed.epoch.since),
            fit(&rows)
        )
    })
}

/// What nothing comes next by, in words.
fn held_up(still: Option<&Still>) -> String {
    still.and_then(Still::for_committee).unwrap_or_default()
}

/// Seconds, for people.
pub fn duration(seconds: u64) -> String {
    let units = [
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
        ("second", 1),
    ];
    let exact = units
        .into_iter()
        .find(|(_, unit)| seconds.is_multiple_of(*unit) && seconds > 0);
    let (name, unit) = exact.unwrap_or(("second", 1));
    match seconds / unit {
        1 => format!("1 {name}"),
        n => format!("{n} {name}s"),
    }
}

#[cfg(test)]
mod tests;
