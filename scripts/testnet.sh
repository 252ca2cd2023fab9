#!/usr/bin/env bash
# From a fresh clone to a running testnet: installs what is missing, builds, starts four masternodes
# and a base chain. Arguments go to `weft testnet up` as they are, for example
#
#   scripts/testnet.sh --nodes 7 --detach
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$PATH:$HOME/.cargo/bin"

"$root/scripts/setup.sh"
# The whole workspace, always: building one crate of it gives shared dependencies other features, and
# rebuilds them. In a subshell, so that paths among the arguments mean what they meant to the caller.
target=$(
    cd "$root"
    echo "testnet.sh: building; the first time this includes RocksDB and takes a while" >&2
    cargo build --release --workspace --locked >&2
    cargo metadata --format-version 1 --no-deps --locked | jq -r .target_directory
)
exec "$target/release/weft" testnet up "$@"
