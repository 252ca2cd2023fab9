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
        vm.assertTrue(changes[0].effective == 0 && !changes[0].done, "passed over");
        vm.assertTrue(changes[1].effective == 12 && changes[1].done, "others move");
        vm.assertTrue(changes[2].effective == 0 && !changes[2].done, "passed over too");
    }

    function test_one_place_takes_one_newcomer() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        changes[0] = change(200, 0, 5);
        changes[1] = change(201, 0, 5);
        Epochs.advance(changes, 1_270, 127);
        vm.assertTrue(changes[0].effective == 5 && changes[1].effective == 0, "the first");
    }

    function test_who_leaves_makes_room_for_those_behind() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](3);
        changes[0] = change(200, 0, 5);
        changes[1] = change(1, 10, 0);
        changes[2] = change(201, 0, 5);
        Epochs.advance(changes, 1_280, 128);
        vm.assertTrue(changes[0].effective == 0, "before it");
        vm.assertTrue(changes[1].effective == 0 && changes[1].done, "leaves");
        vm.assertTrue(changes[2].effective == 5, "behind it");
    }

    function test_what_needs_no_move_is_done_when_it_is_reached_only() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](3);
        changes[0] = change(9, 0, 0);
        changes[1] = change(1, 10, 20);
        changes[2] = change(8, 0, 0);
        Epochs.advance(changes, 30, 3);
        vm.assertTrue(changes[0].done, "reached");
        vm.assertTrue(changes[1].effective == 19 && !changes[1].done, "the bound");
        vm.assertTrue(!changes[2].done, "not reached");
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
    }

    function change(uint64 id, uint64 effective, uint64 target) private pure returns (Epochs.Change memory) {
        return Epochs.Change({id: id, effective: effective, target: target, before: effective, done: false});
    }
}
