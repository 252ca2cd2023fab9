//! What a core is told at its construction. Timing and limits are free to differ between nodes: no
//! rule that decides or orders reads them. Everything else must be the same on all.

use crate::schedule::Schedule;
use std::sync::Arc;
use weft_types::{
    CommitRule, Committee, MemberIndex, MemberSet, Millis, NetworkId, ProtocolParams, Stake,
    VERTEX_BYTES_MAX,
};

/// When the core acts without being asked to, where that does not follow from what it measures
/// (`pace.rs`). All durations are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Time between two own vertices while nothing is unordered (R2). Default 1,000.
    pub heartbeat: Millis,
    /// After how long without a quorum at its round, and without any other vertex accepted, the own
    /// latest vertex is sent again; doubles up to half the heartbeat. Default 100.
    pub resend_after: Millis,
    /// How long a missing vertex may still arrive by itself before it is asked for, in addition to how
    /// late its author usually is: under load, what is missing is mostly on its way. Default 5.
    pub fetch_delay: Millis,
    /// After how long a request goes to another member, at the least and at the most: in between,
    /// after four times what answers have taken, twice as long after each member asked in vain.
    /// Default 50 and 500.
    pub fetch_timeout_min: Millis,
    pub fetch_timeout_max: Millis,
    /// How far a vertex's timestamp may be ahead of the clock before it waits (V6). Default 500.
    pub clock_drift_max: Millis,
    /// How long it waits at the most. Timestamps of others bind nobody, so that waiting longer
    /// would only keep transactions of a member with a wrong clock from being ordered. Default 500.
    pub early_wait_max: Millis,
    /// How long a member's vertices must show no trace of another's before they are passed on to
    /// it. Default 250.
    pub relay_after: Millis,
    /// For how long they are then passed on, before looking again. Default 2,000.
    pub relay_for: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Millis(1_000),
            resend_after: Millis(100),
            fetch_delay: Millis(5),
            fetch_timeout_min: Millis(50),
            fetch_timeout_max: Millis(500),
            clock_drift_max: Millis(500),
            early_wait_max: Millis(500),
            relay_after: Millis(250),
            relay_for: Millis(2_000),
        }
    }
}

/// What the core may hold and ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Vertices that wait for their history, in bytes for each author, and those that wait for the
    /// clock, as many again. At the
    /// bound the highest rounds go first: they are asked for again when their turn comes. Default
    /// 16 MiB.
    pub suspended_bytes_max: usize,
    /// The same for all authors together: at this bound whoever has most makes room. Default 256 MiB.
    pub waiting_bytes_max: usize,
    /// R3: what honest members let the DAG hold, in encoded bytes, in equal shares: a vertex carries no more
    /// transactions than its author's share has room for. Default 1 GiB.
    pub dag_bytes_max: usize,
    /// How many rounds above the own DAG a vertex may be and still be kept. What is further ahead
    /// only counts as a sign that this member is behind. Default 300.
    pub window: u64,
    /// From how many rounds behind F+1 of stake the core asks for whole rounds and stops proposing.
    /// Default 6.
    pub behind_after: u64,
    /// Rounds in one request. Default 250.
    pub fetch_rounds_max: u64,
    /// Vertices in one request. Default 128.
    pub fetch_vertices_max: usize,
    /// Requests under way to one member. Default 2.
    pub fetches_per_member: usize,
    /// Requests for vertices under way to all, half of them at most for what is unproven. Each answer can take what the
    /// network allows for one (8 MiB): 256 MiB together. Default 32.
    pub fetches_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            suspended_bytes_max: 16 << 20,
            waiting_bytes_max: 256 << 20,
            dag_bytes_max: 1 << 30,
            window: 300,
            behind_after: 6,
            fetch_rounds_max: 250,
            fetch_vertices_max: 128,
            fetches_per_member: 2,
            fetches_max: 32,
        }
    }
}

