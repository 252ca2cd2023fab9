// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "../../src/Bls12381.sol";

/// Key generation and signing on the multiplication precompiles, so that fuzz tests sign whatever they
/// come up with. `Fixture.t.sol` checks the same against signatures made elsewhere.
library BlsSigner {
    /// The order of the subgroups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    function secret(string memory phrase, uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("TEST ONLY", phrase, index))) % ORDER;
    }

    function publicKey(uint256 secret_) internal view returns (bytes memory) {
        bytes memory generator = abi.encode(
            0x0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f,
            0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
            0x0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4,
            0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1
        );
        return _multiply(address(0x0c), bytes.concat(generator, bytes32(secret_)));
    }

    /// Several members' signatures over one message add up to that of the sum of their secrets.
    function sign(uint256 secret_, bytes32 message, bytes memory tag) internal view returns (bytes memory) {
        Bls12381.G2 memory hashed = Bls12381.hashToG2(bytes.concat(message), tag);
        return _multiply(address(0x0e), bytes.concat(abi.encode(hashed), bytes32(secret_)));
    }

    function add(Bls12381.G1 memory a, Bls12381.G1 memory b) internal view returns (Bls12381.G1 memory) {
        (bool accepted, bytes memory sum) = address(0x0b).staticcall(abi.encode(a, b));
        require(accepted, "addition refused");
        return abi.decode(sum, (Bls12381.G1));
    }

    /// By multiplying with the order less one.
    function negate(Bls12381.G1 memory a) internal view returns (Bls12381.G1 memory) {
        return abi.decode(_multiply(address(0x0c), bytes.concat(abi.encode(a), bytes32(ORDER - 1))), (Bls12381.G1));
    }

    function _multiply(address precompile, bytes memory input) private view returns (bytes memory output) {
        bool accepted;
        (accepted, output) = precompile.staticcall(input);
        require(accepted && output.length > 0, "multiplication refused");
    }
}
