# RUN: %pytest %s
"""Attention layers of published models, random weights, through a package: with a
prompt and step by step, without padding and with padding on either side, with a cache
of a fixed capacity and with one whose front is dropped. Errors are at most those of
eager attention in the same type (twice the largest, 1.1 times the mean)."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import INPUTS, compile_package

PROMPT, STEPS = 61, 7
PADDING = (0, 5, 40)  # tokens that are none, of each sequence


@dataclasses.dataclass(frozen=True)
class Model:
    """What an attention layer is; `allowed` takes positions of queries and keys."""

    heads: int
    key_heads: int
    size: int
    allowed: Callable
    kept: int | None = None  # how many of the last keys a step may see
    scale: float | None = None
    softcap: float | None = None
    has_sinks: bool = False
    is_encoder: bool = False


def window(size):
    return lambda i, j: (j <= i) & (i - j < size)


MODELS = {
    "modernbert": Model(4, 4, 64, lambda i, j: abs(i - j) <= 8, is_encoder=True),
    "mistral": Model(8, 2, 128, window(24), kept=24),
    "gemma2": Model(4, 2, 256, window(24), kept=24, scale=1 / 16, softcap=50.0),
    "gemma3": Model(4, 2, 256, lambda i, j: j <= i, scale=1 / 16),
    "gpt_oss": Model(16, 2, 64, window(16), kept=16, has_sinks=True),
    "llama4": Model(10, 2, 128, lambda i, j: (j <= i) & (i // 20 == j // 20), kept=20),
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("packages") / "models"
    compile_package(path, "native", file=INPUTS / "models.mlir")
    with sparse_attn.load(path) as package:
        yield package


class Layer:
    """Projections with rotary embeddings, attention by `attend`, a projection."""

    def __init__(self, model):
        self.model = model
        self.width = 96
        generator = torch.Generator().manual_seed(7)

        def weights(rows, columns):
            noise = torch.randn(rows, columns, generator=generator)
            return (noise * rows**-0.5).bfloat16()

        self.of_queries = weights(self.width, model.heads * model.size)
        self.of_keys = weights(self.width, model.key_heads * model.size)
        self.of_values = weights(self.width, model.key_heads * model.size)
        self.of_results = weights(model.heads * model.size, self.width)
        self.sinks = torch.randn(model.heads, generator=generator)

    def project(self, x, positions):
        """Q, K and V of tokens [B, S, width] at positions [B, S]."""
        def heads(weights, count):
            return (x @ weights).unflatten(-1, (count, -1)).transpose(1, 2)

        q = heads(self.of_queries, self.model.heads)
        k = heads(self.of_keys, self.model.key_heads)
        v = heads(self.of_values, self.model.key_heads)
        return rotated(q, positions), rotated(k, positions), v

    def finish(self, o):
        weights = self.of_results.to(o.dtype)
        return o.transpose(1, 2).flatten(2) @ weights


def rotated(x, positions):
    half = x.shape[-1] // 2
    frequencies = 10000.0 ** (-torch.arange(half) / half)
    angles = positions[:, None, :, None] * frequencies
    a, b = x.float().split(half, dim=-1)
    sin, cos = angles.sin(), angles.cos()
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).to(x.dtype)


def eager(layer, q, k, v, i, j, exists, dtype):
    """Attention by PyTorch's own operations, as models have it: softmax in f32, or in
    the type if that is wider. Positions are [B, queries] and [B, slots]."""
    model = layer.model
    group = model.heads // model.key_heads
    q, k, v = (x.to(dtype) for x in (q, k.nan_to_num(), v.nan_to_num()))
    k, v = (x.repeat_interleave(group, dim=1) for x in (k, v))
    scores = q @ k.mT * (model.scale or model.size**-0.5)
    if model.softcap:
        scores = (scores / model.softcap).tanh() * model.softcap
    live = model.allowed(i[:, :, None], j[:, None, :]) & exists[:, None, :]
    scores = scores.masked_fill(~live[:, None], -torch.inf)
    if model.has_sinks:
        column = layer.sinks.to(dtype)[None, :, None, None]
        scores = torch.cat([scores, column.expand(*scores.shape[:3], 1)], dim=-1)
    wide = torch.float32 if dtype == torch.bfloat16 else dtype
    weights = scores.softmax(dim=-1, dtype=wide).to(dtype).nan_to_num()
    return weights[..., : k.shape[2]] @ v


class Sequences:
    """The tokens of a batch, with `padding` slots before the first or behind the last
    one of each sequence."""

    def __init__(self, layer, padding, side):
        generator = torch.Generator().manual_seed(3)
        shape = (len(padding), PROMPT + STEPS, layer.width)
        self.tokens = torch.randn(shape, generator=generator).bfloat16()
        self.padding = torch.tensor(padding)
        self.is_left = side == "left"
        before = self.padding if self.is_left else torch.zeros_like(self.padding)
        self.before = before  # slots before the first token

    def lengths(self):
        """Slots up to the last token of the prompt."""
        ends = torch.full_like(self.padding, PROMPT)
        return ends if self.is_left else ends - self.padding


def compare(layer, ours, q, k, v, i, j, exists, rows):
    """`rows` [B, queries] are those that are tokens'."""
    exact = layer.finish(eager(layer, q, k, v, i, j, exists, torch.float64))
    theirs = layer.finish(eager(layer, q, k, v, i, j, exists, torch.bfloat16))
    ours, theirs, exact = (x.double()[rows].numpy() for x in
                           (layer.finish(ours), theirs, exact))
    assert np.isfinite(ours).all()
    our_error, their_error = abs(ours - exact), abs(theirs - exact)
    assert our_error.max() <= 2 * their_error.max()
    assert our_error.mean() <= 1.1 * their_error.mean()


