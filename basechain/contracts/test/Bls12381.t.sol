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
    address private constant MODEXP = address(0x05);
    uint256 private constant P_HI = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LO = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    /// Of a number of 64 bytes by the modulus.
    uint256 private constant QUOTIENT_MAX = 0x9d835d2f3cc9e45ce28101b0cc7a6ba29;
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

    /// forge-config: default.fuzz.runs = 20000
    function testFuzz_numbers_are_reduced_as_the_precompile_does(uint256[8] memory numbers) public view {
        requireReduced(numbers);
    }

    /// Where the quotient that is estimated is one too low, if anywhere.
    /// forge-config: default.fuzz.runs = 10000
    function testFuzz_numbers_beside_multiples_of_the_modulus_are_reduced(uint256 seed, uint256 distance) public view {
        requireReducedBeside(seed % (QUOTIENT_MAX + 1), distance % 1_000);
    }

    function test_numbers_at_the_edges_are_reduced() public view {
        uint256[9] memory highs =
            [0, 1, P_HI - 1, P_HI, P_HI + 1, 2 * P_HI, 1 << 128, type(uint256).max - 1, type(uint256).max];
        uint256[9] memory lows =
            [0, 1, P_LO - 1, P_LO, P_LO + 1, 1 << 128, 1 << 255, type(uint256).max - 1, type(uint256).max];
        for (uint256 i = 0; i < 9; ++i) {
            for (uint256 j = 0; j < 9; ++j) {
                requireReduced([highs[i], lows[j], highs[i], ~lows[j], ~highs[i], lows[j], lows[j], highs[i]]);
            }
        }
        // The last two: with one less the lower word of its product with the modulus is so large that its upper word
        // takes a borrow, which random numbers never come upon.
        uint256[10] memory factors = [
            0,
            1,
            2,
            1 << 64,
            1 << 130,
            QUOTIENT_MAX - 2,
            QUOTIENT_MAX - 1,
            QUOTIENT_MAX,
            0x197caa80a77a7ff74b2bb14f3aaea4e39,
            0x251fc1368b59298f627937aff5dc2151e
        ];
        for (uint256 i = 0; i < 10; ++i) {
            requireReducedBeside(factors[i], 1);
            requireReducedBeside(factors[i], 2);
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

    /// A multiple of the modulus, what is below and above it, and one word of it alone.
    function requireReducedBeside(uint256 factor, uint256 distance) private view {
        unchecked {
            uint256 low = factor * P_LO;
            uint256 folded = mulmod(factor, P_LO, type(uint256).max);
            uint256 high = factor * P_HI + folded - low - (folded < low ? 1 : 0);
            (uint256 lower, uint256 upper) = (low - distance, low + distance);
            requireReduced(
                [high, low, low < lower ? high - 1 : high, lower, upper < low ? high + 1 : high, upper, high, 0]
            );
        }
    }

    /// Four numbers of two words each.
    function requireReduced(uint256[8] memory numbers) private view {
        bytes memory expected;
        for (uint256 i = 0; i < 8; i += 2) {
            bytes memory power = abi.encodePacked(
                uint256(64), uint256(1), uint256(64), numbers[i], numbers[i + 1], uint8(1), P_HI, P_LO
            );
            (bool done, bytes memory remainder) = MODEXP.staticcall(power);
            vm.assertTrue(done && remainder.length == 64, "exponentiation");
            expected = bytes.concat(expected, remainder);
        }
        Bls12381.reduce(numbers);
        vm.assertEq(abi.encodePacked(numbers), expected, "remainders");
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
