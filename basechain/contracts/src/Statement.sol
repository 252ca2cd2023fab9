// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a committee signs about a certified height. Its digest is keccak256 of `abi.encode`: 17 words
/// of 32 bytes in this order.
struct Statement {
    /// Digest of what the deployer fixed: name, parameters, genesis ledger.
    bytes32 network;
    /// The base chain and the contract that this statement is for.
    uint64 chainId;
    address manager;
    uint64 epoch;
    /// 1, 2, ... for each certified height; a checkpoint may skip some.
    uint64 height;
    uint64 timestampMs;
    uint64 commitIndex;
    bytes32 commitDigest;
    bytes32 stateRoot;
    bytes32 receiptsRoot;
    bytes32 offendersRoot;
    bytes32 withdrawalsRoot;
    bytes32 exitRoot;
    uint64 depositsProcessed;
    bytes32 depositsDigest;
    uint64 registryCursor;
    /// Zero unless the statement closes its epoch.
    bytes32 nextCommittee;
}
