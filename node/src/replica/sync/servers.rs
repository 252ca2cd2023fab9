//! S2.2: who is asked. Each server has a few requests at a time; one that fails is asked again after a
//! pause that doubles, one that lied never.

use std::collections::BTreeMap;
use weft_types::{Committee, MemberIndex, MemberSet, Millis};

/// Requests to one server at a time. The network allows more, which are others'.
const AT_A_TIME: usize = 2;
/// The same for all servers: answers that may have to be held.
const IN_ALL: usize = 16;
/// The pause after a failure, in milliseconds, and how long it gets.
const PAUSE_MIN: u64 = 250;
const PAUSE_MAX: u64 = 30_000;
/// A server that lacks what it is asked for so often has given up the snapshot.
const LACKS_MAX: u32 = 3;

#[derive(Debug, Default)]
struct Server {
    open: usize,
    pause: u64,
    free_at: Millis,
    lacks: u32,
}

#[derive(Debug)]
pub struct Servers {
    servers: BTreeMap<MemberIndex, Server>,
    /// Whom the last request went to: the next one's turn is after it.
    last: Option<MemberIndex>,
}

impl Servers {
    pub fn new(committee: &Committee, own: Option<MemberIndex>) -> Self {
        let others = committee.indices().filter(|m| Some(*m) != own);
        Self {
            servers: others.map(|m| (m, Server::default())).collect(),
            last: None,
        }
    }

    pub fn all(&self) -> Vec<MemberIndex> {
        self.servers.keys().copied().collect()
    }

    /// The next server, among these, that may be asked now.
    pub fn free(&self, among: &MemberSet, now: Millis) -> Option<MemberIndex> {
        let open: usize = self.servers.values().map(|s| s.open).sum();
        if open >= IN_ALL {
            return None;
        }
        let may = |(member, server): &(&MemberIndex, &Server)| {
            // A clock that was set back prolongs no pause.
            let paused = now < server.free_at && server.free_at <= now.saturating_add(PAUSE_MAX);
            among.contains(**member) && server.open < AT_A_TIME && !paused
        };
        let after = |m: &MemberIndex| self.last.is_none_or(|last| *m > last);
        let free: Vec<MemberIndex> = self.servers.iter().filter(may).map(|(m, _)| *m).collect();
        let next = free.iter().find(|m| after(m)).or(free.first());
        next.copied()
    }

    /// When the next pause of one of these is over.
    pub fn next_free(&self, among: &MemberSet, now: Millis) -> Option<Millis> {
        let among = self.servers.iter().filter(|(m, _)| among.contains(**m));
        let paused = among.filter(|(_, s)| s.open < AT_A_TIME && s.free_at > now);
        paused.map(|(_, s)| s.free_at).min()
    }

    pub fn asked(&mut self, server: MemberIndex) {
        if let Some(server) = self.servers.get_mut(&server) {
            server.open += 1;
        }
        self.last = Some(server);
    }

    /// A request to it is over.
    pub fn done(&mut self, server: MemberIndex) {
        if let Some(server) = self.servers.get_mut(&server) {
            server.open = server.open.saturating_sub(1);
        }
    }

    pub fn good(&mut self, server: MemberIndex) {
        if let Some(server) = self.servers.get_mut(&server) {
            (server.pause, server.lacks) = (0, 0);
        }
    }

    pub fn pause(&mut self, server: MemberIndex, now: Millis) {
        if let Some(server) = self.servers.get_mut(&server) {
            server.pause = (2 * server.pause).clamp(PAUSE_MIN, PAUSE_MAX);
            server.free_at = now.saturating_add(server.pause);
        }
    }

    /// It lacks what it was asked for. Whether it no longer counts as one that holds the snapshot.
    pub fn lacks(&mut self, server: MemberIndex, now: Millis) -> bool {
        self.pause(server, now);
        let Some(server) = self.servers.get_mut(&server) else {
            return true;
        };
        server.lacks += 1;
        server.lacks >= LACKS_MAX
    }

    /// Another snapshot is gathered.
    pub fn begin(&mut self) {
        for server in self.servers.values_mut() {
            server.lacks = 0;
        }
    }

    pub fn leave(&mut self, server: MemberIndex) {
        self.servers.remove(&server);
    }
}

#[cfg(test)]
mod tests;
