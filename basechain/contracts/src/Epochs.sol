// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

uint256 constant MEMBERS_MAX = 128;

/// BC15: how a committee changes at the end of an epoch.
///
/// What the registry has queued sets each member's *target*. At the edge the weight in effect moves towards it, by
/// less than a third of the whole weight together: two committees that follow each other then share more than two
/// thirds, and nobody who came in yesterday overrules those who were there before. A change larger than the bound
/// takes several epochs.
///
/// Offenders go first. Then who leaves and who comes have half of the bound each, and what the others leave of
/// theirs: a bond of any size holds no exit up, and exits shrink no committee that others wait to join.
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
        bool slashed;
    }

    /// What an edge has come to.
    struct Edge {
        uint256 total;
        uint256 members;
        /// How much weight may still change.
        uint256 budget;
    }

    /// How much weight may change at an edge, of `total`.
    function budgetOf(uint256 total) internal pure returns (uint256) {
        return total < 4 ? 1 : (total - 1) / 3;
    }

    /// Moves `changes`, in the order in which they began to wait, in a committee of `members` with `total` weight;
    /// returns the weight that it has then.
    function advance(Change[] memory changes, uint256 total, uint256 members) internal pure returns (uint256) {
        Edge memory edge = Edge(total, members, budgetOf(total));
        _lower(edge, changes, true, edge.budget);
        _lower(edge, changes, false, edge.budget / 2);
        _raise(edge, changes);
        _lower(edge, changes, false, edge.budget);
        return edge.total;
    }

    /// Takes `most` at most from the offenders, or from the others whose weight goes down. Passed over is the last
    /// weight that there is.
    function _lower(Edge memory edge, Change[] memory changes, bool slashed, uint256 most) private pure {
        edge.budget -= most;
        for (uint256 i = 0; i < changes.length && most > 0; ++i) {
            Change memory change = changes[i];
            if (change.slashed != slashed || change.effective <= change.target) continue;
            uint256 step = change.effective - change.target;
            if (step > most) step = most;
            if (step == edge.total) continue;
            change.effective -= uint64(step);
            if (change.effective == 0) --edge.members;
            edge.total -= step;
            most -= step;
        }
        edge.budget += most;
    }

    /// Passed over are newcomers while the committee is full.
    function _raise(Edge memory edge, Change[] memory changes) private pure {
        for (uint256 i = 0; i < changes.length && edge.budget > 0; ++i) {
            Change memory change = changes[i];
            if (change.effective >= change.target) continue;
            if (change.effective == 0) {
                if (edge.members == MEMBERS_MAX) continue;
                ++edge.members;
            }
            uint256 step = change.target - change.effective;
            if (step > edge.budget) step = edge.budget;
            change.effective += uint64(step);
            edge.total += step;
            edge.budget -= step;
        }
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
