// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TREE_DEPTH} from "../../src/AppendTree.sol";

/// The tree of `AppendTree`, built level by level from all of its leaves.
library Leaves {
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        (bytes32 top,) = _climb(leaves, 0);
        return top;
    }

    function proof(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[TREE_DEPTH] memory siblings) {
        (, siblings) = _climb(leaves, index);
    }

    function _climb(bytes32[] memory leaves, uint256 index)
        private
        pure
        returns (bytes32 top, bytes32[TREE_DEPTH] memory siblings)
    {
        bytes32[] memory row = leaves;
        bytes32 empty = 0;
        for (uint256 level = 0; level < TREE_DEPTH; ++level) {
            siblings[level] = _at(row, index ^ 1, empty);
            bytes32[] memory above = new bytes32[]((row.length + 1) / 2);
            for (uint256 i = 0; i < above.length; ++i) {
                above[i] = keccak256(abi.encode(row[2 * i], _at(row, 2 * i + 1, empty)));
            }
            empty = keccak256(abi.encode(empty, empty));
            row = above;
            index /= 2;
        }
        top = _at(row, 0, empty);
    }

    function _at(bytes32[] memory row, uint256 index, bytes32 empty) private pure returns (bytes32) {
        return index < row.length ? row[index] : empty;
    }
}
