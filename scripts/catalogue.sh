#!/usr/bin/env bash
# A whole catalogue of real cards, from end to end: some thousand cards of an npm package (MIT) are
# imported, once more after being killed in the middle, minted, listed, bought, offered for, swapped,
# and proven offline; then hundreds of players trade all of them for a while. Every count is compared
# with what a node says afterwards; the exit code tells.
#
#   scripts/catalogue.sh                 on a testnet of its own, which ends with the script
#   scripts/catalogue.sh --dir FOLDER    on the testnet that runs in the folder
#   scripts/catalogue.sh --trade 600s --rate 200    for so long, so many transactions a second (10s, 50)
#
# WEFT names the program, unless it is to be built here.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$PATH:$HOME/.cargo/bin"

package=pokemon-tcg-pocket-database version=2.6.1
trades=12 proofs=5 price=1000

dir='' trade=10s rate=50
while (($# > 0)); do
    case $1 in
        --dir) dir=${2:?"--dir needs a folder"}; shift 2 ;;
        --trade) trade=${2:?"--trade needs a time"}; shift 2 ;;
        --rate) rate=${2:?"--rate needs a number"}; shift 2 ;;
        *) echo "catalogue.sh: unknown argument '$1'; known are --dir, --trade and --rate" >&2; exit 2 ;;
    esac
done

say() { echo "catalogue.sh: $*" >&2; }
fail() { say "FAILED: $*"; exit 1; }
same() { [[ $2 == "$3" ]] || fail "$1 is $3, not $2"; } # same WHAT EXPECTED FOUND

if [[ -z ${WEFT:-} ]]; then
    cd "$root"
    cargo build --release --workspace --locked >&2
    WEFT=$(cargo metadata --format-version 1 --no-deps --locked | jq -r .target_directory)/release/weft
    cd - >/dev/null
fi

