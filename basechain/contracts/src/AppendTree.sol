// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

uint256 constant TREE_DEPTH = 32;

/// Membership in a list that only grows: a binary Merkle tree of keccak256 with places for 2^32 leaves,
/// filled from the left; places that are still empty count as zero. So a leaf keeps its index for
/// good, and every later root proves it too. An empty tree has a root that is not zero.
///
/// A leaf is a hash of more than 64 bytes, an inner node one of 64: neither passes for the other.
library AppendTree {
    /// The root of the tree that has `leaf` at `index`, with its siblings from the leaf upwards.
    function rootOf(bytes32 leaf, uint64 index, bytes32[TREE_DEPTH] calldata siblings) internal pure returns (bytes32 node) {
        node = leaf;
        for (uint256 level = 0; level < TREE_DEPTH; ++level) {
            bytes32 sibling = siblings[level];
            bool right = (index >> level) & 1 == 1;
            node = right ? _pair(sibling, node) : _pair(node, sibling);
        }
    }

    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            hash := keccak256(0x00, 0x40)
        }
    }
}
