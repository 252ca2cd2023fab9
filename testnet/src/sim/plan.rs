//! What a run is made of. A plan and nothing else decides a run: the same plan is the same history.

use super::base::Pace;
use super::churn::{Churn, changes, joins};
use super::faults::{Fault, Kind};
use super::latency::Latency;
use std::fmt::Write as _;
use weft_consensus::CoreConfig;
use weft_node::replica::sync::SyncConfig;
use weft_types::MEMBERS_MAX;

/// Longest fault phase, in milliseconds of simulated time.
pub const DURATION_MS_MAX: u64 = 3_600_000;
/// Most rounds of a fault phase.
pub const ROUNDS_MAX: u64 = 100_000;
/// A fault phase that counts rounds ends after so many milliseconds for each at the latest.
pub const ROUND_MS_MAX: u64 = 2_000;
/// Shortest epoch, in milliseconds: the genesis'.
pub const EPOCH_MS_MIN: u64 = 1_000;
/// Most transactions a second.
pub const RATE_MAX: u32 = 20_000;

/// When the fault phase ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After so many milliseconds.
    Duration(u64),
    /// When the first honest member has signed a vertex of this round.
    Rounds(u64),
}

impl End {
    /// The longest that a fault phase can take, in milliseconds.
    pub fn ms_max(self) -> u64 {
        match self {
            Self::Duration(ms) => ms,
            Self::Rounds(rounds) => rounds.saturating_mul(ROUND_MS_MAX),
        }
    }
}

/// Who signs vertices and finality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// Ed25519 and BLS12-381, and every vertex goes through its encoding.
    Real,
    /// Hashes, and vertices are handed over as they are (docs/adr/mock-signer.md).
    Mock,
}

/// A bug of the driver, planted to see an oracle fire. Bugs of the core are `weft_consensus::Sabotage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The database never syncs.
    NoSync,
    /// The signing guard lets everything pass, and a restart learns nothing from others (S1.5).
    NoGuard,
    /// S1: a member that has lost its guard or its database signs at once, as if it were new.
    NoRecovery,
    /// S1: a member that comes back signs above the highest round shown, not above the next one.
    FloorAtShown,
    /// S1: members answer with what they had signed half a second ago.
    StaleAnswers,
    /// S1.9: nobody is told that another process asks with its key.
    NoAskers,
    /// An own vertex leaves before it is on the disk, and a restart learns nothing from others (S1.5).
    SendBeforePersist,
    /// Clients are told of a certificate before it is on the disk.
    TellBeforePersist,
    /// B2: a member's turn to post never ends.
    TurnStays,
    /// B2: what is posted is told to be anchored.
    AnchoredAtPosted,
    /// B2: a checkpoint that a reorganisation takes away is not missed.
    ReorgUnnoticed,
    /// V8: a slanderer has its victim's key, as if proofs were not checked.
    ProofsProveNothing,
    /// P2: who is not the first of a transaction's order never proposes it.
    NoEscalation,
}

#[derive(Debug, Clone)]
pub struct Plan {
    /// Members of the committee, each with one unit of stake.
    pub nodes: usize,
    pub seed: u64,
    pub end: End,
    /// Transactions a second over all members.
    pub rate: u32,
    /// P1: members, the first of its order, that a client gives each transaction to. With 1 and nobody who
    /// censors, it goes to one that is honest and up.
    pub copies: usize,
    pub latency: Latency,
    pub faults: Vec<Fault>,
    pub signer: Signer,
    /// The base chain that certificates are posted to, if there is one.
    pub base: Option<Pace>,
    /// E1: how long an epoch lasts, in milliseconds; `None` is longer than any run.
    pub epoch: Option<u64>,
    /// E1: who joins, leaves and changes its bond.
    pub churn: Vec<Churn>,
    /// Leader slots a round; `None` is the protocol's default.
    pub leaders: Option<u32>,
    /// D6: commits after two delays, where at most so many per cent of the stake lie.
    pub byzantine_percent: Option<u32>,
    /// How long after the heal everybody may take to agree, in milliseconds.
    pub settle: u64,
    /// Whether to keep the DAG of one member, for a drawing.
    pub record: bool,
    /// The first round of the drawing; `None` is around the first broken rule, or the last rounds.
    pub record_from: Option<u64>,
    /// Whether each member verifies for itself what it receives. Otherwise the first one does for all,
    /// which costs less and decides the same.
    pub alone: bool,
    pub planted: Option<Planted>,
    /// Changes every core's timing and limits, or breaks a rule of it.
    pub adjust: Option<fn(&mut CoreConfig)>,
    /// S2: how snapshots are held and when one is taken over. By default later than most runs last.
    pub sync: SyncConfig,
}

