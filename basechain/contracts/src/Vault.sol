// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AppendTree, TREE_DEPTH} from "./AppendTree.sol";
import {CheckpointManager} from "./CheckpointManager.sol";
import {Statement} from "./Statement.sol";

interface IERC20 {
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IERC721 {
    function ownerOf(uint256 tokenId) external view returns (address);
    function transferFrom(address from, address to, uint256 tokenId) external;
}

/// What is in the ledger and came from the base chain: its coin, ERC-20 tokens, ERC-721 cards.
///
/// Deposits are numbered and chained by hash, so that one figure and one digest say which of them a
/// statement has taken into account. Withdrawals are leaves of an append-only tree whose root the
/// statements carry; each is paid once, to the recipient it names, whoever asks. A statement pays only
/// when it is a checkpoint that is final, and names deposits that are this vault's own.
///
/// Amounts are the ledger's: 64 bits of a token's unit, which is fixed when the token is listed. The coin's
/// unit is 10^9 wei.
contract Vault {
    enum Kind {
        Native,
        ERC20,
        ERC721
    }

    struct Asset {
        Kind kind;
        /// Zero for the coin.
        address token;
        /// An amount in the token's units, or an ERC-721's token id.
        uint256 value;
    }

    struct Withdrawal {
        /// Its place in the tree, from 0.
        uint64 index;
        Asset asset;
        address recipient;
    }

    /// A token that may be deposited; `unit` is zero for one that may not, and 1 for ERC-721.
    struct Listing {
        Kind kind;
        uint88 unit;
    }

    /// Wei.
    uint256 public constant NATIVE_UNIT = 1 gwei;
    /// What the code of a recipient or token may use in a payout, which bounds what a relayer pays. Nobody makes a
    /// payout fail by sending too little: a call gets 63/64 of what is left, and a 64th of less than this does
    /// not suffice to note the credit.
    uint256 public constant PAYOUT_GAS = 200_000;
    /// The digest before the first deposit.
    bytes32 public constant DEPOSITS_START = keccak256("WEFT-V01-DEPOSITS");

    CheckpointManager public immutable manager;
    /// May list tokens, and nothing else. What is listed cannot be taken off.
    address public immutable curator;

    uint64 public depositCount;
    bool private transient _entered;

    mapping(address token => Listing) public listings;
    /// Native and ERC-20, in units; never above 64 bits, so that the ledger cannot overflow.
    mapping(address token => uint256 units) public held;
    mapping(uint64 index => bytes32) private _depositDigests;
    mapping(uint256 word => uint256 bits) private _spent;
    /// What could not be paid out, for its owner to fetch.
    mapping(bytes32 claim => bool) private _claims;
    mapping(address owner => mapping(address token => uint256 units)) public credits;

    event Listed(address indexed token, Kind kind, uint88 unit);
    /// Deposits count from 1. `digest` is the running digest up to this one.
    event Deposited(
        uint64 indexed index, Asset asset, address indexed sender, bytes32 indexed account, bytes32 digest
    );
    event Withdrawn(uint64 indexed index, Asset asset, address indexed recipient);
    /// The payout failed: `claim` fetches it.
    event Credited(uint64 indexed index, Asset asset, address indexed recipient);
    event Claimed(Asset asset, address indexed owner, address to);

    error ManagerWithoutCode(address manager);
    error NotCurator(address sender, address curator);
    error AlreadyListed(address token);
    error TokenWithoutCode(address token);
    error NativeNeedsNoListing();
    error ZeroUnit();
    error NotListed(address token, Kind kind);
    error ZeroAccount();
    error ZeroAmount();
    error NotWhole(uint256 amount, uint256 unit);
    error TooMuch(uint256 units, uint256 max);
    /// The token has not moved what it was told to.
    error Inexact(address token, uint256 moved, uint256 expected);
    error TransferRefused(address token);
    error Reentered();
    error UnknownDeposit(uint64 index, uint64 count);
    error NotFinal(uint64 height);
    error ForeignDeposits(uint64 processed, bytes32 given, bytes32 known);
    error NotInTree(uint64 index, bytes32 given, bytes32 expected);
    error AlreadyPaid(uint64 index);
    error NotHeld(address token, uint256 units, uint256 held);
    error NothingToClaim();

    modifier once() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    /// A `curator_` of zero lists nothing, ever: such a vault takes the coin alone. What comes with the deployment
    /// backs the balances that the ledger's genesis hands out, and is no deposit.
    constructor(CheckpointManager manager_, address curator_) payable {
        if (address(manager_).code.length == 0) revert ManagerWithoutCode(address(manager_));
        manager = manager_;
        curator = curator_;
        _depositDigests[0] = DEPOSITS_START;
        held[address(0)] = _nativeUnits(msg.value);
    }

    /// Lets a token in. A token can harm those who hold it and nobody else: what is held is counted for
    /// each by itself. `unit` is how many of an ERC-20's smallest parts are one unit here.
    function list(address token, Kind kind, uint88 unit) external {
        if (msg.sender != curator) revert NotCurator(msg.sender, curator);
        if (listings[token].unit != 0) revert AlreadyListed(token);
        if (token.code.length == 0) revert TokenWithoutCode(token);
        if (kind == Kind.Native) revert NativeNeedsNoListing();
        if (unit == 0) revert ZeroUnit();
        if (kind == Kind.ERC721 && unit != 1) revert NotWhole(unit, 1);
        listings[token] = Listing(kind, unit);
        emit Listed(token, kind, unit);
    }

    function depositNative(bytes32 account) external payable once returns (uint64 index) {
        return _take(Asset(Kind.Native, address(0), _nativeUnits(msg.value)), account);
    }

    /// `units` of a token that the sender has allowed this contract to move. A token that moves another
    /// amount than told (a fee, a rebase) is refused.
    function depositERC20(address token, uint64 units, bytes32 account) external once returns (uint64 index) {
        uint256 amount = units * _unitOf(token, Kind.ERC20);
        index = _take(Asset(Kind.ERC20, token, units), account);
        uint256 before = IERC20(token).balanceOf(address(this));
        bytes memory pull = abi.encodeCall(IERC20.transferFrom, (msg.sender, address(this), amount));
        if (!_call(token, gasleft(), pull)) revert TransferRefused(token);
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

        Asset calldata asset = withdrawal.asset;
        _unitOf(asset.token, asset.kind);
        if (asset.kind != Kind.ERC721) {
            uint256 units = held[asset.token];
            if (asset.value > units) revert NotHeld(asset.token, asset.value, units);
            held[asset.token] = units - asset.value;
        }
        if (_pay(asset, withdrawal.recipient)) {
            emit Withdrawn(withdrawal.index, asset, withdrawal.recipient);
        } else {
            _credit(asset, withdrawal.recipient);
            emit Credited(withdrawal.index, asset, withdrawal.recipient);
        }
    }

    /// Fetches what could not be paid to the sender, to an address of its choice: the asset as `Credited` named
    /// it, or the whole credit, unless it is an ERC-721.
    function claim(Asset calldata asset, address to) external once {
        Asset memory due = asset;
        if (asset.kind == Kind.ERC721) {
            bytes32 key = keccak256(abi.encode(msg.sender, asset.token, asset.value));
            if (!_claims[key]) revert NothingToClaim();
            delete _claims[key];
        } else {
            due.value = credits[msg.sender][asset.token];
            if (due.value == 0) revert NothingToClaim();
            delete credits[msg.sender][asset.token];
        }
        if (!_pay(due, to)) revert TransferRefused(asset.token);
        emit Claimed(due, msg.sender, to);
    }

    function isPaid(uint64 index) public view returns (bool) {
        return (_spent[index >> 8] >> (index & 255)) & 1 == 1;
    }

    /// The running digest of the first `count` deposits.
    function depositDigest(uint64 count) public view returns (bytes32) {
        if (count > depositCount) revert UnknownDeposit(count, depositCount);
        return _depositDigests[count];
    }

    /// A withdrawal as a leaf of the tree.
    function leafOf(Withdrawal calldata withdrawal) public pure returns (bytes32) {
        return keccak256(abi.encode(withdrawal));
    }

    /// The running digest with one deposit more.
    function extend(bytes32 previous, uint64 index, Asset memory asset, address sender, bytes32 account)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(previous, index, asset, sender, account));
    }

    function _nativeUnits(uint256 amount) private pure returns (uint256 units) {
        if (amount % NATIVE_UNIT != 0) revert NotWhole(amount, NATIVE_UNIT);
        units = amount / NATIVE_UNIT;
        if (units > type(uint64).max) revert TooMuch(units, type(uint64).max);
    }

    /// Counts a deposit before anything moves: a token that calls back finds all as it will be.
    function _take(Asset memory asset, bytes32 account) private returns (uint64 index) {
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

    /// The kind has to be the token's own: `transferFrom` means one thing to an ERC-20 and another to an
    /// ERC-721, and both would answer.
    function _unitOf(address token, Kind kind) private view returns (uint256) {
        if (token == address(0) && kind == Kind.Native) return NATIVE_UNIT;
        Listing memory listing = listings[token];
        if (listing.unit == 0 || listing.kind != kind) revert NotListed(token, kind);
        return listing.unit;
    }

    function _requirePaying(Statement calldata statement) private view {
        if (!manager.isFinal(statement)) revert NotFinal(statement.height);
        bytes32 known = depositDigest(statement.depositsProcessed);
        if (statement.depositsDigest != known) {
            revert ForeignDeposits(statement.depositsProcessed, statement.depositsDigest, known);
        }
    }

    function _pay(Asset memory asset, address to) private returns (bool paid) {
        if (asset.kind == Kind.Native) {
            (paid,) = to.call{value: asset.value * NATIVE_UNIT, gas: PAYOUT_GAS}("");
        } else if (asset.kind == Kind.ERC20) {
            uint256 amount = asset.value * listings[asset.token].unit;
            paid = _call(asset.token, PAYOUT_GAS, abi.encodeCall(IERC20.transfer, (to, amount)));
        } else {
            bytes memory move = abi.encodeCall(IERC721.transferFrom, (address(this), to, asset.value));
            paid = _call(asset.token, PAYOUT_GAS, move);
        }
    }

    function _credit(Asset calldata asset, address owner) private {
        if (asset.kind == Kind.ERC721) {
            _claims[keccak256(abi.encode(owner, asset.token, asset.value))] = true;
        } else {
            credits[owner][asset.token] += asset.value;
        }
    }

    /// Whether a token did as told: some return nothing instead of true.
    function _call(address token, uint256 gasMax, bytes memory call) private returns (bool) {
        (bool accepted, bytes memory returned) = token.call{gas: gasMax}(call);
        return accepted && (returned.length == 0 || (returned.length >= 32 && abi.decode(returned, (uint256)) == 1));
    }
}
