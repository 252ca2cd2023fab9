//! E1: the arithmetic of an epoch's edge, the registry's own (`MasternodeRegistry`).
//!
//! Entries set targets; weights in office follow, all of them together by no more than `max(1, F)` at an edge. *Why:*
//! if a third or more of the stake changed at once, a quorum of the old committee and one of the new would share no
//! honest member. An entry that is larger moves in steps, one at each edge.
//!
//! Offenders go first. Of what is left who leaves and who comes have half each, and what the others leave of theirs,
//! each in the order in which they began to wait. *Why halves:* with one queue for all, a bond of any size would hold
//! exits up until it has moved. With all who leave before all who come, members that are replaced would leave a
//! committee of one before the first newcomer had a seat. So exits shrink no committee that others wait to join:
//! unless the house is full, or a newcomer took less than its half, as much comes as goes.
//!
//! Nobody waits for good. Who leaves has half of every budget of two or more. A budget of one is not halved, and goes to
//! who comes; then the committee grows, and at a weight of seven the budget is two. Offenders can take
//! all of it only as long as there are some in office.

use super::{QueueEntry, Roster, Seat};
use crate::committee::MEMBERS_MAX;
use crate::ids::{Millis, Stake};

impl Roster {
    /// The roster of the next epoch, before its time is known. Not announced: as if nothing waited.
    pub(super) fn after_edge(&self) -> Self {
        let mut next = self.clone();
        next.epoch = self.epoch.next();
        (next.announced, next.announced_at) = (None, Millis::ZERO);
        next.ready.clear();
        next.closed = false;
        let applied = self.announced.map_or(0, |cursor| cursor - self.applied());
        let applied = usize::try_from(applied).unwrap_or(usize::MAX);
        for entry in next.waiting.drain(..applied.min(self.waiting.len())) {
            target(&mut next.seats, &mut next.moving, entry);
        }
        next.moving = move_weights(&mut next.seats, std::mem::take(&mut next.moving));
        let moving = &next.moving;
        next.seats.retain(|seat| {
            seat.effective > Stake::ZERO || seat.target > Stake::ZERO || moving.contains(&seat.id)
        });
        next
    }
}

fn target(seats: &mut Vec<Seat>, moving: &mut Vec<u64>, entry: QueueEntry) {
    let place = match (place(seats, entry.id), entry.keys) {
        (Ok(place), _) => place,
        (Err(place), Some(keys)) => {
            let seat = Seat {
                id: entry.id,
                target: Stake::ZERO,
                effective: Stake::ZERO,
                slashed: false,
                keys,
            };
            seats.insert(place, seat);
            place
        }
        // One that has left: there is nothing to move.
        (Err(_), None) => return,
    };
    let seat = &mut seats[place];
    seat.target = entry.weight;
    seat.slashed |= entry.slashed;
    if seat.effective != seat.target && !moving.contains(&seat.id) {
        moving.push(seat.id);
    }
}

fn place(seats: &[Seat], id: u64) -> Result<usize, usize> {
    seats.binary_search_by_key(&id, |seat| seat.id)
}

/// Moves weights towards their targets as far as the budget goes; returns who still has a way to go.
fn move_weights(seats: &mut [Seat], moving: Vec<u64>) -> Vec<u64> {
    let places = moving.iter().filter_map(|id| place(seats, *id).ok());
    let places: Vec<usize> = places.collect();
    let total: u64 = seats.iter().map(|s| s.effective.0).sum();
    let mut edge = Edge {
        total,
        members: seats.iter().filter(|s| s.effective > Stake::ZERO).count(),
        budget: (total.saturating_sub(1) / 3).max(1),
        seats,
    };
    edge.lower(&places, true, edge.budget);
    edge.lower(&places, false, edge.budget / 2);
    edge.raise(&places);
    edge.lower(&places, false, edge.budget);
    let left = places.iter().map(|place| &edge.seats[*place]);
    let left = left.filter(|seat| seat.effective != seat.target);
    left.map(|seat| seat.id).collect()
}

struct Edge<'a> {
    seats: &'a mut [Seat],
    total: u64,
    members: usize,
    /// How much weight may still change.
    budget: u64,
}

impl Edge<'_> {
    /// Takes `most` at most from the offenders, or from the others whose weight goes down. The last weight that there is
    /// stays.
    fn lower(&mut self, places: &[usize], slashed: bool, mut most: u64) {
        self.budget -= most;
        for place in places {
            let seat = &mut self.seats[*place];
            let way = seat.effective.0.saturating_sub(seat.target.0);
            let step = way.min(most);
            if seat.slashed != slashed || step == 0 || step == self.total {
                continue;
            }
            seat.effective.0 -= step;
            self.members -= usize::from(seat.effective == Stake::ZERO);
            self.total -= step;
            most -= step;
        }
        self.budget += most;
    }

    /// Gives those whose weight goes up what there is; to newcomers only while the committee has room.
    fn raise(&mut self, places: &[usize]) {
        for place in places {
            let seat = &mut self.seats[*place];
            let way = seat.target.0.saturating_sub(seat.effective.0);
            let step = way.min(self.budget);
            let comes = seat.effective == Stake::ZERO;
            if step == 0 || comes && self.members >= MEMBERS_MAX {
                continue;
            }
            seat.effective.0 += step;
            self.members += usize::from(comes);
            self.total += step;
            self.budget -= step;
        }
    }
}
