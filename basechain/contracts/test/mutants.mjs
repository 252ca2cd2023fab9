// Plants one bug after the other into a copy of the contracts and requires that the tests fail: a suite
// that has never caught a bug proves nothing. Run by `scripts/contracts.sh --mutants`; with words as arguments
// only those with a word in their name or file's name: `node test/mutants.mjs Vault`.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const REGISTRY = "src/MasternodeRegistry.sol";
const MANAGER = "src/CheckpointManager.sol";
const COMMITTEE = "src/Committee.sol";
const EPOCHS = "src/Epochs.sol";
const HATCH = "src/EscapeHatch.sol";
const CUSTODY = "src/Custody.sol";
const LIBRARY = "src/Bls12381.sol";
const VAULT = "src/Vault.sol";
const TREE = "src/AppendTree.sol";
const LOCKS = "src/HashLock.sol";

// The tests that have to notice what is wrong in a file: all would take hours.
const TESTS = {
  [REGISTRY]: ["Bonds", "Conflict", "Deployment", "Epoch", "Possession", "Registration"],
  [COMMITTEE]: ["Bonds", "Checkpoint", "Conflict", "Deployment", "Epoch", "Quorum", "Registration"],
  [EPOCHS]: ["Edge", "Epoch", "Places"],
  [MANAGER]: ["Checkpoint", "Conflict", "Deployment", "Epoch", "Quorum", "Registration", "Withdrawal"],
  [VAULT]: ["Deposit", "Escape", "Withdrawal"],
  [CUSTODY]: ["Deposit", "Escape", "Withdrawal"],
  [HATCH]: ["BridgeFixture", "Deposit", "Escape", "EscapeAny", "EscapeTold", "Withdrawal"],
  [TREE]: ["BridgeFixture", "Withdrawal"],
  [LIBRARY]: ["Bls12381", "Possession"],
  [LOCKS]: ["HashLock"],
};

