// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "./Bls12381.sol";

/// The masternodes: who they are, what they have bonded, and the keys they sign with.
///
/// The deployer names the genesis operators and has no power afterwards. They get the ids 1 to n in
/// the order named, whenever each of them registers; epoch 0 opens with the last one. Until then
/// nobody else may register, afterwards a newcomer waits in the queue for a later epoch.
///
/// A finality key counts only with a proof of possession that binds chain, contract, operator and
/// both keys. Without it a key computed from the others' keys would let its owner sign for all of
/// them, because the committee's keys are summed here.
contract MasternodeRegistry {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.G2;
    using Bls12381 for Bls12381.PackedG1;

    enum Status {
        None,
        Active,
        Queued
    }

    struct Member {
        address operator;
        address payout;
        /// In wei.
        uint256 bond;
        /// The bond in whole units.
        uint64 weight;
        /// Ed25519: signs vertices, and is the libp2p identity. The base chain cannot check it.
        bytes32 vertexKey;
        /// BLS12-381 in G1, EIP-2537's encoding, 128 bytes.
        bytes finalityKey;
        string addresses;
        Status status;
    }

    struct Record {
        address operator;
        uint64 weight;
        Status status;
        address payout;
        uint96 bond;
        bytes32 vertexKey;
        bytes32 keyDigest;
        Bls12381.PackedG1 finalityKey;
        string addresses;
    }

    bytes public constant POSSESSION_TAG = "WEFT-V01-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    /// Bounds what completing the genesis, and a checkpoint with a third absent, can cost.
    uint256 public constant COMMITTEE_MAX = 128;
    uint256 public constant ADDRESSES_BYTES_MAX = 512;
    /// The only epoch there is: the genesis committee's.
    uint64 private constant EPOCH = 0;

    uint256 public immutable bondUnit;
    uint64 public immutable weightMin;
    uint64 public immutable weightMax;

    // One slot, read by every checkpoint.
    uint64 private _size;
    uint64 private _registered;
    uint64 private _totalWeight;
    uint64 private _lastId;

    bytes32 private _committeeDigest;
    Bls12381.PackedG1 private _keySum;
    /// Weights of the committee, four to a slot: a checkpoint reads those of the absent.
    uint64[] private _weights;

    mapping(uint64 id => Record) private _records;
    /// Zero for an address that is neither a genesis operator nor registered.
    mapping(address operator => uint64) public idOfOperator;
    mapping(bytes32 vertexKey => uint64) public idOfVertexKey;
    mapping(bytes32 finalityKeyHash => uint64) private _idOfFinalityKey;

    event Registered(uint64 indexed id, address indexed operator, uint64 weight, bytes32 vertexKey);
    event GenesisComplete(uint64 members, uint64 totalWeight, bytes32 committeeDigest);

    error ZeroBondUnit();
    error WeightBounds(uint64 min, uint64 max);
    error BondUnitTooLarge(uint256 bondUnit, uint64 weightMax);
    error CommitteeSize(uint256 given, uint256 max);
    error ZeroOperator(uint256 index);
    error DuplicateOperator(address operator, uint64 id);
    error GenesisIncomplete(uint64 registered, uint64 expected);
    error NotGenesisOperator(address sender);
    error AlreadyRegistered(address operator, uint64 id);
    error DuplicateVertexKey(bytes32 vertexKey, uint64 id);
    error DuplicateFinalityKey(uint64 id);
    error ZeroVertexKey();
    error FinalityKeyLength(uint256 given, uint256 expected);
    error FinalityKeyAtInfinity();
    error PossessionLength(uint256 given, uint256 expected);
    error PossessionAtInfinity();
    error PossessionRefused(address operator);
    error AddressesLength(uint256 given, uint256 max);
    error BondNotWhole(uint256 bond, uint256 bondUnit);
    error WeightOutOfBounds(uint256 weight, uint64 min, uint64 max);
    error UnknownMember(uint64 id);
    error BitmapLength(uint256 given, uint256 expected);
    error BitmapStrayBits(uint256 members);

    /// `bondUnit` in wei per unit of weight; a bond is `weightMin` to `weightMax` whole units.
    constructor(uint256 bondUnit_, uint64 weightMin_, uint64 weightMax_, address[] memory genesisOperators) {
        if (bondUnit_ == 0) revert ZeroBondUnit();
        if (weightMin_ == 0 || weightMax_ < weightMin_) revert WeightBounds(weightMin_, weightMax_);
        // The largest bond fits its field, and the total weight of a full committee its own.
        if (bondUnit_ > type(uint96).max / weightMax_) revert BondUnitTooLarge(bondUnit_, weightMax_);
        if (weightMax_ > type(uint64).max / COMMITTEE_MAX) revert WeightBounds(weightMin_, weightMax_);
        uint256 size = genesisOperators.length;
        if (size == 0 || size > COMMITTEE_MAX) revert CommitteeSize(size, COMMITTEE_MAX);

        bondUnit = bondUnit_;
        weightMin = weightMin_;
        weightMax = weightMax_;
        _size = _lastId = uint64(size);
        _weights = new uint64[](size);
        for (uint256 i = 0; i < size; ++i) {
            address operator = genesisOperators[i];
            if (operator == address(0)) revert ZeroOperator(i);
            if (idOfOperator[operator] != 0) revert DuplicateOperator(operator, idOfOperator[operator]);
            idOfOperator[operator] = uint64(i + 1);
        }
    }

    /// Bonds the sender as a masternode. `possession` is `finalityKey`'s signature, under
    /// `POSSESSION_TAG`, over `possessionDigest`; `addresses` is a comma-separated list of libp2p
    /// multiaddresses and one http URL at most, which those who dial it have to parse.
    function register(
        bytes32 vertexKey,
        bytes calldata finalityKey,
        bytes calldata possession,
        string calldata addresses
    ) external payable returns (uint64 id) {
        bool genesis = _registered < _size;
        id = idOfOperator[msg.sender];
        if (id == 0) {
            if (genesis) revert NotGenesisOperator(msg.sender);
            id = ++_lastId;
            idOfOperator[msg.sender] = id;
        } else if (_records[id].status != Status.None) {
            revert AlreadyRegistered(msg.sender, id);
        }

        uint64 weight = _weightOf(msg.value);
        _claimVertexKey(vertexKey, id);
        _claimFinalityKey(finalityKey, id);
        uint256 addressesLength = bytes(addresses).length;
        if (addressesLength == 0 || addressesLength > ADDRESSES_BYTES_MAX) {
            revert AddressesLength(addressesLength, ADDRESSES_BYTES_MAX);
        }
        Bls12381.G1 memory key = _provenKey(vertexKey, finalityKey, possession);

        _records[id] = Record({
            operator: msg.sender,
            weight: weight,
            status: genesis ? Status.Active : Status.Queued,
            payout: msg.sender,
            bond: uint96(msg.value),
            vertexKey: vertexKey,
            keyDigest: keccak256(abi.encode(vertexKey, finalityKey, addresses)),
            finalityKey: key.pack(),
            addresses: addresses
        });
        emit Registered(id, msg.sender, weight, vertexKey);
        if (genesis) _join(id, weight, key);
    }

    /// What an operator's finality key signs to prove its possession.
    function possessionDigest(address operator, bytes32 vertexKey, bytes calldata finalityKey)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), operator, vertexKey, finalityKey));
    }

    function member(uint64 id) external view returns (Member memory) {
        Record storage record = _records[id];
        if (record.status == Status.None) revert UnknownMember(id);
        return Member({
            operator: record.operator,
            payout: record.payout,
            bond: record.bond,
            weight: record.weight,
            vertexKey: record.vertexKey,
            finalityKey: abi.encode(record.finalityKey.unpack()),
            addresses: record.addresses,
            status: record.status
        });
    }

    /// The committee of the current epoch, in the order that bitmaps use.
    function committee() external view returns (uint64 epoch, uint64[] memory ids, bytes32 digest) {
        _requireGenesis();
        ids = new uint64[](_size);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = uint64(i + 1);
        }
        return (EPOCH, ids, _committeeDigest);
    }

    function totalWeight() external view returns (uint64) {
        _requireGenesis();
        return _totalWeight;
    }

    /// As fixed by the deployer: the same before and after the genesis is complete.
    function committeeSize() external view returns (uint256) {
        return _size;
    }

    /// How many have registered since the genesis: ids above the genesis committee's, in order.
    function queueLength() external view returns (uint64) {
        return _lastId - _size;
    }

    /// The signers that a bitmap names: their weight, the committee's, and the sum of their keys, which
    /// is the committee's sum less the keys of the absent, so that a full house costs the same at any
    /// size. The bitmap has ceil(n/8) bytes; bit i%8 (least significant first) of byte i/8 stands
    /// for the i-th member; bits beyond the last member are zero.
    function signers(bytes calldata bitmap)
        external
        view
        returns (uint64 epoch, uint64 signed, uint64 total, Bls12381.G1 memory key)
    {
        _requireGenesis();
        uint256 size = _size;
        if (bitmap.length != (size + 7) / 8) revert BitmapLength(bitmap.length, (size + 7) / 8);

        // At most COMMITTEE_MAX bits: they fit a word.
        uint256 present = 0;
        for (uint256 i = bitmap.length; i > 0; --i) {
            present = (present << 8) | uint8(bitmap[i - 1]);
        }
        uint256 everybody = type(uint256).max >> (256 - size);
        if (present > everybody) revert BitmapStrayBits(size);

        total = signed = _totalWeight;
        Bls12381.G1 memory absentSum;
        uint256 absent = everybody ^ present;
        for (uint256 i = 0; absent != 0; ++i) {
            if (absent & 1 == 1) {
                signed -= _weights[i];
                absentSum = absentSum.add(_records[uint64(i + 1)].finalityKey.unpack());
            }
            absent >>= 1;
        }
        return (EPOCH, signed, total, _keySum.unpack().subtract(absentSum));
    }

    function _weightOf(uint256 bond) private view returns (uint64) {
        if (bond % bondUnit != 0) revert BondNotWhole(bond, bondUnit);
        uint256 weight = bond / bondUnit;
        if (weight < weightMin || weight > weightMax) revert WeightOutOfBounds(weight, weightMin, weightMax);
        return uint64(weight);
    }

    function _claimVertexKey(bytes32 vertexKey, uint64 id) private {
        if (vertexKey == 0) revert ZeroVertexKey();
        if (idOfVertexKey[vertexKey] != 0) revert DuplicateVertexKey(vertexKey, idOfVertexKey[vertexKey]);
        idOfVertexKey[vertexKey] = id;
    }

    function _claimFinalityKey(bytes calldata finalityKey, uint64 id) private {
        bytes32 hash = keccak256(finalityKey);
        if (_idOfFinalityKey[hash] != 0) revert DuplicateFinalityKey(_idOfFinalityKey[hash]);
        _idOfFinalityKey[hash] = id;
    }

    /// The pairing accepts only points of the subgroup: what it returns may be summed.
    function _provenKey(bytes32 vertexKey, bytes calldata finalityKey, bytes calldata possession)
        private
        view
        returns (Bls12381.G1 memory key)
    {
        if (finalityKey.length != Bls12381.G1_BYTES) revert FinalityKeyLength(finalityKey.length, Bls12381.G1_BYTES);
        if (possession.length != Bls12381.G2_BYTES) revert PossessionLength(possession.length, Bls12381.G2_BYTES);
        key = abi.decode(finalityKey, (Bls12381.G1));
        Bls12381.G2 memory proof = abi.decode(possession, (Bls12381.G2));
        if (key.isInfinity()) revert FinalityKeyAtInfinity();
        if (proof.isInfinity()) revert PossessionAtInfinity();

        bytes32 digest = possessionDigest(msg.sender, vertexKey, finalityKey);
        Bls12381.G2 memory hashed = Bls12381.hashToG2(bytes.concat(digest), POSSESSION_TAG);
        if (!Bls12381.verify(key, hashed, proof)) revert PossessionRefused(msg.sender);
    }

    function _join(uint64 id, uint64 weight, Bls12381.G1 memory key) private {
        _weights[id - 1] = weight;
        _totalWeight += weight;
        _keySum = _keySum.unpack().add(key).pack();
        if (++_registered < _size) return;

        bytes32 digest = _computeCommitteeDigest();
        _committeeDigest = digest;
        emit GenesisComplete(_size, _totalWeight, digest);
    }

    /// keccak256 of the epoch, then id, weight and key digest of each member in order, a word each.
    function _computeCommitteeDigest() private view returns (bytes32) {
        uint256 size = _size;
        bytes32[] memory words = new bytes32[](1 + 3 * size);
        words[0] = bytes32(uint256(EPOCH));
        for (uint256 i = 0; i < size; ++i) {
            Record storage record = _records[uint64(i + 1)];
            words[3 * i + 1] = bytes32(i + 1);
            words[3 * i + 2] = bytes32(uint256(record.weight));
            words[3 * i + 3] = record.keyDigest;
        }
        return keccak256(abi.encodePacked(words));
    }

    function _requireGenesis() private view {
        if (_registered < _size) revert GenesisIncomplete(_registered, _size);
    }
}
