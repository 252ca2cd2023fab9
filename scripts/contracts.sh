#!/usr/bin/env bash
# Builds and tests the base-chain contracts and writes their artifacts (ABI and bytecode), which
# are committed so that a Rust build needs no Node.
#
#   scripts/contracts.sh            build, test, rewrite the artifacts and the fixture
#   scripts/contracts.sh --check    build, test, fail when the committed ones differ
#   scripts/contracts.sh --mutants  plant bugs, one at a time, and fail when the tests miss one (minutes)
#   FOUNDRY_FUZZ_RUNS=5000 scripts/contracts.sh     more fuzzing than the default of foundry.toml
#
# Needs Node 20.19 or newer with npm. Everything else comes from npm, pinned in package-lock.json;
# after the first run no network is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../basechain/contracts"

check="" mutants=""
for argument; do
    case $argument in
        --check) check=--check ;;
        --mutants) mutants=yes ;;
        *) echo "contracts.sh: unknown argument '$argument'; --check and --mutants are known" >&2; exit 2 ;;
    esac
done

command -v npm >/dev/null || { echo "contracts.sh: npm is missing; install Node 20.19 or newer" >&2; exit 1; }
if ! cmp -s package-lock.json node_modules/.installed-lock; then
    npm ci --ignore-scripts --loglevel=error
    cp package-lock.json node_modules/.installed-lock
fi

forge=node_modules/.bin/forge
[[ -x $forge ]] || { echo "contracts.sh: npm has no forge for $(uname -sm), only for Linux x86_64 and macOS arm64" >&2; exit 1; }
"$forge" build
node artifacts.mjs $check
node test/fixtures/generate.mjs $check
"$forge" test
[[ -z $mutants ]] || node test/mutants.mjs
