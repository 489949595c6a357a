# RUN: %pytest %s
"""What an f32 tile costs: six products of bf16 for one of f32, three conversions for two
operands, and additions for the large terms of each depth of 16."""

import pytest
from ptx import compile_kernels, count, loops, ordinary

D, QUERIES, KEYS, WARPS = 64, 64, 32, 4
SCORES, ACCUMULATORS, ROWS = 16 * KEYS // 32, 16 * D // 32, 2  # of a thread
DEPTHS = {"scores": D // 16, "values": KEYS // 16}
# Pairs of operands that a thread splits: Q and K, P and V.
PAIRS_LOADED = DEPTHS["scores"] * (4 + KEYS // 8 * 2)
PAIRS = PAIRS_LOADED + DEPTHS["values"] * (4 + D // 8 * 2)


@pytest.fixture(scope="module")
def ptx():
    tensor = f"tensor<1x4x1024x{D}xf32>"
    text = f"""
        func.func @f(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
          %init = tensor.empty() : {tensor}
          %o = sparse_attn.attention mask(#sparse_attn.full)
            ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
            outs(%init : {tensor}) -> {tensor}
          return %o : {tensor}
        }}"""
    (kernels,) = compile_kernels(
        text, chip="sm_80", tile_queries=QUERIES, tile_keys=KEYS, warps=WARPS
    )
    return kernels.ptx


@pytest.fixture(scope="module")
def body(ptx):
    (only,) = ordinary(ptx)
    return only


def test_products(body):
    products = KEYS // 8 * DEPTHS["scores"] + D // 8 * DEPTHS["values"]
    assert count(body, "mma") == count(body, "mma.*m16n8k16.*bf16") == 6 * products


def test_operands_are_split_once(body):
    assert count(body, r"cvt\.rz\.bf16x2\.f32") == PAIRS
    assert count(body, r"cvt\.rn\.bf16x2\.f32") == 2 * PAIRS
    assert count(body, "shl", "and") <= 4 * PAIRS + 10


def test_loads(body):
    assert count(body, r"ld\.shared\.v2") == PAIRS_LOADED
    assert count(body, r"ld\.shared\.b32") == DEPTHS["values"] * D // 8 * 4
    assert count(body, r"ld\.", r"st\.") == count(body, r"ld\.shared")


def test_additions(body):
    of_scores = DEPTHS["scores"] * SCORES  # all large terms but one, the small terms
    of_values = (DEPTHS["values"] + 1) * ACCUMULATORS  # and the accumulator
    row_sums = SCORES
    assert count(body, "add.*f32") <= of_scores + of_values + row_sums
    # Whether the sum is a number: a comparison and a select. What is added to the
    # accumulators is tested behind the loop.
    assert count(body, "selp") == SCORES
    assert count(body, "setp") <= SCORES + 2


def test_softmax(body):
    assert count(body, "ex2") == SCORES + ROWS
    assert count(body, "mul.*f32") == SCORES + ROWS + ACCUMULATORS
    assert count(body, "fma") <= ROWS


def test_scores_of_the_fallback_path_are_a_loop(ptx, body):
    """Two depths of 16 at a time, which are a panel of shared memory."""
    (fallback,) = (
        other for other in loops(ptx) if count(other, "mma") and other != body
    )
    products = KEYS // 8 * 2 + D // 8 * DEPTHS["values"]
    assert count(fallback, "mma") == 6 * products


def test_nothing_else(ptx, body):
    assert count(body, "call", "div", "rem") == 0
    assert ".local" not in ptx and "call" not in ptx
