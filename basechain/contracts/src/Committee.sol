// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls12381} from "./Bls12381.sol";
import {Epochs, MEMBERS_MAX} from "./Epochs.sol";

/// The committee of the current epoch, and the queue of what changes it.
///
/// Whatever is to change waits in one queue, chained by hash like the vault's deposits. A statement that closes
/// its epoch names how much of it is applied, and the committee that comes of it; this contract computes the same
/// (`Epochs`) and refuses another one. So certificates in flight are not touched by what is queued meanwhile, and
/// everybody who has read the queue knows the next committee.
abstract contract Committee {
    using Bls12381 for Bls12381.G1;
    using Bls12381 for Bls12381.Sum;

    /// What every checkpoint reads, in one slot.
    struct Head {
        uint64 epoch;
        uint64 totalWeight;
        uint16 size;
        /// Genesis operators that have not registered yet.
        uint16 missing;
        /// Ids that are in the committee, or may still come to it.
        uint16 places;
        uint64 lastId;
    }

    struct Keys {
        bytes32 digest;
        Bls12381.PackedG1 finalityKey;
    }

    struct Standing {
        /// Counts in quorums, until the edge.
        uint64 effective;
        /// By the entries that have been applied.
        uint64 target;
        /// Stands in the list of those whose weight in effect is not their target.
        bool waits;
        /// By the same entries: it goes before all others.
        bool slashed;
        /// When it was out of committee and queue for good, in Unix seconds; zero before.
        uint64 leftAt;
    }

    struct Entry {
        uint64 id;
        uint64 weight;
        bool slashed;
    }

    struct Queue {
        uint64 length;
        uint64 applied;
    }

    // The lower half of each 64, 32 and 16 bits.
    uint256 private constant LOW_32 = 0x00000000ffffffff00000000ffffffff;
    uint256 private constant LOW_16 = 0x0000ffff0000ffff0000ffff0000ffff;
    uint256 private constant LOW_8 = 0x00ff00ff00ff00ff00ff00ff00ff00ff;

    /// Bounds what completing the genesis, a checkpoint with a third absent, and an edge can cost.
    uint256 public constant COMMITTEE_MAX = MEMBERS_MAX;
    /// Entries that one edge applies at most.
    uint64 public constant ENTRIES_PER_EDGE_MAX = 256;
    /// In the place of a key digest, of an entry that slashes.
    bytes32 internal constant SLASH = bytes32(uint256(1));
    /// The queue's digest before the first entry.
    bytes32 public constant QUEUE_START = keccak256("WEFT-V01-REGISTRY");

    /// Whose checkpoints close epochs, and who judges. Named before it exists, so that nobody can ever name it.
    address public immutable manager;

    Head internal _head;
    Bls12381.PackedG1 private _keySum;
    /// In the order of bitmaps, `_head.size` of them: id << 64 | weight, two to a slot.
    uint128[MEMBERS_MAX] private _seats;
    /// By ids, in the order in which they began to wait.
    uint64[] private _waiting;
    mapping(uint64 id => Keys) internal _keys;
    mapping(uint64 id => Standing) internal _standings;

    Queue private _queue;
    Entry[] private _entries;
    mapping(uint64 index => bytes32) private _queueDigests;

    /// Of the current epoch and all before.
    mapping(uint64 epoch => bytes32) public committeeDigest;
    /// Unix seconds; zero for the current epoch.
    mapping(uint64 epoch => uint64) public closedAt;

    event GenesisComplete(uint64 members, uint64 totalWeight, bytes32 committeeDigest);
    /// Entries count from 1; `digest` is the queue's with this one. The keys are those of a newcomer, else empty.
    event Queued(
        uint64 indexed index,
        uint64 indexed id,
        uint64 weight,
        bool slashed,
        bytes32 vertexKey,
        bytes finalityKey,
        string addresses,
        bytes32 digest
    );
    event EpochOpened(
        uint64 indexed epoch, uint64 applied, uint64 members, uint64 totalWeight, bytes32 committeeDigest
    );

    error ZeroManager();
    error NotManager(address sender, address manager);
    error GenesisIncomplete(uint64 registered, uint64 expected);
    error BitmapLength(uint256 given, uint256 expected);
    error BitmapStrayBits(uint256 members);
    error CursorOutOfBounds(uint64 given, uint64 least, uint64 most);
    error NextCommittee(bytes32 given, bytes32 expected);
    error NotTheCommittee(uint64 epoch, bytes32 given, bytes32 expected);
    error UnknownEntry(uint64 index, uint64 length);

    modifier onlyManager() {
        if (msg.sender != manager) revert NotManager(msg.sender, manager);
        _;
    }

    constructor(address manager_, uint256 size) {
        if (manager_ == address(0)) revert ZeroManager();
        manager = manager_;
        _head.size = _head.missing = _head.places = uint16(size);
        _head.lastId = uint64(size);
        _queueDigests[0] = QUEUE_START;
        for (uint256 i = 0; i < size; ++i) {
            _seats[i] = _pack(Epochs.Seat(uint64(i + 1), 0));
        }
    }

    /// The committee of the current epoch, in the order that bitmaps use.
    function committee()
        external
        view
        returns (uint64 epoch_, uint64[] memory ids, uint64[] memory weights, bytes32 digest)
    {
        _requireGenesis();
        epoch_ = _head.epoch;
        Epochs.Seat[] memory seats = _readSeats();
        ids = new uint64[](seats.length);
        weights = new uint64[](seats.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            (ids[i], weights[i]) = (seats[i].id, seats[i].weight);
        }
        return (epoch_, ids, weights, committeeDigest[epoch_]);
    }

    /// The current one; 0 before the genesis is complete.
    function epoch() external view returns (uint64) {
        return _head.epoch;
    }

    function totalWeight() external view returns (uint64) {
        _requireGenesis();
        return _head.totalWeight;
    }

    /// Until the genesis is complete, how many operators the deployer has named.
    function committeeSize() external view returns (uint256) {
        return _head.size;
    }

    /// How many entries there are, their running digest, and how many are applied.
    function queue() external view returns (uint64 length, bytes32 digest, uint64 applied) {
        return (_queue.length, _queueDigests[_queue.length], _queue.applied);
    }

    /// The running digest of the first `count` entries.
    function queueDigest(uint64 count) external view returns (bytes32) {
        if (count > _queue.length) revert UnknownEntry(count, _queue.length);
        return _queueDigests[count];
    }

    /// An entry by its index, from 1.
    function entry(uint64 index) external view returns (Entry memory) {
        if (index == 0 || index > _queue.length) revert UnknownEntry(index, _queue.length);
        return _entries[index - 1];
    }

    /// The ids whose weight in effect is not their target after the last edge, in their order.
    function waiting() external view returns (uint64[] memory) {
        return _waiting;
    }

    /// The signers that a bitmap names: their weight, the committee's, and the sum of their keys, which
    /// is the committee's sum less the keys of the absent, so that a full house costs the same at any
    /// size. The bitmap has ceil(n/8) bytes; bit i%8 (least significant first) of byte i/8 stands
    /// for the i-th member; bits beyond the last member are zero.
    function signers(bytes calldata bitmap)
        external
        view
        returns (uint64 epoch_, uint64 signed, uint64 total, Bls12381.G1 memory key)
    {
        Head memory head = _head;
        if (head.missing > 0) revert GenesisIncomplete(head.size - head.missing, head.size);
        (epoch_, total, signed) = (head.epoch, head.totalWeight, head.totalWeight);
        uint256 absent = _everybody(head.size) ^ _parse(bitmap, head.size);
        Bls12381.Sum memory sum = Bls12381.startSum(_keySum);
        // From absentee to absentee: a walk over all seats would cost more the further back they are.
        for (; absent != 0; absent &= absent - 1) {
            uint256 seat = _seats[_lowestOf(absent)];
            signed -= uint64(seat);
            sum.subtract(_keys[uint64(seat >> 64)].finalityKey);
        }
        return (epoch_, signed, total, sum.value());
    }

    /// The same of any epoch, for who brings its committee: the contract keeps its digest, and all keys. The
    /// members are returned as a mask, bit i for the i-th.
    function signersOf(uint64 epoch_, Epochs.Seat[] calldata seats, bytes calldata bitmap)
        external
        view
        returns (uint256 members, uint64 signed, uint64 total, Bls12381.G1 memory key)
    {
        bytes32 given = _digestOf(epoch_, seats);
        if (given != committeeDigest[epoch_]) revert NotTheCommittee(epoch_, given, committeeDigest[epoch_]);
        members = _parse(bitmap, seats.length);
        // Starts at infinity, which is all zeros.
        // slither-disable-next-line uninitialized-local
        Bls12381.Sum memory sum;
        for (uint256 i = 0; i < seats.length; ++i) {
            total += seats[i].weight;
            if ((members >> i) & 1 == 0) continue;
            signed += seats[i].weight;
            sum.add(_keys[seats[i].id].finalityKey);
        }
        key = sum.value();
    }

    /// Closes the epoch: applies the queue's entries up to `cursor`, within the bound, and opens the next
    /// epoch with the committee that comes of it, which has to be the `expected` one.
    function applyEdge(uint64 cursor, bytes32 expected) external onlyManager {
        _absorb(cursor);
        Epochs.Change[] memory changes = _changes();
        Epochs.Seat[] memory seats = _readSeats();
        Head memory head = _head;
        head.totalWeight = uint64(Epochs.advance(changes, head.totalWeight, seats.length));
        head.places -= _settle(changes);
        seats = Epochs.reseat(seats, changes);
        _writeSeats(seats);

        closedAt[head.epoch] = uint64(block.timestamp);
        head.size = uint16(seats.length);
        bytes32 digest = _digestOf(++head.epoch, seats);
        if (digest != expected) revert NextCommittee(expected, digest);
        committeeDigest[head.epoch] = digest;
        _head = head;
        emit EpochOpened(head.epoch, cursor, head.size, head.totalWeight, digest);
    }

    /// A genesis operator takes its seat; the last one opens epoch 0.
    function _takeSeat(uint64 id, uint64 weight) internal {
        _seats[id - 1] = _pack(Epochs.Seat(id, weight));
        _standings[id] = Standing({effective: weight, target: weight, waits: false, slashed: false, leftAt: 0});
        Bls12381.Sum memory sum = Bls12381.startSum(_keySum);
        sum.add(_keys[id].finalityKey);
        _keySum = sum.value().pack();
        _head.totalWeight += weight;
        if (--_head.missing > 0) return;

        Epochs.Seat[] memory seats = _readSeats();
        bytes32 digest = _digestOf(0, seats);
        committeeDigest[0] = digest;
        emit GenesisComplete(_head.size, _head.totalWeight, digest);
    }

    /// A newcomer's entry, with its keys.
    function _queueJoin(uint64 id, uint64 weight, bytes32 vertexKey, bytes calldata finalityKey, string calldata addresses)
        internal
        returns (uint64 index)
    {
        bytes32 digest;
        (index, digest) = _append(id, weight, _keys[id].digest);
        emit Queued(index, id, weight, false, vertexKey, finalityKey, addresses, digest);
    }

    /// Another weight for an id that has an entry, or a seat since the genesis.
    function _queueWeight(uint64 id, uint64 weight) internal returns (uint64 index) {
        return _queueChange(id, weight, 0);
    }

    /// An offender is to go before all others.
    function _queueSlash(uint64 id) internal returns (uint64 index) {
        return _queueChange(id, 0, SLASH);
    }

    function _queueChange(uint64 id, uint64 weight, bytes32 mark) private returns (uint64 index) {
        bytes32 digest;
        (index, digest) = _append(id, weight, mark);
        emit Queued(index, id, weight, mark == SLASH, 0, "", "", digest);
    }

    /// Whether an edge has applied the entry of this index.
    function _isApplied(uint64 index) internal view returns (bool) {
        return index <= _queue.applied;
    }

    function _requireGenesis() internal view {
        Head memory head = _head;
        if (head.missing > 0) revert GenesisIncomplete(head.size - head.missing, head.size);
    }

    function _append(uint64 id, uint64 weight, bytes32 keyDigest) private returns (uint64 index, bytes32 digest) {
        index = ++_queue.length;
        _entries.push(Entry(id, weight, keyDigest == SLASH));
        digest = keccak256(abi.encode(_queueDigests[index - 1], index, id, weight, keyDigest));
        _queueDigests[index] = digest;
    }

    /// Sets the targets by the entries up to `cursor`, and lets those wait who differ from theirs.
    function _absorb(uint64 cursor) private {
        uint64 applied = _queue.applied;
        uint64 most = applied + ENTRIES_PER_EDGE_MAX;
        if (most > _queue.length) most = _queue.length;
        if (cursor < applied || cursor > most) revert CursorOutOfBounds(cursor, applied, most);
        _queue.applied = cursor;
        for (uint256 i = applied; i < cursor; ++i) {
            Entry memory next = _entries[i];
            Standing storage standing = _standings[next.id];
            standing.target = next.weight;
            if (next.slashed) standing.slashed = true;
            if (standing.waits || standing.effective == next.weight) continue;
            standing.waits = true;
            _waiting.push(next.id);
        }
    }

    function _changes() private view returns (Epochs.Change[] memory changes) {
        uint64[] memory ids = _waiting;
        changes = new Epochs.Change[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            Standing memory standing = _standings[ids[i]];
            changes[i] = Epochs.Change({
                id: ids[i],
                effective: standing.effective,
                target: standing.target,
                before: standing.effective,
                slashed: standing.slashed
            });
        }
    }

    /// Keeps what the changes have come to; returns how many ids are out for good.
    function _settle(Epochs.Change[] memory changes) private returns (uint16 gone) {
        uint64[] memory left = new uint64[](changes.length);
        uint256 waits = 0;
        Bls12381.Sum memory sum = Bls12381.startSum(_keySum);
        for (uint256 i = 0; i < changes.length; ++i) {
            Epochs.Change memory change = changes[i];
            bool done = change.effective == change.target;
            bool out = done && change.effective == 0;
            if (out) ++gone;
            if (!done) left[waits++] = change.id;
            _standings[change.id] = Standing({
                effective: change.effective,
                target: change.target,
                waits: !done,
                slashed: change.slashed,
                leftAt: out ? uint64(block.timestamp) : 0
            });
            if (change.before == 0 && change.effective > 0) sum.add(_keys[change.id].finalityKey);
            if (change.before > 0 && change.effective == 0) sum.subtract(_keys[change.id].finalityKey);
        }
        assembly ("memory-safe") {
            mstore(left, waits)
        }
        _waiting = left;
        _keySum = sum.value().pack();
    }

    function _readSeats() private view returns (Epochs.Seat[] memory seats) {
        seats = new Epochs.Seat[](_head.size);
        for (uint256 i = 0; i < seats.length; ++i) {
            uint256 seat = _seats[i];
            seats[i] = Epochs.Seat(uint64(seat >> 64), uint64(seat));
        }
    }

    function _writeSeats(Epochs.Seat[] memory seats) private {
        for (uint256 i = 0; i < seats.length; ++i) {
            uint128 seat = _pack(seats[i]);
            if (_seats[i] != seat) _seats[i] = seat;
        }
    }

    function _pack(Epochs.Seat memory seat) private pure returns (uint128) {
        return uint128(seat.id) << 64 | seat.weight;
    }

    /// C1: keccak256 of the epoch, then id, weight and key digest of each member in order, a word each.
    function _digestOf(uint64 epoch_, Epochs.Seat[] memory seats) private view returns (bytes32) {
        bytes32[] memory words = new bytes32[](1 + 3 * seats.length);
        words[0] = bytes32(uint256(epoch_));
        for (uint256 i = 0; i < seats.length; ++i) {
            words[3 * i + 1] = bytes32(uint256(seats[i].id));
            words[3 * i + 2] = bytes32(uint256(seats[i].weight));
            words[3 * i + 3] = _keys[seats[i].id].digest;
        }
        return keccak256(abi.encodePacked(words));
    }

    /// The bits of a bitmap of at most 16 bytes, bit i for the i-th member.
    function _parse(bytes calldata bitmap, uint256 size) private pure returns (uint256 present) {
        if (bitmap.length != (size + 7) / 8) revert BitmapLength(bitmap.length, (size + 7) / 8);
        // The first byte is the lowest: the order of bytes is turned round, by halves.
        present = uint128(bytes16(bitmap));
        present = (present >> 64) | (present << 64 & type(uint128).max);
        present = (present >> 32 & LOW_32) | ((present & LOW_32) << 32);
        present = (present >> 16 & LOW_16) | ((present & LOW_16) << 16);
        present = (present >> 8 & LOW_8) | ((present & LOW_8) << 8);
        if (present > _everybody(size)) revert BitmapStrayBits(size);
    }

    /// The place of the lowest bit in a mask that is not zero and has COMMITTEE_MAX bits.
    function _lowestOf(uint256 mask) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            let bit := and(mask, sub(0, mask))
            place := shl(6, gt(bit, 0xffffffffffffffff))
            place := or(place, shl(5, gt(shr(place, bit), 0xffffffff)))
            place := or(place, shl(4, gt(shr(place, bit), 0xffff)))
            place := or(place, shl(3, gt(shr(place, bit), 0xff)))
            place := or(place, shl(2, gt(shr(place, bit), 0xf)))
            place := or(place, shl(1, gt(shr(place, bit), 0x3)))
            place := or(place, gt(shr(place, bit), 0x1))
        }
    }

    function _everybody(uint256 size) private pure returns (uint256) {
        return type(uint256).max >> (256 - size);
    }
}
