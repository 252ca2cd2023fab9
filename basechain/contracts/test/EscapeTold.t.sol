// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TREE_DEPTH} from "../src/AppendTree.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Statement} from "../src/Statement.sol";
import {Vault} from "../src/Vault.sol";
import {Leaves} from "./support/Leaves.sol";
import {WayOut} from "./support/WayOut.sol";
import {vm} from "./support/Vm.sol";

/// What of the way out is announced, and with which times a vault can have one.
contract EscapeToldTest is WayOut {
    function setUp() public {
        openLedger();
    }

    function test_a_claim_and_its_end_are_announced() public {
        Statement memory old = finalCheckpoint();
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, 0);
        holdings[0] = 0;
        Statement memory last = checkpoint();
        vm.warp(block.timestamp + FINALITY_DELAY + ESCAPE_AFTER);
        vm.expectEmit(address(vault));
        emit EscapeHatch.LatchTripped(last.height);
        vault.trip();

        vm.deal(ALICE, STAKE);
        vm.prank(ALICE);
        vm.expectEmit(address(vault));
        emit EscapeHatch.ExitClaimed(0, hers.asset, ALICE, old.height);
        vault.escape{value: STAKE}(old, hers, proof);
        bytes32[TREE_DEPTH] memory gone = Leaves.proof(holdings, 0);
        vm.expectEmit(address(vault));
        emit EscapeHatch.ExitRefuted(0, last.height, WATCHER);
        vm.prank(WATCHER);
        vault.refuteEscape(last, 0, 0, gone);

        claim(last, his);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vm.expectEmit(address(vault));
        emit EscapeHatch.Escaped(1, his.asset, BOB, false);
        vault.finishEscape(his);
    }

    function test_a_reclaim_and_its_end_are_announced() public {
        Statement memory s = finalCheckpoint();
        depositCoin(ALICE, 5);
        latch();
        for (uint64 i = 1; i <= 2; ++i) {
            EscapeHatch.Deposit memory d = deposited(i, i == 1 ? 100 : 5);
            vm.deal(ALICE, STAKE);
            vm.prank(ALICE);
            vm.expectEmit(address(vault));
            emit EscapeHatch.ReclaimOpened(i, d.asset, ALICE);
            vault.reclaimDeposit{value: STAKE}(d);
        }
        vm.expectEmit(address(vault));
        emit EscapeHatch.ReclaimRefuted(1, s.height, WATCHER);
        vm.prank(WATCHER);
        vault.refuteReclaim(s, 1);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vm.expectEmit(address(vault));
        emit EscapeHatch.Reclaimed(2, coin(5), ALICE, false);
        vault.finishReclaim(deposited(2, 5));
    }

    function test_times_of_zero_or_over_a_year_are_refused() public {
        refuseTimes(0, 1);
        refuseTimes(1, 0);
        refuseTimes(365 days + 1, 1);
        refuseTimes(1, 365 days + 1);
        new Vault(manager, CURATOR, 365 days, 365 days);
    }

    function refuseTimes(uint64 afterSeconds, uint64 windowSeconds) private {
        vm.expectRevert(
            abi.encodeWithSelector(EscapeHatch.EscapeTimes.selector, afterSeconds, windowSeconds, 365 days)
        );
        this.newVault(manager, CURATOR, afterSeconds, windowSeconds);
    }

    /// A call of its own, as those of `DeploymentTest`.
    function newVault(CheckpointManager manager_, address curator, uint64 escapeAfter, uint64 escapeWindow)
        external
        returns (Vault)
    {
        return new Vault(manager_, curator, escapeAfter, escapeWindow);
    }
}
