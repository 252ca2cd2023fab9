// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Statement} from "../src/Statement.sol";
import {Epochal} from "./support/Epochal.sol";
import {print} from "./support/Print.sol";
import {vm} from "./support/Vm.sol";

/// What whole transactions cost, base fee and calldata included: `isolate` makes a transaction of each
/// call, with nothing warm from the one before. The README's figures are what this prints with -vv, under the
/// rules of Prague and of Osaka. The bounds leave some room; they are there so that a figure does not grow unseen.
contract GasTest is Epochal {
    /// What a checkpoint may cost: so much, and so much for each absentee.
    uint256 private constant SUBMIT_GAS_MAX = 245_000;
    uint256 private constant ABSENTEE_GAS_MAX = 10_000;
    /// Two years of one a minute: each byte that is not zero costs gas.
    uint64 private constant HEIGHT = 1_051_200;
    uint256 private constant REGISTER_GAS_MAX = 480_000;
    /// One that closes an epoch, above what it costs without, and for each member.
    uint256 private constant EDGE_GAS_MAX = 200_000;
    uint256 private constant EDGE_MEMBER_GAS_MAX = 6_000;

    /// forge-config: default.isolate = true
    function test_gas_with_4_members() public {
        measure(4, "prague");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_4_members_in_osaka() public {
        measure(4, "osaka");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_31_members() public {
        measure(31, "prague");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_31_members_in_osaka() public {
        measure(31, "osaka");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_100_members() public {
        measure(100, "prague");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_100_members_in_osaka() public {
        measure(100, "osaka");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_128_members() public {
        measure(128, "prague");
    }

    /// forge-config: default.isolate = true
    function test_gas_with_128_members_in_osaka() public {
        measure(128, "osaka");
    }

    /// That forge goes by the rules it is told: Osaka's raise the least that an exponentiation costs from 200 to 500.
    /// forge-config: default.isolate = true
    function test_the_rules_are_those_that_are_named() public {
        vm.assertEq(exponentiationGas("prague"), 21_200, "prague");
        vm.assertEq(exponentiationGas("osaka"), 21_500, "osaka");
    }

    function exponentiationGas(string memory rules) private returns (uint256) {
        vm.setEvmVersion(rules);
        (bool done,) = address(0x05).call("");
        vm.assertTrue(done, "exponentiation");
        return vm.lastCallGas().gasTotalUsed;
    }

    /// As many joins as there is room for, and all else that can wait beside them.
    /// forge-config: default.isolate = true
    function test_gas_of_an_edge_where_all_places_are_taken() public {
        establishEpochs(heavyFirst(4));
        for (uint256 i = 0; i < 4; ++i) {
            topUp(i, 1 ether);
        }
        for (uint256 i = 0; i < 124; ++i) {
            enrol(1_000 + i, 1);
        }
        uint256 gas = edgeGas(128);
        print("an edge with 124 joins", gas);
        vm.assertEq(ids.length, 128, "all have joined");
        vm.assertLe(gas, 16_000_000, "fits a transaction");
    }

    /// As many entries as an edge applies, and as many members that leave.
    /// forge-config: default.isolate = true
    function test_gas_of_an_edge_where_all_but_one_leave() public {
        establishEpochs(heavyFirst(128));
        for (uint256 i = 1; i < 128; ++i) {
            topUp(i, 1 ether);
            quit(i);
        }
        slash(2);
        slash(3);
        uint256 gas = edgeGas(256);
        print("an edge with 256 entries, where 127 leave", gas);
        vm.assertEq(ids.length, 1, "all have left");
        vm.assertLe(gas, 16_000_000, "fits a transaction");
    }

    function heavyFirst(uint256 size) private pure returns (uint64[] memory heavy) {
        heavy = equalWeights(size);
        heavy[0] = 1_000;
    }

    function measure(uint256 members, string memory rules) private {
        vm.setEvmVersion(rules);
        deploy(members);
        enrol(0, 1);
        enrol(1, 1);
        uint256 register = vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 2; i < members; ++i) {
            enrol(i, 1);
        }
        uint256 last = vm.lastCallGas().gasTotalUsed;

        seat();
        adopt(equalWeights(members));
        height = HEIGHT;
        // The first checkpoint also pays for the slot of the latest height.
        post(statementAt(++height), everybody());
        uint256 full = submitGas(++height, 0);
        uint256 absent = (members - 1) / 3;
        uint256 one = submitGas(++height, 1);
        uint256 third = submitGas(++height, absent);
        post(statementAt(++height), everybody() ^ (1 << (members - 1)));
        uint256 behind = vm.lastCallGas().gasTotalUsed;

        print(string.concat(rules, ", members"), members);
        print("  submit, all sign", full);
        print("  submit, one absent", one);
        print("  submit, the last absent", behind);
        print("  absent, a third at most", absent);
        print("  submit, these absent", third);
        print("  register", register);
        print("  register, completing the genesis", last);
        vm.assertLe(full, SUBMIT_GAS_MAX, "submit");
        vm.assertLe(one, SUBMIT_GAS_MAX + ABSENTEE_GAS_MAX, "one absent");
        vm.assertLe(behind, SUBMIT_GAS_MAX + ABSENTEE_GAS_MAX, "the last absent");
        vm.assertLe(third, SUBMIT_GAS_MAX + absent * ABSENTEE_GAS_MAX, "a third absent");
        vm.assertLe(register, REGISTER_GAS_MAX, "register");
        measureEdges(members, full);
    }

    /// One leaves, and one comes in its place at the next edge.
    function measureEdges(uint256 members, uint256 full) private {
        uint256 unchanged = edgeGas(0);
        quit(0);
        uint256 exit = vm.lastCallGas().gasTotalUsed;
        edge();
        enrol(1_000, 1);
        uint256 join = vm.lastCallGas().gasTotalUsed;
        uint256 joined = edgeGas(2);
        topUp(1, 1 ether);
        uint256 more = vm.lastCallGas().gasTotalUsed;
        Statement memory last = statementAt(++height);
        post(last, everybody());
        uint256 after_ = vm.lastCallGas().gasTotalUsed;
        vm.warp(block.timestamp + UNBONDING);
        post(statementAt(++height), everybody());
        vm.prank(operator(0));
        registry.withdrawBond();
        uint256 withdrawal = vm.lastCallGas().gasTotalUsed;

        print("  edge, nothing changes", unchanged);
        print("  edge, one joins", joined);
        print("  submit, all sign, after it", after_);
        print("  register, a newcomer", join);
        print("  top up", more);
        print("  request exit", exit);
        print("  withdraw bond", withdrawal);
        vm.assertLe(joined, full + EDGE_GAS_MAX + members * EDGE_MEMBER_GAS_MAX, "edge");
        vm.assertLe(after_, SUBMIT_GAS_MAX, "submit after an edge");
    }

    function edgeGas(uint64 cursor) private returns (uint256 gas) {
        post(closing(cursor), everybody());
        gas = vm.lastCallGas().gasTotalUsed;
        seat();
    }

    function submitGas(uint64 height_, uint256 absent) private returns (uint256) {
        post(statementAt(height_), (everybody() >> absent) << absent);
        return vm.lastCallGas().gasTotalUsed;
    }
}
