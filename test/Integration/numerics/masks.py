"""The masks, written once more: NumPy formulas over positions (docs/Patterns.md).

Nothing here is derived from the C++ code, so that an error would have to be made
twice to go unseen.
"""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np


class Length(int):
    """N, with what masks read of the sequence: `documents`, an id of each position
    from `first` on, and `global_tokens`, positions."""

    documents: np.ndarray | None = None
    first: int = 0
    global_tokens: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Mask:
    """A mask attribute's text, and what it allows: allowed(i, j, head, n).

    i [Sq, 1] and j [1, Sk] are absolute positions, n = Sk.
    """

    text: str
    allowed: Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]

    def matrix(
        self, queries, keys, head, documents=None, query=None, key=0, global_tokens=None
    ):
        """Of rows from position `query` on, by default where the last one stands at
        that of the last key, and keys from position `key` on."""
        if query is None:
            query = key + keys - queries
        i = np.arange(queries)[:, None] + query
        j = np.arange(keys)[None, :] + key
        n = Length(key + keys)
        n.documents, n.first, n.global_tokens = documents, key, global_tokens
        pairs = self.allowed(i, j, head, n)
        return np.broadcast_to(pairs, (queries, keys))


def _mask(name, parameters, allowed):
    listed = ", ".join(f"{key} = {value}" for key, value in parameters.items())
    return Mask(f"#sparse_attn.{name}" + (f"<{listed}>" if listed else ""), allowed)


# Primitives

full = _mask("full", {}, lambda i, j, h, n: (i == i) & (j == j))
causal = _mask("causal", {}, lambda i, j, h, n: j <= i)


def sliding_window(left, right, dilation=1, block=1):
    parameters = {"left": left, "right": right}
    if dilation != 1:
        parameters["dilation"] = dilation
    if block != 1:
        parameters["block"] = block

    def allowed(i, j, h, n):
        if block != 1:
            distance = j // block - i // block
        else:
            distance = (j - i) / dilation
        inside = distance == np.floor(distance)
        if left != "unbounded":
            inside = inside & (distance >= -left)
        if right != "unbounded":
            inside = inside & (distance <= right)
        return inside

    return _mask("sliding_window", parameters, allowed)


def global_(tokens=(), first=0, last=0, direction="both"):
    parameters = {"tokens": list(tokens)} if tokens else {}
    parameters |= {"first": first} if first else {}
    parameters |= {"last": last} if last else {}
    parameters |= {"direction": direction} if direction != "both" else {}

    def allowed(i, j, h, n):
        # Positions outside [0, n) are never global.
        chosen = {t % n for t in tokens if -n <= t < n}
        chosen |= set(range(first)) | set(range(n - last, n))
        rows, columns = np.isin(i, list(chosen)), np.isin(j, list(chosen))
        rows, columns = rows | (j != j), columns | (i != i)
        return {"both": rows | columns, "rows": rows, "columns": columns}[direction]

    return _mask("global", parameters, allowed)


