// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Custody} from "../src/Custody.sol";
import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Statement} from "../src/Statement.sol";
import {TREE_DEPTH} from "../src/AppendTree.sol";
import {Vault} from "../src/Vault.sol";
import {Bridge} from "./support/Bridge.sol";
import {Leaves} from "./support/Leaves.sol";
import {Cards, Coins} from "./support/Tokens.sol";
import {vm} from "./support/Vm.sol";

/// Deposits of all kinds, burns in the ledger, checkpoints, and payouts by whichever proof, asked for as often as one
/// likes. What the vault answers to each of these is known beforehand; any other answer ends the run.
contract BridgeHandler is Bridge {
    uint256 private constant FIRST_CARD = 1;
    /// In units, by token; zero is the coin.
    mapping(address token => uint256) public deposited;
    mapping(address token => uint256) public burned;
    mapping(address token => uint256) public paidOut;
    mapping(uint64 index => uint256) public payments;
    /// How often a payout was refused, by the error.
    mapping(bytes4 refusal => uint256) public refusals;
    /// Cards there are, those of them that the ledger has, and those that the vault keeps for BOB.
    uint256 public cardCount;
    uint256[] private cardsInLedger;
    uint256[] private cardsKept;
    mapping(uint256 tokenId => bool) public isOut;
    Vault.Withdrawal[] private withdrawals;
    Statement[] private statements;
    uint256[] private sizes;
    uint256[] private postedAt;

    constructor() {
        openBridge();
    }

    function depositCoin(uint256 units) external {
        units = 1 + units % 1_000;
        depositCoin(ALICE, units);
        deposited[address(0)] += units;
    }

    function depositCoins(uint256 units) external {
        units = 1 + units % 1_000;
        depositCoins(ALICE, uint64(units));
        deposited[address(coins)] += units;
    }

    /// A new card, or one that BOB was paid.
    function depositCard(uint256 which) external {
        if (cards.stuck()) return;
        uint256 id = FIRST_CARD + which % (cardCount + 1);
        if (id > cardCount) ++cardCount;
        else if (!isOut[id]) return;
        isOut[id] = false;
        depositCard(cards.ownerOf(id) == BOB ? BOB : ALICE, id);
        cardsInLedger.push(id);
    }

    /// While they stick, payouts of cards fail and are kept.
    function stickCards(bool stuck) external {
        cards.stick(stuck);
    }

    /// The ledger burns no more than there is in it.
    function burnInLedger(uint256 kind, uint256 units) external {
        if (kind % 3 == 2) return burnCard(units);
        address token = kind % 3 == 0 ? address(0) : address(coins);
        uint256 there = deposited[token] - burned[token];
        if (there == 0) return;
        units = 1 + units % there;
        withdrawals.push(burn(token == address(0) ? coin(units) : fungible(token, units), BOB));
        burned[token] += units;
    }

    function burnCard(uint256 which) private {
        uint256 length = cardsInLedger.length;
        if (length == 0) return;
        which %= length;
        withdrawals.push(burn(card(cardsInLedger[which]), BOB));
        cardsInLedger[which] = cardsInLedger[length - 1];
        cardsInLedger.pop();
    }

    function certify(bool waits) external {
        statements.push(checkpoint());
        sizes.push(leaves.length);
        postedAt.push(block.timestamp);
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
        bytes4 expected = refusalOf(by, w.index);
        try vault.withdraw(statements[by], w, proof) {
            vm.assertEq(expected, bytes32(0), "paid");
            note(w);
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), expected, "refused");
            ++refusals[expected];
        }
    }

    /// What the vault has to say to it; zero when it has to pay.
    function refusalOf(uint256 by, uint64 index) private view returns (bytes4) {
        if (block.timestamp < postedAt[by] + FINALITY_DELAY) return EscapeHatch.NotFinal.selector;
        if (index >= sizes[by]) return EscapeHatch.NotInTree.selector;
        return payments[index] > 0 ? Vault.AlreadyPaid.selector : bytes4(0);
    }

    function note(Vault.Withdrawal memory w) private {
        ++payments[w.index];
        if (w.asset.kind != Custody.Kind.ERC721) paidOut[w.asset.token] += w.asset.value;
        else if (cards.stuck()) cardsKept.push(w.asset.value);
        else isOut[w.asset.value] = true;
    }

    function fetchCard() external {
        uint256 length = cardsKept.length;
        if (length == 0 || cards.stuck()) return;
        uint256 id = cardsKept[length - 1];
        cardsKept.pop();
        vm.prank(BOB);
        vault.claim(card(id), BOB);
        isOut[id] = true;
    }

    function count() external view returns (uint64) {
        return uint64(withdrawals.length);
    }

    function parts() external view returns (Vault, Coins, Cards, address) {
        return (vault, coins, cards, BOB);
    }
}

/// What always holds of what the vault holds.
contract BridgeInvariantTest {
    BridgeHandler private handler = new BridgeHandler();
    Vault private vault;
    Coins private coins;
    Cards private cards;
    address private bob;

    constructor() {
        (vault, coins, cards, bob) = handler.parts();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_what_is_held_is_deposits_less_payouts() public view {
        checkHeld(address(0), address(vault).balance, 1 gwei);
        checkHeld(address(coins), coins.balanceOf(address(vault)), 1e9);
    }

    function checkHeld(address token, uint256 balance, uint256 unit) private view {
        uint256 held = vault.held(token);
        vm.assertEq(held, handler.deposited(token) - handler.paidOut(token), "held");
        vm.assertEq(balance, held * unit, "balance");
        vm.assertLe(handler.paidOut(token), handler.burned(token), "no more than was burned");
        vm.assertEq(vault.credits(bob, token), 0, "kept as well");
    }

    function invariant_a_card_is_the_vaults_until_it_is_paid_out() public view {
        for (uint256 id = 1; id <= handler.cardCount(); ++id) {
            vm.assertEq(cards.ownerOf(id), handler.isOut(id) ? bob : address(vault), "owner");
        }
    }

    function invariant_no_withdrawal_is_paid_twice() public view {
        for (uint64 i = 0; i < handler.count(); ++i) {
            vm.assertLe(handler.payments(i), 1, "payments");
            vm.assertEq(vault.isPaid(i), handler.payments(i) == 1, "paid");
        }
    }

    /// The handler comes to every refusal that it expects.
    function test_every_expected_refusal_of_a_payout_is_met() public {
        handler.depositCard(0);
        handler.depositCoins(4);
        handler.certify(true);
        handler.burnInLedger(2, 0);
        handler.burnInLedger(1, 1);
        handler.pay(0, 0);
        handler.certify(false);
        handler.pay(1, 0);
        handler.certify(true);
        handler.stickCards(true);
        handler.pay(2, 0);
        handler.pay(1, 0);
        handler.pay(2, 1);
        handler.stickCards(false);
        handler.fetchCard();
        vm.assertEq(handler.refusals(EscapeHatch.NotInTree.selector), 1, "not in the tree");
        vm.assertEq(handler.refusals(EscapeHatch.NotFinal.selector), 1, "not final");
        vm.assertEq(handler.refusals(Vault.AlreadyPaid.selector), 1, "paid");
        vm.assertEq(handler.payments(0) + handler.payments(1), 2, "payments");
        vm.assertEq(cards.ownerOf(1), bob, "fetched");
        handler.depositCard(0);
        vm.assertEq(cards.ownerOf(1), address(vault), "once more");
    }
}
