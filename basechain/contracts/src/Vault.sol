// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppendTree, TREE_DEPTH} from "./AppendTree.sol";
import {CheckpointManager} from "./CheckpointManager.sol";
import {Custody, IERC20, IERC721, callToken} from "./Custody.sol";
import {EscapeHatch} from "./EscapeHatch.sol";
import {Statement} from "./Statement.sol";

/// What is in the ledger and came from the base chain: its coin, ERC-20 tokens, ERC-721 cards.
///
/// Deposits are numbered and chained by hash, so that one figure and one digest say which of them a
/// statement has taken into account. Withdrawals are leaves of an append-only tree whose root the
/// statements carry; each is paid once, to the recipient it names, whoever asks. A statement pays only
/// when it is a checkpoint that is final, and names deposits that are this vault's own. When no more
/// checkpoints come, `EscapeHatch` is the way out.
contract Vault is EscapeHatch {
    struct Withdrawal {
        /// Its place in the tree, from 0.
        uint64 index;
        Asset asset;
        address recipient;
    }

    mapping(uint256 word => uint256 bits) private _spent;

    /// Deposits count from 1. `digest` is the running digest up to this one.
    event Deposited(
        uint64 indexed index, Asset asset, address indexed sender, bytes32 indexed account, bytes32 digest
    );
    event Withdrawn(uint64 indexed index, Asset asset, address indexed recipient);
    /// The payout failed: `claim` fetches it.
    event Credited(uint64 indexed index, Asset asset, address indexed recipient);

    error ZeroAccount();
    error ZeroAmount();
    /// The token has not moved what it was told to.
    error Inexact(address token, uint256 moved, uint256 expected);
    error AlreadyPaid(uint64 index);

    /// A `curator_` of zero lists nothing, ever: such a vault takes the coin alone. What comes with the deployment
    /// backs the balances that the ledger's genesis hands out, and is no deposit. For the times see `EscapeHatch`.
    constructor(CheckpointManager manager_, address curator_, uint64 escapeAfter_, uint64 escapeWindow_)
        payable
        Custody(curator_)
        EscapeHatch(manager_, escapeAfter_, escapeWindow_)
    {}

    function depositNative(bytes32 account) external payable once returns (uint64 index) {
        return _take(Asset(Kind.Native, address(0), _nativeUnits(msg.value)), account);
    }

    /// `units` of a token that the sender has allowed this contract to move. A token that moves another
    /// amount than told (a fee, a rebase) is refused.
    // What a token says of its balances while it moves is its own word; it can only deceive those who hold it.
    // slither-disable-next-line reentrancy-balance
    function depositERC20(address token, uint64 units, bytes32 account) external once returns (uint64 index) {
        uint256 amount = units * _unitOf(token, Kind.ERC20);
        index = _take(Asset(Kind.ERC20, token, units), account);
        uint256 before = IERC20(token).balanceOf(address(this));
        bytes memory pull = abi.encodeCall(IERC20.transferFrom, (msg.sender, address(this), amount));
        if (!callToken(token, gasleft(), pull)) revert TransferRefused(token);
        uint256 moved = IERC20(token).balanceOf(address(this)) - before;
        if (moved != amount) revert Inexact(token, moved, amount);
    }

    function depositERC721(address token, uint256 tokenId, bytes32 account) external once returns (uint64 index) {
        _unitOf(token, Kind.ERC721);
        index = _take(Asset(Kind.ERC721, token, tokenId), account);
        IERC721(token).transferFrom(msg.sender, address(this), tokenId);
        if (IERC721(token).ownerOf(tokenId) != address(this)) revert Inexact(token, 0, 1);
    }

    /// Pays a withdrawal out, once, by a checkpoint that is final. Anybody may ask; nobody but the recipient
    /// gains. A payout that the recipient or its token refuses is kept for `claim`.
    function withdraw(
        Statement calldata statement,
        Withdrawal calldata withdrawal,
        bytes32[TREE_DEPTH] calldata siblings
    ) external once {
        _requirePaying(statement);
        bytes32 root = AppendTree.rootOf(leafOf(withdrawal), withdrawal.index, siblings);
        if (root != statement.withdrawalsRoot) revert NotInTree(withdrawal.index, root, statement.withdrawalsRoot);
        if (isPaid(withdrawal.index)) revert AlreadyPaid(withdrawal.index);
        _spent[withdrawal.index >> 8] |= uint256(1) << (withdrawal.index & 255);
        if (_release(withdrawal.asset, withdrawal.recipient)) {
            emit Withdrawn(withdrawal.index, withdrawal.asset, withdrawal.recipient);
        } else {
            emit Credited(withdrawal.index, withdrawal.asset, withdrawal.recipient);
        }
    }

    function isPaid(uint64 index) public view returns (bool) {
        return (_spent[index >> 8] >> (index & 255)) & 1 == 1;
    }

    /// A withdrawal as a leaf of the tree.
    function leafOf(Withdrawal calldata withdrawal) public pure returns (bytes32) {
        return keccak256(abi.encode(withdrawal));
    }

    /// Counts a deposit before anything moves: a token that calls back finds all as it will be.
    function _take(Asset memory asset, bytes32 account) private returns (uint64 index) {
        if (latchedAt != 0) revert Latched(latchedAt);
        if (account == 0) revert ZeroAccount();
        if (asset.kind != Kind.ERC721) {
            if (asset.value == 0) revert ZeroAmount();
            uint256 units = held[asset.token] + asset.value;
            if (units > type(uint64).max) revert TooMuch(units, type(uint64).max);
            held[asset.token] = units;
        }
        index = ++depositCount;
        bytes32 digest = extend(_depositDigests[index - 1], index, asset, msg.sender, account);
        _depositDigests[index] = digest;
        emit Deposited(index, asset, msg.sender, account, digest);
    }
}
