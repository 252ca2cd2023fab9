// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HashLock} from "../src/HashLock.sol";
import {CoinsThatPretend, CoinsWithLateFee, Intruder} from "./support/HashLocks.sol";
import {Bookkeeper, Coins, CoinsThatRefuse, CoinsWithFee, CoinsWithoutAnswer, Picky} from "./support/Tokens.sol";
import {vm} from "./support/Vm.sol";

/// H1 to H7: what is locked, what opens it, and to whom it goes.
contract HashLockTest {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    bytes32 private constant SECRET = keccak256("a secret");
    uint64 private constant NOW = 1_800_000_000;
    uint64 private constant EXPIRY = NOW + 1 days;

    HashLock private locks;
    Coins private coins;
    bytes32 private hash;

    function setUp() public {
        vm.warp(NOW);
        locks = new HashLock();
        coins = new Coins();
        hash = sha256(abi.encodePacked(SECRET));
    }

    // H1: what a lock is.

    function test_a_lock_is_known_by_all_that_it_is() public {
        bytes32 id = locks.idOf(ALICE, 0, hash, BOB, EXPIRY, address(0), 5);
        vm.expectEmit(address(locks));
        emit HashLock.Locked(id, hash, ALICE, BOB, EXPIRY, address(0), 5);
        vm.assertEq(lockCoin(5), id, "id");
        HashLock.Lock memory lock = locks.lockOf(id);
        vm.assertEq(lock.hash, hash, "hash");
        vm.assertEq(lock.locker, ALICE, "locker");
        vm.assertEq(lock.recipient, BOB, "recipient");
        vm.assertEq(lock.expiry, EXPIRY, "expiry");
        vm.assertEq(lock.token, address(0), "token");
        vm.assertEq(lock.amount, 5, "amount");
        vm.assertEq(lock.secret, 0, "secret");
        requireStatus(id, HashLock.Status.Open);
        vm.assertEq(address(locks).balance, 5, "held");
    }

    function test_no_two_locks_have_one_id() public {
        bytes32 id = lockCoin(5);
        bytes32 again = locks.idOf(ALICE, locks.lockCount(ALICE), hash, BOB, EXPIRY, address(0), 5);
        vm.assertTrue(again != id, "number");
        vm.assertEq(lockCoin(5), again, "the next one");
        bytes32[8] memory others = [
            locks.idOf(BOB, 0, hash, BOB, EXPIRY, address(0), 5),
            locks.idOf(ALICE, 0, SECRET, BOB, EXPIRY, address(0), 5),
            locks.idOf(ALICE, 0, hash, ALICE, EXPIRY, address(0), 5),
            locks.idOf(ALICE, 0, hash, BOB, EXPIRY + 1, address(0), 5),
            locks.idOf(ALICE, 0, hash, BOB, EXPIRY, address(1), 5),
            locks.idOf(ALICE, 0, hash, BOB, EXPIRY, address(0), 6),
            new HashLock().idOf(ALICE, 0, hash, BOB, EXPIRY, address(0), 5),
            idOnAnotherChain()
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.assertTrue(others[i] != id, "an id of something else");
        }
    }

    function test_what_nobody_has_locked_is_known_to_be_nothing() public {
        requireStatus(SECRET, HashLock.Status.None);
        vm.expectRevert(abi.encodeWithSelector(HashLock.UnknownLock.selector, SECRET));
        locks.claim(SECRET, SECRET);
        vm.expectRevert(abi.encodeWithSelector(HashLock.UnknownLock.selector, SECRET));
        locks.refund(SECRET);
    }

    // H2: what is refused.

    function test_no_hash_and_no_amount_are_refused() public {
        vm.expectRevert(HashLock.ZeroHash.selector);
        locks.lockNative{value: 1}(0, BOB, EXPIRY);
        vm.expectRevert(HashLock.ZeroAmount.selector);
        locks.lockNative(hash, BOB, EXPIRY);
        vm.expectRevert(HashLock.ZeroAmount.selector);
        locks.lockERC20(hash, BOB, EXPIRY, address(coins), 0);
    }

    function test_nobody_and_the_contract_itself_are_no_recipients() public {
        address[2] memory refused = [address(0), address(locks)];
        for (uint256 i = 0; i < refused.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(HashLock.RecipientRefused.selector, refused[i]));
            locks.lockNative{value: 1}(hash, refused[i], EXPIRY);
        }
    }

    function test_an_expiry_is_to_come_and_within_a_year() public {
        uint64 most = NOW + 365 days;
        uint64[5] memory refused = [0, NOW, most + 1, NOW * 1_000, type(uint64).max];
        for (uint256 i = 0; i < refused.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(HashLock.ExpiryOutOfBounds.selector, refused[i], NOW + 1, most)
            );
            locks.lockNative{value: 1}(hash, BOB, refused[i]);
        }
        locks.lockNative{value: 1}(hash, BOB, NOW + 1);
        locks.lockNative{value: 1}(hash, BOB, most);
    }

    function test_a_token_without_code_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(HashLock.TokenWithoutCode.selector, ALICE));
        locks.lockERC20(hash, BOB, EXPIRY, ALICE, 1);
        vm.expectRevert(abi.encodeWithSelector(HashLock.TokenWithoutCode.selector, address(0)));
        locks.lockERC20(hash, BOB, EXPIRY, address(0), 1);
    }

    // H3: what came in.

    function test_tokens_are_locked_and_claimed() public {
        bytes32 id = lockCoins(coins, 7);
        vm.assertEq(coins.balanceOf(address(locks)), 7, "held");
        locks.claim(id, SECRET);
        vm.assertEq(coins.balanceOf(BOB), 7, "recipient");
        vm.assertEq(coins.balanceOf(address(locks)), 0, "left");
    }

    function test_a_token_that_answers_nothing_is_as_good() public {
        CoinsWithoutAnswer silent = new CoinsWithoutAnswer();
        silent.mint(ALICE, 7);
        vm.prank(ALICE);
        bytes32 id = locks.lockERC20(hash, BOB, EXPIRY, address(silent), 7);
        locks.claim(id, SECRET);
        vm.assertEq(silent.balanceOf(BOB), 7, "recipient");
    }

    function test_a_token_that_keeps_a_fee_is_refused() public {
        Coins charging = new CoinsWithFee();
        approve(charging, 200);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(HashLock.Inexact.selector, address(charging), 198, 200));
        locks.lockERC20(hash, BOB, EXPIRY, address(charging), 200);
    }

    function test_a_token_that_says_no_is_refused() public {
        CoinsThatRefuse unwilling = new CoinsThatRefuse();
        unwilling.refuse(true);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(HashLock.TransferRefused.selector, address(unwilling)));
        locks.lockERC20(hash, BOB, EXPIRY, address(unwilling), 1);
        vm.assertEq(locks.lockCount(ALICE), 0, "count");
    }

    function test_what_the_locker_does_not_have_is_not_locked() public {
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(HashLock.TransferRefused.selector, address(coins)));
        locks.lockERC20(hash, BOB, EXPIRY, address(coins), 1);
    }

    function test_a_payout_takes_nothing_of_other_locks() public {
        CoinsWithLateFee greedy = new CoinsWithLateFee();
        bytes32 id = lockCoins(greedy, 7);
        lockCoins(greedy, 7);
        greedy.charge(2);
        vm.expectRevert(abi.encodeWithSelector(HashLock.Inexact.selector, address(greedy), 9, 7));
        locks.claim(id, SECRET);
        greedy.charge(0);
        locks.claim(id, SECRET);
    }

    // H4: claiming.

    function test_whoever_brings_the_secret_the_recipient_is_paid() public {
        bytes32 id = lockCoin(5);
        vm.expectEmit(address(locks));
        emit HashLock.Claimed(id, hash, SECRET);
        vm.prank(ALICE);
        locks.claim(id, SECRET);
        vm.assertEq(BOB.balance, 5, "recipient");
        vm.assertEq(ALICE.balance, 0, "locker");
        vm.assertEq(address(locks).balance, 0, "left");
        requireStatus(id, HashLock.Status.Claimed);
        vm.assertEq(locks.lockOf(id).secret, SECRET, "secret");
    }

    function test_the_hash_is_the_ledgers() public {
        // SHA-256 of 32 bytes of zero, and of nothing.
        bytes32 zeros = 0x66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925;
        bytes32 nothing = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;
        bytes32 id = locks.lockNative{value: 1}(zeros, BOB, EXPIRY);
        locks.claim(id, 0);
        id = locks.lockNative{value: 1}(nothing, BOB, EXPIRY);
        vm.expectRevert(abi.encodeWithSelector(HashLock.WrongSecret.selector, zeros, nothing));
        locks.claim(id, 0);
    }

    function testFuzz_only_the_secret_opens(bytes32 other) public {
        vm.assume(other != SECRET);
        bytes32 id = lockCoin(5);
        bytes32 given = sha256(abi.encodePacked(other));
        vm.expectRevert(abi.encodeWithSelector(HashLock.WrongSecret.selector, given, hash));
        locks.claim(id, other);
        locks.claim(id, SECRET);
    }

    function test_the_last_second_before_the_expiry_is_the_recipients() public {
        bytes32 id = lockCoin(5);
        vm.warp(EXPIRY - 1);
        vm.expectRevert(abi.encodeWithSelector(HashLock.TooEarly.selector, EXPIRY));
        locks.refund(id);
        locks.claim(id, SECRET);
        vm.assertEq(BOB.balance, 5, "recipient");
    }

    // H5: coming back.

    function test_from_the_expiry_on_it_is_the_lockers() public {
        bytes32 id = lockCoin(5);
        vm.warp(EXPIRY);
        vm.expectRevert(abi.encodeWithSelector(HashLock.TooLate.selector, EXPIRY));
        locks.claim(id, SECRET);
        vm.expectEmit(address(locks));
        emit HashLock.Refunded(id);
        vm.prank(BOB);
        locks.refund(id);
        vm.assertEq(ALICE.balance, 5, "locker");
        vm.assertEq(BOB.balance, 0, "recipient");
        requireStatus(id, HashLock.Status.Refunded);
    }

    function test_tokens_come_back() public {
        bytes32 id = lockCoins(coins, 7);
        vm.warp(EXPIRY);
        locks.refund(id);
        vm.assertEq(coins.balanceOf(ALICE), 7, "locker");
    }

    function testFuzz_it_is_one_of_the_two_at_any_time(uint64 time) public {
        bytes32 id = lockCoin(5);
        vm.warp(time);
        (bool claimed,) = address(locks).call(abi.encodeCall(HashLock.claim, (id, SECRET)));
        (bool refunded,) = address(locks).call(abi.encodeCall(HashLock.refund, (id)));
        vm.assertEq(claimed, time < EXPIRY, "claimed");
        vm.assertEq(refunded, time >= EXPIRY, "refunded");
    }

    // H6: once, and whole.

    function test_what_is_claimed_is_paid_once() public {
        bytes32 id = lockCoin(5);
        lockCoin(5);
        locks.claim(id, SECRET);
        bytes memory already = abi.encodeWithSelector(HashLock.AlreadyClaimed.selector, id);
        vm.expectRevert(already);
        locks.claim(id, SECRET);
        vm.warp(EXPIRY);
        vm.expectRevert(already);
        locks.refund(id);
    }

    function test_what_came_back_is_paid_once() public {
        bytes32 id = lockCoin(5);
        lockCoin(5);
        vm.warp(EXPIRY);
        locks.refund(id);
        bytes memory already = abi.encodeWithSelector(HashLock.AlreadyRefunded.selector, id);
        vm.expectRevert(already);
        locks.refund(id);
        vm.expectRevert(already);
        locks.claim(id, SECRET);
    }

    function test_one_secret_opens_each_lock_of_its_hash_for_itself() public {
        bytes32 first = lockCoin(5);
        bytes32 second = lockCoins(coins, 7);
        locks.claim(first, SECRET);
        requireStatus(second, HashLock.Status.Open);
        locks.claim(second, SECRET);
        vm.assertEq(BOB.balance, 5, "coin");
        vm.assertEq(coins.balanceOf(BOB), 7, "tokens");
    }

    function test_what_a_recipient_refuses_stays_and_comes_back() public {
        Picky picky = new Picky();
        vm.deal(ALICE, 10);
        vm.startPrank(ALICE);
        bytes32 id = locks.lockNative{value: 5}(hash, address(picky), EXPIRY);
        bytes32 other = locks.lockNative{value: 5}(hash, address(picky), EXPIRY);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(HashLock.PaymentRefused.selector, address(picky)));
        locks.claim(id, SECRET);
        requireStatus(id, HashLock.Status.Open);
        vm.assertEq(locks.lockOf(id).secret, 0, "secret");
        picky.unlock();
        locks.claim(other, SECRET);
        vm.assertEq(address(picky).balance, 5, "recipient");
        vm.warp(EXPIRY);
        locks.refund(id);
        vm.assertEq(ALICE.balance, 5, "locker");
    }

    function test_what_a_locker_refuses_stays_for_it() public {
        Picky picky = new Picky();
        vm.deal(address(picky), 5);
        vm.prank(address(picky));
        bytes32 id = locks.lockNative{value: 5}(hash, BOB, EXPIRY);
        vm.warp(EXPIRY);
        vm.expectRevert(abi.encodeWithSelector(HashLock.PaymentRefused.selector, address(picky)));
        locks.refund(id);
        picky.unlock();
        locks.refund(id);
        vm.assertEq(address(picky).balance, 5, "locker");
    }

    function test_what_a_token_refuses_stays() public {
        CoinsThatRefuse unwilling = new CoinsThatRefuse();
        bytes32 id = lockCoins(unwilling, 7);
        unwilling.refuse(true);
        vm.expectRevert(abi.encodeWithSelector(HashLock.TransferRefused.selector, address(unwilling)));
        locks.claim(id, SECRET);
        unwilling.refuse(false);
        locks.claim(id, SECRET);
        vm.assertEq(unwilling.balanceOf(BOB), 7, "recipient");
    }

    function test_a_token_that_only_says_yes_has_paid_nothing() public {
        CoinsThatPretend pretending = new CoinsThatPretend();
        bytes32 id = lockCoins(pretending, 7);
        pretending.pretend();
        vm.expectRevert(abi.encodeWithSelector(HashLock.Inexact.selector, address(pretending), 0, 7));
        locks.claim(id, SECRET);
        requireStatus(id, HashLock.Status.Open);
    }

    function test_too_little_gas_opens_nothing() public {
        address payee = address(new Bookkeeper());
        bytes32 id = locks.lockNative{value: 5}(hash, payee, EXPIRY);
        bytes memory call = abi.encodeCall(HashLock.claim, (id, SECRET));
        for (uint256 gas_ = 20_000; payee.balance == 0; gas_ += 5_000) {
            vm.assertLe(gas_, 500_000, "never paid");
            requireStatus(id, HashLock.Status.Open);
            (bool accepted,) = address(locks).call{gas: gas_}(call);
            vm.assertEq(accepted, payee.balance == 5, "paid");
        }
    }

    function test_while_something_moves_nothing_can_be_called() public {
        Intruder intruder = new Intruder();
        bytes32 coinId = intruder.lockNative{value: 5}(locks, hash, address(intruder), EXPIRY);
        bytes32 tokenId = lockCoins(intruder, 7);
        bytes[4] memory calls = [
            abi.encodeCall(HashLock.lockNative, (hash, BOB, EXPIRY)),
            abi.encodeCall(HashLock.lockERC20, (hash, BOB, EXPIRY, address(intruder), 1)),
            abi.encodeCall(HashLock.claim, (tokenId, SECRET)),
            abi.encodeCall(HashLock.refund, (tokenId))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            intruder.aim(address(locks), calls[i]);
            lockCoins(intruder, 1);
            vm.assertEq(bytes32(intruder.refusal()), bytes32(HashLock.Reentered.selector), "while locking");
        }
        // While it is paid, it asks to be paid once more.
        intruder.aim(address(locks), abi.encodeCall(HashLock.claim, (coinId, SECRET)));
        locks.claim(coinId, SECRET);
        vm.assertEq(bytes32(intruder.refusal()), bytes32(HashLock.Reentered.selector), "while coin is paid");
        intruder.aim(address(locks), abi.encodeCall(HashLock.claim, (tokenId, SECRET)));
        locks.claim(tokenId, SECRET);
        vm.assertEq(bytes32(intruder.refusal()), bytes32(HashLock.Reentered.selector), "while tokens are paid");
        vm.assertEq(intruder.balanceOf(BOB), 7, "recipient");
        vm.assertEq(address(intruder).balance, 5, "the intruder, once");
    }

    function testFuzz_the_contract_has_what_its_open_locks_have(uint64[24] memory amounts, uint256 fate) public {
        bytes32[24] memory ids;
        uint256[2] memory paid;
        uint256[2] memory open;
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 amount = uint256(amounts[i]) + 1;
            ids[i] = i % 2 == 0 ? lockCoin(amount) : lockCoins(coins, amount);
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 amount = uint256(amounts[i]) + 1;
            bool claimed = (fate >> i) & 1 == 1;
            if (claimed) locks.claim(ids[i], SECRET);
            (claimed ? paid : open)[i % 2] += amount;
        }
        vm.assertEq(address(locks).balance, open[0], "coin held");
        vm.assertEq(coins.balanceOf(address(locks)), open[1], "tokens held");
        vm.warp(EXPIRY);
        for (uint256 i = 0; i < ids.length; ++i) {
            if ((fate >> i) & 1 == 0) locks.refund(ids[i]);
        }
        vm.assertEq(BOB.balance, paid[0], "coin paid");
        vm.assertEq(coins.balanceOf(BOB), paid[1], "tokens paid");
        vm.assertEq(ALICE.balance, open[0], "coin back");
        vm.assertEq(coins.balanceOf(ALICE), open[1], "tokens back");
        vm.assertEq(address(locks).balance + coins.balanceOf(address(locks)), 0, "left");
    }

    // H8: coin that no lock would have is not taken.

    function test_coin_that_comes_without_a_lock_is_refused() public {
        (bool accepted,) = address(locks).call{value: 1}("");
        vm.assertTrue(!accepted, "taken");
    }

    function lockCoin(uint256 amount) private returns (bytes32) {
        vm.deal(ALICE, ALICE.balance + amount);
        vm.prank(ALICE);
        return locks.lockNative{value: amount}(hash, BOB, EXPIRY);
    }

    function lockCoins(Coins token, uint256 amount) private returns (bytes32) {
        approve(token, amount);
        vm.prank(ALICE);
        return locks.lockERC20(hash, BOB, EXPIRY, address(token), amount);
    }

    function approve(Coins token, uint256 amount) private {
        token.mint(ALICE, amount);
        vm.prank(ALICE);
        token.approve(address(locks), amount);
    }

    function idOnAnotherChain() private returns (bytes32 id) {
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        id = locks.idOf(ALICE, 0, hash, BOB, EXPIRY, address(0), 5);
        vm.chainId(here);
    }

    function requireStatus(bytes32 id, HashLock.Status expected) private view {
        vm.assertEq(uint256(locks.lockOf(id).status), uint256(expected), "status");
    }
}