// What is broken, where, the text that is replaced and by what.
const mutants = [
  ["two thirds are a quorum", MANAGER, "uint256(signed) * 3 <= ", "uint256(signed) * 3 < "],
  ["half is a quorum", MANAGER, "uint256(signed) * 3 <= ", "uint256(signed) * 4 <= "],
  ["signature not checked", MANAGER, "if (!Bls12381.verify(key, hashed, point))", "if (false)"],
  ["infinity as signature", MANAGER, "if (point.isInfinity())", "if (false)"],
  ["signers' keys at infinity", MANAGER, "if (key.isInfinity())", "if (false)"],
  ["any network", MANAGER, "if (statement.network != network)", "if (false)"],
  ["any chain", MANAGER, "if (statement.chainId != block.chainid)", "if (false)"],
  ["any manager", MANAGER, "if (statement.manager != address(this))", "if (false)"],
  ["any epoch", MANAGER, "if (statement.epoch != epoch)", "if (false)"],
  ["zero exit root", MANAGER, "if (statement.exitRoot == 0)", "if (false)"],
  ["finality tag is the possession tag", MANAGER, "WEFT-V01-FINALITY-", "WEFT-V01-POSSESSION-"],
  ["final at once", MANAGER, " + finalityDelay;", ";"],
  ["any delay", MANAGER, "if (finalityDelay_ > FINALITY_DELAY_MAX)", "if (false)"],
  ["no network", MANAGER, "if (network_ == 0)", "if (false)"],
  ["no proof of possession", REGISTRY, "if (!Bls12381.verify(key, hashed, proof))", "if (false)"],
  ["proof binds no chain", REGISTRY, "abi.encode(block.chainid, ", "abi.encode(uint256(1), "],
  ["proof binds no registry", REGISTRY, "address(this), operator, vertexKey", "address(1), operator, vertexKey"],
  ["proof binds no operator", REGISTRY, "possessionDigest(msg.sender, vertexKey", "possessionDigest(address(1), vertexKey"],
  ["key at infinity", REGISTRY, "if (key.isInfinity())", "if (false)"],
  ["vertex key used twice", REGISTRY, "if (idOfVertexKey[vertexKey] != 0)", "if (false)"],
  ["finality key used twice", REGISTRY, "if (_idOfFinalityKey[hash] != 0)", "if (false)"],
  ["part of a unit", REGISTRY, "if (bond % bondUnit != 0)", "if (false)"],
  ["no least bond", REGISTRY, "weight < weightMin || ", ""],
  ["no largest bond", REGISTRY, " || weight > weightMax", ""],
  ["longer bitmap", COMMITTEE, "if (bitmap.length != (size + 7) / 8)", "if (bitmap.length < (size + 7) / 8)"],
  ["pays by any statement", HATCH, "if (!manager.isFinal(statement))", "if (false)"],
  ["pays whatever the deposits", HATCH, "if (statement.depositsDigest != known)", "if (false)"],
  ["knows deposits to come", HATCH, "if (count > depositCount)", "if (false)"],
  ["pays without proof", VAULT, "if (root != statement.withdrawalsRoot)", "if (false)"],
  ["pays twice", VAULT, "if (isPaid(withdrawal.index))", "if (false)"],
  ["forgets what is paid", VAULT, "_spent[withdrawal.index >> 8] |= uint256(1) << (withdrawal.index & 255);", ""],
  ["one bit for two", VAULT, "uint256(1) << (withdrawal.index & 255)", "uint256(3) << (withdrawal.index & 255)"],
  ["pays more than it holds", CUSTODY, "if (asset.value > units)", "if (false)"],
  ["any kind of token", CUSTODY, " || listing.kind != kind)", ")"],
  ["any token", CUSTODY, "listing.unit == 0 || ", ""],
  ["the coin by a token's name", CUSTODY, "token == address(0) && kind == Kind.Native", "kind == Kind.Native"],
  ["anyone lists", CUSTODY, "if (msg.sender != curator)", "if (false)"],
  ["lists again", CUSTODY, "if (listings[token].unit != 0)", "if (false)"],
  ["part of a gwei", CUSTODY, "if (amount % NATIVE_UNIT != 0)", "if (false)"],
  ["more than 64 bits", VAULT, "uint256 units = held[asset.token] + asset.value;\n            if (units > type(uint64).max)", "uint256 units = held[asset.token] + asset.value;\n            if (false)"],
  ["deposits of nothing", VAULT, "if (asset.value == 0)", "if (false)"],
  ["deposits for nobody", VAULT, "if (account == 0)", "if (false)"],
  ["tokens with a fee", VAULT, "if (moved != amount)", "if (false)"],
  ["cards that stay", VAULT, "if (IERC721(token).ownerOf(tokenId) != address(this))", "if (false)"],
  ["calls within calls", CUSTODY, "if (_entered)", "if (false)"],
  ["credit stays after a claim", CUSTODY, "delete credits[msg.sender][asset.token];", ""],
  ["claim stays after a claim", CUSTODY, "delete _claims[key];", ""],
  ["claims of others", CUSTODY, "if (!_claims[key])", "if (false)"],
  ["a payout of any cost", CUSTODY, "value: asset.value * NATIVE_UNIT, gas: PAYOUT_GAS", "value: asset.value * NATIVE_UNIT"],
  ["deposits in no chain", HATCH, "abi.encode(previous, index, ", "abi.encode(bytes32(0), index, "],
  ["left is right", TREE, "right ? _pair(sibling, node) : _pair(node, sibling)", "right ? _pair(node, sibling) : _pair(sibling, node)"],
  ["a shallow tree", TREE, "level < TREE_DEPTH", "level < 16"],
  ["one counter for all blocks", LIBRARY, "mstore8(add(input, 32), add(i, 1))", "mstore8(add(input, 32), 1)"],
  ["uncapped precompiles", LIBRARY, "staticcall(gasMax, ", "staticcall(gas(), "],
  ["missing precompile", LIBRARY, "if (returned != outputBytes)", "if (false)"],
  ["same height again", MANAGER, "statement.height <= head.height", "statement.height < head.height"],
  ["any height", MANAGER, "if (statement.height <= head.height)", "if (false)"],
  ["any statement is final", MANAGER, "(posted ^ uint256(statementDigest(statement))) & ~TIME_MASK != 0", "false"],
  ["what was never posted is final", MANAGER, "posted == 0 || (posted ^", "posted != 0 && (posted ^"],
  ["anyone in the genesis", REGISTRY, "if (id == 0) revert NotGenesisOperator(msg.sender);", "if (id == 0) id = 1;"],
  ["operator registers again", REGISTRY, "if (_records[id].operator != address(0))", "if (false)"],
  ["newcomer registers again", REGISTRY, "if (id != 0) revert AlreadyRegistered", "if (false) revert AlreadyRegistered"],
  ["checkpoints before the genesis", COMMITTEE, "        if (head.missing > 0) revert GenesisIncomplete(head.size - head.missing, head.size);\n        (epoch_, total, signed)", "        (epoch_, total, signed)"],
  ["stray bits", COMMITTEE, "if (present > _everybody(size))", "if (false)"],
  ["absent weight counts", COMMITTEE, "signed -= uint64(seat);", ""],
  ["absent key counts", COMMITTEE, "sum.subtract(_keys[uint64(seat >> 64)].finalityKey);", ""],
  ["queued count at once", REGISTRY, "if (genesis) _takeSeat(id, weight);", "if (!genesis) _head.totalWeight += weight; if (genesis) _takeSeat(id, weight);"],
  ["digest without weights", COMMITTEE, "bytes32(uint256(seats[i].weight))", "bytes32(0)"],
  ["kept though it is paid", CUSTODY, "if (paid) return true;", ""],
  ["a failed payout is lost", CUSTODY, "else credits[to][asset.token] += asset.value;", ""],
  ["a failed card is lost", CUSTODY, "_claims[keccak256(abi.encode(to, asset.token, asset.value))] = true;", "paid = false;"],
  ["no borrow", LIBRARY, "yLo > P_LO ? 1 : 0", "0"],
  ["reduction: a quotient one too high", LIBRARY, "let quotient := sub(sub(folded, product), lt(folded, product))", "let quotient := add(sub(sub(folded, product), lt(folded, product)), 1)"],
  ["reduction: a quotient one too low", LIBRARY, "let quotient := sub(sub(folded, product), lt(folded, product))", "let quotient := sub(sub(sub(folded, product), lt(folded, product)), 1)"],
  ["reduction: a reciprocal one too high", LIBRARY, "0x9d835d2f3cc9e45ce28101b0cc7a6ba29", "0x9d835d2f3cc9e45ce28101b0cc7a6ba2a"],
  ["reduction: a reciprocal of fewer bits", LIBRARY, "0x9d835d2f3cc9e45ce28101b0cc7a6ba29", "0x9d835d2f3cc9e45ce28101b0cc7a6ba00"],
  ["reduction: no borrow in the product", LIBRARY, "sub(sub(folded, product), lt(folded, product)))", "sub(folded, product))"],
  ["reduction: no borrow from the upper word", LIBRARY, "high := sub(high, lt(low, product))", ""],
  ["reduction: no correction", LIBRARY, "if iszero(lt(high, P_HI)) {", "if 0 {"],
  ["reduction: no correction when the upper words are the same", LIBRARY, "if iszero(lt(high, P_HI)) {", "if gt(high, P_HI) {"],
  ["reduction: the modulus itself stays", LIBRARY, "iszero(lt(low, P_LO))", "gt(low, P_LO)"],
  ["reduction: corrects what is below the modulus", LIBRARY, "if or(gt(high, P_HI), iszero(lt(low, P_LO))) {", "if 1 {"],
  ["reduction: corrects by the lower word alone", LIBRARY, "if or(gt(high, P_HI), iszero(lt(low, P_LO))) {", "if iszero(lt(low, P_LO)) {"],
  ["reduction: no borrow in the correction", LIBRARY, "high := sub(sub(high, P_HI), lt(low, P_LO))", "high := sub(high, P_HI)"],
  ["reduction: three numbers of four", LIBRARY, "let end := add(numbers, 256)", "let end := add(numbers, 192)"],
  ["the lowest of 64 places", COMMITTEE, "place := shl(6, gt(bit, 0xffffffffffffffff))", "place := 0"],
  ["the lowest place without its last bit", COMMITTEE, "place := or(place, gt(shr(place, bit), 0x1))", ""],
  ["one absentee for all", COMMITTEE, "absent &= absent - 1", "absent = 0"],
  // Epochs.
  ["joins at once", EPOCHS, "return total < 4 ? 1 : (total - 1) / 3;", "return total;"],
  ["a third changes", EPOCHS, "(total - 1) / 3", "total / 3"],
  ["nothing changes in a small committee", EPOCHS, "total < 4 ? 1 : ", ""],
  ["who comes has a bound each", EPOCHS, "            edge.budget -= step;\n", ""],
  ["who leaves has a bound each", EPOCHS, "            most -= step;\n", ""],
  ["what is left of a half is lost", EPOCHS, "        edge.budget += most;\n", ""],
  ["who leaves and who comes have all of the bound", EPOCHS, "        edge.budget -= most;\n", ""],
  ["who leaves is first", EPOCHS, "false, edge.budget / 2", "false, edge.budget"],
  ["who comes is first", EPOCHS, "        _lower(edge, changes, false, edge.budget / 2);\n", ""],
  ["a half of who comes is lost", EPOCHS, "        _lower(edge, changes, false, edge.budget);\n", ""],
  ["offenders are not first", EPOCHS, "        _lower(edge, changes, true, edge.budget);\n        _lower(edge, changes, false, edge.budget / 2);\n        _raise(edge, changes);", "        _lower(edge, changes, false, edge.budget / 2);\n        _raise(edge, changes);\n        _lower(edge, changes, true, edge.budget);"],
  ["an offender as any other", EPOCHS, "change.slashed != slashed", "slashed"],
  ["more than 128 members", EPOCHS, "if (edge.members == MEMBERS_MAX) continue;", ""],
  ["who joins is not counted", EPOCHS, "++edge.members;", ""],
  ["who leaves is counted still", EPOCHS, "if (change.effective == 0) --edge.members;", ""],
  ["nobody stays", EPOCHS, "if (step == edge.total) continue;", ""],
  ["who waits goes on at once", COMMITTEE, "bool done = change.effective == change.target;", "bool done = true;"],
  ["an offender is none at the next edge", COMMITTEE, "slashed: change.slashed,", "slashed: false,"],
  ["no entry slashes", COMMITTEE, "if (next.slashed) standing.slashed = true;", ""],
  ["a slash like an exit", COMMITTEE, "_queueChange(id, 0, SLASH)", "_queueChange(id, 0, 0)"],
  ["ids in any order", EPOCHS, "if (seats[middle].id < id) low = middle + 1;", "if (true) low = middle + 1;"],
  ["seats without weight", EPOCHS, "if (all[i].weight > 0) next", "if (true) next"],
  ["any next committee", COMMITTEE, "if (digest != expected)", "if (false)"],
  ["any cursor", COMMITTEE, "if (cursor < applied || cursor > most)", "if (cursor > _queue.length)"],
  ["entries applied twice", COMMITTEE, "_queue.applied = cursor;", ""],
  ["any number of entries", COMMITTEE, "applied + ENTRIES_PER_EDGE_MAX;", "applied + 1000;"],
  ["waits twice", COMMITTEE, "standing.waits || ", ""],
  ["anyone closes epochs", COMMITTEE, "if (msg.sender != manager)", "if (false)"],
  ["newcomer without a key", COMMITTEE, "if (change.before == 0 && change.effective > 0)", "if (false)"],
  ["the key of who left", COMMITTEE, "if (change.before > 0 && change.effective == 0)", "if (false)"],
  ["places are never free", COMMITTEE, "if (out) ++gone;", ""],
  ["unbonding without an edge", COMMITTEE, "leftAt: out ?", "leftAt: true ?"],
  ["the queue in no chain", COMMITTEE, "abi.encode(_queueDigests[index - 1], ", "abi.encode(bytes32(0), "],
  ["the queue without keys", COMMITTEE, "_append(id, weight, _keys[id].digest)", "_append(id, weight, 0)"],
  ["the epoch stays", COMMITTEE, "_digestOf(++head.epoch, seats)", "_digestOf(head.epoch + 1, seats)"],
  ["bytes of a bitmap in another order", COMMITTEE, "present = (present >> 8 & LOW_8) | ((present & LOW_8) << 8);", ""],
  ["an epoch never closes", MANAGER, "if (statement.nextCommittee != 0) registry", "if (false) registry"],
  // Bonds.
  ["the committee overflows", REGISTRY, "if (head.places == COMMITTEE_MAX)", "if (false)"],
  ["tops up above the largest bond", REGISTRY, "uint64 weight = _weightOf(bond);", "uint64 weight = uint64(bond / bondUnit);"],
  ["tops up on the way out", REGISTRY, "if (record.leaves) revert AlreadyLeaving(id);", ""],
  ["tops up again and again", REGISTRY, "if (!_isApplied(record.entryIndex))", "if (false)"],
  ["a stranger quits", REGISTRY, "if (id == 0) revert NotRegistered(msg.sender);", ""],
  ["a top-up of nothing", REGISTRY, "if (msg.value == 0)", "if (false)"],
  ["a bond before its time", REGISTRY, "block.timestamp < freeAt ? Status.Unbonding : Status.Free", "Status.Free"],
  ["a bond in use", REGISTRY, "if (status != Status.Free)", "if (false)"],
  ["a bond twice", REGISTRY, "        record.bond = 0;\n        record.weight = 0;\n        if (!record.leaves) {", "        record.weight = 0;\n        if (!record.leaves) {"],
  ["bonds of a stopped network", REGISTRY, "if (block.timestamp >= stopped)", "if (false)"],
  ["who left a stopped network stays", REGISTRY, "else record.entryIndex = _queueWeight(id, 0);\n        }\n        emit", "}\n        emit"],
  ["a genesis without its members", REGISTRY, "if (_head.missing > 0) ++_head.missing;", "if (_head.missing > 0) {}"],
  ["a payment that fails is forgotten", REGISTRY, "if (!paid) revert", "if (false) revert"],
  // Slashing.
  ["slashed and not removed", REGISTRY, "if (_standings[ids[i]].leftAt == 0) record", "if (false) record"],
  ["removed who is out", REGISTRY, "if (_standings[ids[i]].leftAt == 0) record", "record"],
  ["slashed behind its own exit", REGISTRY, "if (_standings[ids[i]].leftAt == 0) record", "if (!record.leaves) record"],
  ["slashed twice", REGISTRY, "            record.bond = 0;\n            record.weight = 0;\n            record.slashed = true;", "            record.slashed = true;"],
  ["all to the reporter", REGISTRY, "taken / REPORTER_DIVISOR", "taken"],
  ["a reporter of nobody", REGISTRY, "if (reporter == address(0))", "if (false)"],
  ["slashes by any statement", MANAGER, "if (!isSettled(statement)) revert", "if (false) revert"],
  ["slashes without proof", MANAGER, "if (root != statement.offendersRoot)", "if (false)"],
  ["slashes nobody", MANAGER, "        if (slashed == 0) revert NothingToSlash();\n        emit OffenderSlashed", "        emit OffenderSlashed"],
  // Conflicts.
  ["a statement in conflict with itself", MANAGER, "if (digest == otherDigest)", "if (false)"],
  ["other heights in conflict", MANAGER, " || other.statement.height != height) revert", ") revert"],
  ["other epochs in conflict", MANAGER, "other.statement.epoch != epoch || ", ""],
  ["one of two is judged", MANAGER, "_judge(other, seats);", "(statementDigest(other.statement), type(uint256).max);"],
  ["statements from elsewhere in conflict", MANAGER, "        _requireAddressedHere(statement);\n        uint64 signed;", "        uint64 signed;"],
  ["any committee judges", COMMITTEE, "if (given != committeeDigest[epoch_])", "if (false)"],
  ["epochs of long ago", MANAGER, "if (closedAt != 0 && block.timestamp >= uint256(closedAt) + unbonding)", "if (false)"],
  ["all who signed either", MANAGER, "signers & others", "signers | others"],
  ["nothing freezes", MANAGER, "if (!again) _head.frozenAt = uint48(block.timestamp);", ""],
  ["a frozen bridge goes on", MANAGER, "if (head.frozenAt != 0) revert", "if (false) revert"],
  ["final though frozen", MANAGER, "return _head.frozenAt == 0 && isSettled", "return isSettled"],
  ["settles while frozen", MANAGER, "_head.frozenAt == 0 ? block.timestamp : _head.frozenAt;", "block.timestamp;"],
  ["conflicts again for nothing", MANAGER, "if (again && slashed == 0)", "if (false)"],
  ["another's registry", MANAGER, "if (registry_.manager() != address(this))", "if (false)"],
  ["unbonding before the window is over", MANAGER, "if (registry_.unbonding() <= finalityDelay_)", "if (false)"],
  ["unbonding at once", REGISTRY, "if (unbonding_ == 0 || unbonding_ > UNBONDING_MAX)", "if (false)"],
  ["a registry of nobody", COMMITTEE, "if (manager_ == address(0))", "if (false)"],
  // The way out.
  ["the latch at any time", HATCH, "if (manager.frozenAt() == 0 && block.timestamp < until)", "if (false)"],
  ["no latch for a frozen bridge", HATCH, "manager.frozenAt() == 0 && ", ""],
  ["the latch twice", HATCH, "if (latchedAt != 0) revert Latched(latchedAt);", ""],
  ["claims without the latch", HATCH, "        if (latchedAt == 0) revert NotLatched();\n        if (statement.height", "        if (statement.height"],
  ["reclaims without the latch", HATCH, "        if (latchedAt == 0) revert NotLatched();\n        bytes32 digest", "        bytes32 digest"],
  ["checkpoints after the latch", HATCH, "statement.height > latchedHeight || ", ""],
  ["claims by any statement", HATCH, " || !manager.isSettled(statement))", ")"],
  ["withdrawals after the latch by any checkpoint", HATCH, "if (latchedAt != 0) return _requireJudging(statement);", ""],
  ["deposits after the latch", VAULT, "if (latchedAt != 0) revert", "if (false) revert"],
  ["claims without proof", HATCH, "if (root != statement.exitRoot) revert NotInTree(exit.index", "if (false) revert NotInTree(exit.index"],
  ["refutes without proof", HATCH, "if (root != statement.exitRoot) revert NotInTree(index", "if (false) revert NotInTree(index"],
  ["refutes by an earlier checkpoint", HATCH, "statement.height <= found.height || ", ""],
  ["refutes by the same holding", HATCH, " || leaf == found.what)", ")"],
  ["anyone claims", HATCH, "if (msg.sender != owner)", "if (false)"],
  ["a claim without stake", HATCH, "if (msg.value != CLAIM_STAKE)", "if (false)"],
  ["a place claimed twice", HATCH, "if (place.openedAt != 0)", "if (false)"],
  ["paid twice on the way out", HATCH, "found.paid = true;", ""],
  ["paid within the window", HATCH, "if (block.timestamp < until) revert TooEarly(until);\n        found", "found"],
  ["another holding is paid", HATCH, "if (leaf != found.what)", "if (false)"],
  ["a refuted claim stays", HATCH, "        found.openedAt = 0;\n", ""],
  ["refuted claims again", HATCH, "if (height < place.height)", "if (false)"],
  ["no claim by the proof that refuted", HATCH, "if (height < place.height)", "if (height <= place.height && place.height > 0)"],
  ["what refutes is forgotten", HATCH, "        found.height = height;\n", "        found.height = 0;\n"],
  ["a credited deposit comes back", HATCH, "if (statement.depositsProcessed < index) revert", "if (true) revert"],
  ["any deposit is refuted", HATCH, "if (statement.depositsProcessed < index) revert", "if (false) revert"],
  ["finishes with another deposit", HATCH, "        _requireOwn(deposit);\n        bool paid", "        bool paid"],
  ["another deposit comes back", HATCH, "if (digest != known) revert OtherDeposit", "if (false) revert OtherDeposit"],
  ["a leaf for withdrawals and exits", HATCH, "abi.encode(EXIT_TAG, exit)", "abi.encode(exit)"],
  ["way out at no time", HATCH, "if (!sound || ", "if ("],
  // Hash locks.
  ["another chain's lock", LOCKS, "abi.encode(block.chainid, address(this), ", "abi.encode(address(this), "],
  ["another contract's lock", LOCKS, "abi.encode(block.chainid, address(this), ", "abi.encode(block.chainid, "],
  ["one number for two locks", LOCKS, "lockCount[msg.sender]++", "lockCount[msg.sender]"],
  ["a lock without a hash", LOCKS, "if (hash == 0)", "if (false)"],
  ["a lock for nobody", LOCKS, "recipient == address(0) || ", ""],
  ["a lock for the contract", LOCKS, " || recipient == address(this))", ")"],
  ["a lock that is over at once", LOCKS, "expiry <= block.timestamp || ", ""],
  ["a lock for ever", LOCKS, " || expiry > most)", ")"],
  ["a lock of nothing", LOCKS, "if (amount == 0)", "if (false)"],
  ["a token that is not there", LOCKS, "if (token.code.length == 0)", "if (false)"],
  ["a token that says no", LOCKS, "if (!callToken(token, gasleft(), call)) revert TransferRefused(token);", "callToken(token, gasleft(), call);"],
  ["any amount that moves", LOCKS, "if (moved != expected)", "if (false)"],
  ["less than was told comes in", LOCKS, "_requireExact(token, IERC20(token).balanceOf(address(this)) - before, amount);", ""],
  ["more than was told goes out", LOCKS, "_requireExact(token, before - IERC20(token).balanceOf(address(this)), amount);", ""],
  ["any secret", LOCKS, "if (given != lock.hash)", "if (false)"],
  ["another hash", LOCKS, "sha256(abi.encodePacked(secret))", "keccak256(abi.encodePacked(secret))"],
  ["claimed when it is over", LOCKS, "if (block.timestamp >= lock.expiry)", "if (false)"],
  ["claimed at the expiry", LOCKS, "if (block.timestamp >= lock.expiry)", "if (block.timestamp > lock.expiry)"],
  ["back before its time", LOCKS, "if (block.timestamp < lock.expiry)", "if (false)"],
  ["back after the expiry alone", LOCKS, "if (block.timestamp < lock.expiry)", "if (block.timestamp <= lock.expiry)"],
  ["claimed twice", LOCKS, "lock.status = Status.Claimed;", ""],
  ["back twice", LOCKS, "lock.status = Status.Refunded;", ""],
  ["back after a claim", LOCKS, "if (lock.status == Status.Claimed)", "if (false)"],
  ["claimed after it came back", LOCKS, "if (lock.status == Status.Refunded)", "if (false)"],
  ["a lock that nobody made", LOCKS, "if (lock.status == Status.None)", "if (false)"],
  ["the secret is not kept", LOCKS, "        lock.secret = secret;\n", ""],
  ["paid to who asks", LOCKS, "_pay(lock, lock.recipient);", "_pay(lock, msg.sender);"],
  ["back to who asks", LOCKS, "_pay(lock, lock.locker);", "_pay(lock, msg.sender);"],
  ["a payment that fails counts", LOCKS, "if (!paid) revert", "if (false) revert"],
  ["locks within a payment", LOCKS, "if (_entered)", "if (false)"],
];

