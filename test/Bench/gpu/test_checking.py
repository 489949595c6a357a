"""The check of results finds what is wrong, and nothing else."""

import attention
import masks
import numpy as np
import pytest
import torch
from cases import Case, Inputs, random_inputs
from checking import Oracle, sample_rows
from measuring import Guarded, make_oracle
from devices import CpuDevice
from patterns import SMALL_PATTERNS, causal_window

CPU = torch.device("cpu")


def make_case(pattern, n=200, dtype="bf16", key_heads=2):
    return Case(pattern, dtype, 2, 4, key_heads, n, 16)


def exact_result(case, formula, inputs):
    """By the oracle of the numerics tests."""
    live = np.stack([formula.matrix(case.n, case.n, h) for h in range(case.heads)])
    operands = [x.double().numpy() for x in (inputs.q, inputs.k, inputs.v)]
    return attention.reference(*operands, live, case.head_size**-0.5)[0]


@pytest.mark.parametrize("name, formula", [
    ("longformer", masks.longformer(32, [0])), ("bigbird", masks.bigbird(16, 3, 2))])
def test_reference_is_that_of_the_numerics_tests(name, formula, monkeypatch):
    monkeypatch.setattr("checking.KEY_CHUNK", 37)  # several, and a ragged last one
    case = make_case(SMALL_PATTERNS[name])
    inputs = random_inputs(case, CPU, 0)
    rows = sample_rows(2, 4, case.n, CPU)
    oracle = make_oracle(case, case.pattern, inputs, rows, CpuDevice())
    exact = exact_result(case, formula, inputs)
    for index, (batch, head) in enumerate(rows.heads):
        expected = exact[batch, head, rows.rows.numpy()]
        np.testing.assert_allclose(oracle.exact[index].numpy(), expected, atol=1e-13)


def test_sampled_rows_have_the_ends_and_the_last_head():
    rows = sample_rows(3, 5, 1000, CPU)
    assert (2, 4) in rows.heads and len(rows.heads) == 4
    assert {0, 63, 64, 127, 128, 999} <= set(rows.rows.tolist())
    assert rows.rows.max() < 1000
    assert sample_rows(1, 1, 1, CPU).rows.tolist() == [0]


@pytest.fixture(scope="module")
def window():
    """A window, its oracle, and its result as rounded by the type."""
    case = make_case(causal_window(40), n=600)
    inputs = random_inputs(case, CPU, 0)
    rows = sample_rows(2, 4, case.n, CPU, num_rows=200)
    oracle = make_oracle(case, case.pattern, inputs, rows, CpuDevice())
    return case, inputs, oracle


def result_of(case, inputs, width):
    exact = exact_result(case, masks.sliding_window(width - 1, 0), inputs)
    return torch.from_numpy(exact).to(torch.bfloat16)


def test_right_result_is_within_the_goal(window):
    case, inputs, oracle = window
    judged = oracle.judge(result_of(case, inputs, 40))
    assert judged["within_goal"] and judged["agrees"]
    assert judged["mean_abs_error"] < judged["eager_mean_abs_error"]


@pytest.mark.parametrize("width", [39, 41])
def test_window_off_by_one_does_not_agree(window, width):
    case, inputs, oracle = window
    judged = oracle.judge(result_of(case, inputs, width))
    assert not judged["within_goal"] and not judged["agrees"]


def test_one_unwritten_row_outside_the_sample_is_found(window):
    case, inputs, oracle = window
    out = result_of(case, inputs, 40)
    row = next(r for r in range(case.n) if r not in oracle.rows.rows.tolist())
    out[0, 1, row, 3] = torch.nan
    judged = oracle.judge(out)
    assert not judged["all_finite"] and not judged["within_goal"]


def test_empty_rows_are_zero():
    inputs = Inputs(*(torch.randn(1, 1, 8, 16) for _ in range(3)))
    rows = sample_rows(1, 1, 8, CPU)
    oracle = Oracle(inputs.q, inputs.k, inputs.v,
                    lambda b, h, i, j: (j < i) & (i != 5), rows)
    assert (oracle.exact[0, [0, 5]] == 0).all() and (oracle.exact[0, 1] != 0).any()
    assert oracle.judge(oracle.exact.float()[None])["within_goal"]


@pytest.mark.parametrize("place", [-1, 0])
def test_guards_see_a_byte_beyond_the_tensor(place):
    memory = Guarded((3, 5), torch.bfloat16, CPU)
    assert memory.tensor.shape == (3, 5) and memory.tensor.isnan().all()
    memory.tensor.fill_(1)
    assert memory.is_intact()
    memory._guards[1 + place][place] = 0
    assert not memory.is_intact()
