// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CheckpointManager} from "../src/CheckpointManager.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// What a deployer cannot set up, since nobody could repair it.
contract DeploymentTest is Cluster {
    function test_a_bond_unit_of_zero_is_refused() public {
        vm.expectRevert(MasternodeRegistry.ZeroBondUnit.selector);
        new MasternodeRegistry(0, 1, 1, operators(4));
    }

    function test_weight_bounds_of_zero_or_the_wrong_way_round_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.WeightBounds.selector, 0, 5));
        new MasternodeRegistry(1, 0, 5, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.WeightBounds.selector, 6, 5));
        new MasternodeRegistry(1, 6, 5, operators(4));
    }

    function test_a_full_committee_of_the_largest_weights_fits_the_total() public {
        uint64 largest = type(uint64).max / 128;
        new MasternodeRegistry(1, 1, largest, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.WeightBounds.selector, 1, largest + 1));
        new MasternodeRegistry(1, 1, largest + 1, operators(4));
    }

    function test_the_largest_bond_fits_its_field() public {
        uint256 largest = type(uint96).max / 1000;
        new MasternodeRegistry(largest, 1, 1000, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.BondUnitTooLarge.selector, largest + 1, 1000));
        new MasternodeRegistry(largest + 1, 1, 1000, operators(4));
    }

    function test_a_committee_has_1_to_128_operators() public {
        new MasternodeRegistry(1, 1, 1, operators(1));
        new MasternodeRegistry(1, 1, 1, operators(128));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.CommitteeSize.selector, 0, 128));
        new MasternodeRegistry(1, 1, 1, operators(0));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.CommitteeSize.selector, 129, 128));
        new MasternodeRegistry(1, 1, 1, operators(129));
    }

    function test_a_missing_operator_is_refused() public {
        address[] memory named = operators(4);
        named[2] = address(0);
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.ZeroOperator.selector, 2));
        new MasternodeRegistry(1, 1, 1, named);
    }

    function test_an_operator_named_twice_is_refused() public {
        address[] memory named = operators(4);
        named[3] = named[1];
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.DuplicateOperator.selector, named[1], 2));
        new MasternodeRegistry(1, 1, 1, named);
    }

    function test_a_manager_without_a_network_is_refused() public {
        deploy(4);
        vm.expectRevert(CheckpointManager.ZeroNetwork.selector);
        new CheckpointManager(0, registry, FINALITY_DELAY);
    }

    function test_a_manager_without_a_registry_is_refused() public {
        MasternodeRegistry nobody = MasternodeRegistry(operator(0));
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.RegistryWithoutCode.selector, nobody));
        new CheckpointManager(NETWORK, nobody, FINALITY_DELAY);
    }

    function test_a_delay_of_more_than_thirty_days_is_refused() public {
        deploy(4);
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.FinalityDelay.selector, 30 days + 1, 30 days));
        new CheckpointManager(NETWORK, registry, 30 days + 1);
    }

    function operators(uint256 size) private pure returns (address[] memory named) {
        named = new address[](size);
        for (uint256 i = 0; i < size; ++i) {
            named[i] = operator(i);
        }
    }
}
