"""BigBird's random blocks, for all heads and row blocks at once.

The draw of docs/Patterns.md ("Random blocks"), written for whole arrays: a million
tokens have half a million rows of blocks.
"""

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


def splitmix64(x: Words) -> Words:
    """The mixing function; numpy's arrays wrap modulo 2^64 as it asks."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def bigbird_blocks(
    heads: int, num_blocks: int, count: int, radius: int, seed: int
) -> npt.NDArray[np.int32]:
    """[heads, num_blocks, count]: the key blocks drawn for each row block.

    -1 where nothing is drawn: for the first and the last row block, and where no
    block is left to draw.
    """
    rows = np.arange(num_blocks)
    visible = [rows * 0, rows * 0 + num_blocks - 1]
    visible += [rows + step for step in range(-radius, radius + 1)]
    # Sorted columns, each number once; what is out of range or double goes last.
    none = num_blocks
    excluded = np.sort(np.stack(visible, axis=1), axis=1)
    excluded[(excluded < 0) | (excluded >= num_blocks)] = none
    excluded[:, 1:][excluded[:, 1:] == excluded[:, :-1]] = none
    excluded = np.broadcast_to(np.sort(excluded, axis=1), (heads, *excluded.shape))

    start = splitmix64(np.full(1, seed, np.uint64))
    key = splitmix64(start ^ np.arange(heads, dtype=np.uint64))
    key = splitmix64(key[:, None] ^ rows.astype(np.uint64))
    drawn = np.full((heads, num_blocks, count), -1, np.int32)
    for t in range(count):
        left = num_blocks - (excluded < none).sum(axis=2)
        u = splitmix64(key ^ np.uint64(t)) >> np.uint64(32)
        pick = ((u * left.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
        # The x-th free block: each taken one at or below it moves it up by one.
        for column in range(excluded.shape[2]):
            pick += pick >= excluded[:, :, column]
        pick[left == 0] = none
        drawn[:, :, t] = np.where(left > 0, pick, -1)
        excluded = np.sort(np.concatenate([excluded, pick[..., None]], axis=2), axis=2)
    drawn[:, [0, num_blocks - 1]] = -1
    return drawn
