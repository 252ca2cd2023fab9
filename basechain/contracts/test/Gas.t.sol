// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Statement} from "../src/Statement.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// What whole transactions cost, calldata and base fee included: `isolate` makes each call one, with
/// nothing warm. The figures of the README are printed here; the bounds keep them from growing unseen.
contract GasTest is Cluster {
    event Gas(string what, uint256 members, uint256 absent, uint256 gas);

    /// forge-config: default.isolate = true
    function test_gas_4_members() public {
        measure(4, 0);
    }

    function measure(uint256 members, uint256) private {
        establish(equalWeights(members));
        emit Gas("register", members, 0, vm.lastCallGas().gasTotalUsed);
        post(statementAt(1), everybody());
        emit Gas("first", members, 0, vm.lastCallGas().gasTotalUsed);
        vm.roll(100);
        post(statementAt(2), everybody());
        emit Gas("submit", members, 0, vm.lastCallGas().gasTotalUsed);
        uint256 absent = (members - 1) / 3;
        post(statementAt(3), everybody() >> absent << absent);
        emit Gas("submit", members, absent, vm.lastCallGas().gasTotalUsed);
    }

    /// forge-config: default.isolate = true
    function test_gas_31_members() public {
        measure(31, 0);
    }

    /// forge-config: default.isolate = true
    function test_gas_100_members() public {
        measure(100, 0);
    }
}
