"""The masks of the benchmark, three times each: the compiler's text, a mask_mod for
FlexAttention, and the number of live pairs.

The tests compare all three with each other and with the formulas of the numerics
tests, pair by pair.
"""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch

import draws

# mask_mod(batch, head, i, j): may the query at i attend the key at j? On scalars
# under FlexAttention's vmap, on broadcast positions in our own checks.
MaskMod = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
# make(n, heads, device); n is the number of queries and of keys.
MaskModMaker = Callable[[int, int, torch.device], MaskMod]


@dataclasses.dataclass(frozen=True)
class Pattern:
    """One mask, for any length."""

    name: str
    title: str
    mask: str
    make_mask_mod: MaskModMaker
    count_head: Callable[[int], int]
    is_causal: bool = False
    differs_by_head: bool = False
    # What an implementation of this very pattern has to know.
    parameters: dict[str, int] = dataclasses.field(default_factory=dict, hash=False)

    def live_pairs(self, n: int, heads: int) -> int:
        """Of all query heads of one batch: no mask has more in one head than in
        another, as BigBird never draws the last block, which may be short."""
        return heads * self.count_head(n)

    def density(self, n: int) -> float:
        return self.count_head(n) / n**2


def _rows(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.int64)


def _stateless(allowed: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> MaskModMaker:
    def make(n: int, heads: int, device: torch.device) -> MaskMod:
        return lambda b, h, i, j: allowed(i, j)

    return make


def dense() -> Pattern:
    return Pattern(
        "dense",
        "dense",
        "#sparse_attn.full",
        _stateless(lambda i, j: (i >= 0) & (j >= 0)),
        lambda n: n * n,
    )


def causal() -> Pattern:
    return Pattern(
        "causal",
        "causal",
        "#sparse_attn.causal",
        _stateless(lambda i, j: j <= i),
        lambda n: n * (n + 1) // 2,
        is_causal=True,
    )


def causal_window(width: int) -> Pattern:
    """`width` keys, the query's own among them."""
    return Pattern(
        f"window{width}",
        f"causal window {width}",
        f"#sparse_attn.sliding_window<left = {width - 1}, right = 0>",
        _stateless(lambda i, j: (j <= i) & (i - j < width)),
        lambda n: int(np.minimum(_rows(n) + 1, width).sum()),
        is_causal=True,
    )


def window(reach: int) -> Pattern:
    """`reach` keys to either side of the query's own."""
    def count(n: int) -> int:
        last = np.minimum(_rows(n) + reach, n - 1)
        return int((last - np.maximum(_rows(n) - reach, 0) + 1).sum())

    return Pattern(
        f"near{reach}",
        f"window of {reach} to either side",
        f"#sparse_attn.sliding_window<left = {reach}, right = {reach}>",
        _stateless(lambda i, j: (i - j).abs() <= reach),
        count,
    )


def documents(lengths: Sequence[int]) -> Pattern:
    """Tokens see those of their own document; documents follow each other, `n` is their sum."""
    ends = list(itertools.accumulate(lengths))

    def member(begin: int, end: int) -> str:
        sides = [f"#sparse_attn.global<first = {end}, direction = rows>",
                 f"#sparse_attn.prefix<length = {end}>"]
        if begin > 0:
            sides += [f"#sparse_attn.complement<#sparse_attn.global<first = {begin},"
                      " direction = rows>>",
                      f"#sparse_attn.complement<#sparse_attn.prefix<length = {begin}>>"]
        return f"#sparse_attn.intersection<{', '.join(sides)}>"

    def make(n: int, heads: int, device: torch.device) -> MaskMod:
        last = torch.tensor(ends, device=device)

        def number(positions: torch.Tensor) -> torch.Tensor:
            return torch.searchsorted(last, positions, right=True)

        return lambda b, h, i, j: number(i) == number(j)

    members = ", ".join(map(member, [0, *ends], ends))
    return Pattern(
        f"documents{len(lengths)}",
        f"{len(lengths)} documents of {min(lengths)} to {max(lengths)}",
        f"#sparse_attn.union<{members}>",
        make,
        lambda n: sum(length * length for length in lengths),
    )


def _with_global_token(window: Callable[[np.ndarray, int], np.ndarray], reach: int, n: int) -> int:
    """Live pairs of a window and the global token 0: row 0 and column 0 add what
    the window, which sees position 0 from `reach(…)` rows, has not already."""
    inside = int(window(_rows(n), n).sum())
    return inside + 2 * (n - reach)


def longformer(width: int) -> Pattern:
    half = width // 2

    def count(n: int) -> int:
        def window(i: np.ndarray, n: int) -> np.ndarray:
            return np.minimum(i + half, n - 1) - np.maximum(i - half, 0) + 1

        return _with_global_token(window, min(half + 1, n), n)

    return Pattern(
        "longformer",
        f"Longformer {width} + 1 global",
        f"#sparse_attn.longformer<window = {width}, global_tokens = [0]>",
        _stateless(lambda i, j: ((i - j).abs() <= half) | (i == 0) | (j == 0)),
        count,
        parameters={"window": width},
    )


def dilated(steps: int, dilation: int) -> Pattern:
    """`steps` keys to either side, `dilation` apart, and the global token 0."""
    mask = (
        f"#sparse_attn.union<#sparse_attn.sliding_window<left = {steps}, right = {steps},"
        f" dilation = {dilation}>, #sparse_attn.global<tokens = [0]>>"
    )

    def allowed(i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        distance = (i - j).abs()
        near = (distance <= steps * dilation) & (distance % dilation == 0)
        return near | (i == 0) | (j == 0)

    def count(n: int) -> int:
        def window(i: np.ndarray, n: int) -> np.ndarray:
            left = np.minimum(i // dilation, steps)
            return left + np.minimum((n - 1 - i) // dilation, steps) + 1

        reach = min(steps, (n - 1) // dilation) + 1
        return _with_global_token(window, reach, n)

    title = f"dilated window 2·{steps}/{dilation} + 1 global"
    return Pattern("dilated", title, mask, _stateless(allowed), count)


def bigbird(block: int, window_blocks: int, random_blocks: int, seed: int = 0) -> Pattern:
    radius = (window_blocks - 1) // 2

    def make(n: int, heads: int, device: torch.device) -> MaskMod:
        num_blocks = -(-n // block)
        table = draws.bigbird_blocks(heads, num_blocks, random_blocks, radius, seed)
        # One table a draw: compiled indexing takes tensors only, no constant.
        drawn = [torch.from_numpy(table[:, :, t].copy()).to(device)
                 for t in range(random_blocks)]
        last = num_blocks - 1

        def mask_mod(
            b: torch.Tensor, h: torch.Tensor, i: torch.Tensor, j: torch.Tensor
        ) -> torch.Tensor:
            row, column = i // block, j // block
            allowed = (row - column).abs() <= radius
            allowed = allowed | (row == 0) | (row == last) | (column == 0) | (column == last)
            for blocks in drawn:  # no reduction can stand in a mask_mod
                allowed = allowed | (blocks[h, row] == column)
            return allowed

        return mask_mod

    def count(n: int) -> int:
        num_blocks = -(-n // block)
        last = num_blocks - 1
        sizes = np.full(num_blocks, block, np.int64)
        sizes[last] = n - last * block
        total = 0
        for row in range(num_blocks):
            if row in (0, last):
                total += int(sizes[row]) * n
                continue
            seen = {0, last, *range(max(row - radius, 0), min(row + radius, last) + 1)}
            drawn = min(random_blocks, num_blocks - len(seen))
            keys = sum(int(sizes[column]) for column in seen) + drawn * block
            total += int(sizes[row]) * keys
        return total

    return Pattern(
        "bigbird",
        f"BigBird {block}/{window_blocks}/{random_blocks}",
        f"#sparse_attn.bigbird<block = {block}, window_blocks = {window_blocks},"
        f" random_blocks = {random_blocks}, seed = {seed}>",
        make,
        count,
        differs_by_head=True,
        parameters={"block": block, "window_blocks": window_blocks,
                    "random_blocks": random_blocks, "seed": seed},
    )


def sparse_transformer_strided(stride: int) -> Pattern:
    return Pattern(
        "st_strided",
        f"Sparse Transformer, strided {stride}",
        f"#sparse_attn.sparse_transformer_strided<stride = {stride}>",
        _stateless(lambda i, j: (j <= i) & ((i - j < stride) | ((i - j) % stride == 0))),
        lambda n: int((np.minimum(_rows(n) + 1, stride) + _rows(n) // stride).sum()),
        is_causal=True,
    )


def sparse_transformer_fixed(stride: int, columns: int) -> Pattern:
    def allowed(i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        return (j <= i) & ((i // stride == j // stride) | (j % stride >= stride - columns))

    return Pattern(
        "st_fixed",
        f"Sparse Transformer, fixed {stride}/{columns}",
        f"#sparse_attn.sparse_transformer_fixed<stride = {stride}, columns = {columns}>",
        _stateless(allowed),
        lambda n: int((_rows(n) % stride + 1 + _rows(n) // stride * columns).sum()),
        is_causal=True,
    )


def streaming(sinks: int, window: int) -> Pattern:
    def count(n: int) -> int:
        near = np.minimum(_rows(n) + 1, window)
        return int((near + np.minimum(_rows(n) + 1 - near, sinks)).sum())

    return Pattern(
        "streaming",
        f"StreamingLLM {sinks} + {window}",
        f"#sparse_attn.streaming<sinks = {sinks}, window = {window}>",
        _stateless(lambda i, j: (j <= i) & ((j < sinks) | (i - j < window))),
        count,
        is_causal=True,
    )


PATTERNS: dict[str, Pattern] = {
    pattern.name: pattern
    for pattern in (
        dense(),
        causal(),
        causal_window(1024),
        causal_window(4096),
        longformer(512),
        bigbird(64, 3, 3),
        sparse_transformer_strided(128),
        sparse_transformer_fixed(128, 32),
        streaming(4, 1024),
        dilated(256, 2),
    )
}

# The same shapes of mask, small enough to be cut by tiles at some hundred tokens.
SMALL_PATTERNS: dict[str, Pattern] = {
    pattern.name: pattern
    for pattern in (
        dense(),
        causal(),
        causal_window(40),
        longformer(32),
        bigbird(16, 3, 2),
        sparse_transformer_strided(16),
        sparse_transformer_fixed(16, 4),
        streaming(4, 40),
        dilated(9, 2),
    )
}
