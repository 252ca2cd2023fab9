// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Statement} from "../src/Statement.sol";
import {TREE_DEPTH} from "../src/AppendTree.sol";
import {Vault} from "../src/Vault.sol";
import {Bridge} from "./support/Bridge.sol";
import {Leaves} from "./support/Leaves.sol";
import {vm} from "./support/Vm.sol";

/// Deposits, burns in the ledger, checkpoints, and payouts by whichever proof, asked for as often as one likes.
contract BridgeHandler is Bridge {
    uint256 public deposited;
    uint256 public burned;
    uint256 public paidOut;
    Vault.Withdrawal[] private withdrawals;
    Statement[] private statements;
    uint256[] private sizes;
    mapping(uint64 index => uint256) public payments;

    constructor() {
        openBridge();
    }

    function deposit(uint256 units) external {
        units = 1 + units % 1_000;
        depositCoin(ALICE, units);
        deposited += units;
    }

    /// The ledger burns no more than there is in it.
    function burnInLedger(uint256 units) external {
        uint256 there = deposited - burned;
        if (there == 0) return;
        units = 1 + units % there;
        withdrawals.push(burn(coin(units), BOB));
        burned += units;
    }

    function certify(bool waits) external {
        statements.push(checkpoint());
        sizes.push(leaves.length);
        if (waits) vm.warp(block.timestamp + FINALITY_DELAY);
    }

    function pay(uint256 by, uint256 which) external {
        if (statements.length == 0 || withdrawals.length == 0) return;
        by %= statements.length;
        Vault.Withdrawal memory w = withdrawals[which % withdrawals.length];
        bytes32[] memory tree = new bytes32[](sizes[by]);
        for (uint256 i = 0; i < tree.length; ++i) {
            tree[i] = leaves[i];
        }
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(tree, w.index);
        try vault.withdraw(statements[by], w, proof) {
            ++payments[w.index];
            paidOut += w.asset.value;
        } catch {}
    }

    function count() external view returns (uint64) {
        return uint64(withdrawals.length);
    }

    function theVault() external view returns (Vault) {
        return vault;
    }
}

/// What always holds of what the vault holds.
contract BridgeInvariantTest {
    BridgeHandler private handler = new BridgeHandler();
    Vault private vault = handler.theVault();

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_what_is_held_is_deposits_less_payouts() public view {
        vm.assertEq(vault.held(address(0)), handler.deposited() - handler.paidOut(), "held");
        vm.assertEq(address(vault).balance, vault.held(address(0)) * 1 gwei, "balance");
        vm.assertTrue(handler.paidOut() <= handler.burned(), "no more than was burned");
    }

    function invariant_no_withdrawal_is_paid_twice() public view {
        for (uint64 i = 0; i < handler.count(); ++i) {
            vm.assertLe(handler.payments(i), 1, "payments");
            vm.assertEq(vault.isPaid(i), handler.payments(i) == 1, "paid");
        }
    }
}
