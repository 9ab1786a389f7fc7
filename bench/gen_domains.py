#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes realistic-looking domain names and request mixes: the same ones for the same seed.

    gen_domains.py list 1000000 > list.txt
    gen_domains.py mix 1000000 500000 > requests.txt    # half of them on the list or below it
"""
import itertools
import random
import sys

SEED = 20260101
ONSETS = "b c d f g h j k l m n p r s t v w z br ch cl cr dr fl gr pl pr sh sl st th tr".split()
VOWELS = "a e i o u ai ea ee ia io oo ou".split()
CODAS = ["", "", "", "n", "r", "s", "t", "l", "m", "ck", "ng", "x"]
TLDS = [("com", 48), ("net", 9), ("org", 8), ("de", 5), ("co.uk", 5), ("info", 4), ("ru", 4),
        ("xyz", 4), ("online", 3), ("top", 3), ("fr", 2), ("nl", 2), ("io", 2), ("shop", 1)]
BELOW = ["www", "m", "cdn", "api", "img1", "static.assets", "login", "eu.edge.media"]
SHARE_LISTED = 0.5
SHARE_BELOW = 0.5   # of the requests, those for a name below the one drawn
SHARE_DEEP = 0.15   # of the list, entries that are not registrable domains themselves


def _label(rng):
    syllables = rng.choices((2, 3, 4), (50, 40, 10))[0]
    text = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
                   for _ in range(syllables))
    extra = rng.random()
    if extra < 0.08:
        text += str(rng.randrange(1, 1000))
    elif extra < 0.16:
        text += "-" + rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
    return text


def names(seed=SEED):
    """Distinct names, without end."""
    rng = random.Random(seed)
    tlds = [name for name, _ in TLDS]
    weights = list(itertools.accumulate(weight for _, weight in TLDS))
    seen = set()
    while True:
        name = _label(rng) + "." + rng.choices(tlds, cum_weights=weights)[0]
        if rng.random() < SHARE_DEEP:
            name = rng.choice(BELOW) + "." + name
        if name not in seen:
            seen.add(name)
            yield name


def listed(count):
    """The blocklist: `count` names."""
    return list(itertools.islice(names(), count))


def covered(block_set, name):
    """Whether the name or one above it is on the list."""
    labels = name.split(".")
    return any(".".join(labels[i:]) in block_set for i in range(len(labels)))


def unlisted(block_list, count):
    """`count` names that are neither on the list nor below a name on it."""
    block_set = set(block_list)
    result = []
    for name in names(SEED + 1):
        if covered(block_set, name):
            continue
        result.append(name)
        if len(result) == count:
            return result
    return result


def mix(block_list, count):
    """Host names of requests, half of which the list covers."""
    rng = random.Random(SEED + 2)
    clean = unlisted(block_list, max(1, count // 4))
    result = []
    for _ in range(count):
        name = rng.choice(block_list if rng.random() < SHARE_LISTED else clean)
        if rng.random() < SHARE_BELOW:
            name = rng.choice(BELOW) + "." + name
        result.append(name)
    return result


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "list":
        lines = listed(int(arguments[1]))
    elif len(arguments) == 3 and arguments[0] == "mix":
        lines = mix(listed(int(arguments[1])), int(arguments[2]))
    else:
        sys.exit(__doc__)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
