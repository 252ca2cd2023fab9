//! E1, E2: who is in office, decided from commits alone. A commit first opens the next epoch, if its committee is the next
//! one, and shares the fees of the last one (L23); then it takes up the registry's queue, announces the next committee when it is time, and closes the epoch once
//! a quorum of that is ready.

use super::feed::follow;
use super::fees::share;
use crate::draft::Draft;
use crate::ledger::{Observed, Office};
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    CommitIndex, FeeShare, Millis, Object, ObjectId, Roster, RosterId, WAITING_MAX, Work, WorkId,
};

const ID: ObjectId = ObjectId::Roster(RosterId::THE_ONE);

/// Who was paid for the last epoch, if the commit has opened the next one.
pub(crate) type Opened = Option<Vec<FeeShare>>;

/// `work` is that of the epoch before the commit.
///
/// # Panics
/// When the epoch is closed: such a commit is nobody's to apply (E2).
pub(crate) fn convene<B: Objects>(
    draft: &mut Draft<'_, B>,
    (observed, work): (&[Observed<'_>], &Work),
    office: &Office<'_>,
    (commit, now, duration): (CommitIndex, Millis, Millis),
) -> Opened {
    let before = draft.get(&ID).and_then(Object::as_roster).cloned();
    let mut roster = match &before {
        Some(roster) => Roster::clone(roster),
        // Nothing to decide, as nearly always: a committee is not copied for it.
        None if is_quiet(observed) && now < office.genesis.saturating_add(duration.0) => {
            return None;
        }
        None => Roster::genesis(office.committee, office.genesis),
    };
    let mut opened = None;
    if roster.closed && roster.epoch.next() == office.committee.epoch() {
        let shares = share(draft, &roster, work);
        roster.open_next(commit.saturating_sub(1), now);
        roster.shares.clone_from(&shares);
        draft.remove(ObjectId::Work(WorkId::THE_ONE));
        opened = Some(shares);
    }
    assert!(
        roster.epoch == office.committee.epoch() && !roster.closed,
        "a commit of epoch {} is applied in epoch {}",
        office.committee.epoch(),
        roster.epoch
    );
    for Observed { member, said, .. } in observed {
        // At the bound nothing is taken up before an edge has applied what waits.
        let room = WAITING_MAX.saturating_sub(roster.waiting.len() as u64);
        let report = said.queue_report;
        let report = report.filter(|r| r.count <= roster.queue.processed.saturating_add(room));
        let feed = &mut roster.queue;
        if follow(feed, (*member, report), &said.entries, office.committee) {
            roster.waiting.extend_from_slice(&said.entries);
        }
    }
    if roster.is_announcement_due(now, duration) {
        roster.announce(now);
    }
    close(&mut roster, observed, office);
    if before.as_deref() != Some(&roster) {
        draft.put(ID, Object::Roster(Arc::new(roster)));
    }
    opened
}

fn is_quiet(observed: &[Observed<'_>]) -> bool {
    let says = |o: &Observed<'_>| o.said.queue_report.is_some();
    !observed.iter().any(says)
}

/// E2: closes the epoch once a quorum of the next committee is ready.
fn close(roster: &mut Roster, observed: &[Observed<'_>], office: &Office<'_>) {
    let mut readies = observed.iter().flat_map(|o| &o.said.readies).peekable();
    if readies.peek().is_none() {
        return;
    }
    let Some(next) = roster.next_committee() else {
        return;
    };
    let digest = next.digest();
    for ready in readies {
        let new = !roster.ready.contains(&ready.member);
        if new && ready.is_of(office.network, &next, digest) {
            roster.note_ready(ready.member);
        }
    }
    roster.closed = roster.is_ready(&next);
}
