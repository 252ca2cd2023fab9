// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HashLock} from "../../src/HashLock.sol";
import {Coins} from "./Tokens.sol";

/// Takes a fee from the sender besides, once it is told to: from whoever holds for many, out of what is the others'.
contract CoinsWithLateFee is Coins {
    uint256 private _fee;

    function charge(uint256 fee) external {
        _fee = fee;
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        balanceOf[from] -= _fee;
        return super._move(from, to, amount);
    }
}

/// Says yes and moves nothing, once it is told to.
contract CoinsThatPretend is Coins {
    bool private _pretending;

    function pretend() external {
        _pretending = true;
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        return _pretending || super._move(from, to, amount);
    }
}

/// Calls somebody whenever it is moved or paid, keeps how that was refused, and goes on as if nothing had been.
contract Intruder is Coins {
    address private _target;
    bytes private _call;
    bytes4 public refusal;

    function aim(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
        delete refusal;
    }

    function lockNative(HashLock locks, bytes32 hash, address recipient, uint64 expiry)
        external
        payable
        returns (bytes32)
    {
        return locks.lockNative{value: msg.value}(hash, recipient, expiry);
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        _intrude();
        return super._move(from, to, amount);
    }

    function _intrude() private {
        if (_target == address(0)) return;
        (bool accepted, bytes memory answer) = _target.call(_call);
        refusal = accepted ? bytes4(0) : bytes4(answer);
    }

    receive() external payable {
        _intrude();
    }
}
