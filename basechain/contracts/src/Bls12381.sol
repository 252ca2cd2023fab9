// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// BLS signatures over BLS12-381 with keys in G1 and signatures in G2, on the precompiles of
/// EIP-2537, in that standard's encoding: a field element is 64 bytes, big-endian, its first 16 zero;
/// a point of G1 is x, y and one of G2 is x.c0, x.c1, y.c0, y.c1; infinity is all zero.
///
/// What is checked where, since a point that slips through forges signatures:
/// - every precompile refuses an element that is not below the modulus and a point off the curve;
/// - only the pairing checks the subgroup. So a key is safe to add up once a pairing has accepted it,
///   which its proof of possession is, and a signature is checked by the pairing that verifies it;
/// - no precompile refuses infinity, with which any message verifies: `isInfinity` is the caller's.
///
/// A precompile that fails burns all the gas it was given, so each call is capped, at about twice
/// its price in Prague: a later repricing must not lock a contract that cannot be changed.
library Bls12381 {
    struct G1 {
        uint256 xHi;
        uint256 xLo;
        uint256 yHi;
        uint256 yLo;
    }

    struct G2 {
        uint256 x0Hi;
        uint256 x0Lo;
        uint256 x1Hi;
        uint256 x1Lo;
        uint256 y0Hi;
        uint256 y0Lo;
        uint256 y1Hi;
        uint256 y1Lo;
    }

    /// A G1 point in three storage slots: the high halves have 128 bits each.
    struct PackedG1 {
        uint256 highs;
        uint256 xLo;
        uint256 yLo;
    }

    /// A sum of keys on its way: the sum, then room for the next summand, as G1ADD takes them.
    struct Sum {
        uint256[8] pair;
    }

    uint256 internal constant G1_BYTES = 128;
    uint256 internal constant G2_BYTES = 256;

    /// The base field's modulus.
    uint256 private constant P_HI = 0x000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LO = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    /// 2^512 divided by it, without the fraction.
    uint256 private constant RECIPROCAL = 0x9d835d2f3cc9e45ce28101b0cc7a6ba29;

    /// The negated generator of G1.
    uint256 private constant MINUS_G1_X_HI = 0x0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f;
    uint256 private constant MINUS_G1_X_LO = 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb;
    uint256 private constant MINUS_G1_Y_HI = 0x00000000000000000000000000000000114d1d6855d545a8aa7d76c8cf2e21f2;
    uint256 private constant MINUS_G1_Y_LO = 0x67816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca;

    address private constant SHA256 = address(0x02);
    address private constant G1_ADD = address(0x0b);
    address private constant G2_ADD = address(0x0d);
    address private constant PAIRING = address(0x0f);
    address private constant MAP_FP2_TO_G2 = address(0x11);

    uint256 private constant SHA256_GAS = 1_000; // 60, and 12 for each word: at most 180 here
    uint256 private constant G1_ADD_GAS = 1_000; // 375
    uint256 private constant G2_ADD_GAS = 1_500; // 600
    uint256 private constant PAIRING_GAS = 210_000; // 102,900 for two pairs
    uint256 private constant MAP_FP2_TO_G2_GAS = 50_000; // 23,800

    /// The precompile failed: a coordinate at or above the modulus, a point off the curve or outside
    /// the subgroup, or less gas left than the call costs.
    error PointRefused(address precompile);
    /// The chain has no such precompile: it is older than Prague.
    error PrecompileMissing(address precompile);
    error DomainTagLength(uint256 given, uint256 max);

    function isInfinity(G1 memory point) internal pure returns (bool) {
        return (point.xHi | point.xLo | point.yHi | point.yLo) == 0;
    }

    function isInfinity(G2 memory point) internal pure returns (bool) {
        return (point.x0Hi | point.x0Lo | point.x1Hi | point.x1Lo | point.y0Hi | point.y0Lo | point.y1Hi | point.y1Lo)
            == 0;
    }

    /// The point must have been accepted by a precompile, or the cut high halves would be lost.
    function pack(G1 memory point) internal pure returns (PackedG1 memory) {
        return PackedG1(point.xHi << 128 | point.yHi, point.xLo, point.yLo);
    }

    function unpack(PackedG1 memory packed) internal pure returns (G1 memory) {
        return G1(packed.highs >> 128, packed.xLo, packed.highs & type(uint128).max, packed.yLo);
    }

    function startSum(PackedG1 storage packed) internal view returns (Sum memory sum) {
        uint256 highs = packed.highs;
        uint256[8] memory pair = sum.pair;
        (pair[0], pair[1], pair[2], pair[3]) = (highs >> 128, packed.xLo, highs & type(uint128).max, packed.yLo);
    }

    function value(Sum memory sum) internal pure returns (G1 memory) {
        uint256[8] memory pair = sum.pair;
        return G1(pair[0], pair[1], pair[2], pair[3]);
    }

    function add(Sum memory sum, PackedG1 storage packed) internal view {
        uint256 highs = packed.highs;
        _addNext(sum, highs >> 128, packed.xLo, highs & type(uint128).max, packed.yLo);
    }

    /// For a key in the subgroup that is not infinity: then its y is not zero.
    function subtract(Sum memory sum, PackedG1 storage packed) internal view {
        uint256 highs = packed.highs;
        uint256 yLo = packed.yLo;
        unchecked {
            uint256 borrow = yLo > P_LO ? 1 : 0;
            _addNext(sum, highs >> 128, packed.xLo, P_HI - (highs & type(uint128).max) - borrow, P_LO - yLo);
        }
    }

    function _addNext(Sum memory sum, uint256 xHi, uint256 xLo, uint256 yHi, uint256 yLo) private view {
        uint256[8] memory pair = sum.pair;
        uint256 place;
        assembly ("memory-safe") {
            place := pair
            mstore(add(place, 0x80), xHi)
            mstore(add(place, 0xa0), xLo)
            mstore(add(place, 0xc0), yHi)
            mstore(add(place, 0xe0), yLo)
        }
        _call(G1_ADD, G1_ADD_GAS, place, 2 * G1_BYTES, place, G1_BYTES);
    }

    /// Whether `signature` is `key`'s over the message that `hashed` is the hash of: one product of
    /// two pairings, e(key, hashed) * e(-generator, signature) = 1. Reverts with `PointRefused` when
    /// key or signature is no point of its subgroup. Infinity is for the caller to refuse.
    function verify(G1 memory key, G2 memory hashed, G2 memory signature) internal view returns (bool) {
        uint256[24] memory pairs;
        uint256[1] memory product;
        uint256 input;
        uint256 output;
        assembly ("memory-safe") {
            input := pairs
            output := product
            mcopy(input, key, 128)
            mcopy(add(input, 128), hashed, 256)
            mcopy(add(input, 512), signature, 256)
        }
        (pairs[12], pairs[13], pairs[14], pairs[15]) =
            (MINUS_G1_X_HI, MINUS_G1_X_LO, MINUS_G1_Y_HI, MINUS_G1_Y_LO);
        _call(PAIRING, PAIRING_GAS, input, 24 * 32, output, 32);
        return product[0] == 1;
    }

    /// RFC 9380's hash_to_curve for the suite BLS12381G2_XMD:SHA-256_SSWU_RO_ under a domain tag.
    /// The map clears the cofactor of each summand, which is the same as clearing the sum's.
    function hashToG2(bytes memory message, bytes memory domainTag) internal view returns (G2 memory point) {
        uint256[8] memory uniform = expandMessage(message, domainTag);
        uint256[16] memory summands;
        uint256 elements;
        uint256 mapped;
        uint256 output;
        assembly ("memory-safe") {
            elements := uniform
            mapped := summands
            output := point
        }
        reduce(uniform);
        _call(MAP_FP2_TO_G2, MAP_FP2_TO_G2_GAS, elements, 128, mapped, G2_BYTES);
        _call(MAP_FP2_TO_G2, MAP_FP2_TO_G2_GAS, elements + 128, 128, mapped + G2_BYTES, G2_BYTES);
        _call(G2_ADD, G2_ADD_GAS, mapped, 2 * G2_BYTES, output, G2_BYTES);
    }

    /// RFC 9380's expand_message_xmd with SHA-256, to 256 bytes: two elements of F_p2 at 128 each.
    function expandMessage(bytes memory message, bytes memory domainTag)
        internal
        view
        returns (uint256[8] memory uniform)
    {
        if (domainTag.length > 255) revert DomainTagLength(domainTag.length, 255);
        bytes memory suffix = abi.encodePacked(domainTag, uint8(domainTag.length));
        // 64 zero bytes (one block of SHA-256), the message, the length asked for, a zero byte.
        bytes32 first = sha256(abi.encodePacked(uint256(0), uint256(0), message, uint16(256), uint8(0), suffix));
        // A word and a counter before the suffix, overwritten for each of the eight hashes.
        bytes memory preimage = abi.encodePacked(uint256(0), uint8(0), suffix);
        uint256 input = _dataOf(preimage);
        uint256 output;
        assembly ("memory-safe") {
            output := uniform
        }
        uint256 previous = 0;
        for (uint256 i = 0; i < 8; ++i) {
            assembly ("memory-safe") {
                mstore(input, xor(first, previous))
                mstore8(add(input, 32), add(i, 1))
            }
            _call(SHA256, SHA256_GAS, input, preimage.length, output + 32 * i, 32);
            previous = uniform[i];
        }
    }

    /// Four numbers of 64 bytes, in place, modulo the base field's modulus, by Barrett's way: a multiplication by the
    /// modulus' reciprocal costs less than an exponentiation by one.
    ///
    /// Exact, since with x = high * 2^256 + low, and 2^512 = RECIPROCAL * p + f where f < p / 9, the quotient
    /// q = floor(high * RECIPROCAL / 2^256) has
    /// q * p <= high * RECIPROCAL * p / 2^256 <= high * 2^256 <= x, and
    /// q * p > high * (2^512 - f) / 2^256 - p > x - low - f - p > x - 2p, as low < 2^256 < p / 9.
    /// So what is left is below 2p: it fits in two words, and one subtraction completes it.
    function reduce(uint256[8] memory numbers) internal pure {
        assembly ("memory-safe") {
            let end := add(numbers, 256)
            for { let place := numbers } lt(place, end) { place := add(place, 64) } {
                let high := mload(place)
                let low := mload(add(place, 32))
                // The upper word of a product is its remainder modulo 2^256 - 1 less its lower word.
                let product := mul(high, RECIPROCAL)
                let folded := mulmod(high, RECIPROCAL, not(0))
                let quotient := sub(sub(folded, product), lt(folded, product))

                product := mul(quotient, P_LO)
                folded := mulmod(quotient, P_LO, not(0))
                high := sub(sub(high, mul(quotient, P_HI)), sub(sub(folded, product), lt(folded, product)))
                high := sub(high, lt(low, product))
                low := sub(low, product)
                if iszero(lt(high, P_HI)) {
                    if or(gt(high, P_HI), iszero(lt(low, P_LO))) {
                        high := sub(sub(high, P_HI), lt(low, P_LO))
                        low := sub(low, P_LO)
                    }
                }
                mstore(place, high)
                mstore(add(place, 32), low)
            }
        }
    }

    function _dataOf(bytes memory buffer) private pure returns (uint256 location) {
        assembly ("memory-safe") {
            location := add(buffer, 32)
        }
    }

    /// Runs a precompile from memory to memory. An address without code accepts any call and returns
    /// nothing, hence the check of the size.
    function _call(
        address precompile,
        uint256 gasMax,
        uint256 input,
        uint256 inputBytes,
        uint256 output,
        uint256 outputBytes
    ) private view {
        bool accepted;
        uint256 returned;
        assembly ("memory-safe") {
            accepted := staticcall(gasMax, precompile, input, inputBytes, output, outputBytes)
            returned := returndatasize()
        }
        if (!accepted) revert PointRefused(precompile);
        if (returned != outputBytes) revert PrecompileMissing(precompile);
    }
}