/// A rule broken on purpose, to show that the tests would notice.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// V4: a vertex is accepted though a vertex that it links to weakly is missing.
    AcceptWithoutWeakLinks,
    /// V5: a second version is not taken even when an accepted vertex refers to it.
    FirstVersionOnly,
    /// D1: a weak link to the leader makes up for a missing vote in the certificate pattern.
    WeakLinksVote,
    /// D1: votes for different versions of a leader's vertex are summed.
    VersionsShareVotes,
    /// D1 to D3: stake is summed over vertices, so that an equivocator counts twice.
    VotesCountedTwice,
    /// D1 to D3: 2F of stake is enough.
    QuorumLowered,
    /// D4: an undecided slot with an anchor is skipped without a look at the anchor's history.
    SkipIgnoresAnchor,
    /// D4: an undecided slot before the anchor is passed over.
    UndecidedPassedOver,
    /// D5: what was decided ahead stands when the schedule changes.
    DecisionsOutliveSchedule,
    /// D5: when the schedule changes, the slots left in the leader's own round keep their decisions.
    SameRoundOutlivesSchedule,
    /// D5: votes count when they are accepted, not when they are output.
    ReputationByLocalState,
    /// D5: a restart forgets who was demoted before the last commit.
    DemotedForgotten,
    /// D5: the convicted go on leading.
    ConvictedLead,
    /// D5: a restart forgets who is convicted.
    ConvictedForgotten,
    /// D6: one vote less than is safe commits at once.
    FastLowered,
    /// D6: one voter less than is safe makes the certificate pattern.
    CertificateLowered,
    /// D6: one holder of the pattern less than is safe commits.
    SlowLowered,
    /// D6: one blank less than is safe skips.
    SkipLowered,
    /// D6: an anchor is content with one linked vote less, or asks for one more.
    LinkedLowered,
    LinkedRaised,
    /// D6: of two versions with enough linked votes an anchor takes the one that was voted for first
    /// here, not the one with the smallest digest.
    TieByArrival,
    /// D6: an anchor looks for linked votes without looking for a certificate pattern first.
    CertificateIgnored,
    /// D6: slots of round r+2 are anchors too.
    AnchorTooEarly,
    /// V4: vertices wait whatever their number.
    WaitingUnbounded,
    /// R3: own vertices carry transactions whatever is left of the own share.
    ShareIgnored,
    /// O1: a leader's parents are output with it though they were output before.
    OutputAgain,
    /// V4: everybody is asked for what one member names, however much that is.
    EverybodyAsked,
    /// O2: the GC round is one off for a core that holds vertices far above the leader.
    GarbageByLocalState,
}

/// Everything that a [`crate::Core`] is told at its construction.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    pub network: NetworkId,
    pub committee: Arc<Committee>,
    /// `None` for an observer, which follows and never proposes.
    pub own: Option<MemberIndex>,
    /// V8.7: members that an earlier epoch has convicted.
    pub convicted: MemberSet,
    /// D5: who leads which round.
    pub schedule: Schedule,
    /// D6: the stake that may lie, of the F that may be faulty; `None` for commits after three delays
    /// alone.
    pub byzantine: Option<Stake>,
    /// O2: rounds below a committed leader whose vertices can still be output.
    pub gc_depth: u64,
    pub timing: Timing,
    pub limits: Limits,
    #[cfg(any(test, feature = "testing"))]
    pub sabotage: Option<Sabotage>,
    /// V8: off, to see what the other rules make of an equivocator whom nobody convicts.
    #[cfg(any(test, feature = "testing"))]
    pub convicts: bool,
}

/// A value out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("consensus: {field} is {value}, not in {range}")]
pub struct ConfigError {
    pub field: &'static str,
    pub value: u64,
    pub range: &'static str,
}

impl CoreConfig {
    /// With the network's parameters and the default timing and limits. The schedule's seed is the
    /// network's id.
    pub fn new(
        network: NetworkId,
        committee: Arc<Committee>,
        own: Option<MemberIndex>,
        params: &ProtocolParams,
    ) -> Self {
        Self {
            network,
            own,
            convicted: MemberSet::default(),
            schedule: Schedule::by_stake(network.0, params.leaders_per_round),
            byzantine: params.byzantine_percent.map(|p| committee.byzantine(p)),
            gc_depth: params.gc_depth,
            committee,
            timing: Timing::default(),
            limits: Limits::default(),
            #[cfg(any(test, feature = "testing"))]
            sabotage: None,
            #[cfg(any(test, feature = "testing"))]
            convicts: true,
        }
    }

