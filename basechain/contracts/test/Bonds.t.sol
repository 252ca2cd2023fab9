// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../src/Committee.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Epochal} from "./support/Epochal.sol";
import {vm} from "./support/Vm.sol";

/// BC17 to BC19: what becomes of a bond.
contract BondsTest is Epochal {
    uint256 private constant NEW = 100;

    function setUp() public {
        establishEpochs(uneven(10, 10, 10, 10));
    }

    // Topping up.

    function test_a_top_up_counts_from_the_edge_on() public {
        topUp(0, 3 ether);
        vm.assertEq(registry.member(1).bond, 13 ether, "bond");
        vm.assertEq(registry.member(1).weight, 13, "weight");
        vm.assertEq(registry.member(1).effective, 10, "before");
        vm.assertEq(registry.totalWeight(), 40, "total before");
        edge();
        vm.assertEq(registry.member(1).effective, 13, "after");
        vm.assertEq(registry.totalWeight(), 43, "total after");
        vm.assertEq(registry.member(1).entryIndex, 1, "entry");
    }

    function test_a_top_up_keeps_to_units_and_bounds() public {
        topUpExpecting(abi.encodeWithSelector(MasternodeRegistry.ZeroTopUp.selector), 0, 0);
        topUpExpecting(
            abi.encodeWithSelector(MasternodeRegistry.BondNotWhole.selector, 10 ether + 1, BOND_UNIT), 0, 1
        );
        uint256 weight = 10 + uint256(WEIGHT_MAX);
        topUpExpecting(
            abi.encodeWithSelector(MasternodeRegistry.WeightOutOfBounds.selector, weight, WEIGHT_MIN, WEIGHT_MAX),
            0,
            uint256(WEIGHT_MAX) * 1 ether
        );
    }

    function test_only_members_that_stay_top_up_or_quit() public {
        bytes memory stranger = abi.encodeWithSelector(MasternodeRegistry.NotRegistered.selector, operator(NEW));
        topUpExpecting(stranger, NEW, 1 ether);
        quitExpecting(stranger, NEW);
        vm.expectRevert(stranger);
        vm.prank(operator(NEW));
        registry.withdrawBond();
        quit(0);
        bytes memory leaving = abi.encodeWithSelector(MasternodeRegistry.AlreadyLeaving.selector, 1);
        topUpExpecting(leaving, 0, 1 ether);
        quitExpecting(leaving, 0);
    }

    function test_nothing_changes_before_the_genesis_is_complete() public {
        deploy(3);
        enrol(0, 1);
        bytes memory incomplete = abi.encodeWithSelector(Committee.GenesisIncomplete.selector, 1, 3);
        topUpExpecting(incomplete, 0, 1 ether);
        quitExpecting(incomplete, 0);
    }

    // Joining.

    function test_a_full_committee_takes_nobody_and_places_become_free_at_edges() public {
        establishFull();
        sendExpecting(full(), operator(1_000), BOND_UNIT, application(1_000));
        quit(5);
        sendExpecting(full(), operator(1_000), BOND_UNIT, application(1_000));
        edge();
        vm.assertEq(enrol(1_000, 1), 129, "a place");
        sendExpecting(full(), operator(1_001), BOND_UNIT, application(1_001));
        // Who is queued and gives up holds its place until the edge.
        quit(1_000);
        sendExpecting(full(), operator(1_001), BOND_UNIT, application(1_001));
        edge();
        vm.assertEq(enrol(1_001, 1), 130, "a place");
    }

    // Leaving.

    function test_a_bond_is_free_after_the_unbonding_time_and_not_before() public {
        quit(1);
        withdrawExpecting(notFree(2, MasternodeRegistry.Status.Leaving, 0), 1);
        edge();
        uint64 freeAt = uint64(block.timestamp) + UNBONDING;
        vm.assertEq(registry.member(2).freeAt, freeAt, "freeAt");
        withdrawExpecting(notFree(2, MasternodeRegistry.Status.Unbonding, freeAt), 1);
        vm.warp(freeAt - 1);
        post(statementAt(++height), everybody());
        withdrawExpecting(notFree(2, MasternodeRegistry.Status.Unbonding, freeAt), 1);
        vm.warp(freeAt);
        requireStatus(2, MasternodeRegistry.Status.Free, "free");
        vm.expectEmit(address(registry));
        emit MasternodeRegistry.BondWithdrawn(2, operator(1), 10 ether);
        withdraw(1);
        vm.assertEq(operator(1).balance, 10 ether, "paid");
        vm.assertEq(registry.member(2).bond, 0, "bond");
        requireStatus(2, MasternodeRegistry.Status.Withdrawn, "withdrawn");
    }

    function test_a_bond_is_paid_once() public {
        free(1);
        withdraw(1);
        withdrawExpecting(notFree(2, MasternodeRegistry.Status.Withdrawn, 0), 1);
        vm.assertEq(address(registry).balance, 30 ether, "the others' bonds");
    }

    function test_a_bond_that_is_in_use_is_not_paid() public {
        enrol(NEW, 3);
        withdrawExpecting(notFree(1, MasternodeRegistry.Status.Active, 0), 0);
        withdrawExpecting(notFree(5, MasternodeRegistry.Status.Queued, 0), NEW);
    }

    function test_one_that_leaves_step_by_step_begins_to_unbond_at_the_last() public {
        establishEpochs(uneven(1, 1, 1, 20));
        quit(3);
        edge();
        requireStatus(4, MasternodeRegistry.Status.Leaving, "7 of 20");
        for (uint256 i = 0; i < 20; ++i) {
            edge();
        }
        requireStatus(4, MasternodeRegistry.Status.Unbonding, "all of 20");
    }

    function test_ids_and_keys_serve_once() public {
        free(1);
        withdraw(1);
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.AlreadyRegistered.selector, operator(1), 2),
            operator(1),
            BOND_UNIT,
            provenBy(finalitySecret(2_000), registry, operator(1), vertexKey(2_000))
        );
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.DuplicateVertexKey.selector, vertexKey(1), 2),
            operator(NEW),
            BOND_UNIT,
            provenBy(finalitySecret(NEW), registry, operator(NEW), vertexKey(1))
        );
    }

    function test_a_payment_that_is_refused_leaves_the_bond() public {
        free(1);
        vm.etch(operator(1), hex"60006000fd");
        withdrawExpecting(abi.encodeWithSelector(MasternodeRegistry.PaymentRefused.selector, operator(1)), 1);
        vm.assertEq(registry.member(2).bond, 10 ether, "bond");
    }

    // A network that has stopped.

    function test_when_no_checkpoint_comes_for_the_unbonding_time_every_bond_is_free() public {
        post(statementAt(++height), everybody());
        vm.warp(block.timestamp + UNBONDING - 1);
        withdrawExpecting(notFree(1, MasternodeRegistry.Status.Active, 0), 0);
        vm.warp(block.timestamp + 1);
        withdraw(0);
        vm.assertEq(operator(0).balance, 10 ether, "paid");
        // Should the others go on, then the edge takes it out.
        edge();
        vm.assertEq(ids.length, 3, "members");
    }

    function test_before_the_first_checkpoint_that_counts_from_the_deployment() public {
        deploy(3);
        enrol(0, 4);
        requireStatus(1, MasternodeRegistry.Status.Registered, "registered");
        vm.warp(block.timestamp + UNBONDING);
        withdraw(0);
        vm.assertEq(operator(0).balance, 4 ether, "paid");
        enrol(1, 1);
        enrol(2, 1);
        vm.expectRevert(abi.encodeWithSelector(Committee.GenesisIncomplete.selector, 2, 3));
        registry.totalWeight();
    }

    // Helpers.

    function establishFull() private {
        deploy(128);
        for (uint256 i = 0; i < 128; ++i) {
            enrol(i, 1);
        }
        seat();
        adopt(equalWeights(128));
    }

    function free(uint256 i) private {
        quit(i);
        edge();
        vm.warp(block.timestamp + UNBONDING);
        post(statementAt(++height), everybody());
    }

    function withdraw(uint256 i) private {
        vm.prank(operator(i));
        registry.withdrawBond();
    }

    function withdrawExpecting(bytes memory refusal, uint256 i) private {
        vm.prank(operator(i));
        vm.expectRevert(refusal);
        registry.withdrawBond();
    }

    function topUpExpecting(bytes memory refusal, uint256 i, uint256 wei_) private {
        vm.deal(operator(i), wei_);
        vm.prank(operator(i));
        vm.expectRevert(refusal);
        registry.topUp{value: wei_}();
    }

    function quitExpecting(bytes memory refusal, uint256 i) private {
        vm.prank(operator(i));
        vm.expectRevert(refusal);
        registry.requestExit();
    }

    function full() private pure returns (bytes memory) {
        return abi.encodeWithSelector(MasternodeRegistry.CommitteeFull.selector, 128);
    }

    function notFree(uint64 id, MasternodeRegistry.Status status, uint64 freeAt) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MasternodeRegistry.BondNotFree.selector, id, status, freeAt);
    }
}
