#!/usr/bin/env bash
# Installs what a build of Weft needs and is missing, and is quiet when nothing is. Run by the other
# scripts; safe to run at any time.
#
#   scripts/setup.sh            what the build needs
#   scripts/setup.sh --test     and what the tests need
#
# Assumes Rust, and for the contracts' tests Node 20.19 or newer with npm. The packages are those of
# Debian 12. Elsewhere, or when not root, it names what is missing and goes on if the build can.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weft
export PATH="$PATH:$HOME/.cargo/bin:$cache/bin"

say() { echo "setup: $*" >&2; }
die() { echo "setup: error: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }

tests=""
for argument; do
    case $argument in
        --test) tests=yes ;;
        *) echo "setup.sh: unknown argument '$argument'; only --test is known" >&2; exit 2 ;;
    esac
done

# RocksDB's bindings are made with libclang, loaded while building.
have_libclang() {
    [[ -n ${LIBCLANG_PATH:-} ]] && return
    local folder
    for folder in '/usr/lib/llvm-*/lib' '/usr/lib*' '/usr/lib/*'; do
        # libclang-cpp is another library.
        compgen -G "$folder/libclang.so*" >/dev/null && return
        compgen -G "$folder/libclang-[0-9]*.so*" >/dev/null && return
    done
    return 1
}

have cargo || die "cargo is missing; install Rust from https://rustup.rs and run this again"

packages=()
have c++ || packages+=(g++)
have clang++-14 || packages+=(clang-14)
have_libclang || packages+=(libclang1-14)
have jq || packages+=(jq)
if [[ -n $tests ]]; then
    have shellcheck || packages+=(shellcheck)
fi
if ((${#packages[@]} > 0)); then
    if have apt-get && ((EUID == 0)); then
        say "installing ${packages[*]}"
        install=(apt-get install --yes --no-install-recommends -qq -o Dpkg::Use-Pty=0)
        export DEBIAN_FRONTEND=noninteractive
        if ! { apt-get update -qq && "${install[@]}" "${packages[@]}" >/dev/null; }; then
            say "apt-get could not install all of: ${packages[*]}"
        fi
    else
        say "missing, and not installed because this is not Debian as root: ${packages[*]}"
    fi
fi
have c++ || die "a C++ compiler is missing (Debian's package g++)"
have_libclang || die "libclang is missing (Debian's package libclang1-14), or set LIBCLANG_PATH to its folder"
have jq || die "jq is missing (Debian's package jq)"

# RocksDB's accelerator. Path and content must stay the same from run to run and from clone to clone:
# a changed CXX rebuilds RocksDB.
accelerator=$cache/rocksdb-c++ config=.cargo/accelerator.toml
put() { # put FILE MODE <content: replaces FILE in one step, and only when the content differs
    local new
    mkdir -p "$(dirname "$1")"
    new=$(mktemp "$1.XXXXXX")
    cat >"$new"
    if cmp -s "$new" "$1"; then rm "$new"; else chmod "$2" "$new" && mv "$new" "$1"; fi
}
if have clang++-14; then
    put "$accelerator" 755 <scripts/rocksdb-c++
    printf '[env]\nCXX = "%s"\n' "$accelerator" | put "$config" 644
else
    say "no clang++-14: RocksDB is built with the default compiler, two to three times slower"
    rm -f "$config"
fi

if [[ -n $tests ]] && ! cargo nextest --version >/dev/null 2>&1; then
    say "installing cargo-nextest (once, some minutes)"
    cargo install --quiet --locked --root "$cache" cargo-nextest@0.9.143 ||
        say "cargo-nextest could not be installed: the tests run by cargo test, without time limits"
fi

# Looks for known mistakes in the contracts (scripts/contracts.sh).
slither=0.11.6
if [[ -n $tests && $("$cache/slither/bin/slither" --version 2>/dev/null) != "$slither" ]]; then
    say "installing slither (once)"
    if ! { python3 -m venv "$cache/slither" && "$cache/slither/bin/pip" install --quiet "slither-analyzer==$slither"; }; then
        rm -rf "$cache/slither"
        say "slither could not be installed (Debian's package python3-venv): the contracts are not analysed"
    fi
fi
