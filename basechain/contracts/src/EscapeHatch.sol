// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppendTree, TREE_DEPTH} from "./AppendTree.sol";
import {CheckpointManager} from "./CheckpointManager.sol";
import {Custody} from "./Custody.sol";
import {Statement} from "./Statement.sol";

/// The way out without masternodes: what the last checkpoints say that everybody owns is paid by proof.
///
/// When no checkpoint has become final for `escapeAfter` seconds, or the bridge is frozen, anybody trips a latch, for
/// good: no checkpoint posted later pays, and no deposit is taken. Then owners claim what a checkpoint's exit tree
/// says is theirs, and depositors what has never been credited. The proof may be from an older checkpoint, since
/// few keep all of them; so a claim waits `escapeWindow` seconds, in which anybody may show by a later
/// checkpoint that it is not so any more, and earns the claim's stake.
///
/// A place in the exit tree belongs to one holding for good: an account's of an asset, or a card's. What a later
/// checkpoint has at that place is what has become of it, and of each place no more than one claim is paid.
abstract contract EscapeHatch is Custody {
    /// What a place of the exit tree says.
    struct Exit {
        uint64 index;
        Asset asset;
        /// Who the account has named to have it on the base chain.
        address owner;
    }

    /// A deposit as the vault has numbered it.
    struct Deposit {
        uint64 index;
        Asset asset;
        address sender;
        bytes32 account;
    }

    struct Claim {
        /// Exits: the leaf. Deposits: the running digest.
        bytes32 what;
        address claimant;
        /// Unix seconds; zero for no claim.
        uint64 openedAt;
        /// Of the statement that it was claimed by. After a refutation, of the one that has refuted it: what an
        /// earlier one says of this place is not so any more.
        uint64 height;
        bool paid;
    }

    /// The digest before the first deposit.
    bytes32 public constant DEPOSITS_START = keccak256("WEFT-V01-DEPOSITS");
    /// The first word of a leaf of the exit tree.
    bytes32 public constant EXIT_TAG = keccak256("WEFT-V01-EXIT");
    /// In wei, left with a claim: for who refutes it, or back.
    uint256 public constant CLAIM_STAKE = 0.01 ether;
    uint64 public constant ESCAPE_TIME_MAX = 365 days;

    CheckpointManager public immutable manager;
    /// Seconds without a final checkpoint after which the latch may be tripped.
    uint64 public immutable escapeAfter;
    /// Seconds in which a claim may be refuted.
    uint64 public immutable escapeWindow;

    uint64 public depositCount;
    /// Unix seconds; zero while the bridge works.
    uint64 public latchedAt;
    /// The newest checkpoint when the latch was tripped: none above it counts.
    uint64 public latchedHeight;
    mapping(uint64 index => bytes32) internal _depositDigests;
    /// By places of the exit tree, and by numbers of deposits.
    mapping(uint64 index => Claim) public exits;
    mapping(uint64 index => Claim) public reclaims;

    event LatchTripped(uint64 height);
    event ExitClaimed(uint64 indexed index, Asset asset, address indexed owner, uint64 height);
    event ReclaimOpened(uint64 indexed index, Asset asset, address indexed sender);
    event ExitRefuted(uint64 indexed index, uint64 height, address indexed challenger);
    event ReclaimRefuted(uint64 indexed index, uint64 height, address indexed challenger);
    /// `kept`: the payout failed, and `claim` fetches it.
    event Escaped(uint64 indexed index, Asset asset, address indexed owner, bool kept);
    event Reclaimed(uint64 indexed index, Asset asset, address indexed sender, bool kept);

    error ManagerWithoutCode(address manager);
    error EscapeTimes(uint64 afterSeconds, uint64 windowSeconds, uint64 max);
    error Latched(uint64 since);
    error NotLatched();
    error TooEarly(uint256 until);
    error UnknownDeposit(uint64 index, uint64 count);
    error NotFinal(uint64 height);
    error ForeignDeposits(uint64 processed, bytes32 given, bytes32 known);
    error NotInTree(uint64 index, bytes32 given, bytes32 expected);
    error NotTheOwner(address sender, address owner);
    error WrongStake(uint256 given, uint256 expected);
    error ClaimExists(uint64 index);
    error NoClaim(uint64 index);
    error NotRefuted(uint64 index);
    error AlreadyRefuted(uint64 index, uint64 height);
    error OtherDeposit(uint64 index, bytes32 given, bytes32 expected);

    /// Both times in seconds, 1 to `ESCAPE_TIME_MAX`.
    constructor(CheckpointManager manager_, uint64 escapeAfter_, uint64 escapeWindow_) {
        if (address(manager_).code.length == 0) revert ManagerWithoutCode(address(manager_));
        bool sound = escapeAfter_ > 0 && escapeWindow_ > 0;
        if (!sound || escapeAfter_ > ESCAPE_TIME_MAX || escapeWindow_ > ESCAPE_TIME_MAX) {
            revert EscapeTimes(escapeAfter_, escapeWindow_, ESCAPE_TIME_MAX);
        }
        manager = manager_;
        escapeAfter = escapeAfter_;
        escapeWindow = escapeWindow_;
        _depositDigests[0] = DEPOSITS_START;
    }

    /// Opens the way out, for good.
    function trip() external {
        if (latchedAt != 0) revert Latched(latchedAt);
        uint256 until = uint256(manager.lastPosted()) + manager.finalityDelay() + escapeAfter;
        if (manager.frozenAt() == 0 && block.timestamp < until) revert TooEarly(until);
        latchedAt = uint64(block.timestamp);
        // The height is all that is wanted of it.
        // slither-disable-next-line unused-return
        (latchedHeight,,) = manager.latest();
        emit LatchTripped(latchedHeight);
    }

    /// Claims what a checkpoint says is the sender's, with `CLAIM_STAKE`.
    function escape(Statement calldata statement, Exit calldata exit, bytes32[TREE_DEPTH] calldata siblings)
        external
        payable
        once
    {
        _requireJudging(statement);
        bytes32 leaf = exitLeaf(exit);
        bytes32 root = AppendTree.rootOf(leaf, exit.index, siblings);
        if (root != statement.exitRoot) revert NotInTree(exit.index, root, statement.exitRoot);
        _open(exits[exit.index], exit.index, leaf, exit.owner, statement.height);
        emit ExitClaimed(exit.index, exit.asset, exit.owner, statement.height);
    }

    /// Refutes a claim: a later checkpoint has another leaf at its place, or none, which is zero.
    function refuteEscape(
        Statement calldata statement,
        uint64 index,
        bytes32 leaf,
        bytes32[TREE_DEPTH] calldata siblings
    ) external once {
        _requireJudging(statement);
        bytes32 root = AppendTree.rootOf(leaf, index, siblings);
        if (root != statement.exitRoot) revert NotInTree(index, root, statement.exitRoot);
        Claim storage found = exits[index];
        if (statement.height <= found.height || leaf == found.what) revert NotRefuted(index);
        _refute(found, index, statement.height);
        emit ExitRefuted(index, statement.height, msg.sender);
    }

    /// Pays a claim that nobody has refuted, whoever asks.
    function finishEscape(Exit calldata exit) external once {
        Claim storage found = exits[exit.index];
        bytes32 leaf = exitLeaf(exit);
        if (leaf != found.what) revert NotInTree(exit.index, leaf, found.what);
        bool paid = _finish(found, exit.index, exit.asset, exit.owner);
        emit Escaped(exit.index, exit.asset, exit.owner, !paid);
    }

    /// Claims a deposit of the sender's that no checkpoint has credited, with `CLAIM_STAKE`.
    function reclaimDeposit(Deposit calldata deposit) external payable once {
        if (latchedAt == 0) revert NotLatched();
        bytes32 digest = _requireOwn(deposit);
        _open(reclaims[deposit.index], deposit.index, digest, deposit.sender, 0);
        emit ReclaimOpened(deposit.index, deposit.asset, deposit.sender);
    }

    /// Refutes such a claim: a checkpoint has credited the deposit.
    function refuteReclaim(Statement calldata statement, uint64 index) external once {
        _requireJudging(statement);
        if (statement.depositsProcessed < index) revert NotRefuted(index);
        _refute(reclaims[index], index, statement.height);
        emit ReclaimRefuted(index, statement.height, msg.sender);
    }

    /// Pays such a claim that nobody has refuted.
    function finishReclaim(Deposit calldata deposit) external once {
        _requireOwn(deposit);
        bool paid = _finish(reclaims[deposit.index], deposit.index, deposit.asset, deposit.sender);
        emit Reclaimed(deposit.index, deposit.asset, deposit.sender, !paid);
    }

    /// The running digest of the first `count` deposits.
    function depositDigest(uint64 count) public view returns (bytes32) {
        if (count > depositCount) revert UnknownDeposit(count, depositCount);
        return _depositDigests[count];
    }

    /// The running digest with one deposit more.
    function extend(bytes32 previous, uint64 index, Asset memory asset, address sender, bytes32 account)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(previous, index, asset, sender, account));
    }

    /// A holding as a leaf of the exit tree.
    function exitLeaf(Exit calldata exit) public pure returns (bytes32) {
        return keccak256(abi.encode(EXIT_TAG, exit));
    }

    /// V3, V5: a checkpoint that is final, with this vault's deposits. After the latch, one that was so before.
    function _requirePaying(Statement calldata statement) internal view {
        if (latchedAt != 0) return _requireJudging(statement);
        if (!manager.isFinal(statement)) revert NotFinal(statement.height);
        _requireOwnDeposits(statement);
    }

    /// What is decided by after the latch: checkpoints posted before it, of a frozen bridge those that were final.
    function _requireJudging(Statement calldata statement) private view {
        if (latchedAt == 0) revert NotLatched();
        if (statement.height > latchedHeight || !manager.isSettled(statement)) revert NotFinal(statement.height);
        _requireOwnDeposits(statement);
    }

    function _requireOwnDeposits(Statement calldata statement) private view {
        bytes32 known = depositDigest(statement.depositsProcessed);
        if (statement.depositsDigest != known) {
            revert ForeignDeposits(statement.depositsProcessed, statement.depositsDigest, known);
        }
    }

    function _requireOwn(Deposit calldata d) private view returns (bytes32 digest) {
        if (d.index == 0 || d.index > depositCount) revert UnknownDeposit(d.index, depositCount);
        digest = extend(_depositDigests[d.index - 1], d.index, d.asset, d.sender, d.account);
        bytes32 known = _depositDigests[d.index];
        if (digest != known) revert OtherDeposit(d.index, digest, known);
    }

    function _open(Claim storage place, uint64 index, bytes32 what, address owner, uint64 height) private {
        if (msg.sender != owner) revert NotTheOwner(msg.sender, owner);
        if (msg.value != CLAIM_STAKE) revert WrongStake(msg.value, CLAIM_STAKE);
        if (place.openedAt != 0) revert ClaimExists(index);
        if (height < place.height) revert AlreadyRefuted(index, place.height);
        place.what = what;
        place.claimant = owner;
        place.openedAt = uint64(block.timestamp);
        place.height = height;
    }

    function _refute(Claim storage found, uint64 index, uint64 height) private {
        if (found.openedAt == 0 || found.paid) revert NoClaim(index);
        found.what = 0;
        found.claimant = address(0);
        found.openedAt = 0;
        found.height = height;
        _returnStake(msg.sender);
    }

    // Who calls it, and `claim`, are `once`: no payout can come back here.
    // slither-disable-next-line reentrancy-eth
    function _finish(Claim storage found, uint64 index, Asset calldata asset, address owner)
        private
        returns (bool)
    {
        if (found.openedAt == 0 || found.paid) revert NoClaim(index);
        uint256 until = uint256(found.openedAt) + escapeWindow;
        if (block.timestamp < until) revert TooEarly(until);
        found.paid = true;
        _returnStake(found.claimant);
        return _release(asset, owner);
    }

    function _returnStake(address to) private {
        _payOrKeep(Asset(Kind.Native, address(0), CLAIM_STAKE / NATIVE_UNIT), to);
    }
}
