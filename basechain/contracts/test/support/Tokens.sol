// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Custody} from "../../src/Custody.sol";
import {Vault} from "../../src/Vault.sol";

/// A fungible token as most are.
contract Coins {
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        // As wrapped coins do: an owner needs no allowance from itself.
        if (from != msg.sender) allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) internal virtual returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// Keeps a hundredth of what is moved.
contract CoinsWithFee is Coins {
    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount / 100;
        return true;
    }
}

/// Says no instead of reverting, whenever it is told to.
contract CoinsThatRefuse is Coins {
    bool public refusing;

    function refuse(bool refusing_) external {
        refusing = refusing_;
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        return !refusing && super._move(from, to, amount);
    }
}

/// Returns nothing at all, as some old tokens do.
contract CoinsWithoutAnswer {
    mapping(address owner => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Calls the vault again, once, while it is asked to move.
contract CoinsThatCallBack is Coins {
    Vault private _vault;

    function aim(Vault vault_) external {
        _vault = vault_;
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        Vault vault = _vault;
        delete _vault;
        if (address(vault) != address(0)) vault.depositERC20(address(this), 1, bytes32(uint256(1)));
        return super._move(from, to, amount);
    }
}

contract Cards {
    mapping(uint256 tokenId => address) public ownerOf;
    mapping(uint256 tokenId => address) public getApproved;
    bool public stuck;

    function mint(address to, uint256 tokenId) external {
        ownerOf[tokenId] = to;
    }

    function approve(address to, uint256 tokenId) external {
        require(ownerOf[tokenId] == msg.sender, "not the owner");
        getApproved[tokenId] = to;
    }

    function stick(bool stuck_) external {
        stuck = stuck_;
    }

    function transferFrom(address from, address to, uint256 tokenId) external {
        require(!stuck, "stuck");
        require(ownerOf[tokenId] == from && to != address(0), "not the owner");
        require(msg.sender == from || msg.sender == getApproved[tokenId], "not approved");
        delete getApproved[tokenId];
        ownerOf[tokenId] = to;
    }
}

/// A card contract that says nothing against a transfer and does not move.
contract CardsThatStay is Cards {
    fallback() external {}
}

/// Calls somebody while it is asked to move, and passes on what it is answered.
contract CardsThatIntrude {
    mapping(uint256 tokenId => address) public ownerOf;
    address private _target;
    bytes private _call;

    function mint(address to, uint256 tokenId) external {
        ownerOf[tokenId] = to;
    }

    function aim(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
    }

    function transferFrom(address from, address to, uint256 tokenId) external {
        require(ownerOf[tokenId] == from, "not the owner");
        if (_target != address(0)) {
            (bool accepted, bytes memory answer) = _target.call(_call);
            if (!accepted) {
                assembly ("memory-safe") {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
        ownerOf[tokenId] = to;
    }
}

/// An owner whose code refuses coin until it is told otherwise.
contract Picky {
    bool public open;

    function unlock() external {
        open = true;
    }

    function fetch(Vault vault, Custody.Asset calldata asset, address to) external {
        vault.claim(asset, to);
    }

    receive() external payable {
        require(open, "no, thank you");
    }
}

/// Writes down what it is paid, which takes more gas than a plain account.
contract Bookkeeper {
    uint256[] private _entries;

    receive() external payable {
        for (uint256 i = 0; i < 4; ++i) {
            _entries.push(msg.value);
        }
    }
}

/// Uses up whatever gas it is given.
contract Wasteful {
    receive() external payable {
        while (true) {}
    }
}
