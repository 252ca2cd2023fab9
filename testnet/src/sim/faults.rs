//! `--faults`: what goes wrong in a run, and when.
//!
//! A list of `NAME[:AMOUNT[/MEMBERS]][@START[+LENGTH]]`. Members are drawn by the seed, and no member has two
//! faults. A start is a time, or a moment at the edge of an epoch (`edge.rs`). What disturbs links disturbs all of them, or with a number of members all to and from these. Without a start a fault holds from the beginning; without a length until the end of the
//! fault phase. What the amount means depends on the fault: a number of members, a percentage, a number
//! of milliseconds, of megabits or of blocks; [`NAMES`] says which.

mod edge;

pub use edge::{Edge, Moment, Role};

use std::fmt;
use std::str::FromStr;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Crash,
    Restart,
    Pause,
    Partition,
    Wipe,
    OldCopy,
    Clone,
    Loss,
    Replay,
    Reorder,
    Jitter,
    Bandwidth,
    Skew,
    SlowDisk,
    BaseDown,
    BaseLoss,
    Reorg,
    Equivocate,
    SplitVotes,
    Withhold,
    Late,
    LieParents,
    ForgeShares,
    JumpRounds,
    FloodStale,
    LieClock,
    Sleep,
    Twins,
    SilentPoster,
    BadPoster,
    Censor,
    LieState,
    StallState,
    Slander,
    Branch,
}

/// What an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Members, by default one.
    Members,
    /// Members that are cut off, by default half of all.
    Side,
    Percent(u32),
    Millis(u32),
    Megabits(u32),
    Blocks(u32),
    Nothing,
}

/// Each fault: its name, what its amount counts, and what it is.
#[rustfmt::skip]
const NAMES: [(Kind, &str, Unit, &str); 35] = [
    (Kind::Crash, "crash", Unit::Members, "members lose power, and come back when the time is over, if there is a length"),
    (Kind::Restart, "restart", Unit::Members, "members lose power, and come back half a second later"),
    (Kind::Pause, "pause", Unit::Members, "members stand still; what is sent to them waits"),
    (Kind::Partition, "partition", Unit::Side, "members that are cut off from the others"),
    (Kind::Wipe, "wipe", Unit::Members, "members lose power and their disk, and come back with an empty one"),
    (Kind::OldCopy, "oldcopy", Unit::Members, "members come back with the database as it was at the start, and their own guard"),
    (Kind::Clone, "clone", Unit::Members, "members of which a copy, guard and all, runs beside them; with a length, they are away for so long"),
    (Kind::Loss, "loss", Unit::Percent(5), "per cent of the messages are lost"),
    (Kind::Replay, "replay", Unit::Percent(5), "per cent of the messages come again later"),
    (Kind::Reorder, "reorder", Unit::Percent(20), "per cent of the messages are overtaken"),
    (Kind::Jitter, "jitter", Unit::Percent(50), "per cent that messages take longer at most"),
    (Kind::Bandwidth, "bandwidth", Unit::Megabits(10), "megabits a second out of each member"),
    (Kind::Skew, "skew", Unit::Millis(200), "milliseconds that clocks are off, at most, either way"),
    (Kind::SlowDisk, "slowdisk", Unit::Millis(10), "milliseconds that a sync takes, at most"),
    (Kind::BaseDown, "basedown", Unit::Nothing, "the base chain is away, and has forgotten what waited (with --base)"),
    (Kind::BaseLoss, "baseloss", Unit::Percent(50), "per cent of the postings get into no block (with --base)"),
    (Kind::Reorg, "reorg", Unit::Blocks(2), "blocks that the base chain takes back, final ones never (with --base)"),
    (Kind::Equivocate, "equivocate", Unit::Members, "members that sign two vertices a round, one for each half of the others"),
    (Kind::SplitVotes, "split", Unit::Members, "members that sign three vertices a round, and vote for some other member in one of them only"),
    (Kind::Withhold, "withhold", Unit::Members, "members that send their vertices to F others only, and seldom answer"),
    (Kind::Late, "late", Unit::Members, "members whose vertices leave two to five delays late"),
    (Kind::LieParents, "liar", Unit::Members, "members that leave leaders out of their parents, and link to what does not exist"),
    (Kind::ForgeShares, "forge", Unit::Members, "members whose finality shares are wrong, or of another statement"),
    (Kind::JumpRounds, "jump", Unit::Members, "members that also sign vertices of rounds far ahead"),
    (Kind::FloodStale, "flood", Unit::Members, "members that also send many vertices of old rounds"),
    (Kind::LieClock, "clock", Unit::Members, "members whose timestamps are up to an hour ahead"),
    (Kind::Sleep, "sleep", Unit::Members, "members that are silent for seconds and then send all at once"),
    (Kind::Twins, "twins", Unit::Members, "members that run twice with one key"),
    (Kind::SilentPoster, "silentposter", Unit::Members, "members that never post when it is their turn (with --base)"),
    (Kind::BadPoster, "badposter", Unit::Members, "members that post forged and stale certificates when it is their turn (with --base)"),
    (Kind::Censor, "censor", Unit::Members, "members that take transactions and never propose them, and leave out vertices with a fourth of all"),
    (Kind::LieState, "lystate", Unit::Members, "members that lie when they are asked for a snapshot"),
    (Kind::StallState, "stallstate", Unit::Members, "members that offer snapshots and do not hand them out"),
    (Kind::Slander, "slander", Unit::Members, "members whose vertices carry made-up proofs against others"),
    (Kind::Branch, "branch", Unit::Members, "members whose vertices each bring twenty versions of older ones along"),
];

