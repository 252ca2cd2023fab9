// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "../src/Bls12381.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {Statement} from "../src/Statement.sol";
import {BlsSigner} from "./support/BlsSigner.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// Whatever the weights and whoever is absent: accepted exactly when more than two thirds signed. The
/// committee of eleven makes a bitmap of a full and a part byte.
contract QuorumTest is Cluster {
    uint256 private constant MEMBERS = 11;

    function setUp() public {
        uint64[] memory uneven = new uint64[](MEMBERS);
        for (uint64 i = 0; i < MEMBERS; ++i) {
            uneven[i] = 1 + i * i;
        }
        establish(uneven);
    }

    function testFuzz_accepted_exactly_when_more_than_two_thirds_signed(uint256 present) public {
        requireAcceptedByQuorumOnly(present & everybody());
    }

    /// Few absent, so that most cases pass.
    function testFuzz_accepted_with_few_absent(uint256 a, uint256 b) public {
        requireAcceptedByQuorumOnly(everybody() & ~(1 << (a % MEMBERS)) & ~(1 << (b % MEMBERS)));
    }

    function testFuzz_accepted_by_quorum_whatever_the_weights(uint256 seed, uint256 present) public {
        uint64[] memory random = new uint64[](1 + seed % 6);
        for (uint256 i = 0; i < random.length; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            // Small weights meet two thirds exactly, large ones fill the bounds.
            random[i] = uint64(1 + draw % (draw & (1 << 255) == 0 ? 4 : WEIGHT_MAX));
        }
        establish(random);
        requireAcceptedByQuorumOnly(present & everybody());
    }

    function testFuzz_the_signers_key_is_the_sum_of_those_present(uint256 present) public view {
        present &= everybody();
        Bls12381.G1 memory expected;
        for (uint256 i = 0; i < MEMBERS; ++i) {
            if ((present >> i) & 1 == 0) continue;
            expected = BlsSigner.add(expected, abi.decode(registry.member(uint64(i + 1)).finalityKey, (Bls12381.G1)));
        }
        (, uint64 signed, uint64 total, Bls12381.G1 memory key) = registry.signers(bitmapOf(present));
        vm.assertEq(abi.encode(key), abi.encode(expected), "key");
        vm.assertEq(signed, weightOf(present), "signed");
        vm.assertEq(total, weightOf(everybody()), "total");
    }

    function testFuzz_signers_other_than_the_bitmaps_are_refused(uint256 signers, uint256 claimed) public {
        signers &= everybody();
        claimed &= everybody();
        vm.assume(signers != 0 && signers != claimed);
        Statement memory statement = statementAt(1);
        bytes memory signature = signedBy(statement, signers);
        try manager.submit(statement, bitmapOf(claimed), signature) {
            revert("accepted");
        } catch {}
    }

    function requireAcceptedByQuorumOnly(uint256 present) private {
        uint256 signed = weightOf(present);
        uint256 total = weightOf(everybody());
        if (3 * signed > 2 * total) {
            post(statementAt(1), present);
            vm.assertEq(manager.checkpointCount(), 1, "accepted");
            return;
        }
        // Nobody's signature is infinity, which has a refusal of its own.
        bytes memory signature =
            present == 0 ? BlsSigner.sign(1, 0, FINALITY_TAG) : signedBy(statementAt(1), present);
        bytes memory bitmap = bitmapOf(present);
        Statement memory statement = statementAt(1);
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.QuorumNotReached.selector, signed, total));
        manager.submit(statement, bitmap, signature);
    }

    function weightOf(uint256 present) private view returns (uint256 sum) {
        for (uint256 i = 0; i < weights.length; ++i) {
            if ((present >> i) & 1 == 1) sum += weights[i];
        }
    }
}