    /// Names the first field that is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let check = |field, value: u64, low: u64, high: u64, range| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(ConfigError {
                field,
                value,
                range,
            })
        };
        let (timing, limits) = (&self.timing, &self.limits);
        // S1.9 takes no more for granted.
        check("heartbeat", timing.heartbeat.0, 10, 1_000, "10..=1000")?;
        let resend = timing.resend_after.0;
        check("resend_after", resend, 1, 60_000, "1..=60000")?;
        check("fetch_delay", timing.fetch_delay.0, 1, 10_000, "1..=10000")?;
        let (low, high) = (timing.fetch_timeout_min.0, timing.fetch_timeout_max.0);
        check("fetch_timeout_min", low, 1, 60_000, "1..=60000")?;
        check(
            "fetch_timeout_max",
            high,
            low,
            60_000,
            "fetch_timeout_min..=60000",
        )?;
        let bytes = limits.suspended_bytes_max as u64;
        // Tests reach the bound with little.
        let little = cfg!(any(test, feature = "testing"));
        let least = if little {
            8_192
        } else {
            2 * VERTEX_BYTES_MAX as u64
        };
        check(
            "suspended_bytes_max",
            bytes,
            least,
            1 << 40,
            "8 MiB..=1 TiB",
        )?;
        let all = limits.waiting_bytes_max as u64;
        check(
            "waiting_bytes_max",
            all,
            bytes,
            1 << 50,
            "suspended_bytes_max..=1 PiB",
        )?;
        let dag = limits.dag_bytes_max as u64;
        check("dag_bytes_max", dag, least, 1 << 50, "8 MiB..=1 PiB")?;
        check("window", limits.window, 10, 100_000, "10..=100000")?;
        let behind = limits.behind_after;
        check("behind_after", behind, 2, limits.window, "2..=window")?;
        let rounds = limits.fetch_rounds_max;
        check("fetch_rounds_max", rounds, 1, limits.window, "1..=window")?;
        let vertices = limits.fetch_vertices_max as u64;
        check("fetch_vertices_max", vertices, 1, 10_000, "1..=10000")?;
        let fetches = limits.fetches_per_member as u64;
        check("fetches_per_member", fetches, 1, 100, "1..=100")?;
        let fetches = limits.fetches_max as u64;
        check("fetches_max", fetches, 2, 1_000, "2..=1000")?;
        let own = u64::from(self.own.map_or(0, |own| own.0));
        let members = self.committee.size() as u64 - 1;
        check("own", own, 0, members, "the committee")?;
        let byzantine = self.byzantine.unwrap_or(Stake::ZERO).0;
        let faulty = self.committee.faulty().0;
        check("byzantine", byzantine, 0, faulty, "0..=F")?;
        check("gc_depth", self.gc_depth, 2, 10_000, "2..=10000")
    }

    /// D1 to D4, or D6.
    pub(crate) fn rule(&self) -> CommitRule {
        let fast = self.byzantine.map(|f| self.committee.two_delay_rule(f));
        fast.flatten()
            .unwrap_or_else(|| self.committee.three_delay_rule())
    }

    /// D5, V8.7: who is out of the schedule before the first commit.
    pub(crate) fn demoted(&self) -> MemberSet {
        match self.schedule.is_fixed() || sabotaged!(self, ConvictedLead) {
            true => MemberSet::default(),
            false => self.within_faulty(self.convicted.iter()),
        }
    }

    /// D5: those of these members, one after the other, that keep the stake within F together.
    pub(crate) fn within_faulty(&self, members: impl Iterator<Item = MemberIndex>) -> MemberSet {
        let mut within = MemberSet::default();
        for member in members {
            let mut more = within;
            more.insert(member);
            if self.committee.stake_of(&more) <= self.committee.faulty() {
                within = more;
            }
        }
        within
    }

    /// V8: always, outside tests.
    pub(crate) fn convicts(&self) -> bool {
        #[cfg(any(test, feature = "testing"))]
        let convicts = self.convicts;
        #[cfg(not(any(test, feature = "testing")))]
        let convicts = true;
        convicts
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn broken(&self, rule: Sabotage) -> bool {
        self.sabotage == Some(rule)
    }
}

/// Whether a rule is broken on purpose: never, outside tests.
macro_rules! sabotaged {
    ($config:expr, $rule:ident) => {{
        #[cfg(any(test, feature = "testing"))]
        let broken = $config.broken($crate::config::Sabotage::$rule);
        #[cfg(not(any(test, feature = "testing")))]
        let broken = {
            let _ = &$config;
            false
        };
        broken
    }};
}
pub(crate) use sabotaged;

#[cfg(test)]
mod tests;
