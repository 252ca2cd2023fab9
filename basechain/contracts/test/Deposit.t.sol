// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Custody} from "../src/Custody.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {Vault} from "../src/Vault.sol";
import {Bridge} from "./support/Bridge.sol";
import {CardsThatStay, Coins, CoinsThatCallBack, CoinsThatRefuse, CoinsWithFee, CoinsWithoutAnswer} from "./support/Tokens.sol";
import {vm} from "./support/Vm.sol";

/// What the vault takes in, how it counts it, and what it refuses.
contract DepositTest is Bridge {
    function setUp() public {
        openBridge();
    }

    // Taken.

    function test_coin_is_counted_in_gwei() public {
        vm.assertEq(depositCoin(ALICE, 7), 1, "index");
        vm.assertEq(vault.held(address(0)), 7, "held");
        vm.assertEq(address(vault).balance, 7 gwei, "balance");
    }

    function test_an_erc20_is_counted_in_its_unit() public {
        vm.assertEq(depositCoins(ALICE, 5), 1, "index");
        vm.assertEq(vault.held(address(coins)), 5, "held");
        vm.assertEq(coins.balanceOf(address(vault)), 5 * uint256(UNIT), "balance");
    }

    function test_a_card_is_taken_in() public {
        vm.assertEq(depositCard(ALICE, 42), 1, "index");
        vm.assertEq(cards.ownerOf(42), address(vault), "owner");
    }

    function test_a_token_that_answers_nothing_is_taken() public {
        CoinsWithoutAnswer old = new CoinsWithoutAnswer();
        list(address(old), Custody.Kind.ERC20, 1);
        old.mint(ALICE, 3);
        vm.prank(ALICE);
        vault.depositERC20(address(old), 3, ACCOUNT);
        vm.assertEq(vault.held(address(old)), 3, "held");
    }

    function test_deposits_are_chained() public {
        vm.assertEq(vault.depositDigest(0), keccak256("WEFT-V01-DEPOSITS"), "start");
        depositCoin(ALICE, 1);
        depositCoins(BOB, 2);
        bytes32 first = vault.extend(vault.depositDigest(0), 1, coin(1), ALICE, ACCOUNT);
        vm.assertEq(vault.depositDigest(1), first, "first");
        vm.assertEq(vault.depositDigest(2), vault.extend(first, 2, fungible(address(coins), 2), BOB, ACCOUNT), "second");
    }

    function test_the_digest_is_of_words() public view {
        // As another implementation would encode it: nothing dynamic, eight words.
        bytes32 given = vault.extend(bytes32(uint256(9)), 3, card(42), ALICE, ACCOUNT);
        bytes memory words = abi.encode(uint256(9), uint256(3), uint256(2), address(cards), uint256(42), ALICE, ACCOUNT);
        vm.assertEq(given, keccak256(words), "digest");
    }

    function test_a_deposit_is_announced() public {
        vm.deal(ALICE, 1 gwei);
        bytes32 digest = vault.extend(vault.depositDigest(0), 1, coin(1), ALICE, ACCOUNT);
        vm.expectEmit(address(vault));
        emit Vault.Deposited(1, coin(1), ALICE, ACCOUNT, digest);
        vm.prank(ALICE);
        vault.depositNative{value: 1 gwei}(ACCOUNT);
    }

    function test_what_comes_with_the_deployment_is_held_and_no_deposit() public {
        vm.deal(address(this), 9 gwei + 1);
        Vault backed = new Vault{value: 9 gwei}(manager, CURATOR, ESCAPE_AFTER, ESCAPE_WINDOW);
        vm.assertEq(backed.held(address(0)), 9, "held");
        vm.assertEq(backed.depositCount(), 0, "deposits");
        vm.expectRevert(abi.encodeWithSelector(Custody.NotWhole.selector, 1, 1 gwei));
        this.newVault{value: 1}(manager, CURATOR, ESCAPE_AFTER, ESCAPE_WINDOW);
    }

    function test_all_that_the_ledger_can_count_is_taken_at_once() public {
        vm.assertEq(depositCoin(ALICE, type(uint64).max), 1, "index");
        vm.assertEq(vault.held(address(0)), type(uint64).max, "held");
    }

    // Refused.

    function test_coin_below_a_gwei_is_refused() public {
        vm.deal(ALICE, 2 gwei);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(Custody.NotWhole.selector, 1 gwei + 1, 1 gwei));
        vault.depositNative{value: 1 gwei + 1}(ACCOUNT);
    }

    function test_nothing_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(Vault.ZeroAmount.selector));
        vault.depositNative(ACCOUNT);
        vm.expectRevert(abi.encodeWithSelector(Vault.ZeroAmount.selector));
        vault.depositERC20(address(coins), 0, ACCOUNT);
    }

    function test_a_deposit_for_nobody_is_refused() public {
        vm.deal(address(this), 1 gwei);
        vm.expectRevert(abi.encodeWithSelector(Vault.ZeroAccount.selector));
        vault.depositNative{value: 1 gwei}(0);
    }

    function test_more_than_the_ledger_can_count_is_refused() public {
        depositCoins(ALICE, type(uint64).max);
        coins.mint(ALICE, UNIT);
        vm.startPrank(ALICE);
        coins.approve(address(vault), UNIT);
        vm.expectRevert(abi.encodeWithSelector(Custody.TooMuch.selector, 1 << 64, type(uint64).max));
        vault.depositERC20(address(coins), 1, ACCOUNT);
        vm.stopPrank();
    }

    function test_a_token_that_is_not_listed_is_refused() public {
        Coins other = new Coins();
        vm.expectRevert(notListed(address(other), Custody.Kind.ERC20));
        vault.depositERC20(address(other), 1, ACCOUNT);
        vm.expectRevert(notListed(address(other), Custody.Kind.ERC721));
        vault.depositERC721(address(other), 1, ACCOUNT);
    }

    function test_a_token_of_the_other_kind_is_refused() public {
        vm.expectRevert(notListed(address(cards), Custody.Kind.ERC20));
        vault.depositERC20(address(cards), 1, ACCOUNT);
        vm.expectRevert(notListed(address(coins), Custody.Kind.ERC721));
        vault.depositERC721(address(coins), 1, ACCOUNT);
    }

    function test_a_token_that_takes_a_fee_is_refused() public {
        CoinsWithFee taxed = new CoinsWithFee();
        list(address(taxed), Custody.Kind.ERC20, 100);
        taxed.mint(ALICE, 1_000);
        vm.startPrank(ALICE);
        taxed.approve(address(vault), 1_000);
        vm.expectRevert(abi.encodeWithSelector(Vault.Inexact.selector, address(taxed), 990, 1_000));
        vault.depositERC20(address(taxed), 10, ACCOUNT);
        vm.stopPrank();
    }

    function test_a_token_that_says_no_is_refused() public {
        CoinsThatRefuse unwilling = new CoinsThatRefuse();
        list(address(unwilling), Custody.Kind.ERC20, 1);
        unwilling.refuse(true);
        vm.expectRevert(abi.encodeWithSelector(Custody.TransferRefused.selector, address(unwilling)));
        vault.depositERC20(address(unwilling), 1, ACCOUNT);
    }

    function test_a_card_that_does_not_move_is_refused() public {
        CardsThatStay still = new CardsThatStay();
        list(address(still), Custody.Kind.ERC721, 1);
        still.mint(ALICE, 1);
        still.stick(false);
        vm.mockCall(address(still), abi.encodeWithSelector(still.transferFrom.selector), "");
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(Vault.Inexact.selector, address(still), 0, 1));
        vault.depositERC721(address(still), 1, ACCOUNT);
    }

    function test_a_token_that_calls_back_is_refused() public {
        CoinsThatCallBack hostile = new CoinsThatCallBack();
        list(address(hostile), Custody.Kind.ERC20, 1);
        hostile.mint(ALICE, 1);
        hostile.mint(address(hostile), 1);
        vm.prank(address(hostile));
        hostile.approve(address(vault), 1);
        hostile.aim(vault);
        vm.startPrank(ALICE);
        hostile.approve(address(vault), 1);
        vm.expectRevert(abi.encodeWithSelector(Custody.TransferRefused.selector, address(hostile)));
        vault.depositERC20(address(hostile), 1, ACCOUNT);
        vm.stopPrank();
        vm.assertEq(vault.depositCount(), 0, "count");
    }

    function test_coin_sent_without_a_deposit_is_refused() public {
        vm.deal(ALICE, 1 gwei);
        vm.prank(ALICE);
        (bool accepted,) = address(vault).call{value: 1 gwei}("");
        vm.assertTrue(!accepted, "accepted");
    }

    function test_a_digest_of_deposits_to_come_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.UnknownDeposit.selector, 1, 0));
        vault.depositDigest(1);
    }

    // Listing.

    function test_only_the_curator_lists() public {
        vm.expectRevert(abi.encodeWithSelector(Custody.NotCurator.selector, address(this), CURATOR));
        vault.list(address(coins), Custody.Kind.ERC20, 1);
    }

    function test_a_vault_without_curator_lists_nothing() public {
        Vault closed = new Vault(manager, address(0), ESCAPE_AFTER, ESCAPE_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(Custody.NotCurator.selector, address(this), address(0)));
        closed.list(address(coins), Custody.Kind.ERC20, 1);
    }

    function test_a_listing_is_announced() public {
        address token = address(new Coins());
        vm.prank(CURATOR);
        vm.expectEmit(address(vault));
        emit Custody.Listed(token, Custody.Kind.ERC20, 7);
        vault.list(token, Custody.Kind.ERC20, 7);
    }

    function test_a_listing_is_for_good() public {
        listExpecting(abi.encodeWithSelector(Custody.AlreadyListed.selector, address(coins)), address(coins), Custody.Kind.ERC20, 1);
    }

    function test_a_listing_that_makes_no_sense_is_refused() public {
        address token = address(new Coins());
        listExpecting(abi.encodeWithSelector(Custody.TokenWithoutCode.selector, ALICE), ALICE, Custody.Kind.ERC20, 1);
        listExpecting(abi.encodeWithSelector(Custody.ZeroUnit.selector), token, Custody.Kind.ERC20, 0);
        listExpecting(abi.encodeWithSelector(Custody.NotWhole.selector, 2, 1), token, Custody.Kind.ERC721, 2);
        listExpecting(abi.encodeWithSelector(Custody.NativeNeedsNoListing.selector), token, Custody.Kind.Native, 1);
    }

    function test_a_vault_needs_a_manager() public {
        vm.expectRevert(abi.encodeWithSelector(EscapeHatch.ManagerWithoutCode.selector, ALICE));
        this.newVault(CheckpointManager(ALICE), CURATOR, ESCAPE_AFTER, ESCAPE_WINDOW);
    }

    function listExpecting(bytes memory refusal, address token, Custody.Kind kind, uint88 unit) private {
        vm.prank(CURATOR);
        vm.expectRevert(refusal);
        vault.list(token, kind, unit);
    }

    function notListed(address token, Custody.Kind kind) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Custody.NotListed.selector, token, kind);
    }

    /// A call of its own, as those of `DeploymentTest`.
    function newVault(CheckpointManager manager_, address curator, uint64 escapeAfter, uint64 escapeWindow)
        external
        payable
        returns (Vault)
    {
        return new Vault{value: msg.value}(manager_, curator, escapeAfter, escapeWindow);
    }
}
