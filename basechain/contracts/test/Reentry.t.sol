// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Custody} from "../src/Custody.sol";
import {EscapeHatch} from "../src/EscapeHatch.sol";
import {Vault} from "../src/Vault.sol";
import {Bridge} from "./support/Bridge.sol";
import {CardsThatIntrude} from "./support/Tokens.sol";
import {vm} from "./support/Vm.sol";

/// While the vault moves something, nothing else of it can be called.
contract ReentryTest is Bridge {
    CardsThatIntrude private hostile;

    function setUp() public {
        openBridge();
        hostile = new CardsThatIntrude();
        list(address(hostile), Custody.Kind.ERC721, 1);
        hostile.mint(ALICE, 1);
    }

    function functions() private pure returns (bytes4[11] memory) {
        return [
            Vault.depositNative.selector,
            Vault.depositERC20.selector,
            Vault.depositERC721.selector,
            Vault.withdraw.selector,
            Custody.claim.selector,
            EscapeHatch.escape.selector,
            EscapeHatch.refuteEscape.selector,
            EscapeHatch.finishEscape.selector,
            EscapeHatch.reclaimDeposit.selector,
            EscapeHatch.refuteReclaim.selector,
            EscapeHatch.finishReclaim.selector
        ];
    }

    function test_a_call_within_a_call_is_refused_as_reentered() public {
        bytes4[11] memory all = functions();
        for (uint256 i = 0; i < all.length; ++i) {
            // Zeros are arguments that all of them can read.
            hostile.aim(address(vault), abi.encodePacked(all[i], new bytes(2_048)));
            vm.prank(ALICE);
            vm.expectRevert(abi.encodeWithSelector(Custody.Reentered.selector));
            vault.depositERC721(address(hostile), 1, ACCOUNT);
        }
        vm.assertEq(vault.depositCount(), 0, "count");
    }

    function test_a_payout_that_calls_back_is_kept_and_one_call_after_another_goes_on() public {
        vm.prank(ALICE);
        vault.depositERC721(address(hostile), 1, ACCOUNT);
        Custody.Asset memory asset = Custody.Asset(Custody.Kind.ERC721, address(hostile), 1);
        Vault.Withdrawal memory w = burn(asset, BOB);
        hostile.aim(address(vault), abi.encodePacked(Vault.withdraw.selector, new bytes(2_048)));
        withdraw(finalCheckpoint(), w);
        vm.assertTrue(vault.isPaid(0), "paid");
        vm.assertEq(hostile.ownerOf(1), address(vault), "kept");
        hostile.aim(address(0), "");
        vm.prank(BOB);
        vault.claim(asset, BOB);
        vm.assertEq(hostile.ownerOf(1), BOB, "fetched");
    }
}
