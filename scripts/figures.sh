#!/usr/bin/env bash
# Makes the simulated figures of README.md, docs/adr and docs/costs.md anew: where each stands, its command, and what it
# gives. The same on every machine, but for processor time; some twenty minutes on one core, most of them for costs.md.
#
#   scripts/figures.sh [--nodes 10]      all of them, or those whose place or command has these words in it
#
# Means over the seeds from --seed on, --runs of them: submit to committed p50 / p90 / p99 in ms, leader to committed p50
# in mean delays, MB sent a node, then what only some runs have: times that a transaction was ordered again, and the most
# rounds that one took (with copies or censors); partitions; p50 and p90 of each seed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
WEFT=${WEFT:-${CARGO_TARGET_DIR:-target}/release/weft}
only=$*

show='def mean(f): (map(f) | add / length);
def each(f): (map(f | round | tostring) | join(", "));
"\(mean(.transaction_latency_ms.p50) | round) / \(mean(.transaction_latency_ms.p90) | round) / \(mean(.transaction_latency_ms.p99) | round) ms, "
+ "\(mean(.commit_latency_delays.p50) * 100 | round / 100) delays, \(mean(.bytes_sent_per_node) / 100000 | round / 10) MB"
+ (if any(.transaction_rounds_max) then
    ", again \(mean(.duplicates) * 10000 | round / 10000), rounds \(map(.transaction_rounds_max // 0) | max)" else "" end)
+ (map(.partitions[]?) | if . == [] then "" else
    ", \(map(.commits) | add) commits during partitions, the next one \(map(.heal_to_commit_ms) | max) ms after the heal" end)
+ (if length > 1 then "; p50 \(each(.transaction_latency_ms.p50)), p90 \(each(.transaction_latency_ms.p90))" else "" end)'

figure() { # figure PLACE RUNS ARGUMENT...
    local place=$1 runs=$2 seed
    shift 2
    local said="weft sim --signer mock $* --seed 1"
    ((runs == 1)) || said+=" --runs $runs"
    [[ "$place: $said" == *"$only"* ]] || return 0
    for ((seed = 1; seed <= runs; seed++)); do
        # Exit codes say that a rule was broken, or that there was no agreement: then there is no figure.
        "$WEFT" sim --signer mock "$@" --seed "$seed" --json
    done | jq -rs --arg head "$place: $said" '"\($head)\n    " + ('"$show"')'
}
other() { # other PLACE COMMAND...
    local place=$1
    shift
    [[ "$place: $*" == *"$only"* ]] || return 0
    echo "$place: $*"
    "$@" | sed 's/^/    /'
}

for delays in "" "--two-delay 20"; do
    # shellcheck disable=SC2086 # two words
    {
        for faults in "" loss:1/1; do
            figure README 3 --nodes 10 --latency uniform:50-100 ${faults:+--faults $faults} $delays
        done
        for faults in "" crash:1 crash:3 loss:1/1; do
            figure README 3 --nodes 10 --latency regions ${faults:+--faults $faults} $delays
        done
        for faults in "" crash:5 crash:16 loss:1/3; do
            figure README 1 --nodes 50 --latency regions ${faults:+--faults $faults} $delays
        done
        for faults in "" crash:10 crash:33; do
            figure README 1 --nodes 100 --latency regions --duration 10s ${faults:+--faults $faults} $delays
        done
        for latency in uniform:50-100 regions; do
            figure README 1 --nodes 10 --latency $latency --faults partition@10s+30s --duration 60s $delays
        done
    }
done
other README "$WEFT" sim --compare crimes --nodes 10 --rounds 300 --rate 100 --signer mock --seed 1
other README "$WEFT" sim --compare crimes --nodes 10 --rounds 300 --rate 100 --signer mock --seed 1 --runs 5 --latency regions
other README "$WEFT" sim --nodes 50 --latency regions --faults loss:1/3 --signer mock --seed 1
for runs in 16 112; do
    other simulator.md "$WEFT" sim --nodes 7 --rounds 200 --signer mock --rate 10 --latency uniform:20-60 --runs $runs
done

for row in uniform:50-100 regions regions:crash:1 regions:crash:3 regions:equivocate:3 regions:withhold:3; do
    faults=${row#regions} latency=${row/%regions:*/regions}
    [[ $faults != "$row" ]] || faults=
    for leaders in "--leaders 2" ""; do
        # shellcheck disable=SC2086 # two words
        figure leaders-per-round.md 1 --nodes 10 --latency "$latency" ${faults:+--faults ${faults#:}} $leaders
    done
done
other leaders-per-round.md scripts/round-bounds.py
other leaders-per-round.md scripts/round-bounds.py uniform:50-100

for latency in uniform:50-100 regions; do
    for faults in "" crash:1 crash:3; do
        for delays in "" "--two-delay 20"; do
            # shellcheck disable=SC2086 # two words
            figure two-delay-commit.md 1 --nodes 10 --latency $latency ${faults:+--faults $faults} $delays
        done
    done
done
figure two-delay-commit.md 1 --nodes 10 --latency regions --two-delay 20 --duration 60s
figure two-delay-commit.md 1 --nodes 10 --latency regions --two-delay 20 --leaders 2
figure two-delay-commit.md 3 --nodes 50 --latency regions --two-delay 20 --duration 10s
for delays in "" "--two-delay 20"; do
    # shellcheck disable=SC2086 # two words
    figure two-delay-commit.md 1 --nodes 50 --latency regions --faults crash:16 $delays
done

for latency in uniform:50-100 regions; do
    for faults in "" withhold:3; do
        figure withheld-vertices.md 5 --nodes 10 --latency $latency --rounds 300 ${faults:+--faults $faults}
    done
done
for seconds in 5 10 20 40; do
    figure withheld-vertices.md 3 --nodes 10 --latency regions --duration ${seconds}s --faults withhold:3
done
for nodes in 4 7 10; do
    f=$(((nodes - 1) / 3))
    for rounds in 300 1000; do
        for faults in "" crash:$f withhold:$f; do
            figure withheld-vertices.md 3 --nodes $nodes --latency regions --rounds $rounds ${faults:+--faults $faults}
        done
    done
done

for nodes in 4 10; do
    f=$(((nodes - 1) / 3))
    for faults in "" "--faults censor:$f"; do
        for copies in $(printf '%s\n' 1 2 $((f + 1)) $nodes | sort -nu); do
            # shellcheck disable=SC2086 # two words
            figure proposers.md 3 --nodes $nodes --copies "$copies" $faults
        done
    done
done
figure proposers.md 3 --nodes 10 --latency regions
figure proposers.md 3 --nodes 10 --latency regions --copies 4
figure proposers.md 3 --nodes 10 --latency regions --copies 4 --faults censor:3

other costs.md "$WEFT" sim --compare sizes --duration 5s --rate 100 --latency regions --seed 1
