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
        found = computed(pattern, LENGTHS, TILE, q, tiles, WARPS)
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
    tiles = [0, 7, 8, 10]
    middle = (plain, masked)
    assert computed(pattern, (256, 256), (32, 16), 4, tiles, 2) == (both, left, middle, right)
    assert computed(pattern, (256, 256), (32, 16), 4, [6, 11], 2) == ((none, none),) * 2
    assert computed(pattern, (256, 256), (32, 8), 4, [14, 15], 2) == (left, left)
