//! B1: a feed is a list of base chain events that are numbered from 1 and chained by a running digest, and that the
//! ledger takes up once a quorum has reported the same: the vault's deposits, the registry's queue.

use crate::ids::{IdError, Root};
use crate::wire;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// An event of a feed.
pub trait Chained: Clone {
    /// Most events that are agreed on, and carried in a vertex, at once.
    const AT_ONCE: u64;

    /// The running digest up to this event, the `index`th, from that of those before it.
    fn extend(&self, previous: &Root, index: u64) -> Root;
}

/// So many events, and their running digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedReport {
    pub count: u64,
    pub digest: Root,
}

/// How far the ledger has come with a feed, and what members have reported since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// How many events are taken up.
    pub processed: u64,
    /// Their running digest.
    pub digest: Root,
    /// What a quorum has reported, and nobody has brought the events for yet.
    pub agreed: Option<FeedReport>,
    /// The newest report of each member, by its id, beyond what is taken up; ascending.
    pub reports: Vec<(u64, FeedReport)>,
}

impl Feed {
    /// Before the first event.
    pub fn new(start: Root) -> Self {
        Self {
            processed: 0,
            digest: start,
            agreed: None,
            reports: Vec::new(),
        }
    }

    /// What is taken up.
    pub fn taken(&self) -> FeedReport {
        FeedReport {
            count: self.processed,
            digest: self.digest,
        }
    }

    /// Puts a member's report in the place of its last one.
    pub fn report(&mut self, member: u64, report: FeedReport) {
        match self.reports.binary_search_by_key(&member, |(id, _)| *id) {
            Ok(i) => self.reports[i].1 = report,
            Err(i) => self.reports.insert(i, (member, report)),
        }
    }

    /// Whether the member's newest report is this one.
    pub fn has_reported(&self, member: u64, report: FeedReport) -> bool {
        self.reports.contains(&(member, report))
    }

    /// Those who have reported the same last.
    pub fn reporters(&self, report: FeedReport) -> impl Iterator<Item = u64> + '_ {
        let same = move |(_, other): &&(u64, FeedReport)| *other == report;
        self.reports.iter().filter(same).map(|(id, _)| *id)
    }

    /// Whether these events are just those that follow, up to what is agreed.
    pub fn reaches_agreed<T: Chained>(&self, events: &[T]) -> bool {
        let Some(agreed) = self.agreed else {
            return false;
        };
        if self.processed.checked_add(events.len() as u64) != Some(agreed.count) {
            return false;
        }
        let numbered = events.iter().zip(self.processed + 1..);
        let digest = numbered.fold(self.digest, |d, (event, i)| event.extend(&d, i));
        digest == agreed.digest
    }

    /// Counts the events up to what is agreed as taken up.
    pub fn take_agreed(&mut self) {
        if let Some(agreed) = self.agreed.take() {
            self.processed = agreed.count;
            self.digest = agreed.digest;
            self.reports.retain(|(_, r)| r.count > agreed.count);
        }
    }
}

impl From<&FeedReport> for wire::FeedReport {
    fn from(report: &FeedReport) -> Self {
        Self {
            count: report.count,
            digest: Bytes::copy_from_slice(&report.digest.0),
        }
    }
}

impl TryFrom<&wire::FeedReport> for FeedReport {
    type Error = IdError;

    fn try_from(wire: &wire::FeedReport) -> Result<Self, IdError> {
        Ok(Self {
            count: wire.count,
            digest: Root::try_from(wire.digest.as_ref())?,
        })
    }
}
