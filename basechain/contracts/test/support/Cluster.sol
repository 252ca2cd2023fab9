// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CheckpointManager} from "../../src/CheckpointManager.sol";
import {MasternodeRegistry} from "../../src/MasternodeRegistry.sol";
import {Statement} from "../../src/Statement.sol";
import {BlsSigner} from "./BlsSigner.sol";
import {vm} from "./Vm.sol";

/// A committee with its secrets, and what its members sign.
abstract contract Cluster {
    uint256 internal constant BOND_UNIT = 1 ether;
    uint64 internal constant WEIGHT_MIN = 1;
    uint64 internal constant WEIGHT_MAX = 1_000_000;
    uint64 internal constant FINALITY_DELAY = 600;
    uint64 internal constant UNBONDING = 14 days;
    bytes32 internal constant NETWORK = keccak256("test network");
    bytes internal constant POSSESSION_TAG = "WEFT-V01-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    bytes internal constant FINALITY_TAG = "WEFT-V01-FINALITY-BLS12381G2_XMD:SHA-256_SSWU_RO_";

    /// Outside the genesis committees below, which have far fewer operators.
    uint256 internal constant OUTSIDER = 1_000;

    MasternodeRegistry internal registry;
    CheckpointManager internal manager;
    /// Of the committee, in its order.
    uint64[] internal weights;
    uint64[] internal ids;
    mapping(uint64 id => uint256) internal personOf;

    struct Application {
        bytes32 vertexKey;
        bytes finalityKey;
        bytes possession;
        string addresses;
    }

    function operator(uint256 i) internal pure returns (address) {
        return vm.addr(uint256(keccak256(abi.encode("operator", i))));
    }

    function finalitySecret(uint256 i) internal pure returns (uint256) {
        return BlsSigner.secret("finality", i);
    }

    function vertexKey(uint256 i) internal pure returns (bytes32) {
        return keccak256(abi.encode("vertex", i));
    }

    function operators(uint256 size) internal pure returns (address[] memory named) {
        named = new address[](size);
        for (uint256 i = 0; i < size; ++i) {
            named[i] = operator(i);
        }
    }

    /// A registry with the address that the sender's next contract gets as its manager.
    function deployRegistry(uint256 size) internal returns (MasternodeRegistry) {
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        return new MasternodeRegistry(next, BOND_UNIT, WEIGHT_MIN, WEIGHT_MAX, UNBONDING, operators(size));
    }

    /// Both contracts, without any member yet.
    function deploy(uint256 size) internal {
        registry = deployRegistry(size);
        manager = new CheckpointManager(NETWORK, registry, FINALITY_DELAY);
    }

    /// Both contracts with a complete committee.
    function establish(uint64[] memory weights_) internal {
        deploy(weights_.length);
        for (uint256 i = 0; i < weights_.length; ++i) {
            enrol(i, weights_[i]);
        }
        seat();
    }

    /// Reads who is in the committee, for those who sign.
    function seat() internal {
        (, ids, weights,) = registry.committee();
    }

    function enrol(uint256 i, uint64 weight) internal returns (uint64 id) {
        id = send(operator(i), weight * BOND_UNIT, application(i));
        personOf[id] = i;
    }

    /// A registration that is in order for operator `i`, for a test to spoil.
    function application(uint256 i) internal view returns (Application memory) {
        return provenBy(finalitySecret(i), registry, operator(i), vertexKey(i));
    }

    function provenBy(uint256 secret, MasternodeRegistry for_, address operator_, bytes32 vertexKey_)
        internal
        view
        returns (Application memory)
    {
        bytes memory key = BlsSigner.publicKey(secret);
        bytes32 digest = keccak256(abi.encode(block.chainid, address(for_), operator_, vertexKey_, key));
        return Application(vertexKey_, key, BlsSigner.sign(secret, digest, POSSESSION_TAG), "/ip4/127.0.0.1/tcp/9000");
    }

    function send(address sender, uint256 bond, Application memory a) internal returns (uint64 id) {
        vm.deal(sender, bond);
        vm.prank(sender);
        return registry.register{value: bond}(a.vertexKey, a.finalityKey, a.possession, a.addresses);
    }

    function sendExpecting(bytes memory refusal, address sender, uint256 bond, Application memory a) internal {
        vm.deal(sender, bond);
        vm.prank(sender);
        vm.expectRevert(refusal);
        registry.register{value: bond}(a.vertexKey, a.finalityKey, a.possession, a.addresses);
    }

    /// A statement of the current epoch. Each field has what a ledger would have there: a byte that is zero costs a
    /// quarter of the gas of another.
    function statementAt(uint64 height) internal view returns (Statement memory statement) {
        statement.epoch = registry.epoch();
        statement.network = NETWORK;
        statement.chainId = uint64(block.chainid);
        statement.manager = address(manager);
        statement.height = height;
        statement.timestampMs = 1_800_000_000_000 + height;
        statement.commitIndex = 2 * height;
        statement.commitDigest = keccak256(abi.encode("commit", height));
        statement.stateRoot = keccak256(abi.encode("state", height));
        statement.receiptsRoot = keccak256(abi.encode("receipts", height));
        statement.offendersRoot = keccak256("no offenders");
        statement.withdrawalsRoot = keccak256("no withdrawals");
        statement.exitRoot = keccak256(abi.encode("exit", height));
        statement.depositsProcessed = 1_000_000 + height;
        statement.depositsDigest = keccak256(abi.encode("deposits", height));
        statement.registryCursor = 1_000;
    }

    function everybody() internal view returns (uint256) {
        return (1 << weights.length) - 1;
    }

    /// The members in `present` (bit i for member i) sign, and the bitmap says so.
    function certify(Statement memory statement, uint256 present)
        internal
        view
        returns (bytes memory bitmap, bytes memory signature)
    {
        return (bitmapOf(present), signedBy(statement, present));
    }

    function bitmapOf(uint256 present) internal view returns (bytes memory bitmap) {
        bitmap = new bytes((weights.length + 7) / 8);
        for (uint256 i = 0; i < bitmap.length; ++i) {
            bitmap[i] = bytes1(uint8(present >> (8 * i)));
        }
    }

    function signedBy(Statement memory statement, uint256 present) internal view returns (bytes memory) {
        uint256 secrets = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            if ((present >> i) & 1 == 1) secrets = addmod(secrets, finalitySecret(personOf[ids[i]]), BlsSigner.ORDER);
        }
        return BlsSigner.sign(secrets, keccak256(abi.encode(statement)), FINALITY_TAG);
    }

    /// Posts `statement` as signed by `present`.
    function post(Statement memory statement, uint256 present) internal {
        (bytes memory bitmap, bytes memory signature) = certify(statement, present);
        manager.submit(statement, bitmap, signature);
    }

    function postExpecting(bytes memory refusal, Statement memory statement, uint256 present) internal {
        (bytes memory bitmap, bytes memory signature) = certify(statement, present);
        vm.expectRevert(refusal);
        manager.submit(statement, bitmap, signature);
    }

    function equalWeights(uint256 size) internal pure returns (uint64[] memory equal) {
        equal = new uint64[](size);
        for (uint256 i = 0; i < size; ++i) {
            equal[i] = 1;
        }
    }
}
