// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface IERC20 {
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

interface IERC721 {
    function ownerOf(uint256 tokenId) external view returns (address);
    function transferFrom(address from, address to, uint256 tokenId) external;
}

/// Whether a token did as told: some return nothing instead of true.
function callToken(address token, uint256 gasMax, bytes memory call) returns (bool) {
    (bool accepted, bytes memory returned) = token.call{gas: gasMax}(call);
    return accepted && (returned.length == 0 || (returned.length >= 32 && abi.decode(returned, (uint256)) == 1));
}

/// What is held for the ledger, and how it is paid out: which tokens, how much of each, and what a recipient or a
/// token has refused.
///
/// Amounts are the ledger's: 64 bits of a token's unit, which is fixed when the token is listed. The coin's
/// unit is 10^9 wei.
abstract contract Custody {
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

    /// May list tokens, and nothing else. What is listed cannot be taken off.
    address public immutable curator;

    bool private transient _entered;

    mapping(address token => Listing) public listings;
    /// Native and ERC-20, in units; never above 64 bits, so that the ledger cannot overflow.
    mapping(address token => uint256 units) public held;
    /// What could not be paid out, for its owner to fetch.
    mapping(bytes32 claim => bool) private _claims;
    mapping(address owner => mapping(address token => uint256 units)) public credits;

    event Listed(address indexed token, Kind kind, uint88 unit);
    event Claimed(Asset asset, address indexed owner, address to);

    error NotCurator(address sender, address curator);
    error AlreadyListed(address token);
    error TokenWithoutCode(address token);
    error NativeNeedsNoListing();
    error ZeroUnit();
    error NotListed(address token, Kind kind);
    error NotWhole(uint256 amount, uint256 unit);
    error TooMuch(uint256 units, uint256 max);
    error TransferRefused(address token);
    error Reentered();
    error NotHeld(address token, uint256 units, uint256 held);
    error NothingToClaim();

    modifier once() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    constructor(address curator_) payable {
        curator = curator_;
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

    /// Pays an asset out of what is held. False when the recipient or the token refused: then it is kept for `claim`.
    function _release(Asset calldata asset, address to) internal returns (bool paid) {
        _unitOf(asset.token, asset.kind);
        if (asset.kind != Kind.ERC721) {
            uint256 units = held[asset.token];
            if (asset.value > units) revert NotHeld(asset.token, asset.value, units);
            held[asset.token] = units - asset.value;
        }
        return _payOrKeep(asset, to);
    }

    /// The same of what is not counted as held.
    function _payOrKeep(Asset memory asset, address to) internal returns (bool paid) {
        paid = _pay(asset, to);
        if (paid) return true;
        if (asset.kind == Kind.ERC721) _claims[keccak256(abi.encode(to, asset.token, asset.value))] = true;
        else credits[to][asset.token] += asset.value;
    }

    function _nativeUnits(uint256 amount) internal pure returns (uint256 units) {
        if (amount % NATIVE_UNIT != 0) revert NotWhole(amount, NATIVE_UNIT);
        units = amount / NATIVE_UNIT;
        if (units > type(uint64).max) revert TooMuch(units, type(uint64).max);
    }

    /// The kind has to be the token's own: `transferFrom` means one thing to an ERC-20 and another to an
    /// ERC-721, and both would answer.
    function _unitOf(address token, Kind kind) internal view returns (uint256) {
        if (token == address(0) && kind == Kind.Native) return NATIVE_UNIT;
        Listing memory listing = listings[token];
        if (listing.unit == 0 || listing.kind != kind) revert NotListed(token, kind);
        return listing.unit;
    }

    // `to` is whom a proof or a claim names, never the caller's choice of somebody else's due.
    // slither-disable-next-line arbitrary-send-eth
    function _pay(Asset memory asset, address to) private returns (bool paid) {
        if (asset.kind == Kind.Native) {
            (paid,) = to.call{value: asset.value * NATIVE_UNIT, gas: PAYOUT_GAS}("");
        } else if (asset.kind == Kind.ERC20) {
            uint256 amount = asset.value * listings[asset.token].unit;
            paid = callToken(asset.token, PAYOUT_GAS, abi.encodeCall(IERC20.transfer, (to, amount)));
        } else {
            bytes memory move = abi.encodeCall(IERC721.transferFrom, (address(this), to, asset.value));
            paid = callToken(asset.token, PAYOUT_GAS, move);
        }
    }
}
