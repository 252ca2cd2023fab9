// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epochs} from "../src/Epochs.sol";
import {vm} from "./support/Vm.sol";

/// BC15 by itself: what the registry's bound on places keeps from coming up, and the bound at its edges.
contract EdgeTest {
    function test_less_than_a_third_and_one_at_least() public pure {
        uint8[10] memory budgets = [1, 1, 1, 1, 1, 1, 1, 2, 2, 2];
        for (uint256 total = 1; total < budgets.length; ++total) {
            vm.assertEq(Epochs.budgetOf(total), budgets[total], "budget");
        }
        vm.assertEq(Epochs.budgetOf(300), 99, "300");
        vm.assertEq(Epochs.budgetOf(301), 100, "301");
    }

    function test_a_newcomer_waits_while_the_committee_is_full() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](3);
        changes[0] = change(200, 0, 5);
        changes[1] = change(1, 10, 12);
        changes[2] = change(201, 0, 1);
        uint256 total = Epochs.advance(changes, 1_280, 128);
        vm.assertEq(total, 1_282, "total");
        vm.assertTrue(changes[0].effective == 0, "passed over");
        vm.assertTrue(changes[1].effective == 12, "others move");
        vm.assertTrue(changes[2].effective == 0, "passed over too");
    }

    function test_one_place_takes_one_newcomer() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        changes[0] = change(200, 0, 5);
        changes[1] = change(201, 0, 5);
        Epochs.advance(changes, 1_270, 127);
        vm.assertTrue(changes[0].effective == 5 && changes[1].effective == 0, "the first");
    }

    function test_who_leaves_makes_room_for_who_comes() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](3);
        changes[0] = change(200, 0, 5);
        changes[1] = change(1, 10, 0);
        changes[2] = change(201, 0, 5);
        Epochs.advance(changes, 1_280, 128);
        vm.assertTrue(changes[1].effective == 0, "leaves");
        vm.assertTrue(changes[0].effective == 5 && changes[2].effective == 0, "one place");
    }

    function test_who_leaves_has_half_of_the_bound_whatever_else_waits() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](3);
        changes[0] = change(200, 0, 1_000);
        changes[1] = change(1, 10, 0);
        changes[2] = change(2, 10, 0);
        uint256 total = Epochs.advance(changes, 100, 10);
        // 33 is the bound: 16 of it go, 17 come.
        vm.assertTrue(changes[1].effective == 0 && changes[2].effective == 4, "half goes");
        vm.assertEq(changes[0].effective, 17, "half comes");
        vm.assertEq(total, 101, "total");
    }

    function test_what_one_half_leaves_is_the_others() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        changes[0] = change(1, 30, 0);
        changes[1] = change(200, 0, 3);
        vm.assertEq(Epochs.advance(changes, 100, 10), 73, "of who comes");
        changes[0] = change(1, 10, 7);
        changes[1] = change(200, 0, 90);
        vm.assertEq(Epochs.advance(changes, 100, 10), 127, "of who goes");
    }

    function test_one_alone_goes_to_who_comes() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        changes[0] = change(1, 1, 0);
        changes[1] = change(200, 0, 3);
        vm.assertEq(Epochs.advance(changes, 4, 4), 5, "total");
        vm.assertEq(changes[1].effective, 1, "comes");
    }

    function test_offenders_have_all_of_the_bound_before_others() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](4);
        changes[0] = change(1, 30, 0);
        changes[1] = change(200, 0, 30);
        changes[2] = change(2, 20, 0);
        changes[3] = change(3, 20, 0);
        changes[2].slashed = changes[3].slashed = true;
        Epochs.advance(changes, 100, 10);
        vm.assertTrue(changes[2].effective == 0 && changes[3].effective == 7, "33 of 40");
        vm.assertTrue(changes[0].effective == 30 && changes[1].effective == 0, "nothing is left for others");
        Epochs.advance(changes, 67, 9);
        // 22 is the bound; 7 offend, of 15 7 go and 8 come.
        vm.assertEq(changes[3].effective, 0, "the rest");
        vm.assertTrue(changes[0].effective == 23 && changes[1].effective == 8, "half each");
    }

    function test_the_last_weight_of_an_offender_stays() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](1);
        changes[0] = change(1, 1, 0);
        changes[0].slashed = true;
        vm.assertEq(Epochs.advance(changes, 1, 1), 1, "total");
    }

    /// Whatever waits: never a third, never nobody, never more than 128, and nothing beyond its target.
    function testFuzz_an_edge_keeps_to_its_bounds(uint256 seed) public pure {
        uint256 members = 1 + seed % 128;
        uint256 count = (seed >> 8) % 40;
        Epochs.Change[] memory changes = new Epochs.Change[](count);
        uint256 total = members;
        for (uint64 i = 0; i < count; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint64 from = i < members ? uint64(1 + (draw >> 8) % 50) : 0;
            if (from > 0) total += from - 1;
            changes[i] = change(i + 1, from, draw % 3 == 0 ? 0 : uint64((draw >> 16) % 100));
            changes[i].slashed = changes[i].target == 0 && draw % 2 == 0;
        }
        uint256 after_ = Epochs.advance(changes, total, members);
        uint256 moved = 0;
        uint256 sum = total;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 from, uint256 to) = (changes[i].before, changes[i].effective);
            if (from == 0 && to > 0) ++members;
            if (from > 0 && to == 0) --members;
            moved += to > from ? to - from : from - to;
            sum = sum + to - from;
            vm.assertTrue(from <= to ? to <= changes[i].target || to == from : to >= changes[i].target, "target");
        }
        vm.assertEq(after_, sum, "total");
        vm.assertTrue(after_ > 0 && members <= 128 && members > 0, "members");
        vm.assertTrue(moved <= 1 || 3 * moved < total, "the bound");
        requireHalves(changes, total, members);
    }

    /// Nobody comes or goes while an offender could; who leaves had half, unless all are gone; nothing is left over
    /// while somebody could come.
    function requireHalves(Epochs.Change[] memory changes, uint256 total, uint256 members) private pure {
        uint256 budget = Epochs.budgetOf(total);
        (uint256 gone, uint256 came, bool offends, bool leaves, bool comes) = (0, 0, false, false, false);
        for (uint256 i = 0; i < changes.length; ++i) {
            Epochs.Change memory c = changes[i];
            if (c.slashed) {
                budget -= c.before - c.effective;
                offends = offends || c.effective > 0;
                continue;
            }
            if (c.effective < c.before) gone += c.before - c.effective;
            if (c.effective > c.before) came += c.effective - c.before;
            leaves = leaves || c.effective > c.target;
            comes = comes || (c.effective < c.target && (c.effective > 0 || members < 128));
        }
        vm.assertTrue(!offends || budget == 0 || total == 1, "offenders first");
        vm.assertTrue(!leaves || gone >= budget / 2, "half for who leaves");
        vm.assertTrue(!comes || gone + came == budget, "all is used");
        vm.assertTrue(!comes || gone <= budget / 2, "exits shrink no committee that others wait to join");
    }

    function change(uint64 id, uint64 effective, uint64 target) private pure returns (Epochs.Change memory) {
        return Epochs.Change({id: id, effective: effective, target: target, before: effective, slashed: false});
    }
}
