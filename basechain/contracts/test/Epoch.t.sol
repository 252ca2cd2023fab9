// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CheckpointManager} from "../src/CheckpointManager.sol";
import {Committee} from "../src/Committee.sol";
import {MasternodeRegistry} from "../src/MasternodeRegistry.sol";
import {Statement} from "../src/Statement.sol";
import {Epochal} from "./support/Epochal.sol";
import {vm} from "./support/Vm.sol";

/// BC14 to BC16: the queue, and what an epoch's edge makes of it.
contract EpochTest is Epochal {
    uint256 private constant NEW = 100;

    function setUp() public {
        establishEpochs(uneven(10, 10, 10, 10));
    }

    // The queue.

    function test_every_change_is_an_entry_of_the_chain() public {
        bytes32 digest = keccak256("WEFT-V01-REGISTRY");
        (uint64 length, bytes32 found,) = registry.queue();
        vm.assertTrue(length == 0 && found == digest, "empty");

        Application memory a = application(NEW);
        bytes32 keyDigest = keccak256(abi.encode(a.vertexKey, a.finalityKey, a.addresses));
        digest = keccak256(abi.encode(digest, uint256(1), uint256(5), uint256(7), keyDigest));
        vm.deal(operator(NEW), 7 ether);
        vm.expectEmit(address(registry));
        emit Committee.Queued(1, 5, 7, false, a.vertexKey, a.finalityKey, a.addresses, digest);
        vm.prank(operator(NEW));
        registry.register{value: 7 ether}(a.vertexKey, a.finalityKey, a.possession, a.addresses);

        digest = keccak256(abi.encode(digest, uint256(2), uint256(1), uint256(12), bytes32(0)));
        vm.deal(operator(0), 2 ether);
        vm.expectEmit(address(registry));
        emit Committee.Queued(2, 1, 12, false, 0, "", "", digest);
        vm.prank(operator(0));
        registry.topUp{value: 2 ether}();

        digest = keccak256(abi.encode(digest, uint256(3), uint256(2), uint256(0), bytes32(0)));
        vm.expectEmit(address(registry));
        emit Committee.Queued(3, 2, 0, false, 0, "", "", digest);
        quit(1);

        uint64 applied;
        (length, found, applied) = registry.queue();
        vm.assertEq(length, 3, "length");
        vm.assertEq(applied, 0, "applied");
        vm.assertEq(found, digest, "digest");
        vm.assertEq(registry.queueDigest(3), digest, "of three");
        vm.assertEq(registry.queueDigest(0), keccak256("WEFT-V01-REGISTRY"), "of none");
        vm.assertTrue(registry.entry(2).id == 1 && registry.entry(2).weight == 12, "entry");
    }

    function test_an_entry_that_is_not_there_is_unknown() public {
        topUp(0, 1 ether);
        for (uint64 index = 0; index < 3; index += 2) {
            vm.expectRevert(abi.encodeWithSelector(Committee.UnknownEntry.selector, index, 1));
            registry.entry(index);
        }
        vm.expectRevert(abi.encodeWithSelector(Committee.UnknownEntry.selector, 2, 1));
        registry.queueDigest(2);
    }

    // The edge.

    function test_a_newcomer_joins_at_the_edge_and_signs() public {
        enrol(NEW, 7);
        post(statementAt(++height), everybody());
        requireStatus(5, MasternodeRegistry.Status.Queued, "before");
        edge();
        requireStatus(5, MasternodeRegistry.Status.Active, "after");
        vm.assertEq(registry.epoch(), 1, "epoch");
        vm.assertEq(ids.length, 5, "members");
        vm.assertEq(registry.totalWeight(), 47, "weight");
        // 10 + 10 + 7 of 47 are no quorum, with 10 more they are one.
        postExpecting(notReached(27, 47), statementAt(++height), 19);
        post(statementAt(height), 23);
    }

    function test_an_edge_is_announced() public {
        enrol(NEW, 7);
        Statement memory s = closing(1);
        (bytes memory bitmap, bytes memory signature) = certify(s, everybody());
        vm.expectEmit(address(registry));
        emit Committee.EpochOpened(1, 1, 5, 47, s.nextCommittee);
        manager.submit(s, bitmap, signature);
        vm.assertEq(registry.committeeDigest(1), s.nextCommittee, "digest");
        (uint64 epoch,,, bytes32 digest) = registry.committee();
        vm.assertTrue(epoch == 1 && digest == s.nextCommittee, "committee");
        vm.assertEq(registry.closedAt(0), block.timestamp, "closed");
        vm.assertEq(registry.closedAt(1), 0, "open");
    }

    function test_one_that_leaves_has_no_say_after_the_edge() public {
        quit(2);
        requireStatus(3, MasternodeRegistry.Status.Leaving, "before");
        post(statementAt(++height), everybody());
        edge();
        vm.assertEq(ids.length, 3, "members");
        vm.assertEq(ids[2], 4, "the order of ids");
        vm.assertEq(registry.totalWeight(), 30, "weight");
        requireStatus(3, MasternodeRegistry.Status.Unbonding, "after");
        post(statementAt(++height), 7);
    }

    function test_bitmaps_follow_the_ids_of_the_committee() public {
        quit(0);
        edge();
        enrol(NEW, 9);
        edge();
        // 2, 3, 4, 5 now: without the first, then without the last.
        post(statementAt(++height), 14);
        post(statementAt(++height), 7);
        (, uint64 signed, uint64 total,) = registry.signers(hex"0e");
        vm.assertEq(signed, 29, "signed");
        vm.assertEq(total, 39, "total");
    }

    function test_an_edge_without_entries_opens_an_epoch_with_the_same_members() public {
        edge();
        vm.assertEq(registry.epoch(), 1, "epoch");
        vm.assertEq(registry.totalWeight(), 40, "weight");
        post(statementAt(++height), everybody());
    }

    function test_less_than_a_third_changes_at_once() public {
        enrol(NEW, 100);
        edge();
        vm.assertEq(registry.member(5).effective, 13, "a third of 40");
        edge();
        vm.assertEq(registry.member(5).effective, 13 + 17, "and of 53");
        edge();
        edge();
        vm.assertEq(registry.member(5).effective, 30 + 23 + 30, "and of 70, and of 93");
        edge();
        vm.assertEq(registry.member(5).effective, 100, "all of it");
        vm.assertEq(registry.waiting().length, 0, "nobody waits");
    }

    function test_they_move_in_the_order_in_which_they_queued() public {
        enrol(NEW, 20);
        enrol(NEW + 1, 5);
        quit(3);
        quit(1);
        edge();
        // 13 is the bound: 6 go, of the first who left, and 7 come, of the first who came.
        vm.assertTrue(modelWeight(4) == 4 && modelWeight(2) == 10, "going");
        vm.assertTrue(modelWeight(5) == 7 && modelWeight(6) == 0, "coming");
        uint64[] memory waiting = registry.waiting();
        vm.assertEq(waiting.length, 4, "all wait on");
        vm.assertTrue(waiting[0] == 5 && waiting[1] == 6 && waiting[2] == 4 && waiting[3] == 2, "order");
        edge();
        requireStatus(4, MasternodeRegistry.Status.Unbonding, "gone");
        vm.assertEq(registry.member(2).effective, 8, "the next");
        vm.assertEq(registry.member(5).effective, 14, "7 of 13");
    }

    function test_a_bond_of_any_size_holds_no_exit_up() public {
        establishEpochs(uneven(25, 25, 25, 25));
        enrol(NEW, 1_000);
        quit(3);
        edge();
        edge();
        requireStatus(4, MasternodeRegistry.Status.Unbonding, "gone");
        vm.assertTrue(registry.member(5).effective < 50, "the bond is far from its weight");
    }

    function test_an_offender_goes_before_a_bond_and_an_exit_of_any_size() public {
        establishEpochs(uneven(400, 20, 20, 20));
        quit(0);
        enrol(NEW, 1_000);
        edge();
        slash(2);
        edge();
        requireStatus(2, MasternodeRegistry.Status.Slashed, "slashed");
        vm.assertEq(registry.member(2).effective, 0, "gone at the next edge");
        vm.assertTrue(registry.member(1).effective > 0, "who left before it has not");
    }

    function test_an_offender_that_leaves_already_goes_first_from_then_on() public {
        establishEpochs(uneven(400, 20, 20, 20));
        quit(0);
        quit(1);
        edge();
        vm.assertEq(registry.member(2).effective, 20, "behind another");
        vm.expectEmit(address(registry));
        bytes32 digest = keccak256(abi.encode(registry.queueDigest(2), uint256(3), uint256(2), uint256(0), uint256(1)));
        emit Committee.Queued(3, 2, 0, true, 0, "", "", digest);
        slash(2);
        vm.assertTrue(registry.entry(3).slashed && !registry.entry(2).slashed, "entries");
        edge();
        vm.assertEq(registry.member(2).effective, 0, "gone");
    }

    function test_an_offender_that_is_out_is_no_entry() public {
        quit(1);
        edge();
        slash(2);
        (uint64 length,,) = registry.queue();
        vm.assertEq(length, 1, "its exit");
        requireStatus(2, MasternodeRegistry.Status.Slashed, "slashed");
    }

    function test_members_that_are_replaced_leave_no_committee_of_few() public {
        for (uint256 i = 0; i < 4; ++i) {
            quit(i);
        }
        for (uint256 i = 0; i < 4; ++i) {
            enrol(NEW + i, 10);
        }
        for (uint256 i = 0; i < 6; ++i) {
            edge();
            vm.assertTrue(registry.totalWeight() >= 40, "as much comes as goes");
        }
        vm.assertEq(ids[0], 5, "replaced");
        vm.assertEq(registry.waiting().length, 0, "by all of them");
    }

    function test_the_last_weight_stays() public {
        for (uint256 i = 0; i < 4; ++i) {
            quit(i);
        }
        for (uint256 i = 0; i < 20; ++i) {
            edge();
        }
        vm.assertEq(registry.totalWeight(), 1, "weight");
        vm.assertEq(ids.length, 1, "members");
        // It goes when somebody comes.
        enrol(NEW, 5);
        for (uint256 i = 0; i < 6; ++i) {
            edge();
        }
        vm.assertEq(registry.totalWeight(), 5, "weight");
        vm.assertEq(ids[0], 5, "the newcomer");
    }

    function test_what_is_queued_after_the_cursor_waits() public {
        enrol(NEW, 3);
        Statement memory s = closing(1);
        enrol(NEW + 1, 3);
        quit(0);
        post(s, everybody());
        seat();
        vm.assertEq(ids.length, 5, "members");
        (uint64 length,, uint64 applied) = registry.queue();
        vm.assertEq(length, 3, "length");
        vm.assertEq(applied, 1, "applied");
    }

    function test_one_that_gives_up_before_it_joins_never_joins() public {
        enrol(NEW, 3);
        quit(NEW);
        requireStatus(5, MasternodeRegistry.Status.Leaving, "before");
        edge();
        vm.assertEq(ids.length, 4, "members");
        requireStatus(5, MasternodeRegistry.Status.Unbonding, "after");
    }

    function test_one_that_gives_up_before_it_joins_waits_for_nobody() public {
        enrol(NEW, 40);
        enrol(NEW + 1, 3);
        edge();
        requireStatus(6, MasternodeRegistry.Status.Queued, "the bound is used up");
        quit(NEW + 1);
        edge();
        requireStatus(6, MasternodeRegistry.Status.Unbonding, "after");
    }

    function test_every_member_can_be_replaced() public {
        for (uint256 i = 0; i < 4; ++i) {
            enrol(NEW + i, 10);
            quit(i);
        }
        for (uint256 i = 0; i < 9; ++i) {
            edge();
        }
        for (uint64 i = 0; i < 4; ++i) {
            vm.assertEq(ids[i], 5 + i, "id");
            requireStatus(i + 1, MasternodeRegistry.Status.Unbonding, "old");
        }
        post(statementAt(++height), everybody());
    }

    // Refused.

    function test_another_committee_than_the_computed_is_refused() public {
        enrol(NEW, 7);
        Statement memory s = closing(1);
        bytes32 right = s.nextCommittee;
        s.nextCommittee = keccak256("another committee");
        postExpecting(abi.encodeWithSelector(Committee.NextCommittee.selector, s.nextCommittee, right), s, 15);
        vm.assertEq(registry.epoch(), 0, "epoch");
        vm.assertEq(manager.checkpointCount(), 0, "no checkpoint");
    }

    function test_another_cursor_makes_another_committee() public {
        enrol(NEW, 7);
        enrol(NEW + 1, 6);
        Statement memory s = closing(2);
        s.registryCursor = 1;
        (bytes memory bitmap, bytes memory signature) = certify(s, 15);
        vm.expectPartialRevert(Committee.NextCommittee.selector);
        manager.submit(s, bitmap, signature);
    }

    function test_a_cursor_beyond_the_queue_or_behind_what_is_applied_is_refused() public {
        enrol(NEW, 7);
        Statement memory s = statementAt(1);
        s.nextCommittee = bytes32(uint256(1));
        s.registryCursor = 2;
        postExpecting(cursor(2, 0, 1), s, 15);
        edge();
        s = statementAt(2);
        s.nextCommittee = bytes32(uint256(1));
        s.registryCursor = 0;
        postExpecting(cursor(0, 1, 1), s, 31);
    }

    /// All entries that can wait at once: of each that has a place a join or a top-up, an exit, and a slash.
    function test_no_more_than_256_entries_are_applied_at_once() public {
        establishEpochs(equalWeights(128));
        for (uint256 i = 0; i < 128; ++i) {
            topUp(i, 1 ether);
            quit(i);
        }
        slash(1);
        Statement memory s = statementAt(1);
        s.nextCommittee = bytes32(uint256(1));
        s.registryCursor = 257;
        postExpecting(cursor(257, 0, 256), s, everybody());
        edge();
        edge();
        (,, uint64 applied) = registry.queue();
        vm.assertEq(applied, 257, "applied");
    }

    function test_one_account_tops_up_once_an_edge() public {
        topUp(0, 1 ether);
        topUpExpecting(entryWaits(1, 1), 0);
        enrol(NEW, 7);
        topUpExpecting(entryWaits(5, 2), NEW);
        Statement memory s = closing(1);
        post(s, everybody());
        seat();
        // Its entry is applied, the newcomer's is not.
        topUpExpecting(entryWaits(5, 2), NEW);
        topUp(0, 1 ether);
        vm.assertEq(registry.member(1).weight, 12, "weight");
        quit(0);
        vm.assertEq(registry.member(1).weight, 0, "who leaves waits for no edge");
    }

    function test_the_old_epochs_later_statements_are_refused() public {
        Statement memory late = statementAt(10);
        (bytes memory bitmap, bytes memory signature) = certify(late, 15);
        edge();
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.WrongEpoch.selector, 0, 1));
        manager.submit(late, bitmap, signature);
    }

    function test_a_closing_statement_counts_once() public {
        Statement memory s = closing(0);
        (bytes memory bitmap, bytes memory signature) = certify(s, 15);
        manager.submit(s, bitmap, signature);
        vm.expectRevert(abi.encodeWithSelector(CheckpointManager.HeightNotNewer.selector, 1, 1));
        manager.submit(s, bitmap, signature);
    }

    function test_nobody_but_the_manager_opens_epochs_or_slashes() public {
        vm.expectRevert(abi.encodeWithSelector(Committee.NotManager.selector, address(this), address(manager)));
        registry.applyEdge(0, 0);
        vm.expectRevert(abi.encodeWithSelector(Committee.NotManager.selector, address(this), address(manager)));
        registry.slash(new uint64[](0), address(this));
    }

    function test_a_minority_closes_no_epoch() public {
        postExpecting(notReached(20, 40), closing(0), 3);
    }

    // Any sequence.

    /// What the contract makes of a random queue at random edges is what the model does: `closing` states its digest.
    function testFuzz_the_contract_and_the_model_agree(uint256 seed) public {
        uint256 people = 4;
        for (uint256 step = 0; step < 12; ++step) {
            uint256 draw = uint256(keccak256(abi.encode(seed, step)));
            if (draw % 9 == 0) {
                slash(uint64(1 + (draw >> 8) % people));
            } else if (draw % 4 == 0) {
                enrol(people++, uint64(1 + (draw >> 8) % 60));
            } else if (draw % 4 == 1) {
                attempt(draw, people, uint256(1 + (draw >> 16) % 30) * 1 ether);
            } else if (draw % 4 == 2) {
                attempt(draw, people, 0);
            } else {
                (uint64 length,, uint64 applied) = registry.queue();
                edgeUpTo(applied + uint64((draw >> 8) % (length - applied + 1)));
                requireLikeTheModel();
            }
        }
        edge();
        requireLikeTheModel();
    }

    function requireLikeTheModel() private view {
        vm.assertEq(registry.totalWeight(), modelTotal(), "total");
        for (uint256 i = 0; i < ids.length; ++i) {
            vm.assertEq(weights[i], modelWeight(ids[i]), "weight");
            vm.assertEq(registry.member(ids[i]).effective, weights[i], "view");
        }
        vm.assertEq(abi.encode(registry.waiting()), abi.encode(modelList()), "waiting");
    }

    /// A top-up, or an exit for nothing, by anybody who is there; a refusal changes nothing.
    function attempt(uint256 draw, uint256 people, uint256 wei_) private {
        address who = operator((draw >> 8) % people);
        vm.deal(who, wei_);
        vm.prank(who);
        bytes memory call = wei_ > 0 ? abi.encodeCall(registry.topUp, ()) : abi.encodeCall(registry.requestExit, ());
        (bool accepted,) = address(registry).call{value: wei_}(call);
        accepted;
    }

    function topUpExpecting(bytes memory error_, uint256 i) private {
        vm.deal(operator(i), 1 ether);
        vm.expectRevert(error_);
        vm.prank(operator(i));
        registry.topUp{value: 1 ether}();
    }

    function entryWaits(uint64 id, uint64 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(MasternodeRegistry.EntryWaits.selector, id, index);
    }

    function cursor(uint64 given, uint64 least, uint64 most) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Committee.CursorOutOfBounds.selector, given, least, most);
    }

    function notReached(uint64 signed, uint64 total) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CheckpointManager.QuorumNotReached.selector, signed, total);
    }
}
