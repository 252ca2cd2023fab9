// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Committee} from "../../src/Committee.sol";
import {MasternodeRegistry} from "../../src/MasternodeRegistry.sol";
import {Statement} from "../../src/Statement.sol";
import {Cluster} from "./Cluster.sol";
import {vm} from "./Vm.sol";

/// The ledger's side of an epoch's edge, so to speak: a plain model that knows the queue alone, by one mapping from id
/// to weight and none of the contract's shortcuts.
abstract contract Epochal is Cluster {
    uint64 internal height;
    uint64 private modelApplied;
    uint64 private lastId;
    mapping(uint64 id => uint64) private effective;
    mapping(uint64 id => uint64) private target;
    mapping(uint64 id => bool) private inList;
    mapping(uint64 id => bool) private isSlashed;
    uint64[] private list;

    function establishEpochs(uint64[] memory weights_) internal {
        establish(weights_);
        adopt(weights_);
    }

    /// The model begins with a committee of these, by ids from 1.
    function adopt(uint64[] memory weights_) internal {
        (modelApplied, height) = (0, 0);
        lastId = uint64(weights_.length);
        for (uint64 id = 1; id <= lastId; ++id) {
            effective[id] = target[id] = weights_[id - 1];
        }
    }

    /// Closes the epoch with everything that is queued applied.
    function edge() internal {
        (uint64 length,, uint64 applied) = registry.queue();
        edgeUpTo(length < applied + 256 ? length : applied + 256);
    }

    function edgeUpTo(uint64 cursor) internal {
        Statement memory statement = closing(cursor);
        post(statement, everybody());
        seat();
    }

    /// A statement that closes the epoch, as the model has it, which then is in the next one.
    function closing(uint64 cursor) internal returns (Statement memory statement) {
        statement = statementAt(++height);
        statement.registryCursor = cursor;
        modelEdge(cursor);
        statement.nextCommittee = modelDigest(statement.epoch + 1);
    }

    function modelEdge(uint64 cursor) private {
        while (modelApplied < cursor) {
            Committee.Entry memory entry = registry.entry(++modelApplied);
            if (entry.id > lastId) lastId = entry.id;
            target[entry.id] = entry.weight;
            if (entry.slashed) isSlashed[entry.id] = true;
            if (effective[entry.id] != entry.weight && !inList[entry.id]) {
                inList[entry.id] = true;
                list.push(entry.id);
            }
        }
        uint64 budget = (modelTotal() - 1) / 3;
        if (budget == 0) budget = 1;
        while (budget > 0 && modelDown(true)) --budget;
        uint64 half = budget / 2;
        while (half > 0 && modelDown(false)) (--half, --budget);
        while (budget > 0 && modelUp()) --budget;
        while (budget > 0 && modelDown(false)) --budget;

        uint64[] memory before = list;
        delete list;
        for (uint256 i = 0; i < before.length; ++i) {
            inList[before[i]] = effective[before[i]] != target[before[i]];
            if (inList[before[i]]) list.push(before[i]);
        }
    }

    /// The first in the list that can takes one step down.
    function modelDown(bool slashed) private returns (bool) {
        for (uint256 i = 0; i < list.length && modelTotal() > 1; ++i) {
            uint64 id = list[i];
            if (isSlashed[id] != slashed || effective[id] <= target[id]) continue;
            --effective[id];
            return true;
        }
        return false;
    }

    /// Or up, for who would not be the 129th.
    function modelUp() private returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            uint64 id = list[i];
            bool full = effective[id] == 0 && modelMembers() == 128;
            if (full || effective[id] >= target[id]) continue;
            ++effective[id];
            return true;
        }
        return false;
    }

    function modelTotal() internal view returns (uint64 total) {
        for (uint64 id = 1; id <= lastId; ++id) {
            total += effective[id];
        }
    }

    function modelMembers() internal view returns (uint64 members) {
        for (uint64 id = 1; id <= lastId; ++id) {
            if (effective[id] > 0) ++members;
        }
    }

    function modelWeight(uint64 id) internal view returns (uint64) {
        return effective[id];
    }

    function modelList() internal view returns (uint64[] memory) {
        return list;
    }

    function modelDigest(uint64 epoch) internal view returns (bytes32) {
        bytes memory words = abi.encode(epoch);
        for (uint64 id = 1; id <= lastId; ++id) {
            if (effective[id] == 0) continue;
            MasternodeRegistry.Member memory m = registry.member(id);
            bytes32 keyDigest = keccak256(abi.encode(m.vertexKey, m.finalityKey, m.addresses));
            words = bytes.concat(words, abi.encode(id, effective[id], keyDigest));
        }
        return keccak256(words);
    }

    function topUp(uint256 i, uint256 wei_) internal {
        vm.deal(operator(i), wei_);
        vm.prank(operator(i));
        registry.topUp{value: wei_}();
    }

    function quit(uint256 i) internal {
        vm.prank(operator(i));
        registry.requestExit();
    }

    /// As if the manager had seen a proof.
    function slash(uint64 id) internal {
        uint64[] memory offenders = new uint64[](1);
        offenders[0] = id;
        vm.prank(address(manager));
        registry.slash(offenders, address(0x4e9));
    }

    function statusOf(uint64 id) internal view returns (MasternodeRegistry.Status) {
        return registry.member(id).status;
    }

    function requireStatus(uint64 id, MasternodeRegistry.Status expected, string memory when) internal view {
        vm.assertEq(uint256(statusOf(id)), uint256(expected), when);
    }

    function uneven(uint64 a, uint64 b, uint64 c, uint64 d) internal pure returns (uint64[] memory w) {
        w = new uint64[](4);
        (w[0], w[1], w[2], w[3]) = (a, b, c, d);
    }
}
