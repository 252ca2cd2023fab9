//! The way between members: delay, bandwidth, loss, replay, reordering, partitions. Whether a message
//! arrives is decided when it is sent.

use super::latency::Latency;
use super::rng::{Rng, Stream};
use super::time::Time;

/// How much longer a reordered message takes at most, in multiples of its own delay.
const REORDER_FACTOR: u64 = 3;
/// A replayed message comes again within this time, in microseconds.
const REPLAY_WITHIN_US: u64 = 2_000_000;
/// What a frame adds to a message, in bytes.
pub const FRAME_BYTES: u64 = 16;

/// What disturbs the links of a member, in thousandths of all messages to and from it. Of two that differ the
/// higher figure counts, of bandwidths the sender's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disturbance {
    pub loss: u32,
    pub replay: u32,
    pub reorder: u32,
    /// A message takes up to this much longer, in thousandths of its delay.
    pub jitter: u32,
    /// Megabits a second out of the member; zero is unlimited.
    pub bandwidth: u32,
}

impl Disturbance {
    /// Of messages from this member to another.
    fn towards(&self, to: &Self) -> Self {
        Self {
            loss: self.loss.max(to.loss),
            replay: self.replay.max(to.replay),
            reorder: self.reorder.max(to.reorder),
            jitter: self.jitter.max(to.jitter),
            bandwidth: self.bandwidth,
        }
    }
}

pub struct Links {
    latency: Latency,
    rng: Rng,
    /// By member.
    disturbed: Vec<Disturbance>,
    /// By member: who is on which side. Messages between sides are lost.
    sides: Vec<u8>,
    /// By member: until when its line is busy with what it has sent.
    busy: Vec<Time>,
    /// By member: bytes sent.
    pub sent: Vec<u64>,
    pub messages: u64,
}

/// When a message arrives: not at all, once, or a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub first: Option<Time>,
    pub again: Option<Time>,
}

impl Links {
    pub fn new(latency: Latency, members: usize, seed: u64) -> Self {
        Self {
            latency,
            rng: Rng::new(seed, Stream::Links),
            disturbed: vec![Disturbance::default(); members],
            sides: vec![0; members],
            busy: vec![Time::default(); members],
            sent: vec![0; members],
            messages: 0,
        }
    }

    /// Parts the members; all on one side heals.
    pub fn part(&mut self, sides: Vec<u8>) {
        self.sides = sides;
    }

    pub fn disturbed(&mut self, member: usize) -> &mut Disturbance {
        &mut self.disturbed[member]
    }

    /// Nothing disturbs any link any more.
    pub fn heal(&mut self) {
        self.disturbed.fill(Disturbance::default());
    }

    pub fn send(&mut self, now: Time, from: usize, to: usize, bytes: u64) -> Arrival {
        let bytes = bytes + FRAME_BYTES;
        self.sent[from] += bytes;
        self.messages += 1;
        let disturbed = self.disturbed[from].towards(&self.disturbed[to]);
        let mut delay = self.latency.draw(&mut self.rng, from, to);
        if disturbed.jitter > 0 {
            let longest = delay * u64::from(disturbed.jitter) / 1000;
            delay += self.rng.between(0, longest);
        }
        let mut departs = now;
        if disturbed.bandwidth > 0 {
            departs = self.busy[from]
                .max(now)
                .after(bytes * 8 / u64::from(disturbed.bandwidth));
            self.busy[from] = departs;
        }
        if self.rng.chance(disturbed.reorder) {
            delay += self.rng.between(0, delay * REORDER_FACTOR);
        }
        let again = self.rng.chance(disturbed.replay);
        let lost = self.sides[from] != self.sides[to] || self.rng.chance(disturbed.loss);
        let arrives = departs.after(delay);
        Arrival {
            first: (!lost).then_some(arrives),
            again: (again && !lost).then(|| arrives.after(self.rng.between(1, REPLAY_WITHIN_US))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links::new(Latency::Uniform { low: 10, high: 10 }, 3, 1)
    }

    #[test]
    fn a_partition_loses_what_crosses_it_and_healing_ends_that() {
        let mut links = links();
        links.part(vec![0, 0, 1]);
        let arrival = |links: &mut Links, to| links.send(Time(0), 0, to, 100).first;
        assert_eq!(arrival(&mut links, 1), Some(Time::millis(10)));
        assert_eq!(arrival(&mut links, 2), None);
        links.part(vec![0, 0, 0]);
        assert_eq!(arrival(&mut links, 2), Some(Time::millis(10)));
    }

    #[test]
    fn bandwidth_makes_messages_queue_behind_each_other() {
        let mut links = links();
        links.disturbed(0).bandwidth = 8;
        // 1 MB/s: a message of 1,000 bytes with its frame takes a millisecond.
        let bytes = 1000 - FRAME_BYTES;
        let times: Vec<_> = (0..3)
            .map(|_| links.send(Time(0), 0, 1, bytes).first)
            .collect();
        assert_eq!(times, [11, 12, 13].map(|ms| Some(Time::millis(ms))));
        assert_eq!(links.sent, [3000, 0, 0]);
    }

    #[test]
    fn loss_and_replay_happen_about_as_often_as_asked_for() {
        let mut links = links();
        links.disturbed(0).loss = 300;
        links.disturbed(1).replay = 100;
        let arrivals: Vec<_> = (0..10_000).map(|_| links.send(Time(0), 0, 1, 1)).collect();
        let lost = arrivals.iter().filter(|a| a.first.is_none()).count();
        let again = arrivals.iter().filter(|a| a.again.is_some()).count();
        assert!((2_800..3_200).contains(&lost), "{lost}");
        assert!((600..800).contains(&again), "{again}");
    }

    #[test]
    fn what_disturbs_a_member_loses_what_is_for_it_and_from_it_and_nothing_else() {
        let mut links = links();
        links.disturbed(2).loss = 1000;
        let arrives =
            |links: &mut Links, from, to| links.send(Time(0), from, to, 1).first.is_some();
        let pairs =
            [(0, 1), (1, 0), (0, 2), (2, 1)].map(|(from, to)| arrives(&mut links, from, to));
        assert_eq!(pairs, [true, true, false, false]);
        links.heal();
        assert!(arrives(&mut links, 0, 2));
    }
}
