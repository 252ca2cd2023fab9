// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../src/Committee.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Statement} from "../src/Statement.sol";
import {BlsSigner} from "./support/BlsSigner.sol";
import {Cluster} from "./support/Cluster.sol";
import {vm} from "./support/Vm.sol";

/// Who may register, in which order members stand, and what is kept of them.
contract RegistrationTest is Cluster {
    function setUp() public {
        deploy(3);
    }

    function test_genesis_completes_with_the_last_operator() public {
        enrol(0, 5);
        enrol(1, 6);
        bytes memory incomplete = abi.encodeWithSelector(Committee.GenesisIncomplete.selector, 2, 3);
        vm.expectRevert(incomplete);
        registry.committee();
        vm.expectRevert(incomplete);
        registry.totalWeight();
        vm.expectRevert(incomplete);
        registry.signers(hex"07");

        enrol(2, 7);
        (uint64 epoch, uint64[] memory named,,) = registry.committee();
        vm.assertEq(epoch, 0, "epoch");
        vm.assertEq(named.length, 3, "members");
        vm.assertEq(registry.totalWeight(), 18, "weight");
        vm.assertEq(registry.committeeSize(), 3, "size");
    }

    function test_ids_follow_the_operators_named_and_not_who_comes_first() public {
        vm.assertEq(enrol(2, 7), 3, "third");
        vm.assertEq(enrol(0, 5), 1, "first");
        vm.assertEq(enrol(1, 6), 2, "second");
        for (uint64 id = 1; id <= 3; ++id) {
            vm.assertEq(registry.member(id).operator, operator(id - 1), "operator");
            vm.assertEq(registry.member(id).weight, 4 + id, "weight");
            vm.assertEq(registry.idOfOperator(operator(id - 1)), id, "id");
        }
    }

    function test_the_committee_digest_is_that_of_its_members_in_order() public {
        enrol(2, 7);
        enrol(1, 6);
        enrol(0, 5);
        bytes memory preimage = abi.encode(0);
        for (uint256 i = 0; i < 3; ++i) {
            Application memory a = application(i);
            bytes32 keyDigest = keccak256(abi.encode(a.vertexKey, a.finalityKey, a.addresses));
            preimage = bytes.concat(preimage, abi.encode(i + 1, 5 + i, keyDigest));
        }
        (,,, bytes32 digest) = registry.committee();
        vm.assertEq(digest, keccak256(preimage), "digest");
    }

    function test_registering_is_announced() public {
        Application memory a = application(0);
        vm.deal(operator(0), 5 * BOND_UNIT);
        vm.expectEmit(address(registry));
        emit MasternodeRegistry.Registered(1, operator(0), 5, a.vertexKey);
        vm.prank(operator(0));
        registry.register{value: 5 * BOND_UNIT}(a.vertexKey, a.finalityKey, a.possession, a.addresses);
    }

    function test_a_member_is_kept_as_it_registered() public {
        enrol(1, 6);
        MasternodeRegistry.Member memory member = registry.member(2);
        vm.assertEq(member.operator, operator(1), "operator");
        vm.assertEq(member.effective, 6, "weight in effect");
        vm.assertEq(member.bond, 6 * BOND_UNIT, "bond");
        vm.assertEq(member.weight, 6, "weight");
        vm.assertEq(member.vertexKey, vertexKey(1), "vertex key");
        vm.assertEq(member.finalityKey, BlsSigner.publicKey(finalitySecret(1)), "finality key");
        vm.assertEq(member.addresses, "/ip4/127.0.0.1/tcp/9000", "addresses");
        vm.assertEq(uint256(member.status), uint256(MasternodeRegistry.Status.Registered), "status");
        vm.assertEq(address(registry).balance, 6 * BOND_UNIT, "balance");
    }

    function test_an_outsider_is_refused_until_the_genesis_is_complete() public {
        enrol(0, 1);
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.NotGenesisOperator.selector, operator(OUTSIDER)),
            operator(OUTSIDER),
            BOND_UNIT,
            application(OUTSIDER)
        );
    }

    function test_a_newcomer_is_queued_and_changes_nothing_of_the_committee() public {
        completeGenesis();
        (,,, bytes32 digestBefore) = registry.committee();
        vm.assertEq(enrol(OUTSIDER, 9), 4, "id");
        vm.assertEq(enrol(OUTSIDER + 1, 9), 5, "next id");
        (uint64 length,, uint64 applied) = registry.queue();
        vm.assertEq(length, 2, "queue");
        vm.assertEq(applied, 0, "applied");
        vm.assertEq(uint256(registry.member(4).status), uint256(MasternodeRegistry.Status.Queued), "status");

        (, uint64[] memory named,, bytes32 digest) = registry.committee();
        vm.assertEq(named.length, 3, "members");
        vm.assertEq(digest, digestBefore, "digest");
        vm.assertEq(registry.totalWeight(), 3, "weight");
    }

    function test_an_operator_registers_once() public {
        enrol(1, 1);
        sendExpecting(alreadyRegistered(1, 2), operator(1), BOND_UNIT, fresh(operator(1)));
        enrol(0, 1);
        enrol(2, 1);
        enrol(OUTSIDER, 1);
        sendExpecting(alreadyRegistered(1, 2), operator(1), BOND_UNIT, fresh(operator(1)));
        sendExpecting(alreadyRegistered(OUTSIDER, 4), operator(OUTSIDER), BOND_UNIT, fresh(operator(OUTSIDER)));
    }

    function test_a_vertex_key_serves_once() public {
        completeGenesis();
        Application memory a = provenBy(finalitySecret(OUTSIDER), registry, operator(OUTSIDER), vertexKey(1));
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.DuplicateVertexKey.selector, vertexKey(1), 2),
            operator(OUTSIDER),
            BOND_UNIT,
            a
        );
    }

    function test_a_finality_key_serves_once() public {
        completeGenesis();
        Application memory a = provenBy(finalitySecret(1), registry, operator(OUTSIDER), vertexKey(OUTSIDER));
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.DuplicateFinalityKey.selector, 2),
            operator(OUTSIDER),
            BOND_UNIT,
            a
        );
    }

    function test_a_refused_registration_keeps_nothing() public {
        Application memory bad = application(0);
        bad.possession = application(1).possession;
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.PossessionRefused.selector, operator(0)), operator(0), 1 ether, bad
        );
        vm.assertEq(registry.idOfVertexKey(vertexKey(0)), 0, "vertex key");
        vm.assertEq(enrol(0, 1), 1, "the same keys afterwards");
    }

    function test_a_vertex_key_of_zero_is_refused() public {
        Application memory a = provenBy(finalitySecret(0), registry, operator(0), 0);
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.ZeroVertexKey.selector), operator(0), BOND_UNIT, a
        );
    }

    function test_addresses_have_1_to_512_bytes() public {
        Application memory a = application(0);
        a.addresses = "";
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.AddressesLength.selector, 0, 512), operator(0), BOND_UNIT, a
        );
        a.addresses = string(new bytes(513));
        sendExpecting(
            abi.encodeWithSelector(MasternodeRegistry.AddressesLength.selector, 513, 512), operator(0), BOND_UNIT, a
        );
        a.addresses = printable(512);
        vm.assertEq(send(operator(0), BOND_UNIT, a), 1, "512 bytes");
    }

    /// Who reads another text than the registry comes to another digest of the queue.
    function test_addresses_are_printable_ascii() public {
        Application memory a = application(0);
        bytes1[4] memory refused = [bytes1(0x00), 0x1f, 0x7f, 0xff];
        for (uint256 i = 0; i < refused.length; ++i) {
            bytes memory text = bytes(printable(5));
            text[3] = refused[i];
            a.addresses = string(text);
            bytes memory expected =
                abi.encodeWithSelector(MasternodeRegistry.AddressesCharacter.selector, 3, refused[i]);
            sendExpecting(expected, operator(0), BOND_UNIT, a);
        }
        a.addresses = " ~";
        vm.assertEq(send(operator(0), BOND_UNIT, a), 1, "the first and the last that are printable");
    }

    function printable(uint256 length) private pure returns (string memory) {
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = "/";
        }
        return string(text);
    }

    function testFuzz_a_bond_counts_in_whole_units_within_the_bounds(uint256 bond, bool whole) public {
        bond = bond % ((WEIGHT_MAX + 10) * BOND_UNIT);
        if (whole) bond -= bond % BOND_UNIT;
        uint256 weight = bond / BOND_UNIT;
        Application memory a = application(0);
        if (bond % BOND_UNIT != 0) {
            bytes memory notWhole = abi.encodeWithSelector(MasternodeRegistry.BondNotWhole.selector, bond, BOND_UNIT);
            sendExpecting(notWhole, operator(0), bond, a);
        } else if (weight < WEIGHT_MIN || weight > WEIGHT_MAX) {
            sendExpecting(outOfBounds(weight), operator(0), bond, a);
        } else {
            send(operator(0), bond, a);
            vm.assertEq(registry.member(1).weight, weight, "weight");
            vm.assertEq(registry.member(1).bond, bond, "bond");
        }
    }

    function test_bonds_at_and_just_beyond_the_bounds() public {
        sendExpecting(outOfBounds(0), operator(0), 0, application(0));
        sendExpecting(outOfBounds(WEIGHT_MAX + 1), operator(0), (WEIGHT_MAX + 1) * BOND_UNIT, application(0));
        enrol(0, WEIGHT_MIN);
        enrol(1, WEIGHT_MAX);
    }

    function test_an_unregistered_id_is_unknown() public {
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.UnknownMember.selector, 1));
        registry.member(1);
        vm.expectRevert(abi.encodeWithSelector(MasternodeRegistry.UnknownMember.selector, 0));
        registry.member(0);
    }

    function test_coins_sent_without_registering_are_refused() public {
        vm.deal(address(this), 1 ether);
        (bool accepted,) = address(registry).call{value: 1 ether}("");
        vm.assertTrue(!accepted, "a plain transfer");
    }

    /// Keys that cancel out are no hole: both proofs are needed, so both secrets are one owner's.
    function test_keys_that_cancel_out_can_register_but_never_sign_as_a_pair() public {
        uint256 secret = finalitySecret(0);
        send(operator(0), 10 * BOND_UNIT, provenBy(secret, registry, operator(0), vertexKey(0)));
        uint256 opposite = BlsSigner.ORDER - secret;
        send(operator(1), 10 * BOND_UNIT, provenBy(opposite, registry, operator(1), vertexKey(1)));
        enrol(2, 1);

        bytes memory anything = BlsSigner.sign(1, keccak256("anything"), FINALITY_TAG);
        Statement memory statement = statementAt(1);
        vm.expectRevert(CheckpointManager.SignerKeysAtInfinity.selector);
        manager.submit(statement, hex"03", anything);

        // Together with the third they are one signer's worth of signature, which counts.
        bytes memory third = BlsSigner.sign(finalitySecret(2), keccak256(abi.encode(statement)), FINALITY_TAG);
        manager.submit(statement, hex"07", third);
    }

    function completeGenesis() private {
        for (uint256 i = 0; i < 3; ++i) {
            enrol(i, 1);
        }
    }

    /// A registration with keys that nobody has used.
    function fresh(address operator_) private view returns (Application memory) {
        return provenBy(finalitySecret(2_000), registry, operator_, vertexKey(2_000));
    }

    function alreadyRegistered(uint256 i, uint64 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MasternodeRegistry.AlreadyRegistered.selector, operator(i), id);
    }

    function outOfBounds(uint256 weight) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(MasternodeRegistry.WeightOutOfBounds.selector, weight, WEIGHT_MIN, WEIGHT_MAX);
    }
}
