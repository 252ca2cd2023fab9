#!/usr/bin/env python3
"""How fast rounds can be over a table of round trips, and what they can commit directly then.

    scripts/round-bounds.py [testnet/data/regions.csv]
    scripts/round-bounds.py uniform:50-100

Over links whose delay is drawn for each message nothing can be arranged between members; there the second form shows what a
commit consists of, by how many of ten vertices a round a member waits for. It knows nothing of loss, load and time-outs.

Over a table: one member a place, one unit of stake each. First the length of a round when each member proposes once a quorum is here,
and how long the message takes that completes so many, as a mean over members. Then, for a given length, offsets between
members are searched (hill climbing from random starts, one seed) so that the slots of as many members as possible are
committed directly (D1, D2), each member linking to what is here in time. The result of the search is a lower bound on
what is possible, not a proof of the best.
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


def uniform(low, high, size=10, rounds=400):
    rng = random.Random(1)
    quorum, members = size - (size - 1) // 3, range(size)
    print(f"{size} members that all lead, a quorum of {quorum}, delays of {low:.0f} to {high:.0f} ms")
    for wanted in range(quorum, size + 1):
        made, came, parents = [[0.0] * size], [], []  # by round: when, at whom when, from whom what was there
        for r in range(rounds):
            came.append([[made[r][a] + (rng.uniform(low, high) if a != b else 0.0) for a in members] for b in members])
            made.append([sorted(came[r][b])[wanted - 1] for b in members])
            parents.append([{a for a in members if came[r][b][a] <= made[r + 1][b]} for b in members])
        direct, decided = [], []  # by round and leader, at member 0
        for r in range(rounds - 2):
            holds = lambda x, v: sum(v in parents[r][j] for j in parents[r + 1][x]) >= quorum
            when = [sorted(came[r + 2][0][x] for x in members if holds(x, v)) for v in members]
            direct.append([w[quorum - 1] if len(w) >= quorum else None for w in when])
        for slots in reversed(direct):  # what is not decided directly waits for the first slot three rounds above
            anchor = decided[2][0] if len(decided) > 2 else 0.0
            decided.insert(0, [anchor if at is None else at for at in slots])
        latest, waits = 0.0, []
        for r, slots in enumerate(decided[: -rounds // 4]):
            for v, at in enumerate(slots):
                latest = max(latest, at)
                waits.append(latest - made[r][v])
        length = sum(made[-1]) / size / rounds
        median = lambda l: sorted(l)[len(l) // 2]
        last = median([t - made[r + 2][0] for r, s in enumerate(direct) for t in s if t is not None])
        part = sum(t is not None for s in direct for t in s) / len(direct) / size
        print(
            f"waiting for {wanted}: rounds of {length:.1f} ms, {100 * part:.0f} % of the slots decided directly; half a round, two"
            f" and the last message ({last:.0f}) are {2.5 * length + last:.0f} ms, in order {length / 2 + median(waits):.0f}"
        )


def main():
    if len(sys.argv) > 1 and sys.argv[1].startswith("uniform:"):
        return uniform(*map(float, sys.argv[1].removeprefix("uniform:").split("-")))
    default = pathlib.Path(__file__).parent.parent / "testnet/data/regions.csv"
    links = one_way(sys.argv[1] if len(sys.argv) > 1 else default)
    size = len(links)
    quorum = size - (size - 1) // 3
    print(f"{size} members, a quorum of {quorum}: a round takes {round_length(links, quorum):.1f} ms when nobody is waited for")
    arrive = [sorted(links[j][i] for j in range(size)) for i in range(size)]
    means = [f"the {n}th {sum(a[n - 1] for a in arrive) / size:.0f} ms" for n in range(quorum, size + 1)]
    print(f"vertices of one moment arrive, the own one first: {', '.join(means)} later")
    rng = random.Random(1)
    for length in (100, 105, 110, 120, 130):
        count = best(links, quorum, length, rng)
        said = f"{count} of {size} slots committed directly" if count >= 0 else "no offsets found that keep them"
        print(f"rounds of {length} ms: {said}; half a round and three are {3.5 * length:.0f} ms", flush=True)


main()
