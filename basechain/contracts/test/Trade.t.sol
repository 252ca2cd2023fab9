// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epochal} from "./support/Epochal.sol";
import {print} from "./support/Print.sol";
import {Cards} from "./support/Tokens.sol";
import {vm} from "./support/Vm.sol";

/// What ERC-721 asks of a transfer beyond moving the card: who holds how many is counted, and an event says it.
contract CountedCards is Cards {
    mapping(address owner => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);

    function give(address to, uint256 tokenId) external {
        if (ownerOf[tokenId] != address(0)) --balanceOf[ownerOf[tokenId]];
        ++balanceOf[to];
        emit Transfer(ownerOf[tokenId], to, tokenId);
        ownerOf[tokenId] = to;
    }
}

/// What a trade costs on the base chain when its checkpoint is shared by all of a minute, beside what moving one card costs
/// there. Prints with -vv; the README has the figures.
contract TradeGasTest is Epochal {
    uint256 private constant TRADES_A_SECOND = 10_000;
    uint256 private constant SECONDS_A_CHECKPOINT = 60;
    uint256 private constant TRADES = TRADES_A_SECOND * SECONDS_A_CHECKPOINT;
    /// In thousandths of gas.
    uint256 private constant TRADE_MILLIGAS_MAX = 1_000;

    address private constant SELLER = address(0x5e11);
    address private constant BUYER = address(0xb0b);

    /// forge-config: default.isolate = true
    function test_a_trade_costs_less_than_one_gas_with_4_members() public {
        measure(4);
    }

    /// forge-config: default.isolate = true
    function test_a_trade_costs_less_than_one_gas_with_31_members() public {
        measure(31);
    }

    /// forge-config: default.isolate = true
    function test_a_trade_costs_less_than_one_gas_with_100_members() public {
        measure(100);
    }

    function measure(uint256 members) private {
        establish(equalWeights(members));
        post(statementAt(1), everybody());
        post(statementAt(2), everybody());
        uint256 full = vm.lastCallGas().gasTotalUsed;
        uint256 absent = (members - 1) / 3;
        post(statementAt(3), (everybody() >> absent) << absent);
        uint256 third = vm.lastCallGas().gasTotalUsed;
        (uint256 plain, uint256 counted) = (plainTransfer(), countedTransfer());

        print("members", members);
        print("  checkpoint, all sign", full);
        print("  checkpoint, a third absent", third);
        print("  trades in a checkpoint", TRADES);
        print("  milligas a trade, all sign", full * 1_000 / TRADES);
        print("  milligas a trade, a third absent", third * 1_000 / TRADES);
        print("  ERC-721 transfer, of the fixture", plain);
        print("  ERC-721 transfer, counted and with its event", counted);
        print("  trades for one transfer, all sign", plain * TRADES / full);
        print("  trades for one transfer, a third absent", plain * TRADES / third);
        vm.assertLe(third * 1_000 / TRADES, TRADE_MILLIGAS_MAX, "a trade");
    }

    /// To somebody who holds a card already, which is the cheaper case.
    function plainTransfer() private returns (uint256) {
        Cards cards = new Cards();
        cards.mint(SELLER, 1);
        cards.mint(BUYER, 2);
        vm.prank(SELLER);
        cards.transferFrom(SELLER, BUYER, 1);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.assertEq(cards.ownerOf(1), BUYER, "it has moved");
        return used;
    }

    function countedTransfer() private returns (uint256) {
        CountedCards cards = new CountedCards();
        cards.give(SELLER, 1);
        cards.give(SELLER, 3);
        cards.give(BUYER, 2);
        vm.prank(SELLER);
        cards.give(BUYER, 1);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.assertEq(cards.balanceOf(BUYER), 2, "it is counted");
        return used;
    }
}
