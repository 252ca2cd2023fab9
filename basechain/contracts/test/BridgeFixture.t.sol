// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Custody} from "../src/Custody.sol";
import {EscapeHatch} from "../src/EscapeHatch.sol";
import {AppendTree, TREE_DEPTH} from "../src/AppendTree.sol";
import {Vault} from "../src/Vault.sol";
import {Bridge} from "./support/Bridge.sol";
import {vm} from "./support/Vm.sol";

/// The vault against `bridge.json`, which another implementation made.
contract BridgeFixtureTest is Bridge {
    uint256 private constant DEPOSITS = 3;
    uint256 private constant WITHDRAWALS = 6;
    uint256 private constant EXITS = 7;
    uint256 private constant EMPTY = 3;
    string private json;

    function setUp() public {
        openBridge();
        json = vm.readFile("test/fixtures/bridge.json");
    }

    function test_deposits_have_the_digests_of_the_fixture() public view {
        bytes32 digest = vault.DEPOSITS_START();
        vm.assertEq(digest, vm.parseJsonBytes32(json, ".depositsStart"), "start");
        for (uint256 i = 0; i < DEPOSITS; ++i) {
            string memory at_ = entry(".deposits", i);
            address sender = vm.parseJsonAddress(json, string.concat(at_, ".sender"));
            bytes32 account = vm.parseJsonBytes32(json, string.concat(at_, ".account"));
            digest = vault.extend(digest, uint64(i + 1), assetAt(at_), sender, account);
            vm.assertEq(digest, vm.parseJsonBytes32(json, string.concat(at_, ".digest")), "digest");
        }
    }

    function test_withdrawals_are_proven_as_in_the_fixture() public view {
        bytes32 root = vm.parseJsonBytes32(json, string.concat(entry(".withdrawals", WITHDRAWALS - 1), ".root"));
        for (uint256 i = 0; i < WITHDRAWALS; ++i) {
            string memory at_ = entry(".withdrawals", i);
            address recipient = vm.parseJsonAddress(json, string.concat(at_, ".recipient"));
            bytes32 leaf = vault.leafOf(Vault.Withdrawal(uint64(i), assetAt(at_), recipient));
            vm.assertEq(leaf, vm.parseJsonBytes32(json, string.concat(at_, ".leaf")), "leaf");
            vm.assertEq(this.rootOf(leaf, uint64(i), siblingsAt(".proofs", i)), root, "root");
        }
    }

    function test_exits_are_proven_as_in_the_fixture() public view {
        bytes32 root = vm.parseJsonBytes32(json, ".exitRoot");
        for (uint256 i = 0; i < EXITS; ++i) {
            string memory at_ = entry(".exits", i);
            bytes32 leaf = vm.parseJsonBytes32(json, string.concat(at_, ".leaf"));
            if (i != EMPTY) {
                address owner = vm.parseJsonAddress(json, string.concat(at_, ".owner"));
                vm.assertEq(vault.exitLeaf(EscapeHatch.Exit(uint64(i), assetAt(at_), owner)), leaf, "leaf");
            }
            vm.assertEq(this.rootOf(leaf, uint64(i), siblingsAt(".exitProofs", i)), root, "root");
        }
    }

    function rootOf(bytes32 leaf, uint64 index, bytes32[TREE_DEPTH] calldata siblings) external pure returns (bytes32) {
        return AppendTree.rootOf(leaf, index, siblings);
    }

    function assetAt(string memory at_) private view returns (Custody.Asset memory) {
        return Custody.Asset(
            Custody.Kind(vm.parseJsonUint(json, string.concat(at_, ".kind"))),
            vm.parseJsonAddress(json, string.concat(at_, ".token")),
            vm.parseJsonUint(json, string.concat(at_, ".value"))
        );
    }

    function siblingsAt(string memory list, uint256 index)
        private
        view
        returns (bytes32[TREE_DEPTH] memory siblings)
    {
        for (uint256 level = 0; level < TREE_DEPTH; ++level) {
            siblings[level] = vm.parseJsonBytes32(json, string.concat(entry(list, index), "[", vm.toString(level), "]"));
        }
    }

    function entry(string memory list, uint256 i) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]");
    }
}
