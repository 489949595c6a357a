"""What the warps of a block do with a key tile, as kernels tell it from the mask's bounds: those
compute that have a row between the first and the last one with a live pair in it, and those
mask that have a pair that is not live.
"""

import functools
from collections.abc import Sequence

import torch

from patterns import MaskMod, Pattern
from replay.flow import Work

# Of each iteration of a loop, what each warp does in it.
Computed = tuple[tuple[Work, ...], ...]


@functools.cache
def _mask_mod(pattern: Pattern, keys: int) -> MaskMod:
    return pattern.make_mask_mod(keys, 1, torch.device("cpu"))


@functools.cache
def _works(pattern: Pattern, lengths: tuple[int, int], tile: tuple[int, int], own: range,
           key: int, warps: int) -> tuple[Work, ...]:
    """`lengths` are of queries and keys; the key tile begins at `key`."""
    queries, keys = lengths
    rows = torch.arange(own.start, own.stop) + keys - queries
    columns = torch.arange(min(key, keys), min(key + tile[1], keys))
    zero = torch.zeros((), dtype=torch.int64)
    live = _mask_mod(pattern, keys)(zero, zero, rows[:, None], columns[None])
    found = torch.nonzero(live.any(dim=1)).flatten().tolist()
    reached = range(found[0], found[-1] + 1) if found else range(0)
    share = tile[0] // warps
    works = []
    for first in range(0, tile[0], share):
        of_warp = live[first:first + share]
        is_whole = of_warp.shape == (share, tile[1]) and bool(of_warp.all())
        reaches = reached.start < first + share and reached.stop > first
        works.append(Work.NONE if not reaches else Work.PLAIN if is_whole else Work.MASKED)
    return tuple(works)


def computed(pattern: Pattern, lengths: tuple[int, int], tile: tuple[int, int], rows: range,
             keys: Sequence[int], warps: int) -> Computed:
    """Of the iterations over the tiles that begin at `keys`; warps share the slots of the
    query tile, which has these rows, in their order."""
    return tuple(_works(pattern, lengths, tile, rows, key, warps) for key in keys)