/// The most faults in one run.
pub const FAULTS_MAX: usize = 64;
/// Latest time in a specification, in milliseconds.
const TIME_MS_MAX: u64 = 86_400_000;

/// One fault of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// As given, or the default of its kind. Zero members of a partition: half of all.
    pub amount: u32,
    /// Members whose links alone are disturbed; zero: all links.
    pub of: u32,
    /// In milliseconds of simulated time.
    pub start: Option<u64>,
    pub length: Option<u64>,
    /// Instead of a time: it begins there.
    pub edge: Option<Edge>,
    /// Whom of those at its edge it befalls; all members, if it is not said.
    pub role: Option<Role>,
}

/// A `--faults` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    #[error("fault {0:?} is unknown; known are {known}", known = known())]
    Unknown(String),
    #[error(
        "fault {0:?} is not NAME[:AMOUNT[/MEMBERS]][@START[+LENGTH]], such as partition:2@5s+10s"
    )]
    Malformed(String),
    #[error("fault {text:?}: {amount:?} is no whole number")]
    Whole { text: String, amount: String },
    #[error("fault {text:?}: {amount} is not in {range}")]
    Amount {
        text: String,
        amount: u32,
        range: &'static str,
    },
    #[error("fault {0:?} befalls no links, so that it cannot be kept to those of some members")]
    NoLinks(String),
    #[error("fault {0:?} has a role, which only faults of members at the edge of an epoch have")]
    NoRole(String),
    #[error("fault {0:?} cannot begin at the edge of an epoch")]
    NoEdge(String),
    #[error("{0} faults are more than {FAULTS_MAX}")]
    TooMany(usize),
}

fn known() -> String {
    let names: Vec<&str> = NAMES.iter().map(|(_, name, _, _)| *name).collect();
    names.join(", ")
}

/// One line for each fault, for a help text.
pub fn help() -> String {
    let line = |(_, name, unit, what): &(Kind, &str, Unit, &str)| {
        let amount = match unit {
            Unit::Members => "1".to_owned(),
            Unit::Side => "half".to_owned(),
            Unit::Nothing => return format!("  {name:<11} {what}"),
            Unit::Percent(n) | Unit::Millis(n) | Unit::Megabits(n) | Unit::Blocks(n) => {
                n.to_string()
            }
        };
        format!("  {name:<11} {what} [{amount}]")
    };
    let links = NAMES.iter().filter(|(kind, ..)| kind.is_of_links());
    let links: Vec<&str> = links.map(|(_, name, ..)| *name).collect();
    let some = format!(
        "With /MEMBERS the links of so many members alone are disturbed, such as loss:1/2: {}",
        links.join(", ")
    );
    let more = [some, edge::HELP.to_owned()];
    let lines: Vec<String> = NAMES.iter().map(line).chain(more).collect();
    lines.join("\n")
}

impl Kind {
    fn entry(self) -> &'static (Kind, &'static str, Unit, &'static str) {
        let found = NAMES.iter().find(|(kind, ..)| *kind == self);
        found.expect("every kind is in the table")
    }

    /// All that are against the protocol.
    pub fn crimes() -> impl Iterator<Item = Self> {
        let kinds = NAMES.iter().map(|(kind, ..)| *kind);
        kinds.filter(|kind| kind.is_crime())
    }

    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// Whether its members act against the protocol.
    pub fn is_crime(self) -> bool {
        self >= Self::Equivocate
    }

    /// Whether it is about the base chain.
    pub fn needs_base(self) -> bool {
        use Kind::{BadPoster, BaseDown, BaseLoss, Reorg, SilentPoster};
        matches!(self, BaseDown | BaseLoss | Reorg | SilentPoster | BadPoster)
    }

    /// Whether it disturbs links.
    pub fn is_of_links(self) -> bool {
        use Kind::{Bandwidth, Jitter, Loss, Reorder, Replay};
        matches!(self, Loss | Replay | Reorder | Jitter | Bandwidth)
    }
}

impl Fault {
    /// One with its kind's default amount, for the whole run.
    pub fn new(kind: Kind) -> Self {
        let amount = match kind.entry().2 {
            Unit::Members => 1,
            Unit::Side | Unit::Nothing => 0,
            Unit::Percent(n) | Unit::Millis(n) | Unit::Megabits(n) | Unit::Blocks(n) => n,
        };
        Self {
            kind,
            amount,
            of: 0,
            start: None,
            length: None,
            edge: None,
            role: None,
        }
    }

