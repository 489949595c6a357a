"""Which warps compute with a tile, against the masks pair by pair."""

import pytest
import torch

from patterns import SMALL_PATTERNS
from reach import computed
from replay.flow import Work

LENGTHS, TILE, WARPS = (128, 160), (32, 16), 2


@pytest.mark.parametrize("name", ["dense", "causal", "window40", "longformer", "streaming"])
def test_warps_compute_between_rows_with_live_pairs_and_mask_others(name):
    pattern = SMALL_PATTERNS[name]
    queries, keys = LENGTHS
    i = torch.arange(queries)[:, None] + keys - queries
    j = torch.arange(keys)[None]
    zero = torch.zeros((), dtype=torch.int64)
    live = pattern.make_mask_mod(keys, 1, torch.device("cpu"))(zero, zero, i, j)
    tiles = range(keys // TILE[1])
    for q in range(queries // TILE[0]):
        rows = range(q * TILE[0], (q + 1) * TILE[0])
        found = computed(pattern, LENGTHS, TILE, rows, [TILE[1] * tile for tile in tiles], WARPS)
        assert len(found) == len(tiles)
        for tile, warps in zip(tiles, found):
            block = live[q * TILE[0]:(q + 1) * TILE[0], tile * TILE[1]:(tile + 1) * TILE[1]]
            rows = torch.nonzero(block.any(dim=1)).flatten().tolist()
            between = range(min(rows, default=0), max(rows, default=-1) + 1)
            for first, work in zip((0, 16), warps):
                if not {*between} & {*range(first, first + 16)}:
                    assert work == Work.NONE
                else:
                    plain = bool(block[first:first + 16].all())
                    assert work == (Work.PLAIN if plain else Work.MASKED)


def test_at_the_edges_of_longformers_window_warps_take_turns():
    pattern = SMALL_PATTERNS["longformer"]  # 16 keys to either side, and the first token
    masked, plain, none = Work.MASKED, Work.PLAIN, Work.NONE
    both, left, right = (masked, masked), (masked, none), (none, masked)
    keys, rows = [0, 112, 128, 160], range(128, 160)
    middle = (plain, masked)
    assert computed(pattern, (256, 256), (32, 16), rows, keys, 2) == (both, left, middle, right)
    assert computed(pattern, (256, 256), (32, 16), rows, [96, 176], 2) == ((none, none),) * 2
    assert computed(pattern, (256, 256), (32, 8), rows, [112, 120], 2) == (left, left)
    # A query tile of a table has fewer rows, and tiles of keys begin anywhere.
    assert computed(pattern, (256, 256), (32, 16), range(130, 140), [125], 2) == (left,)
