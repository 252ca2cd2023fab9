// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "../src/Bls12381.sol";
import {BlsSigner} from "./support/BlsSigner.sol";
import {vm} from "./support/Vm.sol";

/// The library's functions as calls, for their refusals to be seen.
contract Bls12381Face {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.Sum;

    Bls12381.PackedG1 private first;
    Bls12381.PackedG1 private second;

    function keep(Bls12381.G1 memory a, Bls12381.G1 memory b) public {
        (first, second) = (a.pack(), b.pack());
    }

    function sum() public view returns (Bls12381.G1 memory) {
        Bls12381.Sum memory sum_ = Bls12381.startSum(first);
        sum_.add(second);
        return sum_.value();
    }

    function add(Bls12381.G1 memory a, Bls12381.G1 memory b) external returns (Bls12381.G1 memory) {
        keep(a, b);
        return sum();
    }

    function subtract(Bls12381.G1 memory a, Bls12381.G1 memory b) external returns (Bls12381.G1 memory) {
        keep(a, b);
        Bls12381.Sum memory difference = Bls12381.startSum(first);
        difference.subtract(second);
        return difference.value();
    }

    function hashToG2(bytes memory message, bytes memory tag) external view returns (Bls12381.G2 memory) {
        return Bls12381.hashToG2(message, tag);
    }
}

contract Bls12381Test {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.PackedG1;

    address private constant G1_ADD = address(0x0b);
    bytes private constant TAG = "WEFT-V01-TEST-BLS12381G2_XMD:SHA-256_SSWU_RO_";

    Bls12381Face private face = new Bls12381Face();

    function test_hash_to_g2_gives_the_points_of_rfc_9380() public view {
        string memory json = vm.readFile("test/fixtures/rfc9380_g2.json");
        bytes memory tag = bytes(vm.parseJsonString(json, ".tag"));
        for (uint256 i = 0; i < 5; ++i) {
            string memory vector = string.concat(".vectors[", vm.toString(i), "]");
            bytes memory message = bytes(vm.parseJsonString(json, string.concat(vector, ".message")));
            bytes memory expected = vm.parseJsonBytes(json, string.concat(vector, ".point"));
            vm.assertEq(abi.encode(Bls12381.hashToG2(message, tag)), expected, string(message));
        }
    }

    function test_a_domain_tag_over_255_bytes_is_refused() public {
        face.hashToG2("message", new bytes(255));
        vm.expectRevert(abi.encodeWithSelector(Bls12381.DomainTagLength.selector, 256, 255));
        face.hashToG2("message", new bytes(256));
    }

    function testFuzz_packing_loses_nothing(uint256 seed) public view {
        Bls12381.G1 memory point = key(seed);
        vm.assertEq(abi.encode(point.pack().unpack()), abi.encode(point), "point");
    }

    /// What makes total minus absent the same as the sum of those present.
    function testFuzz_subtracting_undoes_adding(uint256 seedA, uint256 seedB) public {
        Bls12381.G1 memory a = key(seedA);
        Bls12381.G1 memory b = key(seedB);
        vm.assertEq(abi.encode(face.subtract(face.add(a, b), b)), abi.encode(a), "a + b - b");
    }

    function testFuzz_a_point_less_itself_is_infinity(uint256 seed) public {
        vm.assertTrue(face.subtract(key(seed), key(seed)).isInfinity(), "a - a");
    }

    function test_infinity_is_neutral() public {
        Bls12381.G1 memory a = key(1);
        Bls12381.G1 memory infinity;
        vm.assertEq(abi.encode(face.add(a, infinity)), abi.encode(a), "a + 0");
        vm.assertEq(abi.encode(face.add(infinity, a)), abi.encode(a), "0 + a");
        vm.assertTrue(face.add(infinity, infinity).isInfinity(), "0 + 0");
    }

    function testFuzz_a_signature_verifies_under_its_key_message_and_tag_only(uint256 seed, bytes32 message)
        public
        view
    {
        uint256 secret = BlsSigner.secret("library", seed);
        bytes memory signature = BlsSigner.sign(secret, message, TAG);
        bytes32 other = keccak256(bytes.concat(message));
        vm.assertTrue(verifies(secret, message, TAG, signature), "the signature itself");
        vm.assertTrue(!verifies(addmod(secret, 1, BlsSigner.ORDER), message, TAG, signature), "another key");
        vm.assertTrue(!verifies(secret, other, TAG, signature), "another message");
        vm.assertTrue(!verifies(secret, message, bytes.concat(TAG, "2"), signature), "another tag");
    }

    function test_a_point_off_the_curve_is_refused_and_burns_no_more_than_the_cap() public {
        Bls12381.G1 memory off = Bls12381.G1(0, 1, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(Bls12381.PointRefused.selector, G1_ADD));
        face.add(off, off);
        face.keep(off, off);
        uint256 before = gasleft();
        try face.sum() {} catch {}
        vm.assertLe(before - gasleft(), 20_000, "gas");
    }

    function test_a_chain_without_the_precompiles_is_named() public {
        vm.mockCall(G1_ADD, "", "");
        vm.expectRevert(abi.encodeWithSelector(Bls12381.PrecompileMissing.selector, G1_ADD));
        face.add(Bls12381.G1(0, 0, 0, 0), Bls12381.G1(0, 0, 0, 0));
    }

    function key(uint256 seed) private view returns (Bls12381.G1 memory) {
        return abi.decode(BlsSigner.publicKey(BlsSigner.secret("library", seed)), (Bls12381.G1));
    }

    function verifies(uint256 secret, bytes32 message, bytes memory tag, bytes memory signature)
        private
        view
        returns (bool)
    {
        Bls12381.G1 memory publicKey = abi.decode(BlsSigner.publicKey(secret), (Bls12381.G1));
        Bls12381.G2 memory hashed = Bls12381.hashToG2(bytes.concat(message), tag);
        return Bls12381.verify(publicKey, hashed, abi.decode(signature, (Bls12381.G2)));
    }
}