/// A plan that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("simulation: {field} is {value}, not in {range}")]
    Range {
        field: &'static str,
        value: u64,
        range: &'static str,
    },
    #[error("simulation: the faults name {wanted} members, and there are {nodes}")]
    TooFewMembers { wanted: u64, nodes: usize },
    #[error("simulation: {copies} copies of each transaction are more than the {nodes} nodes")]
    TooManyCopies { copies: usize, nodes: usize },
    #[error("simulation: no member is left without a fault that never ends")]
    NobodyLeft,
    #[error("simulation: fault {0} needs a base chain: add --base")]
    NoBase(&'static str),
    #[error(
        "simulation: fault {fault} begins after the end of the run, at most {end_ms} ms after its start"
    )]
    TooLate { fault: Fault, end_ms: u64 },
    #[error("simulation: {0} needs epochs that end: add --epoch")]
    NoEpochs(String),
    #[error("simulation: more members leave, or bond more, than there are")]
    NobodyLeaves,
    #[error("simulation: a run of several epochs is not drawn")]
    NotDrawn,
    #[error(
        "simulation: with a base chain epochs need real signatures, which the registry checks: leave out --signer mock"
    )]
    RealKeys,
    #[error("simulation: {0}")]
    Genesis(String),
}

impl Default for Plan {
    /// The default scenario of the reference simulator of this protocol family.
    fn default() -> Self {
        Self {
            nodes: 10,
            seed: 0,
            end: End::Duration(20_000),
            rate: 100,
            copies: 1,
            latency: Latency::Uniform { low: 50, high: 100 },
            faults: Vec::new(),
            signer: Signer::Real,
            base: None,
            epoch: None,
            churn: Vec::new(),
            leaders: None,
            byzantine_percent: None,
            settle: 30_000,
            record: false,
            record_from: None,
            alone: false,
            planted: None,
            adjust: None,
            sync: SyncConfig::default(),
        }
    }
}

