// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// What whole transactions cost, base fee and calldata included: `isolate` makes a transaction of each
/// call, with nothing warm from the one before. The README's figures are what this prints with -vv.
/// The bounds leave some room; they are there so that a figure does not grow unseen.
contract GasTest is Cluster {
    uint256 private constant SUBMIT_GAS_MAX = 300_000;
    uint256 private constant ANY_ABSENT_GAS_MAX = 5_000;
    uint256 private constant ABSENTEE_GAS_MAX = 9_500;
    uint256 private constant REGISTER_GAS_MAX = 460_000;

    /// forge-config: default.isolate = true
    function test_gas_with_4_members() public {
        measure(4);
    }

    /// forge-config: default.isolate = true
    function test_gas_with_31_members() public {
        measure(31);
    }

    /// forge-config: default.isolate = true
    function test_gas_with_100_members() public {
        measure(100);
    }

    function measure(uint256 members) private {
        deploy(members);
        weights = equalWeights(members);
        enrol(0, 1);
        enrol(1, 1);
        uint256 register = vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 2; i < members; ++i) {
            enrol(i, 1);
        }
        uint256 last = vm.lastCallGas().gasTotalUsed;

        // The first checkpoint also pays for the slot of the latest height.
        post(statementAt(1), everybody());
        uint256 full = submitGas(2, 0);
        uint256 absent = (members - 1) / 3;
        uint256 one = submitGas(3, 1);
        uint256 third = submitGas(4, absent);

        print("members", members);
        print("  submit, all sign", full);
        print("  submit, one absent", one);
        print("  absent, a third at most", absent);
        print("  submit, these absent", third);
        print("  register", register);
        print("  register, completing the genesis", last);
        vm.assertLe(full, SUBMIT_GAS_MAX, "submit");
        vm.assertLe(third, full + ANY_ABSENT_GAS_MAX + absent * ABSENTEE_GAS_MAX, "a third absent");
        vm.assertLe(register, REGISTER_GAS_MAX, "register");
    }

    function submitGas(uint64 height, uint256 absent) private returns (uint256) {
        post(statementAt(height), (everybody() >> absent) << absent);
        return vm.lastCallGas().gasTotalUsed;
    }

    /// Forge shows what is sent to this address.
    function print(string memory what, uint256 value) private view {
        (bool shown,) = 0x000000000000000000636F6e736F6c652e6c6f67.staticcall(
            abi.encodeWithSignature("log(string,uint256)", what, value)
        );
        vm.assertTrue(shown, "print");
    }
}
