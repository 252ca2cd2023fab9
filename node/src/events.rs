//! The events behind `GET /v1/stream`. One ring, bounded in bytes, holds what happened last; a
//! subscriber holds only the numbers of the events that its topics chose, so that a thousand slow
//! readers cost numbers and not copies. A subscriber whose events have left the ring, or who has
//! too many waiting, is cut off with a last event that says so: it comes back with the id of the
//! last event that it saw, and is told whether something is missing.
//!
//! An id names the run of the node and a number: after a restart, or at another node, an id of
//! before is older than the ring, never mistaken for another event.
//!
//! While nobody has listened for a while nothing is recorded, and nothing is spent.

mod feed;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use weft_types::WantedFrom;
use weft_types::api::{Event, Topic};

/// Events kept for those who come back, in bytes.
pub const RING_BYTES_MAX: usize = 16 << 20;
/// Streams in all.
pub const STREAMS_MAX: usize = 512;
/// Streams of one address.
pub const STREAMS_PER_ADDRESS_MAX: usize = 64;
/// Topics of one stream.
pub const TOPICS_MAX: usize = 64;
/// Events waiting for one subscriber; with more it is cut off.
pub const WAITING_MAX: usize = 16_384;
/// Events handed to a subscriber at a time.
const HANDED_MAX: usize = 64;
/// How long events go on being recorded after the last subscriber has left.
const LINGER: Duration = Duration::from_secs(120);
/// What an event weighs besides its texts and lists.
const EVENT_BYTES: usize = 512;

/// Names an event of one run of a node: `<run>-<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    run: u64,
    number: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.run, self.number)
    }
}

/// A text that is no event's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of an event")]
pub struct EventIdError(String);

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let read = || {
            let (run, number) = text.split_once('-')?;
            Some(Self {
                run: u64::from_str_radix(run, 16).ok()?,
                number: number.parse().ok()?,
            })
        };
        read().ok_or_else(|| EventIdError(text.chars().take(80).collect()))
    }
}

/// The longest session, in bytes of memory and JSON.
const SESSION_WEIGHT: usize = 4_000;

/// An event with the topics that it belongs to.
#[derive(Debug)]
pub struct Entry {
    pub event: Event,
    topics: Vec<Topic>,
    json: OnceLock<String>,
}

impl Entry {
    pub fn new(event: Event, topics: impl IntoIterator<Item = Topic>) -> Self {
        Self {
            event,
            topics: topics.into_iter().collect(),
            json: OnceLock::new(),
        }
    }

    /// The event's JSON, made when the first subscriber needs it.
    pub fn json(&self) -> &str {
        self.json
            .get_or_init(|| serde_json::to_string(&self.event).unwrap_or_default())
    }

    /// Roughly what the entry takes, its JSON included.
    fn weight(&self) -> usize {
        let inner = match &self.event {
            Event::Account(a) => {
                let keys = a.object.keys.iter();
                let sessions = keys.map(|k| 600 + k.sessions.len() * SESSION_WEIGHT);
                a.object.balances.len() * 150 + sessions.sum::<usize>()
            }
            Event::Collection(c) => 3 * (c.object.name.len() + c.object.description.len()),
            Event::Edition(e) => {
                let traits = e.object.traits.iter();
                let traits: usize = traits.map(|t| 48 + t.name.len() + t.value.len()).sum();
                3 * (e.object.name.len() + e.object.image.len() + e.object.reference.len() + traits)
            }
            Event::Item(i) => 3 * i.object.status.len(),
            Event::Deal(d) => {
                let bundles = [&d.object.gives, &d.object.wants];
                let entries = bundles.iter().map(|b| b.assets.len() * 3 + b.items.len());
                let traits = d.object.wants_any.iter().map(|any| match &any.from {
                    WantedFrom::Trait { name, value, .. } => name.len() + value.len(),
                    _ => 0,
                });
                let texts = d.object.reference.len() + traits.sum::<usize>();
                100 * (entries.sum::<usize>() + 2 * d.object.wants_any.len()) + 3 * texts
            }
            Event::Vertex { parents, .. } => 100 * parents.len(),
            _ => 0,
        };
        EVENT_BYTES + inner + self.topics.len() * size_of::<Topic>()
    }
}

/// What a subscriber is handed.
#[derive(Debug, Clone)]
pub enum Delivery {
    Event(EventId, Arc<Entry>),
    /// Events between the id that the subscriber came with and the oldest in the ring are lost, this
    /// many if it is known.
    Gap(Option<u64>),
    /// Nothing follows, for this reason.
    End(String),
}

