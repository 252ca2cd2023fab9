//! Whole rounds for a member that is behind: upwards from its own DAG, from one member as long as it
//! brings something, then from the next.

use super::pause;
use crate::config::CoreConfig;
use crate::interface::{FetchId, FetchRequest, Wanted};
use std::sync::Arc;
use weft_types::{MemberIndex, MemberSet, Millis, Round};

pub(super) struct Rounds {
    config: Arc<CoreConfig>,
    request: Option<Request>,
    /// When rounds may be asked for again, and how often in a row that brought nothing.
    at: Millis,
    failed: u32,
    /// Whom to ask.
    from: MemberIndex,
}

struct Request {
    id: FetchId,
    from: MemberIndex,
    after: Round,
    brought: bool,
    deadline: Millis,
}

impl Rounds {
    pub fn new(config: &Arc<CoreConfig>) -> Self {
        Self {
            request: None,
            at: Millis::ZERO,
            failed: 0,
            from: MemberIndex(0),
            config: config.clone(),
        }
    }

    /// A member has sent a vertex that was not known. What answers a request for rounds starts with
    /// the lowest of them; what the member has just made is of a later one.
    pub fn brought(&mut self, from: MemberIndex, round: Round) {
        let answered = |r: &&mut Request| r.from == from && r.after.next() == round;
        if let Some(request) = self.request.as_mut().filter(answered) {
            request.brought = true;
        }
    }

    /// A request is over, perhaps this one.
    pub fn ended(&mut self, id: FetchId, now: Millis) {
        let Some(request) = self.request.take_if(|r| r.id == id) else {
            return;
        };
        self.at = now;
        if request.brought {
            self.failed = 0;
            return;
        }
        // The next member at once, and a pause when all have been asked.
        self.from = self.from.next();
        self.failed = self.failed.saturating_add(1);
        let members = self.config.committee.size() as u32;
        if self.failed.is_multiple_of(members) {
            self.at = now.saturating_add(pause(self.failed / members));
        }
    }

    /// The request that has taken too long.
    pub fn late(&self, now: Millis) -> Option<FetchId> {
        let late = self.request.as_ref().filter(|r| r.deadline <= now);
        late.map(|r| r.id)
    }

    pub fn is_under_way(&self) -> bool {
        self.request.is_some()
    }

    /// Asks one of the members that are ahead for the rounds above `after`, if it is time.
    pub fn ask(
        &mut self,
        (after, held): (Round, MemberSet),
        ahead: &MemberSet,
        now: Millis,
        next_id: impl FnOnce() -> FetchId,
    ) -> Option<FetchRequest> {
        let own = self.config.own;
        if self.request.is_some() || self.at > now {
            return None;
        }
        let others = || ahead.iter().filter(|m| Some(*m) != own);
        let next = others().find(|m| *m >= self.from);
        let Some(from) = next.or_else(|| others().next()) else {
            self.at = now.saturating_add(self.config.timing.fetch_timeout_max.0);
            return None;
        };
        self.from = from;
        let id = next_id();
        self.request = Some(Request {
            id,
            from,
            after,
            brought: false,
            deadline: now.saturating_add(self.config.timing.fetch_timeout_max.0 * 4),
        });
        let until = after.saturating_add(self.config.limits.fetch_rounds_max);
        let wanted = Wanted::Rounds { after, until, held };
        Some(FetchRequest { id, from, wanted })
    }

    /// When something is to be done; asking, if this member is `behind`.
    pub fn deadline(&self, behind: bool) -> Option<Millis> {
        match &self.request {
            Some(request) => Some(request.deadline),
            None => behind.then_some(self.at),
        }
    }
}
