//! What waits for the node. Each source has a lane of its own, bounded in bytes: room has to be had
//! before the bytes are even read, so a full lane stops the reading of that peer's stream, and the
//! peer, while the others go on. The node is served from the lanes by turns, so a peer that floods
//! delays nobody by more than one event a turn.

use crate::event::Event;
use crate::link::Link;
use crate::shared::Links;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use weft_types::MemberIndex;

/// The sources' side.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct State {
    lanes: Vec<VecDeque<Waiting>>,
    /// Lanes whose source is gone.
    free: Vec<usize>,
    /// Lanes that are not empty, each once, in the order in which they are served.
    turns: VecDeque<usize>,
    /// Newest news of each link that the node has not had. They go before everything else.
    links: BTreeMap<MemberIndex, bool>,
    closed: bool,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    /// Given back when the node takes the event.
    _room: Room,
}

/// Room for some bytes in a lane.
#[derive(Debug)]
pub(crate) struct Room {
    _permit: OwnedSemaphorePermit,
}

impl Inbox {
    /// Opens a lane that holds events of at most so many bytes.
    pub(crate) fn lane(self: &Arc<Self>, bytes_max: usize) -> Lane {
        // Permits are bytes; the semaphore hands out at most 2^32 - 1 at once.
        let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX);
        let mut state = self.state();
        let number = state.free.pop().unwrap_or_else(|| {
            state.lanes.push(VecDeque::new());
            state.lanes.len() - 1
        });
        Lane {
            number,
            inbox: self.clone(),
            room: Arc::new(Semaphore::new(bytes_max as usize)),
            bytes_max,
        }
    }

    /// Tells the node that a link came up or went down. Costs no room: only the newest is kept.
    pub(crate) fn link(&self, link: &Link, up: bool) {
        let mut state = self.state();
        if !link.gone.is_cancelled() {
            state.links.insert(link.member(), up);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// The members have other indices from now on: all that are up are told anew.
    pub(crate) fn seat(&self, links: &Links) {
        let mut state = self.state();
        state.links.clear();
        for (index, link) in links {
            link.seat(*index);
            if link.is_up() {
                state.links.insert(*index, true);
            }
        }
        drop(state);
        self.filled.notify_one();
    }

    /// No more events: the node sees the end once it has taken what is there.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One source's way to the node.
#[derive(Debug)]
pub(crate) struct Lane {
    number: usize,
    inbox: Arc<Inbox>,
    room: Arc<Semaphore>,
    bytes_max: u32,
}

impl Lane {
    /// Waits for room for so many bytes. An event larger than the lane waits until it is empty.
    pub(crate) async fn room(&self, bytes: usize) -> Room {
        let permit = self.room.clone().acquire_many_owned(self.permits(bytes));
        Room {
            _permit: permit.await.expect("the semaphore is never closed"),
        }
    }

    /// Room, if there is some at once.
    pub(crate) fn try_room(&self, bytes: usize) -> Option<Room> {
        let permit = self
            .room
            .clone()
            .try_acquire_many_owned(self.permits(bytes));
        permit.ok().map(|permit| Room { _permit: permit })
    }

    pub(crate) fn push(&self, event: Event, room: Room) {
        let mut state = self.inbox.state();
        let lane = &mut state.lanes[self.number];
        let was_empty = lane.is_empty();
        lane.push_back(Waiting { event, _room: room });
        if was_empty {
            state.turns.push_back(self.number);
        }
        drop(state);
        self.inbox.filled.notify_one();
    }

    /// Bytes for which room is taken.
    pub(crate) fn bytes(&self) -> usize {
        (self.bytes_max as usize).saturating_sub(self.room.available_permits())
    }

    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).map_or(self.bytes_max, |bytes| bytes.min(self.bytes_max))
    }
}

impl Drop for Lane {
    /// What waits in it is served all the same.
    fn drop(&mut self) {
        self.inbox.state().free.push(self.number);
    }
}

/// The node's side: everything that the network has for it. A node that stops taking events stops
/// its peers' streams, and its memory stays bounded.
#[derive(Debug)]
pub struct Events {
    inbox: Arc<Inbox>,
}

impl Events {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox }
    }

    /// The next event; `None` once the network has ended. Loses nothing when dropped before it is
    /// ready.
    pub async fn recv(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.try_recv() {
                return Some(event);
            }
            if self.inbox.state().closed {
                return None;
            }
            self.inbox.filled.notified().await;
        }
    }

    /// The next event, if there is one at once.
    pub fn try_recv(&mut self) -> Option<Event> {
        let mut state = self.inbox.state();
        if let Some((member, up)) = state.links.pop_first() {
            return Some(match up {
                true => Event::PeerUp(member),
                false => Event::PeerDown(member),
            });
        }
        let number = state.turns.pop_front()?;
        let lane = &mut state.lanes[number];
        let waiting = lane.pop_front()?;
        if !lane.is_empty() {
            state.turns.push_back(number);
        }
        Some(waiting.event)
    }
}

#[cfg(test)]
mod tests;
