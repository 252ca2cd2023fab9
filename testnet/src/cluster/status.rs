//! How a testnet is doing. The names of the fields are a contract.

use super::Cluster;
use super::error::ClusterError;
use super::manifest::Manifest;
use super::records::Records;
use super::up::is_ready;
use serde::Serialize;
use weft_basechain::{At, BaseChain};
use weft_types::api::NodeStatus;
use weft_types::{CommitIndex, Epoch, Height, Root, Round};

/// What `weft testnet status --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// All masternodes finalise, and the contracts are live.
    pub ready: bool,
    pub nodes: Vec<NodeState>,
    pub base: BaseState,
}

/// Fields other than the first two and `why` are `null` while the node does not answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NodeState {
    pub name: String,
    /// Whether its process is there.
    pub alive: bool,
    pub epoch: Option<Epoch>,
    pub round: Option<Round>,
    pub commit: Option<CommitIndex>,
    pub height: Option<Height>,
    /// Of `height`.
    pub state_root: Option<Root>,
    pub peers: Option<u64>,
    pub voting: Option<bool>,
    /// Why it is not voting, or takes no transactions; `null` when it does both.
    pub why: Option<String>,
    pub rss_mb: Option<u64>,
}

/// `null` while the base chain does not answer, and before the first checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct BaseState {
    pub head: Option<u64>,
    pub checkpoint_height: Option<Height>,
    pub checkpoint_state_root: Option<Root>,
    pub checkpoints: Option<u64>,
}

impl Cluster {
    pub async fn status(&self) -> Result<Status, ClusterError> {
        let records = Records::load(&self.folder)?;
        let clients = self.clients()?;
        let asked = clients.iter().map(weft_client::Client::status);
        let answers = futures::future::join_all(asked).await;
        let others = u64::from(self.settings.nodes) - 1;
        let mut ready = true;
        let mut nodes = Vec::new();
        for (name, answer) in self.settings.node_names().into_iter().zip(answers) {
            let alive = records.alive(&name).is_some();
            let certifies = |s: &NodeStatus| is_ready(s, others) && s.certified_height.0 > 0;
            ready &= alive && answer.as_ref().is_ok_and(certifies);
            nodes.push(state(name, alive, answer.ok()));
        }
        let base = self.base_state().await;
        ready &= base.checkpoints.is_some();
        Ok(Status { ready, nodes, base })
    }

    /// The base chain's contracts.
    pub async fn base(&self) -> Result<BaseChain, ClusterError> {
        let manifest = Manifest::read(&self.folder)?.base;
        let connected = BaseChain::connect(&manifest.rpc, manifest.contracts).await;
        connected.map_err(|e| ClusterError::Base(e.to_string()))
    }

    async fn base_state(&self) -> BaseState {
        let Ok(base) = self.base().await else {
            return BaseState::default();
        };
        let latest = base.latest_checkpoint(At::Latest).await.ok().flatten();
        BaseState {
            head: base.endpoint().head().await.ok().map(|head| head.number),
            checkpoint_height: latest.map(|c| c.height),
            checkpoint_state_root: latest.map(|c| c.state_root),
            checkpoints: base.checkpoint_count().await.ok(),
        }
    }
}

fn state(name: String, alive: bool, status: Option<NodeStatus>) -> NodeState {
    let Some(status) = status else {
        let why = if alive {
            "does not answer"
        } else {
            "does not run"
        };
        return NodeState {
            name,
            alive,
            why: Some(why.to_owned()),
            ..NodeState::default()
        };
    };
    NodeState {
        name,
        alive,
        epoch: Some(status.epoch),
        round: Some(status.round),
        commit: Some(status.commit),
        height: Some(status.height),
        state_root: Some(status.state_root),
        peers: Some(status.peers),
        voting: Some(status.voting),
        why: status.why_not_voting.or(status.why_not_accepting),
        rss_mb: Some(status.rss_mb),
    }
}
