"""Each mask, as FlexAttention and the checks see it, is the compiler's."""

import masks
import numpy as np
import pytest
import torch
from draws import bigbird_blocks
from patterns import PATTERNS, SMALL_PATTERNS, documents, window
from predicted_cases import NARROW
from torch.nn.attention.flex_attention import create_block_mask, create_mask

CPU = torch.device("cpu")

LONG = {
    "dense": masks.full,
    "causal": masks.causal,
    "window1024": masks.sliding_window(1023, 0),
    "window4096": masks.sliding_window(4095, 0),
    "longformer": masks.longformer(512, [0]),
    "bigbird": masks.bigbird(64, 3, 3),
    "st_strided": masks.sparse_transformer_strided(128),
    "st_fixed": masks.sparse_transformer_fixed(128, 32),
    "streaming": masks.streaming(4, 1024),
    "dilated": masks.union(masks.sliding_window(256, 256, dilation=2), masks.global_([0])),
}
SMALL = {
    "dense": masks.full,
    "causal": masks.causal,
    "window40": masks.sliding_window(39, 0),
    "longformer": masks.longformer(32, [0]),
    "bigbird": masks.bigbird(16, 3, 2),
    "st_strided": masks.sparse_transformer_strided(16),
    "st_fixed": masks.sparse_transformer_fixed(16, 4),
    "streaming": masks.streaming(4, 40),
    "dilated": masks.union(masks.sliding_window(9, 9, dilation=2), masks.global_([0])),
}
# Ragged and whole, and past what every parameter of the long masks reaches.
LONG_LENGTHS = {"window4096": [4200]}
BOTH = [(PATTERNS[name], LONG[name], n) for name in PATTERNS
        for n in LONG_LENGTHS.get(name, [1, 577, 1216])]
BOTH += [(SMALL_PATTERNS[name], SMALL[name], n) for name in SMALL_PATTERNS
         for n in (1, 2, 16, 33, 97, 128)]
# What is predicted alone.
BOTH += [(pattern, masks.sliding_window(*reach), n)
         for pattern, reach in zip(NARROW, ((64, 64), (127, 0))) for n in (1, 97, 577)]
BOTH += [(window(5), masks.sliding_window(5, 5), 33),
         (documents((7, 1, 20)), masks.documents(7, 1, 20), 28)]


def test_every_pattern_is_tested():
    assert LONG.keys() == PATTERNS.keys() and SMALL.keys() == SMALL_PATTERNS.keys()


@pytest.mark.parametrize(
    "pattern, formula, n", BOTH, ids=[f"{p.name}-{p.mask.count('=')}-{n}" for p, _, n in BOTH])
def test_mask_mod_is_the_formula(pattern, formula, n):
    heads = 2
    assert pattern.mask.replace(", seed = 0", "") == formula.text.replace(", seed = 0", "")
    mask_mod = pattern.make_mask_mod(n, heads, CPU)
    position = torch.arange(n)
    live = 0
    for head in range(heads):
        found = mask_mod(torch.tensor(0), torch.tensor(head), position[:, None],
                         position[None, :]).broadcast_to(n, n).numpy()
        expected = formula.matrix(n, n, head)
        wrong = np.argwhere(found != expected)
        assert not len(wrong), f"head {head}, (i, j) = {wrong[:5].tolist()}"
        live += int(expected.sum())
    assert pattern.live_pairs(n, heads) == live
    assert pattern.density(n) == pytest.approx(live / heads / n**2)


@pytest.mark.parametrize("name", SMALL_PATTERNS)
def test_mask_mod_under_vmap(name):
    """As FlexAttention evaluates it: on scalars."""
    pattern, n, heads = SMALL_PATTERNS[name], 97, 2
    found = create_mask(pattern.make_mask_mod(n, heads, CPU), 1, heads, n, n, device="cpu")
    for head in range(heads):
        assert (found[0, head].numpy() == SMALL[name].matrix(n, n, head)).all()


def test_block_mask_sees_every_live_block():
    pattern, n, block = SMALL_PATTERNS["bigbird"], 256, 32
    found = create_block_mask(pattern.make_mask_mod(n, 2, CPU), None, 2, n, n, device="cpu",
                              BLOCK_SIZE=block)
    for head in range(2):
        matrix = SMALL["bigbird"].matrix(n, n, head)
        tiles = matrix.reshape(n // block, block, n // block, block).any(axis=(1, 3))
        assert (found.to_dense()[0, head].numpy() == tiles).all()


@pytest.mark.parametrize("heads, blocks, count, radius, seed", [
    (3, 1, 2, 1, 0), (2, 2, 3, 1, 1), (3, 9, 3, 1, 5), (2, 40, 4, 2, 7), (4, 6, 5, 0, 9),
    (1, 7, 32, 16, 2**63 + 5)])
def test_draws_are_those_of_the_formula(heads, blocks, count, radius, seed):
    found = bigbird_blocks(heads, blocks, count, radius, seed)
    for head, row in np.ndindex(heads, blocks):
        visible = {0, blocks - 1, *range(row - radius, row + radius + 1)}
        expected = [] if row in (0, blocks - 1) else masks.draw_blocks(
            count, seed, head, row, blocks, visible)
        assert [block for block in found[head, row] if block >= 0] == expected


def test_no_compiled_index_has_a_constant():
    """Indexing a table with a number among tensors fails under torch.compile, which is
    too slow to try here; so all that a mask indexes has its two dimensions in tensors."""
    mask_mod = SMALL_PATTERNS["bigbird"].make_mask_mod(64, 2, CPU)
    tables = [cell.cell_contents for cell in mask_mod.__closure__
              if isinstance(cell.cell_contents, list)]
    assert tables and all(table.shape == (2, 4) for table in tables[0])
