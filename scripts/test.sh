#!/usr/bin/env bash
# Installs what the tests need and is missing, then runs every test. Goes on after a failure, and
# says at the end what failed.
#
#   scripts/test.sh            what CI runs
#   scripts/test.sh --full     with the long tests, those marked #[ignore], and more fuzzing
#   scripts/test.sh --lint     the checks that run no test
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:$HOME/.cargo/bin:${XDG_CACHE_HOME:-$HOME/.cache}/weft/bin"

mode=ci
for argument; do
    case $argument in
        --full) mode=full ;;
        --lint) mode=lint ;;
        *) echo "test.sh: unknown argument '$argument'; known are --full and --lint" >&2; exit 2 ;;
    esac
done

passed=0 failed=()
step() { # step NAME COMMAND...
    local name=$1
    shift
    echo "test.sh: $name" >&2
    if "$@"; then passed=$((passed + 1)); else failed+=("$name"); fi
}
finish() {
    if ((${#failed[@]} > 0)); then
        printf 'test.sh: FAILED after %d s:' "$SECONDS"
        printf ' %s;' "${failed[@]}"
        printf ' %d other steps passed\n' "$passed"
        exit 1
    fi
    echo "test.sh: all $passed steps passed in $SECONDS s"
    exit 0
}

scripts/setup.sh --test

mapfile -t shell_files < <(grep -rl '^#!/usr/bin/env bash' scripts .ci)
if command -v shellcheck >/dev/null; then
    step "shell scripts" shellcheck --external-sources "${shell_files[@]}"
fi
step "format" cargo fmt --all --check
step "lints" cargo clippy --release --workspace --all-targets --locked -- -D warnings
if cargo deny --version >/dev/null 2>&1; then
    step "licences and bans" cargo deny check licenses bans sources
fi
[[ $mode != lint ]] || finish

if [[ $mode == full ]]; then
    export FOUNDRY_FUZZ_RUNS=${FOUNDRY_FUZZ_RUNS:-10000}
fi
step "contracts" scripts/contracts.sh --check
if [[ -x scripts/anvil.sh ]]; then
    step "anvil" scripts/anvil.sh
fi
# As users build it: tests add features, without which everything must compile too.
step "build" cargo build --release --workspace --locked
step "doc tests" cargo test --release --workspace --locked --doc --quiet
if cargo nextest --version >/dev/null 2>&1; then
    arguments=()
    [[ $mode != full ]] || arguments=(--profile full --run-ignored all)
    step "tests" cargo nextest run --release --workspace --locked "${arguments[@]}"
else
    arguments=(--test-threads 2)
    [[ $mode != full ]] || arguments+=(--include-ignored)
    step "tests" cargo test --release --workspace --locked --lib --bins --tests -- "${arguments[@]}"
fi
for script in scripts/e2e/*.sh; do
    [[ ! -x $script ]] || step "$script" timeout 900 "$script"
done
finish
