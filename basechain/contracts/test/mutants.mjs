// Plants one bug after the other into a copy of the contracts and requires that the tests fail: a suite
// that has never caught a bug proves nothing. Run by `scripts/contracts.sh --mutants`; with words as arguments
// only those with a word in their name or file's name: `node test/mutants.mjs Vault`.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const REGISTRY = "src/MasternodeRegistry.sol";
const MANAGER = "src/CheckpointManager.sol";
const LIBRARY = "src/Bls12381.sol";
const VAULT = "src/Vault.sol";
const TREE = "src/AppendTree.sol";

// What is broken, where, the text that is replaced and by what.
const mutants = [
  ["two thirds are a quorum", MANAGER, "uint256(signed) * 3 <= ", "uint256(signed) * 3 < "],
  ["half is a quorum", MANAGER, "uint256(signed) * 3 <= ", "uint256(signed) * 4 <= "],
  ["signature not checked", MANAGER, "if (!Bls12381.verify(key, hashed, point))", "if (false)"],
  ["infinity as signature", MANAGER, "if (point.isInfinity())", "if (false)"],
  ["signers' keys at infinity", MANAGER, "if (key.isInfinity())", "if (false)"],
  ["same height again", MANAGER, "statement.height <= _latestHeight", "statement.height < _latestHeight"],
  ["any height", MANAGER, "if (statement.height <= _latestHeight)", "if (false)"],
  ["any network", MANAGER, "if (statement.network != network)", "if (false)"],
  ["any chain", MANAGER, "if (statement.chainId != block.chainid)", "if (false)"],
  ["any manager", MANAGER, "if (statement.manager != address(this))", "if (false)"],
  ["any epoch", MANAGER, "if (statement.epoch != epoch)", "if (false)"],
  ["any next committee", MANAGER, "if (statement.nextCommittee != 0)", "if (false)"],
  ["zero exit root", MANAGER, "if (statement.exitRoot == 0)", "if (false)"],
  ["finality tag is the possession tag", MANAGER, "WEFT-V01-FINALITY-", "WEFT-V01-POSSESSION-"],
  ["final at once", MANAGER, " + finalityDelay;", ";"],
  ["any statement is final", MANAGER, "digest == statementDigest(statement)", "true"],
  ["what was never posted is final", MANAGER, "digest != 0 && digest == ", "statement.height > 0 || digest == "],
  ["any delay", MANAGER, "if (finalityDelay_ > FINALITY_DELAY_MAX)", "if (false)"],
  ["no network", MANAGER, "if (network_ == 0)", "if (false)"],
  ["no proof of possession", REGISTRY, "if (!Bls12381.verify(key, hashed, proof))", "if (false)"],
  ["proof binds no chain", REGISTRY, "abi.encode(block.chainid, ", "abi.encode(uint256(1), "],
  ["proof binds no registry", REGISTRY, "address(this), operator, vertexKey", "address(1), operator, vertexKey"],
  ["proof binds no operator", REGISTRY, "possessionDigest(msg.sender, vertexKey", "possessionDigest(address(1), vertexKey"],
  ["key at infinity", REGISTRY, "if (key.isInfinity())", "if (false)"],
  ["anyone in the genesis", REGISTRY, "if (genesis) revert NotGenesisOperator(msg.sender);", ""],
  ["operator registers again", REGISTRY, "_records[id].status != Status.None) {", "false) {"],
  ["vertex key used twice", REGISTRY, "if (idOfVertexKey[vertexKey] != 0)", "if (false)"],
  ["finality key used twice", REGISTRY, "if (_idOfFinalityKey[hash] != 0)", "if (false)"],
  ["part of a unit", REGISTRY, "if (bond % bondUnit != 0)", "if (false)"],
  ["no least bond", REGISTRY, "weight < weightMin || ", ""],
  ["no largest bond", REGISTRY, " || weight > weightMax", ""],
  ["checkpoints before the genesis", REGISTRY, "if (_registered < _size) revert", "if (_size == 0) revert"],
  ["stray bits", REGISTRY, "if (present > everybody)", "if (false)"],
  ["longer bitmap", REGISTRY, "if (bitmap.length != (size + 7) / 8)", "if (bitmap.length < (size + 7) / 8)"],
  ["absent weight counts", REGISTRY, "signed -= _weights[i];", ""],
  ["absent key counts", REGISTRY, ".subtract(absentSum)", ""],
  ["queued count at once", REGISTRY, "if (genesis) _join(id, weight, key);", "if (genesis) _join(id, weight, key); else _totalWeight += weight;"],
  ["digest without weights", REGISTRY, "bytes32(uint256(record.weight))", "bytes32(0)"],
  ["pays by any statement", VAULT, "if (!manager.isFinal(statement))", "if (false)"],
  ["pays whatever the deposits", VAULT, "if (statement.depositsDigest != known)", "if (false)"],
  ["knows deposits to come", VAULT, "if (count > depositCount)", "if (false)"],
  ["pays without proof", VAULT, "if (root != statement.withdrawalsRoot)", "if (false)"],
  ["pays twice", VAULT, "if (isPaid(withdrawal.index))", "if (false)"],
  ["forgets what is paid", VAULT, "_spent[withdrawal.index >> 8] |= uint256(1) << (withdrawal.index & 255);", ""],
  ["one bit for two", VAULT, "uint256(1) << (withdrawal.index & 255)", "uint256(3) << (withdrawal.index & 255)"],
  ["pays more than it holds", VAULT, "if (asset.value > units)", "if (false)"],
  ["any kind of token", VAULT, " || listing.kind != kind)", ")"],
  ["any token", VAULT, "listing.unit == 0 || ", ""],
  ["the coin by a token's name", VAULT, "token == address(0) && kind == Kind.Native", "kind == Kind.Native"],
  ["anyone lists", VAULT, "if (msg.sender != curator)", "if (false)"],
  ["lists again", VAULT, "if (listings[token].unit != 0)", "if (false)"],
  ["part of a gwei", VAULT, "if (amount % NATIVE_UNIT != 0)", "if (false)"],
  ["more than 64 bits", VAULT, "uint256 units = held[asset.token] + asset.value;\n            if (units > type(uint64).max)", "uint256 units = held[asset.token] + asset.value;\n            if (false)"],
  ["deposits of nothing", VAULT, "if (asset.value == 0)", "if (false)"],
  ["deposits for nobody", VAULT, "if (account == 0)", "if (false)"],
  ["tokens with a fee", VAULT, "if (moved != amount)", "if (false)"],
  ["cards that stay", VAULT, "if (IERC721(token).ownerOf(tokenId) != address(this))", "if (false)"],
  ["calls within calls", VAULT, "if (_entered)", "if (false)"],
  ["credit stays after a claim", VAULT, "delete credits[msg.sender][asset.token];", ""],
  ["claim stays after a claim", VAULT, "delete _claims[key];", ""],
  ["claims of others", VAULT, "if (!_claims[key])", "if (false)"],
  ["a failed payout is lost", VAULT, "_credit(asset, withdrawal.recipient);", ""],
  ["a payout of any cost", VAULT, "value: asset.value * NATIVE_UNIT, gas: PAYOUT_GAS", "value: asset.value * NATIVE_UNIT"],
  ["deposits in no chain", VAULT, "abi.encode(previous, index, ", "abi.encode(bytes32(0), index, "],
  ["left is right", TREE, "right ? _pair(sibling, node) : _pair(node, sibling)", "right ? _pair(node, sibling) : _pair(sibling, node)"],
  ["a shallow tree", TREE, "level < TREE_DEPTH", "level < 16"],
  ["no borrow", LIBRARY, "b.yLo > P_LO ? 1 : 0", "0"],
  ["one counter for all blocks", LIBRARY, "mstore8(add(input, 32), add(i, 1))", "mstore8(add(input, 32), 1)"],
  ["uncapped precompiles", LIBRARY, "staticcall(gasMax, ", "staticcall(gas(), "],
  ["missing precompile", LIBRARY, "if (returned != outputBytes)", "if (false)"],
];

