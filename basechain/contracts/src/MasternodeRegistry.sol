// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "./Bls12381.sol";
import {Committee} from "./Committee.sol";

interface ICheckpoints {
    function lastPosted() external view returns (uint64);
}

/// The masternodes: who they are, what they have bonded, and the keys they sign with.
///
/// The deployer names the genesis operators and has no power afterwards. They get the ids 1 to n in
/// the order named, whenever each of them registers; epoch 0 opens with the last one. Until then
/// nobody else may register, afterwards a newcomer waits in the queue for a later epoch.
///
/// A finality key counts only with a proof of possession that binds chain, contract, operator and
/// both keys. Without it a key computed from the others' keys would let its owner sign for all of
/// them, because the committee's keys are summed here.
///
/// A bond answers for what its keys have signed as long as anybody may rely on it: from the registration until
/// the unbonding time after the edge at which the member went.
contract MasternodeRegistry is Committee {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.G2;
    using Bls12381 for Bls12381.PackedG1;

    enum Status {
        None,
        /// Of the genesis, which is not complete.
        Registered,
        /// Joins at an edge that applies its entry.
        Queued,
        /// In the committee.
        Active,
        /// In committee or queue until the edge that applies its last entry.
        Leaving,
        /// Out; the bond is free at `freeAt`.
        Unbonding,
        /// `withdrawBond` pays.
        Free,
        Withdrawn,
        /// The bond is gone; the weight counts until the edge.
        Slashed
    }

    struct Member {
        address operator;
        /// In wei.
        uint256 bond;
        /// The bond in whole units: what the member has, or will have, in the committee. Zero for one that leaves.
        uint64 weight;
        /// What counts in this epoch.
        uint64 effective;
        /// Ed25519: signs vertices, and is the libp2p identity. The base chain cannot check it.
        bytes32 vertexKey;
        /// BLS12-381 in G1, EIP-2537's encoding, 128 bytes.
        bytes finalityKey;
        string addresses;
        Status status;
        /// The member's newest entry in the queue; zero for none.
        uint64 entryIndex;
        /// When the bond is free, in Unix seconds; zero while that is not known.
        uint64 freeAt;
    }

    struct Record {
        address operator;
        uint64 weight;
        bool leaves;
        bool slashed;
        uint96 bond;
        uint64 entryIndex;
        bytes32 vertexKey;
        string addresses;
    }

    bytes public constant POSSESSION_TAG = "WEFT-V01-POSSESSION-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    uint256 public constant ADDRESSES_BYTES_MAX = 512;
    uint64 public constant UNBONDING_MAX = 365 days;
    /// Of a slashed bond, this part goes to the reporter; the rest is burned.
    uint256 public constant REPORTER_DIVISOR = 10;

    uint256 public immutable bondUnit;
    uint64 public immutable weightMin;
    uint64 public immutable weightMax;
    /// Seconds that a bond stays liable after its member has gone.
    uint64 public immutable unbonding;

    mapping(uint64 id => Record) private _records;
    /// Zero for an address that is neither a genesis operator nor registered.
    mapping(address operator => uint64) public idOfOperator;
    mapping(bytes32 vertexKey => uint64) public idOfVertexKey;
    mapping(bytes32 finalityKeyHash => uint64) private _idOfFinalityKey;

    event Registered(uint64 indexed id, address indexed operator, uint64 weight, bytes32 vertexKey);
    event BondWithdrawn(uint64 indexed id, address indexed operator, uint256 bond);
    event Slashed(uint64 indexed id, uint256 bond, address indexed reporter);

    error ZeroBondUnit();
    error WeightBounds(uint64 min, uint64 max);
    error BondUnitTooLarge(uint256 bondUnit, uint64 weightMax);
    error UnbondingTime(uint64 given, uint64 max);
    error CommitteeSize(uint256 given, uint256 max);
    error CommitteeFull(uint256 max);
    error ZeroOperator(uint256 index);
    error DuplicateOperator(address operator, uint64 id);
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
    error AddressesCharacter(uint256 index, bytes1 character);
    error BondNotWhole(uint256 bond, uint256 bondUnit);
    error WeightOutOfBounds(uint256 weight, uint64 min, uint64 max);
    error UnknownMember(uint64 id);
    error NotRegistered(address sender);
    error ZeroTopUp();
    error AlreadyLeaving(uint64 id);
    error EntryWaits(uint64 id, uint64 index);
    error BondNotFree(uint64 id, Status status, uint64 freeAt);
    error ZeroReporter();
    error PaymentRefused(address to);

    /// `bondUnit` in wei per unit of weight; a bond is `weightMin` to `weightMax` whole units. `manager_` is where
    /// the checkpoint manager is going to be.
    constructor(
        address manager_,
        uint256 bondUnit_,
        uint64 weightMin_,
        uint64 weightMax_,
        uint64 unbonding_,
        address[] memory genesisOperators
    ) Committee(manager_, _sizeOf(genesisOperators)) {
        if (bondUnit_ == 0) revert ZeroBondUnit();
        if (weightMin_ == 0 || weightMax_ < weightMin_) revert WeightBounds(weightMin_, weightMax_);
        // The largest bond fits its field, and the total weight of a full committee its own.
        if (bondUnit_ > type(uint96).max / weightMax_) revert BondUnitTooLarge(bondUnit_, weightMax_);
        if (weightMax_ > type(uint64).max / COMMITTEE_MAX) revert WeightBounds(weightMin_, weightMax_);
        if (unbonding_ == 0 || unbonding_ > UNBONDING_MAX) revert UnbondingTime(unbonding_, UNBONDING_MAX);

        bondUnit = bondUnit_;
        weightMin = weightMin_;
        weightMax = weightMax_;
        unbonding = unbonding_;
        for (uint256 i = 0; i < genesisOperators.length; ++i) {
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
        bool genesis = _head.missing > 0;
        id = genesis ? _genesisId() : _newId();
        uint64 weight = _weightOf(msg.value);
        _claimVertexKey(vertexKey, id);
        _claimFinalityKey(finalityKey, id);
        _requireAddresses(bytes(addresses));
        _keys[id] = Keys({
            digest: keccak256(abi.encode(vertexKey, finalityKey, addresses)),
            finalityKey: _provenKey(vertexKey, finalityKey, possession).pack()
        });
        _records[id] = Record({
            operator: msg.sender,
            weight: weight,
            leaves: false,
            slashed: false,
            bond: uint96(msg.value),
            entryIndex: 0,
            vertexKey: vertexKey,
            addresses: addresses
        });
        emit Registered(id, msg.sender, weight, vertexKey);
        if (genesis) _takeSeat(id, weight);
        else _records[id].entryIndex = _queueJoin(id, weight, vertexKey, finalityKey, addresses);
    }

    /// Adds to the sender's bond; the weight counts from an edge on. Once an edge: else one account could fill the
    /// queue for many edges by small sums, and exits and slashes would wait behind them.
    function topUp() external payable {
        (uint64 id, Record storage record) = _own();
        if (msg.value == 0) revert ZeroTopUp();
        if (!_isApplied(record.entryIndex)) revert EntryWaits(id, record.entryIndex);
        uint256 bond = record.bond + msg.value;
        uint64 weight = _weightOf(bond);
        record.bond = uint96(bond);
        record.weight = weight;
        record.entryIndex = _queueWeight(id, weight);
    }

    /// Asks to leave. The member signs on until an edge has taken its weight; the bond is free `unbonding` seconds
    /// after that. There is no way back: ids and keys serve once.
    function requestExit() external {
        (uint64 id, Record storage record) = _own();
        record.leaves = true;
        record.weight = 0;
        record.entryIndex = _queueWeight(id, 0);
    }

    /// Pays the sender's bond out.
    ///
    /// Should nobody post checkpoints for `unbonding` seconds, then no edge comes any more, and every bond is free.
    function withdrawBond() external {
        uint64 id = idOfOperator[msg.sender];
        Record storage record = _records[id];
        (Status status, uint64 freeAt) = _statusOf(id, record);
        if (status == Status.None) revert NotRegistered(msg.sender);
        if (status != Status.Free) revert BondNotFree(id, status, freeAt);
        uint256 bond = record.bond;
        record.bond = 0;
        record.weight = 0;
        if (!record.leaves) {
            // Of a network that has stopped: should it go on, then without this member.
            record.leaves = true;
            if (_head.missing > 0) ++_head.missing;
            else record.entryIndex = _queueWeight(id, 0);
        }
        emit BondWithdrawn(id, msg.sender, bond);
        _pay(msg.sender, bond);
    }

    /// Takes the bonds of those who are proven to have broken the rules: a tenth goes to the reporter, the rest is
    /// burned. Who has none left is passed over. Returns what was taken, in wei.
    function slash(uint64[] calldata ids, address reporter) external onlyManager returns (uint256 taken) {
        if (reporter == address(0)) revert ZeroReporter();
        for (uint256 i = 0; i < ids.length; ++i) {
            Record storage record = _records[ids[i]];
            uint256 bond = record.bond;
            if (bond == 0) continue;
            taken += bond;
            record.bond = 0;
            record.weight = 0;
            record.slashed = true;
            emit Slashed(ids[i], bond, reporter);
            record.leaves = true;
            // Who is on its way out anyhow has to go first now. Who is out has nothing that an edge could take.
            if (_standings[ids[i]].leftAt == 0) record.entryIndex = _queueSlash(ids[i]);
        }
        uint256 reward = taken / REPORTER_DIVISOR;
        _pay(reporter, reward);
        _pay(address(0), taken - reward);
    }

    /// What an operator's finality key signs to prove its possession.
    function possessionDigest(address operator, bytes32 vertexKey, bytes calldata finalityKey)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, address(this), operator, vertexKey, finalityKey));
    }

    /// Where a member stands: what comes next follows from its status.
    function member(uint64 id) external view returns (Member memory) {
        Record storage record = _records[id];
        (Status status, uint64 freeAt) = _statusOf(id, record);
        if (status == Status.None) revert UnknownMember(id);
        return Member({
            operator: record.operator,
            bond: record.bond,
            weight: record.weight,
            effective: _standings[id].effective,
            vertexKey: record.vertexKey,
            finalityKey: abi.encode(_keys[id].finalityKey.unpack()),
            addresses: record.addresses,
            status: status,
            entryIndex: record.entryIndex,
            freeAt: freeAt
        });
    }

    function _statusOf(uint64 id, Record storage record) private view returns (Status status, uint64 freeAt) {
        if (record.operator == address(0)) return (Status.None, 0);
        if (record.slashed) return (Status.Slashed, 0);
        if (record.bond == 0) return (Status.Withdrawn, 0);
        uint256 stopped = uint256(ICheckpoints(manager).lastPosted()) + unbonding;
        if (block.timestamp >= stopped) return (Status.Free, uint64(stopped));
        if (_head.missing > 0) return (Status.Registered, 0);
        Standing memory standing = _standings[id];
        if (!record.leaves) return (standing.effective > 0 ? Status.Active : Status.Queued, 0);
        if (standing.leftAt == 0) return (Status.Leaving, 0);
        freeAt = standing.leftAt + unbonding;
        return (block.timestamp < freeAt ? Status.Unbonding : Status.Free, freeAt);
    }

    /// The sender's record, if it may still change.
    function _own() private view returns (uint64 id, Record storage record) {
        _requireGenesis();
        id = idOfOperator[msg.sender];
        record = _records[id];
        if (id == 0) revert NotRegistered(msg.sender);
        if (record.leaves) revert AlreadyLeaving(id);
    }

    function _genesisId() private view returns (uint64 id) {
        id = idOfOperator[msg.sender];
        if (id == 0) revert NotGenesisOperator(msg.sender);
        if (_records[id].operator != address(0)) revert AlreadyRegistered(msg.sender, id);
    }

    function _newId() private returns (uint64 id) {
        id = idOfOperator[msg.sender];
        if (id != 0) revert AlreadyRegistered(msg.sender, id);
        Head memory head = _head;
        if (head.places == COMMITTEE_MAX) revert CommitteeFull(COMMITTEE_MAX);
        ++head.places;
        id = ++head.lastId;
        _head = head;
        idOfOperator[msg.sender] = id;
    }

    // To an operator its own bond, to a reporter a part of one that was just taken, the rest to nobody.
    // slither-disable-next-line arbitrary-send-eth
    function _pay(address to, uint256 amount) private {
        (bool paid,) = to.call{value: amount}("");
        if (!paid) revert PaymentRefused(to);
    }

    function _sizeOf(address[] memory operators) private pure returns (uint256 size) {
        size = operators.length;
        if (size == 0 || size > COMMITTEE_MAX) revert CommitteeSize(size, COMMITTEE_MAX);
    }

    function _weightOf(uint256 bond) private view returns (uint64) {
        if (bond % bondUnit != 0) revert BondNotWhole(bond, bondUnit);
        uint256 weight = bond / bondUnit;
        if (weight < weightMin || weight > weightMax) revert WeightOutOfBounds(weight, weightMin, weightMax);
        return uint64(weight);
    }

    /// Printable ASCII: every reader of an entry has to come to the same bytes, and so to the same digest of the queue.
    function _requireAddresses(bytes calldata addresses) private pure {
        uint256 length = addresses.length;
        if (length == 0 || length > ADDRESSES_BYTES_MAX) revert AddressesLength(length, ADDRESSES_BYTES_MAX);
        for (uint256 i = 0; i < length; ++i) {
            bytes1 character = addresses[i];
            if (character < 0x20 || character > 0x7e) revert AddressesCharacter(i, character);
        }
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
}
