// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TREE_DEPTH} from "../src/AppendTree.sol";
import {CheckpointManager} from "../src/CheckpointManager.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Statement} from "../src/Statement.sol";
import {Epochal} from "./support/Epochal.sol";
import {Leaves} from "./support/Leaves.sol";
import {vm} from "./support/Vm.sol";

/// What people and the committee do, in any order: bonding, leaving, offending, checkpoints by whoever signs.
contract StakingHandler is Epochal {
    address public constant REPORTER = address(0x4e9);
    uint256 public bonded;
    uint256 public paid;
    uint256 public taken;
    uint256 public people = 4;
    bytes32[] private convictions;

    constructor() {
        establishEpochs(uneven(3, 5, 7, 11));
        bonded = 26 ether;
    }

    function join(uint64 weight) external {
        if (people >= 24) return;
        weight = 1 + weight % 40;
        enrol(people++, weight);
        bonded += weight * BOND_UNIT;
    }

    function addToBond(uint256 who, uint256 units) external {
        who %= people;
        uint256 sum = (1 + units % 20) * BOND_UNIT;
        vm.deal(operator(who), sum);
        vm.prank(operator(who));
        try registry.topUp{value: sum}() {
            bonded += sum;
        } catch {}
    }

    function requestExit(uint256 who) external {
        vm.prank(operator(who % people));
        try registry.requestExit() {} catch {}
    }

    function withdrawBond(uint256 who) external {
        address to = operator(who % people);
        uint256 before = to.balance;
        vm.prank(to);
        try registry.withdrawBond() {
            paid += to.balance - before;
        } catch {}
    }

    /// A checkpoint convicts somebody, and somebody reports it, perhaps again.
    function offend(uint256 who) external {
        uint64 id = uint64(1 + who % people);
        uint64 index = uint64(convictions.length);
        convictions.push(keccak256(abi.encode(uint256(id), uint256(0), uint256(index))));
        Statement memory s = statementAt(++height);
        s.offendersRoot = Leaves.root(convictions);
        post(s, everybody());
        vm.warp(block.timestamp + FINALITY_DELAY);
        uint256 bond = registry.member(id).bond;
        bytes32[TREE_DEPTH] memory proof = Leaves.proof(convictions, index);
        try manager.slashOffender(s, CheckpointManager.Offence(id, 0, index), index, proof, REPORTER) {
            taken += bond;
        } catch {
            vm.assertEq(bond, 0, "only who has no bond is not slashed");
        }
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + time % (2 * UNBONDING));
        post(statementAt(++height), everybody());
    }

    /// Whoever signs: accepted exactly when they are more than two thirds.
    function certifyBySome(uint256 present) external {
        present = 1 + present % everybody();
        uint256 signed = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            if ((present >> i) & 1 == 1) signed += weights[i];
        }
        Statement memory s = statementAt(++height);
        (bytes memory bitmap, bytes memory signature) = certify(s, present);
        try manager.submit(s, bitmap, signature) {
            vm.assertTrue(3 * signed > 2 * uint256(registry.totalWeight()), "accepted");
        } catch {
            vm.assertTrue(3 * signed <= 2 * uint256(registry.totalWeight()), "refused");
        }
    }

    /// The model says which committee comes of it; another one would be refused.
    function closeEpoch(uint64 some) external {
        (uint64 length,, uint64 applied) = registry.queue();
        uint64[] memory before = effectiveOfAll();
        uint256 total = registry.totalWeight();
        edgeUpTo(applied + some % (length - applied + 1));
        uint64[] memory after_ = effectiveOfAll();
        uint256 changed = 0;
        for (uint256 i = 0; i < before.length; ++i) {
            changed += before[i] > after_[i] ? before[i] - after_[i] : after_[i] - before[i];
        }
        vm.assertTrue(changed <= 1 || 3 * changed < total, "the bound");
    }

    function effectiveOfAll() private view returns (uint64[] memory all) {
        all = new uint64[](people);
        for (uint256 i = 0; i < people; ++i) {
            all[i] = registry.member(uint64(i + 1)).effective;
        }
    }

    function theRegistry() external view returns (MasternodeRegistry) {
        return registry;
    }

    function theModel() external view returns (uint64 total, uint64 members) {
        return (modelTotal(), modelMembers());
    }
}

/// What always holds of bonds and committee.
contract StakingInvariantTest {
    StakingHandler private handler = new StakingHandler();
    MasternodeRegistry private registry = handler.theRegistry();

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_every_wei_is_a_bond_or_paid_or_taken() public view {
        uint256 bonds = 0;
        for (uint64 id = 1; id <= handler.people(); ++id) {
            bonds += registry.member(id).bond;
        }
        vm.assertEq(bonds, handler.bonded() - handler.paid() - handler.taken(), "bonds");
        vm.assertEq(address(registry).balance, bonds, "balance");
        vm.assertEq(handler.REPORTER().balance + address(0).balance, handler.taken(), "reward and what is burned");
    }

    function invariant_the_committee_is_the_models() public view {
        (, uint64[] memory ids, uint64[] memory weights,) = registry.committee();
        (uint64 total, uint64 members) = handler.theModel();
        vm.assertEq(ids.length, members, "members");
        vm.assertEq(registry.totalWeight(), total, "weight");
        uint256 sum = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.assertTrue(i == 0 || ids[i] > ids[i - 1], "ids ascend");
            vm.assertTrue(weights[i] > 0, "weight");
            vm.assertEq(registry.member(ids[i]).effective, weights[i], "the member's own");
            sum += weights[i];
        }
        vm.assertEq(sum, total, "sum");
        vm.assertTrue(total > 0, "somebody is there");
    }

    /// Whoever counts in quorums has something to lose, or has been slashed for it.
    function invariant_who_signs_is_liable() public view {
        (, uint64[] memory ids,,) = registry.committee();
        for (uint256 i = 0; i < ids.length; ++i) {
            MasternodeRegistry.Member memory m = registry.member(ids[i]);
            vm.assertTrue(m.bond > 0 || m.status == MasternodeRegistry.Status.Slashed, "a bond");
        }
    }
}