/// Why no stream is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefused {
    #[error("{STREAMS_MAX} streams are open, as many as the node serves")]
    All,
    #[error("{STREAMS_PER_ADDRESS_MAX} streams of this address are open, as many as one may have")]
    Address,
}

/// The ring and its subscribers. Shared by the driver, which publishes, and the API.
pub struct EventLog {
    run: u64,
    ring_bytes_max: usize,
    inner: Mutex<Inner>,
}

struct Inner {
    entries: VecDeque<Arc<Entry>>,
    /// The number of the first entry in the ring.
    first: u64,
    bytes: usize,
    routes: HashMap<Topic, Vec<u64>>,
    subscribers: HashMap<u64, Subscriber>,
    next_subscriber: u64,
    per_address: HashMap<IpAddr, usize>,
    /// When the last subscriber left.
    left: Option<Instant>,
    closing: Option<String>,
}

struct Subscriber {
    waiting: VecDeque<u64>,
    gap: Option<Delivery>,
    /// More was waiting than may: nothing is added any more.
    overrun: bool,
    topics: BTreeSet<Topic>,
    address: IpAddr,
    wake: Arc<Notify>,
}

impl EventLog {
    /// `run` differs between two runs of a node; the time of its start will do.
    pub fn new(run: u64) -> Arc<Self> {
        Self::with_limit(run, RING_BYTES_MAX)
    }

    pub fn with_limit(run: u64, ring_bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            run,
            ring_bytes_max,
            inner: Mutex::new(Inner {
                entries: VecDeque::new(),
                first: 0,
                bytes: 0,
                routes: HashMap::new(),
                subscribers: HashMap::new(),
                next_subscriber: 0,
                per_address: HashMap::new(),
                left: None,
                closing: None,
            }),
        })
    }

    /// A panic while the lock is held ends a request; the ring stays as it was.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether events are worth making: somebody listens, or did a short while ago.
    pub fn wanted(&self) -> bool {
        let inner = self.lock();
        !inner.subscribers.is_empty() || inner.left.is_some_and(|left| left.elapsed() < LINGER)
    }

    /// Records events, and wakes the subscribers of their topics. When events are not
    /// [wanted](Self::wanted) the caller may make none, and tells that by [`EventLog::skip`].
    pub fn publish(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut inner = self.lock();
        let mut touched = BTreeSet::new();
        for entry in entries {
            let number = inner.end();
            let Inner {
                routes,
                subscribers,
                ..
            } = &mut *inner;
            let listening = entry.topics.iter().filter_map(|t| routes.get(t)).flatten();
            for id in listening {
                if let Some(subscriber) = subscribers.get_mut(id) {
                    subscriber.add(number);
                    touched.insert(*id);
                }
            }
            inner.push(Arc::new(entry), self.ring_bytes_max);
        }
        for id in touched {
            if let Some(subscriber) = inner.subscribers.get(&id) {
                subscriber.wake.notify_one();
            }
        }
    }

    /// Events happened that were not recorded: whoever comes back finds a gap.
    pub fn skip(&self) {
        let mut inner = self.lock();
        inner.first = inner.end() + 1;
        inner.entries.clear();
        inner.bytes = 0;
    }

    /// Ends all streams with this reason, and opens no more.
    pub fn close(&self, reason: &str) {
        let mut inner = self.lock();
        inner.closing = Some(reason.to_owned());
        for subscriber in inner.subscribers.values() {
            subscriber.wake.notify_one();
        }
    }

    /// Streams open at the moment.
    pub fn streams(&self) -> usize {
        self.lock().subscribers.len()
    }

    /// Opens a stream of the topics, beginning after `last` if that is given, else with what happens
    /// from now on.
    pub fn subscribe(
        self: &Arc<Self>,
        topics: BTreeSet<Topic>,
        last: Option<EventId>,
        address: IpAddr,
    ) -> Result<Subscription, StreamRefused> {
        let mut inner = self.lock();
        if inner.subscribers.len() >= STREAMS_MAX {
            return Err(StreamRefused::All);
        }
        let of_address = inner.per_address.entry(address).or_default();
        if *of_address >= STREAMS_PER_ADDRESS_MAX {
            return Err(StreamRefused::Address);
        }
        *of_address += 1;
        let id = inner.next_subscriber;
        inner.next_subscriber += 1;
        for topic in &topics {
            inner.routes.entry(*topic).or_default().push(id);
        }
        let wake = Arc::new(Notify::new());
        let mut subscriber = Subscriber {
            waiting: VecDeque::new(),
            gap: None,
            overrun: false,
            topics,
            address,
            wake: wake.clone(),
        };
        if let Some(last) = last {
            inner.replay(&mut subscriber, last, self.run);
        }
        inner.subscribers.insert(id, subscriber);
        drop(inner);
        Ok(Subscription {
            log: self.clone(),
            id,
            wake,
            ended: false,
        })
    }
}

