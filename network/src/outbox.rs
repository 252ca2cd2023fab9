//! Frames that wait for one destination. When their bytes would pass the limit the oldest are
//! dropped: for consensus the newest vertex is the one that matters, and what is missing can be
//! fetched. So putting a frame in never waits, and a destination that stands still costs a bounded
//! amount of memory and nothing else.
//!
//! After a break only what is recent is still sent. A member that comes back needs the newest vertex
//! first: it shows how far the others are, and the way there is fetched in bulk. Behind a long
//! backlog the newest would come last, and the member would think itself up to date all the while.

use crate::frame::Frame;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A queue for one reader and any number of writers.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    /// With the time at which each was put in.
    frames: VecDeque<(Instant, Frame)>,
    bytes: usize,
}

impl Queue {
    fn pop(&mut self) -> Option<Frame> {
        let (_, frame) = self.frames.pop_front()?;
        self.bytes -= frame.cost();
        Some(frame)
    }
}

impl Outbox {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            queue: Mutex::default(),
            filled: Notify::new(),
            bytes_max,
        }
    }

    /// Puts the frame behind all others, and says how many of the oldest had to go for it.
    pub(crate) fn push(&self, frame: Frame) -> u64 {
        let mut queue = self.queue();
        let mut dropped = 0;
        while queue.bytes.saturating_add(frame.cost()) > self.bytes_max && queue.pop().is_some() {
            dropped += 1;
        }
        queue.bytes += frame.cost();
        queue.frames.push_back((Instant::now(), frame));
        drop(queue);
        self.filled.notify_one();
        dropped
    }

    /// Drops what has waited longer than this, except for the newest frame, and says how many frames
    /// that were.
    pub(crate) fn drop_older(&self, than: Duration) -> u64 {
        let mut queue = self.queue();
        let mut dropped = 0;
        while queue.frames.len() > 1
            && queue
                .frames
                .front()
                .is_some_and(|(put, _)| put.elapsed() > than)
        {
            queue.pop();
            dropped += 1;
        }
        dropped
    }

    /// The oldest frame, if there is one.
    pub(crate) fn try_pop(&self) -> Option<Frame> {
        self.queue().pop()
    }

    /// The oldest frame, as soon as there is one. Loses nothing when dropped before it is ready.
    pub(crate) async fn pop(&self) -> Frame {
        loop {
            if let Some(frame) = self.try_pop() {
                return frame;
            }
            self.filled.notified().await;
        }
    }

    /// Bytes waiting.
    pub(crate) fn bytes(&self) -> usize {
        self.queue().bytes
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
