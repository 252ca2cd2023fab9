// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TREE_DEPTH} from "../../src/AppendTree.sol";
import {CheckpointManager} from "../../src/CheckpointManager.sol";
import {Custody} from "../../src/Custody.sol";
import {Epochs} from "../../src/Epochs.sol";
import {EscapeHatch} from "../../src/EscapeHatch.sol";
import {Statement} from "../../src/Statement.sol";
import {Vault} from "../../src/Vault.sol";
import {Bridge} from "./Bridge.sol";
import {Leaves} from "./Leaves.sol";
import {vm} from "./Vm.sol";

/// A ledger with two owners, the latch, and those who claim and refute.
abstract contract WayOut is Bridge {
    uint256 internal constant STAKE = 0.01 ether;
    address internal constant WATCHER = address(0x3a7c4e4);
    /// What ALICE has in the ledger, at place 0, and BOB at place 1.
    EscapeHatch.Exit internal hers;
    EscapeHatch.Exit internal his;

    function openLedger() internal {
        openBridge();
        depositCoin(ALICE, 100);
        hers = holding(coin(60), ALICE);
        his = holding(coin(40), BOB);
    }

    function holding(Custody.Asset memory asset, address owner) internal returns (EscapeHatch.Exit memory exit) {
        exit = EscapeHatch.Exit(uint64(holdings.length), asset, owner);
        holdings.push(exitLeafOf(exit));
    }

    function exitLeafOf(EscapeHatch.Exit memory exit) internal pure returns (bytes32) {
        Custody.Asset memory a = exit.asset;
        bytes32 tag = keccak256("WEFT-V01-EXIT");
        return keccak256(abi.encode(tag, exit.index, a.kind, a.token, a.value, exit.owner));
    }

    function deposited(uint64 index, uint256 units) internal pure returns (EscapeHatch.Deposit memory) {
        return EscapeHatch.Deposit(index, coin(units), ALICE, ACCOUNT);
    }

    function latch() internal {
        vm.warp(block.timestamp + FINALITY_DELAY + ESCAPE_AFTER);
        vault.trip();
    }

    function latchAfter() internal returns (Statement memory s) {
        s = checkpoint();
        latch();
    }

    function freeze() internal {
        Statement memory one = statementAt(height + 1);
        Statement memory other = statementAt(height + 1);
        other.stateRoot = keccak256("another state");
        Epochs.Seat[] memory seats = new Epochs.Seat[](4);
        for (uint256 i = 0; i < 4; ++i) {
            seats[i] = Epochs.Seat(ids[i], weights[i]);
        }
        manager.challengeConflict(signed(one), signed(other), seats, WATCHER);
    }

    function signed(Statement memory s) internal view returns (CheckpointManager.Certificate memory) {
        return CheckpointManager.Certificate(s, bitmapOf(ALL), signedBy(s, ALL));
    }

    function claim(Statement memory s, EscapeHatch.Exit memory exit) internal {
        claimBy(s, exit, Leaves.proof(holdings, exit.index));
    }

    function claimBy(Statement memory s, EscapeHatch.Exit memory exit, bytes32[TREE_DEPTH] memory proof) internal {
        vm.deal(exit.owner, exit.owner.balance + STAKE);
        vm.prank(exit.owner);
        vault.escape{value: STAKE}(s, exit, proof);
    }

    function claimExpecting(bytes memory refusal, Statement memory s, EscapeHatch.Exit memory exit) internal {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, exit.index);
        vm.deal(exit.owner, STAKE);
        vm.prank(exit.owner);
        vm.expectRevert(refusal);
        vault.escape{value: STAKE}(s, exit, proof);
    }

    function claimRefused(
        uint64 by,
        Statement memory s,
        EscapeHatch.Exit memory exit,
        bytes32[TREE_DEPTH] memory proof
    ) internal {
        vm.deal(exit.owner, exit.owner.balance + STAKE);
        vm.prank(exit.owner);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.AlreadyRefuted.selector, exit.index, by));
        vault.escape{value: STAKE}(s, exit, proof);
        vm.deal(exit.owner, exit.owner.balance - STAKE);
    }

    function claimPartlyExpecting(bytes4 refusal, Statement memory s, EscapeHatch.Exit memory exit, uint256 place)
        internal
    {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, place);
        vm.deal(exit.owner, STAKE);
        vm.prank(exit.owner);
        vm.expectPartialRevert(refusal);
        vault.escape{value: STAKE}(s, exit, proof);
    }

    function refuteExpecting(bytes memory refusal, Statement memory s, uint64 index, bytes32 leaf) internal {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, index);
        vm.expectRevert(refusal);
        vault.refuteEscape(s, index, leaf, proof);
    }

    function reclaim(EscapeHatch.Deposit memory d) internal {
        vm.deal(d.sender, STAKE);
        vm.prank(d.sender);
        vault.reclaimDeposit{value: STAKE}(d);
    }

    function notFinal(Statement memory s) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(EscapeHatch.NotFinal.selector, s.height);
    }
}
