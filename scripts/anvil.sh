#!/usr/bin/env bash
# Installs anvil, the dev node that the base chain's tests run against, and prints its path. Quick and
# quiet when it is there already.
#
# It comes from npm, pinned; the binary is inside the platform's package. Tests take the path from
# WEFT_ANVIL, or look where this puts it: weft/anvil/anvil in ~/.cache (or XDG_CACHE_HOME).
set -euo pipefail
version=1.7.1
folder=${XDG_CACHE_HOME:-$HOME/.cache}/weft/anvil
binary=$folder/anvil

die() { echo "anvil.sh: error: $*" >&2; exit 1; }

if [[ ! -x $binary ]] || [[ $("$binary" --version) != *" $version"* ]]; then
    command -v npm >/dev/null || die "npm is missing; install Node 20 or newer, or set WEFT_ANVIL"
    case $(uname -sm) in
        "Linux x86_64") platform=linux-amd64 ;;
        "Linux aarch64") platform=linux-arm64 ;;
        "Darwin x86_64") platform=darwin-amd64 ;;
        "Darwin arm64") platform=darwin-arm64 ;;
        *) die "npm has no anvil for $(uname -sm); set WEFT_ANVIL to one" ;;
    esac
    echo "anvil.sh: installing anvil $version" >&2
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
        --loglevel=error "@foundry-rs/anvil-$platform@$version" >&2
    found=$folder/node_modules/@foundry-rs/anvil-$platform/bin/anvil
    [[ -f $found ]] || die "the package has no bin/anvil"
    chmod +x "$found"
    ln -sfn "node_modules/@foundry-rs/anvil-$platform/bin/anvil" "$binary"
    [[ $("$binary" --version) == *" $version"* ]] || die "$binary does not say that it is $version"
fi
echo "$binary"
