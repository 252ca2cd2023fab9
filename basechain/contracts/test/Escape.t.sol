// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TREE_DEPTH} from "../src/AppendTree.sol";
import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Statement} from "../src/Statement.sol";
import {Vault} from "../src/Vault.sol";
import {Leaves} from "./support/Leaves.sol";
import {WayOut} from "./support/WayOut.sol";
import {vm} from "./support/Vm.sol";

/// X1 to X6: the way out when no more checkpoints come.
contract EscapeTest is WayOut {
    function setUp() public {
        openLedger();
    }

    // The latch.

    function test_the_latch_opens_after_its_time_without_a_final_checkpoint_and_not_before() public {
        checkpoint();
        uint256 until = block.timestamp + FINALITY_DELAY + ESCAPE_AFTER;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.TooEarly.selector, until));
        vault.trip();
        vm.warp(until);
        vm.expectEmit(address(vault));
        emit EscapeHatch.LatchTripped(1);
        vault.trip();
        vm.assertEq(vault.latchedAt(), until, "latched");
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.Latched.selector, until));
        vault.trip();
    }

    function test_every_checkpoint_puts_the_latch_off() public {
        checkpoint();
        vm.warp(block.timestamp + ESCAPE_AFTER);
        checkpoint();
        uint256 until = block.timestamp + FINALITY_DELAY + ESCAPE_AFTER;
        vm.warp(block.timestamp + FINALITY_DELAY);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.TooEarly.selector, until));
        vault.trip();
    }

    function test_before_the_first_checkpoint_it_counts_from_the_deployment() public {
        uint256 until = block.timestamp + FINALITY_DELAY + ESCAPE_AFTER;
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.TooEarly.selector, until));
        vault.trip();
        vm.warp(until);
        vault.trip();
        reclaim(deposited(1, 100));
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vault.finishReclaim(deposited(1, 100));
        vm.assertEq(ALICE.balance, 100 gwei + STAKE, "back");
    }

    function test_a_frozen_bridge_opens_it_at_once() public {
        Statement memory good = finalCheckpoint();
        freeze();
        vault.trip();
        claim(good, hers);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vault.finishEscape(hers);
        vm.assertEq(ALICE.balance, 60 gwei + STAKE, "paid");
    }

    function test_of_a_frozen_bridge_only_what_was_final_counts() public {
        Statement memory young = checkpoint();
        freeze();
        vault.trip();
        vm.warp(block.timestamp + 30 days);
        claimExpecting(notFinal(young), young, hers);
    }

    function test_without_the_latch_nothing_of_it_works() public {
        Statement memory s = finalCheckpoint();
        bytes memory refusal = abi.encodeWithSelector(EscapeHatch.NotLatched.selector);
        claimExpecting(refusal, s, hers);
        refuteExpecting(refusal, s, 0, exitLeafOf(hers));
        vm.expectRevert(refusal);
        vault.refuteReclaim(s, 1);
        vm.deal(ALICE, STAKE);
        vm.prank(ALICE);
        vm.expectRevert(refusal);
        vault.reclaimDeposit{value: STAKE}(deposited(1, 100));
    }

    function test_a_latched_vault_takes_no_deposit() public {
        latchAfter();
        vm.deal(ALICE, 1 gwei);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.Latched.selector, block.timestamp));
        vault.depositNative{value: 1 gwei}(ACCOUNT);
    }

    function test_a_checkpoint_after_the_latch_pays_and_proves_nothing() public {
        latchAfter();
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        Statement memory late = finalCheckpoint();
        vm.assertTrue(manager.isFinal(late), "final");
        withdrawExpecting(notFinal(late), late, withdrawal);
        claimExpecting(notFinal(late), late, hers);
    }

    function test_withdrawals_of_checkpoints_before_it_are_paid_still() public {
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        Statement memory s = latchAfter();
        withdraw(s, withdrawal);
        vm.assertEq(BOB.balance, 1 gwei, "paid");
    }

    // Claims.

    function test_what_is_owned_is_paid_after_the_window() public {
        Statement memory s = latchAfter();
        claim(s, hers);
        uint256 until = block.timestamp + ESCAPE_WINDOW;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.TooEarly.selector, until));
        vault.finishEscape(hers);
        vm.warp(until);
        vm.expectEmit(address(vault));
        emit EscapeHatch.Escaped(0, hers.asset, ALICE, false);
        vault.finishEscape(hers);
        vm.assertEq(ALICE.balance, 60 gwei + STAKE, "owner");
        vm.assertEq(vault.held(address(0)), 40, "held");
    }

    function test_a_card_and_coins_are_paid_alike() public {
        depositCard(ALICE, 42);
        depositCoins(ALICE, 7);
        EscapeHatch.Exit memory hisCard = holding(card(42), BOB);
        EscapeHatch.Exit memory hisCoins = holding(fungible(address(coins), 7), BOB);
        Statement memory s = latchAfter();
        claim(s, hisCard);
        claim(s, hisCoins);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vault.finishEscape(hisCard);
        vault.finishEscape(hisCoins);
        vm.assertEq(cards.ownerOf(42), BOB, "card");
        vm.assertEq(coins.balanceOf(BOB), 7 * uint256(UNIT), "coins");
    }

    function test_a_place_is_paid_once() public {
        Statement memory s = latchAfter();
        claim(s, hers);
        claimExpecting(abi.encodeWithSelector(EscapeHatch.ClaimExists.selector, 0), s, hers);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vault.finishEscape(hers);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.NoClaim.selector, 0));
        vault.finishEscape(hers);
        claimExpecting(abi.encodeWithSelector(EscapeHatch.ClaimExists.selector, 0), s, hers);
    }

    function test_only_the_owner_claims_and_with_the_stake() public {
        Statement memory s = latchAfter();
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, 0);
        vm.deal(BOB, 1 ether);
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.NotTheOwner.selector, BOB, ALICE));
        vault.escape{value: STAKE}(s, hers, proof);
        vm.deal(ALICE, 1 ether);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.WrongStake.selector, STAKE - 1, STAKE));
        vault.escape{value: STAKE - 1}(s, hers, proof);
    }

    function test_another_amount_owner_or_place_is_refused() public {
        Statement memory s = latchAfter();
        EscapeHatch.Exit memory more = hers;
        more.asset.value = 61;
        claimPartlyExpecting(EscapeHatch.NotInTree.selector, s, more, 0);
        EscapeHatch.Exit memory mine = his;
        mine.owner = ALICE;
        claimPartlyExpecting(EscapeHatch.NotInTree.selector, s, mine, 1);
        EscapeHatch.Exit memory moved = hers;
        moved.index = 1;
        claimPartlyExpecting(EscapeHatch.NotInTree.selector, s, moved, 1);
    }

    function test_another_holding_than_the_claimed_is_not_paid() public {
        Statement memory s = latchAfter();
        claim(s, hers);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        EscapeHatch.Exit memory more = hers;
        more.asset.value = 61;
        vm.expectPartialRevert(EscapeHatch.NotInTree.selector);
        vault.finishEscape(more);
    }

    function test_a_statement_with_other_deposits_proves_nothing() public {
        Statement memory s = unposted();
        s.depositsDigest = keccak256("other deposits");
        post(s, ALL);
        vm.warp(block.timestamp + FINALITY_DELAY + ESCAPE_AFTER);
        vault.trip();
        claimPartlyExpecting(EscapeHatch.ForeignDeposits.selector, s, hers, 0);
    }

    function test_a_withdrawals_leaf_is_no_exit() public view {
        Vault.Withdrawal memory withdrawal = Vault.Withdrawal(0, coin(60), ALICE);
        vm.assertTrue(vault.leafOf(withdrawal) != exitLeafOf(hers), "the tag");
    }

    // Refuted.

    function test_a_later_checkpoint_refutes_what_was_spent() public {
        (Statement memory old, bytes32[TREE_DEPTH] memory proof) = (finalCheckpoint(), Leaves.proof(holdings, 0));
        EscapeHatch.Exit memory less = EscapeHatch.Exit(0, coin(10), ALICE);
        holdings[0] = exitLeafOf(less);
        Statement memory last = latchAfter();
        vm.deal(ALICE, STAKE);
        vm.prank(ALICE);
        vault.escape{value: STAKE}(old, hers, proof);

        vm.prank(WATCHER);
        vault.refuteEscape(last, 0, holdings[0], Leaves.proof(holdings, 0));
        vm.assertEq(WATCHER.balance, STAKE, "the stake");
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vm.expectPartialRevert(EscapeHatch.NotInTree.selector);
        vault.finishEscape(hers);
        claimRefused(last.height, old, hers, proof);
        // What is true can be claimed.
        claim(last, less);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vault.finishEscape(less);
        vm.assertEq(ALICE.balance, 10 gwei + STAKE, "paid");
    }

    function test_a_place_that_is_empty_later_refutes_what_was_withdrawn() public {
        (Statement memory old, bytes32[TREE_DEPTH] memory proof) = (finalCheckpoint(), Leaves.proof(holdings, 0));
        holdings[0] = 0;
        Statement memory last = latchAfter();
        vm.deal(ALICE, STAKE);
        vm.prank(ALICE);
        vault.escape{value: STAKE}(old, hers, proof);
        vm.prank(WATCHER);
        vault.refuteEscape(last, 0, 0, Leaves.proof(holdings, 0));
        vm.assertEq(WATCHER.balance, STAKE, "the stake");
        claimRefused(last.height, old, hers, proof);
    }

    function test_after_a_refutation_no_older_proof_counts_and_later_ones_do() public {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, 0);
        Statement memory old = finalCheckpoint();
        EscapeHatch.Exit memory less = EscapeHatch.Exit(0, coin(10), ALICE);
        holdings[0] = exitLeafOf(less);
        Statement memory middle = finalCheckpoint();
        bytes32[TREE_DEPTH] memory proofAtMiddle = Leaves.proof(holdings, 0);
        holdings[0] = exitLeafOf(hers);
        Statement memory last = latchAfter();
        claimBy(old, hers, proof);
        vault.refuteEscape(middle, 0, exitLeafOf(less), proofAtMiddle);
        // The same holding again, by a checkpoint that has it again.
        claimRefused(middle.height, old, hers, proof);
        claimBy(middle, less, proofAtMiddle);
        vault.refuteEscape(last, 0, holdings[0], Leaves.proof(holdings, 0));
        claimRefused(last.height, middle, less, proofAtMiddle);
        claim(last, hers);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        uint256 before = ALICE.balance;
        vault.finishEscape(hers);
        vm.assertEq(ALICE.balance - before, 60 gwei + STAKE, "paid");
    }

    function test_a_refutation_is_of_its_place_alone() public {
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(holdings, 0);
        Statement memory old = finalCheckpoint();
        holdings[0] = 0;
        Statement memory last = latchAfter();
        claimBy(old, hers, proof);
        vault.refuteEscape(last, 0, 0, Leaves.proof(holdings, 0));
        holdings[0] = exitLeafOf(hers);
        claim(old, his);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vault.finishEscape(his);
        vm.assertEq(BOB.balance, 40 gwei + STAKE, "paid");
    }

    function test_the_same_holding_later_or_another_one_earlier_refutes_nothing() public {
        Statement memory old = finalCheckpoint();
        bytes32 before = holdings[0];
        bytes32[TREE_DEPTH] memory proofBefore = Leaves.proof(holdings, 0);
        EscapeHatch.Exit memory less = EscapeHatch.Exit(0, coin(10), ALICE);
        holdings[0] = exitLeafOf(less);
        Statement memory middle = finalCheckpoint();
        Statement memory last = latchAfter();
        claim(middle, less);
        bytes memory refusal = abi.encodeWithSelector(EscapeHatch.NotRefuted.selector, 0);
        refuteExpecting(refusal, last, 0, holdings[0]);
        vm.expectRevert(refusal);
        vault.refuteEscape(old, 0, before, proofBefore);
        vm.expectPartialRevert(EscapeHatch.NotInTree.selector);
        vault.refuteEscape(last, 0, before, proofBefore);
    }

    function test_what_is_paid_or_not_claimed_is_not_refuted() public {
        Statement memory s = latchAfter();
        bytes memory nothing = abi.encodeWithSelector(EscapeHatch.NoClaim.selector, 1);
        refuteExpecting(nothing, s, 1, holdings[1]);
        vm.expectRevert(nothing);
        vault.refuteReclaim(s, 1);
        vm.expectPartialRevert(EscapeHatch.NotInTree.selector);
        vault.finishEscape(his);
    }

    // Deposits that nobody has credited.

    function test_a_deposit_that_was_never_processed_comes_back() public {
        Statement memory s = finalCheckpoint();
        depositCoin(BOB, 5);
        latch();
        EscapeHatch.Deposit memory d = EscapeHatch.Deposit(2, coin(5), BOB, ACCOUNT);
        reclaim(d);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.NotRefuted.selector, 2));
        vault.refuteReclaim(s, 2);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.TooEarly.selector, block.timestamp + ESCAPE_WINDOW));
        vault.finishReclaim(d);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        d.asset = coin(100);
        vm.expectPartialRevert(EscapeHatch.OtherDeposit.selector);
        vault.finishReclaim(d);
        d.asset = coin(5);
        vault.finishReclaim(d);
        vm.assertEq(BOB.balance, 5 gwei + STAKE, "back");
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.NoClaim.selector, 2));
        vault.finishReclaim(d);
    }

    function test_a_deposit_that_was_credited_does_not() public {
        Statement memory s = latchAfter();
        reclaim(deposited(1, 100));
        vm.prank(WATCHER);
        vault.refuteReclaim(s, 1);
        vm.assertEq(WATCHER.balance, STAKE, "the stake");
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.NoClaim.selector, 1));
        vault.finishReclaim(deposited(1, 100));
        // Nor ever again.
        vm.deal(ALICE, STAKE);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.AlreadyRefuted.selector, 1, s.height));
        vault.reclaimDeposit{value: STAKE}(deposited(1, 100));
    }

    function test_only_its_sender_reclaims_a_deposit_as_it_was() public {
        latchAfter();
        vm.deal(BOB, STAKE);
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.NotTheOwner.selector, BOB, ALICE));
        vault.reclaimDeposit{value: STAKE}(deposited(1, 100));
        vm.expectPartialRevert(EscapeHatch.OtherDeposit.selector);
        vault.reclaimDeposit{value: STAKE}(deposited(1, 101));
        for (uint64 index = 0; index < 3; index += 2) {
            vm.expectRevert(abi.encodeWithSelector(EscapeHatch.UnknownDeposit.selector, index, 1));
            vault.reclaimDeposit{value: STAKE}(deposited(index, 100));
        }
    }

    // Payments that fail.

    function test_a_stake_and_a_payout_that_are_refused_are_kept() public {
        Statement memory s = latchAfter();
        claim(s, hers);
        vm.warp(block.timestamp + ESCAPE_WINDOW);
        vm.etch(ALICE, hex"60006000fd");
        vm.expectEmit(address(vault));
        emit EscapeHatch.Escaped(0, hers.asset, ALICE, true);
        vault.finishEscape(hers);
        vm.assertEq(vault.credits(ALICE, address(0)), 60 + STAKE / 1 gwei, "kept");
        vm.prank(ALICE);
        vault.claim(coin(0), WATCHER);
        vm.assertEq(WATCHER.balance, 60 gwei + STAKE, "fetched");
    }
}
