// Writes the ABI and the creation bytecode of each contract to artifacts/, from what forge compiled, and of a
// card and a token contract for tests to test/fixtures/.
// With --check it writes nothing and fails when a committed file differs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const check = process.argv.includes("--check");
const stale = [];
mkdirSync("artifacts", { recursive: true });
const contracts = [
  ["MasternodeRegistry", "MasternodeRegistry", "artifacts"],
  ["CheckpointManager", "CheckpointManager", "artifacts"],
  ["Vault", "Vault", "artifacts"],
  ["HashLock", "HashLock", "artifacts"],
  // A card and a token that tests of other languages bring over the bridge.
  ["Cards", "Tokens", "test/fixtures"],
  ["Coins", "Tokens", "test/fixtures"],
];
for (const [name, file, folder] of contracts) {
  const compiled = JSON.parse(readFileSync(`out/${file}.sol/${name}.json`, "utf8"));
  const artifact = { contractName: name, abi: compiled.abi, bytecode: compiled.bytecode.object };
  const text = `${JSON.stringify(artifact, null, 1)}\n`;
  const path = `${folder}/${name}.json`;
  if (!check) writeFileSync(path, text);
  else if (readOr(path, "") !== text) stale.push(path);
}
if (stale.length > 0) {
  console.error(`out of date: ${stale.join(", ")}; run scripts/contracts.sh and commit`);
  process.exitCode = 1;
}

function readOr(path, fallback) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return fallback;
    throw error;
  }
}