impl Plan {
    /// Names the first field that is out of its range.
    pub fn validate(&self) -> Result<(), PlanError> {
        let check = |field, value: u64, low: u64, high: u64, range| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(PlanError::Range {
                field,
                value,
                range,
            })
        };
        check("nodes", self.nodes as u64, 1, MEMBERS_MAX as u64, "1..=128")?;
        match self.end {
            End::Duration(ms) => check("duration", ms, 1, DURATION_MS_MAX, "1ms..=3600s")?,
            End::Rounds(rounds) => check("rounds", rounds, 1, ROUNDS_MAX, "1..=100000")?,
        }
        check(
            "rate",
            u64::from(self.rate),
            0,
            u64::from(RATE_MAX),
            "0..=20000",
        )?;
        check(
            "copies",
            self.copies as u64,
            1,
            MEMBERS_MAX as u64,
            "1..=128",
        )?;
        check("settle", self.settle, 1, DURATION_MS_MAX, "1ms..=3600s")?;
        if let Some(percent) = self.byzantine_percent {
            check("two-delay", u64::from(percent), 0, 33, "0..=33")?;
        }
        if let Some(leaders) = self.leaders {
            check("leaders", u64::from(leaders), 1, 128, "1..=128")?;
        }
        if let Some(pace) = self.base {
            check("base block", pace.block_ms, 1, 60_000, "1ms..=60s")?;
            check("base depth", pace.depth, 0, 200, "0..=200")?;
        } else if let Some(fault) = self.faults.iter().find(|f| f.kind.needs_base()) {
            return Err(PlanError::NoBase(fault.kind.name()));
        }
        self.validate_epochs()?;
        // One that begins while everybody comes to agree still happens, if that takes so long.
        let end_ms = self.end.ms_max().saturating_add(self.settle);
        let late = |f: &&Fault| f.start.is_some_and(|start| start >= end_ms);
        if let Some(fault) = self.faults.iter().copied().find(|f| late(&f)) {
            return Err(PlanError::TooLate { fault, end_ms });
        }
        let all = self.everybody() as u64;
        check(
            "nodes with those that join",
            all,
            1,
            MEMBERS_MAX as u64,
            "1..=128",
        )?;
        if self.copies > self.everybody() {
            let (copies, nodes) = (self.copies, self.everybody());
            return Err(PlanError::TooManyCopies { copies, nodes });
        }
        let wanted: u64 = self.faults.iter().map(|f| u64::from(f.members())).sum();
        if wanted > self.nodes as u64 {
            let nodes = self.nodes;
            return Err(PlanError::TooFewMembers { wanted, nodes });
        }
        let crimes = self.faults.iter().filter(|f| f.kind.is_crime());
        if crimes.map(|f| u64::from(f.amount)).sum::<u64>() == self.nodes as u64 {
            return Err(PlanError::NobodyLeft);
        }
        Ok(())
    }

    fn validate_epochs(&self) -> Result<(), PlanError> {
        let Some(epoch) = self.epoch else {
            let edge = self.faults.iter().find(|f| f.edge.is_some());
            let edge = edge.map(|fault| format!("fault {fault}"));
            let churn = self.churn.first().map(|churn| format!("churn {churn}"));
            return edge
                .or(churn)
                .map_or(Ok(()), |what| Err(PlanError::NoEpochs(what)));
        };
        if !(EPOCH_MS_MIN..=DURATION_MS_MAX).contains(&epoch) {
            return Err(PlanError::Range {
                field: "epoch",
                value: epoch,
                range: "1s..=3600s",
            });
        }
        if self.record {
            return Err(PlanError::NotDrawn);
        }
        if self.base.is_some() && self.signer == Signer::Mock {
            return Err(PlanError::RealKeys);
        }
        changes(self.nodes, &self.churn).map_or(Err(PlanError::NobodyLeaves), |_| Ok(()))
    }

    /// Nodes of the run: the genesis committee, and those that join it.
    pub fn everybody(&self) -> usize {
        self.nodes + joins(&self.churn)
    }

    /// Whether some fault makes this member-independent condition hold at some time.
    pub fn has(&self, kind: Kind) -> bool {
        self.faults.iter().any(|f| f.kind == kind)
    }

    /// The command that shows this run again. Planted bugs and adjustments have none.
    pub fn command(&self) -> String {
        let mut command = format!("weft sim --nodes {}", self.nodes);
        let end = match self.end {
            End::Duration(ms) => write!(command, " --duration {ms}ms"),
            End::Rounds(rounds) => write!(command, " --rounds {rounds}"),
        };
        let rest = write!(
            command,
            " --rate {} --seed {} --latency {}",
            self.rate,
            self.seed,
            for_shell(&self.latency.to_string())
        );
        debug_assert!(end.is_ok() && rest.is_ok(), "writing to a string");
        if !self.faults.is_empty() {
            let faults: Vec<String> = self.faults.iter().map(Fault::to_string).collect();
            command += &format!(" --faults {}", faults.join(","));
        }
        if self.signer == Signer::Mock {
            command += " --signer mock";
        }
        if let Some(pace) = self.base {
            command += &format!(" --base {pace}");
        }
        if let Some(epoch) = self.epoch {
            command += &format!(" --epoch {epoch}ms");
        }
        if !self.churn.is_empty() {
            let churn: Vec<String> = self.churn.iter().map(Churn::to_string).collect();
            command += &format!(" --churn {}", churn.join(","));
        }
        if let Some(leaders) = self.leaders {
            command += &format!(" --leaders {leaders}");
        }
        if let Some(percent) = self.byzantine_percent {
            command += &format!(" --two-delay {percent}");
        }
        if self.copies != Self::default().copies {
            command += &format!(" --copies {}", self.copies);
        }
        if self.settle != Self::default().settle {
            command += &format!(" --settle {}ms", self.settle);
        }
        let (sync, usual) = (self.sync, SyncConfig::default());
        if sync.snapshot_interval != usual.snapshot_interval {
            command += &format!(" --snapshots {}ms", sync.snapshot_interval);
        }
        if sync.after != usual.after {
            command += &format!(" --sync-after {}ms", sync.after);
        }
        command
    }
}

/// One word of a shell, whatever is in it: a path can have spaces.
fn for_shell(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:,+=@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_a_shell() {
        assert_eq!(for_shell("uniform:50-100"), "uniform:50-100");
        assert_eq!(for_shell("my table.csv"), "'my table.csv'");
        assert_eq!(for_shell("a'b;c"), r"'a'\''b;c'");
    }

    #[test]
    fn more_copies_than_members_are_refused() {
        let copies = |copies| Plan {
            copies,
            ..Plan::default()
        };
        assert_eq!(copies(10).validate(), Ok(()));
        let wrong = PlanError::TooManyCopies {
            copies: 11,
            nodes: 10,
        };
        assert_eq!(copies(11).validate(), Err(wrong));
    }
}
