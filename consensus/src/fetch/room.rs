//! How much may be asked for now: requests to each member, in all, and of these for what is unproven.
//! Answers are long, so the number of requests is what bounds them in memory.

use std::collections::BTreeMap;
use weft_types::MemberIndex;

pub(super) struct Room {
    /// Vertices in one request.
    request: usize,
    members: BTreeMap<MemberIndex, Member>,
    /// Requests that may be made yet.
    requests: usize,
    unproven: usize,
}

#[derive(Default)]
struct Member {
    requests: usize,
    /// Vertices that the request begun last has room for.
    begun: usize,
}

impl Room {
    pub fn new(
        request: usize,
        members: impl Iterator<Item = (MemberIndex, usize)>,
        requests: usize,
        unproven: usize,
    ) -> Self {
        let member = |(member, requests)| (member, Member { requests, begun: 0 });
        Self {
            request,
            members: members.map(member).collect(),
            requests,
            unproven,
        }
    }

    /// Whether nothing can be asked for at all.
    pub fn is_empty(&self) -> bool {
        let full = |m: &Member| m.begun == 0 && (m.requests == 0 || self.requests == 0);
        self.members.values().all(full)
    }

    /// Whether a member may be asked for one more vertex.
    pub fn has(&self, member: MemberIndex, proven: bool) -> bool {
        let begins = self.requests > 0 && (proven || self.unproven > 0);
        let room = |m: &Member| m.begun > 0 || (begins && m.requests > 0);
        self.members.get(&member).is_some_and(room)
    }

    /// A member is asked for one more; it has room.
    pub fn take(&mut self, member: MemberIndex, proven: bool) {
        let Some(room) = self.members.get_mut(&member) else {
            return;
        };
        if room.begun == 0 {
            room.requests = room.requests.saturating_sub(1);
            room.begun = self.request;
            self.requests = self.requests.saturating_sub(1);
            self.unproven = self.unproven.saturating_sub(usize::from(!proven));
        }
        room.begun -= 1;
    }
}