const words = process.argv.slice(2);
const planted = mutants.filter(([name, file]) => words.length === 0 || words.some((w) => name.includes(w) || file.includes(w)));
const work = mkdtempSync(join(tmpdir(), "weft-mutants-"));
const survivors = [];
try {
  for (const entry of ["src", "test", "foundry.toml", "solc", "package.json"]) cpSync(entry, join(work, entry), { recursive: true });
  symlinkSync(resolve("node_modules"), join(work, "node_modules"));
  requireOutcome("no bug at all", true, "**");
  for (const [name, file, from, to] of planted) {
    const path = join(work, file);
    const original = readFileSync(path, "utf8");
    if (original.split(from).length !== 2) throw new Error(`'${name}': '${from}' is not once in ${file}`);
    writeFileSync(path, original.replace(from, () => to));
    requireOutcome(name, false, `{${TESTS[file].join(",")}}.t.sol`);
    writeFileSync(path, original);
  }
} finally {
  rmSync(work, { recursive: true });
}
console.log(`${planted.length - survivors.length} of ${planted.length} planted bugs caught`);
if (survivors.length > 0) {
  console.error(`not caught: ${survivors.join("; ")}`);
  process.exitCode = 1;
}

function requireOutcome(name, passes, tests) {
  const run = (command) =>
    spawnSync(resolve("node_modules/.bin/forge"), command, { cwd: work, encoding: "utf8", env: { ...process.env, FOUNDRY_FUZZ_RUNS: "50", FOUNDRY_INVARIANT_RUNS: "4" } });
  const build = run(["build"]);
  if (build.status !== 0) throw new Error(`'${name}' does not compile:\n${build.stdout}${build.stderr}`);
  const test = run(["test", "--fail-fast", "--match-path", `test/${tests}`]);
  const passed = test.status === 0;
  if (passes && !passed) throw new Error(`the tests fail before any bug is planted:\n${test.stdout}`);
  if (!passes && passed) survivors.push(name);
  console.log(`${passed ? "pass" : "fail"}  ${name}`);
}
