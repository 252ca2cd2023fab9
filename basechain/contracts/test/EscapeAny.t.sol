// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Statement} from "../src/Statement.sol";
import {Leaves} from "./support/Leaves.sol";
import {WayOut} from "./support/WayOut.sol";
import {vm} from "./support/Vm.sol";

/// Whatever is claimed by whichever proof: in the end everybody has what the last checkpoint says.
contract EscapeAnyTest is WayOut {
    function setUp() public {
        openLedger();
    }

    /// A few people hold the coin at places of their own and it moves among them from checkpoint to checkpoint; each
    /// claims by a checkpoint of its choice; a watcher refutes what is not so any more.
    function testFuzz_everybody_gets_what_the_last_checkpoint_says(uint256 seed) public {
        uint256[4] memory units = [uint256(60), 40, 0, 0];
        Statement[4] memory statements;
        bytes32[][4] memory trees;
        for (uint256 t = 0; t < 4; ++t) {
            statements[t] = finalCheckpoint();
            trees[t] = holdings;
            uint256 draw = uint256(keccak256(abi.encode(seed, t)));
            uint256 from = draw % 4;
            uint256 moved = (draw >> 8) % (units[from] + 1);
            if (t == 3 || moved == 0) continue;
            units[from] -= moved;
            units[(draw >> 16) % 4] += moved;
            delete holdings;
            for (uint64 i = 0; i < 4; ++i) {
                holdings.push(units[i] == 0 ? bytes32(0) : exitLeafOf(share(i, units[i])));
            }
        }
        latch();
        for (uint64 i = 0; i < 4; ++i) {
            settle(i, units[i], statements, trees, uint256(keccak256(abi.encode(seed, "claims", i))) % 4);
        }
        vm.assertEq(vault.held(address(0)), 0, "all of it");
    }

    function settle(
        uint64 i,
        uint256 due,
        Statement[4] memory statements,
        bytes32[][4] memory trees,
        uint256 chosen
    ) private {
        address owner = share(i, 0).owner;
        for (uint256 units = 1; units <= 100; ++units) {
            EscapeHatch.Exit memory exit = share(i, units);
            if (i >= trees[chosen].length || trees[chosen][i] != exitLeafOf(exit)) continue;
            claimBy(statements[chosen], exit, Leaves.proof(trees[chosen], i));
            if (units != due) vault.refuteEscape(statements[3], i, leafIn(trees[3], i), Leaves.proof(trees[3], i));
        }
        if (due == 0) return;
        EscapeHatch.Exit memory last = share(i, due);
        (,, uint64 openedAt,,) = vault.exits(i);
        if (openedAt == 0) claimBy(statements[3], last, Leaves.proof(trees[3], i));
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        uint256 before = owner.balance;
        vault.finishEscape(last);
        vm.assertEq(owner.balance - before, due * 1 gwei + STAKE, "paid");
    }

    function leafIn(bytes32[] memory tree, uint256 i) private pure returns (bytes32) {
        return i < tree.length ? tree[i] : bytes32(0);
    }

    function share(uint64 i, uint256 units) private pure returns (EscapeHatch.Exit memory) {
        address owner = i == 0 ? ALICE : i == 1 ? BOB : address(uint160(0xcafe) + i);
        return EscapeHatch.Exit(i, coin(units), owner);
    }
}
