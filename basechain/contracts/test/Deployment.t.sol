// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CheckpointManager} from "../src/CheckpointManager.sol";
import {Committee} from "../src/Committee.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// What a deployer cannot set up, since nobody could repair it.
contract DeploymentTest is Cluster {
    function test_a_bond_unit_of_zero_is_refused() public {
        vm.expectRevert(MasternodeRegistry.ZeroBondUnit.selector);
        this.newRegistry(address(this), 0, 1, 1, UNBONDING, operators(4));
    }

    function test_weight_bounds_of_zero_or_the_wrong_way_round_are_refused() public {
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.WeightBounds.selector, 0, 5));
        this.newRegistry(address(this), 1, 0, 5, UNBONDING, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.WeightBounds.selector, 6, 5));
        this.newRegistry(address(this), 1, 6, 5, UNBONDING, operators(4));
    }

    function test_a_full_committee_of_the_largest_weights_fits_the_total() public {
        uint64 largest = type(uint64).max / 128;
        this.newRegistry(address(this), 1, 1, largest, UNBONDING, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.WeightBounds.selector, 1, largest + 1));
        this.newRegistry(address(this), 1, 1, largest + 1, UNBONDING, operators(4));
    }

    function test_the_largest_bond_fits_its_field() public {
        uint256 largest = type(uint96).max / 1000;
        this.newRegistry(address(this), largest, 1, 1000, UNBONDING, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.BondUnitTooLarge.selector, largest + 1, 1000));
        this.newRegistry(address(this), largest + 1, 1, 1000, UNBONDING, operators(4));
    }

    function test_a_committee_has_1_to_128_operators() public {
        this.newRegistry(address(this), 1, 1, 1, UNBONDING, operators(1));
        this.newRegistry(address(this), 1, 1, 1, UNBONDING, operators(128));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.CommitteeSize.selector, 0, 128));
        this.newRegistry(address(this), 1, 1, 1, UNBONDING, operators(0));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.CommitteeSize.selector, 129, 128));
        this.newRegistry(address(this), 1, 1, 1, UNBONDING, operators(129));
    }

    function test_a_missing_operator_is_refused() public {
        address[] memory named = operators(4);
        named[2] = address(0);
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.ZeroOperator.selector, 2));
        this.newRegistry(address(this), 1, 1, 1, UNBONDING, named);
    }

    function test_an_operator_named_twice_is_refused() public {
        address[] memory named = operators(4);
        named[3] = named[1];
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.DuplicateOperator.selector, named[1], 2));
        this.newRegistry(address(this), 1, 1, 1, UNBONDING, named);
    }

    function test_a_manager_without_a_network_is_refused() public {
        deploy(4);
        vm.expectRevert(CheckpointManager.ZeroNetwork.selector);
        this.newManager(0, registry, FINALITY_DELAY);
    }

    function test_a_manager_without_a_registry_is_refused() public {
        MasternodeRegistry nobody = MasternodeRegistry(operator(0));
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.RegistryWithoutCode.selector, nobody));
        this.newManager(NETWORK, nobody, FINALITY_DELAY);
    }

    function test_a_delay_of_more_than_thirty_days_is_refused() public {
        deploy(4);
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.FinalityDelay.selector, 30 days + 1, 30 days));
        this.newManager(NETWORK, registry, 30 days + 1);
        // The longest that there is, beside bonds that are liable for longer.
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        registry = this.newRegistry(next, 1, 1, 1, 365 days, operators(4));
        vm.assertEq(this.newManager(NETWORK, registry, 30 days).finalityDelay(), 30 days, "the longest");
    }

    function test_a_registry_names_its_manager_and_an_unbonding_time_of_at_most_a_year() public {
        vm.expectRevert(Committee.ZeroManager.selector);
        this.newRegistry(address(0), 1, 1, 1, UNBONDING, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.UnbondingTime.selector, 0, 365 days));
        this.newRegistry(address(this), 1, 1, 1, 0, operators(4));
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.UnbondingTime.selector, 365 days + 1, 365 days));
        this.newRegistry(address(this), 1, 1, 1, 365 days + 1, operators(4));
        this.newRegistry(address(this), 1, 1, 1, 365 days, operators(4));
    }

    function test_a_manager_that_the_registry_does_not_name_is_refused() public {
        deploy(4);
        bytes memory another = abi.encodeWithSelector(
            CheckpointManager.RegistryOfAnother.selector, address(registry), address(manager)
        );
        vm.expectRevert(another);
        this.newManager(NETWORK, registry, FINALITY_DELAY);
    }

    function test_bonds_have_to_be_liable_for_longer_than_the_delay() public {
        registry = deployRegistry(4);
        vm.expectRevert(
            abi.encodeWithSelector(CheckpointManager.UnbondingTooShort.selector, UNBONDING, UNBONDING)
        );
        this.newManager(NETWORK, registry, UNBONDING);
    }

    // Creations that may be refused are calls of their own: the tests' linker makes a cheatcode of `new`, and where that
    // reverts beside an `expectRevert` the test is over and has passed, whatever stands behind it.

    function newRegistry(
        address manager_,
        uint256 bondUnit,
        uint64 weightMin,
        uint64 weightMax,
        uint64 unbonding,
        address[] calldata named
    ) external returns (MasternodeRegistry) {
        return new MasternodeRegistry(manager_, bondUnit, weightMin, weightMax, unbonding, named);
    }

    function newManager(bytes32 network, MasternodeRegistry registry_, uint64 delay) external returns (CheckpointManager) {
        return new CheckpointManager(network, registry_, delay);
    }
}
