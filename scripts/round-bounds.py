#!/usr/bin/env python3
"""How fast rounds can be over a table of round trips, and what they can commit directly then.

    scripts/round-bounds.py [testnet/data/regions.csv]

One member a place, one unit of stake each. First the length of a round when each member proposes once a quorum is here.
Then, for a given length, offsets between members are searched (hill climbing from random starts, one seed) so that the
slots of as many members as possible are committed directly (D1, D2), each member linking to what is here in time. The
result of the search is a lower bound on what is possible, not a proof of the best.
"""

import pathlib
import random
import sys

JITTER = 1.03  # links are up to so much slower
STARTS, STEPS = 30, 3000


def one_way(path):
    lines = [l.split(",") for l in pathlib.Path(path).read_text().splitlines() if l and l[0] != "#"]
    table = [[float(x) / 2 for x in line[1:]] for line in lines[1:]]
    return [[0.0 if a == b else d for b, d in enumerate(row)] for a, row in enumerate(table)]


def round_length(links, quorum, rounds=400):
    members = range(len(links))
    at, half = [0.0] * len(links), None
    for r in range(rounds):
        at = [sorted(at[j] + links[j][i] for j in members)[quorum - 1] for i in members]
        if r == rounds // 2:
            half = list(at)
    return sum(a - b for a, b in zip(at, half)) / len(links) / (rounds - 1 - rounds // 2)


def committed(links, quorum, length, offsets):
    """How many slots are committed directly; a fraction says how near the others are."""
    members = range(len(links))
    in_time = lambda j, i: offsets[j] + links[j][i] * JITTER <= offsets[i] + length
    parents = [[j for j in members if in_time(j, i)] for i in members]
    if min(map(len, parents)) < quorum:
        return -1
    holders = [sum(sum(l in parents[j] for j in parents[x]) >= quorum for x in members) for l in members]
    return sum(h >= quorum for h in holders) + sum(min(h, quorum) for h in holders) / 1000


def best(links, quorum, length, rng):
    found = -1
    for _ in range(STARTS):
        offsets = [rng.uniform(0, 50) for _ in links]
        value = committed(links, quorum, length, offsets)
        for _ in range(STEPS):
            other = list(offsets)
            member = rng.randrange(len(links))
            other[member] = max(0.0, min(length, other[member] + rng.gauss(0, 15)))
            trial = committed(links, quorum, length, other)
            if trial >= value:
                offsets, value = other, trial
        found = max(found, value)
    return int(found)


def main():
    default = pathlib.Path(__file__).parent.parent / "testnet/data/regions.csv"
    links = one_way(sys.argv[1] if len(sys.argv) > 1 else default)
    size = len(links)
    quorum = size - (size - 1) // 3
    print(f"{size} members, a quorum of {quorum}: a round takes {round_length(links, quorum):.1f} ms when nobody is waited for")
    rng = random.Random(1)
    for length in (100, 105, 110, 120, 130):
        count = best(links, quorum, length, rng)
        said = f"{count} of {size} slots committed directly" if count >= 0 else "no offsets found that keep them"
        print(f"rounds of {length} ms: {said}; half a round and three are {3.5 * length:.0f} ms", flush=True)


main()
