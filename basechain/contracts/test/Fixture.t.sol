// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "../src/Bls12381.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Statement} from "../src/Statement.sol";
import {BlsSigner} from "./support/BlsSigner.sol";
import {vm} from "./support/Vm.sol";

/// The contracts against `committee4.json`, which another implementation made: the same keys, digests,
/// proofs and certificates at the same addresses.
contract FixtureTest {
    string private json;
    MasternodeRegistry private registry;
    CheckpointManager private manager;

    function setUp() public {
        json = vm.readFile("test/fixtures/committee4.json");
        vm.chainId(number(".chainId"));
        address[] memory operators = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            operators[i] = vm.parseJsonAddress(json, ofMember(i, "operator"));
        }
        vm.startPrank(vm.parseJsonAddress(json, ".deployer"));
        registry = new MasternodeRegistry(
            vm.parseJsonAddress(json, ".manager"),
            number(".bondUnit"),
            uint64(number(".weightMin")),
            uint64(number(".weightMax")),
            1 days,
            operators
        );
        manager = new CheckpointManager(word(".statement.network"), registry, 0);
        vm.stopPrank();
        // From the last to the first: the committee's order is that of the operators named.
        for (uint256 i = 4; i > 0; --i) {
            enrol(i - 1, operators[i - 1]);
        }
    }

    function test_contracts_stand_at_the_addresses_of_the_fixture() public view {
        vm.assertEq(address(registry), vm.parseJsonAddress(json, ".registry"), "registry");
        vm.assertEq(address(manager), vm.parseJsonAddress(json, ".manager"), "manager");
    }

    function test_tags_are_those_of_the_fixture() public view {
        vm.assertEq(string(registry.POSSESSION_TAG()), vm.parseJsonString(json, ".possessionTag"), "possession");
        vm.assertEq(string(manager.FINALITY_TAG()), vm.parseJsonString(json, ".finalityTag"), "finality");
    }

    function test_members_are_those_of_the_fixture() public view {
        for (uint256 i = 0; i < 4; ++i) {
            MasternodeRegistry.Member memory member = registry.member(uint64(i + 1));
            vm.assertEq(member.operator, vm.parseJsonAddress(json, ofMember(i, "operator")), "operator");
            vm.assertEq(member.weight, number(ofMember(i, "weight")), "weight");
            vm.assertEq(member.bond, number(ofMember(i, "bond")), "bond");
            vm.assertEq(member.vertexKey, word(ofMember(i, "vertexKey")), "vertex key");
            vm.assertEq(member.finalityKey, data(ofMember(i, "finalityKey")), "finality key");
            vm.assertEq(member.addresses, vm.parseJsonString(json, ofMember(i, "addresses")), "addresses");
        }
    }

    function test_digests_are_those_of_the_fixture() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 possession = registry.possessionDigest(
                vm.parseJsonAddress(json, ofMember(i, "operator")), word(ofMember(i, "vertexKey")), data(ofMember(i, "finalityKey"))
            );
            vm.assertEq(possession, word(ofMember(i, "possessionDigest")), "possession digest");
        }
        (,,, bytes32 digest) = registry.committee();
        vm.assertEq(digest, word(".committeeDigest"), "committee digest");
        vm.assertEq(abi.encode(statement()), data(".encodedStatement"), "encoding");
        vm.assertEq(manager.statementDigest(statement()), word(".statementDigest"), "statement digest");
    }

    function test_keys_and_proofs_of_the_tests_own_signer_are_those_of_the_fixture() public view {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 secret = uint256(word(ofMember(i, "finalitySecret")));
            vm.assertEq(BlsSigner.publicKey(secret), data(ofMember(i, "finalityKey")), "key");
            bytes memory proof = BlsSigner.sign(secret, word(ofMember(i, "possessionDigest")), registry.POSSESSION_TAG());
            vm.assertEq(proof, data(ofMember(i, "possession")), "proof");
        }
    }

    function test_statement_hashes_to_the_point_of_the_fixture() public view {
        bytes memory message = bytes.concat(word(".statementDigest"));
        bytes memory hashed = abi.encode(Bls12381.hashToG2(message, manager.FINALITY_TAG()));
        vm.assertEq(hashed, data(".statementHash"), "point");
    }

    function test_signers_have_the_aggregate_keys_of_the_fixture() public view {
        for (uint256 i = 0; i < 2; ++i) {
            (, uint64 signed, uint64 total, Bls12381.G1 memory key) = registry.signers(data(ofCertificate(i, "bitmap")));
            vm.assertEq(signed, number(ofCertificate(i, "signedWeight")), "signed");
            vm.assertEq(total, 100, "total");
            vm.assertEq(abi.encode(key), data(ofCertificate(i, "aggregateKey")), "key");
        }
    }

    function test_certificate_by_all_is_accepted() public {
        submit(0);
    }

    function test_certificate_by_three_of_four_is_accepted() public {
        submit(1);
    }

    function submit(uint256 i) private {
        manager.submit(statement(), data(ofCertificate(i, "bitmap")), data(ofCertificate(i, "signature")));
        (uint64 height,,) = manager.latest();
        vm.assertEq(height, number(".statement.height"), "height");
        vm.assertTrue(manager.isFinal(statement()), "posted");
    }

    function enrol(uint256 i, address operator) private {
        uint256 bond = number(ofMember(i, "bond"));
        vm.deal(operator, bond);
        bytes memory key = data(ofMember(i, "finalityKey"));
        bytes memory possession = data(ofMember(i, "possession"));
        bytes32 vertexKey = word(ofMember(i, "vertexKey"));
        string memory addresses = vm.parseJsonString(json, ofMember(i, "addresses"));
        vm.prank(operator);
        registry.register{value: bond}(vertexKey, key, possession, addresses);
    }

    function statement() private view returns (Statement memory s) {
        s.network = word(".statement.network");
        s.chainId = uint64(number(".statement.chainId"));
        s.manager = vm.parseJsonAddress(json, ".statement.manager");
        s.epoch = uint64(number(".statement.epoch"));
        s.height = uint64(number(".statement.height"));
        s.timestampMs = uint64(number(".statement.timestampMs"));
        s.commitIndex = uint64(number(".statement.commitIndex"));
        s.commitDigest = word(".statement.commitDigest");
        s.stateRoot = word(".statement.stateRoot");
        s.receiptsRoot = word(".statement.receiptsRoot");
        s.offendersRoot = word(".statement.offendersRoot");
        s.withdrawalsRoot = word(".statement.withdrawalsRoot");
        s.exitRoot = word(".statement.exitRoot");
        s.depositsProcessed = uint64(number(".statement.depositsProcessed"));
        s.depositsDigest = word(".statement.depositsDigest");
        s.registryCursor = uint64(number(".statement.registryCursor"));
        s.nextCommittee = word(".statement.nextCommittee");
    }

    function ofMember(uint256 member, string memory field) private pure returns (string memory) {
        return string.concat(".members[", vm.toString(member), "].", field);
    }

    function ofCertificate(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".certificates[", vm.toString(i), "].", field);
    }

    function number(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, key);
    }

    function word(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, key);
    }

    function data(string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, key);
    }
}
