#!/usr/bin/env bash
# Builds and tests the base-chain contracts and writes their artifacts (ABI and bytecode), which
# are committed so that a Rust build needs no Node.
#
#   scripts/contracts.sh            build, test, rewrite the artifacts, the fixture and the gas of the tests
#   scripts/contracts.sh --check    build, test, fail when the committed ones differ; look for known mistakes
#                                   with slither, where scripts/setup.sh has installed it
#   scripts/contracts.sh --slither  that alone, and fail when it is not installed
#   scripts/contracts.sh --mutants  plant bugs, one at a time, and fail when the tests miss one (minutes)
#   FOUNDRY_FUZZ_RUNS=5000 scripts/contracts.sh     more fuzzing than the default of foundry.toml
#
# Needs Node 20.19 or newer with npm. Everything else comes from npm, pinned in package-lock.json;
# after the first run no network is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../basechain/contracts"

check="" mutants="" slither=""
for argument; do
    case $argument in
        --check) check=--check ;;
        --mutants) mutants=yes ;;
        --slither) slither=only ;;
        *) echo "contracts.sh: unknown argument '$argument'; --check, --mutants and --slither are known" >&2; exit 2 ;;
    esac
done

command -v npm >/dev/null || { echo "contracts.sh: npm is missing; install Node 20.19 or newer" >&2; exit 1; }
if ! cmp -s package-lock.json node_modules/.installed-lock; then
    npm ci --ignore-scripts --loglevel=error
    cp package-lock.json node_modules/.installed-lock
fi

forge=node_modules/.bin/forge
[[ -x $forge ]] || { echo "contracts.sh: npm has no forge for $(uname -sm), only for Linux x86_64 and macOS arm64" >&2; exit 1; }

analyzer=${XDG_CACHE_HOME:-$HOME/.cache}/weft/slither/bin/slither
# Findings of medium impact or higher fail. One that is none is switched off in the line above it in the source, with
# the reason. Of all the sources alone, in a copy: what slither reads of a build, forge leaves out of others.
analyze() {
    local copy excluded status=0
    copy=$(mktemp -d)
    cp -r src foundry.toml solc package.json "$copy"
    ln -s "$PWD/node_modules" "$copy/node_modules"
    # Equality with a balance or a time can be missed. It finds flags, counts and enumerations that are compared with zero
    # instead, because a time was written beside them, or decided whether they were.
    excluded=incorrect-equality
    (
        cd "$copy"
        export PATH=$PWD/node_modules/.bin:$PATH
        forge build --quiet --build-info
        "$analyzer" . --ignore-compile --fail-medium --exclude-low --exclude-informational \
            --exclude-optimization --exclude "$excluded" --disable-color
    ) || status=$?
    rm -rf "$copy"
    return "$status"
}
if [[ $slither == only ]]; then
    [[ -x $analyzer ]] || { echo "contracts.sh: slither is missing: run scripts/setup.sh --test" >&2; exit 1; }
    analyze
    exit
fi

"$forge" build
node artifacts.mjs $check
node test/fixtures/generate.mjs $check
"$forge" test
# The gas of every test that draws nothing. Two in a hundred more or less is for who reads the change to judge.
snapshot=(--no-match-test '^(testFuzz|invariant)' --snap gas.txt)
[[ -z $check ]] || snapshot+=(--check gas.txt --tolerance 2)
"$forge" snapshot "${snapshot[@]}" >/dev/null
if [[ -n $check && -x $analyzer ]]; then analyze; fi
[[ -z $mutants ]] || node test/mutants.mjs