const words = process.argv.slice(2);
const planted = mutants.filter(([name, file]) => words.length === 0 || words.some((w) => name.includes(w) || file.includes(w)));
const work = mkdtempSync(join(tmpdir(), "weft-mutants-"));
const survivors = [];
try {
  for (const entry of ["src", "test", "foundry.toml", "solc", "package.json"]) cpSync(entry, join(work, entry), { recursive: true });
  symlinkSync(resolve("node_modules"), join(work, "node_modules"));
  requireOutcome("no bug at all", true);
  for (const [name, file, from, to] of planted) {
    const path = join(work, file);
    const original = readFileSync(path, "utf8");
    if (original.split(from).length !== 2) throw new Error(`'${name}': '${from}' is not once in ${file}`);
    writeFileSync(path, original.replace(from, () => to));
    requireOutcome(name, false);
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

function requireOutcome(name, passes) {
  const run = (command) =>
    spawnSync(resolve("node_modules/.bin/forge"), command, { cwd: work, encoding: "utf8", env: { ...process.env, FOUNDRY_FUZZ_RUNS: "50" } });
  const build = run(["build"]);
  if (build.status !== 0) throw new Error(`'${name}' does not compile:\n${build.stdout}${build.stderr}`);
  const test = run(["test", "--fail-fast"]);
  const passed = test.status === 0;
  if (passes && !passed) throw new Error(`the tests fail before any bug is planted:\n${test.stdout}`);
  if (!passes && passed) survivors.push(name);
  console.log(`${passed ? "pass" : "fail"}  ${name}`);
}
