//! B1: how a feed of the base chain is taken up, from what the vertices of commits say and from nothing else.

use weft_types::{Chained, Committee, Feed, FeedReport};

/// Takes up what a vertex says of a feed: its author's report, and events. Whether the events are those that were
/// agreed; then they count as taken up.
pub(super) fn follow<T: Chained>(
    feed: &mut Feed,
    (member, report): (u64, Option<FeedReport>),
    events: &[T],
    committee: &Committee,
) -> bool {
    let next = |r: &FeedReport| is_next::<T>(feed, r);
    if let Some(report) = report.filter(next) {
        feed.report(member, report);
    }
    agree(feed, committee);
    let reached = feed.reaches_agreed(events);
    if reached {
        feed.take_agreed();
        agree(feed, committee);
    }
    reached
}

/// A report says something new, and not too much for one vertex.
fn is_next<T: Chained>(feed: &Feed, report: &FeedReport) -> bool {
    let new = report.count.checked_sub(feed.processed);
    new.is_some_and(|new| (1..=T::AT_ONCE).contains(&new))
}

/// What a quorum has reported last, all of it the same, is agreed.
fn agree(feed: &mut Feed, committee: &Committee) {
    if feed.agreed.is_some() {
        return;
    }
    let stake = |id| {
        let member = committee.members().iter().find(|m| m.id == id);
        member.map_or(0, |m| m.stake.0)
    };
    let quorum = committee.quorum().0;
    let mut reports = feed.reports.iter().map(|(_, report)| *report);
    feed.agreed = reports.find(|r| feed.reporters(*r).map(stake).sum::<u64>() >= quorum);
}
