"""Results over two sets of keys, merged, against the definition in double."""

import numpy as np
import torch
from attention import TORCH_TYPES, run_module

BATCHES, HEADS = 2, 3


def module_text(dtype, rows, size, dynamic):
    n = "?" if dynamic else rows
    o = f"tensor<{BATCHES}x{HEADS}x{n}x{size}x{dtype}>"
    lse = f"tensor<{BATCHES}x{HEADS}x{n}xf32>"
    size_of = f"%c2 = arith.constant 2 : index\n  %n = tensor.dim %x, %c2 : {o}"
    return f"""
func.func @merge(%x: {o}, %lx: {lse}, %y: {o}, %ly: {lse}) -> ({o}, {lse}) {{
  {size_of if dynamic else ""}
  %init = tensor.empty({"%n" if dynamic else ""}) : {o}
  %init_lse = tensor.empty({"%n" if dynamic else ""}) : {lse}
  %r, %l = sparse_attn.merge ins(%x, %lx, %y, %ly : {o}, {lse}, {o}, {lse})
      outs(%init, %init_lse : {o}, {lse}) -> {o}, {lse}
  return %r, %l : {o}, {lse}
}}"""


def make_inputs(dtype, rows, size):
    generator = torch.Generator().manual_seed(20261130)
    shape = (BATCHES, HEADS, rows)
    x, y = (torch.randn(*shape, size, generator=generator) for _ in range(2))
    lx, ly = (20 * torch.randn(*shape, generator=generator) for _ in range(2))
    for lse, row in ((lx, 0), (ly, 1), (lx, 2), (ly, 2)):
        lse[0, 0, row] = -torch.inf  # no live key here, or there, or anywhere
    x[0, 0, 0] = torch.nan  # not read
    lx[0, 1, 3] = torch.nan
    lx[0, 1, 4], ly[0, 1, 4] = 3e38, 3e38
    lx[0, 1, 5], ly[0, 1, 5] = -3e38, -3e38
    y[1, 2, rows - 1, size - 1] = torch.inf
    lx[1, 2, rows - 1] = ly[1, 2, rows - 1]
    # Shares add up to 1, so a sum of such values stays within the type.
    x[1, 1, 0] = y[1, 1, 0] = torch.finfo(TORCH_TYPES[dtype]).max
    x, y = (t.to(TORCH_TYPES[dtype]).float() for t in (x, y))
    return [t.numpy().astype(np.float64) for t in (x, lx, y, ly)]


def reference(x, lx, y, ly):
    output = np.zeros_like(x)
    # Relative to the larger one: sums of huge LSEs would absorb ln 2.
    base = np.maximum(lx, ly)
    base = np.where(np.isneginf(base), 0, base)
    weights = [np.exp(l - base) for l in (lx, ly)]
    with np.errstate(invalid="ignore", divide="ignore"):
        for o, l, weight in ((x, lx, weights[0]), (y, ly, weights[1])):
            share = (weight / sum(weights))[..., None]
            output += np.where(np.isneginf(l)[..., None], 0, share * o)
        return output, base + np.log(sum(weights))


def check_merge(
    tool, dtype, rows, size, *options, dynamic=True, rewrite=lambda text: text
):
    """``rewrite``: what is to be done with the module's text before it runs."""
    inputs = make_inputs(dtype, rows, size)
    [output, lse], _ = run_module(
        tool, rewrite(module_text(dtype, rows, size, dynamic)), inputs, 2, *options
    )
    expected, expected_lse = reference(*[np.float32(t).astype(np.float64) for t in inputs])
    assert output.shape == expected.shape and lse.shape == expected_lse.shape
    # The difference of the LSEs, up to about 100, is off by its rounding.
    relative = 2.0**-23 * (8 + 104) + torch.finfo(TORCH_TYPES[dtype]).eps
    largest = np.maximum(*(
        np.where(np.isneginf(l)[..., None] | ~np.isfinite(o), 0, np.abs(o))
        for o, l in (inputs[:2], inputs[2:])
    ))
    bound = relative * largest
    # What overflows in the element type is infinite on both sides.
    rounded = torch.from_numpy(expected).to(TORCH_TYPES[dtype]).double().numpy()
    special = ~np.isfinite(rounded)
    np.testing.assert_array_equal(output[special], rounded[special])
    error = np.abs(output[~special] - expected[~special])
    assert (error <= bound[~special]).all()
    with np.errstate(over="ignore"):
        single = np.float32(expected_lse)
    np.testing.assert_allclose(lse, single, rtol=2.0**-22, atol=2.0**-20)
    # Where one side has no key, the other is the result, to the bit.
    np.testing.assert_array_equal(output[0, 0, 0], inputs[2][0, 0, 0])
    np.testing.assert_array_equal(output[0, 0, 1], inputs[0][0, 0, 1])
    np.testing.assert_array_equal(output[0, 0, 2], np.zeros(size))
