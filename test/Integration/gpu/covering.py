"""Few combinations of parameters that hold every two values together."""

import itertools
import random


def pairs(row):
    """The (factor, value, factor, value) that a combination holds."""
    return {
        (*first, *second) for first, second in itertools.combinations(row.items(), 2)
    }


def covering(factors, is_allowed=lambda row: True, tries=60, seed=0):
    """Combinations, one value a factor, in which every pair of values of two
    factors appears that an allowed combination can hold.

    Greedy: the next combination is the one of `tries` random completions of a
    pair still missing that holds most of those missing.
    """
    generator = random.Random(seed)
    missing = [
        (first, x, second, y)
        for first, second in itertools.combinations(factors, 2)
        for x in factors[first]
        for y in factors[second]
    ]
    missing = dict.fromkeys(missing)  # an ordered set
    chosen = []
    while missing:
        first, x, second, y = next(iter(missing))
        best, gain = None, 0
        for _ in range(tries):
            row = {name: generator.choice(values) for name, values in factors.items()}
            row |= {first: x, second: y}
            held = len(pairs(row) & missing.keys())
            if held > gain and is_allowed(row):
                best, gain = row, held
        if best is None:  # nothing allowed holds this pair
            del missing[(first, x, second, y)]
            continue
        chosen.append(best)
        for pair in pairs(best):
            missing.pop(pair, None)
    return chosen
