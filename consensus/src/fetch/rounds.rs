//! Whole rounds, for a member that is many of them behind.

use super::want;
use crate::interface::FetchId;
use weft_types::{MemberIndex, MemberSet, Millis, Round};

/// The request for rounds that is under way, and whom the next one goes to.
pub(super) struct Rounds {
    members: u32,
    own: Option<MemberIndex>,
    request: Option<Request>,
    /// When rounds may be asked for again, and how often in a row that brought nothing.
    at: Millis,
    failed: u32,
    /// Whom to ask: the same member as long as it brings something.
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
    pub fn new(members: usize, own: Option<MemberIndex>) -> Self {
        Self {
            members: members as u32,
            own,
            request: None,
            at: Millis::ZERO,
            failed: 0,
            from: MemberIndex(0),
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

    /// The request is over, if it is this one.
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
        if self.failed.is_multiple_of(self.members) {
            let pause = want::pause(self.failed / self.members, want::PAUSE_MAX);
            self.at = now.saturating_add(pause);
        }
    }

    /// Whether a request has taken too long.
    pub fn late(&self, now: Millis) -> Option<FetchId> {
        let late = self.request.as_ref().filter(|r| r.deadline <= now);
        late.map(|r| r.id)
    }

    /// Whom to ask now, of the members that are ahead.
    pub fn next(&mut self, ahead: &MemberSet, pause: u64, now: Millis) -> Option<MemberIndex> {
        if self.request.is_some() || self.at > now {
            return None;
        }
        let others = || ahead.iter().filter(|m| Some(*m) != self.own);
        let next = others().find(|m| *m >= self.from);
        let from = next.or_else(|| others().next());
        match from {
            Some(from) => self.from = from,
            None => self.at = now.saturating_add(pause),
        }
        from
    }

    pub fn asked(&mut self, id: FetchId, from: MemberIndex, after: Round, deadline: Millis) {
        self.request = Some(Request {
            id,
            from,
            after,
            brought: false,
            deadline,
        });
    }

    /// When something is to be done about a request, or a new one may be made.
    pub fn deadline(&self, behind: bool) -> Option<Millis> {
        match &self.request {
            Some(request) => Some(request.deadline),
            None => behind.then_some(self.at),
        }
    }
}
