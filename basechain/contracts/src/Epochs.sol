// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

uint256 constant MEMBERS_MAX = 128;

/// BC15: how a committee changes at the end of an epoch.
///
/// What the registry has queued sets each member's *target*. At the edge the weight in effect moves towards it,
/// member after member in the order in which they began to wait, by less than a third of the whole weight
/// together: two committees that follow each other then share more than two thirds, and nobody who came in
/// yesterday overrules those who were there before. A change larger than the bound takes several epochs.
///
/// The ledger computes the same; `applyEdge` compares the digests.
library Epochs {
    /// A member's place in the committee.
    struct Seat {
        uint64 id;
        uint64 weight;
    }

    /// A member whose weight in effect is not its target yet.
    struct Change {
        uint64 id;
        uint64 effective;
        uint64 target;
        /// Weight in effect before the edge.
        uint64 before;
        /// Waits no longer. Who has not been reached when the bound is used up waits on, whatever its target.
        bool done;
    }

    /// How much weight may change at an edge, of `total`.
    function budgetOf(uint256 total) internal pure returns (uint256) {
        return total < 4 ? 1 : (total - 1) / 3;
    }

    /// Moves `changes` in their order, in a committee of `members` with `total` weight. Who cannot move yet is passed
    /// over: a newcomer while the committee is full, and the last weight that there is.
    function advance(Change[] memory changes, uint256 total, uint256 members) internal pure returns (uint256) {
        uint256 budget = budgetOf(total);
        for (uint256 i = 0; i < changes.length && budget > 0; ++i) {
            Change memory change = changes[i];
            (uint256 from, uint256 to) = (change.effective, change.target);
            uint256 step;
            if (to > from) {
                if (from == 0 && members == MEMBERS_MAX) continue;
                step = to - from < budget ? to - from : budget;
                if (from == 0) ++members;
                total += step;
                change.effective = uint64(from + step);
            } else {
                step = from - to < budget ? from - to : budget;
                if (step == total) continue;
                if (step > 0 && step == from) --members;
                total -= step;
                change.effective = uint64(from - step);
            }
            budget -= step;
            change.done = change.effective == change.target;
        }
        return total;
    }

    /// The committee after `changes`: ids ascending, nobody without weight.
    function reseat(Seat[] memory seats, Change[] memory changes) internal pure returns (Seat[] memory next) {
        Seat[] memory all = new Seat[](seats.length + changes.length);
        uint256 count = seats.length;
        for (uint256 i = 0; i < count; ++i) {
            all[i] = seats[i];
        }
        uint256 seated = count;
        for (uint256 i = 0; i < changes.length; ++i) {
            Change memory change = changes[i];
            if (change.effective == change.before) continue;
            uint256 place = _placeOf(all, count, change.id);
            if (change.before == 0) {
                for (uint256 j = count++; j > place; --j) {
                    all[j] = all[j - 1];
                }
                all[place] = Seat(change.id, change.effective);
                ++seated;
            } else {
                all[place].weight = change.effective;
                if (change.effective == 0) --seated;
            }
        }
        next = new Seat[](seated);
        uint256 filled = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (all[i].weight > 0) next[filled++] = all[i];
        }
    }

    /// Where an id is among the first `count` seats, or belongs.
    function _placeOf(Seat[] memory seats, uint256 count, uint64 id) private pure returns (uint256 low) {
        uint256 high = count;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (seats[middle].id < id) low = middle + 1;
            else high = middle;
        }
    }
}
