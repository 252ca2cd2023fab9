// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Custody} from "../../src/Custody.sol";
import {TREE_DEPTH} from "../../src/AppendTree.sol";
import {Statement} from "../../src/Statement.sol";
import {Vault} from "../../src/Vault.sol";
import {Cluster} from "./Cluster.sol";
import {Leaves} from "./Leaves.sol";
import {Cards, Coins} from "./Tokens.sol";
import {vm} from "./Vm.sol";

/// A vault beside a committee of four, and the ledger's side of it: withdrawals that the committee certifies.
abstract contract Bridge is Cluster {
    uint256 internal constant ALL = 15;
    uint88 internal constant UNIT = 1e9;
    uint64 internal constant ESCAPE_AFTER = 7 days;
    uint64 internal constant ESCAPE_WINDOW = 2 days;
    address internal constant CURATOR = address(0xc0ffee);
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);
    bytes32 internal constant ACCOUNT = keccak256("an account of the ledger");

    Vault internal vault;
    Coins internal coins;
    Cards internal cards;
    bytes32[] internal leaves;
    /// The exit tree, by its places.
    bytes32[] internal holdings;
    uint64 internal height;

    function openBridge() internal {
        establish(equalWeights(4));
        vault = new Vault(manager, CURATOR, ESCAPE_AFTER, ESCAPE_WINDOW);
        coins = new Coins();
        cards = new Cards();
        list(address(coins), Custody.Kind.ERC20, UNIT);
        list(address(cards), Custody.Kind.ERC721, 1);
    }

    function list(address token, Custody.Kind kind, uint88 unit) internal {
        vm.prank(CURATOR);
        vault.list(token, kind, unit);
    }

    function coin(uint256 value) internal pure returns (Custody.Asset memory) {
        return Custody.Asset(Custody.Kind.Native, address(0), value);
    }

    function fungible(address token, uint256 value) internal pure returns (Custody.Asset memory) {
        return Custody.Asset(Custody.Kind.ERC20, token, value);
    }

    function card(uint256 tokenId) internal view returns (Custody.Asset memory) {
        return Custody.Asset(Custody.Kind.ERC721, address(cards), tokenId);
    }

    function depositCoin(address from, uint256 units) internal returns (uint64) {
        vm.deal(from, units * 1 gwei);
        vm.prank(from);
        return vault.depositNative{value: units * 1 gwei}(ACCOUNT);
    }

    function depositCoins(address from, uint64 units) internal returns (uint64) {
        coins.mint(from, uint256(units) * UNIT);
        vm.startPrank(from);
        coins.approve(address(vault), uint256(units) * UNIT);
        uint64 index = vault.depositERC20(address(coins), units, ACCOUNT);
        vm.stopPrank();
        return index;
    }

    function depositCard(address from, uint256 tokenId) internal returns (uint64) {
        if (cards.ownerOf(tokenId) == address(0)) cards.mint(from, tokenId);
        vm.startPrank(from);
        cards.approve(address(vault), tokenId);
        uint64 index = vault.depositERC721(address(cards), tokenId, ACCOUNT);
        vm.stopPrank();
        return index;
    }

    /// Burns in the ledger, so to speak: the withdrawal is in every tree from now on.
    function burn(Custody.Asset memory asset, address recipient) internal returns (Vault.Withdrawal memory withdrawal) {
        withdrawal = Vault.Withdrawal(uint64(leaves.length), asset, recipient);
        leaves.push(vault.leafOf(withdrawal));
    }

    /// The next checkpoint, with all withdrawals and deposits so far.
    function checkpoint() internal returns (Statement memory statement) {
        statement = unposted();
        post(statement, ALL);
    }

    function unposted() internal returns (Statement memory statement) {
        statement = statementAt(++height);
        statement.withdrawalsRoot = Leaves.root(leaves);
        statement.exitRoot = Leaves.root(holdings);
        statement.depositsProcessed = vault.depositCount();
        statement.depositsDigest = vault.depositDigest(vault.depositCount());
    }

    function finalCheckpoint() internal returns (Statement memory statement) {
        statement = checkpoint();
        vm.warp(block.timestamp + FINALITY_DELAY);
    }

    function proofOf(Vault.Withdrawal memory withdrawal) internal view returns (bytes32[TREE_DEPTH] memory) {
        return Leaves.proof(leaves, withdrawal.index);
    }

    function withdraw(Statement memory statement, Vault.Withdrawal memory withdrawal) internal {
        bytes32[TREE_DEPTH] memory proof = proofOf(withdrawal);
        vault.withdraw(statement, withdrawal, proof);
    }

    function withdrawExpecting(bytes memory refusal, Statement memory statement, Vault.Withdrawal memory withdrawal)
        internal
    {
        bytes32[TREE_DEPTH] memory proof = proofOf(withdrawal);
        vm.expectRevert(refusal);
        vault.withdraw(statement, withdrawal, proof);
    }
}