work=$(mktemp -d)
own=
finish() {
    local code=$?
    if [[ -n $own ]]; then
        if ((code != 0)); then
            tail -n 20 "$dir"/node-*/node.log >&2 || true
        fi
        "$WEFT" testnet down --dir "$dir" >/dev/null || code=1
    fi
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

if [[ -z $dir ]]; then
    own=yes dir=$work/testnet
    "$WEFT" testnet up --dir "$dir" --any-ports --detach >/dev/null
fi

cache=$root/.weft/cache/npm
cards=$cache/node_modules/$package/dist/cards.json
if [[ $(jq -r .version "$cache/node_modules/$package/package.json" 2>/dev/null) != "$version" ]]; then
    mkdir -p "$cache"
    npm install --prefix "$cache" --ignore-scripts --no-audit --no-fund --no-save --silent "$package@$version" >&2
fi
count=$(jq length "$cards")
say "$count cards in $package $version"

# The load generator's own account, so that it may mint of the collection in the end.
creator=$dir/accounts/load.key player=$work/player.key
weft() { "$WEFT" "$@" --dir "$dir" --json; }
as() { local key=$1; shift; weft "$@" --key "$key"; } # as KEY COMMAND...
player_address=$("$WEFT" account new --out "$player" --json 2>/dev/null | jq -r .address)
as "$player" account fund >/dev/null
creator_address=$(as "$creator" account show | jq -r .address)

# All entries of a list, a page after the other.
all() {
    local page cursor=()
    while :; do
        page=$(weft "$@" --limit 500 "${cursor[@]}")
        jq -c '.items[]' <<<"$page"
        [[ $(jq -r '.next // empty' <<<"$page") ]] || break
        cursor=(--cursor "$(jq -r .next <<<"$page")")
    done
}

import() { # import NAME STATE OPTION...
    local name=$1 state=$2
    shift 2
    as "$creator" collection import "$cards" --name "$name" --state "$state" \
        --map 'name=name,image=images/{image},reference={set}-{number},trait:Set=set,trait:Number=number,trait:Rarity=rarity,trait:Packs=packs' \
        --cap 1000 "$@"
}

report=$(import "Pocket catalogue" "$work/whole.import")
collection=$(jq -r .collection <<<"$report")
same "cards created" "$count" "$(jq .created <<<"$report")"
same "cards refused" 0 "$(jq '.refused | length' <<<"$report")"
say "imported in $(jq .seconds <<<"$report") s, for a fee of $(jq .fee <<<"$report")"

report=$(import "Pocket catalogue" "$work/whole.import")
same "cards created by a second import" 0 "$(jq .created <<<"$report")"
same "cards skipped by a second import" "$count" "$(jq .skipped <<<"$report")"
same "cards that differ" 0 "$(jq '.differing | length' <<<"$report")"

all collection edition list "$collection" >"$work/editions"
same "editions" "$count" "$(wc -l <"$work/editions")"
diff <(jq -r '.[] | "\(.set)-\(.number) \(.name)"' "$cards" | LC_ALL=C sort) \
    <(jq -r '"\(.reference) \(.name)"' "$work/editions" | LC_ALL=C sort) >&2 || fail "names are not the catalogue's"
say "every name is there, $(jq -r .name "$work/editions" | LC_ALL=C grep -c '[^ -~]') of them beyond ASCII"

# Killed wherever it happens to be, some times, then left to its end.
for after in 0.3 0.2 0.4; do
    "$WEFT" collection import "$cards" --name "Interrupted" --cap 1000 --batch 8 \
        --state "$work/killed.import" --dir "$dir" --key "$creator" >/dev/null 2>&1 &
    sleep "$after"
    { kill -KILL $! && wait $!; } 2>/dev/null || true
done
report=$(as "$creator" collection import "$cards" --name "Interrupted" --cap 1000 --state "$work/killed.import")
all collection edition list "$(jq -r .collection <<<"$report")" >"$work/killed"
same "editions after being killed" "$count" "$(jq -r .reference "$work/killed" | sort -u | wc -l)"
same "editions created twice after being killed" "$count" "$(wc -l <"$work/killed")"
say "after being killed three times, $(jq .created <<<"$report") of $count were left to do, none was made twice"

mapfile -t editions < <(jq -r .id "$work/editions")
for ((from = 0; from < count; from += 256)); do
    mint=()
    for edition in "${editions[@]:from:256}"; do mint+=(--edition "$edition"); done
    as "$creator" card mint "${mint[@]}" >/dev/null
done
same "items issued" "$count" "$(weft collection show "$collection" | jq .issued)"
all card items "$collection" >"$work/items"
same "items" "$count" "$(wc -l <"$work/items")"
say "minted one of each"

mapfile -t items < <(jq -r .id "$work/items" | head -n "$((trades + 3))")
deals=()
for item in "${items[@]:0:trades}"; do
    deals+=("$(as "$creator" card list "$item" --price "$price" --expires 1h | jq -r '.deals[0]')")
done
same "open listings" "$trades" "$(all card deals --collection "$collection" | wc -l)"
same "state of a listed card" locked "$(weft card show "${items[0]}" | jq -r .state)"
balance() { as "$1" account show | jq '.balances[0].amount'; }
before=$(balance "$creator")
for deal in "${deals[@]}"; do
    as "$player" card buy "$deal" >/dev/null
done
same "the seller's income" "$((trades * price))" "$(($(balance "$creator") - before))"
if as "$player" card buy "${deals[0]}" >/dev/null 2>&1; then fail "a deal was taken twice"; fi

# An offer for any card of an edition, and a swap of two for one and money.
edition=$(jq -r .edition <<<"$(weft card show "${items[trades]}")")
offer=$(as "$player" card offer --edition "$edition" --price "$price" | jq -r '.deals[0]')
as "$creator" card accept "$offer" --item "${items[trades]}" >/dev/null
swap=$(as "$player" card swap --give "${items[0]}" --give "${items[1]}" --want "${items[trades + 1]}" --want-amount 7 \
    --to "$creator_address" | jq -r '.deals[0]')
as "$creator" card buy "$swap" >/dev/null
# One taken back.
cancelled=$(as "$creator" card list "${items[trades + 2]}" --price "$price" | jq -r '.deals[0]')
as "$creator" card cancel "$cancelled" --wait certified >/dev/null
say "$trades cards listed and bought, an offer accepted, a swap made, a listing cancelled"

genesis=$dir/genesis.json
for item in "${items[@]:2:proofs}"; do
    weft card proof "$item" >"$work/proof.json"
    proven=$("$WEFT" verify "$work/proof.json" --genesis "$genesis" --json)
    same "proven owner" "$player_address" "$(jq -r .object.owner <<<"$proven")"
    # A character of the certificate's signature, and one of the item itself.
    for path in .certificate.signature .value; do
        jq -c "$path |= (.[:20] + (if .[20:21] == \"0\" then \"1\" else \"0\" end) + .[21:])" "$work/proof.json" >"$work/forged.json"
        code=0
        "$WEFT" verify "$work/forged.json" --genesis "$genesis" >/dev/null 2>&1 || code=$?
        same "exit code for a proof with another $path" 5 "$code"
    done
done
say "$proofs proofs hold offline, and none with a character changed"

same "cards of the player" "$trades" "$(all account items "$player_address" | wc -l)"
same "cards of the creator" "$((count - trades))" "$(all account items "$creator_address" | jq -r 'select(.collection == "'"$collection"'") | .id' | wc -l)"
same "open deals" 0 "$(all card deals --collection "$collection" | wc -l)"
same "editions at the end" "$count" "$(weft collection show "$collection" | jq .editions)"
say "all counts are right"

# It ends with another code when anything was made or lost, or the nodes differ.
report=$(weft testnet load --mix steve --collection "$collection" --rate "$rate" --duration "$trade")
same "trades that were not committed" 0 "$(jq '.offered - .committed' <<<"$report")"
same "editions after the trades" "$count" "$(weft collection show "$collection" | jq .editions)"
say "players traded all $count editions: $(jq -c '{committed, tps, latency_ms}' <<<"$report")"