def chunked(size):
    return _mask("chunked", {"size": size}, lambda i, j, h, n: i // size == j // size)


def _same_document(i, j, h, n):
    def ids(positions):
        slots = positions - n.first
        exists = (slots >= 0) & (positions < n)
        return np.where(exists, n.documents[np.clip(slots, 0, n - n.first - 1)], -1)

    return (ids(i) == ids(j)) & (ids(i) >= 0)


document = _mask("document", {}, _same_document)


def listed(direction="both"):
    def allowed(i, j, h, n):
        chosen = n.global_tokens[(n.global_tokens >= 0) & (n.global_tokens < n)]
        rows, columns = np.isin(i, chosen), np.isin(j, chosen)
        rows, columns = rows | (j != j), columns | (i != i)
        return {"both": rows | columns, "rows": rows, "columns": columns}[direction]

    parameters = "listed" if direction == "both" else f"listed, direction = {direction}"
    return Mask(f"#sparse_attn.global<{parameters}>", allowed)


def strided(stride):
    return _mask("strided", {"stride": stride}, lambda i, j, h, n: (i - j) % stride == 0)


def prefix(length):
    return _mask("prefix", {"length": length}, lambda i, j, h, n: (j < length) & (i == i))


def periodic_columns(period, last):
    return _mask(
        "periodic_columns",
        {"period": period, "last": last},
        lambda i, j, h, n: (j % period >= period - last) & (i == i),
    )


def periodic_rows(period, last):
    return _mask(
        "periodic_rows",
        {"period": period, "last": last},
        lambda i, j, h, n: (i % period >= period - last) & (j == j),
    )


# Random blocks

_WORD = (1 << 64) - 1


def _splitmix64(x):
    z = (x + 0x9E3779B97F4A7C15) & _WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def draw_blocks(count, seed, head, row_block, num_blocks, excluded):
    """The blocks drawn for a row block, none of them among `excluded`."""
    key = _splitmix64(_splitmix64(_splitmix64(seed) ^ head) ^ row_block)
    free = [block for block in range(num_blocks) if block not in excluded]
    drawn = []
    for t in range(count):
        if not free:
            break
        u = _splitmix64(key ^ t) >> 32
        drawn.append(free.pop((u * len(free)) >> 32))
    return drawn


def _drawn(i, j, block, drawn_for):
    """Allows the key blocks drawn_for(I) of each row block I that has keys."""
    rows = [
        np.isin(j // block, drawn_for(position // block))
        if position >= 0
        else np.zeros_like(j, dtype=bool)
        for position in i[:, 0].tolist()
    ]
    return np.concatenate(rows, axis=0)


def random(block, blocks_per_row, seed=0, per_head=True):
    parameters = {"block": block, "blocks_per_row": blocks_per_row}
    parameters |= {"seed": seed} if seed else {}
    parameters |= {} if per_head else {"per_head": "false"}

    def allowed(i, j, h, n):
        num_blocks = -(-n // block)
        return _drawn(
            i, j, block,
            lambda row_block: draw_blocks(
                blocks_per_row, seed, h if per_head else 0, row_block, num_blocks, ()
            ),
        )

    return _mask("random", parameters, allowed)


# Combinators


def union(*masks):
    return Mask(
        f"#sparse_attn.union<{', '.join(mask.text for mask in masks)}>",
        lambda *at: np.logical_or.reduce([mask.allowed(*at) for mask in masks]),
    )


def intersection(*masks):
    return Mask(
        f"#sparse_attn.intersection<{', '.join(mask.text for mask in masks)}>",
        lambda *at: np.logical_and.reduce([mask.allowed(*at) for mask in masks]),
    )


def complement(mask):
    return Mask(
        f"#sparse_attn.complement<{mask.text}>", lambda *at: ~mask.allowed(*at)
    )


def rectangle(rows, keys):
    """Rows and keys of two ranges (begin, end)."""
    parts = [global_(first=rows[1], direction="rows"), prefix(keys[1])]
    if rows[0] > 0:
        parts.append(complement(global_(first=rows[0], direction="rows")))
    if keys[0] > 0:
        parts.append(complement(prefix(keys[0])))
    return intersection(*parts)


def documents(*lengths):
    """Tokens see those of their own document, which follow each other from 0 on."""
    ends = list(itertools.accumulate(lengths))
    ranges = list(zip([0, *ends], ends))
    return union(*(rectangle(tokens, tokens) for tokens in ranges))


# Presets, each from its paper's definition


def longformer(window, global_tokens=()):
    parameters = {"window": window}
    parameters |= {"global_tokens": list(global_tokens)} if global_tokens else {}

    def allowed(i, j, h, n):
        # Positions outside [0, n) are never global.
        tokens = [t % n for t in global_tokens if -n <= t < n]
        return (abs(i - j) <= window // 2) | np.isin(i, tokens) | np.isin(j, tokens)

    return _mask("longformer", parameters, allowed)


def bigbird(block, window_blocks, random_blocks, seed=0):
    parameters = {
        "block": block,
        "window_blocks": window_blocks,
        "random_blocks": random_blocks,
        "seed": seed,
    }

    def allowed(i, j, h, n):
        last = -(-n // block) - 1
        reach = (window_blocks - 1) // 2

        def drawn_for(row_block):
            if row_block in (0, last):
                return []
            window = range(row_block - reach, row_block + reach + 1)
            excluded = {0, last, *window}
            return draw_blocks(random_blocks, seed, h, row_block, last + 1, excluded)

        row, column = i // block, j // block
        return (
            (abs(row - column) <= reach)
            | np.isin(row, [0, last])
            | np.isin(column, [0, last])
            | _drawn(i, j, block, drawn_for)
        )

    return _mask("bigbird", parameters, allowed)


def prefix_lm(length):
    return _mask(
        "prefix_lm", {"length": length}, lambda i, j, h, n: (j <= i) | (j < length)
    )


def streaming(sinks, window):
    return _mask(
        "streaming",
        {"sinks": sinks, "window": window},
        lambda i, j, h, n: (j <= i) & ((j < sinks) | (i - j < window)),
    )


def sparse_transformer_strided(stride):
    return _mask(
        "sparse_transformer_strided",
        {"stride": stride},
        lambda i, j, h, n: (j <= i) & ((i - j < stride) | ((i - j) % stride == 0)),
    )


def sparse_transformer_fixed(stride, columns):
    return _mask(
        "sparse_transformer_fixed",
        {"stride": stride, "columns": columns},
        lambda i, j, h, n: (j <= i)
        & ((i // stride == j // stride) | (j % stride >= stride - columns)),
    )