def call(package, name, layer, q, k, v, end, begin, row, slot):
    data = [end.int(), begin.int(), row.long(), slot.long()]
    if layer.model.has_sinks:
        data.append(layer.sinks)
    return package[name](q.contiguous(), k.contiguous(), v.contiguous(), *data)


def spoiled(x, exists):
    """NaN in the slots of no token, [B, slots]."""
    return x.masked_fill(~exists[:, None, :, None], torch.nan)


@pytest.mark.parametrize("side", ["none", "left", "right"])
@pytest.mark.parametrize("name", MODELS)
def test_a_prompt(package, name, side):
    layer = Layer(MODELS[name])
    batch = Sequences(layer, PADDING if side != "none" else (0, 0, 0), side)
    slots = torch.arange(PROMPT)
    positions = slots - batch.before[:, None]
    q, k, v = layer.project(batch.tokens[:, :PROMPT], positions)
    end = batch.lengths()
    exists = (slots >= batch.before[:, None]) & (slots < end[:, None])
    k, v = spoiled(k, exists), spoiled(v, exists)
    o = call(package, name, layer, q, k, v, end, batch.before, -batch.before, -batch.before)
    compare(layer, o, q, k, v, positions, positions, exists, exists)


DECODERS = [name for name, model in MODELS.items() if not model.is_encoder]
CACHES = [(name, cache) for name in DECODERS for cache in ("static", "dropped")
          if cache == "static" or MODELS[name].kept]


@pytest.mark.parametrize("side", ["none", "left", "right"])
@pytest.mark.parametrize("name, cache", CACHES)
def test_steps(package, name, cache, side):
    """One token more of each sequence, a step: with padding on the right, the cache
    of each goes on where its own prompt ended."""
    layer = Layer(MODELS[name])
    batch = Sequences(layer, PADDING if side != "none" else (0, 0, 0), side)
    count = torch.arange(PROMPT + STEPS)
    positions = count - batch.before[:, None]
    q, k, v = layer.project(batch.tokens, positions)
    for step in range(STEPS):
        end = batch.lengths() + step + 1
        exists = (count >= batch.before[:, None]) & (count < end[:, None])
        last = end - 1 - batch.before
        keys, values = spoiled(k, exists), spoiled(v, exists)
        at = (end - 1)[:, None, None, None].expand(-1, layer.model.heads, 1, layer.model.size)
        query = q.gather(2, at)
        first, begin = torch.zeros_like(end), batch.before
        if cache == "dropped":
            # All sequences drop as many slots, those that none of them sees.
            dropped = int((end - layer.model.kept).clamp(min=0).min())
            keys, values = keys[:, :, dropped:], values[:, :, dropped:]
            exists, first = exists[:, dropped:], first + dropped
            begin = (begin - dropped).clamp(min=0)
        slots = count[: keys.shape[2]] + first[:, None] - batch.before[:, None]
        o = call(package, name, layer, query, keys, values, end - first, begin, last,
                 first - batch.before)
        rows = torch.ones(len(end), 1, dtype=bool)
        compare(layer, o, query, keys, values, last[:, None], slots, exists, rows)
