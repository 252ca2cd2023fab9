// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../src/Committee.sol";
import {Bls12381} from "../src/Bls12381.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Statement} from "../src/Statement.sol";
import {BlsSigner} from "./support/BlsSigner.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// What the manager accepts, keeps and refuses, with four members of equal weight.
contract CheckpointTest is Cluster {
    uint256 private constant ALL = 15;
    uint256 private constant ALL_BUT_THE_SECOND = 13;

    function setUp() public {
        establish(equalWeights(4));
    }

    // Accepted.

    function test_a_checkpoint_signed_by_all_is_accepted() public {
        post(statementAt(1), ALL);
        requireLatest(1);
    }

    function test_a_checkpoint_signed_by_three_of_four_is_accepted() public {
        for (uint64 absent = 0; absent < 4; ++absent) {
            post(statementAt(absent + 1), ALL ^ (1 << absent));
            requireLatest(absent + 1);
        }
    }

    function test_anyone_may_submit() public {
        Statement memory statement = statementAt(1);
        (bytes memory bitmap, bytes memory signature) = certify(statement, ALL);
        vm.prank(operator(OUTSIDER));
        manager.submit(statement, bitmap, signature);
        requireLatest(1);
    }

    function test_heights_may_be_skipped() public {
        post(statementAt(3), ALL);
        post(statementAt(1_000), ALL);
        requireLatest(1_000);
        vm.assertEq(manager.checkpointCount(), 2, "count");
        (bytes27 digest, uint64 postedAt) = manager.checkpoint(4);
        vm.assertTrue(digest == 0 && postedAt == 0, "a skipped height has nothing");
    }

    function test_a_checkpoint_is_kept_with_its_time() public {
        vm.roll(500);
        vm.warp(1_000_000);
        post(statementAt(1), ALL);
        vm.roll(600);
        vm.warp(2_000_000);
        post(statementAt(2), ALL);
        (bytes27 digest, uint64 postedAt) = manager.checkpoint(1);
        vm.assertEq(digest, bytes27(keccak256(abi.encode(statementAt(1)))), "digest");
        vm.assertEq(postedAt, 1_000_000, "time");
        (, uint64 latestBlock, uint64 latestTime) = manager.latest();
        vm.assertEq(latestBlock, 600, "latest block");
        vm.assertEq(latestTime, 2_000_000, "latest time");
    }

    function test_a_checkpoint_is_announced() public {
        Statement memory s = statementAt(1);
        (bytes memory bitmap, bytes memory signature) = certify(s, ALL_BUT_THE_SECOND);
        vm.expectEmit(address(manager));
        emit CheckpointManager.Checkpoint(0, 1, s.stateRoot, keccak256(abi.encode(s)), operator(OUTSIDER), 3);
        vm.prank(operator(OUTSIDER));
        manager.submit(s, bitmap, signature);
    }

    function test_there_is_nothing_before_the_first() public view {
        (uint64 height, uint64 baseBlock, uint64 postedAt) = manager.latest();
        vm.assertTrue(height == 0 && baseBlock == 0 && postedAt == 0, "latest");
        vm.assertEq(manager.checkpointCount(), 0, "count");
    }

    // Quorum.

    function test_half_of_the_weight_is_refused() public {
        postExpecting(notReached(2, 4), statementAt(1), 3);
    }

    function test_exactly_two_thirds_are_refused() public {
        establish(equalWeights(3));
        postExpecting(notReached(2, 3), statementAt(1), 3);
        post(statementAt(1), 7);
    }

    function test_one_unit_more_than_two_thirds_is_accepted() public {
        uint64[] memory uneven = equalWeights(3);
        uneven[1] = 2;
        establish(uneven);
        postExpecting(notReached(2, 4), statementAt(1), 5);
        post(statementAt(1), 3);
    }

    function test_no_signer_at_all_is_refused() public {
        bytes memory anything = BlsSigner.sign(1, 0, FINALITY_TAG);
        submitExpecting(notReached(0, 4), statementAt(1), hex"00", anything);
    }

    function test_nothing_is_accepted_before_the_genesis_is_complete() public {
        deploy(4);
        enrol(0, 1);
        enrol(1, 1);
        enrol(2, 1);
        bytes memory incomplete = abi.encodeWithSelector(Committee.GenesisIncomplete.selector, 3, 4);
        postExpecting(incomplete, statementAt(1), ALL);
    }

    function test_a_queued_newcomer_has_no_say() public {
        enrol(OUTSIDER, 100);
        Statement memory statement = statementAt(1);
        bytes memory signature = signedBy(statement, ALL);
        submitExpecting(abi.encodeWithSelector(Committee.BitmapStrayBits.selector, 4), statement, hex"1f", signature);
        post(statement, ALL);
    }

    // Replay.

    function test_a_checkpoint_is_accepted_once() public {
        post(statementAt(5), ALL);
        postExpecting(notNewer(5, 5), statementAt(5), ALL);
    }

    function test_another_statement_for_the_latest_height_is_refused() public {
        post(statementAt(5), ALL);
        Statement memory other = statementAt(5);
        other.stateRoot = keccak256("another state");
        postExpecting(notNewer(5, 5), other, ALL);
    }

    function test_a_lower_height_is_refused() public {
        post(statementAt(5), ALL);
        postExpecting(notNewer(4, 5), statementAt(4), ALL);
    }

    function test_height_zero_is_refused() public {
        postExpecting(notNewer(0, 0), statementAt(0), ALL);
    }

    function test_a_statement_for_another_network_is_refused() public {
        Statement memory s = statementAt(1);
        s.network = keccak256("another network");
        postExpecting(abi.encodeWithSelector(CheckpointManager.WrongNetwork.selector, s.network, NETWORK), s, ALL);
    }

    function test_a_statement_for_another_chain_is_refused() public {
        Statement memory s = statementAt(1);
        (bytes memory bitmap, bytes memory signature) = certify(s, ALL);
        uint256 fork = block.chainid + 1;
        vm.chainId(fork);
        submitExpecting(
            abi.encodeWithSelector(CheckpointManager.WrongChain.selector, s.chainId, fork), s, bitmap, signature
        );
    }

    function test_a_statement_for_another_manager_is_refused() public {
        Statement memory s = statementAt(1);
        s.manager = address(registry);
        postExpecting(
            abi.encodeWithSelector(CheckpointManager.WrongManager.selector, s.manager, address(manager)), s, ALL
        );
        // Addressed anew, the signature no longer fits.
        (bytes memory bitmap, bytes memory signature) = certify(s, ALL);
        s.manager = address(manager);
        submitExpecting(signatureRefused(s, 4), s, bitmap, signature);
    }

    function test_a_statement_of_another_epoch_is_refused() public {
        Statement memory s = statementAt(1);
        s.epoch = 1;
        postExpecting(abi.encodeWithSelector(CheckpointManager.WrongEpoch.selector, 1, 0), s, ALL);
    }

    // Zero roots, each signed by everybody.

    function test_a_zero_state_root_is_refused() public {
        Statement memory s = statementAt(1);
        s.stateRoot = 0;
        postExpecting(zeroRoot("stateRoot"), s, ALL);
    }

    function test_a_zero_receipts_root_is_refused() public {
        Statement memory s = statementAt(1);
        s.receiptsRoot = 0;
        postExpecting(zeroRoot("receiptsRoot"), s, ALL);
    }

    function test_a_zero_offenders_root_is_refused() public {
        Statement memory s = statementAt(1);
        s.offendersRoot = 0;
        postExpecting(zeroRoot("offendersRoot"), s, ALL);
    }

    function test_a_zero_withdrawals_root_is_refused() public {
        Statement memory s = statementAt(1);
        s.withdrawalsRoot = 0;
        postExpecting(zeroRoot("withdrawalsRoot"), s, ALL);
    }

    function test_a_zero_exit_root_is_refused() public {
        Statement memory s = statementAt(1);
        s.exitRoot = 0;
        postExpecting(zeroRoot("exitRoot"), s, ALL);
    }

    function test_a_zero_commit_digest_is_refused() public {
        Statement memory s = statementAt(1);
        s.commitDigest = 0;
        postExpecting(zeroRoot("commitDigest"), s, ALL);
    }

    // The signature.

    function test_a_wrong_root_is_refused() public {
        Statement memory s = statementAt(1);
        (bytes memory bitmap, bytes memory signature) = certify(s, ALL);
        s.stateRoot = keccak256("a state that nobody signed");
        submitExpecting(signatureRefused(s, 4), s, bitmap, signature);
        vm.assertEq(manager.checkpointCount(), 0, "count");
    }

    function testFuzz_any_bit_of_the_statement_changed_is_refused(uint256 bit) public {
        Statement memory statement = statementAt(1);
        (bytes memory bitmap, bytes memory signature) = certify(statement, ALL);
        bytes memory call = abi.encodeCall(CheckpointManager.submit, (statement, bitmap, signature));
        bit %= 8 * 17 * 32;
        call[4 + bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool accepted,) = address(manager).call(call);
        vm.assertTrue(!accepted, "accepted");
    }

    function testFuzz_any_bit_of_the_signature_changed_is_refused(uint256 bit) public {
        Statement memory statement = statementAt(1);
        (bytes memory bitmap, bytes memory signature) = certify(statement, ALL);
        bit %= 8 * 256;
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        try manager.submit(statement, bitmap, signature) {
            revert("accepted");
        } catch {}
    }

    function testFuzz_garbage_as_signature_is_refused(bytes32 seed) public {
        bytes memory garbage;
        for (uint256 i = 0; i < 8; ++i) {
            garbage = bytes.concat(garbage, keccak256(abi.encode(seed, i)));
        }
        submitExpecting(pointRefused(), statementAt(1), bitmapOf(ALL), garbage);
    }

    function test_a_valid_point_that_is_no_signature_is_refused() public {
        Statement memory s = statementAt(1);
        bytes memory other = BlsSigner.sign(7, keccak256("another message"), FINALITY_TAG);
        submitExpecting(signatureRefused(s, 4), s, bitmapOf(ALL), other);
    }

    function test_infinity_as_signature_is_refused() public {
        bytes memory infinity = abi.encodeWithSelector(CheckpointManager.SignatureAtInfinity.selector);
        submitExpecting(infinity, statementAt(1), bitmapOf(ALL), new bytes(256));
    }

    function test_a_signature_outside_the_subgroup_is_refused() public {
        // On the curve at x = 2, outside the subgroup.
        bytes memory outside = abi.encode(
            [
                uint256(0),
                2,
                0,
                0,
                0x18c6b864ae17dc9da64203ffefb96630,
                0x6425a7bc6aeb7c75247438372716284a4173830420cd476ba1a365b95bfcec38,
                0x172e93db764a8400a7d5071b6b6f5de0,
                0xda2f0f4a063119abca014006b7c40a2cfe291a1924e65db0d6d0fcfbf3bf3d5c
            ]
        );
        submitExpecting(pointRefused(), statementAt(1), bitmapOf(ALL), outside);
    }

    function test_a_signature_of_another_length_is_refused() public {
        Statement memory s = statementAt(1);
        bytes memory signature = signedBy(s, ALL);
        submitExpecting(signatureLength(0), s, bitmapOf(ALL), "");
        submitExpecting(signatureLength(255), s, bitmapOf(ALL), new bytes(255));
        submitExpecting(signatureLength(257), s, bitmapOf(ALL), bytes.concat(signature, hex"00"));
    }

    function test_a_signature_under_the_possession_tag_is_refused() public {
        Statement memory s = statementAt(1);
        uint256 secrets = 0;
        for (uint256 i = 0; i < 4; ++i) {
            secrets = addmod(secrets, finalitySecret(i), BlsSigner.ORDER);
        }
        bytes memory misused = BlsSigner.sign(secrets, keccak256(abi.encode(s)), POSSESSION_TAG);
        submitExpecting(signatureRefused(s, 4), s, bitmapOf(ALL), misused);
    }

    function test_an_outsiders_signature_is_refused() public {
        Statement memory s = statementAt(1);
        bytes memory alone = BlsSigner.sign(finalitySecret(OUTSIDER), keccak256(abi.encode(s)), FINALITY_TAG);
        submitExpecting(signatureRefused(s, 4), s, bitmapOf(ALL), alone);
    }

    function test_an_outsider_among_the_signers_is_refused() public {
        // Three members and an outsider in place of the fourth.
        Statement memory s = statementAt(1);
        uint256 secrets = finalitySecret(OUTSIDER);
        for (uint256 i = 0; i < 3; ++i) {
            secrets = addmod(secrets, finalitySecret(i), BlsSigner.ORDER);
        }
        bytes memory mixed = BlsSigner.sign(secrets, keccak256(abi.encode(s)), FINALITY_TAG);
        submitExpecting(signatureRefused(s, 4), s, bitmapOf(ALL), mixed);
        submitExpecting(signatureRefused(s, 3), s, bitmapOf(7), mixed);
    }

    // The bitmap.

    function test_a_bitmap_that_names_a_member_who_did_not_sign_is_refused() public {
        Statement memory s = statementAt(1);
        submitExpecting(signatureRefused(s, 4), s, bitmapOf(ALL), signedBy(s, ALL_BUT_THE_SECOND));
    }

    function test_a_bitmap_that_leaves_out_a_signer_is_refused() public {
        Statement memory s = statementAt(1);
        submitExpecting(signatureRefused(s, 3), s, bitmapOf(ALL_BUT_THE_SECOND), signedBy(s, ALL));
    }

    function test_a_bitmap_that_names_other_signers_is_refused() public {
        Statement memory s = statementAt(1);
        submitExpecting(signatureRefused(s, 3), s, bitmapOf(14), signedBy(s, ALL_BUT_THE_SECOND));
    }

    function test_stray_bits_are_refused() public {
        Statement memory s = statementAt(1);
        bytes memory signature = signedBy(s, ALL);
        for (uint256 bit = 4; bit < 8; ++bit) {
            submitExpecting(abi.encodeWithSelector(Committee.BitmapStrayBits.selector, 4), s, bitmapOf(ALL | (1 << bit)), signature);
        }
    }

    function test_a_bitmap_of_another_length_is_refused() public {
        Statement memory s = statementAt(1);
        bytes memory signature = signedBy(s, ALL);
        submitExpecting(bitmapLength(0), s, "", signature);
        submitExpecting(bitmapLength(2), s, hex"0f00", signature);
    }

    function requireLatest(uint64 height) private view {
        (uint64 latestHeight, uint64 baseBlock, uint64 postedAt) = manager.latest();
        vm.assertEq(latestHeight, height, "height");
        vm.assertEq(baseBlock, block.number, "block");
        vm.assertEq(postedAt, block.timestamp, "time");
        (bytes27 digest,) = manager.checkpoint(height);
        vm.assertEq(digest, bytes27(keccak256(abi.encode(statementAt(height)))), "digest");
    }

    function submitExpecting(
        bytes memory refusal,
        Statement memory statement,
        bytes memory bitmap,
        bytes memory signature
    ) private {
        vm.expectRevert(refusal);
        manager.submit(statement, bitmap, signature);
    }

    function notReached(uint64 signed, uint64 total) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CheckpointManager.QuorumNotReached.selector, signed, total);
    }

    function notNewer(uint64 given, uint64 latest) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CheckpointManager.HeightNotNewer.selector, given, latest);
    }

    function zeroRoot(string memory field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CheckpointManager.ZeroRoot.selector, field);
    }

    function signatureRefused(Statement memory s, uint64 signed) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(CheckpointManager.SignatureRefused.selector, keccak256(abi.encode(s)), signed);
    }

    function signatureLength(uint256 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CheckpointManager.SignatureLength.selector, given, 256);
    }

    function pointRefused() private pure returns (bytes memory) {
        return abi.encodeWithSelector(Bls12381.PointRefused.selector, address(0x0f));
    }

    function bitmapLength(uint256 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Committee.BitmapLength.selector, given, 1);
    }
}
