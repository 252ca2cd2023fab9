// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "./Bls12381.sol";
import {MasternodeRegistry} from "./MasternodeRegistry.sol";
import {Statement} from "./Statement.sol";

/// The checkpoints: statements that a quorum of the committee has signed, posted by anyone.
///
/// A statement names its network, chain, contract, epoch and height, and heights only rise, so a
/// signature counts once, here, and nowhere else. What a checkpoint says is as true as a quorum of
/// the committee is honest: this contract checks who signed, it does not execute the ledger.
contract CheckpointManager {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.G2;

    struct Posted {
        bytes32 statementDigest;
        bytes32 stateRoot;
        uint64 baseBlock;
        /// Unix time in seconds.
        uint64 postedAt;
    }

    uint64 public constant FINALITY_DELAY_MAX = 30 days;
    bytes public constant FINALITY_TAG = "WEFT-V01-FINALITY-BLS12381G2_XMD:SHA-256_SSWU_RO_";

    bytes32 public immutable network;
    MasternodeRegistry public immutable registry;
    /// Seconds from a checkpoint's posting until something is paid by it: time for a challenge.
    uint64 public immutable finalityDelay;

    uint64 private _latestHeight;
    uint64 private _count;
    mapping(uint64 height => Posted) private _posted;

    event Checkpoint(
        uint64 indexed epoch,
        uint64 indexed height,
        bytes32 stateRoot,
        bytes32 statementDigest,
        address submitter,
        uint64 signedWeight
    );

    error ZeroNetwork();
    error FinalityDelay(uint64 given, uint64 max);
    error RegistryWithoutCode(address registry);
    error WrongNetwork(bytes32 given, bytes32 expected);
    error WrongChain(uint64 given, uint256 expected);
    error WrongManager(address given, address expected);
    error WrongEpoch(uint64 given, uint64 current);
    error HeightNotNewer(uint64 given, uint64 latest);
    error ZeroRoot(string field);
    error EpochChangeUnavailable(bytes32 nextCommittee);
    error QuorumNotReached(uint64 signed, uint64 total);
    error SignatureLength(uint256 given, uint256 expected);
    error SignatureAtInfinity();
    error SignerKeysAtInfinity();
    error SignatureRefused(bytes32 statementDigest, uint64 signed);

    /// `network_` is the digest that every statement of this network carries.
    constructor(bytes32 network_, MasternodeRegistry registry_, uint64 finalityDelay_) {
        if (network_ == 0) revert ZeroNetwork();
        if (address(registry_).code.length == 0) revert RegistryWithoutCode(address(registry_));
        if (finalityDelay_ > FINALITY_DELAY_MAX) revert FinalityDelay(finalityDelay_, FINALITY_DELAY_MAX);
        network = network_;
        registry = registry_;
        finalityDelay = finalityDelay_;
    }

    /// Posts a statement with the aggregate signature of the members that the bitmap names; the
    /// bitmap's form is that of `MasternodeRegistry.signers`.
    function submit(Statement calldata statement, bytes calldata bitmap, bytes calldata signature) external {
        _requireAddressedHere(statement);
        _requireRoots(statement);
        if (statement.height <= _latestHeight) revert HeightNotNewer(statement.height, _latestHeight);

        (uint64 epoch, uint64 signed, uint64 total, Bls12381.G1 memory key) = registry.signers(bitmap);
        if (statement.epoch != epoch) revert WrongEpoch(statement.epoch, epoch);
        // A quorum is strictly more than two thirds of the whole weight.
        if (uint256(signed) * 3 <= uint256(total) * 2) revert QuorumNotReached(signed, total);
        bytes32 digest = statementDigest(statement);
        _requireSigned(digest, key, signature, signed);

        _latestHeight = statement.height;
        ++_count;
        _posted[statement.height] = Posted(digest, statement.stateRoot, uint64(block.number), uint64(block.timestamp));
        emit Checkpoint(epoch, statement.height, statement.stateRoot, digest, msg.sender, signed);
    }

    /// All zero before the first checkpoint.
    function latest()
        external
        view
        returns (uint64 height, bytes32 stateRoot, bytes32 statementDigest, uint64 baseBlock)
    {
        height = _latestHeight;
        Posted storage posted = _posted[height];
        return (height, posted.stateRoot, posted.statementDigest, posted.baseBlock);
    }

    /// All zero for a height that was not posted: checkpoints may skip heights.
    function checkpoint(uint64 height)
        external
        view
        returns (bytes32 statementDigest, bytes32 stateRoot, uint64 baseBlock)
    {
        Posted storage posted = _posted[height];
        return (posted.statementDigest, posted.stateRoot, posted.baseBlock);
    }

    /// Whether a statement is a checkpoint, and its time for challenges is over.
    function isFinal(Statement calldata statement) external view returns (bool) {
        Posted storage posted = _posted[statement.height];
        bytes32 digest = posted.statementDigest;
        return digest != 0 && digest == statementDigest(statement)
            && block.timestamp >= uint256(posted.postedAt) + finalityDelay;
    }

    function checkpointCount() external view returns (uint64) {
        return _count;
    }

    /// What the members sign, under `FINALITY_TAG`.
    function statementDigest(Statement calldata statement) public pure returns (bytes32) {
        return keccak256(abi.encode(statement));
    }

    function _requireAddressedHere(Statement calldata statement) private view {
        if (statement.network != network) revert WrongNetwork(statement.network, network);
        if (statement.chainId != block.chainid) revert WrongChain(statement.chainId, block.chainid);
        if (statement.manager != address(this)) revert WrongManager(statement.manager, address(this));
        if (statement.nextCommittee != 0) revert EpochChangeUnavailable(statement.nextCommittee);
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

    function _requireSigned(bytes32 digest, Bls12381.G1 memory key, bytes calldata signature, uint64 signed)
        private
        view
    {
        if (signature.length != Bls12381.G2_BYTES) revert SignatureLength(signature.length, Bls12381.G2_BYTES);
        Bls12381.G2 memory point = abi.decode(signature, (Bls12381.G2));
        if (point.isInfinity()) revert SignatureAtInfinity();
        // Keys that cancel out: with them infinity would be the signature of any message.
        if (key.isInfinity()) revert SignerKeysAtInfinity();
        Bls12381.G2 memory hashed = Bls12381.hashToG2(bytes.concat(digest), FINALITY_TAG);
        if (!Bls12381.verify(key, hashed, point)) revert SignatureRefused(digest, signed);
    }
}