impl Inner {
    /// The number of the next event.
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn push(&mut self, entry: Arc<Entry>, bytes_max: usize) {
        self.bytes += entry.weight();
        self.entries.push_back(entry);
        while self.bytes > bytes_max {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.weight();
            self.first += 1;
        }
    }

    /// Queues what a subscriber has missed since `last`.
    fn replay(&self, subscriber: &mut Subscriber, last: EventId, run: u64) {
        // An id of another run, or from the future, says nothing about what was missed.
        if last.run != run || last.number >= self.end() {
            subscriber.gap = Some(Delivery::Gap(None));
            return;
        }
        let from = last.number + 1;
        if from < self.first {
            subscriber.gap = Some(Delivery::Gap(Some(self.first - from)));
        }
        let from = from.max(self.first);
        let skipped = (from - self.first) as usize;
        for (number, entry) in (from..).zip(self.entries.iter().skip(skipped)) {
            if entry.topics.iter().any(|t| subscriber.topics.contains(t)) {
                subscriber.add(number);
            }
        }
    }
}

impl Subscriber {
    fn add(&mut self, number: u64) {
        // An event reaches a subscriber once, however many of its topics it has.
        if self.overrun || self.waiting.back() == Some(&number) {
            return;
        }
        if self.waiting.len() >= WAITING_MAX {
            self.overrun = true;
            return;
        }
        self.waiting.push_back(number);
    }
}

/// One open stream; dropping it closes it.
pub struct Subscription {
    log: Arc<EventLog>,
    id: u64,
    wake: Arc<Notify>,
    ended: bool,
}

impl Subscription {
    /// What comes next, at least one delivery; `None` after the end.
    pub async fn next(&mut self) -> Option<Vec<Delivery>> {
        loop {
            if self.ended {
                return None;
            }
            let deliveries = self.take();
            if !deliveries.is_empty() {
                return Some(deliveries);
            }
            self.wake.notified().await;
        }
    }

    fn take(&mut self) -> Vec<Delivery> {
        let mut inner = self.log.lock();
        let Inner {
            subscribers,
            entries,
            first,
            closing,
            ..
        } = &mut *inner;
        let Some(subscriber) = subscribers.get_mut(&self.id) else {
            self.ended = true;
            return Vec::new();
        };
        let mut deliveries = Vec::new();
        deliveries.extend(subscriber.gap.take());
        while deliveries.len() < HANDED_MAX {
            let Some(number) = subscriber.waiting.pop_front() else {
                break;
            };
            let place = number.checked_sub(*first).map(|n| n as usize);
            let Some(entry) = place.and_then(|n| entries.get(n)) else {
                subscriber.overrun = true;
                subscriber.waiting.clear();
                break;
            };
            let id = EventId {
                run: self.log.run,
                number,
            };
            deliveries.push(Delivery::Event(id, entry.clone()));
        }
        if subscriber.waiting.is_empty() {
            let reason = match closing {
                Some(reason) => Some(reason.clone()),
                None if subscriber.overrun => Some(
                    "events came faster than they were read: reconnect with the last id".to_owned(),
                ),
                None => None,
            };
            self.ended = reason.is_some();
            deliveries.extend(reason.map(Delivery::End));
        }
        deliveries
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut inner = self.log.lock();
        let Some(subscriber) = inner.subscribers.remove(&self.id) else {
            return;
        };
        for topic in &subscriber.topics {
            if let Some(ids) = inner.routes.get_mut(topic) {
                ids.retain(|id| *id != self.id);
                if ids.is_empty() {
                    inner.routes.remove(topic);
                }
            }
        }
        if let Some(count) = inner.per_address.get_mut(&subscriber.address) {
            *count -= 1;
            if *count == 0 {
                inner.per_address.remove(&subscriber.address);
            }
        }
        inner.left = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests;
