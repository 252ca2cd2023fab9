// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Custody} from "../src/Custody.sol";
import {TREE_DEPTH} from "../src/AppendTree.sol";
import {Statement} from "../src/Statement.sol";
import {Vault} from "../src/Vault.sol";
import {Bridge} from "./support/Bridge.sol";
import {Leaves} from "./support/Leaves.sol";
import {Bookkeeper, CoinsThatRefuse, Picky, Wasteful} from "./support/Tokens.sol";
import {vm} from "./support/Vm.sol";

/// What the vault pays out, to whom, and how often.
contract WithdrawalTest is Bridge {
    function setUp() public {
        openBridge();
    }

    // Paid.

    function test_coin_is_paid_to_its_recipient() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(4), BOB);
        Statement memory statement = finalCheckpoint();
        vm.expectEmit(address(vault));
        emit Vault.Withdrawn(0, coin(4), BOB);
        withdraw(statement, withdrawal);
        vm.assertEq(BOB.balance, 4 gwei, "recipient");
        vm.assertEq(vault.held(address(0)), 6, "held");
    }

    function test_an_erc20_is_paid_in_its_unit() public {
        depositCoins(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(fungible(address(coins), 4), BOB);
        withdraw(finalCheckpoint(), withdrawal);
        vm.assertEq(coins.balanceOf(BOB), 4 * uint256(UNIT), "recipient");
        vm.assertEq(vault.held(address(coins)), 6, "held");
    }

    function test_a_card_goes_to_its_recipient() public {
        depositCard(ALICE, 42);
        Vault.Withdrawal memory withdrawal = burn(card(42), BOB);
        withdraw(finalCheckpoint(), withdrawal);
        vm.assertEq(cards.ownerOf(42), BOB, "owner");
    }

    function test_what_was_paid_is_not_kept_as_well() public {
        depositCoin(ALICE, 10);
        depositCoins(ALICE, 10);
        depositCard(ALICE, 42);
        Custody.Asset[3] memory assets = [coin(4), fungible(address(coins), 4), card(42)];
        Vault.Withdrawal[3] memory all;
        for (uint256 i = 0; i < 3; ++i) {
            all[i] = burn(assets[i], BOB);
        }
        Statement memory s = finalCheckpoint();
        for (uint256 i = 0; i < 3; ++i) {
            withdraw(s, all[i]);
            vm.assertEq(vault.credits(BOB, assets[i].token), 0, "credit");
            vm.prank(BOB);
            vm.expectRevert(Custody.NothingToClaim.selector);
            vault.claim(assets[i], BOB);
        }
    }

    function test_a_card_can_come_and_go_again() public {
        for (uint256 i = 0; i < 2; ++i) {
            depositCard(ALICE, 42);
            Vault.Withdrawal memory withdrawal = burn(card(42), ALICE);
            withdraw(finalCheckpoint(), withdrawal);
        }
        vm.assertEq(cards.ownerOf(42), ALICE, "owner");
    }

    function test_any_later_checkpoint_proves_an_older_withdrawal() public {
        depositCoin(ALICE, 100);
        Vault.Withdrawal memory first = burn(coin(1), BOB);
        checkpoint();
        for (uint256 i = 0; i < 20; ++i) {
            burn(coin(2), ALICE);
        }
        withdraw(finalCheckpoint(), first);
        vm.assertEq(BOB.balance, 1 gwei, "recipient");
    }

    function test_an_older_checkpoint_still_proves_its_withdrawals() public {
        depositCoin(ALICE, 100);
        Vault.Withdrawal memory first = burn(coin(1), BOB);
        bytes32[TREE_DEPTH] memory proof = proofOf(first);
        Statement memory old = checkpoint();
        burn(coin(2), ALICE);
        finalCheckpoint();
        vault.withdraw(old, first, proof);
        vm.assertEq(BOB.balance, 1 gwei, "recipient");
    }

    function testFuzz_every_withdrawal_of_many_is_paid_once(uint8 count, uint8 picked) public {
        uint256 many = uint256(count) % 40 + 1;
        depositCoin(ALICE, 1_000);
        Vault.Withdrawal[] memory withdrawals = new Vault.Withdrawal[](many);
        for (uint256 i = 0; i < many; ++i) {
            withdrawals[i] = burn(coin(i + 1), BOB);
        }
        Statement memory statement = finalCheckpoint();
        uint256 place = uint256(picked) % many;
        withdraw(statement, withdrawals[place]);
        vm.assertEq(BOB.balance, (place + 1) * 1 gwei, "recipient");
        withdrawExpecting(alreadyPaid(uint64(place)), statement, withdrawals[place]);
    }

    // Not paid, yet or ever.

    function test_nothing_is_paid_before_the_delay_is_over() public {
        depositCoin(ALICE, 1);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        Statement memory statement = checkpoint();
        vm.warp(block.timestamp + FINALITY_DELAY - 1);
        withdrawExpecting(notFinal(1), statement, withdrawal);
        vm.warp(block.timestamp + 1);
        withdraw(statement, withdrawal);
    }

    function test_a_statement_that_is_no_checkpoint_pays_nothing() public {
        depositCoin(ALICE, 1);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        withdrawExpecting(notFinal(1), unposted(), withdrawal);
    }

    function testFuzz_a_changed_statement_pays_nothing(uint256 bit) public {
        depositCoin(ALICE, 1);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        Statement memory statement = finalCheckpoint();
        bytes memory call = abi.encodeCall(Vault.withdraw, (statement, withdrawal, proofOf(withdrawal)));
        bit %= 8 * 17 * 32;
        call[4 + bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool accepted,) = address(vault).call(call);
        vm.assertTrue(!accepted && BOB.balance == 0, "paid");
    }

    function test_it_is_paid_once() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        withdraw(finalCheckpoint(), withdrawal);
        // By another checkpoint just as little.
        withdrawExpecting(alreadyPaid(0), finalCheckpoint(), withdrawal);
    }

    function test_another_recipient_amount_or_place_is_refused() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        burn(coin(1), BOB);
        Statement memory statement = finalCheckpoint();
        bytes32[TREE_DEPTH] memory proof = proofOf(withdrawal);
        refuseTree(statement, Vault.Withdrawal(0, coin(1), ALICE), proof);
        refuseTree(statement, Vault.Withdrawal(0, coin(2), BOB), proof);
        refuseTree(statement, Vault.Withdrawal(1, coin(1), BOB), proof);
        // An index beyond the tree would find another bit of the spent ones for the same leaf.
        refuseTree(statement, Vault.Withdrawal(1 << 32, coin(1), BOB), proof);
        refuseTree(statement, Vault.Withdrawal(0, fungible(address(coins), 1), BOB), proof);
    }

    function test_more_than_is_held_is_refused() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(11), BOB);
        bytes memory notHeld = abi.encodeWithSelector(Custody.NotHeld.selector, address(0), 11, 10);
        withdrawExpecting(notHeld, finalCheckpoint(), withdrawal);
    }

    function test_a_quorum_cannot_take_one_tokens_coins_as_anothers() public {
        depositCoins(ALICE, 10);
        depositCoin(ALICE, 10);
        // `transferFrom` of an ERC-721 is that of an ERC-20 too.
        Vault.Withdrawal memory asCard = burn(Custody.Asset(Custody.Kind.ERC721, address(coins), UNIT), BOB);
        Vault.Withdrawal memory asCoin = burn(Custody.Asset(Custody.Kind.Native, address(coins), 1), BOB);
        Vault.Withdrawal memory asNobodys = burn(Custody.Asset(Custody.Kind.Native, ALICE, 1), BOB);
        Vault.Withdrawal memory asToken = burn(fungible(address(0), 1), BOB);
        Statement memory statement = finalCheckpoint();
        withdrawExpecting(notListed(address(coins), Custody.Kind.ERC721), statement, asCard);
        withdrawExpecting(notListed(address(coins), Custody.Kind.Native), statement, asCoin);
        withdrawExpecting(notListed(ALICE, Custody.Kind.Native), statement, asNobodys);
        withdrawExpecting(notListed(address(0), Custody.Kind.ERC20), statement, asToken);
    }

    function test_a_statement_with_other_deposits_pays_nothing() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        Statement memory statement = unposted();
        statement.depositsDigest = keccak256("deposits that nobody made");
        post(statement, ALL);
        vm.warp(block.timestamp + FINALITY_DELAY);
        bytes memory foreign = abi.encodeWithSelector(
            EscapeHatch.ForeignDeposits.selector, 1, statement.depositsDigest, vault.depositDigest(1)
        );
        withdrawExpecting(foreign, statement, withdrawal);
    }

    function test_a_statement_with_deposits_to_come_pays_nothing() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(1), BOB);
        Statement memory statement = unposted();
        statement.depositsProcessed = 2;
        post(statement, ALL);
        vm.warp(block.timestamp + FINALITY_DELAY);
        withdrawExpecting(abi.encodeWithSelector(EscapeHatch.UnknownDeposit.selector, 2, 1), statement, withdrawal);
    }

    function test_an_inner_node_is_no_leaf() public {
        depositCoin(ALICE, 10);
        burn(coin(1), BOB);
        burn(coin(2), BOB);
        vm.assertTrue(Leaves.root(leaves) != Leaves.root(new bytes32[](0)), "roots");
        vm.assertTrue(Leaves.root(new bytes32[](0)) != 0, "an empty tree's root");
    }

    // Payouts that fail.

    function test_what_a_recipient_refuses_is_kept_for_it() public {
        depositCoin(ALICE, 10);
        Picky picky = new Picky();
        Vault.Withdrawal memory withdrawal = burn(coin(4), address(picky));
        Statement memory statement = finalCheckpoint();
        vm.expectEmit(address(vault));
        emit Vault.Credited(0, coin(4), address(picky));
        withdraw(statement, withdrawal);
        vm.assertEq(vault.credits(address(picky), address(0)), 4, "credit");
        withdrawExpecting(alreadyPaid(0), statement, withdrawal);

        vm.expectEmit(address(vault));
        emit Custody.Claimed(coin(4), address(picky), BOB);
        picky.fetch(vault, coin(0), BOB);
        vm.assertEq(BOB.balance, 4 gwei, "fetched");
        vm.expectRevert(abi.encodeWithSelector(Custody.NothingToClaim.selector));
        picky.fetch(vault, coin(0), BOB);
    }

    function test_what_a_token_refuses_is_kept() public {
        CoinsThatRefuse unwilling = new CoinsThatRefuse();
        list(address(unwilling), Custody.Kind.ERC20, 1);
        unwilling.mint(ALICE, 5);
        vm.startPrank(ALICE);
        unwilling.approve(address(vault), 5);
        vault.depositERC20(address(unwilling), 5, ACCOUNT);
        vm.stopPrank();
        Vault.Withdrawal memory withdrawal = burn(fungible(address(unwilling), 5), BOB);
        unwilling.refuse(true);
        withdraw(finalCheckpoint(), withdrawal);

        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(Custody.TransferRefused.selector, address(unwilling)));
        vault.claim(withdrawal.asset, BOB);
        unwilling.refuse(false);
        vm.prank(BOB);
        vault.claim(withdrawal.asset, ALICE);
        vm.assertEq(unwilling.balanceOf(ALICE), 5, "fetched");
    }

    function test_a_card_that_is_stuck_is_kept() public {
        depositCard(ALICE, 42);
        Vault.Withdrawal memory withdrawal = burn(card(42), BOB);
        cards.stick(true);
        withdraw(finalCheckpoint(), withdrawal);
        vm.assertEq(cards.ownerOf(42), address(vault), "stuck");

        cards.stick(false);
        vm.expectRevert(abi.encodeWithSelector(Custody.NothingToClaim.selector));
        vault.claim(withdrawal.asset, address(this));
        vm.prank(BOB);
        vault.claim(withdrawal.asset, BOB);
        vm.assertEq(cards.ownerOf(42), BOB, "fetched");
        vm.prank(BOB);
        vm.expectRevert(abi.encodeWithSelector(Custody.NothingToClaim.selector));
        vault.claim(withdrawal.asset, BOB);
    }

    function test_too_little_gas_makes_no_payout_fail() public {
        depositCoin(ALICE, 10);
        address payee = address(new Bookkeeper());
        Vault.Withdrawal memory withdrawal = burn(coin(1), payee);
        Statement memory statement = finalCheckpoint();
        bytes memory call = abi.encodeCall(Vault.withdraw, (statement, withdrawal, proofOf(withdrawal)));
        for (uint256 gas_ = 20_000; !vault.isPaid(0); gas_ += 5_000) {
            vm.assertLe(gas_, 500_000, "never paid");
            (bool accepted,) = address(vault).call{gas: gas_}(call);
            vm.assertEq(accepted, vault.isPaid(0), "paid");
        }
        vm.assertEq(payee.balance, 1 gwei, "credited instead");
    }

    function test_a_recipient_that_burns_gas_costs_a_relayer_a_bounded_amount() public {
        depositCoin(ALICE, 10);
        Vault.Withdrawal memory withdrawal = burn(coin(1), address(new Wasteful()));
        Statement memory statement = finalCheckpoint();
        uint256 before = gasleft();
        withdraw(statement, withdrawal);
        vm.assertLe(before - gasleft(), 500_000, "gas");
        vm.assertEq(vault.credits(withdrawal.recipient, address(0)), 1, "credit");
    }

    function refuseTree(Statement memory statement, Vault.Withdrawal memory withdrawal, bytes32[TREE_DEPTH] memory proof)
        private
    {
        vm.expectPartialRevert(EscapeHatch.NotInTree.selector);
        vault.withdraw(statement, withdrawal, proof);
    }

    function alreadyPaid(uint64 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Vault.AlreadyPaid.selector, index);
    }

    function notFinal(uint64 height_) private pure returns (bytes memory) {
        return abi.encodeWithSelector(EscapeHatch.NotFinal.selector, height_);
    }

    function notListed(address token, Custody.Kind kind) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Custody.NotListed.selector, token, kind);
    }
}
