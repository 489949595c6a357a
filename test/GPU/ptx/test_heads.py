# RUN: %pytest %s
"""Heads that the examples do not have: what ptxas says of a last 8 columns, and of heads
of more than 256, or in f32 of more than 160, whose values are cut into slices."""

import functools

import pytest
from ptx import compile_kernels, count, ordinary
from resources import full_tile_spills, needs_of

# (head size of queries and keys, of values, chip), of bf16, or of f32 as a fourth says: bytes that may be spilled, in no loop over
# full tiles. Where warps take 32 rows, a thread has 136 to 176 accumulators: what spills is
# stored before the loops and read in the fallback path, which has the masks of all kinds of
# tiles, and behind it.
KERNELS = {
    (40, 40, "sm_80"): 0,
    (72, 72, "sm_80"): 0,
    (72, 72, "sm_90"): 8,
    (80, 80, "sm_90"): 0,
    (104, 104, "sm_80"): 8,
    (128, 128, "sm_80"): 12,
    (160, 160, "sm_80"): 0,
    (160, 160, "sm_90"): 0,
    (192, 192, "sm_90"): 0,
    (256, 256, "sm_80"): 0,
    (256, 256, "sm_90"): 0,
    (256, 256, "sm_100"): 0,
    (256, 256, "sm_120"): 0,
    (320, 320, "sm_90"): 0,
    (512, 512, "sm_80"): 0,
    (512, 512, "sm_90"): 0,
    (512, 512, "sm_120"): 0,
    (576, 512, "sm_86"): 0,
    (192, 192, "sm_80", "f32"): 0,
    (192, 192, "sm_120", "f32"): 0,
    (256, 256, "sm_80", "f32"): 8,
    (256, 256, "sm_90", "f32"): 12,
}


@functools.cache
def kernels_of(d, dv, chip, dtype="bf16"):
    q, v = (f"tensor<?x?x?x{size}x{dtype}>" for size in (d, dv))
    text = f"""
        func.func @f(%q: {q}, %k: {q}, %v: {v}, %o: {v}) -> {v} {{
          %r = sparse_attn.attention mask(#sparse_attn.causal)
            ins(%q, %k, %v : {q}, {q}, {v}) outs(%o : {v}) -> {v}
          return %r : {v}
        }}"""
    (kernels,) = compile_kernels(text, chip=chip, strides="any", variants="false")
    return kernels


@pytest.mark.parametrize("case", KERNELS, ids=lambda case: "-".join(map(str, case)))
def test_nothing_else_spills(case):
    (kernel,) = needs_of(kernels_of(*case), case[2]).values()
    spills = [kernel[k] for k in ("spill_stores", "spill_loads", "stack")]
    assert max(spills) <= KERNELS[case], spills
    assert full_tile_spills(kernel) == 0, kernel["loops"]


def test_a_last_depth_of_8_takes_half_a_product():
    """Scores of 64 keys: for each depth of 16 of a head of 40 a product m16n8k16, and one
    m16n8k8; values of 40 columns five of depth 16. For the two bands of a warp's 32 rows."""
    for body in ordinary(kernels_of(40, 40, "sm_80").ptx):
        assert count(body, "mma.*m16n8k8") == 2 * 64 // 8
        assert count(body, "mma.*m16n8k16") == 2 * (2 * 64 // 8 + 40 // 8 * 64 // 16)