    /// Members that it befalls, and no other fault does, as far as they are drawn before the run.
    pub fn members(self) -> u32 {
        if self.edge.is_some() {
            return 0;
        }
        self.members_at_edge()
    }

    /// The same of those that are drawn at an edge.
    pub fn members_at_edge(self) -> u32 {
        match self.kind.entry().2 {
            Unit::Members => self.amount,
            _ => self.of,
        }
    }

    #[must_use]
    pub fn amount(self, amount: u32) -> Self {
        Self { amount, ..self }
    }

    /// From a time on, for a time, in milliseconds.
    #[must_use]
    pub fn during(self, start: u64, length: u64) -> Self {
        Self {
            start: Some(start),
            length: Some(length),
            ..self
        }
    }
}

/// A comma-separated list; empty is none.
pub fn parse(text: &str) -> Result<Vec<Fault>, FaultError> {
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let faults: Vec<Fault> = items.map(str::parse).collect::<Result<_, _>>()?;
    if faults.len() > FAULTS_MAX {
        return Err(FaultError::TooMany(faults.len()));
    }
    Ok(faults)
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let malformed = || FaultError::Malformed(text.to_owned());
        let (what, when) = match text.split_once('@') {
            Some((what, when)) => (what, Some(when)),
            None => (text, None),
        };
        let (name, amount) = match what.split_once(':') {
            Some((name, amount)) => (name, Some(amount)),
            None => (what, None),
        };
        let entry = NAMES.iter().find(|(_, known, ..)| *known == name);
        let (kind, _, unit, _) = entry.ok_or_else(|| FaultError::Unknown(name.to_owned()))?;
        let whole = |amount: &str| {
            amount.parse().map_err(|_| FaultError::Whole {
                text: text.to_owned(),
                amount: amount.to_owned(),
            })
        };
        let (amount, of) = match amount.and_then(|amount| amount.split_once('/')) {
            Some((amount, of)) => (Some(amount), Some(of)),
            None => (amount, None),
        };
        let (amount, role) = amount.map_or((None, None), |amount| {
            let (amount, role) = Role::split(amount);
            (
                Some(amount).filter(|a| !a.is_empty() || role.is_none()),
                role,
            )
        });
        let amount: Option<u32> = amount.map(whole).transpose()?;
        let of: Option<u32> = of.map(whole).transpose()?;
        let mut fault = Self::new(*kind);
        fault.amount = amount.unwrap_or(fault.amount);
        let (most, range) = match unit {
            Unit::Members | Unit::Side => (128, "1..=128"),
            Unit::Percent(_) => (100, "1..=100"),
            Unit::Millis(_) => (60_000, "1..=60000"),
            Unit::Megabits(_) => (1_000_000, "1..=1000000"),
            Unit::Blocks(_) => (200, "1..=200"),
            Unit::Nothing => (0, "no amount"),
        };
        let check = |found: Option<u32>, most, range| match found {
            Some(amount) if !(1..=most).contains(&amount) => Err(FaultError::Amount {
                text: text.to_owned(),
                amount,
                range,
            }),
            _ => Ok(()),
        };
        check(amount, most, range)?;
        check(of, 128, "1..=128")?;
        if of.is_some() && !kind.is_of_links() {
            return Err(FaultError::NoLinks(text.to_owned()));
        }
        fault.of = of.unwrap_or(0);
        if let Some(when) = when {
            let (start, length) = match when.split_once('+') {
                Some((start, length)) => (start, Some(length)),
                None => (when, None),
            };
            fault.edge = Edge::read(start);
            if fault.edge.is_none() {
                fault.start = Some(millis(start).ok_or_else(malformed)?);
            }
            fault.length = length
                .map(|l| millis(l).ok_or_else(malformed))
                .transpose()?;
        }
        fault.role = role;
        if role.is_some() && (fault.edge.is_none() || *unit != Unit::Members) {
            return Err(FaultError::NoRole(text.to_owned()));
        }
        // A second machine has to be there from the beginning.
        if fault.edge.is_some() && matches!(kind, Kind::Twins | Kind::Clone) {
            return Err(FaultError::NoEdge(text.to_owned()));
        }
        Ok(fault)
    }
}

/// `5s`, `1.5s` or `300ms`, in milliseconds.
pub fn millis(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (text.strip_suffix('s')?, 1000.0),
    };
    let number: f64 = number.parse().ok()?;
    let millis = number * unit;
    (0.0..=TIME_MS_MAX as f64)
        .contains(&millis)
        .then_some(millis as u64)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.amount > 0 {
            write!(f, ":{}", self.amount)?;
        }
        if let Some(role) = self.role {
            write!(f, "{role}")?;
        }
        if self.of > 0 {
            write!(f, "/{}", self.of)?;
        }
        if let Some(start) = self.start {
            write!(f, "@{start}ms")?;
        }
        if let Some(edge) = self.edge {
            write!(f, "@{edge}")?;
        }
        if let Some(length) = self.length {
            write!(f, "+{length}ms")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
