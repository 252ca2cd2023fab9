/// Rounds after which a report is made again that nobody has ordered.
const REPEAT_ROUNDS: u64 = 60;
/// Most events that are kept ahead of the ledger: deposits have 120 bytes each, entries of the queue up to 700.
pub const KEPT_MAX: usize = 4_096;

/// An event that lies deep enough, in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed<T> {
    /// From 1.
    pub index: u64,
    pub event: T,
    /// The running digest up to it, as the contract has it.
    pub digest: Root,
    /// The base chain's block that it is in.
    pub block: u64,
}

/// What is known of a feed beyond what the ledger has taken up.
#[derive(Debug)]
pub(super) struct Watching<T> {
    confirmed: VecDeque<Confirmed<T>>,
    /// B1: what this member has to report, while it has not been taken up.
    next: Option<FeedReport>,
    reported: Option<(FeedReport, Round)>,
}

impl<T> Default for Watching<T> {
    fn default() -> Self {
        Self {
            confirmed: VecDeque::new(),
            next: None,
            reported: None,
        }
    }
}

impl<T: Chained> Watching<T> {
    /// Takes up what follows without a gap; the rest has to come again.
    pub fn confirm(&mut self, deposits: Vec<Confirmed>, bridge: &Bridge) {
        self.credited(bridge);
        for confirmed in deposits {
            let next = self.confirmed.back().map_or(bridge.processed, |c| c.index) + 1;
            if confirmed.index == next && self.confirmed.len() < KEPT_MAX {
                self.confirmed.push_back(confirmed);
            }
        }
        self.next = self.next_report(bridge);
        if self.contradicts(bridge) {
            let processed = bridge.processed;
            self.halt(format!(
                "the base chain's deposits do not follow from the {processed} that are credited: it has \
                 lost blocks that were confirmed"
            ));
        }
    }

    /// B1: the base chain has taken back what it had confirmed. What else the node does goes on.
    pub fn halt(&mut self, reason: String) {
        self.halted.get_or_insert(reason);
        self.confirmed.clear();
        self.next = None;
    }

    pub fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    /// Forgets what the ledger has credited.
    pub fn credited(&mut self, bridge: &Bridge) {
        while self
            .confirmed
            .front()
            .is_some_and(|c| c.index <= bridge.processed)
        {
            self.confirmed.pop_front();
        }
        self.next = self.next_report(bridge);
    }

    /// B1: the next report, which is the same for all who see the same chain: all deposits up to the end of the block
    /// of the first one that is not credited. `None` when there is none, or when it does not follow from what is
    /// credited: then the chain has lost what it had confirmed.
    fn next_report(&self, bridge: &Bridge) -> Option<FeedReport> {
        let block = self.confirmed.front()?.block;
        let mut report = None;
        let mut digest = bridge.digest;
        for confirmed in self.confirmed.iter().take(DEPOSITS_MAX as usize) {
            digest = confirmed.deposit.extend(&digest, confirmed.index);
            if confirmed.block > block || digest != confirmed.digest {
                break;
            }
            report = Some(FeedReport {
                count: confirmed.index,
                digest,
            });
        }
        report
    }

    /// The first deposit that is not credited does not follow from those that are.
    fn contradicts(&self, bridge: &Bridge) -> bool {
        self.confirmed
            .front()
            .is_some_and(|c| c.deposit.extend(&bridge.digest, c.index) != c.digest)
    }

    /// Whether something is to be said.
    fn has_work(&self, own: u64, bridge: &Bridge) -> bool {
        self.next.is_some_and(|next| {
            let said = bridge
                .reports
                .iter()
                .any(|(id, r)| *id == own && *r == next);
            !said || bridge.agreed.is_some()
        })
    }

    /// What the vertex of a round says; `turn` is whether this member brings what is agreed.
    fn observe(&mut self, round: Round, turn: bool, own: u64, bridge: &Bridge) -> Observation {
        let report = self.next.filter(|next| {
            let ordered = bridge.reports.iter().any(|(id, r)| *id == own && r == next);
            let again = |(r, at): (FeedReport, Round)| {
                r != *next || round.0 >= at.0.saturating_add(REPEAT_ROUNDS)
            };
            !ordered && self.reported.is_none_or(again)
        });
        if let Some(report) = report {
            self.reported = Some((report, round));
        }
        let agreed = bridge.agreed.filter(|_| turn);
        let deposits = agreed.map_or_else(Vec::new, |agreed| self.up_to(agreed.count));
        Observation {
            report,
            deposits: if bridge.reaches_agreed(&deposits) {
                deposits
            } else {
                Vec::new()
            },
        }
    }

    fn up_to(&self, count: u64) -> Vec<Deposit> {
        let wanted = self.confirmed.iter().take_while(|c| c.index <= count);
        wanted.map(|c| c.deposit).collect()
    }
}

