// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "../src/Bls12381.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {BlsSigner} from "./support/BlsSigner.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// A finality key counts only with a proof of possession made for this operator, key, registry and
/// chain. Each test spoils one thing of a registration of operator 0 that is otherwise in order.
contract PossessionTest is Cluster {
    address private constant PAIRING = address(0x0f);

    function setUp() public {
        deploy(3);
    }

    function test_the_registration_that_the_others_spoil_is_accepted() public {
        vm.assertEq(enrol(0, 1), 1, "id");
    }

    function test_a_proof_by_another_key_is_refused() public {
        Application memory a = application(0);
        a.possession = signed(finalitySecret(1), digestOf(a), POSSESSION_TAG);
        refusedAsWrong(a);
    }

    function test_a_proof_for_another_operator_is_refused() public {
        Application memory a = provenBy(finalitySecret(0), registry, operator(1), vertexKey(0));
        refusedAsWrong(a);
    }

    function test_a_proof_copied_from_the_mempool_is_refused() public {
        // Operator 1 sees operator 0's registration and sends it first, as its own.
        Application memory a = application(0);
        bytes memory wrong = abi.encodeWithSelector(MasternodeRegistry.PossessionRefused.selector, operator(1));
        sendExpecting(wrong, operator(1), BOND_UNIT, a);
    }

    function test_a_proof_for_another_vertex_key_is_refused() public {
        Application memory a = application(0);
        a.vertexKey = vertexKey(1);
        refusedAsWrong(a);
    }

    function test_a_proof_for_another_registry_is_refused() public {
        refusedAsWrong(provenBy(finalitySecret(0), deployRegistry(3), operator(0), vertexKey(0)));
    }

    function test_a_proof_for_another_chain_is_refused() public {
        Application memory a = application(0);
        vm.chainId(block.chainid + 1);
        refusedAsWrong(a);
    }

    function test_a_proof_under_the_finality_tag_is_refused() public {
        Application memory a = application(0);
        a.possession = signed(finalitySecret(0), digestOf(a), FINALITY_TAG);
        refusedAsWrong(a);
    }

    /// The attack that the proof is there against: a key made so that the sum of all keys is one
    /// whose secret the attacker has. Its secret, hence its proof, is out of reach.
    function test_a_key_that_cancels_anothers_is_refused() public {
        enrol(1, 1);
        Bls12381.G1 memory mine = abi.decode(BlsSigner.publicKey(finalitySecret(0)), (Bls12381.G1));
        Bls12381.G1 memory theirs = abi.decode(registry.member(2).finalityKey, (Bls12381.G1));
        Application memory a = application(0);
        a.finalityKey = abi.encode(BlsSigner.add(mine, BlsSigner.negate(theirs)));
        a.possession = signed(finalitySecret(0), digestOf(a), POSSESSION_TAG);
        refusedAsWrong(a);
    }

    function test_a_key_at_infinity_is_refused() public {
        Application memory a = application(0);
        a.finalityKey = new bytes(128);
        a.possession = new bytes(256);
        refused(abi.encodeWithSelector(MasternodeRegistry.FinalityKeyAtInfinity.selector), a);
    }

    function test_a_proof_at_infinity_is_refused() public {
        Application memory a = application(0);
        a.possession = new bytes(256);
        refused(abi.encodeWithSelector(MasternodeRegistry.PossessionAtInfinity.selector), a);
    }

    function test_a_key_off_the_curve_is_refused() public {
        Application memory a = application(0);
        a.finalityKey[127] ^= 0x01;
        refusedAsNoPoint(a);
    }

    function test_a_key_with_a_part_outside_the_subgroup_is_refused() public {
        // (0, 2) is on the curve, of order three. Added to a key it leaves every pairing unchanged,
        // so that the owner's signature over the new key would fit.
        Bls12381.G1 memory mine = abi.decode(BlsSigner.publicKey(finalitySecret(0)), (Bls12381.G1));
        Application memory a = application(0);
        a.finalityKey = abi.encode(BlsSigner.add(mine, Bls12381.G1(0, 0, 0, 2)));
        a.possession = signed(finalitySecret(0), digestOf(a), POSSESSION_TAG);
        refusedAsNoPoint(a);
    }

    function test_a_coordinate_at_or_above_the_modulus_is_refused() public {
        // The same point with the modulus added to x: a second encoding of one key.
        Bls12381.G1 memory key = abi.decode(BlsSigner.publicKey(finalitySecret(0)), (Bls12381.G1));
        Application memory a = application(0);
        unchecked {
            uint256 lo = key.xLo + 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
            uint256 carry = lo < key.xLo ? 1 : 0;
            a.finalityKey = abi.encode(
                key.xHi + 0x1a0111ea397fe69a4b1ba7b6434bacd7 + carry, lo, key.yHi, key.yLo
            );
        }
        a.possession = signed(finalitySecret(0), digestOf(a), POSSESSION_TAG);
        refusedAsNoPoint(a);
    }

    function test_a_key_with_anything_in_its_padding_is_refused() public {
        Application memory a = application(0);
        a.finalityKey[0] = 0x01;
        a.possession = signed(finalitySecret(0), digestOf(a), POSSESSION_TAG);
        refusedAsNoPoint(a);
    }

    function test_a_proof_off_the_curve_is_refused() public {
        Application memory a = application(0);
        a.possession[255] ^= 0x01;
        refusedAsNoPoint(a);
    }

    function test_lengths_other_than_those_of_the_points_are_refused() public {
        Application memory a = application(0);
        a.finalityKey = new bytes(127);
        refused(abi.encodeWithSelector(MasternodeRegistry.FinalityKeyLength.selector, 127, 128), a);
        a.finalityKey = bytes.concat(application(0).finalityKey, hex"00");
        refused(abi.encodeWithSelector(MasternodeRegistry.FinalityKeyLength.selector, 129, 128), a);
        a = application(0);
        a.possession = "";
        refused(abi.encodeWithSelector(MasternodeRegistry.PossessionLength.selector, 0, 256), a);
        a.possession = bytes.concat(application(0).possession, hex"00");
        refused(abi.encodeWithSelector(MasternodeRegistry.PossessionLength.selector, 257, 256), a);
    }

    function testFuzz_any_bit_changed_in_key_or_proof_is_refused(uint256 bit) public {
        Application memory a = application(0);
        bit %= 8 * (128 + 256);
        if (bit < 8 * 128) flip(a.finalityKey, bit);
        else flip(a.possession, bit - 8 * 128);
        vm.deal(operator(0), BOND_UNIT);
        vm.prank(operator(0));
        try registry.register{value: BOND_UNIT}(a.vertexKey, a.finalityKey, a.possession, a.addresses) {
            revert("accepted");
        } catch {}
    }

    function flip(bytes memory data, uint256 bit) private pure {
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
    }

    function digestOf(Application memory a) private view returns (bytes32) {
        return registry.possessionDigest(operator(0), a.vertexKey, a.finalityKey);
    }

    function signed(uint256 secret, bytes32 digest, bytes memory tag) private view returns (bytes memory) {
        return BlsSigner.sign(secret, digest, tag);
    }

    function refused(bytes memory refusal, Application memory a) private {
        sendExpecting(refusal, operator(0), BOND_UNIT, a);
    }

    function refusedAsWrong(Application memory a) private {
        refused(abi.encodeWithSelector(MasternodeRegistry.PossessionRefused.selector, operator(0)), a);
    }

    function refusedAsNoPoint(Application memory a) private {
        refused(abi.encodeWithSelector(Bls12381.PointRefused.selector, PAIRING), a);
    }
}
