//! E1: the arithmetic of an epoch's edge, the registry's own (`MasternodeRegistry`).
//!
//! Entries set targets; weights in office follow, all of them together by no more than `max(1, F)` at an edge. *Why:*
//! if a third or more of the stake changed at once, a quorum of the old committee and one of the new would share no
//! honest member. An entry that is larger moves in steps, one at each edge, so that none blocks those behind it for good.
//! As long as it moves it takes all of the budget, and they wait.

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
    if seat.effective != seat.target && !moving.contains(&seat.id) {
        moving.push(seat.id);
    }
}

fn place(seats: &[Seat], id: u64) -> Result<usize, usize> {
    seats.binary_search_by_key(&id, |seat| seat.id)
}

/// Moves weights towards their targets as far as the budget goes; returns who still has a way to go.
fn move_weights(seats: &mut [Seat], moving: Vec<u64>) -> Vec<u64> {
    let mut total: u64 = seats.iter().map(|s| s.effective.0).sum();
    let mut members = seats.iter().filter(|s| s.effective > Stake::ZERO).count();
    let mut budget = (total.saturating_sub(1) / 3).max(1);
    let mut left = Vec::new();
    for id in moving {
        let Ok(place) = place(seats, id) else {
            continue;
        };
        let seat = &mut seats[place];
        let (target, effective) = (seat.target.0, seat.effective.0);
        let step = target.abs_diff(effective).min(budget);
        let after = if target > effective {
            effective + step
        } else {
            effective - step
        };
        let full = effective == 0 && after > 0 && members >= MEMBERS_MAX;
        let last = after < effective && total == step;
        if budget == 0 || full || last {
            left.push(id);
            continue;
        }
        total = total - effective + after;
        members = members + usize::from(after > 0) - usize::from(effective > 0);
        budget -= step;
        seat.effective = Stake(after);
        if after != target {
            left.push(id);
        }
    }
    left
}
