// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppendTree, TREE_DEPTH} from "./AppendTree.sol";
import {Bls12381} from "./Bls12381.sol";
import {Epochs} from "./Epochs.sol";
import {MasternodeRegistry} from "./MasternodeRegistry.sol";
import {Statement} from "./Statement.sol";

/// The checkpoints: statements that a quorum of the committee has signed, posted by anyone.
///
/// A statement names its network, chain, contract, epoch and height, and heights only rise, so a
/// signature counts once, here, and nowhere else. What a checkpoint says is as true as a quorum of
/// the committee is honest: this contract checks who signed, it does not execute the ledger.
///
/// Two quorums for one height prove by themselves that those in both have lied. Who shows them here stops the
/// bridge, for nobody can say which statement is the true one, and takes the liars' bonds.
contract CheckpointManager {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.G2;

    /// Of the newest checkpoint, and when all ended, in Unix seconds; one slot.
    struct Head {
        uint64 height;
        uint48 count;
        uint48 postedAt;
        uint48 baseBlock;
        uint48 frozenAt;
    }

    struct Certificate {
        Statement statement;
        bytes bitmap;
        bytes signature;
    }

    /// A member, as the ledger has convicted it: the leaf of a statement's offenders.
    struct Offence {
        uint64 id;
        uint64 epoch;
        uint64 round;
    }

    uint64 public constant FINALITY_DELAY_MAX = 30 days;
    bytes public constant FINALITY_TAG = "WEFT-V01-FINALITY-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    /// A checkpoint is kept as the first 27 bytes of its statement's digest and the time, in 5: one slot. To find two
    /// statements with the same 27 bytes takes 2^108 attempts, about what the curve's keys withstand.
    uint256 private constant TIME_MASK = type(uint40).max;

    bytes32 public immutable network;
    MasternodeRegistry public immutable registry;
    /// Seconds from a checkpoint's posting until something is paid by it: time for a challenge.
    uint64 public immutable finalityDelay;
    uint64 private immutable _deployedAt;

    Head private _head;
    mapping(uint64 height => uint256) private _posted;

    event Checkpoint(
        uint64 indexed epoch,
        uint64 indexed height,
        bytes32 stateRoot,
        bytes32 statementDigest,
        address submitter,
        uint64 signedWeight
    );
    /// Two statements with a quorum each.
    event Conflict(uint64 indexed epoch, uint64 indexed height, bytes32 one, bytes32 other, uint256 slashed);
    event OffenderSlashed(uint64 indexed id, uint64 epoch, uint64 round, uint256 slashed);

    error ZeroNetwork();
    error FinalityDelay(uint64 given, uint64 max);
    error RegistryWithoutCode(address registry);
    error RegistryOfAnother(address registry, address manager);
    error UnbondingTooShort(uint64 given, uint64 finalityDelay);
    error WrongNetwork(bytes32 given, bytes32 expected);
    error WrongChain(uint64 given, uint256 expected);
    error WrongManager(address given, address expected);
    error WrongEpoch(uint64 given, uint64 current);
    error HeightNotNewer(uint64 given, uint64 latest);
    error ZeroRoot(string field);
    error QuorumNotReached(uint64 signed, uint64 total);
    error SignatureLength(uint256 given, uint256 expected);
    error SignatureAtInfinity();
    error SignerKeysAtInfinity();
    error SignatureRefused(bytes32 statementDigest, uint64 signed);
    error Frozen(uint64 since);
    error NoConflict();
    error EpochTooOld(uint64 epoch, uint64 closedAt, uint64 unbonding);
    error NotFinal(uint64 height);
    error NotAnOffender(uint64 index, bytes32 given, bytes32 expected);
    error NothingToSlash();

    /// `network_` is the digest that every statement of this network carries.
    constructor(bytes32 network_, MasternodeRegistry registry_, uint64 finalityDelay_) {
        if (network_ == 0) revert ZeroNetwork();
        if (address(registry_).code.length == 0) revert RegistryWithoutCode(address(registry_));
        if (finalityDelay_ > FINALITY_DELAY_MAX) revert FinalityDelay(finalityDelay_, FINALITY_DELAY_MAX);
        if (registry_.manager() != address(this)) revert RegistryOfAnother(address(registry_), registry_.manager());
        // Whoever signs falsely has to be liable still when the window for showing it closes.
        if (registry_.unbonding() <= finalityDelay_) revert UnbondingTooShort(registry_.unbonding(), finalityDelay_);
        network = network_;
        registry = registry_;
        finalityDelay = finalityDelay_;
        _deployedAt = uint64(block.timestamp);
    }

    /// Posts a statement with the aggregate signature of the members that the bitmap names; the
    /// bitmap's form is that of `MasternodeRegistry.signers`. One that closes its epoch opens the next.
    function submit(Statement calldata statement, bytes calldata bitmap, bytes calldata signature) external {
        _requireAddressedHere(statement);
        _requireRoots(statement);
        Head memory head = _head;
        if (head.frozenAt != 0) revert Frozen(head.frozenAt);
        if (statement.height <= head.height) revert HeightNotNewer(statement.height, head.height);

        (uint64 epoch, uint64 signed, uint64 total, Bls12381.G1 memory key) = registry.signers(bitmap);
        if (statement.epoch != epoch) revert WrongEpoch(statement.epoch, epoch);
        bytes32 digest = statementDigest(statement);
        _requireQuorum(digest, key, signature, signed, total);

        head.height = statement.height;
        ++head.count;
        head.postedAt = uint48(block.timestamp);
        head.baseBlock = uint48(block.number);
        _head = head;
        _posted[statement.height] = (uint256(digest) & ~TIME_MASK) | block.timestamp;
        emit Checkpoint(epoch, statement.height, statement.stateRoot, digest, msg.sender, signed);
        if (statement.nextCommittee != 0) registry.applyEdge(statement.registryCursor, statement.nextCommittee);
    }

    /// Two statements for one height of one epoch, each signed by a quorum. Their keys are judged by the epoch's
    /// committee, which the caller brings; of an epoch that closed longer ago than bonds are liable nothing is judged,
    /// since its keys may be anybody's by now. The bridge is frozen for good, and those who signed both are slashed.
    function challengeConflict(
        Certificate calldata one,
        Certificate calldata other,
        Epochs.Seat[] calldata seats,
        address reporter
    ) external {
        (uint64 epoch, uint64 height) = (one.statement.epoch, one.statement.height);
        if (other.statement.epoch != epoch || other.statement.height != height) revert NoConflict();
        (bytes32 digest, uint256 signers) = _judge(one, seats);
        (bytes32 otherDigest, uint256 others) = _judge(other, seats);
        if (digest == otherDigest) revert NoConflict();
        uint64 closedAt = registry.closedAt(epoch);
        uint64 unbonding = registry.unbonding();
        if (closedAt != 0 && block.timestamp >= uint256(closedAt) + unbonding) {
            revert EpochTooOld(epoch, closedAt, unbonding);
        }

        bool again = _head.frozenAt != 0;
        if (!again) _head.frozenAt = uint48(block.timestamp);
        uint256 slashed = registry.slash(_named(seats, signers & others), reporter);
        if (again && slashed == 0) revert NothingToSlash();
        emit Conflict(epoch, height, digest, otherDigest, slashed);
    }

    /// Takes the bond of a member that the ledger has convicted: by its place among the offenders of a checkpoint
    /// that is final.
    function slashOffender(
        Statement calldata statement,
        Offence calldata offence,
        uint64 index,
        bytes32[TREE_DEPTH] calldata siblings,
        address reporter
    ) external {
        if (!isSettled(statement)) revert NotFinal(statement.height);
        bytes32 root = AppendTree.rootOf(keccak256(abi.encode(offence)), index, siblings);
        if (root != statement.offendersRoot) revert NotAnOffender(index, root, statement.offendersRoot);
        uint64[] memory ids = new uint64[](1);
        ids[0] = offence.id;
        uint256 slashed = registry.slash(ids, reporter);
        if (slashed == 0) revert NothingToSlash();
        emit OffenderSlashed(offence.id, offence.epoch, offence.round, slashed);
    }

    /// The newest checkpoint and its block; the rest is in that block's `Checkpoint`. All zero before the first.
    function latest() external view returns (uint64 height, uint64 baseBlock, uint64 postedAt) {
        return (_head.height, _head.baseBlock, _head.postedAt);
    }

    /// The first 27 bytes of a checkpoint's digest, and when it was posted. All zero for a height that was not
    /// posted: checkpoints may skip heights.
    function checkpoint(uint64 height) external view returns (bytes27 digestStart, uint64 postedAt) {
        return (bytes27(bytes32(_posted[height])), uint64(_posted[height] & TIME_MASK));
    }

    /// Whether a statement is a checkpoint whose time for challenges is over, on a bridge that is not frozen.
    function isFinal(Statement calldata statement) external view returns (bool) {
        return _head.frozenAt == 0 && isSettled(statement);
    }

    /// The same, also of a frozen bridge: what was final when it froze.
    function isSettled(Statement calldata statement) public view returns (bool) {
        uint256 posted = _posted[statement.height];
        if (posted == 0 || (posted ^ uint256(statementDigest(statement))) & ~TIME_MASK != 0) return false;
        uint256 judgedAt = _head.frozenAt == 0 ? block.timestamp : _head.frozenAt;
        return judgedAt >= (posted & TIME_MASK) + finalityDelay;
    }

    /// When the bridge was frozen, in Unix seconds; zero while it is not.
    function frozenAt() external view returns (uint64) {
        return _head.frozenAt;
    }

    /// When the newest checkpoint was posted, or, before the first, this contract: in Unix seconds.
    function lastPosted() external view returns (uint64) {
        return _head.postedAt == 0 ? _deployedAt : _head.postedAt;
    }

    function checkpointCount() external view returns (uint64) {
        return _head.count;
    }

    /// What the members sign, under `FINALITY_TAG`: the hash of the words as they came. A word that is out of its
    /// field's range makes another digest, and reverts where the field is read.
    function statementDigest(Statement calldata statement) public pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            calldatacopy(words, statement, 544)
            digest := keccak256(words, 544)
        }
    }

    /// Whether a quorum of the epoch's committee has signed; who has.
    function _judge(Certificate calldata certificate, Epochs.Seat[] calldata seats)
        private
        view
        returns (bytes32 digest, uint256 members)
    {
        Statement calldata statement = certificate.statement;
        _requireAddressedHere(statement);
        uint64 signed;
        uint64 total;
        Bls12381.G1 memory key;
        (members, signed, total, key) = registry.signersOf(statement.epoch, seats, certificate.bitmap);
        digest = statementDigest(statement);
        _requireQuorum(digest, key, certificate.signature, signed, total);
    }

    function _named(Epochs.Seat[] calldata seats, uint256 members) private pure returns (uint64[] memory ids) {
        ids = new uint64[](seats.length);
        uint256 count = 0;
        for (uint256 i = 0; i < seats.length; ++i) {
            if ((members >> i) & 1 == 1) ids[count++] = seats[i].id;
        }
        assembly ("memory-safe") {
            mstore(ids, count)
        }
    }

    function _requireAddressedHere(Statement calldata statement) private view {
        if (statement.network != network) revert WrongNetwork(statement.network, network);
        if (statement.chainId != block.chainid) revert WrongChain(statement.chainId, block.chainid);
        if (statement.manager != address(this)) revert WrongManager(statement.manager, address(this));
    }

    /// An empty tree has a root of its own, so that a zero is a field that nobody filled in.
    function _requireRoots(Statement calldata statement) private pure {
        if (statement.commitDigest == 0) revert ZeroRoot("commitDigest");
        if (statement.stateRoot == 0) revert ZeroRoot("stateRoot");
        if (statement.receiptsRoot == 0) revert ZeroRoot("receiptsRoot");
        if (statement.offendersRoot == 0) revert ZeroRoot("offendersRoot");
        if (statement.withdrawalsRoot == 0) revert ZeroRoot("withdrawalsRoot");
        if (statement.exitRoot == 0) revert ZeroRoot("exitRoot");
    }

    /// A quorum is strictly more than two thirds of the whole weight.
    function _requireQuorum(
        bytes32 digest,
        Bls12381.G1 memory key,
        bytes calldata signature,
        uint64 signed,
        uint64 total
    ) private view {
        if (uint256(signed) * 3 <= uint256(total) * 2) revert QuorumNotReached(signed, total);
        if (signature.length != Bls12381.G2_BYTES) revert SignatureLength(signature.length, Bls12381.G2_BYTES);
        Bls12381.G2 memory point = abi.decode(signature, (Bls12381.G2));
        if (point.isInfinity()) revert SignatureAtInfinity();
        // Keys that cancel out: with them infinity would be the signature of any message.
        if (key.isInfinity()) revert SignerKeysAtInfinity();
        Bls12381.G2 memory hashed = Bls12381.hashToG2(bytes.concat(digest), FINALITY_TAG);
        if (!Bls12381.verify(key, hashed, point)) revert SignatureRefused(digest, signed);
    }
}
