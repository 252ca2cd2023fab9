// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epochs} from "../src/Epochs.sol";
import {vm} from "./support/Vm.sol";

/// BC15: who takes a place in a committee and who frees one, and where the seats are.
contract PlacesTest {
    function test_who_gave_up_before_joining_takes_no_place() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        (changes[0], changes[1]) = (change(200, 0, 0), change(201, 0, 5));
        Epochs.advance(changes, 1_270, 127);
        vm.assertEq(changes[1].effective, 5, "the last place");
    }

    function test_who_gave_up_before_joining_frees_no_place() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        (changes[0], changes[1]) = (change(200, 0, 0), change(201, 0, 5));
        Epochs.advance(changes, 1_280, 128);
        vm.assertEq(changes[1].effective, 0, "no place");
    }

    function test_who_has_less_weight_than_before_frees_no_place() public pure {
        Epochs.Change[] memory changes = new Epochs.Change[](2);
        (changes[0], changes[1]) = (change(1, 10, 5), change(201, 0, 5));
        Epochs.advance(changes, 1_280, 128);
        vm.assertEq(changes[0].effective, 5, "less");
        vm.assertEq(changes[1].effective, 0, "no place");
    }

    /// Whoever comes by a lower id than those who are there has its seat before them.
    function test_seats_are_by_ids_whoever_comes_first() public pure {
        Epochs.Seat[] memory seats = new Epochs.Seat[](3);
        (seats[0], seats[1], seats[2]) = (Epochs.Seat(2, 10), Epochs.Seat(5, 20), Epochs.Seat(8, 30));
        Epochs.Change[] memory changes = new Epochs.Change[](4);
        (changes[0], changes[1]) = (moved(6, 0, 7), moved(1, 0, 9));
        (changes[2], changes[3]) = (moved(5, 20, 0), moved(8, 30, 31));
        Epochs.Seat[] memory next = Epochs.reseat(seats, changes);
        uint64[4] memory ids = [uint64(1), 2, 6, 8];
        uint64[4] memory weights = [uint64(9), 10, 7, 31];
        vm.assertEq(next.length, 4, "seats");
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(next[i].id, ids[i], "id");
            vm.assertEq(next[i].weight, weights[i], "weight");
        }
    }

    function change(uint64 id, uint64 effective, uint64 target) private pure returns (Epochs.Change memory made) {
        (made.id, made.effective, made.before, made.target) = (id, effective, effective, target);
    }

    function moved(uint64 id, uint64 before, uint64 effective) private pure returns (Epochs.Change memory made) {
        (made.id, made.effective, made.before, made.target) = (id, effective, before, effective);
    }
}
