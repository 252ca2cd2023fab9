// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TREE_DEPTH} from "../src/AppendTree.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {Committee} from "../src/Committee.sol";
import {Epochs} from "../src/Epochs.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Statement} from "../src/Statement.sol";
import {Epochal} from "./support/Epochal.sol";
import {Leaves} from "./support/Leaves.sol";
import {vm} from "./support/Vm.sol";

/// BC20 and BC21: who is slashed, and when the bridge freezes. Four members of 10, so three are a quorum.
contract ConflictTest is Epochal {
    address private constant REPORTER = address(0x4e9);
    uint256 private constant NEW = 100;
    bytes32[] private offenders;

    function setUp() public {
        establishEpochs(uneven(10, 10, 10, 10));
    }

    // Two quorums.

    function test_two_quorums_for_a_height_freeze_the_bridge_and_slash_who_is_in_both() public {
        Statement memory s = statementAt(5);
        post(s, 7);
        vm.warp(block.timestamp + FINALITY_DELAY - 1);
        challenge(certificate(s, 7), certificate(other(s), 14));
        vm.assertEq(manager.frozenAt(), block.timestamp, "frozen");
        requireStatus(1, MasternodeRegistry.Status.Active, "in one");
        requireStatus(2, MasternodeRegistry.Status.Slashed, "in both");
        requireStatus(3, MasternodeRegistry.Status.Slashed, "in both");
        requireStatus(4, MasternodeRegistry.Status.Active, "in the other");
        vm.assertEq(REPORTER.balance, 2 ether, "a tenth of 20");
        vm.assertEq(address(0).balance, 18 ether, "burned");
        vm.assertEq(address(registry).balance, 20 ether, "the others' bonds");
        (uint64 length,,) = registry.queue();
        vm.assertEq(length, 2, "removals");
        vm.assertTrue(registry.entry(1).id == 2 && registry.entry(1).weight == 0, "the first");
        vm.warp(block.timestamp + 30 days);
        vm.assertTrue(!manager.isFinal(s) && !manager.isSettled(s), "never final");
    }

    function test_a_conflict_is_announced() public {
        Statement memory s = statementAt(5);
        (CheckpointManager.Certificate memory one, CheckpointManager.Certificate memory two) =
            (certificate(s, 7), certificate(other(s), 14));
        vm.expectEmit(address(manager));
        emit CheckpointManager.Conflict(
            0, 5, keccak256(abi.encode(s)), keccak256(abi.encode(other(s))), 20 ether
        );
        challenge(one, two);
    }

    function test_neither_has_to_be_a_checkpoint() public {
        Statement memory s = statementAt(5);
        challenge(certificate(other(s), 7), certificate(s, 7));
        vm.assertTrue(manager.frozenAt() != 0, "frozen");
    }

    function test_a_frozen_bridge_takes_no_checkpoint() public {
        Statement memory s = statementAt(5);
        challenge(certificate(s, 7), certificate(other(s), 14));
        postExpecting(abi.encodeWithSelector(CheckpointManager.Frozen.selector, block.timestamp), statementAt(6), 15);
    }

    function test_what_was_final_before_stays_settled_and_is_not_final() public {
        Statement memory s = statementAt(5);
        post(s, 15);
        vm.warp(block.timestamp + FINALITY_DELAY);
        vm.assertTrue(manager.isFinal(s), "before");
        Statement memory later = statementAt(6);
        challenge(certificate(later, 7), certificate(other(later), 14));
        vm.assertTrue(!manager.isFinal(s), "not final");
        vm.assertTrue(manager.isSettled(s), "settled");
    }

    function test_one_statement_twice_is_no_conflict() public {
        Statement memory s = statementAt(5);
        challengeExpecting(noConflict(), certificate(s, 7), certificate(s, 14));
    }

    function test_two_heights_or_two_epochs_are_no_conflict() public {
        challengeExpecting(noConflict(), certificate(statementAt(5), 7), certificate(statementAt(6), 14));
        Statement memory later = statementAt(5);
        later.epoch = 1;
        challengeExpecting(noConflict(), certificate(statementAt(5), 7), certificate(later, 14));
    }

    function test_either_without_a_quorum_is_refused() public {
        Statement memory s = statementAt(5);
        bytes memory few = abi.encodeWithSelector(CheckpointManager.QuorumNotReached.selector, 20, 40);
        challengeExpecting(few, certificate(s, 3), certificate(other(s), 14));
        challengeExpecting(few, certificate(s, 14), certificate(other(s), 3));
    }

    function test_a_signature_that_does_not_fit_is_refused() public {
        Statement memory s = statementAt(5);
        CheckpointManager.Certificate memory forged = certificate(other(s), 7);
        forged.bitmap = bitmapOf(14);
        bytes32 digest = keccak256(abi.encode(other(s)));
        challengeExpecting(
            abi.encodeWithSelector(CheckpointManager.SignatureRefused.selector, digest, 30), certificate(s, 7), forged
        );
    }

    function test_statements_for_other_places_are_refused() public {
        Statement memory s = statementAt(5);
        Statement memory elsewhere = other(s);
        elsewhere.network = keccak256("another network");
        challengeExpecting(
            abi.encodeWithSelector(CheckpointManager.WrongNetwork.selector, elsewhere.network, NETWORK),
            certificate(s, 7),
            certificate(elsewhere, 7)
        );
    }

    function test_another_committee_than_the_epochs_is_refused() public {
        Statement memory s = statementAt(5);
        CheckpointManager.Certificate memory one = certificate(s, 7);
        CheckpointManager.Certificate memory two = certificate(other(s), 7);
        Epochs.Seat[] memory seats = committeeSeats();
        seats[0].weight = 11;
        vm.expectPartialRevert(Committee.NotTheCommittee.selector);
        manager.challengeConflict(one, two, seats, REPORTER);
    }

    function test_a_reporter_of_nobody_is_refused() public {
        Statement memory s = statementAt(5);
        CheckpointManager.Certificate memory one = certificate(s, 7);
        CheckpointManager.Certificate memory two = certificate(other(s), 7);
        Epochs.Seat[] memory seats = committeeSeats();
        vm.expectRevert(MasternodeRegistry.ZeroReporter.selector);
        manager.challengeConflict(one, two, seats, address(0));
    }

    function test_a_second_conflict_takes_what_is_left_and_nothing_twice() public {
        Statement memory s = statementAt(5);
        challenge(certificate(s, 7), certificate(other(s), 14));
        challengeExpecting(
            abi.encodeWithSelector(CheckpointManager.NothingToSlash.selector),
            certificate(s, 7),
            certificate(other(s), 14)
        );
        challenge(certificate(s, 15), certificate(other(s), 15));
        vm.assertEq(REPORTER.balance, 4 ether, "a tenth of 40");
        vm.assertEq(address(0).balance, 36 ether, "burned");
        vm.assertEq(address(registry).balance, 0, "bonds");
    }

    // Past epochs.

    function test_an_epoch_is_judged_by_its_own_keys_while_its_bonds_are_liable() public {
        Statement memory s = statementAt(5);
        CheckpointManager.Certificate memory one = certificate(s, 7);
        CheckpointManager.Certificate memory two = certificate(other(s), 14);
        Epochs.Seat[] memory seats = committeeSeats();
        quit(1);
        enrol(NEW, 5);
        edge();
        edge();
        vm.warp(block.timestamp + UNBONDING - 1);
        requireStatus(2, MasternodeRegistry.Status.Unbonding, "before");
        manager.challengeConflict(one, two, seats, REPORTER);
        requireStatus(2, MasternodeRegistry.Status.Slashed, "who has left");
        requireStatus(3, MasternodeRegistry.Status.Slashed, "who has stayed");
        (uint64 length,,) = registry.queue();
        vm.assertEq(length, 3, "no removal of who has left");
    }

    function test_an_epoch_whose_bonds_are_free_is_not_judged() public {
        Statement memory s = statementAt(5);
        CheckpointManager.Certificate memory one = certificate(s, 7);
        CheckpointManager.Certificate memory two = certificate(other(s), 14);
        Epochs.Seat[] memory seats = committeeSeats();
        edge();
        uint64 closed = uint64(block.timestamp);
        vm.warp(closed + UNBONDING);
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.EpochTooOld.selector, 0, closed, UNBONDING));
        manager.challengeConflict(one, two, seats, REPORTER);
    }

    function test_what_is_taken_counts_until_the_edge_and_not_after() public {
        post(withOffenders(statementAt(++height), 2), 15);
        Statement memory s = withOffenders(statementAt(height), 2);
        vm.warp(block.timestamp + FINALITY_DELAY);
        slash(s, 2);
        vm.assertEq(registry.totalWeight(), 40, "frozen for the epoch");
        vm.assertEq(registry.member(2).effective, 10, "counts");
        post(statementAt(++height), 7);
        edge();
        vm.assertEq(registry.totalWeight(), 30, "gone");
    }

    // Offenders.

    function test_an_offender_loses_its_bond() public {
        Statement memory s = convicted(3);
        vm.expectEmit(address(registry));
        emit MasternodeRegistry.Slashed(3, 10 ether, REPORTER);
        vm.expectEmit(address(manager));
        emit CheckpointManager.OffenderSlashed(3, 0, 9, 10 ether);
        slash(s, 3);
        requireStatus(3, MasternodeRegistry.Status.Slashed, "status");
        vm.assertEq(registry.member(3).bond, 0, "bond");
        vm.assertEq(REPORTER.balance, 1 ether, "a tenth");
        vm.assertEq(address(0).balance, 9 ether, "burned");
        vm.prank(operator(2));
        vm.expectRevert(
            abi.encodeWithSelector(
                MasternodeRegistry.BondNotFree.selector, 3, MasternodeRegistry.Status.Slashed, 0
            )
        );
        registry.withdrawBond();
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.AlreadyLeaving.selector, 3));
        vm.prank(operator(2));
        registry.requestExit();
    }

    function test_an_offender_is_slashed_once() public {
        Statement memory s = convicted(3);
        slash(s, 3);
        slashExpecting(abi.encodeWithSelector(CheckpointManager.NothingToSlash.selector), s, 3, 0);
        vm.assertEq(address(registry).balance, 30 ether, "the others' bonds");
    }

    function test_an_offender_that_leaves_is_slashed_while_it_unbonds() public {
        Statement memory s = convicted(3);
        quit(2);
        edge();
        requireStatus(3, MasternodeRegistry.Status.Unbonding, "before");
        slash(s, 3);
        requireStatus(3, MasternodeRegistry.Status.Slashed, "after");
        (uint64 length,,) = registry.queue();
        vm.assertEq(length, 1, "no second removal");
    }

    function test_nothing_is_left_of_a_bond_that_was_withdrawn() public {
        quit(2);
        edge();
        vm.warp(block.timestamp + UNBONDING);
        post(statementAt(++height), everybody());
        vm.prank(operator(2));
        registry.withdrawBond();
        Statement memory s = convicted(3);
        slashExpecting(abi.encodeWithSelector(CheckpointManager.NothingToSlash.selector), s, 3, 0);
        slashExpecting(abi.encodeWithSelector(CheckpointManager.NothingToSlash.selector), convicted(77), 77, 1);
    }

    function test_a_checkpoint_that_is_not_final_slashes_nobody() public {
        Statement memory s = withOffenders(statementAt(++height), 3);
        slashExpecting(abi.encodeWithSelector(CheckpointManager.NotFinal.selector, height), s, 3, 0);
        post(s, 15);
        slashExpecting(abi.encodeWithSelector(CheckpointManager.NotFinal.selector, height), s, 3, 0);
        vm.warp(block.timestamp + FINALITY_DELAY);
        slash(s, 3);
    }

    function test_who_is_not_in_the_tree_is_not_slashed() public {
        Statement memory s = convicted(3);
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(offenders, 0);
        CheckpointManager.Offence memory innocent = CheckpointManager.Offence(2, 0, 9);
        vm.expectPartialRevert(CheckpointManager.NotAnOffender.selector);
        manager.slashOffender(s, innocent, 0, proof, REPORTER);
        vm.expectPartialRevert(CheckpointManager.NotAnOffender.selector);
        manager.slashOffender(s, CheckpointManager.Offence(3, 0, 9), 1, proof, REPORTER);
    }

    // Helpers.

    function other(Statement memory s) private pure returns (Statement memory changed) {
        changed = abi.decode(abi.encode(s), (Statement));
        changed.stateRoot = keccak256("another state");
    }

    function certificate(Statement memory s, uint256 present)
        private
        view
        returns (CheckpointManager.Certificate memory)
    {
        return CheckpointManager.Certificate(s, bitmapOf(present), signedBy(s, present));
    }

    function committeeSeats() private view returns (Epochs.Seat[] memory seats) {
        seats = new Epochs.Seat[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            seats[i] = Epochs.Seat(ids[i], weights[i]);
        }
    }

    function challenge(CheckpointManager.Certificate memory one, CheckpointManager.Certificate memory two) private {
        manager.challengeConflict(one, two, committeeSeats(), REPORTER);
    }

    function challengeExpecting(
        bytes memory refusal,
        CheckpointManager.Certificate memory one,
        CheckpointManager.Certificate memory two
    ) private {
        Epochs.Seat[] memory seats = committeeSeats();
        vm.expectRevert(refusal);
        manager.challengeConflict(one, two, seats, REPORTER);
    }

    /// The ledger has convicted `id`, in round 9 of epoch 0.
    function withOffenders(Statement memory s, uint64 id) private returns (Statement memory) {
        bytes32 leaf = keccak256(abi.encode(uint256(id), uint256(0), uint256(9)));
        if (offenders.length == 0 || offenders[offenders.length - 1] != leaf) offenders.push(leaf);
        s.offendersRoot = Leaves.root(offenders);
        return s;
    }

    function convicted(uint64 id) private returns (Statement memory s) {
        s = withOffenders(statementAt(++height), id);
        post(s, everybody());
        vm.warp(block.timestamp + FINALITY_DELAY);
    }

    function slash(Statement memory s, uint64 id) private {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(offenders, 0);
        manager.slashOffender(s, CheckpointManager.Offence(id, 0, 9), 0, proof, REPORTER);
    }

    function slashExpecting(bytes memory refusal, Statement memory s, uint64 id, uint64 index) private {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(offenders, index);
        vm.expectRevert(refusal);
        manager.slashOffender(s, CheckpointManager.Offence(id, 0, 9), index, proof, REPORTER);
    }

    function noConflict() private pure returns (bytes memory) {
        return abi.encodeWithSelector(CheckpointManager.NoConflict.selector);
    }
}
