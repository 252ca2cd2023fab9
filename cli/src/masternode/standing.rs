//! Where masternodes stand, and what comes next: read by anybody, without a key.

use super::coins;
use super::history::{self, Happened};
use crate::base::BaseUrl;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{Output, fit, one_line, table};
use crate::time;
use crate::values::lines;
use serde::Serialize;
use std::path::{Path, PathBuf};
use weft_basechain::{At, BaseChain, ClientError, MemberState, MemberStatus};
use weft_node::{NodeConfig, public_vertex_key};
use weft_types::api::{Outlook, Roster};
use weft_types::{BaseAddress, Millis, Stake, ed25519};

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

/// What comes next for a masternode, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The status that it comes to; absent where nothing changes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// With which epoch, as the queue stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// Not before, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<u64>,
    pub words: String,
}

/// The next edges of epochs, as the ledger has them.
#[derive(Debug, Clone)]
pub struct Edges {
    /// The epoch that the next one opens, and when at the earliest.
    epoch: u64,
    not_before: Millis,
    duration: Millis,
    /// Those whose weight moves.
    outlook: Vec<Outlook>,
}

/// One of them.
struct Edge {
    epoch: u64,
    not_before: Millis,
    words: String,
}

impl Edges {
    fn of(roster: &Roster, duration: Millis) -> Self {
        Self {
            epoch: roster.epoch.0.saturating_add(1),
            not_before: roster.since.saturating_add(duration.0),
            duration,
            outlook: roster.outlook.clone(),
        }
    }

    /// The edge that ends a masternode's wait, or the next one, where the ledger knows of no wait yet, or of no end.
    fn ending(&self, id: u64, wait: impl Fn(&Outlook) -> Option<u64>) -> Edge {
        let known = self.outlook.iter().find(|outlook| outlook.id == id);
        let known = known.and_then(wait);
        let further = known.map_or(0, |edges| edges.saturating_sub(1));
        let epoch = self.epoch.saturating_add(further);
        let more = self.duration.0.saturating_mul(further);
        let not_before = self.not_before.saturating_add(more);
        let sure = match known {
            Some(_) => "as the queue stands",
            None => "at the earliest",
        };
        Edge {
            epoch,
            not_before,
            words: format!("epoch {epoch} {sure}, not before {}", time::utc(not_before)),
        }
    }
}

impl Next {
    pub fn of(state: &MemberState, edges: Option<&Edges>) -> Self {
        let free_at = state.free_at;
        let free = || free_at.map(|at| time::utc(Millis(at.saturating_mul(1_000))));
        let edge = edges.map(|edges| match state.status {
            MemberStatus::Queued => edges.ending(state.id, |o| o.joins_in),
            _ => edges.ending(state.id, |o| o.settles_in),
        });
        let some = || "one of the next epochs".to_owned();
        let with = edge.as_ref().map_or_else(some, |edge| edge.words.clone());
        let (status, at_edge, words) = match state.status {
            MemberStatus::Registered => (
                Some("active"),
                false,
                "the other operators of the genesis register".to_owned(),
            ),
            MemberStatus::Queued => (
                Some("active"),
                true,
                format!("it joins with {with}; its node has to run by then"),
            ),
            MemberStatus::Active if state.weight != state.effective => {
                let moves = format!("its weight moves to {} with {with}", state.weight.0);
                (None, true, moves)
            }
            MemberStatus::Active => (None, false, "it stays until it leaves".to_owned()),
            MemberStatus::Leaving => (
                Some("unbonding"),
                true,
                format!("it leaves with {with}; keep the node running until then"),
            ),
            MemberStatus::Unbonding => {
                let words = match free() {
                    Some(free) => format!("the bond is free at {free}"),
                    None => "the bond becomes free".to_owned(),
                };
                (Some("free"), false, words)
            }
            MemberStatus::Free => (
                Some("withdrawn"),
                false,
                "`weft masternode withdraw` pays the bond out".to_owned(),
            ),
            MemberStatus::Withdrawn => (None, false, "nothing: the bond is paid out".to_owned()),
            MemberStatus::Slashed if state.effective > Stake::ZERO => {
                let goes = format!("the bond is gone; its weight goes with {with}");
                (None, true, goes)
            }
            MemberStatus::Slashed => (None, false, "nothing: the bond is gone".to_owned()),
        };
        let edge = edge.filter(|_| at_edge);
        let free_at = free_at.filter(|_| state.status == MemberStatus::Unbonding);
        Self {
            status,
            epoch: edge.as_ref().map(|edge| edge.epoch),
            not_before: edge
                .map(|edge| edge.not_before.0.div_ceil(1_000))
                .or(free_at),
            words,
        }
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
    /// Of the bond, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Happened>>,
}

#[derive(Serialize)]
struct Listed {
    epoch: Roster,
    masternodes: Vec<Standing>,
}

async fn reach(base: &BaseUrl, network: &Network) -> Result<(BaseChain, Roster, Edges), Failure> {
    let client = network.client()?;
    let chain = base.chain(network, &client).await?;
    let roster = client.epoch().await?;
    let duration = client.genesis().await?.template.params.epoch_duration_ms;
    let edges = Edges::of(&roster, duration);
    Ok((chain, roster, edges))
}

/// The node of a folder does not answer.
fn not_running(failure: Failure, folder: &Path) -> Failure {
    match failure.kind {
        Kind::Unreachable => failure.hint(format_args!(
            "is the node running? `weft node run --dir {}` starts it; or ask another node of the network with --url and \
             --base-rpc: a masternode's standing is on the base chain",
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
    let (mut base, mut network) = (arguments.base.clone(), arguments.network.clone());
    let mut who = arguments.who;
    if let Some(folder) = &arguments.node {
        let config = NodeConfig::load(folder, &[]).map_err(Failure::usage)?;
        let key = public_vertex_key(&config).map_err(Failure::usage)?;
        let key = key.ok_or_else(|| {
            Failure::usage(format!("there are no keys in {}", config.keys.display()))
                .hint("`weft masternode keys` makes some")
        })?;
        who = Some(Who::VertexKey(key));
        if network.is_unnamed() {
            base = base.or_url(config.base_rpc);
        }
        network = network.or_node(format!("http://{}", config.api_listen));
    }
    let who = who.ok_or_else(|| Failure::usage("no masternode is named"))?;
    let reached = reach(&base, &network).await;
    let (chain, epoch, edges) = match &arguments.node {
        Some(folder) => reached.map_err(|failure| not_running(failure, folder))?,
        None => reached?,
    };
    let id = who.id(&chain).await?;
    let member = chain
        .member(id, At::Latest)
        .await
        .map_err(|e| unknown(id, e))?;
    let history = match arguments.history {
        true => Some(history::of(&chain, &member).await?),
        false => None,
    };
    let shown = Shown {
        standing: Standing::of(member, &edges),
        epoch,
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
            ("next", s.next.words.clone()),
        ]);
        match &shown.history {
            Some(history) => format!("{standing}\n\n{}", history::shown(history)),
            None => standing,
        }
    })
}

pub async fn list(arguments: &List, output: &Output) -> Result<(), Failure> {
    let (chain, epoch, edges) = reach(&arguments.base, &arguments.network).await?;
    let members = chain.members(LISTED_MAX).await?;
    let listed = Listed {
        masternodes: members
            .into_iter()
            .map(|m| Standing::of(m, &edges))
            .collect(),
        epoch,
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
        format!(
            "epoch {}, since {}\n{}",
            listed.epoch.epoch,
            time::utc(listed.epoch.since),
            fit(&rows)
        )
    })
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
