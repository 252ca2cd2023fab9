// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20, callToken} from "./Custody.sol";

/// Coin or an ERC-20 that a secret opens: a hash time-locked contract, the base chain's half of a swap with the
/// ledger, whose deals lock by the same hash (L40). The rules H1 to H7 are in docs/spec/swaps.md.
///
/// It is no part of the bridge. It knows no other contract, nobody has rights in it, and nothing of it can be changed.
contract HashLock {
    enum Status {
        None,
        Open,
        Claimed,
        Refunded
    }

    struct Lock {
        /// SHA-256 of the secret.
        bytes32 hash;
        address locker;
        /// Unix seconds.
        uint64 expiry;
        address recipient;
        Status status;
        /// Zero for the coin.
        address token;
        /// In wei, or a token's smallest parts.
        uint256 amount;
        /// Once it is claimed.
        bytes32 secret;
    }

    /// H2: what is further off than this is a mistake, such as milliseconds.
    uint64 public constant LOCK_TIME_MAX = 365 days;

    bool private transient _entered;

    /// How many locks an account has made: the number of its next one.
    mapping(address locker => uint256) public lockCount;
    mapping(bytes32 id => Lock) private _locks;

    event Locked(
        bytes32 id,
        bytes32 indexed hash,
        address indexed locker,
        address indexed recipient,
        uint64 expiry,
        address token,
        uint256 amount
    );
    /// H7: who waits for the secret reads it here, or in `lockOf`.
    event Claimed(bytes32 indexed id, bytes32 indexed hash, bytes32 secret);
    event Refunded(bytes32 indexed id);

    error ZeroHash();
    error ZeroAmount();
    error RecipientRefused(address recipient);
    error ExpiryOutOfBounds(uint64 given, uint256 least, uint256 most);
    error TokenWithoutCode(address token);
    error TransferRefused(address token);
    /// The token has not moved what it was told to.
    error Inexact(address token, uint256 moved, uint256 expected);
    error PaymentRefused(address to);
    error UnknownLock(bytes32 id);
    error AlreadyClaimed(bytes32 id);
    error AlreadyRefunded(bytes32 id);
    error WrongSecret(bytes32 given, bytes32 expected);
    error TooLate(uint64 expiry);
    error TooEarly(uint64 expiry);
    error Reentered();

    modifier once() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    /// Locks the coin that comes with it.
    function lockNative(bytes32 hash, address recipient, uint64 expiry) external payable once returns (bytes32 id) {
        return _lock(hash, recipient, expiry, address(0), msg.value);
    }

    /// Locks a token's smallest parts, which the sender has allowed this contract to move. A token that moves
    /// another amount than told is refused (H3).
    // What a token says of its balances while it moves is its own word; it can only deceive those who hold it.
    // slither-disable-next-line reentrancy-balance
    function lockERC20(bytes32 hash, address recipient, uint64 expiry, address token, uint256 amount)
        external
        once
        returns (bytes32 id)
    {
        if (token.code.length == 0) revert TokenWithoutCode(token);
        id = _lock(hash, recipient, expiry, token, amount);
        uint256 before = IERC20(token).balanceOf(address(this));
        _move(token, abi.encodeCall(IERC20.transferFrom, (msg.sender, address(this), amount)));
        _requireExact(token, IERC20(token).balanceOf(address(this)) - before, amount);
    }

    /// H4: pays the recipient by the secret, before the expiry. Anybody may ask; nobody but the recipient gains.
    function claim(bytes32 id, bytes32 secret) external once {
        Lock storage lock = _open(id);
        if (block.timestamp >= lock.expiry) revert TooLate(lock.expiry);
        bytes32 given = sha256(abi.encodePacked(secret));
        if (given != lock.hash) revert WrongSecret(given, lock.hash);
        lock.status = Status.Claimed;
        lock.secret = secret;
        emit Claimed(id, given, secret);
        _pay(lock, lock.recipient);
    }

    /// H5: pays the locker back from the expiry on, whoever asks.
    function refund(bytes32 id) external once {
        Lock storage lock = _open(id);
        if (block.timestamp < lock.expiry) revert TooEarly(lock.expiry);
        lock.status = Status.Refunded;
        emit Refunded(id);
        _pay(lock, lock.locker);
    }

    /// What is locked. Of an id that nobody has locked the status is `None`, and all else zero.
    function lockOf(bytes32 id) external view returns (Lock memory) {
        return _locks[id];
    }

    /// H1: the id of an account's lock with this number, counting from 0. All that a lock is has a part in it.
    function idOf(
        address locker,
        uint256 number,
        bytes32 hash,
        address recipient,
        uint64 expiry,
        address token,
        uint256 amount
    ) public view returns (bytes32) {
        return keccak256(
            abi.encode(block.chainid, address(this), locker, number, hash, recipient, expiry, token, amount)
        );
    }

    /// Counts a lock before anything moves: a token that calls back finds all as it will be.
    function _lock(bytes32 hash, address recipient, uint64 expiry, address token, uint256 amount)
        private
        returns (bytes32 id)
    {
        if (hash == 0) revert ZeroHash();
        // A token that is paid to this contract would be nobody's.
        if (recipient == address(0) || recipient == address(this)) revert RecipientRefused(recipient);
        uint256 most = block.timestamp + LOCK_TIME_MAX;
        if (expiry <= block.timestamp || expiry > most) {
            revert ExpiryOutOfBounds(expiry, block.timestamp + 1, most);
        }
        if (amount == 0) revert ZeroAmount();
        id = idOf(msg.sender, lockCount[msg.sender]++, hash, recipient, expiry, token, amount);
        _locks[id] = Lock(hash, msg.sender, expiry, recipient, Status.Open, token, amount, 0);
        emit Locked(id, hash, msg.sender, recipient, expiry, token, amount);
    }

    function _open(bytes32 id) private view returns (Lock storage lock) {
        lock = _locks[id];
        if (lock.status == Status.None) revert UnknownLock(id);
        if (lock.status == Status.Claimed) revert AlreadyClaimed(id);
        if (lock.status == Status.Refunded) revert AlreadyRefunded(id);
    }

    /// H6: all of it, or the whole call fails and the lock stays as it was.
    // `to` is the lock's own recipient or locker, never the caller's choice.
    // slither-disable-next-line arbitrary-send-eth,reentrancy-balance
    function _pay(Lock storage lock, address to) private {
        (address token, uint256 amount) = (lock.token, lock.amount);
        if (token == address(0)) {
            (bool paid,) = to.call{value: amount}("");
            if (!paid) revert PaymentRefused(to);
            return;
        }
        // H3: not a part of another lock's as well.
        uint256 before = IERC20(token).balanceOf(address(this));
        _move(token, abi.encodeCall(IERC20.transfer, (to, amount)));
        _requireExact(token, before - IERC20(token).balanceOf(address(this)), amount);
    }

    function _move(address token, bytes memory call) private {
        if (!callToken(token, gasleft(), call)) revert TransferRefused(token);
    }

    function _requireExact(address token, uint256 moved, uint256 expected) private pure {
        if (moved != expected) revert Inexact(token, moved, expected);
    }
}
